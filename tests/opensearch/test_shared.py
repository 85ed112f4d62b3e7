# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests have of a shared cluster that fails, on which they fail, or that is another's by now. No server is started."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.client import Client
from tests.opensearch.behind import OUTDATED, current_test, outdate
from tests.simulator import running

ROOT = Path(__file__).parents[2]
CONFTEST = """
from contextlib import contextmanager
from pathlib import Path
import pytest
from tests.opensearch import shared
from tests.opensearch.problems import CannotRun

class Server:
    version = "1.2.3"
    def keep_logs(self):
        return Path("/kept") / self.version

@contextmanager
def running(version, security):
    print("asked to start", version)
    if version != Server.version:
        raise CannotRun("Java is missing")
    yield Server()

shared.running = running

@pytest.fixture
def cluster(request):
    return lambda version: shared.shared(request.config, version)
"""


def played(folder: Path, tests: str) -> str:
    """The report on tests in a folder below that of the conftest.py."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "below").mkdir()
    (folder / "below" / "test_it.py").write_text(f"import pytest\n\n{tests}")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = opensearch\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(folder), "-c", str(folder / "pytest.ini")]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*command, str(folder)], env={**variables, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout


def test_where_a_test_of_any_folder_fails_the_logs_of_the_shared_cluster_are_kept(tmp_path: Path) -> None:
    report = played(
        tmp_path,
        "@pytest.mark.opensearch\ndef test_on_a_cluster(cluster):\n    cluster('1.2.3')\n    assert False\n\ndef test_without_one():\n    assert False\n",
    )
    assert "2 failed" in report
    assert report.count("the logs of 1.2.3 are kept in /kept/1.2.3") == 1, report


def test_a_cluster_that_cannot_be_had_is_tried_once_and_every_test_is_told(tmp_path: Path) -> None:
    report = played(tmp_path, "@pytest.mark.parametrize('number', range(3))\ndef test_on_a_cluster(cluster, number):\n    cluster('4.5.6')\n")
    assert "3 failed" in report
    assert report.count("asked to start 4.5.6") == 1, report
    assert len(re.findall(r"^E +.*CannotRun: Java is missing$", report, re.MULTILINE)) == 3, report


@pytest.mark.parametrize("about", ["some (words)", "other (words)"])
def test_tests_are_told_apart_whatever_is_in_their_names(about: str, request: pytest.FixtureRequest) -> None:
    assert current_test() == request.node.nodeid


def test_an_earlier_front_says_that_the_cluster_is_emptied_and_not_that_all_is_gone() -> None:
    with running(clock=0.0) as front:
        front.world.put("index", "docs")
        assert Client(front.url).send("GET", "/docs").status == 200
        outdate(front)
        answer = Client(front.url).send("GET", "/docs")
        assert (answer.status, answer.body["error"]) == (410, OUTDATED)
        with pytest.raises(AssertionError, match=OUTDATED):
            front.world.get("index", "docs")
        assert len(front.requests("GET", "/docs")) == 2
