# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the processes of a cluster, and ends them when nobody needs them any more: run as a process of its own.

``keeper.py FOLDER`` reads one order a line from standard input, and answers each with a line, both JSON:

    {"start": NAME, "command": [...], "variables": {...}, "directory": …, "output": FILE, "uid": …, "gid": …}  ->  {"pid": …}
    {"end": NAME, "signal": NUMBER, "seconds": LIMIT}  ->  {"status": …}

When the input ends, which it does however the process that asks dies, all processes are killed and FOLDER is removed.
So Ctrl-C, SIGTERM and SIGKILL of a test leave nothing behind. It leads a session of its own: a signal to the group of the
test does not reach it. Only the standard library is used, and nothing of this package: it is run as a file.
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
from typing import Any

PR_SET_PDEATHSIG = 1
PARENT_SECONDS = 1.0
"""How often it looks whether who asks is still there: a fork of it may hold the input open."""


class Keeper:
    def __init__(self) -> None:
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def carry_out(self, order: dict[str, Any]) -> dict[str, Any]:
        if "start" in order:
            self.processes[order["start"]] = process = started(order)
            return {"pid": process.pid}
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


def started(order: dict[str, Any]) -> subprocess.Popen[bytes]:
    keeper = os.getpid()

    def become() -> None:
        if order["uid"] != os.geteuid():
            os.setgroups([])
            os.setgid(order["gid"])
            os.setuid(order["uid"])
        # Only after the change of user, which takes it back.
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != keeper:
                os._exit(1)

    with open(order["output"], "ab") as output:
        return subprocess.Popen(
            order["command"],
            env=order["variables"],
            cwd=order["directory"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=become,
        )


def orders() -> Any:
    """Each order, until the input ends or its other end is dead."""
    parent = os.getppid()
    rest = b""
    while os.getppid() == parent:
        if not select.select([0], [], [], PARENT_SECONDS)[0]:
            continue
        content = os.read(0, 1 << 16)
        if not content:
            return
        *lines, rest = (rest + content).split(b"\n")
        for line in lines:
            yield json.loads(line)


def main(folder: str) -> None:
    keeper = Keeper()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        for order in orders():
            print(json.dumps(keeper.carry_out(order)), flush=True)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        keeper.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
