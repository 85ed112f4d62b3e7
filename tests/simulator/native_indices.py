# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of indices and aliases."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable
from typing import Any

from .engine import Engine
from .errors import Refused, core_error, no_such_index
from .ids import short_id
from .rest import ACK, Answer, Call, Router, boolean
from .search import FieldTypes, Hit, Search, SearchError, run
from .store import search_refusal
from .versions import created_id
from .worlds.indices import Index, flat_settings, nested
from .worlds.memory import MemoryWorld

_NAMES = ("ignore_unavailable", "allow_no_indices", "expand_wildcards")
_TIMEOUTS = ("timeout", "master_timeout", "cluster_manager_timeout", "local", "wait_for_active_shards")
_VIEWS = ("include_defaults", "flat_settings", "include_type_name")
_REPEATED = ("level", "fields", "forbid_closed_indices", "include_unloaded_segments", "groups", "types")
_SEARCH = (*_NAMES, "q", "size", "from", "sort", "track_total_hits", "ignore_throttled", "preference", "routing")
_DOC = ("refresh", "routing", "op_type", "timeout", "if_seq_no", "if_primary_term", "pipeline", "realtime")
NO_UPLOADS = {"started": 0, "failed": 0, "succeeded": 0}


class IndexRoutes:
    def __init__(self, version: str, engine: Engine, world: MemoryWorld) -> None:
        self.version = version
        self.engine = engine
        self.world = world

    def register(self, router: Router) -> None:
        names, times = _NAMES, _TIMEOUTS
        router.add("GET", "/_stats", self.stats, (*names, *_REPEATED))
        router.add("GET", "/_alias", self.get_alias, (*names, *times))
        router.add("GET HEAD", "/_alias/{name}", self.get_alias, (*names, *times))
        router.add("POST", "/_aliases", self.change_aliases, times, True)
        router.add("GET", "/_settings", self.get_settings, (*names, *times, *_VIEWS))
        router.add("POST", "/_refresh", self.refresh, names)
        router.add("GET POST", "/_count", self.count, _SEARCH, True)
        router.add("GET POST", "/_msearch", self.many_searches, ("max_concurrent_searches", "typed_keys"), True)
        router.add("GET POST", "/_search", self.search, (*_SEARCH, "source", "source_content_type"), True)
        base = "/{index}"
        router.add("GET POST", base + "/_count", self.count, _SEARCH, True)
        router.add("GET POST", base + "/_search", self.search, (*_SEARCH, "source", "source_content_type"), True)
        router.add("GET", base + "/_stats", self.stats, (*names, *_REPEATED))
        router.add("GET", base + "/_stats/{metric}", self.stats, (*names, *_REPEATED))
        router.add("GET", base + "/_settings", self.get_settings, (*names, *times, *_VIEWS))
        router.add("GET", base + "/_settings/{name}", self.get_settings, (*names, *times, *_VIEWS))
        router.add("PUT", base + "/_settings", self.put_settings, (*names, *times, "preserve_existing"), True)
        router.add("GET", base + "/_mapping", self.get_mapping, (*names, *times))
        router.add("PUT POST", base + "/_mapping", self.put_mapping, (*names, *times), True)
        router.add("GET", base + "/_alias", self.get_alias, (*names, *times))
        router.add("GET HEAD", base + "/_alias/{name}", self.get_alias, (*names, *times))
        router.add("PUT POST", base + "/_alias/{name}", self.put_alias, times, True)
        router.add("PUT POST", base + "/_aliases/{name}", self.put_alias, times, True)
        router.add("DELETE", base + "/_alias/{name}", self.delete_alias, times)
        router.add("DELETE", base + "/_aliases/{name}", self.delete_alias, times)
        router.add("POST", base + "/_open", self.open, (*names, *times))
        router.add("POST", base + "/_close", self.close, (*names, *times))
        router.add("GET POST", base + "/_refresh", self.refresh, names)
        router.add("GET POST", base + "/_flush", self.flush, (*names, "force", "wait_if_ongoing"))
        router.add("POST", base + "/_doc", self.put_document, _DOC, True)
        router.add("PUT POST", base + "/_doc/{id}", self.put_document, _DOC, True)
        router.add("PUT POST", base + "/_create/{id}", self.put_document, _DOC, True)
        router.add("GET HEAD", base + "/_doc/{id}", self.get_document, _DOC)
        router.add("DELETE", base + "/_doc/{id}", self.delete_document, _DOC)
        router.add("PUT", base, self.create, (*times, "include_type_name"), True)
        router.add("GET HEAD", base, self.get, (*names, *times, *_VIEWS))
        router.add("DELETE", base, self.delete, (*names, *times))

    def _may(self, call: Call, action: str) -> None:
        self.engine.security.authorize(call.caller.user, action)

    def _resolve(self, call: Call, forbid_closed: bool = False, default: str = "*") -> list[Index]:
        return self.world.resolve(
            call.path.get("index", default),
            ignore_unavailable=call.flag("ignore_unavailable"),
            allow_no_indices=call.flag("allow_no_indices", True),
            expand_wildcards=call.params.get("expand_wildcards", "open"),
            forbid_closed=forbid_closed,
        )

    def _to_look_at(self, call: Call, forbid_closed: bool = False) -> list[Index]:
        """Refused: 403 where one of them is blocked against it, which a list of all is too (tried on 3.6.0)."""
        chosen = self._resolve(call, forbid_closed)
        for index in chosen:
            index.refused("look")
        return chosen

    def _to_search(self, chosen: list[Index]) -> list[Index]:
        """Refused: 400 where one has a search pipeline by default that does not exist; a count is a search (tried on 3.6.0)."""
        for index in chosen:
            pipeline = index.settings.get("index.search.default_pipeline", "_none")
            if pipeline not in ("_none", *self.world.named["search_pipeline"]):
                raise core_error("illegal_argument_exception", f"Pipeline {pipeline} is not defined", 400)
        return chosen

    def _own(self, call: Call) -> list[Index]:
        """The indices of the call that are no plugin's: those that may be changed here."""
        return [index for index in self._resolve(call) if not index.system]

    # -- indices

    async def create(self, call: Call) -> Answer:
        self._may(call, "indices:admin/create")
        index = self.world.indices.create(call.path["index"], call.json({}))
        return Answer(200, {"acknowledged": True, "shards_acknowledged": True, "index": index.name})

    def _settings(self, index: Index) -> dict[str, Any]:
        shown = {
            **index.settings,
            "index.provided_name": index.name,
            "index.creation_date": str(index.created_ms),
            "index.uuid": index.uuid,
            "index.version.created": str(created_id(self.version)),
        }
        if index.closed:
            shown["index.verified_before_close"] = "true"
        return shown

    def _shown_settings(self, call: Call, index: Index) -> dict[str, Any]:
        flat = self._settings(index)
        return dict(sorted(flat.items())) if call.flag("flat_settings") else nested(flat)

    async def get(self, call: Call) -> Answer:
        self._may(call, "indices:admin/get")
        found = {
            index.name: {
                "aliases": index.aliases,
                "mappings": index.mappings,
                "settings": self._shown_settings(call, index),
            }
            for index in self._to_look_at(call)
        }
        return Answer(200, found)

    async def delete(self, call: Call) -> Answer:
        self._may(call, "indices:admin/delete")
        self.world.delete_index(call.path["index"], call.flag("ignore_unavailable"))
        return Answer(200, dict(ACK))

    async def stats(self, call: Call) -> Answer:
        self._may(call, "indices:monitor/stats")
        metrics = {name for name in call.path.get("metric", "_all").split(",") if name}
        wrong = sorted(metrics - {"_all", "docs", "store", "translog", "indexing", "search", "refresh", "flush"})
        if wrong:
            raise core_error(
                "illegal_argument_exception",
                f"request [{call.raw_path}] contains unrecognized metric: [{wrong[0]}]",
                400,
            )
        chosen = self._to_look_at(call, forbid_closed=True)
        each = {index.name: _stats_of(index, metrics) for index in chosen}
        total = sum(int(i.settings["index.number_of_shards"]) * (1 + _replicas(i)) for i in chosen)
        primaries = sum(int(i.settings["index.number_of_shards"]) for i in chosen)
        summed = _sum(list(each.values()))
        return Answer(
            200,
            {
                "_shards": {"total": total, "successful": primaries, "failed": 0},
                "_all": {"primaries": summed, "total": summed},
                "indices": {index.name: {"uuid": index.uuid, "primaries": each[index.name], "total": each[index.name]} for index in chosen},
            },
        )

    async def get_settings(self, call: Call) -> Answer:
        self._may(call, "indices:monitor/settings/get")
        names = call.path.get("name", "*").split(",")
        result = {}
        for index in self._to_look_at(call):
            flat = {name: value for name, value in self._settings(index).items() if _matches(name, names)}
            shown = dict(sorted(flat.items())) if call.flag("flat_settings") else nested(flat)
            if flat:  # an index that has none of the settings asked for is left out
                result[index.name] = {"settings": shown}
        return Answer(200, result)

    async def put_settings(self, call: Call) -> Answer:
        self._may(call, "indices:admin/settings/update")
        body = call.json({})
        changes = flat_settings(body.get("settings", body))
        for index in self._own(call):
            one_block = len(changes) == 1 and all(name.startswith("index.blocks.") for name in changes)
            if not one_block:
                index.refused("delete")
            for name, value in changes.items():
                if value is None:
                    index.settings.pop(name, None)
                else:
                    index.settings[name] = value
        return Answer(200, dict(ACK))

    async def get_mapping(self, call: Call) -> Answer:
        self._may(call, "indices:admin/mappings/get")
        return Answer(200, {index.name: {"mappings": index.mappings} for index in self._to_look_at(call)})

    async def put_mapping(self, call: Call) -> Answer:
        self._may(call, "indices:admin/mapping/put")
        body = call.json({})
        for index in self._own(call):
            properties = {**index.mappings.get("properties", {}), **body.get("properties", {})}
            index.mappings = {**index.mappings, **body}
            if properties:
                index.mappings["properties"] = properties
        return Answer(200, dict(ACK))

    async def open(self, call: Call) -> Answer:
        self._may(call, "indices:admin/open")
        for index in self.world.resolve(call.path["index"], expand_wildcards="closed"):
            index.closed = False
        return Answer(200, {"acknowledged": True, "shards_acknowledged": True})

    async def close(self, call: Call) -> Answer:
        self._may(call, "indices:admin/close")
        closed = {}
        for index in self._own(call):
            index.refused("delete")
            index.closed = True
            closed[index.name] = {"closed": True}
        return Answer(200, {"acknowledged": True, "shards_acknowledged": True, "indices": closed})

    async def refresh(self, call: Call) -> Answer:
        self._may(call, "indices:admin/refresh")
        chosen = self._resolve(call, forbid_closed=True)
        for index in chosen:
            self.world.indices.refresh(index)
            store = self.engine.stores.find(index.name)
            if store is not None:
                store.refresh()
        return Answer(200, {"_shards": _shards(chosen)})

    async def flush(self, call: Call) -> Answer:
        self._may(call, "indices:admin/flush")
        chosen = self._resolve(call, forbid_closed=True)
        for index in chosen:
            index.uncommitted_operations = 0
        return Answer(200, {"_shards": _shards(chosen)})

    # -- aliases

    async def get_alias(self, call: Call) -> Answer:
        self._may(call, "indices:admin/aliases/get")
        wanted = call.path.get("name")
        expression = call.path.get("index", "_all")
        chosen = self.world.resolve(expression, expand_wildcards="all", ignore_unavailable=call.flag("ignore_unavailable"))
        if wanted is None:
            return Answer(200, {index.name: {"aliases": index.aliases} for index in chosen})
        patterns = wanted.split(",")
        found = {}
        for index in chosen:
            aliases = {name: how for name, how in index.aliases.items() if _matches(name, patterns)}
            if aliases:
                found[index.name] = {"aliases": aliases}
        known = {name for entry in found.values() for name in entry["aliases"]}
        missing = [name for name in patterns if "*" not in name and name not in known]
        if missing:
            noun = "alias" if len(missing) == 1 else "aliases"
            text = f"{noun} [{','.join(missing)}] missing"
            return Answer(404, {"error": text, "status": 404, **found})
        return Answer(200, found)

    async def put_alias(self, call: Call) -> Answer:
        self._may(call, "indices:admin/aliases")
        self.world.indices.put_alias(call.path["index"], call.path["name"], call.json({}))
        return Answer(200, dict(ACK))

    async def delete_alias(self, call: Call) -> Answer:
        self._may(call, "indices:admin/aliases")
        self._remove_alias(call.path["index"], call.path["name"])
        return Answer(200, dict(ACK))

    def _remove_alias(self, expression: str, names: str) -> None:
        patterns = names.split(",")
        removed = 0
        for index in self.world.indices.resolve(expression, aliases=False):
            for name in [name for name in index.aliases if _matches(name, patterns)]:
                del index.aliases[name]
                removed += 1
        if not removed:
            raise core_error("aliases_not_found_exception", f"aliases [{names}] missing", 404)

    async def change_aliases(self, call: Call) -> Answer:
        self._may(call, "indices:admin/aliases")
        for action in call.json({}).get("actions", []):
            for verb, what in action.items():
                indices = what.get("index", what.get("indices"))
                expression = indices if isinstance(indices, str) else ",".join(indices)
                if verb == "add":
                    self.world.indices.put_alias(expression, what["alias"])
                elif verb == "remove":
                    self._remove_alias(expression, what["alias"])
                else:
                    raise core_error("illegal_argument_exception", f"[alias_action] unknown field [{verb}]", 400)
        return Answer(200, dict(ACK))

    # -- documents

    async def put_document(self, call: Call) -> Answer:
        self._may(call, "indices:data/write/index")
        name, id_ = call.path["index"], call.path.get("id") or short_id()
        refresh = boolean(call.params.get("refresh"), False) if call.params.get("refresh") != "wait_for" else True
        named = self.world.indices.aliased(name)
        if name not in self.world.indices.all and not named:
            self.world.indices.create(name)
        index = self.world.indices.all.get(name) or named[0]
        new = id_ not in index.stored
        if not new and (call.params.get("op_type") == "create" or "/_create/" in call.raw_path):
            raise core_error(
                "version_conflict_engine_exception",
                f"[{id_}]: version conflict, document already exists (current version [1])",
                409,
            )
        stored = self.world.indices.store(index, id_, call.json({}), refresh)
        body = _document_answer(index, id_, stored.version, stored.order, "created" if new else "updated", refresh)
        return Answer(201 if new else 200, body)

    def _document(self, call: Call) -> tuple[Index, Any]:
        index = self.world.index(call.path["index"])
        if index is None:
            raise no_such_index(call.path["index"])
        return index, index.stored.get(call.path["id"])

    async def get_document(self, call: Call) -> Answer:
        self._may(call, "indices:data/read/get")
        index, stored = self._document(call)
        head: dict[str, Any] = {"_index": index.name, "_id": call.path["id"]}
        store = self.engine.stores.find(index.name)
        source = store.get(call.path["id"]) if store is not None else None
        if stored is None and source is None:
            return Answer(404, {**head, "found": False})
        version = {} if stored is None else {"_version": stored.version, "_seq_no": stored.order}
        body = {**head, **version, "_primary_term": 1, "found": True}
        return Answer(200, {**body, "_source": source if stored is None else stored.source})

    async def delete_document(self, call: Call) -> Answer:
        self._may(call, "indices:data/write/delete")
        index, stored = self._document(call)
        index.refused("write")
        index.stored.pop(call.path["id"], None)
        index.operations += 1
        version = 1 if stored is None else stored.version + 1
        result = "not_found" if stored is None else "deleted"
        body = _document_answer(index, call.path["id"], version, index.operations, result, False)
        return Answer(404 if stored is None else 200, body)

    def _hits(self, index: Index) -> list[Hit]:
        store = self.engine.stores.find(index.name)
        if store is not None:
            return store.hits()
        shown = index.count() - index.documents
        ordered = sorted(index.stored.items(), key=lambda pair: pair[1].visible_from)
        return [Hit(id_, stored.source, stored.order, stored.version) for id_, stored in ordered[:shown]]

    async def count(self, call: Call) -> Answer:
        self._may(call, "indices:data/read/search")
        chosen = self._to_search(self._resolve(call, forbid_closed=True))
        query = call.json({}).get("query", {"match_all": {}})
        total = sum(self._counted(index, query) for index in chosen)
        return Answer(200, {"count": total, "_shards": {**_shards(chosen), "skipped": 0}})

    def _counted(self, index: Index, query: Any) -> int:
        index.refused("read")
        everything = query == {"match_all": {}}
        matches = self._compiled(query)
        found = sum(1 for hit in self._hits(index) if matches(hit.id, hit.source))
        unlisted = index.documents if everything and self.engine.stores.find(index.name) is None else 0
        return found + unlisted

    @staticmethod
    def _compiled(query: Any) -> Callable[[str, Any], bool]:
        try:
            return Search(FieldTypes()).compile(query)
        except SearchError as wrong:
            raise search_refusal(wrong) from None

    async def many_searches(self, call: Call) -> Answer:
        """``_msearch``: pairs of lines, each pair answered as a search of its own, a refused one in its place.

        As tried in tests/opensearch/test_native.py: with the security plugin the request needs
        indices:data/read/msearch, and each search the right to search; a body that does not end with a line break is
        refused.
        """
        self._may(call, "indices:data/read/msearch")
        text = call.content.decode()
        if not text:
            raise core_error("parse_exception", "request body or source parameter is required", 400)
        if not text.endswith("\n"):
            raise core_error("illegal_argument_exception", "The msearch request must be terminated by a newline [\n]", 400)
        try:
            lines = [json.loads(line) for line in text.splitlines()]
        except ValueError:
            raise core_error("json_parse_exception", "the request body is not valid JSON", 400) from None
        if not lines or len(lines) % 2:
            raise core_error("action_request_validation_exception", "Validation Failed: 1: no requests added;", 400)
        answers = [self._one_of_many(call, head, body) for head, body in zip(lines[::2], lines[1::2], strict=True)]
        return Answer(200, {"took": 1, "responses": answers})

    def _one_of_many(self, call: Call, head: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        try:
            self._may(call, "indices:data/read/search")
            name = head.get("index", "*")
            one = self.world.indices.all.get(name)  # at once: there may be hundreds in one request
            unavailable = bool(head.get("ignore_unavailable", False))
            chosen = [one] if one and not one.closed else self.world.resolve(name, ignore_unavailable=unavailable, forbid_closed=True)
            return {**self._searched(self._to_search(chosen), body), "status": 200}
        except Refused as refused:
            return {"error": refused.body["error"], "status": refused.status}

    async def search(self, call: Call) -> Answer:
        self._may(call, "indices:data/read/search")
        chosen = self._to_search(self._resolve(call, forbid_closed=True))
        body = call.json({})
        for name in ("size", "from"):
            if name in call.params:
                body[name] = int(call.params[name])
        return Answer(200, self._searched(chosen, body))

    def _searched(self, chosen: list[Index], body: dict[str, Any]) -> dict[str, Any]:
        hits, owners = [], {}
        for index in chosen:
            index.refused("read")
            for hit in self._hits(index):
                hits.append(hit)
                owners[id(hit)] = index.name
        try:
            answer = run(chosen[0].name if chosen else "", FieldTypes(), hits, body)
        except SearchError as wrong:
            raise search_refusal(wrong) from None
        names = {hit.id: owners[id(hit)] for hit in hits}
        for hit in answer["hits"]["hits"]:
            hit["_index"] = names[hit["_id"]]
        if body.get("query", {"match_all": {}}) == {"match_all": {}}:
            answer["hits"]["total"]["value"] += sum(index.documents for index in chosen if not index.system)
        answer["_shards"] = {**_shards(chosen), "skipped": 0}
        return answer


def _replicas(index: Index) -> int:
    return int(index.settings.get("index.number_of_replicas", "0"))


def _shards(chosen: list[Index]) -> dict[str, int]:
    total = sum(int(index.settings["index.number_of_shards"]) for index in chosen)
    return {"total": total, "successful": total, "failed": 0}


def _matches(name: str, patterns: list[str]) -> bool:
    return any(pattern == "_all" or fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _stats_of(index: Index, metrics: set[str]) -> dict[str, Any]:
    count = index.count()
    pending = index.uncommitted_operations
    everything = {
        "docs": {"count": count, "deleted": 0},
        "store": {"size_in_bytes": index.size(), "reserved_in_bytes": 0},
        "indexing": {"index_total": index.operations, "index_failed": 0, "delete_total": 0},
        "translog": {
            "operations": pending,
            "size_in_bytes": 55 + 100 * pending,
            "uncommitted_operations": pending,
            "uncommitted_size_in_bytes": 55 + 100 * pending,
            "earliest_last_modified_age": 0,
            "remote_store": {"upload": {"total_uploads": dict(NO_UPLOADS), "total_upload_size": {f"{name}_bytes": 0 for name in NO_UPLOADS}}},
        },
    }
    return {name: value for name, value in everything.items() if "_all" in metrics or name in metrics}


def _sum(parts: list[dict[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for part in parts:
        for name, values in part.items():
            into = total.setdefault(name, {})
            for key, value in values.items():
                into[key] = into.get(key, 0) + value if isinstance(value, int) else value
    return total


def _document_answer(index: Index, id_: str, version: int, order: int, result: str, refreshed: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"_index": index.name, "_id": id_, "_version": version, "result": result}
    if refreshed:
        answer["forced_refresh"] = True
    total = 1 + _replicas(index)
    answer.update(_shards={"total": total, "successful": 1, "failed": 0}, _seq_no=order, _primary_term=1)
    return answer
