# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets the tests import the collection under its real name, whoever starts pytest and whatever the checkout is called.

`make test` and tests/environment.py have made the tree already and name it; a bare `python -m pytest` makes it here.
The variable is what the playbooks that the tests run find the collection by.
"""

from __future__ import annotations

import os
import sys

import pytest

from tests import environment


def collections_path() -> str:
    """The folder that holds `ansible_collections/`."""
    given = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")
    if os.path.realpath(os.path.join(given, environment.COLLECTION)) == environment.ROOT:
        return given
    return environment.link_collection(environment.base_folder())


COLLECTIONS = collections_path()
os.environ["ANSIBLE_COLLECTIONS_PATH"] = COLLECTIONS
sys.path.insert(0, COLLECTIONS)


CLUSTERS = {"integration": "cluster", "real": "sim"}
"""The folders whose tests can be played on a real cluster, and the fixture that gives it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("opensearch", "tests on a real OpenSearch")
    group.addoption(
        "--opensearch",
        metavar="VERSION",
        help="play tests/integration and tests/real on one of that version, behind the simulated plugin (with -m opensearch)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is played on a real OpenSearch bears the mark of that; what needs a simulated one is skipped there."""
    if not config.getoption("--opensearch"):
        return
    for item in items:
        cluster = CLUSTERS.get(item.path.parent.name)
        if cluster is None:
            continue
        item.add_marker("opensearch")
        if cluster not in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason="it starts simulators of its own, or needs none"))
        for mark in item.iter_markers("simulated"):
            item.add_marker(pytest.mark.skip(reason=mark.args[0]))
