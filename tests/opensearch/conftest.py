# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters for tests, each started when the first test asks for it, and a Maven that fetches nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import Cluster, running
from .fake_maven import fake_maven

__all__ = ["fake_maven"]


def shared(request: pytest.FixtureRequest, version: str, security: bool) -> Iterator[Cluster]:
    """A cluster for all tests of this process. Its logs are kept where one of them failed."""
    failed = request.session.testsfailed
    with running(version, security=security) as cluster:
        yield cluster
        if request.session.testsfailed > failed:
            print(f"the logs of {version} are kept in {cluster.keep_logs()}")


@pytest.fixture(scope="session")
def plain(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """OpenSearch 3.6.0 without security."""
    yield from shared(request, "3.6.0", security=False)


@pytest.fixture(scope="session")
def secure(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """OpenSearch 2.19.1 with security."""
    yield from shared(request, "2.19.1", security=True)
