# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks by real Ansible against the simulator, or, with ``--opensearch``, against a real cluster behind it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.forked.runner import runners
from tests.simulator import in_front, running

from .helpers import Modules, Playbooks

SIMULATED = {"version": "3.6.0", "clock": 0.0}
"""What a cluster is, unless a test says otherwise."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("opensearch", "playbooks on a real OpenSearch")
    group.addoption("--opensearch", metavar="VERSION", help="the version; without it all of the cluster is simulated")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What runs on a real OpenSearch bears its mark."""
    if config.getoption("--opensearch"):
        for item in items:
            if item.path.parent.name == "integration":
                item.add_marker("opensearch")


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """``cluster(version=…, clock=…, …)`` starts a simulator that lives until the end of the file."""
    version = request.config.getoption("--opensearch")
    with ExitStack() as stack:
        if version is None:
            yield lambda **options: stack.enter_context(running(**{**SIMULATED, **options}))
        else:
            yield Behind(request.config, version, stack)


class Behind:
    """The same in front of the one real cluster, at its pace. Each time everything is taken away from it first.

    What cannot be had on it is skipped: another version, users, several nodes, or two clusters in one test.
    """

    def __init__(self, config: pytest.Config, version: str, stack: ExitStack) -> None:
        from tests.opensearch.shared import shared

        self.real = shared(config, version)
        self.stack = stack
        self.test = ""

    def __call__(self, **options: Any) -> Any:
        test = os.environ["PYTEST_CURRENT_TEST"].partition(" ")[0]
        if test == self.test:
            pytest.skip("there is one real cluster, and this needs two")
        self.test = test
        front = self.stack.enter_context(in_front(self.real))
        offered = {"version": self.real.version, "cluster_name": front.cluster_name, "clock": options.pop("clock", None)}
        missing = {name: value for name, value in {**SIMULATED, **options}.items() if name != "clock" and offered.get(name) != value}
        if missing:
            pytest.skip(f"not on this real cluster: {missing}")
        front.world.clear()
        return front


@pytest.fixture(scope="module")
def playbooks(tmp_path_factory: pytest.TempPathFactory) -> Playbooks:
    """Runs plays in a folder of its own."""
    return Playbooks(tmp_path_factory.mktemp("play"))


@pytest.fixture(scope="module")
def modules() -> Iterator[Modules]:
    """Runs modules without a play around them: a fork each, where a play takes half a second of the processor."""
    with runners(os.environ["ANSIBLE_COLLECTIONS_PATH"], count=1) as (runner,):
        yield Modules(runner)
