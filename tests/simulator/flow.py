# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of Flow Framework (behaviour.md 1)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from .engine import Caller, Engine
from .errors import Refused, core_error, plugin_error
from .rest import Answer, Call, Router, boolean, unrecognised
from .settings import seconds
from .steps import catalogue
from .store import STATES, TEMPLATES

BASE = "/_plugins/_flow_framework/workflow"
_FLOW = "cluster:admin/opensearch/flow_framework/"
_DISABLED = "This API is disabled. To enable it, update the setting [plugins.flow_framework.enabled] to true."
_DISABLED_CREATE = "This API is disabled. To enable it, set [plugins.flow_framework.enabled] to true."
_TENANT_HEADER = "x-tenant-id"


class FlowRoutes:
    """Turns requests into calls of the engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.features = engine.features

    def register(self, router: Router) -> None:
        features = self.features
        none = frozenset[str]()
        reads = self._enabled

        def ignores() -> bool:
            return features.bodies_ignored and self._enabled()

        searched = ("source", "source_content_type")
        router.add("GET POST", BASE + "/_search", self.search_templates, searched, reads)
        router.add("GET POST", BASE + "/state/_search", self.search_states, searched, reads)
        router.add("GET", BASE + "/_steps", self.steps, self._steps_params, ignores)
        router.add("POST", BASE + "/{workflow_id}/_provision", self.provision, None, reads)
        router.add(
            "POST",
            BASE + "/{workflow_id}/_deprovision",
            self.deprovision,
            lambda: frozenset({"allow_delete"}) if features.allow_delete else none,
            ignores,
        )
        router.add("GET", BASE + "/{workflow_id}/_status", self.status, ("all",), ignores)
        router.add("GET", BASE + "/{workflow_id}", self.get, (), ignores)
        router.add(
            "DELETE",
            BASE + "/{workflow_id}",
            self.delete,
            lambda: frozenset({"clear_status"}) if features.clear_status else none,
            ignores,
        )
        router.add("PUT", BASE + "/{workflow_id}", self.update, None, reads)
        router.add("POST", BASE, self.create, None, reads)

    def _steps_params(self) -> frozenset[str]:
        return frozenset({"workflow_step"}) if self.features.step_names_filter else frozenset()

    # -- what every route does first

    def _enabled(self) -> bool:
        return self.engine.settings.true("plugins.flow_framework.enabled")

    def _caller(self, call: Call, disabled: str = _DISABLED) -> Caller:
        """Refused: 403 while the API is disabled, or without a tenant where there must be one."""
        if not self._enabled():
            raise plugin_error(disabled, 403)
        if not self.engine.settings.true("plugins.flow_framework.multi_tenancy_enabled"):
            return call.caller
        tenant = call.headers.get(_TENANT_HEADER, "")
        if not tenant.strip():
            raise plugin_error("Tenant ID header is missing or has no value", 403)
        return Caller(call.caller.user, tenant)

    # -- create and update

    def _known_params(self) -> list[str]:
        features = self.features
        known = ["validation", "provision"]
        for name, there in (
            ("use_case", features.substitutions),
            ("update_fields", features.update_fields),
            ("reprovision", features.reprovision),
            ("wait_for_completion_timeout", features.wait_for_completion),
        ):
            if there:
                known.append(name)
        return known

    def _options(self, call: Call) -> tuple[dict[str, bool], dict[str, str]]:
        """The flags of create and update, and what is left for substitution. Refused: 400 (behaviour.md 1.4)."""
        known = self._known_params()
        rest = {name: value for name, value in call.params.items() if name not in known}
        rest = {name: value for name, value in rest.items() if name not in ("pretty", "human", "filter_path", "format")}
        flags = {name: boolean(call.params.get(name), False) if name in known else False for name in ("provision", "update_fields", "reprovision")}
        if rest and not self.features.substitutions:
            raise unrecognised(call.raw_path, sorted(rest), known)
        if rest and not flags["provision"]:
            raise plugin_error(
                f"Only the parameters [{', '.join(known)}] are permitted unless the provision parameter is set to true.",
                400,
            )
        if flags["provision"] and flags["update_fields"]:
            raise plugin_error("You can not use both the provision and update_fields parameters in the same request.", 400)
        if flags["reprovision"] and "use_case" in call.params:
            raise plugin_error("You cannot use the reprovision and use_case parameters in the same request.", 400)
        waits = "wait_for_completion_timeout" in call.params and "wait_for_completion_timeout" in known
        if waits and not (flags["provision"] or flags["reprovision"]):
            raise plugin_error(
                "Request parameter 'wait_for_completion_timeout' is not allowed unless the 'provision' or 'reprovision' parameter is set to true.",
                400,
            )
        if "use_case" in call.params and "use_case" in known:
            raise plugin_error("The simulator holds no templates of use cases.", 400)
        return flags, rest

    def _validation(self, call: Call) -> bool:
        return call.params.get("validation", "all") == "all"

    async def create(self, call: Call) -> Answer:
        flags, rest = self._options(call)
        caller = self._caller(call, _DISABLED_CREATE)
        engine = self.engine
        if flags["reprovision"]:
            raise plugin_error("You can not use the reprovision parameter to create a new template.", 400)
        engine.authorize(caller.user, _FLOW + "workflow/create", engine.mask())
        if flags["provision"]:
            engine.authorize(caller.user, _FLOW + "workflow/provision", engine.mask())
        id_ = engine.create(call.json(), caller, self._validation(call))
        if not flags["provision"]:
            return Answer(201, {"workflow_id": id_})
        engine.provision(call.node, id_, rest, caller)
        return await self._started(call, id_, self.features.create_and_provision_status)

    async def update(self, call: Call) -> Answer:
        flags, rest = self._options(call)
        caller = self._caller(call, _DISABLED_CREATE)
        engine, id_ = self.engine, call.path["workflow_id"]
        engine.authorize(caller.user, _FLOW + "workflow/create", engine.mask())
        if flags["reprovision"]:
            engine.authorize(caller.user, _FLOW + "workflow/reprovision", engine.mask())
            engine.reprovision(call.node, id_, call.json(), caller, self._validation(call))
            return await self._started(call, id_, self.features.create_and_provision_status)
        engine.update(id_, call.json({}), caller, self._validation(call), flags["update_fields"])
        if not flags["provision"]:
            return Answer(201, {"workflow_id": id_})
        engine.provision(call.node, id_, rest, caller)
        return await self._started(call, id_, self.features.create_and_provision_status)

    async def _started(self, call: Call, id_: str, status: int) -> Answer:
        """The answer to a started provisioning: at once, or the state once it is done or the time is over."""
        text = call.params.get("wait_for_completion_timeout")
        if not self.features.wait_for_completion or text is None:
            return Answer(status, {"workflow_id": id_})
        try:
            longest = seconds(text)
        except ValueError as wrong:
            raise core_error("illegal_argument_exception", str(wrong), 400) from None
        run = self.engine.runs.get(id_)
        if run is not None:
            await asyncio.wait({run}, timeout=longest)
        state = self.engine.state(id_) or {"workflow_id": id_}
        return Answer(status, self.engine.shown(state, everything=False))

    async def provision(self, call: Call) -> Answer:
        caller = self._caller(call)
        params = {name: value for name, value in call.params.items() if name not in ("pretty", "human", "filter_path")}
        if params and not self.features.substitutions:
            raise unrecognised(call.raw_path, sorted(params), ["workflow_id"])
        params.pop("wait_for_completion_timeout", None)
        body = call.json({})
        if not isinstance(body, dict) or not all(isinstance(value, str) for value in body.values()):
            raise plugin_error("Request body must be a flat object of strings", 400)
        id_ = call.path["workflow_id"]
        self.engine.provision(call.node, id_, {**body, **params}, caller)
        return await self._started(call, id_, self.features.provision_status)

    # -- the others

    async def deprovision(self, call: Call) -> Answer:
        caller = self._caller(call)
        allow = frozenset(java_trimmed(call.params.get("allow_delete", "")))
        headers = {} if call.opaque_id is None else {"X-Opaque-Id": call.opaque_id}
        status, body = await self.engine.deprovision(call.node, call.path["workflow_id"], allow, caller, headers)
        return Answer(status, body)

    async def status(self, call: Call) -> Answer:
        everything = call.flag("all")
        caller = self._caller(call)
        return Answer(200, self.engine.status(call.path["workflow_id"], everything, caller))

    async def get(self, call: Call) -> Answer:
        caller = self._caller(call)
        template = self.engine.get(call.path["workflow_id"], caller)
        return Answer(200, template)

    async def delete(self, call: Call) -> Answer:
        caller = self._caller(call)
        # Not core's boolean: only the word true, in any case (behaviour.md 1.1).
        clear = self.features.clear_status and call.params.get("clear_status", "").lower() == "true"
        return Answer(200, self.engine.delete(call.path["workflow_id"], clear, caller))

    async def steps(self, call: Call) -> Answer:
        caller = self._caller(call)
        self.engine.authorize(caller.user, _FLOW + "workflow_step/get", self.engine.mask())
        known = catalogue()
        wanted = java_trimmed(call.params.get("workflow_step", ""))
        wrong = [name for name in wanted if name not in known]
        if wrong:
            raise plugin_error(f"Invalid step name: [{', '.join(wrong)}]", 400)
        return Answer(200, {name: step for name, step in known.items() if not wanted or name in wanted})

    async def search_templates(self, call: Call) -> Answer:
        return self._search(call, TEMPLATES, "workflow/search")

    async def search_states(self, call: Call) -> Answer:
        return self._search(call, STATES, "workflow_state/search")

    def _search(self, call: Call, name: str, action: str) -> Answer:
        caller = self._caller(call)
        body = search_body(call)
        engine = self.engine
        engine.security.authorize(caller.user, _FLOW + action)
        index = engine.stores.find(name)
        if index is None:
            raise self._missing(name)
        answer = index.search(body, lambda source: self._seen(source, caller))
        admin = caller.user is None or caller.user.is_admin
        if not admin or "_source" in body:
            for hit in answer["hits"]["hits"]:
                hit.get("_source", {}).pop("user", None)
        return Answer(200, answer)

    def _seen(self, source: dict[str, Any], caller: Caller) -> bool:
        """Is this document let through to this caller's search?"""
        settings = self.engine.settings
        if settings.true("plugins.flow_framework.multi_tenancy_enabled") and source.get("tenant_id") != caller.tenant:
            return False
        if caller.user is None or caller.user.is_admin:
            return True
        if not settings.true("plugins.flow_framework.filter_by_backend_roles"):
            return True
        owner = source.get("user") or {}
        return not set(owner.get("backend_roles", [])).isdisjoint(caller.user.backend_roles)

    def _missing(self, name: str) -> Refused:
        """The index does not exist yet (recording empty_cluster)."""
        cause = {
            "type": "index_not_found_exception",
            "reason": f"no such index [{name}]",
            "index": name,
            "resource.id": name,
            "resource.type": "index_or_alias",
            "index_uuid": "_na_",
        }
        error: dict[str, Any] = {"root_cause": [cause], **cause}
        if self.features.search_wraps_missing_index:
            error = {
                "root_cause": [cause],
                "type": "status_exception",
                "reason": f"Failed to search indices [{name}]",
                "caused_by": cause,
            }
        return Refused(404, {"error": error, "status": 404})


def search_body(call: Call) -> dict[str, Any]:
    """The search request: the body, or the parameter ``source``. Refused: 400 without either."""
    if call.content.strip():
        body = call.json()
    elif "source" in call.params:
        try:
            body = json.loads(call.params["source"])
        except ValueError:
            raise core_error("json_parse_exception", "the parameter source is not valid JSON", 400) from None
    else:
        raise core_error("parse_exception", "request body or source parameter is required", 400)
    if not isinstance(body, dict):
        raise core_error("parsing_exception", "Expected [START_OBJECT]", 400)
    return body


def java_trimmed(text: str) -> list[str]:
    """Tokens between commas, trimmed as Java trims, empty ones dropped (behaviour.md 2.3)."""
    blanks = "".join(chr(code) for code in range(33))
    return [token for token in (part.strip(blanks) for part in text.split(",")) if token]
