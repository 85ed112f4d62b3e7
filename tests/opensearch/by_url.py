# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the whole contract by URL, as against anybody's server: recordings and vectors on a cluster behind the simulated plugin.

What they hold of indices, pipelines, models, users and rights is answered by the real one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def contract(url: str, *arguments: str) -> int:
    """Run the suite in a process of its own; how many cases passed. AssertionError with all it said where any failed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "CONTRACT_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract", "--url", url, *arguments]
    ran = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=900, check=False)
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-2_000:]
    found = re.search(r"(\d+) passed", ran.stdout)
    return int(found.group(1)) if found else 0
