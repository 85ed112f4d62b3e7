# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates: how they are checked, stored and turned into an order of steps."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any

from .errors import plugin_error
from .steps import catalogue, gated

_PLACEHOLDER = re.compile(r"\$\{\{(.+?)\}\}")
_FIELDS = ("name", "description", "use_case", "version", "workflows", "ui_metadata")


def normalised(body: Any) -> dict[str, Any]:
    """A template as it is stored: no credentials, configurations as one string, edges from previous inputs
    (recording searches). Refused: 400 for what is no template."""
    if not isinstance(body, Mapping):
        raise plugin_error("Failed to parse template: a JSON object is expected", 400)
    if not body.get("name"):
        raise plugin_error("A template object requires a name.", 400)
    template = {name: copy.deepcopy(body[name]) for name in _FIELDS if name in body}
    template["workflows"] = {name: _normalised_workflow(workflow) for name, workflow in (body.get("workflows") or {}).items()}
    return template


def _normalised_workflow(workflow: Mapping[str, Any]) -> dict[str, Any]:
    nodes = [_normalised_node(node) for node in workflow.get("nodes") or []]
    edges = [{"source": edge["source"], "dest": edge["dest"]} for edge in workflow.get("edges") or []]
    for node in nodes:
        for previous in node["previous_node_inputs"]:
            edge = {"source": previous, "dest": node["id"]}
            if edge not in edges:
                edges.append(edge)
    return {"user_params": dict(workflow.get("user_params") or {}), "nodes": nodes, "edges": edges}


def _normalised_node(node: Mapping[str, Any]) -> dict[str, Any]:
    inputs = {}
    for name, value in (node.get("user_inputs") or {}).items():
        if name == "credential":
            continue
        if name == "configurations" and not isinstance(value, str):
            value = json.dumps(value, separators=(",", ":"))
        inputs[name] = copy.deepcopy(value)
    return {
        "id": str(node.get("id", "")),
        "type": str(node.get("type", "")),
        "previous_node_inputs": dict(node.get("previous_node_inputs") or {}),
        "user_inputs": inputs,
    }


def workflow_of(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """The provision workflow; empty where the template has none."""
    return (template.get("workflows") or {}).get("provision") or {"nodes": [], "edges": []}


def predecessors(workflow: Mapping[str, Any]) -> dict[str, list[str]]:
    """The nodes that each node waits for. Refused: 400 for edges that lead nowhere or round in a circle."""
    before: dict[str, list[str]] = {}
    for node in workflow["nodes"]:
        if node["id"] in before:
            raise plugin_error(f"Duplicate node id {node['id']}.", 400)
        before[node["id"]] = []
    for edge in workflow["edges"]:
        for end in ("source", "dest"):
            if edge[end] not in before:
                raise plugin_error(f"Edge {end} {edge[end]} does not correspond to a node.", 400)
        before[edge["dest"]].append(edge["source"])
    left = dict(before)
    done: set[str] = set()
    while left:
        ready = [id_ for id_, wanted in left.items() if done.issuperset(wanted)]
        if not ready:
            raise plugin_error(f"Cycle detected: {sorted(left)}", 400)
        for id_ in ready:
            done.add(id_)
            del left[id_]
    return before


def check_steps(template: Mapping[str, Any], denied_steps: bool) -> None:
    """Refused: 403 for a step that no template may hold, 400 for one that does not exist (behaviour.md 1.4, P07)."""
    for node in workflow_of(template)["nodes"]:
        if denied_steps and node["type"] in gated():
            raise plugin_error(f"The step type [{node['type']}] for node [{node['id']}] can not be used in a workflow.", 403)
        if node["type"] not in catalogue():
            raise plugin_error(f"Workflow step type [{node['type']}] is not implemented.", 501)


def check_inputs(given: Any) -> None:
    """Refused: 400 for a node without an input that its step requires. ``given``: the body, credentials included."""
    for node in ((given.get("workflows") or {}).get("provision") or {}).get("nodes") or []:
        step = catalogue().get(node.get("type", ""))
        if step is None:
            continue
        has = set(node.get("user_inputs") or {}) | set((node.get("previous_node_inputs") or {}).values())
        missing = [name for name in step["inputs"] if name not in has]
        if missing:
            raise plugin_error(
                f"Invalid workflow, node [{node.get('id')}] missing the following required inputs : [{', '.join(missing)}]",
                400,
            )


def inputs_of(node: Mapping[str, Any], outputs: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, str]) -> dict[str, Any]:
    """What a step gets: outputs of steps before it, then its own inputs with ``${{name}}`` filled in."""
    inputs: dict[str, Any] = {}
    for previous, name in node["previous_node_inputs"].items():
        value = outputs.get(previous, {}).get(name)
        if value is None:
            continue
        if isinstance(value, list) and isinstance(inputs.get(name), list):
            value = [*inputs[name], *value]
        inputs[name] = value
    known: dict[str, Any] = {f"{step}.{name}": value for step, values in outputs.items() for name, value in values.items()}
    known.update(parameters)
    inputs.update({name: substituted(value, known) for name, value in node["user_inputs"].items()})
    return inputs


def substituted(value: Any, known: Mapping[str, Any]) -> Any:
    """Every ``${{name}}`` that is known, filled in; the others stay as they are."""
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole and whole.group(1).strip() in known:
            return known[whole.group(1).strip()]
        return _PLACEHOLDER.sub(lambda match: str(known.get(match.group(1).strip(), match.group(0))), value)
    if isinstance(value, list):
        return [substituted(item, known) for item in value]
    if isinstance(value, Mapping):
        return {substituted(name, known): substituted(item, known) for name, item in value.items()}
    return value
