# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interpreters of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

# What environments are made with has to be there. A shim is not what it stands for, and changes with the folder: hence the path.
LOOK = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2], sys.executable)"


class NoPython(Exception):
    """An interpreter that somebody names does not work; the text says which."""


def found(named: Sequence[str] = ()) -> dict[str, str]:
    """The path of the first working interpreter of each version (3.8): the named ones first, then by PATH, then by pyenv."""
    for candidate in named:
        if not looked_at(candidate)[0]:
            raise NoPython(f"{candidate} is no Python 3 that can make virtual environments.")
    paths: dict[str, str] = {}
    for candidate in (*named, *on_path(), *of_pyenv(), sys.executable):
        version, path = looked_at(candidate)
        if version:
            paths.setdefault(version, path)
    return paths


def looked_at(candidate: str) -> tuple[str, str]:
    """Version and path of an interpreter; two empty texts for what does not work, whatever its name is."""
    try:
        done = subprocess.run([candidate, "-I", "-c", LOOK], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "", ""
    version, _blank, path = done.stdout.strip().partition(" ")
    return (version, path) if done.returncode == 0 else ("", "")


def on_path() -> Iterator[str]:
    """All that bear the name python3.N. The first of a name need not be the one that works."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        yield from by_name(Path(folder).glob("python3.*"))


def of_pyenv() -> Iterator[str]:
    """Those that pyenv has installed, whether or not they are switched on."""
    if not shutil.which("pyenv"):
        return
    done = subprocess.run(["pyenv", "root"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 0:
        yield from by_name(Path(done.stdout.strip()).glob("versions/*/bin/python3.*"))


def by_name(paths: Iterable[Path]) -> list[str]:
    """Those that are called like an interpreter, and not like one of its tools (python3.8-config)."""
    return sorted(str(path) for path in paths if re.fullmatch(r"python3\.\d+", path.name))
