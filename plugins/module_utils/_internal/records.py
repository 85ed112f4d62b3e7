# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a cluster, its workflows and their resources: plain data, and how it is read out of the server's documents.

Existence is three-valued: True, False (the server said so of that one id), None (it could not be looked at).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Iterable, Iterator, Optional, Tuple

from .answers import UNAUTHENTICATED, Answer
from .resources import KINDS, Key, Version, kind_of, parse_version, steps_of
from .sharing import User

DEPLOYED_STATES = ("DEPLOYED", "DEPLOYING", "PARTIALLY_DEPLOYED")
PROVISIONING = "PROVISIONING"
STATES = ("NOT_STARTED", PROVISIONING, "COMPLETED", "FAILED")  # of a workflow

Record = Tuple[Optional[str], Tuple[Key, ...], object]  # state, resources, and the times that move when it is written


class SurveyError(Exception):
    """Something that the whole task needs could not be read; the text says what and what to do.

    ``stops_all``: nothing else can be read either, since the credentials are refused.
    """

    def __init__(self, text: str, answer: Answer | None = None) -> None:
        super().__init__(text)
        self.stops_all = answer is not None and answer.outcome == UNAUTHENTICATED


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
    def key(self) -> Key:
        """Kind and id."""
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

    @property
    def record(self) -> Record:
        """The record as something to compare."""
        return self.state, tuple(resource.key for resource in self.resources), self.written


@dataclass(frozen=True)
class Survey:
    """Everything that a plan is made of."""

    server: Server
    workflows: tuple[Workflow, ...]
    unrecorded: tuple[Unrecorded, ...] = ()
    warnings: tuple[str, ...] = ()
    inside: frozenset[Key] = frozenset()  # what the task's other workflows record
    kept: frozenset[Key] = frozenset()  # what an earlier plan of this task kept


# -- documents of the server -------------------------------------------------------------------------------


def no_workflow(workflow_id: str, server: Server) -> str:
    """What to say of a workflow that does not exist. Ids are made by the server, of 20 characters or more: anything shorter may be a name."""
    said = "There is no workflow %s on cluster %s." % (workflow_id, server.name)
    return said if len(workflow_id) >= 20 else said + " workflow_id takes ids: if this is a name, workflow_info finds the ids of it."


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
    found: dict[Key, Resource] = {}
    for entry in entries:
        step, resource_id = str(entry.get("workflow_step_name")), str(entry.get("resource_id"))
        key = kind_of(step), resource_id
        if key in found:
            found[key] = replace(found[key], steps=(*found[key].steps, step))
        else:
            found[key] = Resource(workflow_id, key[0], str(entry.get("resource_type")), resource_id, (step,))
    return list(found.values())


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


def literals_of(template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and name of what a template creates under a name that stands in it, without substitutions."""
    nodes = ((template.get("workflows") or {}).get("provision") or {}).get("nodes") or ()
    for node in nodes:
        kind = kind_of(str(node.get("type")))
        step = steps_of(kind).get(str(node.get("type")))
        name = (node.get("user_inputs") or {}).get(step.named_by) if step and step.named_by else None
        if isinstance(name, str) and name and "${{" not in name:
            yield kind, name


def unrecorded_of(workflow: Workflow) -> list[Key]:
    """Kind and id of what the template names and the workflow does not record. Where ids are generated, a name is none."""
    recorded = {resource.key for resource in workflow.resources}
    return [key for key in workflow.literals if not KINDS[key[0]].generated and key not in recorded and not KINDS[key[0]].danger(key[1])]
