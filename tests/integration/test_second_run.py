# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second run changes nothing, and sends nothing where there is nothing to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .helpers import (
    Modules,
    Playbooks,
    Played,
    deprovision,
    deprovisions,
    environment,
    state,
    statuses,
    template,
    warnings,
    writes,
)


@pytest.fixture(scope="module")
def twice(cluster: Callable[..., Any], modules: Modules) -> tuple[Played, Any]:
    """Everything twice: a whole environment, one that keeps, one with an index gone, one that only failed."""
    sim = cluster()
    made = {name: environment(sim, name) for name in ("whole", "keep", "stale")}
    sim.world.remove("index", "stale-docs")
    sim.load(state("reset", (), "FAILED"), template("reset"))
    options: dict[str, dict[str, Any]] = {
        "whole": {"allow_delete": made["whole"].named},
        "keep": {"on_blocked": "keep"},
        "stale": {"allow_delete": made["stale"].named},
        "reset": {},
    }
    tasks = [deprovision(f"{run} {name}", sim.url, name, **options[name]) for run in ("first", "second") for name in options]
    return modules.run(tasks), sim


@pytest.mark.parametrize("name", ["whole", "keep", "stale", "reset"])
def test_a_second_run_changes_nothing(name: str, twice: tuple[Played, Any]) -> None:
    played, sim = twice
    first, second = played[f"first {name}"], played[f"second {name}"]
    assert not first["failed"] and first["changed"]
    assert not second["failed"] and not second["changed"]
    assert second["workflows"][0]["attempts"] == 0
    assert len(deprovisions(sim, name)) == first["workflows"][0]["attempts"]


def test_nothing_is_sent_where_nothing_is_recorded_and_the_state_is_not_started(
    twice: tuple[Played, Any], cluster: Callable[..., Any], playbooks: Playbooks
) -> None:
    played, sim = twice
    assert sim.state("whole")["state"] == "NOT_STARTED"
    assert played["second whole"]["resources"] == []
    sim.clear_log()
    again = playbooks.run([deprovision("third", sim.url, "whole")])["third"]
    assert not again["changed"]
    assert len(sim.requests("GET", "/whole/_status")) >= 1
    assert writes(sim) == []


def test_a_failed_workflow_with_nothing_recorded_is_reset(twice: tuple[Played, Any]) -> None:
    played, sim = twice
    (workflow,) = played["first reset"]["workflows"]
    assert (workflow["state_before"], workflow["state_after"], workflow["changed"]) == ("FAILED", "NOT_STARTED", True)
    assert sim.state("reset")["state"] == "NOT_STARTED"


def test_what_is_gone_but_stays_recorded_is_absent_and_said(twice: tuple[Played, Any]) -> None:
    """The server never gets over an index that is gone: it stays recorded, is no failure, and changes nothing."""
    played, sim = twice
    assert statuses(played["first stale"])["index/stale-docs"] == "absent"
    assert statuses(played["second stale"]) == {"index/stale-docs": "absent"}
    assert "stale-docs" in warnings(played["second stale"]) and "still records what is gone" in warnings(played["second stale"])
    assert [entry["resource_id"] for entry in sim.state("stale")["resources_created"]] == ["stale-docs"]
