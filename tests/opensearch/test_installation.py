# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an installation gets into the cache, whole or not at all. Server and plugins are tiny, and Maven is a script."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import zipfile
from pathlib import Path

import pytest

from tests.opensearch import flow_framework, installation, maven
from tests.opensearch.account import Account
from tests.opensearch.fake_maven import FakeMaven
from tests.opensearch.installation import Installation, installed
from tests.opensearch.java import Java
from tests.opensearch.problems import CannotRun
from tests.opensearch.releases import Module, Release, jars

US = Account(os.geteuid(), os.getegid())
JAVA = Java(Path("/nowhere"), 21)
RELEASE = Release("1.2.3", java=(21, 99), modules=(Module("more", "org.example.More", jars("org.example:more:1.2.3"), permissions=("getClassLoader",)),))

PLUGIN_TOOL = """#!/bin/sh
set -e
echo "$JAVA_HOME$OPENSEARCH_JAVA_HOME $*" >> "$(dirname "$0")/../calls"
case "$3" in *job-scheduler*) test ! -e "$(dirname "$0")/../../../broken";; esac
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv(flow_framework.VARIABLE, raising=False)
    monkeypatch.setattr(maven, "SUMS", tmp_path / "SUMS")
    (tmp_path / "SUMS").touch()
    folder = tmp_path / "cache" / installation.NAME
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(autouse=True)
def repository(fake_maven: FakeMaven) -> Path:
    """What makes a server of version 1.2.3."""
    with zipfile.ZipFile(fake_maven.remote / "opensearch-1.2.3.zip", "w") as packed:
        tool = zipfile.ZipInfo("opensearch-1.2.3/bin/opensearch-plugin")
        tool.external_attr = 0o755 << 16
        packed.writestr(tool, PLUGIN_TOOL)
        packed.writestr("opensearch-1.2.3/modules/first/first.jar", "")
    for name in ("opensearch-job-scheduler-1.2.3.0.zip", "opensearch-ml-plugin-1.2.3.0.zip", "more-1.2.3.jar"):
        (fake_maven.remote / name).write_text(name)
    return fake_maven.remote


def homes(cache: Path) -> list[str]:
    """What is in the cache but for marks and locks."""
    return [path.name for path in cache.iterdir() if path.is_dir()]


def test_plugins_are_installed_in_order_by_the_server_s_own_tool_with_the_java_that_was_found(cache: Path) -> None:
    made = installed(RELEASE, False, JAVA, US)
    calls = (made.home / "calls").read_text().splitlines()
    assert [call.rpartition("/")[2] for call in calls] == ["opensearch-job-scheduler-1.2.3.0.zip", "opensearch-ml-plugin-1.2.3.0.zip"]
    assert all(call.startswith("/nowhere install --batch file:///") for call in calls)
    assert made == Installation(cache / made.home.name, "1.2.3", False)


def test_a_module_is_put_together_out_of_jars_description_and_policy(cache: Path) -> None:
    folder = installed(RELEASE, False, JAVA, US).home / "modules" / "more"
    assert (folder / "more-1.2.3.jar").is_file()
    described = (folder / "plugin-descriptor.properties").read_text().splitlines()
    assert {"name=more", "classname=org.example.More", "opensearch.version=1.2.3"} <= set(described)
    assert 'permission java.lang.RuntimePermission "getClassLoader";' in (folder / "plugin-security.policy").read_text()


def test_it_is_made_once(cache: Path, fake_maven: FakeMaven) -> None:
    first = installed(RELEASE, False, JAVA, US)
    calls = len(fake_maven.calls)
    assert installed(RELEASE, False, JAVA, US) == first
    assert len(fake_maven.calls) == calls


def test_one_that_could_not_be_finished_is_not_used(cache: Path) -> None:
    (cache / "broken").touch()
    with pytest.raises(CannotRun, match=r"opensearch-job-scheduler-1\.2\.3\.0\.zip could not be installed"):
        installed(RELEASE, False, JAVA, US)
    assert homes(cache) == []
    (cache / "broken").unlink()
    assert installed(RELEASE, False, JAVA, US).home.name in homes(cache)


def test_what_a_killed_process_left_half_made_is_removed_and_never_used(cache: Path) -> None:
    half = cache / "part-of-a-dead-one" / "opensearch-1.2.3"
    half.mkdir(parents=True)
    made = installed(RELEASE, False, JAVA, US)
    assert homes(cache) == [made.home.name]


def test_two_processes_at_once_make_it_once(cache: Path, fake_maven: FakeMaven) -> None:
    context = multiprocessing.get_context("fork")
    with context.Pool(2) as pool:
        made = pool.starmap(installed, [(RELEASE, False, JAVA, US)] * 2)
    assert made[0] == made[1]
    assert len((made[0].home / "calls").read_text().splitlines()) == 2  # one a plugin
    assert homes(cache) == [made[0].home.name]


def test_it_is_another_one_with_other_sums_or_with_a_flow_framework(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = installed(RELEASE, False, JAVA, US)
    plugin = tmp_path / "flow.zip"
    with zipfile.ZipFile(plugin, "w") as packed:
        packed.writestr("plugin-descriptor.properties", "name=opensearch-flow-framework\nopensearch.version=1.2.3\n")
    monkeypatch.setenv(flow_framework.VARIABLE, str(plugin))
    with_it = installed(RELEASE, False, JAVA, US)
    assert with_it.flow_framework
    assert (with_it.home / "calls").read_text().splitlines()[-1].endswith("/flow.zip")
    maven.SUMS.write_text("# nothing new\n")
    assert len({without.home, with_it.home, installed(RELEASE, False, JAVA, US).home}) == 3


def test_others_can_read_it_whatever_the_umask(cache: Path) -> None:
    mask = os.umask(0o077)
    try:
        made = installed(RELEASE, False, JAVA, US)
    finally:
        os.umask(mask)
    for path in (made.home, *made.home.rglob("*")):
        assert path.stat().st_mode & 0o044 == 0o044, path


# -- where the cache is ------------------------------------------------------------------------------------------------


def test_the_home_that_the_tests_are_given_is_not_where_the_cache_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "own_home", lambda: tmp_path / "own")
    monkeypatch.setenv("HOME", str(tmp_path / "replaced"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "replaced" / ".cache"))
    assert installation.cache(US) == tmp_path / "own" / ".cache" / installation.NAME


def test_a_server_of_another_user_reaches_a_cache_that_was_made_for_it_whatever_the_umask(monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = Account(os.geteuid() + 4711, os.getegid() + 4711)
    mask = os.umask(0o077)
    try:
        with tempfile.TemporaryDirectory(dir="/tmp") as name:  # those of pytest are closed to others
            Path(name).chmod(0o755)
            monkeypatch.setenv("XDG_CACHE_HOME", name)
            assert stranger.reads(installation.cache(stranger))
            assert installation.cache(stranger) == Path(name) / installation.NAME
    finally:
        os.umask(mask)


def test_a_cache_of_our_own_is_as_open_as_the_user_s_umask_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "chosen"))
    mask = os.umask(0o077)
    try:
        assert installation.cache(US).stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(mask)


def test_a_cache_folder_that_the_user_chose_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "chosen"))
    assert installation.cache(US) == tmp_path / "chosen" / installation.NAME
