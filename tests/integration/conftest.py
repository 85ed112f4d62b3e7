# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks by real Ansible against the simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.simulator import running

from .helpers import Playbooks

HERE = "tests/integration/"
SPREAD = HERE + "test_prediction.py"  # plays nothing: its tests may be spread


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With -n: a file of this folder goes to one process, since its tests share one play. The rest is spread.

    `--dist loadgroup` would be made for it, but pytest-xdist 3.8 forms no groups with pytest 9.2.
    """
    if config.getoption("dist") not in ("load", "loadgroup"):
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            return file if file.startswith(HERE) and file != SPREAD else nodeid

    return ByFile(config, log)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Callable[..., Any]]:
    """``cluster(version=…, clock=…, …)`` starts a simulator that lives until the end of the file."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(running(**{"version": "3.6.0", "clock": 0.0, **options}))


@pytest.fixture(scope="module")
def playbooks(tmp_path_factory: pytest.TempPathFactory) -> Playbooks:
    """Runs plays in a folder of its own."""
    return Playbooks(tmp_path_factory.mktemp("play"))
