# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which artifacts make which OpenSearch, and how they are fetched: by the Maven client, from the repository of its settings."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from .problems import CannotRun

COPY = "3.6.1"
"""Version of Maven's dependency plugin."""


@dataclass(frozen=True)
class Artifact:
    """A file of a Maven repository by its coordinates. ``sha256`` is None where only Maven's own check can hold."""

    group: str
    name: str
    version: str
    sha256: str | None = None
    type: str = "zip"

    @property
    def file(self) -> str:
        return f"{self.name}-{self.version}.{self.type}"

    def __str__(self) -> str:
        return f"{self.group}:{self.name}:{self.version}:{self.type}"


@dataclass(frozen=True)
class Release:
    """What makes a version of OpenSearch. ``java``: the oldest and the newest feature release that it runs on."""

    version: str
    java: tuple[int, int]
    server: Artifact
    plugins: tuple[Artifact, ...]
    security: Artifact | None = None


def server(version: str, sha256: str) -> Artifact:
    return Artifact("org.opensearch.distribution.integ-test-zip", "opensearch", version, sha256)


def plugin(name: str, version: str, sha256: str | None = None) -> Artifact:
    return Artifact("org.opensearch.plugin", name, version, sha256)


RELEASES = {
    one.version: one
    for one in (
        Release(
            "2.19.1",
            (17, 23),  # from 24 on Java has no security manager, which 2.x insists on
            server("2.19.1", "af7152d8b7f6f1cee09d47276b32b70479fe6dd8cdbb61213f84eb7f8098b261"),
            (
                plugin("opensearch-job-scheduler", "2.19.1.0", "a54e12582b88a4c173d6e58b16fbc609df12a04eff010ae30396905a1a882bf6"),
                plugin("opensearch-ml-plugin", "2.19.1.0", "2324234d81109dcb2c488da5a6b2034cc0f78d9d08e40ce49ba59fc423a5df5f"),
            ),
            plugin("opensearch-security", "2.19.1.0", "94a04f12ac6033902209fac1e4e512618d45beee604bbf0e42c3ed79c55220cf"),
        ),
        Release(
            "3.6.0",
            (21, 99),
            server("3.6.0", "a91faa1dc1cadc78cb278b4f63847e19e1627a4e9de698e14e7efc14ee37b286"),
            (
                plugin("opensearch-job-scheduler", "3.6.0.0", "f81d0aa9fc850b18f803292bd7ae68bd33561f6c1d12db0f68529d40eddcee24"),
                plugin("opensearch-ml-plugin", "3.6.0.0", "c051d436fe1936da1477bb999db829eb2bc92b12989e376c300d0a874fb90f9d"),
            ),
        ),
    )
}


def release(version: str) -> Release:
    """Raises CannotRun for a version that is not in the table."""
    if version not in RELEASES:
        raise CannotRun(f"there is no OpenSearch {version} here; there are {', '.join(RELEASES)}")
    return RELEASES[version]


# -- fetching ----------------------------------------------------------------------------------------------------------


def fetch(artifacts: Sequence[Artifact], folder: Path) -> list[Path]:
    """Their files, in ``folder``: from Maven's local repository where they are there already."""
    pom = folder / "pom.xml"
    pom.write_text(project(artifacts, folder), encoding="utf-8")
    if maven(pom, "--offline").returncode:
        done = maven(pom)
        if done.returncode:
            raise CannotRun("Maven could not fetch the artifacts of OpenSearch:\n" + done.stdout)
    files = [folder / artifact.file for artifact in artifacts]
    for artifact, file in zip(artifacts, files, strict=True):
        verify(artifact, file)
    return files


def maven(pom: Path, *options: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("mvn")
    if program is None:
        raise CannotRun("Maven is missing: no `mvn` in PATH. Install it: `apt install maven`, `dnf install maven` or `brew install maven`.")
    # --strict-checksums: a file whose checksum is not the published one is refused when it is downloaded.
    command = [program, "--quiet", "--batch-mode", "--strict-checksums", *options, "--file", str(pom), "dependency:copy"]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def project(artifacts: Sequence[Artifact], folder: Path) -> str:
    """A Maven project that does nothing but copy the artifacts into the folder."""
    items = "".join(
        f"<artifactItem><groupId>{one.group}</groupId><artifactId>{one.name}</artifactId>"
        f"<version>{one.version}</version><type>{one.type}</type></artifactItem>"
        for one in artifacts
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>opensearch_ops</groupId><artifactId>artifacts</artifactId><version>1</version><packaging>pom</packaging>"
        "<build><plugins><plugin><groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId>"
        f"<version>{COPY}</version><configuration><outputDirectory>{escape(str(folder))}</outputDirectory>"
        f"<artifactItems>{items}</artifactItems></configuration></plugin></plugins></build></project>"
    )


def verify(artifact: Artifact, file: Path) -> None:
    """Raises CannotRun where the file is not the one in the table."""
    found = sha256(file)
    if artifact.sha256 is not None and found != artifact.sha256:
        raise CannotRun(f"{artifact} is not what it should be: SHA-256 {found}, not {artifact.sha256}")


def sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
