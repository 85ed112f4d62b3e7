# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps whose answers depend on who is faster: checked by what holds in every order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from .client import Answer
from .normalise import Rules, differences

if TYPE_CHECKING:
    from .replay import Replay

DEPROVISION = "cluster:admin/opensearch/flow_framework/workflow/deprovision"

NOT_COMPARED = {
    ("concurrent", 2): "three calls at once: which of them deletes what differs from run to run (3.6.0 and 2.19.1 do)",
    ("concurrent", 3): "as step 2",
    ("concurrent", 4): "as step 2",
    ("concurrent", 5): "the record is that of the call which wrote last",
    ("while_provisioning", 1): "real servers only: how far provisioning is when the look comes",
    ("while_provisioning", 2): "real servers only: 200 before the first index is recorded, 403 after it",
    ("while_provisioning", 3): "real servers only: an index recorded while the state is reset is not in the list",
    ("while_provisioning", 4): "real servers only: deletes what step 3 has left in the list",
    **{("running_task", step): "looks in the middle of a call: each is compared with the recorded ones, whichever"
       " moment it meets, and the list has to shrink from its end" for step in range(2, 17)},
}  # fmt: skip
"""Steps that are not compared word by word, with the reason. What is checked instead stands in the function below."""


@dataclass(frozen=True)
class Race:
    """The steps up to ``end`` are checked by ``check``."""

    check: Callable[[Replay], None]
    end: int
    only_on_real_servers: bool = False


def concurrent(replay: Replay) -> None:
    """Three deprovisions of one workflow at once, in any order.

    All answer 200 or 202, an error names resources of this workflow only, all resources are gone afterwards, and the
    record holds nothing that was not in it before (recordings concurrent, 3.6.0 and 2.19.1).
    """
    recorded = replay.look(replay.path_of(replay.expected(1))).body["resources_created"]
    answers: list[Answer] = []
    steps = (2, 3, 4)[: _calls_that_fit(replay)]
    _require(replay, len(steps) > 1, "others are at work: two calls more would hang the node for good")
    calls = [threading.Thread(target=lambda step=step: answers.append(_post(replay, step))) for step in steps]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    _require(replay, len(answers) == len(calls), f"{len(answers)} of {len(calls)} calls answered")
    known = {f"{entry['resource_type']} {entry['resource_id']}" for entry in recorded}
    for answer in answers:
        _require(replay, answer.status in (200, 202), f"a call answered {answer.status} {answer.body}")
        _require(replay, _named(answer) <= known, f"{answer.body} names more than {sorted(known)}")
    for entry in recorded:
        _require(replay, replay.poll(partial(_is_gone, replay, entry)), f"still there: {entry}")
    state = _settled(replay, replay.path_of(replay.expected(5)))
    left = state.body.get("resources_created", []) if state.status == 200 else []
    _require(replay, all(entry in recorded for entry in left), f"the record {left} is no part of {recorded}")


def while_provisioning(replay: Replay) -> None:
    """A deprovision during provisioning on a real server, where nobody knows how far it has come.

    It is not refused (200, or 403 for what is recorded already), provisioning goes on: every index comes to be, and
    in the end the state is COMPLETED with nothing in the record but the indices of the template.
    """
    status = replay.path_of(replay.expected(1))
    nodes = replay.body_of(replay.expected(0))["workflows"]["provision"]["nodes"]
    names = [node["user_inputs"]["index_name"] for node in nodes]
    first = replay.look(status)
    _require(replay, first.body.get("state") in ("PROVISIONING", "COMPLETED"), f"state {first.body}")
    answer = _post(replay, 2)
    _require(replay, answer.status in (200, 403), f"deprovision answered {answer.status} {answer.body}")
    _require(replay, _named(answer) <= {f"index_name {name}" for name in names}, f"foreign names in {answer.body}")
    for name in names:
        _require(replay, replay.poll(partial(_is_there, replay, f"/{name}")), f"{name} did not come to be")
    replay.poll(lambda: replay.look(status).body.get("state") == "COMPLETED")
    state = _settled(replay, status)
    _require(replay, state.body.get("state") == "COMPLETED", f"state {state.body}")
    left = [entry["resource_id"] for entry in state.body.get("resources_created", [])]
    _require(replay, set(left) <= set(names), f"{left} are not indices of the template")
    answer = _post(replay, 4)
    _require(replay, answer.status == 200, f"deprovision of {left} answered {answer.status} {answer.body}")
    for name in left:
        _require(replay, replay.look(f"/{name}").status == 404, f"{name} is still there")


def running_task(replay: Replay) -> None:
    """What others see of a deprovision while it runs: the task, the busy pool, the list shrinking from its end."""
    last = len(replay.scenario.exchanges) - 2
    status, tasks, pool = (replay.path_of(replay.expected(step)) for step in (2, 3, 4))
    full = replay.look(status).body["resources_created"]
    answers: list[Answer] = []
    mark = f"contract/{replay.binding.new_prefix}"
    call = threading.Thread(target=lambda: answers.append(_post(replay, last, {"X-Opaque-Id": mark})))
    call.start()
    lists: list[list[Any]] = []
    seen_tasks, seen_pools = 0, 0
    while call.is_alive():
        seen_tasks += _check_task(replay, replay.look(tasks), mark)
        seen_pools += _check_pool(replay, replay.look(pool))
        state = replay.look(status)
        if call.is_alive() and state.body.get("state") == "COMPLETED":
            lists.append(state.body.get("resources_created", []))
        call.join(replay.server.pause)
    found = replay.differences(last, answers[0])
    _require(replay, not found, f"the call itself: {found}")
    _require(replay, seen_tasks > 0, "the task was never seen")
    _require(replay, seen_pools > 0, "the pool was never busy")
    _require(replay, all(each == full[: len(each)] for each in lists), f"not shrunk from the end: {lists}")
    lengths = [len(each) for each in lists]
    _require(replay, lengths == sorted(lengths, reverse=True), f"the list grew: {lengths}")
    _require(replay, len(set(lengths)) > 1, f"the list never shrank: {lengths}")


STARTS = {
    ("concurrent", 2): Race(concurrent, end=6),
    ("while_provisioning", 1): Race(while_provisioning, end=5, only_on_real_servers=True),
    ("running_task", 2): Race(running_task, end=18),
}
"""Where a race begins: scenario and step."""


def _post(replay: Replay, step: int, headers: dict[str, str] | None = None) -> Answer:
    exchange = replay.expected(step)
    return replay.send("POST", replay.path_of(exchange), replay.body_of(exchange), headers=headers)


def _calls_that_fit(replay: Replay) -> int:
    """As many calls as threads hang a node until it restarts (behaviour.md 6): one fewer, less those of others."""
    path = "/_cat/thread_pool/opensearch_deprovision_workflow?format=json&h=max"
    most = min(int(row["max"]) for row in replay.look(path).body)
    tasks = replay.look(f"/_tasks?actions={DEPROVISION}").body["nodes"].values()
    return max(0, most - 1 - sum(len(node["tasks"]) for node in tasks))


def _named(answer: Answer) -> set[str]:
    """The resources that the lists of an error name: ``… resources: [index_name a, pipeline_id b]. …``"""
    error = answer.body.get("error", "") if isinstance(answer.body, dict) else ""
    lists = [part.partition("]")[0] for part in error.split("[")[1:]]
    return {item for each in lists for item in each.split(", ")}


def _is_gone(replay: Replay, entry: dict[str, str]) -> bool:
    places = {
        "create_connector": "/_plugins/_ml/connectors/", "register_agent": "/_plugins/_ml/agents/",
        "create_index": "/", "create_ingest_pipeline": "/_ingest/pipeline/",
        "create_search_pipeline": "/_search/pipeline/",
    }  # fmt: skip
    return replay.look(places[entry["workflow_step_name"]] + entry["resource_id"]).status == 404


def _is_there(replay: Replay, path: str) -> bool:
    return replay.look(path).status == 200


def _settled(replay: Replay, status: str) -> Answer:
    """The state after three looks in a row that were equal: a 202 writes it a moment after its answer."""
    looks = [replay.look(status)]

    def equal() -> bool:
        looks.append(replay.look(status))
        return len(looks) > 2 and looks[-1] == looks[-2] == looks[-3]

    replay.poll(equal)
    return looks[-1]


def _check_task(replay: Replay, answer: Answer, mark: str) -> bool:
    """Compare our task with the recorded one; False where it is not to be seen (yet, or any more)."""
    recorded: dict[str, Any] | None = _task_of(replay.expected(3).answer.body, lambda task: True)
    task = _task_of(answer.body, lambda task: task["headers"].get("X-Opaque-Id") == mark)
    if task is None:
        return False
    per_run = ("node", "id", "headers", "resource_stats")
    assert recorded is not None
    left = Answer(200, "", {key: value for key, value in recorded.items() if key not in per_run})
    right = Answer(200, "", {key: value for key, value in task.items() if key not in per_run})
    found = differences(left, right, replay.binding, Rules("/_tasks", real=replay.server.real))
    _require(replay, not found, f"the task: {found}")
    _require(replay, set(per_run) <= set(task), f"the task lacks some of {per_run}: {task}")
    _require(replay, task["action"] == DEPROVISION, f"the action of {task}")
    return True


def _task_of(body: dict[str, Any], wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    tasks = [task for node in body["nodes"].values() for task in node["tasks"].values()]
    return next((task for task in tasks if wanted(task)), None)


def _check_pool(replay: Replay, answer: Answer) -> bool:
    rows = answer.body
    want = set(replay.expected(4).answer.body[0])
    _require(replay, all(set(row) == want for row in rows), f"the pool: {rows}")
    return any(int(row["active"]) > 0 for row in rows)


def _require(replay: Replay, holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(f"{replay.scenario.version} {replay.scenario.name}: {otherwise}")
