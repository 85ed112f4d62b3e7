# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster for each test, and pauses of the module that tests need not wait for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import api, pools, slots, teardown
from tests.opensearch.behind import Behind
from tests.simulator import running


@pytest.fixture()
def sim(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A cluster of the newest recorded version, without pauses; or, with ``--opensearch``, a real one."""
    version = request.config.getoption("--opensearch")
    with ExitStack() as stack:
        yield stack.enter_context(running()) if version is None else Behind(request.config, version, stack)()


@pytest.fixture()
def slow() -> Iterator[Any]:
    """The same with a fifth of the real server's pauses: a call takes time, and calls overlap."""
    with running(clock=0.2) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter pauses between looks, and between tries of a read; what a test is about it sets itself."""
    monkeypatch.setattr(api, "READ_PAUSE", 0.02)
    monkeypatch.setattr(pools, "POLL", 0.02)
    monkeypatch.setattr(pools, "RECORDED", 0.05)
    monkeypatch.setattr(slots, "POLL", 0.02)
    monkeypatch.setattr(teardown, "POLL", 0.02)
