# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the module, each in a process of its own: started, killed, and waited for."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ansible

from tests.environment import target_python

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


class Run:
    """One run, a process of its own. What it has in common with ``subprocess.Popen`` is called the same."""

    def __init__(self) -> None:
        self.pid = 0
        self.returncode: int | None = None
        self._said: dict[str, Any] = {}
        self._begun = threading.Event()
        self._over = threading.Event()

    def hear(self, said: dict[str, Any]) -> None:
        """What the process that forks says of it: its pid, or how it ended."""
        if "pid" in said:
            self.pid = said["pid"]
            self._begun.set()
        else:
            self._said, self.returncode = said, said["code"]
            self._over.set()

    def lose(self) -> None:
        """Nothing will be heard of it any more."""
        self._begun.set()
        self._over.set()

    def until_begun(self) -> None:
        """Until it has a pid. RuntimeError where it gets none."""
        self._begun.wait()
        if not self.pid:
            raise RuntimeError("tests.forked.child has ended")

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing where the run is over."""
        if not self._over.is_set():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it printed, and its standard error, once it is over. subprocess.TimeoutExpired where it is not in time (seconds)."""
        if not self._over.wait(timeout):
            raise subprocess.TimeoutExpired("a run of the module", timeout or 0.0)
        if not self._said:
            raise RuntimeError("tests.forked.child has ended")
        return self._said["stdout"], self._said["stderr"]

    def wait(self) -> Ended:
        """Until it has ended; one that hangs is killed."""
        hung = not self._over.wait(LONGEST_RUN)
        if hung:
            self.kill()
        stdout, stderr = self.communicate(LONGEST_RUN)
        try:
            result = json.loads(stdout)
        except ValueError:
            result = None
        return Ended(self._said["code"], result, stdout, stderr, hung)


class Runner:
    """A process that forks runs, as many at once as are started, by any thread.

    They run with the Python of the target, as modules do. ``locks``: the folder of the runs' locks. ``speed``: how much faster
    than on a real cluster time passes.
    """

    def __init__(self, collections: str, locks: str, speed: float = 1.0) -> None:
        # Ansible is the controller's. What is installed beside it there may be for another Python than the target's.
        self._controller = tempfile.TemporaryDirectory(prefix="controller-")
        Path(self._controller.name, "ansible").symlink_to(Path(ansible.__file__).parent)
        path = os.pathsep.join(filter(None, (str(ROOT), collections, self._controller.name, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [target_python(), "-m", "tests.forked.child", locks, str(speed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._jobs, self._answers = self._process.stdin, self._process.stdout
        self._numbers = itertools.count()
        self._runs: dict[int, Run] = {}
        self._guard = threading.Lock()
        if self._answers.readline() != "ready\n":
            raise RuntimeError("tests.forked.child did not start")
        self._listener = threading.Thread(target=self._listen, name="runner", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        """Tell every run what is said of it, until nothing is said any more."""
        for line in self._answers:
            said = json.loads(line)
            with self._guard:
                run = self._runs[said["number"]] if "pid" in said else self._runs.pop(said["number"])
            run.hear(said)
        with self._guard:
            lost = list(self._runs.values())
        for run in lost:
            run.lose()

    def start(self, job: dict[str, Any]) -> Run:
        """Begin a run: ``params`` of the module; and, if wanted, ``module``, ``check``, ``environment`` and ``kill``."""
        run = Run()
        with self._guard:
            number = next(self._numbers)
            self._runs[number] = run
            self._jobs.write(json.dumps({**job, "number": number}) + "\n")
            self._jobs.flush()
        run.until_begun()
        return run

    def close(self) -> None:
        """End it, and whatever it still runs: its input ends."""
        self._jobs.close()
        self._process.wait(LONGEST_RUN)
        self._listener.join()
        self._answers.close()
        self._controller.cleanup()


@contextmanager
def runner(collections: str, speed: float = 1.0) -> Iterator[Runner]:
    """A runner for as long as the context lasts, with locks of its own: not those of the machine."""
    with tempfile.TemporaryDirectory(prefix="runner-") as locks:
        made = Runner(collections, locks, speed)
        try:
            yield made
        finally:
            made.close()
