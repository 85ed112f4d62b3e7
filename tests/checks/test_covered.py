# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What killed processes leave of the measuring is left out, and nothing else is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.covered import drop_begun


def database(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as made:
        for statement in statements:
            made.execute(statement)
        made.commit()
    return path


def test_only_data_files_that_were_no_more_than_begun_are_removed(tmp_path: Path) -> None:
    table = "CREATE TABLE coverage_schema (version integer)"
    whole = database(tmp_path / "data.host.1.x", table, "INSERT INTO coverage_schema VALUES (7)")
    other = database(tmp_path / "report.json", "CREATE TABLE another (one integer)")
    (tmp_path / "data.host.2.x").touch()
    (tmp_path / "data.host.3.x").write_bytes(b"no database" * 1000)
    database(tmp_path / "data.host.4.x", "CREATE TABLE file (id integer)")
    database(tmp_path / "data.host.5.x", table)
    assert drop_begun(tmp_path) == 4
    assert set(tmp_path.iterdir()) == {whole, other}
    assert drop_begun(tmp_path) == 0
