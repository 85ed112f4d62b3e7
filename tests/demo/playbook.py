# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook with the real ansible-playbook, shows it, and gives back what it said."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import screen

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOKS = Path("tests", "demo", "playbooks")
"""From the root of the project."""

RECORDER = ROOT / "tests" / "integration" / "callback_plugins"
"""A callback plugin that writes down what each task returned."""


@dataclass(frozen=True)
class Played:
    """One run: exit status, everything it printed, and the result of its teardown, or else of its first task (empty if none ended)."""

    status: int
    output: str
    report: dict[str, Any]


def play(name: str, environment: str, folder: Path, variables: dict[str, Any], *options: str) -> Played:
    """Run one playbook of the demo on an environment, whose variables are in ``folder`` meanwhile."""
    vars_file = folder / f"environment-{environment}.json"  # another name than the report's
    vars_file.write_text(json.dumps(variables), encoding="utf-8")
    record = folder / "record.jsonl"
    record.write_text("")
    playbook = str(PLAYBOOKS / name) if name.endswith(".yml") else name  # of the collection
    screen.command(["ansible-playbook", playbook, "-e", f"@{vars_file.name}", *options])
    process = subprocess.Popen(
        ["ansible-playbook", "-i", str(PLAYBOOKS / "inventory.yml"), playbook, "-e", f"@{vars_file}", *options],
        cwd=ROOT,
        env={**settings(), "RECORDER_FILE": str(record)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    assert process.stdout is not None
    with process:
        output = screen.echo(line.rstrip("\n") for line in process.stdout)
    results = [json.loads(line)["result"] for line in record.read_text(encoding="utf-8").splitlines()]
    reports = [one for one in results if "plan_hash" in one]
    return Played(process.returncode, output, (reports[-1:] or results[:1] or [{}])[0])


def settings() -> dict[str, str]:
    """The variables of this process; results as YAML, which a person can read; colour for persons only."""
    variables = {
        **os.environ,
        "ANSIBLE_CALLBACK_PLUGINS": str(RECORDER),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_CALLBACKS_ENABLED": "recorder",
        "ANSIBLE_PIPELINING": "1",
    }
    if screen.is_terminal():
        variables["ANSIBLE_FORCE_COLOR"] = "1"
    return variables
