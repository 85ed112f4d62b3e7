# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode sends reads only, and predicts what the real run then does."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from .helpers import (
    Environment,
    Playbooks,
    Played,
    deprovision,
    environment,
    everything,
    in_check_mode,
    info,
    state,
    statuses,
    template,
    writes,
)

NAMED = ["w-docs", "w-embed", "w-hybrid"]
GUARDS = {
    "protect": ["w-*"],
    "max_workflows": 0,
    "max_documents": 3,
    "expect_cluster": "another",
    "plan_hash": "0" * 64,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "nothing allowed": {},
    "all allowed": {"allow_delete": NAMED},
    "keep, in no time": {"on_blocked": "keep", "wait_timeout": 1, "task_timeout": 1},
    "every guard refuses": {"allow_delete": NAMED, "on_missing": "fail", **GUARDS},
}


def test_check_mode_sends_reads_only_whatever_the_options(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    sim = cluster()
    environment(sim, "w")
    before = everything(sim, "w")
    tasks = [in_check_mode(deprovision(name, sim.url, ["w", "unknown"], **options)) for name, options in OPTIONS.items()]
    played = playbooks.run([*tasks, info("information", sim.url, ["w", "unknown"])])
    assert set(played.results) == {*OPTIONS, "information"}
    assert len(sim.requests("GET", "/w/_status")) >= len(tasks)  # each has looked
    assert writes(sim) == []
    assert everything(sim, "w") == before


def whole(sim: Any, workflow_id: str) -> Environment:
    return environment(sim, workflow_id)


def gone_before(sim: Any, workflow_id: str) -> Environment:
    """Index, model and connector were deleted by hand: the server never gets over the index and the model."""
    made = environment(sim, workflow_id)
    for kind in ("model", "connector", "index"):
        sim.world.remove(kind, made.ids[kind])
    return made


def all_gone_before(sim: Any, workflow_id: str) -> Environment:
    """Nothing is left, and the server can get over it."""
    made = environment(sim, workflow_id, ("connector", "agent", "model_group"))
    sim.world.remove("connector", made.ids["connector"])
    sim.world.remove("agent", made.ids["agent"])
    return made


def read_only(sim: Any, workflow_id: str) -> Environment:
    made = environment(sim, workflow_id)
    sim.world.put("index", made.ids["index"], documents=3, read_only=True)
    return made


def alias_in_place(sim: Any, workflow_id: str) -> Environment:
    """Somebody re-indexed, and put an alias where the index was."""
    made = environment(sim, workflow_id)
    sim.world.remove("index", made.ids["index"])
    sim.world.put("index", f"{workflow_id}-real", documents=3)
    sim.world.put("alias", made.ids["index"], index=f"{workflow_id}-real")
    return made


def connector_in_use(sim: Any, workflow_id: str) -> Environment:
    made = environment(sim, workflow_id)
    sim.world.put("model", f"{workflow_id}-foreign", connector_id=made.ids["connector"])
    return made


def only_deployed(sim: Any, workflow_id: str) -> Environment:
    """The workflow only deploys a model that was there before."""
    made = environment(sim, workflow_id, ("index",))
    sim.world.put("model", f"{workflow_id}-model", state="DEPLOYED")
    deploy = {"workflow_step_name": "deploy_model", "workflow_step_id": "deploy", "resource_type": "model_id"}
    recorded = [*made.state["resources_created"], {**deploy, "resource_id": f"{workflow_id}-model"}]
    sim.load(state(workflow_id, recorded), template(workflow_id))
    return made


def failed_with_nothing(sim: Any, workflow_id: str) -> None:
    sim.load({**state(workflow_id, (), "FAILED"), "error": "no"}, template(workflow_id))


def not_started(sim: Any, workflow_id: str) -> None:
    sim.load(
        {"workflow_id": workflow_id, "state": "NOT_STARTED", "provisioning_progress": "NOT_STARTED"},
        template(workflow_id),
    )


def without_template(sim: Any, workflow_id: str) -> Environment:
    made = environment(sim, workflow_id, ("index", "connector"))
    delete_template(sim, workflow_id)
    return made


def delete_template(sim: Any, workflow_id: str) -> None:
    """As a user does it: the state stays."""
    target = f"{sim.url}/_plugins/_flow_framework/workflow/{workflow_id}"
    urllib.request.urlopen(urllib.request.Request(target, method="DELETE"), timeout=10).close()


def missing(sim: Any, workflow_id: str) -> None:
    """No such workflow."""


def step_unknown(sim: Any, workflow_id: str) -> Environment:
    """A step of another build: the server would never answer."""
    made = environment(sim, workflow_id, ("connector",))
    odd = {"workflow_step_name": "create_odd", "workflow_step_id": "o", "resource_type": "odd_id", "resource_id": "odd"}
    sim.load(state(workflow_id, [*made.state["resources_created"], odd]), template(workflow_id))
    return made


# How the environment of each workflow is put there, by the task that tears it down.
TASKS: dict[str, dict[str, Callable[[Any, str], Environment | None]]] = {
    "allowed": {
        "whole": whole,
        "gone-before": gone_before,
        "all-gone-before": all_gone_before,
        "read-only": read_only,
        "alias-in-place": alias_in_place,
        "connector-in-use": connector_in_use,
        "only-deployed": only_deployed,
        "failed-with-nothing": failed_with_nothing,
        "not-started": not_started,
        "without-template": without_template,
        "missing": missing,
        "step-unknown": step_unknown,
    },
    "kept": {"keep": whole},
    "refused": {"blocked": whole, "blocked-too": whole},
    "protected": {"protected": whole},
    "nothing to do": {"started-never": not_started, "nowhere": missing},
}
OPTIONS_OF: dict[str, dict[str, Any]] = {
    "allowed": {"on_shared": "delete"},
    "kept": {"on_blocked": "keep", "allow_delete": []},
    "refused": {"allow_delete": ["blocked-docs", "blocked-embed"]},
    "protected": {"protect": ["*-docs"]},
}
CASES = [(task, workflow_id) for task, workflows in TASKS.items() for workflow_id in workflows]


@pytest.fixture(scope="module")
def both_runs(cluster: Callable[..., Any], playbooks: Playbooks) -> tuple[Played, Any]:
    """Every task in check mode first, then every task for real."""
    sim = cluster()
    checks, real = [], []
    for name, workflows in TASKS.items():
        made = [prepare(sim, workflow_id) for workflow_id, prepare in workflows.items()]
        named = [id_ for one in made if one is not None for id_ in one.named]
        options = {"allow_delete": named, **OPTIONS_OF.get(name, {})}
        checks.append(in_check_mode(deprovision(f"check {name}", sim.url, list(workflows), **options)))
        real.append({**deprovision(f"real {name}", sim.url, list(workflows), **options), "diff": True})
    return playbooks.run([*checks, *real]), sim


def of_workflow(result: Mapping[str, Any], workflow_id: str, key: str) -> list[dict[str, Any]]:
    """The entries of one workflow."""
    return [one for one in result[key] if one["workflow_id"] == workflow_id]


@pytest.mark.parametrize(("name", "workflow_id"), CASES)
def test_check_mode_predicts_the_real_run(name: str, workflow_id: str, both_runs: tuple[Played, Any]) -> None:
    """Of every resource its status, whether it changes and whether it fails; of the workflow the state afterwards."""
    played, _other = both_runs
    for key in ("resources", "workflows"):
        predicted, real = (of_workflow(played[f"{run} {name}"], workflow_id, key) for run in ("check", "real"))
        assert [comparable(one) for one in predicted] == [comparable(one) for one in real]


def comparable(one: Mapping[str, Any]) -> dict[str, Any]:
    """An entry without its words and times; what would be deleted is what is deleted."""
    names = ("kind", "id", "uuid", "status", "changed", "failed", "documents", "state_before", "state_after")
    return {name: "deleted" if one[name] == "would_delete" else one[name] for name in names if name in one}


@pytest.mark.parametrize("name", TASKS)
def test_check_mode_predicts_changed_failed_hash_and_diff(name: str, both_runs: tuple[Played, Any]) -> None:
    predicted, real = both_runs[0][f"check {name}"], both_runs[0][f"real {name}"]
    for key in ("changed", "failed", "blocked", "plan_hash", "diff"):
        assert predicted[key] == real[key], key


def test_the_cases_end_in_every_way(both_runs: tuple[Played, Any]) -> None:
    """Else the comparison above would compare little."""
    played, _other = both_runs
    seen = {status for name in TASKS for status in statuses(played[f"real {name}"]).values()}
    assert seen == {"deleted", "absent", "retained", "blocked", "kept", "untouched", "failed"}
    ends = {(played[f"real {name}"]["changed"], played[f"real {name}"]["failed"]) for name in TASKS}
    assert ends == {(False, False), (False, True), (True, False), (True, True)}


def test_what_is_said_to_be_deleted_is_gone_and_nothing_else(both_runs: tuple[Played, Any]) -> None:
    played, sim = both_runs
    for name in TASKS:
        for one in played[f"real {name}"]["resources"]:
            if one["kind"] != "other":
                there = sim.world.get(one["kind"], one["id"]) is not None or sim.world.get("alias", one["id"]) is not None
                assert there == (one["status"] not in ("deleted", "absent")), one


def test_diff_shows_the_resources_before_and_after(both_runs: tuple[Played, Any]) -> None:
    played, _other = both_runs
    diff = played["check kept"]["diff"]
    assert diff["before"] == (
        "keep: COMPLETED\n  agent keep-agent\n  connector keep_connector\n  index keep-docs (12 documents)\n"
        "  ingest pipeline keep-embed\n  model group keep-model_group\n  model keep-model\n"
        "  search pipeline keep-hybrid\n"
    )
    assert diff["after"] == (
        "keep: COMPLETED\n  index keep-docs (12 documents)\n  ingest pipeline keep-embed\n  model group keep-model_group\n  search pipeline keep-hybrid\n"
    )
    assert "-  agent keep-agent" in played.output  # and Ansible prints it
