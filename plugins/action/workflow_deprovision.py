# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of the same name, and prints how far it is while it works.

The module appends facts to a file (module_utils/_internal/progress.py), a thread reads them and prints lines. Where it cannot,
or should not, the module runs exactly as one without an action plugin does.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import IO, Any, Callable, Iterator, Sequence

from ansible import constants as C
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as PlainModule
from ansible.utils.display import Display

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import progress
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.parallel import start_without_signals

FIRST = 3.0  # seconds before the first line: a short task prints none
EVERY = 5.0  # seconds between two lines at first; a twentieth of the time so far on long runs, up to …
SELDOM = 30.0  # … this, where something has changed
RARELY = 60.0  # where nothing has, each line comes twice as late as the one before, up to this
WINDOW = 60.0  # seconds that the pace is measured over
TICK = 0.25  # seconds between two looks into the file
STILL = 10.0  # seconds without a change that are worth a word

WAITS = {
    progress.FOR_PROVISIONING: "waits for the provisioning of {which} to end",
    progress.FOR_ANSWER: "the server works on {which}",
    progress.FOR_SERVER: "the answer for {which} was lost, waits until the server has finished",
    progress.FOR_REPETITION: "the server left {left} of {which}, waits before the next call",
    progress.FOR_ANOTHER: "another process of this machine is at {which}",
    progress.FOR_SLOT: "waits for a free slot{where}",
}


class ActionModule(PlainModule):
    """The module, and lines while it works."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any]
        if not self.is_followed():
            result = super().run(tmp, task_vars)
            return result
        before = self._task.environment
        try:
            with followed(prefix((task_vars or {}).get("inventory_hostname"))) as path:
                mine = [{progress.VARIABLE: path}] if path else []
                self._task.environment = (before if isinstance(before, list) else [before or {}]) + mine
                result = super().run(tmp, task_vars)
                return result
        finally:
            self._task.environment = before

    def is_followed(self) -> bool:
        """Whether lines are wanted, and the module's file is one of this machine."""
        wanted = boolean(self._task.args.get("progress", True), strict=False)
        return wanted and self._connection.transport == "local" and not self._task.async_val and not self._task.no_log


@contextmanager
def followed(start: str) -> Iterator[str]:
    """A file that is followed as long as the block lasts; an empty path where none can be made.

    It is in the folder that Ansible itself removes in the end, whatever signal stops this process.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="progress-", dir=C.DEFAULT_LOCAL_TMP, ignore_cleanup_errors=True)
        path = os.path.join(folder.name, "facts")
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "rb")
    except OSError:
        yield ""
        return
    ended = threading.Event()
    show = Display().display
    # To where warnings go: what reads the results of a play from its output must not meet these lines.
    thread = threading.Thread(target=follow, args=(file, ended, lambda text: show(start + text, stderr=True)), daemon=True)
    with folder, file:
        start_without_signals(thread)
        try:
            yield path
        finally:
            ended.set()
            thread.join(EVERY)  # it ends at once, unless nobody takes its lines any more


def follow(file: IO[bytes], ended: threading.Event, show: Callable[[str], None]) -> None:
    """Read facts and show lines until the event is set."""
    begun = changed = time.monotonic()
    shown = begun + FIRST - EVERY
    facts: dict[str, Any] = {}
    rest, quiet = b"", EVERY
    gone: deque[tuple[float, int]] = deque()
    while not ended.wait(TICK):
        now = time.monotonic()
        *whole, rest = (rest + file.read()).split(b"\n")
        if whole:
            facts, changed = json.loads(whole[-1]), now
        if facts.get("phase") == progress.TEARDOWN:
            gone.append((now, facts["gone"]))
        while gone and now - gone[0][0] > WINDOW:
            gone.popleft()
        news = changed > shown
        if not facts or now - shown < (max(EVERY, min((now - begun) / 20, SELDOM)) if news else quiet):
            continue
        show(line(facts, pace(gone), now - changed))
        shown, quiet = now, (2 * EVERY if news else min(2 * quiet, RARELY))


# -- what a line says --------------------------------------------------------------------------------------


def prefix(host: str | None) -> str:
    """How a line begins: with the host, as a result does, where that is not simply localhost."""
    return "workflow_deprovision: " if host in (None, "localhost") else "[%s] workflow_deprovision: " % host


def pace(gone: Sequence[tuple[float, int]]) -> float:
    """Resources a second, from pairs of a moment in seconds and the number gone by then; 0 where that is not known."""
    seconds = gone[-1][0] - gone[0][0] if gone else 0.0
    return max(0.0, (gone[-1][1] - gone[0][1]) / seconds) if seconds >= 1 else 0.0


def line(facts: dict[str, Any], a_second: float, unchanged: float) -> str:
    """One line. ``unchanged``: seconds since the facts were last others."""
    if facts["phase"] == progress.READING:
        text = "reads %s" % number(facts["workflows"], "workflow")
    else:
        text = "%s of %s done" % (format(facts["done"], ","), number(facts["workflows"], "workflow"))
        text += " (%s with something left)" % format(facts["incomplete"], ",") if facts["incomplete"] else ""
        text += ", %s of %s gone" % (format(facts["gone"], ","), number(facts["resources"], "resource")) if facts["resources"] else ""
        left = facts["resources"] - facts["gone"]
        text += ", %s, about %s left" % (speed(a_second), span(left / a_second)) if a_second and left else ""
    text = "; ".join([text] + [waits(one) for one in facts["waits"]])
    text += " (no change for %s)" % span(unchanged) if unchanged >= STILL else ""
    return "".join(sign if sign.isprintable() else "?" for sign in text)  # ids and names come from elsewhere


def waits(reason: dict[str, Any]) -> str:
    """What is waited for."""
    which = "workflow %s" % reason["workflow_id"] if reason["workflow_id"] else number(reason["workflows"], "workflow")
    nodes = reason["nodes"]
    where = " on %s" % (" or ".join(nodes) if len(nodes) < 4 else "any of %d nodes" % len(nodes)) if nodes else ""
    return WAITS[reason["for"]].format(which=which, where=where, left=number(reason["left"], "resource"))


def number(count: int, noun: str) -> str:
    """A number of things."""
    return "%s %s%s" % (format(count, ","), noun, "" if count == 1 else "s")


def speed(a_second: float) -> str:
    """A pace, in the unit that reads best."""
    if a_second >= 10:
        return "%s a second" % format(round(a_second), ",")
    return "%.1f a second" % a_second if a_second >= 0.95 else "%d a minute" % max(1, round(a_second * 60))


def span(seconds: float) -> str:
    """A time, as exact as anybody needs it."""
    if seconds < 90:
        return "%d s" % max(10, 10 * round(seconds / 10))
    return "%d min" % round(seconds / 60) if seconds < 5400 else "%d h" % round(seconds / 3600)
