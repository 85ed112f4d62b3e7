# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many rounds, one after the other, and what they came to."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.forked.runner import runners

from .rounds import SPEED, play

COLLECTIONS = "ANSIBLE_COLLECTIONS_PATH"


@dataclass
class Tally:
    """What many rounds came to."""

    seed: int
    rounds: int = 0
    runs: int = 0
    killed: int = 0
    posts: int = 0
    seconds: float = 0.0
    sorts: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    late: bool = False  # the time was over before all rounds were played

    def add(self, other: Tally) -> None:
        self.rounds += other.rounds
        self.runs += other.runs
        self.killed += other.killed
        self.posts += other.posts
        self.seconds = max(self.seconds, other.seconds)
        self.sorts += other.sorts
        self.versions += other.versions
        self.failures += other.failures
        self.failed += other.failed
        self.late = self.late or other.late

    def readable(self) -> str:
        lines = [
            f"seed {self.seed}: {self.rounds} rounds, {self.runs} runs of the module, {self.killed} of them killed,"
        ]
        lines[0] += f" {self.posts} deprovisions sent in trouble, {self.seconds:.0f} s"
        lines += [f"  {count:6d}  {sort}" for sort, count in sorted(self.sorts.items())]
        lines.append(
            "  versions: " + ", ".join(f"{version} {count}" for version, count in sorted(self.versions.items()))
        )
        if self.late:
            lines.append("  the time was over before all rounds were played")
        lines.append(
            f"  {len(self.failed)} rounds went wrong"
            + (f": --seed {self.seed} --round " + ", ".join(map(str, sorted(self.failed))) if self.failed else "")
        )
        return "\n".join(lines)


def play_some(seed: int, first: int, count: int, step: int, deadline: float, loud: bool = False) -> Tally:
    """Rounds first, first + step, ... below count, until the deadline (time.time())."""
    tally, begun = Tally(seed), time.time()
    with runners(os.environ.get(COLLECTIONS, ""), speed=SPEED) as three:
        for number in range(first, count, step):
            if time.time() >= deadline:
                tally.late = True
                break
            played = play(seed, number, three)
            tally.rounds += 1
            tally.runs += played.runs
            tally.killed += played.killed
            tally.posts += played.posts
            tally.sorts.update(played.trouble.sorts())
            tally.versions[played.world.version] += 1
            if played.wrong:
                tally.failed.append(number)
                tally.failures.append(played.readable())
                print(f"round {number} went wrong: {played.wrong[0][:300]}", flush=True)
            if loud:
                print(played.readable())
    tally.seconds = time.time() - begun
    return tally
