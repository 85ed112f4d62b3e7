# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report says of a plan, of a teardown that ended well, half way, or not at all, and the command that goes on."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
import yaml
from ansible.parsing.splitter import parse_kv

from ansible_collections.opensearch_ops.flow_framework.plugins.action.teardown_report import files_of
from ansible_collections.opensearch_ops.flow_framework.plugins.filter.given_options import given_options
from ansible_collections.opensearch_ops.flow_framework.plugins.plugin_utils._report import MOST, as_text, report_of

BEGAN, ENDED = "2026-11-26T11:43:05Z", "2026-11-26T11:43:09Z"
SERVER = {"version": "3.6.0", "flow_framework": "3.6.0.0", "cluster_name": "preview", "cluster_uuid": "uuid-of-preview"}


def resource(id_: str, status: str, kind: str = "connector", workflow_id: str = "w1", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = dict(workflow_id=workflow_id, kind=kind, type="", id=id_, uuid=None, steps=[], status=status, changed=False, failed=False, msg="")
    return {**made, "needs_allow_delete": False, "documents": None, "size_in_bytes": None, "used_by": [], **more}


def index(status: str, documents: int | None = 12, **more: Any) -> dict[str, Any]:
    return resource("docs", status, "index", **{"documents": documents, "size_in_bytes": 4096, "uuid": "u1", **more})


def result(*resources: dict[str, Any], changed: bool = True, **more: Any) -> dict[str, Any]:
    """A result of workflow_deprovision."""
    ids = dict.fromkeys(["w1", *(one["workflow_id"] for one in resources)])
    workflows = [
        dict(workflow_id=i, name=f"name of {i}", state_before="COMPLETED", state_after="NOT_STARTED", changed=changed, failed=False, msg="", duration=1.5)
        for i in ids
    ]
    made: dict[str, Any] = dict(changed=changed, failed=False, msg="a sentence", server=SERVER, workflows=workflows, resources=list(resources), blocked=[])
    return {**made, "remaining": [], "unrecorded": [], "plan_hash": "hash-of-today", "duration": 2.0, **more}


def report(action: str = "teardown", **facts: Any) -> dict[str, Any]:
    given = {"started": BEGAN, "ended": ENDED, "path": "/reports/one two", "workflow_id": ["w1"]}
    return report_of({"action": action, **given, "options": {"allow_delete": ["docs"]}, "choosing": {"name": ["pr-*"]}, **facts})


PLAN = result(resource("c", "would_delete"), index("would_delete"), resource("g", "retained", "model_group"))
DONE = result(resource("c", "deleted"), index("deleted"), resource("g", "retained", "model_group"))
HALF = result(resource("c", "failed", failed=True, msg="It is still there."), index("deleted"), failed=True)


def statuses(made: dict[str, Any]) -> dict[str, Any]:
    return {one["id"]: one["status"] for workflow in made["workflows"] for one in workflow["resources"]}


def words(command: str) -> list[str]:
    """The words of a command, as a shell sees them."""
    return shlex.split(command)


def extra_variable_of(command: str) -> tuple[str, Any]:
    """The last variable of a command as the role sees it: Ansible reads YAML or name=value, and the role takes texts apart."""
    word = words(command)[-1]
    variables = dict(yaml.safe_load(word)) if word.startswith("{") else dict(parse_kv(word))
    ((name, value),) = variables.items()
    return name, given_options({name: value}, [name])[name]


# -- what became of it -------------------------------------------------------------------------------------------------


def test_a_plan_says_what_would_go_and_which_command_carries_it_out() -> None:
    made = report("plan", plan=PLAN)
    assert made["status"] == "planned"
    assert made["totals"] == {"resources": 3, "indices": 1, "documents": 12, "bytes": 4096, "uncounted": 0}
    assert words(made["finish"])[:4] == ["ansible-playbook", "opensearch_ops.flow_framework.teardown", "-e", "@/reports/one two.vars.yml"]
    assert words(made["finish"])[4:] == ["-e", "environment_teardown_confirm=w1"]
    assert "environment_teardown_confirm" not in made["variables"], "a file that confirms itself would need nobody"
    assert made["variables"]["environment_teardown_plan_hash"] == "hash-of-today"
    assert made["variables"]["environment_teardown_workflow_id"] == ["w1"], "the workflows that were found, and no patterns that may find others"
    assert made["variables"]["environment_teardown_expect_cluster"] == "uuid-of-preview"


def test_a_plan_with_nothing_to_do_asks_for_no_command() -> None:
    assert report("plan", plan=result(changed=False))["finish"] == ""


def test_a_plan_has_something_to_do_though_its_task_counts_as_no_change() -> None:
    """The role says `changed_when: false` of it, and so may a playbook."""
    assert report("plan", plan={**PLAN, "changed": False})["finish"] == report("plan", plan=PLAN)["finish"] != ""


def test_what_is_blocked_is_named_in_the_command_that_plans_it_again() -> None:
    refused = result(resource("c", "untouched"), index("blocked", failed=True), changed=False, failed=True, blocked=["docs"], msg="Refused.")
    made = report("plan", plan=refused, failure="Refused.", options={"allow_delete": ["other"]})
    assert (made["status"], made["msg"], made["finish_heading"]) == ("failed", "Refused.", "To plan it again")
    assert words(made["finish"])[1] == "opensearch_ops.flow_framework.plan"
    assert words(made["finish"])[-1] == "environment_teardown_allow_delete=docs,other"
    assert "environment_teardown_plan_hash" not in made["variables"] and not [key for key in made["stats"] if "plan_hash" in key]


def test_what_is_kept_by_choice_is_never_named_in_a_command() -> None:
    kept = index("kept")
    plan = result(resource("c", "would_delete"), kept, blocked=["docs"])
    half = report(plan=plan, outcome=result(resource("c", "failed"), kept, blocked=["docs"]), failure="one is left", options={"on_blocked": "keep"})
    assert "docs" not in half["finish"] and "docs" not in half["variables"].get("environment_teardown_allow_delete", [])
    assert words(half["finish"])[1] == "opensearch_ops.flow_framework.teardown"


@pytest.mark.parametrize("ended", [None, ENDED])
@pytest.mark.parametrize("name", ["docs", "index/docs"])
def test_what_is_blocked_is_never_torn_down_by_a_command_that_nobody_planned(name: str, ended: str | None) -> None:
    plan = result(resource("c", "would_delete"), index("blocked", failed=True), blocked=[name], failed=True)
    made = report(plan=plan, ended=ended, options={}, failure="Refused." if ended else "")
    assert words(made["finish"])[1] == "opensearch_ops.flow_framework.plan" and made["finish_heading"] == "To plan it again"
    assert extra_variable_of(made["finish"]) == ("environment_teardown_allow_delete", [name])
    assert "environment_teardown_allow_delete" not in made["variables"]


def test_before_its_end_a_teardown_is_unfinished_and_claims_nothing() -> None:
    made = report(plan=PLAN, ended=None)
    assert (made["status"], made["finished"], made["ended"]) == ("unfinished", False, None)
    assert statuses(made) == {"c": None, "docs": None, "g": "retained"}
    assert {one["id"] for one in made["remaining"]} == {"c", "docs"}
    assert "teardown" in made["finish"] and "environment_teardown_plan_hash" not in made["variables"], "what is left is another plan by then"


def test_a_teardown_that_ended_well_leaves_nothing_to_do() -> None:
    made = report(plan=PLAN, outcome=DONE)
    assert (made["status"], made["finish"], made["remaining"], made["duration"]) == ("done", "", [], 2.0)
    assert made["summary"] == {"deleted": 2, "retained": 1} and made["planned"] == {"retained": 1, "would_delete": 2}
    assert made["totals"]["documents"] == 12


def test_a_teardown_that_ended_half_way_says_what_is_left_and_counts_what_is_gone() -> None:
    made = report(plan=PLAN, outcome=HALF, failure="one is left")
    assert made["status"] == "incomplete" and [one["id"] for one in made["remaining"]] == ["c"]
    assert made["totals"]["documents"] == 12
    assert words(made["finish"])[1] == "opensearch_ops.flow_framework.teardown"


def test_a_result_that_failed_needs_nobody_who_says_so() -> None:
    half = report(plan=PLAN, outcome=HALF)
    assert (half["status"], half["msg"]) == ("incomplete", "a sentence") and half["finish"] != ""
    refused = report("plan", plan=result(index("blocked", failed=True), changed=False, failed=True, blocked=["docs"]))
    assert (refused["status"], refused["finish_heading"]) == ("failed", "To plan it again")


def test_without_an_outcome_nothing_was_asked_to_go() -> None:
    made = report(plan=PLAN, failure="Not confirmed")
    assert made["status"] == "failed" and statuses(made) == {"c": "untouched", "docs": "untouched", "g": "retained"}
    assert made["totals"]["documents"] == 0
    assert words(made["finish"])[1] == "opensearch_ops.flow_framework.teardown"
    assert made["variables"]["environment_teardown_plan_hash"] == "hash-of-today", "the command carries out the plan that was shown"


def test_a_module_that_ended_without_a_result_leaves_what_is_not_known() -> None:
    made = report(plan=PLAN, outcome={"failed": True, "msg": "MODULE FAILURE"}, failure="MODULE FAILURE")
    assert statuses(made) == {"c": "unknown", "docs": "unknown", "g": "retained"}
    assert "environment_teardown_plan_hash" not in made["variables"], "a part may be gone"


def test_without_a_plan_the_variables_are_those_that_were_given() -> None:
    made = report(workflow_id=None, failure="cannot be reached")
    assert made["variables"] == {"environment_teardown_name": ["pr-*"], "environment_teardown_allow_delete": ["docs"]}
    assert made["server"] is None and made["workflows"] == []


@pytest.mark.parametrize("action", ["plan", "teardown", "reap", "scan"])
@pytest.mark.parametrize("plan", [{}, {"failed": True, "msg": "missing required arguments: url"}, {**result(changed=False, failed=True), "plan_hash": None}])
def test_without_a_plan_no_command_is_told(plan: dict[str, Any], action: str) -> None:
    """It would fail as this run did, or lack an option that was refused."""
    made = report(action, plan=plan, failure="Nothing was read.")
    assert made["status"] == "failed" and made["finish"] == "" and not [line for line in made["text"] if line.startswith("To ")]
    assert "environment_teardown_plan_hash" not in made["variables"]


@pytest.mark.parametrize(("documents", "uncounted"), [(None, 1), (0, 0)])
def test_what_could_not_be_counted_is_said(documents: int | None, uncounted: int) -> None:
    assert report("plan", plan=result(index("would_delete", documents)))["totals"]["uncounted"] == uncounted


def test_a_scan_names_what_is_overdue_and_not_what_is_empty_or_kept() -> None:
    resources = [resource("c", "untouched"), resource("k", "kept", workflow_id="w2"), resource("a", "absent", workflow_id="w3")]
    plan = result(*resources, changed=False)
    plan["workflows"] = [{**one, "changed": False} for one in plan["workflows"]]
    assert report("scan", plan=plan, failure="x")["overdue"] == ["name of w1 w1"]


class Marks(yaml.SafeLoader):
    """Shows which texts are marked as no templates."""


def no_template(loader: Marks, node: yaml.ScalarNode) -> tuple[str, str]:
    return "no template", str(loader.construct_scalar(node))


Marks.add_constructor("!unsafe", no_template)


def test_every_text_of_the_variables_is_marked_as_no_template() -> None:
    texts = ["{{ 6 * 7 }}", "#jinja2: variable_start_string: '[['\n[[ 6 ]]", "ü\u2028\x7f \U0001f600", "", "true", "17", "plain"]
    marked = [("no template", text) for text in texts]
    variables = {"names": texts, "number": 0, "flag": False, "nothing": None, "nested": [{"key": texts}]}
    expected = {"names": marked, "number": 0, "flag": False, "nothing": None, "nested": [{"key": marked}]}
    assert yaml.load(as_text(variables), Marks) == expected


def planned(workflow_id: str) -> dict[str, Any]:
    """The report of a plan for one workflow of that id."""
    plan = result(resource("c", "would_delete", workflow_id=workflow_id))
    workflows = [{**one, "workflow_id": workflow_id} for one in plan["workflows"][:1]]
    return report("plan", path="/reports/one", plan={**plan, "workflows": workflows})


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize("id_", ["fxTPPviUDPV4LoG02uEe", "-_x", "17", "true"])
def test_a_command_with_plain_texts_can_be_pasted_from_whatever_ansible_prints(id_: str, form: str) -> None:
    made = planned(id_)
    printed = json.dumps(made["text"]) if form == "json" else yaml.safe_dump(made["text"], width=float("inf"), allow_unicode=True)
    assert f"To carry it out: {made['finish']}" in printed and words(made["finish"])[-1] == f"environment_teardown_confirm={id_}"
    assert not set(made["finish"]) & set("'\"\\`$;&|<>(){}[]*?!~#")


ODD = ["a b", "a'b", 'a"b', "a;b", "$(b)", "`b`", "a\\b", "a=b", "a,b", "{b: c}", "[b]", "@b", "!b", "ü", "a.b", "a/b", "a*", "~", "#b", "", "b\n"]


@pytest.mark.parametrize("id_", ODD)
def test_any_other_text_stays_in_quotes_and_is_taken_as_it_is(id_: str) -> None:
    made = planned(id_)
    word = words(made["finish"])[-1]
    assert len(words(made["finish"])) == 6 and shlex.quote(word) in made["finish"] and shlex.quote(word).startswith("'")
    found = yaml.load(word, Marks)["environment_teardown_confirm"]
    assert found in (id_, ("no template", id_)) and "\n" not in made["finish"]
    assert made["text"][-1] == f"To carry it out, copy this from the report, since its quotes are not printed as they are: {made['finish']}"


@pytest.mark.parametrize("names", [["docs", "more"], ["docs"], ["docs", "a,b"], ["docs", "a b"], ["index/docs"]])
def test_names_in_a_command_are_read_as_they_were_written(names: list[str]) -> None:
    plan = result(*(resource(name, "blocked", kind="index") for name in names), blocked=names, failed=True, changed=False)
    made = report("plan", path="/reports/one", plan=plan, failure="Refused.", options={})
    assert extra_variable_of(made["finish"]) == ("environment_teardown_allow_delete", sorted(names))


def test_what_could_be_a_template_is_marked_on_the_command_line_too() -> None:
    evil = "it's {{ 6 * 7 }}"
    made = planned(evil)
    assert yaml.load(words(made["finish"])[-1], Marks) == {"environment_teardown_confirm": ("no template", evil)}
    assert "\n" not in made["finish"]


# -- this plan and no other --------------------------------------------------------------------------------------------


def test_one_workflow_is_confirmed_by_its_id_and_several_by_how_many_and_where() -> None:
    several = result(resource("c", "would_delete"), resource("d", "would_delete", workflow_id="w2"))
    assert report("plan", plan=PLAN)["confirm"] == "w1"
    assert report("plan", plan=several)["confirm"] == "2 workflows on preview"
    assert report("plan", plan={**several, "server": {**SERVER, "cluster_name": None}})["confirm"] == "2 workflows on uuid-of-preview"


def test_another_plan_is_shown_by_what_differs() -> None:
    approved = report("plan", plan=PLAN)["stats"]["environment_teardown_plan_lines"]
    changed = result(resource("c", "untouched"), index("untouched", uuid="u2"), resource("g", "retained", "model_group"), changed=False, failed=True)
    made = report(plan={**changed, "plan_hash": "another"}, approved_hash="hash-of-today", approved_lines=approved, failure="plan_hash is another")
    assert made["difference"] == {"approved": ["would_delete index docs u1 of w1"], "today": ["would_delete index docs u2 of w1"]}
    assert any("in today's plan, and not approved: would_delete index docs u2" in line for line in made["text"])


@pytest.mark.parametrize("ended", [None, ENDED])
@pytest.mark.parametrize("lines", [["an approved line"], []])
def test_another_plan_than_the_approved_one_is_planned_again_and_not_torn_down(lines: list[str], ended: str | None) -> None:
    made = report(plan=PLAN, ended=ended, approved_hash="another", approved_lines=lines, failure="another plan" if ended else "")
    assert words(made["finish"])[1:] == ["opensearch_ops.flow_framework.plan", "-e", "@/reports/one two.vars.yml"]
    assert made["finish_heading"] == "To plan it again"
    assert made["variables"]["environment_teardown_plan_hash"] == "another", "so that a teardown with these variables is refused as well"
    assert made["variables"]["environment_teardown_plan_lines"] == lines


def test_a_plan_made_again_is_carried_out_as_it_is_now() -> None:
    made = report("plan", plan=PLAN, approved_hash="another", approved_lines=["an approved line"])
    assert words(made["finish"])[1] == "opensearch_ops.flow_framework.teardown"
    assert made["variables"]["environment_teardown_plan_hash"] == "hash-of-today"


def test_the_same_plan_has_no_difference() -> None:
    assert report(plan=PLAN, approved_hash="hash-of-today", approved_lines=["whatever"])["difference"] == {}


@pytest.mark.parametrize("guards", [{"on_shared": "keep"}, {"allow_delete": ["docs", "more"]}, {"delete_workflow": True}])
def test_the_lines_of_a_plan_hold_the_options_that_its_hash_covers(guards: dict[str, Any]) -> None:
    one, other = report("plan", plan=PLAN), report("plan", plan=PLAN, options=guards)
    assert one["stats"]["environment_teardown_plan_lines"] != other["stats"]["environment_teardown_plan_lines"]


# -- what is handed on -------------------------------------------------------------------------------------------------


def test_what_is_handed_on_is_short_however_much_there_is() -> None:
    many = result(*(resource(f"c{number}", "blocked") for number in range(1000)), changed=False, failed=True, blocked=[f"c{number}" for number in range(1000)])
    stats = report("plan", plan=many, failure="x" * 100_000)["stats"]
    assert len(json.dumps(stats)) < 20_000 and len(stats["environment_teardown_result_of_plan"]["blocked"]) == MOST
    planned = report("plan", plan=result(*(resource(f"c{number}", "would_delete") for number in range(1000))))["stats"]
    assert planned["environment_teardown_plan_lines"] == [] and planned["environment_teardown_plan_hash"] == "hash-of-today"


def test_each_way_in_has_keys_of_its_own() -> None:
    keys = [set(report(action, plan=PLAN)["stats"]) for action in ("plan", "teardown", "reap", "scan")]
    assert set.intersection(*keys) == set() and all(key.startswith("environment_teardown_") for some in keys for key in some)


def test_nothing_of_a_result_but_its_documented_keys_is_taken() -> None:
    leaky = {**DONE, "invocation": {"module_args": {"password": "sesame"}}}
    assert "sesame" not in json.dumps(report(plan=leaky, outcome=leaky))


# -- what is said ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "words"), [(None, "would be taken"), ("SUCCESS", "SUCCESS")])
def test_a_snapshot_that_does_not_exist_yet_is_said_to_be_none(state: str | None, words: str) -> None:
    snapshot = {"repository": "backups", "snapshot": "before", "state": state, "indices": ["docs"], "restore": ""}
    files = files_of(report(plan=PLAN, outcome=DONE, snapshot=snapshot, check_mode=state is None))
    for end in ("md", "html"):
        (line,) = [line for line in files[end].splitlines() if "backups/before" in line]
        assert words in line and "None" not in line


@pytest.mark.parametrize(("outcome", "said"), [({}, "COMPLETED"), (DONE, "COMPLETED → NOT_STARTED")])
def test_a_workflow_has_another_state_only_when_something_was_carried_out(outcome: dict[str, Any], said: str) -> None:
    files = files_of(report(plan=PLAN, outcome=outcome, failure="" if outcome else "Not confirmed"))
    assert f"\n{said}{', 1.5 s' if outcome else ''}. \n" in files["md"]
    (line,) = [line for line in files["html"].splitlines() if line.startswith("COMPLETED")]
    assert line == f"{said} </th></tr>"
    assert ('id="time"' in files["html"]) == bool(outcome)


def test_in_check_mode_no_workflow_has_another_state() -> None:
    files = files_of(report(plan=PLAN, outcome=PLAN, check_mode=True))
    assert "\nCOMPLETED. \n" in files["md"] and "\nCOMPLETED </th></tr>\n" in files["html"] and 'id="time"' not in files["html"]


def test_the_text_of_what_only_looks_shows_the_lines_of_a_diff_that_differ() -> None:
    diff = {"before": "a: COMPLETED\n  index docs\n  model group g\n", "after": "a: NOT_STARTED\n  model group g\n"}
    shown = {action: report(action, plan={**PLAN, "diff": diff})["text"] for action in ("plan", "scan", "teardown")}
    signed = {action: [line for line in text if line[0] in "+-"] for action, text in shown.items()}
    changed = ["-a: COMPLETED", "-  index docs", "+a: NOT_STARTED"]
    assert signed == {"plan": changed, "scan": changed, "teardown": []}, "Ansible shows that of a teardown"


def test_the_text_names_what_is_in_no_record() -> None:
    unrecorded = [dict(workflow_id="w1", kind="index", id=f"docs-{number}", command=f"DELETE /docs-{number}") for number in range(MOST + 1)]
    text = report("plan", plan={**PLAN, "unrecorded": unrecorded})["text"]
    assert "in no record: index docs-0 of w1: DELETE /docs-0" in text and "… and 1 more in no record, see the report" in text
