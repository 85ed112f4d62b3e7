# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many deprovisions may run now, and on which node.

A call is sent only where two looks, a random moment apart, show a free slot, counting everybody's calls. The threads
and processes of one machine agree by locks; between machines it is best effort.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import contextmanager, suppress
from typing import Iterable, Iterator, List, Tuple

from .answers import LOST, UNAVAILABLE, UNREACHABLE
from .api import Api
from .connection import Node
from .locks import MOST_SLOTS, Locks, TooLate
from .pools import POLL, NodeHangs, NotNow, Picture, Row, Watch, as_one, calls_at, hang_text, is_ours, workflow_of

PAUSE = 0.05  # seconds, at most, between the two looks before a call
GATE_POLL = 0.01  # seconds between tries to be the one that looks
FIRST_POLL = 0.02  # seconds until the next look, doubling up to POLL: a call that has just ended is shown for a moment longer
UNSEEN = "wait_timeout was over while nobody could see what else is under way. %s"
NAME_TIMEOUT = 5.0  # seconds, at most, to say a name
SILENCE = 60.0  # seconds in which a node that has not said its name is not asked again
OTHERS = "wait_timeout was over while other deprovisions were under way on the cluster."

Places = List[Tuple[Node, str, Row]]  # a url, the name of the node behind it, and its pool


class NoSlot(Exception):
    """The time was over before a call could be sent; the text says what was waited for."""


class Slots:
    """The slots of one cluster, shared with everybody. ``concurrency``: on each node; 0 leaves it to the size of its pool."""

    def __init__(self, api: Api, watch: Watch, cluster: str, concurrency: int) -> None:
        self.api = api
        self.watch = watch
        self.concurrency = concurrency
        self.locks = Locks(cluster)
        self.changed = threading.Condition()  # of the next three
        self.most = 1  # calls that may run at once on all nodes together, as last seen
        self.held = 0  # slots that threads of this process have
        self.looking = 0  # threads that look for one
        self.silent: dict[str, float] = {}  # url -> until when it is left alone
        self.names: dict[str, str] = {}  # url -> node name, where a url is one node

    def capacity(self) -> int:
        """How many calls may run at once on all nodes together when nobody else is there; at least one."""
        with suppress(NodeHangs, NotNow):  # the first workflow meets it too, and says so
            picture = self.watch.look()
            if picture is not None:
                self.places(picture)
        return self.most

    @contextmanager
    def slot(self, mark: str, deadline: float) -> Iterator[Node]:
        """A node on which the one call that bears this mark may be sent, for as long as the block lasts.

        ``deadline`` on the monotonic clock. Raises NoSlot or NodeHangs.
        """
        node, held = self.wait_for_slot(mark, deadline)
        try:
            yield node
        finally:
            for byte in held:
                self.locks.release(byte)
            with self.changed:
                self.held -= 1
                self.changed.notify_all()

    @contextmanager
    def workflow(self, workflow_id: str, deadline: float) -> Iterator[None]:
        """Nobody else on this machine is at this workflow, for as long as the block lasts. Raises NoSlot."""
        try:
            with self.locks.held(Locks.of_workflow(workflow_id), deadline, POLL):
                yield
        except TooLate:
            raise NoSlot("wait_timeout was over while another process of this machine was at this workflow.") from None

    def wait_for_own(self) -> None:
        """Until this process has a slot less than it may have: a workflow's own time does not run while it stands in line."""
        with self.changed:
            while self.held + self.looking >= self.most:
                self.changed.wait()

    def wait_for_slot(self, mark: str, deadline: float) -> tuple[Node, tuple[int, ...]]:
        """Until a slot is free and nobody is at the workflow: the node, and the locks that are held."""
        pause, why = FIRST_POLL, OTHERS
        while True:
            with self.turn(deadline):
                try:
                    found = self.free_slot(mark, deadline)
                except NotNow as error:
                    found, why = None, UNSEEN % error
                if found:
                    with self.changed:
                        self.held += 1
                    return found
            if time.monotonic() >= deadline:
                raise NoSlot(why)
            time.sleep(pause)
            pause = min(2 * pause, POLL)

    @contextmanager
    def turn(self, deadline: float) -> Iterator[None]:
        """Only as many threads look as there may be slots that this process has not. The others wait for one of its own."""
        with self.changed:
            while self.held + self.looking >= self.most:
                if not self.changed.wait(max(0.0, deadline - time.monotonic())):
                    raise NoSlot(OTHERS)
            self.looking += 1
        try:
            yield
        finally:
            with self.changed:
                self.looking -= 1
                self.changed.notify_all()

    def free_slot(self, mark: str, deadline: float) -> tuple[Node, tuple[int, ...]] | None:
        """One free slot, locked; None when there is none now. Looks twice, since others look too.

        The threads and processes of this machine look the second time one after the other, and take what they found.
        """
        workflow_id, call = workflow_of(mark), Locks.of_call(mark)
        if self.free_node(workflow_id, locked=False) is None:
            return None
        time.sleep(random.uniform(0, PAUSE))
        try:
            with self.locks.held(Locks.GATE, deadline, GATE_POLL):
                choice = self.free_node(workflow_id, locked=True)
                if choice is None:
                    return None
                node, slots = choice
                slot = next((slot for slot in slots if self.locks.take(slot)), None)
                if slot is None:
                    return None
                self.locks.take(call)
                return node, (slot, call)
        except TooLate:
            raise NoSlot("wait_timeout was over while other processes of this machine were looking for a slot.") from None

    def free_node(self, workflow_id: str, locked: bool) -> tuple[Node, Iterable[int]] | None:
        """A node with room, and its slots. Where nothing may be looked at, one call at a time: every slot at once.

        ``locked``: the slots that this machine holds are counted as well, which only who has the gate may do.
        """
        picture = self.watch.look()
        if picture is None:
            return self.api.connection.nodes[0], (Locks.EVERY_SLOT,)
        choice = self.choose(picture, locked)  # first of all: a call that hangs for good is nothing to wait for
        if choice is None or calls_at((workflow_id,), self.watch.working(picture)):
            return None
        node, name = choice
        return node, [Locks.of_slot(name, number) for number in range(MOST_SLOTS)]

    def choose(self, picture: Picture, locked: bool) -> tuple[Node, str] | None:
        """The node with most room, or None. Raises NodeHangs when no call can be sent anywhere."""
        places = [(self.room(name, row, locked), node, name) for node, name, row in self.places(picture)]
        if not places:
            return None
        room, node, name = max(places, key=lambda place: place[0])
        return (node, name) if room > 0 else None

    def places(self, picture: Picture) -> Places:
        """The nodes that take calls; none while nobody answers. Raises NodeHangs when no call can be sent anywhere.

        A url counts as a node only while it leads to the same one every time; else all nodes count as one.
        """
        answered = [(node, self.name_of(node)) for node in self.api.connection.nodes]
        named = [(node, name, picture.get(name)) for node, name in answered if name is not None]
        if not named:
            self.silent.clear()  # there is nobody else to ask
            return []
        places = [(node, name, row) for node, name, row in named if row is not None]
        hanging = self.watch.hanging
        if len(places) < len(named):
            places = [(named[0][0], "", as_one(picture))]
            hanging = {""} if hanging else set()
        usable = [place for place in places if place[1] not in hanging]
        if not usable:
            raise NodeHangs(hang_text(self.watch.hanging))
        if not any(row.maximum > 1 for dummy, dummy2, row in usable):
            raise NodeHangs("The deprovision pool has one thread, and a call needs two: it would hang the node. Enlarge the pool, or add processors.")
        limits = {name: self.limit(row) for dummy, name, row in usable}  # a node may stand in url by two names
        self.most = max(1, sum(limits.values()))
        return usable

    def limit(self, row: Row) -> int:
        """How many calls a node may have of everybody's together, as far as they are ours to send."""
        most = row.maximum - 1
        return min(self.concurrency or max(1, row.maximum - 2), most)

    def room(self, name: str, row: Row, locked: bool) -> int:
        """How many more calls a node bears.

        The calls of this machine are counted by their slots, since no look shows yet what is about to be sent. A call that is
        shown is one of them only if somebody here holds the lock of its mark: those of other machines, and of runs that were
        killed, hold none.
        """
        if not locked:
            return self.limit(row) - len(row.calls)
        elsewhere = [call for call in row.calls.values() if not (is_ours(call) and self.locks.is_held(Locks.of_call(call)))]
        return self.limit(row) - len(elsewhere) - self.locks.held_slots(name)

    def name_of(self, node: Node) -> str | None:
        """The name of the node behind a url: None where nobody answers, empty where it is not the same every time or may not be read."""
        if time.monotonic() < self.silent.get(node.url, 0.0):
            return None
        answer = self.api.info_of(node, min(NAME_TIMEOUT, self.api.connection.timeout))
        if answer.outcome in (UNREACHABLE, LOST, UNAVAILABLE):
            self.silent[node.url] = time.monotonic() + SILENCE
            return None
        name = str(answer.body.get("name", "")) if answer.ok and isinstance(answer.body, dict) else ""
        if self.names.setdefault(node.url, name) != name:
            self.names[node.url] = ""
        return self.names[node.url]
