# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The REST layer of core: routes, query strings, unknown parameters, bodies, methods (behaviour.md 1.1)."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .engine import Caller, Node
from .errors import Refused, core_error

JSON = "application/json; charset=UTF-8"
TEXT = "text/plain; charset=UTF-8"
LONGEST_LINE = 4096  # bytes of a request line (recording long_url)
ACK = {"acknowledged": True}
ALWAYS = frozenset({"pretty", "human", "error_trace", "filter_path", "format"})


@dataclass
class Answer:
    """A body of bytes or a string is sent as it is, anything else as JSON. ``headers``: further ones."""

    status: int
    body: Any
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One request, taken apart."""

    method: str
    raw_path: str  # as it came, without the query
    query: str
    headers: Mapping[str, str]
    content: bytes
    node: Node
    caller: Caller
    opaque_id: str | None = None
    params: dict[str, str] = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)  # decoded parts of the path
    certificate: str | None = None  # the common name of the client's certificate

    @property
    def uri(self) -> str:
        return f"{self.raw_path}?{self.query}" if self.query else self.raw_path

    def flag(self, name: str, default: bool = False) -> bool:
        """Core's boolean: true, false or empty. Refused: 400 for anything else."""
        return boolean(self.params.get(name), default)

    def json(self, default: Any = None) -> Any:
        """The body as JSON; ``default`` without one. Refused: 400 where it is none."""
        if not self.content.strip():
            return default
        try:
            return json.loads(self.content)
        except ValueError:
            raise core_error("json_parse_exception", "the request body is not valid JSON", 400) from None


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    """``params`` of None takes every query parameter; ``body`` says whether the handler reads one."""

    methods: tuple[str, ...]
    pattern: tuple[str, ...]
    handler: Handler
    params: Callable[[], frozenset[str] | None]
    body: Callable[[], bool]

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """The placeholders of a path of as many segments; None where it is another path."""
        found: dict[str, str] = {}
        for segment, part in zip(segments, self.pattern, strict=True):
            if part.startswith("{"):
                name = part[1:-1]
                if name == "index" and segment.startswith("_") and segment != "_all" and len(segments) > 1:
                    return None
                found[name] = unquote(segment)
            elif part != segment:
                return None
        return found


class Router:
    """Routes in the order of their rank: an explicit one before one with a placeholder."""

    def __init__(self) -> None:
        self.routes: dict[int, list[Route]] = {}  # by the number of their segments

    def add(
        self,
        methods: str,
        path: str,
        handler: Handler,
        params: Iterable[str] | Callable[[], frozenset[str] | None] | None = (),
        body: bool | Callable[[], bool] = False,
    ) -> None:
        fixed = None if params is None or callable(params) else frozenset(params)
        takes = params if callable(params) else (lambda: fixed)
        reads = body if callable(body) else (lambda: bool(body))
        pattern = tuple(part for part in path.split("/")[1:]) if path != "/" else ()
        self.routes.setdefault(len(pattern), []).append(Route(tuple(methods.split()), pattern, handler, takes, reads))

    def find(self, call: Call) -> Route:
        """Refused: 400 for a path nobody handles, 405 for a method nobody handles there."""
        segments = _segments(call)
        allowed: list[str] = []
        for route in self.routes.get(len(segments), ()):
            found = route.match(segments)
            if found is None:
                continue
            if call.method in route.methods:
                call.path = found
                return route
            allowed.extend(method for method in route.methods if method not in allowed)
        if allowed:
            raise Refused(
                405,
                {
                    "error": f"Incorrect HTTP method for uri [{call.uri}] and method [{call.method}], allowed: [{', '.join(allowed)}]",
                    "status": 405,
                },
            )
        raise no_handler(call)

    def knows(self, call: Call) -> bool:
        """Whether a route has this path, whatever the method."""
        segments = _segments(call)
        return any(route.match(segments) is not None for route in self.routes.get(len(segments), ()))

    async def dispatch(self, call: Call) -> Answer:
        """Answer a call. Refused for whatever core or the handler refuses."""
        route = self.find(call)
        known = route.params()
        if known is not None:
            candidates = known | set(call.path)
            unknown = sorted(set(call.params) - known - ALWAYS - set(call.path))
            if unknown:
                raise unrecognised(call.raw_path, unknown, candidates)
        if call.content and not route.body():
            raise core_error(
                "illegal_argument_exception",
                f"request [{call.method} {call.raw_path}] does not support having a body",
                400,
            )
        if call.content:
            check_content_type(call.headers.get("Content-Type"))
        return await route.handler(call)


def _segments(call: Call) -> list[str]:
    segments = call.raw_path.split("/")[1:]
    if segments and segments[-1] == "":
        segments.pop()
    return segments


def check_content_type(given: str | None) -> None:
    """Refused: 406 for a body of a type that core does not read."""
    kind = (given or "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/x-ndjson") and not kind.endswith("+json"):
        text = "Content-Type header is missing" if given is None else f"Content-Type header [{given}] is not supported"
        raise Refused(406, {"error": text, "status": 406})


def no_handler(call: Call) -> Refused:
    return Refused(400, {"error": f"no handler found for uri [{call.uri}] and method [{call.method}]"})


def unrecognised(path: str, unknown: list[str], candidates: Iterable[str]) -> Refused:
    """Core's 400 for unknown parameters, with its guess at what was meant (recording hyphen)."""
    known = sorted(candidates)
    parts = [f"[{name}]{_guess(name, known)}" for name in unknown]
    plural = "s" if len(unknown) > 1 else ""
    reason = f"request [{path}] contains unrecognized parameter{plural}: {', '.join(parts)}"
    return core_error("illegal_argument_exception", reason, 400)


def _guess(name: str, known: list[str]) -> str:
    scored = [(1 - _distance(name, other) / max(len(name), len(other)), other) for other in known]
    close = [other for score, other in sorted(scored, key=lambda pair: (-pair[0], pair[1])) if score > 0.5]
    if not close:
        return ""
    if len(close) == 1:
        return f" -> did you mean [{close[0]}]?"
    return f" -> did you mean any of [{', '.join(close)}]?"


def _distance(left: str, right: str) -> int:
    """Levenshtein."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def parse_query(query: str) -> dict[str, str]:
    """Core's way: & and ; separate, + is a blank, the last of a name counts."""
    params: dict[str, str] = {}
    for pair in re.split("[&;]", query):
        if pair:
            name, _sign, value = pair.partition("=")
            params[unquote(name.replace("+", " "))] = unquote(value.replace("+", " "))
    return params


def boolean(text: str | None, default: bool) -> bool:
    if text is None:
        return default
    if text in ("", "true"):
        return True
    if text == "false":
        return False
    raise core_error("illegal_argument_exception", f"Failed to parse value [{text}] as only [true] or [false] are allowed.", 400)


def filtered(body: Any, paths: str) -> Any:
    """``filter_path`` of core: dotted patterns with * and **; a leading minus takes away."""
    patterns = [path.split(".") for path in paths.split(",") if path and not path.startswith("-")]
    against = [path[1:].split(".") for path in paths.split(",") if path.startswith("-")]
    if patterns:
        body = _keep(body, patterns)
    for pattern in against:
        body = _drop(body, pattern)
    return {} if body is None else body


def _next(pattern: list[str], name: str) -> list[list[str]]:
    """What is left of a pattern below a key; an empty rest means the whole value."""
    head, rest = pattern[0], pattern[1:]
    if head == "**":
        return [pattern, *(_next(rest, name) if rest else [[]])]
    return [rest] if fnmatch.fnmatchcase(name, head) else []


def _keep(value: Any, patterns: list[list[str]]) -> Any:
    if any(not pattern for pattern in patterns):
        return value
    if isinstance(value, list):
        items = [item for item in (_keep(item, patterns) for item in value) if item is not None]
        return items or None
    if not isinstance(value, Mapping):
        return None
    result = {}
    for name, item in value.items():
        below = [rest for pattern in patterns for rest in _next(pattern, name)]
        kept = _keep(item, below) if below else None
        if kept is not None:
            result[name] = kept
    return result or None


def _drop(value: Any, pattern: list[str]) -> Any:
    if isinstance(value, list):
        return [_drop(item, pattern) for item in value]
    if not isinstance(value, Mapping):
        return value
    result = {}
    for name, item in value.items():
        below = _next(pattern, name)
        if any(not rest for rest in below):
            continue
        for rest in below:
            item = _drop(item, rest)
        result[name] = item
    return result
