# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reaper takes what nobody has touched for a while, within limits, and only what is named; a scan only says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .helpers import GROUP, NAMED, Environment, Playbooks, RoleRuns, environment, existing, role, template, writes

DAY = 86_400_000
EVAL = "pr-{{ 7 * 7 }}"
pytestmark = [pytest.mark.slow, pytest.mark.extended]

LIMITS: dict[str, Any] = {"max_workflows": 2, "max_documents": "100"}


def aged(sim: Any, workflow_id: str, days: float, name: str | None = None, **times: int | None) -> Environment:
    """An environment of an index and a connector that was provisioned that many days ago; ``times`` of its template, if others."""
    made = environment(sim, workflow_id, ("connector", "index"))
    begun = int(time.time() * 1000 - days * DAY)
    sim.world.put("index", made.ids["index"], documents=12, creation_date=begun)
    template_times = {"created_time": begun, "last_updated_time": begun, **times}
    sim.load({**made.state, "provision_start_time": begun, "provision_end_time": begun}, {**template(name or workflow_id), **template_times})
    return made


@pytest.fixture(scope="module")
def run(cluster: Callable[..., Any], playbooks: Playbooks, tmp_path_factory: pytest.TempPathFactory) -> RoleRuns:
    sim = cluster(cluster_name="preview")
    now = int(time.time() * 1000)
    made = {
        "old": aged(sim, "old", 8, EVAL),
        "young": aged(sim, "young", 6, "pr-young"),
        "updated": aged(sim, "updated", 30, "pr-updated", last_updated_time=now - 6 * DAY),
        "other": aged(sim, "other", 30, "production"),
        "timeless": aged(sim, "timeless", 0, "pr-timeless"),
    }
    without = {key: value for key, value in made["timeless"].state.items() if not key.endswith("_time")}
    sim.load(without, {**template("pr-timeless"), "created_time": None, "last_updated_time": None})
    folder = tmp_path_factory.mktemp("reap") / "reports"
    tasks = [
        role("everything", folder, "reap", **LIMITS, name=["pr-*", "[a-z]*?"]),
        role("unlimited", folder, "reap", name="pr-*", max_workflows="", max_documents=100),
        role("all names", folder, "reap", **LIMITS, name="pr-*", allow_delete_like="*"),
        role("all of a kind", folder, "reap", **LIMITS, name="pr-*", allow_delete_like="old-*,index/*"),
        role("scan", folder, "reap", **LIMITS, name="pr-*", scan="true", allow_delete_like="pr-*"),
        role("too much", folder, "reap", name="pr-*", max_workflows=0, max_documents=100, allow_delete_like="old-*"),
        role("reap", folder, "reap", **LIMITS, name="pr-*", allow_delete_like="old-*"),
        role("nothing left", folder, "reap", **LIMITS, name="pr-*", scan=True),
    ]
    before = len(writes(sim))
    played = playbooks.run(tasks, play={"module_defaults": {GROUP: {"url": sim.url}}})
    assert before == 0
    return RoleRuns(sim, played, folder, made)


def test_without_a_name_or_a_limit_it_reads_nothing(run: RoleRuns) -> None:
    assert "have to hold more than wildcards" in run.failed("everything")
    assert "needs environment_teardown_max_workflows" in run.failed("unlimited")
    assert "have to hold more than wildcards" in run.failed("all names")
    assert "have to hold more than wildcards" in run.failed("all of a kind")
    assert not [name for name in ("everything", "unlimited", "all names", "all of a kind") if (run.folder / f"{name}.json").exists()]


def test_a_scan_fails_over_what_is_overdue_and_names_it(run: RoleRuns) -> None:
    """By a name from the cluster, which nothing evaluates."""
    said = f"Overdue: 1, nothing was deleted: {EVAL} old. Refused, nothing was deleted. Not named in allow_delete: index old-docs."
    assert run.failed("scan").startswith(said)
    assert run.report("scan")["overdue"] == [f"{EVAL} old"]


def test_a_limit_holds(run: RoleRuns) -> None:
    assert "max_workflows is 0" in run.failed("too much")


def test_what_is_old_by_all_of_its_times_is_gone_and_nothing_else(run: RoleRuns) -> None:
    """Not what was provisioned or changed in the last seven days, what has another name, or what has no time at all."""
    assert run.failed("reap") == ""
    assert run.report("reap")["asked"]["choose"] == {"unchanged_for": "7d", "name": ["pr-*"]}
    assert run.report("reap")["asked"]["options"]["allow_delete"] == ["old-docs"], "patterns have become names"
    left = {name: existing(run.sim, one) for name, one in run.environments.items()}
    assert left.pop("old") == set()
    assert left == {name: {"connector", "index"} for name in left}


def test_only_the_reap_sent_anything_that_changes_something(run: RoleRuns) -> None:
    assert len(writes(run.sim)) == 1


def test_a_scan_of_what_has_been_reaped_finds_nothing(run: RoleRuns) -> None:
    assert run.failed("nothing left") == "" and run.report("nothing left")["status"] == "planned"


def test_no_wildcard_stands_for_the_kind_that_tells_namesakes_apart(cluster: Callable[..., Any], playbooks: Playbooks, tmp_path: Path) -> None:
    """An index and two pipelines of one name go by the name, or by the kind that a pattern says."""
    sim = cluster()
    environment(sim, "pr-17", NAMED, ids=dict.fromkeys(NAMED, "customers"))
    given = {"name": "pr-*", "unchanged_for": "0s", "scan": True}
    fits = {"i*": [], "s*": [], "index/c*": ["index/customers"], "?ustomers": ["index/customers", "ingest_pipeline/customers", "search_pipeline/customers"]}
    tasks = [role(f"scan {number}", tmp_path, "reap", **LIMITS, **given, allow_delete_like=pattern) for number, pattern in enumerate(fits)]
    played = playbooks.run(tasks, play={"module_defaults": {GROUP: {"url": sim.url}}})
    runs = RoleRuns(sim, played, tmp_path, {})
    assert [runs.report(f"scan {number}")["asked"]["options"].get("allow_delete", []) for number in range(len(fits))] == list(fits.values())
