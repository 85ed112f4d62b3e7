# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.mutation [--only plan,slots] [--workers 1] [--fresh]``.

mutmut changes one thing at a time in the functions of what decides, and runs the unit tests that reach it. A mutant that no
test notices survives. Each survivor has to stand in ``explained.yml`` with the reason why no test should notice it, and what stands
there has to survive; else the exit status is 1. What has been tried is remembered: a run that was interrupted goes on, and
the next one tries what is new, what has changed, and what has survived. ``--fresh`` forgets it.

mutmut leaves alone what is no plain function: tables, constants, properties and context managers.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests import environment

ROOT = Path(environment.ROOT)
FOLDER = ROOT / "tests" / "output" / "mutation"
COLLECTION = Path(environment.COLLECTION)
SOURCES = COLLECTION / "plugins" / "module_utils" / "_internal"
MUTANTS = FOLDER / "mutants"
EXPLAINED = Path(__file__).with_name("explained.yml")

MODULES = ("plan", "fates", "resources", "slots", "outcome", "endings")
TESTS = ("tests/unit/plugins/module_utils",)
NEEDED = (
    *("conftest.py", "pyproject.toml", "tests/__init__.py", "tests/environment.py", "tests/promised.py"),
    *("tests/contract", "tests/mutation", "tests/simulator", "tests/unit"),
)
"""What the tests need, beside the plugins, in the copy of the checkout that they are run in."""

KILLED, SURVIVED, UNTESTED, TIMEOUT, OTHER = "killed", "survived", "no test", "timeout", "other"
# What mutmut notes of a mutant: the exit status of pytest, that of a process that a signal ended, or a number of its own.
ENDS = {1: KILLED, 3: KILLED, 0: SURVIVED, 5: UNTESTED, 33: UNTESTED, 36: TIMEOUT, -24: TIMEOUT, 24: TIMEOUT, 152: TIMEOUT, 255: TIMEOUT}
DEAD = {end for end, what in ENDS.items() if what == KILLED}


@dataclass(frozen=True)
class Change:
    """What is changed in one function: the lines as they are, and as the mutant has them."""

    function: str
    lines: str
    becomes: str


def configuration(modules: tuple[str, ...]) -> dict[str, Any]:
    """The settings of mutmut."""
    return {
        "source_paths": [str(COLLECTION / "plugins")],
        "only_mutate": [str(SOURCES / f"{name}.py") for name in modules],
        "also_copy": [str(COLLECTION / name) for name in NEEDED],
        "pytest_add_cli_args": ["-p", "tests.mutation.quickly"],
        "pytest_add_cli_args_test_selection": [str(COLLECTION / name) for name in TESTS],
        # A mutant that waits for ever is taken for one after 4 * (seconds of its tests + 3).
        "timeout_multiplier": 4.0,
        "timeout_constant": 3.0,
        "use_git_change_detection": False,
    }


def prepare(modules: tuple[str, ...]) -> None:
    """Put a folder there in which the checkout has the collection's name, and the tests are as they are now."""
    (FOLDER / COLLECTION).parent.mkdir(parents=True, exist_ok=True)
    link = FOLDER / COLLECTION
    if not link.is_symlink():
        link.symlink_to(ROOT)
    shutil.rmtree(MUTANTS / COLLECTION / "tests", ignore_errors=True)
    (MUTANTS / COLLECTION / "tests").mkdir(parents=True)
    # Which test reaches what is found out anew when there are others.
    found_out = MUTANTS / "mutmut-stats.json"
    if found_out.exists() and any(path.stat().st_mtime > found_out.stat().st_mtime for path in (ROOT / "tests" / "unit").rglob("*.py")):
        found_out.unlink()
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in configuration(modules).items()]
    (FOLDER / "pyproject.toml").write_text("[tool.mutmut]\n" + "".join(lines), encoding="utf-8")


def meta(module: str) -> Path:
    """The file in which mutmut notes what became of the mutants of a module."""
    return MUTANTS / SOURCES / f"{module}.py.meta"


def noted(module: str) -> dict[str, int | None]:
    """mutmut's name of each mutant, and how its tests ended; None for one that has not been tried."""
    path = meta(module)
    return json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"] if path.exists() else {}


def forget_the_living(module: str) -> None:
    """Have everything tried again that was not killed: a test may have come that does."""
    path = meta(module)
    if path.exists():
        notes = json.loads(path.read_text(encoding="utf-8"))
        notes["exit_code_by_key"] = {name: end if end in DEAD else None for name, end in notes["exit_code_by_key"].items()}
        path.write_text(json.dumps(notes, indent=4), encoding="utf-8")


def chosen(modules: tuple[str, ...]) -> list[str]:
    """What mutmut is to try of these modules: it tries again whatever it is told by name, so only what lives, where that is known."""
    names: list[str] = []
    for module in modules:
        source, mutated = (base / SOURCES / f"{module}.py" for base in (FOLDER, MUTANTS))
        known = meta(module).exists() and source.stat().st_mtime < mutated.stat().st_mtime
        names += [name for name, end in noted(module).items() if end not in DEAD] if known else [f"*.module_utils._internal.{module}.*"]
    return names


def mutmut(*arguments: str) -> int:
    """Run mutmut where it finds its settings. The mutated copy takes the place of the checkout."""
    variables = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(MUTANTS), "PYTHONPATH": str(MUTANTS / COLLECTION)}
    variables["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # those of other packages, which cost more than most of the tests
    return subprocess.run(["mutmut", *arguments], cwd=FOLDER, env=variables, check=False).returncode


def changes(module: str, names: list[str]) -> Iterator[Change]:
    """What these mutants of a module change."""
    sys.path.insert(0, str(FOLDER))
    os.chdir(FOLDER)  # where mutmut looks for its settings
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    for name in names:
        text = get_diff_for_mutant(name, path=SOURCES / f"{module}.py")
        lines = [line for line in text.splitlines() if not line.startswith(("---", "+++", "@@"))]
        sides = ["\n".join(line[1:].strip() for line in lines if line[:1] == sign) for sign in "-+"]
        yield Change(readable(module, name), *sides)


def readable(module: str, name: str) -> str:
    """``slots.Slots.room`` for mutmut's ``….slots.xǁSlotsǁroom__mutmut_3``."""
    mangled = name.rpartition(".")[2].partition("__mutmut_")[0]
    return module + "." + (mangled[2:] if mangled.startswith("x_") else mangled.strip("xǁ").replace("ǁ", "."))


def explained() -> dict[Change, str]:
    """The survivors that no test should notice, and why."""
    rows = yaml.safe_load(EXPLAINED.read_text(encoding="utf-8")) or []
    return {Change(row["function"], row["lines"].strip(), row["becomes"].strip()): row["why"] for row in rows}


def report(modules: tuple[str, ...], seconds: float) -> int:
    """Print what became of the mutants; 1 where something is neither killed nor explained, or explained and killed."""
    reasons, alive = explained(), []
    print(f"\n{'':12}{'mutants':>10}" + "".join(f"{end:>10}" for end in (KILLED, TIMEOUT, "explained", SURVIVED)))
    untried = 0
    for module in modules:
        ends = noted(module)
        untried += sum(1 for end in ends.values() if end is None)
        left = list(changes(module, [name for name, end in ends.items() if end is not None and ENDS.get(end, OTHER) not in (KILLED, TIMEOUT)]))
        alive += left
        known = sum(1 for change in left if change in reasons)
        count = Counter(ENDS.get(end, OTHER) for end in ends.values() if end is not None)
        print(f"{module:12}{len(ends):10}{count[KILLED]:10}{count[TIMEOUT]:10}{known:10}{len(left) - known:10}")
    print(f"{seconds:.0f} s")
    new = [change for change in alive if change not in reasons]
    outdated = [change for change in reasons if change not in alive and change.function.partition(".")[0] in modules]
    for change in new:
        print(f"\nSurvives, and is not explained: {change.function}\n- {change.lines}\n+ {change.becomes}")
    if not untried:
        for change in outdated:
            print(f"\nIs explained, and does not survive: {change.function}\n- {change.lines}\n+ {change.becomes}")
    else:
        print(f"{untried} have not been tried.")
    return 1 if new or outdated or untried else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Do the tests notice small changes to the code?")
    parser.add_argument("--only", default=",".join(MODULES), help="some of " + ", ".join(MODULES))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="mutants that are tried at once")
    parser.add_argument("--fresh", action="store_true", help="forget what has been tried")
    given = parser.parse_args()
    modules = tuple(given.only.split(","))
    if given.fresh:
        shutil.rmtree(FOLDER, ignore_errors=True)
    began = time.monotonic()
    prepare(MODULES)
    for module in modules:
        forget_the_living(module)
    names = [] if modules == MODULES else chosen(modules)
    status = mutmut("run", "--max-children", str(given.workers), *names) if names or modules == MODULES else 0
    return status or report(modules, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
