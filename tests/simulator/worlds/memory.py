# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The world of resources, in memory: what workflows create and teardown deletes.

``create`` and ``delete`` are what the engine's steps call; a world on a real cluster offers the same two. The other
methods are what the routes of OpenSearch and ML Commons do, and ``put``, ``get``, ``remove`` and ``ids`` what tests
do to the world behind the server's back.
"""

from __future__ import annotations

import copy
import fnmatch
import json
from collections.abc import Callable, Mapping
from typing import Any

from ..clock import Clock
from ..errors import Refused, core_error, no_such_index, status_error
from ..faults import Faults
from ..ids import long_id, short_id
from ..named import NAMED, Named, created_by
from ..search import ShardError
from ..security import User
from ..store import AGENTS, CONNECTORS, MODEL_GROUPS, MODELS, Stores
from ..versions import Features
from . import inputs as step_inputs
from .indices import Index, Indices, flat_settings
from .inputs import DEPLOY_POLL_SECONDS, Created, step_failed, true

DOCUMENT_KINDS: Mapping[str, str] = {
    "connector": CONNECTORS,
    "model": MODELS,
    "agent": AGENTS,
    "model_group": MODEL_GROUPS,
}

# The right each step needs, asked for the caller (behaviour.md 5.1; recording security_roles).
ACTIONS: Mapping[str, str] = {
    "create_connector": "cluster:admin/opensearch/ml/create_connector",
    "register_remote_model": "cluster:admin/opensearch/ml/register_model",
    "register_local_custom_model": "cluster:admin/opensearch/ml/register_model",
    "register_local_sparse_encoding_model": "cluster:admin/opensearch/ml/register_model",
    "register_local_pretrained_model": "cluster:admin/opensearch/ml/register_model",
    "register_model_group": "cluster:admin/opensearch/ml/register_model_group",
    "deploy_model": "cluster:admin/opensearch/ml/deploy_model",
    "register_agent": "cluster:admin/opensearch/ml/agents/register",
    "create_index": "indices:admin/create",
    "reindex": "indices:data/write/reindex",
    "connector": "cluster:admin/opensearch/ml/connectors/delete",
    "model": "cluster:admin/opensearch/ml/models/delete",
    "deployment": "cluster:admin/opensearch/ml/undeploy_models",
    "agent": "cluster:admin/opensearch/ml/agents/delete",
    "index": "indices:admin/delete",
}

UNDEPLOY_ON_NODES = "cluster:admin/opensearch/ml/undeploy_model"
"""What ML Commons asks the caller for beside the right of the deployment step (tried on 2.19.1)."""

DEPLOYED = "DEPLOYED"


class MemoryWorld:
    """Resources that live in this process."""

    def __init__(
        self,
        clock: Clock,
        features: Features,
        stores: Stores,
        faults: Faults,
        authorize: Callable[[User | None, str], None],
        secured: bool,
        node_ids: list[str],
        setting: Callable[[str], Any],
    ) -> None:
        self.clock = clock
        self.features = features
        self.stores = stores
        self.faults = faults
        self.authorize = authorize
        self.secured = secured
        self.node_ids = node_ids
        self.setting = setting
        self.indices = Indices(clock)
        self.named: dict[str, dict[str, Any]] = {kind: {} for kind in NAMED}
        self._had_named: set[str] = set()  # kinds of which there ever was one
        self._undeploys: dict[str, int] = {}  # model id -> refusals of delete_model still to come
        self._system_uuids: dict[str, str] = {}

    # -- behind the server's back

    def put(self, kind: str, id_: str, **attributes: Any) -> None:
        """Create or overwrite one resource; searches see it at once. ValueError for an unknown kind or attribute."""
        if kind in DOCUMENT_KINDS:
            self._put_document(kind, id_, attributes)
        elif kind in NAMED:
            body = attributes.pop("body", {"processors": []} if kind == "ingest_pipeline" else {})
            _none_left(attributes)
            self._store_named(kind, id_, body)
        elif kind == "index":
            self._put_index(id_, attributes)
        elif kind == "alias":
            self.indices.put_alias(attributes.pop("index"), id_, attributes.pop("body", None))
            _none_left(attributes)
        else:
            raise ValueError(f"no such kind: {kind}; there are {', '.join(kinds())}")

    def _put_document(self, kind: str, id_: str, attributes: dict[str, Any]) -> None:
        body = copy.deepcopy(attributes.pop("body", {}))
        if kind == "model":
            state = attributes.pop("state", "REGISTERED")
            source = self._model_source({"name": id_, **attributes, **body})
            source["model_state"] = state
            if state == DEPLOYED:
                self._mark_deployed(source)
        elif kind == "connector":
            source = self._connector_source({"name": id_, **attributes, **body})
        elif kind == "agent":
            source = self._agent_source({"name": id_, "type": "flow", **attributes, **body})
        else:
            source = self._group_source({"name": id_, **attributes, **body})
        self.stores.made(DOCUMENT_KINDS[kind]).put(id_, source, refresh=True)

    def _put_index(self, id_: str, attributes: dict[str, Any]) -> None:
        self.indices.all.pop(id_, None)
        settings = flat_settings(attributes.pop("settings", None))
        settings.setdefault("index.number_of_shards", "1")
        settings.setdefault("index.number_of_replicas", "0")
        settings.setdefault("index.replication.type", "DOCUMENT")
        if attributes.pop("read_only", False):
            settings["index.blocks.read_only"] = "true"
        aliases = attributes.pop("aliases", [])
        index = Index(
            name=id_,
            uuid=attributes.pop("uuid", None) or long_id(),
            created_ms=attributes.pop("creation_date", None) or self.clock.now_ms(),
            settings=settings,
            mappings=copy.deepcopy(attributes.pop("mappings", {})),
            aliases=dict(aliases) if isinstance(aliases, Mapping) else {alias: {} for alias in aliases},
            documents=attributes.pop("documents", 0),
            size_in_bytes=attributes.pop("size_in_bytes", None),
            closed=attributes.pop("closed", False),
            snapshot=attributes.pop("snapshot", False),
            uncommitted_operations=attributes.pop("uncommitted_operations", 0),
        )
        _none_left(attributes)
        self.indices.all[id_] = index

    def get(self, kind: str, id_: str) -> dict[str, Any] | None:
        """A copy of what is stored, in the words of ``put``; None where it does not exist."""
        if kind in DOCUMENT_KINDS:
            source = self.stores.get(DOCUMENT_KINDS[kind], id_)
            if source is None:
                return None
            known = copy.deepcopy(source)
            if kind == "model":
                known["state"] = known["model_state"]
            return known
        if kind in NAMED:
            body = self.named[kind].get(id_)
            return None if body is None else {"body": copy.deepcopy(body)}
        if kind == "index":
            index = self.index(id_)
            return None if index is None else _index_attributes(index)
        if kind == "alias":
            names = [index.name for index in self.indices.aliased(id_)]
            return {"index": ",".join(names)} if names else None
        raise ValueError(f"no such kind: {kind}; there are {', '.join(kinds())}")

    def remove(self, kind: str, id_: str) -> bool:
        """Take one resource away, whatever holds it; searches no longer see it. False where it did not exist."""
        existed = self.get(kind, id_) is not None
        if kind in DOCUMENT_KINDS:
            index = self.stores.find(DOCUMENT_KINDS[kind])
            if index is not None and existed:
                index.delete(id_)
        elif kind in NAMED:
            self.named[kind].pop(id_, None)
        elif kind == "alias":
            for holder in self.indices.aliased(id_):
                del holder.aliases[id_]
        else:
            self.indices.all.pop(id_, None)
            self.stores.indices.pop(id_, None)
        return existed

    def ids(self, kind: str) -> list[str]:
        """All ids of a kind, sorted; of indices only those that are not the plugins' own."""
        if kind in DOCUMENT_KINDS:
            index = self.stores.find(DOCUMENT_KINDS[kind])
            return sorted(index.documents) if index is not None else []
        if kind in NAMED:
            return sorted(self.named[kind])
        if kind == "index":
            return sorted(self.indices.all)
        if kind == "alias":
            return sorted(self.indices.alias_names())
        raise ValueError(f"no such kind: {kind}; there are {', '.join(kinds())}")

    def clear(self) -> None:
        """Take everything away."""
        for kind in kinds():
            for id_ in self.ids(kind):
                self.remove(kind, id_)

    # -- indices

    def index(self, name: str) -> Index | None:
        """One index by its own name, the plugins' own among them."""
        if name in self.indices.all:
            return self.indices.all[name]
        return self._system_index(name) if name in self.stores.indices else None

    def _system_index(self, name: str) -> Index:
        uuid = self._system_uuids.setdefault(name, long_id())
        settings = {"index.number_of_shards": "1", "index.number_of_replicas": "0", "index.hidden": "true"}
        count = len(self.stores.indices[name].hits())
        return Index(name, uuid, 0, settings, documents=count, system=True)

    def resolve(self, expression: str, **options: Any) -> list[Index]:
        """Indices of an expression; the plugins' own are found by their names and by patterns with a leading dot."""
        own = {name: self._system_index(name) for name in self.stores.indices}
        view = Indices(self.clock)
        view.all = {**own, **self.indices.all}
        return view.resolve(expression, **options)

    def delete_index(self, expression: str, ignore_unavailable: bool = False) -> None:
        """Delete indices of an expression. Refused as the cluster refuses it."""
        own = [name for name in expression.split(",") if name in self.stores.indices]
        for name in own:
            del self.stores.indices[name]
        rest = ",".join(name for name in expression.split(",") if name not in own)
        if rest or not own:
            self.indices.delete(rest, ignore_unavailable)

    # -- what is kept under names of its own

    def find_named(self, kind: str, expression: str | None) -> dict[str, Any]:
        """Those of a kind by a comma list of ids and patterns; an id with a comma is found in the whole list only
        (recording comma_lookup)."""
        known = self.named[kind]
        if expression is None:
            return copy.deepcopy(known)
        found: dict[str, Any] = {}
        for part in expression.split(","):
            for id_ in known:
                if id_ == part or ("*" in part and fnmatch.fnmatchcase(id_, _literal_but_star(part))):
                    found[id_] = known[id_]
        return copy.deepcopy(found)

    def put_named(self, kind: str, id_: str, body: Mapping[str, Any]) -> None:
        """Create or overwrite one (recording overwrites)."""
        if kind == "ingest_pipeline" and "processors" not in body:
            raise core_error(
                "parse_exception",
                "[processors] required property is missing",
                400,
                property_name="processors",
            )
        self._store_named(kind, id_, body)

    def _store_named(self, kind: str, id_: str, body: Mapping[str, Any]) -> None:
        self.named[kind][id_] = copy.deepcopy(dict(body))
        self._had_named.add(kind)

    def delete_named(self, kind: str, pattern: str) -> None:
        """Delete by id, which the cluster takes for a pattern. Refused: 404 where nothing matches, once there was any of the kind."""
        known = self.named[kind]
        doomed = [id_ for id_ in known if fnmatch.fnmatchcase(id_, _literal_but_star(pattern))]
        if not doomed and pattern != "*" and kind in self._had_named:
            raise core_error("resource_not_found_exception", f"{kind.rpartition('_')[2]} [{pattern}] is missing", 404)
        for id_ in doomed:
            del known[id_]

    # -- ML Commons

    def document(self, kind: str, id_: str) -> dict[str, Any]:
        """One connector, model, agent or group. Refused: 404 with ML Commons' words (recordings ml_checks,
        empty_cluster)."""
        index = self.stores.find(DOCUMENT_KINDS[kind])
        if index is None:
            texts = {
                "model": "Fail to find model",
                "agent": "Failed to get agent index",
                "connector": "Failed to find connector",
                "model_group": "Failed to find model group index",
            }
            raise status_error(texts[kind], 404)
        source = index.get(id_)
        if source is None:
            name = kind.replace("_", " ")
            raise status_error(f"Failed to find {name} with the provided {name} id: {id_}", 404)
        return source

    def search_documents(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """A search. Without the index agents are a 404, the others an empty answer (recording empty_cluster)."""
        name = DOCUMENT_KINDS[kind]
        index = self.stores.find(name)
        if index is not None:
            try:
                return index.search(body)
            except Refused as refused:
                if isinstance(refused.__cause__, ShardError):
                    raise status_error(str(refused.__cause__), 500) from None
                raise
        if kind == "agent":
            raise no_such_index(name)
        return {
            "took": 0,
            "timed_out": False,
            "_shards": {"total": 0, "successful": 0, "skipped": 0, "failed": 0},
            "hits": {"total": {"value": 0, "relation": "eq"}, "max_score": 0.0, "hits": []},
        }

    def _times(self) -> dict[str, int]:
        now = self.clock.now_ms()
        return {"created_time": now, "last_updated_time": now}

    def _connector_source(self, body: Mapping[str, Any]) -> dict[str, Any]:
        source = {name: copy.deepcopy(value) for name, value in body.items() if name != "credential"}
        if "version" in source:
            source["version"] = str(source["version"])
        for action in source.get("actions", []):
            if "action_type" in action:
                action["action_type"] = str(action["action_type"]).upper()
        return {**source, **self._times()}

    def create_connector(self, body: Mapping[str, Any]) -> str:
        id_ = short_id()
        self.stores.made(CONNECTORS).put(id_, self._connector_source(body))
        return id_

    def delete_connector(self, id_: str, caller: User | None) -> dict[str, Any]:
        """Refused: 409 while a model uses it; 404 where it is gone and access control hides that (behaviour.md 2.4)."""
        index = self.stores.find(CONNECTORS)
        if index is None:
            raise self._no_index_to_delete_from(CONNECTORS, "Failed to find connector")
        if index.get(id_) is None:
            admin = self.faults.caller_is_admin and (caller is None or caller.is_admin)
            if true(self.setting("plugins.flow_framework.multi_tenancy_enabled")):
                raise status_error(f"Failed to find connector with the provided connector id: {id_}", 404)
            if self.faults.connector_access_control and not admin:
                raise status_error(f"Failed to find connector:{id_}", 404)
        users = self._models_of({"match": {"connector_id": id_}})
        if users:
            raise status_error(
                f"{len(users)} models are still using this connector, please delete or update the models first: [{', '.join(users)}]",
                409,
            )
        return index.delete(id_)

    def _no_index_to_delete_from(self, name: str, text: str) -> Refused:
        """What ML Commons says where it deletes without looking before, and there is no index of that kind yet."""
        if not self.features.missing_ml_index_is_500:
            return status_error(text, 404)
        details = {"index": name, "resource.id": name, "resource.type": "index_expression", "index_uuid": "_na_"}
        cause = {"type": "index_not_found_exception", "reason": f"no such index [{name}]", **details}
        reason = f"Failed to delete data object from index {name}"
        return Refused(500, {"error": {"root_cause": [cause], "type": "status_exception", "reason": reason, "caused_by": dict(cause)}, "status": 500})

    def _models_of(self, query: Mapping[str, Any]) -> list[str]:
        """Ids of models that a search finds: near-real-time, as ML Commons looks.

        For those of a connector it looks by words: a model counts as a user when the id of its connector has one in
        common with this one (tried on 3.6.0: tests/opensearch/test_native.py).
        """
        index = self.stores.find(MODELS)
        if index is None:
            return []
        answer = index.search({"query": dict(query), "size": 100})
        return [hit["_id"] for hit in answer["hits"]["hits"]]

    def _group_source(self, body: Mapping[str, Any]) -> dict[str, Any]:
        source: dict[str, Any] = {"name": body["name"], "latest_version": body.get("latest_version", 0)}
        if body.get("description") is not None:
            source["description"] = body["description"]
        source["access"] = body.get("access", body.get("access_mode", "public"))
        return {**source, **self._times()}

    def register_model_group(self, body: Mapping[str, Any]) -> str:
        id_ = short_id()
        self.stores.made(MODEL_GROUPS).put(id_, self._group_source(body))
        return id_

    def delete_model_group(self, id_: str) -> dict[str, Any]:
        """Refused: 409 while it holds a model (recording looking_for_users_of_a_connector). Of one that is gone the answer is core's own."""
        if self.stores.find(MODEL_GROUPS) is None:
            raise self._no_index_to_delete_from(MODEL_GROUPS, "Failed to find model group")
        if self._models_of({"term": {"model_group_id": id_}}):
            raise status_error("Cannot delete the model group when it has associated model versions", 409)
        return self.stores.made(MODEL_GROUPS).delete(id_)

    def _model_source(self, body: Mapping[str, Any]) -> dict[str, Any]:
        source: dict[str, Any] = {"name": body["name"]}
        if body.get("model_group_id"):
            source["model_group_id"] = body["model_group_id"]
        source["algorithm"] = str(body.get("function_name", "remote")).upper()
        source["model_version"] = str(body.get("model_version", "1"))
        if body.get("description") is not None:
            source["description"] = body["description"]
        source["model_state"] = "REGISTERED"
        source.update(self._times())
        source["is_hidden"] = False
        if body.get("connector_id"):
            source["connector_id"] = body["connector_id"]
        if body.get("guardrails"):
            source["guardrails"] = copy.deepcopy(body["guardrails"])
        return source

    def register_model(self, body: Mapping[str, Any]) -> str:
        """A model. Without a group it gets one of its own, under its own name, that no workflow records
        (recording deploy_only)."""
        body = dict(body)
        if body.get("connector_id"):
            self.document("connector", body["connector_id"])
        groups = self.stores.made(MODEL_GROUPS)
        if not body.get("model_group_id"):
            group = {"name": body["name"], "description": body.get("description")}
            body["model_group_id"] = self.register_model_group(group)
        group = self.document("model_group", body["model_group_id"])
        number = int(group["latest_version"]) + 1
        groups.update(body["model_group_id"], {"latest_version": number, "last_updated_time": self.clock.now_ms()})
        body["model_version"] = str(number)
        id_ = short_id()
        self.stores.made(MODELS).put(id_, self._model_source(body))
        return id_

    def _mark_deployed(self, source: dict[str, Any]) -> None:
        now = self.clock.now_ms()
        source.update(
            model_state=DEPLOYED,
            last_updated_time=now,
            last_deployed_time=now,
            auto_redeploy_retry_times=0,
            planning_worker_node_count=len(self.node_ids),
            current_worker_node_count=len(self.node_ids),
            planning_worker_nodes=list(self.node_ids),
            deploy_to_all_nodes=True,
        )

    def deploy_model(self, id_: str) -> None:
        """Refused: 404 where there is no such model."""
        source = copy.deepcopy(self.document("model", id_))
        source["model_state"] = "DEPLOYING"
        index = self.stores.made(MODELS)
        index.put(id_, copy.deepcopy(source))
        self._mark_deployed(source)
        index.put(id_, source)

    def undeploy_model(self, id_: str) -> dict[str, Any]:
        """Refused: 404 where there is no such model, in every version (behaviour.md 2.4)."""
        index = self.stores.find(MODELS)
        source = index.get(id_) if index is not None else None
        if index is None or source is None:
            raise status_error("Failed to find model", 404)
        changed = copy.deepcopy(source)
        changed.update(model_state="UNDEPLOYED", planning_worker_node_count=0, current_worker_node_count=0)
        changed.pop("planning_worker_nodes", None)
        index.put(id_, changed, refresh=True)
        self._undeploys[id_] = self.faults.undeploy_refusals
        return {node: {"stats": {id_: "undeployed"}} for node in self.node_ids}

    def delete_model(self, id_: str) -> dict[str, Any]:
        """Refused: 404 where it is gone, 400 while deployed, 409 while something uses it and safe delete is on."""
        source = self.stores.get(MODELS, id_)
        if source is None:
            raise status_error("Failed to find model", 404)
        late = self._undeploys.get(id_, 0)
        if late > 0:
            self._undeploys[id_] = late - 1
        if late > 0 or source["model_state"] in (DEPLOYED, "DEPLOYING", "PARTIALLY_DEPLOYED"):
            raise status_error("Model cannot be deleted in deploying or deployed state. Try undeploy model first then delete", 400)
        if self.features.safe_delete_model and true(self.setting("plugins.ml_commons.safe_delete_model")):
            self._refuse_model_in_use(id_)
        return self.stores.made(MODELS).delete(id_)

    def _refuse_model_in_use(self, id_: str) -> None:
        def names(things: Mapping[str, Any]) -> list[str]:
            return [name for name, body in things.items() if json.dumps(id_) in json.dumps(body)]

        agents = self.stores.find(AGENTS)
        users = {
            "agents": names({i: d.source for i, d in agents.documents.items()}) if agents is not None else [],
            "ingest pipelines": names(self.named["ingest_pipeline"]),
            "search pipelines": names(self.named["search_pipeline"]),
        }
        for what, ids in users.items():
            if ids:
                raise status_error(
                    f"{len(ids)} {what} are still using this model, please delete or update the {what} first: [{', '.join(ids)}]",
                    409,
                )

    def _agent_source(self, body: Mapping[str, Any]) -> dict[str, Any]:
        source = {name: copy.deepcopy(value) for name, value in body.items() if value is not None}
        for tool in source.get("tools", []):
            tool.setdefault("include_output_in_agent_response", False)
        return {**source, **self._times(), "is_hidden": False}

    def register_agent(self, body: Mapping[str, Any]) -> str:
        id_ = short_id()
        self.stores.made(AGENTS).put(id_, self._agent_source(body))
        return id_

    def delete_agent(self, id_: str) -> dict[str, Any]:
        """Refused: 404 where it is gone, except where the version deletes blindly."""
        if self.stores.get(AGENTS, id_) is None:
            raise status_error("Fail to find ml agent" if self.stores.find(AGENTS) else "Failed to get agent index", 404)
        return self.stores.made(AGENTS).delete(id_)

    # -- what the engine's steps call

    async def create(self, step: str, inputs: Mapping[str, Any], caller: User | None) -> Created:
        """Do one create step. StepFailed with the step's words and the cause's."""
        try:
            row = created_by(step)
            if row:
                self.authorize(caller, row.actions + "put")
                return self._create_named(row, inputs)
            if step in ACTIONS:
                self.authorize(caller, ACTIONS[step])
            created: Created = getattr(self, f"_create_{step}")(inputs)
            return created
        except Refused as refused:
            raise step_failed(step, inputs, refused) from None
        except KeyError as missing:
            raise step_inputs.missing(missing.args[0]) from None

    def _create_noop(self, inputs: Mapping[str, Any]) -> Created:
        return Created()

    def _create_create_tool(self, inputs: Mapping[str, Any]) -> Created:
        return Created({"tools": [step_inputs.tool(inputs)]})

    def _create_reindex(self, inputs: Mapping[str, Any]) -> Created:
        source, target = self.index(inputs["source_index"]), self.index(inputs["destination_index"])
        if source is None:
            raise no_such_index(inputs["source_index"])
        if target is None:
            target = self.indices.create(inputs["destination_index"])
        target.documents += source.count()
        return Created({"acknowledged": True})

    def _create_create_connector(self, inputs: Mapping[str, Any]) -> Created:
        names = ("name", "version", "description", "protocol", "parameters", "actions")
        id_ = self.create_connector({name: inputs[name] for name in names if name in inputs})
        return Created({"connector_id": id_}, [("create_connector", id_)])

    def _create_register_model_group(self, inputs: Mapping[str, Any]) -> Created:
        id_ = self.register_model_group(inputs)
        return Created({"model_group_id": id_, "model_group_status": "CREATED"}, [("register_model_group", id_)])

    def _register(self, step: str, inputs: Mapping[str, Any]) -> Created:
        id_ = self.register_model(step_inputs.model(step, inputs))
        created = Created({"model_id": id_, "register_model_status": "CREATED"}, [(step, id_)])
        if true(inputs.get("deploy")):
            self.deploy_model(id_)
            created.records.append(("deploy_model", id_))
        return created

    def _create_register_remote_model(self, inputs: Mapping[str, Any]) -> Created:
        return self._register("register_remote_model", inputs)

    def _create_register_local_custom_model(self, inputs: Mapping[str, Any]) -> Created:
        return self._register("register_local_custom_model", inputs)

    def _create_register_local_sparse_encoding_model(self, inputs: Mapping[str, Any]) -> Created:
        return self._register("register_local_sparse_encoding_model", inputs)

    def _create_register_local_pretrained_model(self, inputs: Mapping[str, Any]) -> Created:
        return self._register("register_local_pretrained_model", inputs)

    def _create_deploy_model(self, inputs: Mapping[str, Any]) -> Created:
        id_ = inputs["model_id"]
        self.deploy_model(id_)
        return Created({"model_id": id_}, [("deploy_model", id_)], DEPLOY_POLL_SECONDS)

    def _create_register_agent(self, inputs: Mapping[str, Any]) -> Created:
        id_ = self.register_agent(step_inputs.agent(inputs))
        return Created({"agent_id": id_}, [("register_agent", id_)])

    def _create_create_index(self, inputs: Mapping[str, Any]) -> Created:
        name = str(inputs["index_name"])
        self.indices.create(name, step_inputs.configuration(inputs))
        return Created({"index_name": name}, [("create_index", name)])

    def _create_named(self, row: Named, inputs: Mapping[str, Any]) -> Created:
        id_ = str(inputs[row.type])
        self.put_named(row.kind, id_, step_inputs.configuration(inputs))
        return Created({row.type: id_}, [(row.creates, id_)])

    async def delete(self, kind: str, id_: str, caller: User | None) -> None:
        """Do one deprovision step; kind "deployment" undeploys a model. StepFailed where it does not succeed."""
        try:
            self.authorize(caller, NAMED[kind].actions + "delete" if kind in NAMED else ACTIONS[kind])
            if kind == "deployment":
                self.authorize(caller, UNDEPLOY_ON_NODES)
            if kind == "index":
                self._delete_one_index(id_)
            elif kind in NAMED:
                self.delete_named(kind, id_)
            elif kind == "connector":
                self.delete_connector(id_, caller)
            elif kind == "deployment":
                self.undeploy_model(id_)
            elif kind == "model":
                self._delete_model_step(id_)
            else:
                self._delete_agent_step(id_)
        except Refused as refused:
            raise step_failed(f"delete {kind}", {"id": id_}, refused) from None

    def _delete_one_index(self, name: str) -> None:
        self.delete_index(name)

    def _delete_model_step(self, id_: str) -> None:
        gone = self.stores.get(MODELS, id_) is None
        fails = self.features.gone_model_fails_with_security and self.secured
        if gone and self.features.gone_model_is_success and not fails:
            return
        self.delete_model(id_)

    def _delete_agent_step(self, id_: str) -> None:
        if self.stores.get(AGENTS, id_) is None and self.features.gone_agent_is_success:
            return
        self.delete_agent(id_)


def kinds() -> tuple[str, ...]:
    """Every kind of the world."""
    return (*DOCUMENT_KINDS, "index", *NAMED, "alias")


def _literal_but_star(pattern: str) -> str:
    """A core pattern (only * is special) as one of fnmatch."""
    return "".join(f"[{c}]" if c in "?[" else c for c in pattern)


def _none_left(attributes: Mapping[str, Any]) -> None:
    if attributes:
        raise ValueError(f"unknown attributes: {', '.join(sorted(attributes))}")


def _index_attributes(index: Index) -> dict[str, Any]:
    return {
        "uuid": index.uuid,
        "documents": index.count(),
        "size_in_bytes": index.size(),
        "closed": index.closed,
        "settings": dict(index.settings),
        "mappings": copy.deepcopy(index.mappings),
        "aliases": sorted(index.aliases),
        "read_only": index.settings.get("index.blocks.read_only") == "true",
        "snapshot": index.snapshot,
        "creation_date": index.created_ms,
        "uncommitted_operations": index.uncommitted_operations,
    }
