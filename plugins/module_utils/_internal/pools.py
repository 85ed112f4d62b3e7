# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which deprovisions are under way on the cluster, anybody's, and which nodes hang over them.

Each call holds one thread of a node's pool and needs a second one for its steps: as many calls as the pool has
threads hang the node until it is restarted (measured on 3.6.0 with a pool of four).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Collection, Iterable, Mapping

from .answers import DISABLED, FORBIDDEN, MISSING, REFUSED, UNAUTHENTICATED, Answer
from .api import Api
from .records import SurveyError

OPAQUE_PREFIX = "opensearch_ops.flow_framework"
STEP_LIMIT = 10.0  # seconds: the server's own limit of one step
HANG = STEP_LIMIT + 1  # seconds without a completed step
POLL = 0.2  # seconds between looks
RECORDED = 0.5  # seconds in which the record is written after a call has ended: the server answers first
UNREADABLE = (
    "The deprovision pool and the tasks of the cluster cannot be read, so nobody knows what else is under way: one workflow after"
    " the other. Grant cluster:monitor/nodes/info, cluster:monitor/nodes/stats, cluster:monitor/state and cluster:monitor/tasks/lists."
)


class NotNow(Exception):
    """What is under way could not be read this time; the text says why. Nobody may conclude anything from it."""


class NodeHangs(Exception):
    """Nothing can be sent to this cluster any more, or ever; the text says what helps."""


@dataclass(frozen=True)
class Row:
    """The deprovision pool of one node at one look, with the calls under way there."""

    active: int
    maximum: int
    completed: int
    calls: Mapping[str, str]  # task -> its X-Opaque-Id; empty where a caller gave none


Picture = Mapping[str, Row]  # node name -> its pool


def opaque_id(run_id: str, workflow_id: str) -> str:
    """The mark that a call of ours carries, and that C(_tasks) shows (tried on 3.6.0)."""
    return "/".join((OPAQUE_PREFIX, run_id, workflow_id))


def may_be_at(workflow_ids: Collection[str], call: str) -> bool:
    """Whether a call under way may be at one of these workflows: ours name theirs, any other may be at any."""
    return not is_ours(call) or workflow_of(call) in workflow_ids


def is_ours(call: str) -> bool:
    """Whether a call is one of this collection's, of any process on any machine."""
    return call.startswith(OPAQUE_PREFIX + "/")


def workflow_of(call: str) -> str:
    """The workflow that a mark of ours names."""
    return call.partition("/")[2].partition("/")[2]


class Watch:
    """Looks at the pools, and remembers since when they stand still."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.warnings: dict[str, None] = {}
        self.stood: dict[str, tuple[int, float]] = {}  # node name -> completed, and since when it stands there
        self.hanging: set[str] = set()  # nodes that hang, at the last look

    def look(self) -> Picture | None:
        """Pool and calls of every node; None where they may not be read. Raises NotNow, and SurveyError for a 401."""
        answers = []
        for read in (self.api.deprovision_pool, self.api.deprovision_tasks):
            answers.append(read())
            if answers[-1].outcome == UNAUTHENTICATED:
                raise SurveyError(answers[-1].sentence, answers[-1])
        for answer in answers:
            if answer.outcome in (FORBIDDEN, DISABLED, REFUSED, MISSING):  # so it will be the next time
                self.warnings[UNREADABLE] = None
                return None
            if not answer.ok:
                raise NotNow(answer.sentence)
        pool, tasks = answers
        calls = calls_by_node(tasks)
        numbered = [row for row in pool.body if has_numbers(row)] if isinstance(pool.body, list) else []
        if not numbered:  # a node that is leaving shows no numbers; but never all of them
            raise NotNow("The deprovision pool of no node could be read.")
        picture = {row["node_name"]: Row(int(row["active"]), int(row["max"]), int(row["completed"]), calls.get(row["node_name"], {})) for row in numbered}
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

    def working(self, picture: Picture) -> Picture:
        """The nodes that do not hang: a call that hangs for good is nothing to wait for."""
        return {name: row for name, row in picture.items() if name not in self.hanging}

    def wait_for_calls(self, workflow_ids: Collection[str], deadline: float) -> None:
        """Until the calls that are under way now, and may be at one of these workflows, have ended.

        Whoever reads records and resources in the middle of a call takes half of its work for the end of it: what a
        stopped run left under way would then look like a record of things that are gone. Later calls are not waited for
        here, since on a busy cluster there is always one; before each call of ours somebody looks again.
        """
        waited_for: set[str] | None = None
        while time.monotonic() < deadline:
            try:
                picture = self.look()
            except NotNow:
                return  # whoever sends a call looks again, and waits until it can see
            if picture is None:
                return
            now = set(calls_at(workflow_ids, self.working(picture)))
            if waited_for and not waited_for & now:
                time.sleep(RECORDED)
            waited_for = now if waited_for is None else waited_for & now
            if not waited_for:
                return
            time.sleep(POLL)


def has_numbers(row: Mapping[str, object]) -> bool:
    """Whether a row of the pools says how a node is: that of a node which is leaving does not."""
    return all(str(row.get(name)).isdigit() for name in ("active", "max", "completed"))


def calls_at(workflow_ids: Collection[str], picture: Picture) -> list[str]:
    """The tasks under way that may be at one of these workflows."""
    return [task for row in picture.values() for task, call in row.calls.items() if may_be_at(workflow_ids, call)]


def as_one(picture: Picture) -> Row:
    """All nodes as one, with the smallest maximum: for a url behind which they take turns."""
    rows = list(picture.values())
    calls = {task: call for row in rows for task, call in row.calls.items()}
    return Row(sum(row.active for row in rows), min(row.maximum for row in rows), 0, calls)


def hang_text(names: Iterable[str]) -> str:
    """What to say of nodes that hang."""
    return (
        "The deprovision pool of node %s hangs: as many calls as it has threads wait for each other for ever. Only a restart of that"
        " node helps; then run again." % ", ".join(sorted(names))
    )


def calls_by_node(tasks: Answer) -> dict[str, dict[str, str]]:
    """Every deprovision under way and its X-Opaque-Id, by node name."""
    nodes = tasks.body.get("nodes") if isinstance(tasks.body, dict) else None
    return {
        str(node.get("name")): {str(name): str((task.get("headers") or {}).get("X-Opaque-Id", "")) for name, task in (node.get("tasks") or {}).items()}
        for node in (nodes or {}).values()
    }
