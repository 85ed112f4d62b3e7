# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""delete_workflow in each order of deleting template and resources (behaviour.md, fact 9; rows X01 to X12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator import running

from .helpers import FLOW, by_kind, call, check, finished, posts, provisioned, run, there, writes

VERSIONS = ("2.12.0", "2.13.0", "2.14.0", "2.15.0", "2.16.0", "2.18.0", "2.19.1", "3.6.0", "3.8.0")


KINDS = ("connector", "model_group", "model", "agent", "ingest_pipeline", "index")


def cluster(version: str) -> Any:
    return running(version=version)


def enabled(sim: Any) -> Any:
    call(sim.url, "PUT", "/_cluster/settings", {"persistent": {"plugins.flow_framework.enabled": True}})
    sim.clear_log()
    return sim


def keeps_state(version: str) -> bool:
    """Below 2.14 nothing deletes a state document."""
    return version < "2.14"


@pytest.mark.parametrize("version", VERSIONS)
def test_resources_go_first_then_template_and_state(version: str) -> None:
    with cluster(version) as sim:
        made = provisioned(enabled(sim), "w", KINDS)
        options: dict[str, Any] = dict(allow_delete=made.named, leftovers="delete", delete_workflow=True)
        predicted, result = check(sim, "w", **options), run(sim, "w", **options)
        finished(result, sim)
        assert there(sim, made) == set() and sim.template("w") is None
        assert (sim.state("w") is not None) == keeps_state(version)
        assert predicted["workflows"][0]["state_after"] == result["workflows"][0]["state_after"] == ("NOT_STARTED" if keeps_state(version) else None)
        sent = writes(sim)
        assert sent.index(f"POST {FLOW}/w/_deprovision") < sent.index(f"DELETE {FLOW}/w")
        again = run(sim, "w", **options)
        assert not again["changed"] and not again["failed"]


@pytest.mark.parametrize("delete_workflow", (False, True))
@pytest.mark.parametrize("version", VERSIONS)
def test_where_the_template_is_gone_first_the_teardown_takes_the_state_along(version: str, delete_workflow: bool) -> None:
    with cluster(version) as sim:
        made = provisioned(enabled(sim), "w", ["connector", "ingest_pipeline", "index"])
        assert call(sim.url, "DELETE", f"{FLOW}/w")[0] == 200
        assert sim.state("w") is not None
        result = run(sim, "w", allow_delete=made.named, delete_workflow=delete_workflow)
        finished(result, sim)
        assert there(sim, made) == set()
        assert (sim.state("w") is not None) == keeps_state(version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_template_without_a_state_is_deleted(version: str) -> None:
    with cluster(version) as sim:
        provisioned(enabled(sim), "w", [])
        sim._run(lambda: sim._engine.stores.made(".plugins-flow-framework-state").delete("w"))
        sim.clear_log()
        left = run(sim, "w")
        assert not left["changed"] and sim.template("w") is not None
        result = run(sim, "w", delete_workflow=True)
        assert not result["failed"] and result["changed"], result["msg"]
        assert sim.template("w") is None and posts(sim) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_without_a_word_the_template_stays(version: str) -> None:
    with cluster(version) as sim:
        made = provisioned(enabled(sim), "w", KINDS)
        finished(run(sim, "w", allow_delete=made.named), sim)
        assert sim.template("w") is not None and sim.state("w")["state"] == "NOT_STARTED"
        assert not sim.requests("DELETE", "/workflow/w")


def test_a_workflow_that_keeps_something_keeps_template_and_state(sim: Any) -> None:
    made = provisioned(sim, "w", ["connector", "index"])
    result = run(sim, "w", on_blocked="keep", delete_workflow=True)
    assert by_kind(result) == {"connector": "deleted", "index": "kept"}
    assert sim.template("w") is not None and sim.state("w") is not None and not sim.requests("DELETE")
    assert there(sim, made) == {"index"}


def test_a_failed_deletion_keeps_template_and_state(sim: Any) -> None:
    made = provisioned(sim, "w", ["connector", "index"], read_only=True)
    result = run(sim, "w", allow_delete=made.named, delete_workflow=True)
    assert result["failed"] and sim.template("w") is not None and sim.state("w") is not None
    assert not sim.requests("DELETE")


def test_an_unknown_workflow_is_no_change_though_the_server_answers_200(sim: Any) -> None:
    provisioned(sim, "other", ["connector"])
    result = run(sim, "unknown", delete_workflow=True)
    assert not result["changed"] and not result["failed"] and writes(sim) == []


def test_stale_records_go_with_template_and_state(sim: Any) -> None:
    provisioned(sim, "w", ["model", "index"], gone=["model", "index"])
    result = run(sim, "w", delete_workflow=True)
    finished(result, sim)
    assert sim.state("w") is None and sim.template("w") is None
    assert sim.requests("DELETE")[0].query == "clear_status=true"


def test_a_lost_answer_to_the_delete_is_looked_after_and_not_sent_again(slow: Any) -> None:
    made = provisioned(slow, "w", ["connector"])
    slow.faults.cut("DELETE", "/workflow/w", "reset", when="during")
    result = run(slow, "w", allow_delete=made.named, delete_workflow=True)
    finished(result, slow)
    assert len(slow.requests("DELETE")) == 1 and slow.template("w") is None and slow.state("w") is None
