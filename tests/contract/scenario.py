# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recordings as plain data: which there are, which fits a server, and what one scenario holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .client import NOT_SENT, Answer

HERE = Path(__file__).parent
VERSIONS = ("2.15.0", "2.19.1", "3.6.0")

# A recording speaks for the servers of its own line. Between these lines behaviour.md 8 has changes that show in
# nearly every answer (2.16: allow_delete; 2.18: shrinking lists; 3.0: 202 and 403; 3.1: error texts; 3.4: the awaited
# reset).
HOLDS_FOR = {
    "2.15.0": ((2, 15), (2, 15)),
    "2.19.1": ((2, 19), (2, 19)),
    "3.6.0": ((3, 6), (99, 99)),
}

PREFIX = re.compile(r"(?<![A-Za-z0-9_-])([a-z]\d{4,5})(?=[-ab%,])")
"""The random prefix that the recorder gave to every name of a run: r96097-a-idx, y1546a%2Cy1546b."""


@dataclass(frozen=True)
class Exchange:
    """One request of a scenario and what was answered. ``user`` is None for the administrator."""

    method: str
    path: str
    body: Any
    user: str | None
    answer: Answer


@dataclass(frozen=True)
class Scenario:
    """One recorded scenario. ``prefix`` is None where no name carries one; ``extra`` holds what stands beside it."""

    version: str
    security: bool
    name: str
    about: str
    prefix: str | None
    exchanges: tuple[Exchange, ...]
    extra: dict[str, Any]


@cache
def scenarios(version: str) -> tuple[Scenario, ...]:
    """All scenarios recorded on ``version`` (a file of ``recordings/``), those of an empty cluster first."""
    document = json.loads((HERE / "recordings" / f"{version}.json").read_text(encoding="utf-8"))
    read = [scenario_of(version, document["security"], item) for item in document["scenarios"]]
    return tuple(sorted(read, key=lambda scenario: scenario.name != "empty_cluster"))


def recording_for(number: str) -> str | None:
    """The recording that holds for a server with this version number, or None."""
    line = tuple(int(part) for part in number.split(".")[:2])
    return next((version for version, (low, high) in HOLDS_FOR.items() if low <= line <= high), None)


def vectors() -> list[dict[str, Any]]:
    """All cases of ``vectors.json``."""
    cases: list[dict[str, Any]] = json.loads((HERE / "vectors.json").read_text(encoding="utf-8"))
    return cases


def strings(value: Any) -> Iterator[str]:
    """Every string inside a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def scenario_of(version: str, security: bool, item: dict[str, Any]) -> Scenario:
    """One scenario of a recording."""
    exchanges = tuple(_exchange(each) for each in item["exchanges"])
    known = {"name", "about", "exchanges"}
    extra = {key: value for key, value in item.items() if key not in known}
    return Scenario(version, security, item["name"], item["about"], _prefix(exchanges), exchanges, extra)


def _exchange(item: dict[str, Any]) -> Exchange:
    request, response = item["request"], item["response"]
    answer = Answer(response["status"], response["content_type"], response["body"])
    return Exchange(request["method"], request["path"], request.get("body", NOT_SENT), request.get("as"), answer)


def _prefix(exchanges: tuple[Exchange, ...]) -> str | None:
    found: set[str] = set()
    for exchange in exchanges:
        texts = [exchange.path] if exchange.body is NOT_SENT else [exchange.path, *strings(exchange.body)]
        found |= {match for text in texts for match in PREFIX.findall(text)}
    if len(found) > 1:
        raise ValueError(f"one run has one prefix, found {sorted(found)}")
    return found.pop() if found else None
