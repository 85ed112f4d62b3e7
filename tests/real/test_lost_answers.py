# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer of a call is lost: it is sent once, and nothing is decided until the server is no longer at it (guide_architecture, rule 2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import api, teardown
from tests.simulator import running
from tests.simulator.faults import PROXY_PAGE

from .helpers import allowed, by_kind, finished, overlaps, posts, provisioned, run, there, warned

LOSSES: dict[str, Callable[[Any, str], None]] = {
    "reset": lambda sim, when: sim.faults.cut("POST", "_deprovision", "reset", when=when),
    "502": lambda sim, when: sim.faults.answer("POST", "_deprovision", 502, PROXY_PAGE, "text/html", when=when),
    "503": lambda sim, when: sim.faults.answer("POST", "_deprovision", 503, "", "text/plain", when=when),
    "504": lambda sim, when: sim.faults.answer("POST", "_deprovision", 504, PROXY_PAGE, "text/html", when=when),
    "html": lambda sim, when: sim.faults.cut("POST", "_deprovision", "html", when=when),
    "empty": lambda sim, when: sim.faults.cut("POST", "_deprovision", "empty", when=when),
}
KINDS = ("connector", "agent", "index")


@pytest.mark.parametrize("when", ("during", "after"))
@pytest.mark.parametrize("loss", LOSSES)
def test_after_a_lost_answer_the_call_is_not_sent_again_and_looking_shows_what_it_did(slow: Any, loss: str, when: str) -> None:
    made = provisioned(slow, "w", KINDS)
    LOSSES[loss](slow, when)
    result = run(slow, "w", allow_delete=made.named)
    finished(result, slow)
    assert by_kind(result) == dict.fromkeys(KINDS, "deleted")
    assert len(posts(slow)) == 1 and slow.in_flight_max == {"node-1": 1}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_call_that_never_reached_the_server_is_sent_again_after_a_look(sim: Any, loss: str) -> None:
    made = provisioned(sim, "w", KINDS)
    LOSSES[loss](sim, "before")
    result = run(sim, "w", allow_delete=made.named)
    finished(result, sim)
    assert len(posts(sim)) == 2 and result["workflows"][0]["attempts"] == 2
    assert overlaps(posts(sim)) == []
    between = [r for r in sim.requests("GET", "_tasks") if posts(sim)[0].started < r.started < posts(sim)[1].started]
    assert between, "the tasks were looked at before the second call"


def test_a_truncated_answer_counts_for_nothing(sim: Any) -> None:
    made = provisioned(sim, "w", KINDS)
    sim.faults.cut("POST", "_deprovision", "truncate")
    finished(run(sim, "w", allow_delete=made.named), sim)
    assert len(posts(sim)) == 1


def test_a_client_time_out_ends_with_unknown_while_the_server_is_at_it_and_no_second_call() -> None:
    with running(clock=1.0) as busy:
        made = provisioned(busy, "w", KINDS)
        busy.faults.outlast("delete_index", made.id("index"))  # 10 s
        result = run(busy, "w", allow_delete=made.named, wait_timeout=1)
        assert result["failed"] and "still at this workflow" in result["msg"]
        assert set(by_kind(result).values()) <= {"unknown", "deleted"} and "unknown" in by_kind(result).values()
        assert len(posts(busy)) == 1


def test_the_next_run_waits_for_the_call_that_a_timed_out_run_left_behind(slow: Any) -> None:
    """The first gives up; the server does not. The second finds the call by its mark and waits for it."""
    made = provisioned(slow, "w", KINDS)
    slow.faults.outlast("delete_agent", made.id("agent"))  # 2 s here
    first = run(slow, "w", allow_delete=made.named, wait_timeout=1)
    assert first["failed"]
    slow.faults.slow.clear()
    second = run(slow, "w", allow_delete=made.named)
    finished(second, slow)
    assert overlaps(posts(slow)) == [] and there(slow, made) == set()


def test_where_tasks_may_not_be_read_the_record_has_to_stand_still(slow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teardown, "QUIET", 1.0)
    made = provisioned(slow, "w", KINDS)
    slow.faults.answer("GET", "/_tasks", 403, {"error": {"type": "security_exception", "reason": "no"}, "status": 403}, times=None)
    slow.faults.cut("POST", "_deprovision", "reset", when="during")
    began = time.monotonic()
    result = run(slow, "w", allow_delete=made.named)
    finished(result, slow)
    assert len(posts(slow)) == 1
    assert time.monotonic() - began >= 1.0
    assert "one workflow after" in warned(result)


def test_the_quiet_time_is_longer_than_the_servers_limit_of_a_step_and_its_pause() -> None:
    assert teardown.QUIET > 11


@pytest.mark.parametrize("status", (502, 503, 504, 429))
def test_a_node_that_starts_or_is_busy_is_waited_for_before_anything_else(sim: Any, status: int) -> None:
    made = provisioned(sim, "w", KINDS)
    sim.faults.answer(None, ".", status, "starting", "text/plain", times=6)
    result = run(sim, "w", allow_delete=made.named)
    finished(result, sim)
    assert len(posts(sim)) == 1


def test_a_node_that_does_not_get_ready_fails_the_task_before_anything(sim: Any) -> None:
    made = provisioned(sim, "w", KINDS)
    sim.faults.answer(None, ".", 503, "starting", "text/plain", times=None)
    with pytest.raises(Exception, match="not available"):
        run(sim, "w", allow_delete=made.named, request_timeout=0.3)
    assert posts(sim) == [] and there(sim, made) == set(KINDS)


def test_a_429_of_the_call_itself_is_waited_out_and_sent_again(sim: Any) -> None:
    made = provisioned(sim, "w", KINDS)
    sim.faults.answer("POST", "_deprovision", 429, {"error": "Exceeded max simultaneous deprovisioning requests: 1"}, times=3)
    result = run(sim, "w", allow_delete=made.named)
    finished(result, sim)
    assert len(posts(sim)) == 4 and overlaps(posts(sim)) == []


def test_an_outage_in_the_middle_is_never_absent(sim: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the call nothing can be read any more: unknown, not gone."""
    monkeypatch.setattr(api, "READ_TRIES", 1)
    made = provisioned(sim, "w", KINDS)

    def before(request: Any) -> None:
        if request.method == "POST" and request.path.endswith("_deprovision"):
            sim.faults.cut("GET", ".", "reset", times=None)

    sim.faults.hook(before)
    result = run(sim, "w", allow_delete=made.named)
    assert result["failed"]
    assert set(by_kind(result).values()) == {"unknown"}, result["msg"]
    assert len(posts(sim)) == 1 and allowed(sim) == [[made.id("index")]]


def test_what_cannot_be_looked_at_after_the_call_is_unknown_and_not_deleted(sim: Any) -> None:
    """The record is empty, the answer was 200, and the index may be there all the same: only looking proves (guide_architecture, rule 7)."""
    made = provisioned(sim, "w", KINDS)

    def before(request: Any) -> None:
        if request.method == "POST" and request.path.endswith("_deprovision"):
            sim.faults.answer("GET", rf"/{made.id('index')}\?", 500, {"error": {"reason": "shard failed"}, "status": 500}, times=None)

    sim.faults.hook(before)
    result = run(sim, "w", allow_delete=made.named)
    assert by_kind(result) == {"connector": "deleted", "agent": "deleted", "index": "unknown"}
    assert result["failed"] and "shard failed" in result["msg"]


def test_a_503_while_looking_is_not_taken_for_the_absence_of_the_workflow(sim: Any) -> None:
    provisioned(sim, "w", KINDS)
    sim.faults.answer("GET", "_status", 404, {"error": "Failed to get workflow status of: w"}, times=None)
    with pytest.raises(Exception, match="cannot be read"):
        run(sim, "w")
    assert posts(sim) == []


@pytest.mark.parametrize("kinds", (KINDS, ()), ids=("with resources", "with nothing to delete"))
def test_where_the_record_cannot_be_read_after_the_call_its_resources_are_looked_at_all_the_same(sim: Any, kinds: Sequence[str]) -> None:
    """The call has deleted, or reset, and only the record says nothing more: what is proven gone is said to be, and changed."""
    made = provisioned(sim, "w", kinds, state="FAILED")

    def before(request: Any) -> None:
        if request.method == "POST" and request.path.endswith("_deprovision"):
            sim.faults.answer("GET", "_status", 500, {"error": {"reason": "shard failed"}, "status": 500}, times=None)

    sim.faults.hook(before)
    result = run(sim, "w", allow_delete=made.named)
    assert result["failed"] and result["changed"] and "shard failed" in result["msg"]
    assert set(by_kind(result).values()) <= {"deleted"}
    assert there(sim, made) == set() and len(posts(sim)) == 1
