# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that starts a node: what bin/opensearch would run, without the five other JVMs that it starts before."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

from .installation import Installation
from .java import Java
from .problems import CannotRun

OURS = re.compile(
    r"-Xm[sx]"
    r"|-Xlog:|-XX:HeapDumpPath=|-XX:\+HeapDumpOnOutOfMemoryError|-XX:ErrorFile=|-Djava\.io\.tmpdir="  # into the working folder
    r"|-XX:\+AlwaysPreTouch"  # memory that a test does not need
)
"""Options of OpenSearch in whose place we have our own, or none."""

QUICK = ("-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote")
"""A node of tests lives for minutes: what is compiled quickly is good enough, and its classes are those that were released.

Measured until 3.6.0 was ready: 9 s of processor time with these, 11 s with the verification of classes, 22 s without any.
"""


def command(installation: Installation, java: Java, folder: Path) -> list[str]:
    """``folder``: of the node, with config, logs and tmp in it. To be run in the installation's folder."""
    return [
        str(java.program),
        *options(installation, java),
        "-Xms1g",
        "-Xmx1g",
        *QUICK,
        f"-Djava.io.tmpdir={folder / 'tmp'}",
        f"-XX:ErrorFile={folder / 'logs' / 'hs_err.log'}",
        f"-Dopensearch.path.home={installation.home}",
        f"-Dopensearch.path.conf={folder / 'config'}",
        "-Dopensearch.distribution.type=zip",
        "-Dopensearch.bundled_jdk=false",
        "-cp",
        f"{installation.home}/lib/*",
        "org.opensearch.bootstrap.OpenSearch",
    ]


def options(installation: Installation, java: Java) -> list[str]:
    """What OpenSearch itself wants of this Java; asked once, and kept beside the installation. Raises CannotRun."""
    kept = installation.home.with_name(f"{installation.home.name}.java-{java.release}")
    if not kept.is_file():
        asked = ask(installation, java)
        with tempfile.NamedTemporaryFile("w", dir=kept.parent, prefix="options-", delete=False) as file:
            file.write("\n".join(asked))
        os.replace(file.name, kept)
    return kept.read_text().splitlines()


def ask(installation: Installation, java: Java) -> list[str]:
    """By the parser that bin/opensearch runs. Raises CannotRun."""
    home = installation.home
    program = [str(java.program), "-cp", f"{home}/lib/*", "org.opensearch.tools.launchers.JvmOptionsParser", str(home / "config")]
    done = subprocess.run(program, env={"OPENSEARCH_TMPDIR": "unused"}, cwd=home, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise CannotRun(f"{java.program} could not say with which options OpenSearch {installation.version} is started:\n{done.stdout}{done.stderr}")
    return [option for option in done.stdout.split() if not OURS.match(option)]
