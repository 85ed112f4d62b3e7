# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What GitHub runs is what stands in noxfile.py and in the matrix."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.matrix.rows import ROWS

from .test_sessions import sessions

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# Those that look at something or are to be watched, and those that only make something for whoever calls them.
FOR_PEOPLE = {"bench", "campaign", "changelog", "contract", "demo", "demo-opensearch", "molecule", "unit"}


PUBLISHES = ("pages", "publish")
"""The workflow and its job that may do more than read."""


def jobs(name: str) -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))
    return loaded["jobs"]


def over(job: dict[str, Any]) -> dict[str, Any]:
    """What a job is repeated for."""
    matrix: dict[str, Any] = job["strategy"]["matrix"]
    return matrix


def called() -> set[str]:
    """The targets of make that the workflows run."""
    named = {name for file in FILES for name in re.findall(r"make ([a-z-]+)", file.read_text(encoding="utf-8"))}
    listed = [*over(jobs("checks")["check"])["session"], *over(jobs("thorough")["test"])["session"]]
    return named | {session.split()[0] for session in listed}


def test_every_session_that_checks_is_run_and_nothing_else() -> None:
    assert called() == set(sessions()) - FOR_PEOPLE


def test_sanity_is_run_with_every_supported_ansible_core() -> None:
    ran = [one["core"] for one in over(jobs("checks")["sanity"])["include"]]
    assert ran == list(dict.fromkeys(row.core for row in ROWS))


def test_every_change_is_tried_with_the_rows_for_that_and_every_week_with_all() -> None:
    assert over(jobs("checks")["matrix"])["core"] == [row.core for row in ROWS if row.ci]
    assert over(jobs("thorough")["matrix"])["core"] == list(dict.fromkeys(row.core for row in ROWS))


@pytest.mark.parametrize(("name", "job"), [("checks", "sanity"), ("checks", "matrix"), ("thorough", "matrix")])
def test_every_python_of_the_matrix_is_set_up(name: str, job: str) -> None:
    (given,) = (step["with"]["python-version"] for step in jobs(name)[job]["steps"] if "python-version" in step.get("with", {}))
    assert {python for row in ROWS for python in (row.python, row.target)} <= set(given.split())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_workflow_may_read_the_checkout_and_nothing_more(file: Path) -> None:
    loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert loaded["permissions"] == {}
    assert all(job["permissions"] == {"contents": "read"} for name, job in loaded["jobs"].items() if (file.stem, name) != PUBLISHES)


def test_what_publishes_the_pages_may_do_that_only_and_runs_nothing_of_the_checkout() -> None:
    publish, build = jobs("pages")["publish"], jobs("pages")["build"]
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert [step["uses"].split("@")[0] for step in publish["steps"]] == ["actions/deploy-pages"]
    assert publish["needs"] == "build" and [step["run"] for step in build["steps"] if "run" in step] == ["make docs"]
    (handed_on,) = [step["with"]["path"] for step in build["steps"] if "/upload-pages-artifact@" in step.get("uses", "")]
    assert handed_on == "tests/output/docs/html"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_action_is_pinned_by_its_commit(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text(encoding="utf-8"))
    assert used and all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in used)
