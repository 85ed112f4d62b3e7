# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pools and tasks of a cluster are taken to say: answers in, a picture, nothing, or a refusal to conclude out."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.answers import (
    DISABLED,
    FAILED,
    FORBIDDEN,
    LOST,
    MISSING,
    OK,
    REFUSED,
    UNAUTHENTICATED,
    UNAVAILABLE,
    Answer,
)
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.api import Api
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.pools import (
    POLL,
    RECORDED,
    UNREADABLE,
    NotNow,
    Row,
    Watch,
    as_one,
    is_ours,
    may_be_at,
    opaque_id,
    workflow_of,
)
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import SurveyError

POOL = [{"node_name": "a", "active": "1", "max": "4", "completed": "7"}]
TASKS = {"nodes": {"x1": {"name": "a", "tasks": {"x1:5": {"headers": {"X-Opaque-Id": "mark"}}, "x1:6": {}}}}}


def watch(pool: Any, tasks: Any) -> Watch:
    """A watch over a cluster that answers these; an answer, or the body of one that is well."""

    class Stub:
        def deprovision_pool(self) -> Answer:
            return pool if isinstance(pool, Answer) else Answer(OK, 200, pool, "")

        def deprovision_tasks(self) -> Answer:
            return tasks if isinstance(tasks, Answer) else Answer(OK, 200, tasks, "")

    return Watch(cast(Api, Stub()))


def failed(outcome: str) -> Answer:
    return Answer(outcome, None, None, "the sentence")


def test_a_picture_is_each_nodes_pool_with_the_calls_under_way_there() -> None:
    assert watch(POOL, TASKS).look() == {"a": Row(1, 4, 7, {"x1:5": "mark", "x1:6": ""})}


@pytest.mark.parametrize("tasks", [{}, {"nodes": {}}, {"nodes": None}, []], ids=str)
def test_no_task_is_no_call(tasks: Any) -> None:
    assert watch(POOL, tasks).look() == {"a": Row(1, 4, 7, {})}


def test_credentials_that_are_refused_end_the_task_with_the_servers_sentence() -> None:
    for pool, tasks in ((failed(UNAUTHENTICATED), TASKS), (POOL, failed(UNAUTHENTICATED))):
        with pytest.raises(SurveyError, match="the sentence"):
            watch(pool, tasks).look()


@pytest.mark.parametrize("outcome", [FORBIDDEN, DISABLED, REFUSED, MISSING])
def test_what_may_not_be_read_is_said_once_with_the_rights_that_it_needs(outcome: str) -> None:
    for pool, tasks in ((failed(outcome), TASKS), (POOL, failed(outcome))):
        made = watch(pool, tasks)
        assert made.look() is None and made.look() is None
        assert list(made.warnings) == [UNREADABLE] and "cluster:monitor/tasks/lists" in UNREADABLE


@pytest.mark.parametrize("outcome", [LOST, UNAVAILABLE, FAILED])
def test_nothing_is_concluded_from_an_answer_that_did_not_come(outcome: str) -> None:
    for pool, tasks in ((failed(outcome), TASKS), (POOL, failed(outcome))):
        with pytest.raises(NotNow, match="the sentence"):
            watch(pool, tasks).look()


@pytest.mark.parametrize("pool", [[], {}, None, [{"node_name": "a", "active": None, "max": "4", "completed": "7"}]], ids=str)
def test_nothing_is_concluded_from_pools_without_numbers(pool: Any) -> None:
    with pytest.raises(NotNow, match="of no node could be read"):
        watch(pool, TASKS).look()


def test_a_node_that_is_leaving_hides_no_other_one() -> None:
    leaving = {"node_name": "b", "active": None, "max": None, "completed": None}
    assert list(watch([leaving, *POOL], TASKS).look() or {}) == ["a"]


def test_a_call_of_ours_is_at_its_workflow_and_any_other_may_be_at_any() -> None:
    mark = opaque_id("run", "w/1")
    assert is_ours(mark) and workflow_of(mark) == "w/1"
    assert may_be_at(["w/1"], mark) and not may_be_at(["w2"], mark)
    assert may_be_at(["w2"], "") and may_be_at(["w2"], "somebody")


def test_nodes_behind_one_url_have_the_smallest_pool_and_all_the_calls() -> None:
    together = as_one({"a": Row(1, 8, 3, {"a:1": ""}), "b": Row(2, 4, 5, {"b:1": "", "b:2": ""})})
    assert together == Row(3, 4, 0, {"a:1": "", "b:1": "", "b:2": ""})


@pytest.mark.parametrize(
    ("seen", "pauses"),
    [([[]], []), ([["ours"], []], [POLL, RECORDED]), ([["foreign"], ["foreign"], ["later"]], [POLL, POLL, RECORDED])],
    ids=["nobody is at it", "a call of a stopped run", "a foreign one, and another after it"],
)
def test_after_a_call_that_was_waited_for_its_record_is_given_time(seen: list[list[str]], pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    made = watch(POOL, {})
    slept: list[float] = []
    pictures = iter([{"a": Row(1, 4, 7, dict.fromkeys(calls, ""))} for calls in seen])
    monkeypatch.setattr(made, "look", lambda: next(pictures))
    monkeypatch.setattr(time, "sleep", slept.append)
    made.wait_for_calls({"w1"}, time.monotonic() + 60)
    assert slept == pauses and next(pictures, None) is None
