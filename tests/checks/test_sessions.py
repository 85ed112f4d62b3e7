# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions of noxfile.py are what make offers, and make hands its arguments on."""

from __future__ import annotations

import ast
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def sessions() -> list[str]:
    """The names of the sessions, read and not run: nox is not in the environment of the tests."""
    functions = [node for node in ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    return [function.name.replace("_", "-") for function in functions if any("nox.session" in ast.unparse(one) for one in function.decorator_list)]


def made(*arguments: str) -> str:
    """What make would run for these arguments; it runs nothing."""
    command = ["make", "--no-print-directory", "--dry-run", *arguments]
    outside = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS")}  # of a make that runs these tests
    done = subprocess.run(command, cwd=ROOT, env=outside, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("name", sessions())
def test_each_session_is_a_target_of_make(name: str) -> None:
    assert f"tests/environment.py nox -s {name} --" in made(name)


def test_help_lists_each_session_with_what_it_does() -> None:
    done = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line.startswith("  ")]
    assert [row[0] for row in rows] == [*sessions(), "clean"] and all(len(row) == 2 for row in rows)


def test_arguments_of_make_reach_the_session() -> None:
    assert made("test", "ALL=1", "PYTEST_ARGS=-k 'a or b'").endswith("-s test -- -m 'not opensearch' -k 'a or b'")
    assert made("campaign", "N=7", "SECONDS=60").endswith("-s campaign -- --count 7 --seed 1 --seconds 60")
    assert made("contract", "URL=https://one:9200", "USER=ops").endswith('-s contract -- --url "https://one:9200" --user "ops"')


def test_a_password_is_no_argument_of_a_process() -> None:
    assert "hush" not in made("contract", "URL=https://one:9200", "USER=ops", "PASSWORD=hush")
    assert "hush" not in made("bench", "URL=https://one:9200", "USER=ops", "PASSWORD=hush")
