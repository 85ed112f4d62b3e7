# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries a plan out: looks again before each call, sends it once, looks at what is left, plans again.

It ends when nothing that may go is left, when two calls in a row changed nothing, or at the deadline. It deletes
nothing that the first plan did not allow.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field, replace
from typing import Sequence

from . import answers
from .answers import Answer
from .api import Api, first_that_fit
from .connection import Node
from .fates import KEPT, WOULD_DELETE
from .limits import Limits
from .module import MISTAKE
from .options import Options
from .parallel import work_on
from .plan import Plan, WorkflowPlan, go_before, make_plan
from .pools import POLL, STEP_LIMIT, NodeHangs, calls_by_node, may_be_at, opaque_id
from .progress import FOR_ANOTHER, FOR_ANSWER, FOR_REPETITION, FOR_SERVER, FOR_SLOT, Progress
from .records import PROVISIONING, Resource, Survey, SurveyError, Workflow
from .resources import KINDS, Key
from .slots import NoSlot, Slots
from .survey import Surveyor

FRUITLESS_TRIES = 2  # calls in a row that change nothing before giving up: one may meet a search that is a second old
QUIET = STEP_LIMIT + 2  # seconds without a change of the record: longer than a step and the server's pause after it (1 s)
WRITE_LIMIT = 15.0  # seconds to wait for the record after an answer; it is written a moment later
LOST_WRITE_LIMIT = 3.0  # seconds to wait for it after a lost answer, when perhaps nothing was done and nothing is written
LONGEST_PAUSE = 30.0  # seconds between two calls
HANDS = 2  # workflows at once for each slot: while one call runs, the next look is made ready
OVER = "%s was over."
NOT_ATTEMPTED = "Not attempted: task_timeout was over."


class StopTask(Exception):
    """Nothing more can be done on any workflow; the text says why."""


class StopRun(Exception):
    """Nothing more can be done on this workflow; the text says why. ``unknown``: the server may still be at it."""

    def __init__(self, text: str, unknown: bool = False) -> None:
        super().__init__(text)
        self.unknown = unknown


class TimeIsOver(StopRun):
    """The time was over before all was gone; what is left may have a reason of its own."""


@dataclass
class Run:
    """One workflow while it is torn down: what was planned, and what looking last showed."""

    plan: WorkflowPlan
    now: Workflow  # the record as last read, with its resources as last seen
    last: WorkflowPlan  # the plan for what is left: says why it is left
    seen: dict[Key, Resource]  # every planned resource as last seen, recorded or not
    mark: str = ""  # what its calls bear
    attempts: int = 0  # deprovisions sent
    duration: float = 0.0  # seconds
    error: str = ""  # why it stopped short
    late: bool = False  # it stopped because the time was over
    unknown: bool = False  # it stopped while the server may still be at it
    said: str = ""  # what came in place of an answer
    dropped: bool = False  # template and state were deleted
    recreated: bool = False  # placeholders were put there
    refused: dict[Key, str] = field(default_factory=dict)  # what came of deletions by our own calls
    unread: bool = False  # the record could not be read again
    incomplete: bool = False  # the last answer was that something could not be deleted

    @property
    def workflow_id(self) -> str:
        """The workflow."""
        return self.plan.workflow.workflow_id


class Teardown:
    """Carries one plan out."""

    def __init__(self, api: Api, surveyor: Surveyor, slots: Slots, options: Options, limits: Limits, progress: Progress) -> None:
        self.api = api
        self.surveyor = surveyor
        self.slots = slots
        self.options = options
        self.limits = limits
        self.progress = progress
        self.inside: frozenset[Key] = frozenset()  # everything that the task's workflows record
        self.stopped = ""  # why nothing more can be done on any workflow

    def carry_out(self, plan: Plan) -> list[Run]:
        """All workflows, as many at once as the cluster bears; those with something left once more, as long as that helps."""
        run_id = uuid.uuid4().hex[:12]
        runs = {
            w.workflow.workflow_id: Run(w, w.workflow, w, {f.resource.key: f.resource for f in w.fates}, opaque_id(run_id, w.workflow.workflow_id))
            for w in plan.workflows
        }
        self.inside = frozenset(r.key for w in plan.workflows for r in w.workflow.resources)
        before = go_before(plan)
        unfinished = [run for run in runs.values() if run.plan.acts]
        self.progress.begin({run.workflow_id: left_in([run]) for run in unfinished})
        most = HANDS * self.slots.capacity() if len(unfinished) > 1 else 1
        left = -1
        while unfinished and left_in(unfinished) != left and not self.stopped:
            left = left_in(unfinished)
            work_on([run.workflow_id for run in unfinished], before, most, lambda workflow_id: self.tear_down(runs[workflow_id], plan))
            # What one workflow left may go now that another is gone. One that is alone has had its tries.
            unfinished = [run for run in unfinished if len(runs) > 1 and not run.error and left_in([run])]
        self.look_at_what_several_recorded(list(runs.values()))
        return list(runs.values())

    # -- one workflow ----------------------------------------------------------------------------------------

    def tear_down(self, run: Run, plan: Plan) -> None:
        """One workflow until nothing more of it can go. What goes wrong is left in the run."""
        self.slots.wait_for_own()
        begun = time.monotonic()
        if self.stopped:
            run.error = run.error or self.stopped
            return
        if self.limits.task_is_over:
            end_of_the_task(run)
            return
        deadline = self.limits.deadline(used=run.duration)  # in another round, what is left of its time
        self.progress.waits(run.workflow_id, FOR_ANOTHER)
        try:
            with self.slots.workflow(run.workflow_id, deadline):
                self.until_done(run, plan, deadline)
                self.delete_groups(run)
        except NoSlot as error:
            run.error = str(error)
            if self.limits.over == "task_timeout":
                end_of_the_task(run)
        except StopRun as error:
            run.error, run.unknown, run.late = str(error), error.unknown, isinstance(error, TimeIsOver)
        except SurveyError as error:
            run.error, run.unknown, run.unread = str(error), True, True
            if error.stops_all:
                self.stopped = run.error
        except (NodeHangs, StopTask) as error:
            run.error = self.stopped = str(error)
        except Exception as error:
            # What is known of the other workflows must not be lost with it.
            run.error, run.unknown, run.unread = MISTAKE % (type(error).__name__, error), True, True
        finally:
            self.look_at_the_rest(run)
            self.progress.end(run.workflow_id, left_in([run]), stopped=bool(run.error))
            run.duration += time.monotonic() - begun

    def until_done(self, run: Run, plan: Plan, deadline: float) -> None:
        """Look, check, send, look: until the plan for what is left sends nothing more."""
        fruitless, pause = 0, self.limits.pause
        while fruitless < FRUITLESS_TRIES:
            self.progress.waits(run.workflow_id, FOR_SLOT, self.slots.names.values())
            with self.slots.slot(run.mark, deadline) as node:
                self.progress.waits(run.workflow_id, FOR_ANSWER)
                if self.stopped:
                    raise StopTask(self.stopped)
                step = self.look_again(run, plan)
                refuse_surprise(run)
                before = size_of(run.now)
                answer = self.send(run, node, deadline) if step.posts else None
            if not step.acts:
                return
            answered = self.settle(run, answer, deadline) if answer else self.act_ourselves(run)
            step = self.look_again(run, plan)
            if size_of(run.now) != before:
                fruitless = 0
            elif answered:
                fruitless += 1
            if not step.acts:
                return
            if time.monotonic() >= deadline:
                raise TimeIsOver(OVER % self.limits.over)
            if size_of(run.now) == before or run.incomplete:
                self.progress.waits(run.workflow_id, FOR_REPETITION, left=sum(1 for fate in step.fates if fate.status == WOULD_DELETE))
                time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
                pause = min(2 * pause, LONGEST_PAUSE)

    def look_again(self, run: Run, plan: Plan) -> WorkflowPlan:
        """The record and its resources as they are now, and the same decisions over them.

        The guards of the task are not asked again: they were, before anything was touched.
        """
        before = run.plan.workflow
        users = {resource.key: resource.users for resource in before.resources}
        recorded = self.surveyor.record(run.workflow_id)
        recorded = replace(recorded, resources=tuple(replace(r, users=users.get(r.key, ())) for r in recorded.resources))
        now = self.surveyor.with_models(self.surveyor.look_at(recorded))
        if any(resource.obstacle for resource in before.resources):
            now = self.surveyor.with_snapshots([now])[0]
        run.now = replace(now, name=before.name, has_template=before.has_template and not run.dropped)
        run.seen.update((resource.key, resource) for resource in run.now.resources if resource.key in run.seen)
        names = {name for key in run.seen for name in (key[1], "%s/%s" % key)}
        allow = tuple(name for name in self.options.allow_delete if name in names)
        options = replace(self.options, allow_delete=allow, max_workflows=None, max_documents=None, expect_cluster=None, plan_hash=None, on_missing="ok")
        kept = frozenset(fate.resource.key for fate in run.plan.fates if fate.status == KEPT)
        run.last = make_plan(Survey(plan.server, (run.now,), inside=self.inside, kept=kept), options).workflows[0]
        return run.last

    def look_at_the_rest(self, run: Run) -> None:
        """What has left the record: whether it is gone is proven by looking at it, not by an answer.

        Where the record could not be read again, all that it held.
        """
        if not run.attempts and run.now is run.plan.workflow:
            return
        recorded = set() if run.unread else {resource.key for resource in run.now.resources}
        for key, resource in run.seen.items():
            if key not in recorded:
                run.seen[key] = self.surveyor.look(as_recorded(resource))

    def look_at_what_several_recorded(self, runs: Sequence[Run]) -> None:
        """What one workflow deleted is gone for all that recorded it, also for those that were not looked at again."""
        holders: dict[Key, list[Run]] = {}
        for run in runs:
            for key in run.seen:
                holders.setdefault(key, []).append(run)
        for key, several in holders.items():
            if len(several) > 1 and any(run.attempts for run in several):
                now = self.surveyor.look(as_recorded(several[0].seen[key]))
                for run in several:
                    run.seen[key] = replace(now, workflow_id=run.workflow_id, steps=run.seen[key].steps)

    # -- one call --------------------------------------------------------------------------------------------

    def send(self, run: Run, node: Node, deadline: float) -> Answer:
        """The deprovision that the plan asks for, once, until the server is no longer at it, whether it answered or not."""
        run.attempts += 1
        allow = first_that_fit(run.workflow_id, run.last.allow)
        timeout = max(1.0, deadline - time.monotonic())
        answer = self.api.deprovision(node, run.workflow_id, allow, run.mark, timeout)
        if answer.outcome == answers.UNAUTHENTICATED:
            self.stopped = answer.sentence  # while the slot is still held: no other call goes out with these credentials
        elif answer.outcome in answers.UNKNOWN_OUTCOME:
            run.said = answer.sentence
            self.progress.waits(run.workflow_id, FOR_SERVER)
            self.wait_until_finished(run, deadline)
        return answer

    def settle(self, run: Run, answer: Answer, deadline: float) -> bool:
        """Until the server has written what it did. Returns whether it answered the call."""
        run.incomplete = answer.outcome == answers.INCOMPLETE
        if answer.outcome == answers.UNAUTHENTICATED:
            raise StopTask(answer.sentence)
        if answer.outcome in answers.UNKNOWN_OUTCOME:
            self.wait_for_record(run, answer, LOST_WRITE_LIMIT)
            return answer.outcome == answers.NOT_OPENSEARCH
        if answer.outcome in (answers.UNREACHABLE, answers.THROTTLED):
            run.said = answer.sentence
            return False
        if answer.outcome in (answers.OK, answers.INCOMPLETE, answers.NEEDS_ALLOW_DELETE):
            self.wait_for_record(run, answer, WRITE_LIMIT)
        elif not says_unknown_workflow(answer):
            raise StopRun(answer.sentence)
        return True

    def act_ourselves(self, run: Run) -> bool:
        """What the server has no call for: below 2.16 the named ones, placeholders, template and state."""
        run.incomplete = False
        if run.last.first:  # looked at again before the deprovision that makes the server forget them
            for resource in run.last.first:
                self.delete_ourselves(run, resource)
            return True
        return self.put_placeholders(run) if run.last.recreate else self.drop_workflow(run)

    def delete_ourselves(self, run: Run, resource: Resource) -> None:
        """Below 2.16: delete one named index or pipeline by its own API."""
        answer = self.api.delete(resource.kind, resource.id)
        if answer.outcome == answers.UNAUTHENTICATED:
            raise StopTask(answer.sentence)
        if not answer.ok and answer.outcome != answers.MISSING:
            run.refused[resource.key] = "Deleting %s/%s: %s" % (resource.kind, resource.id, answer.sentence)

    def delete_groups(self, run: Run) -> None:
        """Model groups that were to go: last, when no model is in them any more. The server refuses one that holds any."""
        for resource in run.plan.last:
            if run.attempts and resource.key not in {r.key for r in run.now.resources}:
                self.delete_ourselves(run, resource)

    def put_placeholders(self, run: Run) -> bool:
        """Put something empty where the record says that something is, so that the server can clear its record.

        An index that is there is refused by the server; a pipeline would be overwritten, and was looked at a moment ago.
        """
        if run.recreated:  # they are gone again, and the record is not: the next ones would fare no better
            raise StopRun("The placeholders are gone, and the record still names them: deleting takes longer than the server waits. Run again later.")
        run.recreated = True
        for resource in run.last.recreate:
            make = KINDS[resource.kind].placeholder
            answer = self.api.put(resource.kind, resource.id, make() if make else {})
            if not answer.ok:
                raise StopRun("A placeholder for %s/%s could not be made. %s" % (resource.kind, resource.id, answer.sentence))
        return True

    def drop_workflow(self, run: Run) -> bool:
        """Delete template and state, and wait until both are seen gone: the server does the second a moment later."""
        answer = self.api.delete_workflow(run.workflow_id, run.last.clear)
        if answer.outcome in (answers.FORBIDDEN, answers.BLOCK, answers.DISABLED):
            raise StopRun(answer.sentence)
        limit = time.monotonic() + WRITE_LIMIT
        while time.monotonic() < limit:
            state_gone = not self.surveyor.record(run.workflow_id).found
            template = self.api.template(run.workflow_id).outcome
            template_gone = template == answers.MISSING or (template == answers.FORBIDDEN and state_gone)
            if template_gone and (state_gone or run.plan.state_after is not None):
                run.dropped = True
                return True
            time.sleep(POLL)
        raise StopRun("Template and state should be gone and are still there. %s" % answer.sentence)

    def wait_for_record(self, run: Run, answer: Answer, seconds: float) -> None:
        """Until the server has written what it answered: it does so a moment later (recording everything_then_allow_delete).

        After a 200 the record is empty or gone; after a 202 or 403 its times have moved; after a lost answer it is
        reset, gone, or moved, if the call was heard at all.
        """
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            now = self.surveyor.record(run.workflow_id)
            reset = not now.resources and (answer.ok or now.state == "NOT_STARTED")
            if not now.found or reset or (not answer.ok and now.written != run.last.workflow.written):
                return
            time.sleep(POLL)

    def wait_until_finished(self, run: Run, deadline: float) -> None:
        """After a lost answer: until the server is no longer at it.

        Where tasks cannot be read, the record has to stand still for longer than a step can take.
        """
        last, since = None, time.monotonic()
        while True:
            tasks = self.api.deprovision_tasks()
            if tasks.ok:
                if not any(may_be_at((run.workflow_id,), call) for calls in calls_by_node(tasks).values() for call in calls.values()):
                    return
            else:
                seen = self.surveyor.record(run.workflow_id).record
                if seen != last:
                    last, since = seen, time.monotonic()
                elif time.monotonic() - since >= QUIET:
                    return
            if time.monotonic() >= deadline:
                if not tasks.ok:  # nobody can see when it ends, and the next call would run beside it
                    self.stopped = "Stopped: a call on workflow %s may still be under way, and what is under way cannot be read." % run.workflow_id
                raise StopRun("%s was over while the server was still at this workflow." % self.limits.over, unknown=True)
            time.sleep(POLL)


# -- what a look says --------------------------------------------------------------------------------------


def refuse_surprise(run: Run) -> None:
    """Stop where something of the workflow is not as it was planned: it must not be touched then."""
    planned = {resource.key: resource for resource in run.plan.workflow.resources}
    new = ["%s/%s" % r.key for r in run.now.resources if r.key not in planned]
    if new:
        raise StopRun("Stopped: since the plan was made this workflow has recorded %s. Run again." % ", ".join(new))
    for resource in run.now.resources:
        before = planned[resource.key]
        if resource.exists and before.exists is False:
            raise StopRun("Stopped: %s/%s was gone when the plan was made, and is there again. Run again." % resource.key)
        if resource.exists and resource.uuid != before.uuid:
            raise StopRun("Stopped: %s/%s is not the one that the plan was made for. Run again." % resource.key)
    if run.now.state == PROVISIONING and run.plan.workflow.state != PROVISIONING:
        raise StopRun("Stopped: since the plan was made somebody has started to provision this workflow. Run again.")


def end_of_the_task(run: Run) -> None:
    """The time of the whole task is over, and this workflow's turn with it: whoever has looked at it again has sent something."""
    run.late = run.now is not run.plan.workflow
    run.error = OVER % "task_timeout" if run.late else NOT_ATTEMPTED


def as_recorded(resource: Resource) -> Resource:
    """The same resource before anything of it was looked at."""
    return Resource(resource.workflow_id, resource.kind, resource.type, resource.id, resource.steps)


def left_in(runs: Sequence[Run]) -> int:
    """How many resources that were to be deleted may still be there."""
    return sum(1 for run in runs for f in run.plan.fates if f.status == WOULD_DELETE and run.seen[f.resource.key].exists is not False)


def size_of(workflow: Workflow) -> tuple[object, ...]:
    """What shrinks while a teardown gets on: what exists, what is recorded, the state."""
    there = sum(1 for r in workflow.resources if r.exists is not False)
    return there, len(workflow.resources), sum(1 for r in workflow.resources if r.placeholder), workflow.state, workflow.has_template


def new_placeholders(run: Run) -> list[str]:
    """C(kind/id) of the placeholders that this run put there and that the server did not take away."""
    before = {resource.key for resource in run.plan.workflow.resources if resource.placeholder}
    return ["%s/%s" % key for key, resource in run.seen.items() if run.recreated and resource.placeholder and key not in before]


def stuck(run: Run) -> list[str]:
    """A warning where the server was expected to get over what is gone, and has not (D32: whether it does depends on settings)."""
    gone = [resource.id for resource in run.now.resources if resource.exists is False]
    if run.error or not run.attempts or not run.plan.resets or len(gone) < len(run.now.resources):
        return []
    return ["Workflow %s still records what is gone (%s), and the server did not get over it." % (run.workflow_id, ", ".join(gone))] if gone else []


def left_placeholders(run: Run) -> list[str]:
    """A warning where placeholders are left: they count as gone, and yet something is there."""
    names = ", ".join(new_placeholders(run))
    return ["Workflow %s: the server did not take away the empty placeholder for %s. Run again later." % (run.workflow_id, names)] if names else []


def says_unknown_workflow(answer: Answer) -> bool:
    """A deprovision of a workflow that is not there any more (recording unknown_workflow; 500 below 2.16)."""
    return answers.text_of(answer.body).startswith("Failed to get workflow state for workflow")
