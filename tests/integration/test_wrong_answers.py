# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An outage, a refusal, or an answer of something else than OpenSearch is said to be what it is, and never "absent"."""

from __future__ import annotations

import json
import re
import socket
import urllib.request
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from tests.simulator.faults import PROXY_PAGE
from tests.simulator.security import READ_FLOWS

from .helpers import Modules, Playbooks, Played, by_kind, deprovision, deprovisions, environment, everything, existing, writes

STATUS = "/_status"
NAMED = ["w-docs", "w-embed", "w-hybrid"]
USER = {"username": "operator", "password": "operators-password"}


def answer(method: str, path: str, status: int, body: Any, content_type: str = "application/json") -> Callable[[Any], None]:
    """A server that always answers this there."""
    return lambda sim: sim.faults.answer(method, path, status, body, content_type, times=None)


def cut(method: str, path: str, how: str) -> Callable[[Any], None]:
    """A server whose answers there are always spoiled."""
    return lambda sim: sim.faults.cut(method, path, how, times=None)


def switch_off(sim: Any) -> None:
    """The API is disabled, as an administrator does it."""
    body = json.dumps({"persistent": {"plugins.flow_framework.enabled": False}}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{sim.url}/_cluster/settings", body, headers, method="PUT")
    urllib.request.urlopen(request, timeout=10).close()
    sim.clear_log()


def plugin_absent(sim: Any) -> None:
    sim.faults.plugin_absent = True


def nothing(sim: Any) -> None:
    """No fault."""


UNREADABLE = {"error": "Failed to get workflow status of: w"}

# Name: how the simulator is started, what is done to it, options of the task, and what the message has to say:
# what it is, and what to do about it.
READS: dict[str, tuple[dict[str, Any], Callable[[Any], None], dict[str, Any], str]] = {
    "unreadable although the state index exists": (
        {},
        answer("GET", STATUS, 404, UNREADABLE),
        {},
        "404.*Failed to get workflow status",
    ),
    "no credentials": ({"security": True}, nothing, {}, "401.*Check username and password"),
    "wrong password": (
        {"security": True, "version": "2.19.1"},
        nothing,
        {**USER, "password": "wrong-password"},
        "401.*Check username and password",
    ),
    "may not read states": ({"security": True, "version": "2.19.1"}, nothing, USER, "403.*Grant the permission"),
    "switched off": ({}, switch_off, {}, "switched off.*set plugins.flow_framework.enabled to true"),
    "certificate of an unknown CA": ({"tls": True}, nothing, {}, "cannot be trusted.*ca_cert"),
    "page of a proxy": ({}, cut("GET", STATUS, "html"), {}, "HTML page.*proxy.*Check url"),
    "page of a proxy, 502": (
        {},
        answer("GET", STATUS, 502, PROXY_PAGE, "text/html"),
        {},
        r"not available \(502\).*Try again later",
    ),
    "truncated JSON": ({}, cut("GET", STATUS, "truncate"), {}, "broken off.*proxy.*Check url"),
    "empty body": ({}, cut("GET", STATUS, "empty"), {}, "empty answer.*proxy.*Check url"),
    "connection reset": ({}, cut("GET", STATUS, "reset"), {}, "did not answer.*connection was lost"),
    "silence": (
        {},
        cut("GET", STATUS, "silence"),
        {"request_timeout": 0.2},
        "did not answer.*request_timeout is too short",
    ),
    "plugin absent": ({"plugins": ("opensearch-ml",)}, plugin_absent, {}, "plugin is not installed"),
    "state of another workflow": (
        {},
        answer("GET", STATUS, 200, {"workflow_id": "v", "state": "NOT_STARTED"}),
        {},
        "not the state of workflow w",
    ),
    "a list instead of a state": ({}, answer("GET", STATUS, 200, []), {}, "not the state of workflow w"),
    "404 of something else": ({}, answer("GET", STATUS, 404, {"error": "not here"}), {}, "404.*not here"),
    "500": ({}, answer("GET", STATUS, 500, {"error": "Failed to parse workflowState: w"}), {}, "500.*Failed to parse"),
    "page of a proxy at /": ({}, cut("GET", r"^/\?", "html"), {}, "HTML page.*Check url"),
    "another server at /": ({}, answer("GET", r"^/\?", 200, {"name": "x"}), {}, "not OpenSearch"),
    "no right to see the version": (
        {"security": True},
        nothing,
        {"username": "watcher", "password": "watchers-password"},
        "not known.*set flow_framework_version",
    ),
    "page of a proxy for an index": ({}, cut("GET", r"^/w-docs\?", "html"), {}, "index w-docs.*HTML page"),
    "403 for an index": (
        {},
        answer("GET", r"^/w-docs\?", 403, {"error": {"reason": "no permissions"}}),
        {},
        "w-docs.*403.*Grant the permission",
    ),
    "404 of something else for an index": (
        {},
        answer("GET", r"^/w-docs\?", 404, {"error": "no such page"}),
        {},
        "w-docs.*404.*no such page",
    ),
}


def prepared(sim: Any) -> Any:
    """With an environment, a user who may see the cluster but no workflow, and one who may see workflows only."""
    environment(sim, "w")
    sim.add_user("operator", USER["password"], ["cluster:monitor/*", "indices:*"])
    sim.add_user("watcher", "watchers-password", list(READ_FLOWS))
    return sim


@pytest.fixture(scope="module")
def read(cluster: Callable[..., Any], modules: Modules) -> tuple[Played, dict[str, tuple[Any, Any]]]:
    """Every outage of a read, each on a cluster of its own."""
    sims, tasks = {}, []
    for name, (options, spoil, more, _other) in READS.items():
        sim = prepared(cluster(**options))
        spoil(sim)
        sims[name] = sim, everything(sim, "w")
        tasks.append(deprovision(name, sim.url, "w", allow_delete=NAMED, **{"request_timeout": 3, **more}))
    with socket.socket() as unused:  # bound, and nobody listens
        unused.bind(("127.0.0.1", 0))
        tasks.append(deprovision("refused", f"http://127.0.0.1:{unused.getsockname()[1]}", "w", allow_delete=NAMED))
        played = modules.run(tasks)
    return played, sims


@pytest.mark.parametrize("name", READS)
def test_a_read_that_goes_wrong_is_said_to_be_what_it_is(name: str, read: tuple[Played, dict[str, tuple[Any, Any]]]) -> None:
    result = read[0][name]
    assert result["failed"] and not result["changed"]
    assert re.search(READS[name][3], result["msg"]), result["msg"]
    assert "no workflow w on cluster" not in str(result)
    assert "absent" not in by_kind(result).values()


@pytest.mark.parametrize("name", READS)
def test_after_a_read_that_goes_wrong_nothing_is_deleted(name: str, read: tuple[Played, dict[str, tuple[Any, Any]]]) -> None:
    sim, before = read[1][name]
    assert writes(sim) == []
    assert everything(sim, "w") == before


def test_a_refused_connection_is_said_to_be_one(read: tuple[Played, dict[str, tuple[Any, Any]]]) -> None:
    result = read[0]["refused"]
    assert result["failed"] and not result["changed"]
    assert re.search("cannot be reached: .*Connection refused.*Check url", result["msg"])


DENIED = {"error": "Failed to get workflow."}
OFF = {"error": "This API is disabled. To enable it, update the setting [plugins.flow_framework.enabled] to true."}
NO_HANDLER = {"error": "no handler found for uri [/_plugins/_flow_framework/workflow/w/_deprovision] and method [POST]"}

# What the deprovision itself is answered, nothing being done, and what the message has to say.
REFUSALS: dict[str, tuple[Callable[[Any], None], str]] = {
    "401": (answer("POST", "_deprovision", 401, "Unauthorized", "text/plain"), "401.*Check username and password"),
    "403 without permission": (
        answer("POST", "_deprovision", 403, DENIED),
        "403.*Failed to get workflow.*Grant the permission",
    ),
    "switched off": (
        answer("POST", "_deprovision", 403, OFF),
        "switched off.*set plugins.flow_framework.enabled to true",
    ),
    "plugin absent": (answer("POST", "_deprovision", 400, NO_HANDLER), "plugin is not installed"),
    "page of a proxy": (cut("POST", "_deprovision", "html"), "HTML page.*Check url"),
    "page of a proxy, 502": (answer("POST", "_deprovision", 502, PROXY_PAGE, "text/html"), r"not available \(502\)"),
    "empty body": (cut("POST", "_deprovision", "empty"), "empty answer.*Check url"),
    "connection reset": (cut("POST", "_deprovision", "reset"), "did not answer"),
    "busy": (
        answer("POST", "_deprovision", 429, {"error": "Exceeded max simultaneous deprovisioning requests: 1"}),
        "busy|429",
    ),
    "500": (answer("POST", "_deprovision", 500, {"error": "boom"}), "500.*boom"),
}


# What may pass is tried again until wait_timeout, each time only when the server is seen to be at nothing.
WAITED_OUT = ("page of a proxy, 502", "connection reset", "busy")


@pytest.fixture(scope="module")
def sent(cluster: Callable[..., Any], modules: Modules) -> tuple[Played, dict[str, tuple[Any, Any]]]:
    """Every refusal of the deprovision, each on a cluster of its own."""
    sims, tasks = {}, []
    for name, (spoil, _other) in REFUSALS.items():
        sim = prepared(cluster())
        spoil(sim)
        sims[name] = sim, everything(sim, "w")
        tasks.append(deprovision(name, sim.url, "w", allow_delete=NAMED, wait_timeout=3))
    return modules.run(tasks), sims


@pytest.mark.parametrize("name", REFUSALS)
def test_a_deprovision_that_is_refused_is_said_to_be_so_and_has_deleted_nothing(name: str, sent: tuple[Played, dict[str, tuple[Any, Any]]]) -> None:
    result, (sim, before) = sent[0][name], sent[1][name]
    assert result["failed"] and not result["changed"]
    assert re.search(REFUSALS[name][1], result["msg"]), result["msg"]
    want = dict.fromkeys(("connector", "model", "agent", "index", "ingest_pipeline", "search_pipeline"), "failed")
    assert by_kind(result) == {**want, "model_group": "retained"}
    assert everything(sim, "w") == before
    calls = deprovisions(sim, "w")
    assert calls and all(one.ended <= other.started for one, other in pairwise(calls))
    assert len(calls) <= 3 or name in WAITED_OUT


def test_401_in_the_middle_stops_all_the_workflows(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    sim = cluster()
    names = [f"w{number}" for number in range(6)]
    made = [environment(sim, name, ("connector",)) for name in names]
    sim.faults.answer("POST", "_deprovision", 401, "Unauthorized", "text/plain", times=None)
    result = playbooks.run([deprovision("all", sim.url, names)])["all"]
    assert result["failed"] and all(one["failed"] for one in result["workflows"])
    assert len(deprovisions(sim)) <= 2, "what was under way on the two slots, and nothing after it"
    assert all(existing(sim, one) == {"connector"} for one in made)
