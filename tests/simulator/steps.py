# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of workflow steps: inputs that a template has to give, outputs, plugin and time-out.

create_index and create_connector as recorded (recording steps, 3.6.0); the others after the published step
reference. Which of them leaves a record, and what deprovision does with it, stands in versions.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .named import NAMED, created_by, deleted_by


def _step(inputs: list[str], outputs: list[str], ml: bool = False, timeout: str | None = None) -> dict[str, Any]:
    step: dict[str, Any] = {
        "inputs": inputs,
        "outputs": outputs,
        "required_plugins": ["opensearch-ml"] if ml else [],
    }
    if timeout:
        step["timeout"] = timeout
    return step


STEPS: Mapping[str, dict[str, Any]] = {
    "noop": _step([], []),
    "create_index": _step(["configurations", "index_name"], ["index_name"]),
    "reindex": _step(["source_index", "destination_index"], ["acknowledged"]),
    "create_connector": _step(
        ["credential", "parameters", "version", "name", "description", "protocol", "actions"],
        ["connector_id"],
        True,
        "1m",
    ),
    "delete_connector": _step(["connector_id"], ["connector_id"], True),
    "register_remote_model": _step(["name", "connector_id"], ["model_id", "register_model_status"], True),
    "register_local_custom_model": _step(
        [
            "name",
            "version",
            "model_format",
            "function_name",
            "model_content_hash_value",
            "url",
            "model_type",
            "embedding_dimension",
            "framework_type",
        ],
        ["model_id", "register_model_status"],
        True,
        "1m",
    ),
    "register_local_sparse_encoding_model": _step(["name", "version", "model_format"], ["model_id", "register_model_status"], True, "1m"),
    "register_local_pretrained_model": _step(["name", "version", "model_format"], ["model_id", "register_model_status"], True, "1m"),
    "register_model_group": _step(["name"], ["model_group_id", "model_group_status"], True),
    "deploy_model": _step(["model_id"], ["model_id"], True, "15s"),
    "undeploy_model": _step(["model_id"], ["success"], True),
    "delete_model": _step(["model_id"], ["model_id"], True),
    "register_agent": _step(["name", "type"], ["agent_id"], True),
    "delete_agent": _step(["agent_id"], ["agent_id"], True),
    "create_tool": _step(["type"], ["tools"], True),
}

# Type of the resource that a create step records (behaviour.md 2.2).
RESOURCE_TYPES: Mapping[str, str] = {
    "create_connector": "connector_id",
    "register_remote_model": "model_id",
    "register_local_custom_model": "model_id",
    "register_local_sparse_encoding_model": "model_id",
    "register_local_pretrained_model": "model_id",
    "register_model_group": "model_group_id",
    "deploy_model": "model_id",
    "register_agent": "agent_id",
    "create_index": "index_name",
    "reindex": "index_name",
}

# What a deprovision step deletes in the world.
KINDS: Mapping[str, str] = {
    "delete_connector": "connector",
    "delete_model": "model",
    "undeploy_model": "deployment",
    "delete_agent": "agent",
    "delete_index": "index",
}


def catalogue() -> dict[str, dict[str, Any]]:
    """Every step that a template may hold."""
    return {**STEPS, **{row.creates: _step([row.type, "configurations"], [row.type]) for row in NAMED.values()}}


def gated() -> frozenset[str]:
    """The steps that delete data: no template may hold them (behaviour.md 1.4, P07), and in a deprovision they wait for the
    caller's allow_delete (behaviour.md 2.2); both since 2.16."""
    return frozenset({"delete_index", *(row.deletes for row in NAMED.values())})


def type_of(step: str) -> str:
    """What the record of a create step calls the resource."""
    row = created_by(step)
    return row.type if row else RESOURCE_TYPES[step]


def kind_of(step: str) -> str:
    """What a deprovision step deletes in the world."""
    row = deleted_by(step)
    return row.kind if row else KINDS[step]
