# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How artifacts are fetched, and what of them is refused. The Maven client is a script here."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.opensearch import maven
from tests.opensearch.fake_maven import FakeMaven
from tests.opensearch.problems import CannotRun
from tests.opensearch.releases import Artifact

ONE = Artifact("org.example", "one", "1.0", "zip")
OTHER = Artifact("org.example", "other", "1.0", "zip")
CONTENT = b"content"


@pytest.fixture
def sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "SUMS"
    file.write_text(f"# these\n{hashlib.sha256(CONTENT).hexdigest()}  {ONE.file}\n")
    monkeypatch.setattr(maven, "SUMS", file)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def test_what_was_fetched_before_needs_no_network(fake_maven: FakeMaven, sums: None, target: Path) -> None:
    (fake_maven.local / ONE.file).write_bytes(CONTENT)
    assert [file.read_bytes() for file in maven.fetch([ONE], target)] == [CONTENT]
    (call,) = fake_maven.calls
    assert "--offline" in call


def test_what_maven_once_did_not_find_is_asked_for_again(fake_maven: FakeMaven, sums: None, target: Path) -> None:
    (fake_maven.remote / ONE.file).write_bytes(CONTENT)
    assert [file.read_bytes() for file in maven.fetch([ONE], target)] == [CONTENT]
    assert "--update-snapshots" in fake_maven.calls[1]


def test_what_has_no_sum_here_is_compared_by_maven_with_what_the_repository_publishes(
    fake_maven: FakeMaven, sums: None, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (fake_maven.remote / OTHER.file).write_bytes(CONTENT)
    maven.fetch([OTHER], target)
    assert "--strict-checksums" in fake_maven.calls[1]
    assert capsys.readouterr().err == ""


def test_that_a_repository_publishes_no_checksum_is_said(fake_maven: FakeMaven, sums: None, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fake_maven.remote / OTHER.file).write_bytes(CONTENT)
    (fake_maven.folder / "without_checksums").touch()
    assert [file.read_bytes() for file in maven.fetch([OTHER], target)] == [CONTENT]
    assert "publishes no checksum" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["local", "remote"])
def test_a_file_with_another_sum_is_refused_wherever_it_came_from(place: str, fake_maven: FakeMaven, sums: None, target: Path) -> None:
    (fake_maven.folder / place / ONE.file).write_bytes(b"something else")
    with pytest.raises(CannotRun, match=r"one-1\.0\.zip is not what it has to be: its SHA-256 is [0-9a-f]{64}"):
        maven.fetch([ONE], target)


def test_what_the_repository_has_not_is_told_apart_from_a_repository_that_does_not_answer(fake_maven: FakeMaven, target: Path) -> None:
    with pytest.raises(maven.NotThere):
        maven.fetch([ONE], target)
    fake_maven.cut_off()
    with pytest.raises(CannotRun, match=r"made of: Could not transfer artifact one-1\.0\.zip$") as raised:
        maven.fetch([ONE], target)
    assert not isinstance(raised.value, maven.NotThere)


def test_where_maven_is_missing_it_says_how_to_get_it(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CannotRun, match=r"Maven is missing.*apt install maven"):
        maven.fetch([ONE], target)
