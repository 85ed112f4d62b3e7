# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The field's own checks that want more than a command: ansible-test sanity, and the importer of Galaxy."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def watched(command: Sequence[str], folder: Path, sign: str, **variables: str) -> tuple[int, list[str]]:
    """Run a command in a folder, and show what it prints: its exit status, and the lines that begin with the pattern."""
    found = []
    environment: Mapping[str, str] = {**os.environ, **variables}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8") as process:
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            if re.match(sign, line):
                found.append(line)
    return process.returncode, found
