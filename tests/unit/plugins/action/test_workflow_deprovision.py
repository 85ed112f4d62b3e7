# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that the action plugin prints: what they say, when they come, and when there are none."""

from __future__ import annotations

import io
import itertools
import json
import signal
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants

from ansible_collections.opensearch_ops.flow_framework.plugins.action import workflow_deprovision as action
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.progress import (
    FOR_ANOTHER,
    FOR_ANSWER,
    FOR_PROVISIONING,
    FOR_REPETITION,
    FOR_SERVER,
    FOR_SLOT,
    READING,
    TEARDOWN,
)


def reading(workflows: int, *waits: dict[str, Any]) -> dict[str, Any]:
    """Facts while the module reads."""
    return {"phase": READING, "workflows": workflows, "waits": list(waits)}


def teardown(workflows: int, done: int, resources: int, gone: int, *waits: dict[str, Any], incomplete: int = 0) -> dict[str, Any]:
    """Facts while the module tears down."""
    counts = dict(workflows=workflows, done=done, incomplete=incomplete, resources=resources, gone=gone)
    return {"phase": TEARDOWN, "waits": list(waits), **counts}


def wait(what: str, workflow_id: str = "", workflows: int = 1, nodes: tuple[str, ...] = (), left: int = 0) -> dict[str, Any]:
    """One reason to wait."""
    return {"for": what, "workflows": workflows, "workflow_id": workflow_id, "nodes": list(nodes), "left": left}


# -- what a line says ----------------------------------------------------------------------------------------

LINES = [
    (
        teardown(240, 12, 1190, 61, wait(FOR_SLOT, "w", nodes=("node-2",))),
        4.1,
        0,
        "12 of 240 workflows done, 61 of 1,190 resources gone, 4.1 a second, about 5 min left; waits for a free slot on node-2",
    ),
    (teardown(1, 0, 1, 0), 0, 0, "0 of 1 workflow done, 0 of 1 resource gone"),
    (teardown(2, 0, 0, 0), 0, 0, "0 of 2 workflows done"),
    (teardown(2, 2, 5, 5), 2, 0, "2 of 2 workflows done, 5 of 5 resources gone"),
    (
        teardown(9, 3, 20, 10, incomplete=1),
        0.5,
        0,
        "3 of 9 workflows done (1 with something left), 10 of 20 resources gone, 30 a minute, about 20 s left",
    ),
    (
        teardown(10_000, 2000, 50_000, 10_000, wait(FOR_ANSWER, workflows=3)),
        12.4,
        0,
        "2,000 of 10,000 workflows done, 10,000 of 50,000 resources gone, 12 a second, about 54 min left; the server works on 3 workflows",
    ),
    (
        teardown(1, 0, 5, 0, wait(FOR_REPETITION, "w", left=1)),
        0,
        0,
        "0 of 1 workflow done, 0 of 5 resources gone; the server left 1 resource of workflow w, waits before the next call",
    ),
    (
        teardown(1, 0, 5, 0, wait(FOR_SERVER, "w")),
        0,
        125,
        "0 of 1 workflow done, 0 of 5 resources gone; the answer for workflow w was lost, waits until the server has finished (no change for 2 min)",
    ),
    (
        teardown(1, 0, 5, 0, wait(FOR_ANOTHER, "w")),
        0,
        40,
        "0 of 1 workflow done, 0 of 5 resources gone; another process of this machine is at workflow w (no change for 40 s)",
    ),
    (
        teardown(9, 0, 9, 0, wait(FOR_ANSWER, workflows=3), wait(FOR_SLOT, workflows=5, nodes=("a", "b"))),
        0,
        0,
        "0 of 9 workflows done, 0 of 9 resources gone; the server works on 3 workflows; waits for a free slot on a or b",
    ),
    (reading(1), 0, 0, "reads 1 workflow"),
    (reading(1200), 0, 9.9, "reads 1,200 workflows"),
    (reading(2), 0, 10, "reads 2 workflows (no change for 10 s)"),
    (
        reading(1, wait(FOR_PROVISIONING, "w")),
        0,
        0,
        "reads 1 workflow; waits for the provisioning of workflow w to end",
    ),
]


@pytest.mark.parametrize(("facts", "a_second", "unchanged", "text"), LINES, ids=[text for *_others, text in LINES])
def test_a_line(facts: dict[str, Any], a_second: float, unchanged: float, text: str) -> None:
    assert action.line(facts, a_second, unchanged) == text


def test_every_reason_to_wait_has_its_words() -> None:
    for what in (FOR_ANOTHER, FOR_ANSWER, FOR_PROVISIONING, FOR_REPETITION, FOR_SERVER, FOR_SLOT):
        text = action.waits(wait(what, workflows=3))
        assert "{" not in text and (what == FOR_SLOT or "3 workflows" in text)


@pytest.mark.parametrize(
    ("nodes", "where"),
    [
        ((), "waits for a free slot"),
        (("a", "b", "c"), "waits for a free slot on a or b or c"),
        (("a", "b", "c", "d"), "waits for a free slot on any of 4 nodes"),
    ],
)
def test_nodes(nodes: tuple[str, ...], where: str) -> None:
    assert action.waits(wait(FOR_SLOT, nodes=nodes)) == where


def test_a_name_cannot_command_the_terminal() -> None:
    assert action.line(reading(1, wait(FOR_PROVISIONING, "a\x1b[2J\nb")), 0, 0).endswith("workflow a?[2J?b to end")


@pytest.mark.parametrize(
    ("pairs", "a_second"),
    [
        ([], 0),
        ([(5.0, 3)], 0),
        ([(5.0, 0), (5.5, 3)], 0),
        ([(5.0, 0), (7.0, 3)], 1.5),
        ([(5.0, 3), (60.0, 3)], 0),
        ([(5.0, 3), (7.0, 2)], 0),
    ],
    ids=["nothing seen", "seen once", "too short to say", "a pace", "nothing went", "something came back"],
)
def test_pace(pairs: list[tuple[float, int]], a_second: float) -> None:
    assert action.pace(pairs) == a_second


@pytest.mark.parametrize(
    ("a_second", "text"),
    [(0.001, "1 a minute"), (0.94, "56 a minute"), (0.97, "1.0 a second"), (9.94, "9.9 a second"), (1234.5, "1,234 a second")],
)
def test_speed(a_second: float, text: str) -> None:
    assert action.speed(a_second) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "10 s"), (14, "10 s"), (89, "90 s"), (90, "2 min"), (5399, "90 min"), (5400, "2 h"), (360_000, "100 h")],
)
def test_span(seconds: float, text: str) -> None:
    assert action.span(seconds) == text


def test_the_host_stands_before_the_line_unless_it_is_localhost() -> None:
    assert action.prefix("localhost") == action.prefix(None) == "workflow_deprovision: "
    assert action.prefix("db1") == "[db1] workflow_deprovision: "


# -- when lines come -----------------------------------------------------------------------------------------


def played(monkeypatch: pytest.MonkeyPatch, seconds: float, writes: Callable[[float], dict[str, Any] | None]) -> list[tuple[float, str]]:
    """The lines, with their moments, of a task of that many seconds; ``writes`` says what it writes at each. No real time passes."""
    clock = SimpleNamespace(now=1000.0)
    file = io.BytesIO()
    shown: list[tuple[float, str]] = []

    def end(tick: float) -> Any:
        clock.now += tick
        at = clock.now - 1000.0
        facts = writes(at)
        if facts is not None:
            place = file.tell()
            file.seek(0, io.SEEK_END)
            file.write(json.dumps(facts).encode() + b"\n")
            file.seek(place)
        return at > seconds

    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    ended: Any = SimpleNamespace(wait=end)
    action.follow(file, ended, lambda text: shown.append((clock.now - 1000.0, text)))
    return shown


def test_a_task_that_is_short_prints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(monkeypatch, 2.9, lambda at: teardown(100, int(at * 10), 0, 0)) == []


def test_a_task_that_says_nothing_prints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(monkeypatch, 100, lambda at: None) == []


def test_the_first_line_after_three_seconds_then_one_every_five(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = played(monkeypatch, 30, lambda at: teardown(100, int(at * 2), 500, int(at * 10)))
    assert [at for at, _value in shown] == [3, 8, 13, 18, 23, 28]
    assert shown[1][1] == "16 of 100 workflows done, 80 of 500 resources gone, 10 a second, about 40 s left"


def test_lines_become_seldom_in_a_task_of_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [at for at, _value in played(monkeypatch, 7200, lambda at: teardown(10**6, int(at * 2), 0, 0))]
    pauses = [later - earlier for earlier, later in itertools.pairwise(shown)]
    assert pauses == sorted(pauses) and (pauses[0], pauses[-1]) == (5, 30)


def test_where_nothing_changes_each_line_comes_later_and_one_comes_soon_after_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, done = teardown(2, 0, 5, 0, wait(FOR_SLOT)), teardown(2, 1, 5, 3, wait(FOR_SLOT))
    shown = played(monkeypatch, 305, {1.0: stuck, 300.0: done}.get)
    assert [at for at, _value in shown] == [3, 13, 33, 73, 133, 193, 253, 300]
    assert shown[-2][1].endswith("waits for a free slot (no change for 4 min)")
    assert "3 of 5 resources gone" in shown[-1][1] and "no change" not in shown[-1][1]


def test_the_pace_is_that_of_the_last_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """120 a minute at first, then one every other second; and none where the last minute saw none go."""
    shown = dict(played(monkeypatch, 600, lambda at: teardown(1, 0, 1000, min(int(at * 2) if at < 100 else 200 + int((at - 100) / 2), 300))))
    texts = list(shown.values())
    assert "2.0 a second" in texts[5]
    assert any("30 a minute, about" in text for text in texts)
    assert "minute" not in texts[-1] and "second" not in texts[-1] and " left" not in texts[-1]


def test_half_a_line_is_read_when_it_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = json.dumps(reading(7)).encode() + b"\n"
    parts = [whole[:10], whole[10:], whole[:5]]
    file: Any = SimpleNamespace(read=lambda: parts.pop(0) if parts else b"")
    clock = SimpleNamespace(now=0.0)
    shown: list[str] = []

    def end(tick: float) -> Any:
        clock.now += tick
        return clock.now > 4

    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    ended: Any = SimpleNamespace(wait=end)
    action.follow(file, ended, shown.append)
    assert shown == ["reads 7 workflows"]


# -- when there are none -------------------------------------------------------------------------------------


def followed(transport: str = "local", async_val: int = 0, no_log: bool = False, **args: Any) -> bool:
    """Whether a task is followed."""
    plugin = action.ActionModule.__new__(action.ActionModule)
    plugin._task = SimpleNamespace(args=args, async_val=async_val, no_log=no_log)
    plugin._connection = SimpleNamespace(transport=transport)
    return plugin.is_followed()


@pytest.mark.parametrize("args", [{}, {"progress": True}, {"progress": "yes"}])
def test_a_task_on_this_machine_is_followed(args: dict[str, Any]) -> None:
    assert followed(**args)


@pytest.mark.parametrize(
    "task",
    [
        {"progress": False},
        {"progress": "no"},
        {"progress": "nonsense"},
        {"transport": "ssh"},
        {"async_val": 60},
        {"no_log": True},
    ],
    ids=str,
)
def test_others_are_not(task: dict[str, Any]) -> None:
    assert not followed(**task)


# -- the file ------------------------------------------------------------------------------------------------


def test_the_file_is_private_and_goes_with_the_block_whatever_ends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    with pytest.raises(KeyboardInterrupt), action.followed("") as path:
        (folder,) = tmp_path.iterdir()
        assert path.startswith(str(folder))
        assert (folder.stat().st_mode & 0o777, (folder / "facts").stat().st_mode & 0o777) == (0o700, 0o600)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    assert not [thread for thread in threading.enumerate() if getattr(thread, "_target", None) is action.follow]


def test_signals_reach_the_main_thread_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """One that the kernel hands to another thread does not wake the main one: the task would go on after Ctrl-C."""
    blocked: list[set[Any]] = []
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.setattr(action, "follow", lambda *_: blocked.append(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with action.followed(""):
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} <= blocked[0]


def test_an_error_of_the_task_passes_through(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    with pytest.raises(OSError, match="of the task"), action.followed(""):
        raise OSError("of the task")


def test_where_no_file_can_be_made_the_task_runs_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "missing"))
    with action.followed("") as path:
        assert path == ""
