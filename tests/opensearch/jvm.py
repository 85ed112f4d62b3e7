# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the JVM of a node is started."""

from __future__ import annotations

from pathlib import Path

from .installation import jvm_options
from .java import Java


def options(home: Path, java: Java, folder: Path) -> list[str]:
    return [
        *jvm_options(home, java),
        "-Xms1g",
        "-Xmx1g",
        "-Xshare:auto",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",
        f"-Djava.io.tmpdir={folder / 'tmp'}",
        f"-XX:ErrorFile={folder / 'logs' / 'hs_err.log'}",
    ]
