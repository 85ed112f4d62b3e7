# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A play that is stopped in the middle: the same task again finishes. The module alone is killed in tests/real."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from .helpers import Playbooks, by_kind, deprovision, deprovisions, environment, existing

HELD = ("delete_agent", "w-agent")  # the step at which the server is while the play is stopped


def under_way(cluster: Callable[..., Any]) -> tuple[Any, Any]:
    """An environment whose deprovision lasts until it is released."""
    sim = cluster(clock=0.1)
    made = environment(sim, "w")
    sim.faults.hold(*HELD)
    return sim, made


def wait_for_the_call(sim: Any) -> None:
    """Until the server is at it. AssertionError when it never gets there."""
    limit = time.monotonic() + 60
    while not deprovisions(sim, "w"):
        assert time.monotonic() < limit, "no call came"
        time.sleep(0.02)


def the_same_again_finishes(sim: Any, made: Any, playbooks: Playbooks) -> None:
    """The call of the stopped play does it all, and none is sent beside it."""
    assert len(deprovisions(sim, "w")) == 1 and deprovisions(sim, "w")[0].ended is None, "the server goes on"
    sim.faults.release()
    again = playbooks.run([deprovision("task", sim.url, "w", allow_delete=made.named)])["task"]
    assert not again["failed"], again["msg"]
    assert set(by_kind(again).values()) <= {"deleted", "absent", "retained"}
    assert existing(sim, made) <= {"model_group"} and sim.state("w")["state"] == "NOT_STARTED"
    assert len(deprovisions(sim, "w")) == 1


def test_after_the_time_out_of_the_task_the_same_task_finishes(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """The keyword ``timeout`` of a task."""
    sim, made = under_way(cluster)
    task = {**deprovision("task", sim.url, "w", allow_delete=made.named), "timeout": 10}
    stopped = playbooks.run([task])["task"]
    said = stopped["msg"] + str(stopped.get("exception"))
    # The words of ansible-core 2.19 and newer, and those before.
    assert stopped["failed"] and ("imed out" in said or "in the expected time frame" in said), said
    the_same_again_finishes(sim, made, playbooks)


@pytest.mark.parametrize("signal_", (signal.SIGTERM, signal.SIGINT, signal.SIGKILL), ids=lambda one: one.name)
def test_after_a_cancelled_job_the_same_task_finishes(signal_: signal.Signals, cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """Ctrl-C, and what ansible-runner and AWX send: a signal to all processes of the play."""
    sim, made = under_way(cluster)
    process, _record = playbooks.start([deprovision("task", sim.url, "w", allow_delete=made.named)])
    wait_for_the_call(sim)
    os.killpg(process.pid, signal_)
    process.communicate(timeout=30)
    the_same_again_finishes(sim, made, playbooks)
