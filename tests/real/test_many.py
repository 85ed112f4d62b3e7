# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many workflows in one task: as many at once as is safe, in an order that the server accepts (guide_architecture, rule 3)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import teardown
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.module import OptionError
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.pools import OPAQUE_PREFIX
from tests.integration.helpers import truthful
from tests.simulator import running

from .helpers import (
    FLOW,
    bare,
    call,
    finish,
    finished,
    in_thread,
    overlaps,
    posts,
    provisioned,
    record,
    release_once,
    run,
    start,
    statuses,
    there,
    until,
)

KINDS = ("connector", "index")


def environments(sim: Any, count: int) -> tuple[list[Any], list[str]]:
    """Some environments, and what allow_delete has to name for them all."""
    made = [provisioned(sim, f"w{number}", KINDS) for number in range(count)]
    return made, [name for one in made for name in one.named]


def all_held_until(sim: Any, made: list[Any], reached: dict[str, int]) -> Any:
    """No call ends before so many are in flight on each node, however slow the machine; gives what waits for that."""
    for one in made:
        sim.faults.hold("delete_index", one.id("index"))
    return release_once(sim, lambda: sim.in_flight_max == reached, 60)


@pytest.mark.parametrize(
    ("pool", "concurrency", "most"),
    ((4, 0, 2), (4, 1, 1), (4, 3, 3), (4, 99, 3), (2, 0, 1), (8, 0, 6)),
    ids=("two are left to others", "less", "more", "never the last thread", "a pool of two", "a pool of eight"),
)
def test_so_many_run_at_once_on_a_node_and_all_of_them_do(pool: int, concurrency: int, most: int) -> None:
    with running(pool=pool) as sim:
        made, named = environments(sim, 8)
        so_many = all_held_until(sim, made, {"node-1": most})
        result = run(sim, [one.workflow_id for one in made], allow_delete=named, concurrency=concurrency, wait_timeout=90)
        so_many()
        assert not result["failed"] and result["summary"]["deleted"] == 16
        truthful(result, sim)
        assert sim.in_flight_max["node-1"] == most
        assert len(posts(sim)) == 8 and all(overlaps(posts(sim, one.workflow_id)) == [] for one in made)


def test_the_result_is_in_the_order_of_the_task_whatever_ended_first(slow: Any) -> None:
    made, named = environments(slow, 6)
    ids = [one.workflow_id for one in reversed(made)]
    result = run(slow, ids, allow_delete=named)
    assert [one["workflow_id"] for one in result["workflows"]] == ids
    assert [one["workflow_id"] for one in result["resources"]] == [workflow_id for workflow_id in ids for _kind in KINDS]


def test_the_nodes_in_url_share_the_calls_of_one_task() -> None:
    with running(nodes=3) as sim:
        made, named = environments(sim, 12)
        each = {"node-1": 2, "node-2": 2, "node-3": 2}
        so_many = all_held_until(sim, made, each)
        result = run(sim, [one.workflow_id for one in made], allow_delete=named, wait_timeout=90)
        so_many()
        assert not result["failed"] and sim.in_flight_max == each


def test_the_same_node_by_two_names_is_one_node() -> None:
    with running() as sim:
        made, named = environments(sim, 8)
        urls = [sim.url, sim.url.replace("127.0.0.1", "localhost")]
        so_many = all_held_until(sim, made, {"node-1": 2})
        result = run(sim, [one.workflow_id for one in made], allow_delete=named, url=urls, wait_timeout=90)
        so_many()
        assert not result["failed"] and sim.in_flight_max["node-1"] == 2


def test_ten_processes_with_many_workflows_each_never_fill_the_pool(slow: Any) -> None:
    made, named = environments(slow, 20)
    ids = [one.workflow_id for one in made]
    processes = [start(slow, ids[2 * number : 2 * number + 2], allow_delete=named, concurrency=3) for number in range(10)]
    for process in processes:
        assert not finish(process)["failed"]
    assert slow.in_flight_max["node-1"] <= 3 and len(posts(slow)) == 20


def test_calls_of_others_are_counted_as_far_as_they_were_there_first(slow: Any) -> None:
    """Two marked calls of another machine on a pool of four: none of ours is added by default."""
    made, named = environments(slow, 4)
    others = [provisioned(slow, f"there{number}", ("agent",)) for number in range(2)]
    for one in others:
        slow.faults.hold("delete_agent", one.id("agent"))
    waits = [
        in_thread(partial(call, slow.url, "POST", f"{FLOW}/{one.workflow_id}/_deprovision", headers={"X-Opaque-Id": f"{OPAQUE_PREFIX}/x/{one.workflow_id}"}))
        for one in others
    ]
    until(lambda: len(posts(slow)) == 2)
    blocked = run(slow, [one.workflow_id for one in made], allow_delete=named, wait_timeout=1)
    assert blocked["failed"] and len(posts(slow)) == 2
    slow.faults.release()
    assert [wait()[0] for wait in waits] == [200, 200]
    assert not run(slow, [one.workflow_id for one in made], allow_delete=named)["failed"]
    assert slow.in_flight_max["node-1"] == 2


def test_a_bare_call_that_may_be_at_any_workflow_is_waited_for_by_all(slow: Any) -> None:
    made, named = environments(slow, 4)
    other = provisioned(slow, "other", ("agent",))
    slow.faults.hold("delete_agent", other.id("agent"))
    wait = in_thread(partial(bare, slow, "other"))
    until(lambda: posts(slow))
    before = len(slow.requests("GET", "/_tasks"))
    released = release_once(slow, lambda: len(slow.requests("GET", "/_tasks")) > before + 3)
    result = run(slow, [one.workflow_id for one in made], allow_delete=named)
    released()
    assert not result["failed"] and wait()[0] == 200
    assert all(one.started >= posts(slow, "other")[0].ended for one in posts(slow, "w[0-9]"))


# -- the order ---------------------------------------------------------------------------------------------------------


def test_a_workflow_whose_connector_others_use_goes_after_them_with_one_call_each(sim: Any) -> None:
    provisioned(sim, "shared", [("connector", "c")])
    for number in range(3):
        sim.world.put("model", f"m{number}", state="DEPLOYED", connector_id="c")
        record(sim, f"user{number}", [("model", f"m{number}")])
    result = run(sim, ["shared", "user0", "user1", "user2"])
    assert not result["failed"] and result["summary"]["deleted"] == 4
    assert len(posts(sim)) == 4 and posts(sim)[-1].path == f"{FLOW}/shared/_deprovision"


def test_what_two_workflows_of_the_task_recorded_is_deleted_once_and_absent_in_the_later(slow: Any) -> None:
    slow.world.put("index", "docs", documents=3, creation_date=1)
    for name in ("first", "second"):
        record(slow, name, [("index", "docs")])
    result = run(slow, ["first", "second"], allow_delete=["docs"], stale_records="forget")
    assert [one["status"] for one in result["resources"]] == ["deleted", "absent"]
    assert overlaps(posts(slow)) == []


def test_workflows_that_use_each_other_in_a_ring_are_done_in_another_round(sim: Any) -> None:
    """Each holds the connector of the other's model: whichever begins leaves something for a second round."""
    for name, other in (("a", "b"), ("b", "a")):
        sim.world.put("connector", f"c{name}")
        sim.world.put("model", f"m{name}", state="REGISTERED", connector_id=f"c{other}")
        record(sim, name, [("connector", f"c{name}"), ("model", f"m{name}")])
    result = run(sim, ["a", "b"])
    assert set(statuses(result).values()) == {"deleted"}, result["msg"]
    for name in ("a", "b"):
        finished(result, sim, name)


def test_one_workflow_that_fails_does_not_stop_the_others(slow: Any) -> None:
    made, named = environments(slow, 5)
    slow.faults.deny("delete_index", made[2].id("index"))
    result = run(slow, [one.workflow_id for one in made], allow_delete=named)
    truthful(result, slow)
    assert [one["failed"] for one in result["workflows"]] == [False, False, True, False, False]
    assert [there(slow, one) for one in made] == [set(), set(), {"index"}, set(), set()]


@pytest.mark.parametrize("name", ("concurrency", "max_documents", "max_workflows", "wait_timeout", "task_timeout", "wait_sleep"))
def test_a_negative_number_is_refused_before_anything_is_read(sim: Any, name: str) -> None:
    with pytest.raises(OptionError, match=f"{name} must not be negative"):
        run(sim, "w", **{name: -1})
    assert sim.requests() == []


def test_what_one_workflow_keeps_no_other_of_the_task_deletes(sim: Any) -> None:
    """In A the bare name fits an index and a pipeline, and releases neither; in B it fits the same index alone."""
    sim.world.put("index", "docs", documents=3, creation_date=1)
    sim.world.put("ingest_pipeline", "docs")
    record(sim, "A", [("index", "docs"), ("ingest_pipeline", "docs")])
    record(sim, "B", [("index", "docs")])
    for options in ({"check_mode": True}, {}):
        result = run(sim, ["A", "B"], allow_delete=["docs"], on_blocked="keep", **options)
        assert [one["status"] for one in result["resources"]] == ["kept"] * 3, result["msg"]
    assert sim.world.get("index", "docs") and sim.world.get("ingest_pipeline", "docs")


@pytest.mark.parametrize("fails", ("first", "nobody"))
def test_what_two_recorded_is_told_as_it_is_whoever_deleted_it(sim: Any, fails: str) -> None:
    """The later workflow may not be looked at again, and where the earlier fails the later does its work."""
    for kind, id_ in (("index", "docs"), ("agent", "helper")):
        sim.world.put(kind, id_, **({"documents": 3, "creation_date": 1} if kind == "index" else {}))
    record(sim, "first", [("index", "docs")])
    record(sim, "second", [("index", "docs"), ("agent", "helper")])
    if fails == "first":
        sim.faults.answer("POST", "first/_deprovision", 400, {"error": "nonsense"}, times=None)
    result = run(sim, ["first", "second"], allow_delete=["docs"], stale_records="forget" if fails == "nobody" else "report")
    assert sim.world.get("index", "docs") is None
    assert [one["status"] for one in result["resources"]] == ["deleted", "absent", "deleted"]
    assert [one["failed"] for one in result["workflows"]] == [fails == "first", False]


def test_a_later_workflow_that_records_only_what_an_earlier_takes_along_is_absent_and_no_failure(sim: Any) -> None:
    sim.world.put("index", "docs", documents=3, creation_date=1)
    for name in ("first", "second"):
        record(sim, name, [("index", "docs")])
    predicted = run(sim, ["first", "second"], allow_delete=["docs"], check_mode=True)
    result = run(sim, ["first", "second"], allow_delete=["docs"])
    assert [one["status"] for one in predicted["resources"]] == ["would_delete", "absent"]
    assert [one["status"] for one in result["resources"]] == ["deleted", "absent"]
    assert not predicted["failed"] and not result["failed"], result["msg"]


def test_many_workflows_that_FAILED_are_waited_for_together(sim: Any) -> None:
    made = [provisioned(sim, f"w{number}", KINDS, state="FAILED") for number in range(30)]
    named = [name for one in made for name in one.named]
    result = run(sim, [one.workflow_id for one in made], allow_delete=named)
    assert not result["failed"] and result["summary"]["deleted"] == 60
    assert len(sim.requests("GET", "opensearch_provision_workflow")) == 2, "two looks at the pool for all of them"


def test_the_time_of_a_workflow_does_not_run_while_it_stands_in_line_behind_its_own_task() -> None:
    """Each call takes half of wait_timeout: who counts the time in line has none left for the call."""
    with running() as sim:
        made = [provisioned(sim, f"w{number}", ("agent", "index")) for number in range(4)]
        sim.faults.delay("POST", "_deprovision", 3.0, times=None)
        named = [name for one in made for name in one.named]
        result = run(sim, [one.workflow_id for one in made], allow_delete=named, wait_timeout=6, concurrency=1)
        assert not result["failed"], result["msg"]
        assert len(posts(sim)) == 4 and overlaps(posts(sim)) == []


def test_a_mistake_of_ours_in_one_workflow_loses_nothing_of_the_others(sim: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made, named = environments(sim, 3)

    def broken(run_: Any) -> None:
        if run_.workflow_id == "w1":
            raise ZeroDivisionError("by zero")

    monkeypatch.setattr(teardown, "refuse_surprise", broken)
    result = run(sim, [one.workflow_id for one in made], allow_delete=named)
    assert [one["failed"] for one in result["workflows"]] == [False, True, False] and result["changed"]
    assert "mistake of the module" in result["workflows"][1]["msg"] and "by zero" in result["workflows"][1]["msg"]
    assert [there(sim, one) for one in made] == [set(), set(KINDS), set()]
    truthful(result, sim)
