# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent for a workflow, how its record ends, why a task is refused, and what a person is told of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.options import Options
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.plan import Plan, WorkflowPlan, go_before, make_plan
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import Resource, Unrecorded
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.sharing import User

from .worlds import changes, fails, resource, survey, workflow

INDEX = resource("create_index", "docs", documents=1200)
PIPELINE = resource("create_ingest_pipeline", "embed")
SEARCH = resource("create_search_pipeline", "rank")
CONNECTOR = resource("create_connector", "c1")
MODEL = resource("register_remote_model", "m1", "deploy_model", state="DEPLOYED")
GROUP = resource("register_model_group", "g1")
STRANGE = resource("step_of_a_newer_server", "x", problem="A step that is not known")
NAMED = ("docs", "embed", "rank")


def gone(one: Resource, **facts: Any) -> Resource:
    return replace(one, exists=False, **facts)


def planned(*resources: Resource, version: str = "3.6.0", made: dict[str, Any] | None = None, **options: Any) -> WorkflowPlan:
    """The plan of a task of one workflow."""
    return make(*resources, version=version, made=made, **options).workflows[0]


def make(*resources: Resource, version: str = "3.6.0", made: dict[str, Any] | None = None, **options: Any) -> Plan:
    return make_plan(survey(replace(workflow(*resources), **(made or {})), version=version), Options(**options))


def sent(one: WorkflowPlan) -> dict[str, Any]:
    """What is sent, of what there is; and where the record ends."""
    found = {name: getattr(one, name) for name in ("post", "allow", "first", "recreate", "drop", "clear", "last", "resets")}
    ids = {name: [r.id for r in value] if name in ("first", "recreate", "last") else value for name, value in found.items() if value}
    return {**ids, "state": one.state_after}


# -- what is sent ------------------------------------------------------------------------------------------


def test_a_deprovision_names_what_goes_in_order_and_resets_the_record() -> None:
    assert sent(planned(SEARCH, INDEX, PIPELINE, CONNECTOR, allow_delete=NAMED)) == {"post": True, "allow": NAMED, "resets": True, "state": "NOT_STARTED"}


def test_what_stays_recorded_leaves_the_workflow_completed() -> None:
    assert sent(planned(INDEX, CONNECTOR, on_blocked="keep")) == {"post": True, "state": "COMPLETED"}
    assert sent(planned(gone(INDEX), CONNECTOR, made={"state": "FAILED"})) == {"post": True, "state": "COMPLETED"}


def test_nothing_is_sent_where_nothing_would_change() -> None:
    assert sent(planned(INDEX, on_blocked="keep", made={"state": "FAILED"})) == {"state": "FAILED"}
    assert sent(planned(made={"state": "NOT_STARTED"})) == {"state": "NOT_STARTED"}
    assert sent(planned(gone(INDEX))) == {"state": "COMPLETED"}


def test_a_record_of_what_is_gone_is_a_reason_to_reset_a_workflow_whatever_its_state_says() -> None:
    assert sent(planned(gone(CONNECTOR), made={"state": "NOT_STARTED"})) == {"post": True, "resets": True, "state": "NOT_STARTED"}


def test_below_2_16_we_delete_the_last_one_first_and_name_nothing() -> None:
    found = planned(INDEX, PIPELINE, CONNECTOR, version="2.15.0", allow_delete=NAMED)
    assert sent(found) == {"post": True, "first": ["embed", "docs"], "resets": True, "state": "NOT_STARTED"}
    assert found.acts and not found.posts, "the next thing sent is no deprovision"


def test_below_2_16_indices_alone_are_a_reason_to_send_one_in_the_end() -> None:
    assert sent(planned(INDEX, version="2.15.0", allow_delete=NAMED))["post"] is True
    assert sent(planned(INDEX, version="2.15.0", on_blocked="keep"))["post"] is True, "the server forgets what is kept"


def test_below_2_16_an_index_that_we_delete_is_no_reason_to_send_one_that_resets_nothing() -> None:
    """The server cannot get over the model, and has nothing to delete."""
    assert sent(planned(INDEX, gone(MODEL), version="2.15.0", allow_delete=NAMED)) == {"first": ["docs"], "state": "COMPLETED"}
    assert sent(planned(CONNECTOR, gone(MODEL), version="2.15.0")) == {"post": True, "state": "COMPLETED"}


def test_below_2_16_no_deprovision_forgets_what_cannot_be_deleted() -> None:
    stuck = replace(INDEX, obstacle="read-only")
    found = planned(stuck, PIPELINE, CONNECTOR, version="2.15.0", allow_delete=NAMED)
    assert found.msg == "This version of Flow Framework would forget the index docs, which cannot be deleted: no deprovision is sent."
    assert sent(found) == {"first": ["embed"], "state": "COMPLETED"}
    assert [(one.status, one.changed) for one in found.fates] == [("failed", False), ("would_delete", True), ("failed", False)]
    assert found.fates[2].msg == found.msg
    assert sent(planned(stuck, PIPELINE, CONNECTOR, allow_delete=NAMED)) == {"post": True, "allow": ("embed",), "state": "COMPLETED"}


def test_a_model_group_is_deleted_last_by_us() -> None:
    assert sent(planned(GROUP, CONNECTOR, leftovers="delete")) == {"post": True, "last": ["g1"], "resets": True, "state": "NOT_STARTED"}


# -- when nothing may be sent --------------------------------------------------------------------------------


def test_a_workflow_with_a_step_that_is_not_known_is_left_alone() -> None:
    found = planned(CONNECTOR, STRANGE, INDEX, allow_delete=NAMED, delete_workflow=True)
    assert sent(found) == {"state": "COMPLETED"} and found.msg == found.fates[1].msg
    assert found.msg == "A step that is not known: a deprovision of this workflow would never be answered, so none is sent."
    assert [(one.status, one.msg) for one in found.fates] == [("failed", found.msg)] * 3


def test_no_cure_for_stale_records_is_offered_where_nothing_may_be_sent() -> None:
    assert planned(gone(INDEX), STRANGE).warnings == ()


@pytest.mark.parametrize(("step", "before", "since"), [("create_search_pipeline", "2.12.0", "2.13.0"), ("reindex", "2.14.0", "2.15.0")])
def test_a_step_that_this_server_does_not_know_is_said_with_both_names(step: str, before: str, since: str) -> None:
    found = planned(resource(step, "docs"), CONNECTOR, version=before, allow_delete=NAMED)
    assert not found.acts and found.failed
    assert found.msg == f"Flow Framework {before}.0 does not know the step {step}: a deprovision would never be answered, so none is sent."
    assert planned(resource(step, "docs"), CONNECTOR, version=since, allow_delete=NAMED).post


def test_what_must_stay_and_would_be_deleted_without_being_named_stops_the_deprovision() -> None:
    shared = replace(CONNECTOR, users=(User("agent", "a9"),))
    found = planned(INDEX, shared, allow_delete=NAMED, on_shared="keep")
    assert sent(found) == {"state": "COMPLETED"}
    assert found.msg == "A deprovision would delete the connector c1 as well, which must stay: none is sent."
    assert [one.status for one in found.fates] == ["failed", "kept"]


def test_a_connector_that_a_model_outside_uses_stays_by_itself() -> None:
    """The server refuses to delete it (recording connector_in_use)."""
    shared = replace(CONNECTOR, users=(User("model", "m9"),))
    assert sent(planned(INDEX, shared, allow_delete=NAMED, on_shared="keep")) == {"post": True, "allow": ("docs",), "state": "COMPLETED"}


# -- records of what is gone -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        ({}, "stale_records: recreate or forget clears it"),
        (
            {"stale_records": "recreate"},
            "stale_records: recreate needs all of it named in allow_delete, works for indices and pipelines only, and only where nothing else stays",
        ),
        ({"stale_records": "forget", "on_blocked": "keep"}, "stale_records: forget needs Flow Framework 2.15, and that nothing else stays"),
    ],
)
def test_a_record_of_what_is_gone_is_said_with_what_clears_it(options: dict[str, Any], cure: str) -> None:
    others = (PIPELINE,) if "on_blocked" in options else ()
    found = planned(gone(INDEX), gone(SEARCH), *others, **options)
    assert found.warnings == (f"Workflow w1 still records what is gone (docs, rank), and the server cannot get over that: {cure}.",)


def test_of_a_record_that_goes_with_another_workflow_it_is_said_that_it_may_be_there_still() -> None:
    second = workflow(replace(INDEX, workflow_id="w2"), workflow_id="w2")
    found = make_plan(survey(workflow(INDEX), second), Options(allow_delete=("docs",)))
    (text,) = found.warnings
    assert text == (
        "Workflow w2 still records what is gone, or goes with another workflow of this task (docs), and the server cannot get over that:"
        " stale_records: recreate or forget clears it."
    )


def test_stale_records_are_recreated_where_all_of_them_are_named_and_nothing_else_stays() -> None:
    options: dict[str, Any] = {"stale_records": "recreate", "allow_delete": NAMED}
    assert sent(planned(gone(INDEX), gone(PIPELINE), **options)) == {
        "recreate": ["docs", "embed"],
        "resets": True,
        "state": "NOT_STARTED",
    }
    assert sent(planned(gone(INDEX), CONNECTOR, **options)) == {"post": True, "recreate": ["docs"], "resets": True, "state": "NOT_STARTED"}
    for others, changed in (
        ((gone(SEARCH),), {"allow_delete": ("docs", "embed")}),  # not named
        ((replace(SEARCH, obstacle="in use"),), {}),  # stays
        ((gone(MODEL),), {}),  # a model never
        ((gone(resource("create_index", "docs*")),), {"allow_delete": ("docs", "docs*")}),  # no such name
        ((), {"delete_workflow": True}),  # template and state go, with the record
    ):
        assert "recreate" not in sent(planned(gone(INDEX), *others, **{**options, **changed}))


def test_a_stale_record_with_a_namesake_that_is_not_named_is_not_recreated() -> None:
    twin = resource("create_ingest_pipeline", "docs")
    options: dict[str, Any] = {"stale_records": "recreate", "on_blocked": "keep"}
    assert "recreate" not in sent(planned(gone(INDEX), twin, allow_delete=("index/docs",), **options))


def test_a_placeholder_of_the_same_id_is_in_no_stale_records_way() -> None:
    twin = gone(resource("create_ingest_pipeline", "docs"), placeholder=True)
    found = planned(gone(INDEX), twin, stale_records="recreate", allow_delete=("index/docs",))
    assert sent(found) == {"post": True, "allow": ("docs",), "recreate": ["docs"], "resets": True, "state": "NOT_STARTED"}


def test_forgetting_takes_template_and_state_with_the_record_since_2_15() -> None:
    assert sent(planned(gone(INDEX), stale_records="forget")) == {"drop": True, "clear": True, "state": None}
    assert sent(planned(gone(MODEL), version="2.15.0", stale_records="forget")) == {"drop": True, "clear": True, "state": None}
    assert sent(planned(gone(MODEL), version="2.14.0", stale_records="forget")) == {"state": "COMPLETED"}
    assert sent(planned(CONNECTOR, stale_records="forget")) == {"post": True, "resets": True, "state": "NOT_STARTED"}, "nothing is stale"
    assert "drop" not in sent(planned(gone(INDEX), PIPELINE, stale_records="forget", on_blocked="keep")), "something else stays"


def test_deleting_the_workflow_takes_template_and_state_when_nothing_stays() -> None:
    done = {"post": True, "drop": True, "resets": True}
    assert sent(planned(CONNECTOR, delete_workflow=True)) == {**done, "state": None}
    assert sent(planned(CONNECTOR, version="2.13.0", delete_workflow=True)) == {**done, "state": "NOT_STARTED"}, "the state stays without its template"
    assert sent(planned(gone(INDEX), delete_workflow=True)) == {"drop": True, "clear": True, "state": None}
    assert sent(planned(gone(MODEL), version="2.14.0", delete_workflow=True)) == {"state": "COMPLETED"}
    assert sent(planned(made={"state": None}, delete_workflow=True)) == {"drop": True, "state": None}, "a template without a state"
    assert sent(planned(made={"state": None, "has_template": False}, delete_workflow=True)) == {"state": None}
    assert sent(planned(CONNECTOR, made={"has_template": False}, delete_workflow=True)) == {**done, "state": None}, "a state without a template"
    assert sent(planned(CONNECTOR, made={"has_template": False}, version="2.13.0", delete_workflow=True)) == {
        "post": True,
        "resets": True,
        "state": "NOT_STARTED",
    }, "there is no template, and the state does not go with it"


def test_what_stays_keeps_the_workflow_and_that_is_said() -> None:
    found = planned(INDEX, on_blocked="keep", delete_workflow=True)
    assert sent(found) == {"state": "COMPLETED"}
    assert found.warnings == ("Template and state of workflow w1 stay: something that it records stays.",)
    assert planned(INDEX, on_blocked="keep", delete_workflow=True, made={"has_template": False}).warnings == found.warnings
    assert planned(CONNECTOR, STRANGE, delete_workflow=True).warnings == found.warnings
    assert planned(gone(MODEL), version="2.14.0", delete_workflow=True).warnings[1:] == found.warnings
    assert planned(INDEX, on_blocked="keep").warnings == (), "it was to stay"


def test_nothing_is_said_to_stay_recorded_where_nothing_does() -> None:
    assert planned(gone(INDEX), delete_workflow=True).warnings == ()
    assert planned(made={"state": None, "has_template": False}, delete_workflow=True).warnings == (), "there is none that could stay"
    assert planned(CONNECTOR, made={"has_template": False}, version="2.13.0", delete_workflow=True).warnings == (), "the state is reset"


def test_a_state_that_is_being_provisioned_is_ended_by_a_deprovision_before_it_is_deleted() -> None:
    found = planned(gone(INDEX), stale_records="forget", made={"state": "PROVISIONING"})
    assert sent(found) == {"post": True, "drop": True, "clear": True, "state": None}
    assert found.warnings == ("Workflow w1 is being provisioned: what it creates from now on is not in this plan.",)


def test_the_record_of_a_workflow_without_template_goes_since_2_14() -> None:
    made = {"has_template": False}
    assert planned(CONNECTOR, made=made, version="2.14.0").state_after is None
    assert planned(CONNECTOR, made=made, version="2.13.0").state_after == "NOT_STARTED"
    assert planned(CONNECTOR, made={"has_template": None}).state_after == "NOT_STARTED"


# -- placeholders of ours -----------------------------------------------------------------------------------


def test_a_placeholder_of_ours_goes_with_any_options() -> None:
    assert sent(planned(gone(INDEX, placeholder=True))) == {"post": True, "allow": ("docs",), "resets": True, "state": "NOT_STARTED"}
    found = planned(gone(INDEX, placeholder=True), PIPELINE, on_blocked="keep")
    assert sent(found) == {"post": True, "allow": ("docs",), "state": "COMPLETED"}, "even where something else stays recorded"


def test_a_placeholder_never_takes_a_namesake_along_that_stays() -> None:
    twin = resource("create_ingest_pipeline", "docs")
    assert sent(planned(gone(INDEX, placeholder=True), twin, on_blocked="keep")) == {"state": "COMPLETED"}
    both = planned(gone(INDEX, placeholder=True), twin, allow_delete=("ingest_pipeline/docs", "index/docs"))
    assert sent(both) == {"post": True, "allow": ("docs",), "resets": True, "state": "NOT_STARTED"}
    agent = replace(resource("register_agent", "docs"), users=(User("model", "m9"),), exists=False)
    assert sent(planned(gone(INDEX, placeholder=True), agent))["allow"] == ("docs",)


def test_a_placeholder_whose_name_is_a_pattern_is_never_allowed() -> None:
    assert sent(planned(gone(resource("create_index", "docs*"), placeholder=True))) == {"state": "COMPLETED"}


# -- warnings ----------------------------------------------------------------------------------------------


def test_what_goes_and_is_used_by_what_is_kept_is_said() -> None:
    used = replace(PIPELINE, users=(User("index", "docs"), User("index", "other")))
    found = planned(used, INDEX, allow_delete=("embed",), on_blocked="keep", on_shared="delete")
    assert found.warnings == ("ingest_pipeline/embed goes, and index/docs, which is kept, uses it and may no longer work: keep both, or name both.",)
    assert planned(used, INDEX, allow_delete=("embed", "docs"), on_shared="delete").warnings == ()
    other = resource("create_index", "other")
    (text,) = planned(used, INDEX, other, allow_delete=("embed",), on_blocked="keep", on_shared="delete").warnings
    assert text.startswith("ingest_pipeline/embed goes, and index/docs, index/other, which is kept, uses it ")


def test_below_2_16_it_is_said_that_what_is_kept_is_forgotten() -> None:
    found = planned(INDEX, PIPELINE, CONNECTOR, version="2.15.0", on_blocked="keep")
    assert found.warnings == ("Flow Framework 2.15.0.0 forgets what is kept of workflow w1: docs, embed.",)
    assert planned(INDEX, CONNECTOR, version="2.16.0", on_blocked="keep").warnings == ()


def test_a_name_that_fits_nothing_is_said_with_the_nearest_that_does() -> None:
    assert make(INDEX, PIPELINE, allow_delete=("docs", "embed", "dosc", "ingest_pipeline/embad")).warnings == (
        "allow_delete names dosc, which no workflow of this task records. The nearest that one does is docs.",
        "allow_delete names ingest_pipeline/embad, which no workflow of this task records. The nearest that one does is embed.",
    )


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("zzz", "logs/ab"), ("ingest_pipeline/logs/a", "logs/ab"), ("index/log", "logs/ab"), ("indes", "index")],
)
def test_the_nearest_name_is_told_however_far_it_is_and_whatever_kind_was_meant(name: str, nearest: str) -> None:
    recorded = [resource("create_ingest_pipeline", one) for one in ("index", "a", "logs/ab")]
    text = make(*recorded, allow_delete=("index", "a", "logs/ab", name)).warnings[-1]
    assert text == f"allow_delete names {name}, which no workflow of this task records. The nearest that one does is {nearest}."


def test_names_of_what_is_gone_or_in_a_template_are_no_typos() -> None:
    found = make(gone(INDEX), PIPELINE, made={"literals": frozenset({("index", "later")})}, allow_delete=("docs", "embed", "later", "index/later"))
    assert [text for text in found.warnings if "allow_delete" in text] == []


def test_where_nothing_needs_naming_no_name_is_a_typo() -> None:
    assert make(CONNECTOR, allow_delete=("docs",)).warnings == ()


def test_a_missing_workflow_is_said_with_the_cluster() -> None:
    made = {"state": None, "has_template": False}
    (warning,) = make(made=made).warnings
    assert warning.startswith("There is no workflow w1 on cluster preview.")
    assert make(made=made, on_missing="fail").warnings == ()
    assert make(made={"state": None}, delete_workflow=True).warnings == (), "its template is there, and goes"
    assert len(make(made={"state": None}).warnings) == 1


def test_warnings_of_the_survey_come_first_and_what_is_in_no_record_is_handed_on() -> None:
    found = replace(survey(workflow(gone(INDEX))), warnings=("seen",), unrecorded=(Unrecorded("w1", "index", "left"),))
    plan = make_plan(found, Options())
    assert plan.warnings[0] == "seen" and len(plan.warnings) == 2
    assert plan.unrecorded == (Unrecorded("w1", "index", "left"),)


# -- refusals ----------------------------------------------------------------------------------------------


def test_a_refused_workflow_is_as_it_is() -> None:
    found = make(INDEX, MODEL, GROUP, STRANGE, max_workflows=0, made={"state": "FAILED"})
    assert sent(found.workflows[0]) == {"state": "FAILED"}
    refused = make(INDEX, MODEL, gone(SEARCH), GROUP, leftovers="delete", delete_workflow=True, allow_delete=NAMED, max_workflows=0, made={"state": "FAILED"})
    assert sent(refused.workflows[0]) == {"state": "FAILED"} and not changes(refused) and fails(refused)
    assert [(one.status, one.changed, one.msg) for one in refused.workflows[0].fates] == [
        ("untouched", False, ""),
        ("untouched", False, ""),
        ("absent", False, ""),
        ("untouched", False, ""),
    ]


def test_of_a_refused_workflow_is_said_what_would_be_said_without_the_refusal() -> None:
    made = {"state": "PROVISIONING"}
    refused, free = (make(gone(INDEX), STRANGE, CONNECTOR, made=made, expect_cluster=name) for name in ("another", "preview"))
    assert refused.workflows[0].msg == free.workflows[0].msg != ""
    assert refused.workflows[0].warnings == free.workflows[0].warnings and refused.warnings == free.warnings != ()


def test_what_would_have_gone_with_another_workflow_is_untouched_too() -> None:
    second = workflow(replace(CONNECTOR, workflow_id="w2"), workflow_id="w2")
    plan = make_plan(survey(workflow(CONNECTOR), second), Options(max_workflows=0))
    assert [(one.status, one.msg) for planned_ in plan.workflows for one in planned_.fates] == [("untouched", "")] * 2


def test_what_is_kept_keeps_its_reason_when_the_task_is_refused() -> None:
    plan = make(INDEX, CONNECTOR, on_blocked="keep", max_workflows=0)
    assert plan.workflows[0].fates[0].msg == "An index is deleted only if allow_delete names it: add docs to allow_delete."


@pytest.mark.parametrize(
    ("resources", "options", "text"),
    [
        ((CONNECTOR,), {"max_workflows": 0}, "Workflows that would be torn down: 1, and max_workflows is 0."),
        ((INDEX,), {"max_documents": 1199}, "Index docs holds 1200 documents, and max_documents is 1199."),
        (
            (replace(INDEX, documents=None),),
            {"max_documents": 10**9},
            "Index docs holds an unknown number of documents, and max_documents is 1000000000.",
        ),
        (
            (CONNECTOR,),
            {"expect_cluster": "production"},
            "This is cluster preview (uuid-of-preview), not production as expect_cluster says.",
        ),
        ((replace(CONNECTOR, exists=None, problem="no rights"),), {}, "connector c1: It could not be looked at: no rights"),
        (
            (INDEX, PIPELINE),
            {"allow_delete": ()},
            'Not named in allow_delete: index docs, ingest pipeline embed. To let them go as well, add to allow_delete: ["docs", "embed"].',
        ),
        ((CONNECTOR,), {"protect": ("c1",)}, "connector c1: Protected by 'c1' in protect."),
        (
            (INDEX, replace(CONNECTOR, users=(User("agent", "a9"),))),
            {"allow_delete": ()},
            (
                'Not named in allow_delete: index docs. To let them go as well, add to allow_delete: ["docs"]. connector c1: Not this workflow\'s alone:'
                " used by agent/a9. on_shared: keep leaves it there, on_shared: delete deletes it all the same."
            ),
        ),
    ],
)
def test_a_refusal_says_why_in_one_sentence(resources: tuple[Resource, ...], options: dict[str, Any], text: str) -> None:
    assert make(*resources, **{"allow_delete": NAMED, **options}).refusals == (text,)


@pytest.mark.parametrize(
    ("resources", "options"),
    [
        ((CONNECTOR,), {"max_workflows": 1}),
        ((INDEX,), {"max_documents": 1200}),
        ((gone(INDEX),), {"max_documents": 0}),
        ((replace(INDEX, documents=None),), {}),
        ((replace(PIPELINE, documents=None),), {"max_documents": 0}),
        ((CONNECTOR,), {"expect_cluster": "preview"}),
        ((CONNECTOR,), {"expect_cluster": "uuid-of-preview"}),
        ((gone(INDEX),), {"max_workflows": 0}),
        ((gone(INDEX),), {"protect": ("w1",)}),
    ],
)
def test_a_guard_that_holds_refuses_nothing(resources: tuple[Resource, ...], options: dict[str, Any]) -> None:
    assert make(*resources, **{"allow_delete": NAMED, **options}).refusals == ()


def test_only_the_wrong_cluster_is_said_of_a_wrong_cluster() -> None:
    assert len(make(INDEX, expect_cluster="other", max_workflows=0, plan_hash="x").refusals) == 1


@pytest.mark.parametrize("pattern", ["w1", "env-*"])
def test_a_workflow_that_would_be_reset_is_protected_by_its_id_or_name(pattern: str) -> None:
    found = make(made={"name": "env-4"}, protect=("zzz", pattern))
    assert found.refusals == (f"Workflow w1 is protected by {pattern!r} in protect.",)
    assert make(made={"name": "env-4", "state": "NOT_STARTED"}, protect=(pattern,)).refusals == (), "nothing would happen to it"
    assert make(made={"name": "env-4"}, protect=("w", "ENV-4", "docs")).refusals == ()


def test_a_missing_workflow_refuses_where_asked_and_not_where_its_template_goes() -> None:
    made = {"state": None}
    assert make(made=made, on_missing="fail").refusals == ("w1: no such workflow on preview.",)
    assert make(made=made, on_missing="fail", delete_workflow=True).refusals == ()
    assert make(made=made).refusals == ()
    both = make_plan(survey(*(workflow(workflow_id=one, state=None) for one in ("w1", "w2"))), Options(on_missing="fail"))
    assert both.refusals == ("w1, w2: no such workflow on preview.",)


def test_ten_names_and_ten_reasons_are_shown_and_every_word_that_releases() -> None:
    indices = [resource("create_index", f"i{number:02}") for number in range(12)]
    (text,) = make(*indices).refusals
    assert "index i09, ..." in text and "index i10" not in text and '"i11"' in text
    assert "index i09, ..." in make(*indices[:11]).refusals[0]
    (text,) = make(*indices[:10]).refusals
    assert "index i09." in text and "..." not in text
    agents = [replace(resource("register_agent", f"a{number:02}"), users=(User("model", "m9"),)) for number in range(12)]
    (text,) = make(*agents).refusals
    assert "agent a09" in text and "agent a10" not in text and text.endswith(" And 2 more, see resources.")
    assert "more" not in make(*agents[:10]).refusals[0]
    assert "And 1 more, see resources." in make(*agents[:11]).refusals[0]


def test_words_that_release_are_shown_as_they_are_written() -> None:
    assert 'add to allow_delete: ["größe"].' in make(resource("create_index", "größe")).refusals[0]


# -- the hash ----------------------------------------------------------------------------------------------


def test_a_plan_has_the_same_hash_in_every_process_and_release() -> None:
    """An approved plan may wait for days, and for an update of the collection."""
    plan = make(INDEX, CONNECTOR, allow_delete=("docs", "a", "docs"))
    assert plan.hash == "21aabf7ed1b8a7586960f149ea408af67485d23f0484590561644b0191ab3db1"
    assert make(INDEX, CONNECTOR, allow_delete=("a", "docs")).hash == plan.hash, "it is about what is allowed, not in which words"
    refused = make(INDEX, CONNECTOR, allow_delete=("docs", "a"), plan_hash="another")
    assert refused.hash == plan.hash
    assert refused.refusals == (f"plan_hash is another, and today's plan has {plan.hash}: it is another plan, or the cluster has changed since.",)
    assert make(INDEX, CONNECTOR, allow_delete=("docs", "a"), plan_hash=plan.hash).refusals == ()


# -- the order ---------------------------------------------------------------------------------------------


def of(name: str, *resources: Resource) -> Any:
    return workflow(*(replace(one, workflow_id=name) for one in resources), workflow_id=name)


def test_a_model_that_is_only_undeployed_waits_for_its_agents_and_its_maker_for_it() -> None:
    deployed = replace(resource("deploy_model", "m1", state="DEPLOYED"), users=(User("agent", "a1"),))
    found = survey(of("maker", replace(MODEL, users=(User("agent", "a1"),))), of("deployer", deployed), of("agents", resource("register_agent", "a1")))
    assert go_before(make_plan(found, Options())) == {"deployer": {"maker", "agents"}, "maker": {"agents"}}


def test_what_only_writes_to_an_index_waits_for_nobody() -> None:
    found = survey(of("maker", INDEX), of("writer", resource("reindex", "docs")))
    assert go_before(make_plan(found, Options(allow_delete=NAMED))) == {}


def test_a_group_that_goes_waits_for_the_models_in_it() -> None:
    group = replace(GROUP, users=(User("model", "m1"),))
    found = survey(of("groups", group), of("models", MODEL))
    assert go_before(make_plan(found, Options(leftovers="delete"))) == {"groups": {"models"}}
    assert go_before(make_plan(found, Options())) == {}
