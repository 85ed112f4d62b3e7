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
from collections.abc import Sequence

from .play import play
from .pythons import NoPython, found
from .results import Result, status, table
from .rows import UnknownRow, chosen


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description="Tries the collection with every supported ansible-core.")
    parser.add_argument("--only", type=words, default=[], metavar="CORES", help="rows of these releases of ansible-core: 2.16,2.21")
    parser.add_argument("--ci", action="store_true", help="the oldest, a middle and the newest row")
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
    results: list[Result] = []
    for row in rows:
        print(f"\nansible-core {row.core} on Python {row.python}, modules on Python {row.target} with opensearch-py {row.client}", flush=True)
        results.append(play(row, pythons))
    print("\n" + table(results), end="", flush=True)
    return status(results)


if __name__ == "__main__":
    sys.exit(main())
