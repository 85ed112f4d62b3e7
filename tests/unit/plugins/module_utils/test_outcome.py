# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result that a play sees: one shape whatever happened, counts that add up, sentences that are true."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import outcome
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.endings import carried_out, number, planned
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.fates import STATUSES, Fate
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.options import Options
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.outcome import diff, empty, information, no_information, result
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.plan import Plan, make_plan
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import Resource, Survey, Unrecorded, Workflow
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.sharing import User
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.teardown import Run
from tests.promised import RESOURCE, RESULT, WORKFLOW

from .worlds import OPTIONS, resource, survey, surveys, workflow

SUMMARY = ("would_delete", "deleted", "absent", "retained", "blocked", "kept", "untouched", "failed", "unknown")

CONNECTOR = resource("create_connector", "c1")
INDEX = resource("create_index", "docs", documents=1200, size_in_bytes=884736)
INGEST = resource("create_ingest_pipeline", "embed")
GROUP = resource("register_model_group", "g1")
MODEL = resource("register_remote_model", "m1", "deploy_model", state="DEPLOYED")
ALL = workflow(CONNECTOR, INDEX, INGEST, GROUP, MODEL, name="pr-17")
NAMED = Options(allow_delete=("docs", "embed"))


def predicted(found: Survey, options: Options = NAMED) -> dict[str, Any]:
    plan = make_plan(found, options)
    return result(plan, planned(plan))


def finished(plan: Plan, after: dict[str, Any], **facts: Any) -> list[Run]:
    """The runs of a plan: ``after`` says by id whether what looking last showed exists, or holds a whole resource."""
    runs = []
    for one in plan.workflows:
        seen = {r.key: now_of(r, after.get(r.id, False if fate.changed else r.exists)) for fate in one.fates for r in [fate.resource]}
        left = tuple(r for r in seen.values() if r.exists)
        now = replace(
            one.workflow,
            state="COMPLETED" if [r for r in left if r.kind != "model_group"] else "NOT_STARTED",
            resources=left,
        )
        last = make_plan(Survey(plan.server, (now,)), NAMED).workflows[0]
        runs.append(Run(one, now, last, seen, attempts=1, duration=1.23456))
    for name, value in facts.items():
        setattr(runs[0], name, value)
    return runs


def now_of(before: Resource, after: Any) -> Resource:
    return after if isinstance(after, Resource) else replace(before, exists=after)


def done(after: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    """The result of a run on everything, all of it named."""
    plan = make_plan(survey(ALL), NAMED)
    return result(plan, carried_out(finished(plan, after or {}, **facts)))


def status_of(made: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["status"] for one in made["resources"]}


# -- one shape ---------------------------------------------------------------------------------------------

RESULTS: dict[str, Callable[[], dict[str, Any]]] = {
    "check mode": lambda: predicted(survey(ALL)),
    "refused": lambda: predicted(survey(ALL), Options()),
    "kept": lambda: predicted(survey(ALL), Options(on_blocked="keep")),
    "missing": lambda: predicted(survey(workflow(workflow_id="gone", state=None))),
    "no such workflow is a failure": lambda: predicted(survey(workflow(workflow_id="gone", state=None)), Options(on_missing="fail")),
    "nothing recorded": lambda: predicted(survey(workflow(state="NOT_STARTED"))),
    "success": done,
    "partly": lambda: done({"c1": True}),
    "unknown": lambda: done({"docs": True}, unknown=True, error="wait_timeout was over."),
}


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_has_the_same_keys(name: str) -> None:
    made = RESULTS[name]()
    assert set(made) == RESULT
    assert all(set(one) == WORKFLOW for one in made["workflows"])
    assert all(set(one) == RESOURCE for one in [*made["resources"], *made["remaining"]])
    assert tuple(made["summary"]) == SUMMARY
    json.dumps(made)  # Ansible sends it so


def test_what_cannot_be_run_has_the_same_keys_too() -> None:
    """The module adds C(failed) where it fails."""
    assert set(empty()) | {"failed"} == RESULT
    assert empty()["summary"] == dict.fromkeys(SUMMARY, 0) and SUMMARY == STATUSES
    assert empty()["changed"] is False and empty()["plan_hash"] is None


def test_an_empty_result_is_a_new_one_each_time() -> None:
    empty()["resources"].append("x")
    empty()["summary"]["deleted"] = 7
    assert empty()["resources"] == [] and empty()["summary"]["deleted"] == 0


@given(surveys(), OPTIONS)
def test_every_result_of_every_plan_adds_up(found: Survey, options: Options) -> None:
    plan = make_plan(found, options)
    made = result(plan, planned(plan))
    assert set(made) == RESULT and all(set(one) == RESOURCE for one in made["resources"]) and all(set(one) == WORKFLOW for one in made["workflows"])
    recorded = [(w.workflow_id, r.kind, r.id) for w in found.workflows for r in w.resources]
    assert [(one["workflow_id"], one["kind"], one["id"]) for one in made["resources"]] == recorded
    assert made["summary"] == {status: list(status_list(made)).count(status) for status in SUMMARY}
    assert sum(made["summary"].values()) == len(recorded)
    assert made["failed"] == (bool(plan.refusals) or any(one["failed"] for one in made["resources"]))
    assert made["changed"] == any(one["changed"] for one in made["workflows"])
    assert [one["id"] for one in made["remaining"]] == [one["id"] for one in made["resources"] if one["status"] not in ("absent", "deleted", "would_delete")]
    assert made["msg"].startswith("Refused, nothing was deleted. ") == bool(plan.refusals)
    assert not any("%s" in text for text in [made["msg"], *(one["msg"] for one in made["resources"])])
    for one in made["resources"]:
        assert one["failed"] == (one["status"] in ("blocked", "failed", "unknown"))
        assert one["changed"] <= (one["status"] in ("would_delete", "retained"))
        assert one["msg"] or not one["failed"]


def status_list(made: dict[str, Any]) -> list[str]:
    return [one["status"] for one in made["resources"]]


# -- what it says ------------------------------------------------------------------------------------------


def test_a_resource_is_shown_with_all_that_is_known_of_it() -> None:
    index = next(one for one in predicted(survey(ALL))["resources"] if one["id"] == "docs")
    assert index == {
        "workflow_id": "w1",
        "kind": "index",
        "type": "index_name",
        "id": "docs",
        "uuid": "uuid-docs",
        "steps": ["create_index"],
        "status": "would_delete",
        "changed": True,
        "failed": False,
        "msg": "",
        "needs_allow_delete": True,
        "documents": 1200,
        "size_in_bytes": 884736,
        "used_by": [],
    }


def test_a_model_that_was_registered_and_deployed_is_one_resource_with_both_steps() -> None:
    models = [one for one in predicted(survey(ALL))["resources"] if one["kind"] == "model"]
    assert [(one["id"], one["steps"]) for one in models] == [("m1", ["register_remote_model", "deploy_model"])]


def test_what_uses_a_resource_is_named() -> None:
    used = replace(CONNECTOR, users=(User("model", "m9", "other"),))
    made = predicted(survey(workflow(used)))
    assert made["resources"][0]["used_by"] == ["model/m9"] and "model/m9 (other)" in made["msg"]


def test_the_server_is_shown() -> None:
    assert predicted(survey(ALL))["server"] == {
        "version": "3.6.0",
        "flow_framework": "3.6.0.0",
        "cluster_name": "preview",
        "cluster_uuid": "uuid-of-preview",
    }


def test_check_mode_says_what_would_go() -> None:
    made = predicted(survey(ALL))
    assert made["msg"] == "1 workflow: 4 resources to delete, 1 model group left on the cluster"
    assert (made["changed"], made["failed"]) == (True, False)
    (only,) = made["workflows"]
    assert (only["name"], only["state_before"], only["state_after"], only["attempts"]) == (
        "pr-17",
        "COMPLETED",
        "NOT_STARTED",
        0,
    )
    assert [one["id"] for one in made["remaining"]] == ["g1"]


def test_success_says_what_went() -> None:
    made = done()
    assert made["msg"] == "1 workflow: 4 resources deleted, 1 model group left on the cluster"
    assert status_of(made) == {
        "c1": "deleted",
        "docs": "deleted",
        "embed": "deleted",
        "g1": "retained",
        "m1": "deleted",
    }
    assert (made["changed"], made["failed"]) == (True, False)
    assert made["workflows"][0]["duration"] == 1.235 and made["workflows"][0]["attempts"] == 1


def test_check_mode_and_the_run_differ_in_nothing_but_what_was_done() -> None:
    before, after = predicted(survey(ALL)), done()
    assert {one["id"]: one["status"].replace("would_delete", "deleted") for one in before["resources"]} == status_of(after)
    assert (before["changed"], before["failed"], before["plan_hash"]) == (
        after["changed"],
        after["failed"],
        after["plan_hash"],
    )
    assert [one["id"] for one in before["remaining"]] == [one["id"] for one in after["remaining"]]


def test_a_partial_failure_is_changed_and_failed_and_names_what_is_left() -> None:
    made = done({"c1": True}, said="The server said no.")
    assert (made["changed"], made["failed"]) == (True, True)
    assert status_of(made)["c1"] == "failed" and status_of(made)["docs"] == "deleted"
    assert made["msg"].startswith("1 workflow: 3 resources deleted, 1 resource not deleted, 1 model group left on the cluster. connector c1: It")
    assert made["msg"].endswith("The server said no.")
    assert {one["id"] for one in made["remaining"]} == {"c1", "g1"}


def test_what_was_not_named_refuses_and_says_what_would_have_to_be() -> None:
    made = predicted(survey(ALL), Options())
    assert (made["changed"], made["failed"]) == (False, True)
    assert made["blocked"] == ["docs", "embed"]
    assert made["msg"].startswith("Refused, nothing was deleted. ") and '"docs", "embed"' in made["msg"]
    assert status_of(made) == {
        "c1": "untouched",
        "docs": "blocked",
        "embed": "blocked",
        "g1": "retained",
        "m1": "untouched",
    }


def test_blocked_lists_only_what_naming_can_release() -> None:
    dangerous = resource("create_index", "docs*")
    made = predicted(survey(workflow(INDEX, dangerous, replace(INGEST, id="a,b"))), Options(on_blocked="keep"))
    assert made["blocked"] == ["docs"]
    assert made["summary"]["kept"] == 3


def test_blocked_names_each_once_in_order_with_its_kind_where_the_bare_id_would_not_do() -> None:
    same = [resource(step, "same") for step in ("create_search_pipeline", "create_index")]
    made = predicted(survey(workflow(*same, INDEX), workflow(replace(INDEX, workflow_id="w2"), workflow_id="w2")), Options())
    assert made["blocked"] == ["docs", "index/same", "search_pipeline/same"]


def test_what_is_protected_is_blocked_but_no_naming_releases_it() -> None:
    made = predicted(survey(ALL), replace(NAMED, protect=("docs",)))
    assert status_of(made)["docs"] == "blocked" and made["blocked"] == []


def test_what_was_gone_already_is_absent_and_no_change() -> None:
    made = predicted(survey(workflow(replace(INDEX, exists=False), workflow_id="w1")))
    assert made["msg"].startswith("1 workflow: 1 resource already absent")
    assert made["resources"][0]["status"] == "absent" and not made["resources"][0]["changed"]
    assert made["remaining"] == []


def test_a_missing_workflow_is_no_failure_and_has_no_state() -> None:
    made = predicted(survey(workflow(workflow_id="gone", state=None)))
    (only,) = made["workflows"]
    assert (only["state_before"], only["state_after"], made["changed"], made["failed"]) == (None, None, False, False)
    assert made["msg"] == "1 workflow: 1 not there"


def test_several_workflows_are_counted_together() -> None:
    other = workflow(replace(CONNECTOR, id="c2", workflow_id="w2"), replace(GROUP, id="g2", workflow_id="w2"), workflow_id="w2")
    assert predicted(survey(ALL, other))["msg"] == "2 workflows: 5 resources to delete, 2 model groups left on the cluster"


def test_what_stays_of_several_kinds_is_counted_as_resources() -> None:
    only_deployed = resource("deploy_model", "m2", state="DEPLOYED")
    assert predicted(survey(workflow(GROUP, only_deployed)))["msg"] == "1 workflow: 2 resources left on the cluster"
    only_filled = [resource("reindex", name) for name in ("i1", "i2")]
    assert predicted(survey(workflow(*only_filled)))["msg"] == "1 workflow: 2 indices left on the cluster, 1 workflow record cleared"


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (0, "resource", "0 resources"),
        (1, "workflow", "1 workflow"),
        (2, "model group", "2 model groups"),
    ],
)
def test_counts_are_said_in_english(count: int, noun: str, said: str) -> None:
    assert number(count, noun) == said


def test_a_failure_gives_ten_reasons_and_says_how_many_more_there_are() -> None:
    left = {f"i{number}": True for number in range(13)}
    plan = make_plan(survey(workflow(*(resource("create_connector", name) for name in left))), NAMED)
    made = result(plan, carried_out(finished(plan, left)))
    assert made["msg"].count("It is still there") == 10 and made["msg"].endswith("and 3 more, see resources.")


def test_a_workflow_that_fails_without_a_resource_gives_its_reason() -> None:
    plan = make_plan(survey(workflow(state="FAILED")), NAMED)
    made = result(plan, carried_out(finished(plan, {}, error="Stopped: somebody else is at it.")))
    assert made["failed"] and "workflow w1: Stopped: somebody else is at it." in made["msg"]


# -- what looking again shows ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "status", "changed"),
    [
        (False, "deleted", True),
        (True, "failed", False),
        (None, "unknown", False),
        (replace(INDEX, uuid="another"), "deleted", True),
    ],
)
def test_what_became_of_an_index_is_what_looking_shows(after: Any, status: Any, changed: bool) -> None:
    made = done({"docs": after})
    index = next(one for one in made["resources"] if one["id"] == "docs")
    assert (index["status"], index["changed"]) == (status, changed)
    assert index["msg"] or after is False


def test_what_is_still_there_is_unknown_while_the_server_may_be_at_it() -> None:
    made = done({"docs": True}, unknown=True, error="wait_timeout was over while the server was still at this workflow.")
    assert status_of(made)["docs"] == "unknown" and status_of(made)["c1"] == "deleted"
    assert made["failed"]


def test_what_was_not_attempted_is_failed_and_says_so() -> None:
    plan = make_plan(survey(ALL), NAMED)
    runs = [
        Run(
            w,
            w.workflow,
            w,
            {f.resource.key: f.resource for f in w.fates},
            error="Not attempted: task_timeout was over.",
        )
        for w in plan.workflows
    ]
    made = result(plan, carried_out(runs))
    assert status_of(made) == {"c1": "failed", "docs": "failed", "embed": "failed", "g1": "retained", "m1": "failed"}
    assert all(one["msg"] == "Not attempted: task_timeout was over." for one in made["resources"] if one["failed"])
    assert (made["changed"], made["failed"]) == (False, True)
    assert made["msg"].count("Not attempted") == 4  # once a resource, and not once more for the workflow


def test_what_was_kept_and_is_gone_now_is_absent_and_not_our_doing() -> None:
    plan = make_plan(survey(ALL), Options(allow_delete=("embed",), on_blocked="keep"))
    made = result(plan, carried_out(finished(plan, {"docs": False})))
    index = next(one for one in made["resources"] if one["id"] == "docs")
    assert (index["status"], index["changed"]) == ("absent", False) and "something else" in index["msg"]


def test_what_was_gone_and_came_back_is_a_failure() -> None:
    plan = make_plan(survey(workflow(CONNECTOR, replace(INDEX, exists=False))), NAMED)
    made = result(plan, carried_out(finished(plan, {"docs": INDEX})))
    assert status_of(made) == {"c1": "deleted", "docs": "failed"} and made["failed"]


@pytest.mark.parametrize(("state", "changed"), [("UNDEPLOYED", True), ("DEPLOYED", False)])
def test_a_model_that_stays_has_changed_when_it_is_no_longer_deployed(state: str, changed: bool) -> None:
    model = resource("deploy_model", "m2", state="DEPLOYED")
    plan = make_plan(survey(workflow(model)), NAMED)
    made = result(plan, carried_out(finished(plan, {"m2": replace(model, state=state)})))
    assert made["resources"][0]["status"] == "retained" and made["resources"][0]["changed"] is changed


def test_a_reset_alone_is_a_change() -> None:
    plan = make_plan(survey(workflow(state="FAILED")), NAMED)
    made = result(plan, carried_out(finished(plan, {})))
    assert (made["changed"], made["failed"]) == (True, False)
    assert (made["workflows"][0]["state_before"], made["workflows"][0]["state_after"]) == ("FAILED", "NOT_STARTED")


# -- diff --------------------------------------------------------------------------------------------------


def test_the_diff_shows_what_is_there_and_what_is_left() -> None:
    gone = replace(INGEST, id="gone", exists=False)
    plan = make_plan(
        survey(
            workflow(CONNECTOR, INDEX, gone, GROUP, name="pr-17"),
            workflow(replace(CONNECTOR, workflow_id="w2", id="c2"), workflow_id="w2"),
        ),
        NAMED,
    )
    made = diff(planned(plan))
    assert made["before"] == "pr-17: COMPLETED\n  connector c1\n  index docs (1200 documents)\n  model group g1\nw2: COMPLETED\n  connector c2\n"
    assert made["after"] == "pr-17: COMPLETED\n  model group g1\nw2: NOT_STARTED\n"
    assert set(made) == {"before", "after", "before_header", "after_header"}


def test_the_diff_tells_workflows_of_one_name_apart() -> None:
    ones = [workflow(replace(CONNECTOR, workflow_id=id_, id=f"c-{id_}"), workflow_id=id_, name=name) for id_, name in (("w1", "a"), ("w2", "a"), ("w3", "b"))]
    states = [line for line in diff(planned(make_plan(survey(*ones), NAMED)))["before"].splitlines() if not line.startswith(" ")]
    assert states == ["a (w1): COMPLETED", "a (w2): COMPLETED", "b: COMPLETED"]


def test_the_diff_of_a_refusal_shows_no_change() -> None:
    plan = make_plan(survey(ALL), Options())
    made = diff(planned(plan))
    assert made["before"] == made["after"] and "index docs" in made["after"]


def test_the_diff_of_a_run_shows_what_really_went() -> None:
    plan = make_plan(survey(ALL), NAMED)
    made = diff(carried_out(finished(plan, {"c1": True})))
    assert made["before"] == diff(planned(plan))["before"]
    assert made["after"] == "pr-17: COMPLETED\n  connector c1\n  model group g1\n"


def test_a_single_document_is_one() -> None:
    assert outcome.line(Fate(replace(INDEX, documents=1), "kept")) == "index docs (1 document)"
    assert outcome.line(Fate(replace(INDEX, documents=None), "kept")) == "index docs"


def test_the_diff_says_what_its_sides_are_and_which_workflow_has_no_state() -> None:
    plan = make_plan(survey(workflow(CONNECTOR, has_template=False)), NAMED)
    shown = diff(planned(replace(plan, workflows=(replace(plan.workflows[0], fates=(Fate(CONNECTOR, "kept"),), state_after=None),))))
    assert shown == {
        "before_header": "what the workflows hold",
        "after_header": "what is left of it",
        "before": "w1: COMPLETED\n  connector c1\n",
        "after": "w1: no state\n  connector c1\n",
    }


def test_what_is_in_no_record_is_handed_over_with_the_request_that_deletes_it() -> None:
    left = (Unrecorded("w1", "index", "a/b"), Unrecorded("w2", "ingest_pipeline", "embed"))
    made = predicted(replace(survey(ALL), unrecorded=left))
    assert made["unrecorded"] == [
        {"workflow_id": "w1", "kind": "index", "id": "a/b", "command": "DELETE /a%2Fb"},
        {"workflow_id": "w2", "kind": "ingest_pipeline", "id": "embed", "command": "DELETE /_ingest/pipeline/embed"},
    ]
    assert made["msg"].endswith("; 2 resources exist that only the template names, see unrecorded")
    nothing = predicted(replace(survey(workflow(state="NOT_STARTED")), unrecorded=left[:1]))
    assert nothing["msg"] == "1 workflow: nothing recorded; 1 resource exists that only the template names, see unrecorded"
    assert informed(replace(survey(ALL), unrecorded=left))["unrecorded"] == made["unrecorded"]


# -- all of it, once ---------------------------------------------------------------------------------------


def test_a_whole_result() -> None:
    """What a play that reads any of it relies on."""
    made = predicted(survey(workflow(INDEX, replace(CONNECTOR, users=(User("agent", "a9"),)), name="pr-17")), Options(on_blocked="keep", on_shared="delete"))
    index = {
        "workflow_id": "w1",
        "kind": "index",
        "type": "index_name",
        "id": "docs",
        "uuid": "uuid-docs",
        "steps": ["create_index"],
        "status": "kept",
        "changed": False,
        "failed": False,
        "msg": "An index is deleted only if allow_delete names it: add docs to allow_delete.",
        "needs_allow_delete": True,
        "documents": 1200,
        "size_in_bytes": 884736,
        "used_by": [],
    }
    connector = {
        "workflow_id": "w1",
        "kind": "connector",
        "type": "connector_id",
        "id": "c1",
        "uuid": None,
        "steps": ["create_connector"],
        "status": "would_delete",
        "changed": True,
        "failed": False,
        "msg": "",
        "needs_allow_delete": False,
        "documents": None,
        "size_in_bytes": None,
        "used_by": ["agent/a9"],
    }
    assert made == {
        "changed": True,
        "failed": False,
        "msg": "1 workflow: 1 resource to delete, 1 resource kept",
        "server": {"version": "3.6.0", "flow_framework": "3.6.0.0", "cluster_name": "preview", "cluster_uuid": "uuid-of-preview"},
        "workflows": [
            {
                "workflow_id": "w1",
                "name": "pr-17",
                "state_before": "COMPLETED",
                "state_after": "COMPLETED",
                "changed": True,
                "failed": False,
                "msg": "",
                "attempts": 0,
                "duration": 0.0,
            }
        ],
        "resources": [index, connector],
        "blocked": ["docs"],
        "remaining": [index],
        "unrecorded": [],
        "summary": {**dict.fromkeys(SUMMARY, 0), "would_delete": 1, "kept": 1},
        "plan_hash": made["plan_hash"],
        "duration": 0.0,
    }
    assert len(made["plan_hash"]) == 64


def test_a_whole_empty_result() -> None:
    assert empty() == {
        "changed": False,
        "msg": "",
        "server": None,
        "workflows": [],
        "resources": [],
        "blocked": [],
        "remaining": [],
        "unrecorded": [],
        "summary": dict.fromkeys(SUMMARY, 0),
        "plan_hash": None,
        "duration": 0.0,
    }


def test_a_whole_information() -> None:
    counts = {"NOT_STARTED": 0, "PROVISIONING": 0, "COMPLETED": 0, "FAILED": 0, "MISSING": 0}
    nothing: dict[str, Any] = {
        "changed": False,
        "server": None,
        "workflows": [],
        "resources": [],
        "blocked": [],
        "unrecorded": [],
        "summary": {"present": 0, "absent": 0, "unknown": 0},
        "counts": {"workflows": 0, "resources": 0, **counts},
    }
    assert no_information() == nothing
    first = replace(workflow(INDEX), name="pr-17", use_case="search", owner="ops", created=1, updated=2, written=(3, 4))
    states = [workflow(workflow_id=state, state=state) for state in ("NOT_STARTED", "PROVISIONING", "FAILED", "FAILED")]
    found = survey(first, replace(workflow(workflow_id="gone", state=None), written=None), *states)
    made = informed(found)
    assert made["counts"] == {"workflows": 6, "resources": 1, "NOT_STARTED": 1, "PROVISIONING": 1, "COMPLETED": 1, "FAILED": 2, "MISSING": 1}
    assert made["server"] == {"version": "3.6.0", "flow_framework": "3.6.0.0", "cluster_name": "preview", "cluster_uuid": "uuid-of-preview"}
    assert made["resources"] == [
        {
            "workflow_id": "w1",
            "kind": "index",
            "type": "index_name",
            "id": "docs",
            "uuid": "uuid-docs",
            "steps": ["create_index"],
            "status": "present",
            "msg": "An index is deleted only if allow_delete names it: add docs to allow_delete.",
            "needs_allow_delete": True,
            "documents": 1200,
            "size_in_bytes": 884736,
            "used_by": [],
        }
    ]
    times = ("name", "use_case", "owner", "created_time", "last_updated_time", "provision_start_time", "provision_end_time")
    assert [made["workflows"][0][key] for key in times] == ["pr-17", "search", "ops", 1, 2, 3, 4]
    assert [made["workflows"][1][key] for key in times] == [None] * 7
    assert set(made) == set(nothing)


@pytest.mark.parametrize(
    ("found", "options", "text"),
    [
        (workflow(GROUP, replace(GROUP, id="g2")), Options(), "1 workflow: 2 model groups left on the cluster, 1 workflow record cleared"),
        (workflow(GROUP, resource("reindex", "docs")), Options(), "1 workflow: 2 resources left on the cluster, 1 workflow record cleared"),
        (workflow(resource("reindex", "docs"), resource("reindex", "i2")), Options(), "1 workflow: 2 indices left on the cluster, 1 workflow record cleared"),
        (workflow(state="FAILED"), Options(), "1 workflow: 1 workflow record cleared"),
        (workflow(state="NOT_STARTED"), Options(), "1 workflow: nothing to do"),
        (workflow(state=None), Options(), "1 workflow: 1 not there"),
        (workflow(CONNECTOR), Options(delete_workflow=True), "1 workflow: 1 resource to delete, 1 workflow record removed for good"),
        (workflow(replace(CONNECTOR, exists=False)), Options(), "1 workflow: 1 resource already absent, 1 workflow record cleared"),
    ],
)
def test_what_happens_is_said_in_one_sentence(found: Workflow, options: Options, text: str) -> None:
    assert predicted(survey(found), options)["msg"] == text


def test_records_of_several_workflows_are_counted() -> None:
    both = survey(*(workflow(workflow_id=one, state="FAILED") for one in ("w1", "w2")))
    assert predicted(both)["msg"] == "2 workflows: 2 workflow records cleared"
    assert predicted(both, Options(delete_workflow=True))["msg"] == "2 workflows: 2 workflow records removed for good"


def test_a_refusal_begins_with_what_matters_most() -> None:
    made = predicted(survey(ALL), Options(allow_delete=("docs", "embed"), max_workflows=0, max_documents=0))
    assert made["msg"] == (
        "Refused, nothing was deleted. Workflows that would be torn down: 1, and max_workflows is 0. Index docs holds 1200 documents, and max_documents is 0."
    )


@pytest.mark.parametrize(("count", "more"), [(10, ""), (11, " and 1 more, see resources."), (12, " and 2 more, see resources.")])
def test_ten_reasons_are_shown(count: int, more: str) -> None:
    stuck = [resource("create_index", f"i{number:02}", obstacle="read-only") for number in range(count)]
    made = predicted(survey(workflow(*stuck)), Options(allow_delete=tuple(one.id for one in stuck)))
    shown = " ".join(f"index i{number:02}: Cannot be deleted: read-only." for number in range(10))
    assert made["msg"] == f"1 workflow: {count} resources not deleted. {shown}{more}"


def test_a_workflow_gives_its_reason_where_none_of_its_resources_does() -> None:
    plan = make_plan(survey(workflow(CONNECTOR), workflow(resource("register_agent", "a1", workflow_id="w2"), workflow_id="w2")), Options())
    runs = finished(plan, {"a1": True})
    runs[0].error = runs[1].error = "the time was over"
    made = result(plan, carried_out(runs))
    assert made["msg"] == "2 workflows: 1 resource deleted, 1 resource not deleted. agent a1: the time was over workflow w1: the time was over"


# -- information -------------------------------------------------------------------------------------------


def informed(found: Survey) -> dict[str, Any]:
    ages: dict[bool, dict[str, int | None]] = {True: {"age": 60, "unchanged": 50}, False: {"age": None, "unchanged": None}}
    return information(found, make_plan(found, Options(on_blocked="keep")), lambda workflow: ages[workflow.found])


def test_information_has_the_same_keys_always() -> None:
    full = informed(survey(ALL))
    assert set(full) == set(no_information()) == {"changed", "server", "workflows", "resources", "blocked", "unrecorded", "summary", "counts"}
    assert all(set(one) == RESOURCE - {"changed", "failed"} for one in full["resources"])
    json.dumps(full)


def test_information_says_what_is_there_and_what_would_have_to_be_named() -> None:
    found = survey(workflow(CONNECTOR, INDEX, replace(INGEST, exists=False), replace(GROUP, exists=None, problem="denied"), name="pr-17"))
    made = informed(found)
    assert status_of(made) == {"c1": "present", "docs": "present", "embed": "absent", "g1": "unknown"}
    assert made["summary"] == {"present": 2, "absent": 1, "unknown": 1}
    assert made["blocked"] == ["docs"] and made["changed"] is False
    assert made["workflows"] == [
        {
            **dict.fromkeys(("use_case", "owner", "created_time", "last_updated_time")),
            "workflow_id": "w1",
            "name": "pr-17",
            "state": "COMPLETED",
            "provision_start_time": 1,
            "provision_end_time": 2,
            "age": 60,
            "unchanged": 50,
            "orphaned": False,
        }
    ]


def test_information_on_a_missing_workflow_has_no_state() -> None:
    made = informed(survey(Workflow("gone")))
    assert made["workflows"] == [
        {
            **dict.fromkeys(("name", "use_case", "owner", "state", "created_time", "last_updated_time", "provision_start_time", "provision_end_time")),
            **dict.fromkeys(("age", "unchanged", "orphaned")),
            "workflow_id": "gone",
        }
    ]
    assert made["counts"]["MISSING"] == made["counts"]["workflows"] == 1
    assert made["resources"] == []


@settings(deadline=None)
@given(surveys())
def test_information_adds_up(found: Survey) -> None:
    made = informed(found)
    assert sum(made["summary"].values()) == len(made["resources"]) == sum(len(one.resources) for one in found.workflows)
    assert all(one["status"] in ("present", "absent", "unknown") for one in made["resources"])


def test_information_without_a_look_shows_what_is_recorded_and_counts_it() -> None:
    made = information(survey(ALL), None, lambda dummy: {"age": None, "unchanged": None})
    assert made["resources"] and {one["status"] for one in made["resources"]} == {None}
    assert {one["msg"] for one in made["resources"]} == {""}
    assert set(made["summary"].values()) == {0} and made["counts"]["resources"] == len(made["resources"])
    assert made["blocked"] == [] and set(made) == set(no_information())
    assert made["counts"]["COMPLETED"] == made["counts"]["workflows"] == 1
