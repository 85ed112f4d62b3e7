# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of one resource, with what a person is told: who reads only that sentence knows what to do next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.fates import COMPLETED_SLACK, FAILED_SLACK, Fate, decide_all
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.options import Options
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import Resource, Survey, Workflow
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.resources import TRIMMED
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.sharing import User

from .worlds import resource, survey, workflow

INDEX = resource("create_index", "docs")
PIPELINE = resource("create_ingest_pipeline", "embed")
CONNECTOR = resource("create_connector", "c1")
MODEL = resource("register_remote_model", "m1")
DEPLOYED = resource("register_remote_model", "m1", "deploy_model", state="DEPLOYED")
GROUP = resource("register_model_group", "g1")
SHARED = " on_shared: keep leaves it there, on_shared: delete deletes it all the same."


def fates(found: Survey, **options: Any) -> list[Fate]:
    return [fate for one in decide_all(found, Options(**options)) for fate in one]


def fate(one: Resource, *others: Resource, made: dict[str, Any] | None = None, **options: Any) -> Fate:
    """What becomes of the first one of a workflow."""
    return fates(survey(replace(workflow(one, *others), **(made or {}))), **options)[0]


def used_by(one: Resource, *users: User) -> Resource:
    return replace(one, users=users)


# -- the verdicts, and what they say -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "options", "expected"),
    [
        (INDEX, {"allow_delete": ("docs",)}, ("would_delete", "")),
        (replace(INDEX, exists=False), {}, ("absent", "")),
        (
            resource("step_of_a_newer_server", "x", problem="This module does not know the step"),
            {},
            ("failed", "This module does not know the step: a deprovision of this workflow would never be answered, so none is sent."),
        ),
        (
            resource("create_index", "docs*"),
            {"allow_delete": ("docs*",)},
            (
                "blocked",
                "Never deleted: it holds one of * ? , <, which the cluster takes for a pattern or a list. Look at it and delete it by hand.",
            ),
        ),
        (
            replace(CONNECTOR, exists=None, problem="no rights"),
            {},
            ("unknown", "It could not be looked at: no rights"),
        ),
        (
            used_by(INDEX, User("workflow", "w9"), User("index", "i9", "its name")),
            {"allow_delete": ("docs",)},
            ("blocked", "Not this workflow's alone: used by workflow/w9, index/i9 (its name)." + SHARED),
        ),
        (
            replace(INDEX, obstacle="the index is read-only"),
            {"allow_delete": ("docs",)},
            ("failed", "Cannot be deleted: the index is read-only."),
        ),
        (
            resource("register_remote_model", "m1", state="DEPLOYED"),
            {},
            ("failed", "The model is deployed, and no workflow here undeploys it: POST /_plugins/_ml/models/m1/_undeploy first."),
        ),
        (
            resource("deploy_model", "m1", state="DEPLOYED"),
            {},
            ("retained", "This workflow only deployed the model: it is undeployed and stays."),
        ),
        (resource("reindex", "docs"), {}, ("retained", "This workflow only wrote to it: it stays.")),
        (INDEX, {"allow_delete": ("docs",), "protect": ("d*",)}, ("blocked", "Protected by 'd*' in protect.")),
        (
            GROUP,
            {},
            ("retained", "Flow Framework never deletes a model group, and a deprovision forgets it: leftovers: delete deletes it in the same run."),
        ),
        (GROUP, {"leftovers": "delete"}, ("would_delete", "")),
        (
            used_by(GROUP, User("model", "m8"), User("model", "m9")),
            {"leftovers": "delete"},
            ("retained", "It still holds model/m8, model/m9: it stays."),
        ),
        (
            used_by(GROUP, User("workflow", "w8"), User("workflow", "w9")),
            {"leftovers": "delete"},
            ("retained", "Used by workflow/w8, workflow/w9: it stays."),
        ),
        (used_by(GROUP, User("workflow", "w9")), {"leftovers": "delete", "on_shared": "delete"}, ("would_delete", "")),
        (used_by(GROUP, User("model", "m9")), {"leftovers": "delete", "on_shared": "delete"}, ("retained", "It still holds model/m9: it stays.")),
        (
            used_by(CONNECTOR, User("model", "m9", "embedder"), User("model", "m8")),
            {"on_shared": "delete"},
            ("failed", "Still in use by model/m9 (embedder), model/m8: delete that first."),
        ),
    ],
)
def test_each_verdict_is_said_in_a_sentence_that_tells_what_to_do(one: Resource, options: dict[str, Any], expected: tuple[str, str]) -> None:
    found = fate(one, **options)
    assert (found.status, found.msg) == expected
    assert found.changed is (found.status == "would_delete" or (found.status == "retained" and one.deployed))


@pytest.mark.parametrize(
    ("one", "article", "name", "release"),
    [
        (INDEX, "an", "index", "docs"),
        (PIPELINE, "an", "ingest pipeline", "embed"),
        (resource("create_search_pipeline", "rank"), "a", "search pipeline", "rank"),
        (resource("create_ingest_pipeline", "a/b"), "an", "ingest pipeline", "ingest_pipeline/a/b"),
    ],
)
def test_what_needs_naming_says_the_very_word_that_releases_it(one: Resource, article: str, name: str, release: str) -> None:
    found = fate(one)
    assert (found.status, found.release) == ("blocked", release)
    assert found.msg == f"{article.capitalize()} {name} is deleted only if allow_delete names it: add {release} to allow_delete."
    assert fate(one, allow_delete=(release,)).status == "would_delete"
    assert fate(one, on_blocked="keep").status == "kept"


def test_a_bare_id_that_fits_two_says_which_they_are_and_how_to_name_them() -> None:
    twin = resource("create_ingest_pipeline", "docs")
    found = fate(INDEX, twin, allow_delete=("docs",))
    assert found.msg == "'docs' fits index and ingest_pipeline in this workflow: name each with its kind, such as index/docs."
    assert (found.status, found.release) == ("blocked", "index/docs")


def test_one_of_two_that_nobody_named_says_its_own_word() -> None:
    found = fate(INDEX, resource("create_ingest_pipeline", "docs"), allow_delete=("embed",))
    assert (found.release, found.msg) == ("index/docs", "An index is deleted only if allow_delete names it: add index/docs to allow_delete.")


def test_one_that_would_take_others_along_names_them() -> None:
    twins = [resource(step, "docs") for step in ("create_ingest_pipeline", "create_search_pipeline")]
    found = fate(INDEX, *twins, allow_delete=("index/docs",))
    assert (found.status, found.release) == ("blocked", "")
    assert found.msg == ("Naming it would delete ingest_pipeline/docs, search_pipeline/docs too, which has the same id: add that to allow_delete as well.")
    assert fate(INDEX, *twins, allow_delete=("index/docs",), on_blocked="keep").status == "kept"


@pytest.mark.parametrize(("choice", "status"), [("fail", "blocked"), ("keep", "kept")])
def test_a_namesake_that_stays_keeps_what_the_server_would_take_along_with_it(choice: str, status: str) -> None:
    """It is named, and blocked for another reason: somebody else uses it."""
    twin = used_by(resource("create_ingest_pipeline", "docs"), User("index", "theirs"))
    both = survey(workflow(INDEX, twin, CONNECTOR))
    index, pipeline, connector = fates(both, allow_delete=("index/docs", "ingest_pipeline/docs"), on_shared=choice)
    assert (index.status, pipeline.status, connector.status) == (status, status, "would_delete")
    assert index.msg == "Naming it would delete ingest_pipeline/docs too, which has the same id and must stay." and index.release == ""


def test_another_id_that_stays_and_an_equal_id_of_a_generated_kind_keep_nothing_else() -> None:
    shared = used_by(PIPELINE, User("index", "theirs"))
    agent = used_by(resource("register_agent", "docs"), User("workflow", "w9"))
    found = fates(survey(workflow(INDEX, shared, agent)), allow_delete=("docs", "embed"), on_shared="keep")
    assert found[0].status == "would_delete" and found[1].status == found[2].status == "kept"


def test_a_group_goes_with_what_the_task_records_of_its_users() -> None:
    agent = resource("register_agent", "a1")
    assert fate(used_by(GROUP, User("agent", "a1"), User("model", "m1")), agent, MODEL, leftovers="delete").status == "would_delete"
    both = fate(used_by(GROUP, User("agent", "a1"), User("agent", "a9")), agent, leftovers="delete")
    assert (both.status, both.msg) == ("retained", "Used by agent/a9: it stays.")


# -- whose it is -------------------------------------------------------------------------------------------


def test_what_a_workflow_of_the_task_records_is_not_outside() -> None:
    users = (User("model", "m1"), User("model", "m9"))
    assert fate(used_by(CONNECTOR, users[0]), MODEL).status == "would_delete"
    assert fate(used_by(CONNECTOR, *users), MODEL).msg.startswith("Not this workflow's alone: used by model/m9. ")


def test_a_model_that_is_only_deployed_here_is_shared_with_who_deployed_it_too_and_not_with_who_made_it() -> None:
    only_deployed = resource("deploy_model", "m1", state="DEPLOYED")
    maker, deployer = User("workflow", "w8", steps=("register_remote_model",)), User("workflow", "w9", steps=("deploy_model",))
    agent = User("agent", "a9")
    assert fate(used_by(only_deployed, maker)).status == "retained"
    assert fate(used_by(only_deployed, maker, deployer)).msg.startswith("Not this workflow's alone: used by workflow/w9. ")
    assert fate(used_by(only_deployed, agent)).status == "blocked"
    assert fate(used_by(MODEL, maker)).status == "blocked", "what is deleted here is shared with whoever recorded it"
    assert fate(used_by(only_deployed, deployer), on_shared="delete").status == "retained"


@pytest.mark.parametrize(
    ("state", "written", "latest", "since"),
    [
        ("COMPLETED", (1_000, 50_000), 50_000 + COMPLETED_SLACK, "after provisioning ended"),
        ("FAILED", (None, 50_000), 50_000 + FAILED_SLACK, "after provisioning ended"),
        ("FAILED", (1_000, 50_000), 1_000 + FAILED_SLACK, "more than an hour after provisioning began"),
        ("COMPLETED", (1_000, 9_000_000), 1_000 + FAILED_SLACK, "more than an hour after provisioning began"),
        ("COMPLETED", (1_000, None), 1_000 + FAILED_SLACK, "more than an hour after provisioning began"),
        ("PROVISIONING", (1_000, None), 1_000 + FAILED_SLACK, "more than an hour after provisioning began"),
    ],
)
def test_an_index_made_later_than_provisioning_is_another_one_and_the_reason_is_true(
    state: str, written: tuple[int | None, int | None], latest: int, since: str
) -> None:
    made = {"state": state, "written": written}
    assert fate(replace(INDEX, created=latest), made=made, allow_delete=("docs",)).status == "would_delete"
    later = fate(replace(INDEX, created=latest + 1), made=made, allow_delete=("docs",))
    assert (later.status, later.msg) == ("blocked", f"Not this workflow's alone: the index of that name was made {since}." + SHARED)
    assert fate(replace(INDEX, created=latest + 1), made=made, allow_delete=("docs",), on_shared="delete").status == "would_delete"
    assert fate(replace(INDEX, created=latest + 1), made=made, on_shared="keep").status == "kept"


def test_where_no_time_is_known_no_index_is_another_one() -> None:
    assert fate(replace(INDEX, created=9), made={"written": None}, allow_delete=("docs",)).status == "would_delete"
    assert fate(INDEX, made={"written": (1, 2)}, allow_delete=("docs",)).status == "would_delete"


# -- protect -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["docs", "d?cs", "w1", "w*", "env-4", "env-*"])
def test_the_id_of_a_resource_or_the_id_or_name_of_its_workflow_protects_it(pattern: str) -> None:
    found = fate(INDEX, made={"name": "env-4"}, allow_delete=("docs",), protect=("zzz", pattern, "*"))
    assert (found.status, found.msg) == ("blocked", f"Protected by {pattern!r} in protect.")


@pytest.mark.parametrize("pattern", ["DOCS", "doc", "W1", "env"])
def test_what_does_not_match_a_pattern_whole_is_not_protected(pattern: str) -> None:
    assert fate(INDEX, made={"name": "env-4"}, allow_delete=("docs",), protect=(pattern,)).status == "would_delete"


def test_protect_does_not_hide_what_is_gone_kept_or_only_left_there() -> None:
    assert fate(replace(INDEX, exists=False), protect=("*",)).status == "absent"
    assert fate(INDEX, on_blocked="keep", protect=("*",)).status == "kept"
    assert fate(GROUP, protect=("*",)).status == "retained"


def test_protect_holds_for_what_the_server_would_undeploy_or_try_to_delete() -> None:
    assert fate(resource("deploy_model", "m1", state="DEPLOYED"), protect=("m1",)).status == "blocked"
    assert fate(replace(INDEX, obstacle="read-only"), allow_delete=("docs",), protect=("docs",)).status == "blocked"


# -- several workflows of one task -------------------------------------------------------------------------


def two(first: Resource, second: Resource) -> Survey:
    return survey(workflow(first), workflow(replace(second, workflow_id="w2"), workflow_id="w2"))


def test_what_an_earlier_workflow_takes_along_is_absent_in_the_later_one_and_says_so() -> None:
    first, second = fates(two(CONNECTOR, CONNECTOR))
    assert (first.status, second.status) == ("would_delete", "absent")
    assert second.msg == "Another workflow of this task records it too, and it goes with that one."


def test_a_model_that_goes_with_another_workflow_is_still_undeployed_and_said_to_stay_here() -> None:
    first, second = fates(two(MODEL, resource("deploy_model", "m1")))
    assert (first.status, second.status) == ("would_delete", "retained")


def test_a_deployed_model_goes_where_another_workflow_of_the_task_undeploys_it() -> None:
    first, second = fates(two(replace(MODEL, state="DEPLOYED"), resource("deploy_model", "m1", state="DEPLOYED")))
    assert (first.status, first.changed, second.status, second.changed) == ("would_delete", True, "retained", True)


def test_what_one_workflow_keeps_no_other_one_deletes() -> None:
    """To the first one it is another index than the one that it made, and the second one has made it."""
    made = replace(INDEX, created=10**9)
    second = replace(workflow(replace(made, workflow_id="w2"), workflow_id="w2"), written=(10**9, 10**9))
    found = fates(survey(workflow(made), second), allow_delete=("docs",), on_shared="keep")
    assert [one.status for one in found] == ["kept", "kept"]
    assert found[1].msg == "This task keeps it: another workflow that recorded it does, or did when the plan was made."


def test_what_an_earlier_plan_of_the_task_kept_is_kept_whatever_the_record_says_now() -> None:
    (found,) = fates(replace(survey(workflow(INDEX)), kept=frozenset({INDEX.key})), allow_delete=("docs",))
    assert found.status == "kept" and found.msg.startswith("This task keeps it")


def test_what_an_earlier_plan_kept_is_kept_beside_what_this_one_finds_to_keep() -> None:
    """Of the logs the first workflow says that they are not its own, and the second one made them."""
    logs = resource("create_index", "logs", created=10**9)
    second = replace(workflow(replace(logs, workflow_id="w2"), workflow_id="w2"), written=(10**9, 10**9))
    before = replace(survey(workflow(INDEX, logs), second), kept=frozenset({INDEX.key}))
    found = fates(before, allow_delete=("docs", "logs"), on_shared="keep")
    assert [(one.resource.id, one.status) for one in found] == [("docs", "kept"), ("logs", "kept"), ("logs", "kept")]


def test_a_connector_goes_with_its_models_of_another_workflow_and_not_without_them() -> None:
    connector = used_by(CONNECTOR, User("model", "m1"))
    assert [one.status for one in fates(two(connector, MODEL))] == ["would_delete", "would_delete"]
    kept = fates(two(connector, used_by(MODEL, User("agent", "a9"))), on_shared="keep")
    assert [one.status for one in kept] == ["failed", "kept"]
    assert kept[0].msg == "Still in use by model/m1: delete that first." and not kept[0].changed


def test_nothing_that_a_workflow_would_take_along_counts_where_nothing_may_be_sent_for_it() -> None:
    """The second one still has the connector to delete, since the first one's deprovision is not sent."""
    strange = resource("step_of_a_newer_server", "x", problem="not known")
    found = fates(survey(workflow(CONNECTOR, strange), workflow(replace(CONNECTOR, workflow_id="w2"), workflow_id="w2")))
    assert [one.status for one in found] == ["would_delete", "failed", "would_delete"]


# -- options -----------------------------------------------------------------------------------------------

PARAMS: dict[str, Any] = {
    "allow_delete": [" docs\n", "index/a b", "", " \t", "ä"],
    "on_blocked": "keep",
    "on_shared": "delete",
    "on_missing": "fail",
    "stale_records": "forget",
    "leftovers": "delete",
    "delete_workflow": True,
    "protect": ["prod*", " "],
    "max_workflows": 3,
    "max_documents": 0,
    "expect_cluster": "preview",
    "plan_hash": "abc",
    "url": ["not an option of the plan"],
}


def test_the_options_of_a_plan_are_the_modules_with_names_trimmed_as_the_server_trims_them() -> None:
    assert Options.of(PARAMS) == Options(
        allow_delete=("docs", "index/a b", "ä"),
        on_blocked="keep",
        on_shared="delete",
        on_missing="fail",
        stale_records="forget",
        leftovers="delete",
        delete_workflow=True,
        protect=("prod*", " "),
        max_workflows=3,
        max_documents=0,
        expect_cluster="preview",
        plan_hash="abc",
    )


def test_the_server_trims_no_blank_of_unicode() -> None:
    name = "\u2003docs\u00a0"
    assert Options.of({**PARAMS, "allow_delete": [name, TRIMMED]}).allow_delete == (name,)


def test_workflows_are_left_as_they_are() -> None:
    found = survey(workflow(INDEX, DEPLOYED))
    before = repr(found)
    fates(found, allow_delete=("docs",))
    assert repr(found) == before and isinstance(found.workflows[0], Workflow)
