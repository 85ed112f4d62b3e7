# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two at once: on one workflow they would corrupt its record (recording concurrent; guide_architecture, rule 3). Real processes."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import SurveyError
from tests.integration.helpers import truthful
from tests.simulator import running

from .helpers import (
    FLOW,
    after_the_plan,
    bare,
    by_kind,
    call,
    finish,
    finished,
    in_thread,
    overlaps,
    posts,
    provisioned,
    release_once,
    run,
    start,
    there,
    until,
    warned,
)

KINDS = ("connector", "model", "agent", "ingest_pipeline", "index")


def test_two_processes_on_one_workflow_never_call_at_once_and_both_tell_the_truth(slow: Any) -> None:
    made = provisioned(slow, "w", KINDS)
    both = [start(slow, "w", allow_delete=made.named) for _number in range(2)]
    results = [finish(one) for one in both]
    assert overlaps(posts(slow, "w")) == []
    for result in results:
        finished(result, slow)
        assert set(by_kind(result).values()) <= {"deleted", "absent"}
    assert there(slow, made) == set()
    deleted = [result for result in results if "deleted" in by_kind(result).values()]
    assert len(deleted) == 1, "what one deleted is absent for the other"
    assert [result["changed"] for result in results].count(True) == 1


def test_two_processes_on_two_workflows_run_side_by_side(slow: Any) -> None:
    first, second = (provisioned(slow, name, KINDS) for name in ("a", "b"))
    both = [start(slow, made.workflow_id, allow_delete=made.named) for made in (first, second)]
    for result, made in zip([finish(one) for one in both], (first, second), strict=True):
        finished(result, slow, made.workflow_id)
    assert there(slow, first) == there(slow, second) == set()
    assert overlaps(posts(slow, "a")) == overlaps(posts(slow, "b")) == []


def test_a_bare_call_on_the_same_workflow_is_waited_for_and_what_it_deleted_is_absent(slow: Any) -> None:
    """A call without our mark may be at any workflow."""
    made = provisioned(slow, "w", KINDS)
    wait = in_thread(lambda: bare(slow, "w", made.named))
    until(lambda: posts(slow))
    result = run(slow, "w", allow_delete=made.named)
    assert wait()[0] == 200
    finished(result, slow)
    assert overlaps(posts(slow)) == []
    assert there(slow, made) == set()


def test_a_bare_partial_call_on_the_same_workflow_is_waited_for_and_the_rest_is_deleted(slow: Any) -> None:
    made = provisioned(slow, "w", KINDS)
    wait = in_thread(lambda: bare(slow, "w"))
    until(lambda: posts(slow))
    result = run(slow, "w", allow_delete=made.named)
    assert wait()[0] == 403
    finished(result, slow)
    assert overlaps(posts(slow)) == [] and len(posts(slow)) == 2
    assert by_kind(result)["index"] == "deleted"


def test_a_bare_call_on_another_workflow_is_waited_for_since_nobody_can_tell_where_it_is_at(slow: Any) -> None:
    made, other = provisioned(slow, "w", KINDS), provisioned(slow, "other", KINDS)
    wait = in_thread(lambda: bare(slow, "other", other.named))
    until(lambda: posts(slow))
    result = run(slow, "w", allow_delete=made.named)
    assert wait()[0] == 200
    finished(result, slow)
    assert overlaps(posts(slow)) == []
    assert there(slow, other) == set()


def test_a_marked_call_on_another_workflow_is_not_waited_for(slow: Any) -> None:
    """Somebody's run on another machine: its mark says where it is at."""
    made, other = provisioned(slow, "w", ["connector"]), provisioned(slow, "other", KINDS)
    mark = {"X-Opaque-Id": "opensearch_ops.flow_framework/there/other"}
    target = f"{FLOW}/other/_deprovision?allow_delete={','.join(other.named)}"
    slow.faults.hold("delete_agent", other.id("agent"))
    wait = in_thread(lambda: call(slow.url, "POST", target, headers=mark))
    until(lambda: posts(slow))
    finished(run(slow, "w", allow_delete=made.named), slow)
    slow.faults.release()
    assert wait()[0] == 200
    assert overlaps(posts(slow)) != []


def test_what_a_call_under_way_has_half_done_is_not_taken_for_a_stale_record(slow: Any) -> None:
    """The index is gone and still recorded while that call is at the agent: it is waited for before anything is read."""
    made = provisioned(slow, "w", ("agent", "index"))
    slow.faults.hold("delete_agent", made.id("agent"))
    mark = {"X-Opaque-Id": "opensearch_ops.flow_framework/there/w"}
    target = f"{FLOW}/w/_deprovision?allow_delete={made.id('index')}"
    wait = in_thread(lambda: call(slow.url, "POST", target, headers=mark))
    until(lambda: slow.world.get("index", made.id("index")) is None)
    asked = len(slow.requests("GET", "/_tasks"))
    released = release_once(slow, lambda: len(slow.requests("GET", "/_tasks")) > asked)
    result = run(slow, "w", allow_delete=made.named, stale_records="forget")
    released()
    assert wait()[0] == 200
    finished(result, slow)
    assert not result["changed"] and len(posts(slow)) == 1 and "stale" not in warned(result)
    assert slow.state("w") is not None, "nothing was forgotten"


def test_a_marked_call_on_the_same_workflow_is_waited_for(slow: Any) -> None:
    made = provisioned(slow, "w", KINDS)
    mark = {"X-Opaque-Id": "opensearch_ops.flow_framework/there/w"}
    wait = in_thread(lambda: call(slow.url, "POST", f"{FLOW}/w/_deprovision", headers=mark))
    until(lambda: posts(slow))
    finished(run(slow, "w", allow_delete=made.named), slow)
    assert wait()[0] == 403 and overlaps(posts(slow)) == []


def test_what_somebody_deletes_by_hand_during_the_run_is_absent_and_not_ours(slow: Any) -> None:
    made = provisioned(slow, "w", ["connector", "index"])

    after_the_plan(slow, lambda: slow.world.remove("index", made.id("index")))
    result = run(slow, "w", allow_delete=made.named)
    truthful(result, slow)
    assert by_kind(result)["connector"] == "deleted"
    assert not any(made.id("index") in one.query for one in posts(slow))


def test_several_processes_on_overlapping_lists_of_workflows_all_succeed(slow: Any) -> None:
    made = [provisioned(slow, f"w{n}", ("connector", "index")) for n in range(4)]
    every = [name for one in made for name in one.named]
    ids = [one.workflow_id for one in made]
    processes = [start(slow, ids[n:] + ids[:n], allow_delete=every) for n in range(4)]
    results = [finish(one) for one in processes]
    for result in results:
        assert not result["failed"], result["msg"]
        truthful(result, slow)
    for workflow_id in ids:
        assert overlaps(posts(slow, workflow_id)) == []
        assert len(posts(slow, workflow_id)) == 1
    assert slow.in_flight_max["node-1"] <= 3


def test_every_call_is_marked_with_the_run_and_its_workflow(sim: Any) -> None:
    """So that everybody who lists the tasks sees whose it is and where it is at (behaviour tried on 3.6.0)."""
    for name in ("a", "b"):
        provisioned(sim, name, ["connector"])
    run(sim, ["a", "b"])
    marks = [str(one.opaque_id).split("/") for one in posts(sim)]
    assert [mark[0] for mark in marks] == ["opensearch_ops.flow_framework"] * 2
    assert sorted(mark[2] for mark in marks) == ["a", "b"] and marks[0][1] == marks[1][1] != ""


def test_between_two_calls_of_one_process_no_other_process_of_the_machine_calls_for_that_workflow(sim: Any) -> None:
    """The first pauses after a 202; the second has to wait for the first, not only for its calls."""
    made = provisioned(sim, "w", ["connector", "agent"])
    sim.faults.deny("delete_connector", made.id("connector"))
    first = start(sim, "w", wait_sleep=4)
    until(lambda: posts(sim) and posts(sim)[0].ended)
    second = run(sim, "w", wait_timeout=1)
    assert second["failed"] and "another process of this machine was at this workflow" in second["msg"]
    assert len(posts(sim)) == 1
    sim.faults.clear()
    assert not finish(first)["failed"]


@pytest.mark.parametrize("option", ("task_timeout", "wait_timeout"))
@pytest.mark.parametrize("waits_for", ("a deprovision", "a deprovision and a provisioning"))
def test_what_is_waited_for_one_after_the_other_adds_up_to_no_more_than_the_limit(option: str, waits_for: str) -> None:
    """Before the plan and after it. The limit of the task is one for all of that; that of a workflow begins once more with its turn."""
    with running(clock=1.0) as sim:
        made, other = provisioned(sim, "w", ("connector",)), provisioned(sim, "other", ("connector",))
        if "provisioning" in waits_for:
            provisioned(sim, "w", ("connector",), state="PROVISIONING")
            row = [{"node_name": "node-1", "active": "2", "queue": "1"}]
            sim.faults.answer("GET", "opensearch_provision_workflow", 200, row, times=None)
        sim.faults.hold("delete_connector", other.id("connector"))
        somebody = in_thread(lambda: bare(sim, "other"))
        until(lambda: posts(sim, "other"))
        began = time.monotonic()
        if "provisioning" in waits_for:
            with pytest.raises(SurveyError, match=f"still being provisioned when {option} was over"):
                run(sim, "w", **{option: 2})
            most = 2
        else:
            result = run(sim, "w", **{option: 2})
            most = 2 if option == "task_timeout" else 4
            said = "Not attempted: task_timeout" if option == "task_timeout" else "wait_timeout was over while other deprovisions were under way"
            assert result["failed"] and said in result["msg"]
        assert most <= time.monotonic() - began < most + 1.5
        assert posts(sim, "w") == [] and there(sim, made) == {"connector"}
        sim.faults.release()
        somebody()


def test_task_timeout_ends_what_is_under_way_and_is_named() -> None:
    with running(clock=1.0) as sim:
        made = provisioned(sim, "w", ("connector",))
        sim.faults.hold("delete_connector", made.id("connector"))
        began = time.monotonic()
        result = run(sim, "w", task_timeout=2)
        assert 2 <= time.monotonic() - began < 3.5
        assert result["failed"] and by_kind(result) == {"connector": "unknown"}
        assert "task_timeout was over while the server was still at this workflow" in result["msg"]
        assert len(posts(sim)) == 1
        sim.faults.release()
