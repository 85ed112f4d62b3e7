# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One shape for every result: check mode, success, failure and information; the diff; the sentences.

Pure. The keys are the same whatever happened, so that C(rescue) reads what C(register) reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterable, Sequence

from .fates import ABSENT, BLOCKED, DELETED, FAILED, FAILURES, KEPT, RETAINED, STATUSES, UNKNOWN, UNTOUCHED, WOULD_DELETE, Fate
from .plan import Plan
from .resources import KINDS, OTHER, UNDEPLOY_RIGHTS, needs_allow_delete, title, titles
from .survey import Resource, Server, Survey, Unrecorded, Workflow
from .teardown import Run, new_placeholders

GONE = (ABSENT, DELETED, WOULD_DELETE)
PRESENT = "present"


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


def carried_out(runs: Iterable[Run]) -> list[Ending]:
    """The endings that looking again shows."""
    return [ended(run) for run in runs]


def ended(run: Run) -> Ending:
    """How one workflow ended: its resources as last seen against what was planned for them."""
    fates = tuple(settled(fate, run) for fate in run.plan.fates)
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


def settled(fate: Fate, run: Run) -> Fate:
    """What became of one resource."""
    before, now = fate.resource, run.seen[fate.resource.key]
    touched = run.attempts > 0 or run.now is not run.plan.workflow
    if fate.status in (WOULD_DELETE, FAILED) and touched:
        return deletion(fate, before, now, run)
    if fate.status == WOULD_DELETE:  # nothing was begun
        return Fate(before, UNKNOWN if run.unknown else FAILED, run.error)
    if fate.status == RETAINED:
        return Fate(before, RETAINED, fate.msg, changed=before.deployed and now.exists is True and not now.deployed)
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
    """Why a resource is still there, found by looking at it."""
    if now.key in run.refused:
        return "It is still there. %s" % run.refused[now.key]
    if run.refused and not run.attempts:
        return "No deprovision was sent, since something else could not be deleted. %s" % " ".join(run.refused.values())
    if run.error:
        return run.error
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


# -- the result --------------------------------------------------------------------------------------------


def empty() -> dict[str, Any]:
    """A result that holds nothing yet: every key, so that none is ever missing."""
    return dict(
        changed=False,
        msg="",
        server=None,
        workflows=[],
        resources=[],
        blocked=[],
        remaining=[],
        unrecorded=[],
        summary=dict.fromkeys(STATUSES, 0),
        plan_hash=None,
        duration=0.0,
    )


def result(plan: Plan, endings: Sequence[Ending]) -> dict[str, Any]:
    """The result of C(workflow_deprovision)."""
    fates = [fate for ending in endings for fate in ending.fates]
    entries = [entry(fate) for fate in fates]
    refused = bool(plan.refusals)
    failed = refused or any(ending.failed for ending in endings)
    made = empty()
    made.update(
        changed=any(ending.changed for ending in endings),
        failed=failed,
        server=server_entry(plan.server),
        workflows=[workflow_entry(ending) for ending in endings],
        resources=entries,
        blocked=blocked_ids(fates),
        remaining=[one for one in entries if one["status"] not in GONE],
        summary={status: sum(1 for fate in fates if fate.status == status) for status in STATUSES},
        unrecorded=[unrecorded_entry(one) for one in plan.unrecorded],
        plan_hash=plan.hash,
        msg=refusal(plan) if refused else sentence(endings, failed, len(plan.unrecorded)),
    )
    return made


def refusal(plan: Plan) -> str:
    """Why nothing was touched."""
    return "Refused, nothing was deleted. " + " ".join(plan.refusals)


def server_entry(server: Server) -> dict[str, Any]:
    """The cluster, as results show it."""
    return dict(version=server.version, flow_framework=server.flow_framework, cluster_name=server.cluster_name, cluster_uuid=server.cluster_uuid)


def workflow_entry(ending: Ending) -> dict[str, Any]:
    """One workflow, as results show it."""
    return dict(
        workflow_id=ending.workflow.workflow_id,
        name=ending.workflow.name,
        state_before=ending.workflow.state,
        state_after=ending.state_after,
        changed=ending.changed,
        failed=ending.failed,
        msg=ending.msg,
        attempts=ending.attempts,
        duration=ending.duration,
    )


def entry(fate: Fate) -> dict[str, Any]:
    """One resource, as results show it."""
    resource = fate.resource
    return dict(
        workflow_id=resource.workflow_id,
        kind=resource.kind,
        type=resource.type,
        id=resource.id,
        uuid=resource.uuid,
        steps=list(resource.steps),
        status=fate.status,
        changed=fate.changed,
        failed=fate.failed,
        msg=fate.msg,
        needs_allow_delete=needs_allow_delete(resource.kind),
        documents=resource.documents,
        size_in_bytes=resource.size_in_bytes,
        used_by=[str(user) for user in resource.users],
    )


def unrecorded_entry(one: Unrecorded) -> dict[str, str]:
    """Something that no record holds, with the request that would delete it."""
    return dict(workflow_id=one.workflow_id, kind=one.kind, id=one.id, command="DELETE " + KINDS[one.kind].target(one.id))


def blocked_ids(fates: Iterable[Fate]) -> list[str]:
    """What allow_delete would have to name, and only what naming can release."""
    return sorted({fate.release for fate in fates if fate.release and fate.status in (BLOCKED, KEPT)})


def sentence(endings: Sequence[Ending], failed: bool, unrecorded: int) -> str:
    """What happened, in one sentence; on failure with each reason."""
    fates = [fate for ending in endings for fate in ending.fates]
    parts = [text for text in (counted(fates, status, words) for status, words in WORDS) if text]
    retained = [fate.resource.kind for fate in fates if fate.status == RETAINED]
    if retained:
        kind = retained[0] if len(set(retained)) == 1 else OTHER
        parts.append("%s left on the cluster" % number(len(retained), title(kind), titles(kind)))
    parts += records(endings)
    if unrecorded:
        parts.append("%s without a record left there, see unrecorded" % number(unrecorded, "resource"))
    text = "%s: %s" % (number(len(endings), "workflow"), ", ".join(parts) or "nothing to do")
    if not failed:
        return text
    reasons = ["%s %s: %s" % (title(f.resource.kind), f.resource.id, f.msg) for f in fates if f.failed]
    reasons += ["workflow %s: %s" % (e.workflow.workflow_id, e.msg) for e in endings if e.failed and e.msg and not any(f.failed for f in e.fates)]
    shown = reasons[:10]
    if len(reasons) > len(shown):
        shown.append("and %d more, see resources." % (len(reasons) - len(shown)))
    return "%s. %s" % (text, " ".join(shown))


def records(endings: Sequence[Ending]) -> list[str]:
    """What became of the records of workflows, where their resources do not say it."""
    ends = [one for one in endings if one.changed]
    dropped = sum(1 for one in ends if one.state_after is None)
    cleared = sum(1 for one in ends if one.state_after == "NOT_STARTED" and not any(fate.changed for fate in one.fates))
    missing = sum(1 for one in endings if not one.changed and one.workflow.state is None)
    texts = (
        (dropped, "%s removed for good" % number(dropped, "workflow record")),
        (cleared, "%s cleared" % number(cleared, "workflow record")),
        (missing, "%d not there" % missing),
    )
    return [text for count, text in texts if count]


WORDS = (
    (WOULD_DELETE, "%s to delete"),
    (DELETED, "%s deleted"),
    (ABSENT, "%s already absent"),
    (KEPT, "%s kept"),
    (BLOCKED, "%s blocked"),
    (UNTOUCHED, "%s untouched"),
    (FAILED, "%s not deleted"),
    (UNKNOWN, "%s not known"),
)


def counted(fates: Sequence[Fate], status: str, words: str) -> str:
    """How many ended in a status, in words; empty for none."""
    count = sum(1 for fate in fates if fate.status == status)
    return words % number(count, "resource") if count else ""


def number(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun. ``plural``: where that is not the noun with an s."""
    return "%d %s" % (count, noun if count == 1 else plural or noun + "s")


def diff(endings: Sequence[Ending]) -> dict[str, str]:
    """The resources before and after, one a line."""
    return dict(
        before_header="what the workflows hold",
        after_header="what is left of it",
        before=listing(endings, lambda ending: ending.workflow.state, lambda fate: fate.status != ABSENT),
        after=listing(endings, lambda ending: ending.state_after, lambda fate: fate.status not in GONE),
    )


def listing(endings: Sequence[Ending], state: Callable[[Ending], str | None], shown: Callable[[Fate], bool]) -> str:
    """Workflows with their state, where there is one, and those of their resources that are shown."""
    lines: list[str] = []
    for ending in endings:
        held = sorted(line(fate) for fate in ending.fates if shown(fate))
        if held or state(ending):
            lines.append("%s: %s" % (ending.workflow.name or ending.workflow.workflow_id, state(ending) or "no state"))
            lines += ["  " + text for text in held]
    return "".join(text + "\n" for text in lines)


def line(fate: Fate) -> str:
    """One resource in a listing."""
    documents = fate.resource.documents
    return "%s %s" % (title(fate.resource.kind), fate.resource.id) + ("" if documents is None else " (%s)" % number(documents, "document"))


# -- information -------------------------------------------------------------------------------------------


def no_information() -> dict[str, Any]:
    """A result of C(workflow_info) that holds nothing."""
    return dict(
        changed=False,
        server=None,
        workflows=[],
        resources=[],
        blocked=[],
        unrecorded=[],
        summary=dict.fromkeys((PRESENT, ABSENT, UNKNOWN), 0),
        counts=counts_of(()),
    )


def information(survey: Survey, plan: Plan | None, ages: Callable[[Workflow], dict[str, int | None]]) -> dict[str, Any]:
    """The result of C(workflow_info): what is there, what needs naming, what is in the way.

    ``plan`` is that of a deprovision that names nothing and keeps what is not named; None where nothing was looked at.
    ``ages`` says how old a workflow is and for how long it is unchanged, in seconds.
    """
    fates = [fate for workflow in plan.workflows for fate in workflow.fates] if plan else []
    recorded = [] if plan else [Fate(resource, "") for workflow in survey.workflows for resource in workflow.resources]
    entries = [present(fate) for fate in fates] + [not_looked_at(fate) for fate in recorded]
    made = no_information()
    made.update(
        server=server_entry(survey.server),
        workflows=[state_entry(workflow, ages(workflow)) for workflow in survey.workflows],
        resources=entries,
        blocked=blocked_ids(fates),
        unrecorded=[unrecorded_entry(one) for one in survey.unrecorded],
        summary={status: sum(1 for one in entries if one["status"] == status) for status in made["summary"]},
        counts=counts_of(survey.workflows),
    )
    return made


def counts_of(workflows: Sequence[Workflow]) -> dict[str, int]:
    """How many workflows there are, how many of each state and of none, and how many resources they record."""
    states = [workflow.state or "MISSING" for workflow in workflows]
    named = {state: states.count(state) for state in ("NOT_STARTED", "PROVISIONING", "COMPLETED", "FAILED", "MISSING")}
    return dict(workflows=len(workflows), resources=sum(len(workflow.resources) for workflow in workflows), **named)


def state_entry(workflow: Workflow, ages: dict[str, int | None]) -> dict[str, Any]:
    """One workflow as it is."""
    begun, ended_at = workflow.written or (None, None)
    return dict(
        workflow_id=workflow.workflow_id,
        name=workflow.name,
        use_case=workflow.use_case,
        owner=workflow.owner,
        state=workflow.state,
        created_time=workflow.created,
        last_updated_time=workflow.updated,
        provision_start_time=begun,
        provision_end_time=ended_at,
        **ages,
        orphaned=workflow.orphaned,
    )


def not_looked_at(fate: Fate) -> dict[str, Any]:
    """One resource as it is recorded."""
    return dict(present(fate), status=None)


def present(fate: Fate) -> dict[str, Any]:
    """One resource as it is: there, gone, or not known."""
    made = entry(fate)
    made["status"] = {True: PRESENT, False: ABSENT, None: UNKNOWN}[fate.resource.exists]
    del made["changed"], made["failed"]
    return made
