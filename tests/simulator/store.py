# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Indices of documents: what a get sees at once, and what a search sees only after a refresh."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .clock import Clock
from .errors import Refused, core_error
from .search import FieldTypes, Hit, SearchError, run

TEMPLATES = ".plugins-flow-framework-templates"
STATES = ".plugins-flow-framework-state"
CONNECTORS = ".plugins-ml-connector"
MODELS = ".plugins-ml-model"
AGENTS = ".plugins-ml-agent"
MODEL_GROUPS = ".plugins-ml-model-group"

REFRESH_SECONDS = 1.0

_NAMED = {"name": "text+keyword", "description": "text"}

# Field types. Templates and states: the plugin's mappings. Models: recording looking_for_users_of_a_connector
# (connector_id is text with .keyword, model_group_id a keyword).
FIELD_TYPES: dict[str, FieldTypes] = {
    TEMPLATES: FieldTypes(
        {
            **_NAMED,
            "workflow_id": "keyword",
            "use_case": "keyword",
            "operations": "keyword",
            "version": "nested",
            "version.template": "text",
            "version.compatibility": "text",
            "created_time": "date",
            "last_updated_time": "date",
            "last_provisioned_time": "date",
            "tenant_id": "keyword",
            "user": "nested",
            "user.name": "text+keyword",
            "user.backend_roles": "text+keyword",
        },
        dynamic=False,
    ),
    STATES: FieldTypes(
        {
            "workflow_id": "keyword",
            "error": "text",
            "state": "keyword",
            "provisioning_progress": "keyword",
            "provision_start_time": "date",
            "provision_end_time": "date",
            "resources_created": "nested",
            "resources_created.workflow_step_name": "keyword",
            "resources_created.workflow_step_id": "keyword",
            "resources_created.resource_type": "keyword",
            "resources_created.resource_id": "keyword",
            "tenant_id": "keyword",
            "user": "nested",
            "user.name": "text+keyword",
            "user.backend_roles": "text+keyword",
        },
        dynamic=False,
    ),
    CONNECTORS: FieldTypes({**_NAMED, "protocol": "keyword", "parameters": "flat", "actions": "flat"}),
    MODELS: FieldTypes(
        {
            **_NAMED,
            "algorithm": "keyword",
            "model_group_id": "keyword",
            "model_state": "keyword",
            "function_name": "keyword",
        }
    ),
    AGENTS: FieldTypes({**_NAMED, "type": "keyword", "llm": "flat", "tools": "flat", "parameters": "flat", "memory": "flat"}),
    MODEL_GROUPS: FieldTypes({**_NAMED, "access": "keyword", "owner": "nested"}),
}


@dataclass
class Document:
    source: dict[str, Any]
    version: int
    order: int


@dataclass
class DocumentIndex:
    """One index of documents."""

    name: str
    clock: Clock
    documents: dict[str, Document] = field(default_factory=dict)
    _order: int = -1
    _versions: dict[str, int] = field(default_factory=dict)  # of deleted documents too
    _visible: dict[str, Hit] = field(default_factory=dict)
    _pending: list[tuple[float, str, Hit | None]] = field(default_factory=list)

    def get(self, id_: str) -> dict[str, Any] | None:
        """The stored document itself, at once and without a refresh."""
        document = self.documents.get(id_)
        return None if document is None else document.source

    def put(self, id_: str, source: dict[str, Any], refresh: bool = False) -> Document:
        """Store a document, in place of one that was there."""
        self._order += 1
        version = self._versions.get(id_, 0) + 1
        self._versions[id_] = version
        document = Document(source, version, self._order)
        self.documents[id_] = document
        hit = Hit(id_, copy.deepcopy(source), document.order, version)
        self._pending.append((self.clock.due(REFRESH_SECONDS), id_, hit))
        if refresh:
            self.refresh()
        return document

    def update(self, id_: str, changes: dict[str, Any], refresh: bool = False) -> bool:
        """Merge fields into a document; a value of None removes the field. False where there is no document."""
        document = self.documents.get(id_)
        if document is None:
            return False
        merged = {**document.source, **changes}
        self.put(id_, {name: value for name, value in merged.items() if value is not None}, refresh)
        return True

    def delete(self, id_: str, refresh: bool = True) -> dict[str, Any]:
        """Delete a document; the body of core's answer, found or not (behaviour.md 4)."""
        self._order += 1
        found = self.documents.pop(id_, None) is not None
        version = self._versions.pop(id_, 0) + 1 if found else 1
        self._pending.append((self.clock.due(REFRESH_SECONDS), id_, None))
        if refresh:
            self.refresh()
        answer: dict[str, Any] = {
            "_index": self.name,
            "_id": id_,
            "_version": version,
            "result": "deleted" if found else "not_found",
        }
        if refresh:
            answer["forced_refresh"] = True
        answer["_shards"] = {"total": 1, "successful": 1, "failed": 0}
        answer["_seq_no"] = self._order
        answer["_primary_term"] = 1
        return answer

    def refresh(self) -> None:
        """Let searches see everything written so far."""
        self._settle(float("inf"))

    def _settle(self, until: float) -> None:
        while self._pending and self._pending[0][0] <= until:
            _due, id_, hit = self._pending.pop(0)
            if hit is None:
                self._visible.pop(id_, None)
            else:
                self._visible[id_] = hit

    def hits(self) -> list[Hit]:
        """What a search sees now."""
        self._settle(time.monotonic())
        return list(self._visible.values())

    def search(self, body: dict[str, Any], keep: Callable[[Any], bool] | None = None) -> dict[str, Any]:
        """The answer to a search over the documents that ``keep`` lets through. Refused where the query is wrong."""
        hits = [hit for hit in self.hits() if keep is None or keep(hit.source)]
        try:
            return copy.deepcopy(run(self.name, FIELD_TYPES.get(self.name, FieldTypes()), hits, body))
        except SearchError as wrong:
            raise search_refusal(wrong) from wrong


def search_refusal(wrong: SearchError) -> Refused:
    return core_error(wrong.kind, wrong.reason, wrong.status)


class Stores:
    """The system indices of Flow Framework and ML Commons; each appears with its first document."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.indices: dict[str, DocumentIndex] = {}

    def find(self, name: str) -> DocumentIndex | None:
        return self.indices.get(name)

    def made(self, name: str) -> DocumentIndex:
        """The index, created where it does not exist yet."""
        if name not in self.indices:
            self.indices[name] = DocumentIndex(name, self.clock)
        return self.indices[name]

    def get(self, name: str, id_: str) -> dict[str, Any] | None:
        index = self.indices.get(name)
        return None if index is None else index.get(id_)
