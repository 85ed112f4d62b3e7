# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of resources that a cluster keeps as one JSON object each, under names that whoever makes them chooses: one row a kind.

Everything else about such a kind follows from its row: the steps that create and delete it, what records call it, its routes
and permissions, and that the server deletes one only when it is named.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Named:
    """``path``: where all of them are; ``actions``: how its permissions begin, which end with get, put and delete."""

    kind: str
    path: str
    actions: str
    type: str  # of its records; the input of the step that holds the name is called the same
    since: tuple[int, ...]  # the first version that knows the step

    @property
    def creates(self) -> str:
        """The step of a template that makes one."""
        return f"create_{self.kind}"

    @property
    def deletes(self) -> str:
        """The step of a deprovision that deletes one."""
        return f"delete_{self.kind}"


NAMED: dict[str, Named] = {
    row.kind: row
    for row in (
        Named("ingest_pipeline", "/_ingest/pipeline", "cluster:admin/ingest/pipeline/", "pipeline_id", since=(2, 12)),
        Named("search_pipeline", "/_search/pipeline", "cluster:admin/search/pipeline/", "pipeline_id", since=(2, 13)),
    )
}


def created_by(step: str) -> Named | None:
    """The kind that a step of a template makes, if it is one of these."""
    return next((row for row in NAMED.values() if row.creates == step), None)


def deleted_by(step: str) -> Named | None:
    """The kind that a step of a deprovision deletes, if it is one of these."""
    return next((row for row in NAMED.values() if row.deletes == step), None)
