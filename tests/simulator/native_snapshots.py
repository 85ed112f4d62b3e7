# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of snapshots, as real clusters answer (tests/opensearch/test_native.py). Nothing is copied: only what is in one is kept."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from .engine import Engine
from .errors import core_error
from .faults import Faults
from .ids import long_id
from .rest import Answer, Call, Router
from .versions import created_id
from .worlds.memory import MemoryWorld

_TIMEOUTS = ("timeout", "master_timeout", "cluster_manager_timeout")


def _time(millis: int) -> str:
    moment = datetime.fromtimestamp(millis / 1000, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class SnapshotRoutes:
    def __init__(self, version: str, engine: Engine, world: MemoryWorld, faults: Faults) -> None:
        self.version = version
        self.engine = engine
        self.world = world
        self.faults = faults
        self.repositories: dict[str, dict[str, Any]] = {}
        self.taken: dict[tuple[str, str], dict[str, Any]] = {}

    def register(self, router: Router) -> None:
        router.add("PUT POST", "/_snapshot/{repository}", self.put_repository, (*_TIMEOUTS, "verify"), True)
        router.add("GET", "/_snapshot/{repository}", self.get_repository, (*_TIMEOUTS, "local"))
        router.add("PUT POST", "/_snapshot/{repository}/{snapshot}", self.take, (*_TIMEOUTS, "wait_for_completion"), True)
        router.add("GET", "/_snapshot/{repository}/{snapshot}", self.get, (*_TIMEOUTS, "ignore_unavailable", "verbose"))

    def _may(self, call: Call, action: str) -> None:
        self.engine.security.authorize(call.caller.user, action)

    def _known(self, call: Call) -> str:
        name = call.path["repository"]
        if name not in self.repositories:
            raise core_error("repository_missing_exception", f"[{name}] missing", 404)
        return name

    async def put_repository(self, call: Call) -> Answer:
        self._may(call, "cluster:admin/repository/put")
        self.repositories[call.path["repository"]] = call.json({})
        return Answer(200, {"acknowledged": True})

    async def get_repository(self, call: Call) -> Answer:
        self._may(call, "cluster:admin/repository/get")
        name = self._known(call)
        return Answer(200, {name: self.repositories[name]})

    async def take(self, call: Call) -> Answer:
        self._may(call, "cluster:admin/snapshot/create")
        repository, name = self._known(call), call.path["snapshot"]
        at = f"[{repository}:{name}]"
        if name != name.lower():
            raise core_error("invalid_snapshot_name_exception", f"{at} Invalid snapshot name [{name}], must be lowercase", 400)
        if (repository, name) in self.taken:
            text = f"{at} Invalid snapshot name [{name}], snapshot with the same name already exists"
            raise core_error("invalid_snapshot_name_exception", text, 400)
        asked = call.json({}).get("indices", "*")
        chosen = self.world.resolve(asked if isinstance(asked, str) else ",".join(asked))
        now = self.engine.clock.now_ms()
        for index in chosen:
            index.snapshot = True
        made = {
            "snapshot": name,
            "uuid": long_id(),
            "version_id": created_id(self.version),
            "version": self.version,
            "indices": [index.name for index in chosen],
            "data_streams": [],
            "remote_store_index_shallow_copy": False,
            "include_global_state": False,
            "state": "IN_PROGRESS",
            "start_time": _time(now),
            "start_time_in_millis": now,
            "end_time": _time(0),
            "end_time_in_millis": 0,
            "duration_in_millis": 0,
            "failures": [],
            "shards": {"total": len(chosen), "failed": 0, "successful": len(chosen)},
        }
        self.taken[repository, name] = made
        self._run_on(made)
        return Answer(200, {"snapshot": made} if call.flag("wait_for_completion") else {"accepted": True})

    async def get(self, call: Call) -> Answer:
        self._may(call, "cluster:admin/snapshot/get")
        repository, name = self._known(call), call.path["snapshot"]
        if (repository, name) not in self.taken:
            raise core_error("snapshot_missing_exception", f"[{repository}:{name}] is missing", 404)
        self._run_on(self.taken[repository, name])
        return Answer(200, {"snapshots": [self.taken[repository, name]]})

    def _run_on(self, made: dict[str, Any]) -> None:
        """End a snapshot that runs as the faults say, and let go of its indices."""
        state = self.faults.snapshot_ends
        if made["state"] != "IN_PROGRESS" or state == "IN_PROGRESS":
            return
        for index in self.world.indices.all.values():
            if index.name in made["indices"]:
                index.snapshot = False
        now, failed = self.engine.clock.now_ms(), 0 if state == "SUCCESS" else 1
        made.update(state=state, end_time=_time(now), end_time_in_millis=now, duration_in_millis=now - made["start_time_in_millis"])
        made["failures"] = [{"index": name, "reason": "simulated"} for name in made["indices"][:failed]]
        made["shards"] = {"total": len(made["indices"]), "failed": failed, "successful": len(made["indices"]) - failed}
