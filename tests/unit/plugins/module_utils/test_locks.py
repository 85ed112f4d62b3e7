# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of the locks: everybody may use it, and nobody can put another one in its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import locks
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.locks import Locks, open_shared, overlap


def test_every_user_may_lock_the_file_whatever_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        os.close(open_shared(str(tmp_path / "lock")))
    finally:
        os.umask(before)
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o666


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").touch()
    (tmp_path / "lock").symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError, match="symbolic link"):
        open_shared(str(tmp_path / "lock"))


def test_whoever_loses_the_race_to_make_the_file_takes_the_winners(monkeypatch: pytest.MonkeyPatch) -> None:
    refusals: list[OSError] = [FileNotFoundError(), FileExistsError()]

    def open_file(path: str, flags: int, mode: int = 0) -> int:
        if refusals:
            raise refusals.pop(0)
        return 7

    monkeypatch.setattr(os, "open", open_file)
    assert open_shared("lock") == 7 and not refusals


def test_a_file_that_comes_and_goes_is_an_error_and_no_endless_try(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_file(path: str, flags: int, mode: int = 0) -> int:
        raise FileExistsError if flags & os.O_CREAT else FileNotFoundError

    monkeypatch.setattr(os, "open", open_file)
    with pytest.raises(OSError, match="lock comes and goes"):
        open_shared("lock")


def test_gate_slots_workflows_and_calls_never_meet() -> None:
    names = ["", "a", "b", "node-1"]
    bytes_ = [Locks.GATE, *(Locks.of_slot(name, number) for name in names for number in (0, locks.MOST_SLOTS - 1))]
    bytes_ += [of(name) for of in (Locks.of_workflow, Locks.of_call) for name in names]
    assert len(set(bytes_)) == len(bytes_)
    every = [byte for byte in bytes_ if overlap(byte, Locks.EVERY_SLOT)]
    assert every == bytes_[1 : 1 + 2 * len(names)], "every slot, and nothing else, is a slot of some node"


def test_a_lock_that_is_held_is_not_had_twice_and_is_free_after_it_was_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "FOLDER", str(tmp_path))
    held = Locks("cluster")
    assert held.take(5) and not held.take(5) and held.is_held(5) and not held.is_held(6)
    held.release(5)
    assert not held.is_held(5) and held.mine == set()
