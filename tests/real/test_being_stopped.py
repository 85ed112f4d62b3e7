# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being stopped: a real process is killed at random moments; nothing is sent twice at once, and the next run finishes."""

from __future__ import annotations

import random
import signal
import time
from typing import Any

import pytest

from tests.simulator import running

from .helpers import finished, overlaps, posts, provisioned, release_once, run, start, there, until

KINDS = ("connector", "model", "agent", "ingest_pipeline", "index")
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
MOMENTS = 5  # of each signal, each with a seed of its own


def stop(process: Any, signal_: int) -> None:
    """Send the signal and wait for the end."""
    process.send_signal(signal_)
    process.communicate(timeout=30)


def tasks(sim: Any) -> list[Any]:
    """How often the calls under way were asked for."""
    return list(sim.requests("GET", "/_tasks"))


def next_run_finishes(sim: Any, made: Any, **options: Any) -> None:
    """The next run with the same options ends as if nothing had happened, and no two calls ever met."""
    result = run(sim, "w", allow_delete=made.named, **options)
    finished(result, sim)
    assert there(sim, made) == set()
    assert overlaps(posts(sim)) == [], "no second call while the first runs"
    assert not run(sim, "w", allow_delete=made.named, **options)["changed"]


@pytest.mark.parametrize("signal_", SIGNALS, ids=lambda one: one.name)
@pytest.mark.parametrize("seed", range(MOMENTS))
def test_stopped_at_a_random_moment_the_next_run_with_the_same_options_finishes(signal_: signal.Signals, seed: int) -> None:
    """From the first request on, over the whole length of the teardown and beyond."""
    with running(clock=0.3) as sim:
        made = provisioned(sim, "w", KINDS)
        process = start(sim, "w", allow_delete=made.named)
        until(lambda: sim.log)
        time.sleep(random.Random(f"{signal_}/{seed}").uniform(0, 0.9))
        stop(process, signal_)
        next_run_finishes(sim, made)


@pytest.mark.parametrize("signal_", SIGNALS, ids=lambda one: one.name)
@pytest.mark.parametrize("options", ({"stale_records": "recreate"}, {"stale_records": "forget", "delete_workflow": True}), ids=("recreate", "forget"))
def test_stopped_directly_after_a_write_that_is_no_call_the_next_run_finishes(signal_: signal.Signals, options: dict[str, Any]) -> None:
    """Between placeholder and call, and between the call and the deletion of the template."""
    with running(clock=0.1) as sim:
        made = provisioned(sim, "w", ["connector", "index"], gone=["index"])
        process = start(sim, "w", allow_delete=made.named, **options)
        until(lambda: sim.requests("PUT") or sim.requests("DELETE"))
        stop(process, signal_)
        next_run_finishes(sim, made, **options)


@pytest.mark.parametrize("signal_", SIGNALS, ids=lambda one: one.name)
def test_stopped_while_its_call_is_under_way_the_next_run_waits_for_that_call(signal_: signal.Signals) -> None:
    with running(clock=0.3) as sim:
        made = provisioned(sim, "w", KINDS)
        sim.faults.hold("delete_agent", made.id("agent"))
        process = start(sim, "w", allow_delete=made.named)
        until(lambda: posts(sim))
        stop(process, signal_)
        assert posts(sim)[0].ended is None, "the server goes on"
        asked = len(tasks(sim))
        released = release_once(sim, lambda: len(tasks(sim)) > asked)
        next_run_finishes(sim, made)
        released()
        assert len(posts(sim)) == 1, "the first call did it all"
