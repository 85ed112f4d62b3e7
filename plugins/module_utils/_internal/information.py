# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What C(workflow_info) does: filters, survey, and the plan of a teardown that is asked for nothing, as information."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from . import outcome
from .choose import Filters, ages_of, choose, time_of
from .module import refuse_masking, warn
from .options import Options
from .plan import make_plan
from .survey import Surveyor


def information(module: AnsibleModule, surveyor: Surveyor) -> dict[str, Any]:
    """The result of the task. Raises OptionError and SurveyError."""
    filters, look = Filters.of(module.params), module.params["look"]
    if filters.ids == ():
        return outcome.no_information()
    server = surveyor.server()  # first of all: a wrong password is not tried again
    now, doubts = time_of(surveyor.api, filters.by_age)
    survey = choose(surveyor, server, filters, now, look)
    refuse_masking(module, survey)
    warn(module, [*survey.warnings, *doubts])
    plan = make_plan(survey, Options(on_blocked="keep", on_shared="keep")) if look else None
    return outcome.information(survey, plan, lambda workflow: ages_of(workflow, now))
