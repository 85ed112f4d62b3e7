# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every scenario of the recordings, request by request: status, content type, body and the state that is seen."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from . import races
from .client import Answer
from .record import CannotRecord, Recorder
from .replay import Replay, Server
from .scenario import VERSIONS, Exchange, Scenario, scenarios, strings
from .servers import CLOCK, make_used, simulated_server

# These two need to be caught in the middle.
SLOW = {"while_provisioning": 1.0, "running_task": 0.3}

# What a never deployed model that is gone answers depends on security (recorded: 2.19.1 with, 3.6.0 without).
DEPENDS_ON_SECURITY = {"undeployed_model_gone", "ml_gone_before"}

USERS = ("nobody", "reader", "flowadmin", "flowml")


NEVER_USED = {"empty_cluster", "server"}


@pytest.fixture(scope="session")
def used() -> set[str]:
    """URLs of the servers on which Flow Framework has been used in this run."""
    return set()


def test_scenario(scenario: Scenario, real_server: Server | None, simulator: Callable[..., Any], used: set[str], recorder: Recorder | None) -> None:
    if real_server is None:
        server = _simulated(scenario, simulator)
    else:
        server = real_server
        reason = _unfit(scenario, server)
        if reason:
            pytest.skip(reason)
    if scenario.name not in NEVER_USED and server.client.url not in used:
        make_used(server)
        used.add(server.client.url)
    if recorder is None:
        Replay(server, scenario).run()
        return
    try:
        recorder.record(server, scenario)
    except CannotRecord as reason:
        pytest.skip(f"not recorded: {reason}")


def _simulated(scenario: Scenario, simulator: Callable[..., Any]) -> Server:
    clock = SLOW.get(scenario.name, CLOCK)
    alone = {"cluster_name": "empty"} if scenario.name == "empty_cluster" else {}
    started = simulator(scenario.version, clock=clock, security=scenario.security, **alone)
    return simulated_server(started, scenario.version, scenario.security, clock)


def _unfit(scenario: Scenario, server: Server) -> str | None:
    """Why a real server can not be asked this, or None."""
    names = {word for exchange in scenario.exchanges for word in [exchange.user] if word in USERS}
    if names and not server.security:
        return "needs users, and the server has no security"
    missing = [name for name in sorted(names) if _unknown(server, name)]
    if missing:
        return f"needs the users {missing}, each with its own name as password (see README.md)"
    if scenario.name in DEPENDS_ON_SECURITY and scenario.security != server.security:
        return f"recorded {'with' if scenario.security else 'without'} security, on which the answer depends"
    if scenario.name == "empty_cluster":
        return _used(server)
    if not server.machine_learning and "/_plugins/_ml/" in json.dumps([e.path for e in scenario.exchanges]):
        return "the server has no ML Commons"
    return None


def _unknown(server: Server, name: str) -> bool:
    return server.client.send("GET", "/", credentials=(name, name)).status == 401


def _used(server: Server) -> str | None:
    """Why the server does not count as empty, or None."""
    searches = [
        "/_plugins/_flow_framework/workflow/_search",
        "/_plugins/_flow_framework/workflow/state/_search",
        "/_plugins/_ml/agents/_search",
    ]
    for path in searches:
        if server.client.send("POST", path, {"query": {"match_all": {}}}).status == 200:
            return f"the server is not empty: {path} finds an index"
    for path in ("/_ingest/pipeline", "/_search/pipeline"):
        if server.client.send("GET", path).status == 200:
            return f"the server is not empty: {path} lists pipelines"
    for path in ("/_plugins/_ml/models/no-such", "/_plugins/_ml/connectors/no-such"):
        if "no-such" in json.dumps(server.client.send("GET", path).body):
            return f"the server is not empty: {path} has an index to look in"
    return None


def test_the_list_of_what_is_not_compared_names_recorded_steps() -> None:
    """Each entry of the table is a step that exists, and each step that a race takes over stands in the table."""
    lengths: dict[str, int] = {}
    for scenario in itertools.chain.from_iterable(scenarios(version) for version in VERSIONS):
        lengths[scenario.name] = max(lengths.get(scenario.name, 0), len(scenario.exchanges))
    assert all(step < lengths[name] for name, step in races.NOT_COMPARED)
    taken = {(name, step) for (name, start), race in races.STARTS.items() for step in range(start, race.end)}
    posted = {("running_task", lengths["running_task"] - 2)}  # the race compares that step itself
    assert taken - posted == set(races.NOT_COMPARED)
    assert all(reason.strip() for reason in races.NOT_COMPARED.values())


class Echo:
    """A client that answers exactly what was recorded, so that the driver itself can be tested."""

    def __init__(self, scenario: Scenario, spoil: Callable[[int, Answer], Answer] | None = None) -> None:
        self.scenario, self.spoil = scenario, spoil

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        for index, exchange in enumerate(self.scenario.exchanges):
            if _asked(exchange, method, path):
                return self.spoil(index, exchange.answer) if self.spoil else exchange.answer
        return Answer(404, "", {})


def _asked(exchange: Exchange, method: str, path: str) -> bool:
    return exchange.method == method and exchange.path == path


def _echoing(scenario: Scenario, spoil: Callable[[int, Answer], Answer] | None = None) -> Replay:
    client: Any = Echo(scenario, spoil)
    replay = Replay(Server(client, scenario.version, False, scenario.security, True, 0.0, 0.0), scenario)
    replay.binding.new_prefix = scenario.prefix or ""
    return replay


DRIVEN = [
    scenario
    for version in VERSIONS
    for scenario in scenarios(version)
    if scenario.name in ("ml_checks", "index_with_data", "unknown_workflow", "searches", "steps", "server")
]


@pytest.mark.parametrize("scenario_", DRIVEN, ids=lambda case: f"{case.version}-{case.name}")
def test_the_driver_sees_every_difference(scenario_: Scenario) -> None:
    """The recording compared with itself is equal; with any one word of an answer changed it is not.

    (What is compared by type only, and the documents of others in a search, may change.)
    """
    replay = _echoing(scenario_)
    for index, exchange in enumerate(scenario_.exchanges):
        assert replay.differences(index, exchange.answer) == []
        for changed in _changes(exchange.answer):
            assert replay.differences(index, changed, replay.binding.copy()) or _may_differ(exchange, changed)


def _changes(answer: Answer) -> list[Answer]:
    spoiled = [Answer(answer.status + 1, answer.content_type, answer.body), Answer(answer.status, "x", answer.body)]
    return spoiled + [Answer(answer.status, answer.content_type, body) for body in _spoiled(answer.body)]


def _spoiled(value: Any) -> list[Any]:
    """The value with one leaf changed, or one key taken away, for each leaf and key."""
    if isinstance(value, dict):
        changed = [{**value, key: other} for key in value for other in _spoiled(value[key])]
        return changed + [{k: v for k, v in value.items() if k != key} for key in value]
    if isinstance(value, list):
        items: list[Any] = [[*value[:i], other, *value[i + 1 :]] for i, one in enumerate(value) for other in _spoiled(one)]
        return items + [value[:i] + value[i + 1 :] for i in range(len(value))]
    return [None if value is not None else 1]


def _may_differ(exchange: Exchange, changed: Answer) -> bool:
    """Hits of others may be there or not, and say what they like."""
    return exchange.path.split("?")[0].endswith("/_search") and changed.status == exchange.answer.status


def test_the_driver_fails_on_another_answer() -> None:
    scenario = next(each for each in scenarios("3.6.0") if each.name == "unknown_workflow")
    replay = _echoing(scenario, lambda index, answer: Answer(answer.status, answer.content_type, {"error": "other"}))
    with pytest.raises(AssertionError, match=r"unknown_workflow, step 0: POST .*\n.*body.error"):
        replay.run()


def test_every_recorded_name_gets_the_fresh_prefix() -> None:
    """No request of a replay carries the recorder's prefix or an id of the recorded server."""
    for scenario in itertools.chain.from_iterable(scenarios(version) for version in VERSIONS):
        binding = _echoing(scenario).binding
        binding.new_prefix = "cafebabe0"
        binding.ids = {word: f"real-{number}" for number, word in enumerate(sorted(binding.generated))}
        for exchange in scenario.exchanges:
            sent = [binding.rewrite(exchange.path), *strings(binding.rewrite(exchange.body))]
            old = [scenario.prefix, *binding.generated] if scenario.prefix else sorted(binding.generated)
            assert not [word for word in old if any(word in text for text in sent)]
