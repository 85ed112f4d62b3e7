# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One row: makes its environments, and runs the tests in them."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from .results import Count, Result
from .rows import Row

ROOT = Path(__file__).resolve().parents[2]
UNIT = ["tests/unit"]
ON_TARGET = ["-m", "target and not extended"]
# What takes longest stands first. The page of a report, in a browser, has nothing to do with a row.
PLAYBOOKS = ["tests/integration/test_role.py", "tests/integration", "--ignore=tests/integration/test_report_page.py"]
# Two thirds of it, for each change: what goes by way of plugins, what is templated, and what the client tells apart.
FILES_OF_CI = [
    f"test_{name}.py"
    for name in (
        "role",
        "progress",
        "authentication",
        "check_mode",
        "ansible_features",
        "guards",
        "lost_answers",
        "wrong_answers",
        "partial_failure",
        "target",
        "second_run",
        "below_2_16",
        "missing",
    )
]
# The others are collected all the same: a row in which one of them cannot be imported is no good.
PLAYBOOKS_OF_CI = [*PLAYBOOKS, "-k", " or ".join(FILES_OF_CI)]

LOOK = """
import json, platform, sys
from importlib.metadata import distributions
versions = {one.metadata["Name"]: one.version for one in distributions()}
print(json.dumps({"path": sys.executable, "python": platform.python_version(), "versions": versions}))
"""


class NotMade(Exception):
    """An environment could not be made, or holds something else than it should; why has been printed or is the text."""


@dataclass(frozen=True)
class Ready:
    """A row whose environments are there: the command that runs something in them, and the releases that they hold."""

    row: Row
    run: list[str]
    releases: dict[str, str]


def prepare(row: Row, pythons: Mapping[str, Path]) -> Ready | Result:
    """Make the environments of a row; its result at once where that cannot be done."""
    missing = [version for version in dict.fromkeys((row.python, row.target)) if version not in pythons]
    if missing:
        return Result(row, why_not=f"no Python {' and no Python '.join(missing)} was found on this machine")
    try:
        target = environment(pythons[row.target], f"target-{row.client}", row.target, {"opensearch-py": row.client})
        controller = environment(pythons[row.python], f"core-{row.core}", row.python, {"ansible-core": row.core})
    except NotMade as error:
        return Result(row, trouble=str(error))
    run = [str(pythons[row.python]), "tests/environment.py", "run", "--requirements", f"core-{row.core}", "--target", target["path"]]
    releases = dict(
        core=controller["versions"]["ansible-core"],
        python=controller["python"],
        target=target["python"],
        client=target["versions"]["opensearch-py"],
    )
    return Ready(row, run, releases)


def play(ready: Ready, playbooks: Sequence[str]) -> Result:
    """Run the tests of a row. Prints what pytest prints."""
    began = time.monotonic()
    unit, on_target = tests(ready.run, UNIT), tests(ready.run, [*ON_TARGET, *playbooks])
    return Result(ready.row, **ready.releases, unit=unit, on_target=on_target, seconds=time.monotonic() - began)


def environment(python: Path, requirements: str, version: str, wanted: Mapping[str, str]) -> dict[str, Any]:
    """Make it, if it is not there, and look what is in it: ``path`` and version of its ``python``, and ``versions`` of packages."""
    command = [str(python), "tests/environment.py", "run", "--requirements", requirements, "python", "-I", "-c", LOOK]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise NotMade(f"tests/requirements/{requirements}.txt could not be installed for Python {version}")
    there: dict[str, Any] = json.loads(done.stdout)
    for name, of in {"python": version, **wanted}.items():
        is_there = there["python"] if name == "python" else there["versions"].get(name, "missing")
        if not is_there.startswith(f"{of}."):
            raise NotMade(f"{name} is {is_there} by tests/requirements/{requirements}.txt, and has to be {of}")
    return there


def tests(run: list[str], what: list[str]) -> Count:
    """Run tests, and count them. A pytest that comes to no end has counted nothing, and that is a failure."""
    with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
        report = Path(folder) / "report.xml"
        options = ["-q", "-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder", f"--junit-xml={report}"]
        status = subprocess.run([*run, "pytest", *options, *what], cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
        return counted(report.read_text(encoding="utf-8") if report.exists() else "", status)


def counted(report: str, status: int) -> Count:
    """The figures of a report in JUnit's format, of a pytest that has ended with this status."""
    if not report:
        return Count(status=status)
    (suite,) = ElementTree.fromstring(report).iter("testsuite")
    tests, failed, errors, skipped = (int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped"))
    return Count(passed=tests - failed - errors - skipped, failed=failed + errors, skipped=skipped, status=status)
