# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer of a deprovision is lost: it is sent once while the server is at it, and looking shows the outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.faults import PROXY_PAGE

from .helpers import Environment, Modules, Playbooks, Played, by_kind, deprovision, deprovisions, environment, existing

KINDS = ("connector", "agent", "index")

# How the answer is lost: after the work was done, or while the server goes on with it.
LOSSES: dict[str, Callable[[Any], None]] = {
    "reset after": lambda sim: sim.faults.cut("POST", "_deprovision", "reset", when="after"),
    "html after": lambda sim: sim.faults.cut("POST", "_deprovision", "html", when="after"),
    "empty after": lambda sim: sim.faults.cut("POST", "_deprovision", "empty", when="after"),
    "truncated": lambda sim: sim.faults.cut("POST", "_deprovision", "truncate"),
    "502 after": lambda sim: sim.faults.answer("POST", "_deprovision", 502, PROXY_PAGE, "text/html", when="after"),
    "503 after": lambda sim: sim.faults.answer("POST", "_deprovision", 503, "", "text/plain", when="after"),
    "504 after": lambda sim: sim.faults.answer("POST", "_deprovision", 504, PROXY_PAGE, "text/html", when="after"),
    "reset during": lambda sim: sim.faults.cut("POST", "_deprovision", "reset", when="during"),
    "502 during": lambda sim: sim.faults.answer("POST", "_deprovision", 502, PROXY_PAGE, "text/html", when="during"),
    "504 during": lambda sim: sim.faults.answer("POST", "_deprovision", 504, PROXY_PAGE, "text/html", when="during"),
    "silence": lambda sim: sim.faults.cut("POST", "_deprovision", "silence", when="during"),
}


@pytest.fixture(scope="module")
def lost(cluster: Callable[..., Any], modules: Modules) -> tuple[Played, dict[str, tuple[Any, Environment]]]:
    """Every loss on a cluster of its own, whose server takes its time: 0.7 s for these three resources."""
    sims, tasks = {}, []
    for name, lose in LOSSES.items():
        sim = cluster(clock=0.5)
        made = environment(sim, "w", KINDS)
        lose(sim)
        sims[name] = sim, made
        timeout = 3 if name == "silence" else 30
        tasks.append(deprovision(name, sim.url, "w", allow_delete=made.named, wait_timeout=timeout))
    return modules.run(tasks), sims


@pytest.mark.parametrize("name", LOSSES)
def test_a_deprovision_whose_answer_is_lost_is_sent_once_and_looking_shows_what_it_did(
    name: str, lost: tuple[Played, dict[str, tuple[Any, Environment]]]
) -> None:
    result, (sim, made) = lost[0][name], lost[1][name]
    assert not result["failed"] and result["changed"], result["msg"]
    assert by_kind(result) == dict.fromkeys(KINDS, "deleted")
    assert existing(sim, made) == set()
    assert sim.state("w")["state"] == "NOT_STARTED"
    assert len(deprovisions(sim, "w")) == 1
    assert max(sim.in_flight_max.values()) == 1


def test_a_deprovision_that_outlasts_wait_timeout_is_unknown_and_is_not_sent_again(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """The server is still at it: nobody can say yet what will be left."""
    sim = cluster(clock=1.0)
    made = environment(sim, "w", KINDS)
    sim.faults.outlast("delete_index", made.ids["index"])  # 10 s
    result = playbooks.run([deprovision("task", sim.url, "w", allow_delete=made.named, wait_timeout=2)])["task"]
    assert result["failed"]
    assert "unknown" in by_kind(result).values()
    assert set(by_kind(result).values()) <= {"unknown", "deleted"}
    assert "still at this workflow" in result["msg"]
    assert len(deprovisions(sim, "w")) == 1


def test_what_a_lost_deprovision_left_is_sent_for_again(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """The connection breaks before the server has begun: looking shows that all is there, and nobody is at it."""
    sim = cluster()
    made = environment(sim, "w", KINDS)
    sim.faults.cut("POST", "_deprovision", "reset")
    result = playbooks.run([deprovision("task", sim.url, "w", allow_delete=made.named)])["task"]
    assert not result["failed"] and result["workflows"][0]["attempts"] == 2
    assert existing(sim, made) == set()


def test_every_deprovision_carries_a_mark_that_names_its_workflow(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """So that everybody who looks at the tasks of the cluster sees whose it is, and where it is at."""
    sim = cluster()
    for name in ("a", "b"):
        environment(sim, name, ("connector",))
    playbooks.run([deprovision("task", sim.url, ["a", "b"])])
    marks = [request.opaque_id.split("/") for request in deprovisions(sim)]
    assert [mark[0] for mark in marks] == ["opensearch_ops.flow_framework"] * 2
    assert marks[0][1] == marks[1][1] != ""
    assert sorted(mark[2] for mark in marks) == ["a", "b"]
