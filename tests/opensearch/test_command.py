# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How `python -m tests.simulator` begins and ends, with and without a real cluster. Java and Maven are scripts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.simulator.__main__ import arguments

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "tests.simulator"]
LIMIT = 20.0
MAVEN = """#!/bin/sh
echo "$*" >> "$0.calls"
exec sleep 60
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the server's user can get at, which those of pytest are not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(0o755)


def until(check: Callable[[], bool]) -> None:
    limit = time.monotonic() + LIMIT
    while not check():
        assert time.monotonic() < limit
        time.sleep(0.02)


def heed_interrupts() -> None:
    """What a shell starts in the background ignores them, with all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_the_start_of_a_real_cluster_can_be_broken_off(number: int, status: int, folder: Path) -> None:
    program(folder / "java" / "bin" / "java", "#!/bin/sh\nexit 1\n")
    (folder / "java" / "release").write_text('JAVA_VERSION="21"\n')
    program(folder / "bin" / "mvn", MAVEN)
    calls = folder / "bin" / "mvn.calls"
    variables = {**os.environ, "JAVA_HOME": str(folder / "java"), "XDG_CACHE_HOME": str(folder / "cache")}
    variables["PATH"] = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    (folder / "cache").mkdir()
    process = subprocess.Popen([*COMMAND, "--opensearch"], cwd=ROOT, env=variables, start_new_session=True, preexec_fn=heed_interrupts)
    try:
        until(calls.exists)
        os.killpg(process.pid, number)
        assert process.wait(LIMIT) == status
        assert len(calls.read_text().splitlines()) == 1  # no second try
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize("buried", [True, False])
def test_it_ends_with_the_process_that_it_is_for(buried: bool, tmp_path: Path) -> None:
    url = tmp_path / "url"
    other = subprocess.Popen(["sleep", "60"])
    process = subprocess.Popen([*COMMAND, "--write-url", str(url), "--while", str(other.pid)], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        until(url.exists)
        time.sleep(1.5)  # it has looked, and stays
        assert process.poll() is None
        other.kill()
        if buried:
            other.wait()
        assert process.wait(LIMIT) == 0
    finally:
        for one in (other, process):
            one.kill()
            one.wait()


@pytest.mark.parametrize("option", [["--tls"], ["--cluster-name", "mine"]])
def test_what_a_real_cluster_decides_itself_is_refused(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(["--opensearch", *option])
    assert f"{option[0]}" in capsys.readouterr().err.splitlines()[-1]
    assert arguments(option).opensearch is False
