# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of it: rows in sections, wishes met or not, as Markdown; and a picture of time over number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NONE = "–"
HEADINGS = ("what", "seconds", "speed", "requests", "at once", "memory", "processor", "simulator")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


@dataclass(frozen=True)
class Row:
    """One thing measured, or the reason why it was not.

    ``speed``: how many times as fast as what; ``requests`` as the server counted them; ``at_once``: the most deprovisions that
    were under way at once on a node; ``memory``: the peak of the module's process in MB; ``processor``: seconds that
    the plays and modules were at work; ``simulator``: seconds that the simulator was.
    """

    what: str
    seconds: float | None = None
    speed: str = ""
    requests: int | None = None
    at_once: int | None = None
    memory: float | None = None
    processor: float | None = None
    simulator: float | None = None
    note: str = ""

    def cells(self) -> list[str]:
        """The row as text, column by column."""
        if self.seconds is None:
            return [self.what, self.note or NONE, *[""] * (len(HEADINGS) - 2)]
        return [
            self.what,
            seconds_text(self.seconds),
            self.speed or NONE,
            NONE if self.requests is None else f"{self.requests:,}",
            NONE if self.at_once is None else str(self.at_once),
            NONE if self.memory is None else f"{self.memory:.0f} MB",
            NONE if self.processor is None else f"{seconds_text(self.processor)} s",
            NONE if self.simulator is None else f"{seconds_text(self.simulator)} s",
        ]


@dataclass(frozen=True)
class Wish:
    """A figure that is wanted. ``met`` is None where it could not be measured; ``figure`` then says why."""

    what: str
    wanted: str
    figure: str
    met: bool | None

    def cells(self) -> list[str]:
        return [self.what, self.wanted, self.figure, {True: "met", False: "not met", None: "not measured"}[self.met]]


@dataclass
class Section:
    """What one scenario came to."""

    title: str
    rows: list[Row] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    """Points (number of workflows, seconds) of each line of the picture."""
    bars: bool = False
    """Whether the rows are bars of the picture."""

    def row(self, what: str) -> Row | None:
        """A row that was measured."""
        return next((one for one in self.rows if one.what == what and one.seconds is not None), None)


def seconds_text(seconds: float) -> str:
    """Three figures are enough."""
    return f"{seconds:.0f}" if seconds >= 100 else f"{seconds:.1f}" if seconds >= 10 else f"{seconds:.2f}"


def wish_at_least(what: str, figure: float | None, wanted: float, why_not: str, unit: str = " times") -> Wish:
    """A figure that has to be as large as ``wanted``."""
    if figure is None:
        return Wish(what, f"at least {wanted:g}{unit}", why_not, None)
    return Wish(what, f"at least {wanted:g}{unit}", f"{figure:.2f}{unit}", figure >= wanted)


def wish_at_most(what: str, figure: float | None, wanted: float, why_not: str, unit: str = " times") -> Wish:
    """A figure that must not be larger than ``wanted``."""
    if figure is None:
        return Wish(what, f"at most {wanted:g}{unit}", why_not, None)
    return Wish(what, f"at most {wanted:g}{unit}", f"{figure:.2f}{unit}", figure <= wanted)


def quotient(over: Row | None, under: Row | None) -> float | None:
    """How many times one row takes as long as the other; None where either was not measured or took no time."""
    if over is None or under is None or not over.seconds or not under.seconds:
        return None
    return over.seconds / under.seconds


# -- text --------------------------------------------------------------------------------------------------------------


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with columns that stand below each other."""
    lines = [list(headings), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines]
    return "\n".join([text[0], "| " + " | ".join("-" * max(3, width) for width in widths) + " |", *text[1:]])


def short_text(sections: Iterable[Section], ours: str, other: str) -> str:
    """What is gained, a line for each section that has both rows."""
    lines = []
    for section in sections:
        mine, theirs = section.row(ours), section.row(other)
        times = quotient(theirs, mine)
        if mine is not None and theirs is not None and times is not None:
            what = f"{seconds_text(mine.seconds or 0)} s instead of {seconds_text(theirs.seconds or 0)} s"
            lines.append(f"* {section.title}: **{what}** by {other}, {times:.1f} times as fast\n")
    return "".join(lines)


def section_text(section: Section) -> str:
    return f"### {section.title}\n\n{table(HEADINGS, [row.cells() for row in section.rows])}\n"


def wishes_text(sections: Iterable[Section]) -> str:
    wishes = [wish.cells() for section in sections for wish in section.wishes]
    return "" if not wishes else f"### What is wanted\n\n{table(('what', 'wanted', 'measured', ''), wishes)}\n"


def into_page(page: Path, figures: str) -> None:
    """Put the figures between the two marks of a page."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _sign, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no marks {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{figures}\n{END}{after}", encoding="utf-8")


# -- picture -----------------------------------------------------------------------------------------------------------

COLOURS = {"ours": "#0b6e99", "info": "#58a55c", "loop": "#c0392b", "bare": "#7f8c8d"}


def draw(sections: Iterable[Section], file: Path) -> bool:
    """The picture as SVG; False where matplotlib is not installed, or there is nothing to draw."""
    try:
        from matplotlib import rcParams
        from matplotlib.figure import Figure
    except ImportError:
        return False
    drawn = [section for section in sections if section.curves or section.bars]
    if not drawn:
        return False
    rcParams.update({"svg.hashsalt": "bench", "font.family": "sans-serif", "font.size": 9, "axes.titlesize": 10})
    figure = Figure(figsize=(8, 2.6 * len(drawn)), layout="constrained")
    for axes, section in zip(figure.subplots(len(drawn), squeeze=False)[:, 0], drawn, strict=True):
        axes.set_title(section.title, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
        if section.bars:
            draw_bars(axes, section)
        else:
            draw_curves(axes, section)
    figure.savefig(file, metadata={"Date": None})
    return True


def colour_of(name: str) -> str:
    return COLOURS["loop"] if "loop" in name else COLOURS["bare"] if "bare" in name else COLOURS["info"] if "info" in name else COLOURS["ours"]


def draw_bars(axes: Any, section: Section) -> None:
    """The rows that were measured, one below the other."""
    rows = [row for row in section.rows if row.seconds is not None][::-1]
    bars = axes.barh([row.what for row in rows], [row.seconds for row in rows], color=[colour_of(row.what) for row in rows])
    axes.bar_label(bars, [f"{seconds_text(row.seconds or 0)} s" for row in rows], padding=3)
    axes.set_xlabel("seconds")
    axes.margins(x=0.12)


def draw_curves(axes: Any, section: Section) -> None:
    """Seconds over number of workflows, both growing tenfold by the mark."""
    for name, points in section.curves.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=name, color=colour_of(name))
    axes.set(xscale="log", yscale="log", xlabel="workflows", ylabel="seconds")
    numbers = sorted({number for points in section.curves.values() for number, _value in points})
    axes.set_xticks(numbers, labels=[f"{number:,}" for number in numbers])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="lower right")
