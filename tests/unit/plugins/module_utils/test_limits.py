# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a task may wait, and which option says so."""

from __future__ import annotations

import time

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.limits import Limits


def limits(task_timeout: int | None, now: float, monkeypatch: pytest.MonkeyPatch) -> Limits:
    """Those of a task that began at 1,000 with 60 seconds a workflow, and the clock at that moment."""
    monkeypatch.setattr(time, "monotonic", lambda: now)
    return Limits.of({"wait_timeout": 60, "wait_sleep": 2.0, "task_timeout": task_timeout}, 1_000)


@pytest.mark.parametrize(
    ("task_timeout", "now", "used", "deadline"),
    [
        (None, 5_000, 0, 5_060),
        (None, 5_000, 25, 5_035),
        (100, 1_000, 0, 1_060),
        (100, 1_050, 0, 1_100),
        (100, 1_050, 25, 1_085),
        (100, 1_200, 0, 1_100),
        (0, 1_000, 0, 1_000),
    ],
)
def test_a_workflow_has_its_own_time_and_none_after_the_end_of_the_task(
    task_timeout: int | None, now: float, used: float, deadline: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert limits(task_timeout, now, monkeypatch).deadline(used) == deadline


@pytest.mark.parametrize(
    ("task_timeout", "now", "over"),
    [(None, 1e9, "wait_timeout"), (100, 1_099.9, "wait_timeout"), (100, 1_100, "task_timeout"), (0, 1_000, "task_timeout")],
)
def test_the_option_whose_time_is_over_is_named(task_timeout: int | None, now: float, over: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = limits(task_timeout, now, monkeypatch)
    assert found.over == over and found.task_is_over == (over == "task_timeout")
