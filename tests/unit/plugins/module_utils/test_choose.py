# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which workflows: ages, filters one by one and together, and what is said of what is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import answers, api
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.answers import OK, Answer
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.choose import Filters, age_of, seconds_of, unchanged_of
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.module import OptionError
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import Workflow

from .worlds import resource

NOW = 1_700_000_000_000
HOUR = 3_600_000
PR = Workflow(
    "w1",
    "COMPLETED",
    (resource("create_index", "pr-17-docs"),),
    name="pr-17",
    has_template=True,
    written=(NOW - 2 * HOUR, NOW - HOUR),
    use_case="PREVIEW",
    owner="ci",
    created=NOW - 50 * HOUR,
)

FITTING: dict[str, Any] = {
    "workflow_id": ["other", "w1"],
    "name": ["x", "pr-*"],
    "use_case": ["PREVIEW"],
    "state": ["FAILED", "COMPLETED"],
    "owner": ["ci"],
    "older_than": "2h",
    "newer_than": "121m",
    "unchanged_for": "1h",
    "resource_id": ["pr-17-docs"],
    "orphaned": False,
}
OTHERS: dict[str, Any] = {
    "workflow_id": ["other"],
    "name": ["PR-*"],
    "use_case": ["preview"],
    "state": ["FAILED"],
    "owner": ["somebody"],
    "older_than": "7201s",
    "newer_than": "2h",
    "unchanged_for": "3601s",
    "resource_id": ["pr-17-*"],
    "orphaned": True,
}


@pytest.mark.parametrize(("text", "seconds"), [("45s", 45), ("90m", 5400), ("12h", 43200), ("7d", 604800), ("2w", 1209600), ("0s", 0)])
def test_an_age_is_a_number_with_a_unit(text: str, seconds: int) -> None:
    assert seconds_of("older_than", text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "-7d", "7 d", "1.5h", "7d\n", "7D", "1h30m", "٣d", "9999999999d"])
def test_what_is_no_age_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(OptionError, match=r"older_than is .*: give a number with s, m, h, d or w"):
        seconds_of("older_than", text)


@pytest.mark.parametrize("option", ["name", "use_case", "state", "owner", "resource_id"])
@pytest.mark.parametrize("given", [[], [""], ["a", " "], None])
def test_an_empty_filter_is_a_variable_that_was_not_set(option: str, given: list[str] | None) -> None:
    with pytest.raises(OptionError, match=f"{option} is empty or null, or holds an empty value"):
        Filters.of({option: given})


def test_an_empty_list_of_ids_means_none_and_none_means_every_workflow() -> None:
    assert Filters.of({"workflow_id": []}).ids == ()
    assert Filters.of({}).ids is None and Filters.of({}).fits(PR, NOW) and Filters.of({}).fits(Workflow("x", "FAILED"), NOW)
    assert Filters.of({"workflow_id": ["w1"]}).only_ids and not Filters.of({"workflow_id": ["w1"], "name": ["x"]}).only_ids
    every = Filters.of({"workflow_id": ["<any>"], "name": ["<any>"], "state": ["FAILED", "COMPLETED", "PROVISIONING", "NOT_STARTED"], "older_than": "<any>"})
    assert every == Filters.of({}) == Filters()
    for given_ids in ([""], None, ["*", "w1"]):
        with pytest.raises(OptionError):
            Filters.of({"workflow_id": given_ids})
    with pytest.raises(OptionError):
        Filters.of({"newer_than": None})


@pytest.mark.parametrize("option", FITTING)
def test_each_filter_alone(option: str) -> None:
    assert Filters.of({option: FITTING[option]}).fits(PR, NOW)
    assert not Filters.of({option: OTHERS[option]}).fits(PR, NOW)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(FITTING)), st.booleans()))
def test_all_filters_that_are_given_have_to_hold(given_options: dict[str, bool]) -> None:
    params = {option: (FITTING if fits else OTHERS)[option] for option, fits in given_options.items()}
    assert Filters.of(params).fits(PR, NOW) == all(given_options.values())


@pytest.mark.parametrize("age", [0, 1, 59, 60, 61, 3600])
def test_older_and_newer_than_the_same_age_share_no_workflow_and_leave_none_out(age: int) -> None:
    workflow = replace(PR, written=(NOW - age * 1000, None))
    assert Filters.of({"older_than": "60s"}).fits(workflow, NOW) != Filters.of({"newer_than": "60s"}).fits(workflow, NOW)


def test_the_age_counts_from_provisioning_else_from_creation_else_nobody_knows_it() -> None:
    assert age_of(PR, NOW) == 7200
    assert age_of(replace(PR, written=(None, None)), NOW) == age_of(replace(PR, written=None), NOW) == 180000
    unknown = replace(PR, written=None, created=None)
    assert age_of(unknown, NOW) is None
    assert not Filters.of({"older_than": "0s"}).fits(unknown, NOW) and not Filters.of({"newer_than": "999w"}).fits(unknown, NOW)


def test_what_is_not_known_is_taken_along_first_and_not_chosen_in_the_end() -> None:
    listed = replace(PR, owner=None, has_template=None)
    for params in ({"owner": ["ci"]}, {"orphaned": True}, {"orphaned": False}):
        filters = Filters.of(params)
        assert filters.fits(listed, NOW, unknown=True) and not filters.fits(listed, NOW), params


def test_a_template_without_a_state_is_no_orphan() -> None:
    alone = Workflow("t", name="pr-1", has_template=True, created=NOW)
    assert Filters.of({"orphaned": False}).fits(alone, NOW) and not Filters.of({"orphaned": True}).fits(alone, NOW)
    assert alone.orphaned is None and replace(PR, has_template=False).orphaned is True


def test_the_server_is_asked_only_for_what_it_can_tell_exactly() -> None:
    assert Filters.of({"name": ["a*"], "use_case": ["u"], "owner": ["o"], "older_than": "1d", "orphaned": True}).query is None
    query = Filters.of({"state": ["FAILED"], "resource_id": ["b", "a"]}).query
    assert query == {
        "bool": {
            "filter": [
                {"terms": {"state": ["FAILED"]}},
                {"nested": {"path": "resources_created", "query": {"terms": {"resources_created.resource_id": ["a", "b"]}}}},
            ]
        }
    }


# -- answers that choosing and reading many hang on --------------------------------------------------------


def answered(body: Any) -> Answer:
    return Answer(OK, 200, body, "")


def test_the_clock_is_the_time_of_the_request_that_lists_itself() -> None:
    def task(action: str, time: Any) -> dict[str, Any]:
        return {"action": action, "start_time_in_millis": time}

    listing, other = task(api.LISTING_ACTION, 17), task("cluster:monitor/tasks/lists[n]", 99)
    assert api.clock_of(answered({"nodes": {"a": {"tasks": {"a:1": other}}, "b": {"tasks": {"b:1": listing}}}})) == 17
    assert api.clock_of(answered({"nodes": {"a": {"tasks": {"a:1": other}}}})) is None
    assert api.clock_of(answered({"nodes": {"a": {"tasks": {"a:1": task(api.LISTING_ACTION, "17")}}}})) is None
    assert api.clock_of(answered({})) is None and api.clock_of(answered([])) is None
    assert api.clock_of(Answer(answers.FORBIDDEN, 403, {"nodes": {}}, "no")) is None


@pytest.mark.parametrize(
    ("total", "whole"),
    [({"value": 1, "relation": "eq"}, True), ({"value": 2, "relation": "eq"}, False), ({"value": 1, "relation": "gte"}, False), ({}, True)],
)
def test_a_search_is_whole_when_it_shows_all_that_it_found(total: dict[str, Any], whole: bool) -> None:
    assert answers.is_whole(answered({"hits": {"total": total, "hits": [{"_id": "a"}]}})) is whole


def test_hits_that_are_none_are_left_out() -> None:
    good = {"_id": "a", "_source": {}}
    assert answers.hits_of(answered({"hits": {"hits": [good, "x", 1, {"_id": "b", "_source": "text"}, {"_id": "c"}]}})) == [good, {"_id": "c"}]
    assert answers.hits_of(answered({"hits": {"hits": "x"}})) == answers.hits_of(answered([])) == answers.hits_of(answered({})) == []


@pytest.mark.parametrize("newest", [{"created": NOW}, {"updated": NOW}, {"written": (NOW, NOW - HOUR)}, {"written": (None, NOW)}])
def test_a_workflow_is_unchanged_since_the_newest_of_its_times(newest: dict[str, Any]) -> None:
    assert unchanged_of(PR, NOW + HOUR) == 7200
    assert unchanged_of(replace(PR, **newest), NOW + HOUR) == 3600


def test_a_workflow_without_any_time_is_never_unchanged_for_long() -> None:
    unknown = replace(PR, created=None, written=None)
    assert unchanged_of(unknown, NOW) is None
    assert not Filters.of({"unchanged_for": "0s"}).fits(unknown, NOW, unknown=True)
