# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run made on a server, and how it is taken away again: by exact names and ids, also after a failure."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

from .client import NOT_SENT, Answer, Client

WORKFLOW = "/_plugins/_flow_framework/workflow"
ML = "/_plugins/_ml"
# In this order nothing that is still used has to go first.
ML_KINDS = ("agents", "models", "model_groups", "connectors")
KIND_OF_TYPE = {
    "agent_id": "agents", "model_id": "models", "model_group_id": "model_groups", "connector_id": "connectors",
}  # fmt: skip
# A remote model that is registered without a group makes a group of its own name (recording deploy_only, 3.6.0).
KINDS_OF_STEP = {
    "create_connector": ("connectors",),
    "register_remote_model": ("models", "model_groups"),
    "register_model_group": ("model_groups",),
    "register_agent": ("agents",),
}
PIPELINES = {"create_ingest_pipeline": "/_ingest/pipeline/", "create_search_pipeline": "/_search/pipeline/"}


@dataclass
class Made:
    """Everything that the requests of one run can have left behind."""

    workflows: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    """Paths of indices and pipelines, escaped, ready for DELETE."""
    ids: set[tuple[str, str]] = field(default_factory=set)
    """(kind, id) of ML resources."""
    names: set[tuple[str, str]] = field(default_factory=set)
    """(kind, name) of ML resources whose id may never have been told."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Persistent cluster settings as they were before."""

    def note(self, method: str, path: str, body: Any, answer: Answer) -> None:
        """Note what this request made, or what its answer tells of."""
        if method == "PUT" and path.count("/") == 1 and not path.startswith("/_"):
            self._path(path)
        if method == "PUT" and any(path.startswith(start) for start in PIPELINES.values()):
            self._path(path)
        if isinstance(body, dict):
            self._note_body(path, body)
        if isinstance(answer.body, dict):
            self._note_answer(path, answer.body)

    def _note_body(self, path: str, body: dict[str, Any]) -> None:
        for node in body.get("workflows", {}).get("provision", {}).get("nodes", []):
            self._note_node(node["type"], node.get("user_inputs", {}))
        for kind in ML_KINDS:
            if path.startswith(f"{ML}/{kind}/_") and "name" in body:
                self.names.add((kind, body["name"]))
                if kind == "models":
                    self.names.add(("model_groups", body["name"]))

    def _note_node(self, step: str, inputs: dict[str, Any]) -> None:
        if step == "create_index":
            self._path("/" + quote(inputs["index_name"], safe=""))
        if step in PIPELINES:
            self._path(PIPELINES[step] + quote(inputs["pipeline_id"], safe=""))
        for kind in KINDS_OF_STEP.get(step, ()):
            self.names.add((kind, inputs["name"]))

    def _note_answer(self, path: str, body: dict[str, Any]) -> None:
        made = body.get("workflow_id")
        if made and path.split("?")[0] == WORKFLOW and made not in self.workflows:
            self.workflows.append(made)
        for entry in body.get("resources_created", []):
            # a deploy_model entry alone names a model that may belong to somebody else
            if entry["resource_type"] in KIND_OF_TYPE and entry["workflow_step_name"] != "deploy_model":
                self.ids.add((KIND_OF_TYPE[entry["resource_type"]], entry["resource_id"]))
        for kind in ML_KINDS:
            made = body.get(kind[:-1] + "_id")
            if made and path.startswith(f"{ML}/{kind}/_"):
                self.ids.add((kind, made))

    def _path(self, path: str) -> None:
        if path not in self.paths:
            self.paths.append(path)


def take_away(client: Client, made: Made, machine_learning: bool, deadline: float) -> list[str]:
    """Delete all of ``made``; returns what could not be deleted, one line each. ``deadline`` is in seconds."""
    left: list[str] = []
    if made.settings:
        client.send("PUT", "/_cluster/settings", {"persistent": made.settings})
    for workflow in made.workflows:
        _settle(client, workflow, made, deadline)
    if machine_learning:
        found = made.ids | _named(client, made.names)
        for kind in ML_KINDS:
            for resource in sorted(each for each_kind, each in found if each_kind == kind):
                left += _gone(partial(_delete_ml, client, kind, resource), f"{kind} {resource}", deadline)
    for path in made.paths:
        left += _gone(partial(client.send, "DELETE", path), unquote(path), deadline)
    for workflow in made.workflows:
        left += _gone(partial(_forget, client, workflow), f"workflow {workflow}", deadline, done=(404,))
    return left


def _settle(client: Client, workflow: str, made: Made, deadline: float) -> None:
    """Wait until the workflow is not being provisioned, and note what it says that it made."""
    end = time.monotonic() + deadline
    while True:
        answer = client.send("GET", f"{WORKFLOW}/{workflow}/_status")
        made.note("GET", f"{WORKFLOW}/{workflow}/_status", NOT_SENT, answer)
        provisioning = isinstance(answer.body, dict) and answer.body.get("state") == "PROVISIONING"
        if not provisioning or time.monotonic() > end:
            return
        time.sleep(0.1)


def _named(client: Client, names: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Ids of the resources that bear exactly these names. The names carry a random prefix, so they are ours alone."""
    found = set()
    for kind, name in sorted(names):
        answer = client.send("POST", f"{ML}/{kind}/_search", {"query": {"match": {"name": name}}, "size": 100})
        if answer.status != 200:
            continue  # the index of this kind does not exist
        hits = answer.body["hits"]["hits"]
        found |= {(kind, hit["_id"]) for hit in hits if hit.get("_source", {}).get("name") == name}
    return found


def _delete_ml(client: Client, kind: str, resource: str) -> Answer:
    path = f"{ML}/{kind}/{quote(resource, safe='')}"
    if kind == "models" and client.send("GET", path).status != 404:
        client.send("POST", path + "/_undeploy")
    return client.send("DELETE", path)


def _forget(client: Client, workflow: str) -> Answer:
    """Drop the template and the state (2.15 and later); the answer is that of a look at the state."""
    client.send("DELETE", f"{WORKFLOW}/{workflow}?clear_status=true")
    return client.send("GET", f"{WORKFLOW}/{workflow}/_status")


def _gone(delete: Callable[[], Answer], what: str, deadline: float, done: tuple[int, ...] = (200, 404)) -> list[str]:
    """Delete until it is gone: a group is refused until the search no longer sees its model, about a second."""
    end = time.monotonic() + deadline
    while True:
        answer = delete()
        if answer.status in done:
            return []
        if time.monotonic() > end:
            return [f"{what}: {answer.status} {answer.body}"]
        time.sleep(0.1)
