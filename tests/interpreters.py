# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Pythons of this machine: those on PATH, and those that pyenv has installed.

A name on PATH says little: pyenv puts one there for each Python that it has, and most of them end with an error.
Hence each is asked, and what counts is the interpreter behind the name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

VERSIONS = tuple(f"3.{minor}" for minor in range(8, 16))
# Its version, and where it really is, not in a virtual environment; nothing if it cannot make one.
LOOK = "import ensurepip, os, sys, venv; print('%d.%d' % sys.version_info[:2], os.path.realpath(getattr(sys, '_base_executable', sys.executable)))"


class NoPython(Exception):
    """What somebody names as an interpreter does not work; the text says which."""


def interpreters(named: Sequence[str] = ()) -> dict[str, Path]:
    """The path of each Python that works and can make virtual environments, by version ("3.12"), oldest first.

    ``named``: paths of some that count before those that are found. NoPython for one that does not work.
    """
    chosen = {}
    for name in named:
        told = behind(Path(name))
        if not told:
            raise NoPython(f"{name} is no Python 3 that can make virtual environments.")
        chosen[told[0]] = told[1]
    found = {version: chosen.get(version) or interpreter(version) for version in VERSIONS}
    return {version: path for version, path in found.items() if path}


def interpreter(version: str) -> Path | None:
    for folder in folders():
        name = folder / f"python{version}"
        told = behind(name) if os.access(name, os.X_OK) else None
        if told and told[0] == version:
            return told[1]
    return None


def folders() -> Iterator[Path]:
    yield from map(Path, os.get_exec_path())
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, encoding="utf-8", check=True).stdout.strip()
        # The newest of several patch releases comes first.
        yield from sorted(Path(root, "versions").glob("3.*/bin"), key=numbers, reverse=True)


def numbers(folder: Path) -> list[int]:
    """3.12.10 is newer than 3.12.9, which its text is not."""
    return [int(part) for part in folder.parent.name.split(".") if part.isdigit()]


def behind(name: Path) -> tuple[str, Path] | None:
    """Version and path of the interpreter that a name stands for; None if it does not work."""
    try:
        ran = subprocess.run([name, "-I", "-c", LOOK], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8", timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    version, _blank, path = ran.stdout.strip().partition(" ")
    return version, Path(path)
