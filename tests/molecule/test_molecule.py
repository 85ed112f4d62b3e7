# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every scenario of extensions/molecule, by molecule itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = sorted(path.parent.name for path in (ROOT / "extensions" / "molecule").glob("*/molecule.yml"))
QUICK = ("lost_answer",)  # `make test` plays these, `make molecule` and `make test ALL=1` all
PHASES = ("create", "prepare", "converge", "idempotence", "verify", "destroy")


def test_there_are_scenarios() -> None:
    assert set(QUICK) < set(SCENARIOS)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.extended) for name in SCENARIOS])
def test_molecule_scenario(scenario: str, tmp_path: Path) -> None:
    play(scenario, tmp_path)


@pytest.mark.opensearch
@pytest.mark.parametrize("scenario", ["full", "role"])
def test_molecule_scenario_on_a_real_cluster(scenario: str, tmp_path: Path) -> None:
    play(scenario, tmp_path, FLOW_FRAMEWORK_SIMULATOR="--opensearch")


def play(scenario: str, folder: Path, **further: str) -> None:
    """All phases, in a private folder for what molecule keeps, so that runs beside each other do not meet."""
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MOLECULE_", "OPENSEARCH_"))},
        "MOLECULE_EPHEMERAL_DIRECTORY": str(folder),
        "ANSIBLE_NOCOLOR": "1",
        "NO_COLOR": "1",
        **further,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "molecule", "test", "--scenario-name", scenario],
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
    )
    output = ran.stdout.decode("utf-8", "replace")
    assert ran.returncode == 0, output
    for phase in PHASES:
        assert phase in output, f"{phase} was not run:\n{output}"
    assert not (folder / "pid").exists(), "the simulated cluster was not ended"
