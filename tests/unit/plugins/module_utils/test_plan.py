# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the plan, one by one. What holds for all inputs stands in test_plan_properties.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.options import Options
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.plan import Plan, go_before, make_plan
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import Survey
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.sharing import User

from .worlds import changes, fails, resource, survey, workflow

INDEX = resource("create_index", "docs", documents=1200)
INGEST = resource("create_ingest_pipeline", "embed")
SEARCH = resource("create_search_pipeline", "rank")
CONNECTOR = resource("create_connector", "c1")
MODEL = resource("register_remote_model", "m1", "deploy_model", state="DEPLOYED")
GROUP = resource("register_model_group", "g1")
AGENT = resource("register_agent", "a1")
EVERYTHING = workflow(CONNECTOR, INDEX, INGEST, SEARCH, GROUP, MODEL, AGENT)


def statuses(plan: Plan) -> dict[str, str]:
    return {fate.resource.id: fate.status for one in plan.workflows for fate in one.fates}


def test_everything_goes_when_all_that_needs_naming_is_named() -> None:
    plan = make_plan(survey(EVERYTHING), Options(allow_delete=("docs", "embed", "rank")))
    assert statuses(plan) == {
        "c1": "would_delete",
        "docs": "would_delete",
        "embed": "would_delete",
        "rank": "would_delete",
        "g1": "retained",
        "m1": "would_delete",
        "a1": "would_delete",
    }
    only = plan.workflows[0]
    assert only.post and only.resets and only.state_after == "NOT_STARTED" and only.allow == ("docs", "embed", "rank")
    assert changes(plan) and not fails(plan) and not plan.refusals


def test_one_unnamed_index_refuses_everything_in_every_workflow() -> None:
    other = workflow(resource("create_connector", "c2", workflow_id="w2"), workflow_id="w2")
    plan = make_plan(survey(EVERYTHING, other), Options(allow_delete=("embed", "rank")))
    assert statuses(plan) == {
        "c1": "untouched",
        "docs": "blocked",
        "embed": "untouched",
        "rank": "untouched",
        "g1": "retained",
        "m1": "untouched",
        "a1": "untouched",
        "c2": "untouched",
    }
    assert not any(one.post or one.allow for one in plan.workflows)
    assert fails(plan) and not changes(plan)
    assert 'allow_delete: ["docs"]' in plan.refusals[0]


def test_keep_deletes_the_rest_and_does_not_name_what_is_kept() -> None:
    plan = make_plan(survey(EVERYTHING), Options(allow_delete=("embed",), on_blocked="keep"))
    assert statuses(plan)["docs"] == "kept" and statuses(plan)["rank"] == "kept" and statuses(plan)["embed"] == "would_delete"
    assert plan.workflows[0].allow == ("embed",)
    assert plan.workflows[0].state_after == "COMPLETED" and not plan.workflows[0].resets
    assert changes(plan) and not fails(plan)


def test_what_is_kept_alone_sends_nothing() -> None:
    plan = make_plan(survey(workflow(INDEX)), Options(on_blocked="keep"))
    assert not plan.workflows[0].post and not changes(plan) and not fails(plan)


def test_absent_wins_over_blocked_and_is_never_named_to_the_server() -> None:
    ghost = replace(INDEX, exists=False, uuid=None)
    plan = make_plan(survey(workflow(ghost, CONNECTOR)), Options(allow_delete=("docs",)))
    assert statuses(plan) == {"docs": "absent", "c1": "would_delete"}
    assert plan.workflows[0].allow == () and plan.workflows[0].post and not plan.workflows[0].resets
    assert not make_plan(survey(workflow(ghost)), Options()).refusals


@pytest.mark.parametrize("step", ["create_index", "create_ingest_pipeline", "create_search_pipeline"])
def test_a_workflow_of_stale_records_alone_is_left_alone_with_a_warning(step: str) -> None:
    plan = make_plan(survey(workflow(resource(step, "docs", exists=False))), Options(allow_delete=("docs",)))
    assert not plan.workflows[0].post and not changes(plan) and not fails(plan)
    assert any("docs" in text for text in plan.warnings)


def test_a_gone_connector_alone_resets_the_state() -> None:
    plan = make_plan(survey(workflow(replace(CONNECTOR, exists=False))), Options())
    assert plan.workflows[0].post and plan.workflows[0].resets and changes(plan)


@pytest.mark.parametrize(
    ("version", "security", "resets"), [("2.15.0", False, False), ("2.16.0", False, True), ("3.6.0", False, True), ("2.19.1", True, False)]
)
def test_a_gone_model_that_was_never_deployed_resets_the_state_where_the_server_gets_over_it(version: str, security: bool, resets: bool) -> None:
    gone = resource("register_remote_model", "m1", exists=False)
    assert make_plan(survey(workflow(gone), version=version, security=security), Options()).workflows[0].resets is resets


def test_a_gone_model_that_was_deployed_never_resets_the_state() -> None:
    assert not make_plan(survey(workflow(replace(MODEL, exists=False, state=None))), Options()).workflows[0].resets


@pytest.mark.parametrize(("version", "resets"), [("2.12.0", True), ("2.13.0", False), ("2.15.0", False), ("2.16.0", True)])
def test_a_gone_agent_resets_the_state_where_the_server_gets_over_it(version: str, resets: bool) -> None:
    assert make_plan(survey(workflow(replace(AGENT, exists=False)), version=version), Options()).workflows[0].resets is resets


@pytest.mark.parametrize(("state", "post"), [("NOT_STARTED", False), ("COMPLETED", True), ("FAILED", True)])
def test_a_workflow_with_nothing_recorded_is_reset_unless_it_is_not_started(state: str, post: bool) -> None:
    plan = make_plan(survey(workflow(state=state)), Options())
    assert plan.workflows[0].post is post and changes(plan) is post


@pytest.mark.parametrize(("version", "has_template", "after"), [("3.6.0", False, None), ("2.13.0", False, "NOT_STARTED"), ("3.6.0", True, "NOT_STARTED")])
def test_the_state_goes_with_the_template_since_2_14(version: str, has_template: bool, after: str | None) -> None:
    plan = make_plan(survey(workflow(CONNECTOR, has_template=has_template), version=version), Options())
    assert plan.workflows[0].state_after == after


# -- allow_delete --------------------------------------------------------------------------------------------

NAMESAKES = workflow(resource("create_index", "docs"), resource("create_ingest_pipeline", "docs"))


def by_kind(plan: Plan) -> dict[str, str]:
    return {fate.resource.kind: fate.status for one in plan.workflows for fate in one.fates}


def test_a_bare_id_that_fits_two_kinds_releases_none_of_them() -> None:
    plan = make_plan(survey(NAMESAKES), Options(allow_delete=("docs",)))
    assert by_kind(plan) == {"index": "blocked", "ingest_pipeline": "blocked"}
    assert "index/docs" in plan.refusals[0] and "ingest_pipeline/docs" in plan.refusals[0]


def test_naming_one_of_two_namesakes_releases_none_since_the_server_would_take_both() -> None:
    plan = make_plan(survey(NAMESAKES), Options(allow_delete=("index/docs",), on_blocked="keep"))
    assert by_kind(plan) == {"index": "kept", "ingest_pipeline": "kept"}
    assert plan.workflows[0].allow == () and not plan.workflows[0].post


def test_naming_both_namesakes_with_their_kinds_releases_both() -> None:
    plan = make_plan(survey(NAMESAKES), Options(allow_delete=("index/docs", "ingest_pipeline/docs")))
    assert by_kind(plan) == {"index": "would_delete", "ingest_pipeline": "would_delete"}
    assert plan.workflows[0].allow == ("docs",)


def test_a_namesake_that_is_gone_is_in_nobodys_way() -> None:
    gone = workflow(resource("create_index", "docs"), resource("create_ingest_pipeline", "docs", exists=False))
    assert by_kind(make_plan(survey(gone), Options(allow_delete=("index/docs",)))) == {"index": "would_delete", "ingest_pipeline": "absent"}


def test_a_kind_before_the_id_names_no_other_kind() -> None:
    plan = make_plan(survey(workflow(INDEX)), Options(allow_delete=("ingest_pipeline/docs",)))
    assert statuses(plan) == {"docs": "blocked"}


@pytest.mark.parametrize("named", ["Docs", "*", "doc", "docs ", "_all", "docs,embed"])
def test_only_the_very_id_releases(named: str) -> None:
    assert statuses(make_plan(survey(workflow(INDEX)), Options(allow_delete=(named,)))) == {"docs": "blocked"}


@pytest.mark.parametrize("name", ["a*", "a,b", "*", "?", "<logs-{now/d}>", "-a", "_all", "+a", ".", ".."])
def test_an_index_name_that_the_cluster_takes_for_more_is_never_released(name: str) -> None:
    found = workflow(resource("create_index", name))
    plan = make_plan(survey(found), Options(allow_delete=(name, "index/" + name)))
    assert statuses(plan) == {name: "blocked"} and plan.workflows[0].allow == ()
    assert not make_plan(survey(found), Options(allow_delete=(name,), on_blocked="keep")).workflows[0].allow


@pytest.mark.parametrize("name", ["a,b", "a*", " a", "a\n"])
def test_a_pipeline_id_that_the_cluster_takes_for_more_is_never_released(name: str) -> None:
    plan = make_plan(survey(workflow(resource("create_ingest_pipeline", name))), Options(allow_delete=(name, "ingest_pipeline/" + name)))
    assert statuses(plan) == {name: "blocked"}


@pytest.mark.parametrize("name", ["-generated", "_generated", "rBv8_6EBRIk9XcBbd4Y8"])
def test_generated_ids_that_look_dangerous_are_harmless(name: str) -> None:
    assert statuses(make_plan(survey(workflow(resource("create_connector", name))), Options())) == {name: "would_delete"}


def test_a_strange_id_of_what_needs_no_naming_stops_the_whole_workflow() -> None:
    plan = make_plan(survey(workflow(resource("create_connector", "a*"), AGENT)), Options(on_blocked="keep"))
    assert statuses(plan) == {"a*": "kept", "a1": "failed"} and not plan.workflows[0].post


# -- what stands in the way ----------------------------------------------------------------------------------


def test_a_step_that_is_not_known_stops_its_workflow_and_no_other() -> None:
    strange = workflow(resource("step_of_a_newer_server", "x", problem="the step is not known"), CONNECTOR)
    other = workflow(resource("create_connector", "c2", workflow_id="w2"), workflow_id="w2")
    plan = make_plan(survey(strange, other), Options())
    assert statuses(plan) == {"x": "failed", "c1": "failed", "c2": "would_delete"}
    assert [one.post for one in plan.workflows] == [False, True] and fails(plan) and not plan.refusals


def test_a_read_only_index_is_predicted_to_fail_and_the_rest_goes() -> None:
    plan = make_plan(survey(workflow(replace(INDEX, obstacle="the index is blocked"), CONNECTOR)), Options(allow_delete=("docs",)))
    assert statuses(plan) == {"docs": "failed", "c1": "would_delete"}
    assert plan.workflows[0].post and plan.workflows[0].allow == () and fails(plan) and changes(plan)


def test_what_could_not_be_looked_at_refuses_everything() -> None:
    plan = make_plan(
        survey(workflow(replace(INDEX, exists=None, problem="no permissions for [indices:admin/get]"), CONNECTOR)), Options(allow_delete=("docs",))
    )
    assert statuses(plan) == {"docs": "unknown", "c1": "untouched"}
    assert "indices:admin/get" in plan.refusals[0]


def test_a_connector_that_a_model_outside_uses_is_predicted_to_stay_where_it_may_go() -> None:
    used = replace(CONNECTOR, users=(User("model", "other", "somebody's"),))
    plan = make_plan(survey(workflow(used, AGENT)), Options(on_shared="delete"))
    assert statuses(plan) == {"c1": "failed", "a1": "would_delete"}
    assert "model/other (somebody's)" in plan.workflows[0].fates[0].msg


def test_a_connector_that_only_models_of_the_task_use_goes_with_them() -> None:
    used = replace(CONNECTOR, users=(User("model", "m1"),))
    assert statuses(make_plan(survey(workflow(used, MODEL)), Options())) == {"c1": "would_delete", "m1": "would_delete"}


def test_a_deployed_model_that_nobody_undeploys_is_predicted_to_stay() -> None:
    deployed = resource("register_remote_model", "m1", state="DEPLOYED")
    assert statuses(make_plan(survey(workflow(deployed)), Options())) == {"m1": "failed"}


def test_a_model_that_was_only_deployed_is_undeployed_and_stays() -> None:
    only = resource("deploy_model", "m1", state="DEPLOYED")
    plan = make_plan(survey(workflow(only)), Options())
    assert statuses(plan) == {"m1": "retained"} and changes(plan) and plan.workflows[0].resets


def test_what_two_workflows_record_is_absent_in_the_later_one() -> None:
    first, second = (workflow(resource("create_index", "docs", workflow_id=name), workflow_id=name) for name in ("w1", "w2"))
    plan = make_plan(survey(first, second), Options(allow_delete=("docs",)))
    assert [fate.status for one in plan.workflows for fate in one.fates] == ["would_delete", "absent"]


# -- guards --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guard", "says"),
    [
        ({"protect": ("doc*",)}, "protect"),
        ({"protect": ("w1",)}, "protect"),
        ({"protect": ("prod",)}, "protect"),
        ({"max_workflows": 0}, "max_workflows is 0"),
        ({"max_documents": 1199}, "1200 documents"),
        ({"expect_cluster": "production"}, "production"),
        ({"plan_hash": "0" * 64}, "plan_hash"),
    ],
)
def test_each_guard_refuses_before_anything_is_deleted_and_says_why(guard: dict[str, Any], says: str) -> None:
    plan = make_plan(survey(workflow(INDEX, CONNECTOR, name="prod")), Options(allow_delete=("docs",), **guard))
    assert plan.refusals and not changes(plan) and not any(one.post for one in plan.workflows)
    assert any(says in text for text in plan.refusals)
    assert "would_delete" not in statuses(plan).values()


@pytest.mark.parametrize(
    "guard", [{"protect": ("zzz",)}, {"max_workflows": 1}, {"max_documents": 1200}, {"expect_cluster": "preview"}, {"expect_cluster": "uuid-of-preview"}]
)
def test_a_guard_that_is_met_refuses_nothing(guard: dict[str, Any]) -> None:
    assert not make_plan(survey(workflow(INDEX, CONNECTOR, name="env")), Options(allow_delete=("docs",), **guard)).refusals


def test_an_unknown_number_of_documents_counts_as_more() -> None:
    assert make_plan(survey(workflow(replace(INDEX, documents=None))), Options(allow_delete=("docs",), max_documents=10**9)).refusals


def test_a_protected_workflow_with_nothing_to_do_is_no_reason_to_refuse() -> None:
    assert not make_plan(survey(workflow(state="NOT_STARTED", name="prod")), Options(protect=("prod",))).refusals


def test_a_missing_workflow_is_fine_with_a_warning_that_names_the_cluster() -> None:
    plan = make_plan(survey(workflow(workflow_id="fxTPPviUDPV4LoG02uEe", state=None)), Options())
    assert not fails(plan) and not changes(plan) and plan.workflows[0].state_after is None
    assert plan.warnings == ("There is no workflow fxTPPviUDPV4LoG02uEe on cluster preview.",)


def test_what_is_too_short_for_an_id_is_asked_about_where_no_workflow_has_it() -> None:
    said = "There is no workflow %s on cluster preview."
    asked = said + " workflow_id takes ids: if this is a name, workflow_info finds the ids of it."
    for workflow_id, warning in (("shop", asked), ("a" * 19, asked), ("a" * 20, said)):
        assert make_plan(survey(workflow(workflow_id=workflow_id, state=None)), Options()).warnings == (warning % workflow_id,)


def test_a_missing_workflow_refuses_where_the_task_says_so() -> None:
    other = workflow(resource("create_connector", "c2", workflow_id="w2"), workflow_id="w2")
    plan = make_plan(survey(workflow(state=None), other), Options(on_missing="fail"))
    assert plan.refusals and statuses(plan) == {"c2": "untouched"}


# -- the hash ------------------------------------------------------------------------------------------------


def test_the_hash_lets_the_same_plan_through() -> None:
    options = Options(allow_delete=("docs",))
    found = survey(workflow(INDEX, CONNECTOR))
    assert not make_plan(found, replace(options, plan_hash=make_plan(found, options).hash)).refusals


@pytest.mark.parametrize(
    "other",
    [
        survey(workflow(replace(INDEX, uuid="another"), CONNECTOR)),
        survey(workflow(INDEX)),
        survey(workflow(INDEX, CONNECTOR, AGENT)),
        survey(workflow(INDEX, replace(CONNECTOR, exists=False))),
        survey(workflow(INDEX, CONNECTOR), workflow(workflow_id="w2", state=None)),
        replace(survey(workflow(INDEX, CONNECTOR)), server=replace(survey().server, cluster_uuid="another")),
    ],
)
def test_the_hash_lets_no_other_plan_through(other: Survey) -> None:
    options = Options(allow_delete=("docs",))
    approved = make_plan(survey(workflow(INDEX, CONNECTOR)), options).hash
    assert make_plan(other, replace(options, plan_hash=approved)).refusals


def test_the_hash_does_not_change_with_documents_and_sizes() -> None:
    options = Options(allow_delete=("docs",))
    assert make_plan(survey(workflow(INDEX)), options).hash == make_plan(survey(workflow(replace(INDEX, documents=7, size_in_bytes=9))), options).hash


def test_the_hash_changes_with_what_is_allowed() -> None:
    found = survey(workflow(replace(INDEX, exists=False), CONNECTOR))
    assert make_plan(found, Options(allow_delete=("docs",))).hash != make_plan(found, Options()).hash


# -- below 2.16 ----------------------------------------------------------------------------------------------


def test_below_2_16_named_indices_and_pipelines_are_deleted_by_us_in_reverse_order_and_none_is_named_to_the_server() -> None:
    plan = make_plan(survey(EVERYTHING, version="2.15.0"), Options(allow_delete=("docs", "embed", "rank")))
    only = plan.workflows[0]
    assert [one.id for one in only.first] == ["rank", "embed", "docs"]
    assert only.post and only.allow == () and only.resets


def test_below_2_16_the_deprovision_waits_for_what_cannot_be_deleted() -> None:
    found = workflow(replace(INDEX, obstacle="the index is blocked"), INGEST, CONNECTOR)
    plan = make_plan(survey(found, version="2.15.0"), Options(allow_delete=("docs", "embed")))
    assert statuses(plan) == {"docs": "failed", "embed": "would_delete", "c1": "failed"}
    assert [one.id for one in plan.workflows[0].first] == ["embed"] and not plan.workflows[0].post


def test_below_2_16_keeping_says_that_the_server_forgets() -> None:
    plan = make_plan(survey(workflow(INDEX, CONNECTOR), version="2.15.0"), Options(on_blocked="keep"))
    assert plan.workflows[0].resets and any("forgets" in text and "docs" in text for text in plan.warnings)


def test_what_a_workflow_that_must_be_left_alone_would_have_deleted_is_not_absent_in_a_later_one() -> None:
    used = resource("register_agent", "a1", users=(User("workflow", "outside"),))
    first = workflow(used, resource("create_index", "docs"))
    second = workflow(resource("create_index", "docs", workflow_id="w2"), workflow_id="w2")
    plan = make_plan(survey(first, second), Options(allow_delete=("docs",), on_shared="keep"))
    assert [(fate.resource.id, fate.status) for one in plan.workflows for fate in one.fates] == [
        ("a1", "kept"),
        ("docs", "failed"),
        ("docs", "would_delete"),
    ]
    assert [one.post for one in plan.workflows] == [False, True]


def test_what_uses_a_resource_goes_before_the_workflow_that_recorded_it() -> None:
    """The server refuses to delete a connector while a model uses it, and a model while an agent does."""
    model = replace(resource("register_remote_model", "m1", workflow_id="models"), users=(User("agent", "a1"),))
    connector = replace(resource("create_connector", "c1", workflow_id="connectors"), users=(User("model", "m1"), User("model", "of nobody here")))
    agent = resource("register_agent", "a1", workflow_id="agents")
    plan = make_plan(survey(*(workflow(one, workflow_id=one.workflow_id) for one in (connector, model, agent))), Options())
    assert go_before(plan) == {"connectors": {"models"}, "models": {"agents"}}


def test_of_several_that_recorded_the_same_the_earlier_goes_before_the_later() -> None:
    twins = [workflow(resource("create_index", "docs", workflow_id=name), workflow_id=name) for name in ("first", "second", "third")]
    assert go_before(make_plan(survey(*twins), Options())) == {"second": {"first"}, "third": {"second"}}


def test_what_is_used_within_one_workflow_orders_nothing() -> None:
    model = resource("register_remote_model", "m1")
    plan = make_plan(survey(workflow(replace(CONNECTOR, users=(User("model", "m1"),)), model)), Options())
    assert go_before(plan) == {}
