# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The world of resources on a real cluster: real indices, pipelines, connectors, models and agents, through opensearch-py.

``create`` and ``delete`` are what the engine's steps call, under the caller's credentials. ``put``, ``get``, ``remove``
and ``ids`` are what tests do behind everybody's back, as the cluster's administrator, in the words of ``memory.py``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote

from opensearchpy import OpenSearch
from opensearchpy.exceptions import TransportError

from ..errors import Refused, StepFailed, core_error
from ..named import NAMED
from ..security import User
from ..store import AGENTS, CONNECTORS, MODEL_GROUPS, MODELS, STATES, TEMPLATES
from ..versions import Features
from . import inputs as step_inputs
from .indices import flat_settings
from .inputs import DEPLOY_POLL_SECONDS, Created, step_failed, true

ML = "/_plugins/_ml"
ML_KINDS: Mapping[str, str] = {
    "agent": AGENTS,
    "model": MODELS,
    "model_group": MODEL_GROUPS,
    "connector": CONNECTORS,
}
"""The kinds of ML Commons and their indices; what uses comes before what is used."""
PIPELINES: Mapping[str, str] = {row.kind: row.path for row in NAMED.values()}
KINDS = (*ML_KINDS, "index", *PIPELINES, "alias")

CONNECTOR = {
    "name": "connector",
    "description": "nobody is called",
    "version": "1",
    "protocol": "http",
    "parameters": {"endpoint": "127.0.0.1:1"},
    "credential": {"key": "none"},
    "actions": [
        {
            "action_type": "predict",
            "method": "POST",
            "url": "http://127.0.0.1:1/v1",
            "headers": {"Authorization": "Bearer ${credential.key}"},
            "request_body": "{}",
        }
    ],
}
"""What a connector needs; the port is closed."""
AGENT = {"name": "agent", "type": "flow", "tools": [{"type": "ListIndexTool", "name": "indices"}]}

TASK_SECONDS = 60.0
"""So long an ML task may take: registering and deploying what is remote takes about one."""


class Clients(Protocol):
    """Who asks the cluster."""

    def as_admin(self) -> tuple[OpenSearch, Mapping[str, str]]:
        """A client and the headers to send, of somebody who may do everything, with the plugins' own indices too."""

    def as_caller(self, caller: User | None) -> tuple[OpenSearch, Mapping[str, str]]:
        """The same for who called Flow Framework."""


class OpenSearchWorld:
    """Resources of a real cluster."""

    def __init__(self, features: Features, clients: Clients, secured: bool) -> None:
        self.features = features
        self.clients = clients
        self.secured = secured
        self._samples: dict[str, dict[str, Any]] = {}

    # -- behind the server's back

    def put(self, kind: str, id_: str, **attributes: Any) -> None:
        """Create or overwrite one resource; searches see it at once. ValueError for what no real cluster can be given.

        A real resource of ML Commons gets an id by itself: one is made, and its document stored under the id wanted.
        """
        if kind == "model":
            self._put_model(id_, dict(attributes))
        elif kind in ML_KINDS:
            self._store(kind, id_, {**self._sample(kind), **_told(id_, attributes)})
        elif kind in PIPELINES:
            body = attributes.pop("body", {"processors": []} if kind == "ingest_pipeline" else {})
            _none_left(attributes)
            self._admin("PUT", f"{PIPELINES[kind]}/{_quoted(id_)}", body)
        elif kind == "index":
            self._put_index(id_, dict(attributes))
        elif kind == "alias":
            self._admin("PUT", f"/{_quoted(attributes['index'])}/_alias/{_quoted(id_)}", attributes.get("body"))
        else:
            raise ValueError(f"no such kind: {kind}; there are {', '.join(KINDS)}")

    def _put_model(self, id_: str, attributes: dict[str, Any]) -> None:
        """A remote model. Its connector and its group are told by the document alone: they need not exist."""
        state = attributes.pop("state", "REGISTERED")
        told = _told(id_, attributes)
        deployed = state == "DEPLOYED"
        self._store("model", id_, {**self._sample("model"), **told, "model_state": "REGISTERED" if deployed else state})
        if deployed:
            self._deploy(id_, told.get("connector_id"))

    def _deploy(self, id_: str, connector: str | None) -> None:
        """Deploy it for real, with a connector in between where it has none that exists."""
        borrowed = None
        if connector is None or self.get("connector", connector) is None:
            borrowed = connector or _unused()
            self.put("connector", borrowed)
            self._change("model", id_, {"connector_id": borrowed})
        self._finished(self._admin("POST", f"{ML}/models/{_quoted(id_)}/_deploy"))
        if borrowed is not None:
            self.remove("connector", borrowed)
            self._change("model", id_, {"connector_id": connector})

    def _put_index(self, id_: str, attributes: dict[str, Any]) -> None:
        """A size and a uuid of its own every real index has: the first is not looked at, the second cannot be wished for."""
        documents = attributes.pop("documents", 0)
        closed, read_only = attributes.pop("closed", False), attributes.pop("read_only", False)
        settings = {"index.number_of_shards": 1, "index.number_of_replicas": 0, **flat_settings(attributes.pop("settings", None))}
        if attributes.get("creation_date"):
            settings["index.creation_date"] = attributes["creation_date"]
        attributes.pop("creation_date", None)
        attributes.pop("size_in_bytes", None)
        body = {"settings": settings, "mappings": attributes.pop("mappings", {})}
        aliases = attributes.pop("aliases", [])
        body["aliases"] = dict(aliases) if isinstance(aliases, Mapping) else {alias: {} for alias in aliases}
        _none_left(attributes)
        self.remove("index", id_)
        path = f"/{_quoted(id_)}"
        self._admin("PUT", path, body)
        if documents:
            lines = '{"index": {}}\n{"field": "value"}\n' * documents
            self._admin("POST", f"{path}/_bulk?refresh=true", lines, {"content-type": "application/x-ndjson"})
            self._admin("POST", f"{path}/_flush")  # nothing is uncommitted, as in memory
        if read_only:
            self._admin("PUT", f"{path}/_settings", {"index.blocks.read_only": True})
        if closed:
            self._admin("POST", f"{path}/_close")

    def get(self, kind: str, id_: str) -> dict[str, Any] | None:
        """What there is, in the words of ``put``; None where it does not exist."""
        if kind in ML_KINDS:
            return self._document(kind, id_)
        if kind in PIPELINES:
            found = self._found(PIPELINES[kind]) or {}  # an id with a comma is found only here (recording comma_lookup)
            return {"body": found[id_]} if id_ in found else None
        if kind == "index":
            return self._index(id_)
        if kind == "alias":
            found = self._found(f"/_alias/{_quoted(id_)}")
            return {"index": ",".join(sorted(found))} if found else None
        raise ValueError(f"no such kind: {kind}; there are {', '.join(KINDS)}")

    def _document(self, kind: str, id_: str) -> dict[str, Any] | None:
        found = self._found(f"/{ML_KINDS[kind]}/_doc/{_quoted(id_)}")
        if not found or not found.get("found"):
            return None
        source: dict[str, Any] = found["_source"]
        return {**source, "state": source["model_state"]} if kind == "model" else source

    def _index(self, id_: str) -> dict[str, Any] | None:
        """From the state of the cluster: an index may be blocked so that it shows nothing itself."""
        shown = self._metadata(id_)
        if shown is None:
            return None
        settings = flat_settings(shown["settings"])
        closed, blocked = shown["state"] == "close", settings.get("index.blocks.metadata") == "true"
        stats: dict[str, Any] = {}
        if not (closed or blocked):
            stats = self._admin("GET", f"/{_quoted(id_)}/_stats/docs,store")["_all"]
        return {
            "uuid": settings["index.uuid"],
            "documents": stats["primaries"]["docs"]["count"] if stats else None,
            "size_in_bytes": stats["total"]["store"]["size_in_bytes"] if stats else None,
            "closed": closed,
            "read_only": true(settings.get("index.blocks.read_only")),
            "settings": settings,
            "aliases": sorted(shown["aliases"]),
            "mappings": shown["mappings"].get("_doc", {}),
            "creation_date": int(settings["index.creation_date"]),
        }

    def _metadata(self, index: str) -> dict[str, Any] | None:
        """None for an alias of that name, too."""
        state = self._admin("GET", f"/_cluster/state/metadata/{_quoted(index)}?filter_path=metadata.indices")
        shown: dict[str, Any] | None = state.get("metadata", {}).get("indices", {}).get(index)
        return shown

    def remove(self, kind: str, id_: str) -> bool:
        """Take one resource away, whatever holds it; searches no longer see it. False where it did not exist."""
        if self.get(kind, id_) is None:
            return False
        if kind in ML_KINDS:
            self._admin("DELETE", f"/{ML_KINDS[kind]}/_doc/{_quoted(id_)}?refresh=true")
        elif kind in PIPELINES:
            self._admin("DELETE", f"{PIPELINES[kind]}/{_quoted(id_)}")
        elif kind == "alias":
            self._admin("DELETE", f"/_all/_alias/{_quoted(id_)}")
        else:
            self._unblock(id_)
            self._admin("DELETE", f"/{_quoted(id_)}")
        return True

    def _unblock(self, id_: str) -> None:
        """Only where it is: any change of its settings is refused to an index whose search pipeline does not exist."""
        for name in flat_settings((self._metadata(id_) or {})["settings"]):
            if name.startswith("index.blocks."):  # one by one: more at once a block refuses
                self._admin("PUT", f"/{_quoted(id_)}/_settings", {name: None})

    def ids(self, kind: str) -> list[str]:
        """All ids of a kind, sorted; of indices only those that are not the plugins' own."""
        if kind in ML_KINDS:
            body = {"size": 10000, "_source": False}
            found = self._found(f"/{ML_KINDS[kind]}/_search", "POST", body) or {"hits": {"hits": []}}
            return sorted(hit["_id"] for hit in found["hits"]["hits"])
        if kind in PIPELINES:
            return sorted(self._found(PIPELINES[kind]) or {})
        state = self._admin("GET", "/_cluster/state/metadata?filter_path=metadata.indices.*.state,metadata.indices.*.aliases")
        found = state.get("metadata", {}).get("indices", {})
        own = {name: shown for name, shown in found.items() if not name.startswith(".")}
        if kind == "index":
            return sorted(own)
        if kind == "alias":
            return sorted({alias for shown in own.values() for alias in shown["aliases"]})
        raise ValueError(f"no such kind: {kind}; there are {', '.join(KINDS)}")

    def clear(self) -> None:
        """Take everything away, the records of the real plugin too where it is installed."""
        for index in (STATES, TEMPLATES):
            self._found(f"/{index}/_delete_by_query?refresh=true", "POST", {"query": {"match_all": {}}})
        for kind in ("index", *PIPELINES, *ML_KINDS):
            for id_ in self.ids(kind):
                self.remove(kind, id_)

    # -- the records of the real plugin, where it is installed

    def load(self, state: Mapping[str, Any], template: Mapping[str, Any] | None) -> None:
        """Put a state document, and a template if one is given."""
        self._admin("PUT", f"/{STATES}/_doc/{_quoted(state['workflow_id'])}?refresh=true", state)
        if template is not None:
            self._admin("PUT", f"/{TEMPLATES}/_doc/{_quoted(state['workflow_id'])}?refresh=true", template)

    def record(self, index: str, workflow_id: str) -> dict[str, Any] | None:
        """A document of one of the plugin's indices."""
        found = self._found(f"/{index}/_doc/{_quoted(workflow_id)}")
        return found["_source"] if found and found.get("found") else None

    # -- how the administrator does it

    def _admin(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        client, own = self.clients.as_admin()
        return _send(client, method, path, body, {**own, **(headers or {})})

    def _found(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """The same for what may not be there: None then."""
        try:
            return self._admin(method, path, body)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def _sample(self, kind: str) -> dict[str, Any]:
        """The document of a resource that was made as everybody makes one, and is gone again; made once."""
        if kind not in self._samples:
            self._samples[kind] = getattr(self, f"_sample_{kind}")()
        return self._samples[kind]

    def _sample_connector(self) -> dict[str, Any]:
        return self._taken("connector", self._admin("POST", f"{ML}/connectors/_create", CONNECTOR)["connector_id"])

    def _sample_model_group(self) -> dict[str, Any]:
        body = {"name": _unused()}
        return self._taken("model_group", self._admin("POST", f"{ML}/model_groups/_register", body)["model_group_id"])

    def _sample_agent(self) -> dict[str, Any]:
        return self._taken("agent", self._admin("POST", f"{ML}/agents/_register", AGENT)["agent_id"])

    def _sample_model(self) -> dict[str, Any]:
        connector = self._admin("POST", f"{ML}/connectors/_create", CONNECTOR)["connector_id"]
        body = {"name": _unused(), "function_name": "remote", "connector_id": connector}
        source = self._taken("model", self._finished(self._admin("POST", f"{ML}/models/_register", body))["model_id"])
        self.remove("connector", source.pop("connector_id"))
        self.remove("model_group", source.pop("model_group_id"))
        return source

    def _taken(self, kind: str, id_: str) -> dict[str, Any]:
        """Take one away; the document that it had."""
        source = self._document(kind, id_) or {}
        self.remove(kind, id_)
        source.pop("state", None)
        if "is_hidden" in source:  # what the super administrator makes is hidden from everybody else
            source["is_hidden"] = False
        return source

    def _store(self, kind: str, id_: str, source: Mapping[str, Any]) -> None:
        known = {name: value for name, value in source.items() if value is not None}
        self._admin("PUT", f"/{ML_KINDS[kind]}/_doc/{_quoted(id_)}?refresh=true", known)

    def _change(self, kind: str, id_: str, changes: Mapping[str, Any]) -> None:
        source = self._document(kind, id_) or {}
        source.pop("state", None)
        self._store(kind, id_, {**source, **changes})

    def _finished(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Wait for the ML task of an answer. Refused where it failed."""
        return self._wait(answer, *self.clients.as_admin())

    def _wait(self, answer: Mapping[str, Any], client: OpenSearch, headers: Mapping[str, str]) -> dict[str, Any]:
        limit = time.monotonic() + TASK_SECONDS
        while True:
            task: dict[str, Any] = _send(client, "GET", f"{ML}/tasks/{_quoted(answer['task_id'])}", None, headers)
            if task["state"] in ("COMPLETED", "COMPLETED_WITH_ERROR"):
                return task
            if task["state"] in ("FAILED", "CANCELLED") or time.monotonic() > limit:
                raise core_error("status_exception", str(task.get("error", "the task did not end")), 500)
            time.sleep(0.05)

    # -- what the engine's steps call

    async def create(self, step: str, inputs: Mapping[str, Any], caller: User | None) -> Created:
        """Do one create step. StepFailed with the step's words and the cause's."""
        work = getattr(self, f"_create_{step}", None) or self._create_local_model
        try:
            created: Created = await asyncio.to_thread(work, step, inputs, _As(self, caller))
            return created
        except Refused as refused:
            raise step_failed(step, inputs, refused) from None
        except KeyError as missing:
            raise step_inputs.missing(missing.args[0]) from None

    def _create_noop(self, step: str, inputs: Mapping[str, Any], caller: _As) -> Created:
        return Created()

    def _create_create_tool(self, step: str, inputs: Mapping[str, Any], caller: _As) -> Created:
        return Created({"tools": [step_inputs.tool(inputs)]})

    def _create_reindex(self, step: str, inputs: Mapping[str, Any], caller: _As) -> Created:
        body = {"source": {"index": inputs["source_index"]}, "dest": {"index": inputs["destination_index"]}}
        caller.send("POST", "/_reindex?refresh=true", body)
        return Created({"acknowledged": True})

    def _create_create_connector(self, step: str, inputs: Mapping[str, Any], caller: _As) -> Created:
        """With a credential of no use: the simulator stores none, as nobody is ever to be shown one."""
        names = ("name", "version", "description", "protocol", "parameters", "actions")
        body = {**{name: inputs[name] for name in names if name in inputs}, "credential": CONNECTOR["credential"]}
        id_ = caller.send("POST", f"{ML}/connectors/_create", body)["connector_id"]
        return Created({"connector_id": id_}, [(step, id_)])

    def _create_register_model_group(self, step: str, inputs: Mapping[str, Any], caller: _As) -> Created:
        names = ("name", "description", "access_mode", "backend_roles", "add_all_backend_roles")
        id_ = caller.send("POST", f"{ML}/model_groups/_register", {name: inputs[name] for name in names if name in inputs})["model_group_id"]
        return Created({"model_group_id": id_, "model_group_status": "CREATED"}, [(step, id_)])

    def _create_register_remote_model(self, step: str, inputs: Mapping[str, Any], caller: _As) -> Created:
        names = ("name", "function_name", "connector_id", "model_group_id", "description", "guardrails", "interface")
        deploy = true(inputs.get("deploy"))
        body = {name: value for name, value in step_inputs.model(step, inputs).items() if name in names}
        answer = caller.send("POST", f"{ML}/models/_register" + ("?deploy=true" if deploy else ""), body)
        id_ = answer.get("model_id") or caller.finished(answer)["model_id"]
        records = [(step, id_)]
        if deploy:
            self._until_deployed(id_)
            records.append(("deploy_model", id_))
        return Created({"model_id": id_, "register_model_status": "CREATED"}, records)

    def _until_deployed(self, id_: str) -> None:
        limit = time.monotonic() + TASK_SECONDS
        while (self._document("model", id_) or {}).get("model_state") != "DEPLOYED":
            if time.monotonic() > limit:
                raise core_error("status_exception", f"model {id_} did not get deployed in {TASK_SECONDS:.0f} s", 500)
            time.sleep(0.05)

    def _create_local_model(self, step: str, inputs: Mapping[str, Any], caller: _As) -> Created:
        """A model that lives in the cluster: downloaded from where the template says."""
        id_ = caller.finished(caller.send("POST", f"{ML}/models/_register", step_inputs.model(step, inputs)))["model_id"]
        return Created({"model_id": id_, "register_model_status": "CREATED"}, [(step, id_)])

    def _create_deploy_model(self, step: str, inputs: Mapping[str, Any], caller: _As) -> Created:
        id_ = inputs["model_id"]
        caller.finished(caller.send("POST", f"{ML}/models/{_quoted(id_)}/_deploy"))
        return Created({"model_id": id_}, [(step, id_)], DEPLOY_POLL_SECONDS)

    def _create_register_agent(self, step: str, inputs: Mapping[str, Any], caller: _As) -> Created:
        id_ = caller.send("POST", f"{ML}/agents/_register", step_inputs.agent(inputs))["agent_id"]
        return Created({"agent_id": id_}, [(step, id_)])

    def _create_create_index(self, step: str, inputs: Mapping[str, Any], caller: _As) -> Created:
        name = str(inputs["index_name"])
        caller.send("PUT", f"/{_quoted(name)}", step_inputs.configuration(inputs))
        return Created({"index_name": name}, [(step, name)])

    def _create_create_ingest_pipeline(self, step: str, inputs: Mapping[str, Any], caller: _As) -> Created:
        return self._create_pipeline(step, inputs, caller)

    def _create_create_search_pipeline(self, step: str, inputs: Mapping[str, Any], caller: _As) -> Created:
        return self._create_pipeline(step, inputs, caller)

    def _create_pipeline(self, step: str, inputs: Mapping[str, Any], caller: _As) -> Created:
        id_ = str(inputs["pipeline_id"])
        caller.send("PUT", f"{PIPELINES[step.removeprefix('create_')]}/{_quoted(id_)}", step_inputs.configuration(inputs))
        return Created({"pipeline_id": id_}, [(step, id_)])

    async def delete(self, kind: str, id_: str, caller: User | None) -> None:
        """Do one deprovision step; kind "deployment" undeploys a model. StepFailed where it does not succeed."""
        try:
            await asyncio.to_thread(self._delete, kind, id_, _As(self, caller))
        except Refused as refused:
            if not self._counts_as_deleted(kind, refused):
                raise step_failed(f"delete {kind}", {"id": id_}, refused) from None

    def _delete(self, kind: str, id_: str, caller: _As) -> None:
        if kind == "deployment":
            caller.send("POST", f"{ML}/models/{_quoted(id_)}/_undeploy")
        elif kind in ML_KINDS:
            caller.send("DELETE", f"{ML}/{kind}s/{_quoted(id_)}")
        elif kind in PIPELINES:
            caller.send("DELETE", f"{PIPELINES[kind]}/{_quoted(id_)}")
        else:
            caller.send("DELETE", f"/{_quoted(id_)}")

    def _counts_as_deleted(self, kind: str, refused: Refused) -> bool:
        """Whether this version's step takes a thing that is gone for deleted (behaviour.md 2.4; memory.py has the same)."""
        if refused.status != 404:
            return False
        if kind == "model":
            fails = self.features.gone_model_fails_with_security and self.secured
            return self.features.gone_model_is_success and not fails
        return kind == "agent" and self.features.gone_agent_is_success


class _As:
    """The cluster's APIs as one caller may use them."""

    def __init__(self, world: OpenSearchWorld, caller: User | None) -> None:
        self.world = world
        self.client, self.headers = world.clients.as_caller(caller)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Refused with the cluster's own status and body."""
        return _send(self.client, method, path, body, self.headers)

    def finished(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """The ML task of an answer, once it has ended. Refused where it failed."""
        return self.world._wait(answer, self.client, self.headers)


def _send(client: OpenSearch, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
    """One request. Refused with the cluster's own status and body; StepFailed where none came."""
    try:
        return client.transport.perform_request(method, path, body=body, headers=dict(headers))
    except TransportError as error:
        if not isinstance(error.status_code, int):
            raise StepFailed(f"no answer: {error.error}", cause_status=500) from None
        raise Refused(error.status_code, error.info) from None


def _told(id_: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What a test says of a resource of ML Commons: a document in ``body``, fields of it beside that."""
    return {"name": id_, **attributes.get("body", {}), **{name: value for name, value in attributes.items() if name != "body"}}


def _quoted(id_: str) -> str:
    return quote(id_, safe="")


def _unused() -> str:
    return f"unused-{time.monotonic_ns()}"


def _none_left(attributes: Mapping[str, Any]) -> None:
    if attributes:
        raise ValueError(f"a real cluster cannot be given: {', '.join(sorted(attributes))}")
