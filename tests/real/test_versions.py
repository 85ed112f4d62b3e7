# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every version from 2.12 to 3.8, each row of the simulator's table (behaviour.md 8)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import SurveyError
from tests.integration.helpers import truthful
from tests.simulator import running
from tests.simulator.versions import TABLE

from .helpers import ALL, allowed, by_kind, call, check, finished, posts, provisioned, run, there, warned, writes

VERSIONS = [".".join(map(str, row.since)) for row in TABLE]
NEWER = ["3.9.0", "4.0.0"]
OLD = [version for version in VERSIONS if tuple(map(int, version.split("."))) < (2, 16)]


@pytest.fixture(params=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A cluster of each version that changed something, with the API switched on."""
    with running(version=request.param) as sim:
        enable(sim)
        yield sim


def enable(sim: Any) -> None:
    """2.12.0 ships with the API switched off."""
    call(sim.url, "PUT", "/_cluster/settings", {"persistent": {"plugins.flow_framework.enabled": True}})
    sim.clear_log()


def kinds(version: str) -> tuple[str, ...]:
    """What that version provisions: 2.12 knows no search pipelines (behaviour.md 2.2)."""
    return tuple(kind for kind in ALL if kind != "search_pipeline" or not version.startswith("2.12"))


def named_calls(sim: Any) -> list[str]:
    return list(itertools.chain(*allowed(sim)))


def test_a_full_teardown(server: Any) -> None:
    made = provisioned(server, "w", kinds(server.version))
    predicted = check(server, "w", allow_delete=made.named, leftovers="delete")
    result = run(server, "w", allow_delete=made.named, leftovers="delete")
    finished(result, server)
    assert set(by_kind(result).values()) == {"deleted"} and there(server, made) == set()
    assert set(by_kind(predicted).values()) == {"would_delete"}
    if server.version in OLD:
        assert named_calls(server) == []
    assert server.version.startswith(".".join(result["server"]["flow_framework"].split(".")[:2]))
    again = run(server, "w", allow_delete=made.named, leftovers="delete")
    assert not again["changed"] and not again["failed"]


def test_a_partial_teardown_keeps_what_is_not_named(server: Any) -> None:
    made = provisioned(server, "w", kinds(server.version))
    result = run(server, "w", allow_delete=[made.id("index")], on_blocked="keep")
    truthful(result, server)
    kept = {"ingest_pipeline", "search_pipeline"} & set(kinds(server.version))
    assert {kind for kind, status in by_kind(result).items() if status == "kept"} == kept
    assert there(server, made) == kept | {"model_group"} and not result["failed"], result["msg"]
    if server.version in OLD:
        assert "forgets what is kept" in warned(result) and made.id("ingest_pipeline") in warned(result)


def test_nothing_is_deleted_while_something_is_not_named(server: Any) -> None:
    made = provisioned(server, "w", kinds(server.version))
    result = run(server, "w", allow_delete=[made.id("index")])
    assert result["failed"] and writes(server) == [] and there(server, made) == set(kinds(server.version))


def test_an_unknown_workflow_is_absent_and_a_second_look_sends_nothing(server: Any) -> None:
    provisioned(server, "other", ["connector"])
    result = run(server, "unknown")
    assert not result["failed"] and not result["changed"]
    assert result["workflows"][0]["state_before"] is None and "no workflow unknown on cluster" in warned(result)
    assert writes(server) == []
    assert run(server, "unknown", on_missing="fail")["failed"]


def test_an_unknown_workflow_where_flow_framework_was_never_used(server: Any) -> None:
    result = run(server, "unknown")
    assert not result["failed"] and result["workflows"][0]["state_before"] is None


def test_a_failed_workflow_with_nothing_recorded_is_reset(server: Any) -> None:
    provisioned(server, "w", [], state="FAILED")
    result = run(server, "w")
    finished(result, server)
    assert result["changed"] and len(posts(server)) == 1


@pytest.mark.parametrize("version", NEWER)
def test_a_version_newer_than_known_behaves_as_the_newest_known(version: str) -> None:
    with running(version=version) as sim:
        made = provisioned(sim, "w")
        finished(run(sim, "w", allow_delete=made.named, leftovers="delete"), sim)


@pytest.mark.parametrize("version", OLD)
def test_below_2_16_the_named_are_deleted_and_proven_gone_before_the_call(version: str) -> None:
    """Success is a lie there (behaviour.md, fact 11): the record has to outlive the work (guide_architecture, rule 9)."""
    with running(version=version) as sim:
        enable(sim)
        made = provisioned(sim, "w", ["connector", "ingest_pipeline", "index"])
        finished(run(sim, "w", allow_delete=made.named), sim)
        sent = writes(sim)
        assert [one.split()[0] for one in sent] == ["DELETE", "DELETE", "POST"]
        assert sent[0].endswith(made.id("index")), "the reverse of the order in which they were made"
        looks = [r for r in sim.requests("GET", f"/{made.id('index')}\\?") if r.started < posts(sim)[0].started]
        assert looks[-1].status == 404


@pytest.mark.parametrize("version", OLD)
def test_below_2_16_no_call_is_sent_when_a_deletion_fails(version: str) -> None:
    with running(version=version) as sim:
        enable(sim)
        made = provisioned(sim, "w", ["connector", "ingest_pipeline", "index"])
        sim.faults.answer("DELETE", made.id("ingest_pipeline"), 403, {"error": {"reason": "no permissions for [x]"}, "status": 403}, times=None)
        result = run(sim, "w", allow_delete=made.named)
        assert result["failed"] and "no permissions for [x]" in result["msg"]
        assert posts(sim) == [] and (sim.state("w") or {})["resources_created"] != []
        assert "ingest_pipeline" in there(sim, made)


def test_a_step_that_the_version_does_not_know_is_never_called_for() -> None:
    """The server would never answer (vector R17): nothing is sent, and that is said."""
    with running(version="2.12.0") as sim:
        enable(sim)
        made = provisioned(sim, "w", ["connector", "search_pipeline"])
        result = run(sim, "w", allow_delete=made.named)
        assert result["failed"] and "does not know the step create_search_pipeline" in result["msg"]
        assert writes(sim) == [] and there(sim, made) == {"connector", "search_pipeline"}


def test_a_step_that_nobody_knows_is_never_called_for(sim: Any) -> None:
    made = provisioned(sim, "w", ["connector"])
    state = sim.state("w")
    state["resources_created"].append({"workflow_step_name": "create_moon", "workflow_step_id": "m", "resource_type": "moon_id", "resource_id": "luna"})
    sim.load(state, sim.template("w"))
    result = run(sim, "w")
    assert result["failed"] and "create_moon" in result["msg"] and by_kind(result) == {"connector": "failed", "other": "failed"}
    assert writes(sim) == [] and there(sim, made) == {"connector"}


def test_the_api_switched_off_is_said_with_the_setting() -> None:
    with running(version="2.12.0") as sim:
        provisioned(sim, "w")
        with pytest.raises(SurveyError, match=r"plugins\.flow_framework\.enabled"):
            run(sim, "w")


def test_an_absent_plugin_is_said(sim: Any) -> None:
    provisioned(sim, "w")
    sim.faults.plugin_absent = True
    with pytest.raises(SurveyError, match="not installed"):
        run(sim, "w")
    assert writes(sim) == []


def test_nodes_on_both_sides_of_2_16_are_refused_before_anything() -> None:
    with running(version="2.16.0", nodes=2) as sim:
        made = provisioned(sim, "w")
        sim.faults.plugin_versions = {"node-1": "2.15.0.0", "node-2": "2.16.0.0"}
        with pytest.raises(SurveyError, match=r"2\.15\.0\.0 to 2\.16\.0\.0"):
            run(sim, "w", allow_delete=made.named)
        assert writes(sim) == [] and there(sim, made) == set(ALL)


@pytest.mark.parametrize("versions", (("2.17.0.0", "3.6.0.0"), ("2.12.0.0", "2.15.0.0")))
def test_nodes_of_other_different_versions_count_as_the_lowest(versions: tuple[str, str]) -> None:
    with running(version="3.6.0", nodes=2) as sim:
        provisioned(sim, "w")
        sim.faults.plugin_versions = dict(zip(("node-1", "node-2"), versions, strict=True))
        assert check(sim, "w")["server"]["flow_framework"] == versions[0]


def test_an_unreadable_version_has_to_be_given(sim: Any) -> None:
    made = provisioned(sim, "w")
    sim.faults.answer("GET", "/_cat/plugins", 403, {"error": {"reason": "no permissions for [y]"}, "status": 403}, times=None)
    with pytest.raises(SurveyError, match="set flow_framework_version"):
        run(sim, "w", allow_delete=made.named)
    assert writes(sim) == []
    finished(run(sim, "w", allow_delete=made.named, flow_framework_version="3.6.0"), sim)


@pytest.mark.parametrize("path", ("/opensearch", "/_plugins/_flow_framework", "/some/where"))
def test_a_path_in_url_that_leads_nowhere_is_not_blamed_on_permissions(sim: Any, path: str) -> None:
    provisioned(sim, "w")
    with pytest.raises(SurveyError, match=r"^There is no list of plugins at url: .*\S\. Check url, and the path at its end\.$") as told:
        check(sim, "w", url=[sim.url + path])
    assert "ermission" not in str(told.value)
