# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters that all tests of a process share, whatever folder they are in: a start takes about ten seconds."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack

import pytest

from .cluster import Cluster, running
from .problems import CannotRun, DidNotStart


class Shared:
    """By version and security, the clusters, and why others did not start.

    A plugin of pytest too: a hook in a folder's conftest.py is for the tests of that folder only.
    """

    def __init__(self) -> None:
        self.context = ExitStack()
        self.started: dict[tuple[str, bool], Cluster] = {}
        self.failed: dict[tuple[str, bool], CannotRun | DidNotStart] = {}

    def cluster(self, version: str, security: bool) -> Cluster:
        wanted = (version, security)
        if wanted in self.failed:
            raise self.failed[wanted].with_traceback(None)
        if wanted not in self.started:
            try:
                self.started[wanted] = self.context.enter_context(running(version, security))
            except (CannotRun, DidNotStart) as problem:
                self.failed[wanted] = problem
                raise
        return self.started[wanted]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Where a test failed that may have used them, their logs are kept, and the report says where."""
        report = yield
        if report.failed and item.get_closest_marker("opensearch"):
            for cluster in self.started.values():
                report.sections.append(("OpenSearch", f"the logs of {cluster.version} are kept in {cluster.keep_logs()}"))
        return report


_SHARED = pytest.StashKey[Shared]()


def shared(config: pytest.Config, version: str, security: bool = False) -> Cluster:
    """That cluster, started when the first test asks for it; it ends with the process.

    Raises CannotRun, DidNotStart; that too is found out once, and said to every test that asks.
    """
    if _SHARED not in config.stash:
        config.stash[_SHARED] = made = Shared()
        config.add_cleanup(made.context.close)
        config.pluginmanager.register(made)
    return config.stash[_SHARED].cluster(version, security)
