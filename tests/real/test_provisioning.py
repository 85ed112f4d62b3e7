# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Provisioning under way: what it creates later would escape (recording while_provisioning; guide_architecture, rule 5)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import provisioning
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import SurveyError
from tests.simulator import running

from .helpers import after_the_plan, by_kind, check, finished, posts, provisioned, run, there, warned, writes

NAMES = [f"made-{number}" for number in range(12)]


def template(names: list[str], chained: bool = False) -> dict[str, Any]:
    """A template that makes indices, side by side or one after the other."""
    nodes = [{"id": f"n{i}", "type": "create_index", "user_inputs": {"index_name": name, "configurations": "{}"}} for i, name in enumerate(names)]
    if chained:
        for number, node in enumerate(nodes[1:]):
            node["previous_node_inputs"] = {f"n{number}": "index_name"}
    edges = [{"source": f"n{i}", "dest": f"n{i + 1}"} for i in range(len(names) - 1)] if chained else []
    return {"name": "made", "workflows": {"provision": {"nodes": nodes, "edges": edges}}}


def test_a_workflow_that_is_being_provisioned_is_waited_for_and_nothing_escapes() -> None:
    with running(clock=1.0) as sim:
        workflow_id = sim.provision(template(NAMES, chained=True), wait=False)
        assert (sim.state(workflow_id) or {})["state"] == "PROVISIONING"
        result = run(sim, workflow_id, allow_delete=NAMES)
        finished(result, sim, workflow_id)
        assert len(result["resources"]) == 12
        assert sim.world.ids("index") == []
        first = posts(sim)[0]
        assert not [r for r in sim.requests("GET", "_status") if r.started > first.started and r.status != 200]


def test_check_mode_does_not_wait_and_says_that_the_plan_is_not_complete() -> None:
    with running(clock=1.0) as sim:
        workflow_id = sim.provision(template(NAMES, chained=True), wait=False)
        began = time.monotonic()
        result = check(sim, workflow_id, allow_delete=NAMES)
        assert time.monotonic() - began < 0.5
        assert "is being provisioned" in warned(result)
        assert posts(sim) == []


def test_after_FAILED_the_branches_that_still_write_are_waited_for() -> None:
    """A step fails at once, the others go on: FAILED, and resources still appear."""
    with running(clock=1.0) as sim:
        sim.world.put("index", "taken")
        nodes = template(["taken"])["workflows"]["provision"]["nodes"]
        slow = template(NAMES, chained=True)["workflows"]["provision"]
        for node in slow["nodes"]:
            node["id"] = "s" + node["id"]
            node["previous_node_inputs"] = {"s" + name: key for name, key in (node.get("previous_node_inputs") or {}).items()}
        edges = [{"source": "s" + e["source"], "dest": "s" + e["dest"]} for e in slow["edges"]]
        both = {"name": "both", "workflows": {"provision": {"nodes": nodes + slow["nodes"], "edges": edges}}}
        workflow_id = sim.provision(both, wait=False)
        while (sim.state(workflow_id) or {})["state"] != "FAILED":
            time.sleep(0.01)
        assert len(sim.world.ids("index")) < 13
        result = run(sim, workflow_id, allow_delete=NAMES)
        assert not result["failed"], result["msg"]
        assert sim.world.ids("index") == ["taken"], "nothing was made after the record was read"


@pytest.mark.parametrize("kinds", (["connector", "index"], []), ids=("with resources", "with nothing"))
def test_a_workflow_stuck_in_PROVISIONING_is_torn_down_with_a_warning(sim: Any, kinds: list[str]) -> None:
    """A node died: nobody provisions, and the state says so for ever."""
    made = provisioned(sim, "w", kinds, state="PROVISIONING")
    result = run(sim, "w", allow_delete=made.named)
    finished(result, sim)
    assert "nothing is being provisioned" in warned(result)
    assert there(sim, made) == set()


def test_a_stuck_workflow_is_dropped_too_where_delete_workflow_asks_for_it(sim: Any) -> None:
    """Vector X05: the state of one that is IN_PROGRESS is not deleted with the template."""
    made = provisioned(sim, "w", ["index"], state="PROVISIONING")
    result = run(sim, "w", allow_delete=made.named, delete_workflow=True)
    finished(result, sim)
    assert sim.state("w") is None and sim.template("w") is None


def busy_pool(sim: Any) -> None:
    """Others provision without a pause."""
    row = [{"node_name": "node-1", "active": "2", "queue": "1"}]
    sim.faults.answer("GET", "opensearch_provision_workflow", 200, row, times=None)


def unreadable_pool(sim: Any) -> None:
    sim.faults.answer("GET", "opensearch_provision_workflow", 403, {"error": {"reason": "no"}, "status": 403}, times=None)


@pytest.mark.parametrize("pool", (busy_pool, unreadable_pool))
def test_where_the_pool_says_nothing_a_FAILED_record_has_to_stand_still(sim: Any, pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provisioning, "STILL", 0.5)
    made = provisioned(sim, "w", ["index"], state="FAILED")
    pool(sim)
    began = time.monotonic()
    result = run(sim, "w", allow_delete=made.named)
    finished(result, sim)
    assert time.monotonic() - began >= 0.5
    assert by_kind(result) == {"index": "deleted"}


@pytest.mark.parametrize("pool", (busy_pool, unreadable_pool))
def test_where_the_time_is_too_short_for_that_it_is_not_called_provisioned(sim: Any, pool: Any) -> None:
    made = provisioned(sim, "w", ["index"], state="FAILED")
    pool(sim)
    with pytest.raises(SurveyError, match=r"^Workflow w is FAILED, and .* could not be told when wait_timeout was over"):
        run(sim, "w", allow_delete=made.named, wait_timeout=1)
    assert writes(sim) == [] and there(sim, made) == {"index"}


def test_the_record_has_to_stand_still_for_ten_seconds() -> None:
    assert provisioning.STILL >= 10


@pytest.mark.parametrize("pool", (busy_pool, unreadable_pool))
def test_PROVISIONING_beside_a_busy_pool_is_waited_for_until_the_deadline_and_nothing_is_deleted(sim: Any, pool: Any) -> None:
    made = provisioned(sim, "w", ["index"], state="PROVISIONING")
    pool(sim)
    with pytest.raises(Exception, match="still being provisioned"):
        run(sim, "w", allow_delete=made.named, wait_timeout=1)
    assert writes(sim) == [] and there(sim, made) == {"index"}


def test_somebody_who_provisions_after_the_plan_stops_the_workflow(sim: Any) -> None:
    """Directly before the call the record is read again: what is new was not in the plan."""
    made = provisioned(sim, "w", ["connector"])
    after_the_plan(sim, lambda: provisioned(sim, "w", ["connector", "index"], state="COMPLETED"))
    result = run(sim, "w", allow_delete=["w-index"])
    assert result["failed"] and "since the plan was made" in result["msg"]
    assert posts(sim) == [] and there(sim, made) == {"connector"} and sim.world.ids("index") == ["w-index"]


def test_an_index_that_was_replaced_after_the_plan_stops_the_workflow(sim: Any) -> None:
    made = provisioned(sim, "w", ["connector", "index"])

    after_the_plan(sim, lambda: sim.world.put("index", "w-index", documents=99, creation_date=1700000050000))
    result = run(sim, "w", allow_delete=made.named)
    assert result["failed"] and "is not the one that the plan was made for" in result["msg"]
    assert posts(sim) == [] and sim.world.get("index", "w-index")["documents"] == 99
