# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of ML Commons: connectors, models, model groups, agents (recordings ml_checks, ml_gone_before, ...)."""

from __future__ import annotations

from typing import Any

from .engine import Engine
from .errors import core_error
from .ids import short_id
from .rest import Answer, Call, Router
from .worlds.memory import MemoryWorld

BASE = "/_plugins/_ml/"
_ACTION = "cluster:admin/opensearch/ml/"
_PLURAL = {"connector": "connectors", "model": "models", "model_group": "model_groups", "agent": "agents"}
_SEARCH = ("source", "source_content_type")


class MachineLearningRoutes:
    def __init__(self, engine: Engine, world: MemoryWorld) -> None:
        self.engine = engine
        self.world = world

    def register(self, router: Router) -> None:
        for kind, plural in _PLURAL.items():
            self._register_kind(router, kind, BASE + plural)
        router.add("POST", BASE + "models/{id}/_deploy", self.deploy, None, True)
        router.add("POST", BASE + "models/{id}/_undeploy", self.undeploy, None, True)

    def _may(self, call: Call, action: str) -> None:
        self.engine.security.authorize(call.caller.user, _ACTION + action)

    def _register_kind(self, router: Router, kind: str, base: str) -> None:
        plural = _PLURAL[kind]

        async def search(call: Call) -> Answer:
            self._may(call, f"{plural}/search")
            return Answer(200, self.world.search_documents(kind, _search_body(call)))

        async def get(call: Call) -> Answer:
            self._may(call, f"{plural}/get")
            return Answer(200, self.world.document(kind, call.path["id"]))

        async def delete(call: Call) -> Answer:
            self._may(call, f"{plural}/delete")
            return Answer(200, self._deleted(kind, call))

        makers = {
            "connector": ("_create", self.create_connector),
            "model": ("_register", self.register_model),
            "model_group": ("_register", self.register_group),
            "agent": ("_register", self.register_agent),
        }
        verb, maker = makers[kind]
        router.add("POST", f"{base}/{verb}", maker, ("deploy",), True)
        router.add("GET POST", f"{base}/_search", search, _SEARCH, True)
        router.add("GET", base + "/{id}", get, ("return_content",))
        router.add("DELETE", base + "/{id}", delete)

    def _deleted(self, kind: str, call: Call) -> dict[str, Any]:
        id_ = call.path["id"]
        if kind == "connector":
            return self.world.delete_connector(id_, call.caller.user)
        if kind == "model":
            return self.world.delete_model(id_)
        if kind == "model_group":
            return self.world.delete_model_group(id_)
        return self.world.delete_agent(id_)

    @staticmethod
    def _body(call: Call, *required: str) -> dict[str, Any]:
        body: dict[str, Any] = call.json({})
        for name in required:
            if not body.get(name):
                raise core_error("illegal_argument_exception", f"{name} is null", 400)
        return body

    async def create_connector(self, call: Call) -> Answer:
        self._may(call, "create_connector")
        return Answer(200, {"connector_id": self.world.create_connector(self._body(call, "name"))})

    async def register_model(self, call: Call) -> Answer:
        self._may(call, "register_model")
        id_ = self.world.register_model(self._body(call, "name"))
        if call.flag("deploy"):
            self.world.deploy_model(id_)
        return Answer(200, {"task_id": short_id(), "status": "CREATED", "model_id": id_})

    async def register_group(self, call: Call) -> Answer:
        self._may(call, "register_model_group")
        return Answer(200, {"model_group_id": self.world.register_model_group(self._body(call, "name")), "status": "CREATED"})

    async def register_agent(self, call: Call) -> Answer:
        self._may(call, "agents/register")
        return Answer(200, {"agent_id": self.world.register_agent(self._body(call, "name", "type"))})

    async def deploy(self, call: Call) -> Answer:
        self._may(call, "deploy_model")
        self.world.deploy_model(call.path["id"])
        return Answer(200, {"task_id": short_id(), "task_type": "DEPLOY_MODEL", "status": "COMPLETED"})

    async def undeploy(self, call: Call) -> Answer:
        self._may(call, "undeploy_models")
        self._may(call, "undeploy_model")
        return Answer(200, self.world.undeploy_model(call.path["id"]))


def _search_body(call: Call) -> dict[str, Any]:
    body = call.json({})
    if not isinstance(body, dict):
        raise core_error("parsing_exception", "Expected [START_OBJECT]", 400)
    return body
