# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One shape for every result: check mode, success, failure and information; the diff; the sentences.

Pure. The keys are the same whatever happened, so that C(rescue) reads what C(register) reads.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable, Iterable, Sequence

from .endings import Ending, number
from .fates import ABSENT, BLOCKED, DELETED, FAILED, KEPT, RETAINED, STATUSES, UNKNOWN, UNTOUCHED, WOULD_DELETE, Fate
from .plan import Plan
from .records import STATES, Server, Survey, Unrecorded, Workflow
from .resources import KINDS, OTHER, needs_allow_delete, title, titles

GONE = (ABSENT, DELETED, WOULD_DELETE)
PRESENT = "present"

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
    done = ", ".join(parts) or ("nothing recorded" if unrecorded else "nothing to do")
    text = "%s: %s" % (number(len(endings), "workflow"), done)
    if unrecorded:
        text += "; " + "%s that only the template names, see unrecorded" % number(unrecorded, "resource exists", "resources exist")
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
    names = Counter(ending.workflow.name for ending in endings)
    lines: list[str] = []
    for ending in endings:
        held = sorted(line(fate) for fate in ending.fates if shown(fate))
        if held or state(ending):
            name, workflow_id = ending.workflow.name, ending.workflow.workflow_id
            label = "%s (%s)" % (name, workflow_id) if name and names[name] > 1 else name or workflow_id
            lines.append("%s: %s" % (label, state(ending) or "no state"))
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
    named = {state: states.count(state) for state in (*STATES, "MISSING")}
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
