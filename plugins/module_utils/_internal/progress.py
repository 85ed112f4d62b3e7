# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes down how far a task is, for the action plugin that follows it: a line of JSON for each change.

Facts only: counts, names of nodes, ids of workflows, and the words below. Pace and wording are the action plugin's.
Nothing that goes wrong here reaches the task.
"""

from __future__ import annotations

import json
import os
import stat
import threading
from typing import Any, Collection, Iterable, Mapping

VARIABLE = "OPENSEARCH_OPS_PROGRESS"  # of the module's environment: the file that the action plugin made

READING = "reading"
TEARDOWN = "teardown"

# What a workflow waits for.
FOR_PROVISIONING = "provisioning"  # the end of its provisioning
FOR_ANOTHER = "another"  # another process of this machine, which is at it
FOR_SLOT = "slot"  # until one more call is safe
FOR_ANSWER = "answer"  # answers of the server only: it is being torn down
FOR_SERVER = "server"  # until the server has finished, after a lost answer
FOR_REPETITION = "repetition"  # the moment to send a call again that left something


class Progress:
    """How far one task is. Each method may be called by any thread, raises nothing, and does nothing where nobody follows."""

    def __init__(self, wanted: bool = False, secrets: Collection[Any] = ()) -> None:
        """``secrets``: a name that holds one of them is not written; looked at anew for each line."""
        self.lock = threading.Lock()
        self.secrets = secrets
        self.file = open_followed(os.environ.get(VARIABLE, "")) if wanted else None
        self.written = ""
        self.phase = READING
        self.workflows = 0
        self.resources = 0
        self.gone = 0
        self.left: dict[str, int] = {}  # workflow -> resources that may still be there
        self.done: set[str] = set()  # workflows that are through, for now
        self.incomplete: set[str] = set()  # … and were stopped by something, or have something left
        self.waiting: dict[str, dict[str, Any]] = {}  # workflow -> what for

    def reading(self, workflows: int) -> None:
        """That many workflows are looked at; nothing waits any more."""
        with self.lock:
            self.workflows = workflows
            self.waiting.clear()
            self.write()

    def begin(self, left: Mapping[str, int]) -> None:
        """The teardown of these workflows begins; the number says how many resources of each are to go."""
        with self.lock:
            self.phase, self.workflows, self.resources = TEARDOWN, len(left), sum(left.values())
            self.left.update(left)
            self.waiting.clear()
            self.write()

    def waits(self, workflow_id: str, what: str, nodes: Iterable[str] = (), left: int = 0) -> None:
        """From now on this workflow waits. ``nodes``: where, as far as known; ``left``: resources that a call left."""
        with self.lock:
            self.done.discard(workflow_id)
            self.incomplete.discard(workflow_id)
            self.waiting[workflow_id] = {"for": what, "nodes": {name for name in nodes if name}, "left": left}
            self.write()

    def end(self, workflow_id: str, left: int, stopped: bool) -> None:
        """This workflow is through, for now: so many of its resources may still be there."""
        with self.lock:
            self.waiting.pop(workflow_id, None)
            self.gone += self.left.get(workflow_id, left) - left
            self.left[workflow_id] = left
            self.done.add(workflow_id)
            if stopped or left:
                self.incomplete.add(workflow_id)
            self.write()

    def facts(self) -> dict[str, Any]:
        """What a line says. ``waits``: one entry for each reason; a single workflow by its id."""
        facts: dict[str, Any] = {"phase": self.phase, "workflows": self.workflows, "waits": self.reasons()}
        if self.phase == TEARDOWN:
            facts.update(done=len(self.done), incomplete=len(self.incomplete), resources=self.resources, gone=self.gone)
        return facts

    def reasons(self) -> list[dict[str, Any]]:
        """What is waited for, each reason once."""
        found = []
        for what in (FOR_PROVISIONING, FOR_ANSWER, FOR_SERVER, FOR_REPETITION, FOR_ANOTHER, FOR_SLOT):
            waiting = {workflow_id: wait for workflow_id, wait in self.waiting.items() if wait["for"] == what}
            if waiting:
                nodes = sorted({self.harmless(name) for wait in waiting.values() for name in wait["nodes"]} - {""})
                single = self.harmless(next(iter(waiting))) if len(waiting) == 1 else ""
                left = sum(wait["left"] for wait in waiting.values())
                found.append({"for": what, "workflows": len(waiting), "workflow_id": single, "nodes": nodes, "left": left})
        return found

    def harmless(self, name: str) -> str:
        """The name, or nothing where it holds a secret."""
        return "" if any(str(secret) in name for secret in tuple(self.secrets) if secret) else name

    def write(self) -> None:
        """One line, if it differs from the last. Only with the lock held."""
        if self.file is None:
            return
        line = json.dumps(self.facts()) + "\n"
        if line == self.written:
            return
        self.written = line
        try:
            os.write(self.file, line.encode("ascii"))
        except OSError:  # a full disk, say: the task goes on unseen
            os.close(self.file)
            self.file = None


def open_followed(path: str) -> int | None:
    """A regular file that is there, to append to; None where there is none or it may not be opened."""
    try:
        # Without waiting: the path might be a pipe that nobody reads.
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    return None
