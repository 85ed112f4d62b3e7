# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the processes of a cluster, and ends them when nobody needs them any more: run as a process of its own.

``keeper.py FOLDER PID`` reads one order a line from standard input, and answers each with a line, both JSON:

    {"start": NAME, "command": […], "variables": {…}, "directory": …, "output": FILE, "uid": …, "gid": …} -> {"pid": …}
    {"end": NAME, "signal": NUMBER, "seconds": LIMIT} -> {"status": …}; killed when the limit has passed
    {"look": NAME} -> {"status": …}, null while it runs

When the input ends, or process PID is gone, all processes are killed and FOLDER is removed. So nothing is left behind
however the process that gives the orders ends: that can only be seen from outside of it. The keeper leads a session of its
own, so that a Ctrl-C, which goes to the whole group, does not reach it. If it is killed itself, the processes die too (on
Linux). It is run as a file, and uses the standard library only.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

LOOK_SECONDS = 0.5
"""How often it looks whether PID is still its parent: a fork of that process may hold the input open."""

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Keeper:
    """Its processes by name."""

    def __init__(self) -> None:
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def carry_out(self, order: dict[str, Any]) -> dict[str, Any]:
        if "start" in order:
            self.processes[order["start"]] = started = start(order)
            return {"pid": started.pid}
        if "look" in order:
            return {"status": self.processes[order["look"]].poll()}
        process = self.processes[order["end"]]
        process.send_signal(order["signal"])
        try:
            process.wait(order["seconds"])
        except subprocess.TimeoutExpired:
            process.kill()
        return {"status": process.wait()}

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()


def start(order: dict[str, Any]) -> subprocess.Popen[bytes]:
    with open(order["output"], "ab") as output:
        return subprocess.Popen(
            order["command"],
            env=order["variables"],
            cwd=order["directory"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=become(order["uid"], order["gid"], os.getpid()),
        )


def become(uid: int, gid: int, keeper: int) -> Callable[[], None]:
    """What is done in a new process before its program: it gets its user, and dies with the keeper."""

    def prepare() -> None:
        if uid != os.geteuid():
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
        # After the change of user, which would take it back. The keeper has one thread, with which the kernel links this.
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != keeper:  # it died before that
                os._exit(1)

    return prepare


def orders(parent: int) -> Iterator[dict[str, Any]]:
    """Each order, until the input ends or ``parent`` is gone."""
    rest = b""
    while os.getppid() == parent:
        if not select.select([0], [], [], LOOK_SECONDS)[0]:
            continue
        content = os.read(0, 1 << 16)
        if not content:
            return
        *lines, rest = (rest + content).split(b"\n")
        yield from map(json.loads, lines)


def main(folder: str, parent: int) -> None:
    keeper = Keeper()
    for number in ENDING:
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        for order in orders(parent):
            print(json.dumps(keeper.carry_out(order)), flush=True)
    finally:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        keeper.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
