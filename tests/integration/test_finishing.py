# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that was refused, one that failed half way and one that was killed each leave a report whose command finishes the work."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator import running

from .helpers import Environment, ansible_environment, environment, existing, heed_interrupts

PATIENCE = 60.0  # seconds

pytestmark = [pytest.mark.slow, pytest.mark.extended]


@pytest.fixture()
def sim() -> Iterator[Any]:
    with running(cluster_name="preview") as simulator:
        yield simulator


@pytest.fixture()
def made(sim: Any) -> list[Environment]:
    return [environment(sim, name) for name in ("pr-17", "pr-18")]


def start(words: list[str], sim: Any, folder: Path) -> subprocess.Popen[bytes]:
    """Run a command of Ansible as somebody would who has only set the cluster's URL."""
    assert words[0] == "ansible-playbook"
    return subprocess.Popen(
        [sys.executable, "-m", "ansible", "playbook", *words[1:]],
        cwd=folder,
        env={**ansible_environment(), "OPENSEARCH_URL": sim.url, "RECORDER_FILE": os.devnull},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )


def teardown(**variables: Any) -> list[str]:
    given = {f"environment_teardown_{name}": value for name, value in variables.items()}
    given.update(environment_teardown_name="pr-*", environment_teardown_report_name="first", environment_teardown_confirm="2 workflows on preview")
    return ["ansible-playbook", "opensearch_ops.flow_framework.teardown", "-e", json.dumps(given)]


def run(words: list[str], sim: Any, folder: Path) -> tuple[int, str]:
    """Exit status and output."""
    process = start(words, sim, folder)
    output = process.communicate(timeout=PATIENCE)[0].decode("utf-8", "replace")
    return process.returncode, output


def report(folder: Path) -> dict[str, Any]:
    """The report of the first run."""
    return dict(json.loads((folder / "environment-teardown" / "first.json").read_text(encoding="utf-8")))


def finish(sim: Any, folder: Path, made: list[Environment]) -> None:
    """What the report says finishes the work: it does."""
    status, output = run(shlex.split(report(folder)["finish"]), sim, folder)
    assert status == 0, output
    assert [existing(sim, one) for one in made] == [{"model_group"}, {"model_group"}]


def test_refused(sim: Any, made: list[Environment], tmp_path: Path) -> None:
    status, _output = run(teardown(), sim, tmp_path)
    assert status != 0 and report(tmp_path)["status"] == "failed"
    assert {one["status"] for one in report(tmp_path)["remaining"]} == {"blocked", "untouched"}
    finish(sim, tmp_path, made)


def test_failed_half_way(sim: Any, made: list[Environment], tmp_path: Path) -> None:
    sim.faults.deny("delete_connector", "pr-18-connector")
    status, _output = run(teardown(allow_delete=[*made[0].named, *made[1].named], wait_sleep=0.1), sim, tmp_path)
    assert status != 0 and report(tmp_path)["status"] == "incomplete"
    assert [one["id"] for one in report(tmp_path)["remaining"]] == ["pr-18-connector"]
    sim.faults.clear()
    finish(sim, tmp_path, made)


def test_killed(sim: Any, made: list[Environment], tmp_path: Path) -> None:
    """In the middle: one resource is gone, and the server holds the next one."""
    sim.faults.hold("delete_connector", "pr-17-connector")
    process = start(teardown(allow_delete=[*made[0].named, *made[1].named]), sim, tmp_path)
    until(lambda: existing(sim, made[1]) == {"model_group"})
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    left = report(tmp_path)
    assert (left["status"], left["finished"], left["ended"]) == ("unfinished", False, None)
    assert {one["planned"] for one in left["remaining"]} == {"would_delete"} and len(left["remaining"]) == 12
    assert sorted(one.name for one in (tmp_path / "environment-teardown").iterdir()) == ["first.html", "first.json", "first.md", "first.vars.yml"]
    sim.faults.release()
    finish(sim, tmp_path, made)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
