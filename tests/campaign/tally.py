# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many rounds, some of them at once, and what they came to."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.forked.runner import Runner, runner

from .rounds import SPEED, Round, play

COLLECTIONS = "ANSIBLE_COLLECTIONS_PATH"
LANES = 3
"""So many rounds are played at once in one process: half of one is waiting."""


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

    def count(self, played: Round) -> None:
        """Add a round; one that went wrong is said at once."""
        self.rounds += 1
        self.runs += played.runs
        self.killed += played.killed
        self.posts += played.posts
        self.sorts.update(played.trouble.sorts())
        self.versions[played.world.version] += 1
        if played.wrong:
            self.failed.append(played.number)
            self.failures.append(played.readable())
            print(f"round {played.number} went wrong: {played.wrong[0][:300]}", flush=True)

    def add(self, other: Tally) -> None:
        """Add what another process has played."""
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
        lines = [f"seed {self.seed}: {self.rounds} rounds, {self.runs} runs of the module, {self.killed} of them killed,"]
        lines[0] += f" {self.posts} deprovisions sent in trouble, {self.seconds:.0f} s"
        lines += [f"  {count:6d}  {sort}" for sort, count in sorted(self.sorts.items())]
        lines.append("  versions: " + ", ".join(f"{version} {count}" for version, count in sorted(self.versions.items())))
        if self.late:
            lines.append("  the time was over before all rounds were played")
        lines.append(
            f"  {len(self.failed)} rounds went wrong" + (f": --seed {self.seed} --round " + ", ".join(map(str, sorted(self.failed))) if self.failed else "")
        )
        return "\n".join(lines)


def play_some(seed: int, numbers: Iterable[int], deadline: float, lanes: int = LANES) -> Tally:
    """Rounds of these numbers, ``lanes`` of them at once; none begins after the deadline (time.time())."""
    tally, begun = Tally(seed), time.time()
    left, guard = iter(numbers), threading.Lock()

    def next_number() -> int | None:
        with guard:
            number = next(left, None)
            if number is None or time.time() < deadline:
                return number
            tally.late = True
            return None

    def lane(forking: Runner) -> None:
        while (number := next_number()) is not None:
            played = play(seed, number, forking)
            with guard:
                tally.count(played)

    with runner(os.environ.get(COLLECTIONS, ""), speed=SPEED) as forking, ThreadPoolExecutor(lanes) as threads:
        for played in [threads.submit(lane, forking) for _lane in range(lanes)]:
            played.result()
    tally.seconds = time.time() - begun
    return tally
