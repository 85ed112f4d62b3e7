# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.checks.notes: exit status 1 if galaxy.yml has the version of a release, and the release notes are not made.

A version with a dash, such as 1.1.0-dev, is none: what is noted of it are fragments until it is released.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from tests import environment


def missing(root: Path) -> str:
    """What the notes of the version in galaxy.yml lack; empty if nothing, or if it is no release."""
    version = yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    if "-" in version:
        return ""
    notes = root / "changelogs"
    if version not in yaml.safe_load((notes / "changelog.yaml").read_text(encoding="utf-8"))["releases"]:
        return f"changelogs/changelog.yaml has no release {version}, which is the version in galaxy.yml"
    fragments = sorted(path.name for path in (notes / "fragments").glob("*.y*ml"))
    return f"the notes of {version} lack what stands in changelogs/fragments: {', '.join(fragments)}" if fragments else ""


def main() -> int:
    problem = missing(Path(environment.ROOT))
    if problem:
        print(f"notes: {problem}. make changelog puts it there.", file=sys.stderr)
    return int(bool(problem))


if __name__ == "__main__":
    sys.exit(main())
