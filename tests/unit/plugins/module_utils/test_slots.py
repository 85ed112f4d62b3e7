# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many calls may run, and where: pictures of the pools and locks in, a node or none out. The whole is in tests/real/test_pool.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import locks, slots
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.answers import FORBIDDEN, LOST, OK, UNAVAILABLE, UNREACHABLE, Answer
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.api import Api
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.connection import Connection, Node
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.locks import MOST_SLOTS, Locks
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.pools import NodeHangs, NotNow, Row, Watch, opaque_id
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.slots import NoSlot, Slots

MARK = opaque_id("run", "w1")
OURS = opaque_id("another-run", "w2")
FOREIGN = ""  # a caller that gave no X-Opaque-Id
PAST, LATER = float("-inf"), float("inf")
OTHERS, UNSEEN = "other deprovisions were under way", "nobody could see what else is under way"


def row(maximum: int, *calls: str) -> Row:
    """A pool with calls under way on it."""
    return Row(len(calls), maximum, 0, {f"task-{number}": call for number, call in enumerate(calls)})


class Cluster(Watch):
    """The pools as each look shows them, the last one for good, and the names that nodes say."""

    def __init__(self, *pictures: Any, names: dict[str, Any] | None = None, timeout: float = 30.0) -> None:
        self.names = names or {"http://a": "a"}
        self.connection = Connection([Node(url, None) for url in self.names], set(), timeout)
        super().__init__(cast(Api, self))
        self.pictures = list(pictures)
        self.looks = 0
        self.asked: list[tuple[str, float]] = []

    def look(self) -> Any:
        picture = self.pictures[min(self.looks, len(self.pictures) - 1)]
        self.looks += 1
        if isinstance(picture, Exception):
            raise picture
        return picture

    def info_of(self, node: Node, timeout: float) -> Answer:
        self.asked.append((node.url, timeout))
        said = self.names[node.url]
        said = said.pop(0) if isinstance(said, list) else said
        return said if isinstance(said, Answer) else Answer(OK, 200, {"name": said}, "")


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    """No pauses, and locks of the test's own."""
    made = Clock()
    monkeypatch.setattr(slots, "time", made)
    monkeypatch.setattr(slots, "random", SimpleNamespace(uniform=lambda least, most: (least + most) / 2))
    monkeypatch.setattr(locks, "FOLDER", str(tmp_path))
    return made


def slots_of(cluster: Cluster, concurrency: int = 0, uuid: str = "uuid-of-preview") -> Slots:
    return Slots(cast(Api, cluster), cluster, uuid, concurrency)


def in_thread(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run it in a thread: that, and a list of what it returned or raised."""
    ended: list[Any] = []

    def work() -> None:
        try:
            ended.append(call())
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, ended


# -- how many ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("maximum", "concurrency", "limit"),
    [(4, 0, 2), (8, 0, 6), (3, 0, 1), (2, 0, 1), (1, 0, 0), (4, 1, 1), (4, 2, 2), (4, 3, 3), (4, 4, 3), (4, 99, 3), (2, 5, 1)],
)
def test_two_threads_are_left_to_others_unless_asked_and_never_less_than_one(maximum: int, concurrency: int, limit: int) -> None:
    assert slots_of(Cluster({}), concurrency).limit(row(maximum)) == limit


def test_as_many_as_is_safe_unless_somebody_asks_for_fewer() -> None:
    assert slots_of(Cluster({})).limit(row(8)) == 6


def test_the_capacity_is_that_of_all_nodes_together_and_of_a_node_by_two_urls_once() -> None:
    names = {"http://a": "a", "http://alias": "a", "http://b": "b"}
    assert slots_of(Cluster({"a": row(4), "b": row(8)}, names=names)).capacity() == 2 + 6


def test_calls_under_way_do_not_make_the_capacity_smaller() -> None:
    assert slots_of(Cluster({"a": row(4, FOREIGN, OURS)})).capacity() == 2


@pytest.mark.parametrize("seen", [None, NotNow("busy"), {"a": row(1)}, {"b": row(2)}], ids=["unreadable", "not now", "one thread", "small"])
def test_one_call_at_a_time_where_nobody_knows_better(seen: Any) -> None:
    """A pool of one thread is met, and said, by the first workflow."""
    assert slots_of(Cluster(seen)).capacity() == 1


# -- where -------------------------------------------------------------------------------------------------------------


def test_the_node_with_most_room_is_chosen() -> None:
    cluster = Cluster({"a": row(4, OURS), "b": row(4)}, names={"http://a": "a", "http://b": "b"})
    chosen = slots_of(cluster).choose(cluster.look(), locked=False)
    assert chosen is not None and (chosen[0].url, chosen[1]) == ("http://b", "b")


def test_of_two_nodes_with_as_much_room_the_first_is_chosen() -> None:
    cluster = Cluster({"a": row(4), "b": row(4)}, names={"http://b": "b", "http://a": "a"})
    chosen = slots_of(cluster).choose(cluster.look(), locked=False)
    assert chosen is not None and chosen[1] == "b"


def test_no_node_is_chosen_when_all_are_full() -> None:
    cluster = Cluster({"a": row(4, OURS, OURS)})
    assert slots_of(cluster).choose(cluster.look(), locked=False) is None


def test_a_node_that_hangs_is_left_out() -> None:
    cluster = Cluster({"a": row(8), "b": row(4)}, names={"http://a": "a", "http://b": "b"})
    cluster.hanging = {"a"}
    places = slots_of(cluster).places(cluster.look())
    assert [(node.url, name) for node, name, _row in places] == [("http://b", "b")]


def test_when_every_node_hangs_they_are_named_and_a_restart_is_asked_for() -> None:
    cluster = Cluster({"a": row(4), "b": row(4)}, names={"http://a": "a", "http://b": "b"})
    cluster.hanging = {"a", "b"}
    with pytest.raises(NodeHangs, match=r"a, b hangs.*restart"):
        slots_of(cluster).places(cluster.look())


def test_a_pool_of_one_thread_is_refused_with_what_helps() -> None:
    cluster = Cluster({"a": row(1)})
    with pytest.raises(NodeHangs, match=r"^The deprovision pool has one thread, and a call needs two: .*Enlarge the pool, or add processors\.$"):
        slots_of(cluster).places(cluster.look())


def test_a_node_of_one_thread_beside_another_one_never_takes_a_call() -> None:
    cluster = Cluster({"a": row(1), "b": row(4, OURS)}, names={"http://a": "a", "http://b": "b"})
    held = slots_of(cluster)
    chosen = held.choose(cluster.look(), locked=False)
    assert chosen is not None and chosen[1] == "b" and held.most == 2


def test_a_pool_of_two_threads_takes_one_call() -> None:
    cluster = Cluster({"a": row(2)})
    held = slots_of(cluster)
    assert [name for _node, name, _row in held.places(cluster.look())] == ["a"] and held.most == 1


def test_behind_a_url_that_is_no_node_all_nodes_count_as_one_with_the_smallest_pool() -> None:
    """The name is of no node: a balancer, or a node that the pools do not show."""
    cluster = Cluster({"a": row(8, OURS), "b": row(4, FOREIGN)}, names={"http://a": "a", "http://balancer": "proxy"})
    held = slots_of(cluster)
    ((node, name, together),) = held.places(cluster.look())
    assert (node.url, name, together.maximum, len(together.calls)) == ("http://a", "", 4, 1)
    assert held.most == 2


def test_behind_a_url_that_is_no_node_one_that_hangs_stops_all() -> None:
    cluster = Cluster({"a": row(8), "b": row(4)}, names={"http://balancer": "proxy"})
    cluster.hanging = {"b"}
    with pytest.raises(NodeHangs, match="node b hangs"):
        slots_of(cluster).places(cluster.look())


# -- which node is behind a url ----------------------------------------------------------------------------------------


def test_a_url_that_leads_to_another_node_the_next_time_is_no_node_from_then_on() -> None:
    cluster = Cluster({}, names={"http://a": ["a", "b", "a"]})
    held = slots_of(cluster)
    assert [held.name_of(cluster.connection.nodes[0]) for _time in range(3)] == ["a", "", ""]


@pytest.mark.parametrize("outcome", [UNREACHABLE, LOST, UNAVAILABLE])
def test_a_node_that_does_not_answer_is_left_alone_for_a_while(outcome: str, clock: Clock) -> None:
    cluster = Cluster({}, names={"http://a": [Answer(outcome, None, None, ""), "a"]})
    held, node = slots_of(cluster), cluster.connection.nodes[0]
    assert held.name_of(node) is None and len(cluster.asked) == 1
    clock.now += slots.SILENCE - 1
    assert held.name_of(node) is None and len(cluster.asked) == 1
    clock.now += 1
    assert held.name_of(node) == "a" and len(cluster.asked) == 2


@pytest.mark.parametrize("body", [{}, {"name": ""}, ["a"], None, "a"], ids=str)
def test_a_node_that_says_no_name_has_none(body: Any) -> None:
    cluster = Cluster({}, names={"http://a": Answer(OK, 200, body, "")})
    assert slots_of(cluster).name_of(cluster.connection.nodes[0]) == ""


def test_a_name_that_may_not_be_read_is_none() -> None:
    cluster = Cluster({}, names={"http://a": Answer(FORBIDDEN, 403, {"name": "a"}, "")})
    assert slots_of(cluster).name_of(cluster.connection.nodes[0]) == ""


@pytest.mark.parametrize(("timeout", "waited"), [(30.0, 5.0), (2.0, 2.0)])
def test_a_name_is_waited_for_shortly(timeout: float, waited: float) -> None:
    cluster = Cluster({}, timeout=timeout)
    slots_of(cluster).name_of(cluster.connection.nodes[0])
    assert cluster.asked == [("http://a", waited)]


def test_when_nobody_answers_there_is_no_place_and_everybody_is_asked_again() -> None:
    lost = Answer(LOST, None, None, "")
    cluster = Cluster({"a": row(4)}, names={"http://a": [lost, "a"], "http://b": [lost, lost]})
    held = slots_of(cluster)
    assert held.places(cluster.look()) == [] and held.silent == {}
    assert [name for _node, name, _row in held.places(cluster.look())] == ["a"]
    assert held.silent == {"http://b": slots.SILENCE}, "whoever is silent beside one that answers is left alone"


# -- how much room -----------------------------------------------------------------------------------------------------


def test_everybodys_calls_take_room() -> None:
    held = slots_of(Cluster({}))
    assert [held.room("a", row(6, *calls), locked=False) for calls in ((), (OURS,), (OURS, FOREIGN, MARK))] == [4, 3, 1]


def test_under_the_gate_a_call_of_this_machine_counts_by_its_slot_and_others_by_themselves() -> None:
    held = slots_of(Cluster({}))
    held.locks.take(Locks.of_slot("a", 0))
    held.locks.take(Locks.of_call(OURS))
    killed = opaque_id("killed", "w3")  # nobody holds its lock
    assert held.room("a", row(8), locked=True) == 6 - 1, "what is about to be sent shows by its slot only"
    assert held.room("a", row(8, OURS), locked=True) == 6 - 1
    assert held.room("a", row(8, OURS, killed), locked=True) == 6 - 2
    assert held.room("a", row(8, OURS, killed, FOREIGN), locked=True) == 6 - 3
    assert held.room("b", row(8), locked=True) == 6, "slots are of one node"


def test_a_mark_that_somebody_else_made_up_counts_though_a_lock_of_its_name_is_held() -> None:
    held = slots_of(Cluster({}))
    held.locks.take(Locks.of_call("foreign"))
    assert held.room("a", row(4, "foreign"), locked=True) == 1


# -- a slot ------------------------------------------------------------------------------------------------------------


def test_a_slot_is_held_with_its_call_for_as_long_as_the_block_lasts() -> None:
    cluster = Cluster({"a": row(4)})
    held = slots_of(cluster)
    with held.slot(MARK, LATER) as node:
        assert node.url == "http://a" and held.held == 1 and held.looking == 0
        assert held.locks.mine == {Locks.of_slot("a", 0), Locks.of_call(MARK)}
    assert held.held == 0 and held.locks.mine == set()


def test_a_slot_is_let_go_when_the_call_fails() -> None:
    held = slots_of(Cluster({"a": row(4)}))
    with pytest.raises(ZeroDivisionError), held.slot(MARK, LATER):
        raise ZeroDivisionError
    assert held.held == 0 and held.locks.mine == set()


def test_it_looks_twice_a_moment_apart_and_the_second_look_counts(clock: Clock) -> None:
    cluster = Cluster({"a": row(4)}, {"a": row(4, FOREIGN, OURS)})
    held = slots_of(cluster)
    assert held.free_slot(MARK, LATER) is None
    assert cluster.looks == 2 and held.locks.mine == set()
    assert clock.pauses == [slots.PAUSE / 2], "a random moment, up to PAUSE"


def test_it_looks_once_where_nothing_is_free() -> None:
    cluster = Cluster({"a": row(4, OURS, OURS)})
    assert slots_of(cluster).free_slot(MARK, LATER) is None
    assert cluster.looks == 1


def test_the_first_look_does_not_ask_what_this_machine_holds_which_only_the_gate_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    held = slots_of(Cluster({"a": row(4)}))
    asked: list[bool] = []
    choose = held.choose

    def noted(picture: Any, locked: bool) -> Any:
        asked.append(locked)
        return choose(picture, locked)

    monkeypatch.setattr(held, "choose", noted)
    assert held.free_slot(MARK, LATER) is not None and asked == [False, True]


def test_slots_that_this_machine_has_are_passed_over() -> None:
    held = slots_of(Cluster({"a": row(8)}))
    held.locks.take(Locks.of_slot("a", 0))
    held.locks.take(Locks.of_slot("a", 1))
    found = held.free_slot(MARK, LATER)
    assert found is not None and found[1] == (Locks.of_slot("a", 2), Locks.of_call(MARK))


def test_no_slot_is_found_when_this_machine_holds_as_many_as_may_run() -> None:
    held = slots_of(Cluster({"a": row(4)}))
    held.locks.take(Locks.of_slot("a", 0))
    held.locks.take(Locks.of_slot("a", 1))
    assert held.free_slot(MARK, LATER) is None


def test_no_more_slots_of_a_node_are_counted_than_there_are_locks() -> None:
    found = slots_of(Cluster({"a": row(4)})).free_node("w1", locked=False)
    assert found is not None and list(found[1]) == [Locks.of_slot("a", number) for number in range(MOST_SLOTS)]


@pytest.mark.parametrize(
    ("call", "free"),
    [(opaque_id("another-run", "w1"), False), (FOREIGN, False), ("somebody/w1", False), (OURS, True)],
    ids=["at the same workflow", "without a mark", "a mark that is not ours", "at another workflow"],
)
def test_nothing_is_sent_while_somebody_may_be_at_the_workflow(call: str, free: bool) -> None:
    found = slots_of(Cluster({"a": row(8, call)})).free_slot(MARK, LATER)
    assert (found is not None) is free


def test_somebody_at_the_workflow_is_seen_by_the_first_look_and_by_the_second() -> None:
    same, nobody = {"a": row(8, opaque_id("another-run", "w1"))}, {"a": row(8)}
    for pictures, looks in (((same,), 1), ((nobody, same), 2)):
        cluster = Cluster(*pictures)
        assert slots_of(cluster).free_slot(MARK, LATER) is None and cluster.looks == looks


def test_a_call_that_hangs_for_good_is_not_waited_for() -> None:
    cluster = Cluster({"a": row(4), "b": row(4, FOREIGN)}, names={"http://a": "a", "http://b": "b"})
    cluster.hanging = {"b"}
    found = slots_of(cluster).free_slot(MARK, LATER)
    assert found is not None and found[0].url == "http://a"


def test_where_nothing_can_be_seen_one_call_has_every_slot_of_the_machine() -> None:
    held = slots_of(Cluster(None, names={"http://a": "a", "http://b": "b"}))
    with held.slot(MARK, LATER) as node:
        assert node.url == "http://a" and held.locks.mine == {Locks.EVERY_SLOT, Locks.of_call(MARK)}
        assert held.free_slot(OURS, LATER) is None
        assert not held.locks.take(Locks.of_slot("b", 7))


# -- until there is one ------------------------------------------------------------------------------------------------


def test_it_waits_until_a_slot_is_free_with_pauses_that_double_up_to_a_limit(clock: Clock) -> None:
    full = {"a": row(4, OURS, OURS)}
    cluster = Cluster(full, full, full, full, full, full, {"a": row(4)})
    held = slots_of(cluster)
    with held.slot(MARK, LATER):
        assert clock.pauses[:6] == [0.02, 0.04, 0.08, 0.16, 0.2, 0.2]


def test_a_wait_ends_with_its_deadline_and_says_what_was_waited_for(clock: Clock) -> None:
    held = slots_of(Cluster({"a": row(4, OURS, OURS)}))
    with pytest.raises(NoSlot, match=OTHERS):
        held.wait_for_slot(MARK, 1.0)
    assert 1.0 <= clock.now < 1.3 and (held.held, held.looking) == (0, 0)


def test_a_deadline_that_is_now_is_over_after_one_look(clock: Clock) -> None:
    cluster = Cluster({"a": row(4, OURS, OURS)})
    with pytest.raises(NoSlot, match=OTHERS):
        slots_of(cluster).wait_for_slot(MARK, clock.now)
    assert cluster.looks == 1 and clock.pauses == []


def test_what_could_not_be_seen_is_said_in_the_end_and_not_after_it_was_seen(clock: Clock) -> None:
    with pytest.raises(NoSlot, match=UNSEEN + ".*the pools are out"):
        slots_of(Cluster(NotNow("the pools are out"))).wait_for_slot(MARK, 0.05)
    seen = Cluster({"a": row(4)}, NotNow("the pools are out"), {"a": row(4)})
    assert slots_of(seen).wait_for_slot(MARK, LATER)[0].url == "http://a", "once it can be seen, it goes on"


def test_a_node_that_hangs_ends_the_wait_at_once(clock: Clock) -> None:
    with pytest.raises(NodeHangs):
        slots_of(Cluster({"a": row(1)})).wait_for_slot(MARK, LATER)
    assert clock.pauses == []


def test_whoever_finds_the_gate_held_until_the_deadline_says_so() -> None:
    held = slots_of(Cluster({"a": row(4)}))
    held.locks.take(Locks.GATE)
    with pytest.raises(NoSlot, match=r"^wait_timeout was over while other processes of this machine were looking for a slot"):
        held.wait_for_slot(MARK, PAST)


def test_the_gate_is_tried_again_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    held = slots_of(Cluster({"a": row(4)}))
    held.locks.take(Locks.GATE)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        held.locks.release(Locks.GATE)

    monkeypatch.setattr(time, "sleep", sleep)
    assert held.free_slot(MARK, LATER) is not None and pauses == [slots.GATE_POLL]


# -- among the threads of a process, and the processes of a machine -----------------------------------------------------


def test_only_as_many_threads_look_as_may_have_a_slot() -> None:
    held = slots_of(Cluster({"a": row(4)}))
    assert held.most == 1

    def look() -> int:
        with held.turn(20.0):
            return held.looking

    with held.turn(PAST):
        assert held.looking == 1
        with pytest.raises(NoSlot, match=OTHERS), held.turn(PAST):
            pytest.fail("two look")
        thread, looked = in_thread(look)
        thread.join(0.05)
        assert not looked
    thread.join(5)
    assert looked == [1] and held.looking == 0


def test_whoever_has_a_slot_leaves_one_look_less_for_the_others() -> None:
    held = slots_of(Cluster({"a": row(4)}))
    held.capacity()
    with held.slot(MARK, LATER), held.turn(PAST):
        assert (held.held, held.looking, held.most) == (1, 1, 2)
        with pytest.raises(NoSlot), held.turn(PAST):
            pytest.fail("three of two")
    assert (held.held, held.looking) == (0, 0)


def test_several_slots_of_a_process_are_counted() -> None:
    held = slots_of(Cluster({"a": row(4)}))
    held.capacity()
    with held.slot(MARK, LATER), held.slot(OURS, LATER):
        assert held.held == 2
        with pytest.raises(NoSlot, match=OTHERS):
            held.wait_for_slot(opaque_id("run", "w3"), PAST)
    assert held.held == 0


def test_whoever_looks_is_ahead_of_a_workflow_that_has_not_begun() -> None:
    held = slots_of(Cluster({"a": row(2)}))
    thread = threading.Thread(target=held.wait_for_own, daemon=True)
    with held.turn(PAST):
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
    thread.join(5)
    assert not thread.is_alive()


def test_a_workflow_stands_in_line_until_its_own_process_has_a_slot_less() -> None:
    held = slots_of(Cluster({"a": row(2)}))
    thread = threading.Thread(target=held.wait_for_own, daemon=True)
    with held.slot(MARK, LATER):
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
    thread.join(5)
    assert not thread.is_alive()
    held.wait_for_own()  # at once


def test_two_of_one_machine_are_never_at_the_same_workflow() -> None:
    held = slots_of(Cluster({}))
    with held.workflow("w1", LATER):
        with pytest.raises(NoSlot, match="another process of this machine was at this workflow"), held.workflow("w1", PAST):
            pytest.fail("two at one workflow")
        with held.workflow("w2", PAST):
            assert held.locks.mine == {Locks.of_workflow("w1"), Locks.of_workflow("w2")}
    assert held.locks.mine == set()


def test_the_locks_are_those_of_the_cluster(tmp_path: Path) -> None:
    first, second = slots_of(Cluster({})), slots_of(Cluster({}), uuid="another cluster")
    assert len(list(tmp_path.iterdir())) == 2 and first.locks.mine == second.locks.mine == set()
