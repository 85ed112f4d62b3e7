# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads only: the server, the workflows' records, and what of them really exists.

Existence is three-valued: True, False (the server said so of that one id), None (it could not be looked at).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Iterable, Iterator, Sequence

from . import api as rest
from .api import Answer, Api, hits_of, is_whole, pages
from .bulk import BulkApi
from .resources import ALLOW_DELETE_SINCE, KINDS, OTHER, Version, kind_of, parse_version, steps_of
from .sharing import User, Users, every_hit, find_users, models_of

DEPLOYED_STATES = ("DEPLOYED", "DEPLOYING", "PARTIALLY_DEPLOYED")
PROVISIONING = "PROVISIONING"

FEW = 10  # workflows that are read one by one, in real time: a search may be a second behind
PAGE = 1000  # workflows that are read together, so that memory does not grow with their number


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
        known = steps_of(self.kind)
        return tuple(known[step].action for step in self.steps if step in known)

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
    use_case: str | None = None
    owner: str | None = None  # the name of the user that the state names; a search shows it to administrators only
    created: int | None = None  # when the template was created, in milliseconds since 1970
    updated: int | None = None  # when it was changed last

    @property
    def orphaned(self) -> bool | None:
        """A state without a template; None where there is no state, or nobody knows."""
        return None if self.has_template is None or not self.found else not self.has_template

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

    def everything(self, query: dict[str, Any] | None = None) -> list[Workflow]:
        """Every workflow that searches show, by its id, with what its state and the list of templates say; nothing is looked at.

        C(query): for some states only; a template without a state is then left out. Raises SurveyError. C(has_template) is
        never False here: that is proven one by one.
        """
        templates = self.listed_templates()
        found: list[Workflow] = []
        for source in self.listed_states(query or {"match_all": {}}):
            workflow = workflow_of(source["workflow_id"], source)
            template = templates.pop(workflow.workflow_id, None)
            found.append(workflow if template is None else with_template(workflow, template))
        if query is None:
            found += [with_template(Workflow(workflow_id), template) for workflow_id, template in templates.items()]
        return sorted(found, key=lambda workflow: workflow.workflow_id)

    def listed_states(self, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Every state document that a search finds, page by page."""
        after: str | None = None
        while True:
            answer = self.list_of(self.api.states_after(query, PAGE, after), "Listing workflows")
            hits = hits_of(answer)
            sources = [hit.get("_source") or {} for hit in hits]
            yield from (source for source in sources if isinstance(source.get("workflow_id"), str) and isinstance(source.get("state"), str))
            ids = [source.get("workflow_id") for source in sources]
            if len(hits) < PAGE or not isinstance(ids[-1], str) or ids[-1] == after:
                return
            after = ids[-1]

    def listed_templates(self) -> dict[str, dict[str, Any]]:
        """Every template by its workflow's id, as far as one page holds them: as many as a server can be set to hold."""
        answer = self.list_of(self.api.templates(), "Listing templates")
        if not is_whole(answer):
            self.warnings.append("There are more templates than one search shows: workflows of the others are found by id only.")
        return {str(hit.get("_id")): hit["_source"] for hit in hits_of(answer) if isinstance(hit.get("_source"), dict)}

    def list_of(self, answer: Answer, doing: str) -> Answer:
        """A list that the whole task hangs on. Raises SurveyError, also where it is denied; an index that does not exist is empty."""
        missing = answer.outcome == rest.MISSING and "index_not_found_exception" in str(answer.body)
        if not answer.ok and not missing:
            raise SurveyError("%s failed. %s" % (doing, answer.sentence), answer)
        return answer

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
            return with_template(workflow, answer.body)
        return replace(workflow, has_template=False if answer.outcome == rest.MISSING else None)

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
        """What the templates name literally, their workflow does not record, and exists all the same (README fact 7)."""
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
            return self.look_in_list(resource) if kind.listed else replace(resource, problem=kind.danger(resource.id))
        answer = self.api.look(resource.kind, resource.id)
        if answer.outcome == rest.MISSING:
            return replace(resource, exists=False)
        if answer.outcome == rest.BLOCK and is_metadata_block(resource, rest.text_of(answer.body)):
            return replace(resource, exists=True, obstacle=block_of(resource.id, {"blocks": {"metadata": True}}))
        if not answer.ok or not isinstance(answer.body, dict):
            return replace(resource, problem=answer.sentence or "the answer is no object")
        if resource.kind == "index":
            return self.index_facts(resource, answer.body)
        if kind.listed:
            if resource.id not in answer.body:
                return replace(resource, problem="the answer does not hold this id")
            placeholder = kind.is_placeholder(answer.body[resource.id])
            return replace(resource, exists=not placeholder, placeholder=placeholder)
        return replace(resource, exists=True, state=answer.body.get("model_state"))  # nothing but a model has one

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
        """Documents and bytes of an index; None for what cannot be trusted (closed, unreadable, not refreshed).

        Where the security plugin is set to answer with nothing what it denies, a count is one of no shards, and sizes are
        those of other indices (C(do_not_fail_on_forbidden_empty), tried on 2.19.1).
        """
        counted, stats = self.api.count(index), self.api.stats(index)
        for answer, doing in ((counted, "Counting documents"), (stats, "Reading sizes of indices")):
            if answer.outcome == rest.FORBIDDEN:
                self.readable(answer, doing)
        documents = counted.body.get("count") if counted.ok and isinstance(counted.body, dict) else None
        shards = (counted.body.get("_shards") or {}) if documents is not None else {}
        if shards.get("failed") or shards.get("total") == 0:
            documents = None
        totals = (((stats.body.get("indices") or {}).get(index) or {}).get("total") or {}) if stats.ok and isinstance(stats.body, dict) else {}
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
        if answer.outcome == rest.BLOCK:
            self.warnings.append("%s is stopped by a block; what depends on it is not known. %s" % (doing, answer.sentence))
            return answer
        if answer.outcome == rest.NO_PLUGIN:
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


def unrecorded_of(workflow: Workflow) -> list[tuple[str, str]]:
    """Kind and id of what the template names and the workflow does not record. Where ids are generated, a name is none."""
    recorded = {resource.key for resource in workflow.resources}
    return [key for key in workflow.literals if not KINDS[key[0]].generated and key not in recorded and not KINDS[key[0]].danger(key[1])]


def with_template(workflow: Workflow, template: dict[str, Any]) -> Workflow:
    """A workflow with what its template says."""
    created, updated = template.get("created_time"), template.get("last_updated_time")
    return replace(
        workflow,
        name=template.get("name"),
        has_template=True,
        literals=tuple(literals_of(template)),
        use_case=template.get("use_case") or None,
        created=created if isinstance(created, int) else None,
        updated=updated if isinstance(updated, int) else None,
    )


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
        owner=(body.get("user") or {}).get("name"),
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
    """Which block of its own an index has against being deleted (recording index_blocked).

    With C(metadata) it shows none of its settings either (tests/opensearch/test_native.py, 3.6.0).
    """
    blocks = settings.get("blocks") or {}
    for block in ("read_only", "metadata"):
        if str(blocks.get(block)).lower() == "true":
            return 'the index is blocked (index.blocks.%s): PUT /%s/_settings {"index.blocks.%s": null}' % (block, index, block)
    return ""


def is_metadata_block(resource: Resource, said: str) -> bool:
    """Whether the server says of this very index that C(index.blocks.metadata) keeps it from being looked at."""
    return resource.kind == "index" and said.startswith("index [%s] blocked by:" % resource.id) and "index metadata (api)" in said


def literals_of(template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and name of what a template creates under a name that stands in it, without substitutions."""
    nodes = ((template.get("workflows") or {}).get("provision") or {}).get("nodes") or ()
    for node in nodes:
        kind = kind_of(str(node.get("type")))
        step = steps_of(kind).get(str(node.get("type")))
        name = (node.get("user_inputs") or {}).get(step.named_by) if step and step.named_by else None
        if isinstance(name, str) and name and "${{" not in name:
            yield kind, name
