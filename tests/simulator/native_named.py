# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of what is kept under names of its own, pipelines above all."""

from __future__ import annotations

from .engine import Engine
from .errors import core_error
from .named import NAMED, Named
from .rest import ACK, Answer, Call, Router
from .worlds.memory import MemoryWorld

_TIMEOUTS = ("timeout", "master_timeout", "cluster_manager_timeout", "local")


class NamedRoutes:
    def __init__(self, engine: Engine, world: MemoryWorld) -> None:
        self.engine = engine
        self.world = world

    def register(self, router: Router) -> None:
        for row in NAMED.values():
            self._register(router, row)

    def _register(self, router: Router, row: Named) -> None:
        def may(call: Call, what: str) -> None:
            self.engine.security.authorize(call.caller.user, row.actions + what)

        async def get(call: Call) -> Answer:
            may(call, "get")
            found = self.world.find_named(row.kind, call.path.get("id"))
            return Answer(200 if found else 404, found)

        async def put(call: Call) -> Answer:
            may(call, "put")
            body = call.json()
            if body is None:
                raise core_error("parse_exception", "request body is required", 400)
            self.world.put_named(row.kind, call.path["id"], body)
            return Answer(200, dict(ACK))

        async def delete(call: Call) -> Answer:
            may(call, "delete")
            self.world.delete_named(row.kind, call.path["id"])
            return Answer(200, dict(ACK))

        router.add("GET", row.path, get, _TIMEOUTS)
        router.add("GET", row.path + "/{id}", get, _TIMEOUTS)
        router.add("PUT", row.path + "/{id}", put, _TIMEOUTS, True)
        router.add("DELETE", row.path + "/{id}", delete, _TIMEOUTS)
