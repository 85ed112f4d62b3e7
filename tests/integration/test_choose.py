# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""workflow_info finds workflows, and what it finds feeds workflow_deprovision."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import api, listing
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import survey as surveys
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.module import OptionError
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import SurveyError
from tests.campaign.worlds import forget
from tests.simulator import running

from . import in_process
from .helpers import INFO, Modules, Playbooks, deprovision, environment, in_check_mode, info, state, task, template, warnings, writes

DAY = 86_400_000


def look(sim: Any, **options: Any) -> dict[str, Any]:
    """The result of workflow_info, with its warnings, without a process."""
    return in_process.information(sim.urls, **options)


def in_pages_of(size: int, patch: pytest.MonkeyPatch) -> None:
    """List and read so many workflows together, so that there are several pages."""
    for module in (listing, surveys):
        patch.setattr(module, "PAGE", size)


def ids(result: dict[str, Any]) -> list[str]:
    return [one["workflow_id"] for one in result["workflows"]]


def put(sim: Any, workflow_id: str, name: str | None, days: float, owner: str = "ci", use_case: str = "PREVIEW", **more: Any) -> None:
    """A workflow that was provisioned that many days ago, with an index of its own; without a template where it has no name."""
    index = f"{workflow_id}-docs"
    sim.world.put("index", index, documents=3, creation_date=1)
    entry = {"workflow_step_name": "create_index", "workflow_step_id": "i", "resource_type": "index_name", "resource_id": index}
    document = {**state(workflow_id, [entry], more.pop("state", "COMPLETED")), "user": {"name": owner}, **more}
    begun = int(time.time() * 1000 - days * DAY)
    document.update(provision_start_time=begun, provision_end_time=begun + 1000)
    sim.load(document, None if name is None else {**template(name), "use_case": use_case})


@pytest.fixture(scope="module")
def cluster_of_many() -> Iterator[Any]:
    """Nothing that a test of this file does changes it."""
    with running() as sim:
        put(sim, "c", "pr-3", 10)
        put(sim, "a", "pr-1", 1)
        put(sim, "b", "pr-2", 8, owner="eva", state="FAILED")
        put(sim, "d", "prod", 400, use_case="SEARCH")
        put(sim, "e", None, 9)
        put(sim, "f", "pr-1", 0)
        sim.load({"workflow_id": "g", "state": "NOT_STARTED"}, template("new"))
        sim.load({"workflow_id": "h", "state": "NOT_STARTED"}, template("lonely"))
        forget(sim, "h")
        yield sim


CHOICES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "everything": ({}, ["e", "h", "g", "a", "f", "b", "c", "d"]),
    "name": ({"name": ["pr-*"]}, ["a", "f", "b", "c"]),
    "two names": ({"name": ["pr-[23]", "prod"]}, ["b", "c", "d"]),
    "name in another case": ({"name": ["PR-*"]}, []),
    "use_case": ({"use_case": ["SEARCH"]}, ["d"]),
    "state": ({"state": ["FAILED", "NOT_STARTED"]}, ["g", "b"]),
    "owner": ({"owner": ["eva"]}, ["b"]),
    "older_than": ({"older_than": "9d"}, ["e", "c", "d"]),
    "newer_than": ({"newer_than": "12h"}, ["h", "g", "f"]),
    "between": ({"older_than": "7d", "newer_than": "2w"}, ["e", "b", "c"]),
    "resource_id": ({"resource_id": ["c-docs", "d-docs", "nothing"]}, ["c", "d"]),
    "orphaned": ({"orphaned": True}, ["e"]),
    "not orphaned": ({"orphaned": False}, ["h", "g", "a", "f", "b", "c", "d"]),
    "ids": ({"workflow_id": ["d", "a"]}, ["d", "a"]),
    "ids and name": ({"workflow_id": ["d", "c", "a"], "name": ["pr-*"]}, ["a", "c"]),
    "all at once": ({"name": ["pr-*"], "older_than": "7d", "state": ["COMPLETED"], "owner": ["ci"], "use_case": ["PREVIEW"], "orphaned": False}, ["c"]),
    "no ids": ({"workflow_id": []}, []),
}


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("few", [0, 10])
@pytest.mark.parametrize("with_look", [True, False])
def test_each_filter_alone_and_together_sorted_and_counted(
    cluster_of_many: Any, choice: str, few: int, with_look: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, expected = CHOICES[choice]
    monkeypatch.setattr(surveys.Surveyor.__init__, "__defaults__", (None, few))
    in_pages_of(3, monkeypatch)
    found = look(cluster_of_many, look=with_look, **options)
    names = {one["workflow_id"]: one["name"] for one in found["workflows"]}
    if choice != "ids":
        assert sorted(expected, key=lambda id_: (names[id_] or "", id_)) == expected, "the expectation itself is sorted"
    assert ids(found) == expected
    counts = found["counts"]
    assert counts["workflows"] == len(expected) == sum(counts[name] for name in ("NOT_STARTED", "PROVISIONING", "COMPLETED", "FAILED", "MISSING"))
    assert counts["resources"] == len(found["resources"]) and writes(cluster_of_many) == []
    assert {one["status"] for one in found["resources"]} <= ({"present"} if with_look else {None})
    assert sum(found["summary"].values()) == (len(found["resources"]) if with_look else 0)


def test_a_workflow_is_shown_with_all_that_it_is_chosen_by(cluster_of_many: Any) -> None:
    (one,) = look(cluster_of_many, name=["pr-2"])["workflows"]
    assert (one["use_case"], one["owner"], one["state"], one["orphaned"]) == ("PREVIEW", "eva", "FAILED", False)
    assert abs(one["age"] - 8 * 86400) < 300 and isinstance(one["created_time"], int)
    orphan, lonely = look(cluster_of_many, workflow_id=["e", "h"])["workflows"]
    assert (orphan["orphaned"], orphan["name"], orphan["created_time"]) == (True, None, None)
    assert (lonely["orphaned"], lonely["name"], lonely["state"]) == (None, "lonely", None)


def test_without_a_look_nothing_is_looked_at(cluster_of_many: Any) -> None:
    cluster_of_many.clear_log()
    found = look(cluster_of_many, name=["pr-*"], look=False)
    assert found["resources"] and {one["status"] for one in found["resources"]} == {None} and found["blocked"] == []
    assert not cluster_of_many.requests("GET", "docs") and not cluster_of_many.requests(None, "_ml/|pipeline")


def test_ages_are_those_of_the_clusters_own_clock(cluster_of_many: Any) -> None:
    """Its clock is a thousand days ahead of this machine's."""
    now = int(time.time() * 1000) + 1000 * DAY
    tasks = {"n:1": {"action": "cluster:monitor/tasks/lists", "start_time_in_millis": now}}
    cluster_of_many.faults.answer("GET", "/_tasks", 200, {"nodes": {"n": {"tasks": tasks}}}, times=1)
    found = look(cluster_of_many, older_than="1005d", newer_than="1300d", look=False)
    assert ids(found) == ["e", "b", "c"] and found["warnings"] == []


def test_where_the_clusters_time_cannot_be_read_it_is_this_machines_with_a_warning_that_names_the_permission(cluster_of_many: Any) -> None:
    denied = {"error": {"type": "security_exception", "reason": "no permissions for [x]"}, "status": 403}
    choices: tuple[tuple[dict[str, Any], bool], ...] = (({"older_than": "9d"}, True), ({"name": ["pr-*"]}, False))
    for options, warned in choices:
        cluster_of_many.faults.answer("GET", "/_tasks", 403, denied, times=1)
        found = look(cluster_of_many, look=False, **options)
        assert bool(found["warnings"]) == warned and ("cluster:monitor/tasks/lists" in warnings(found)) == warned
        assert ids(found) == (["e", "c", "d"] if warned else ["a", "f", "b", "c"])


def test_an_id_that_does_not_exist_is_an_entry_without_a_state_and_a_warning_that_names_it_and_the_cluster(cluster_of_many: Any) -> None:
    found = look(cluster_of_many, workflow_id=["nobody", "a"])
    assert ids(found) == ["nobody", "a"] and found["workflows"][0]["state"] is None and found["counts"]["MISSING"] == 1
    (warning,) = found["warnings"]
    assert warning.startswith(f"There is no workflow nobody on cluster {cluster_of_many.cluster_name}. ") and "if this is a name" in warning
    narrowed = look(cluster_of_many, workflow_id=["nobody", "a"], name=["pr-*"])
    assert ids(narrowed) == ["a"] and narrowed["warnings"] == found["warnings"]


def test_an_age_or_an_empty_value_that_cannot_be_meant_is_refused(cluster_of_many: Any) -> None:
    refused: tuple[dict[str, Any], ...] = ({"older_than": "week"}, {"name": []}, {"owner": [""]}, {"workflow_id": [" "]})
    for options in refused:
        with pytest.raises(OptionError):
            look(cluster_of_many, **options)


def test_a_cluster_that_never_saw_a_workflow_has_none() -> None:
    with running() as sim:
        found = look(sim)
        assert found["workflows"] == [] and found["server"]["cluster_name"] == "simulator" and found["warnings"] == []


def test_hundreds_are_listed_page_by_page_each_once_and_none_is_asked_for_alone() -> None:
    with running() as sim:
        for number in range(230):
            sim.load({"workflow_id": f"w{number:03}", "state": "NOT_STARTED"}, template(f"n{number % 7}"))
        with pytest.MonkeyPatch.context() as patch:
            in_pages_of(50, patch)
            found = look(sim, name=["n[0-5]"], look=False)
        assert sorted(ids(found)) == [f"w{number:03}" for number in range(230) if number % 7 < 6]
        assert len(sim.requests("POST", "/state/_search")) == 5 + 4 and not sim.requests("GET", "/_flow_framework/")


def test_what_is_created_between_two_pages_loses_and_doubles_no_workflow() -> None:
    with running() as sim:
        for number in range(9):
            sim.load({"workflow_id": f"w{number}", "state": "NOT_STARTED"}, template("n"))

        def before(request: Any) -> None:
            if request.body and "search_after" in request.body:
                for name in ("a", "w45", "z"):
                    sim._engine.load({"workflow_id": f"{name}{len(sim.log)}", "state": "NOT_STARTED"}, template("n"))

        sim.faults.hook(before)
        with pytest.MonkeyPatch.context() as patch:
            in_pages_of(4, patch)
            found = ids(look(sim, look=False))
        assert {f"w{number}" for number in range(9)} <= set(found) and len(found) == len(set(found))


def test_more_templates_than_one_page_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with running() as sim:
        for number in range(4):
            sim.load({"workflow_id": f"w{number}", "state": "NOT_STARTED"}, template("n"))
        monkeypatch.setattr(api, "LARGEST_PAGE", 3)
        assert "more templates than one search shows" in warnings(look(sim, look=False))


# -- permissions -------------------------------------------------------------------------------------------------------


@pytest.fixture()
def secured() -> Iterator[Any]:
    with running(security=True) as sim:
        yield sim


@pytest.mark.parametrize("count", [3, 14])
def test_an_owner_that_is_not_shown_is_not_chosen_and_that_is_said(secured: Any, count: int) -> None:
    """A search hides it from all but administrators; the status of a few shows it (recording security_roles)."""
    for number in range(count):
        put(secured, f"w{number:02}", "pr", 1, owner="eva")
    admin = {"username": "admin", "password": "admin"}
    assert len(ids(look(secured, owner=["eva"], look=False, **admin))) == count
    secured.add_user("least", "leastpassword", ["cluster:monitor/*", "cluster:admin/opensearch/flow_framework/*"])
    found = look(secured, owner=["eva"], look=False, username="least", password="leastpassword")
    if count <= surveys.FEW:
        assert len(ids(found)) == count and found["warnings"] == []
    else:
        assert ids(found) == [] and f"The owner of {count} of the workflows is not known" in warnings(found)


@pytest.mark.parametrize("right", ["workflow/search", "workflow_state/search"])
def test_who_may_not_search_is_told_which_permission_is_missing_and_finds_nothing_silently(secured: Any, right: str) -> None:
    put(secured, "w", "pr", 1)
    full = [f"cluster:admin/opensearch/flow_framework/{one}" for one in ("workflow/search", "workflow_state/search", "workflow/get", "workflow_state/get")]
    secured.add_user("least", "leastpassword", ["cluster:monitor/*", *(one for one in full if not one.endswith("/" + right))])
    with pytest.raises(SurveyError, match=f"Listing .*{right}"):
        look(secured, name=["pr"], username="least", password="leastpassword")


@pytest.mark.parametrize("path", ["/workflow/state/_search", "/workflow/_search"])
@pytest.mark.parametrize("status", [401, 500, 503])
def test_an_outage_while_listing_is_no_empty_cluster(cluster: Callable[..., Any], path: str, status: int) -> None:
    sim = cluster()
    sim.load({"workflow_id": "w", "state": "NOT_STARTED"}, template("n"))
    sim.faults.answer("POST", path, status, {"error": {"type": "x", "reason": "broken"}, "status": status}, times=None)
    with pytest.raises(SurveyError):
        look(sim, request_timeout=0.2)


# -- with Ansible ------------------------------------------------------------------------------------------------------


def test_choosing_feeds_a_plan_and_a_reviewed_teardown(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    sim = cluster()
    old = [environment(sim, f"old-{number}") for number in range(12)]
    begun = int(time.time() * 1000) - 10 * DAY
    for made in old:
        sim.world.put("index", made.ids["index"], documents=12, creation_date=begun)
        times = {"provision_start_time": begun, "provision_end_time": begun + 1000}
        sim.load({**made.state, **times}, template("pr-" + made.workflow_id))
    young, other = environment(sim, "young"), environment(sim, "other")
    sim.load(young.state, template("pr-young"))
    reviewed = sorted(name for made in old for name in made.named)
    chosen = "{{ found.workflows | map(attribute='workflow_id') }}"
    guards = {"allow_delete": reviewed, "max_documents": 100, "max_workflows": 20}
    played = playbooks.run(
        [
            {**task("find", INFO, {"url": sim.url, "name": "pr-*", "older_than": "7d", "look": False}), "register": "found"},
            {**in_check_mode(deprovision("plan", sim.url, chosen, **guards)), "register": "plan"},
            deprovision("tear down", sim.url, chosen, **guards, plan_hash="{{ plan.plan_hash }}"),
            {**task("look again", INFO, {"url": sim.url, "name": "pr-*", "state": "COMPLETED"}), "register": "left"},
        ],
        timeout=300,
    )
    assert played["find"]["counts"]["workflows"] == 12 and played["find"]["changed"] is False
    assert not played["plan"]["failed"], played["plan"]["msg"]
    assert played["plan"]["summary"]["would_delete"] == played["tear down"]["summary"]["deleted"] == 12 * 6
    assert not played["tear down"]["failed"], played["tear down"]["msg"]
    assert sim.world.ids("index") == sorted([young.ids["index"], other.ids["index"]])
    assert [one["workflow_id"] for one in played["look again"]["workflows"]] == ["young"]
    assert played.status == 0


def test_a_wrong_password_is_not_tried_again(cluster: Callable[..., Any], modules: Modules) -> None:
    """Accounts get locked."""
    sim = cluster(security=True)
    result = modules.run([info("info", sim.url, "w", username="admin", password="wrong")])["info"]
    assert result["failed"] and "401" in result["msg"] and len(sim.requests()) == 1
