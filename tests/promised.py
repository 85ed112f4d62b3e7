# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every result of workflow_deprovision is promised to hold, whatever happened; written down apart from what makes it."""

from __future__ import annotations

RESULT = {
    *("changed", "failed", "msg", "server", "workflows", "resources", "blocked", "remaining", "unrecorded", "summary", "plan_hash", "duration"),
}
WORKFLOW = {"workflow_id", "name", "state_before", "state_after", "changed", "failed", "msg", "attempts", "duration"}
RESOURCE = {
    *("workflow_id", "kind", "type", "id", "uuid", "steps", "status", "changed", "failed", "msg"),
    *("needs_allow_delete", "documents", "size_in_bytes", "used_by"),
}
STATUSES = ("would_delete", "deleted", "absent", "retained", "blocked", "kept", "untouched", "failed", "unknown")
FAILURES = ("blocked", "failed", "unknown")
