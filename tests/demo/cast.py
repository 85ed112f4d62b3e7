# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server and the environments on it, and what the server itself sees of them."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OWN = Path(__file__).parent / "templates"
PUBLISHED = Path(__file__).parents[2] / ".." / "shared" / "templates"
"""Real templates of the Flow Framework project, where they lie beside the checkout."""

DOCUMENTS = 24
"""Documents that each index gets."""

# The kind that a step of a template creates, by the name the server records for it (recording ml_checks, 3.6.0).
KINDS: Mapping[str, str] = {
    "create_connector": "connector",
    "register_model_group": "model_group",
    "register_remote_model": "model",
    "deploy_model": "model",
    "register_agent": "agent",
    "create_index": "index",
    "create_ingest_pipeline": "ingest_pipeline",
    "create_search_pipeline": "search_pipeline",
}

NEEDS_NAMING = ("index", "ingest_pipeline", "search_pipeline")
"""What the server deletes only when allow_delete names it (recording everything_then_allow_delete, 3.6.0)."""

Key = tuple[str, str]  # kind and id


@dataclass
class Environment:
    """Some workflows that belong together, and everything that the server recorded for them after provisioning."""

    name: str
    workflow_ids: list[str] = field(default_factory=list)
    resources: list[Key] = field(default_factory=list)

    @property
    def to_name(self) -> list[str]:
        """What a teardown has to name, sorted."""
        return sorted(id_ for kind, id_ in self.resources if kind in NEEDS_NAMING)

    @property
    def groups(self) -> list[Key]:
        """Its model groups, which the server never deletes."""
        return [key for key in self.resources if key[0] == "model_group"]

    @property
    def deletable(self) -> list[Key]:
        """Everything but its model groups."""
        return [key for key in self.resources if key[0] != "model_group"]


def templates(preview: str, model_id: str, published: bool, plain: bool) -> list[tuple[str, dict[str, Any]]]:
    """The templates of the large environment after its first one: file name and content.

    The published ones, or one of our own; ``plain``: one that needs neither k-NN nor neural search, which the real cluster
    has not. ``model_id``: a model for a pipeline to refer to.
    """
    if plain:
        return [("keyword-search.json", filled(OWN / "keyword-search.json", {"preview": preview}))]
    if not published:
        return [("semantic-search.json", filled(OWN / "semantic-search.json", {"preview": preview}))]
    fields = {
        "template.name": f"{preview} semantic search",
        "template.description": "Search by meaning",
        "create_ingest_pipeline.pipeline_id": f"{preview}-embed",
        "create_ingest_pipeline.description": "Embeds passages",
        "create_ingest_pipeline.model_id": model_id,
        "text_embedding.field_map.input": "passage",
        "text_embedding.field_map.output": "vector",
        "text_embedding.field_map.output.dimension": "384",
        "create_index.name": f"{preview}-passages",
        "create_index.settings.number_of_shards": "1",
        "create_index.mappings.method.engine": "lucene",
        "create_index.mappings.method.space_type": "l2",
        "create_index.mappings.method.name": "hnsw",
    }
    return [(path.name, filled(path, fields)) for path in sorted(PUBLISHED.glob("*.json"))]


def assistant(preview: str) -> dict[str, Any]:
    """Our own template with every kind of resource."""
    return filled(OWN / "assistant.json", {"preview": preview})


def filled(path: Path, fields: Mapping[str, str]) -> dict[str, Any]:
    """A template with its ``${{…}}`` filled in, but for those that name an output of a step."""
    text = path.read_text(encoding="utf-8")
    for name, value in fields.items():
        text = text.replace("${{" + name + "}}", value)
    content: dict[str, Any] = json.loads(text)
    return content


class Stage:
    """The simulated server, and questions to it that no playbook is asked."""

    def __init__(self, simulator: Any) -> None:
        self.simulator = simulator

    # -- before the acts

    def provision(self, environment: Environment, template: Mapping[str, Any]) -> None:
        """Provision one workflow, and fill its indices. Raises RuntimeError if it does not get COMPLETED."""
        workflow_id = self.simulator.provision(template)
        state = self.simulator.state(workflow_id)
        if state["state"] != "COMPLETED":
            raise RuntimeError(f"{template['name']} ended as {state['state']}: {state.get('error')}")
        made = recorded_in([state])
        environment.workflow_ids.append(workflow_id)
        environment.resources += made
        for kind, id_ in made:
            if kind == "index":
                self.fill(id_)

    def fill(self, index: str) -> None:
        """Put documents into an index, and wait until a count sees them."""
        for number in range(DOCUMENTS):
            self.ask("POST", f"/{index}/_doc", {"passage": f"Passage {number}", "text": f"Text {number}"})
        deadline = time.monotonic() + 10
        while self.ask("GET", f"/{index}/_count")["count"] != DOCUMENTS:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{index} does not show its {DOCUMENTS} documents")
            time.sleep(0.1)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the server, and the JSON of its answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.simulator.url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    # -- what the server sees

    def exists(self, key: Key) -> bool:
        """Whether a resource is on the cluster."""
        return self.simulator.world.get(*key) is not None

    def left(self, environment: Environment) -> list[Key]:
        """What still exists of what was provisioned."""
        return [key for key in environment.resources if self.exists(key)]

    def recorded(self, environment: Environment) -> list[Key]:
        """What the workflows record now."""
        return recorded_in([self.simulator.state(workflow_id) or {} for workflow_id in environment.workflow_ids])

    def states(self, environment: Environment) -> list[str]:
        """The state of each workflow; MISSING where there is none."""
        found = [self.simulator.state(workflow_id) for workflow_id in environment.workflow_ids]
        return [state["state"] if state else "MISSING" for state in found]

    def seen(self) -> int:
        """How many requests the server has had; a mark for ``since``."""
        return len(self.simulator.log)

    def since(self, mark: int) -> list[Any]:
        """The requests after a mark."""
        return list(self.simulator.log[mark:])


def recorded_in(states: list[dict[str, Any]]) -> list[Key]:
    """What some states record. A model that was registered and deployed is one."""
    entries = [entry for state in states for entry in state.get("resources_created") or []]
    return list(dict.fromkeys((KINDS[entry["workflow_step_name"]], entry["resource_id"]) for entry in entries))


def is_read(request: Any) -> bool:
    """GET, HEAD, or a search by POST."""
    return request.method in ("GET", "HEAD") or (request.method == "POST" and request.path.endswith("/_search"))


def changes(requests: list[Any]) -> list[Any]:
    """Those that are no reads."""
    return [request for request in requests if not is_read(request)]


def deprovisions(requests: list[Any]) -> list[Any]:
    """The calls of the server's own teardown."""
    return [r for r in requests if r.method == "POST" and r.path.endswith("/_deprovision")]
