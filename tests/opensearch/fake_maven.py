# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the Maven client: copies from a folder, which is its repository, and writes down how it was called."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

SCRIPT = """#!{python} -I
import pathlib, re, shutil, sys

here = pathlib.Path({folder!r})
with open(here / "calls", "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
offline = "--offline" in sys.argv
pom = pathlib.Path(sys.argv[sys.argv.index("--file") + 1]).read_text()
target = re.search("<outputDirectory>(.*)</outputDirectory>", pom).group(1)
for name, version, type_ in re.findall("<artifactId>([^<]*)</artifactId><version>([^<]*)</version><type>([^<]*)</type>", pom):
    file = name + "-" + version + "." + type_
    if (here / "unreachable").exists() and not offline:
        sys.exit("\\x1b[0m[ERROR] Could not transfer artifact " + file + " -> [Help 1]\\n[ERROR] advice")
    if "--strict-checksums" in sys.argv and (here / "without_checksums").exists():
        sys.exit("\\x1b[0m[ERROR] Checksum validation failed, no checksums available -> [Help 1]\\n[ERROR] advice")
    local = here / "local" / file
    if not local.exists():
        if offline or not (here / "remote" / file).exists():
            sys.exit("[ERROR] Could not find artifact " + file)
        shutil.copy(here / "remote" / file, local)
    shutil.copy(local, target)
"""


class FakeMaven:
    """``remote``: what the repository has. ``local``: what was fetched before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.remote, self.local = folder / "remote", folder / "local"
        for one in (folder / "bin", self.remote, self.local):
            one.mkdir(parents=True)
        program = folder / "bin" / "mvn"
        program.write_text(SCRIPT.format(python=sys.executable, folder=str(folder)))
        program.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def cut_off(self) -> None:
        """From now on there is no network."""
        (self.folder / "unreachable").touch()


@pytest.fixture
def fake_maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMaven:
    fake = FakeMaven(tmp_path / "maven")
    monkeypatch.setenv("PATH", os.pathsep.join([str(fake.folder / "bin"), os.environ["PATH"]]))
    return fake
