# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster around Flow Framework: identity, cat, tasks, settings, nodes (recordings server, running_task)."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .engine import DEPROVISION_ACTION, Engine, Node, Task
from .errors import core_error
from .ids import long_id
from .rest import JSON, TEXT, Answer, Call, Router
from .settings import flat
from .versions import FLOW_FRAMEWORK, SECURITY
from .worlds.indices import Index, nested
from .worlds.memory import MemoryWorld

ROLES = ["cluster_manager", "data", "ingest", "remote_cluster_client"]
_CAT_PARAMS = ("h", "v", "s", "help", "bytes", "time", "size", "local", "ts", "pri", "health", "expand_wildcards")
_LISTING = "cluster:monitor/tasks/lists"
_TIMEOUTS = ("timeout", "master_timeout", "cluster_manager_timeout", "local")

THREAD_POOL_ALIASES = {
    "nn": "node_name",
    "id": "node_id",
    "n": "name",
    "t": "type",
    "a": "active",
    "psz": "pool_size",
    "q": "queue",
    "qs": "queue_size",
    "r": "rejected",
    "l": "largest",
    "c": "completed",
    "cr": "core",
    "mx": "max",
    "sz": "size",
    "ka": "keep_alive",
    "h": "host",
    "i": "ip",
}


@dataclass
class Cluster:
    """Name, version and plugins; the same for every node unless a knob says otherwise."""

    name: str
    version: str
    plugins: tuple[str, ...]
    uuid: str = field(default_factory=long_id)


class ClusterRoutes:
    def __init__(self, cluster: Cluster, engine: Engine, world: MemoryWorld) -> None:
        self.cluster = cluster
        self.engine = engine
        self.world = world
        self._listings = 0

    def register(self, router: Router) -> None:
        cat = _CAT_PARAMS
        router.add("GET HEAD", "/", self.identity)
        router.add("GET", "/_cat/plugins", self.cat_plugins, cat)
        router.add("GET", "/_cat/thread_pool", self.cat_thread_pool, cat)
        router.add("GET", "/_cat/thread_pool/{names}", self.cat_thread_pool, cat)
        router.add("GET", "/_cat/indices", self.cat_indices, cat)
        router.add("GET", "/_cat/indices/{index}", self.cat_indices, cat)
        router.add("GET", "/_cat/nodes", self.cat_nodes, cat)
        tasks = ("actions", "nodes", "detailed", "group_by", "parent_task_id", "wait_for_completion", "timeout")
        router.add("GET", "/_tasks", self.tasks, tasks)
        router.add("GET", "/_tasks/{task_id}", self.one_task, tasks)
        settings = (*_TIMEOUTS, "flat_settings", "include_defaults")
        router.add("GET", "/_cluster/settings", self.get_settings, settings)
        router.add("PUT", "/_cluster/settings", self.put_settings, settings, True)
        router.add("GET", "/_cluster/health", self.health, None)
        router.add("GET", "/_cluster/health/{index}", self.health, None)
        router.add("GET", "/_nodes", self.nodes, None)
        router.add("GET", "/_nodes/{what}", self.nodes, None)
        router.add("GET", "/_nodes/{node}/{what}", self.nodes, None)
        router.add("GET", "/_snapshot/_status", self.snapshots, None)

    def _may(self, call: Call, action: str) -> None:
        self.engine.security.authorize(call.caller.user, action)

    # -- identity

    def _number(self) -> str:
        parts = self.cluster.version.split(".")
        return ".".join((*parts, "0", "0")[:3])

    async def identity(self, call: Call) -> Answer:
        self._may(call, "cluster:monitor/main")
        features = self.engine.features
        return Answer(
            200,
            {
                "name": call.node.name,
                "cluster_name": self.cluster.name,
                "cluster_uuid": self.cluster.uuid,
                "version": {
                    "distribution": "opensearch",
                    "number": self._number(),
                    "build_type": "zip",
                    "build_hash": "0" * 40,
                    "build_date": "2026-01-01T00:00:00.000000000Z",
                    "build_snapshot": False,
                    "lucene_version": features.lucene,
                    "minimum_wire_compatibility_version": features.wire_compatibility,
                    "minimum_index_compatibility_version": features.index_compatibility,
                },
                "tagline": "The OpenSearch Project: https://opensearch.org/",
            },
        )

    def _plugins(self, node: Node) -> list[dict[str, str]]:
        """Plugins of a node with their versions, in the order of their names."""
        faults = self.engine.faults
        names = [name for name in self.cluster.plugins if not (faults.plugin_absent and name == FLOW_FRAMEWORK)]
        if self.engine.security.enabled:
            names.append(SECURITY)
        own = f"{self._number()}.0"
        return [
            {
                "name": node.name,
                "component": name,
                "version": faults.plugin_versions.get(node.name, own) if name == FLOW_FRAMEWORK else own,
            }
            for name in sorted(names)
        ]

    async def cat_plugins(self, call: Call) -> Answer:
        self._may(call, "cluster:monitor/state")
        self._may(call, "cluster:monitor/nodes/info")
        rows = [row for node in self.engine.nodes for row in self._plugins(node)]
        return cat_answer(call, rows, ["name", "component", "version"])

    async def cat_nodes(self, call: Call) -> Answer:
        self._may(call, "cluster:monitor/state")
        rows = [{"ip": "127.0.0.1", "name": node.name, "id": node.id[:4], "version": self._number(), "node.roles": "dimr"} for node in self.engine.nodes]
        return cat_answer(call, rows, ["ip", "node.roles", "name"])

    # -- pools and tasks

    async def cat_thread_pool(self, call: Call) -> Answer:
        for action in ("cluster:monitor/state", "cluster:monitor/nodes/info", "cluster:monitor/nodes/stats"):
            self._may(call, action)
        rows = pool_rows(self.engine.nodes, call.path.get("names", "*").split(","))
        return cat_answer(call, rows, ["node_name", "name", "active", "queue", "rejected"], THREAD_POOL_ALIASES)

    def _listing(self, node: Node) -> dict[str, Any]:
        """The task that lists tasks, which is in its own list (tests/opensearch/test_native.py)."""
        self._listings += 1
        return {
            "node": node.id,
            "id": 1_000_000 + self._listings,
            "type": "transport",
            "action": _LISTING,
            "start_time_in_millis": self.engine.clock.now_ms(),
            "running_time_in_nanos": 100_000,
            "cancellable": False,
            "cancelled": False,
            "headers": {},
        }

    async def tasks(self, call: Call) -> Answer:
        self._may(call, "cluster:monitor/tasks/lists")
        actions, detailed = call.params.get("actions"), call.flag("detailed")
        nodes: dict[str, dict[str, Any]] = {}
        for node in self.engine.nodes:
            shown = deprovision_tasks(node, actions, detailed)
            if node is call.node and _asked_for(_LISTING, actions):
                listing = self._listing(node)
                shown[f"{node.id}:{listing['id']}"] = listing
            if not shown or not _named(node, call.params.get("nodes")):
                continue
            nodes[node.id] = {
                "name": node.name,
                "transport_address": node.address,
                "host": "127.0.0.1",
                "ip": node.address,
                "roles": list(ROLES),
                "attributes": {"shard_indexing_pressure_enabled": "true"},
                "tasks": shown,
            }
        group_by = call.params.get("group_by", "nodes")
        if group_by == "nodes":
            return Answer(200, {"nodes": nodes})
        tasks: dict[str, Any] = {}
        for one in nodes.values():
            tasks.update(one["tasks"])
        return Answer(200, {"tasks": list(tasks.values()) if group_by == "none" else tasks})

    async def one_task(self, call: Call) -> Answer:
        self._may(call, "cluster:monitor/task/get")
        node_id, _sign, number = call.path["task_id"].rpartition(":")
        for node in self.engine.nodes:
            if node.id == node_id and number.isdigit() and int(number) in node.tasks:
                task = _task(node, node.tasks[int(number)], detailed=True)
                return Answer(200, {"completed": False, "task": task})
        raise core_error(
            "resource_not_found_exception",
            f"task [{call.path['task_id']}] isn't running and hasn't stored its results",
            404,
        )

    # -- settings, health, nodes

    async def get_settings(self, call: Call) -> Answer:
        self._may(call, "cluster:monitor/state")
        settings = self.engine.settings
        layers: dict[str, dict[str, str]] = {"persistent": settings.persistent, "transient": settings.transient}
        if call.flag("include_defaults"):
            set_already = {**settings.persistent, **settings.transient}
            layers["defaults"] = {name: value for name, value in settings.defaults.items() if name not in set_already}
        if call.flag("flat_settings"):
            return Answer(200, {name: dict(layer) for name, layer in layers.items()})
        return Answer(200, {name: nested(layer) for name, layer in layers.items()})

    async def put_settings(self, call: Call) -> Answer:
        self._may(call, "cluster:admin/settings/update")
        body = call.json({})
        names = {**flat(body.get("persistent") or {}), **flat(body.get("transient") or {})}
        if not names:
            raise core_error("action_request_validation_exception", "Validation Failed: 1: no settings to update;", 400)
        for name in names:
            if name.startswith("plugins.flow_framework.") and name not in self.engine.settings.defaults:
                raise core_error("illegal_argument_exception", f"persistent setting [{name}], not recognized", 400)
        return Answer(200, self.engine.settings.put(body))

    async def health(self, call: Call) -> Answer:
        self._may(call, "cluster:monitor/health")
        count = len(self.engine.nodes)
        shards = sum(_shard_count(index) for index in self.world.indices.all.values())
        return Answer(
            200,
            {
                "cluster_name": self.cluster.name,
                "status": "green",
                "timed_out": False,
                "number_of_nodes": count,
                "number_of_data_nodes": count,
                "discovered_master": True,
                "discovered_cluster_manager": True,
                "active_primary_shards": shards,
                "active_shards": shards,
                "relocating_shards": 0,
                "initializing_shards": 0,
                "unassigned_shards": 0,
                "delayed_unassigned_shards": 0,
                "number_of_pending_tasks": 0,
                "number_of_in_flight_fetch": 0,
                "task_max_waiting_in_queue_millis": 0,
                "active_shards_percent_as_number": 100.0,
            },
        )

    async def nodes(self, call: Call) -> Answer:
        self._may(call, "cluster:monitor/nodes/info")
        metrics = {"plugins", "thread_pool", "http", "process", "settings", "os", "jvm", "ingest", "info", "_all"}
        what = call.path.get("what", "_all")
        asked = set(what.split(","))
        selector = call.path.get("node")
        if not asked <= metrics:
            asked, selector = {"_all"}, what
        chosen = [node for node in self.engine.nodes if _named(node, selector, call.node)]
        shown = {node.id: self._node(node, asked) for node in chosen}
        total = {"total": len(chosen), "successful": len(chosen), "failed": 0}
        return Answer(200, {"_nodes": total, "cluster_name": self.cluster.name, "nodes": shown})

    def _node(self, node: Node, asked: set[str]) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "name": node.name,
            "transport_address": node.address,
            "host": "127.0.0.1",
            "ip": "127.0.0.1",
            "version": self._number(),
            "build_type": "zip",
            "build_hash": "0" * 40,
            "roles": list(ROLES),
            "attributes": {"shard_indexing_pressure_enabled": "true"},
        }
        if asked & {"plugins", "_all"}:
            shown["plugins"] = [
                {"name": plugin["component"], "version": plugin["version"], "opensearch_version": self._number()} for plugin in self._plugins(node)
            ]
        if asked & {"thread_pool", "_all"}:
            shown["thread_pool"] = {
                name: {"type": "scaling", "core": 1, "max": pool.maximum, "keep_alive": "1m", "queue_size": -1} for name, pool in node.pools.items()
            }
        if asked & {"http", "_all"}:
            shown["http"] = {"bound_address": [node.address], "publish_address": node.address}
        return shown

    async def snapshots(self, call: Call) -> Answer:
        self._may(call, "cluster:admin/snapshot/status")
        held = [index for index in self.world.indices.all.values() if index.snapshot]
        if not held:
            return Answer(200, {"snapshots": []})
        node, now = self.engine.nodes[0].id, self.engine.clock.now_ms()
        shown = {
            "snapshot": "simulated",
            "repository": "simulated",
            "uuid": self.cluster.uuid,
            "state": "STARTED",
            "include_global_state": False,
            **_under_way(sum(_shard_count(index) for index in held), sum(index.size() for index in held), now),
            "indices": {
                index.name: {
                    **_under_way(_shard_count(index), index.size(), now),
                    "shards": {
                        str(shard): {"stage": "STARTED", "stats": _under_way(1, index.size(), now)["stats"], "node": node}
                        for shard in range(_shard_count(index))
                    },
                }
                for index in held
            },
        }
        return Answer(200, {"snapshots": [shown]})

    async def cat_indices(self, call: Call) -> Answer:
        self._may(call, "indices:monitor/settings/get")
        expand = call.params.get("expand_wildcards", "all" if "index" not in call.path else "open,closed")
        chosen = self.world.resolve(call.path.get("index", "*"), expand_wildcards=expand)
        rows = [_index_row(index, call.params.get("bytes")) for index in chosen]
        columns = [
            "health",
            "status",
            "index",
            "uuid",
            "pri",
            "rep",
            "docs.count",
            "docs.deleted",
            "store.size",
            "pri.store.size",
        ]
        return cat_answer(call, rows, columns)


def _shard_count(index: Index) -> int:
    return int(index.settings["index.number_of_shards"])


def _under_way(shards: int, size: int, now: int) -> dict[str, Any]:
    """How far a snapshot of so many shards is: at its first file."""
    all_files = {"file_count": 4 * shards, "size_in_bytes": size}
    return {
        "shards_stats": {"initializing": 0, "started": shards, "finalizing": 0, "done": 0, "failed": 0, "total": shards},
        "stats": {
            "incremental": dict(all_files),
            "processed": {"file_count": 1, "size_in_bytes": min(size, 400)},
            "total": dict(all_files),
            "start_time_in_millis": now,
            "time_in_millis": 0,
        },
    }


def pool_rows(nodes: list[Node], patterns: list[str]) -> list[dict[str, Any]]:
    """The plugin's pools of some nodes, as the table of pools shows them."""
    return [
        {
            "node_name": node.name,
            "node_id": node.id,
            "host": "127.0.0.1",
            "ip": "127.0.0.1",
            "name": name,
            "type": "scaling",
            "active": str(pool.active),
            "pool_size": str(max(pool.active, min(1, pool.completed))),
            "queue": str(pool.queue),
            "queue_size": "-1",
            "rejected": "0",
            "largest": str(pool.largest),
            "completed": str(pool.completed),
            "core": "1",
            "max": str(pool.maximum),
            "size": None,
            "keep_alive": "1m",
        }
        for node in nodes
        for name, pool in sorted(node.pools.items())
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    ]


def deprovision_tasks(node: Node, actions: str | None, detailed: bool) -> dict[str, Any]:
    """The deprovision calls under way on a node, as the list of tasks shows them. ``actions``: patterns that were asked for."""
    if not _asked_for(DEPROVISION_ACTION, actions):
        return {}
    return {f"{node.id}:{number}": _task(node, task, detailed) for number, task in node.tasks.items()}


def _asked_for(action: str, patterns: str | None) -> bool:
    given = [pattern for pattern in (patterns or "").split(",") if pattern] or ["*"]
    return any(fnmatch.fnmatchcase(action, pattern) for pattern in given)


def _task(node: Node, task: Task, detailed: bool) -> dict[str, Any]:
    zero = {"cpu_time_in_nanos": 0, "memory_in_bytes": 0}
    shown: dict[str, Any] = {
        "node": node.id,
        "id": task.number,
        "type": "transport",
        "action": DEPROVISION_ACTION,
    }
    if detailed:
        shown["description"] = ""
    shown.update(
        start_time_in_millis=task.started_ms,
        running_time_in_nanos=int((time.monotonic() - task.started) * 1e9),
        cancellable=False,
        cancelled=False,
        headers=dict(task.headers),
    )
    if detailed:
        shown["resource_stats"] = {
            **{name: dict(zero) for name in ("average", "total", "min", "max")},
            "thread_info": {"thread_executions": 0, "active_threads": 0},
        }
    return shown


def _named(node: Node, selector: str | None, local: Node | None = None) -> bool:
    if selector in (None, "", "_all"):
        return True
    names = str(selector).split(",")
    if "_local" in names and local is not None:
        return node is local
    return any(node.id == name or fnmatch.fnmatchcase(node.name, name) for name in names)


def _index_row(index: Index, unit: str | None) -> dict[str, Any]:
    size = str(index.size()) if unit == "b" else _human(index.size())
    return {
        "health": "green",
        "status": "close" if index.closed else "open",
        "index": index.name,
        "uuid": index.uuid,
        "pri": index.settings["index.number_of_shards"],
        "rep": index.settings["index.number_of_replicas"],
        "docs.count": None if index.closed else str(index.count()),
        "docs.deleted": None if index.closed else "0",
        "store.size": None if index.closed else size,
        "pri.store.size": None if index.closed else size,
        "creation.date": str(index.created_ms),
    }


def _human(size: int) -> str:
    value = float(size)
    for unit in ("b", "kb", "mb", "gb"):
        if value < 1024 or unit == "gb":
            return f"{int(value)}{unit}" if unit == "b" else f"{value:.1f}{unit}"
        value /= 1024
    raise AssertionError("unreachable")


def cat_answer(call: Call, rows: list[dict[str, Any]], default: list[str], aliases: Mapping[str, str] | None = None) -> Answer:
    """A table of the cat API: JSON with ``format=json``, else text; ``h`` chooses columns, ``v`` shows a header."""
    aliases = aliases or {}
    asked = [name for name in call.params.get("h", "").split(",") if name] or default
    columns: list[tuple[str, str]] = []
    known = list(rows[0]) if rows else []
    for name in asked:
        if "*" in name:
            columns.extend((match, match) for match in known if fnmatch.fnmatchcase(match, name))
        else:
            columns.append((name, aliases.get(name, name)))
    for name in reversed([part for part in call.params.get("s", "").split(",") if part]):
        key, _sign, order = name.partition(":")
        rows = sorted(rows, key=lambda row: str(row.get(aliases.get(key, key)) or ""), reverse=order == "desc")
    if call.params.get("format") == "json" or "application/json" in call.headers.get("Accept", ""):
        table = [{shown: row[name] for shown, name in columns if name in row} for row in rows]
        return Answer(200, table, JSON)
    lines = [[str(row.get(name) or "") for _shown, name in columns] for row in rows]
    if call.flag("v"):
        lines.insert(0, [shown for shown, _name in columns])
    widths = [max((len(line[i]) for line in lines), default=0) for i in range(len(columns))]
    text = "".join(" ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + "\n" for line in lines)
    return Answer(200, text, TEXT)
