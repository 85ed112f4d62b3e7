# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that dies in the middle of a run, and comes back with its data."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.integration.helpers import truthful
from tests.real.helpers import finish, finished, posts, provisioned, run, start, there, until
from tests.simulator import Simulator

from . import Cluster

pytestmark = pytest.mark.opensearch


@pytest.mark.parametrize("moment", ["while it is deprovisioned", "while the module looks"])
def test_a_node_that_restarts_in_the_middle_of_a_run_loses_nothing_and_the_next_run_finishes(plain: Cluster, sim: Simulator, moment: str) -> None:
    """The run itself may fail, but says nothing that is not so; the same task again ends as if nothing had happened."""
    made = provisioned(sim, "w", ["connector", "model_group", "model", "agent", "ingest_pipeline", "index", "search_pipeline"])
    all_of_them = recorded(sim)
    process = start(sim, "w", allow_delete=made.named, request_timeout=5, wait_timeout=90)
    if moment == "while it is deprovisioned":
        until(lambda: recorded(sim) < all_of_them)
        die(plain, sim)
        assert 0 < recorded(sim) < all_of_them, "it was half done"
    else:
        until(lambda: sim.requests("GET", "/_status"))
        die(plain, sim)
        assert recorded(sim) == all_of_them, "nothing was done"
    result: dict[str, Any] = finish(process, timeout=150)
    said(result)
    truthful(result, sim)
    assert len(posts(sim)) <= 2 and not overlapping(sim)

    again = run(sim, "w", allow_delete=made.named)
    finished(again, sim)
    assert there(sim, made) == {"model_group"}


def recorded(sim: Simulator) -> int:
    """How many resources the workflow holds now."""
    state = sim.state("w")
    assert state is not None
    return len(state["resources_created"])


def die(plain: Cluster, sim: Simulator) -> None:
    """The machine fails: nobody gets an answer until the node is back."""
    sim.faults.cut(None, "", "reset", times=None)
    sim.crash()
    plain.stop(at_once=True)
    plain.start()
    sim.faults.clear()


def said(result: dict[str, Any]) -> None:
    """A run that did not finish says so, with a sentence for each thing that it is not sure of."""
    unsure = [one for one in result.get("resources", []) if one["status"] in ("failed", "unknown")]
    assert result.get("failed") or not unsure, result
    assert all(one["msg"] for one in unsure)
    assert result["msg"]


def overlapping(sim: Simulator) -> bool:
    """Whether two deprovision calls were under way at once."""
    calls = sorted(posts(sim), key=lambda one: one.started)
    return any(one.ended is None or later.started < one.ended for one, later in pairwise(calls))
