# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits until nothing provisions the workflows of a task any more. Sends reads only."""

from __future__ import annotations

import time
from typing import Iterable

from .answers import Answer
from .limits import Limits
from .pools import POLL, STEP_LIMIT
from .progress import FOR_PROVISIONING, Progress
from .records import PROVISIONING, Record, SurveyError, Workflow
from .survey import Surveyor

STILL = STEP_LIMIT  # seconds without a change of a record after which provisioning is taken to be over
UNDER_WAY = "Workflow %s was still being provisioned when %s was over; nothing was deleted."
UNCLEAR = (
    "Workflow %s is FAILED, and whether anything of it is still being provisioned could not be told when %s was over:"
    " the threads for it are busy, or may not be read. Nothing was deleted."
)


def wait_until_provisioned(surveyor: Surveyor, workflows: Iterable[Workflow], limits: Limits, used: float, progress: Progress) -> bool:
    """Until nothing provisions any of the workflows: what is created later would escape the plan (recording while_provisioning).

    FAILED is not the end of it: other branches go on for a moment. The end is when the provisioning threads are idle on two
    looks in a row; where they are others', when a record stands still. ``used``: seconds that the task has waited before.
    Returns whether what was read before may be so no more. Raises SurveyError at the deadline.
    """
    read = {workflow.workflow_id: workflow for workflow in workflows if workflow.state in (PROVISIONING, "FAILED")}
    waiting, deadline, idle = set(read), limits.deadline(used), 0
    moved = {workflow_id: (workflow.record, time.monotonic()) for workflow_id, workflow in read.items()}
    for workflow_id in waiting:
        progress.waits(workflow_id, FOR_PROVISIONING)
    while waiting:
        idle = idle + 1 if is_idle(surveyor.api.provision_pool()) else 0
        if idle >= 2:
            break
        if not idle and time.monotonic() >= deadline:
            provisioned = sorted(workflow_id for workflow_id in waiting if moved[workflow_id][0][0] == PROVISIONING)
            raise SurveyError((UNDER_WAY if provisioned else UNCLEAR) % (", ".join(provisioned or sorted(waiting)), limits.over))
        time.sleep(POLL)
        if not idle:
            for workflow_id in sorted(waiting):
                moved[workflow_id] = still_since(surveyor.record(workflow_id), *moved[workflow_id])
            waiting = {workflow_id for workflow_id in waiting if moved[workflow_id][0][0] == PROVISIONING or time.monotonic() - moved[workflow_id][1] < STILL}
    now = [surveyor.record(workflow_id) for workflow_id in read]
    for workflow in now:
        if workflow.state == PROVISIONING:
            surveyor.warnings.append("Workflow %s says PROVISIONING, but nothing is being provisioned: it was broken off." % workflow.workflow_id)
    return any(workflow.state == PROVISIONING or workflow.record != read[workflow.workflow_id].record for workflow in now)


def still_since(workflow: Workflow, before: Record, since: float) -> tuple[Record, float]:
    """The record, and since when it stands still."""
    return (before, since) if workflow.record == before else (workflow.record, time.monotonic())


def is_idle(pool: Answer) -> bool:
    """Whether no thread of a pool is at work on any node, and none is waited for."""
    rows = pool.body if pool.ok and isinstance(pool.body, list) else None
    return rows is not None and all(str(row.get(name)) == "0" for row in rows for name in ("active", "queue"))
