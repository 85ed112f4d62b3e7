# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.checks.importer: builds the artifact, and has it looked at as Galaxy and Automation Hub would.

Exit status 1 if the importer refuses it or warns of anything. It needs no server: what is imported is written to a file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import environment

from . import watched

# What Automation Hub insists on beyond Galaxy. ansible-test has a session of its own.
STRICTER = {"GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true", "GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER": "true", "GALAXY_IMPORTER_RUN_ANSIBLE_TEST": "false"}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="flow_framework-importer-") as name:
        folder = Path(name)
        subprocess.run(["ansible-galaxy", "collection", "build", environment.ROOT, "--output-path", name], check=True)
        (artifact,) = folder.glob("*.tar.gz")
        command = [sys.executable, "-m", "galaxy_importer.main", str(artifact)]
        status, warnings = watched(command, folder, r"WARNING|ERROR", **STRICTER)
        if status or warnings:
            print("importer: not as Galaxy and Automation Hub want it", file=sys.stderr)
            return 1
        imported = json.loads((folder / "importer_result.json").read_text(encoding="utf-8"))
    print(f"importer: {len(imported['contents'])} contents of {artifact.name}, {imported['metadata']['version']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
