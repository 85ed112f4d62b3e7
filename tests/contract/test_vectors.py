# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every case of ``vectors.json``: on the simulator with its knobs, on a real server through the public API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from .client import Client
from .provisioned import NOT_SET_UP, Case
from .replay import Server
from .scenario import vectors

WORKFLOW = "/_plugins/_flow_framework/workflow"
KINDS = {
    "connectors": "connector", "models": "model", "agents": "agent", "model_groups": "model_group", "indices": "index",
    "ingest_pipelines": "ingest_pipeline", "search_pipelines": "search_pipeline",
}  # fmt: skip
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "index": {"documents": 0, "size_in_bytes": 208},
    "ingest_pipeline": {"body": {"processors": []}},
    "search_pipeline": {"body": {"request_processors": []}},
}
ELSEWHERE = "elsewhere"
"""A resource of each kind that no case is about: without it the index of its kind would not exist."""

TIMED = ("D13", "D36")


def test_vector(vector: dict[str, Any], real_server: Server | None, simulator: Callable[..., Any]) -> None:
    if real_server is None:
        _on_simulator(vector, clock=0.0)
        return
    reason = NOT_SET_UP.get(vector["id"]) or _unfit(vector, real_server)
    if reason:
        pytest.skip(reason)
    Case(real_server, vector).run()


@pytest.mark.parametrize("case", TIMED)
def test_a_vector_takes_its_time(case: str, only_simulator: None) -> None:
    """At the real clock a call takes at least 0.1 s a resource and 1 s a pass (behaviour.md 2.1)."""
    vector = next(each for each in vectors() if each["id"] == case)
    seconds = _on_simulator(vector, clock=1.0)
    assert seconds >= vector["min_server_seconds"]
    assert seconds < vector["min_server_seconds"] + 2


def test_the_list_of_what_is_not_set_up_names_vectors() -> None:
    assert set(NOT_SET_UP) <= {vector["id"] for vector in vectors()}


def _unfit(vector: dict[str, Any], server: Server) -> str | None:
    steps = {entry["workflow_step_name"] for entry in _recorded(vector["state_before"])}
    ml = steps - {"create_index", "create_ingest_pipeline", "create_search_pipeline"}
    if (ml or set(vector["world_before"]) & {"connectors", "models", "agents"}) and not server.machine_learning:
        return "the server has no ML Commons"
    return None


def _on_simulator(vector: dict[str, Any], clock: float) -> float:
    """Load, send, compare; returns the seconds that the call took."""
    from tests.simulator import running

    with running(version=vector["server"], clock=clock) as sim:
        client = Client(sim.url)
        client.send("PUT", "/_cluster/settings", {"persistent": {"plugins.flow_framework.enabled": True}})
        _load(sim, vector)
        _condition(sim, vector.get("conditions", {}))
        start, started = time.time(), time.monotonic()
        method, path = vector["request"].split(" ")
        answer = client.send(method, path)
        seconds = time.monotonic() - started
        assert (answer.status, answer.body) == (vector["status"], vector["body"])
        _check_state(vector, lambda: sim.state(_workflow(vector)), start)
        _check_status(client, vector)
        assert _world(sim) == _plain(vector["world_after"])
        return seconds


def _load(sim: Any, vector: dict[str, Any]) -> None:
    for name, kind in KINDS.items():
        sim.world.put(kind, ELSEWHERE, **ATTRIBUTES.get(kind, {}))
        for resource, state in _items(vector["world_before"].get(name, [])):
            sim.world.put(kind, resource, **ATTRIBUTES.get(kind, {}), **_model(vector, resource, state))
    sim.load({"workflow_id": ELSEWHERE, "state": "NOT_STARTED", "provisioning_progress": "NOT_STARTED"}, _template([]))
    state = vector["state_before"]
    if state is not None:
        sim.load(state, _template(_recorded(state)) if vector["template_exists"] else None)


def _model(vector: dict[str, Any], model: str, state: str | None) -> dict[str, Any]:
    """A model of the workflow uses the workflow's connector; any other the one that the conditions name."""
    if state is None:
        return {}
    used = vector.get("conditions", {}).get("model_connectors", {}).get(model)
    for entry in _recorded(vector["state_before"]):
        if entry["workflow_step_name"] == "create_connector" and "model_connectors" not in vector.get("conditions", {}):
            used = entry["resource_id"]
    return {"state": state, "connector_id": used} if used else {"state": state}


def _condition(sim: Any, conditions: dict[str, Any]) -> None:
    """The knobs for the conditions of a vector. ``model_connectors`` is part of the world already."""
    for name, value in conditions.items():
        if name in ("connector_access_control", "caller_is_admin"):
            setattr(sim.faults, name, value)
        elif name == "undeploy_visible_after_attempts":
            sim.faults.undeploy_visible_after(value)
        elif name in ("denied", "outlasts_step_limit"):
            knob = sim.faults.deny if name == "denied" else sim.faults.outlast
            for step, resource in value:
                knob(step, resource)
        else:
            assert name == "model_connectors", f"a condition that nobody knows: {name}"


def _check_state(vector: dict[str, Any], stored: Callable[[], dict[str, Any] | None], start: float) -> None:
    """The stored document; ``<now>`` is a time since ``start``. A list that is empty may be left out."""
    want = vector["state_after"]
    end = time.monotonic() + 5
    while _state_differs(want, stored(), start) and time.monotonic() < end:
        time.sleep(0.01)
    assert not _state_differs(want, stored(), start), _state_differs(want, stored(), start)


def _state_differs(want: dict[str, Any] | None, have: dict[str, Any] | None, start: float) -> str:
    if want is None or have is None:
        return "" if want is have else f"expected {want}, stored {have}"
    for key in sorted(set(want) | set(have)):
        left, right = want.get(key) or None, have.get(key) or None
        if left == "<now>":
            # a second of grace: two writes never bear the same time, so that the later may be a little ahead
            if not isinstance(right, int) or not int(start * 1000) <= right <= int(time.time() * 1000) + 1000:
                return f"{key}: expected a time since {int(start * 1000)}, stored {right}"
        elif left != right:
            return f"{key}: expected {left}, stored {right}"
    return ""


def _check_status(client: Client, vector: dict[str, Any]) -> None:
    """The same as ``_status`` shows it."""
    answer = client.send("GET", f"{WORKFLOW}/{_workflow(vector)}/_status?all=true")
    want = vector["state_after"]
    if want is None:
        assert answer.status == 404 and answer.body["error"].startswith("Fail to find workflow")
        return
    shown = {key: value for key, value in want.items() if value not in ([], "<now>")}
    assert answer.status == 200
    assert {key: value for key, value in answer.body.items() if want.get(key) != "<now>"} == shown


def _world(sim: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in KINDS.items():
        ids = sorted(each for each in sim.world.ids(kind) if each != ELSEWHERE)
        if ids and kind == "model":
            found[name] = {each: sim.world.get(kind, each)["state"] for each in ids}
        elif ids:
            found[name] = ids
    return found


def _plain(world: dict[str, Any]) -> dict[str, Any]:
    return {name: ids if isinstance(ids, dict) else sorted(ids) for name, ids in world.items() if ids}


def _template(entries: list[dict[str, str]]) -> dict[str, Any]:
    """Any template will do: deprovision reads none, it only asks whether there is one."""
    nodes = {entry["workflow_step_id"]: {"id": entry["workflow_step_id"], "type": entry["workflow_step_name"]}
             for entry in reversed(entries)}  # fmt: skip
    provision = {"nodes": list(nodes.values()), "edges": []}
    return {"name": "case", "description": "", "use_case": "", "version": {}, "workflows": {"provision": provision}}


def _recorded(state: dict[str, Any] | None) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = (state or {}).get("resources_created", [])
    return entries


def _workflow(vector: dict[str, Any]) -> str:
    path: str = vector["request"]
    return path.split("/workflow/")[1].split("/")[0]


def _items(ids: Any) -> list[tuple[str, str | None]]:
    return list(ids.items()) if isinstance(ids, dict) else [(each, None) for each in ids]
