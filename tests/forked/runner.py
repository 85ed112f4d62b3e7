# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the module, each in a process of its own: started, killed, and waited for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LONGEST_RUN = 40.0
"""Seconds after which a run is taken to hang; the longest that is meant takes about five."""


@dataclass
class Ended:
    """How one run ended. ``result`` is None for one that printed none."""

    code: int
    result: dict[str, Any] | None
    stdout: str
    stderr: str
    hung: bool = False


class Runner:
    """One process that forks a run at a time. ``speed``: how much faster than on a real cluster time passes."""

    def __init__(self, collections: str, locks: str, speed: float) -> None:
        path = os.pathsep.join(filter(None, (str(ROOT), collections, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked.child", locks, str(speed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
        )

    def ready(self) -> None:
        """Wait until it can run something. RuntimeError where it cannot."""
        if self._read() != "ready":
            raise RuntimeError("tests.forked.child did not start")

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def start(self, job: dict[str, Any]) -> int:
        """Begin a run; its pid."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return int(self._read())

    def wait(self, pid: int) -> Ended:
        """Until the run has ended; one that hangs is killed."""
        hung = threading.Event()

        def end() -> None:
            hung.set()
            kill(pid, signal.SIGKILL)

        timer = threading.Timer(LONGEST_RUN, end)
        timer.start()
        try:
            said = json.loads(self._read())
        finally:
            timer.cancel()
        try:
            result = json.loads(said["stdout"])
        except ValueError:
            result = None
        return Ended(said["code"], result, said["stdout"], said["stderr"], hung.is_set())

    def close(self) -> None:
        """End it: its input ends."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(LONGEST_RUN)


def kill(pid: int, number: int) -> None:
    """Send a signal to a run that may be over."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


@contextmanager
def runners(collections: str, count: int = 3, speed: float = 1.0) -> Iterator[list[Runner]]:
    """Some runners for as long as the context lasts, with locks of their own: not those of the machine."""
    with tempfile.TemporaryDirectory(prefix="runners-") as locks:
        made = [Runner(collections, locks, speed) for _number in range(count)]
        try:
            for runner in made:
                runner.ready()
            yield made
        finally:
            for runner in made:
                runner.close()
