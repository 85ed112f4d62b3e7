# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records what a server answers to the requests of the scenarios, as a recording of its own."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import races
from .client import NOT_SENT, Answer
from .normalise import binding_for
from .replay import Replay, ScenarioDiffers, Server, is_deprovision, only_looks
from .scenario import Exchange, Scenario

PATIENCE = 10.0
"""Seconds that a look is repeated until it is as in the other recording; then it is taken as it is."""


class CannotRecord(Exception):
    """A scenario whose requests have to be sent by hand; the text says why."""


class Recording(Replay):
    """One run of one scenario that keeps every answer, also one that is another than was recorded elsewhere."""

    def __init__(self, server: Server, scenario: Scenario) -> None:
        super().__init__(replace(server, deadline=min(server.deadline, PATIENCE)), scenario)
        self.binding = binding_for(scenario, f"r{random.randint(10_000, 99_999)}")  # such a prefix is known when it is read again
        self.kept: list[dict[str, Any]] = []

    def document(self) -> dict[str, Any]:
        """The scenario with this server's answers. Raises CannotRecord, and ScenarioDiffers where it cannot go on. Cleans up in any case."""
        if any(name == self.scenario.name for name, _step in races.STARTS):
            raise CannotRecord("some of its requests run side by side")
        try:
            for index in range(len(self.scenario.exchanges)):
                self.step(index)
        finally:
            left = self._take_away()
        if left:
            raise ScenarioDiffers(f"{self.scenario.name}: left behind on the server: {left}")
        extra = {name: self.binding.rewrite(value) for name, value in self.scenario.extra.items()}
        return {"name": self.scenario.name, "about": self.scenario.about, "exchanges": self.kept, **extra}

    def step(self, index: int) -> Answer:
        """Send one request, and keep what is answered."""
        exchange = self.scenario.exchanges[index]
        path, body = self.path_of(exchange), self.body_of(exchange)
        self._keep_settings(path, exchange.method, body)
        before = self._end_time(path) if is_deprovision(exchange) else None
        began = time.monotonic()
        attempt = self._attempt(exchange, path, body, index)
        found, answer = self._until(attempt) if only_looks(exchange) else attempt()
        if found:  # what is another answer tells ids all the same
            self.differences(index, answer)
        self.keep(exchange, path, body, answer, time.monotonic() - began)
        self._wait_after(index, exchange, path, body, answer, before)
        return answer

    def keep(self, exchange: Exchange, path: str, body: Any, answer: Answer, seconds: float) -> None:
        """One request and its answer, as recordings have them."""
        request = {"method": exchange.method, "path": path}
        request.update({} if body is NOT_SENT else {"body": body}, **({"as": exchange.user} if exchange.user else {}))
        response = {"status": answer.status, "content_type": answer.content_type, "body": answer.body}
        self.kept.append({"request": request, "response": response, "seconds": round(seconds, 3)})


@dataclass
class Recorder:
    """A recording in the making. ``file``: where it goes."""

    file: Path
    head: dict[str, Any] = field(default_factory=dict)
    scenarios: list[dict[str, Any]] = field(default_factory=list)

    def record(self, server: Server, scenario: Scenario) -> None:
        """One scenario more. Raises CannotRecord and ScenarioDiffers."""
        if not self.head:
            rows = server.client.send("GET", "/_cat/plugins?format=json").body
            plugins = sorted({f"{row['component']} {row['version']}" for row in rows})
            today = datetime.now(timezone.utc).date().isoformat()
            self.head = {"server": server.number, "recorded": today, "plugins": plugins, "security": server.security}
        self.scenarios.append(Recording(server, scenario).document())

    def write(self) -> None:
        """The file, if there is anything to write."""
        if self.scenarios:
            document = {**self.head, "scenarios": self.scenarios}
            self.file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
