# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives one recorded scenario against a server and compares every answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from . import races
from .cleanup import WORKFLOW, Made, take_away
from .client import NOT_SENT, Answer, Client
from .normalise import Binding, Rules, binding_for, differences
from .scenario import Exchange, Scenario

STATE_WRITTEN_LATER = ("Failed to deprovision some resources", "These resources require the allow_delete parameter")
NO_CREDENTIALS = "anonymous"

# Recorded answers that were read before the write of the 202 before them had landed (its order of the list is the old
# one). The driver waits for that write, so that it sees the list reversed, as 2.19.1 recorded it at the same place.
READ_TOO_EARLY = {("3.6.0", "gone_before", 9)}

# The recorded user of these steps sent a wrong password.
WRONG_PASSWORD = {("2.19.1", "security_roles", 3)}


class ScenarioDiffers(AssertionError):
    """The server answered otherwise than the recorded one did."""


@dataclass(frozen=True)
class Server:
    """A server to hold against the recordings. ``deadline``: seconds a look is repeated until it is as recorded."""

    client: Client
    number: str
    real: bool
    security: bool
    machine_learning: bool
    deadline: float
    pause: float


@dataclass
class Replay:
    """One run of one scenario on one server."""

    server: Server
    scenario: Scenario
    made: Made = field(default_factory=Made)
    binding: Binding = field(init=False)

    def __post_init__(self) -> None:
        self.binding = binding_for(self.scenario, "c" + uuid4().hex[:8])

    def run(self) -> None:
        """Send all requests in order. Raises ScenarioDiffers at the first difference. Cleans up in any case."""
        try:
            step = 0
            while step < len(self.scenario.exchanges):
                race = races.STARTS.get((self.scenario.name, step))
                if race and (self.server.real or not race.only_on_real_servers):
                    race.check(self)
                    step = race.end
                    continue
                self.step(step)
                step += 1
            self._check_extra()
        except BaseException:
            self._take_away()  # what is left over is of no interest beside the first failure
            raise
        left = self._take_away()
        if left:
            raise ScenarioDiffers(f"{self.scenario.name}: left behind on the server: {left}")

    def step(self, index: int) -> Answer:
        """Send request ``index`` of the scenario and compare its answer, repeatedly if it only looks."""
        exchange = self.expected(index)
        path, body = self.path_of(exchange), self.body_of(exchange)
        self._keep_settings(path, exchange.method, body)
        before = self._end_time(path) if is_deprovision(exchange) else None
        attempt = self._attempt(exchange, path, body, index)
        found, answer = self._until(attempt) if only_looks(exchange) else attempt()
        if found:
            raise ScenarioDiffers(self.report(index, exchange.method, path, found))
        self._wait_after(index, exchange, path, body, answer, before)
        return answer

    def expected(self, index: int) -> Exchange:
        """The recorded exchange; where it was read too early, with the list as it had to become."""
        exchange = self.scenario.exchanges[index]
        if (self.scenario.version, self.scenario.name, index) not in READ_TOO_EARLY:
            return exchange
        recorded = exchange.answer
        body = {**recorded.body, "resources_created": recorded.body["resources_created"][::-1]}
        answer = Answer(recorded.status, recorded.content_type, body)
        return Exchange(exchange.method, exchange.path, exchange.body, exchange.user, answer)

    def path_of(self, exchange: Exchange) -> str:
        self._all_known(exchange.path)
        return str(self.binding.rewrite(exchange.path))

    def body_of(self, exchange: Exchange) -> Any:
        if exchange.body is NOT_SENT:
            return NOT_SENT
        self._all_known(exchange.body)
        return self.binding.rewrite(exchange.body)

    def send(self, method: str, path: str, body: Any = NOT_SENT, user: str | None = None, **more: Any) -> Answer:
        """Send as the recorded user, and note what the request made."""
        answer = self.server.client.send(method, path, body, credentials=self._credentials(user), **more)
        self.made.note(method, path, body, answer)
        return answer

    def look(self, path: str) -> Answer:
        """A GET as the administrator."""
        return self.send("GET", path)

    def poll(self, done: Callable[[], bool]) -> bool:
        """Repeat ``done`` until it holds or the deadline has passed."""
        end = time.monotonic() + self.server.deadline
        while not done():
            if time.monotonic() > end:
                return False
            time.sleep(self.server.pause)
        return True

    def differences(self, index: int, answer: Answer, binding: Binding | None = None) -> list[str]:
        exchange = self.expected(index)
        rules = Rules(exchange.path, exchange.body, self.server.real)
        return differences(exchange.answer, answer, binding or self.binding, rules)

    def report(self, index: int, method: str, path: str, found: list[str]) -> str:
        where = f"{self.scenario.version} {self.scenario.name}, step {index}: {method} {path[:300]}"
        return "\n  ".join([where, *found])

    def wait_for_the_write(self, workflow_path: str, before: Any) -> None:
        """Wait until the state that a 202 or 403 announces is written: its end time moves (behaviour.md 2.5)."""
        if not self.poll(lambda: self._end_time(workflow_path) != before):
            raise ScenarioDiffers(f"{self.scenario.name}: no state was written after the answer of {workflow_path}")

    def _attempt(self, exchange: Exchange, path: str, body: Any, index: int) -> Callable[[], tuple[list[str], Answer]]:
        def attempt() -> tuple[list[str], Answer]:
            answer = self.send(exchange.method, path, body, self._user(index, exchange))
            trial = self.binding.copy()
            found = self.differences(index, answer, trial)
            if not found:
                self.binding = trial
            return found, answer

        return attempt

    def _until(self, attempt: Callable[[], tuple[list[str], Answer]]) -> tuple[list[str], Answer]:
        last: list[tuple[list[str], Answer]] = []

        def equal() -> bool:
            last[:] = [attempt()]
            return not last[0][0]

        self.poll(equal)
        return last[0]

    def _wait_after(self, index: int, exchange: Exchange, path: str, body: Any, answer: Answer, before: Any) -> None:
        """The waits that the recorder made: each through the public API."""
        if path.endswith("/models/_register"):
            query = {"query": {"match": {"connector_id": body["connector_id"]}}}
            self.poll(lambda: self._found(answer.body["model_id"], query))
        if not is_deprovision(exchange) or not isinstance(answer.body, dict):
            return
        if str(answer.body.get("error", "")).startswith(STATE_WRITTEN_LATER):
            self.wait_for_the_write(path, before)
        if answer.status == 200 and not self._looks_next(index):
            self.poll(lambda: self._is_reset(path))

    def _looks_next(self, index: int) -> bool:
        after = self.scenario.exchanges[index + 1 : index + 2]
        return bool(after) and "/_status" in after[0].path

    def _is_reset(self, path: str) -> bool:
        answer = self.look(status_path(path))
        return answer.status == 404 or (isinstance(answer.body, dict) and answer.body.get("state") == "NOT_STARTED")

    def _found(self, model: str, query: dict[str, Any]) -> bool:
        answer = self.send("POST", "/_plugins/_ml/models/_search", query)
        return answer.status == 200 and model in [hit["_id"] for hit in answer.body["hits"]["hits"]]

    def _end_time(self, path: str) -> Any:
        answer = self.look(status_path(path))
        return answer.body.get("provision_end_time") if isinstance(answer.body, dict) else None

    def _keep_settings(self, path: str, method: str, body: Any) -> None:
        if method != "PUT" or path != "/_cluster/settings":
            return
        now = self.look("/_cluster/settings?flat_settings=true").body["persistent"]
        for key in body["persistent"]:
            self.made.settings.setdefault(key, now.get(key))

    def _check_extra(self) -> None:
        """``in_the_list`` of comma_lookup: what the whole list of pipelines showed while the pipeline was there."""
        for name in self.scenario.extra.get("in_the_list", []):
            put, _look, delete = self.scenario.exchanges
            real = self.binding.rewrite(name)
            self.send(put.method, self.path_of(put), self.body_of(put))
            listed = self.look("/_ingest/pipeline").body
            self.send(delete.method, self.path_of(delete))
            if real not in listed:
                raise ScenarioDiffers(f"{self.scenario.name}: {real} is not in the list of pipelines: {sorted(listed)}")

    def _take_away(self) -> list[str]:
        server = self.server
        return take_away(server.client, self.made, server.machine_learning, server.deadline)

    def _all_known(self, value: Any) -> None:
        unknown = self.binding.unknown_in(value)
        if unknown:
            raise ScenarioDiffers(f"{self.scenario.name}: no answer has told the real id of {sorted(unknown)}")

    def _user(self, index: int, exchange: Exchange) -> str | None:
        wrong = (self.scenario.version, self.scenario.name, index) in WRONG_PASSWORD
        return f"{exchange.user}:wrong" if wrong else exchange.user

    def _credentials(self, user: str | None) -> Any:
        if user is None:
            return "own"
        if user == NO_CREDENTIALS:
            return None
        name, _colon, password = user.partition(":")
        return (name, password or name)


def only_looks(exchange: Exchange) -> bool:
    """Whether the request may be repeated: it changes nothing."""
    return exchange.method in ("GET", "HEAD") or exchange.path.split("?")[0].endswith("/_search")


def is_deprovision(exchange: Exchange) -> bool:
    return exchange.method == "POST" and exchange.path.split("?")[0].endswith("/_deprovision")


def status_path(path: str) -> str:
    """The status of the workflow that ``path`` is about."""
    workflow = path.split("?")[0][len(WORKFLOW) + 1 :].split("/")[0]
    return f"{WORKFLOW}/{workflow}/_status?all=true"
