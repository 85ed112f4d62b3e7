# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check mode predicts is what the real run then does: on the vectors, and on generated worlds."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.campaign.worlds import PROVISIONED, entry
from tests.simulator import Simulator, running

from .helpers import truthful
from .in_process import deprovision

VECTORS = json.loads((Path(__file__).parents[1] / "contract" / "vectors.json").read_text())
# What cannot be known beforehand: missing rights, time-outs, what the server does late (guide_safety, check mode).
UNKNOWABLE = {"connector_access_control", "denied", "outlasts_step_limit", "undeploy_visible_after_attempts"}
PREDICTABLE = [v for v in VECTORS if tuple(map(int, v["server"].split("."))) >= (2, 16) and not UNKNOWABLE & set(v.get("conditions", {}))]
SIMPLE = {
    "connectors": "connector",
    "agents": "agent",
    "indices": "index",
    "ingest_pipelines": "ingest_pipeline",
    "search_pipelines": "search_pipeline",
    "model_groups": "model_group",
}
NUMBERS = itertools.count()
EXAMPLES = int(os.environ.get("EXAMPLES", "25"))  # generated worlds a version


def ids_of(result: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(one["kind"], one["id"]): one["status"] for one in result["resources"]}


def as_done(statuses: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    return {key: "deleted" if status == "would_delete" else status for key, status in statuses.items()}


def assert_as_predicted(predicted: dict[str, Any], real: dict[str, Any]) -> None:
    assert ids_of(real) == as_done(ids_of(predicted)), real["msg"]
    assert (real["changed"], real["failed"]) == (predicted["changed"], predicted["failed"]), (predicted["msg"], real["msg"])
    assert [one["state_after"] for one in real["workflows"]] == [one["state_after"] for one in predicted["workflows"]]
    assert real["plan_hash"] == predicted["plan_hash"]
    assert real["blocked"] == predicted["blocked"]
    assert real["diff"] == predicted["diff"]


def load_vector(sim: Simulator, vector: dict[str, Any]) -> None:
    world = vector["world_before"]
    for plural, kind in SIMPLE.items():
        for name in world.get(plural, ()):
            sim.world.put(kind, name, **({"creation_date": PROVISIONED} if kind == "index" else {}))
    users = vector.get("conditions", {}).get("model_connectors", {})
    for name, state in world.get("models", {}).items():
        sim.world.put("model", name, state=state, connector_id=users.get(name))
    template = {"name": "vector", "workflows": {"provision": {"nodes": []}}} if vector["template_exists"] else None
    if vector["state_before"]:
        sim.load(vector["state_before"], template=template)


@pytest.mark.parametrize("vector", PREDICTABLE, ids=lambda v: f"{v['id']}-{v['server']}")
@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"on_blocked": "keep", "on_shared": "keep"},
        {"on_blocked": "keep", "on_shared": "delete", "stale_records": "recreate"},
        {"on_shared": "delete", "stale_records": "forget", "leftovers": "delete"},
        {"on_shared": "delete", "delete_workflow": True},
    ],
    ids=lambda choices: "-".join(map(str, choices.values())) or "defaults",
)
def test_check_mode_predicts_every_vector(vector: dict[str, Any], choices: dict[str, Any]) -> None:
    named = parse_qs(urlsplit(vector["request"].split(" ", 1)[1]).query).get("allow_delete", [""])[-1]
    workflow_id = vector["request"].split("/workflow/")[1].split("/")[0]
    options = {"workflow_id": [workflow_id], "allow_delete": named.split(","), **choices}
    with running(version=vector["server"], clock=0.0) as sim:
        load_vector(sim, vector)
        predicted = deprovision(sim.urls, check_mode=True, **options)
        assert not [r for r in sim.log if r.method not in ("GET", "HEAD") and not r.path.endswith(("/_search", "/_msearch"))]
        real = deprovision(sim.urls, **options)
        assert_as_predicted(predicted, real)
        truthful(real, sim)


# -- generated worlds ----------------------------------------------------------------------------------------

STEPS = {
    "create_connector": "connector",
    "register_remote_model": "model",
    "register_agent": "agent",
    "register_model_group": "model_group",
    "create_index": "index",
    "create_ingest_pipeline": "ingest_pipeline",
    "create_search_pipeline": "search_pipeline",
}


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    """Entries of one or two workflows with what exists of them; names are made unique when the world is loaded."""
    made: dict[str, Any] = {"workflows": [], "template": draw(st.booleans()), "security": draw(st.booleans())}
    for _workflow in range(draw(st.integers(1, 2))):
        entries: list[dict[str, Any]] = []
        for _entry in range(draw(st.integers(0, 6))):
            step = draw(st.sampled_from(sorted(STEPS)))
            kind = STEPS[step]
            name = draw(st.sampled_from(["docs", "logs", "rank"] if kind.endswith("pipeline") or kind == "index" else ["x", "y"]))
            if any((one["kind"], one["name"]) == (kind, name) for one in entries):
                continue
            one = {"step": step, "kind": kind, "name": name, "exists": draw(st.sampled_from([True, True, True, False]))}
            if kind == "model":
                one["deploys"] = draw(st.booleans())
                one["state"] = draw(st.sampled_from(["DEPLOYED", "UNDEPLOYED"]))
            if kind == "connector":
                one["used_outside"] = draw(st.sampled_from([False, False, True]))
            if kind == "index":
                one["read_only"] = draw(st.sampled_from([False, False, True]))
                one["newer"] = draw(st.sampled_from([False, False, False, True]))
            if kind in ("index", "model", "agent", "ingest_pipeline", "search_pipeline"):
                one["recorded_outside"] = draw(st.sampled_from([False, False, False, True]))
            if kind == "model_group":
                one["holds_model"] = draw(st.booleans())
            entries.append(one)
        made["workflows"].append({"state": draw(st.sampled_from(["COMPLETED", "COMPLETED", "FAILED", "NOT_STARTED"])), "entries": entries})
    return made


def load(sim: Simulator, world: dict[str, Any]) -> tuple[list[str], str]:
    """Put a generated world on the server. Returns the workflow ids, and the mark that makes its names unique."""
    mark = "n%d" % next(NUMBERS)
    ids = []
    for number, flow in enumerate(world["workflows"]):
        recorded = []
        for one in flow["entries"]:
            # Generated ids differ between workflows; names may be shared.
            name = (
                "%s-%s" % (mark, one["name"])
                if one["kind"] in ("index", "ingest_pipeline", "search_pipeline")
                else "%s_%d_%s_%s" % (mark, number, one["kind"], one["name"])
            )
            steps = [one["step"]] + (["deploy_model"] if one.get("deploys") else [])
            recorded += [entry(step, name, one["name"]) for step in steps]
            if not one["exists"]:
                continue
            facts: dict[str, Any] = {"state": one["state"]} if one["kind"] == "model" else {}
            if one["kind"] == "index":
                facts["creation_date"] = PROVISIONED if not one.get("newer") else 1700000160000
            if one.get("read_only"):
                facts["read_only"] = True
            sim.world.put(one["kind"], name, **facts)
            if one.get("used_outside"):
                sim.world.put("model", name + "_outside", state="UNDEPLOYED", connector_id=name)
            if one.get("holds_model"):
                sim.world.put("model", name + "_inside", state="UNDEPLOYED", model_group_id=name)
            if one.get("recorded_outside"):
                outside = [entry(one["step"], name, "x")]
                sim.load({"workflow_id": name + "_outside", "state": "COMPLETED", "provisioning_progress": "DONE", "resources_created": outside})
        workflow_id = "%s_w%d" % (mark, number)
        progress = {"COMPLETED": "DONE", "FAILED": "FAILED", "NOT_STARTED": "NOT_STARTED"}[flow["state"]]
        state = {"workflow_id": workflow_id, "state": flow["state"], "provisioning_progress": progress, "resources_created": recorded}
        if flow["state"] != "NOT_STARTED":
            state.update(provision_start_time=1700000000000, provision_end_time=1700000060000)
        sim.load(state, template={"name": "env", "workflows": {"provision": {"nodes": []}}} if world["template"] else None)
        ids.append(workflow_id)
    return ids, mark


@pytest.fixture(
    scope="module", params=[("2.15.0", False), ("2.16.0", False), ("2.19.1", False), ("2.19.1", True), ("3.6.0", False)], ids=lambda p: "-".join(map(str, p))
)
def server(request: pytest.FixtureRequest) -> Iterator[tuple[Simulator, dict[str, Any]]]:
    version, security = request.param
    with running(version=version, clock=0.0, security=security) as sim:
        yield sim, {"username": "admin", "password": "admin"} if security else {}


CHOICES = st.fixed_dictionaries(
    {
        "on_blocked": st.sampled_from(["fail", "keep", "keep"]),
        "on_shared": st.sampled_from(["fail", "keep", "delete", "delete"]),
        "stale_records": st.sampled_from(["report", "recreate", "forget"]),
        "leftovers": st.sampled_from(["report", "delete"]),
        "delete_workflow": st.booleans(),
    }
)


def test_check_mode_predicts_generated_worlds(server: tuple[Simulator, dict[str, Any]]) -> None:
    sim, credentials = server

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate],
    )
    @given(worlds(), st.lists(st.sampled_from(["docs", "logs", "rank"]), max_size=3), st.booleans(), CHOICES)
    def predicted(world: dict[str, Any], named: list[str], with_kind: bool, choices: dict[str, Any]) -> None:
        ids, mark = load(sim, world)
        names = ["%s-%s" % (mark, name) for name in named]
        if with_kind:
            names = [f"{kind}/{name}" for name in names for kind in ("index", "ingest_pipeline", "search_pipeline")]
        before = {(kind, name) for kind in ("index", "ingest_pipeline", "search_pipeline") for name in sim.world.ids(kind)}
        options = dict(credentials, workflow_id=ids, allow_delete=names, **choices)
        sim.clear_log()
        check = deprovision(sim.urls, check_mode=True, **options)
        assert not [r for r in sim.log if r.method not in ("GET", "HEAD") and not r.path.endswith(("/_search", "/_msearch"))]
        real = deprovision(sim.urls, **options)
        assert_as_predicted(check, real)
        truthful(real, sim)
        gone = before - {(kind, name) for kind in ("index", "ingest_pipeline", "search_pipeline") for name in sim.world.ids(kind)}
        assert all(name in names or f"{kind}/{name}" in names for kind, name in gone)
        sim.clear_log()
        again = deprovision(sim.urls, **options)
        assert not again["changed"], again["msg"]
        assert not sim.requests("POST", "/_deprovision"), "a second run sends no deprovision"

    predicted()
