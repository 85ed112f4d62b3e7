# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters that all tests of a process share, whatever folder they are in: a start takes about ten seconds."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from .cluster import Cluster, running

_STARTED = pytest.StashKey[dict[tuple[str, bool], Cluster]]()


def shared(config: pytest.Config, version: str, security: bool = False) -> Cluster:
    """That cluster, started when the first test asks for it; it ends with the process. Raises CannotRun, DidNotStart."""
    started = config.stash.setdefault(_STARTED, {})
    if (version, security) not in started:
        context = ExitStack()
        started[version, security] = context.enter_context(running(version, security))
        config.add_cleanup(context.close)
    return started[version, security]
