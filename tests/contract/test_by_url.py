# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite against a server given by URL: here a simulator at the real clock, which holds documents of others."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import pytest

from .scenario import HERE

pytestmark = pytest.mark.usefixtures("only_simulator")

CASES = "3.6.0-ml_checks or 3.6.0-unknown_workflow or D37-3"
FOREIGN = {"workflow_id": "foreign", "state": "COMPLETED", "provisioning_progress": "DONE"}
TEMPLATE = {"name": "foreign", "workflows": {"provision": {"nodes": [], "edges": []}}}
KINDS = ("connector", "model", "model_group", "agent", "index", "ingest_pipeline", "search_pipeline")


def suite(url: str, cases: str, module: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / module), "--url", url]
    command += ["-k", cases]
    return subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, timeout=120, check=False)


def inhabit(sim: Any) -> dict[str, list[str]]:
    """Give the server something of others'; returns what it has."""
    sim.world.put("index", "foreign", documents=3, size_in_bytes=4096)
    sim.world.put("connector", "foreign", body={"name": "foreign"})
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


def test_a_server_that_is_not_there_is_said_to_be_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        result = suite(f"http://127.0.0.1:{free.getsockname()[1]}", "D13-3")
    assert result.returncode == 4
    assert "does not answer" in result.stdout + result.stderr
