# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many deprovisions may run now, and on which node.

Each call holds one thread of a node's pool and needs a second one for its steps: as many calls as the pool has
threads hang the node until it is restarted (measured on 3.6.0 with a pool of four). So a call is sent only where
two looks, a random moment apart, show a free slot, counting everybody's calls. The processes of one machine agree
by locks that die with their holder; between machines it is best effort.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import random
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Iterable, Iterator

from .api import LOST, UNAVAILABLE, UNREACHABLE, Answer, Api
from .connection import Node

OPAQUE_PREFIX = "opensearch_ops.flow_framework"
HANG = 11.0  # seconds without a completed step: longer than the server's limit of one step (10 s)
POLL = 0.2  # seconds between looks
PAUSE = 0.05  # seconds, at most, between the two looks before a call
LOCK_FOLDER = "/tmp"  # one for all users of the machine, whatever their TMPDIR says
MOST_SLOTS = 64  # slots of one node that this machine counts


class NoSlot(Exception):
    """The time was over before a call could be sent; the text says what was waited for."""


class NodeHangs(Exception):
    """Nothing can be sent to this cluster any more, or ever; the text says what helps."""


@dataclass(frozen=True)
class Row:
    """The deprovision pool of one node at one look, with the calls under way there."""

    active: int
    maximum: int
    completed: int
    calls: tuple[str, ...]  # the X-Opaque-Id of each; empty where a caller gave none


def opaque_id(run_id: str, workflow_id: str) -> str:
    """The mark that a call of ours carries, and that C(_tasks) shows (tried on 3.6.0)."""
    return "/".join((OPAQUE_PREFIX, run_id, workflow_id))


def may_be_at(workflow_id: str, call: str) -> bool:
    """Whether a call under way may be at this workflow: ours name theirs, any other may be at any."""
    prefix, _sign, rest = call.partition("/")
    return prefix != OPAQUE_PREFIX or rest.partition("/")[2] == workflow_id


def is_ours(call: str) -> bool:
    """Whether a call is one of this collection's, of any process on any machine."""
    return call.startswith(OPAQUE_PREFIX + "/")


class Slots:
    """The slots of one cluster, shared with everybody."""

    def __init__(self, api: Api, cluster: str, concurrency: int = 0) -> None:
        self.api = api
        self.concurrency = concurrency
        self.warnings: list[str] = []
        self.locks = Locks(cluster)
        self.stood: dict[str, tuple[int, float]] = {}  # node name -> completed, and since when it stands there
        self.hanging: set[str] = set()  # nodes that hang, at the last look
        self.names: dict[str, str] = {}  # url -> node name, where a url is one node

    @contextmanager
    def slot(self, workflow_id: str, deadline: float) -> Iterator[Node]:
        """A node on which one call for this workflow may be sent, for as long as the block lasts.

        ``deadline`` on the monotonic clock. Raises NoSlot or NodeHangs.
        """
        node, held = self.wait_for_slot(workflow_id, deadline)
        try:
            yield node
        finally:
            self.locks.release(held)

    @contextmanager
    def workflow(self, workflow_id: str, deadline: float) -> Iterator[None]:
        """Nobody else on this machine is at this workflow, for as long as the block lasts. Raises NoSlot."""
        held = Locks.of_workflow(workflow_id)
        while not self.locks.take(held):
            if time.monotonic() >= deadline:
                raise NoSlot("wait_timeout was over while another process of this machine was at this workflow.")
            time.sleep(POLL)
        try:
            yield
        finally:
            self.locks.release(held)

    def wait_for_slot(self, workflow_id: str, deadline: float) -> tuple[Node, int]:
        """Until a slot is free and nobody is at the workflow."""
        while True:
            with self.locks.gate(deadline):
                held = self.free_slot(workflow_id)
            if held:
                return held
            if time.monotonic() >= deadline:
                raise NoSlot("wait_timeout was over while other deprovisions were under way on the cluster.")
            time.sleep(POLL)

    def free_slot(self, workflow_id: str) -> tuple[Node, int] | None:
        """One free slot, locked; None when there is none now. Looks twice, since others look too."""
        if self.free_node(workflow_id) is None:
            return None
        time.sleep(random.uniform(0, PAUSE))
        choice = self.free_node(workflow_id)
        if choice is None:
            return None
        node, name, slots = choice
        return next(((node, held) for held in (Locks.of_slot(name, number) for number in range(slots)) if self.locks.take(held)), None)

    def free_node(self, workflow_id: str) -> tuple[Node, str, int] | None:
        """A node with room, its name, and how many slots this machine has there. One in all where nothing can be looked at."""
        picture = self.look()
        if picture is None:
            return self.api.connection.nodes[0], "", 1
        choice = self.choose(picture)  # first of all: a call that hangs for good is nothing to wait for
        working = {name: row for name, row in picture.items() if name not in self.hanging}
        return (*choice, MOST_SLOTS) if choice and not anybody_at(workflow_id, working) else None

    # -- looking -------------------------------------------------------------------------------------------

    def look(self) -> dict[str, Row] | None:
        """Pool and calls of every node; None where they may not be read. Raises NodeHangs."""
        pool, tasks = self.api.deprovision_pool(), self.api.deprovision_tasks()
        if not pool.ok or not tasks.ok or not isinstance(pool.body, list):
            self.warnings.append(
                "The deprovision pool and the tasks of the cluster cannot be read, so nobody knows what else is under way: one workflow after"
                " the other. Grant cluster:monitor/nodes/info, cluster:monitor/nodes/stats, cluster:monitor/state and cluster:monitor/tasks/lists."
            )
            return None
        calls = calls_by_node(tasks)
        picture = {
            row["node_name"]: Row(int(row["active"]), int(row["max"]), int(row["completed"]), tuple(calls.get(row["node_name"], ()))) for row in pool.body
        }
        self.hanging = {name for name, row in picture.items() if self.hangs(name, row)}
        return picture

    def hangs(self, name: str, row: Row) -> bool:
        """As many calls as threads, all threads busy, and no step completed for longer than a step may take."""
        now = time.monotonic()
        completed, since = self.stood.get(name, (-1, now))
        if completed != row.completed or len(row.calls) < row.maximum or row.active < row.maximum:
            self.stood[name] = (row.completed, now)
            return False
        return now - since > HANG

    def choose(self, picture: dict[str, Row]) -> tuple[Node, str] | None:
        """The node with most room, or None. Raises NodeHangs when no call can be sent anywhere.

        A url counts as a node only while it leads to the same one every time; else all nodes count as one.
        """
        answered = [(node, self.name_of(node)) for node in self.api.connection.nodes]
        named = [(node, name) for node, name in answered if name is not None]
        if not named:
            return None
        if not all(name in picture for dummy, name in named):
            picture, named = {"": as_one(picture)}, [(named[0][0], "")]
            hanging = {""} if self.hanging else set()
        else:
            hanging = self.hanging
        usable = [(node, name) for node, name in named if name not in hanging]
        if not usable:
            raise NodeHangs(hang_text(self.hanging))
        if not any(picture[name].maximum > 1 for dummy, name in usable):
            raise NodeHangs("The deprovision pool has one thread, and a call needs two: it would hang the node. Enlarge the pool, or add processors.")
        room, node, name = max(((self.room(name, picture[name]), node, name) for node, name in usable), key=lambda choice: choice[0])
        return (node, name) if room > 0 else None

    def room(self, name: str, row: Row) -> int:
        """How many more calls a node bears. Ours that no look shows yet are counted by their locks."""
        most = row.maximum - 1
        limit = min(self.concurrency, most) if self.concurrency else max(1, row.maximum - 2)
        ours = sum(1 for call in row.calls if is_ours(call))
        return min(limit, most) - (len(row.calls) - ours) - max(ours, self.locks.held_slots(name))

    def name_of(self, node: Node) -> str | None:
        """The name of the node behind a url: None where nobody answers, empty where it is not the same every time or may not be read."""
        answer = self.api.info_of(node)
        if answer.outcome in (UNREACHABLE, LOST, UNAVAILABLE):
            return None
        name = str(answer.body.get("name", "")) if answer.ok and isinstance(answer.body, dict) else ""
        if self.names.setdefault(node.url, name) != name:
            self.names[node.url] = ""
        return self.names[node.url]


def anybody_at(workflow_id: str, picture: dict[str, Row]) -> bool:
    """Whether any call under way may be at this workflow."""
    return any(may_be_at(workflow_id, call) for row in picture.values() for call in row.calls)


def as_one(picture: dict[str, Row]) -> Row:
    """All nodes as one, with the smallest maximum: for a url behind which they take turns."""
    rows = list(picture.values())
    return Row(sum(row.active for row in rows), min(row.maximum for row in rows), 0, tuple(call for row in rows for call in row.calls))


def hang_text(names: Iterable[str]) -> str:
    """What to say of nodes that hang."""
    return (
        "The deprovision pool of node %s hangs: as many calls as it has threads wait for each other for ever. Only a restart of that"
        " node helps; then run again." % ", ".join(sorted(names))
    )


def calls_by_node(tasks: Answer) -> dict[str, list[str]]:
    """The X-Opaque-Id of every deprovision under way, by node name."""
    nodes = tasks.body.get("nodes") if isinstance(tasks.body, dict) else None
    return {
        str(node.get("name")): [str((task.get("headers") or {}).get("X-Opaque-Id", "")) for task in (node.get("tasks") or {}).values()]
        for node in (nodes or {}).values()
    }


# -- the machine -------------------------------------------------------------------------------------------


class Locks:
    """Locks of this machine for one cluster: bytes of one file. They die with the process that holds them.

    The file is the same for all users. It is opened without creating it where it is there, since the kernel refuses
    to create over another user's file in a folder that everybody may write to.
    """

    GATE = 0

    def __init__(self, cluster: str) -> None:
        name = "%s-%s.lock" % (OPAQUE_PREFIX, hashlib.sha256(cluster.encode("utf-8")).hexdigest()[:16])
        self.file = open_shared(os.path.join(LOCK_FOLDER, name))
        self.mine: set[int] = set()
        self.guard = threading.Lock()  # the kernel's locks do not part the threads of one process

    @staticmethod
    def of_slot(node: str, number: int) -> int:
        """The byte of one slot of one node."""
        return 1 + spread(node, 1 << 20) * MOST_SLOTS + number

    @staticmethod
    def of_workflow(workflow_id: str) -> int:
        """The byte of one workflow, beyond those of all slots."""
        return (1 << 32) + spread(workflow_id, 1 << 40)

    def take(self, byte: int) -> bool:
        """Lock one byte, or say that somebody has it."""
        with self.guard:
            if byte in self.mine:
                return False
            try:
                fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
            except OSError:
                return False
            self.mine.add(byte)
            return True

    def release(self, byte: int) -> None:
        """Let go one byte."""
        with self.guard:
            fcntl.lockf(self.file, fcntl.LOCK_UN, 1, byte)
            self.mine.discard(byte)

    @contextmanager
    def gate(self, deadline: float) -> Iterator[None]:
        """Only one process at a time looks and takes. Raises NoSlot."""
        while not self.take(self.GATE):
            if time.monotonic() >= deadline:
                raise NoSlot("wait_timeout was over while other processes of this machine were looking for a slot.")
            time.sleep(0.01)
        try:
            yield
        finally:
            self.release(self.GATE)

    def held_slots(self, node: str) -> int:
        """How many slots of a node this machine holds. Only while the gate is held."""
        held = 0
        for number in range(MOST_SLOTS):
            byte = self.of_slot(node, number)
            if byte in self.mine or not self.take(byte):
                held += 1
            else:
                self.release(byte)
        return held


def open_shared(path: str) -> int:
    """A file that every user of the machine may lock."""
    for _try in range(3):
        try:
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            try:
                made = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            except FileExistsError:
                continue
            os.fchmod(made, 0o666)  # whatever the umask says
            return made
    raise OSError("%s comes and goes" % path)


def spread(name: str, most: int) -> int:
    """A number below ``most`` that is the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], "big") % most
