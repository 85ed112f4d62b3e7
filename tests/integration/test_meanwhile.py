# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Others are at work meanwhile: what changes after the plan stops that workflow, and who is at it is waited for."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from .helpers import (
    Playbooks,
    by_kind,
    deprovision,
    deprovisions,
    environment,
    existing,
    in_check_mode,
    state,
    template,
    warnings,
)


def before_call(sim: Any, path: str, number: int, change: Callable[[], None]) -> None:
    """Do something in the server when a path is asked for the so-many-th time, before it is answered."""
    seen = 0

    def hook(request: Any) -> None:
        nonlocal seen
        if path in request.path:
            seen += 1
            if seen == number:
                change()

    sim.faults.hook(hook)


def after_the_plan(sim: Any, change: Callable[[], None]) -> None:
    """Do something between the plan and the deprovision: when the tasks of the cluster are asked for again, after a first look."""
    before_call(sim, "/_tasks", 2, change)


def test_what_has_changed_since_the_plan_stops_that_workflow_and_no_other(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """A record that grew, an index that was made anew, one that is there again, a provisioning that began."""
    tasks, cases = [], {}
    for name in ("grown", "made anew", "there again", "provisioned again"):
        sim = cluster()
        made, healthy = environment(sim, "w"), environment(sim, "healthy")
        if name == "there again":
            sim.world.remove("index", "w-docs")
        cases[name] = sim, made, healthy

        def change(name: str = name, sim: Any = sim, made: Any = made) -> None:
            if name == "grown":
                sim.world.put("index", "w-late")
                late = {
                    "workflow_step_name": "create_index",
                    "workflow_step_id": "l",
                    "resource_type": "index_name",
                    "resource_id": "w-late",
                }
                sim.load(state("w", [*made.state["resources_created"], late]))
            elif name == "provisioned again":
                sim.load(state("w", made.state["resources_created"], "PROVISIONING"))
            else:
                sim.world.put("index", "w-docs", documents=1)

        after_the_plan(sim, change)
        tasks.append(deprovision(name, sim.url, ["w", "healthy"], allow_delete=[*made.named, *healthy.named]))
    played = playbooks.run(tasks)
    for name, (sim, made, healthy) in cases.items():
        result = played[name]
        assert result["failed"] and result["changed"], name
        assert "Stopped: " in result["msg"], name
        assert [one["failed"] for one in result["workflows"]] == [True, False], name
        assert deprovisions(sim, "w") == [], name
        assert existing(sim, made) == set(made.ids), name  # the index that was gone is there again as well
        assert existing(sim, healthy) == {"model_group"}, name
        gone = {kind for kind, status in by_kind(result, "w").items() if status == "deleted"}
        # Of the index with that uuid "deleted" is true, though somebody else did it; the new one was left alone.
        assert gone == ({"index"} if name == "made anew" else set()), name


def test_a_deprovision_of_somebody_else_on_the_workflow_is_waited_for(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """Two calls on one workflow corrupt its record. The other one is slow, and bears no mark of ours."""
    sim = cluster(clock=1.0)
    made = environment(sim, "w", ("connector", "index"))
    threads = []

    def foreign() -> None:
        target = f"{sim.url}/_plugins/_flow_framework/workflow/w/_deprovision"
        request = urllib.request.Request(target, method="POST", headers={"X-Opaque-Id": "of somebody else"})
        with contextlib.suppress(urllib.error.HTTPError):  # 403: the index is not named
            urllib.request.urlopen(request, timeout=30).close()

    def begin() -> None:
        threads.append(threading.Thread(target=foreign))
        threads[0].start()

    before_call(sim, "/w-docs", 1, begin)
    result = playbooks.run([deprovision("task", sim.url, "w", allow_delete=made.named)])["task"]
    threads[0].join(30)
    calls = {request.opaque_id == "of somebody else": request for request in deprovisions(sim, "w")}
    assert len(deprovisions(sim, "w")) == 2
    assert calls[False].started >= calls[True].ended
    assert max(sim.in_flight_max.values()) == 1
    assert not result["failed"], result["msg"]
    assert existing(sim, made) == set()


def chain(count: int) -> dict[str, Any]:
    """A template of ingest pipelines that are made one after the other: 0.1 s each, times the factor of the clock."""
    names = [f"late-{number}" for number in range(count)]
    nodes = [
        {
            "id": name,
            "type": "create_ingest_pipeline",
            "user_inputs": {"pipeline_id": name, "configurations": '{"processors": []}'},
        }
        for name in names
    ]
    edges = [{"source": one, "dest": other} for one, other in itertools.pairwise(names)]
    return {**template("chain"), "workflows": {"provision": {"nodes": nodes, "edges": edges}}}


def post(url: str, body: Any = None) -> Any:
    """The JSON answer to a POST."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def provisioned_from_the_first_look_on(sim: Any, count: int) -> str:
    """A workflow whose provisioning begins when its status is first asked for; that answer waits a second for it."""
    workflow = f"{sim.url}/_plugins/_flow_framework/workflow"
    workflow_id = post(workflow, chain(count))["workflow_id"]
    begin = threading.Thread(target=lambda: post(f"{workflow}/{workflow_id}/_provision"))
    before_call(sim, "/_status", 1, begin.start)
    sim.faults.delay("GET", "/_status", 1.0)
    return str(workflow_id)


def test_a_workflow_that_is_being_provisioned_is_waited_for(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """What it creates until it is done is part of the plan."""
    sim = cluster(clock=1.0)
    workflow_id = provisioned_from_the_first_look_on(sim, 20)
    names = [f"late-{number}" for number in range(20)]
    result = playbooks.run([deprovision("task", sim.url, workflow_id, allow_delete=names)])["task"]
    assert not result["failed"], result["msg"]
    assert result["workflows"][0]["state_before"] == "COMPLETED"
    assert result["summary"]["deleted"] == 20
    assert sim.world.ids("ingest_pipeline") == []
    assert len(deprovisions(sim)) == 1


def test_a_workflow_that_is_provisioned_for_too_long_is_left_alone_and_check_mode_says_so_at_once(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    sim = cluster(clock=4.0)
    workflow_id = provisioned_from_the_first_look_on(sim, 40)
    check = in_check_mode(deprovision("check", sim.url, workflow_id, on_blocked="keep"))
    played = playbooks.run([check, deprovision("real", sim.url, workflow_id, on_blocked="keep", wait_timeout=1)])
    assert not played["check"]["failed"] and "is being provisioned" in warnings(played["check"])
    assert played["check"]["duration"] < 3  # one second of it is the answer that waits
    assert played["real"]["failed"] and "still being provisioned" in played["real"]["msg"]
    assert deprovisions(sim) == []


def test_a_provisioning_that_was_broken_off_is_torn_down_with_a_warning(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """The state says PROVISIONING and nobody is at it: the node was restarted."""
    sim = cluster()
    made = environment(sim, "w", ("connector", "index"))
    sim.load(state("w", made.state["resources_created"], "PROVISIONING"), template("w"))
    result = playbooks.run([deprovision("task", sim.url, "w", allow_delete=made.named)])["task"]
    assert not result["failed"] and "broken off" in warnings(result)
    assert existing(sim, made) == set()


def test_task_timeout_leaves_what_was_not_begun(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """The first workflow takes longer than the whole task may: the second is not attempted."""
    sim = cluster(clock=1.0)
    environment(sim, "first", ("connector",))
    second = environment(sim, "second", ("connector",))
    sim.faults.outlast("delete_connector", "first_connector")
    result = playbooks.run([deprovision("task", sim.url, ["first", "second"], task_timeout=2, concurrency=1)])["task"]
    assert result["failed"]
    assert "ot attempted" in result["workflows"][1]["msg"]
    assert by_kind(result, "second") == {"connector": "failed"}
    assert existing(sim, second) == {"connector"} and deprovisions(sim, "second") == []
