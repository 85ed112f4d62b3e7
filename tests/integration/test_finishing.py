# Copyright (c) 2026 opensearch_ops.flow_framework contributors
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

from .helpers import NAMED, Environment, ansible_environment, environment, existing, heed_interrupts

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


def test_what_was_refused_is_planned_again_before_it_goes(sim: Any, made: list[Environment], tmp_path: Path) -> None:
    status, _output = run(teardown(), sim, tmp_path)
    assert status != 0 and report(tmp_path)["status"] == "failed"
    assert {one["status"] for one in report(tmp_path)["remaining"]} == {"blocked", "untouched"}
    status, output = run([*shlex.split(report(tmp_path)["finish"]), "-e", "environment_teardown_report_name=first"], sim, tmp_path)
    assert status == 0 and report(tmp_path)["status"] == "planned", output
    assert len(existing(sim, made[0])) == len(made[0].ids), "a plan deletes nothing"
    finish(sim, tmp_path, made)


def test_what_was_chosen_to_be_kept_stays_when_the_rest_is_finished(sim: Any, made: list[Environment], tmp_path: Path) -> None:
    sim.faults.deny("delete_connector", "pr_18_connector")
    status, _output = run(teardown(on_blocked="keep", wait_sleep=0.1), sim, tmp_path)
    assert status != 0 and report(tmp_path)["status"] == "incomplete"
    sim.faults.clear()
    status, output = run(shlex.split(report(tmp_path)["finish"]), sim, tmp_path)
    assert status == 0, output
    assert [existing(sim, one) for one in made] == [{"model_group", *NAMED}] * 2


def test_what_was_not_the_approved_plan_is_planned_again(sim: Any, made: list[Environment], tmp_path: Path) -> None:
    status, _output = run(teardown(allow_delete=[*made[0].named, *made[1].named], plan_hash="another"), sim, tmp_path)
    assert status != 0 and report(tmp_path)["finish_heading"] == "To plan it again"
    status, output = run([*shlex.split(report(tmp_path)["finish"]), "-e", "environment_teardown_report_name=first"], sim, tmp_path)
    assert status == 0 and len(existing(sim, made[0])) == len(made[0].ids), output
    finish(sim, tmp_path, made)


def test_what_was_shown_and_not_confirmed_is_carried_out_and_nothing_else(sim: Any, made: list[Environment], tmp_path: Path) -> None:
    given = [word.replace("2 workflows", "3 workflows") for word in teardown(allow_delete=[*made[0].named, *made[1].named])]
    status, _output = run(given, sim, tmp_path)
    assert status != 0 and report(tmp_path)["status"] == "failed"
    sim.world.remove("agent", made[1].ids["agent"])
    status, output = run(shlex.split(report(tmp_path)["finish"]), sim, tmp_path)
    assert status != 0 and "it is another plan" in output
    assert len(existing(sim, made[0])) == len(made[0].ids)


def test_a_name_from_the_cluster_is_never_evaluated(sim: Any, tmp_path: Path) -> None:
    """Neither from the file of variables nor from the command line: the hash is stale, so that every line of the plan is told again."""
    evil = "{{ 6 + 7 }}"
    made = environment(sim, "pr-19", ("connector", "ingest_pipeline"), ids={"ingest_pipeline": evil})
    choice = {"workflow_id": made.workflow_id, "on_blocked": "keep", "report_name": "first"}
    words = ["ansible-playbook", "opensearch_ops.flow_framework.plan"]
    given = [word for name, value in choice.items() for word in ("-e", f"environment_teardown_{name}={value}")]
    status, output = run([*words, *given], sim, tmp_path)
    assert status == 0, output
    sim.world.remove("connector", made.ids["connector"])
    status, output = run([*shlex.split(report(tmp_path)["finish"]), "-e", "environment_teardown_report_name=first"], sim, tmp_path)
    assert status != 0 and report(tmp_path)["difference"]["approved"] != [], output
    assert not [line for line in report(tmp_path)["difference"]["approved"] if "ingest_pipeline" in line], "it is in both"

    status, output = run([*words, *given, "-e", "environment_teardown_on_blocked=fail"], sim, tmp_path)
    assert status != 0 and report(tmp_path)["blocked"] == [evil]
    status, output = run([*shlex.split(report(tmp_path)["finish"]), "-e", "environment_teardown_report_name=first"], sim, tmp_path)
    assert status == 0 and report(tmp_path)["asked"]["options"]["allow_delete"] == [evil], output


def test_failed_half_way(sim: Any, made: list[Environment], tmp_path: Path) -> None:
    sim.faults.deny("delete_connector", "pr_18_connector")
    status, _output = run(teardown(allow_delete=[*made[0].named, *made[1].named], wait_sleep=0.1), sim, tmp_path)
    assert status != 0 and report(tmp_path)["status"] == "incomplete"
    assert [one["id"] for one in report(tmp_path)["remaining"]] == ["pr_18_connector"]
    sim.faults.clear()
    finish(sim, tmp_path, made)


def test_killed(sim: Any, made: list[Environment], tmp_path: Path) -> None:
    """In the middle: one resource is gone, and the server holds the next one."""
    sim.faults.hold("delete_connector", "pr_17_connector")
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
