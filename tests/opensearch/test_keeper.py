# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is left behind however the process ends that gives the keeper its orders. The servers are `sleep` here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.opensearch import keeper
from tests.opensearch.account import NOBODY
from tests.simulator.__main__ import exists

LIMIT = 10.0
CHILD = """
import os, signal, subprocess, sys
for number in (signal.SIGINT, signal.SIGHUP):  # what a shell starts in the background, or by nohup, ignores them
    signal.signal(number, signal.SIG_DFL)
keeper = subprocess.Popen(
    [sys.executable, "-I", sys.argv[1], sys.argv[2], str(os.getpid())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
)
keeper.stdin.write(sys.argv[3].encode() + b"\\n")
keeper.stdin.flush()
keeper.stdout.readline()
if sys.argv[4:] == ["fork"] and os.fork() == 0:
    os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
    import time
    time.sleep(20)
print(keeper.pid, flush=True)
sys.stdin.read()
"""


def order(name: str, folder: Path, *command: str, **more: Any) -> dict[str, Any]:
    given = {"start": name, "command": list(command), "variables": {"PATH": os.defpath}, "directory": "/", "output": str(folder / "output")}
    return {**given, "uid": os.geteuid(), "gid": os.getegid(), **more}


def processes(mark: str) -> list[int]:
    done = subprocess.run(["ps", "-eo", "pid=,args="], stdout=subprocess.PIPE, text=True, check=True)
    return [int(line.split()[0]) for line in done.stdout.splitlines() if line.split(None, 1)[1:] == [f"sleep {mark}"]]


def wait_until_gone(*pids: int) -> None:
    limit = time.monotonic() + LIMIT
    while any(map(exists, pids)):
        assert time.monotonic() < limit, f"{pids} are still there"
        time.sleep(0.02)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "cluster"
    made.mkdir()
    return made


@pytest.fixture
def mark() -> str:
    """So many seconds no other `sleep` on this machine sleeps."""
    return f"{1000 + time.time_ns() % 10**9 / 1e6:.6f}"


class Asking:
    """A process that has started a keeper with one server."""

    def __init__(self, folder: Path, mark: str, *how: str) -> None:
        arguments = [sys.executable, "-c", CHILD, keeper.__file__, str(folder), json.dumps(order("one", folder, "sleep", mark)), *how]
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        assert self.process.stdin and self.process.stdout
        self.keeper = int(self.process.stdout.readline())
        (self.server,) = processes(mark)

    def end(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def asking(folder: Path, mark: str) -> Iterator[Asking]:
    made = Asking(folder, mark)
    yield made
    made.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_no_process_and_no_folder_is_left_when_the_group_of_who_asks_gets(number: int, asking: Asking, folder: Path) -> None:
    os.killpg(asking.process.pid, number)
    wait_until_gone(asking.process.pid, asking.server, asking.keeper)
    assert not folder.exists()


def test_a_fork_that_outlives_who_asks_keeps_nothing_alive(folder: Path, mark: str) -> None:
    asking = Asking(folder, mark, "fork")
    try:
        asking.process.kill()
        wait_until_gone(asking.server, asking.keeper)
        assert not folder.exists()
    finally:
        asking.end()  # with the fork, which is in its group


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_keeper_that_is_told_to_end_ends_its_servers(number: int, asking: Asking, folder: Path) -> None:
    os.kill(asking.keeper, number)
    wait_until_gone(asking.server, asking.keeper)
    assert not folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_server_dies_with_a_keeper_that_is_killed(asking: Asking) -> None:
    os.kill(asking.keeper, signal.SIGKILL)
    wait_until_gone(asking.server, asking.keeper)


# -- orders ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def kept() -> Iterator[keeper.Keeper]:
    one = keeper.Keeper()
    yield one
    one.end()


def test_a_server_that_does_not_end_in_time_is_killed(kept: keeper.Keeper, folder: Path) -> None:
    kept.carry_out(order("one", folder, "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"))
    while "ready" not in (folder / "output").read_text():
        time.sleep(0.01)
    assert kept.carry_out({"end": "one", "signal": signal.SIGTERM, "seconds": 0.2}) == {"status": -signal.SIGKILL}


def test_a_server_that_ended_by_itself_is_seen(kept: keeper.Keeper, folder: Path) -> None:
    kept.carry_out(order("one", folder, "sleep", "100"))
    assert kept.carry_out({"look": "one"}) == {"status": None}
    kept.carry_out(order("two", folder, "sh", "-c", "echo why; exit 3"))
    limit = time.monotonic() + LIMIT
    while kept.carry_out({"look": "two"}) != {"status": 3}:
        assert time.monotonic() < limit
    assert (folder / "output").read_text() == "why\n"
    assert kept.carry_out({"end": "two", "signal": signal.SIGTERM, "seconds": 1}) == {"status": 3}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_starts_a_server_as_another_user_without_groups(kept: keeper.Keeper, folder: Path) -> None:
    kept.carry_out(order("one", folder, "sh", "-c", "id -u; id -G", uid=NOBODY, gid=NOBODY))
    kept.processes["one"].wait()
    assert (folder / "output").read_text().split() == [str(NOBODY), str(NOBODY)]
