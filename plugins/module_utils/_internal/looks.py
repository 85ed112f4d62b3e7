# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One resource as it is now: whether it is there, what it holds, and what is in the way of deleting it. Sends reads only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import answers
from .answers import Readable
from .api import Api
from .records import Resource
from .resources import KINDS, OTHER


def look(api: Api, readable: Readable, resource: Resource) -> Resource:
    """One resource as it is now. Ids that the cluster would take for more than themselves are never asked by path.

    C(readable) passes an answer on or says what is missing.
    """
    if resource.kind == OTHER:
        return replace(resource, problem="the step %s is not known here" % ", ".join(resource.steps))
    kind = KINDS[resource.kind]
    if kind.danger(resource.id):
        return look_in_list(api, resource) if kind.listed else replace(resource, problem=kind.danger(resource.id))
    answer = api.look(resource.kind, resource.id)
    if answer.outcome == answers.MISSING:
        return replace(resource, exists=False)
    if answer.outcome == answers.BLOCK and is_metadata_block(resource, answers.text_of(answer.body)):
        return replace(resource, exists=True, obstacle=block_of(resource.id, {"blocks": {"metadata": True}}))
    if not answer.ok or not isinstance(answer.body, dict):
        return replace(resource, problem=answer.sentence or "the answer is no object")
    if resource.kind == "index":
        return index_facts(api, readable, resource, answer.body)
    if kind.listed and resource.id not in answer.body:
        return replace(resource, problem="the answer does not hold this id")
    placeholder = kind.is_placeholder(answer.body[resource.id] if kind.listed else answer.body)
    state = answer.body.get("model_state") if resource.kind == "model" else None
    return replace(resource, exists=not placeholder, placeholder=placeholder, state=state)


def look_in_list(api: Api, resource: Resource) -> Resource:
    """A pipeline that cannot be asked for by its id, in the list of all."""
    answer = api.pipelines(resource.kind)
    if answer.ok and isinstance(answer.body, dict):
        return replace(resource, exists=resource.id in answer.body)
    return replace(resource, problem=answer.sentence)


def index_facts(api: Api, readable: Readable, resource: Resource, body: dict[str, Any]) -> Resource:
    """Uuid, documents and size of an index, and what is in the way of deleting it."""
    if resource.id not in body:
        return replace(
            resource, exists=True, obstacle="there is an alias of that name, of %s, and no index: delete or rename the alias" % ", ".join(sorted(body))
        )
    settings = (body[resource.id].get("settings") or {}).get("index") or {}
    documents, size = contents(api, readable, resource.id, settings)
    if documents == 0 and KINDS["index"].is_placeholder(body[resource.id]):
        return replace(resource, exists=False, placeholder=True)
    created = settings.get("creation_date")
    return replace(
        resource,
        exists=True,
        uuid=settings.get("uuid"),
        created=int(str(created)) if str(created).isdigit() else None,
        documents=documents,
        size_in_bytes=size,
        obstacle=block_of(resource.id, settings),
    )


def contents(api: Api, readable: Readable, index: str, settings: dict[str, Any]) -> tuple[int | None, int | None]:
    """Documents and bytes of an index; None for what cannot be trusted (closed, unreadable, not refreshed).

    Where the security plugin is set to answer with nothing what it denies, a count is one of no shards, and sizes are
    those of other indices (C(do_not_fail_on_forbidden_empty), tried on 2.19.1).
    """
    counted, stats = api.count(index), api.stats(index)
    for answer, doing in ((counted, "Counting documents"), (stats, "Reading sizes of indices")):
        if answer.outcome == answers.FORBIDDEN:
            readable(answer, doing)
    documents = counted.body.get("count") if counted.ok and isinstance(counted.body, dict) else None
    shards = (counted.body.get("_shards") or {}) if documents is not None else {}
    if shards.get("failed") or shards.get("total") == 0:
        documents = None
    totals = (((stats.body.get("indices") or {}).get(index) or {}).get("total") or {}) if stats.ok and isinstance(stats.body, dict) else {}
    size = (totals.get("store") or {}).get("size_in_bytes")
    refreshed = not str(settings.get("refresh_interval", "")).startswith("-1")
    if not refreshed and (totals.get("translog") or {}).get("uncommitted_operations", 1):
        documents = None
    return documents, size


def block_of(index: str, settings: dict[str, Any]) -> str:
    """Which block of its own an index has against being deleted (recording index_blocked).

    With C(metadata) it shows none of its settings either (tests/opensearch/test_native.py, 3.6.0).
    """
    blocks = settings.get("blocks") or {}
    for block in ("read_only", "metadata"):
        if str(blocks.get(block)).lower() == "true":
            return 'the index is blocked (index.blocks.%s): PUT /%s/_settings {"index.blocks.%s": null}' % (block, index, block)
    return ""


def is_metadata_block(resource: Resource, said: str) -> bool:
    """Whether the server says of this very index that C(index.blocks.metadata) keeps it from being looked at."""
    return resource.kind == "index" and said.startswith("index [%s] blocked by:" % resource.id) and "index metadata (api)" in said
