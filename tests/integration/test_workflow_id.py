# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be given as workflow_id: one, several, none; never an empty one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .helpers import DEPROVISION, INFO, Playbooks, Played, deprovision, environment, everything, existing, task

# What is given, and what the refusal says.
ERRORS: dict[str, tuple[Any, str]] = {
    "empty": ("", "holds an empty id"),
    "blank": (" ", "holds an empty id"),
    "tab": ("\t", "holds an empty id"),
    "a list with an empty one": (["w", ""], "holds an empty id"),
    "a list with a blank one": ([" ", "w"], "holds an empty id"),
    "a variable that is empty": ("{{ unset | default('') }}", "holds an empty id"),
    "a variable that is null": ("{{ nothing }}", "workflow_id"),
    "an undefined variable": ("{{ never_defined }}", "never_defined"),
    "a list with an undefined variable": (["w", "{{ never_defined }}"], "never_defined"),
    "a path": ("../x", "is no workflow id"),
    "a pattern": ("w*", "is no workflow id"),
    "_all with a comma": ("w, x", "is no workflow id"),
}
MODULES = {"deprovision": DEPROVISION, "info": INFO}
NARROWING = ("name", "use_case", "owner", "older_than", "newer_than", "resource_id", "orphaned")
# The modules share how ids are read: for the second a few will do.
CASES = [("deprovision", name) for name in ERRORS] + [
    ("info", "a list with an empty one"),
    ("info", "a variable that is null"),
]


@pytest.fixture(scope="module")
def wrong(cluster: Callable[..., Any], playbooks: Playbooks) -> tuple[Played, Any, dict[str, Any]]:
    sim = cluster()
    environment(sim, "w", ("connector",))
    before = everything(sim, "w")
    tasks = [
        task(f"{kind}: {name}", module, {"url": sim.url, "workflow_id": given})
        for kind, module in MODULES.items()
        for name, (given, _other) in ERRORS.items()
        if (kind, name) in CASES
    ]
    tasks.append(task("deprovision: not given", DEPROVISION, {"url": sim.url}))
    tasks += [task(f"info: {option} is null", INFO, {"url": sim.url, option: "{{ nothing }}"}) for option in NARROWING]
    return playbooks.run(tasks, play={"vars": {"nothing": None}}, timeout=200), sim, before


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_an_id_that_is_none_is_an_error(kind: str, name: str, wrong: tuple[Played, Any, dict[str, Any]]) -> None:
    result = wrong[0][f"{kind}: {name}"]
    assert result["failed"] and not result.get("changed")
    assert ERRORS[name][1] in result["msg"]


def test_workflow_id_has_to_be_given(wrong: tuple[Played, Any, dict[str, Any]]) -> None:
    assert "missing required arguments: workflow_id" in wrong[0]["deprovision: not given"]["msg"]


@pytest.mark.parametrize("option", NARROWING)
def test_a_filter_that_is_null_is_an_error_and_chooses_nothing(option: str, wrong: tuple[Played, Any, dict[str, Any]]) -> None:
    """It would let everything through."""
    result = wrong[0][f"info: {option} is null"]
    assert result["failed"] and option in result["msg"] and not result.get("workflows")


def test_with_an_id_that_is_none_nothing_is_even_read(wrong: tuple[Played, Any, dict[str, Any]]) -> None:
    _played, sim, before = wrong
    assert list(sim.requests()) == []
    assert everything(sim, "w") == before


@pytest.fixture(scope="module")
def several(cluster: Callable[..., Any], playbooks: Playbooks) -> tuple[Played, Any, dict[str, Any]]:
    sim = cluster()
    made = {name: environment(sim, name) for name in ("a", "b", "c", "e")}
    made["-d_"] = environment(sim, "-d_", ("connector", "agent"))
    every = [name for one in made.values() for name in one.named]
    tasks = [
        deprovision("no workflow", sim.url, []),
        task("no workflow, info", INFO, {"url": sim.url, "workflow_id": []}),
        deprovision("three", sim.url, ["c", "a", "b"], allow_delete=every),
        deprovision("one twice", sim.url, ["-d_", "-d_"], allow_delete=every),
        task("by its alias", DEPROVISION, {"url": sim.url, "workflow_ids": "e", "allow_delete": every}),
    ]
    return playbooks.run(tasks), sim, made


def test_an_empty_list_is_fine_and_does_nothing(several: tuple[Played, Any, dict[str, Any]]) -> None:
    for name in ("no workflow", "no workflow, info"):
        result = several[0][name]
        assert not result["failed"] and not result["changed"]
        assert result["workflows"] == result["resources"] == []
    assert "the list is empty" in several[0]["no workflow"]["msg"]


def test_several_workflows_are_torn_down_and_reported_in_their_order(
    several: tuple[Played, Any, dict[str, Any]],
) -> None:
    played, sim, made = several
    result = played["three"]
    assert not result["failed"]
    assert [one["workflow_id"] for one in result["workflows"]] == ["c", "a", "b"]
    assert all(existing(sim, made[name]) == {"model_group"} for name in "abc")
    assert result["summary"]["deleted"] == 18


def test_a_workflow_that_is_named_twice_is_torn_down_once(several: tuple[Played, Any, dict[str, Any]]) -> None:
    played, sim, made = several
    assert not played["one twice"]["failed"]
    assert [one["workflow_id"] for one in played["one twice"]["workflows"]] == ["-d_"]
    assert len(sim.requests("POST", "/-d_/_deprovision")) == 1
    assert existing(sim, made["-d_"]) == set()


def test_workflow_ids_is_an_alias(several: tuple[Played, Any, dict[str, Any]]) -> None:
    played, sim, made = several
    assert not played["by its alias"]["failed"]
    assert existing(sim, made["e"]) == {"model_group"}
