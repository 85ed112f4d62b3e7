# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.matrix [--only 2.16,2.21] [--ci] [--python PATH …]``.

Runs the rows whose interpreters this machine has, one after the other, and prints a table: what was run, what was not and why.
Exit status 1 when a row failed or none could be run, 2 when there is no such row or interpreter. Needs nothing but Python 3.10 or newer.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

from .play import PLAYBOOKS, PLAYBOOKS_OF_CI, Ready, play, prepare
from .pythons import NoPython, found
from .results import Result, status, table
from .rows import UnknownRow, chosen

INSTALLERS = 2
"""Environments that are made at once: pip keeps one processor busy, and seldom the network."""


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description="Tries the collection with every supported ansible-core.")
    parser.add_argument("--only", type=words, default=[], metavar="CORES", help="rows of these releases of ansible-core: 2.16,2.21")
    parser.add_argument("--ci", action="store_true", help="the oldest, a middle and the newest row, with two thirds of the playbooks")
    parser.add_argument("--python", dest="pythons", action="append", default=[], metavar="PATH", help="an interpreter that is neither on PATH nor of pyenv")
    return parser.parse_args(given)


def words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def main(given: Sequence[str] | None = None) -> int:
    asked = arguments(given)
    try:
        rows, pythons = chosen(asked.only, asked.ci), found(asked.pythons)
    except (UnknownRow, NoPython) as error:
        print(error, file=sys.stderr)
        return 2
    began = time.monotonic()
    with ThreadPoolExecutor(INSTALLERS) as pool:
        prepared = list(pool.map(prepare, rows, repeat(pythons)))
    made = time.monotonic()
    playbooks = PLAYBOOKS_OF_CI if asked.ci else PLAYBOOKS
    results = [one if isinstance(one, Result) else announced(one, playbooks) for one in prepared]
    print("\n" + table(results), end="")
    print(f"{made - began:.0f} s for the environments, {time.monotonic() - made:.0f} s for the tests", flush=True)
    return status(results)


def announced(ready: Ready, playbooks: Sequence[str]) -> Result:
    print("\nansible-core {core} on Python {python}, modules on Python {target} with opensearch-py {client}".format(**ready.releases), flush=True)
    return play(ready, playbooks)


if __name__ == "__main__":
    sys.exit(main())
