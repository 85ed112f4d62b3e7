# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What C(workflow_deprovision) does, one straight line: options, survey, plan, teardown, outcome. Check mode leaves out the teardown."""

from __future__ import annotations

import time
from typing import Any, Mapping, Sequence

from ansible.module_utils.basic import AnsibleModule

from . import endings, outcome
from .api import Api
from .limits import Limits
from .module import refuse_masking, refuse_negative, warn, workflow_ids
from .options import Options
from .plan import make_plan
from .pools import Watch
from .progress import Progress
from .provisioning import wait_until_provisioned
from .records import Server, Survey
from .slots import Slots
from .survey import Surveyor
from .teardown import Teardown, left_placeholders, stuck

NUMBERS = ("max_workflows", "max_documents", "wait_timeout", "wait_sleep", "task_timeout", "concurrency")


def deprovision(module: AnsibleModule, api: Api, surveyor: Surveyor) -> dict[str, Any]:
    """The result of the task. Raises OptionError and SurveyError, when nothing was deleted yet."""
    begun, params = time.monotonic(), module.params
    ids = workflow_ids(params["workflow_id"])
    if not ids:
        return dict(outcome.empty(), msg="0 workflows: the list is empty, nothing to do")
    refuse_negative(params, NUMBERS)
    options, limits, watch = Options.of(params), Limits.of(params, begun), Watch(api)
    progress = Progress(params["progress"], module.no_log_values)
    progress.reading(len(ids))
    server = surveyor.server()  # first of all: a wrong password is not tried again
    survey = surveyor.survey(ids, server=server) if module.check_mode else survey_at_rest(ids, server, surveyor, watch, limits, progress)
    refuse_masking(module, survey)
    plan = make_plan(survey, options)
    warn(module, plan.warnings)
    if module.check_mode or plan.refusals:
        ended = endings.planned(plan)
    else:
        runs = Teardown(api, surveyor, slots_of(api, watch, server, params), options, limits, progress).carry_out(plan)
        warn(module, [*watch.warnings, *(text for run in runs for text in (*stuck(run), *left_placeholders(run)))])
        ended = endings.carried_out(runs)
    made = outcome.result(plan, ended)
    made["duration"] = round(time.monotonic() - begun, 3)
    if module._diff:
        made["diff"] = outcome.diff(ended)
    return made


def survey_at_rest(ids: Sequence[str], server: Server, surveyor: Surveyor, watch: Watch, limits: Limits, progress: Progress) -> Survey:
    """The survey, once nobody deprovisions or provisions these workflows any more. All of that may be waited for as long as for one of them."""
    begun = time.monotonic()
    watch.wait_for_calls(set(ids), limits.deadline())
    used = time.monotonic() - begun
    survey = surveyor.survey(ids, server=server, sure=True)
    if wait_until_provisioned(surveyor, survey.workflows, limits, used, progress):
        progress.reading(len(ids))
        survey = surveyor.survey(ids, server=server, sure=True)
    return survey


def slots_of(api: Api, watch: Watch, server: Server, params: Mapping[str, Any]) -> Slots:
    """The slots of the cluster, by its uuid, or by its url where that may not be read."""
    tenants = 1 if params["tenant_id"] else 0  # the server lets a tenant have one, unless it is set up for more
    return Slots(api, watch, server.cluster_uuid or " ".join(sorted(params["url"])), params["concurrency"] or tenants)
