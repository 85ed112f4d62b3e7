# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the module in forks: side by side, told apart, killed, and none left behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.real.helpers import posts, provisioned, until
from tests.simulator import running

from .runner import Runner, runner

COLLECTIONS = os.environ["ANSIBLE_COLLECTIONS_PATH"]


@pytest.fixture()
def sim() -> Iterator[Any]:
    with running() as simulator:
        yield simulator


def held(sim: Any, forking: Runner, workflow_id: str) -> Any:
    """A run whose call is under way, until the simulator lets it go on."""
    made = provisioned(sim, workflow_id, ["agent"])
    sim.faults.hold("delete_agent", made.id("agent"))
    run = forking.start({"params": {"url": sim.urls, "workflow_id": [workflow_id], "wait_sleep": 0.05}})
    until(lambda: posts(sim, workflow_id))
    return run


def is_there(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_runs_go_side_by_side_and_each_gets_its_own_result(sim: Any) -> None:
    with runner(COLLECTIONS) as forking:
        one, other = (held(sim, forking, name) for name in ("a", "b"))
        assert len({one.pid, other.pid, os.getpid()}) == 3
        sim.faults.release()
        results = [run.wait().result for run in (other, one)]
    assert [[flow["workflow_id"] for flow in (result or {})["workflows"]] for result in results] == [["b"], ["a"]]


def test_a_run_that_is_killed_has_no_result_and_the_next_one_has(sim: Any) -> None:
    with runner(COLLECTIONS) as forking:
        run = held(sim, forking, "a")
        with pytest.raises(subprocess.TimeoutExpired):
            run.communicate(timeout=0.01)
        run.kill()
        ended = run.wait()
        assert (ended.result, ended.code, ended.hung) == (None, -9, False)
        run.kill()  # it is over: nothing is killed in its place
        sim.faults.release()
        next_one = forking.start({"params": {"url": sim.urls, "workflow_id": ["a"], "wait_sleep": 0.05}}).wait()
    assert next_one.result is not None and not next_one.result.get("failed")


def test_whoever_closes_a_runner_leaves_no_run_behind(sim: Any) -> None:
    with runner(COLLECTIONS) as forking:
        run = held(sim, forking, "a")
        assert is_there(run.pid)
    assert not is_there(run.pid)
    with pytest.raises(RuntimeError):
        run.communicate(timeout=1)
