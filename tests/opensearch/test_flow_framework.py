# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the real Flow Framework plugin comes from."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from tests.opensearch import flow_framework
from tests.opensearch.fake_maven import FakeMaven
from tests.opensearch.problems import CannotRun
from tests.opensearch.releases import release

RELEASE = release("3.6.0")
FILE = RELEASE.flow_framework.file


@pytest.fixture(autouse=True)
def no_plugin_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(flow_framework.VARIABLE, raising=False)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def a_plugin(path: Path, name: str = "opensearch-flow-framework", version: str = "3.6.0") -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("plugin-descriptor.properties", f"# of a plugin\nname={name}\nopensearch.version={version}\n")
    return path


def test_the_plugin_that_is_named_is_taken_and_the_repository_not_asked(
    tmp_path: Path, cache: Path, fake_maven: FakeMaven, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = a_plugin(tmp_path / "mine.zip")
    monkeypatch.setenv(flow_framework.VARIABLE, str(named))
    assert flow_framework.plugin(RELEASE, cache) == named.resolve()
    assert fake_maven.calls == []


def test_a_plugin_for_another_version_is_not_used_and_that_is_said(
    tmp_path: Path, cache: Path, fake_maven: FakeMaven, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(flow_framework.VARIABLE, str(a_plugin(tmp_path / "mine.zip", version="2.19.1")))
    assert flow_framework.plugin(RELEASE, cache) is None
    assert "is for OpenSearch 2.19.1, not 3.6.0: not used" in capsys.readouterr().err


def test_a_path_that_leads_nowhere_is_no_reason_to_go_on_without(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(flow_framework.VARIABLE, str(tmp_path / "nowhere.zip"))
    with pytest.raises(CannotRun, match=r"FLOW_FRAMEWORK_ZIP names .*nowhere\.zip, which is not the zip of a plugin"):
        flow_framework.plugin(RELEASE, cache)


def test_another_plugin_is_refused(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(flow_framework.VARIABLE, str(a_plugin(tmp_path / "mine.zip", name="opensearch-ml")))
    with pytest.raises(CannotRun, match="which is the plugin opensearch-ml"):
        flow_framework.plugin(RELEASE, cache)


def test_the_repository_s_is_fetched_once(cache: Path, fake_maven: FakeMaven) -> None:
    a_plugin(fake_maven.remote / FILE)
    found = flow_framework.plugin(RELEASE, cache)
    assert found is not None
    assert flow_framework.version_of(found) == "3.6.0"
    calls = len(fake_maven.calls)
    assert flow_framework.plugin(RELEASE, cache) == found
    assert len(fake_maven.calls) == calls
    assert [path.name for path in cache.iterdir()] == [FILE]


def test_that_the_repository_has_none_is_remembered_for_a_day(cache: Path, fake_maven: FakeMaven) -> None:
    assert flow_framework.plugin(RELEASE, cache) is None
    calls = len(fake_maven.calls)
    a_plugin(fake_maven.remote / FILE)
    assert flow_framework.plugin(RELEASE, cache) is None
    assert len(fake_maven.calls) == calls
    (mark,) = cache.iterdir()
    yesterday = mark.stat().st_mtime - flow_framework.ASK_AGAIN - 1
    os.utime(mark, (yesterday, yesterday))
    assert flow_framework.plugin(RELEASE, cache) is not None


def test_without_a_network_it_goes_on_without_and_asks_again_next_time(cache: Path, fake_maven: FakeMaven, capsys: pytest.CaptureFixture[str]) -> None:
    fake_maven.cut_off()
    assert flow_framework.plugin(RELEASE, cache) is None
    assert "whether the repository has a Flow Framework 3.6.0 is not known" in capsys.readouterr().err
    assert list(cache.iterdir()) == []
