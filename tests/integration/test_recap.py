# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What PLAY RECAP counts of the role is what has changed on the cluster, and --diff shows each diff once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .helpers import GROUP, Environment, Playbooks, Played, ask, environment, existing, template

NAME = "pr-17 {{ 7 * 7 }}"
GONE = "-  connector pr_17_connector"  # a line of the diff


class Runs:
    """Runs the role alone in a play, on one environment with a name that Ansible must not evaluate."""

    def __init__(self, sim: Any, playbooks: Playbooks, folder: Path) -> None:
        self.sim, self.playbooks, self.folder = sim, playbooks, folder
        self.made: Environment = environment(sim, "pr-17", ("connector", "index"))
        sim.load(self.made.state, template(NAME))

    def run(self, entry: str, *arguments: str, **variables: Any) -> Played:
        given = {"workflow_id": "pr-17", "allow_delete": "pr-17-docs", "report_directory": str(self.folder), **variables}
        include = {"name": "opensearch_ops.flow_framework.environment_teardown", "tasks_from": entry}
        task = {"name": "role", "ansible.builtin.include_role": include, "vars": {f"environment_teardown_{name}": value for name, value in given.items()}}
        return self.playbooks.run([task], play={"module_defaults": {GROUP: {"url": self.sim.url}}}, arguments=arguments)

    def register_a_repository(self) -> None:
        """One for snapshots, called backups."""
        self.playbooks.run([ask("a repository", "PUT", f"{self.sim.url}/_snapshot/backups", {"type": "fs", "settings": {"location": "backups"}})])


@pytest.fixture()
def runs(cluster: Callable[..., Any], playbooks: Playbooks, tmp_path: Path) -> Runs:
    return Runs(cluster(cluster_name="preview"), playbooks, tmp_path)


def counted(played: Played, word: str) -> int:
    """A number of the recap."""
    (found,) = re.findall(rf"\b{word}=(\d+)", played.output)
    return int(found)


def test_a_plan_changes_nothing_and_shows_its_diff_once(runs: Runs) -> None:
    played = runs.run("plan", "--diff")
    assert (played.status, counted(played, "changed")) == (0, 0)
    assert played.output.count(GONE) == 1 and f"+{NAME}: NOT_STARTED" in played.output
    assert runs.run("plan").output.count(GONE) == 0


@pytest.mark.parametrize("refused", [{}, {"confirm": "pr-17", "allow_delete": ""}, {"confirm": "pr-17", "max_documents": 0}, {"protects": "pr-*"}])
def test_what_was_refused_changes_nothing(refused: dict[str, Any], runs: Runs) -> None:
    played = runs.run("main", "--diff", **refused)
    assert played.status != 0 and (counted(played, "changed"), counted(played, "failed")) == (0, 1)
    assert existing(runs.sim, runs.made) == {"connector", "index"}


def test_a_teardown_is_one_change_as_check_mode_says_beforehand_and_each_shows_one_diff(runs: Runs) -> None:
    played = [runs.run("main", *arguments, "--diff", confirm="pr-17") for arguments in (["--check"], [], [])]
    assert [one.status for one in played] == [0, 0, 0]
    assert [counted(one, "changed") for one in played] == [1, 1, 0]
    assert [one.output.count(GONE) for one in played] == [1, 1, 0]
    assert existing(runs.sim, runs.made) == set()


def test_one_that_failed_half_way_is_a_change_too(runs: Runs) -> None:
    """Though Ansible counts none of a task that failed: a part is gone."""
    runs.sim.faults.deny("delete_connector", "pr_17_connector")
    played = runs.run("main", confirm="pr-17", wait_sleep=0.1)
    assert (counted(played, "changed"), counted(played, "failed")) == (1, 1)
    assert existing(runs.sim, runs.made) == {"connector"}


@pytest.mark.extended
def test_a_snapshot_is_one_more(runs: Runs) -> None:
    runs.register_a_repository()
    played = runs.run("main", confirm="pr-17", snapshot_repository="backups")
    assert (played.status, counted(played, "changed")) == (0, 2)


@pytest.mark.extended
def test_one_that_is_not_whole_counts_too_and_nothing_else_happened(runs: Runs) -> None:
    runs.register_a_repository()
    runs.sim.faults.snapshot_ends = "PARTIAL"
    played = runs.run("main", confirm="pr-17", snapshot_repository="backups")
    assert (counted(played, "changed"), counted(played, "failed")) == (1, 1)
    assert existing(runs.sim, runs.made) == {"connector", "index"}
