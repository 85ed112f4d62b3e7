# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.covered [ARGUMENT of pytest ...]``: how much of the plugins the tests reach, in all their processes.

Runs the tests under coverage.py, prints its table, and leaves its pages in ``tests/output/coverage/html``. The exit status is
that of the tests, and 1 when fewer lines or branches were reached than the limits say, or when a file was not run at all.
What is measured, and how processes are followed, stands in ``pyproject.toml``.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "tests" / "output" / "coverage"
TESTS = ("tests/integration", "tests/real", "tests/forked", "tests/unit")
LINES, BRANCHES = 95.0, 90.0
"""Percent that have to be exceeded."""


def coverage(*arguments: str) -> int:
    """Run coverage.py: its exit status."""
    return subprocess.run(["coverage", *arguments], cwd=ROOT, env={**os.environ, "CHECKOUT": str(ROOT)}, check=False).returncode


def begin() -> None:
    """An empty folder, to which every user may write: some tests run modules as another one."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    FOLDER.chmod(0o1777)


def drop_begun(folder: Path) -> int:
    """Remove the data files that a killed process had only begun, which cannot be combined: how many there were."""
    begun = [path for path in folder.glob("data.*") if not is_data(path)]
    for path in begun:
        path.unlink()
    return len(begun)


def is_data(path: Path) -> bool:
    """Whether a file has got as far as the version of its tables, which coverage.py writes first of all."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            return database.execute("SELECT version FROM coverage_schema").fetchone() is not None
    except sqlite3.Error:
        return False


def runnable() -> set[str]:
    """The files of plugins that have something to run: the module of an action plugin may be nothing but its documentation."""
    found = {}
    for path in (ROOT / "plugins").rglob("*.py"):
        found[str(path.relative_to(ROOT))] = ast.parse(path.read_text(encoding="utf-8")).body
    return {name for name, body in found.items() if any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in body)}


def shortcomings(measured: dict[str, Any], files: set[str]) -> list[str]:
    """What is below the limits, of a report of coverage.py; ``files``: what should have been run."""
    totals = measured["totals"]
    found = [f"{name} was not run." for name in sorted(files - set(measured["files"]))]
    for what, reached, of, limit in (
        ("lines", totals["covered_lines"], totals["num_statements"], LINES),
        ("branches", totals["covered_branches"], totals["num_branches"], BRANCHES),
    ):
        percent = 100.0 * reached / of
        print(f"{what}: {reached} of {of}, {percent:.1f} %")
        if percent <= limit:
            found.append(f"More than {limit:.0f} % of the {what} are wanted.")
    return found


def main(arguments: list[str]) -> int:
    begin()
    selected = ["-m", "not opensearch and not extended", "-n", "4", "--dist", "loadfile", "--no-loadscope-reorder"]
    status = coverage("run", "-m", "pytest", *selected, *TESTS, *arguments)
    if begun := drop_begun(FOLDER):
        print(f"Left out: {begun} data file(s) that a killed process had only begun.")
    report = FOLDER / "report.json"
    for step in (("combine", "-q"), ("report",), ("html", "-q"), ("json", "-q", "-o", str(report))):
        status = coverage(*step) or status
    found = shortcomings(json.loads(report.read_text(encoding="utf-8")), runnable())
    print("\n".join(found) or f"The pages: {FOLDER.relative_to(ROOT)}/html/index.html")
    return status or int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
