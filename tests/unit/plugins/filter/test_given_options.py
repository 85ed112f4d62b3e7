# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is set goes on, what is blank does not, and lists may be written as text."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.opensearch_ops.flow_framework.plugins.filter.given_options import given_options


@pytest.mark.parametrize("value", [None, False, 0, 0.0, [], {}, "x", "0", ["", "a"]])
def test_an_answer_stays_as_it_is(value: Any) -> None:
    assert given_options({"option": value}) == {"option": value}


@pytest.mark.parametrize("value", ["", " ", "\n", "\t\r\n"])
def test_a_blank_text_is_no_answer(value: str) -> None:
    assert given_options({"option": value, "list": value}, ["list"]) == {}


@pytest.mark.parametrize("text", ["a,b", "a\nb", "a\r\nb\r\n", " a , b ", "a,\n,b,", "\na\n\nb\n"])
def test_a_list_may_be_written_one_a_line_or_with_commas(text: str) -> None:
    assert given_options({"ids": text}, ["ids"]) == {"ids": ["a", "b"]}


def test_only_commas_are_an_empty_list_and_not_everything() -> None:
    assert given_options({"ids": ","}, ["ids"]) == {"ids": []}


@pytest.mark.parametrize("value", [["a,b"], [], None])
def test_a_list_that_is_one_is_not_taken_apart(value: Any) -> None:
    assert given_options({"ids": value}, ["ids"]) == {"ids": value}


def test_a_text_that_is_no_list_is_not_taken_apart() -> None:
    assert given_options({"expect_cluster": "a,b"}, ["ids"]) == {"expect_cluster": "a,b"}


def test_what_is_no_dictionary_is_refused() -> None:
    given: Any = "a"
    with pytest.raises(AnsibleFilterError, match="needs a dictionary, not str"):
        given_options(given)
