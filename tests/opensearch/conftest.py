# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters for tests, each started when the first test asks for it, and a Maven that fetches nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator import Simulator, in_front

from . import Cluster
from .fake_maven import fake_maven
from .shared import shared

__all__ = ["fake_maven"]


@pytest.fixture(scope="session")
def plain(request: pytest.FixtureRequest) -> Cluster:
    """OpenSearch 3.6.0 without security, the same for all tests of this process."""
    return shared(request.config, "3.6.0")


@pytest.fixture(scope="session")
def secure(request: pytest.FixtureRequest) -> Cluster:
    """OpenSearch 2.19.1 with security, the same for all tests of this process."""
    return shared(request.config, "2.19.1", security=True)


@pytest.fixture()
def sim(plain: Cluster) -> Iterator[Simulator]:
    """Flow Framework in front of OpenSearch 3.6.0, at the pace of the real one; nothing is there."""
    with in_front(plain) as front:
        front.world.clear()
        yield front
