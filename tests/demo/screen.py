# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo prints: headings, sentences, checks, and the output of Ansible with its longest parts folded."""

from __future__ import annotations

import re
import shlex
import sys
import textwrap
from collections.abc import Iterable, Iterator

WIDTH = 100
"""Columns that everything fits into."""

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
"""What switches a colour on or off."""

COLOURED = re.compile(r"^((?:\x1b\[[0-9;]*m)*)(.*?)((?:\x1b\[[0-9;]*m)*)$")
"""A line of Ansible: colour, text, end of colour."""

LONG_LISTS = re.compile(r"^    (remaining|resources|workflows):$")
"""Lists of a failed task's result that fill pages; a line of YAML at the level of the result's keys."""

BOLD, GREEN, RED, GREY, PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[90m", "\x1b[0m"


def is_terminal() -> bool:
    """Whether a person looks on, who may like colour."""
    return sys.stdout.isatty()


def coloured(text: str, colour: str) -> str:
    """The text in a colour, on a terminal only."""
    return f"{colour}{text}{PLAIN}" if is_terminal() else text


def heading(text: str) -> None:
    """The beginning of an act."""
    rule = "━" * WIDTH
    print(f"\n{coloured(rule, BOLD)}\n{coloured(text, BOLD)}\n{coloured(rule, BOLD)}", flush=True)


def say(text: str = "", indent: str = "") -> None:
    """Sentences, as wide as the screen."""
    print(textwrap.fill(" ".join(text.split()), WIDTH, initial_indent=indent, subsequent_indent=indent), flush=True)


def row(name: str, text: str) -> None:
    """A row of two columns; the second one is wrapped under itself."""
    indent = " " * len(name)
    lines = textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    print("\n".join([name + "".join(lines[:1])[len(name) :], *lines[1:]]).rstrip(), flush=True)


def command(words: Iterable[str]) -> None:
    """A command that is run next."""
    print(coloured(command_of(words), BOLD) + "\n", flush=True)


def command_of(words: Iterable[str]) -> str:
    """A command as a shell takes it, on several lines where it is long. They are broken between words only: inside quotes a shell would keep the break."""
    lines = ["$"]
    for word in map(shlex.quote, words):
        if len(lines[-1]) + 1 + len(word) > WIDTH - 2:
            lines.append("   ")
        lines[-1] += " " + word
    return " \\\n".join(lines)


def verdict(good: bool, text: str) -> None:
    """One check."""
    sign = coloured("✓", GREEN) if good else coloured("✗", RED)
    lines = textwrap.wrap(text, WIDTH - 2) or [""]
    print("\n  ".join([f"{sign} {lines[0]}", *lines[1:]]), flush=True)


def echo(lines: Iterable[str]) -> str:
    """Print lines of Ansible as they come, folded and wrapped; returns all of them as they were, without colour."""
    plain: list[str] = []
    for line in folded(remembered(lines, plain)):
        print(wrapped(line), flush=True)
    return "\n".join(plain)


def remembered(lines: Iterable[str], plain: list[str]) -> Iterator[str]:
    """The same lines, each of which is put down without colour."""
    for line in lines:
        plain.append(ESCAPES.sub("", line))
        yield line


def folded(lines: Iterable[str]) -> Iterator[str]:
    """The same lines, but of the long lists only how long they are."""
    name, count = "", 0
    for line in lines:
        text = text_of(line)
        if name and text.startswith(("    - ", "     ")):
            count += 1
            continue
        if name:
            yield fold(name, count)
        found = LONG_LISTS.match(text)
        name, count = (found.group(1), 0) if found else ("", 0)
        if not name:
            yield line
    if name:
        yield fold(name, count)


def fold(name: str, count: int) -> str:
    """The line that stands for a long list."""
    return coloured(f"    {name}: (the demo leaves out {count} lines here)", GREY)


def text_of(line: str) -> str:
    """A line without the colour around it."""
    found = COLOURED.match(line)
    return found.group(2) if found else line


def wrapped(line: str) -> str:
    """A line that is too long as several, in its colour and under its own indentation."""
    # The recap puts every host name into a column of its own, which makes it wider than the screen.
    line = re.sub(r" {9,}: ", " : ", line.rstrip())
    found = COLOURED.match(line)
    if found is None or ESCAPES.search(found.group(2)) or len(found.group(2)) <= WIDTH:
        return line
    before, text, after = found.groups()
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    parts = textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(before + part + after for part in parts)
