# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that runs the real module, each time in a fork of its own: it can be killed as Ansible's can.

``python -m tests.forked.child LOCKS SPEED`` reads one job a line (JSON), each with a ``number`` of its own, and answers with
two lines that bear it: the pid of the fork as soon as it is there, and how it ended. Any number of forks run at once. A fork
costs milliseconds, where a new interpreter costs half a second. Pauses and limits of the module are shortened by SPEED (1: as
they are), as the simulator's clock shortens those of the server. Whatever still runs when the input ends is killed.

Runs with the Python of the target, hence on 3.8 too.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

SLACK = 2.0
"""Limits that only a broken run meets are shortened so much less: a busy machine must not look like a broken server."""
ALARM_SECONDS = 0.004
"""A kill in the middle of a request comes so long after it was sent."""


def shorten(speed: float) -> None:
    """Shorten what the module waits for. Called once, before the first fork."""
    from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import api, pools, provisioning, slots, teardown

    for module, name in (
        (api, "READ_PAUSE"),
        (api, "LONGEST_READ_PAUSE"),
        (pools, "POLL"),
        (provisioning, "POLL"),
        (slots, "POLL"),
        (slots, "GATE_POLL"),
        (slots, "PAUSE"),
        (teardown, "POLL"),
        (teardown, "LONGEST_PAUSE"),
    ):
        setattr(module, name, getattr(module, name) / speed)
    for module, name in (
        (pools, "HANG"),
        (pools, "RECORDED"),
        (provisioning, "STILL"),
        (teardown, "QUIET"),
        (teardown, "WRITE_LIMIT"),
        (teardown, "LOST_WRITE_LIMIT"),
    ):
        setattr(module, name, getattr(module, name) / speed * SLACK)


def deadly(kill: dict[str, Any]) -> None:
    """Make the n-th request of this process its last one: killed before it, in the middle of it, or after its answer."""
    from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection

    send, seen = connection.Node.send, 0

    def counted(node: Any, method: str, target: str, *rest: Any) -> Any:
        nonlocal seen
        seen += kill["of"] == "any" or (method != "GET" and "/_search" not in target)
        if seen != kill["at"]:
            return send(node, method, target, *rest)
        seen += 1  # never again
        if kill["moment"] == "before":
            os.kill(os.getpid(), kill["signal"])
        if kill["moment"] == "during":  # nobody handles the alarm: the process dies of it at once
            signal.setitimer(signal.ITIMER_REAL, ALARM_SECONDS)
        reply = send(node, method, target, *rest)
        if kill["moment"] == "after":
            os.kill(os.getpid(), kill["signal"])
        return reply

    setattr(connection.Node, "send", counted)  # noqa: B010


def run(job: dict[str, Any], stdout: int, stderr: int) -> None:
    """In the fork: the module as Ansible runs it, its result on standard output. Does not return."""
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = 1
    try:
        from ansible.module_utils import basic

        from ansible_collections.opensearch_ops.flow_framework.plugins.modules import workflow_deprovision, workflow_info

        module = {"workflow_deprovision": workflow_deprovision, "workflow_info": workflow_info}[job.get("module", "workflow_deprovision")]
        given = {**job["params"], "_ansible_check_mode": job.get("check", False), "_ansible_diff": True}
        os.environ.update(job.get("environment", {}))
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode()
        basic._ANSIBLE_PROFILE = "legacy"
        if job.get("kill"):
            deadly(job["kill"])
        module.main()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:  # also when it is interrupted now: what would go on otherwise is the process that forks
            os._exit(code)


@dataclass
class Fork:
    """A run under way. ``out`` and ``err`` are files: what is printed need not be read while it runs."""

    number: int
    pid: int
    out: IO[bytes]
    err: IO[bytes]

    def ended(self) -> dict[str, Any]:
        """How it ended. To be called once it has."""
        status = os.waitpid(self.pid, 0)[1]
        # As os.waitstatus_to_exitcode, which Python 3.8 lacks.
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        texts = []
        for file in (self.out, self.err):
            with file:
                file.seek(0)
                texts.append(file.read().decode(errors="replace"))
        return {"number": self.number, "code": code, "stdout": texts[0], "stderr": texts[1]}


def begin(job: dict[str, Any]) -> tuple[int, Fork]:
    """Fork a run; with a descriptor that is at its end as soon as the run is, whatever ended it."""
    watched, held = os.pipe()
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 (closed by ended)
    pid = os.fork()
    if pid == 0:
        run(job, out.fileno(), err.fileno())
    os.close(held)  # only the run holds it now
    return watched, Fork(job["number"], pid, out, err)


def serve(jobs: int, answers: IO[str]) -> None:
    """Run jobs until their input ends."""
    read = b""
    with selectors.DefaultSelector() as selector:
        selector.register(jobs, selectors.EVENT_READ)
        while True:
            for key, _events in selector.select():
                if key.data is not None:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    print(json.dumps(key.data.ended()), file=answers, flush=True)
                    continue
                more = os.read(jobs, 1 << 16)
                if not more:
                    end_all([one.data for one in selector.get_map().values() if one.data is not None])
                    return
                *lines, read = (read + more).split(b"\n")
                for line in lines:
                    watched, fork = begin(json.loads(line))
                    selector.register(watched, selectors.EVENT_READ, fork)
                    print(json.dumps({"number": fork.number, "pid": fork.pid}), file=answers, flush=True)


def end_all(forks: list[Fork]) -> None:
    """Nobody waits for these any more."""
    for fork in forks:
        with suppress(ProcessLookupError):
            os.kill(fork.pid, signal.SIGKILL)
        os.waitpid(fork.pid, 0)


def main() -> None:
    """Jobs until the input ends. The first line of the output says that the process is ready."""
    from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import locks
    from ansible_collections.opensearch_ops.flow_framework.plugins.modules import workflow_deprovision, workflow_info  # noqa: F401

    locks.FOLDER, speed = sys.argv[1], float(sys.argv[2])
    if speed != 1:
        shorten(speed)
    gc.freeze()  # a collection in a fork would copy every page
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started this
    answers = os.fdopen(os.dup(1), "w")
    print("ready", file=answers, flush=True)
    serve(0, answers)


if __name__ == "__main__":
    main()
