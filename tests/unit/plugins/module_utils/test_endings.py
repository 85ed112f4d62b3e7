# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a workflow ended: what looking again shows, against what was planned; and the reason that is given for what is left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.endings import Ending, carried_out, number, planned
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.fates import Fate
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.options import Options
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.plan import WorkflowPlan, make_plan
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import Resource, Workflow
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.sharing import User
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.teardown import Run

from .worlds import resource, survey, workflow

INDEX = resource("create_index", "docs")
PIPELINE = resource("create_ingest_pipeline", "embed")
CONNECTOR = resource("create_connector", "c1")
MODEL = resource("register_remote_model", "m1", "deploy_model", state="DEPLOYED")
ONLY_DEPLOYED = resource("deploy_model", "m1", state="DEPLOYED")
GROUP = resource("register_model_group", "g1")


def plan_of(*resources: Resource, made: dict[str, Any] | None = None, version: str = "3.6.0", **options: Any) -> WorkflowPlan:
    options.setdefault("allow_delete", ("docs", "embed"))
    return make_plan(survey(replace(workflow(*resources), **(made or {})), version=version), Options(**options)).workflows[0]


def run(plan: WorkflowPlan, *left: Resource, recorded: tuple[Resource, ...] | None = None, state: str = "COMPLETED", **facts: Any) -> Run:
    """A run after which these are left as they are here; the record holds them, unless it is said to hold others."""
    remaining = {one.key: one for one in left}
    seen = {fate.resource.key: remaining.get(fate.resource.key, replace(fate.resource, exists=False)) for fate in plan.fates}
    now = replace(plan.workflow, state=state, resources=left if recorded is None else recorded)
    facts.setdefault("attempts", 1)
    return Run(plan, now, facts.pop("last", WorkflowPlan(now)), seen, **facts)


def ending(made: Run) -> Ending:
    (found,) = carried_out([made])
    return found


def fate(made: Run) -> Fate:
    """Of the first resource."""
    return ending(made).fates[0]


def verdict(made: Run) -> tuple[str, str, bool]:
    found = fate(made)
    assert found.resource == made.plan.fates[0].resource, "as it was before"
    return found.status, found.msg, found.changed


# -- one resource ------------------------------------------------------------------------------------------


def test_what_looking_again_does_not_find_is_deleted() -> None:
    assert verdict(run(plan_of(CONNECTOR))) == ("deleted", "", True)


def test_what_was_gone_before_anything_was_sent_is_not_our_doing() -> None:
    made = run(plan_of(CONNECTOR), attempts=0)
    assert verdict(made) == ("absent", "Something else deleted it during this run.", False)


def test_below_2_16_what_our_own_call_took_away_is_deleted_though_no_deprovision_was_sent() -> None:
    assert verdict(run(plan_of(INDEX, version="2.15.0"), attempts=0)) == ("deleted", "", True)


def test_what_cannot_be_looked_at_again_is_unknown() -> None:
    left = replace(CONNECTOR, exists=None, problem="the answer was lost")
    assert verdict(run(plan_of(CONNECTOR), left)) == ("unknown", "It could not be looked at again: the answer was lost", False)


def test_an_index_of_that_name_with_another_uuid_is_a_new_one() -> None:
    expected = ("deleted", "There is a new index of that name, which was left alone.", True)
    assert verdict(run(plan_of(INDEX), replace(INDEX, uuid="another"))) == expected
    assert verdict(run(plan_of(INDEX), INDEX))[0] == "failed"
    without = replace(INDEX, uuid=None)
    assert verdict(run(plan_of(without), without))[0] == "failed", "nobody knows the uuid that it had"


def test_what_is_there_while_the_server_may_be_at_it_is_unknown() -> None:
    assert verdict(run(plan_of(CONNECTOR), CONNECTOR, unknown=True, error="wait_timeout was over.")) == ("unknown", "wait_timeout was over.", False)


@pytest.mark.parametrize(("unknown", "status"), [(False, "failed"), (True, "unknown")])
def test_what_was_not_begun_has_the_reason_of_its_workflow(unknown: bool, status: str) -> None:
    plan = plan_of(CONNECTOR)
    made = Run(plan, plan.workflow, plan, {CONNECTOR.key: CONNECTOR}, error="not attempted", unknown=unknown)
    assert verdict(made) == (status, "not attempted", False)


def test_what_was_known_to_stay_keeps_its_reason_where_nothing_was_begun() -> None:
    plan = plan_of(replace(INDEX, obstacle="the index is read-only"))
    made = Run(plan, plan.workflow, plan, {INDEX.key: INDEX}, error="not attempted")
    assert verdict(made) == ("failed", "Cannot be deleted: the index is read-only.", False)


def test_what_is_gone_after_one_call_is_deleted_though_the_record_could_not_be_read_again() -> None:
    plan = plan_of(CONNECTOR)
    assert verdict(Run(plan, plan.workflow, plan, {CONNECTOR.key: replace(CONNECTOR, exists=False)}, attempts=1)) == ("deleted", "", True)


def test_a_step_that_is_not_known_and_what_was_never_seen_stay_as_they_were_planned() -> None:
    strange = resource("step_of_a_newer_server", "x", problem="not known")
    plan = plan_of(strange)
    assert verdict(run(plan, replace(strange, exists=False), attempts=0)) == ("failed", plan.fates[0].msg, False)
    unseen = WorkflowPlan(workflow(CONNECTOR), (Fate(replace(CONNECTOR, exists=None), "failed", "said before"),))
    assert verdict(run(unseen, recorded=())) == ("failed", "said before", False)


def test_what_was_to_go_with_another_workflow_and_did_not_is_a_failure() -> None:
    twin = workflow(replace(CONNECTOR, workflow_id="w2"), workflow_id="w2")
    second = make_plan(survey(workflow(CONNECTOR), twin), Options()).workflows[1]
    assert verdict(run(second, CONNECTOR)) == ("failed", "Another workflow of this task was to take it along, and has not.", False)
    assert verdict(run(second))[0] == "absent"


def test_what_was_gone_and_is_there_was_left_alone() -> None:
    assert verdict(run(plan_of(replace(INDEX, exists=False)), INDEX)) == (
        "failed",
        "It was gone when the plan was made, and is there now: it was left alone.",
        False,
    )


def test_what_was_to_be_kept_and_is_gone_was_somebody_elses_doing() -> None:
    plan = plan_of(INDEX, allow_delete=(), on_blocked="keep")
    assert verdict(run(plan)) == ("absent", "It was to be kept, and is gone: something else has deleted it during this run.", False)
    kept = fate(run(plan, INDEX))
    assert (kept.status, kept.release) == ("kept", "docs") and "only if allow_delete names it" in kept.msg


@pytest.mark.parametrize(
    ("now", "changed"),
    [(replace(ONLY_DEPLOYED, state="UNDEPLOYED"), True), (ONLY_DEPLOYED, False), (replace(ONLY_DEPLOYED, exists=None, state=None), False)],
)
def test_a_model_that_stays_has_changed_when_it_is_seen_not_to_be_deployed(now: Resource, changed: bool) -> None:
    made = run(plan_of(ONLY_DEPLOYED), now, recorded=())
    assert verdict(made) == ("retained", "This workflow only deployed the model: it is undeployed and stays.", changed)


def test_that_the_time_was_over_stands_before_the_reason_and_any_other_error_in_its_place() -> None:
    said = "It is still there after 1 deprovision call. %s"
    assert verdict(run(plan_of(CONNECTOR), CONNECTOR, said="No."))[1] == said % "No."
    assert verdict(run(plan_of(CONNECTOR), CONNECTOR, said="No.", error="x was over.", late=True))[1] == "x was over. " + said % "No."
    assert verdict(run(plan_of(CONNECTOR), CONNECTOR, said="No.", error="Stopped."))[1] == "Stopped."


def test_what_the_server_leaves_and_has_forgotten_is_told_with_the_request_that_deletes_it() -> None:
    plan = plan_of(CONNECTOR, GROUP)
    (said,) = (one.msg for one in plan.fates if one.resource.kind == "model_group")

    def told(*left: Resource, recorded: tuple[Resource, ...]) -> str:
        return next(one.msg for one in ending(run(plan, *left, recorded=recorded)).fates if one.resource.kind == "model_group")

    assert told(GROUP, recorded=()) == said + " Nothing records it now: DELETE /_plugins/_ml/model_groups/g1 deletes it."
    assert told(GROUP, recorded=(GROUP,)) == said, "a later run can still do it"
    assert told(recorded=()) == said, "somebody has deleted it"


def test_what_others_record_or_use_is_not_called_free() -> None:
    def told(*users: User, left: tuple[Resource, ...] = (GROUP,), others: tuple[Resource, ...] = ()) -> bool:
        first = run(plan_of(replace(GROUP, users=users), MODEL), *left, recorded=())
        second = run(plan_of(PIPELINE, GROUP), GROUP, recorded=others)
        (msg,) = (one.msg for one in carried_out([first, second])[0].fates if one.resource.kind == "model_group")
        return "Nothing records it now" in msg

    assert told()
    assert not told(User("workflow", "w2")) and not told(User("model", "foreign")), "users as they were seen before"
    assert told(User("model", "m1")), "which this run has deleted"
    assert not told(User("model", "m1"), left=(GROUP, MODEL)), "which is still there"
    assert not told(others=(GROUP,)), "another workflow of the task records it"


def test_a_model_that_was_not_deployed_and_stays_has_not_changed() -> None:
    before = replace(ONLY_DEPLOYED, state="UNDEPLOYED")
    assert verdict(run(plan_of(before), before, recorded=()))[2] is False


# -- why it is still there ---------------------------------------------------------------------------------


def why(*left: Resource, of: Resource | None = None, **facts: Any) -> str:
    found = fate(run(plan_of(of or left[0]), *left, **facts))
    assert found.status == "failed" and not found.changed
    return found.msg


def test_what_a_call_of_our_own_was_answered_comes_first() -> None:
    assert why(CONNECTOR, refused={CONNECTOR.key: "Deleting it: no rights"}, error="also") == "It is still there. Deleting it: no rights"


def test_where_no_deprovision_was_sent_the_reason_is_what_could_not_be_deleted() -> None:
    refused = {INDEX.key: "Deleting docs: no.", PIPELINE.key: "Deleting embed: no."}
    assert why(CONNECTOR, refused=refused, attempts=0) == (
        "No deprovision was sent, since something else could not be deleted. Deleting docs: no. Deleting embed: no."
    )
    assert "No deprovision was sent" not in why(CONNECTOR, refused=refused, attempts=1)


def test_why_the_workflow_stopped_is_why_its_resources_are_there() -> None:
    assert why(CONNECTOR, error="A new resource is recorded.") == "A new resource is recorded."


def test_what_the_plan_for_the_rest_says_is_said() -> None:
    fates = (Fate(INDEX, "failed", "not this one"), Fate(CONNECTOR, "failed", "Still in use by model/m9: delete that first."))
    assert why(CONNECTOR, last=WorkflowPlan(workflow(CONNECTOR), fates)) == "Still in use by model/m9: delete that first."
    harmless = (Fate(CONNECTOR, "would_delete", "would go"),)
    assert why(CONNECTOR, last=WorkflowPlan(workflow(CONNECTOR), harmless)).startswith("It is still there after 1 deprovision call.")


def test_what_was_known_to_stay_keeps_its_reason() -> None:
    stuck = replace(INDEX, obstacle="the index is read-only")
    assert why(stuck) == "Cannot be deleted: the index is read-only."


def test_what_is_recorded_no_more_has_to_be_deleted_by_hand() -> None:
    assert why(CONNECTOR, recorded=()) == "The server took it off its record and left it there: delete it by hand."


def test_what_came_in_place_of_an_answer_is_said_with_the_number_of_calls() -> None:
    assert why(CONNECTOR, attempts=3, said="The answer was lost.") == "It is still there after 3 deprovision calls. The answer was lost."


def test_a_model_that_is_still_deployed_most_often_lacks_rights_which_are_named() -> None:
    assert why(MODEL) == (
        "It is still there after 1 deprovision call. The model is still deployed; the server does not say why. Most often these credentials lack"
        " cluster:admin/opensearch/ml/undeploy_models and cluster:admin/opensearch/ml/undeploy_model."
    )


def test_what_uses_it_is_named() -> None:
    used = replace(CONNECTOR, users=(User("model", "m8"), User("model", "m9")))
    assert why(used, of=CONNECTOR) == "It is still there after 1 deprovision call. It is used by model/m8, model/m9; the server does not say more."


def test_where_nothing_can_be_seen_the_right_is_named_and_the_words_that_a_connector_shares() -> None:
    start = "It is still there after 1 deprovision call. The server does not say why; most often these credentials may not delete it (they need "
    rights = "%s), or something uses it that they may not see."
    assert why(CONNECTOR) == start + rights % "cluster:admin/opensearch/ml/connectors/delete"
    assert why(resource("register_agent", "a-1")) == start + rights % "cluster:admin/opensearch/ml/agents/delete"
    assert why(resource("create_connector", "c-1")) == (
        start + rights % "cluster:admin/opensearch/ml/connectors/delete" + " Or ML Commons mistakes models of another connector for those of this"
        " one: it compares the words of the ids, between dashes. DELETE /_plugins/_ml/connectors/c-1 names them, or deletes it."
    )


# -- the workflow ------------------------------------------------------------------------------------------


def test_an_ending_says_what_was_done_and_how_long_it_took() -> None:
    found = ending(run(plan_of(CONNECTOR), state="NOT_STARTED", attempts=2, duration=1.23456))
    assert (found.state_after, found.changed, found.msg, found.failed, found.attempts, found.duration) == ("NOT_STARTED", True, "", False, 2, 1.235)
    assert found.workflow == workflow(CONNECTOR), "as it was before"


def test_an_error_is_the_message_before_that_of_the_plan_and_a_failure_of_its_own() -> None:
    plan = replace(plan_of(replace(INDEX, exists=False)), msg="planned")
    assert (ending(run(plan, error="over")).msg, ending(run(plan, error="over")).failed) == ("over", True)
    assert (ending(run(plan)).msg, ending(run(plan)).failed) == ("planned", False)


def test_a_resource_that_failed_fails_its_workflow() -> None:
    assert ending(run(plan_of(CONNECTOR), CONNECTOR)).failed is True


def test_a_plan_predicts_the_ending_of_each_workflow() -> None:
    plan = make_plan(survey(workflow(CONNECTOR), workflow(state=None, workflow_id="w2")), Options())
    first, second = planned(plan)
    assert first == Ending(workflow(CONNECTOR), plan.workflows[0].fates, "NOT_STARTED", True, "", False, 0, 0.0)
    assert second == Ending(workflow(state=None, workflow_id="w2"), (), None, False, "", False, 0, 0.0)
    strange = make_plan(survey(workflow(resource("step_of_a_newer_server", "x", problem="not known"))), Options())
    assert (planned(strange)[0].msg, planned(strange)[0].failed) == (strange.workflows[0].msg, True) and strange.workflows[0].msg


# -- what is a change --------------------------------------------------------------------------------------


def changed(plan: WorkflowPlan, *left: Resource, **facts: Any) -> bool:
    return ending(run(plan, *left, **facts)).changed


GONE = replace(INDEX, exists=False)


def test_a_reset_is_a_change_when_a_call_was_sent() -> None:
    assert changed(plan_of(GONE), state="NOT_STARTED") is True, "the record was cleared"
    assert changed(plan_of(GONE), state="COMPLETED") is True, "the state alone says nothing"
    assert changed(plan_of(GONE), state="NOT_STARTED", attempts=0) is False, "by somebody else"
    assert changed(plan_of(GONE), GONE) is False, "it still records it"
    assert changed(plan_of(made={"state": "FAILED"}), state="NOT_STARTED") is True, "nothing was recorded, and the state is another one"
    assert changed(plan_of(made={"state": "FAILED"}), state="FAILED") is False
    missing = WorkflowPlan(Workflow("w1", None))
    assert changed(missing, state="NOT_STARTED") is False, "there was no workflow"


def test_a_reset_that_nobody_could_read_again_may_be_a_change() -> None:
    plan = plan_of(GONE, PIPELINE, stale_records="forget")
    resetting = plan_of(made={"state": "FAILED"})
    assert resetting.resets and not plan.resets
    assert changed(resetting, state="FAILED", unread=True) is True
    assert changed(resetting, state="FAILED", unread=True, attempts=0) is False
    assert changed(plan_of(INDEX, allow_delete=(), on_blocked="keep"), INDEX, unread=True) is False


def test_what_is_there_and_recorded_no_more_is_a_change() -> None:
    plan = plan_of(GROUP)
    assert changed(plan, GROUP, recorded=()) is True
    assert changed(plan, GROUP, recorded=(), attempts=0) is False
    assert changed(plan, GROUP) is False, "it is still recorded"
    assert changed(plan_of(GONE), recorded=(CONNECTOR,)) is False, "what is gone is not forgotten"


def test_a_record_that_was_deleted_is_a_change() -> None:
    assert changed(plan_of(GONE), GONE, attempts=0, dropped=True) is True


def test_a_model_that_is_not_deployed_any_more_is_a_change_though_it_should_have_gone() -> None:
    left = replace(MODEL, state="UNDEPLOYED")
    made = run(plan_of(MODEL), left)
    assert ending(made).changed is True and fate(made).status == "failed" and not fate(made).changed
    assert changed(plan_of(MODEL), MODEL) is False
    assert changed(plan_of(replace(MODEL, state="UNDEPLOYED")), left) is False, "it was not before"
    assert changed(plan_of(MODEL), replace(MODEL, exists=None, state=None)) is False, "nobody knows"


def test_what_was_deleted_is_a_change_whatever_else_happened() -> None:
    assert changed(plan_of(CONNECTOR, INDEX), INDEX, error="over") is True


def test_a_placeholder_that_was_put_there_is_a_change_and_one_that_was_there_is_none() -> None:
    plan = plan_of(GONE, stale_records="recreate")
    placed = replace(GONE, placeholder=True)
    assert plan.recreate and changed(plan, placed, attempts=0, recreated=True) is True
    assert changed(plan, placed, attempts=0) is False, "somebody else has put it there"
    assert changed(plan_of(placed, PIPELINE, allow_delete=(), on_blocked="keep"), placed, PIPELINE, attempts=0) is False


# -- words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "plural", "text"),
    [(0, "", "0 models"), (1, "", "1 model"), (2, "", "2 models"), (1, "mice", "1 model"), (2, "mice", "2 mice")],
)
def test_a_count_agrees_with_its_noun(count: int, plural: str, text: str) -> None:
    assert number(count, "model", plural) == text
