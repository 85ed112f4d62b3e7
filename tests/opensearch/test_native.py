# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator in memory and a real cluster answer every native request that the collection sends alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils.resources import (
    KINDS,
    MARK,
    index_placeholder,
    ingest_placeholder,
    search_placeholder,
)

from tests.simulator.worlds.opensearch import AGENT, CONNECTOR

from . import Cluster
from .native import NODE, Both, both

pytestmark = [pytest.mark.opensearch, pytest.mark.slow]

WORD = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
MAPPINGS = {"properties": {"field": WORD}}
ODD = ("p q", "p%q", "größe", "p/q", "p?q", "p#q", 'p"q', "p\\q", "p&q=r", "p+q", "p;q", "-p", "_p", ".p", "P", "p:q", "p|q", "p<q>")
"""Words with signs that a path has to quote, or that some cluster takes for something else."""

ODD_PIPELINES = ("a,b", *ODD)

# Every kind of thing in every state that matters. ML Commons is told everything that it would otherwise fill in by itself.
CONNECTOR_BODY = {name: value for name, value in CONNECTOR.items() if name != "credential"}
TOOL = {"type": "MLModelTool", "parameters": {"model_id": "deployed"}, "include_output_in_agent_response": False}
ESTATE: list[tuple[str, str, dict[str, Any]]] = [
    ("index", "docs", {"documents": 3, "mappings": MAPPINGS}),
    ("index", "empty", {}),
    ("index", "shut", {"documents": 1, "closed": True, "mappings": MAPPINGS, "settings": {"index.default_pipeline": "plain"}}),
    ("index", "fixed", {"documents": 2, "read_only": True, "mappings": MAPPINGS}),
    ("index", "named", {"documents": 1, "aliases": ["other-name", "both-names"], "mappings": MAPPINGS}),
    ("index", "named-too", {"aliases": {"both-names": {}}}),
    ("index", "filled-in", {"settings": index_placeholder()["settings"], "mappings": index_placeholder()["mappings"]}),
    ("index", "with.dots.in.its.name", {"mappings": {"_meta": {"description": "mine"}}}),
    ("index", "ingests", {"settings": {"index.default_pipeline": "plain", "index.final_pipeline": "last"}}),
    ("index", "searches", {"settings": {"index.search.default_pipeline": "plain"}}),
    ("index", "slow-to-show", {"settings": {"index.refresh_interval": "-1", "index.number_of_replicas": 0}}),
    ("index", "unreadable", {"settings": {"index.blocks.read": True}}),
    ("index", "größe%50", {}),
    ("alias", "alone", {"index": "docs"}),
    ("ingest_pipeline", "plain", {"body": {"description": "mine", "processors": [{"set": {"field": "a", "value": 1}}]}}),
    ("ingest_pipeline", "filled-in", {"body": ingest_placeholder()}),
    ("search_pipeline", "plain", {"body": {"description": "mine", "request_processors": []}}),
    ("search_pipeline", "filled-in", {"body": search_placeholder()}),
    *((kind, id_, {}) for kind in ("ingest_pipeline", "search_pipeline") for id_ in ODD_PIPELINES),
    ("connector", "used", {"body": CONNECTOR_BODY}),
    ("connector", "unused", {"body": CONNECTOR_BODY}),
    ("model_group", "full", {"body": {"description": "d", "latest_version": 1}}),
    ("model_group", "empty", {"body": {"description": "d", "latest_version": 0}}),
    ("model", "registered", {"connector_id": "used", "model_group_id": "full"}),
    ("model", "deployed", {"state": "DEPLOYED", "connector_id": "used", "model_group_id": "full"}),
    ("model", "undeployed", {"state": "UNDEPLOYED", "connector_id": "used", "model_group_id": "full"}),
    ("agent", "answers", {"body": {**AGENT, "tools": [TOOL]}}),
]


def filled(pair: Both) -> None:
    for kind, id_, attributes in ESTATE:
        pair.put(kind, id_, **attributes)


@pytest.fixture(scope="module", params=["plain", "secure"])
def pair(request: pytest.FixtureRequest) -> Iterator[Both]:
    cluster: Cluster = request.getfixturevalue(request.param)
    with both(cluster) as made:
        yield made


@pytest.fixture(scope="module")
def estate(pair: Both) -> Both:
    pair.front.world.clear()
    filled(pair)
    return pair


IDS = {kind: [id_ for k, id_, _ in ESTATE if k == kind] for kind in KINDS}
READS: list[tuple[Any, ...]] = [
    ("info",),
    ("info_of", NODE, 30.0),
    ("plugins",),
    *((("look", kind, id_)) for kind in KINDS for id_ in IDS[kind]),
    *((("look", kind, "absent")) for kind in KINDS),
    *(("look", "index", id_) for id_ in ("alone", "both-names", *ODD)),
    *(("look", kind, f"absent{id_}") for kind in ("ingest_pipeline", "search_pipeline") for id_ in ODD_PIPELINES),
    *(("look", kind, id_) for kind in ("connector", "model", "model_group", "agent") for id_ in ("-x", "_x")),
    ("pipelines", "ingest_pipeline"),
    ("pipelines", "search_pipeline"),
    *(("count", id_) for id_ in (*IDS["index"], "alone", "both-names", "absent")),
    *(("stats", id_) for id_ in (*IDS["index"], "alone", "both-names", "absent")),
    ("running_snapshots",),
    ("models_of", ["used", "unused"], []),
    ("models_of", [], ["full", "empty"]),
    ("models_of", ["absent"], ["full"]),
    ("models_of", ["absent"], ["absent"]),
    ("model_groups_named", ["full", "empty", "absent"]),
    ("agents",),
    ("pipeline_settings",),
    *(("ml_by_id", kind, [*IDS[kind], "absent"]) for kind in ("connector", "model", "model_group", "agent")),
    ("indices", [*IDS["index"], "absent"]),
    ("indices", ["absent"]),
    ("indices", ["alone", "docs"]),
    ("stats_of", [*IDS["index"], "absent"]),
    ("stats_of", ["absent"]),
    ("counts", [*IDS["index"], "absent", "alone"]),
    ("clock",),
    ("deprovision_tasks",),
    ("deprovision_pool",),
    ("provision_pool",),
]


def name_of(call: tuple[Any, ...]) -> str:
    return " ".join("a node" if part is NODE else ",".join(part) if isinstance(part, list) else str(part) for part in call)


@pytest.mark.parametrize("call", READS, ids=name_of)
def test_read(estate: Both, call: tuple[Any, ...]) -> None:
    assert estate.unlike(call) == []


Thing = tuple[str, str, dict[str, Any]]
PLACEHOLDERS = {"index": index_placeholder(), "ingest_pipeline": ingest_placeholder(), "search_pipeline": search_placeholder()}
CHANGES: list[tuple[tuple[Any, ...], list[Thing]]] = [
    *((("put", kind, "new", body), []) for kind, body in PLACEHOLDERS.items()),
    *((("put", kind, "there", body), [(kind, "there", {})]) for kind, body in PLACEHOLDERS.items()),
    *((("put", kind, f"n{id_}", body), []) for kind, body in PLACEHOLDERS.items() for id_ in ODD_PIPELINES),
    *((("put", "index", id_, index_placeholder()), []) for id_ in ("-n", "+n", ".n", ".", "..", "n" * 256)),
    (("put", "index", "called", index_placeholder()), [("index", "there", {"aliases": ["called"]})]),
    *((("delete", kind, "there"), [(kind, "there", {})]) for kind in KINDS),
    *((("delete", kind, "absent"), []) for kind in KINDS),
    *((("delete", kind, f"n{id_}"), [(kind, f"n{id_}", {})]) for kind in ("ingest_pipeline", "search_pipeline") for id_ in ODD_PIPELINES),
    *((("delete", "index", f"n{id_}"), []) for id_ in ODD_PIPELINES),
    *((("delete", "index", id_), []) for id_ in ("-n", "_n", ".n")),
    (("delete", "index", "there"), [("index", "there", {"documents": 2})]),
    (("delete", "index", "there"), [("index", "there", {"closed": True})]),
    (("delete", "index", "there"), [("index", "there", {"read_only": True})]),
    *(
        (("delete", "index", "there"), [("index", "there", {"settings": {f"index.blocks.{block}": True}})])
        for block in ("write", "read", "metadata", "read_only_allow_delete")
    ),
    (("delete", "index", "called"), [("index", "there", {"aliases": ["called"]})]),
    (("delete", "index", "called"), [("index", "there", {"aliases": ["called"]}), ("index", "there-too", {"aliases": ["called"]})]),
    (("delete", "ingest_pipeline", "there"), [("ingest_pipeline", "there", {}), ("index", "user", {"settings": {"index.default_pipeline": "there"}})]),
    (("delete", "search_pipeline", "there"), [("search_pipeline", "there", {}), ("index", "user", {"settings": {"index.search.default_pipeline": "there"}})]),
    (("delete", "model_group", "there"), [("model_group", "there", {}), ("model", "member", {"model_group_id": "there"})]),
    (("delete", "connector", "there"), [("connector", "there", {"body": CONNECTOR_BODY}), ("model", "member", {"connector_id": "there"})]),
    (("delete", "model", "there"), [("model", "there", {"state": "DEPLOYED"})]),
    (("delete", "model", "there"), [("model", "there", {"state": "UNDEPLOYED"})]),
]


def named(change: tuple[tuple[Any, ...], list[Thing]]) -> str:
    call, things = change
    return " ".join([*call[:3], *(f"{kind}:{id_}{sorted(attributes)}" for kind, id_, attributes in things)])


@pytest.mark.parametrize("change", CHANGES, ids=named)
def test_change(estate: Both, change: tuple[tuple[Any, ...], list[Thing]]) -> None:
    assert changed(estate, *change) == []


def changed(pair: Both, call: tuple[Any, ...], things: list[Thing]) -> list[str]:
    """In what two changes differ: the answer, and what is there afterwards."""
    try:
        for kind, id_, attributes in things:
            pair.put(kind, id_, **attributes)
        return pair.unlike(call) + pair.unlike(("look", *call[1:3]))
    finally:
        for kind, id_ in [*((kind, id_) for kind, id_, _ in things), call[1:3]]:
            pair.remove(kind, id_)
