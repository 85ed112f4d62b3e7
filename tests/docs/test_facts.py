# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What guides say in tables that stands elsewhere too is the same there."""

from __future__ import annotations

from docutils import nodes

from tests.matrix.rows import ROWS

from .pages import GUIDES, ROOT, document


def table(page: str, heading: str) -> list[list[str]]:
    """The rows of the table whose first row begins with this text, without that row."""
    for found in document((GUIDES / page).read_text(encoding="utf-8")).findall(nodes.table):
        rows = [[entry.astext() for entry in row.findall(nodes.entry)] for row in found.findall(nodes.row)]
        if rows[0][0] == heading:
            return rows[1:]
    raise AssertionError(f"{page} has no table that begins with {heading!r}")


def test_what_is_tested_together_is_the_matrix() -> None:
    assert table("guide_compatibility.rst", "ansible-core") == [[row.core, row.python, row.target, row.client] for row in ROWS]


def test_every_room_of_the_house_is_shown_and_is_there() -> None:
    shown = {row[0] for heading in ("Room", "Tests") for row in table("guide_architecture.rst", heading)}
    assert [path for path in shown if not (ROOT / path).exists()] == []
    rooms = {f"plugins/module_utils/{path.name}" for path in (ROOT / "plugins" / "module_utils").glob("*.py")}
    for folder in (ROOT / "plugins", ROOT / "tests"):
        rooms |= {f"{folder.name}/{path.name}/" for path in folder.iterdir() if any(path.glob("*.py"))}
    assert rooms - shown == {"plugins/module_utils/"}
