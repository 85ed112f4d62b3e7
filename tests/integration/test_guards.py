# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each guard refuses before anything is deleted, and says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .helpers import Modules, Playbooks, Played, Task, deprovision, environment, everything, existing, in_check_mode, template, writes

# The options of each guard, and what its refusal has to say.
GUARDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "protect a resource": ({"protect": ["g-em*"]}, ["ingest pipeline g-embed", "'g-em*'", "protect"]),
    "protect a connector": ({"protect": ["g_connector"]}, ["connector g_connector", "protect"]),
    "protect a workflow id": ({"protect": ["g"]}, ["'g'", "protect"]),
    "protect a workflow name": ({"protect": ["Produc????"]}, ["'Produc????'", "protect"]),
    "max_workflows": ({"max_workflows": 1}, ["would be torn down: 2", "max_workflows is 1"]),
    "max_documents": ({"max_documents": 11}, ["Index g-docs holds 12 documents", "max_documents is 11"]),
    "max_documents, unknown": ({"max_documents": 1000}, ["Index h-docs holds an unknown number", "max_documents"]),
    "expect_cluster": (
        {"expect_cluster": "production"},
        ["This is cluster preview", "not production", "expect_cluster"],
    ),
    "plan_hash": ({"plan_hash": "0" * 64}, ["plan_hash is 0000", "another plan, or the cluster has changed"]),
}


@pytest.fixture(scope="module")
def refused(cluster: Callable[..., Any], modules: Modules) -> tuple[Played, Any, dict[str, Any]]:
    """Every guard over two workflows. The index of the second is closed: nobody knows how much it holds."""
    sim = cluster(cluster_name="preview")
    made = [environment(sim, "g"), environment(sim, "h")]
    sim.load(made[0].state, template("Production"))
    sim.world.put("index", "h-docs", documents=5, closed=True)
    every = [*made[0].named, *made[1].named]
    before = everything(sim, "g", "h")
    tasks = [deprovision(name, sim.url, ["g", "h"], allow_delete=every, **options) for name, (options, _other) in GUARDS.items()]
    return modules.run(tasks), sim, before


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_refuses_and_says_why(name: str, refused: tuple[Played, Any, dict[str, Any]]) -> None:
    result = refused[0][name]
    assert result["failed"] and not result["changed"]
    assert result["msg"].startswith("Refused, nothing was deleted.")
    assert all(words in result["msg"] for words in GUARDS[name][1]), result["msg"]
    assert {one["status"] for one in result["resources"]} <= {"untouched", "blocked", "retained"}


def test_a_guard_refuses_before_anything_is_deleted(refused: tuple[Played, Any, dict[str, Any]]) -> None:
    _played, sim, before = refused
    assert writes(sim) == []
    assert everything(sim, "g", "h") == before


def test_a_guard_that_is_kept_to_lets_the_teardown_through(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    sim = cluster(cluster_name="preview")
    first, second = environment(sim, "first"), environment(sim, "second", documents=0)
    kept_to = {"protect": ["prod-*"], "max_workflows": 1, "max_documents": 12}
    by_name = deprovision("by name", sim.url, "first", allow_delete=first.named, expect_cluster="preview", **kept_to)
    uuid = "{{ by_name.server.cluster_uuid }}"
    by_uuid = deprovision("by uuid", sim.url, "second", allow_delete=second.named, expect_cluster=uuid, **kept_to)
    played = playbooks.run([{**by_name, "register": "by_name"}, by_uuid])
    assert not played["by name"]["failed"] and not played["by uuid"]["failed"]
    assert existing(sim, first) == existing(sim, second) == {"model_group"}


def test_the_hash_of_check_mode_lets_the_same_plan_through(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """Whatever the documents, the times and the guards are meanwhile."""
    sim = cluster()
    made = environment(sim, "w")
    plan = {**in_check_mode(deprovision("plan", sim.url, "w", allow_delete=made.named)), "register": "plan"}
    write = {
        "name": "write a document",
        "ansible.builtin.uri": {
            "url": f"{sim.url}/w-docs/_doc",
            "method": "POST",
            "body_format": "json",
            "body": {},
            "status_code": [200, 201],
        },
    }
    options = {"allow_delete": list(reversed(made.named)), "plan_hash": "{{ plan.plan_hash }}", "max_documents": 100}
    played = playbooks.run([plan, write, deprovision("real", sim.url, "w", **options)])
    assert not played["plan"]["failed"] and len(played["plan"]["plan_hash"]) == 64
    assert not played["real"]["failed"] and played["real"]["changed"]
    assert existing(sim, made) == {"model_group"}


def test_the_hash_lets_no_other_plan_through(cluster: Callable[..., Any], modules: Modules) -> None:
    """Not when another option decides, on another cluster, or when an index was made anew or a resource has gone."""
    sim, elsewhere = cluster(), cluster()
    made = environment(sim, "w")
    environment(elsewhere, "w")
    plan = in_check_mode(deprovision("plan", sim.url, "w", allow_delete=made.named))
    planned = modules.run([plan])["plan"]["plan_hash"]
    options = {"allow_delete": made.named, "plan_hash": planned}

    def refused_by_the_hash(*tasks: Task) -> None:
        for name, result in modules.run(tasks).results.items():
            assert result["failed"] and "plan_hash is" in result["msg"], name

    refused_by_the_hash(
        deprovision("keeps", sim.url, "w", **options, on_blocked="keep"),
        deprovision("names more", sim.url, "w", **{**options, "allow_delete": [*made.named, "more"]}),
        deprovision("two workflows", sim.url, ["w", "v"], **options),
        deprovision("another cluster", elsewhere.url, "w", **options),
    )
    sim.world.put("index", "w-docs")
    refused_by_the_hash(deprovision("index made anew", sim.url, "w", **options))
    assert modules.run([plan])["plan"]["plan_hash"] != planned
    sim.world.remove("agent", "w-agent")
    refused_by_the_hash(deprovision("agent gone", sim.url, "w", **options))
    assert writes(sim) == writes(elsewhere) == []
