# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two targets of the contract: the simulator of a version, or one real server given by URL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import urllib3

from .client import Client
from .replay import Server
from .scenario import VERSIONS, recording_for, scenarios, vectors
from .servers import REAL_DEADLINE, prepare, server_of


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract", "the contract: against a real server instead of the simulator")
    group.addoption("--url", help="the server, e.g. https://localhost:9200 (environment: CONTRACT_URL)")
    group.addoption("--user", help="its administrator (environment: CONTRACT_USER)")
    group.addoption("--password", help="the administrator's password (environment: CONTRACT_PASSWORD)")
    group.addoption("--ca-cert", help="the CA that signed the server's certificate")
    group.addoption("--insecure", action="store_true", help="do not verify the server's certificate")


def pytest_configure(config: pytest.Config) -> None:
    """Ask the real server at once, so that one that does not answer is one clear sentence."""
    real_number(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Scenarios and vectors: all of them on simulators, or those that hold for the one real server."""
    number = real_number(metafunc.config)
    if "scenario" in metafunc.fixturenames:
        versions = VERSIONS if number is None else tuple(filter(None, [recording_for(number)]))
        cases = [scenario for version in versions for scenario in scenarios(version)]
        metafunc.parametrize("scenario", cases, ids=[f"{case.version}-{case.name}" for case in cases])
    if "vector" in metafunc.fixturenames:
        fit = [case for case in vectors() if number is None or _line(case["server"]) == _line(number)]
        metafunc.parametrize("vector", fit, ids=[f"{case['id']}-{case['server']}" for case in fit])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With a real server leave out what only a simulator can be asked."""
    if real_number(config) is None:
        return
    left_out = [item for item in items if "only_simulator" in getattr(item, "fixturenames", ())]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def real_client(config: pytest.Config) -> Client | None:
    """The client of the real server, or None where the simulator is asked."""
    url = config.getoption("--url", None) or os.environ.get("CONTRACT_URL")
    if not url:
        return None
    return Client(
        url,
        user=config.getoption("--user", None) or os.environ.get("CONTRACT_USER"),
        password=config.getoption("--password", None) or os.environ.get("CONTRACT_PASSWORD"),
        ca_cert=config.getoption("--ca-cert", None),
        insecure=bool(config.getoption("--insecure", False)),
    )


_NUMBER = pytest.StashKey[Any]()


def real_number(config: pytest.Config) -> str | None:
    """The version number of the real server, asked once; None where the simulator is asked."""
    if _NUMBER not in config.stash:
        client = real_client(config)
        config.stash[_NUMBER] = None if client is None else _ask_number(client, config)
    number: str | None = config.stash[_NUMBER]
    return number


def _ask_number(client: Client, config: pytest.Config) -> str:
    if os.environ.get("PYTEST_XDIST_WORKER") or getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("--url and -n do not go together: scenarios change settings of the whole cluster")
    try:
        answer = client.send("GET", "/", timeout=10)
    except urllib3.exceptions.HTTPError as error:
        raise pytest.UsageError(f"{client.url} does not answer: {error}") from None
    if answer.status != 200:
        raise pytest.UsageError(f"{client.url} answers {answer.status} to GET /: {answer.body}")
    number: str = answer.body["version"]["number"]
    return number


@pytest.fixture(scope="session")
def real_server(request: pytest.FixtureRequest) -> Iterator[Server | None]:
    """The real server, ready for the recorded connectors; or None where the simulator is asked."""
    client = real_client(request.config)
    if client is None:
        yield None
        return
    number = real_number(request.config)
    assert number is not None
    server = server_of(client, number, real=True, deadline=REAL_DEADLINE, pause=0.2)
    before = prepare(server)
    yield server
    if before:
        client.send("PUT", "/_cluster/settings", {"persistent": before})


@pytest.fixture(scope="session")
def simulator() -> Iterator[Callable[..., Any]]:
    """``simulator("3.6.0", clock=0.05, …)``: one simulator for all who ask for the same."""
    with ExitStack() as stack:
        started: dict[Any, Any] = {}

        def start(version: str, **options: Any) -> Any:
            from tests.simulator import running  # not needed, and perhaps not there, with --url

            key = (version, *sorted(options.items()))
            if key not in started:
                started[key] = stack.enter_context(running(version=version, **options))
            return started[key]

        yield start


@pytest.fixture
def only_simulator() -> None:
    """For tests that need several versions, knobs, or a world set up at will: not selected with a real server."""


def _line(number: str) -> tuple[str, ...]:
    return tuple(number.split(".")[:2])
