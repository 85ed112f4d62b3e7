# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool that hangs for good when as many calls run as it has threads (behaviour.md, fact 4; guide_architecture, rules 3 and 4)."""

from __future__ import annotations

import os
import signal
import socket
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import locks, pools
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
    run,
    start,
    start_by,
    there,
    until,
    warned,
)

KINDS = ("connector", "agent", "index")


def environments(sim: Any, count: int, prefix: str = "w") -> list[Any]:
    return [provisioned(sim, f"{prefix}{number}", KINDS) for number in range(count)]


def test_ten_processes_at_once_never_fill_the_pool_and_all_finish() -> None:
    with running(clock=0.3) as sim:  # a pool of four
        made = environments(sim, 10)
        processes = [start(sim, one.workflow_id, allow_delete=one.named) for one in made]
        for process, one in zip(processes, made, strict=True):
            finished(finish(process), sim, one.workflow_id)
        assert sim.in_flight_max["node-1"] <= 2, "two of four threads are left to others"
        assert len(posts(sim)) == 10


def test_five_processes_on_a_pool_of_two_go_one_by_one() -> None:
    with running(version="2.18.0", clock=0.1) as sim:
        made = environments(sim, 5)
        processes = [start(sim, one.workflow_id, allow_delete=one.named) for one in made]
        for process, one in zip(processes, made, strict=True):
            finished(finish(process), sim, one.workflow_id)
        assert sim.in_flight_max["node-1"] == 1


def test_foreign_calls_are_counted_and_room_is_left_for_them(slow: Any) -> None:
    """Two bare calls on a pool of four: none of ours is added until they are done."""
    made = environments(slow, 3)
    for one in made[:2]:
        slow.faults.outlast("delete_agent", one.id("agent"))  # 2 s here
    waits = [in_thread(partial(bare, slow, one.workflow_id, one.named)) for one in made[:2]]
    until(lambda: len(posts(slow)) == 2)
    finished(run(slow, "w2", allow_delete=made[2].named), slow, "w2")
    assert [wait()[0] for wait in waits] == [202, 202]
    assert slow.in_flight_max["node-1"] == 2


def hang(sim: Any, node: int = 0) -> list[Any]:
    """Four bare calls on one node with a pool of four, without a resource that would make them wait first."""
    others = environments(sim, 4, f"hang{node}-")
    for one in others:
        in_thread(partial(bare, sim, one.workflow_id, one.named, node, 600))
    pool = sim._nodes[node].deprovision_pool
    until(lambda: pool.active == 4 and pool.queue == 4)
    return others


def test_a_hanging_node_is_recognised_named_and_nothing_is_sent_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "HANG", 0.5)
    with running(clock=0.1) as sim:
        made = provisioned(sim, "w", KINDS)
        second = provisioned(sim, "v", KINDS)
        hang(sim)
        began = time.monotonic()
        result = run(sim, ["w", "v"], allow_delete=made.named + second.named)
        assert result["failed"] and "node-1 hangs" in result["msg"] and "restart" in result["msg"]
        assert time.monotonic() - began < 10
        assert posts(sim, "w") == posts(sim, "v") == []
        assert set(by_kind(result).values()) == {"failed"} and there(sim, made) == set(KINDS)
        assert all("restart" in one["msg"] for one in result["workflows"]), "a hanging last node stops all workflows"


def test_another_node_that_is_left_takes_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "HANG", 0.5)
    with running(clock=0.1, nodes=2) as sim:
        made = provisioned(sim, "w", KINDS)
        hang(sim)
        result = run(sim, "w", allow_delete=made.named)
        finished(result, sim)
        assert [one.node for one in posts(sim, "w")] == ["node-2"]


def test_when_the_last_node_hangs_too_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "HANG", 0.5)
    with running(clock=0.1, nodes=2) as sim:
        made = provisioned(sim, "w", KINDS)
        hang(sim, 0)
        hang(sim, 1)
        result = run(sim, "w", allow_delete=made.named)
        assert result["failed"] and "node-1, node-2 hangs" in result["msg"]
        assert posts(sim, "w") == []


def test_three_slow_but_legal_calls_are_no_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold their threads for longer than HANG and end all the same: they are waited for."""
    monkeypatch.setattr(pools, "HANG", 0.4)
    with running(clock=0.1) as sim:
        made = provisioned(sim, "w", KINDS)
        others = environments(sim, 3, "slow")
        for one in others:
            sim.faults.outlast("delete_agent", one.id("agent"))  # 1 s here, and nothing completed meanwhile
        waits = [in_thread(partial(bare, sim, one.workflow_id, one.named)) for one in others]
        until(lambda: len(posts(sim)) == 3)
        finished(run(sim, "w", allow_delete=made.named), sim)
        assert [wait()[0] for wait in waits] == [202, 202, 202]


def test_a_hang_takes_longer_to_recognise_than_the_servers_limit_of_a_step() -> None:
    assert pools.HANG > 10


def test_a_pool_of_one_thread_is_refused_before_anything_is_sent() -> None:
    with running(pool=1) as sim:
        made = provisioned(sim, "w", KINDS)
        result = run(sim, "w", allow_delete=made.named)
        assert result["failed"] and "one thread" in result["msg"]
        assert posts(sim) == [] and there(sim, made) == set(KINDS)


@pytest.mark.parametrize("path", ("/_tasks", "opensearch_deprovision_workflow"))
def test_where_pool_or_tasks_may_not_be_read_it_is_one_at_a_time_with_a_warning(path: str) -> None:
    with running(clock=0.2) as sim:
        made = environments(sim, 3)
        sim.faults.answer("GET", path, 403, {"error": {"type": "security_exception", "reason": "no"}, "status": 403}, times=None)
        processes = [start(sim, one.workflow_id, allow_delete=one.named) for one in made]
        for process, one in zip(processes, made, strict=True):
            result = finish(process)
            finished(result, sim, one.workflow_id)
            assert "one workflow after" in warned(result) and "cluster:monitor/tasks/lists" in warned(result)
        assert sim.in_flight_max["node-1"] == 1


def test_a_url_behind_which_nodes_take_turns_counts_as_one_with_the_smallest_pool() -> None:
    """A balancer: GET / gives another name every time, so the calls of all nodes count against one pool."""
    with running(clock=0.2, nodes=2, pool=3) as sim:
        made, other = environments(sim, 2)
        sim.faults.outlast("delete_agent", other.id("agent"))  # 2 s here
        names: list[str] = []

        def turns(request: Any) -> None:
            if request.path == "/":
                names.append(f"node-{1 + len(names) % 2}")
                body = {"name": names[-1], "cluster_name": "c", "cluster_uuid": "u", "version": {"number": "3.6.0"}}
                sim.faults.answer("GET", r"^/\?", 200, body)

        sim.faults.hook(turns)
        mark = {"X-Opaque-Id": "opensearch_ops.flow_framework/there/elsewhere"}
        wait = in_thread(lambda: call(sim.urls[1], "POST", f"{FLOW}/{other.workflow_id}/_deprovision", headers=mark))
        until(lambda: posts(sim))
        result = run(sim, made.workflow_id, allow_delete=made.named, url=[sim.url])
        finished(result, sim, made.workflow_id)
        assert wait()[0] == 202
        assert overlaps(posts(sim)) == [], "node-1 had room, and nobody knows which node the call would have reached"
        assert len(set(names)) == 2


def test_several_nodes_share_the_work() -> None:
    with running(clock=0.3, nodes=2, pool=3) as sim:
        made = environments(sim, 4)
        processes = [start(sim, one.workflow_id, allow_delete=one.named) for one in made]
        for process, one in zip(processes, made, strict=True):
            finished(finish(process), sim, one.workflow_id)
        assert {one.node for one in posts(sim)} == {"node-1", "node-2"}
        assert set(sim.in_flight_max.values()) == {1}


def other_user() -> list[str]:
    """A command that runs another as nobody. Skips, saying so, where this user may not."""
    if os.getuid() != 0 or not os.path.exists("/usr/bin/setpriv"):
        pytest.skip("becoming another user needs root and setpriv")
    return ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def readable_by_others(tmp_path: Path) -> None:
    """Skips where nobody could not read the interpreter or the collection."""
    import subprocess
    import sys

    path = os.environ["ANSIBLE_COLLECTIONS_PATH"]
    code = "import ansible_collections.opensearch_ops.flow_framework.plugins.modules.workflow_deprovision"
    ran = subprocess.run(
        [*other_user(), sys.executable, "-c", code],
        env={"PYTHONPATH": path, "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
    )
    if ran.returncode:
        pytest.skip("another user cannot read this checkout or its Python: " + ran.stderr.decode()[-300:])


def test_processes_of_two_users_share_the_slots(tmp_path: Path) -> None:
    readable_by_others(tmp_path)
    with running(clock=0.2, pool=3) as sim:
        made = environments(sim, 4)
        processes = [
            start_by(other_user(), sim, one.workflow_id, allow_delete=one.named) if number % 2 else start(sim, one.workflow_id, allow_delete=one.named)
            for number, one in enumerate(made)
        ]
        for process, one in zip(processes, made, strict=True):
            finished(finish(process), sim, one.workflow_id)
        assert sim.in_flight_max["node-1"] == 1


def test_a_lock_dies_with_kill_9(slow: Any) -> None:
    """The killed process leaves its call behind, not its lock: the next one waits for the call alone."""
    made = provisioned(slow, "w", KINDS)
    slow.faults.outlast("delete_agent", made.id("agent"))  # 2 s
    process = start(slow, "w", allow_delete=made.named)
    until(lambda: posts(slow))
    slow.faults.slow.clear()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    result = run(slow, "w", allow_delete=made.named)
    finished(result, slow)
    assert overlaps(posts(slow)) == []


def test_the_lock_file_is_shared_whatever_the_temporary_folder_of_the_caller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    name = f"cluster of {tmp_path}"
    old = os.umask(0o077)
    first, second = locks.Locks(name), locks.Locks(name)
    os.umask(old)
    assert os.fstat(first.file).st_ino == os.fstat(second.file).st_ino
    assert os.fstat(first.file).st_mode & 0o777 == 0o666
    for one in (first, second):
        os.close(one.file)


def test_a_marked_call_of_another_machine_takes_a_slot() -> None:
    """No lock of this machine speaks for it: it is counted from the list of tasks."""
    with running(clock=0.2, pool=3) as sim:
        made, other = environments(sim, 2)
        sim.faults.outlast("delete_agent", other.id("agent"))  # 2 s here
        mark = {"X-Opaque-Id": "opensearch_ops.flow_framework/there/elsewhere"}
        wait = in_thread(lambda: call(sim.url, "POST", f"{FLOW}/{other.workflow_id}/_deprovision", headers=mark))
        until(lambda: posts(sim))
        finished(run(sim, made.workflow_id, allow_delete=made.named), sim, made.workflow_id)
        assert wait()[0] == 202 and sim.in_flight_max["node-1"] == 1


def marked(sim: Any, others: list[Any]) -> list[Any]:
    """Calls of runs on other machines, which last until they are released."""
    for one in others:
        sim.faults.hold("delete_agent", one.id("agent"))
    marks = [{"X-Opaque-Id": f"{pools.OPAQUE_PREFIX}/there/{one.workflow_id}"} for one in others]
    waits = [in_thread(partial(call, sim.url, "POST", f"{FLOW}/{one.workflow_id}/_deprovision", headers=mark)) for one, mark in zip(others, marks, strict=True)]
    until(lambda: len(posts(sim)) == len(others))
    return waits


@pytest.mark.parametrize(("pool", "concurrency", "others", "most"), ((8, 0, 5, 6), (5, 0, 2, 3), (4, 3, 2, 3)))
def test_calls_of_other_machines_and_our_own_that_are_about_to_be_sent_are_counted_together(pool: int, concurrency: int, others: int, most: int) -> None:
    """Between the taking of a slot and its call a workflow is looked at: that must not hide the one behind the other."""
    with running(pool=pool) as sim:
        made = environments(sim, 8)
        waits = marked(sim, [provisioned(sim, f"there{number}", ("agent",)) for number in range(others)])
        for one in made:
            sim.faults.hold("delete_index", one.id("index"))
        sim.faults.delay("GET", r"/w\d+/_status", 0.3, times=None)
        named = [name for one in made for name in one.named]
        ours = in_thread(lambda: run(sim, [one.workflow_id for one in made], allow_delete=named, wait_timeout=90, concurrency=concurrency))
        until(lambda: sim.in_flight_max["node-1"] >= most, 60)
        time.sleep(1.5)  # for more to come, if more came
        sim.faults.release()
        assert not ours()["failed"] and [wait()[0] for wait in waits] == [200] * others
        assert sim.in_flight_max["node-1"] == most


def test_the_calls_of_a_run_that_was_killed_are_counted_though_its_locks_are_gone() -> None:
    with running(pool=8) as sim:
        old, new = environments(sim, 5, "old"), environments(sim, 8, "new")
        for one in (*old, *new):
            sim.faults.hold("delete_index", one.id("index"))
        process = start(sim, [one.workflow_id for one in old], allow_delete=[name for one in old for name in one.named])
        until(lambda: len(posts(sim)) == 5, 60)
        process.kill()
        process.communicate()
        sim.faults.delay("GET", r"/new\d+/_status", 0.3, times=None)
        again = [one.workflow_id for one in (*new, *old)]  # the same workflows too: whoever waits for one of them sends nothing
        ours = in_thread(lambda: run(sim, again, allow_delete=[name for one in (*new, *old) for name in one.named], wait_timeout=90))
        until(lambda: len(sim.requests("GET", "/_tasks")) > 40, 60)
        sim.faults.release()
        assert not ours()["failed"] and sim.in_flight_max["node-1"] <= 6


def broken_looks(sim: Any) -> None:
    """From now on the pool cannot be read, though it may be."""
    sim.faults.answer("GET", "thread_pool/opensearch_deprovision", 500, {"error": {"type": "x", "reason": "broken"}, "status": 500}, times=None)


def test_a_look_that_fails_is_no_permission_to_send_and_is_waited_out() -> None:
    """Another process has three calls under way; nobody can see them now."""
    with running() as sim:
        made, other = environments(sim, 3), provisioned(sim, "other", KINDS)
        for one in (*made, other):
            sim.faults.hold("delete_index", one.id("index"))
        process = start(sim, [one.workflow_id for one in made], allow_delete=[name for one in made for name in one.named], concurrency=3)
        until(lambda: len(posts(sim)) == 3, 60)
        broken_looks(sim)
        result = run(sim, "other", allow_delete=other.named, wait_timeout=1, concurrency=3)
        assert result["failed"] and "nobody could see" in result["msg"] and "broken" in result["msg"]
        assert sim.in_flight_max["node-1"] == 3 and posts(sim, "other") == []
        sim.faults.rules.clear()
        sim.faults.release()
        assert not finish(process)["failed"]


def test_where_nobody_may_look_one_call_of_this_machine_is_sent_at_a_time_beside_those_who_may() -> None:
    """A process that may look has a slot; one that may not waits until no slot of the cluster is held."""
    with running() as sim:
        made, other = environments(sim, 1), provisioned(sim, "other", KINDS)
        sim.faults.hold("delete_index", made[0].id("index"))
        process = start(sim, "w0", allow_delete=made[0].named)
        until(lambda: posts(sim), 60)
        sim.faults.answer("GET", "/_tasks", 403, {"error": {"type": "security_exception", "reason": "no"}, "status": 403}, times=None)
        result = run(sim, "other", allow_delete=other.named, wait_timeout=1)
        assert result["failed"] and posts(sim, "other") == []
        sim.faults.release()
        assert not finish(process)["failed"]
        finished(run(sim, "other", allow_delete=other.named), sim, "other")


def test_where_nobody_may_look_a_call_that_may_still_be_under_way_ends_the_task() -> None:
    """Else the next one would run beside it, and so on until the node hangs."""
    with running() as sim:
        made = environments(sim, 6)
        sim.faults.answer("GET", "/_tasks", 403, {"error": {"type": "security_exception", "reason": "no"}, "status": 403}, times=None)
        for one in made:
            sim.faults.hold("delete_index", one.id("index"))
        result = run(sim, [one.workflow_id for one in made], allow_delete=[name for one in made for name in one.named], wait_timeout=1)
        assert len(posts(sim)) == 1 and all(one["failed"] for one in result["workflows"])
        assert sum("cannot be read" in one["msg"] for one in result["workflows"]) == 5
        sim.faults.release()


def test_a_node_that_shows_no_numbers_is_left_out_and_nothing_is_lost(slow: Any) -> None:
    made = environments(slow, 3)
    rows = call(slow.url, "GET", "/_cat/thread_pool/opensearch_deprovision_workflow?format=json&h=node_name,active,queue,max,completed")[1]
    leaving = {"node_name": "node-9", "active": None, "queue": None, "max": None, "completed": None}
    after_the_plan(slow, lambda: slow.faults.answer("GET", "thread_pool/opensearch_deprovision", 200, [*rows, leaving], times=None))
    result = run(slow, [one.workflow_id for one in made], allow_delete=[name for one in made for name in one.named])
    assert not result["failed"] and result["summary"]["deleted"] == 9


def test_a_node_that_says_nothing_is_left_alone_for_a_while(slow: Any) -> None:
    """Each look would wait for it, and all other processes of the machine with it."""
    made = environments(slow, 6)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        urls = [slow.url, f"http://127.0.0.1:{silent.getsockname()[1]}"]
        asked = 0
        named = [name for one in made for name in one.named]
        result = run(slow, [one.workflow_id for one in made], allow_delete=named, url=urls, request_timeout=0.5)
        silent.setblocking(False)
        while True:
            try:
                silent.accept()[0].close()
            except BlockingIOError:
                break
            asked += 1
    assert not result["failed"]
    assert asked <= 6, "once by each thread that looked at the same time, and not before each call"


def test_two_clusters_do_not_share_slots() -> None:
    first, second = locks.Locks("one cluster"), locks.Locks("another cluster")
    assert os.fstat(first.file).st_ino != os.fstat(second.file).st_ino
    for one in (first, second):
        os.close(one.file)
