# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role plans, asks to be confirmed, tears down and reports; in one play, so that each run also follows another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from .helpers import GROUP, Playbooks, RoleRuns, ask, deprovisions, environment, existing, role, template

MARKUP = "pr-17 <script>alert(1)</script> {{ 7 * 7 }} | `x`"


@pytest.fixture(scope="module")
def run(cluster: Callable[..., Any], playbooks: Playbooks, tmp_path_factory: pytest.TempPathFactory) -> RoleRuns:
    """Two environments and what comes to them, in the order of a life. The connection is the play's own."""
    sim = cluster(cluster_name="preview")
    made = {name: environment(sim, name) for name in ("pr-17", "pr-18")}
    sim.load(made["pr-17"].state, template(MARKUP))
    folder = tmp_path_factory.mktemp("role") / "reports"
    named = [name for one in made.values() for name in one.named]
    chosen: dict[str, Any] = {"name": "pr-1*, \n", **dict.fromkeys(("owner", "max_workflows", "on_blocked", "delete_workflow", "headers"), "")}
    confirm = "2 workflows on preview"
    approved = {key: "{{ approved.environment_teardown_%s }}" % key for key in ("plan_hash", "plan_lines")}
    denied = {"fault": "deny", "arguments": {"step": "delete_connector", "resource_id": "pr_17_connector"}}
    agent = f"{sim.url}/_simulator/world?kind=agent&id=pr-18-agent"
    tasks = [
        role("nothing", folder, name="", workflow_id="\n"),
        role("typo", folder, **{**chosen, "name": "pr-4O*", "state": "COMPLETED"}),
        role("planned typo", folder, "plan", **{**chosen, "name": "pr-4O*"}),
        role("missing", folder, **{**chosen, "name": "pr-4O*"}, on_missing="fail"),
        role("blocked", folder, "plan", **chosen),
        role("plan", folder, "plan", **chosen, allow_delete="\n".join(named)),
        role("unconfirmed", folder, **chosen, allow_delete=named, confirm="2 workflows on previe"),
        ask("somebody deletes an agent", "DELETE", agent),
        {"name": "the plan", "ansible.builtin.include_vars": {"file": str(folder / "plan.vars.yml"), "name": "approved"}},
        role("another", folder, **chosen, allow_delete=named, confirm=confirm, **approved),
        role("guarded", folder, **chosen, allow_delete=named, confirm=confirm, max_documents=0),
        ask("the server keeps a connector", "POST", f"{sim.url}/_simulator/faults", denied),
        role("half", folder, **chosen, allow_delete=named, confirm=confirm, wait_sleep="0.1"),
        ask("it does so no more", "DELETE", f"{sim.url}/_simulator/faults"),
        {"name": "the rest", "ansible.builtin.include_vars": {"file": str(folder / "half.vars.yml")}},
        role("rest", folder, confirm=confirm),
        role("again", folder, **chosen, allow_delete=named),
    ]
    played = playbooks.run(tasks, play={"module_defaults": {GROUP: {"url": sim.url}}})
    return RoleRuns(sim, played, folder, made)


def test_guards_and_names_that_the_play_sets_for_the_group_hold(cluster: Callable[..., Any], playbooks: Playbooks, tmp_path: Path) -> None:
    """Of the names too, where the role is given none: an empty list would stand above them."""
    sim = cluster()
    made = environment(sim, "pr-17", ("index",))
    defaults = {"url": sim.url, "allow_delete": made.named}
    runs = []
    for title, further in (("protected", {"protect": ["pr-17-docs"]}), ("named", {})):
        tasks = [role(title, tmp_path, workflow_id="pr-17", confirm="pr-17")]
        played = playbooks.run(tasks, play={"module_defaults": {GROUP: {**defaults, **further}}})
        runs.append((RoleRuns(sim, played, tmp_path, {}).failed(title), existing(sim, made)))
    assert "protect" in runs[0][0] and runs[0][1] == {"index"}
    assert runs[1] == ("", set())


def test_a_variable_that_the_role_does_not_know_is_refused_before_anything_is_read(cluster: Callable[..., Any], playbooks: Playbooks, tmp_path: Path) -> None:
    """A guard that is spelt wrong guards nothing. What an earlier job has handed on comes back as variables, and is none of that."""
    sim = cluster()
    environment(sim, "w", ("connector",))
    given = {"name": "w", "confirm": "w", "protects": "w*", "expect_clusters": "prod"}
    limits = {"max_workflows": 1, "max_documents": 1}
    handed_on = {f"environment_teardown_result_of_{action}": {"status": "done"} for action in ("plan", "teardown", "reap", "scan")}
    entries = {"main": {}, "plan": {}, "reap": limits}
    tasks = [role(entry, tmp_path, entry, **given, **further) for entry, further in entries.items()]
    tasks.append(role("look only", tmp_path, workflow_id="w", confirm="w", scan=True))
    play = {"module_defaults": {GROUP: {"url": sim.url}}, "vars": handed_on}
    runs = RoleRuns(sim, playbooks.run(tasks, play=play), tmp_path, {})
    said = "The role has no variable environment_teardown_expect_clusters, environment_teardown_protects. Nothing was read or deleted."
    for entry in entries:
        report = runs.report(entry)
        assert runs.failed(entry).startswith(said) and report["msg"].startswith(said) and report["status"] == "failed"
        assert report["finish"] == "", "a command would lack that guard"
    assert "to look at this, plan it" in runs.failed("look only"), "that is for reap, and would be a guard that guards nothing"
    assert sim.requests() == []
    right = RoleRuns(sim, playbooks.run([role("right", tmp_path, workflow_id="w", confirm="w")], play=play), tmp_path, {})
    assert right.failed("right") == "" and right.report("right")["status"] == "done"


@pytest.mark.parametrize("chosen", [{"workflow_id": "w"}, {"name": "w"}])
def test_without_a_cluster_it_says_where_to_name_one(chosen: dict[str, str], playbooks: Playbooks, tmp_path: Path) -> None:
    runs = RoleRuns(None, playbooks.run([role("nowhere", tmp_path, **chosen)]), tmp_path, {})
    assert "environment_teardown_url or OPENSEARCH_URL" in runs.failed("nowhere") and runs.report("nowhere")["finish"] == ""


def test_what_a_second_run_in_a_play_hands_on_takes_the_place_of_the_first(cluster: Callable[..., Any], playbooks: Playbooks, tmp_path: Path) -> None:
    sim = cluster()
    for name in ("pr-17", "pr-18"):
        environment(sim, name, ("connector",))
    tasks = [role(name, tmp_path, "plan", workflow_id=name) for name in ("pr-17", "pr-18")]
    shown = {"ANSIBLE_SHOW_CUSTOM_STATS": "1"}
    played = playbooks.run(tasks, play={"module_defaults": {GROUP: {"url": sim.url}}}, environment=shown)
    handed, _end = json.JSONDecoder().raw_decode(played.output.rpartition("RUN: ")[2])
    second = RoleRuns(sim, played, tmp_path, {}).report("pr-18")
    assert handed["environment_teardown_plan_hash"] == second["plan_hash"]
    assert handed["environment_teardown_result_of_plan"]["summary"] == {"would_delete": 1}


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["status"] for workflow in report["workflows"] for one in workflow["resources"]}


def test_nothing_is_chosen_for_want_of_a_word(run: RoleRuns) -> None:
    assert "Nothing says which workflows" in run.failed("nothing")
    assert run.report("nothing")["workflows"] == [] and run.report("nothing")["finish"] == ""


def test_a_plan_names_what_is_blocked_and_fails(run: RoleRuns) -> None:
    report = run.report("blocked")
    assert report["status"] == "failed" and "Not named in allow_delete" in run.failed("blocked")
    assert report["blocked"] == sorted(name for one in run.environments.values() for name in one.named)
    assert "pr-18-docs" in report["finish"]


def test_texts_of_a_survey_are_lists_and_blank_ones_are_not_there(run: RoleRuns) -> None:
    report = run.report("plan")
    assert report["status"] == "planned" and report["asked"]["choose"] == {"name": ["pr-1*"]}
    assert report["summary"] == {"retained": 2, "would_delete": 12} and report["totals"]["documents"] == 24
    assert "max_workflows" not in report["asked"]["options"]


def test_what_is_not_confirmed_exactly_is_not_deleted(run: RoleRuns) -> None:
    assert "has to be 2 workflows on preview, and is 2 workflows on previe" in run.failed("unconfirmed")
    assert set(statuses(run.report("unconfirmed")).values()) == {"untouched", "retained"}


def test_a_plan_that_is_another_one_by_now_is_refused_and_the_difference_shown(run: RoleRuns) -> None:
    assert "it is another plan, or the cluster has changed since" in run.failed("another")
    difference = run.report("another")["difference"]
    assert difference == {"approved": ["would_delete agent pr-18-agent of pr-18"], "today": ["absent agent pr-18-agent of pr-18"]}
    assert all(difference["today"][0] in run.report("another", end) for end in ("md", "html"))


def test_a_guard_of_zero_is_a_guard(run: RoleRuns) -> None:
    assert "max_documents is 0" in run.failed("guarded")


def test_what_fails_half_way_says_what_is_left_and_its_variables_finish_it(run: RoleRuns) -> None:
    half, rest = run.report("half"), run.report("rest")
    assert half["status"] == "incomplete" and statuses(half)["pr_17_connector"] == "failed" and statuses(half)["pr-17-docs"] == "deleted"
    assert [one["id"] for one in half["remaining"]] == ["pr_17_connector"] and half["totals"]["documents"] == 24
    assert "teardown" in half["finish"] and "pr_17_connector" in run.failed("half")
    assert rest["status"] == "done" and rest["summary"] == {"deleted": 1} and run.failed("rest") == ""
    assert [existing(run.sim, one) for one in run.environments.values()] == [{"model_group"}, {"model_group"}]


def test_that_it_has_begun_is_handed_on_before_anything_is_deleted(run: RoleRuns) -> None:
    """So that no later job takes a run that never came to its end for one that deleted nothing."""
    begun = run.played["opensearch_ops.flow_framework.environment_teardown : Hand on that it has begun"]["ansible_stats"]
    assert begun["data"]["environment_teardown_result_of_teardown"]["status"] == "unfinished"


def test_a_second_run_has_nothing_to_do_and_needs_no_word(run: RoleRuns) -> None:
    assert run.report("again")["status"] == "nothing to do" and run.failed("again") == ""


def test_a_search_that_finds_nothing_says_so_and_where_and_fails_where_missing_is_a_failure(run: RoleRuns) -> None:
    nothing = "No workflow on cluster preview fits name pr-4O*"
    assert run.report("planned typo")["msg"] == f"{nothing}." and run.report("planned typo")["server"]["cluster_name"] == "preview"
    assert run.report("typo")["warnings"] == [f"{nothing}, state COMPLETED."] and run.failed("typo") == ""
    assert run.failed("missing") == f"{nothing}. Nothing was deleted." and run.report("missing")["status"] == "failed"


def test_only_what_was_confirmed_was_sent(run: RoleRuns) -> None:
    """Half way: one for each, one again for what was left; the rest: one."""
    assert {one.status for one in deprovisions(run.sim, "pr-18")} == {200}
    assert [one.status for one in deprovisions(run.sim, "pr-17")][-1] == 200


def test_names_from_the_cluster_stay_text_in_every_report(run: RoleRuns) -> None:
    """No markup in HTML, no table cells in Markdown, and nothing that Ansible would evaluate."""
    assert [one["name"] for one in run.report("plan")["workflows"]] == [MARKUP, "pr-18"]
    page = run.report("plan", "html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7 * 7 }}" in page and "<script>alert" not in page
    assert "&lt;script>alert(1)&lt;/script> {{ 7 * 7 }} \\| 'x'" in run.report("plan", "md")


def test_the_variables_of_a_plan_hold_no_connection(run: RoleRuns) -> None:
    variables = yaml.safe_load(run.report("plan", "vars.yml").replace("!unsafe ", ""))
    assert run.sim.url not in json.dumps(variables)
    assert variables["environment_teardown_workflow_id"] == ["pr-17", "pr-18"]
    assert variables["environment_teardown_plan_hash"] == run.report("plan")["plan_hash"]


@pytest.mark.parametrize("when", ["first", "last"])
def test_a_report_that_cannot_be_written_is_handed_on_and_said_all_the_same(
    when: str, cluster: Callable[..., Any], playbooks: Playbooks, tmp_path: Path
) -> None:
    """Without the first report nothing is deleted. Where the last one fails, what became of it is known from the output, and the run fails."""
    sim = cluster(cluster_name="preview")
    made = environment(sim, "w", ("connector", "index"))
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "reports")
    folder = {"first": nowhere, "last": "{{ '%s' if environment_teardown__outcome | default({}) else '%s' }}" % (nowhere, tmp_path)}[when]
    played = playbooks.run([role("teardown", folder, workflow_id="w", allow_delete="w-docs", confirm="w")], play={"module_defaults": {GROUP: {"url": sim.url}}})
    gone = when == "last"
    assert existing(sim, made) == (set() if gone else {"connector", "index"})
    ours = "opensearch_ops.flow_framework.environment_teardown : "
    handed_on = played[ours + "Hand it on to the next job, also from one that fails"]["ansible_stats"]["data"]["environment_teardown_result_of_teardown"]
    assert handed_on["status"] == ("done" if gone else "failed") and handed_on["file"] == handed_on["finish"] == ""
    text = played[ours + "Say what became of it"]["msg"]
    assert any("cannot be written" in line for line in text) and not any(".html" in line for line in text)
    assert "The report cannot be written" in str(played["teardown failed"]["msg"])
