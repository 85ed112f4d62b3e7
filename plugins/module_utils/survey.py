# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads only: the server, the workflows' records, and what of them really exists.

Existence is three-valued: True, False (the server said so of that one id), None (it could not be looked at).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Iterable, Iterator

from . import api as rest
from .api import Answer, Api
from .resources import ALLOW_DELETE_SINCE, KINDS, OTHER, STEPS, Version, kind_of, parse_version
from .sharing import User, Users, find_users, hits_of, models_of

DEPLOYED_STATES = ("DEPLOYED", "DEPLOYING", "PARTIALLY_DEPLOYED")
PROVISIONING = "PROVISIONING"


class SurveyError(Exception):
    """Something that the whole task needs could not be read; the text says what and what to do.

    ``stops_all``: nothing else can be read either, since the credentials are refused.
    """

    def __init__(self, text: str, answer: Answer | None = None) -> None:
        super().__init__(text)
        self.stops_all = answer is not None and answer.outcome == rest.UNAUTHENTICATED


@dataclass(frozen=True)
class Server:
    """Which cluster this is. What could not be read for lack of rights is None."""

    version: str | None
    flow_framework: str | None
    cluster_name: str | None
    cluster_uuid: str | None
    security: bool  # the security plugin is installed

    @property
    def level(self) -> Version:
        """The version of Flow Framework as numbers, to compare."""
        return parse_version(self.flow_framework) or ()

    @property
    def name(self) -> str:
        """How to call the cluster in a message."""
        return self.cluster_name or self.cluster_uuid or "this cluster"


@dataclass(frozen=True)
class Resource:
    """One resource of one workflow: what is recorded, and what looking showed."""

    workflow_id: str
    kind: str
    type: str
    id: str
    steps: tuple[str, ...]
    exists: bool | None = None
    problem: str = ""  # why it could not be looked at
    obstacle: str = ""  # why its deletion is known to fail
    placeholder: bool = False  # there is nothing but our own empty placeholder, which counts as gone
    uuid: str | None = None  # of an index
    created: int | None = None  # of an index, in milliseconds since 1970
    state: str | None = None  # of a model
    documents: int | None = None  # of an index; None where it cannot be trusted
    size_in_bytes: int | None = None  # of an index, with its replicas
    users: tuple[User, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Kind and id: what makes it one resource on the cluster."""
        return self.kind, self.id

    @property
    def actions(self) -> tuple[str, ...]:
        """What a deprovision does with it: delete, undeploy, nothing."""
        return tuple(STEPS[step].action for step in self.steps if step in STEPS)

    @property
    def deployed(self) -> bool:
        """A model that is in use on the nodes."""
        return self.state in DEPLOYED_STATES


@dataclass(frozen=True)
class Unrecorded:
    """Something that a template names literally, that exists, and that no record holds."""

    workflow_id: str
    kind: str
    id: str


@dataclass(frozen=True)
class Workflow:
    """One workflow. ``state`` is None when there is no such workflow."""

    workflow_id: str
    state: str | None = None
    resources: tuple[Resource, ...] = ()
    name: str | None = None
    has_template: bool | None = None  # None: could not be read
    literals: tuple[tuple[str, str], ...] = ()  # kind and name of what the template creates under a name of its own
    written: tuple[int | None, int | None] | None = None  # start and end time: they move when the record is written

    @property
    def found(self) -> bool:
        """There is a state document."""
        return self.state is not None


@dataclass(frozen=True)
class Survey:
    """Everything that a plan is made of."""

    server: Server
    workflows: tuple[Workflow, ...]
    unrecorded: tuple[Unrecorded, ...] = ()
    warnings: tuple[str, ...] = ()
    inside: frozenset[tuple[str, str]] = frozenset()  # kind and id of what the task's other workflows record
    kept: frozenset[tuple[str, str]] = frozenset()  # kind and id of what an earlier plan of this task kept


class Surveyor:
    """Looks at the cluster. Sends reads only."""

    def __init__(self, api: Api, flow_framework_version: str | None = None) -> None:
        self.api = api
        self.flow_framework_version = flow_framework_version
        self.warnings: list[str] = []

    def survey(self, workflow_ids: Iterable[str], server: Server | None = None) -> Survey:
        """The whole picture for some workflows, in their order. ``server``: where it was asked before. Raises SurveyError."""
        server = server or self.server()
        workflows = [self.named(self.look_at(self.record(workflow_id))) for workflow_id in workflow_ids]
        workflows = self.with_snapshots(workflows)
        candidates = self.candidates(workflows)
        workflows, free = self.with_users(workflows, candidates)
        return Survey(server, tuple(workflows), tuple(free), tuple(dict.fromkeys(self.warnings)))

    # -- the server ------------------------------------------------------------------------------------------

    def server(self) -> Server:
        """Names and versions. Raises SurveyError when the version of the plugin cannot be known."""
        info = self.readable(self.api.info(), "Reading the cluster's name and version")
        body = info.body if info.ok and isinstance(info.body, dict) else {}
        if info.ok and not isinstance(body.get("version"), dict):
            raise SurveyError("The server at url is not OpenSearch: GET / names no version.")
        plugins = self.readable(self.api.plugins(), "Reading the list of plugins")
        installed = plugins.body if plugins.ok and isinstance(plugins.body, list) else None
        return Server(
            version=body.get("version", {}).get("number"),
            flow_framework=self.plugin_version(installed),
            cluster_name=body.get("cluster_name"),
            cluster_uuid=body.get("cluster_uuid"),
            security=any(row.get("component") == "opensearch-security" for row in installed or ()),
        )

    def plugin_version(self, installed: list[dict[str, str]] | None) -> str:
        """The version of Flow Framework; the lowest, where nodes differ."""
        if installed is None:
            if not self.flow_framework_version:
                raise SurveyError(
                    "These credentials may not read the list of plugins, so the version of Flow Framework is not known, and what"
                    " the server deletes depends on it. Grant cluster:monitor/state and cluster:monitor/nodes/info, or set flow_framework_version."
                )
            if not parse_version(self.flow_framework_version):
                raise SurveyError("flow_framework_version %r is no version such as 2.19.1." % self.flow_framework_version)
            return self.flow_framework_version
        versions = {row.get("version", "") for row in installed if row.get("component") == "opensearch-flow-framework"}
        if not versions:
            raise SurveyError("The Flow Framework plugin is not installed on this cluster (opensearch-flow-framework is not in _cat/plugins).")
        if not all(parse_version(version) for version in versions):
            raise SurveyError("The version of the Flow Framework plugin cannot be read: %s." % ", ".join(sorted(versions)))
        ordered = sorted(versions, key=lambda version: parse_version(version) or ())
        lowest, highest = ordered[0], ordered[-1]
        if (parse_version(lowest) or ()) < ALLOW_DELETE_SINCE <= (parse_version(highest) or ()):
            raise SurveyError(
                "The nodes run Flow Framework %s to %s. Before 2.16 it forgets indices and pipelines, since then it deletes them: what a call"
                " does depends on the node. Finish the upgrade first; nothing was deleted." % (lowest, highest)
            )
        return lowest

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
        if answer.outcome == rest.MISSING:
            return rest.text_of(answer.body).startswith("Fail to find workflow")
        return answer.outcome == rest.UNREADABLE and self.api.state_index_exists().outcome == rest.MISSING

    def named(self, workflow: Workflow) -> Workflow:
        """With the template's name and literal names, and whether there is a template."""
        answer = self.readable(self.api.template(workflow.workflow_id), "Reading templates")
        if answer.ok and isinstance(answer.body, dict):
            return replace(workflow, name=answer.body.get("name"), has_template=True, literals=tuple(literals_of(answer.body)))
        return replace(workflow, has_template=False if answer.outcome == rest.MISSING else None)

    def look_at(self, workflow: Workflow) -> Workflow:
        """With every recorded resource looked at."""
        return replace(workflow, resources=tuple(self.look(resource) for resource in workflow.resources))

    def with_users(self, workflows: list[Workflow], candidates: Iterable[Unrecorded] = ()) -> tuple[list[Workflow], list[Unrecorded]]:
        """With what uses each resource; and those candidates that no workflow records."""
        candidates = list(candidates)
        wanted = [r.key for w in workflows for r in w.resources if r.exists] + [(c.kind, c.id) for c in candidates]
        users = find_users(self.api, [w.workflow_id for w in workflows], wanted, self.readable)
        used = [replace(w, resources=tuple(replace(r, users=tuple(users.get(r.key, ()))) for r in w.resources)) for w in workflows]
        recorded = {r.key for w in workflows for r in w.resources}
        free = [c for c in candidates if (c.kind, c.id) not in recorded and not any(user.kind == "workflow" for user in users.get((c.kind, c.id), ()))]
        return used, free

    def candidates(self, workflows: Iterable[Workflow]) -> list[Unrecorded]:
        """What the templates name literally, their workflow does not record, and exists all the same (README fact 7)."""
        found: list[Unrecorded] = []
        groups: dict[str, str] = {}
        for workflow in workflows:
            recorded = {resource.key for resource in workflow.resources}
            for kind, name in workflow.literals:
                if kind == "model_group":
                    groups.setdefault(name, workflow.workflow_id)
                elif (kind, name) not in recorded and not KINDS[kind].danger(name) and self.is_there(kind, name):
                    found.append(Unrecorded(workflow.workflow_id, kind, name))
        if groups:
            for hit in hits_of(self.readable(self.api.model_groups_named(groups), "Searching model groups")):
                found.append(Unrecorded(groups.get((hit.get("_source") or {}).get("name", ""), ""), "model_group", str(hit.get("_id"))))
        return found

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

    def is_there(self, kind: str, name: str) -> bool:
        """Whether something of this name is seen to exist."""
        return bool(self.look(Resource("", kind, KINDS[kind].type, name, ())).exists)

    # -- one resource ----------------------------------------------------------------------------------------

    def look(self, resource: Resource) -> Resource:
        """One resource as it is now. Ids that the cluster would take for more than themselves are never asked by path."""
        if resource.kind == OTHER:
            return replace(resource, problem="the step %s is not known here" % ", ".join(resource.steps))
        kind = KINDS[resource.kind]
        if kind.danger(resource.id):
            return self.look_in_list(resource) if resource.kind.endswith("pipeline") else replace(resource, problem=kind.danger(resource.id))
        answer = self.api.look(resource.kind, resource.id)
        if answer.outcome == rest.MISSING:
            return replace(resource, exists=False)
        if not answer.ok or not isinstance(answer.body, dict):
            return replace(resource, problem=answer.sentence or "the answer is no object")
        if resource.kind == "index":
            return self.index_facts(resource, answer.body)
        if resource.kind.endswith("pipeline"):
            if resource.id not in answer.body:
                return replace(resource, problem="the answer does not hold this id")
            placeholder = kind.is_placeholder(answer.body[resource.id])
            return replace(resource, exists=not placeholder, placeholder=placeholder)
        if resource.kind == "model":
            return replace(resource, exists=True, state=answer.body.get("model_state"))
        return replace(resource, exists=True)

    def look_in_list(self, resource: Resource) -> Resource:
        """A pipeline that cannot be asked for by its id, in the list of all."""
        answer = self.api.pipelines(resource.kind)
        if answer.ok and isinstance(answer.body, dict):
            return replace(resource, exists=resource.id in answer.body)
        return replace(resource, problem=answer.sentence)

    def index_facts(self, resource: Resource, body: dict[str, Any]) -> Resource:
        """Uuid, documents and size of an index, and what is in the way of deleting it."""
        if resource.id not in body:
            return replace(
                resource, exists=True, obstacle="there is an alias of that name, of %s, and no index: delete or rename the alias" % ", ".join(sorted(body))
            )
        settings = (body[resource.id].get("settings") or {}).get("index") or {}
        documents, size = self.contents(resource.id, settings)
        if documents == 0 and KINDS["index"].is_placeholder(body[resource.id]):
            return replace(resource, exists=False, placeholder=True)
        created = settings.get("creation_date")
        return replace(
            resource,
            exists=True,
            uuid=settings.get("uuid"),
            created=int(str(created)) if str(created).isdigit() else None,
            documents=documents,
            size_in_bytes=size,
            obstacle=block_of(resource.id, settings),
        )

    def contents(self, index: str, settings: dict[str, Any]) -> tuple[int | None, int | None]:
        """Documents and bytes of an index; None for what cannot be trusted (closed, unreadable, not refreshed)."""
        counted, stats = self.api.count(index), self.api.stats(index)
        for answer, doing in ((counted, "Counting documents"), (stats, "Reading sizes of indices")):
            if answer.outcome == rest.FORBIDDEN:
                self.readable(answer, doing)
        documents = counted.body.get("count") if counted.ok and isinstance(counted.body, dict) else None
        if documents is not None and (counted.body.get("_shards") or {}).get("failed"):
            documents = None
        totals = ((stats.body.get("_all") or {}).get("total") or {}) if stats.ok and isinstance(stats.body, dict) else {}
        size = (totals.get("store") or {}).get("size_in_bytes")
        refreshed = not str(settings.get("refresh_interval", "")).startswith("-1")
        if not refreshed and (totals.get("translog") or {}).get("uncommitted_operations", 1):
            documents = None
        return documents, size

    def readable(self, answer: Answer, doing: str) -> Answer:
        """Pass on what was answered, or denied with a warning; raise SurveyError for what stops every task."""
        if answer.outcome in (rest.OK, rest.MISSING):
            return answer
        if answer.outcome == rest.FORBIDDEN:
            self.warnings.append("%s is not allowed to these credentials; what depends on it is not known. %s" % (doing, answer.sentence))
            return answer
        if answer.outcome == rest.NO_PLUGIN:
            return answer
        raise SurveyError("%s failed. %s" % (doing, answer.sentence), answer)


def not_models(resource: Resource) -> tuple[User, ...]:
    """The users of a resource that are no models."""
    return tuple(user for user in resource.users if user.kind != "model")


def workflow_of(workflow_id: str, body: dict[str, Any]) -> Workflow:
    """A workflow from its state document. The list is omitted when it is empty (behaviour.md 3)."""
    state = body.get("state")
    if not isinstance(state, str):
        raise SurveyError("The record of workflow %s names no state." % workflow_id)
    return Workflow(
        workflow_id=workflow_id,
        state=state,
        resources=tuple(resources_of(workflow_id, body.get("resources_created") or [])),
        written=(body.get("provision_start_time"), body.get("provision_end_time")),
    )


def resources_of(workflow_id: str, entries: Iterable[dict[str, Any]]) -> list[Resource]:
    """One resource for all entries of the same kind and id: a model that was registered and deployed is one."""
    found: dict[tuple[str, str], Resource] = {}
    for entry in entries:
        step, resource_id = str(entry.get("workflow_step_name")), str(entry.get("resource_id"))
        key = kind_of(step), resource_id
        if key in found:
            found[key] = replace(found[key], steps=(*found[key].steps, step))
        else:
            found[key] = Resource(workflow_id, key[0], str(entry.get("resource_type")), resource_id, (step,))
    return list(found.values())


def block_of(index: str, settings: dict[str, Any]) -> str:
    """Which block of its own an index has against being deleted (recording index_blocked)."""
    blocks = settings.get("blocks") or {}
    for block in ("read_only", "metadata"):
        if str(blocks.get(block)).lower() == "true":
            return 'the index is blocked (index.blocks.%s): PUT /%s/_settings {"index.blocks.%s": null}' % (block, index, block)
    return ""


def literals_of(template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and name of what a template creates under a name that stands in it, without substitutions."""
    nodes = ((template.get("workflows") or {}).get("provision") or {}).get("nodes") or ()
    for node in nodes:
        field_name = NAMED_BY.get(str(node.get("type")))
        name = (node.get("user_inputs") or {}).get(field_name) if field_name else None
        if isinstance(name, str) and name and "${{" not in name:
            yield kind_of(str(node.get("type"))), name


NAMED_BY = {
    "create_index": "index_name",
    "create_ingest_pipeline": "pipeline_id",
    "create_search_pipeline": "pipeline_id",
    "register_model_group": "name",
}
