# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried together: one row a combination. tests/requirements says what is installed for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """``core``: of ansible-core (core-2.16.txt); ``python``: that runs it; ``target``: the Python that modules run with, in an
    environment of its own; ``client``: the opensearch-py there (target-2.8.txt); ``ci``: whether each change is tried with it.
    """

    core: str
    python: str
    target: str
    client: str
    ci: bool = False


ROWS = (
    # The oldest of everything.
    Row("2.16", "3.10", "3.8", "2.8", ci=True),
    # The newest client by the oldest ansible-core, as in execution environments of Automation Platform 2.5 and 2.6.
    Row("2.16", "3.12", "3.12", "3.2"),
    Row("2.17", "3.11", "3.9", "3.0"),
    Row("2.18", "3.13", "3.10", "2.8"),
    # The last ansible-core that runs modules with Python 3.8, and the last client there.
    Row("2.19", "3.11", "3.8", "3.0", ci=True),
    # The oldest Python that modules run with since, and the oldest client.
    Row("2.20", "3.12", "3.9", "2.8"),
    # The newest of everything.
    Row("2.21", "3.13", "3.13", "3.2", ci=True),
    Row("2.21", "3.14", "3.14", "3.2"),
)


class UnknownRow(Exception):
    """Somebody asks for a release that the matrix has not; the text says which there are."""


def chosen(cores: Sequence[str] = (), ci: bool = False, rows: Sequence[Row] = ROWS) -> list[Row]:
    """The rows of some releases of ansible-core, or of all; of those, with ``ci``, only the ones that each change is tried with."""
    unknown = sorted(set(cores) - {row.core for row in rows})
    if unknown:
        raise UnknownRow(f"No row has ansible-core {', '.join(unknown)}: there are {', '.join(dict.fromkeys(row.core for row in rows))}.")
    return [row for row in rows if (not cores or row.core in cores) and (row.ci or not ci)]


def as_markdown(rows: Sequence[Row] = ROWS) -> str:
    """The table of README.md."""
    lines = ["| ansible-core | Python of the controller | Python of the modules | opensearch-py |", "| --- | --- | --- | --- |"]
    lines += [f"| {row.core} | {row.python} | {row.target} | {row.client} |" for row in rows]
    return "\n".join(lines) + "\n"
