# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids that the cluster would take for more than themselves (guide_architecture, rule 8): nothing foreign is ever touched."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.module import OptionError
from tests.simulator import running

from .helpers import by_kind, finished, message, posts, provisioned, record, run, there, warned, writes

FOREIGN = {"index": ("docs", "docs-1", "a", "b", "logs-2026.11.21"), "ingest_pipeline": ("docs", "a", "b"), "search_pipeline": ("docs", "a", "b")}

INDICES = ("*", "docs*", "d?cs", "a,b", "a,", "_all", "-docs", "+docs", "<logs-{now/d}>", ".", "..", "*,-docs", "docs,*")
PIPELINES = ("*", "docs*", "a,b", " docs", "docs ", "\tdocs", "docs\n", ",", "a,")
# Odd, but nothing other than themselves; each deletes exactly one thing.
HARMLESS_INDICES = ("a%2cb", "%2a", "döcs", "日本語", "x" * 255, "a.b-c_d")
HARMLESS_PIPELINES = ("a/b", "../docs", "a\nb", "100%", "%2A", "a%2Cb", "a b", "?docs", "a?b&c=d", "ü", "-docs", "_docs", "_all", "x" * 255, "#a", "a+b")
GENERATED = ("-abc", "_abc", "--", "__", "-_A9")


def foreign(sim: Any) -> None:
    """What nobody may touch."""
    for kind, names in FOREIGN.items():
        for name in names:
            sim.world.put(kind, name)
    sim.world.put("connector", "somebodys")


def intact(sim: Any) -> None:
    """All of it is still there."""
    for kind, names in FOREIGN.items():
        assert set(names) <= set(sim.world.ids(kind)), kind
    assert sim.world.ids("connector") == ["somebodys"]


DANGEROUS = [("index", one) for one in INDICES] + [(kind, one) for kind in ("ingest_pipeline", "search_pipeline") for one in PIPELINES]
OPTIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "keep": {"on_blocked": "keep", "stale_records": "recreate"},
    "forget": {"stale_records": "forget", "on_shared": "delete", "delete_workflow": True},
}


@pytest.mark.parametrize("kind, id_", DANGEROUS)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_dangerous_recorded_id_is_never_deleted_nor_allowed_nor_created(sim: Any, kind: str, id_: str, options: dict[str, Any]) -> None:
    foreign(sim)
    record(sim, "w", [(kind, id_)])
    if kind != "index":
        sim.world.put(kind, id_)
    result = run(sim, "w", allow_delete=[id_, f"{kind}/{id_}", *id_.split(",")], **options)
    intact(sim)
    (entry,) = result["resources"]
    assert entry["status"] in ("blocked", "kept", "absent"), entry
    assert not [one for one in posts(sim) if one.query]
    assert not [one for one in sim.requests() if one.method in ("PUT", "DELETE") and "_flow_framework" not in one.path]
    if kind != "index" and entry["status"] != "absent":
        assert id_ in sim.world.ids(kind) and "by hand" in entry["msg"]
        assert result["blocked"] == [], "only what naming can release"


HARMLESS = [("index", one) for one in HARMLESS_INDICES] + [("ingest_pipeline", one) for one in HARMLESS_PIPELINES]
HARMLESS += [("search_pipeline", one) for one in HARMLESS_PIPELINES[:6]]


@pytest.mark.parametrize("version", ("2.15.0", "3.6.0"))
@pytest.mark.parametrize("kind, id_", HARMLESS)
def test_an_odd_but_harmless_id_deletes_exactly_itself(version: str, kind: str, id_: str) -> None:
    with running(version=version) as sim:
        foreign(sim)
        provisioned(sim, "w", [(kind, id_)])
        result = run(sim, "w", allow_delete=[f"{kind}/{id_}"])
        finished(result, sim)
        intact(sim)
        assert result["resources"][0]["id"] == id_ and result["resources"][0]["status"] == "deleted"


@pytest.mark.parametrize("kind", ("connector", "model", "agent"))
@pytest.mark.parametrize("id_", GENERATED)
def test_a_generated_id_that_starts_with_a_dash_or_an_underscore_is_harmless(sim: Any, kind: str, id_: str) -> None:
    foreign(sim)
    provisioned(sim, "w", [(kind, id_)])
    finished(run(sim, "w"), sim)
    intact(sim)


@pytest.mark.parametrize("kind", ("connector", "model", "agent"))
@pytest.mark.parametrize("id_", ("_search", "a/b", "../connectors/somebodys", "a,b", "*", "a b", "", "ü", "a\n", "a%2Fb"))
def test_a_generated_id_with_other_signs_reaches_no_path(sim: Any, kind: str, id_: str) -> None:
    """``_search`` is made of harmless characters alone, and has to be looked at as an id, never as a search."""
    foreign(sim)
    record(sim, "w", [(kind, id_)])
    result = run(sim, "w")
    intact(sim)
    if id_ == "_search":
        return
    assert by_kind(result)[kind] in ("blocked", "absent"), result
    assert writes(sim) == []
    assert "connectors/somebodys" not in " ".join(one.path for one in sim.requests())


@pytest.mark.parametrize("id_", ("*", "a,b", "a b", "../x", "a/b", "_all/../w", "w?x", "w#x", "ü", "w\n", " w", "<w>", "w%2F"))
def test_a_dangerous_workflow_id_is_refused_before_anything_is_read(sim: Any, id_: str) -> None:
    provisioned(sim, "w", ["index"])
    with pytest.raises(OptionError, match="Nothing was read or deleted"):
        run(sim, id_, allow_delete=["w-index"])
    assert sim.requests() == []


@pytest.mark.parametrize("id_", ("", "  "))
def test_an_empty_workflow_id_is_refused_as_a_variable_that_was_not_set(sim: Any, id_: str) -> None:
    with pytest.raises(OptionError, match="variable"):
        run(sim, id_)
    assert sim.requests() == []


@pytest.mark.parametrize("id_", GENERATED)
def test_a_workflow_id_that_starts_with_a_dash_or_an_underscore_is_harmless(sim: Any, id_: str) -> None:
    made = provisioned(sim, id_, [("connector", "c"), ("index", "docs")])
    finished(run(sim, id_, allow_delete=made.named), sim, id_)
    assert there(sim, made) == set()


@pytest.mark.parametrize("name", ("*", "_all", "w-*", "w-inde?", "W-INDEX", "w-index*", "a,w-index", "*/*", "index/*", "", " "))
def test_a_pattern_in_allow_delete_releases_nothing(sim: Any, name: str) -> None:
    """Vectors D47 and D48: exact, with case, no wildcard."""
    made = provisioned(sim, "w", ["index", "connector"])
    result = run(sim, "w", allow_delete=[name])
    assert by_kind(result) == {"index": "blocked", "connector": "untouched"}
    assert posts(sim) == [] and there(sim, made) == {"index", "connector"}


def test_an_id_in_allow_delete_that_no_workflow_records_is_warned_of_with_the_nearest_that_one_does(sim: Any) -> None:
    made = provisioned(sim, "w", ["index", "ingest_pipeline"])
    result = run(sim, "w", allow_delete=[*made.named, "w-indexx"])
    finished(result, sim)
    assert "allow_delete names w-indexx" in warned(result) and "nearest that one does is w-index." in warned(result)


def test_such_an_id_is_not_warned_of_when_nothing_is_recorded_any_more(sim: Any) -> None:
    made = provisioned(sim, "w", ["index"])
    run(sim, "w", allow_delete=made.named)
    again = run(sim, "w", allow_delete=made.named)
    assert again["warnings"] == [] and not again["changed"]


@pytest.mark.parametrize("id_", ("a&allow_delete=docs", "a;allow_delete=docs", "a#b", "a=b"))
def test_an_id_is_quoted_in_allow_delete_so_that_it_names_nothing_else(sim: Any, id_: str) -> None:
    foreign(sim)
    provisioned(sim, "w", [("ingest_pipeline", id_), ("index", "mine")])
    result = run(sim, "w", allow_delete=[id_], on_blocked="keep")
    assert by_kind(result) == {"ingest_pipeline": "deleted", "index": "kept"}, message(result, "index")
    assert quote(id_, safe="") in posts(sim)[0].query
    intact(sim)
