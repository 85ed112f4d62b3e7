# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Survey and options in, Plan out. Pure: no input or output of any kind.

This is the only place that decides what is deleted: here for workflows and for the whole task, in fates.py for each resource.
Check mode prints the plan, the teardown carries it out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import AbstractSet, Sequence

from .fates import (
    ABSENT,
    BLOCKED,
    FAILED,
    KEPT,
    RETAINED,
    UNKNOWN,
    UNTOUCHED,
    WOULD_DELETE,
    Fate,
    decide_all,
    going,
    holding,
    is_named_with_namesakes,
    protecting,
)
from .options import DECIDING, Options
from .records import PROVISIONING, Resource, Server, Survey, Unrecorded, Workflow, no_workflow
from .resources import ALLOW_DELETE_SINCE, CLEAR_STATUS_SINCE, KINDS, STATE_GOES_WITH_TEMPLATE_SINCE, Key, needs_allow_delete, steps_of, title


@dataclass(frozen=True)
class WorkflowPlan:
    """What becomes of one workflow. ``post``: a deprovision is sent, with ``allow`` as its allow_delete."""

    workflow: Workflow
    fates: tuple[Fate, ...] = ()
    post: bool = False
    allow: tuple[str, ...] = ()
    first: tuple[Resource, ...] = ()  # below 2.16: what is deleted by its own API before the deprovision, in order
    recreate: tuple[Resource, ...] = ()  # what gets an empty placeholder, so that the server can clear its record
    drop: bool = False  # template and state are deleted in the end
    clear: bool = False  # ... with what the state still records
    last: tuple[Resource, ...] = ()  # leftovers, deleted by their own API in the end
    resets: bool = False  # the server has nothing recorded afterwards
    state_after: str | None = None
    msg: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Something is deleted, undeployed, reset or forgotten."""
        return self.resets or self.drop or any(fate.changed for fate in self.fates)

    @property
    def posts(self) -> bool:
        """The next thing sent is a deprovision."""
        return self.post and not self.first

    @property
    def acts(self) -> bool:
        """Something is sent that changes something."""
        return self.post or self.drop or bool(self.first or self.recreate)

    @property
    def failed(self) -> bool:
        """The task fails over it."""
        return any(fate.failed for fate in self.fates)


@dataclass(frozen=True)
class Plan:
    """What becomes of all workflows. With ``refusals`` nothing is deleted in any of them."""

    server: Server
    workflows: tuple[WorkflowPlan, ...]
    refusals: tuple[str, ...]
    hash: str
    warnings: tuple[str, ...] = ()
    unrecorded: tuple[Unrecorded, ...] = ()


def make_plan(survey: Survey, options: Options) -> Plan:
    """What becomes of every recorded resource, and whether anything may be touched at all."""
    fates = decide_all(survey, options)
    goes = going(fates, survey.server)
    workflows = tuple(plan_workflow(workflow, fates[i], survey.server, options, goes) for i, workflow in enumerate(survey.workflows))
    plan_hash = hash_of(survey.server, workflows, options)
    refusals = refusals_of(survey, workflows, options, plan_hash)
    if refusals:
        workflows = tuple(untouched(workflow) for workflow in workflows)
    warnings = survey.warnings + tuple(text for workflow in workflows for text in workflow.warnings)
    warnings += missing_warnings(survey, options) + unmatched_warnings(survey, options)
    return Plan(survey.server, workflows, refusals, plan_hash, warnings, survey.unrecorded)


def go_before(plan: Plan) -> dict[str, frozenset[str]]:
    """For each workflow, those of the task that have to go before it.

    That is whatever uses something of it (a model its connector, an agent its model), since the server refuses to delete
    what is in use; and of several that record the same resource the one before, which takes it along.
    """
    holders: dict[Key, list[str]] = {}
    before: dict[str, set[str]] = {planned.workflow.workflow_id: set() for planned in plan.workflows}
    touched = [
        (fate.resource.workflow_id, fate.resource)
        for planned in plan.workflows
        for fate in planned.fates
        if fate.status == WOULD_DELETE or set(fate.resource.actions) & {"delete", "undeploy"}
    ]
    for workflow_id, resource in touched:
        held = holders.setdefault(resource.key, [])
        before[workflow_id].update(held[-1:])
        held.append(workflow_id)
    for workflow_id, resource in touched:
        before[workflow_id].update(holder for user in resource.users for holder in holders.get(user.key, ()) if holder != workflow_id)
    return {workflow_id: frozenset(others) for workflow_id, others in before.items() if others}


# -- workflows ---------------------------------------------------------------------------------------------


def plan_workflow(workflow: Workflow, fates: tuple[Fate, ...], server: Server, options: Options, goes: AbstractSet[Key]) -> WorkflowPlan:
    """What is sent for one workflow, if anything, and how it ends. ``goes``: what the whole task deletes."""
    by_server = server.level >= ALLOW_DELETE_SINCE
    hold = holding(fates, server, goes)
    if hold:
        fates = tuple(held(fate, hold) for fate in fates)
    elif not by_server:
        hold = forgetting(fates)
        fates = tuple(fate if not hold or needs_allow_delete(fate.resource.kind) else held(fate, hold) for fate in fates)
    stuck = () if hold else tuple(fate for fate in fates if not is_cleared(fate, fates, server))
    stale = tuple(fate for fate in stuck if fate.status == ABSENT)
    recreate = recreated(stale, workflow, options) if stale and len(stale) == len(stuck) else ()
    clears = workflow.found and not hold and not stuck  # the server drops everything from its record
    dirty = bool(fates) or workflow.state != "NOT_STARTED"
    drop, clear = dropped(workflow, server, options, stale if len(stale) == len(stuck) and not recreate else None, hold)
    broken_off = drop and workflow.state == PROVISIONING  # such a state is not deleted (X05); any deprovision ends it
    placeholders = [fate.resource for fate in fates if placeholder_goes(fate, fates)]
    # A placeholder of ours goes even where something else stays recorded: nobody else takes it away.
    called_for = any(fate.changed for fate in fates if by_server or not needs_allow_delete(fate.resource.kind))
    post = not hold and (called_for or (clears and dirty) or broken_off or (by_server and bool(placeholders)))
    resets = (clears and post) or bool(recreate)
    go = [fate.resource for fate in fates if fate.status == WOULD_DELETE and needs_allow_delete(fate.resource.kind)]
    return WorkflowPlan(
        workflow,
        fates,
        post=post,
        allow=tuple(sorted({r.id for r in go + placeholders})) if by_server else (),
        first=() if by_server else tuple(reversed(go)),
        recreate=recreate,
        drop=drop,
        clear=clear,
        last=tuple(fate.resource for fate in fates if fate.status == WOULD_DELETE and KINDS[fate.resource.kind].leftover),
        resets=resets,
        state_after=state_after(workflow, server, resets, post, drop),
        msg=hold,
        warnings=workflow_warnings(workflow, fates, server, () if resets or drop else stale, post, bool(hold or stuck) and not drop, options),
    )


def recreated(stale: Sequence[Fate], workflow: Workflow, options: Options) -> tuple[Resource, ...]:
    """The stale records that get a placeholder: all of them, or none. Never without being named, and never for a model."""
    resources = tuple(fate.resource for fate in stale)
    possible = (
        options.stale_records == "recreate"
        and not options.delete_workflow
        and all(KINDS[r.kind].placeholder and not KINDS[r.kind].danger(r.id) and is_named_with_namesakes(r, workflow, options) for r in resources)
    )
    return resources if possible else ()


def dropped(workflow: Workflow, server: Server, options: Options, stale: Sequence[Fate] | None, hold: str) -> tuple[bool, bool]:
    """Whether template and state are deleted in the end, and whether with what the state still records.

    ``stale``: the records that the server cannot get over; None where something else stays recorded.
    """
    if stale is None or hold:
        return False, False
    able = server.level >= CLEAR_STATUS_SINCE
    forget = bool(stale) and able and (options.delete_workflow or options.stale_records == "forget")
    if not options.delete_workflow:
        return forget, forget
    state_goes = workflow.found and server.level >= STATE_GOES_WITH_TEMPLATE_SINCE
    return (not stale or forget) and (bool(workflow.has_template) or state_goes), forget


def forgetting(fates: Sequence[Fate]) -> str:
    """Below 2.16: why no deprovision may be sent though indices and pipelines are deleted. The record outlives the work."""
    for fate in fates:
        if fate.status == FAILED and needs_allow_delete(fate.resource.kind):
            return "This version of Flow Framework would forget the %s %s, which cannot be deleted: no deprovision is sent." % (
                title(fate.resource.kind),
                fate.resource.id,
            )
    return ""


def held(fate: Fate, hold: str) -> Fate:
    """What would have gone with a deprovision that is not sent."""
    return replace(fate, status=FAILED, changed=False, msg=hold) if fate.changed else fate


def is_cleared(fate: Fate, fates: Sequence[Fate], server: Server) -> bool:
    """Whether the server drops this from its record, by deleting it or by getting over it."""
    resource = fate.resource
    if fate.status in (WOULD_DELETE, RETAINED):
        return True
    if resource.placeholder:
        return placeholder_goes(fate, fates)
    if fate.status == ABSENT:
        return all(steps_of(resource.kind)[step].gone_is_success(server.level, server.security) for step in resource.steps)
    return fate.status == KEPT and needs_allow_delete(resource.kind) and server.level < ALLOW_DELETE_SINCE


def placeholder_goes(fate: Fate, fates: Sequence[Fate]) -> bool:
    """Whether this is our own placeholder, and goes: with any options, but never with an id that means more, nor with a namesake that stays."""
    resource = fate.resource
    if not resource.placeholder or KINDS[resource.kind].danger(resource.id):
        return False
    return all(f.status in (ABSENT, WOULD_DELETE) for f in fates if f.resource.id == resource.id and needs_allow_delete(f.resource.kind))


def state_after(workflow: Workflow, server: Server, resets: bool, post: bool, drop: bool) -> str | None:
    """The state that the record ends in (D06, D07 for a workflow without template; D11 for one that keeps something)."""
    state_goes = server.level >= STATE_GOES_WITH_TEMPLATE_SINCE
    if drop and state_goes:
        return None
    if resets:
        return None if workflow.has_template is False and state_goes else "NOT_STARTED"
    return "COMPLETED" if post else workflow.state


STALE_CURES = {
    "report": "stale_records: recreate or forget clears it",
    "recreate": "stale_records: recreate needs all of it named in allow_delete, works for indices and pipelines only, and only where nothing else stays",
    "forget": "stale_records: forget needs Flow Framework 2.15, and that nothing else stays",
}


def workflow_warnings(
    workflow: Workflow, fates: Sequence[Fate], server: Server, stale: Sequence[Fate], post: bool, stays: bool, options: Options
) -> tuple[str, ...]:
    """What a person should know of a workflow that is no failure. ``stays``: something stays recorded."""
    texts = []
    if stale:
        names = ", ".join(fate.resource.id for fate in stale)
        cure = STALE_CURES[options.stale_records]
        with_others = any(fate.resource.exists for fate in stale)
        gone_how = "what is gone, or goes with another workflow of this task" if with_others else "what is gone"
        texts.append("Workflow %s still records %s (%s), and the server cannot get over that: %s." % (workflow.workflow_id, gone_how, names, cure))
    kept = [fate.resource.id for fate in fates if fate.status == KEPT]
    if kept and post and server.level < ALLOW_DELETE_SINCE:
        texts.append("Flow Framework %s forgets what is kept of workflow %s: %s." % (server.flow_framework, workflow.workflow_id, ", ".join(kept)))
    gone = {fate.resource.key for fate in fates if fate.status == WOULD_DELETE}
    kept_keys = {fate.resource.key for fate in fates if fate.status == KEPT}
    for resource in (fate.resource for fate in fates if fate.resource.key in gone):
        users = [str(user) for user in resource.users if user.key in kept_keys]
        if users:
            texts.append(
                "%s/%s goes, and %s, which is kept, uses it and may no longer work: keep both, or name both." % (resource.kind, resource.id, ", ".join(users))
            )
    if options.delete_workflow and stays:
        texts.append("Template and state of workflow %s stay: something that it records stays." % workflow.workflow_id)
    if workflow.state == PROVISIONING:
        texts.append("Workflow %s is being provisioned: what it creates from now on is not in this plan." % workflow.workflow_id)
    return tuple(texts)


def untouched(planned: WorkflowPlan) -> WorkflowPlan:
    """The same workflow when the task is refused: a plan that sends nothing, and says what the other one said."""
    fates = tuple(spare(fate) for fate in planned.fates)
    return WorkflowPlan(planned.workflow, fates, state_after=planned.workflow.state, msg=planned.msg, warnings=planned.warnings)


def spare(fate: Fate) -> Fate:
    """What would have gone, with its own workflow or with another one of the task, when nothing goes."""
    would_go = fate.status == WOULD_DELETE or (fate.status == ABSENT and fate.resource.exists)
    return replace(fate, status=UNTOUCHED if would_go else fate.status, msg="" if would_go else fate.msg, changed=False)


# -- the whole task ----------------------------------------------------------------------------------------


def refusals_of(survey: Survey, workflows: Sequence[WorkflowPlan], options: Options, plan_hash: str) -> tuple[str, ...]:
    """Why nothing may be touched; empty when the plan may be carried out."""
    wrong_cluster = cluster_refusal(survey.server, options)
    if wrong_cluster:
        return tuple(wrong_cluster)  # what else there is to say would be about the wrong cluster
    texts: list[str] = []
    fates = [fate for workflow in workflows for fate in workflow.fates]
    missing = [plan.workflow.workflow_id for plan in workflows if not plan.workflow.found and not plan.drop]
    if missing and options.on_missing == "fail":
        texts.append("%s: no such workflow on %s." % (", ".join(missing), survey.server.name))
    texts += protected_refusal(workflows, options)
    blocked_fates = [fate for fate in fates if fate.status == BLOCKED]
    if blocked_fates:
        texts.append(blocked_refusal(blocked_fates))
    texts += ["%s %s: %s" % (title(f.resource.kind), f.resource.id, f.msg) for f in fates if f.status == UNKNOWN]
    texts += size_refusals(workflows, fates, options)
    if options.plan_hash is not None and options.plan_hash != plan_hash:
        texts.append("plan_hash is %s, and today's plan has %s: it is another plan, or the cluster has changed since." % (options.plan_hash, plan_hash))
    return tuple(texts)


def cluster_refusal(server: Server, options: Options) -> list[str]:
    """The wrong cluster; one whose name cannot be read is a wrong one."""
    if options.expect_cluster is None or options.expect_cluster in (server.cluster_name, server.cluster_uuid):
        return []
    return ["This is cluster %s (%s), not %s as expect_cluster says." % (server.cluster_name, server.cluster_uuid, options.expect_cluster)]


def protected_refusal(workflows: Sequence[WorkflowPlan], options: Options) -> list[str]:
    """Workflows that ``protect`` names, where one would be touched that has no resource to say it."""
    hits = []
    for plan in workflows:
        pattern = protecting(options, plan.workflow.workflow_id, plan.workflow.name)
        if pattern and plan.acts:
            hits.append("Workflow %s is protected by %r in protect." % (plan.workflow.workflow_id, pattern))
    return hits


def blocked_refusal(fates: Sequence[Fate]) -> str:
    """What is blocked: first what naming releases, with the very words, then everything else with its reason."""
    nameable = [fate for fate in fates if fate.release]
    others = ["%s %s: %s" % (title(f.resource.kind), f.resource.id, f.msg) for f in fates if not f.release]
    texts = others[:10] + (["And %d more, see resources." % (len(others) - 10)] if len(others) > 10 else [])
    if nameable:
        names = ", ".join("%s %s" % (title(fate.resource.kind), fate.resource.id) for fate in nameable[:10]) + (", ..." if len(nameable) > 10 else "")
        release = json.dumps(sorted({fate.release for fate in nameable}), ensure_ascii=False)
        texts.insert(0, "Not named in allow_delete: %s. To let them go as well, add to allow_delete: %s." % (names, release))
    return " ".join(texts)


def size_refusals(workflows: Sequence[WorkflowPlan], fates: Sequence[Fate], options: Options) -> list[str]:
    """More workflows or documents than the task allows. Unknown counts as more."""
    texts = []
    touched = sum(1 for workflow in workflows if workflow.acts)
    if options.max_workflows is not None and touched > options.max_workflows:
        texts.append("Workflows that would be torn down: %d, and max_workflows is %d." % (touched, options.max_workflows))
    if options.max_documents is not None:
        for resource in (fate.resource for fate in fates if fate.status == WOULD_DELETE and fate.resource.kind == "index"):
            if resource.documents is None or resource.documents > options.max_documents:
                count = "an unknown number of" if resource.documents is None else resource.documents
                texts.append("Index %s holds %s documents, and max_documents is %d." % (resource.id, count, options.max_documents))
    return texts


def missing_warnings(survey: Survey, options: Options) -> tuple[str, ...]:
    """Workflows that are not there: fine, and worth a word, since it may be the wrong cluster."""
    if options.on_missing != "ok":
        return ()
    gone = [w.workflow_id for w in survey.workflows if not w.found and not (w.has_template and options.delete_workflow)]
    return tuple(no_workflow(workflow_id, survey.server) for workflow_id in gone)


def unmatched_warnings(survey: Survey, options: Options) -> tuple[str, ...]:
    """Names in allow_delete that fit nothing, while something is recorded that they could have meant."""
    ids = sorted({r.id for w in survey.workflows for r in w.resources if needs_allow_delete(r.kind)})
    keys = {r.key for w in survey.workflows for r in w.resources} | {key for w in survey.workflows for key in w.literals}  # gone ones are no typos
    known = {name for key in keys for name in (key[1], "%s/%s" % key)}
    texts = []
    for name in options.allow_delete if ids else ():
        if name not in known:
            (nearest,) = get_close_matches(name.partition("/")[2] or name, ids, 1, 0)
            texts.append("allow_delete names %s, which no workflow of this task records. The nearest that one does is %s." % (name, nearest))
    return tuple(texts)


def hash_of(server: Server, workflows: Sequence[WorkflowPlan], options: Options) -> str:
    """The fingerprint of what would be done: cluster, deciding options, and each resource with its planned status.

    Counts, sizes and times are not in it; the guards are not either, since they decide whether and not what.
    """
    content: dict[str, object] = {
        "cluster": server.cluster_uuid,
        "options": dict({name: getattr(options, name) for name in DECIDING}, allow_delete=sorted(set(options.allow_delete))),
        "workflows": sorted(plan.workflow.workflow_id for plan in workflows),
        "resources": sorted(
            [f.resource.workflow_id, f.resource.kind, f.resource.id, f.resource.uuid or "", f.status] for plan in workflows for f in plan.fates
        ),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8")).hexdigest()
