# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Knobs that make the server fail in the ways a real cluster does.

Rules are for requests that match a method and a regular expression, searched in path?query; each holds for a number
of requests. ``when`` says what becomes of the real work: "before": it is not done; "after": it is done first;
"during": it goes on, and the client is answered (or cut off) at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CUTS = ("reset", "truncate", "empty", "html", "silence")
MOMENTS = ("before", "after", "during")
PROXY_PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass
class Rule:
    """One thing to do to matching requests; ``times`` of None never runs out."""

    action: str  # "answer", "delay" or one of CUTS
    method: str | None
    path: re.Pattern[str]
    times: int | None = 1
    when: str = "before"
    status: int = 200
    body: Any = None
    content_type: str = "application/json"
    seconds: float = 0.0

    def matches(self, method: str, target: str) -> bool:
        if self.times is not None and self.times <= 0:
            return False
        if self.method not in (None, "*") and self.method != method:
            return False
        return self.path.search(target) is not None

    def use(self) -> None:
        if self.times is not None:
            self.times -= 1


def _moment(when: str) -> str:
    if when not in MOMENTS:
        raise ValueError(f"when is one of {', '.join(MOMENTS)}, not {when!r}")
    return when


@dataclass
class Faults:
    """All knobs; ``clear`` puts every one back."""

    connector_access_control: bool = False  # vectors D31, D32
    caller_is_admin: bool = True
    plugin_absent: bool = False
    plugin_versions: dict[str, str] = field(default_factory=dict)  # node name -> version of Flow Framework there
    snapshot_ends: str = "SUCCESS"  # what becomes of a snapshot: PARTIAL, FAILED, or IN_PROGRESS for one that runs until this says otherwise
    lost_records: bool = False  # behaviour.md, fact 7: only on versions whose row says records_race
    undeploy_refusals: int = 0
    rules: list[Rule] = field(default_factory=list)
    denied: set[tuple[str, str]] = field(default_factory=set)
    slow: set[tuple[str, str]] = field(default_factory=set)
    held: set[tuple[str, str]] = field(default_factory=set)
    hooks: list[Callable[[Any], None]] = field(default_factory=list)

    def answer(
        self,
        method: str | None,
        path_regex: str,
        status: int,
        body: Any,
        content_type: str = "application/json",
        times: int | None = 1,
        when: str = "before",
    ) -> None:
        """Answer this; a body that is no string is sent as JSON."""
        self.rules.append(Rule("answer", method, re.compile(path_regex), times, _moment(when), status, body, content_type))

    def cut(self, method: str | None, path_regex: str, how: str, times: int | None = 1, when: str = "before") -> None:
        """Spoil the answer: "reset" the connection, "truncate" the JSON, an "empty" body with 200, a proxy's "html"
        page with 200, or "silence" for ever. A truncated answer is one to work that was done."""
        if how not in CUTS:
            raise ValueError(f"how is one of {', '.join(CUTS)}, not {how!r}")
        self.rules.append(Rule(how, method, re.compile(path_regex), times, _moment(when)))

    def delay(self, method: str | None, path_regex: str, seconds: float, times: int | None = 1) -> None:
        """Begin that many real seconds later, whatever the clock's factor."""
        self.rules.append(Rule("delay", method, re.compile(path_regex), times, seconds=seconds))

    def deny(self, step: str, resource_id: str) -> None:
        """A deprovision step that is refused for everybody (vectors D41, D42)."""
        self.denied.add((step, resource_id))

    def outlast(self, step: str, resource_id: str) -> None:
        """A deprovision step that outlasts the step limit and is done nevertheless (vector D45)."""
        self.slow.add((step, resource_id))

    def hold(self, step: str, resource_id: str) -> None:
        """A deprovision step that waits until ``release``, whatever the clock says: a test decides how long a call lasts."""
        self.held.add((step, resource_id))

    def release(self) -> None:
        """Let every held step go on."""
        self.held.clear()

    def undeploy_visible_after(self, attempts: int) -> None:
        """After an undeploy the model refuses to be deleted that many times (vectors D34, D35)."""
        self.undeploy_refusals = attempts

    def hook(self, function: Callable[[Any], None]) -> None:
        """Call ``function(request)`` in the server's thread before each request is handled."""
        self.hooks.append(function)

    def clear(self) -> None:
        """Put every knob back."""
        fresh = Faults()
        for name in vars(fresh):
            setattr(self, name, getattr(fresh, name))

    def take(self, method: str, target: str) -> list[Rule]:
        """The rules that this request meets, used up once: every delay, and the first of the others."""
        met: list[Rule] = []
        for rule in self.rules:
            if rule.matches(method, target) and (rule.action == "delay" or all(r.action == "delay" for r in met)):
                rule.use()
                met.append(rule)
        return met
