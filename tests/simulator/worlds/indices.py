# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Indices of a cluster in memory: names, wildcards, aliases, settings, blocks and documents.

Texts are OpenSearch core's; those that a recording holds are named there.
"""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..clock import Clock
from ..errors import Refused, closed_index, core_error, no_such_index
from ..ids import long_id

_FORBIDDEN_CHARACTERS = '\\/*?"<>| ,'

# Blocks that a setting puts on an index: number and name as core prints them, what they stop.
_BLOCKS: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("index.blocks.read_only", "FORBIDDEN/5/index read-only (api)", frozenset({"write", "delete"})),
    ("index.blocks.read_only_allow_delete", "FORBIDDEN/12/index read-only / allow delete (api)", frozenset({"write"})),
    ("index.blocks.read", "FORBIDDEN/7/index read (api)", frozenset({"read"})),
    ("index.blocks.write", "FORBIDDEN/8/index write (api)", frozenset({"write"})),
    ("index.blocks.metadata", "FORBIDDEN/9/index metadata (api)", frozenset({"delete", "look"})),
)


@dataclass
class StoredDocument:
    source: Any
    version: int
    order: int
    visible_from: float  # time.monotonic() of the refresh that shows it


@dataclass
class Index:
    """One index. ``documents`` counts documents of which only the number is known."""

    name: str
    uuid: str
    created_ms: int
    settings: dict[str, Any] = field(default_factory=dict)  # flat, "index." in front, values as strings
    mappings: dict[str, Any] = field(default_factory=dict)
    aliases: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: int = 0
    size_in_bytes: int | None = None
    closed: bool = False
    snapshot: bool = False
    uncommitted_operations: int = 0
    stored: dict[str, StoredDocument] = field(default_factory=dict)
    operations: int = 0
    system: bool = False

    def count(self) -> int:
        """Documents that a search or a count sees now."""
        now = time.monotonic()
        return self.documents + sum(1 for document in self.stored.values() if document.visible_from <= now)

    def size(self) -> int:
        """Bytes on disk; a plain estimate unless it was given."""
        if self.size_in_bytes is not None:
            return self.size_in_bytes
        return 208 + 3400 * bool(self.count()) + 120 * self.count()

    def refused(self, what: str) -> None:
        """Refused with core's block exception where a block stops ``what``: "write", "delete", or "look" at settings."""
        names = [text for key, text, stops in _BLOCKS if what in stops and self.settings.get(key) == "true"]
        if names:
            reasons = ", ".join(f"[{name}]" for name in names)
            raise core_error("cluster_block_exception", f"index [{self.name}] blocked by: {reasons};", 403)


def flat_settings(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """Index settings as flat names with values as strings; None stays None (it removes a setting)."""
    flat: dict[str, Any] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, Mapping):
            for name, item in value.items():
                walk(item, f"{path}.{name}" if path else str(name))
        else:
            flat[path if path.startswith("index.") else f"index.{path}"] = _text(value)

    walk(settings or {}, "")
    return flat


def _text(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_text(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Flat dotted names as a tree."""
    tree: dict[str, Any] = {}
    for name, value in sorted(flat.items()):
        node = tree
        *parents, last = name.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                break
        if isinstance(node, dict):
            node[last] = value
    return tree


def wrong_name(name: str, reason: str) -> Refused:
    return core_error("invalid_index_name_exception", f"Invalid index name [{name}], {reason}", 400, index=name, index_uuid="_na_")


def check_name(name: str) -> None:
    """Refused where core does not take the name for a new index."""

    def wrong(reason: str) -> Refused:
        return wrong_name(name, reason)

    if name in (".", ".."):
        raise wrong("must not be '.' or '..'")
    if name[:1] in ("_", "-", "+"):
        raise wrong("must not start with '_', '-', or '+'")
    if any(character in _FORBIDDEN_CHARACTERS for character in name):
        raise wrong('must not contain the following characters [ , ", *, \\, <, |, ,, >, /, ?]')
    for sign in "#:":
        if sign in name:
            raise wrong(f"must not contain '{sign}'")
    if name != name.lower():
        raise wrong("must be lowercase")
    if not name or len(name.encode()) > 255:
        raise wrong(f"index name is too long, ({len(name.encode())} > 255)")


class Indices:
    """All indices of the cluster."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.all: dict[str, Index] = {}

    # -- finding

    def aliased(self, alias: str) -> list[Index]:
        return [index for index in self.all.values() if alias in index.aliases]

    def alias_names(self) -> set[str]:
        return {alias for index in self.all.values() for alias in index.aliases}

    def resolve(
        self,
        expression: str | Iterable[str],
        ignore_unavailable: bool = False,
        allow_no_indices: bool = True,
        aliases: bool = True,
        forbid_closed: bool = False,
        expand_wildcards: str = "open",
    ) -> list[Index]:
        """The indices an expression names, in the order of their names for a wildcard.

        Refused: 404 for a name that is not there, 400 for a closed one where those are forbidden.
        """
        parts = expression.split(",") if isinstance(expression, str) else list(expression)
        states = set(expand_wildcards.split(","))
        found: dict[str, Index] = {}
        for part in parts:
            if part in ("_all", "*") or "*" in part:
                names = self._matching("*" if part == "_all" else part, aliases)
                for index in names:
                    if index.closed and not states & {"closed", "all"}:
                        continue
                    if not index.closed and not states & {"open", "all"}:
                        continue
                    if index.system and not part.startswith(".") and not states & {"hidden", "all"}:
                        continue
                    found[index.name] = index
                continue
            if part.startswith("_"):
                raise wrong_name(part, "must not start with '_'.")
            exact = self._named(part, aliases)
            if not exact:
                if ignore_unavailable:
                    continue
                raise no_such_index(part)
            for index in exact:
                if index.closed and forbid_closed:
                    if ignore_unavailable:
                        continue
                    raise closed_index(index.name, index.uuid)
                found[index.name] = index
        if not found and not allow_no_indices:
            raise no_such_index(",".join(parts))
        return list(found.values())

    def _named(self, name: str, aliases: bool) -> list[Index]:
        if name in self.all:
            return [self.all[name]]
        by_alias = self.aliased(name)
        if by_alias and not aliases:
            raise core_error(
                "illegal_argument_exception",
                f"The provided expression [{name}] matches an alias, specify the corresponding concrete indices instead.",
                400,
            )
        return by_alias

    def _matching(self, pattern: str, aliases: bool) -> list[Index]:
        names = {
            index.name
            for index in self.all.values()
            if fnmatch.fnmatchcase(index.name, pattern) or (aliases and any(fnmatch.fnmatchcase(alias, pattern) for alias in index.aliases))
        }
        return [self.all[name] for name in sorted(names)]

    # -- changing

    def create(self, name: str, body: Mapping[str, Any] | None = None) -> Index:
        """A new index. Refused: 400 for a wrong name, or where it exists already."""
        if name in self.all:
            index = self.all[name]
            raise core_error(
                "resource_already_exists_exception",
                f"index [{name}/{index.uuid}] already exists",
                400,
                index=name,
                index_uuid=index.uuid,
            )
        check_name(name)
        if name in self.alias_names():
            raise wrong_name(name, "already exists as alias")
        body = body or {}
        settings = {key: value for key, value in flat_settings(body.get("settings")).items() if value is not None}
        for key in ("index.number_of_shards", "index.number_of_replicas"):
            value = settings.setdefault(key, "1")
            if not str(value).isdigit():
                raise core_error("illegal_argument_exception", f"Failed to parse value [{value}] for setting [{key}]", 400)
        settings.setdefault("index.replication.type", "DOCUMENT")
        index = Index(
            name=name,
            uuid=long_id(),
            created_ms=self.clock.now_ms(),
            settings=settings,
            mappings=dict(body.get("mappings") or {}),
            aliases={alias: dict(how or {}) for alias, how in (body.get("aliases") or {}).items()},
        )
        self.all[name] = index
        return index

    def delete(self, expression: str, ignore_unavailable: bool = False) -> list[Index]:
        """Delete indices, all of the expression or none. Refused: missing, alias, block, running snapshot."""
        doomed = self.resolve(expression, ignore_unavailable, aliases=False, expand_wildcards="open,closed")
        for index in doomed:
            index.refused("delete")
        held = [index for index in doomed if index.snapshot]
        if held:
            names = ", ".join(f"[{index.name}/{index.uuid}]" for index in held)
            raise core_error(
                "snapshot_in_progress_exception",
                f"Cannot delete indices that are being snapshotted: [{names}]. Try again after snapshot finishes or cancel the currently running snapshot.",
                400,
            )
        for index in doomed:
            del self.all[index.name]
        return doomed

    def put_alias(self, expression: str, alias: str, body: Mapping[str, Any] | None = None) -> None:
        indices = self.resolve(expression, aliases=False)
        if alias in self.all:
            raise core_error(
                "invalid_alias_name_exception",
                f"Invalid alias name [{alias}], an index exists with the same name as the alias",
                400,
                index=alias,
                index_uuid=self.all[alias].uuid,
            )
        for index in indices:
            index.aliases[alias] = dict(body or {})

    def store(self, index: Index, id_: str, source: Any, refresh: bool) -> StoredDocument:
        """Store a document; a search sees it after the refresh, or never where that is off."""
        index.refused("write")
        if index.closed:
            raise closed_index(index.name, index.uuid)
        before = index.stored.get(id_)
        visible = self.clock.due(_refresh_seconds(index))
        if before is not None:
            visible = min(visible, before.visible_from)
        document = StoredDocument(source, before.version + 1 if before else 1, index.operations, visible)
        index.operations += 1
        index.uncommitted_operations += 1
        index.stored[id_] = document
        if refresh:
            self.refresh(index)
        return document

    @staticmethod
    def refresh(index: Index) -> None:
        now = time.monotonic()
        for document in index.stored.values():
            document.visible_from = min(document.visible_from, now)


def _refresh_seconds(index: Index) -> float:
    interval = str(index.settings.get("index.refresh_interval", "1s"))
    if interval.startswith("-"):
        return float("inf")
    for unit, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0)):
        if interval.endswith(unit):
            return float(interval[: -len(unit)]) * factor
    return 1.0
