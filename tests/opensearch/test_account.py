# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user can get at, by the modes of files and folders."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.opensearch.account import Account, account

US = Account(os.geteuid(), os.getegid())
STRANGER = Account(os.geteuid() + 4711, os.getegid() + 4711)


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that a stranger can get at, which those of pytest are not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name).resolve()


@pytest.mark.parametrize(("folder_mode", "file_mode", "stranger"), [(0o755, 0o644, True), (0o711, 0o604, True), (0o700, 0o644, False), (0o755, 0o640, False)])
def test_a_file_is_read_by_who_may_pass_its_folders_and_read_it(folder: Path, folder_mode: int, file_mode: int, stranger: bool) -> None:
    file = folder / "file"
    file.touch()
    file.chmod(file_mode)
    folder.chmod(folder_mode)
    assert STRANGER.reads(file) is stranger
    assert US.reads(file)


def test_a_link_is_read_where_what_it_leads_to_is(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(0o700)
    (closed / "file").touch()
    (folder / "link").symlink_to(closed / "file")
    assert not STRANGER.reads(folder / "link")
    assert not STRANGER.reads(folder / "nothing")


def test_the_server_never_runs_as_root() -> None:
    assert account().uid != 0
    assert account().is_ours is (os.geteuid() != 0)


def test_a_temporary_folder_that_is_closed_to_the_server_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert STRANGER.temporary_folder() == str(folder)
    folder.chmod(0o700)
    assert STRANGER.temporary_folder() == "/tmp"


def test_what_it_owns_is_closed_to_others(folder: Path) -> None:
    (folder / "config").mkdir()
    (folder / "config" / "key").touch()
    account().owns(folder)
    assert [oct(path.stat().st_mode & 0o777) for path in (folder / "config", folder / "config" / "key")] == ["0o700", "0o600"]
    assert {path.stat().st_uid for path in (folder, folder / "config" / "key")} == {account().uid}
