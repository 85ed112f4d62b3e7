# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How each workflow ended, or would end: what was planned for its resources, against what looking again showed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AbstractSet, Sequence

from .fates import ABSENT, DELETED, FAILED, FAILURES, KEPT, RETAINED, UNKNOWN, WOULD_DELETE, Fate
from .plan import Plan
from .records import Resource, Workflow
from .resources import KINDS, OTHER, UNDEPLOY_RIGHTS, Key
from .teardown import Run, new_placeholders


@dataclass(frozen=True)
class Ending:
    """How one workflow ended, or would end."""

    workflow: Workflow
    fates: tuple[Fate, ...]
    state_after: str | None
    changed: bool
    msg: str = ""
    failed: bool = False
    attempts: int = 0
    duration: float = 0.0


def planned(plan: Plan) -> list[Ending]:
    """The endings that a plan predicts."""
    return [Ending(w.workflow, w.fates, w.state_after, w.changed, w.msg, w.failed) for w in plan.workflows]


def carried_out(runs: Sequence[Run]) -> list[Ending]:
    """The endings that looking again shows."""
    free = free_leftovers(runs)
    return [ended(run, free) for run in runs]


def free_leftovers(runs: Sequence[Run]) -> set[Key]:
    """What the server leaves on the cluster, and nobody records or uses any more: no later run finds it in a record."""
    recorded = {resource.key for run in runs for resource in run.now.resources}
    gone = {key for run in runs for key, resource in run.seen.items() if resource.exists is False}
    stay = [fate.resource for run in runs for fate in run.plan.fates if fate.status == RETAINED and run.seen[fate.resource.key].exists]
    used = {resource.key for resource in stay if not all(user.key in gone for user in resource.users)}
    return {resource.key for resource in stay if KINDS[resource.kind].leftover} - recorded - used


def ended(run: Run, free: AbstractSet[Key]) -> Ending:
    """How one workflow ended: its resources as last seen against what was planned for them."""
    fates = tuple(settled(fate, run, free) for fate in run.plan.fates)
    workflow, now = run.plan.workflow, run.now
    reset = workflow.found and not now.resources and (bool(workflow.resources) or workflow.state != now.state)
    perhaps = run.unread and run.plan.resets  # the call was sent, and nobody can say that it changed nothing
    return Ending(
        workflow,
        fates,
        now.state,
        changed=(run.attempts > 0 and (reset or perhaps or forgets(run)))
        or run.dropped
        or any(fate.changed for fate in fates)
        or undeployed(run)
        or bool(new_placeholders(run)),
        msg=run.error or run.plan.msg,
        failed=bool(run.error) or any(fate.failed for fate in fates),
        attempts=run.attempts,
        duration=round(run.duration, 3),
    )


def forgets(run: Run) -> bool:
    """Whether something that exists is recorded no more: a model group, or below 2.16 what is kept."""
    recorded = {resource.key for resource in run.now.resources}
    return any(resource.exists and key not in recorded for key, resource in run.seen.items())


def undeployed(run: Run) -> bool:
    """Whether a model that was deployed is so no more: a change, even where it should have gone and has not."""
    return any(fate.resource.deployed and run.seen[fate.resource.key].exists and not run.seen[fate.resource.key].deployed for fate in run.plan.fates)


def settled(fate: Fate, run: Run, free: AbstractSet[Key]) -> Fate:
    """What became of one resource."""
    before, now = fate.resource, run.seen[fate.resource.key]
    touched = run.attempts > 0 or run.now is not run.plan.workflow
    if fate.status in (WOULD_DELETE, FAILED) and touched:
        return deletion(fate, before, now, run)
    if fate.status == WOULD_DELETE:  # nothing was begun
        return Fate(before, UNKNOWN if run.unknown else FAILED, run.error)
    if fate.status == RETAINED:
        way_on = " Nothing records it now: DELETE %s deletes it." % KINDS[before.kind].target(before.id) if before.key in free else ""
        return Fate(before, RETAINED, fate.msg + way_on, changed=before.deployed and now.exists is True and not now.deployed)
    if fate.status == ABSENT and before.exists and now.exists:
        return Fate(before, FAILED, "Another workflow of this task was to take it along, and has not.")
    if fate.status == ABSENT and now.exists:
        return Fate(before, FAILED, "It was gone when the plan was made, and is there now: it was left alone.")
    if fate.status == KEPT and now.exists is False:
        return Fate(before, ABSENT, "It was to be kept, and is gone: something else has deleted it during this run.")
    return Fate(before, fate.status, fate.msg, release=fate.release)


def deletion(fate: Fate, before: Resource, now: Resource, run: Run) -> Fate:
    """What became of a resource that was to be deleted, or that was known to stay."""
    if before.kind == OTHER or before.exists is None:
        return Fate(before, fate.status, fate.msg)
    if now.exists is False:
        if not run.attempts and not run.plan.first:
            return Fate(before, ABSENT, "Something else deleted it during this run.")
        return Fate(before, DELETED, changed=True)
    if now.exists is None:
        return Fate(before, UNKNOWN, "It could not be looked at again: %s" % now.problem)
    if before.uuid and now.uuid != before.uuid:
        return Fate(before, DELETED, "There is a new index of that name, which was left alone.", changed=True)
    if run.unknown:
        return Fate(before, UNKNOWN, run.error)
    return Fate(before, FAILED, cause(fate, now, run))


def cause(fate: Fate, now: Resource, run: Run) -> str:
    """Why a resource is still there, found by looking at it. That the time was over says only why nobody tried any longer."""
    if now.key in run.refused:
        return "It is still there. %s" % run.refused[now.key]
    if run.refused and not run.attempts:
        return "No deprovision was sent, since something else could not be deleted. %s" % " ".join(run.refused.values())
    if run.error and not run.late:
        return run.error
    said = kept_by(fate, now, run)
    return "%s %s" % (run.error, said) if run.late else said


def kept_by(fate: Fate, now: Resource, run: Run) -> str:
    """What keeps a resource that the server was asked to delete."""
    for left in run.last.fates:
        if left.resource.key == now.key and left.status in FAILURES:
            return left.msg
    if fate.status == FAILED:
        return fate.msg
    if now.key not in {resource.key for resource in run.now.resources}:
        return "The server took it off its record and left it there: delete it by hand."
    return "It is still there after %s. %s" % (number(run.attempts, "deprovision call"), run.said or likely(now))


def likely(now: Resource) -> str:
    """What most probably keeps a resource: the server says no reason (behaviour.md, fact 2)."""
    if now.deployed:
        return "The model is still deployed; the server does not say why. Most often these credentials lack %s." % UNDEPLOY_RIGHTS
    if now.users:
        return "It is used by %s; the server does not say more." % ", ".join(map(str, now.users))
    said = "The server does not say why; most often these credentials may not delete it (they need %s), or something uses it that they may not see."
    return said % KINDS[now.kind].right + words_in_common(now)


def words_in_common(now: Resource) -> str:
    """ML Commons looks for the models of a connector by the words of its id (tests/opensearch/test_native.py, 3.6.0)."""
    if now.kind != "connector" or "-" not in now.id:
        return ""
    return (
        " Or ML Commons mistakes models of another connector for those of this one: it compares the words of the ids, between dashes."
        " DELETE /_plugins/_ml/connectors/%s names them, or deletes it." % now.id
    )


def number(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun. ``plural``: where that is not the noun with an s."""
    return "%d %s" % (count, noun if count == 1 else plural or noun + "s")
