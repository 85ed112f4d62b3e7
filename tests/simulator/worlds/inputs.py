# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a create step makes of its inputs, whichever world it is done in, and how it says that it failed."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import Refused, StepFailed, core_error

DEPLOY_POLL_SECONDS = 5.0  # recording deploy_only: a step that waits for an ML task looks again after 5 s

LOCAL_FUNCTIONS: Mapping[str, str] = {
    "register_local_custom_model": "text_embedding",
    "register_local_sparse_encoding_model": "sparse_encoding",
    "register_local_pretrained_model": "text_embedding",
}


@dataclass
class Created:
    """What one create step did: outputs for later steps, records for the state, a pause before they are written."""

    outputs: dict[str, Any] = field(default_factory=dict)
    records: list[tuple[str, str]] = field(default_factory=list)  # (workflow_step_name, resource_id)
    pause: float = 0.0  # seconds of the real server


def true(value: Any) -> bool:
    """Whether a flag of a template or a setting is on: they are booleans or words."""
    return value is True or str(value).lower() == "true"


def tool(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The tool of a create_tool step."""
    names = ("type", "name", "description", "parameters", "include_output_in_agent_response", "config")
    made = {name: copy.deepcopy(inputs[name]) for name in names if name in inputs}
    parameters = dict(made.get("parameters") or {})
    for name in ("model_id", "connector_id", "agent_id"):
        if name in inputs:
            parameters.setdefault(name, inputs[name])
    made["parameters"] = parameters
    return made


def agent(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The agent of a register_agent step."""
    names = ("name", "type", "description", "llm", "tools", "parameters", "memory", "app_type")
    body = {name: inputs[name] for name in names if name in inputs}
    model = inputs.get("llm.model_id", inputs.get("model_id"))
    if model and "llm" not in body:
        body["llm"] = {"model_id": model, "parameters": inputs.get("llm.parameters", {})}
    return body


def model(step: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The model of a step that registers one."""
    if step == "register_remote_model":
        return {**inputs, "function_name": "remote"}
    return {"function_name": LOCAL_FUNCTIONS[step], **inputs}


def configuration(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The step's configurations: stored as a string of JSON (recording searches)."""
    given = inputs.get("configurations") or {}
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise core_error("parse_exception", "Failed to parse configurations", 400) from None
    return dict(given)


def missing(name: str) -> StepFailed:
    """A step whose template lacks an input."""
    return StepFailed(f"Missing required inputs [{name}] in workflow step", cause_status=400)


def step_failed(step: str, inputs: Mapping[str, Any], refused: Refused) -> StepFailed:
    """A step's own words for what the cluster refused (recordings failed_provision)."""
    error = refused.body.get("error") if isinstance(refused.body, dict) else refused.body
    cause = error["reason"] if isinstance(error, dict) else str(error)
    if step == "create_index":
        return StepFailed(f"Failed to create the index {inputs.get('index_name')}", cause, refused.status)
    return StepFailed(f"Failed to {step.replace('_', ' ')}", cause, refused.status)
