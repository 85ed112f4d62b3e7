# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Java is taken: folders that look like one, none of which is ever run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.opensearch import java
from tests.opensearch.account import Account
from tests.opensearch.problems import CannotRun

US = Account(os.geteuid(), os.getegid())


@pytest.fixture(autouse=True)
def only_these(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(java, "PLACES", (str(tmp_path / "jvm" / "*"),))


def a_java(folder: Path, version: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    (folder / "release").write_text(f'IMPLEMENTOR="Somebody"\nJAVA_VERSION="{version}"\nOS_ARCH="x86_64"\n')
    return folder


def test_the_first_that_is_new_enough_is_taken(tmp_path: Path) -> None:
    a_java(tmp_path / "jvm" / "a", "17.0.15")
    fitting = a_java(tmp_path / "jvm" / "b", "25.0.1")
    a_java(tmp_path / "jvm" / "c", "26")
    assert java.find(21, 99, US) == java.Java(fitting.resolve(), 25)


def test_one_that_is_too_new_is_passed_over(tmp_path: Path) -> None:
    a_java(tmp_path / "jvm" / "a", "25")
    fitting = a_java(tmp_path / "jvm" / "b", "17.0.15")
    assert java.find(17, 23, US).home == fitting.resolve()


def test_java_home_comes_before_path_and_path_before_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_java(tmp_path / "jvm" / "a", "21")
    in_path = a_java(tmp_path / "elsewhere", "21.0.1")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(in_path / "bin" / "java")
    assert java.find(21, 99, US).home == in_path.resolve()
    given = a_java(tmp_path / "given", "22")
    monkeypatch.setenv("JAVA_HOME", str(given))
    assert java.find(21, 99, US).home == given.resolve()


def test_a_java_home_that_is_too_old_does_not_hide_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path / "given", "11.0.2")))
    fitting = a_java(tmp_path / "jvm" / "a", "21")
    assert java.find(21, 99, US).home == fitting.resolve()


def test_what_only_looks_like_a_java_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    (a_java(tmp_path / "jvm" / "a", "21") / "release").unlink()
    (a_java(tmp_path / "jvm" / "b", "21") / "bin" / "java").chmod(0o644)
    with pytest.raises(CannotRun, match="found: none"):
        java.find(21, 99, US)


def test_one_that_the_user_of_the_server_cannot_run_is_passed_over(tmp_path: Path) -> None:
    closed = a_java(tmp_path / "jvm" / "a", "21")
    closed.chmod(0o700)
    with pytest.raises(CannotRun):
        java.find(21, 99, Account(os.geteuid() + 4711, os.getegid() + 4711))


def test_where_there_is_none_it_says_what_was_found_and_how_to_get_one(tmp_path: Path) -> None:
    old = a_java(tmp_path / "jvm" / "a", "17.0.15")
    with pytest.raises(CannotRun) as raised:
        java.find(21, 99, US)
    assert "Java 21 or newer is needed" in str(raised.value)
    assert f"found: 17 in {old.resolve()}." in str(raised.value)
    assert "apt install openjdk-21-jre-headless" in str(raised.value)
    with pytest.raises(CannotRun, match="Java 18 to 20 is needed"):
        java.find(18, 20, US)
