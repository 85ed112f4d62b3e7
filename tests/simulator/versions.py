# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each version of the server does differently: one table, one row a version that changed something.

Source: behaviour.md 8 and the sections it points to; what a recording shows is marked with its scenario.
No other file of the simulator compares versions: it asks a field of the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .named import NAMED

FLOW_FRAMEWORK = "opensearch-flow-framework"
JOB_SCHEDULER = "opensearch-job-scheduler"
ML_COMMONS = "opensearch-ml"
SECURITY = "opensearch-security"

# Deprovision step of each create step (behaviour.md 2.2). None: the entry is dropped without a word.
# A create step that is no key at all is unknown to that version: the call never answers. Those of named.py come on top.
STEPS_2_12: Mapping[str, str | None] = {
    "create_connector": "delete_connector",
    "register_remote_model": "delete_model",
    "register_local_custom_model": "delete_model",
    "register_local_sparse_encoding_model": "delete_model",
    "register_local_pretrained_model": "delete_model",
    "register_model_group": "noop",
    "deploy_model": "undeploy_model",
    "register_agent": "delete_agent",
    "create_index": None,
}
STEPS_2_13: Mapping[str, str | None] = {**STEPS_2_12, "create_index": "noop"}
STEPS_2_15: Mapping[str, str | None] = {**STEPS_2_13, "reindex": "noop"}
STEPS_2_16: Mapping[str, str | None] = {**STEPS_2_15, "create_index": "delete_index"}

# The fields of a state document, in the order in which the plugin shows them (behaviour.md 3).
STATE_FIELDS = (
    "workflow_id",
    "error",
    "state",
    "provisioning_progress",
    "provision_start_time",
    "provision_end_time",
    "user",
    "user_outputs",
    "resources_created",
    "tenant_id",
    "all_shared_principals",
)
STATE_FIELDS_2_12 = frozenset(STATE_FIELDS) - {"tenant_id", "all_shared_principals"}


@dataclass(frozen=True)
class Features:
    """Everything in which versions differ. Section numbers are those of behaviour.md."""

    since: tuple[int, ...]
    # GET / (recording "server")
    lucene: str
    wire_compatibility: str
    index_compatibility: str
    # The plugins of the recorded server, or the three that a teardown meets.
    plugins: tuple[str, ...]

    # REST layer, section 1
    enabled_by_default: bool  # 1.2
    bodies_ignored: bool  # 1.1: before, core refuses a body on deprovision, status, get and delete
    errors_masked: bool  # 1.3: "Failed to get workflow." instead of the original text
    status_error_text: str | None  # 1.3: text of a refused _status; None: the original text
    allow_delete: bool  # 1, 2.3
    clear_status: bool  # 1, 4
    substitutions: bool  # 1: query parameters of provision fill ${{name}}
    step_names_filter: bool  # 1: workflow_step of _steps
    update_fields: bool
    reprovision: bool
    wait_for_completion: bool
    provision_status: int  # 1: _provision
    create_and_provision_status: int  # 1: create with provision=true
    denied_steps: bool  # 1.4, P07
    update_refused_text: str  # 1.4, P05
    provision_refused_text: str  # 1.4, P02, P03

    # Deprovision, section 2
    steps: Mapping[str, str | None]
    unknown_workflow_status: int  # 2.6
    unreadable_deprovision_status: int  # 2.6
    incremental_removal: bool  # 2.5
    reset_replaces: bool  # 2.5: a fresh document, or none if the template is gone; before, a partial update
    reset_awaited: bool  # 2.5
    partial_time_field: str  # 2.5
    user_after_reset: str  # 2.5: "kept", "lost" or "caller"
    gone_model_is_success: bool  # 2.4
    gone_agent_is_success: bool  # 2.4
    gone_model_fails_with_security: bool  # recordings 2.19.1: undeployed_model_gone, ml_gone_before
    missing_ml_index_is_500: bool  # tests/opensearch/test_native.py, 2.19.1: DELETE of a connector or a group before there ever was one
    safe_delete_model: bool  # 2.4: the setting plugins.ml_commons.safe_delete_model is known
    pool_deprovision: int  # 6, on a small node
    pool_provision: int
    pool_workflow: int

    # State document, section 3
    state_fields: frozenset[str]
    status_not_found_text: str
    status_needs_index: bool  # recording empty_cluster: a missing state index has other words than a missing document
    unreadable_state_status: int
    search_wraps_missing_index: bool  # recording empty_cluster: the searches' own envelope around the missing index

    # Delete workflow, section 4
    delete_removes_empty_state: bool
    delete_refreshes: bool  # recordings: "forced_refresh" in the answer
    no_templates_text: str

    # Access control, section 5
    filter_document: str | None  # 5.2: which document backend roles are compared with; None: no such setting
    filter_refusal_status: int
    filter_null_user_is_500: bool
    tenants: bool  # 5.5
    tenant_throttle: bool

    # Provisioning
    error_style: str  # 3: "class", "message" or "class_and_message"
    error_shows_cause: bool  # recordings failed_provision: 3.6.0 names the cause, 2.19.1 does not
    records_race: bool  # behaviour.md, fact 7: steps side by side lose the race to write the record
    appends_to_missing_list: bool  # 2.6, row PROVISIONING

    def deprovision_steps(self) -> dict[str, str | None]:
        """The deprovision step of each create step that this version knows. Before allow_delete, names were dropped without a word."""
        named = [row for row in NAMED.values() if row.since <= self.since]
        return {**self.steps, **{row.creates: row.deletes if self.allow_delete else None for row in named}}


_2_12 = Features(
    since=(2, 12, 0),
    lucene="9.9.2",
    wire_compatibility="7.10.0",
    index_compatibility="7.0.0",
    plugins=(FLOW_FRAMEWORK, JOB_SCHEDULER, ML_COMMONS),
    enabled_by_default=False,
    bodies_ignored=False,
    errors_masked=False,
    status_error_text=None,
    allow_delete=False,
    clear_status=False,
    substitutions=False,
    step_names_filter=False,
    update_fields=False,
    reprovision=False,
    wait_for_completion=False,
    provision_status=200,
    create_and_provision_status=201,
    denied_steps=False,
    update_refused_text="The template has already been provisioned so it can't be updated: {id}",
    provision_refused_text="The template has already been provisioned: {id}",
    steps=STEPS_2_12,
    unknown_workflow_status=500,
    unreadable_deprovision_status=500,
    incremental_removal=False,
    reset_replaces=False,
    reset_awaited=False,
    partial_time_field="provision_start_time",
    user_after_reset="kept",
    gone_model_is_success=False,
    gone_agent_is_success=True,
    gone_model_fails_with_security=False,
    missing_ml_index_is_500=False,
    safe_delete_model=False,
    pool_deprovision=2,
    pool_provision=4,
    pool_workflow=2,
    state_fields=STATE_FIELDS_2_12,
    status_not_found_text="Fail to find workflow",
    status_needs_index=False,
    unreadable_state_status=400,
    search_wraps_missing_index=False,
    delete_removes_empty_state=False,
    delete_refreshes=False,
    no_templates_text="There are no templates in the global context.",
    filter_document=None,
    filter_refusal_status=400,
    filter_null_user_is_500=False,
    tenants=False,
    tenant_throttle=False,
    error_style="class",
    error_shows_cause=False,
    records_race=True,
    appends_to_missing_list=True,
)

_2_13 = replace(
    _2_12,
    since=(2, 13, 0),
    lucene="9.10.0",
    enabled_by_default=True,
    errors_masked=True,
    status_error_text="Failed to get workflow.",
    substitutions=True,
    step_names_filter=True,
    steps=STEPS_2_13,
    gone_agent_is_success=False,
    status_not_found_text="Fail to find workflow {id}",
    no_templates_text="There are no templates in the global context",
    error_style="message",
)

_2_14 = replace(
    _2_13,
    since=(2, 14, 0),
    bodies_ignored=True,
    update_refused_text=("The template can not be updated unless its provisioning state is NOT_STARTED: {id}. Deprovision the workflow to reset the state."),
    provision_refused_text=(
        "The workflow provisioning state is {progress} and can not be provisioned unless its state is NOT_STARTED:"
        " {id}. Deprovision the workflow to reset the state."
    ),
    reset_replaces=True,
    partial_time_field="provision_end_time",
    user_after_reset="lost",
    delete_removes_empty_state=True,
    appends_to_missing_list=False,
)

_2_15 = replace(
    _2_14,
    since=(2, 15, 0),
    # As recorded: Flow Framework alone. The ML routes answer all the same, so that vectors D20 and D26 can be driven.
    plugins=(FLOW_FRAMEWORK,),
    status_error_text="Failed to get workflow status.",
    clear_status=True,
    steps=STEPS_2_15,
    status_not_found_text="Fail to find workflow status of {id}",
)

_2_16 = replace(
    _2_15,
    since=(2, 16, 0),
    lucene="9.11.1",
    plugins=(FLOW_FRAMEWORK, JOB_SCHEDULER, ML_COMMONS),
    allow_delete=True,
    update_fields=True,
    denied_steps=True,
    steps=STEPS_2_16,
    unknown_workflow_status=404,
    unreadable_deprovision_status=400,
    gone_model_is_success=True,
    gone_agent_is_success=True,
)

_2_17 = replace(_2_16, since=(2, 17, 0), reprovision=True, filter_document="template", filter_null_user_is_500=True)

_2_18 = replace(_2_17, since=(2, 18, 0), lucene="9.12.0", incremental_removal=True, appends_to_missing_list=True)

_2_19 = replace(
    _2_18,
    since=(2, 19, 0),
    lucene="9.12.1",
    wait_for_completion=True,
    unreadable_deprovision_status=500,
    user_after_reset="caller",
    gone_model_fails_with_security=True,
    missing_ml_index_is_500=True,
    safe_delete_model=True,
    pool_deprovision=4,
    pool_provision=8,
    pool_workflow=4,
    state_fields=STATE_FIELDS_2_12 | {"tenant_id"},
    status_needs_index=True,
    unreadable_state_status=500,
    search_wraps_missing_index=True,
    delete_refreshes=True,
    filter_document="state",
    tenants=True,
)

_2_19_3 = replace(_2_19, since=(2, 19, 3), error_shows_cause=True)

_3_0 = replace(
    _2_19,
    since=(3, 0, 0),
    lucene="10.1.0",
    wire_compatibility="2.19.0",
    index_compatibility="2.0.0",
    provision_status=202,
    create_and_provision_status=202,
    gone_model_fails_with_security=False,
    missing_ml_index_is_500=False,
    filter_refusal_status=403,
    tenant_throttle=True,
    records_race=False,
)

_3_1 = replace(_3_0, since=(3, 1, 0), lucene="10.2.1", error_style="class_and_message")
_3_2 = replace(_3_1, since=(3, 2, 0), lucene="10.2.2", error_shows_cause=True)
_3_3 = replace(_3_2, since=(3, 3, 0), lucene="10.3.1")
_3_4 = replace(
    _3_3,
    since=(3, 4, 0),
    lucene="10.3.2",
    reset_awaited=True,
    state_fields=frozenset(STATE_FIELDS),
)
_3_5 = replace(_3_4, since=(3, 5, 0), filter_null_user_is_500=False)
_3_6 = replace(_3_5, since=(3, 6, 0), lucene="10.4.0")
_3_7 = replace(_3_6, since=(3, 7, 0))
_3_8 = replace(_3_7, since=(3, 8, 0))

TABLE: tuple[Features, ...] = (
    _2_12,
    _2_13,
    _2_14,
    _2_15,
    _2_16,
    _2_17,
    _2_18,
    _2_19,
    _2_19_3,
    _3_0,
    _3_1,
    _3_2,
    _3_3,
    _3_4,
    _3_5,
    _3_6,
    _3_7,
    _3_8,
)


def parse(version: str) -> tuple[int, ...]:
    """The numbers of a version such as ``2.19.1``. ValueError where there are none."""
    try:
        return tuple(int(part) for part in version.split("."))
    except ValueError:
        raise ValueError(f"not a version: {version!r}") from None


def features(version: str) -> Features:
    """The newest row that is not newer than the version. ValueError for one older than the whole table."""
    wanted = parse(version)
    rows = [row for row in TABLE if row.since <= wanted]
    if not rows:
        raise ValueError(f"Flow Framework starts with 2.12.0, there is no {version}")
    return rows[-1]


def created_id(version: str) -> int:
    """The number ``index.version.created`` of an index (recordings ml_checks: 3.6.0 is 137277827)."""
    major, minor, revision = (*parse(version), 0, 0)[:3]
    return (1 << 27) + major * 1_000_000 + minor * 10_000 + revision * 100 + 99
