# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workflow engine: what provision, deprovision and delete do, step by step (behaviour.md 2 to 5)."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from .clock import Clock
from .errors import Refused, StepFailed, plugin_error
from .faults import Faults
from .ids import long_id, short_id
from .pools import Pool
from .security import Security, User, no_permissions
from .settings import Settings, seconds
from .steps import gated, kind_of, type_of
from .store import AGENTS, CONNECTORS, MODEL_GROUPS, MODELS, STATES, TEMPLATES, DocumentIndex, Stores
from .template import check_inputs, check_steps, inputs_of, normalised, predecessors, workflow_of
from .versions import STATE_FIELDS, Features

STEP_SECONDS = 0.1  # one provisioning step
# A step holds its thread so long: one resource takes 1.13 to 1.17 s in recordings allow_delete_some.
DELETION_SECONDS = 0.02
PAUSE_AFTER_DELETION = 0.1  # behaviour.md 2.1
PAUSE_AFTER_PASS = 1.0
WRITE_LAG = 0.05  # a state write that the answer does not wait for

_FLOW = "cluster:admin/opensearch/flow_framework/"
DEPROVISION_ACTION = _FLOW + "workflow/deprovision"

_ML_INDICES = {
    "connector_id": CONNECTORS,
    "model_id": MODELS,
    "agent_id": AGENTS,
    "model_group_id": MODEL_GROUPS,
}
_SHORT_FIELDS = ("workflow_id", "error", "state", "resources_created")


@dataclass
class Task:
    """A deprovision call under way, as ``_tasks`` lists it."""

    number: int
    started_ms: int
    started: float  # time.monotonic()
    headers: dict[str, str]


@dataclass
class Node:
    """One node of the cluster: its pools and the deprovision calls it is at."""

    name: str
    id: str
    address: str
    pools: dict[str, Pool]
    tasks: dict[int, Task] = field(default_factory=dict)
    in_flight_max: int = 0

    @property
    def deprovision_pool(self) -> Pool:
        return self.pools["opensearch_deprovision_workflow"]

    @property
    def provision_pool(self) -> Pool:
        return self.pools["opensearch_provision_workflow"]


@dataclass(frozen=True)
class Caller:
    """Who asks: the user (None without the security plugin) and the tenant."""

    user: User | None = None
    tenant: str | None = None


class Engine:
    """Templates and states of one cluster, and the work on them."""

    def __init__(
        self,
        features: Features,
        clock: Clock,
        stores: Stores,
        security: Security,
        faults: Faults,
        settings: Settings,
        nodes: list[Node],
    ) -> None:
        self.features = features
        self.clock = clock
        self.stores = stores
        self.security = security
        self.faults = faults
        self.settings = settings
        self.nodes = nodes
        self.world: Any = None  # set by the server; has create and delete as worlds/memory.py describes them
        self.background: set[asyncio.Task[Any]] = set()
        self.passes: dict[str, int] = {}  # passes of the last deprovision of each workflow
        self.runs: dict[str, asyncio.Task[None]] = {}  # the last provisioning of each workflow
        self._steps: dict[str, list[asyncio.Task[None]]] = {}  # and its steps
        self._tenants_busy: dict[str, int] = {}
        self._task_number = 100

    # -- small helpers

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Work that no client's connection can stop."""
        task = asyncio.get_running_loop().create_task(work)
        self.background.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.background.discard(task)
        if not task.cancelled():
            task.exception()  # seen here, so that the loop does not complain about it

    def later(self, write: Callable[[], Any]) -> None:
        """A write that the answer does not wait for; with an instant clock it is done at once."""
        if self.clock.instant:
            write()
            return

        async def wait_and_write() -> None:
            await self.clock.sleep(WRITE_LAG)
            write()

        self.spawn(wait_and_write())

    def template(self, id_: str) -> dict[str, Any] | None:
        return self.stores.get(TEMPLATES, id_)

    def state(self, id_: str) -> dict[str, Any] | None:
        return self.stores.get(STATES, id_)

    def _states(self) -> DocumentIndex:
        return self.stores.made(STATES)

    def provisioning(self, id_: str) -> bool:
        """Is anything of this workflow's last provisioning still at work, or any provision pool busy?"""
        run = self.runs.get(id_)
        tasks = [*([run] if run is not None else []), *self._steps.get(id_, [])]
        return any(not task.done() for task in tasks) or not all(node.provision_pool.idle for node in self.nodes)

    # -- access (behaviour.md 5)

    def authorize(self, user: User | None, action: str, masked: str | None = None) -> None:
        """Refused: 403 in the plugin's envelope. ``masked`` is the text; None shows the original one."""
        if self.security.enabled and user is not None and not user.may(action):
            raise plugin_error(masked or no_permissions(user, action), 403)

    def mask(self) -> str | None:
        return "Failed to get workflow." if self.features.errors_masked else None

    def _check_document(self, id_: str, which: str, caller: Caller, masked: str | None) -> None:
        """Backend roles and tenants: is this caller let near this workflow?"""
        tenants = self.settings.true("plugins.flow_framework.multi_tenancy_enabled")
        filtered = (
            self.features.filter_document is not None and caller.user is not None and self.settings.true("plugins.flow_framework.filter_by_backend_roles")
        )
        if not tenants and not filtered:
            return
        name = TEMPLATES if which == "template" else STATES
        index = self.stores.find(name)
        if index is None:
            raise plugin_error(f"Failed to retrieve template ({id_}).", 404)
        document = index.get(id_)
        if document is None:
            raise plugin_error(f"Failed to retrieve template ({id_}) from global context.", 404)
        if tenants and document.get("tenant_id") != caller.tenant:
            raise plugin_error("No permission to access this resource", 403)
        if filtered and caller.user is not None:
            self._check_roles(id_, document.get("user"), caller.user, masked)

    def _check_roles(self, id_: str, owner: Mapping[str, Any] | None, user: User, masked: str | None) -> None:
        if owner is None and self.features.filter_null_user_is_500:
            raise plugin_error(masked or "java.lang.NullPointerException", 500)
        if user.is_admin:
            return
        roles = set((owner or {}).get("backend_roles", []))
        if roles.isdisjoint(user.backend_roles):
            raise plugin_error(f"User does not have permissions to access workflow: {id_}", self.features.filter_refusal_status)

    # -- create, update, get

    def create(self, body: Any, caller: Caller, validate: bool) -> str:
        """Store a new template and its state; the workflow's id. Refused as behaviour.md 1.4 has it."""
        self._check_creator(caller)
        template = normalised(body)
        self._validate(body, template, validate)
        templates = self.stores.made(TEMPLATES)
        most = int(self.settings.get("plugins.flow_framework.max_workflows"))
        if len(templates.documents) >= most:
            raise plugin_error(f"Maximum workflows limit reached: {most}", 400)
        id_ = short_id()
        now = self.clock.now_ms()
        document = {**template, **self._owner(caller), "created_time": now, "last_updated_time": now}
        templates.put(id_, document)
        self._states().put(id_, self._initial(id_, caller))
        return id_

    def _check_creator(self, caller: Caller) -> None:
        if self.features.filter_document is None or not self.security.enabled or caller.user is None:
            return
        if not self.settings.true("plugins.flow_framework.filter_by_backend_roles"):
            return
        if not caller.user.backend_roles and not caller.user.is_admin:
            raise plugin_error(
                f"Filter by backend roles is enabled, but User {caller.user.name} does not have any backend roles configured",
                403,
            )

    def _validate(self, body: Any, template: Mapping[str, Any], validate: bool) -> None:
        check_steps(template, self.features.denied_steps)
        workflow = workflow_of(template)
        most = int(self.settings.get("plugins.flow_framework.max_workflow_steps"))
        if len(workflow["nodes"]) > most:
            raise plugin_error(
                f"Workflow {template['name']} has {len(workflow['nodes'])} nodes, which exceeds the maximum of {most}."
                " Change the setting [plugins.flow_framework.max_workflow_steps] to increase this.",
                400,
            )
        if validate:
            predecessors(workflow)
            check_inputs(body)

    def _owner(self, caller: Caller) -> dict[str, Any]:
        owner: dict[str, Any] = {}
        if caller.user is not None:
            owner["user"] = caller.user.document()
        if self.settings.true("plugins.flow_framework.multi_tenancy_enabled"):
            owner["tenant_id"] = caller.tenant
        return owner

    def _initial(self, id_: str, caller: Caller) -> dict[str, Any]:
        return {
            "workflow_id": id_,
            "state": "NOT_STARTED",
            "provisioning_progress": "NOT_STARTED",
            **self._owner(caller),
        }

    def update(self, id_: str, body: Any, caller: Caller, validate: bool, fields_only: bool) -> None:
        """Replace a template, or only its plain fields. Refused: 404 unknown, 400 unless NOT_STARTED."""
        old = self._known_template(id_, caller)
        state = self.state(id_) or {}
        if fields_only:
            given = {name: body[name] for name in body if name not in ("workflows",)}
            new = {**old, **given}
        else:
            if state.get("provisioning_progress") != "NOT_STARTED":
                raise plugin_error(self.features.update_refused_text.format(id=id_), 400)
            template = normalised(body)
            self._validate(body, template, validate)
            new = {**template, **{name: old[name] for name in ("user", "tenant_id", "created_time") if name in old}}
        new["last_updated_time"] = self.clock.now_ms()
        self.stores.made(TEMPLATES).put(id_, new)

    def _known_template(self, id_: str, caller: Caller) -> dict[str, Any]:
        template = self.template(id_)
        if template is None:
            raise plugin_error(f"Failed to retrieve template ({id_}) from global context.", 404)
        self._check_document(id_, "template", caller, self.mask())
        return template

    def get(self, id_: str, caller: Caller) -> dict[str, Any]:
        """A template. Refused: 404 with one of two texts (recordings unknown_workflow, empty_cluster)."""
        self.authorize(caller.user, _FLOW + "workflow/get", self.mask())
        if self.stores.find(TEMPLATES) is None:
            raise plugin_error("There are no templates in the global_context", 404)
        return copy.deepcopy(self._known_template(id_, caller))

    # -- status (behaviour.md 3)

    def _readable(self, state: Mapping[str, Any]) -> bool:
        return self.features.state_fields.issuperset(state)

    def status(self, id_: str, everything: bool, caller: Caller) -> dict[str, Any]:
        """The state as ``_status`` shows it. Refused: 404, and 400 or 500 for a document it cannot read."""
        masked = self.features.status_error_text
        self.authorize(caller.user, _FLOW + "workflow_state/get", masked)
        self._check_document(id_, self.features.filter_document or "state", caller, masked)
        if self.stores.find(STATES) is None and self.features.status_needs_index:
            raise plugin_error(f"Failed to get workflow status of: {id_}", 404)
        state = self.state(id_)
        if state is None:
            raise plugin_error(self.features.status_not_found_text.format(id=id_), 404)
        if not self._readable(state):
            raise plugin_error(f"Failed to parse workflowState: {id_}", self.features.unreadable_state_status)
        return self.shown(state, everything)

    @staticmethod
    def shown(state: Mapping[str, Any], everything: bool) -> dict[str, Any]:
        """Fields in the plugin's order, empty ones left out."""
        names = STATE_FIELDS if everything else _SHORT_FIELDS
        return {name: copy.deepcopy(state[name]) for name in names if state.get(name) not in (None, [], {})}

    # -- delete (behaviour.md 4)

    def delete(self, id_: str, clear_status: bool, caller: Caller) -> dict[str, Any]:
        """Delete a template, and its state where the version and the state allow it."""
        self.authorize(caller.user, _FLOW + "workflow/delete", self.mask())
        which = "template"
        if clear_status and self.features.filter_document == "state":
            which = "state"
        self._check_document(id_, which, caller, self.mask())
        templates = self.stores.find(TEMPLATES)
        if templates is None:
            raise plugin_error(self.features.no_templates_text, 404)
        answer = templates.delete(id_, refresh=self.features.delete_refreshes)
        if self.features.delete_removes_empty_state:
            self.later(lambda: self._delete_state(id_, clear_status))
        return answer

    def _delete_state(self, id_: str, clear_status: bool) -> None:
        state = self.state(id_)
        if state is None or state.get("provisioning_progress") == "IN_PROGRESS":
            return
        if clear_status or not state.get("resources_created"):
            self._states().delete(id_)

    # -- provision

    def provision(self, node: Node, id_: str, parameters: Mapping[str, str], caller: Caller) -> None:
        """Start provisioning. Refused: 404 without a template, 400 unless NOT_STARTED (behaviour.md 1.4)."""
        self.authorize(caller.user, _FLOW + "workflow/provision", self.mask())
        template = self._known_template(id_, caller)
        state = self.state(id_)
        progress = "unknown" if state is None else state.get("provisioning_progress", "unknown")
        if progress != "NOT_STARTED":
            raise plugin_error(self.features.provision_refused_text.format(id=id_, progress=progress), 400)
        check_steps(template, self.features.denied_steps)
        workflow = workflow_of(template)
        self._start(node, id_, workflow, parameters, caller, [], {})

    def reprovision(self, node: Node, id_: str, body: Any, caller: Caller, validate: bool) -> None:
        """Provision what a new template adds. Refused as behaviour.md 1.4 has it."""
        old = workflow_of(self._known_template(id_, caller))
        state = self.state(id_) or {}
        if state.get("provisioning_progress") not in ("DONE", "FAILED"):
            raise plugin_error(f"The template can not be reprovisioned unless its provisioning state is DONE or FAILED: {id_}", 400)
        template = normalised(body)
        self._validate(body, template, validate)
        new = workflow_of(template)
        before = {step["id"]: step for step in old["nodes"]}
        after = {step["id"]: step for step in new["nodes"]}
        if not set(before) <= set(after):
            raise plugin_error("Workflow Step deletion is not supported when reprovisioning a template.", 400)
        changed = [name for name in before if before[name] != after[name]]
        if not changed and len(before) == len(after):
            raise plugin_error("Template does not contain any modifications", 400)
        updatable = ("create_ingest_pipeline", "create_search_pipeline")
        for name in changed:
            if after[name]["type"] not in updatable:
                raise plugin_error(f"Workflow Step {name} does not support updates when reprovisioning.", 400)
        records = list(state.get("resources_created", []))
        kept = {name: _outputs_of(name, records) for name in before if name not in changed}
        document = {**(self.template(id_) or {}), **template, "last_updated_time": self.clock.now_ms()}
        self.stores.made(TEMPLATES).put(id_, document)
        self._start(node, id_, new, {}, caller, records, kept)

    def _start(
        self,
        node: Node,
        id_: str,
        workflow: Mapping[str, Any],
        parameters: Mapping[str, str],
        caller: Caller,
        records: list[dict[str, Any]],
        known: Mapping[str, Mapping[str, Any]],
    ) -> None:
        before = predecessors(workflow)
        now = self.clock.now_ms()
        self._states().update(
            id_,
            {
                "state": "PROVISIONING",
                "provisioning_progress": "IN_PROGRESS",
                "provision_start_time": now,
                "resources_created": records,
            },
        )
        self.stores.made(TEMPLATES).update(id_, {"last_provisioned_time": now})
        self.runs[id_] = self.spawn(self._provision(node, id_, copy.deepcopy(dict(workflow)), before, dict(parameters), caller, known))

    async def _provision(
        self,
        node: Node,
        id_: str,
        workflow: Mapping[str, Any],
        before: Mapping[str, list[str]],
        parameters: Mapping[str, str],
        caller: Caller,
        known: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """Steps without dependence on each other run side by side; the first failure makes the workflow FAILED while
        the others go on. The thread of this outer task waits for no step's thread: see README.md of this folder."""
        async with node.provision_pool.thread(keep_free=1):
            loop = asyncio.get_running_loop()
            done: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
            for step in workflow["nodes"]:
                done[step["id"]] = loop.create_future()
                if step["id"] in known:
                    done[step["id"]].set_result(known[step["id"]])
            work = [
                self.spawn(self._step(node, id_, step, before[step["id"]], done, parameters, caller, known))
                for step in workflow["nodes"]
                if step["id"] not in known
            ]
            self._steps[id_] = work
            if work:
                await asyncio.wait(work, return_when=asyncio.FIRST_EXCEPTION)
            failed = [task.exception() for task in work if task.done() and task.exception() is not None]
            self._finish(id_, failed[0] if failed else None)

    def _finish(self, id_: str, failure: BaseException | None) -> None:
        word = ("COMPLETED", "DONE") if failure is None else ("FAILED", "FAILED")
        changes: dict[str, Any] = {
            "state": word[0],
            "provisioning_progress": word[1],
            "provision_end_time": self.clock.now_ms(),
        }
        if failure is not None:
            changes["error"] = str(failure)
        self._states().update(id_, changes)

    async def _step(
        self,
        node: Node,
        id_: str,
        step: Mapping[str, Any],
        before: list[str],
        done: Mapping[str, asyncio.Future[Mapping[str, Any]]],
        parameters: Mapping[str, str],
        caller: Caller,
        known: Mapping[str, Mapping[str, Any]],
    ) -> None:
        mine = done[step["id"]]
        try:
            outputs = dict(known)
            for previous in before:
                outputs[previous] = await asyncio.shield(done[previous])
            async with node.provision_pool.thread():
                await self.clock.sleep(STEP_SECONDS)
                created = await self.world.create(step["type"], inputs_of(step, outputs, parameters), caller.user)
                await self.clock.sleep(created.pause)
                for name, resource in created.records:
                    await self._record(id_, step["id"], name, resource)
            if not mine.done():
                mine.set_result(created.outputs)
        except StepFailed as failed:
            error = RuntimeError(self._error_text(step["id"], failed))
            self._fail(mine, error)
            raise error from None
        except RuntimeError as earlier:  # a step before this one failed: its text is the workflow's error
            self._fail(mine, earlier)
            raise

    @staticmethod
    def _fail(future: asyncio.Future[Any], error: Exception) -> None:
        if not future.done():
            future.set_exception(error)
            future.exception()  # seen: nobody may be waiting for this step

    def _error_text(self, step_id: str, failed: StepFailed) -> str:
        """The state's ``error`` (behaviour.md 3; recordings failed_provision)."""
        text, status = failed.text, 500
        if self.features.error_shows_cause:
            text, status = failed.cause, failed.cause_status
        name = HTTPStatus(status).name
        if self.features.error_style == "class":
            return f"org.opensearch.flowframework.exception.FlowFrameworkException during step {step_id}"
        if self.features.error_style == "message":
            return f"{text} during step {step_id}, restStatus: {name}"
        return f"WorkflowStepException during step {step_id}, {text}, restStatus: {name}"

    async def _record(self, id_: str, step_id: str, step_name: str, resource_id: str) -> None:
        """Append one entry to the state's list. StepFailed where the version loses it."""
        states = self._states()
        if self.faults.lost_records and self.features.records_race:
            seen = states.documents.get(id_)
            await self.clock.sleep(0.02)
            if states.documents.get(id_) is not seen:
                raise StepFailed(f"Failed to update workflow state: {id_}", f"version conflict for {id_}", 409)
        state = states.get(id_)
        if state is None:
            raise StepFailed(f"Workflow state not found for {id_}", cause_status=404)
        if "resources_created" not in state and not self.features.appends_to_missing_list:
            raise StepFailed(f"Failed to update workflow state: {id_}", f"failed to execute script for {id_}", 400)
        entry = {
            "workflow_step_name": step_name,
            "workflow_step_id": step_id,
            "resource_type": type_of(step_name),
            "resource_id": resource_id,
        }
        states.update(id_, {"resources_created": [*state.get("resources_created", []), entry]})

    # -- deprovision (behaviour.md 2)

    async def deprovision(self, node: Node, id_: str, allow: frozenset[str], caller: Caller, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Tear down what the state records; status and body of the answer."""
        self.authorize(caller.user, DEPROVISION_ACTION, self.mask())
        tenant = self._take_tenant_slot(caller)
        self._task_number += 1
        task = Task(self._task_number, self.clock.now_ms(), time.monotonic(), headers)
        node.tasks[task.number] = task
        node.in_flight_max = max(node.in_flight_max, len(node.tasks))
        try:
            self._check_document(id_, self.features.filter_document or "state", caller, self.mask())
            state = self._deprovisionable(id_)
            async with node.deprovision_pool.thread():
                plan = self._plan(state, allow)
                if plan is not None:
                    return await self._tear_down(node, id_, *plan, caller)
            # An unknown step name is thrown where nobody listens: no answer, ever (behaviour.md 2.2).
            await asyncio.get_running_loop().create_future()
            raise AssertionError("unreachable")
        finally:
            del node.tasks[task.number]
            if tenant is not None:
                self._tenants_busy[tenant] -= 1

    def _take_tenant_slot(self, caller: Caller) -> str | None:
        """One deprovision a tenant, from 3.0 on (behaviour.md 5.5)."""
        if not self.features.tenant_throttle or caller.tenant is None:
            return None
        if not self.settings.true("plugins.flow_framework.multi_tenancy_enabled"):
            return None
        most = int(self.settings.get("plugins.flow_framework.max_active_deprovisions_per_tenant"))
        if self._tenants_busy.get(caller.tenant, 0) >= most:
            raise plugin_error(f"Exceeded max simultaneous deprovisioning requests: {most}", 429)
        self._tenants_busy[caller.tenant] = self._tenants_busy.get(caller.tenant, 0) + 1
        return caller.tenant

    def _deprovisionable(self, id_: str) -> dict[str, Any]:
        state = self.state(id_)
        text = f"Failed to get workflow state for workflow {id_}"
        if state is None:
            raise plugin_error(text, self.features.unknown_workflow_status)
        if not self._readable(state):
            raise plugin_error(text, self.features.unreadable_deprovision_status)
        return copy.deepcopy(state)

    def _plan(self, state: Mapping[str, Any], allow: frozenset[str]) -> tuple[list[tuple[str, dict[str, Any]]], list[dict[str, Any]]] | None:
        """Steps in the order of deletion, and entries that wait for allow_delete. None for an unknown step name."""
        steps: list[tuple[str, dict[str, Any]]] = []
        waiting: list[dict[str, Any]] = []
        known = self.features.deprovision_steps()
        for entry in state.get("resources_created", []):
            name = entry["workflow_step_name"]
            if name not in known:
                return None
            step = known[name]
            if step is None:
                continue
            if self.features.allow_delete and step in gated() and entry["resource_id"] not in allow:
                waiting.append(entry)
            else:
                steps.append((step, entry))
        steps.reverse()
        return steps, waiting

    async def _tear_down(
        self,
        node: Node,
        id_: str,
        steps: list[tuple[str, dict[str, Any]]],
        waiting: list[dict[str, Any]],
        caller: Caller,
    ) -> tuple[int, dict[str, Any]]:
        self.passes[id_] = 0
        while steps:
            self.passes[id_] += 1
            left = []
            for step, entry in steps:
                async with node.deprovision_pool.thread():
                    succeeded = await self._attempt(step, entry["resource_id"], caller)
                if not succeeded:
                    left.append((step, entry))
                    continue
                if self.features.incremental_removal:
                    self._forget(id_, entry)
                await self.clock.sleep(PAUSE_AFTER_DELETION)
            if len(left) == len(steps):
                break
            steps = left
            await self.clock.sleep(PAUSE_AFTER_PASS)
        failed = [entry for _step, entry in steps]
        if failed or waiting:
            return self._partial(id_, failed, waiting)
        return self._complete(id_, caller)

    async def _attempt(self, step: str, resource_id: str, caller: Caller) -> bool:
        if (step, resource_id) in self.faults.denied:
            return False
        if step == "noop":
            return True
        limit = seconds(self.settings.get("plugins.flow_framework.request_timeout"))
        while (step, resource_id) in self.faults.held:
            await asyncio.sleep(0.01)
        await self.clock.sleep(DELETION_SECONDS)
        try:
            await self.world.delete(kind_of(step), resource_id, caller.user)
        except StepFailed:
            return False
        if (step, resource_id) in self.faults.slow:
            await self.clock.sleep(limit)
            return False
        return limit > 0

    def _forget(self, id_: str, entry: Mapping[str, Any]) -> None:
        """Take one entry out of the stored list; the last one cannot be taken out (behaviour.md 2.5)."""
        state = self.state(id_)
        if state is None:
            return
        left = list(state.get("resources_created", []))
        for index, candidate in enumerate(left):
            if all(candidate[key] == entry[key] for key in ("workflow_step_name", "workflow_step_id")):
                del left[index]
                break
        if left:
            self._states().update(id_, {"resources_created": left})

    def _partial(self, id_: str, failed: list[dict[str, Any]], waiting: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        sentences = []
        if failed:
            sentences.append(f"Failed to deprovision some resources: [{_listed(failed)}].")
        if waiting:
            sentences.append(f"These resources require the allow_delete parameter to deprovision: [{_listed(waiting)}].")
        changes = {
            "state": "COMPLETED",
            "provisioning_progress": "DONE",
            self.features.partial_time_field: self.clock.now_ms(),
            "resources_created": failed + waiting,
        }
        self.later(lambda: self._states().update(id_, changes))
        return (202 if failed else 403), {"error": " ".join(sentences)}

    def _complete(self, id_: str, caller: Caller) -> tuple[int, dict[str, Any]]:
        if self.features.reset_replaces and self.stores.find(TEMPLATES) is None:
            raise plugin_error(f"Failed to get template {id_}", 404)
        reset = self._reset(id_, caller)
        if self.features.reset_awaited:
            reset()
        else:
            self.later(reset)
        return 200, {"workflow_id": id_}

    def _reset(self, id_: str, caller: Caller) -> Callable[[], Any]:
        """The state write of a complete deprovision (behaviour.md 2.5)."""
        if not self.features.reset_replaces:
            changes = {
                "state": "NOT_STARTED",
                "provisioning_progress": "NOT_STARTED",
                "provision_start_time": self.clock.now_ms(),
                "resources_created": [],
            }
            return lambda: self._states().update(id_, changes)
        if self.template(id_) is None:
            return lambda: self._states().delete(id_)
        fresh = self._initial(id_, caller)
        if self.features.user_after_reset == "lost":
            fresh.pop("user", None)
        principals = (self.state(id_) or {}).get("all_shared_principals")
        if principals:
            fresh["all_shared_principals"] = principals
        return lambda: self._states().put(id_, fresh)

    # -- for tests

    def load(self, state: Mapping[str, Any], template: Any = None) -> None:
        """Put a state document, and a template if one is given, as if they had always been there.

        The indices of templates and of every kind of resource recorded exist then, as they would.
        """
        id_ = state["workflow_id"]
        self._states().put(id_, copy.deepcopy(dict(state)), refresh=True)
        templates = self.stores.made(TEMPLATES)
        for entry in state.get("resources_created", []):
            if entry["resource_type"] in _ML_INDICES:
                self.stores.made(_ML_INDICES[entry["resource_type"]])
        if template is not None:
            given = dict(template)
            stored = normalised({"name": id_, **given})
            now = self.clock.now_ms()
            stored.update({"created_time": now, "last_updated_time": now})
            for name in ("user", "tenant_id", "created_time", "last_updated_time", "last_provisioned_time"):
                if name in given:
                    stored[name] = copy.deepcopy(given[name])
            templates.put(id_, stored, refresh=True)


def _listed(entries: list[dict[str, Any]]) -> str:
    """Type and id of each entry, duplicates once, in the order of the list (behaviour.md 2.5)."""
    names = [f"{type_of(entry['workflow_step_name'])} {entry['resource_id']}" for entry in entries]
    return ", ".join(dict.fromkeys(names))


def _outputs_of(step_id: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    return {record["resource_type"]: record["resource_id"] for record in records if record["workflow_step_id"] == step_id}


def make_node(number: int, address: str, features: Features, pool: int | None) -> Node:
    """Node ``node-<number>`` with the pools of its version; ``pool``: another maximum for deprovision."""
    sizes = {
        "opensearch_workflow": features.pool_workflow,
        "opensearch_provision_workflow": features.pool_provision,
        "opensearch_deprovision_workflow": pool or features.pool_deprovision,
    }
    return Node(f"node-{number}", long_id(), address, {name: Pool(name, size) for name, size in sizes.items()})


__all__ = ["DEPROVISION_ACTION", "Caller", "Engine", "Node", "Refused", "Task", "make_node"]
