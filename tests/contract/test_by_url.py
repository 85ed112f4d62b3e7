# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite against a server given by URL: here a simulator at the real clock, which holds documents of others."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .client import Answer
from .replay import Server
from .scenario import HERE
from .servers import ENDPOINT, TRUSTED, prepare

pytestmark = pytest.mark.usefixtures("only_simulator")

CASES = "3.6.0-ml_checks or 3.6.0-unknown_workflow or D37-3"
FOREIGN = {"workflow_id": "foreign", "state": "COMPLETED", "provisioning_progress": "DONE"}
TEMPLATE = {"name": "foreign", "workflows": {"provision": {"nodes": [], "edges": []}}}
KINDS = ("connector", "model", "model_group", "agent", "index", "ingest_pipeline", "search_pipeline")


def suite(url: str, cases: str, module: str = "", *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / module), "--url", url]
    command += ["-k", cases, *more]
    # whoever runs this in several processes runs that suite in one
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "CONTRACT_"))}
    return subprocess.run(command, cwd=HERE.parents[1], env=clean, capture_output=True, text=True, timeout=120, check=False)


def inhabit(sim: Any) -> dict[str, list[str]]:
    """Give the server something of others'; returns what it has."""
    sim.world.put("index", "foreign", documents=3, size_in_bytes=4096)
    sim.world.put("connector", "foreign", body={"name": "foreign"})
    for number in range(12):  # more than one page of a search
        sim.world.put("model_group", f"foreign-{number}", name=f"foreign-{number}")
        sim.load({**FOREIGN, "workflow_id": f"foreign-{number}"}, TEMPLATE)
    sim.load(FOREIGN, TEMPLATE)
    return inventory(sim)


def inventory(sim: Any) -> dict[str, list[str]]:
    return {kind: sorted(sim.world.ids(kind)) for kind in KINDS}


def test_by_url_it_passes_and_leaves_the_server_clean() -> None:
    from tests.simulator import running

    with running(version="3.6.0", clock=1.0) as sim:
        before = inhabit(sim)
        result = suite(sim.url, CASES)
        assert result.returncode == 0, result.stdout + result.stderr
        assert " passed" in result.stdout and " skipped" not in result.stdout
        assert inventory(sim) == before
        assert sim.state("foreign") is not None and sim.template("foreign") is not None


def test_after_a_failure_the_server_is_clean_too() -> None:
    from tests.simulator import running

    with running(version="3.6.0", clock=0.05) as sim:
        before = inhabit(sim)
        sim.faults.answer("POST", "_deprovision", 503, {"error": "no"}, times=100)
        result = suite(sim.url, "3.6.0-ml_checks", "test_recordings.py")
        assert result.returncode == 1 and "recorded 200, answered 503" in result.stdout, result.stdout + result.stderr
        assert inventory(sim) == before


def test_by_url_it_writes_a_recording_and_leaves_the_server_clean(tmp_path: Path) -> None:
    from tests.simulator import running

    file = tmp_path / "3.6.0.json"
    with running(version="3.6.0", clock=0.05) as sim:
        before = inhabit(sim)
        result = suite(sim.url, f"{CASES} or concurrent", "", "--record", str(file), "-rs")
        assert result.returncode == 0, result.stdout + result.stderr
        assert "2 passed, 1 skipped" in result.stdout and "not recorded: some of its requests run side by side" in result.stdout
        assert inventory(sim) == before
    assert [one["name"] for one in json.loads(file.read_text(encoding="utf-8"))["scenarios"]] == ["unknown_workflow", "ml_checks"]


def test_only_a_server_given_by_url_is_recorded(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", str(HERE), "--record", str(tmp_path / "none.json")]
    result = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 4 and "--record needs --url" in result.stderr


class Settings:
    """A client of a cluster that trusts one endpoint by default, as a real one does."""

    def __init__(self, persistent: dict[str, Any]) -> None:
        self.persistent, self.puts = persistent, []  # type: tuple[dict[str, Any], list[Any]]

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        if method == "PUT":
            self.puts.append(body)
        defaults = {TRUSTED: ["^https://api\\.openai\\.com/.*$"]}
        return Answer(200, "", {"defaults": defaults, "persistent": self.persistent, "transient": {}})


@pytest.mark.parametrize("before", [None, ["^https://ours/.*$"]])
def test_the_recorded_connectors_are_trusted_for_the_run(before: list[str] | None) -> None:
    """What the server trusted it goes on trusting, and what is given back puts it as it was."""
    client: Any = Settings({TRUSTED: before} if before else {})
    server = Server(client, "3.6.0", True, False, True, 1.0, 0.1)
    assert prepare(server) == {TRUSTED: before}
    kept = before or ["^https://api\\.openai\\.com/.*$"]
    trusted = client.puts[0]["persistent"][TRUSTED]
    assert trusted[:-1] == kept and re.fullmatch(trusted[-1], ENDPOINT)


def test_who_trusts_them_already_is_left_alone() -> None:
    client: Any = Settings({TRUSTED: [".*"]})
    assert prepare(Server(client, "3.6.0", True, False, True, 1.0, 0.1)) == {}
    assert client.puts == []


def test_a_server_that_is_not_there_is_said_to_be_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        result = suite(f"http://127.0.0.1:{free.getsockname()[1]}", "D13-3")
    assert result.returncode == 4
    assert "does not answer" in result.stdout + result.stderr
