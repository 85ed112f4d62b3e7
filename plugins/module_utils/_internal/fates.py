# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of each resource of a survey, by the options of the task. Pure: no input or output of any kind.

The order of the questions in C(unprotected_fate) is the order of precedence. What is sent for that stands in plan.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import AbstractSet, Iterable, Sequence

from .options import Options
from .records import Resource, Server, Survey, Workflow
from .resources import KINDS, OTHER, Key, needs_allow_delete, steps_of, title
from .sharing import User

WOULD_DELETE = "would_delete"
DELETED = "deleted"
ABSENT = "absent"
RETAINED = "retained"
BLOCKED = "blocked"
KEPT = "kept"
UNTOUCHED = "untouched"
FAILED = "failed"
UNKNOWN = "unknown"
STATUSES = (WOULD_DELETE, DELETED, ABSENT, RETAINED, BLOCKED, KEPT, UNTOUCHED, FAILED, UNKNOWN)
FAILURES = (BLOCKED, FAILED, UNKNOWN)

COMPLETED_SLACK = 5_000  # milliseconds: clocks of nodes differ
FAILED_SLACK = 3_600_000  # milliseconds: after FAILED, other branches of a template go on


@dataclass(frozen=True)
class Fate:
    """What becomes of one resource. ``release`` is what ``allow_delete`` would have to name, where naming helps."""

    resource: Resource
    status: str
    msg: str = ""
    changed: bool = False
    release: str = ""

    @property
    def failed(self) -> bool:
        """The task fails over it."""
        return self.status in FAILURES


@dataclass(frozen=True)
class Around:
    """What the decision about one resource has to know of the whole task."""

    recorded: AbstractSet[Key]  # what the task's workflows record: what uses a resource from there is not outside
    undeployed: AbstractSet[Key]  # the models that a workflow of the task undeploys
    taken: AbstractSet[Key] = frozenset()  # what an earlier workflow of the task deletes
    kept: AbstractSet[Key] = frozenset()  # what an earlier plan of this task kept, whatever its record says now


def decide_all(survey: Survey, options: Options) -> list[tuple[Fate, ...]]:
    """The fate of every resource. What one workflow of the task keeps, no other one of it deletes."""
    kept = survey.kept
    while True:
        decided = decide_each(replace(survey, kept=kept), options)
        statuses = {(fate.status, fate.resource.key) for fates in decided for fate in fates}
        contradicted = {key for status, key in statuses if status == KEPT and (WOULD_DELETE, key) in statuses}
        if not contradicted:
            return decided
        kept |= contradicted


def decide_each(survey: Survey, options: Options) -> list[tuple[Fate, ...]]:
    """The fate of every resource, workflow by workflow. What an earlier one deletes is absent in a later one."""
    resources = [r for w in survey.workflows for r in w.resources]
    around = Around(frozenset(r.key for r in resources) | survey.inside, frozenset(r.key for r in resources if "undeploy" in r.actions), kept=survey.kept)
    decided: list[tuple[Fate, ...]] = []
    taken: set[Key] = set()
    around = replace(around, taken=taken)
    for workflow in survey.workflows:
        fates = [decide(resource, workflow, options, around) for resource in workflow.resources]
        ours = tuple(spared(fate, fates) for fate in fates)
        taken |= going([ours], survey.server)
        decided.append(ours)
    goes = going(decided, survey.server)
    return [tuple(fail_in_use(fate, goes) for fate in fates) for fates in decided]


def going(decided: Sequence[Sequence[Fate]], server: Server) -> frozenset[Key]:
    """What will be deleted: nothing of a workflow for which nothing may be sent."""
    sent = [fates for fates in decided if not holding(fates, server, frozenset())]
    return frozenset(fate.resource.key for fates in sent for fate in fates if fate.status == WOULD_DELETE)


def holding(fates: Sequence[Fate], server: Server, goes: AbstractSet[Key]) -> str:
    """Why nothing may be sent for a workflow: the server would hang, or delete what must stay. ``goes``: what the task deletes."""
    for fate in fates:
        resource = fate.resource
        if resource.kind == OTHER:
            return fate.msg
        unknown = [step for step in resource.steps if server.level < steps_of(resource.kind)[step].since]
        if unknown:
            return "Flow Framework %s does not know the step %s: a deprovision would never be answered, so none is sent." % (server.flow_framework, unknown[0])
        if fate.status == KEPT and not needs_allow_delete(resource.kind) and not server_keeps(resource, goes):
            return "A deprovision would delete the %s %s as well, which must stay: none is sent." % (title(resource.kind), resource.id)
    return ""


def server_keeps(resource: Resource, goes: AbstractSet[Key]) -> bool:
    """A connector that a model uses which does not go itself: the server refuses to delete it (recording connector_in_use)."""
    return resource.kind == "connector" and bool(models_beside(resource, goes))


def decide(resource: Resource, workflow: Workflow, options: Options, around: Around) -> Fate:
    """The fate of one resource, but for what uses it in the task itself."""
    fate = unprotected_fate(resource, workflow, options, around)
    if fate.status == WOULD_DELETE and resource.key in around.kept:
        return Fate(resource, KEPT, "This task keeps it: another workflow that recorded it does, or did when the plan was made.")
    if fate.changed or fate.status == FAILED:  # the server would touch it, or try to
        pattern = protecting(options, resource.id, workflow.workflow_id, workflow.name)
        if pattern:
            return Fate(resource, BLOCKED, "Protected by %r in protect." % pattern)
    return fate


def unprotected_fate(resource: Resource, workflow: Workflow, options: Options, around: Around) -> Fate:
    """The fate of one resource before C(protect). The order of the questions is the order of precedence."""
    if resource.kind == OTHER:
        return Fate(resource, FAILED, "%s: a deprovision of this workflow would never be answered, so none is sent." % resource.problem)
    if resource.exists is False:
        return Fate(resource, ABSENT)
    if resource.key in around.taken and "delete" in resource.actions:
        return Fate(resource, ABSENT, "Another workflow of this task records it too, and it goes with that one.")
    danger = KINDS[resource.kind].danger(resource.id)
    if danger:
        return blocked(resource, options.on_blocked, "Never deleted: %s. Look at it and delete it by hand." % danger)
    if resource.exists is None:
        return Fate(resource, UNKNOWN, "It could not be looked at: %s" % resource.problem)
    if KINDS[resource.kind].leftover:
        return leftover_fate(resource, options, around)
    # Before naming: a deprovision that keeps this index moves the time by which it is told, and the next run would not know.
    later = made_later(resource, workflow)
    if later and options.on_shared != "delete":
        return blocked(resource, options.on_shared, shared_text(later))
    if needs_allow_delete(resource.kind) and "delete" in resource.actions:
        verdict = unreleased(resource, workflow, options)
        if verdict:
            return verdict
    sharing = used_outside(resource, around)
    if sharing and options.on_shared != "delete":
        return blocked(resource, options.on_shared, shared_text(sharing))
    if "delete" not in resource.actions:
        return retained(resource)
    if resource.obstacle:
        return Fate(resource, FAILED, "Cannot be deleted: %s." % resource.obstacle)
    if resource.deployed and resource.key not in around.undeployed:
        return Fate(resource, FAILED, "The model is deployed, and no workflow here undeploys it: POST /_plugins/_ml/models/%s/_undeploy first." % resource.id)
    return Fate(resource, WOULD_DELETE, changed=True)


def shared_text(why: str) -> str:
    """What to say of a resource that is not this workflow's alone."""
    return "Not this workflow's alone: %s. on_shared: keep leaves it there, on_shared: delete deletes it all the same." % why


def used_outside(resource: Resource, around: Around) -> str:
    """Who outside the task uses it; empty for nobody."""
    only_undeployed = "delete" not in resource.actions
    outside = [
        user
        for user in resource.users
        if user.key not in around.recorded and not (only_undeployed and user.kind == "workflow" and "deploy_model" not in user.steps)
    ]
    if outside:
        return "used by %s" % names_of(outside)
    return ""


def made_later(resource: Resource, workflow: Workflow) -> str:
    """That it is another index than the one provisioned; empty where nothing says so.

    Clocks of nodes differ by seconds, and after FAILED other branches go on. A 202 or 403 moves the end to that moment
    (behaviour.md 2.5), so the beginning counts as well.
    """
    if resource.created is None:
        return ""
    begun, end = workflow.written or (None, None)
    slack = COMPLETED_SLACK if workflow.state == "COMPLETED" else FAILED_SLACK
    if end is not None and resource.created > end + slack:
        return "the index of that name was made after provisioning ended"
    if begun is not None and resource.created > begun + FAILED_SLACK:
        return "the index of that name was made more than an hour after provisioning began"
    return ""


def leftover_fate(resource: Resource, options: Options, around: Around) -> Fate:
    """A model group: the server never deletes it; this module does where asked, when no model is left in it."""
    if options.leftovers != "delete":
        said = "Flow Framework never deletes a %s, and a deprovision forgets it: leftovers: delete deletes it in the same run."
        return Fate(resource, RETAINED, said % title(resource.kind))
    models = models_beside(resource, around.recorded)
    if models:
        return Fate(resource, RETAINED, "It still holds %s: it stays." % ", ".join(map(str, models)))
    sharing = [user for user in resource.users if user.key not in around.recorded]
    if sharing and options.on_shared != "delete":
        return Fate(resource, RETAINED, "Used by %s: it stays." % ", ".join(map(str, sharing)))
    return Fate(resource, WOULD_DELETE, changed=True)


def protecting(options: Options, *names: str | None) -> str | None:
    """The first pattern of ``protect`` that one of these names matches."""
    return next((pattern for pattern in options.protect if any(name and fnmatchcase(name, pattern) for name in names)), None)


def retained(resource: Resource) -> Fate:
    """What a workflow recorded without having made it."""
    if "undeploy" in resource.actions:
        return Fate(resource, RETAINED, "This workflow only deployed the model: it is undeployed and stays.", changed=resource.deployed)
    return Fate(resource, RETAINED, "This workflow only wrote to it: it stays.")


def blocked(resource: Resource, choice: str, msg: str, release: str = "") -> Fate:
    """Refused, or kept where on_blocked or on_shared say so."""
    return Fate(resource, BLOCKED if choice == "fail" else KEPT, msg, release=release)


def unreleased(resource: Resource, workflow: Workflow, options: Options) -> Fate | None:
    """The fate of an index or a pipeline that allow_delete does not release; None for one that it does.

    The server matches by id alone (D43), so whatever else of that id it would take along has to be named as well.
    """
    mates = namesakes(resource, workflow)
    release = resource.id if len(mates) == 1 and "/" not in resource.id else "%s/%s" % resource.key
    if not is_named(resource, mates, options):
        if resource.id in options.named:
            msg = "%r fits %s in this workflow: name each with its kind, such as %s." % (resource.id, " and ".join(sorted(r.kind for r in mates)), release)
        else:
            kind = title(resource.kind)
            msg = "A%s %s is deleted only if allow_delete names it: add %s to allow_delete." % ("n" if kind[0] in "ai" else "", kind, release)
        return blocked(resource, options.on_blocked, msg, release)
    along = [r for r in mates if r is not resource and r.exists is not False and not is_named(r, mates, options)]
    if along:
        names = ", ".join("%s/%s" % r.key for r in along)
        return blocked(resource, options.on_blocked, "Naming it would delete %s too, which has the same id: add that to allow_delete as well." % names)
    return None


def namesakes(resource: Resource, workflow: Workflow) -> list[Resource]:
    """Everything that the server takes along when this id is named; the resource itself is among it."""
    return [r for r in workflow.resources if r.id == resource.id and needs_allow_delete(r.kind) and "delete" in r.actions]


def is_named_with_namesakes(resource: Resource, workflow: Workflow, options: Options) -> bool:
    """Whether it is named, and all that would be taken along."""
    mates = namesakes(resource, workflow)
    return all((mate.exists is False and mate is not resource) or is_named(mate, mates, options) for mate in mates)


def is_named(resource: Resource, mates: Sequence[Resource], options: Options) -> bool:
    """Whether allow_delete names it: with its kind, or by its bare id where that fits none of its namesakes."""
    return "%s/%s" % resource.key in options.named or (len(mates) == 1 and resource.id in options.named)


def spared(fate: Fate, fates: Sequence[Fate]) -> Fate:
    """An index or a pipeline that has to stay since the server would take a namesake along that stays (D43)."""
    if fate.status != WOULD_DELETE or not needs_allow_delete(fate.resource.kind):
        return fate
    for other in fates:
        if other.status in (BLOCKED, KEPT) and other.resource.id == fate.resource.id and needs_allow_delete(other.resource.kind):
            msg = "Naming it would delete %s/%s too, which has the same id and must stay." % other.resource.key
            return Fate(fate.resource, other.status, msg)
    return fate


def fail_in_use(fate: Fate, goes: AbstractSet[Key]) -> Fate:
    """A connector stays as long as a model uses it that does not go as well (recording connector_in_use, D33)."""
    users = models_beside(fate.resource, goes)
    if fate.status != WOULD_DELETE or fate.resource.kind != "connector" or not users:
        return fate
    return replace(fate, status=FAILED, changed=False, msg="Still in use by %s: delete that first." % names_of(users))


def names_of(users: Iterable[User]) -> str:
    """Users as a person finds them: with their names, where they have one beside their id."""
    return ", ".join("%s (%s)" % (user, user.name) if user.name else str(user) for user in users)


def models_beside(resource: Resource, these: AbstractSet[Key]) -> list[User]:
    """The models that use a resource, but for these."""
    return [user for user in resource.users if user.kind == "model" and user.key not in these]
