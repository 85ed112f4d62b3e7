# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each row of the table in docs/server.md names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GUIDE = HERE.parents[1] / "docs" / "server.md"
TEXT = GUIDE.read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith(("| situation", "| ---"))]
NAMED = re.findall(r"`(test_\w+\.py)::(\w+)`", TEXT)


def defined(file: str) -> set[str]:
    """The tests of one file."""
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("file, name", NAMED, ids=[name for _file, name in NAMED])
def test_a_test_that_the_guide_names_exists(file: str, name: str) -> None:
    assert name in defined(file)


def test_every_row_of_the_table_names_a_test() -> None:
    assert len(ROWS) > 50
    assert [row for row in ROWS if row.count(" | ") != 3 or "`test_" not in row.rpartition(" | ")[2]] == []


def test_every_topic_is_in_the_table() -> None:
    topics = {path.name for path in HERE.glob("test_*.py")} - {Path(__file__).name}
    assert topics == {file for file, _name in NAMED}
