# Copyright (c) 2026 opensearch_ops.flow_framework contributors
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
@pytest.mark.parametrize("scenario", ["role"])
def test_molecule_scenario_on_a_real_cluster(scenario: str, tmp_path: Path) -> None:
    play(scenario, tmp_path, FLOW_FRAMEWORK_SIMULATOR="--opensearch")


@pytest.mark.slow
def test_destroy_ends_a_cluster_whose_url_is_not_known_yet_and_no_other_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.simulator", "--write-url", f"{tmp_path}/url.new"]
    for run, ends in ((command, True), (["sleep", "600"], False)):
        process = subprocess.Popen(run, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            (tmp_path / "pid").write_text(f"{process.pid}\n")
            ran = molecule("destroy", "lost_answer", tmp_path)
            assert ran.returncode == 0, ran.stdout
            assert not (tmp_path / "pid").exists()
            if ends:
                process.wait(30)
            assert (process.poll() is not None) is ends
        finally:
            process.kill()
            process.wait()


def play(scenario: str, folder: Path, **further: str) -> None:
    """All phases."""
    ran = molecule("test", scenario, folder, **further)
    assert ran.returncode == 0, ran.stdout
    for phase in PHASES:
        assert phase in ran.stdout, f"{phase} was not run:\n{ran.stdout}"
    assert not (folder / "pid").exists(), "the simulated cluster was not ended"


# The cluster outlives the playbook that starts it, in a session of its own. So it looks itself whether molecule, which takes the place
# and the number of this shell, is still there: that may be killed, by a Ctrl-C or because its time is over.
WHILE_IT_RUNS = 'FLOW_FRAMEWORK_SIMULATOR="$FLOW_FRAMEWORK_SIMULATOR --while $$" exec "$@"'


def molecule(what: str, scenario: str, folder: Path, **further: str) -> subprocess.CompletedProcess[str]:
    """In a private folder for what molecule keeps, so that runs beside each other do not meet."""
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MOLECULE_", "OPENSEARCH_"))},
        "MOLECULE_EPHEMERAL_DIRECTORY": str(folder),
        "ANSIBLE_NOCOLOR": "1",
        "NO_COLOR": "1",
        **further,
    }
    return subprocess.run(
        ["sh", "-c", WHILE_IT_RUNS, "sh", sys.executable, "-m", "molecule", what, "--scenario-name", scenario],
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=600,
        check=False,
    )
