# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of what is fetched, and the sums of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.opensearch import maven
from tests.opensearch.problems import CannotRun
from tests.opensearch.releases import RELEASES, Artifact, Release, release


def artifacts(one: Release) -> Iterator[Artifact]:
    yield one.server
    yield from one.plugins(security=one.security)
    for module in one.modules:
        yield from module.jars


def test_every_artifact_has_its_sum_and_every_sum_its_artifact() -> None:
    assert {artifact.file for one in RELEASES.values() for artifact in artifacts(one)} == set(maven.sums())


def test_a_version_that_is_not_in_the_table_is_refused_with_those_that_are() -> None:
    with pytest.raises(CannotRun, match=r"no OpenSearch 2\.18\.0 here, but 2\.19\.1 and 3\.6\.0"):
        release("2.18.0")


def test_security_where_there_is_none_is_refused() -> None:
    with pytest.raises(CannotRun, match="without security only"):
        release("3.6.0").plugins(security=True)


def test_the_security_plugin_is_installed_only_where_it_is_wanted() -> None:
    with_it, without = release("2.19.1").plugins(security=True), release("2.19.1").plugins(security=False)
    assert [one.name for one in with_it if one not in without] == ["opensearch-security"]
