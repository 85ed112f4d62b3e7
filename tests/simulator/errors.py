# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways a server says no: core's envelope, the plugin's one-line error, and a workflow step that failed."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """An answer other than success: HTTP status and body (a dict is JSON, a string plain text)."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def core_error(kind: str, reason: str, status: int, **details: Any) -> Refused:
    """Core's envelope (behaviour.md 1.1; recordings ml_checks, empty_cluster)."""
    cause = {"type": kind, "reason": reason, **details}
    return Refused(status, {"error": {"root_cause": [cause], **cause}, "status": status})


def plugin_error(text: str, status: int) -> Refused:
    """The plugin's envelope: one string, no status key (behaviour.md 1.3)."""
    return Refused(status, {"error": text})


def no_such_index(name: str) -> Refused:
    """Recording ml_checks, GET of an index that is gone."""
    return core_error(
        "index_not_found_exception",
        f"no such index [{name}]",
        404,
        **{"index": name, "resource.id": name, "resource.type": "index_or_alias", "index_uuid": "_na_"},
    )


def closed_index(name: str, uuid: str) -> Refused:
    """A read of a closed index (tests/opensearch/test_native.py)."""
    return core_error("index_closed_exception", "closed", 400, index=name, index_uuid=uuid)


def status_error(reason: str, status: int) -> Refused:
    """ML Commons' way to say it (recordings ml_checks, empty_cluster)."""
    return core_error("status_exception", reason, status)


class StepFailed(Exception):
    """A step that did not succeed.

    ``text`` is what the step itself says, ``cause`` what the server below it said (newer versions show that one).
    """

    def __init__(self, text: str, cause: str | None = None, cause_status: int = 500) -> None:
        super().__init__(text)
        self.text = text
        self.cause = cause if cause is not None else text
        self.cause_status = cause_status
