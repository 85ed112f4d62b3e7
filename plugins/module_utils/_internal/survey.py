# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that a plan is made of: the workflows' records, what of them really exists, who uses it. Sends reads only."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterable, Sequence

from . import answers
from .answers import Answer
from .api import Api, pages
from .bulk import BulkApi
from .looks import look
from .records import Resource, Server, Survey, SurveyError, Unrecorded, Workflow, unrecorded_of, with_template, workflow_of
from .resources import KINDS
from .server import read_server
from .sharing import User, Users, every_hit, find_users, models_of

FEW = 10  # workflows that are read one by one, in real time: a search may be a second behind
PAGE = 1000  # workflows that are read together, so that memory does not grow with their number


class Surveyor:
    """Looks at the cluster. Sends reads only."""

    def __init__(self, api: Api, flow_framework_version: str | None = None, few: int = FEW) -> None:
        self.api = api
        self.flow_framework_version = flow_framework_version
        self.few = few
        self.warnings: list[str] = []

    def survey(self, workflow_ids: Iterable[str], look: bool = True, server: Server | None = None, sure: bool = False) -> Survey:
        """The whole picture for some workflows, in their order. Raises SurveyError.

        C(look) false: only what is recorded; nothing is looked at, and nobody is asked who uses it. ``server``: where it was
        asked before. ``sure``: a record that holds nothing is read by itself, however many there are, since a search is up to
        a second behind and nobody would look at such a workflow again.
        """
        ids = list(workflow_ids)
        server = server or self.server()
        reader = self if len(ids) <= self.few else BulkSurveyor(self, sure)
        workflows, candidates = reader.pictures(ids, look)
        if not look:
            return Survey(server, tuple(workflows), warnings=self.said())
        workflows = self.with_snapshots(workflows)
        workflows, free = reader.with_users(workflows, candidates)
        return Survey(server, tuple(workflows), tuple(free), self.said())

    def said(self) -> tuple[str, ...]:
        """The warnings so far, each once."""
        return tuple(dict.fromkeys(self.warnings))

    def pictures(self, workflow_ids: Sequence[str], look: bool) -> tuple[list[Workflow], list[Unrecorded]]:
        """Records and templates of some workflows, what is there of their resources, and what is there without a record."""
        workflows = [self.named(self.record(workflow_id)) for workflow_id in workflow_ids]
        if not look:
            return workflows, []
        return [self.look_at(workflow) for workflow in workflows], self.candidates(workflows) + self.groups(workflows)

    def server(self) -> Server:
        """Which cluster this is. Raises SurveyError when the version of the plugin cannot be known."""
        return read_server(self.api, self.readable, self.flow_framework_version)

    # -- one workflow ----------------------------------------------------------------------------------------

    def record(self, workflow_id: str) -> Workflow:
        """What the server has recorded, in real time; nothing is looked at yet. Raises SurveyError."""
        answer = self.api.status(workflow_id)
        if answer.ok:
            return workflow_of(workflow_id, answer.body)
        if self.says_absent(answer):
            return Workflow(workflow_id)
        raise SurveyError("Workflow %s cannot be read. %s" % (workflow_id, answer.sentence), answer)

    def says_absent(self, answer: Answer) -> bool:
        """Whether a status answer proves that there is no such workflow (recordings unknown_workflow, empty_cluster)."""
        if answer.outcome == answers.MISSING:
            return answers.text_of(answer.body).startswith("Fail to find workflow")
        return answer.outcome == answers.UNREADABLE and self.api.state_index_exists().outcome == answers.MISSING

    def named(self, workflow: Workflow) -> Workflow:
        """With the template's name and literal names, and whether there is a template."""
        answer = self.readable(self.api.template(workflow.workflow_id), "Reading templates")
        if answer.ok and isinstance(answer.body, dict):
            return with_template(workflow, answer.body)
        return replace(workflow, has_template=False if answer.outcome == answers.MISSING else None)

    def look_at(self, workflow: Workflow) -> Workflow:
        """With every recorded resource looked at."""
        return replace(workflow, resources=tuple(self.look(resource) for resource in workflow.resources))

    def with_users(self, workflows: list[Workflow], candidates: Iterable[Unrecorded] = ()) -> tuple[list[Workflow], list[Unrecorded]]:
        """With what uses each resource; and those candidates that no workflow records."""
        candidates = list(candidates)
        wanted = [r.key for w in workflows for r in w.resources if r.exists] + [(c.kind, c.id) for c in candidates]
        users = find_users(self.api, [w.workflow_id for w in workflows], wanted, self.readable, self.warnings.append)
        used = [replace(w, resources=tuple(replace(r, users=tuple(users.get(r.key, ()))) for r in w.resources)) for w in workflows]
        recorded = {r.key for w in workflows for r in w.resources}
        free = [c for c in candidates if (c.kind, c.id) not in recorded and not any(user.kind == "workflow" for user in users.get((c.kind, c.id), ()))]
        return used, free

    def candidates(self, workflows: Iterable[Workflow]) -> list[Unrecorded]:
        """What the templates name literally, their workflow does not record, and exists all the same (behaviour.md, fact 7)."""
        return [Unrecorded(workflow.workflow_id, kind, name) for workflow in workflows for kind, name in unrecorded_of(workflow) if self.is_there(kind, name)]

    def groups(self, workflows: Iterable[Workflow]) -> list[Unrecorded]:
        """The model groups of a name that a template names, whatever is recorded: a record holds their ids."""
        groups: dict[str, str] = {}
        for workflow in workflows:
            for kind, name in workflow.literals:
                if kind == "model_group":
                    groups.setdefault(name, workflow.workflow_id)
        found: dict[str, Unrecorded] = {}
        for hit in every_hit(self.api.model_groups_named, list(groups), self.readable, "Searching model groups"):
            workflow_id = groups.get((hit.get("_source") or {}).get("name", ""), "")
            found[str(hit.get("_id"))] = Unrecorded(workflow_id, "model_group", str(hit.get("_id")))
        return list(found.values())

    def with_snapshots(self, workflows: list[Workflow]) -> list[Workflow]:
        """With the obstacle of being in a running snapshot: one request for all of them.

        Where it may not be read nothing is said: the server refuses such a deletion by itself.
        """
        if not any(r.kind == "index" and r.exists for w in workflows for r in w.resources):
            return workflows
        answer = self.api.running_snapshots()
        running = answer.body.get("snapshots") or [] if answer.ok and isinstance(answer.body, dict) else []
        held = {
            index: "it is in the running snapshot %s of repository %s: run again when that has ended" % (one.get("snapshot"), one.get("repository"))
            for one in running
            for index in one.get("indices") or ()
        }
        return [
            replace(w, resources=tuple(replace(r, obstacle=held[r.id]) if r.kind == "index" and r.exists and r.id in held else r for r in w.resources))
            for w in workflows
        ]

    def with_models(self, workflow: Workflow) -> Workflow:
        """With the models that use its connectors now: those of another workflow may have gone meanwhile."""
        connectors = [r.id for r in workflow.resources if r.kind == "connector" and r.exists]
        if not connectors:
            return workflow
        models = Users([("connector", connector) for connector in connectors])
        models_of(self.api, models, self.readable)
        return replace(
            workflow,
            resources=tuple(replace(r, users=not_models(r) + tuple(models.found.get(r.key, ()))) if r.kind == "connector" else r for r in workflow.resources),
        )

    def look(self, resource: Resource) -> Resource:
        """One resource as it is now."""
        return look(self.api, self.readable, resource)

    def is_there(self, kind: str, name: str) -> bool:
        """Whether something of this name is seen to exist."""
        return bool(self.look(Resource("", kind, KINDS[kind].type, name, ())).exists)

    # -- answers ---------------------------------------------------------------------------------------------

    def readable(self, answer: Answer, doing: str) -> Answer:
        """Pass on what was answered, or denied with a warning; raise SurveyError for what stops every task."""
        if answer.outcome in (answers.OK, answers.MISSING):
            return answer
        if answer.outcome == answers.FORBIDDEN:
            self.warnings.append("%s is not allowed to these credentials; what depends on it is not known. %s" % (doing, answer.sentence))
            return answer
        if answer.outcome == answers.BLOCK:
            self.warnings.append("%s is stopped by a block; what depends on it is not known. %s" % (doing, answer.sentence))
            return answer
        if answer.outcome == answers.NO_PLUGIN:
            return answer
        raise SurveyError("%s failed. %s" % (doing, answer.sentence), answer)


class BulkSurveyor(Surveyor):
    """The same looks, over an Api that has read ahead what is there. Its warnings are those of the surveyor that it stands in for."""

    def __init__(self, surveyor: Surveyor, sure: bool) -> None:
        super().__init__(surveyor.api, surveyor.flow_framework_version, surveyor.few)
        self.warnings = surveyor.warnings
        self.api: BulkApi = BulkApi(surveyor.api.connection, self.readable, self.warnings.append, sure)

    def pictures(self, workflow_ids: Sequence[str], look: bool) -> tuple[list[Workflow], list[Unrecorded]]:
        """Page by page, so that no more than one page of documents is held at a time."""
        found: list[Workflow] = []
        candidates: list[Unrecorded] = []
        for page in pages(workflow_ids, PAGE):
            self.api.read_workflows(page)
            workflows = [self.named(self.record(workflow_id)) for workflow_id in page]
            if look:
                self.api.read_resources([r.key for w in workflows for r in w.resources] + [key for w in workflows for key in unrecorded_of(w)])
                workflows = [self.look_at(workflow) for workflow in workflows]
                candidates += self.candidates(workflows)
            found += workflows
        return found, candidates + (self.groups(found) if look else [])

    def is_there(self, kind: str, name: str) -> bool:
        """Whether something of this name is seen to exist. No deletion hangs on it, so a list that shows nothing is enough."""
        return (kind, name) not in self.api.nothing and super().is_there(kind, name)


def not_models(resource: Resource) -> tuple[User, ...]:
    """The users of a resource that are no models."""
    return tuple(user for user in resource.users if user.kind != "model")
