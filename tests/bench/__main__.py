# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.bench [--quick] [--only deprovision,read] [--sizes 100,1000] [--url https://… --user …]``.

Prints what it measures as it goes, and leaves the tables and a picture in a folder. Exit status 1 when something could not be
done that should be measured; wishes that are not met change nothing about it.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

from urllib3.exceptions import HTTPError

from .clusters import CannotMeasure, Real
from .machine import Busy, description, others_at_work
from .report import Section, draw, into_page, seconds_text, section_text, short_text, wishes_text
from .scenarios import DEFAULT, LOOP, SCENARIOS, Options, measure
from .ways import Failed, empty_play, median_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "performance.md"
QUICK = dict(workflows=6, sizes=(20, 200), runs=1, each=1, starts=3)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures the collection beside what a user would do otherwise.")
    parser.add_argument("--quick", action="store_true", help="little of everything: about two minutes")
    parser.add_argument("--only", default=",".join(SCENARIOS), help="some of %(default)s")
    parser.add_argument("--workflows", type=int, help="to tear down (24)")
    parser.add_argument("--sizes", help="workflows to look at (100,1000,10000)")
    parser.add_argument("--runs", type=int, help="of which the middle one counts (3)")
    parser.add_argument("--limit", type=float, help="seconds that one measurement may be expected to take (600)")
    parser.add_argument("--version", default="3.6.0", help="of the simulated server (%(default)s)")
    parser.add_argument("--clock", type=float, default=1.0, help="of the simulator; 1 is the pace of the real server")
    parser.add_argument("--url", help="a real server instead of the simulator")
    parser.add_argument("--user", help="its administrator; the password is asked for in BENCH_PASSWORD")
    parser.add_argument("--ca-cert", help="the CA that signed the server's certificate")
    parser.add_argument("--insecure", action="store_true", help="do not verify the server's certificate")
    parser.add_argument("--output", type=Path, default=ROOT / "tests" / "output" / "bench", help="folder of figures.md and picture.svg")
    parser.add_argument("--docs", action="store_true", help="put figures and picture into docs/ as well")
    return parser.parse_args(given)


def options_of(given: argparse.Namespace) -> Options:
    """What was asked for, over the sizes of a quick or a whole run."""
    chosen: dict[str, Any] = dict(QUICK) if given.quick else {}
    chosen.update({name: value for name in ("workflows", "runs", "limit") if (value := getattr(given, name)) is not None})
    if given.sizes:
        chosen["sizes"] = tuple(sorted(int(size) for size in given.sizes.split(",")))
    if given.url:
        password = os.environ.get("BENCH_PASSWORD") if given.user else None
        chosen["real"] = Real(given.url, given.user, password, given.ca_cert, given.insecure)
    return Options(version=given.version, clock=given.clock, **chosen)


def heading(options: Options, own: float, before: str) -> str:
    """What was measured on, and how busy it was."""
    runs = f"{options.runs} runs each, of which the middle one counts" if options.runs > 1 else "one run each"
    where = "a real server" if options.real else f"the simulator, version {options.version}, clock {options.clock:g}"
    return (
        f"Measured on {date.today()} against {where}, {runs}. {description()};"
        f" before it began, {before}. An empty play took {seconds_text(own)} s; what one takes directly before is taken off every play.\n"
    )


def run(options: Options, only: list[str], output: Path) -> list[Section]:
    """Measure, print, and write figures.md and picture.svg into a folder."""
    sections: list[Section] = []
    before, busy = others_at_work(), Busy()
    own = median_of(options.runs, lambda: empty_play().seconds)
    first = heading(options, own, before)
    print(first, flush=True)
    for section in measure(options, only):
        sections.append(section)
        print(section_text(section), flush=True)
    percent = busy.percent()
    last = "" if percent is None else f"Meanwhile {percent:.0f} % of the processors were at work.\n"
    print(wishes_text(sections), last, sep="\n", flush=True)
    short = short_text(sections, DEFAULT, LOOP)
    texts = [short, first + last, *[section_text(section) for section in sections], wishes_text(sections)]
    output.mkdir(parents=True, exist_ok=True)
    (output / "figures.md").write_text("\n".join(texts), encoding="utf-8")
    if not draw(sections, output / "picture.svg"):
        print("No picture: matplotlib is not installed (make bench has it), or nothing was measured that it shows.")
    return sections


def main() -> int:
    given = arguments()
    only = given.only.split(",")
    if not set(only) <= set(SCENARIOS):
        print(f"--only takes {', '.join(SCENARIOS)}", file=sys.stderr)
        return 2
    options = options_of(given)
    try:
        run(options, only, given.output)
    except (CannotMeasure, Failed, HTTPError) as why:
        print(f"bench: {why}", file=sys.stderr)
        return 1
    finally:
        if options.real is not None:
            options.real.take_away()
    if given.docs:
        into_page(PAGE, (given.output / "figures.md").read_text(encoding="utf-8").strip() + "\n")
        (PAGE.parent / "performance.svg").write_bytes((given.output / "picture.svg").read_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
