# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole contract by URL, as against anybody's server: recordings and vectors on real clusters behind the simulated plugin.

What they hold of indices, pipelines, models, users and rights is answered by the real ones.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulator import in_front

from . import Cluster

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.opensearch


def contract(url: str, *arguments: str) -> str:
    """Run the suite in a process of its own; what it printed. AssertionError with all of it where anything failed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "CONTRACT_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract", "--url", url, *arguments]
    ran = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=900, check=False)
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-2_000:]
    return ran.stdout


def passed(output: str) -> int:
    """How many cases the last line counts."""
    found = re.search(r"(\d+) passed", output)
    return int(found.group(1)) if found else 0


def test_recordings_and_vectors_hold_on_a_real_3_6_0(plain: Cluster) -> None:
    with in_front(plain) as front:
        front.world.clear()
        assert passed(contract(front.url)) >= 70


def test_recordings_and_vectors_hold_on_a_real_2_19_1_with_security(secure: Cluster) -> None:
    assert secure.ca_cert is not None
    with in_front(secure) as front:
        front.world.clear()
        assert passed(contract(front.url, "--user", "admin", "--password", "admin", "--ca-cert", secure.ca_cert)) >= 50
