# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server cannot delete (its 202) makes the task fail, changed, and is named with its cause."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from .helpers import Playbooks, Played, by_kind, deprovision, environment, existing, resource


@pytest.fixture(scope="module")
def partly(cluster: Callable[..., Any], playbooks: Playbooks) -> tuple[Played, Any, dict[str, Any]]:
    sim = cluster()
    made = {name: environment(sim, name) for name in ("denied", "readonly", "outside", "healthy")}
    sim.faults.deny("delete_ingest_pipeline", "denied-embed")
    sim.world.put("index", "readonly-docs", documents=3, read_only=True)
    sim.world.put("model", "foreign", connector_id="outside_connector", name="of somebody else")
    every = [name for one in made.values() for name in one.named]
    tasks = [deprovision(name, sim.url, name, allow_delete=made[name].named, on_shared="delete") for name in ("denied", "readonly", "outside")]
    for name in ("again", "also"):
        made[name] = environment(sim, name)
        every += made[name].named
    sim.world.put("index", "again-docs", read_only=True)
    tasks.append(deprovision("several", sim.url, ["again", "also", "healthy"], allow_delete=every))
    return playbooks.run(tasks), sim, made


LEFT = {
    "denied": ("ingest_pipeline", "these credentials"),
    "readonly": ("index", "index.blocks.read_only"),
    "outside": ("connector", r"model/foreign \(of somebody else\)"),
}


@pytest.mark.parametrize("name", LEFT)
def test_a_partial_failure_says_which_are_gone_and_which_are_not_and_why(name: str, partly: tuple[Played, Any, dict[str, Any]]) -> None:
    played, sim, made = partly
    result, (left, cause) = played[name], LEFT[name]
    assert result["failed"] and result["changed"]
    want = dict.fromkeys(made[name].ids, "deleted") | {"model_group": "retained", left: "failed"}
    assert by_kind(result) == want
    assert existing(sim, made[name]) == {left, "model_group"}
    assert re.search(cause, resource(result, left)["msg"])
    assert re.search(cause, result["msg"])
    assert made[name].ids[left] in result["msg"]
    assert {one["kind"] for one in result["remaining"]} == {left, "model_group"}
    assert result["workflows"][0]["failed"]


def test_one_workflow_that_fails_does_not_stop_the_others(partly: tuple[Played, Any, dict[str, Any]]) -> None:
    played, sim, made = partly
    result = played["several"]
    assert result["failed"] and result["changed"]
    assert [one["failed"] for one in result["workflows"]] == [True, False, False]
    assert existing(sim, made["again"]) == {"index", "model_group"}
    assert existing(sim, made["also"]) == existing(sim, made["healthy"]) == {"model_group"}
