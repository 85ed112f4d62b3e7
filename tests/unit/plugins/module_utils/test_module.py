# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules share: the ids of a task, secrets, and how a module ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.connection import ConnectionOptionError
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.module import (
    OptionError,
    refuse_masking,
    run,
    warn,
    workflow_ids,
)
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.outcome import empty
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import Server, Survey, SurveyError

from .worlds import resource, survey, workflow

# -- the ids of a task -------------------------------------------------------------------------------------


@pytest.mark.parametrize("given_ids", [[""], [" "], ["\t"], ["\n"], ["\u00a0"], ["w1", ""], ["", "w1"], ["w1", " ", "w2"]])
def test_an_empty_id_is_an_error_wherever_it_stands(given_ids: list[str]) -> None:
    with pytest.raises(OptionError, match="empty id"):
        workflow_ids(given_ids)


@pytest.mark.parametrize("bad", ["a b", " w1", "w1 ", "w1\n", "a,b", "a/b", "../w1", "*", "w1*", "w1?x=1", "_all/x", "ä", "a.b"])
def test_what_is_no_id_of_a_workflow_is_an_error_and_is_named(bad: str) -> None:
    with pytest.raises(OptionError) as caught:
        workflow_ids(["w1", bad])
    assert repr(bad) in str(caught.value) and "Nothing was read or deleted" in str(caught.value)


@pytest.mark.parametrize(
    ("given_ids", "ids"),
    [
        ([], []),
        (["w1"], ["w1"]),
        (["-xz-_6EBtuLtwn0TeDpW", "_a"], ["-xz-_6EBtuLtwn0TeDpW", "_a"]),
        (["w2", "w1", "w2"], ["w2", "w1"]),
        (["w1", "W1"], ["w1", "W1"]),
    ],
)
def test_ids_are_taken_each_once_in_their_order(given_ids: list[str], ids: list[str]) -> None:
    assert workflow_ids(given_ids) == ids


@given(st.lists(st.text(alphabet=st.sampled_from("aB0-_ ,*/."), max_size=3)))
def test_what_is_returned_is_what_was_given_without_repetition_or_nothing(given_ids: list[str]) -> None:
    try:
        ids = workflow_ids(given_ids)
    except OptionError:
        assert any(not one or set(one) & set(" ,*/.") for one in given_ids)
    else:
        assert set(ids) == set(given_ids) and len(set(ids)) == len(ids) and all(ids)


# -- a module that ends as Ansible's do --------------------------------------------------------------------


class Ended(Exception):
    """The module has ended with this result."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__()
        self.result = result


class FakeModule:
    """What is used of AnsibleModule."""

    def __init__(self, **params: Any) -> None:
        defaults = {name: option.get("default") for name, option in connection.argument_spec().items()}
        self.params = {**defaults, "url": ["http://127.0.0.1:9"], **params}
        self.no_log_values: set[str] = set()
        self.warnings: list[str] = []

    def fail_json(self, msg: str, **result: Any) -> None:
        raise Ended(dict(result, msg=msg, failed=True))

    def exit_json(self, **result: Any) -> None:
        raise Ended(dict(result, failed=False))

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in connection.AUTHENTICATION.values():
        monkeypatch.delenv(variable, raising=False)


def ended(module: FakeModule, task: Callable[[Any, Any], dict[str, Any]]) -> dict[str, Any]:
    """The result that a module ends with."""
    with pytest.raises(Ended) as caught:
        run(module, empty(), task)
    return caught.value.result


def raising(error: Exception) -> Callable[[Any, Any], dict[str, Any]]:
    def task(_api: Any, _surveyor: Any) -> dict[str, Any]:
        raise error

    return task


@pytest.mark.parametrize("error", [OptionError("because"), SurveyError("because"), ConnectionOptionError("because")])
def test_what_cannot_be_run_fails_with_a_sentence_and_every_key(error: Any) -> None:
    result = ended(FakeModule(), raising(error))
    assert result == dict(empty(), msg="because", failed=True)


def test_any_other_error_ends_with_every_key_and_the_traceback_which_ansible_then_masks() -> None:
    result = ended(FakeModule(), raising(ZeroDivisionError("by zero")))
    assert result["failed"] and "ZeroDivisionError: by zero" in result["msg"] and "please report" in result["msg"]
    assert "Traceback" in result["exception"] and "ZeroDivisionError" in result["exception"]
    assert set(empty()) <= set(result)


@pytest.mark.parametrize("failed", [True, False])
def test_a_task_ends_with_its_own_result(failed: bool) -> None:
    made = dict(empty(), msg="done", failed=failed, changed=True)
    assert ended(FakeModule(), lambda _api, _surveyor: made) == made


def test_secrets_are_hidden_before_the_task_begins() -> None:
    module = FakeModule(token="t0ken")
    seen: list[set[str]] = []

    def task(_api: Any, _surveyor: Any) -> dict[str, Any]:
        seen.append(set(module.no_log_values))
        return empty()

    ended(module, task)
    assert seen == [{"t0ken", "Bearer t0ken"}]


def test_a_password_in_url_is_hidden_in_what_the_module_ends_with() -> None:
    module = FakeModule(url=["https://admin:s3cret@h:9200"])
    result = ended(module, raising(AssertionError("the task was begun")))
    assert "url must not hold credentials" in result["msg"] and "s3cret" in module.no_log_values
    assert "s3cret" not in str(result)


def test_a_missing_library_is_ansibles_own_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LIBRARY_ERROR", "Traceback: no module named opensearchpy")
    result = ended(FakeModule(), raising(AssertionError("the task was begun")))
    assert "opensearch-py" in result["msg"] and "Failed to import" in result["msg"]
    assert set(empty()) <= set(result)


def test_each_warning_is_given_once_and_in_order() -> None:
    module = FakeModule()
    warn(module, ["b", "a", "b"])
    assert module.warnings == ["b", "a"]


def test_a_warning_shows_no_secret() -> None:
    """Not every release of Ansible masks warnings."""
    module = FakeModule()
    module.no_log_values = {"s3cret", "t0ken"}
    warn(module, ["The server says: Bearer t0ken is not s3cret."])
    assert module.warnings == ["The server says: Bearer ******** is not ********."]


# -- secrets in names --------------------------------------------------------------------------------------

DOCS = workflow(resource("create_index", "pr-17-docs"), workflow_id="w-1", name="environment")


def refuse(found: Survey, *secrets: Any) -> None:
    module = FakeModule()
    module.no_log_values = set(secrets)
    refuse_masking(module, found)


@pytest.mark.parametrize("secret", ["pr-17-docs", "docs", "17", "w-1", "environment", "preview", "uuid-of-preview", 17])
def test_a_secret_that_is_part_of_a_name_in_the_result_is_refused(secret: Any) -> None:
    """Ansible would put asterisks in its place, and the result would name what does not exist."""
    with pytest.raises(SurveyError) as caught:
        refuse(survey(DOCS), "harmless", secret)
    assert str(secret) not in str(caught.value) and "nothing was deleted" in str(caught.value)


@pytest.mark.parametrize("secrets", [(), ("",), ("s3cret",), ("pr-17-docs-and-more",), ("DOCS",), ("", None)])
def test_other_secrets_are_no_reason_to_refuse(secrets: tuple[Any, ...]) -> None:
    refuse(survey(DOCS), *secrets)


def test_names_that_are_not_known_are_no_reason_to_refuse() -> None:
    refuse(Survey(Server("3.6.0", "3.6.0.0", None, None, False), (workflow(name=None, state=None),)), "None")
