# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the query language that clients of Flow Framework use, over plain lists of documents.

What is text and what is keyword decides which queries find a document; recordings
looking_for_users_of_a_connector and searches show it. Scores are always 1.0.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Source = Mapping[str, Any]
Predicate = Callable[[str, Source], bool]

MOST_TERMS = 65_536  # index.max_terms_count (tests/opensearch/test_native.py)


class SearchError(Exception):
    """A search that the server refuses: exception type, reason and HTTP status."""

    def __init__(self, kind: str, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.status = status


class ShardError(SearchError):
    """A search that is refused only where the documents are: ML Commons has a status of its own for those."""


@dataclass(frozen=True)
class FieldTypes:
    """Types of the fields of an index: keyword, text, text+keyword, number, boolean, flat, nested, object.

    ``dynamic`` says how a field that is not listed is indexed: True as OpenSearch guesses it, False not at all.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    dynamic: bool = True

    def kind(self, path: str, value: Any) -> str | None:
        listed = self.fields.get(path)
        if listed is None:
            # a flat object or an object covers what is below it
            parent = path
            while "." in parent:
                parent = parent.rpartition(".")[0]
                if self.fields.get(parent) == "flat":
                    return "keyword"
            if not self.dynamic:
                return None
            if isinstance(value, bool):
                return "boolean"
            if isinstance(value, (int, float)):
                return "number"
            return "text+keyword"
        return listed


@dataclass(frozen=True)
class Hit:
    """One document that a search may find; ``order`` is the place in the index (the sequence number)."""

    id: str
    source: Source
    order: int
    version: int = 1
    primary_term: int = 1


def _values(source: Any, path: str) -> list[Any]:
    """All values under a dotted path; lists on the way are walked through."""
    if isinstance(source, list):
        return [value for item in source for value in _values(item, path)]
    if not path:
        return [] if source is None else [source]
    if not isinstance(source, Mapping):
        return []
    if path in source:
        return _values(source[path], "")
    found: list[Any] = []
    head, _sign, rest = path.partition(".")
    if rest and head in source:
        found = _values(source[head], rest)
    return found


def _tokens(text: Any) -> list[str]:
    return [token.lower() for token in re.findall(r"\w+", str(text))]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class Search:
    """Compiles one query against the mapping of one index."""

    def __init__(self, mapping: FieldTypes) -> None:
        self.mapping = mapping

    # -- values as they are indexed

    def _indexed(self, source: Source, path: str, nested: str) -> list[str]:
        """The terms of a field, as the index holds them."""
        base, _sign, sub = path.rpartition(".")
        if self._hidden(path, nested):
            return []
        direct = _values(source, self._inside(path, nested))
        if direct:
            terms: list[str] = []
            for value in direct:
                kind = self.mapping.kind(path, value)
                if kind is None:
                    continue
                if kind.startswith("text"):
                    terms.extend(_tokens(value))
                elif not isinstance(value, Mapping):
                    terms.append(_plain(value))
            return terms
        if sub == "keyword" and base:
            return [_plain(value) for value in _values(source, self._inside(base, nested)) if self.mapping.kind(base, value) == "text+keyword"]
        return []

    def _hidden(self, path: str, nested: str) -> bool:
        """A nested field is seen only by a nested query on its own path."""
        parent = path
        while "." in parent:
            parent = parent.rpartition(".")[0]
            if self.mapping.fields.get(parent) == "nested" and parent != nested:
                return True
        return bool(nested) and not path.startswith(nested + ".")

    @staticmethod
    def _inside(path: str, nested: str) -> str:
        return path[len(nested) + 1 :] if nested else path

    # -- queries

    def compile(self, query: Any, nested: str = "") -> Predicate:
        if not isinstance(query, Mapping) or len(query) != 1:
            if query == {}:
                raise SearchError("illegal_argument_exception", "query malformed, empty clause found")
            raise SearchError("parsing_exception", "[query] malformed query, expected one clause")
        name, body = next(iter(query.items()))
        maker = getattr(self, f"_q_{name}", None)
        if maker is None:
            raise SearchError("parsing_exception", f"unknown query [{name}]")
        predicate: Predicate = maker(body, nested)
        return predicate

    def _q_match_all(self, body: Any, nested: str) -> Predicate:
        return lambda id_, source: True

    def _q_ids(self, body: Any, nested: str) -> Predicate:
        wanted = set(body.get("values", []))
        return lambda id_, source: id_ in wanted

    def _q_exists(self, body: Any, nested: str) -> Predicate:
        path = body["field"]

        def check(id_: str, source: Source) -> bool:
            if self._indexed(source, path, nested):
                return True
            if self._hidden(path, nested):
                return False
            return (
                any(isinstance(value, Mapping) and value for value in _values(source, self._inside(path, nested))) and self.mapping.fields.get(path) != "nested"
            )

        return check

    @staticmethod
    def _field(body: Any, key: str) -> tuple[str, Any]:
        pairs = [(name, value) for name, value in body.items() if name not in ("boost", "_name")]
        if len(pairs) != 1:
            raise SearchError("parsing_exception", f"[{key}] query doesn't support multiple fields")
        name, value = pairs[0]
        return name, value

    def _q_term(self, body: Any, nested: str) -> Predicate:
        path, value = self._field(body, "term")
        insensitive = False
        if isinstance(value, Mapping):
            insensitive = bool(value.get("case_insensitive"))
            value = value["value"]
        if path == "_id":
            return lambda id_, source: id_ == str(value)
        wanted = _plain(value)
        if insensitive:
            return lambda id_, source: wanted.lower() in [t.lower() for t in self._indexed(source, path, nested)]
        return lambda id_, source: wanted in self._indexed(source, path, nested)

    def _q_terms(self, body: Any, nested: str) -> Predicate:
        path, values = self._field(body, "terms")
        if not isinstance(values, list):
            raise SearchError("parsing_exception", "[terms] query requires an array of terms")
        if len(values) > MOST_TERMS:
            raise ShardError(
                "illegal_argument_exception",
                f"The number of terms [{len(values)}] used in the Terms Query request has exceeded the allowed maximum of"
                f" [{MOST_TERMS}]. This maximum can be set by changing the [index.max_terms_count] index level setting.",
            )
        wanted = {_plain(value) for value in values}
        if path == "_id":
            return lambda id_, source: id_ in wanted
        return lambda id_, source: not wanted.isdisjoint(self._indexed(source, path, nested))

    def _q_match(self, body: Any, nested: str) -> Predicate:
        path, value = self._field(body, "match")
        operator = "or"
        if isinstance(value, Mapping):
            operator = str(value.get("operator", "or")).lower()
            value = value["query"]
        tokens, exact = _tokens(value), _plain(value)

        def check(id_: str, source: Source) -> bool:
            terms = set(self._indexed(source, path, nested))
            if exact in terms:
                return True
            if not self._is_text(path, source, nested):
                return False
            found = [token in terms for token in tokens]
            return bool(found) and (all(found) if operator == "and" else any(found))

        return check

    def _is_text(self, path: str, source: Source, nested: str) -> bool:
        values = _values(source, self._inside(path, nested))
        return any((self.mapping.kind(path, value) or "").startswith("text") for value in values)

    def _q_match_phrase(self, body: Any, nested: str) -> Predicate:
        path, value = self._field(body, "match_phrase")
        wanted = _tokens(value["query"] if isinstance(value, Mapping) else value)

        def check(id_: str, source: Source) -> bool:
            terms = self._indexed(source, path, nested)
            return any(terms[i : i + len(wanted)] == wanted for i in range(len(terms)))

        return check

    def _q_bool(self, body: Any, nested: str) -> Predicate:
        def clauses(name: str) -> list[Predicate]:
            part = body.get(name, [])
            return [self.compile(query, nested) for query in (part if isinstance(part, list) else [part])]

        must, should, must_not = clauses("must") + clauses("filter"), clauses("should"), clauses("must_not")
        needed = body.get("minimum_should_match")
        if needed is None:
            needed = 1 if should and not must else 0
        needed = int(needed)

        def check(id_: str, source: Source) -> bool:
            if not all(clause(id_, source) for clause in must):
                return False
            if any(clause(id_, source) for clause in must_not):
                return False
            return needed <= 0 or sum(clause(id_, source) for clause in should) >= needed

        return check

    def _q_constant_score(self, body: Any, nested: str) -> Predicate:
        return self.compile(body["filter"], nested)

    def _q_nested(self, body: Any, nested: str) -> Predicate:
        path = body["path"]
        if self.mapping.fields.get(path) != "nested":
            if body.get("ignore_unmapped"):
                return lambda id_, source: False
            raise SearchError(
                "query_shard_exception",
                f"failed to create query: [nested] failed to find nested object under path [{path}]",
            )
        inner = self.compile(body["query"], path)
        return lambda id_, source: any(inner(id_, item) for item in _values(source, path))

    def _q_range(self, body: Any, nested: str) -> Predicate:
        path, limits = self._field(body, "range")

        def check(id_: str, source: Source) -> bool:
            return any(_within(value, limits) for value in _values(source, self._inside(path, nested)))

        return check

    def _pattern(self, body: Any, key: str, nested: str, as_glob: Callable[[str], str]) -> Predicate:
        path, value = self._field(body, key)
        insensitive = False
        if isinstance(value, Mapping):
            insensitive = bool(value.get("case_insensitive"))
            value = value.get("value", value.get(key))
        glob = re.compile(as_glob(str(value)), re.IGNORECASE | re.DOTALL if insensitive else re.DOTALL)
        return lambda id_, source: any(glob.fullmatch(term) for term in self._indexed(source, path, nested))

    def _q_wildcard(self, body: Any, nested: str) -> Predicate:
        return self._pattern(
            body,
            "wildcard",
            nested,
            lambda text: "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text),
        )

    def _q_prefix(self, body: Any, nested: str) -> Predicate:
        return self._pattern(body, "prefix", nested, lambda text: re.escape(text) + ".*")


def _within(value: Any, limits: Mapping[str, Any]) -> bool:
    checks = {
        "gt": lambda a, b: a > b,
        "gte": lambda a, b: a >= b,
        "lt": lambda a, b: a < b,
        "lte": lambda a, b: a <= b,
    }
    for name, limit in limits.items():
        if name not in checks or limit is None:
            continue
        left, right = (value, limit)
        if isinstance(left, (int, float)) and isinstance(right, str):
            try:
                right = float(right)
            except ValueError:
                raise SearchError("parse_exception", f"failed to parse date field [{limit}]") from None
        if isinstance(left, str) != isinstance(right, str):
            left, right = str(left), str(right)
        if not checks[name](left, right):
            return False
    return True


# -- the request body around the query


def _sorters(sort: Any) -> list[tuple[str, bool]]:
    """Fields to sort by and whether each is descending."""
    entries = sort if isinstance(sort, list) else [sort]
    result: list[tuple[str, bool]] = []
    for entry in entries:
        if isinstance(entry, str):
            result.append((entry, entry == "_score"))
        else:
            for name, how in entry.items():
                order = how.get("order", "asc") if isinstance(how, Mapping) else how
                result.append((name, str(order) == "desc"))
    return result


def _sort_value(hit: Hit, path: str, search: Search) -> Any:
    if path == "_id":
        return hit.id
    if path in ("_doc", "_seq_no"):
        return hit.order
    if path == "_score":
        return 1.0
    values = _values(hit.source, path)
    if not values and path.endswith(".keyword"):
        values = _values(hit.source, path[: -len(".keyword")])
    elif values and (search.mapping.kind(path, values[0]) or "").startswith("text"):
        raise ShardError(
            "illegal_argument_exception",
            f"Text fields are not optimised for operations that require per-document field data like aggregations and"
            f" sorting, so these operations are disabled by default. Please use a keyword field instead. [{path}]",
        )
    return values[0] if values else None


class _Key:
    """Compares sort values; a missing one is last, whatever the order."""

    def __init__(self, values: list[Any], descending: list[bool]) -> None:
        self.values = values
        self.descending = descending

    def __lt__(self, other: _Key) -> bool:
        for mine, theirs, down in zip(self.values, other.values, self.descending, strict=True):
            if mine == theirs:
                continue
            if mine is None or theirs is None:
                return theirs is None
            if isinstance(mine, str) != isinstance(theirs, str):
                mine, theirs = str(mine), str(theirs)
            return bool(mine > theirs if down else mine < theirs)
        return False


def _wanted_source(source: Source, wanted: Any) -> Any:
    """The part of a document that ``_source`` asks for."""
    if wanted is None or wanted is True:
        return source
    if isinstance(wanted, str):
        wanted = [wanted]
    if isinstance(wanted, list):
        includes, excludes = wanted, []
    else:
        includes = wanted.get("includes", wanted.get("include", []))
        excludes = wanted.get("excludes", wanted.get("exclude", []))
        includes = [includes] if isinstance(includes, str) else includes
        excludes = [excludes] if isinstance(excludes, str) else excludes
    return _filtered(source, "", includes, excludes)


def _filtered(value: Any, path: str, includes: list[str], excludes: list[str]) -> Any:
    if isinstance(value, list):
        return [_filtered(item, path, includes, excludes) for item in value]
    if not isinstance(value, Mapping):
        return value
    result: dict[str, Any] = {}
    for name, item in value.items():
        full = f"{path}.{name}" if path else name
        if any(_covers(pattern, full) for pattern in excludes):
            continue
        if not includes or any(_covers(pattern, full) for pattern in includes):
            result[name] = _filtered(item, full, [], excludes)
        elif any(pattern.startswith(full + ".") or "*" in pattern for pattern in includes):
            below = _filtered(item, full, includes, excludes) if isinstance(item, (Mapping, list)) else None
            if below and below != [{}] * len(below):
                result[name] = below
    return result


def _covers(pattern: str, path: str) -> bool:
    return fnmatch.fnmatchcase(path, pattern) or path.startswith(pattern + ".")


def run(index: str, mapping: FieldTypes, hits: Iterable[Hit], body: Mapping[str, Any], took: int = 1) -> dict[str, Any]:
    """The answer to a search request. SearchError where the server refuses it."""
    search = Search(mapping)
    matches = search.compile(body.get("query", {"match_all": {}}))
    size, start = int(body.get("size", 10)), int(body.get("from", 0))
    if size < 0:
        raise SearchError("illegal_argument_exception", f"[size] parameter cannot be negative, found [{size}]")
    if size + start > 10_000:
        raise ShardError(
            "illegal_argument_exception",
            f"Result window is too large, from + size must be less than or equal to: [10000] but was [{size + start}]",
        )
    found = sorted((hit for hit in hits if matches(hit.id, hit.source)), key=lambda hit: hit.order)
    total = len(found)
    sorters = _sorters(body["sort"]) if body.get("sort") else []
    descending = [down for _path, down in sorters]
    keyed = [([_sort_value(hit, path, search) for path, _down in sorters], hit) for hit in found]
    if sorters:
        keyed.sort(key=lambda pair: _Key(pair[0], descending))
    after = body.get("search_after")
    if after is not None:
        if len(after) != len(sorters):
            raise SearchError(
                "illegal_argument_exception",
                f"search_after has {len(after)} value(s) but sort has {len(sorters)}.",
            )
        border = _Key(list(after), descending)
        keyed = [pair for pair in keyed if border < _Key(pair[0], descending)]
    shown = keyed[start : start + size]
    scored = not sorters
    result_hits = []
    for values, hit in shown:
        entry: dict[str, Any] = {
            "_index": index,
            "_id": hit.id,
            "_version": hit.version,
            "_seq_no": hit.order,
            "_primary_term": hit.primary_term,
            "_score": 1.0 if scored else None,
        }
        if body.get("_source") is not False:
            entry["_source"] = _wanted_source(hit.source, body.get("_source"))
        if sorters:
            entry["sort"] = values
        result_hits.append(entry)
    return {
        "took": took,
        "timed_out": False,
        "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
        "hits": {
            "total": {"value": total, "relation": "eq"},
            "max_score": 1.0 if scored and shown else None,
            "hits": result_hits,
        },
    }
