# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix itself: what is chosen, which interpreters are found, what is counted, and that nothing run is no success."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import environment
from tests.interpreters import NoPython, interpreters

from . import __main__ as command
from . import play as playing
from .results import Count, Result, status, table
from .rows import ROWS, Row, UnknownRow, chosen

ROOT = Path(__file__).parents[2]
ROW = Row("2.16", "3.10", "3.8", "2.8")
GOOD = Count(passed=3)


def done(**parts: Any) -> Result:
    """A row that went well but for the parts that are named."""
    return Result(ROW, **{"unit": GOOD, "on_target": GOOD, "seconds": 61.4, **parts})


# -- rows --------------------------------------------------------------------------------------------------------------


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def test_the_oldest_is_what_the_collection_says_that_it_supports() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    settings = yaml.safe_load((ROOT / "tests" / "config.yml").read_text(encoding="utf-8"))
    oldest = ROWS[0]
    assert (f">={oldest.core}.0", f">={oldest.target}") == (runtime["requires_ansible"], settings["modules"]["python_requires"])
    assert f"opensearch-py >= {oldest.client}.0," in (ROOT / "requirements.txt").read_text(encoding="utf-8")


def test_the_oldest_are_tried_together_and_the_newest_too() -> None:
    for part in ("core", "python", "target", "client"):
        ordered = sorted({getattr(row, part) for row in ROWS}, key=number)
        assert (getattr(ROWS[0], part), getattr(ROWS[-1], part)) == (ordered[0], ordered[-1])


def test_no_release_between_them_is_left_out() -> None:
    assert {row.core for row in ROWS} == {f"2.{minor}" for minor in range(16, 22)}
    assert {row.python for row in ROWS} >= {f"3.{minor}" for minor in range(10, 14)}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_installed_for_a_row_is_what_it_says(row: Row) -> None:
    for name, package, version in ((f"core-{row.core}", "ansible-core", row.core), (f"target-{row.client}", "opensearch-py", row.client)):
        lines = (ROOT / "tests" / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        (line,) = [line for line in lines if line.startswith(package)]
        assert line in (f"{package} ~= {version}.0", f"{package} ~= {version}")


def test_the_changes_are_tried_with_the_oldest_a_middle_and_the_newest() -> None:
    assert [row.core for row in chosen(ci=True)] == ["2.16", "2.19", "2.21"]
    assert chosen(ci=True)[0] == ROWS[0]


def test_rows_are_chosen_by_ansible_core() -> None:
    assert chosen() == list(ROWS)
    assert {row.core for row in chosen(["2.21", "2.16"])} == {"2.16", "2.21"}
    assert chosen(["2.18"], ci=True) == []


def test_a_release_that_is_in_no_row_is_said_and_the_others_are_not_run_instead() -> None:
    with pytest.raises(UnknownRow, match=r"ansible-core 2\.15, 3: there are 2\.16, 2\.17"):
        chosen(["3", "2.16", "2.15"])


def test_readme_promises_no_more_than_is_tried() -> None:
    words = r"Tested with ansible-core (\S+) to (\S+), Python (\S+) to (\S+) where the modules run, and opensearch-py (\S+), (\S+) and the newest\."
    (said,) = re.findall(words, (ROOT / "README.md").read_text(encoding="utf-8"))
    assert said[:2] == (ROWS[0].core, ROWS[-1].core)
    assert said[2] == ROWS[0].target and said[3] in {row.target for row in ROWS}
    assert set(said[4:]) < {row.client for row in ROWS}


# -- interpreters ------------------------------------------------------------------------------------------------------


def executable(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
    path.chmod(0o755)
    return path


def interpreter(path: Path, version: str) -> Path:
    """What answers as an interpreter of that version."""
    return executable(path, f"echo '{version} {path}'")


def test_interpreters_that_work_are_found_by_path_by_pyenv_and_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shims, others, root = tmp_path / "shims", tmp_path / "bin", tmp_path / "pyenv"
    executable(shims / "python3.8", "echo 'pyenv: python3.8: command not found' >&2", "exit 127")
    interpreter(shims / "python3.10", "3.11")
    executable(shims / "pyenv", f"echo {root}")
    on_path = interpreter(others / "python3.8", "3.8")
    interpreter(root / "versions" / "3.8.4" / "bin" / "python3.8", "3.8")
    of_pyenv = interpreter(root / "versions" / "3.9.10" / "bin" / "python3.9", "3.9")
    interpreter(root / "versions" / "3.9.9" / "bin" / "python3.9", "3.9")
    interpreter(others / "python3.14", "3.14")
    named = interpreter(tmp_path / "opt" / "python", "3.14")
    monkeypatch.setenv("PATH", f"{shims}:{tmp_path / 'missing'}:{others}")
    assert interpreters([str(named)]) == {"3.8": on_path, "3.9": of_pyenv, "3.14": named}


def test_a_named_interpreter_that_does_not_work_is_an_error(tmp_path: Path) -> None:
    for path in (executable(tmp_path / "old", "exit 1"), tmp_path / "missing"):
        with pytest.raises(NoPython, match=str(path)):
            interpreters([str(path)])


def test_modules_run_with_the_target_and_else_with_the_environment(tmp_path: Path) -> None:
    for words, python in (([], "/there/bin/python"), (["--target", "/opt/python3.8"], "/opt/python3.8")):
        options, command = environment.parse(["--requirements", "core-2.16", *words, "pytest", "--target"])
        assert (options["requirements"], command) == ("core-2.16", ["pytest", "--target"])
        assert environment.variables_for(str(tmp_path), "/there", options["target"])["ANSIBLE_PYTHON_INTERPRETER"] == python


@pytest.mark.parametrize("requirements, oldest", [("test", (3, 10)), ("core-2.16", (3, 10)), ("target-2.8", (3, 8))])
def test_an_environment_for_modules_may_be_of_an_older_python(requirements: str, oldest: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (*oldest, 0))
    environment.check_python(requirements)
    monkeypatch.setattr(sys, "version_info", (oldest[0], oldest[1] - 1, 0))
    with pytest.raises(environment.Problem, match=f"Python {oldest[0]}.{oldest[1]} or newer is needed"):
        environment.check_python(requirements)


# -- a row -------------------------------------------------------------------------------------------------------------


def test_a_row_without_its_interpreters_is_not_run_and_says_which() -> None:
    here = {"3.10": Path(sys.executable)}
    assert playing.prepare(ROW, here) == Result(ROW, why_not="no Python 3.8 was found on this machine")
    assert playing.prepare(ROW, {}) == Result(ROW, why_not="no Python 3.10 and no Python 3.8 was found on this machine")


def test_an_environment_that_cannot_be_made_fails_the_row(tmp_path: Path) -> None:
    broken = executable(tmp_path / "python", "exit 2")
    trouble = "tests/requirements/target-2.8.txt could not be installed for Python 3.8"
    assert playing.prepare(ROW, dict.fromkeys(("3.10", "3.8"), broken)) == Result(ROW, trouble=trouble)


@pytest.mark.parametrize("python, client", [("3.8.1", "3.0.0"), ("3.8.1", None), ("3.80.1", "2.8.0")])
def test_an_environment_with_something_else_in_it_fails_the_row(python: str, client: str | None, tmp_path: Path) -> None:
    there = {"path": "/there", "python": python, "versions": {"opensearch-py": client} if client else {}}
    wrong = executable(tmp_path / "python", f"echo '{json.dumps(there)}'")
    result = playing.prepare(ROW, dict.fromkeys(("3.10", "3.8"), wrong))
    assert isinstance(result, Result) and "and has to be" in result.trouble


TESTS = """
import pytest

def test_good(): pass
def test_bad(): assert False
@pytest.mark.skip
def test_left_out(): pass
@pytest.fixture
def broken(): raise OSError
def test_without_its_fixture(broken): pass
"""


def test_tests_are_counted_as_pytest_reports_them(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_it.py").write_text(TESTS, encoding="utf-8")
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml=report.xml", "."]
    code = subprocess.run(run, cwd=tmp_path, stdout=subprocess.DEVNULL, check=False).returncode
    count = playing.counted((tmp_path / "report.xml").read_text(encoding="utf-8"), code)
    assert count == Count(passed=1, failed=2, skipped=1, status=1)
    assert str(count) == "1 passed, 2 failed, 1 skipped" and not count.fine


# -- table and exit status ---------------------------------------------------------------------------------------------


def test_the_table_says_what_was_run_with_what_and_what_was_not_and_why() -> None:
    results = [
        done(core="2.16.19", python="3.10.13", target="3.8.18", client="2.8.0", on_target=Count(passed=7, skipped=1)),
        done(unit=Count(passed=2, failed=1, status=1)),
        Result(ROW, trouble="no package index", seconds=2.0),
        Result(ROW, why_not="no Python 3.8 was found on this machine"),
    ]
    lines = [line.split("  ") for line in table(results).splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert cells == [
        ["ansible-core", "Python", "target", "opensearch-py", "unit tests", "on the target", "seconds", "result"],
        ["2.16.19", "3.10.13", "3.8.18", "2.8.0", "3 passed", "7 passed, 1 skipped", "61", "passed"],
        ["2.16", "3.10", "3.8", "2.8", "2 passed, 1 failed", "3 passed", "61", "FAILED"],
        ["2.16", "3.10", "3.8", "2.8", "2", "failed: no package index"],
        ["2.16", "3.10", "3.8", "2.8", "not run: no Python 3.8 was found on this machine"],
    ]
    assert len({line.find("failed: ") for line in table(results).splitlines() if "failed: " in line} | {table(results).splitlines()[0].find("result")}) == 1


NOT_RUN = Result(ROW, why_not="no Python")


@pytest.mark.parametrize(
    "results, wanted",
    [
        ([done(), NOT_RUN], 0),
        ([done(), done(on_target=Count(passed=1, failed=1, status=1))], 1),
        ([done(), done(unit=Count(passed=1, status=3))], 1),
        ([done(), done(on_target=Count(status=5))], 1),
        ([done(), Result(ROW, trouble="no package index")], 1),
        ([NOT_RUN, NOT_RUN], 1),
        ([], 1),
    ],
    ids=["one was run", "a test failed", "pytest broke off", "no test was there", "no environment", "none was run", "none was chosen"],
)
def test_only_a_row_that_was_run_and_did_not_fail_is_a_success(results: Sequence[Result], wanted: int) -> None:
    assert status(results) == wanted


def test_the_command_runs_the_rows_that_were_asked_for_and_ends_as_they_did(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "interpreters", lambda named: {})
    assert command.main(["--only", "2.16, 2.20", "--ci"]) == 1
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines() if "not run" in line] == [["2.16", "3.10"]]
    monkeypatch.setattr(command, "prepare", lambda row, pythons: Result(row, unit=GOOD, on_target=GOOD))
    assert command.main([]) == 0
    assert sum(line.endswith("passed") for line in capsys.readouterr().out.splitlines()) == len(ROWS)


@pytest.mark.parametrize("words", [["--only", "2.15"], ["--python", "/missing/python3.14"]])
def test_what_is_asked_for_and_not_there_is_another_exit_status(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(words) == 2
    assert words[1] in capsys.readouterr().err


def test_what_is_run_for_each_change_is_there_and_less_than_the_whole() -> None:
    there = {path.name for path in (ROOT / "tests" / "integration").glob("test_*.py")}
    assert set(playing.FILES_OF_CI) < there
