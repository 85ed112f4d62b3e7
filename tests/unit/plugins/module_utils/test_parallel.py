# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many things at once, with an order between them."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.parallel import work_on

NAMES = "abcdefgh"


class Recorder:
    """Work that notes when it began and ended."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.events: list[tuple[str, str]] = []
        self.at_work = self.most = 0

    def __call__(self, name: str) -> None:
        with self.guard:
            self.events.append(("begun", name))
            self.at_work += 1
            self.most = max(self.most, self.at_work)
        time.sleep(0.001)
        with self.guard:
            self.at_work -= 1
            self.events.append(("ended", name))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(NAMES), unique=True),
    st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES))),
    st.integers(1, 5),
)
def test_everything_is_done_once_and_never_more_at_once_than_asked(names: list[str], before: dict[str, set[str]], most: int) -> None:
    """Also where the order is a ring, or names what is not there."""
    work = Recorder()
    work_on(names, before, most, work)
    assert sorted(name for event, name in work.events if event == "ended") == sorted(names)
    assert len(work.events) == 2 * len(names) and work.most <= most


@settings(deadline=None, max_examples=60)
@given(st.permutations(NAMES), st.data(), st.integers(1, 5))
def test_none_begins_before_those_that_go_before_it_have_ended(names: list[str], data: st.DataObject, most: int) -> None:
    later = {name: data.draw(st.sets(st.sampled_from(names[:number]))) for number, name in enumerate(names) if number}  # no ring
    work = Recorder()
    work_on(data.draw(st.permutations(names)), later, most, work)
    for name, others in later.items():
        assert all(work.events.index(("ended", other)) < work.events.index(("begun", name)) for other in others)


@pytest.mark.parametrize("most", (1, 3))
def test_an_error_is_raised_to_the_caller_and_nothing_more_begins(most: int) -> None:
    begun: list[str] = []

    def work(name: str) -> None:
        begun.append(name)
        raise ValueError(name)

    with pytest.raises(ValueError):
        work_on(list(NAMES), {}, most, work)
    assert len(begun) <= most


def test_as_many_work_at_once_as_asked() -> None:
    """Each waits for the others: fewer at once would never end."""
    meeting = threading.Barrier(3, timeout=10)

    def work(_name: str) -> None:
        meeting.wait()

    work_on(list("abc"), {}, 3, work)
