# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches artifacts with the Maven client: repository, proxy and credentials are those of its own settings.

What is verified: Maven compares each download with the checksum that the repository publishes, and refuses it otherwise
(--strict-checksums). What has lain in Maven's local repository since is not looked at again by it; therefore each file is
compared with SHA256SUMS here, whether it was fetched now or was there.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from .problems import CannotRun
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
    # Without the network first: where everything is there already that is quicker, and works anywhere.
    if run_maven("--offline", "--file", str(pom), COPY).returncode:
        # --update-snapshots: Maven remembers what it did not find, and would not ask again for a day.
        done = run_maven("--update-snapshots", "--file", str(pom), COPY)
        if done.returncode:
            raise failed(done.stdout)
    files = [folder / one.file for one in artifacts]
    known = sums()
    for file in files:
        verify(file, known)
    return files


def program() -> str | None:
    return shutil.which("mvn")


def run_maven(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Raises CannotRun where there is none."""
    client = program()
    if client is None:
        raise CannotRun("Maven is missing: there is no `mvn` in PATH. Install it: `apt install maven`, `dnf install maven` or `brew install maven`.")
    command = [client, "--quiet", "--batch-mode", "--strict-checksums", *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


def failed(output: str) -> CannotRun:
    """What Maven's output says, in its own words."""
    errors = [line for line in output.splitlines() if line.startswith("[ERROR]")] or output.splitlines()[-12:]
    text = "Maven could not fetch what OpenSearch is made of:\n" + "\n".join(errors[:4])
    return NotThere(text) if re.search(r"Could not find artifact", output) else CannotRun(text)


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
