# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold, worked out from the world before and the options alone: nothing here asks the collection's plan."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from tests.promised import FAILURES, RESOURCE, RESULT, STATUSES, WORKFLOW
from tests.simulator import Request

from .worlds import DANGEROUS, NAMED, STEPS, Flow, Key, Picture, World

DELETING = {step for step in STEPS if step not in ("deploy_model", "register_model_group", "reindex")}


# -- 1. nothing that was not allowed is gone ---------------------------------------------------------------------------


def dangerous(key: Key) -> bool:
    """Whether the cluster would take the id for more than itself."""
    return key[1] in DANGEROUS.get(key[0], ())


def made_by(flow: Flow) -> list[Key]:
    """What a deprovision of this workflow deletes, if it is let."""
    return list(dict.fromkeys((STEPS[step], id_) for step, id_ in flow.entries if step in DELETING))


def released(flow: Flow, key: Key, allow: Iterable[str]) -> bool:
    """Whether the task names it: with its kind, or by an id that fits nothing else that this workflow made."""
    kind, id_ = key
    mates = {one for one in made_by(flow) if one[0] in NAMED and one[1] == id_}
    return f"{kind}/{id_}" in allow or (len(mates) == 1 and id_ in [name.strip(" \t\r\n") for name in allow])


def may_go(world: World, flows: list[Flow], options: dict[str, Any], still: bool = True) -> set[Key]:
    """What may be gone afterwards: at most this. ``still``: nobody else has changed what a refusal rests on."""
    allow = [name.strip(" \t\r\n") for name in options["allow_delete"]]
    most: set[Key] = set()
    for flow in flows:
        if any(step not in STEPS for step, _id in flow.entries):
            continue  # the server would never answer
        going: set[Key] = set()
        for key in made_by(flow):
            if dangerous(key) or (key in world.shared and options["on_shared"] != "delete"):
                continue
            if key[0] in NAMED and not released(flow, key, allow):
                continue
            going.add(key)
        staying = [key for key in made_by(flow) if key not in going and key[0] not in NAMED and key in world.things]
        if still and any(key[0] != "connector" for key in staying):
            continue  # the server would take it along
        most |= going
        if options["leftovers"] == "delete":
            most |= {key for key in flow.keys if key[0] == "model_group" and not (key in world.shared and options["on_shared"] != "delete")}
    return set() if still and refused(world, flows, options, most) else most


def refused(world: World, flows: list[Flow], options: dict[str, Any], most: set[Key]) -> bool:
    """Whether the whole task has to be refused, for a reason that no run can change."""
    allow = [name.strip(" \t\r\n") for name in options["allow_delete"]]
    for flow in flows:
        for key in made_by(flow):
            there = key in world.things and key not in world.placeholders
            wanted = key[0] not in NAMED or released(flow, key, allow)
            if there and options["on_blocked"] == "fail" and key[0] in NAMED and not wanted and key not in most:
                return True
            if there and options["on_shared"] == "fail" and key in world.shared and wanted:
                return True
            names = (key[1], flow.id, (flow.template or {}).get("name", flow.id))
            if there and key in most and any(fnmatchcase(name, glob) for name in names for glob in options.get("protect", [])):
                return True
    return False


def gone_wrongly(before: Picture, after: Picture, world: World, allowed: set[Key], task: list[Flow], options: dict[str, Any]) -> list[str]:
    """What is gone or changed and may not be, and what is new."""
    wrong = []
    undeployed = {key for flow in task for (step, _id), key in zip(flow.entries, flow.keys, strict=True) if step == "deploy_model"}
    recorded = {key for flow in task for key in flow.keys}
    for key, facts in before.things.items():
        if key in world.placeholders and key in recorded:
            continue  # ours; it counts as gone
        if key in allowed:
            continue
        now = after.things.get(key)
        if now is None:
            wrong.append(f"{key} is gone and was not allowed to go")
        elif now != facts and not (key[0] == "model" and key in undeployed and "model_state" in facts and same_model(facts, now)):
            wrong.append(f"{key} has changed: {facts} -> {now}")
    for key in after.things:
        if key not in before.things and (
            not after.is_placeholder(key) or key not in recorded or options["stale_records"] != "recreate" or options["delete_workflow"]
        ):
            wrong.append(f"{key} is new: {after.things[key]}")
    ours = {flow.id for flow in task}
    for flow in world.flows:
        if flow.id not in ours:
            if before.states.get(flow.id) != after.states.get(flow.id) or before.templates.get(flow.id) != after.templates.get(flow.id):
                wrong.append(f"workflow {flow.id}, which is nobody's task, has changed: {after.states.get(flow.id)}")
        elif flow.id in before.templates and flow.id not in after.templates:
            asked = options["delete_workflow"] or options["stale_records"] == "forget"
            wrong += [] if asked else [f"the template of {flow.id} is gone, and nobody asked for that"]
        elif before.templates.get(flow.id) != after.templates.get(flow.id):
            wrong.append(f"the template of {flow.id} has changed")
    return wrong


def same_model(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """But for being undeployed."""
    ignored = ("model_state", "state", "planning_worker_node_count", "current_worker_node_count", "deploy_to_all_nodes")
    return {k: v for k, v in before.items() if k not in ignored} == {k: v for k, v in now.items() if k not in ignored}


# -- 2. what is said is so ---------------------------------------------------------------------------------------------


def untrue(result: dict[str, Any], after: Picture, alone: bool, sure: bool = True) -> list[str]:
    """Statuses that the world contradicts. ``alone``: nobody else changed anything during the run or since.

    ``sure``: no look was spoiled. Else a placeholder may be taken for what bears its name: nobody has seen that it is empty.
    """
    wrong = []
    for one in result["resources"]:
        key = (one["kind"], one["id"])
        facts = after.things.get(key)
        there = facts is not None and not after.is_placeholder(key)
        if one["status"] in ("deleted", "absent") and there and not (one["uuid"] and (facts or {}).get("uuid") != one["uuid"]):
            wrong.append(f"{key} is said to be {one['status']} and is there: {one['msg']}")
        if one["status"] in ("blocked", "kept", "untouched", "failed", "retained") and alone and not there:
            if key[0] == "index" and ("alias", key[1]) in after.things:
                continue
            if dangerous(key) or key[0] == "other":
                continue  # cannot be looked at
            if not sure and after.is_placeholder(key):
                continue
            wrong.append(f"{key} is said to be {one['status']} and is gone: {one['msg']}")
    for flow in result["workflows"]:
        state = after.states.get(flow["workflow_id"])
        if flow["failed"] and "cannot be read" in flow["msg"]:
            continue  # the last state that was seen
        if alone and flow["state_after"] != (state and state["state"]):
            wrong.append(f"workflow {flow['workflow_id']} is said to be {flow['state_after']} and is {state}")
    return wrong


def material(before: Picture, after: Picture, ours: set[str]) -> list[str]:
    """What a run has changed that counts as a change."""
    keys = [key for key in before.things.keys() | after.things.keys() if not before.is_placeholder(key)]
    made = [f"{key}" for key in keys if before.things.get(key) != after.things.get(key)]
    for id_ in sorted(ours):
        old, new = before.states.get(id_), after.states.get(id_)
        if (old is None) != (new is None) or (id_ in before.templates) != (id_ in after.templates):
            made.append(f"workflow {id_}")
        elif old and new and new["state"] == "NOT_STARTED" and (old["state"] != "NOT_STARTED" or (old["records"] and not new["records"])):
            made.append(f"record of {id_}")
        else:
            made += [f"{key} is forgotten" for key in forgotten(old, new) if key in after.things and not after.is_placeholder(key)]
    return made


def forgotten(old: dict[str, Any] | None, new: dict[str, Any] | None) -> set[Any]:
    """What a record holds no more. Below 2.16 the server drops what it does not delete."""
    before, after = ({(STEPS.get(step), id_) for step, id_ in (state or {}).get("records", ())} for state in (old, new))
    return before - after


# -- 3. never more at once than is safe --------------------------------------------------------------------------------


def overlapping(calls: list[Request]) -> list[str]:
    """Pairs of deprovisions of ours on one workflow of which the second began while the first was under way."""
    wrong = []
    ours = [call for call in calls if (call.opaque_id or "").startswith("opensearch_ops.flow_framework/")]
    for number, first in enumerate(ours):
        for second in ours[number + 1 :]:
            if first.path == second.path and (first.ended is None or second.started < first.ended):
                wrong.append(f"two calls at once: {first.path} at {first.started:.3f} to {first.ended} and at {second.started:.3f}")
    return wrong


def beside_a_stranger(log: list[Request], unworked: set[int]) -> list[str]:
    """Deprovisions of ours that began while a stranger's was under way, although a look at the tasks had shown it."""
    wrong = []
    calls = [call for call in log if call.path.endswith("/_deprovision") and id(call) not in unworked]
    looks = [look for look in log if look.path == "/_tasks" and look.status == 200]
    for stranger in (call for call in calls if not call.opaque_id):
        for call in (call for call in calls if call.opaque_id):
            under_way = stranger.started < call.started and (stranger.ended is None or call.started < stranger.ended)
            if under_way and any(stranger.started < look.started and (look.ended or call.started) < call.started for look in looks):
                wrong.append(f"{call.path} began at {call.started:.3f}, while a stranger's {stranger.path} was seen under way")
    return wrong


# -- 5. the shape of a result ------------------------------------------------------------------------------------------


def misshapen(result: dict[str, Any] | None, stdout: str, stderr: str) -> list[str]:
    """Keys that are missing, and sums that do not fit."""
    if result is None:
        return [f"no result: {stdout[-500:]} {stderr[-3000:]}"]
    wrong = [f"the key {key} is missing" for key in sorted(RESULT - set(result) - {"failed"})]
    if wrong:
        return wrong
    if "Traceback" in stderr or "exception" in result:
        wrong.append("traceback: " + (stderr or str(result.get("exception")))[-3000:])
    failed = bool(result.get("failed"))
    resources, flows = result["resources"], result["workflows"]
    for one in resources:
        if set(one) != RESOURCE:
            wrong.append(f"keys of a resource: {sorted(set(one) ^ RESOURCE)}")
        if one["status"] not in STATUSES:
            wrong.append(f"no such status: {one['status']}")
        if one["failed"] != (one["status"] in FAILURES):
            wrong.append(f"{one['id']} is {one['status']} and failed={one['failed']}")
        if one["changed"] and one["status"] not in ("deleted", "retained"):
            wrong.append(f"{one['id']} is {one['status']} and changed")
        if one["status"] == "deleted" and not one["changed"]:
            wrong.append(f"{one['id']} is deleted and not changed")
        if one["failed"] and not one["msg"]:
            wrong.append(f"{one['id']} is {one['status']} without a word")
    wrong += [f"keys of a workflow: {sorted(set(one) ^ WORKFLOW)}" for one in flows if set(one) != WORKFLOW]
    counted = {status: sum(one["status"] == status for one in resources) for status in STATUSES}
    if result["summary"] != counted:
        wrong.append(f"the summary is {result['summary']}, not {counted}")
    if result["remaining"] != [one for one in resources if one["status"] not in ("deleted", "absent", "would_delete")]:
        wrong.append("remaining is not what is left of resources")
    if any(one["failed"] for one in resources + flows) and not failed:
        wrong.append("something failed and the task did not")
    if flows and failed and not any(one["failed"] for one in resources + flows) and not result["msg"].startswith("Refused"):
        wrong.append("the task failed and nothing of it did")
    if result["changed"] != any(one["changed"] for one in flows) or any(
        one["changed"] and not next(f for f in flows if f["workflow_id"] == one["workflow_id"])["changed"] for one in resources
    ):
        wrong.append(f"changed={result['changed']} does not fit workflows and resources")
    if failed and not result["msg"]:
        wrong.append("failed without a word")
    return wrong
