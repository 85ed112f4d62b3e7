# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the rows went: as a table, and as an exit status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .rows import Row

HEADINGS = ("ansible-core", "Python", "target", "opensearch-py", "unit tests", "on the target", "seconds", "result")


@dataclass(frozen=True)
class Count:
    """Tests of one pytest, and its exit status: 0 only where some were run and none failed."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    status: int = 0

    @property
    def fine(self) -> bool:
        return self.status == 0 and self.passed > 0 and not self.failed

    def __str__(self) -> str:
        words = [f"{number} {word}" for number, word in ((self.passed, "passed"), (self.failed, "failed"), (self.skipped, "skipped")) if number]
        if self.status and not self.failed:
            words.append(f"pytest ended with {self.status}")
        return ", ".join(words) or "none"


@dataclass(frozen=True)
class Result:
    """One row: the releases that were really there, and the counts; or ``why_not``, or what ``trouble`` kept it from its tests."""

    row: Row
    core: str = ""
    python: str = ""
    target: str = ""
    client: str = ""
    unit: Count = field(default_factory=Count)
    on_target: Count = field(default_factory=Count)
    seconds: float = 0.0
    why_not: str = ""
    trouble: str = ""

    @property
    def fine(self) -> bool:
        return not self.why_not and not self.trouble and self.unit.fine and self.on_target.fine

    @property
    def cells(self) -> tuple[str, ...]:
        """The line of the table."""
        releases = (self.core or self.row.core, self.python or self.row.python, self.target or self.row.target, self.client or self.row.client)
        if self.why_not:
            return (*releases, "", "", "", f"not run: {self.why_not}")
        seconds = f"{self.seconds:.0f}"
        if self.trouble:
            return (*releases, "", "", seconds, f"failed: {self.trouble}")
        return (*releases, str(self.unit), str(self.on_target), seconds, "passed" if self.fine else "FAILED")


def table(results: Sequence[Result]) -> str:
    """All rows, in columns that are as wide as they have to be."""
    lines = [HEADINGS, *(result.cells for result in results)]
    widths = [max(len(line[number]) for line in lines) for number in range(len(HEADINGS))]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines)


def status(results: Sequence[Result]) -> int:
    """0 where something was run and nothing of it failed: a machine without a single fitting Python has shown nothing."""
    ran = [result for result in results if not result.why_not]
    return 0 if ran and all(result.fine for result in ran) else 1
