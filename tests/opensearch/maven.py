# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches artifacts with the Maven client: repository, proxy and credentials are those of its own settings.

What is verified: each file is compared with SHA256SUMS, whether it was fetched now or lay in Maven's local repository, at
which Maven itself does not look again. What is not named there, which is a Flow Framework plugin, is compared by Maven
with the checksum that the repository publishes (--strict-checksums); where it publishes none, as some do, that is said.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from .account import own_home
from .problems import CannotRun, say
from .releases import Artifact

COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
SUMS = Path(__file__).with_name("SHA256SUMS")
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>opensearch_ops</groupId><artifactId>artifacts</artifactId><version>1</version><packaging>pom</packaging>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId>
    <configuration>
      <outputDirectory>%s</outputDirectory>
      <artifactItems>%s</artifactItems>
    </configuration>
  </plugin></plugins></build>
</project>
"""
ITEM = "<artifactItem><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version><type>%s</type></artifactItem>"


class NotThere(CannotRun):
    """The repository has no such artifact."""


def fetch(artifacts: Sequence[Artifact], folder: Path) -> list[Path]:
    """Copy the artifacts into the folder; gives their paths. Raises CannotRun, NotThere."""
    items = "".join(ITEM % (one.group, one.name, one.version, one.type) for one in artifacts)
    pom = folder / "pom.xml"
    pom.write_text(POM % (escape(str(folder)), items), encoding="utf-8")
    known = sums()
    unknown = [one for one in artifacts if one.file not in known]
    copy(pom, strict=bool(unknown))
    files = [folder / one.file for one in artifacts]
    for file in files:
        verify(file, known)
    return files


def copy(pom: Path, strict: bool) -> None:
    """Let Maven do what the project says."""
    # Without the network first: where everything is there already that is quicker, and works anywhere.
    if run_maven("--offline", "--file", str(pom), COPY).returncode == 0:
        return
    # --update-snapshots: Maven remembers what it did not find, and would not ask again for a day.
    online = ["--update-snapshots", "--file", str(pom), COPY]
    done = run_maven("--strict-checksums" if strict else "--lax-checksums", *online)
    if done.returncode and strict and "no checksums available" in done.stdout:
        say("the Maven repository publishes no checksum of what is fetched now: nothing vouches for it but the connection")
        done = run_maven("--lax-checksums", *online)
    if done.returncode:
        raise failed(done.stdout)


def program() -> str | None:
    return shutil.which("mvn")


def run_maven(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Raises CannotRun where there is none."""
    client = program()
    if client is None:
        raise CannotRun("Maven is missing: there is no `mvn` in PATH. Install it: `apt install maven`, `dnf install maven` or `brew install maven`.")
    command = [client, "--quiet", "--batch-mode", *arguments]
    # Its files are in the user's own home.
    variables = {**os.environ, "HOME": str(own_home())}
    return subprocess.run(
        command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )


def failed(output: str) -> CannotRun:
    """What Maven's output says, in its own words: the first error tells, the others are advice."""
    found = re.search(r"\[ERROR\] (.+?)(?: -> \[Help 1\])?$", output, re.MULTILINE)
    text = "Maven could not fetch what OpenSearch is made of: " + (found.group(1) if found else output.strip())
    return NotThere(text) if "Could not find artifact" in output else CannotRun(text)


# -- verifying ---------------------------------------------------------------------------------------------------------


def sums() -> dict[str, str]:
    """SHA-256 by name of file."""
    lines = [line.split() for line in SUMS.read_text(encoding="ascii").splitlines() if not line.startswith("#")]
    return {name: digest for digest, name in lines}


def verify(file: Path, known: dict[str, str]) -> None:
    """Raises CannotRun where the file is named in ``known`` and is another one."""
    wanted = known.get(file.name)
    if wanted is not None and sha256(file) != wanted:
        raise CannotRun(
            f"{file.name} is not what it has to be: its SHA-256 is {sha256(file)}, and in {SUMS.name} stands {wanted}. "
            "Remove it from Maven's local repository (~/.m2/repository), and it is fetched again."
        )


def sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
