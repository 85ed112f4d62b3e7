# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cluster settings: persistent, transient and defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .versions import Features
from .worlds.indices import nested

_TIME = re.compile(r"(\d+(?:\.\d+)?)(nanos|micros|ms|s|m|h|d)")
_UNITS = {"nanos": 1e-9, "micros": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: Any) -> float:
    """A time value such as ``10s`` in seconds. ValueError for anything else."""
    match = _TIME.fullmatch(str(text).strip())
    if match is None:
        if str(text).strip() in ("0", "-1"):
            return float(text)
        raise ValueError(f"failed to parse setting value [{text}] as a time value: unit is missing or unrecognized")
    return float(match.group(1)) * _UNITS[match.group(2)]


def defaults(features: Features, multi_tenancy: bool) -> dict[str, str]:
    """The settings that matter here (behaviour.md 6)."""
    known = {
        "plugins.flow_framework.enabled": "true" if features.enabled_by_default else "false",
        "plugins.flow_framework.max_workflows": "1000",
        "plugins.flow_framework.max_workflow_steps": "50",
        "plugins.flow_framework.request_timeout": "10s",
        "plugins.flow_framework.task_request_retry_duration": "5s",
    }
    if features.filter_document is not None:
        known["plugins.flow_framework.filter_by_backend_roles"] = "false"
    if features.safe_delete_model:
        known["plugins.ml_commons.safe_delete_model"] = "false"
    if features.tenants:
        known["plugins.flow_framework.multi_tenancy_enabled"] = "true" if multi_tenancy else "false"
    if features.tenant_throttle:
        known["plugins.flow_framework.max_active_provisions_per_tenant"] = "2"
        known["plugins.flow_framework.max_active_deprovisions_per_tenant"] = "1"
    return known


class Settings:
    """Transient settings win over persistent ones, those over defaults."""

    def __init__(self, features: Features, multi_tenancy: bool) -> None:
        self.defaults = defaults(features, multi_tenancy)
        self.persistent: dict[str, str] = {}
        self.transient: dict[str, str] = {}

    def get(self, name: str) -> Any:
        for layer in (self.transient, self.persistent, self.defaults):
            if name in layer:
                return layer[name]
        return None

    def true(self, name: str) -> bool:
        return str(self.get(name)).lower() == "true"

    def put(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Apply a request; the answer names what was set (recordings disabled, backend_roles)."""
        answer: dict[str, Any] = {"acknowledged": True}
        for name, layer in (("persistent", self.persistent), ("transient", self.transient)):
            given = flat(body.get(name) or {})
            for key, value in given.items():
                if value is None:
                    layer.pop(key, None)
                else:
                    layer[key] = value
            answer[name] = nested({key: value for key, value in given.items() if value is not None})
        return answer


def flat(tree: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Settings with dotted names, values as strings, None kept."""
    names: dict[str, Any] = {}
    for name, value in tree.items():
        full = f"{path}.{name}" if path else str(name)
        if isinstance(value, Mapping):
            names.update(flat(value, full))
        elif isinstance(value, bool):
            names[full] = "true" if value else "false"
        else:
            names[full] = None if value is None else str(value)
    return names
