# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.campaign --count 1000 --seed 7 [--seconds 600] [--round 42] [--workers 2]``.

Prints how many rounds it has played, of which sorts, and the seed; every round that went wrong as a whole. Exit status 1
if any did. ``--round`` repeats one of them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import time

from tests.forked.runner import runner

from .rounds import SPEED, play
from .tally import COLLECTIONS, Tally, play_some


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description="Faults, kills and runs at once, on generated worlds.")
    parser.add_argument("--count", type=int, default=1000, help="rounds")
    parser.add_argument("--seed", type=int, default=None, help="a number that makes all of them; a random one is printed")
    parser.add_argument("--seconds", type=float, default=3600.0, help="no round begins later than that")
    parser.add_argument("--round", type=int, default=None, help="play this one only, and print all of it")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes, each of which plays some rounds at once")
    given = parser.parse_args()
    seed = random.randrange(1 << 31) if given.seed is None else given.seed
    deadline = time.time() + given.seconds
    print(f"seed {seed}", flush=True)
    total = Tally(seed)
    if given.round is not None:
        with runner(os.environ.get(COLLECTIONS, ""), speed=SPEED) as forking:
            played = play(seed, given.round, forking)
        total.count(played)
        print(played.readable())
    else:
        jobs = [(seed, range(worker, given.count, given.workers), deadline) for worker in range(given.workers)]
        with multiprocessing.get_context("spawn").Pool(given.workers) as pool:
            for tally in pool.starmap(play_some, jobs):
                total.add(tally)
        for text in total.failures[:20]:
            print(text)
    print(total.readable())
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
