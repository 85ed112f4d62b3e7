# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module writes down while it works, and that nothing about the file ever reaches the task."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.progress import (
    FOR_ANSWER,
    FOR_REPETITION,
    FOR_SLOT,
    READING,
    TEARDOWN,
    VARIABLE,
    Progress,
    open_followed,
)


@pytest.fixture()
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the action plugin would have made."""
    made = tmp_path / "facts"
    made.touch()
    monkeypatch.setenv(VARIABLE, str(made))
    return made


def lines(path: Path) -> list[dict[str, Any]]:
    """What was written."""
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def wait(what: str, **others: Any) -> dict[str, Any]:
    """One reason to wait, as it is written."""
    return {"for": what, "workflows": 1, "workflow_id": "", "nodes": [], "left": 0, **others}


# -- the facts -----------------------------------------------------------------------------------------------


def test_a_teardown_from_its_beginning_to_its_end(path: Path) -> None:
    told = Progress(True)
    told.reading(3)
    told.begin({"a": 5, "b": 2})
    told.waits("a", FOR_SLOT, ["node-2", ""])
    told.waits("a", FOR_ANSWER)
    told.waits("a", FOR_REPETITION, left=1)
    told.end("a", left=1, stopped=False)
    told.waits("b", FOR_ANSWER)
    told.end("b", left=0, stopped=False)
    told.waits("a", FOR_ANSWER)
    told.end("a", left=0, stopped=False)

    def at(waits: list[dict[str, Any]], done: int, incomplete: int, gone: int) -> dict[str, Any]:
        return {
            "phase": TEARDOWN,
            "workflows": 2,
            "waits": waits,
            "done": done,
            "incomplete": incomplete,
            "resources": 7,
            "gone": gone,
        }

    assert lines(path) == [
        {"phase": READING, "workflows": 3, "waits": []},
        at([], 0, 0, 0),
        at([wait(FOR_SLOT, workflow_id="a", nodes=["node-2"])], 0, 0, 0),
        at([wait(FOR_ANSWER, workflow_id="a")], 0, 0, 0),
        at([wait(FOR_REPETITION, workflow_id="a", left=1)], 0, 0, 0),
        at([], 1, 1, 4),
        at([wait(FOR_ANSWER, workflow_id="b")], 1, 1, 4),
        at([], 2, 1, 6),
        at([wait(FOR_ANSWER, workflow_id="a")], 1, 0, 6),
        at([], 2, 0, 7),
    ]


def test_workflows_that_wait_for_the_same_are_one_reason(path: Path) -> None:
    told = Progress(True)
    told.begin({"a": 1, "b": 1, "c": 1})
    told.waits("a", FOR_SLOT, ["node-2"])
    told.waits("b", FOR_SLOT, ["node-1", "node-2"])
    told.waits("c", FOR_ANSWER)
    assert lines(path)[-1]["waits"] == [
        wait(FOR_ANSWER, workflow_id="c"),
        wait(FOR_SLOT, workflows=2, nodes=["node-1", "node-2"]),
    ]


def test_what_changes_nothing_writes_nothing(path: Path) -> None:
    told = Progress(True)
    told.begin({"a": 1})
    for _number in range(3):
        told.waits("a", FOR_SLOT, ["node-2"])
    assert len(lines(path)) == 2


def test_a_workflow_that_was_stopped_is_incomplete_even_with_nothing_left(path: Path) -> None:
    told = Progress(True)
    told.begin({"a": 0})
    told.end("a", left=0, stopped=True)
    assert (lines(path)[-1]["done"], lines(path)[-1]["incomplete"]) == (1, 1)


def test_a_name_that_holds_a_secret_is_not_written(path: Path) -> None:
    """Also one that becomes known later; the others are."""
    secrets = {"", "geheim"}
    told = Progress(True, secrets)
    told.begin({"a-geheim-b": 1, "b": 1})
    told.waits("a-geheim-b", FOR_SLOT, ["node-geheim", "node-1"])
    secrets.add("node-1")
    told.waits("b", FOR_ANSWER, ["node-1"])
    text = path.read_text(encoding="ascii")
    assert "geheim" not in text
    assert [one["nodes"] for one in lines(path)[1]["waits"]] == [["node-1"]]
    assert [one["nodes"] for one in lines(path)[2]["waits"]] == [[], []]


def test_many_threads_write_whole_lines_and_lose_nothing(path: Path) -> None:
    told = Progress(True)
    ids = [f"w{number}" for number in range(200)]
    told.begin(dict.fromkeys(ids, 3))

    def tear_down(mine: list[str]) -> None:
        for workflow_id in mine:
            told.waits(workflow_id, FOR_SLOT)
            told.waits(workflow_id, FOR_ANSWER)
            told.end(workflow_id, left=0, stopped=False)

    threads = [threading.Thread(target=tear_down, args=(ids[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = lines(path)
    assert (seen[-1]["done"], seen[-1]["gone"], seen[-1]["waits"]) == (200, 600, [])
    assert [one["gone"] for one in seen] == sorted(one["gone"] for one in seen)


# -- the file ------------------------------------------------------------------------------------------------


def test_nothing_is_written_where_it_is_not_wanted(path: Path) -> None:
    told = Progress(False)
    told.reading(1)
    assert path.read_bytes() == b""


def test_no_file_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "missing"))
    Progress(True).reading(1)
    assert list(tmp_path.iterdir()) == []


def test_what_stands_in_the_file_stays(path: Path) -> None:
    path.write_text("{}\n", encoding="ascii")
    Progress(True).reading(1)
    assert lines(path)[0] == {} and len(lines(path)) == 2


def test_only_a_regular_file_is_opened(path: Path, tmp_path: Path) -> None:
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(path)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # with nobody to read, opening it would fail anyway
    try:
        for other in (str(link), str(pipe), str(tmp_path), "/dev/null", "", "a\0b"):
            assert open_followed(other) is None, other
    finally:
        os.close(reader)
    file = open_followed(str(path))
    assert file is not None
    os.close(file)


def test_a_full_disk_stops_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    told = Progress(True)
    monkeypatch.setattr(os, "write", full)
    told.reading(1)
    monkeypatch.undo()
    told.reading(2)
    assert path.read_bytes() == b""
