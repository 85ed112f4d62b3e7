# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real cluster in the place of simulated ones, for tests that were written for those (``--opensearch``)."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any, cast

import pytest

from tests.simulator import Simulator, in_front
from tests.simulator.server import World

from .shared import shared

OUTDATED = "a later cluster of this file has emptied the one real cluster that was meant here"


class Behind:
    """Called as ``running`` of the simulator is, gives the simulated plugin in front of the one real cluster.

    Each time everything is taken away from the cluster first, also what earlier calls in the same file were for: a fixture of
    a whole file may not look at its cluster after a test that has called again. Whoever does gets a sentence that says so.

    What cannot be had on a real cluster is skipped: another version, users, several nodes, or two clusters in one test.
    """

    CLOCK = 0.3
    """Of the pauses of the real plugin; what is behind it takes the time that it takes."""

    def __init__(self, config: pytest.Config, version: str, stack: ExitStack) -> None:
        self.real = shared(config, version)
        self.stack = stack
        self.test = ""
        self.front: Simulator | None = None

    def __call__(self, **options: Any) -> Simulator:
        test = current_test()
        if test == self.test:
            pytest.skip("there is one real cluster, and this needs two")
        self.test = test
        front = self.stack.enter_context(in_front(self.real, self.CLOCK, multi_tenancy=options.pop("multi_tenancy", False)))
        options.pop("clock", None)
        offered = {"version": self.real.version, "cluster_name": front.cluster_name}
        missing = {name: value for name, value in options.items() if offered.get(name) != value}
        if missing:
            pytest.skip(f"not on this real cluster: {missing}")
        if self.front is not None:
            outdate(self.front)
        self.front = front
        front.world.clear()
        self.forget_settings()
        return front

    def forget_settings(self) -> None:
        """What earlier tests have set in the whole cluster."""
        nothing = {"persistent": {"*": None}, "transient": {"*": None}}
        assert self.real.client().send("PUT", "/_cluster/settings", nothing).status == 200


def current_test() -> str:
    """Its id, which may hold blanks and brackets; pytest adds the phase."""
    return os.environ["PYTEST_CURRENT_TEST"].rpartition(" (")[0]


def outdate(front: Simulator) -> None:
    """Whoever asks there is told, instead of being shown what is there for others. What was sent can still be looked at."""
    front.faults.clear()
    front.faults.answer(None, "", 410, {"error": OUTDATED, "status": 410}, times=None)
    front.world = cast(World, Outdated())


class Outdated:
    """In the place of the world."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(OUTDATED)
