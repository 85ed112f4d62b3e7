# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets a vector up on a real server: provisions its state, makes its world, sends the call, checks the promises."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

from .cleanup import ML, ML_KINDS, WORKFLOW, Made, take_away
from .client import NOT_SENT, Answer
from .replay import Server

_KNOB = "needs a server that fails on demand"
_ORDER = "the record of a provisioned workflow is in order of creation; this one is turned round"

NOT_SET_UP = {
    "D32": "needs connector access control and a caller who is no administrator",
    "D34": _KNOB, "D35": _KNOB, "D41": _KNOB, "D42": _KNOB, "D45": _KNOB,
    "D36": _ORDER,
    "D40": "nobody can say when a running provisioning has recorded just one (see recording while_provisioning)",
}  # fmt: skip
"""Vectors that can not be set up through the public API, with the reason."""

KIND_OF_STEP = {
    "create_connector": "connectors", "register_remote_model": "models", "deploy_model": "models",
    "register_agent": "agents", "register_model_group": "model_groups", "create_index": "indices",
    "create_ingest_pipeline": "ingest_pipelines", "create_search_pipeline": "search_pipelines",
}  # fmt: skip
CONNECTOR = {
    "description": "c", "version": "1", "protocol": "http", "parameters": {"endpoint": "127.0.0.1"},
    "credential": {"key": "x"},
    "actions": [{"action_type": "predict", "method": "POST", "url": "http://127.0.0.1:1/v1"}],
}  # fmt: skip
INDEX = {"settings": {"index": {"number_of_shards": 1, "number_of_replicas": 0}}}
INGEST: dict[str, Any] = {"description": "p", "processors": []}
SEARCH: dict[str, Any] = {"request_processors": []}


def _order(key: tuple[str, str]) -> int:
    """Nothing that is still used goes first."""
    return ML_KINDS.index(key[0]) if key[0] in ML_KINDS else len(ML_KINDS)


@dataclass
class Case:
    """One vector on one real server. ``ids``: (kind, id of the vector) -> id on the server."""

    server: Server
    vector: dict[str, Any]
    prefix: str = field(default_factory=lambda: "v" + uuid4().hex[:8])
    made: Made = field(default_factory=Made)
    ids: dict[tuple[str, str], str] = field(default_factory=dict)
    workflow: str = ""

    def run(self) -> None:
        """Set up, send, check; cleans up in any case."""
        try:
            self._set_up()
            self._check()
        finally:
            left = take_away(self.server.client, self.made, self.server.machine_learning, self.server.deadline)
        assert not left, f"left behind on the server: {left}"

    def _set_up(self) -> None:
        state = self.vector["state_before"]
        if state is None:
            self.workflow = self.prefix + "-unknown"
            return
        self._before_provisioning()
        self._provision(state)
        self._make_others()
        self._delete_what_is_gone()
        if not self.vector["template_exists"]:
            self._send("DELETE", f"{WORKFLOW}/{self.workflow}", want=200)

    def _before_provisioning(self) -> None:
        """A model that the workflow only deploys has to be there before it."""
        registered = {e["resource_id"] for e in self._entries() if e["workflow_step_name"] == "register_remote_model"}
        for entry in self._entries():
            if entry["workflow_step_name"] == "deploy_model" and entry["resource_id"] not in registered:
                self._make("connectors", f"for-{entry['resource_id']}")
                self._make("models", entry["resource_id"], connector=f"for-{entry['resource_id']}")

    def _provision(self, state: dict[str, Any]) -> None:
        template = self._template(state)
        if state["state"] == "NOT_STARTED":
            self.workflow = self._send("POST", WORKFLOW, template, want=201).body["workflow_id"]
            return
        answer = self._send("POST", f"{WORKFLOW}?provision=true", template)
        assert answer.status in (201, 202), f"provisioning answered {answer.status} {answer.body}"
        self.workflow = answer.body["workflow_id"]
        self._until(lambda: self._state().get("state") == state["state"], f"the state never became {state['state']}")
        entries = self._state().get("resources_created", [])
        steps = [(entry["workflow_step_name"], entry["workflow_step_id"]) for entry in entries]
        wanted = [(entry["workflow_step_name"], entry["workflow_step_id"]) for entry in self._entries()]
        assert steps == wanted, f"provisioned {steps}, the vector has {wanted}"
        for entry, real in zip(self._entries(), entries, strict=True):
            self.ids[(KIND_OF_STEP[entry["workflow_step_name"]], entry["resource_id"])] = real["resource_id"]

    def _template(self, state: dict[str, Any]) -> dict[str, Any]:
        nodes: dict[str, dict[str, Any]] = {}
        for entry in self._entries():
            step = entry["workflow_step_id"]
            if entry["workflow_step_name"] == "deploy_model" and step in nodes:
                nodes[step]["user_inputs"]["deploy"] = True
            else:
                nodes[step] = self._node(entry, nodes)
        if not nodes:
            nodes["nothing"] = {"id": "nothing", "type": "noop"}
        if state["state"] == "FAILED":
            nodes["fails"] = self._failing_node()
        order = list(nodes)
        edges = [{"source": source, "dest": dest} for source, dest in pairwise(order)]
        provision = {"nodes": list(nodes.values()), "edges": edges}
        return {
            "name": self.prefix, "description": "contract", "use_case": "CONTRACT",
            "version": {"template": "1.0.0", "compatibility": ["2.12.0", "3.0.0"]},
            "workflows": {"provision": provision},
        }  # fmt: skip

    def _node(self, entry: dict[str, str], before: dict[str, dict[str, Any]]) -> dict[str, Any]:
        step, name = entry["workflow_step_name"], self._name(entry["resource_id"])
        inputs: dict[str, dict[str, Any]] = {
            "create_connector": {"name": name, **CONNECTOR},
            "register_model_group": {"name": name, "description": "g"},
            "register_remote_model": {"name": name, "function_name": "remote", "description": "m"},
            "register_agent": {"name": name, "type": "flow", "description": "a"},
            "create_index": {"index_name": name, "configurations": INDEX},
            "create_ingest_pipeline": {"pipeline_id": name, "configurations": INGEST},
            "create_search_pipeline": {"pipeline_id": name, "configurations": SEARCH},
            "deploy_model": {"model_id": self.ids.get(("models", entry["resource_id"]))},
        }
        node = {"id": entry["workflow_step_id"], "type": step, "user_inputs": inputs[step]}
        if step == "register_remote_model":
            node["previous_node_inputs"] = self._inputs_of_model(before, node)
        return node

    def _inputs_of_model(self, before: dict[str, dict[str, Any]], node: dict[str, Any]) -> dict[str, str]:
        """From the connector and the group of this workflow; without a connector from one made beside it."""
        outputs = {"create_connector": "connector_id", "register_model_group": "model_group_id"}
        found = {step: outputs[each["type"]] for step, each in before.items() if each["type"] in outputs}
        if "connector_id" not in found.values():
            node["user_inputs"]["connector_id"] = self._make("connectors", "beside")
        return found

    def _failing_node(self) -> dict[str, Any]:
        """A step that fails: its index exists already."""
        name = self._name("taken")
        self._send("PUT", f"/{name}", INDEX, want=200)
        return {"id": "fails", "type": "create_index", "user_inputs": {"index_name": name, "configurations": INDEX}}

    def _make_others(self) -> None:
        """What the world has besides the workflow's own."""
        for kind, ids in self.vector["world_before"].items():
            for resource in ids:
                if (kind, resource) not in self.ids:
                    used = self.vector.get("conditions", {}).get("model_connectors", {}).get(resource)
                    self._make(kind, resource, connector=used)

    def _delete_what_is_gone(self) -> None:
        """What is recorded and not in the world. A model is undeployed first, as anybody would have had to."""
        for kind, resource in sorted(self.ids, key=_order):
            if resource in self.vector["world_before"].get(kind, []) or not self._is_ours((kind, resource)):
                continue
            path = self._path(kind, self.ids[(kind, resource)])
            if kind == "models" and self._send("GET", path).body["model_state"] == "DEPLOYED":
                self._send("POST", f"{path}/_undeploy", want=200)
            self._until(partial(self._deletes, path), f"{path} could not be deleted")

    def _deletes(self, path: str) -> bool:
        return self._send("DELETE", path).status in (200, 404)

    def _is_ours(self, key: tuple[str, str]) -> bool:
        return any(entry["resource_id"] == key[1] for entry in self._entries())

    def _make(self, kind: str, resource: str, connector: str | None = None) -> str:
        """Make one resource natively; returns its id on the server."""
        name = self._name(resource)
        if kind not in ML_KINDS:
            body = {"indices": INDEX, "ingest_pipelines": INGEST, "search_pipelines": SEARCH}[kind]
            self._send("PUT", self._path(kind, name), body, want=200)
            self.ids[(kind, resource)] = name
            return name
        if kind == "models" and connector is None:
            connector = "beside"
            self._make("connectors", connector)
        bodies: dict[str, dict[str, Any]] = {
            "connectors": {"name": name, **CONNECTOR},
            "models": {"name": name, "function_name": "remote", "description": "m",
                       "connector_id": self.ids.get(("connectors", connector or ""))},
            "agents": {"name": name, "type": "flow", "description": "a"},
            "model_groups": {"name": name, "description": "g"},
        }  # fmt: skip
        action = "_create" if kind == "connectors" else "_register"
        answer = self._send("POST", f"{ML}/{kind}/{action}", bodies[kind], want=200)
        self.ids[(kind, resource)] = answer.body[kind[:-1] + "_id"]
        if kind == "models":
            query = {"query": {"match": {"connector_id": bodies[kind]["connector_id"]}}}
            self._until(lambda: self._finds(query, self.ids[(kind, resource)]), f"{resource} is not found by a search")
        return self.ids[(kind, resource)]

    def _finds(self, query: dict[str, Any], model: str) -> bool:
        answer = self._send("POST", f"{ML}/models/_search", query)
        return answer.status == 200 and model in [hit["_id"] for hit in answer.body["hits"]["hits"]]

    def _check(self) -> None:
        before = self._state()
        started = time.monotonic()
        method, path = self.vector["request"].split(" ")
        answer = self._send(method, self._request_path(path))
        seconds = time.monotonic() - started
        want = self._real_text(self.vector["body"])
        assert (answer.status, answer.body) == (self.vector["status"], want)
        assert seconds >= self.vector["min_server_seconds"]
        self._until(lambda: not self._state_differs(before), lambda: self._state_differs(before))
        for kind, resource in sorted(self.ids):
            self._check_world(kind, resource)

    def _check_world(self, kind: str, resource: str) -> None:
        after = self.vector["world_after"].get(kind, [])
        named = resource in after or resource in self.vector["world_before"].get(kind, [])
        if not named and not self._is_ours((kind, resource)):
            return  # made beside the vector, for a model that needs a connector
        there = self._exists(kind, self.ids[(kind, resource)])
        assert there == (resource in after), f"{kind} {resource}: {'still there' if there else 'gone'}"
        if there and kind == "models":
            model = self._send("GET", self._path(kind, self.ids[(kind, resource)])).body
            deployed = model["model_state"] == "DEPLOYED"
            assert deployed == (after[resource] == "DEPLOYED"), f"{resource} is {model['model_state']}"

    def _exists(self, kind: str, real: str) -> bool:
        """By one GET; an id that the cluster would take for several is looked up in the whole list (comma_lookup)."""
        if "," in real:
            return real in self._send("GET", self._path(kind, "").rstrip("/")).body
        return self._send("GET", self._path(kind, real)).status == 200

    def _state_differs(self, before: dict[str, Any]) -> str:
        want, answer = self.vector["state_after"], self._send("GET", f"{WORKFLOW}/{self.workflow}/_status?all=true")
        if want is None:
            return "" if answer.status == 404 else f"the state is still there: {answer.body}"
        have = answer.body
        for key in ("state", "provisioning_progress"):
            if have.get(key) != want[key]:
                return f"{key}: expected {want[key]}, answered {have.get(key)}"
        left, right = self._real_entries(want), have.get("resources_created", [])
        if left != right:
            return f"resources_created: expected {left}, answered {right}"
        if ("error" in want) != ("error" in have):
            return f"error: expected {'one' if 'error' in want else 'none'}, answered {have.get('error')}"
        for key in ("provision_start_time", "provision_end_time"):
            moved = want.get(key) == "<now>" and have.get(key) == before.get(key)
            if moved or (key in want) != (key in have):
                return f"{key}: expected {want.get(key)}, answered {have.get(key)}, before it was {before.get(key)}"
        return ""

    def _real_entries(self, state: dict[str, Any]) -> list[dict[str, str]]:
        return [
            {**entry, "resource_id": self.ids[(KIND_OF_STEP[entry["workflow_step_name"]], entry["resource_id"])]}
            for entry in state.get("resources_created", [])
        ]

    def _real_text(self, body: dict[str, str]) -> dict[str, str]:
        """The error with the real ids: it lists ``type id`` of entries of this workflow."""
        if "workflow_id" in body:
            return {"workflow_id": self.workflow}
        text = body["error"].replace(self.vector["request"].split("/")[4], self.workflow)
        for entry in self._entries():
            real = self.ids[(KIND_OF_STEP[entry["workflow_step_name"]], entry["resource_id"])]
            for end in ("]", ", "):
                old, new = (f"{entry['resource_type']} {each}{end}" for each in (entry["resource_id"], real))
                text = text.replace(old, new)
        return {"error": text}

    def _request_path(self, path: str) -> str:
        """The path for the real workflow; ids of this vector inside allow_delete get their prefix."""
        start, _question, query = path.partition("?")
        start = start.replace(start.split("/")[4], self.workflow)
        if not query:
            return start
        name, _equals, value = query.partition("=")
        mine = {entry["resource_id"] for entry in self._entries()}
        words = [value] if unquote(value) in mine else value.split(",")
        return f"{start}?{name}=" + ",".join(self._prefixed(word, mine) for word in words)

    def _prefixed(self, word: str, mine: set[str]) -> str:
        """An id of this vector becomes the real one; blanks around it stay."""
        bare = unquote(word).strip()
        if bare.lower() not in mine:  # D47: the same id in other letters has to stay the same id in other letters
            return word
        return word.replace(quote(bare, safe=""), quote(self._name(bare), safe=""))

    def _name(self, resource: str) -> str:
        return f"{self.prefix}-{resource}"

    def _path(self, kind: str, real: str) -> str:
        start = {"indices": "", "ingest_pipelines": "/_ingest/pipeline", "search_pipelines": "/_search/pipeline"}
        return f"{start.get(kind, f'{ML}/{kind}')}/{quote(real, safe='')}"

    def _entries(self) -> list[dict[str, str]]:
        entries: list[dict[str, str]] = (self.vector["state_before"] or {}).get("resources_created", [])
        return entries

    def _state(self) -> dict[str, Any]:
        answer = self._send("GET", f"{WORKFLOW}/{self.workflow}/_status?all=true")
        return answer.body if answer.status == 200 else {}

    def _send(self, method: str, path: str, body: Any = NOT_SENT, want: int | None = None) -> Answer:
        answer = self.server.client.send(method, path, body)
        self.made.note(method, path, body, answer)
        assert want in (None, answer.status), f"{method} {path} {json.dumps(body, default=str)}: {answer}"
        return answer

    def _until(self, done: Callable[[], bool], otherwise: str | Callable[[], str]) -> None:
        end = time.monotonic() + self.server.deadline
        while not done():
            if time.monotonic() > end:
                raise AssertionError(otherwise if isinstance(otherwise, str) else otherwise())
            time.sleep(self.server.pause)
