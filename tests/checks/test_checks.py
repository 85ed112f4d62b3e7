# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks look at all there is, and a warning of theirs does not pass unseen."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

from tests import environment

from . import notes, sanity, watched

PROGRAM = "import os, sys; print('fine'); print('WARNING: odd', file=sys.stderr, flush=True); print('no WARNING:', os.environ['SAID']); sys.exit(3)"


def test_what_a_command_prints_is_shown_and_its_warnings_and_status_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, warnings = watched([sys.executable, "-c", PROGRAM], tmp_path, "WARNING", SAID="this")
    assert (status, warnings) == (3, ["WARNING: odd\n"])
    assert sorted(capsys.readouterr().out.splitlines()) == ["WARNING: odd", "fine", "no WARNING: this"]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with a file of each sort, in place of the real one."""
    root = tmp_path / "checkout"
    (root / "plugins").mkdir(parents=True)
    for name in ("known.py", "plugins/gone.py", "changed.py"):
        (root / name).write_text("as committed", encoding="utf-8")
    (root / ".gitignore").write_text("ignored.py\n", encoding="utf-8")
    git = ("git", "-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false")
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "all"]):
        subprocess.run([*git, *command], cwd=root, check=True)
    (root / "plugins" / "gone.py").unlink()
    for name in ("changed.py", "plugins/new.py", "ignored.py"):
        (root / name).write_text("as it stands", encoding="utf-8")
    monkeypatch.setattr(environment, "ROOT", str(root))
    return root


def test_sanity_looks_at_the_checkout_as_it_stands_without_what_git_ignores(checkout: Path, tmp_path: Path) -> None:
    made = sanity.copy(tmp_path / "copy")
    assert made == tmp_path / "copy" / "ansible_collections" / "opensearch_ops" / "flow_framework"
    found = {str(path.relative_to(made)): path.read_text(encoding="utf-8") for path in made.rglob("*") if path.is_file()}
    assert found == {".gitignore": "ignored.py\n", "known.py": "as committed", "changed.py": "as it stands", "plugins/new.py": "as it stands"}


def test_sanity_looks_at_the_artifact_by_itself_and_at_the_rest_in_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[tuple[list[str], set[str]]] = []

    def look(command: list[str], folder: Path, sign: str, **variables: str) -> tuple[int, list[str]]:
        looks.append((command[4:], sanity.files(folder)))
        return len(looks) - 1, []

    monkeypatch.setattr(sanity, "watched", look)
    monkeypatch.setattr(sanity, "interpreters", dict)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sanity.main(["--test", "pep8"]) == 1, "the worse status of the two"
    (everything, artifact), (rest, checkout) = looks
    assert everything == rest[:2] == ["--test", "pep8"]
    assert "MANIFEST.json" in artifact and {name for name in artifact if name.startswith("tests/")} == {"tests/config.yml"}
    assert set(rest[2:]) == checkout - artifact and "tests/checks/sanity.py" in rest


def test_the_pip_of_sanity_has_the_settings_of_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example.org/simple")
    monkeypatch.setenv("PIP_TRUSTED_HOST", "packages.example.org")
    sanity.provide_settings_of_pip(tmp_path)
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(tmp_path / ".config" / "pip" / "pip.conf", encoding="utf-8")
    assert settings["global"]["index-url"] == "https://packages.example.org/simple"
    assert settings["global"]["trusted-host"] == "packages.example.org"


def notes_of(root: Path, version: str, *fragments: str) -> str:
    """What is missing where galaxy.yml has this version, and 1.0.0 has been released."""
    (root / "changelogs" / "fragments").mkdir(parents=True)
    (root / "galaxy.yml").write_text(f"version: {version}\n", encoding="utf-8")
    (root / "changelogs" / "changelog.yaml").write_text("ancestor: null\nreleases:\n  1.0.0:\n    changes: {}\n", encoding="utf-8")
    for name in fragments:
        (root / "changelogs" / "fragments" / name).write_text("bugfixes: [one - mended.]\n", encoding="utf-8")
    return notes.missing(root)


def test_a_release_whose_notes_hold_everything_lacks_nothing(tmp_path: Path) -> None:
    assert notes_of(tmp_path, "1.0.0") == ""


def test_a_release_without_notes_is_told(tmp_path: Path) -> None:
    assert "no release 1.1.0" in notes_of(tmp_path, "1.1.0")


def test_a_fragment_that_came_after_the_notes_is_told(tmp_path: Path) -> None:
    assert notes_of(tmp_path, "1.0.0", "18-late.yaml", "17-late.yml").endswith("17-late.yml, 18-late.yaml")


def test_what_is_no_release_has_fragments_only(tmp_path: Path) -> None:
    assert notes_of(tmp_path, "1.1.0-dev", "17-late.yml") == ""


def test_nothing_is_built_and_nothing_imported_without_notes() -> None:
    text = (Path(environment.ROOT) / "noxfile.py").read_text(encoding="utf-8")
    for session in ("importer", "build"):
        body = text.split(f"\ndef {session}(")[1].split("\n@nox")[0]
        assert '"tests.checks.notes"' in body.split("run(session")[1]


def test_the_pythons_that_are_not_here_are_named() -> None:
    assert "3.7" not in sanity.missing([]) and {"3.9", "3.12"} <= set(sanity.missing([]))
    assert "3.12" not in sanity.missing(["3.12"])
