# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task asks for: the options that decide what is deleted, and whether anything may be."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Mapping

from .resources import TRIMMED

DECIDING = ("on_blocked", "on_shared", "stale_records", "leftovers", "delete_workflow")  # with allow_delete: what the hash of a plan covers


@dataclass(frozen=True)
class Options:
    """What the task asks for; the defaults are the module's."""

    allow_delete: tuple[str, ...] = ()
    on_blocked: str = "fail"
    on_shared: str = "fail"
    on_missing: str = "ok"
    stale_records: str = "report"
    leftovers: str = "report"
    delete_workflow: bool = False
    protect: tuple[str, ...] = ()
    max_workflows: int | None = None
    max_documents: int | None = None
    expect_cluster: str | None = None
    plan_hash: str | None = None

    @cached_property
    def named(self) -> frozenset[str]:
        """The items of allow_delete, to look them up."""
        return frozenset(self.allow_delete)

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """From module parameters. Items of allow_delete are trimmed as the server trims them."""
        given = {field.name: params[field.name] for field in fields(cls)}
        named = (item.strip(TRIMMED) for item in given["allow_delete"])
        return cls(**dict(given, allow_delete=tuple(item for item in named if item), protect=tuple(given["protect"])))
