# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds a Java that a version of OpenSearch runs on."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .account import Account
from .problems import CannotRun

PLACES = (
    "/usr/lib/jvm/*",
    "/usr/java/*",
    "/usr/local/java/*",
    "/opt/java/*",
    "/opt/jdk*",
    "/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
    "/usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
)
"""Where packages of Linux, Homebrew and the installers of macOS put them."""


@dataclass(frozen=True)
class Java:
    """A Java: the folder it is installed in, and its feature release."""

    home: Path
    release: int

    @property
    def program(self) -> Path:
        return self.home / "bin" / "java"


def find(oldest: int, newest: int, account: Account) -> Java:
    """The first one between both releases that ``account`` can run. Raises CannotRun with what was found instead."""
    seen = []
    for home in homes():
        found = java_at(home)
        if found is None or found in seen:
            continue
        if oldest <= found.release <= newest and account.reads(found.program):
            return found
        seen.append(found)
    wanted = f"{oldest} to {newest}" if newest < 99 else f"{oldest} or newer"
    others = ", ".join(f"{one.release} in {one.home}" for one in seen) or "none"
    raise CannotRun(
        f"Java {wanted} is needed; found: {others}. Install one (`apt install openjdk-{oldest}-jre-headless`, "
        f"`dnf install java-{oldest}-openjdk-headless`, `brew install openjdk@{oldest}`, or from https://adoptium.net), "
        "and set JAVA_HOME if it is in a place of its own."
    )


def homes() -> Iterator[Path]:
    """Where a Java may be, the likely ones first."""
    given = os.environ.get("JAVA_HOME")
    if given:
        yield Path(given)
    program = shutil.which("java")
    if program:
        yield Path(program).resolve().parent.parent
    for pattern in PLACES:
        yield from sorted(Path("/").glob(pattern.lstrip("/")))


def java_at(home: Path) -> Java | None:
    """The Java in that folder, by its ``release`` file, which every Java since 9 has; None if there is none."""
    home = home.resolve()
    if not os.access(home / "bin" / "java", os.X_OK):
        return None
    try:
        text = (home / "release").read_text(errors="replace")
    except OSError:
        return None
    found = re.search(r'^JAVA_VERSION="(\d+)', text, re.MULTILINE)
    return Java(home, int(found.group(1))) if found else None
