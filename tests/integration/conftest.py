# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks by real Ansible against the simulator, or, with ``--opensearch``, against a real cluster behind it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.forked.runner import runner
from tests.opensearch.behind import Behind
from tests.simulator import running

from .helpers import Modules, Playbooks

RUN_MODULES = {"playbooks", "modules", "play"}
"""The fixtures that start modules by the Python of the target."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever starts modules bears the mark of that: it says something about the Python of the target. A row of tests/matrix runs these."""
    for item in items:
        if RUN_MODULES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("target")


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """``cluster(version=…, clock=…, …)`` starts a simulator that lives until the end of the file."""
    version = request.config.getoption("--opensearch")
    with ExitStack() as stack:
        if version is None:
            yield lambda **options: stack.enter_context(running(**options))
        else:
            yield Behind(request.config, version, stack)


@pytest.fixture(scope="module")
def playbooks(tmp_path_factory: pytest.TempPathFactory) -> Playbooks:
    """Runs plays in a folder of its own."""
    return Playbooks(tmp_path_factory.mktemp("play"))


@pytest.fixture(scope="module")
def modules() -> Iterator[Modules]:
    """Runs modules without a play around them: a fork each, where a play takes half a second of the processor."""
    with runner(os.environ["ANSIBLE_COLLECTIONS_PATH"]) as forking:
        yield Modules(forking)
