# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The knobs over HTTP, under /_simulator/, for scenarios that run in another process; never logged."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from .rest import Answer, Call, parse_query
from .worlds.memory import kinds

if TYPE_CHECKING:
    from .server import Simulator

_RULES = ("answer", "cut", "delay", "deny", "outlast", "hold", "release", "undeploy_visible_after")
_SWITCHES = ("connector_access_control", "caller_is_admin", "plugin_absent", "plugin_versions", "lost_records", "snapshot_ends")


class Control:
    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def answer(self, call: Call) -> Answer:
        """400 with a sentence for what is wrong, 404 for a knob that does not exist."""
        name = call.raw_path.rsplit("/", 1)[-1]
        handler = getattr(self, f"_{call.method.lower()}_{name}", None)
        if handler is None:
            return Answer(404, {"error": f"no such knob: {call.method} {call.raw_path}"})
        params = parse_query(call.query)
        try:
            return Answer(200, handler(params, call.json({})))
        except (KeyError, TypeError, ValueError) as wrong:
            return Answer(400, {"error": f"{type(wrong).__name__}: {wrong}"})

    def _get_log(self, params: dict[str, str], body: Any) -> Any:
        requests = self.simulator.requests(params.get("method"), params.get("path"))
        return [dataclasses.asdict(request) for request in requests]

    def _delete_log(self, params: dict[str, str], body: Any) -> Any:
        self.simulator.clear_log()
        return {"cleared": True}

    def _post_load(self, params: dict[str, str], body: Any) -> Any:
        self.simulator.load(body["state"], body.get("template"))
        return {"loaded": body["state"]["workflow_id"]}

    def _get_state(self, params: dict[str, str], body: Any) -> Any:
        id_ = params["workflow_id"]
        return {
            "state": self.simulator.state(id_),
            "template": self.simulator.template(id_),
            "passes": self.simulator.passes(id_),
            "in_flight_max": self.simulator.in_flight_max,
        }

    def _get_world(self, params: dict[str, str], body: Any) -> Any:
        world = self.simulator.world
        if "id" in params:
            return {"resource": world.get(params["kind"], params["id"])}
        return {kind: world.ids(kind) for kind in ([params["kind"]] if "kind" in params else kinds())}

    def _post_world(self, params: dict[str, str], body: Any) -> Any:
        self.simulator.world.put(body["kind"], body["id"], **body.get("attributes", {}))
        return {"put": body["id"]}

    def _delete_world(self, params: dict[str, str], body: Any) -> Any:
        return {"removed": self.simulator.world.remove(params["kind"], params["id"])}

    def _post_faults(self, params: dict[str, str], body: Any) -> Any:
        """``{"fault": "cut", "arguments": {...}}``, or switches by name: ``{"plugin_absent": true}``."""
        faults = self.simulator.faults
        body = dict(body)
        arguments = body.pop("arguments", {})
        name = body.pop("fault", None)
        if name is not None:
            if name not in _RULES:
                raise ValueError(f"fault is one of {', '.join(_RULES)}, not {name!r}")
            getattr(faults, name)(**arguments)
        for switch, value in body.items():
            if switch not in _SWITCHES:
                raise ValueError(f"a switch is one of {', '.join(_SWITCHES)}, not {switch!r}")
            setattr(faults, switch, value)
        return {"set": True}

    def _delete_faults(self, params: dict[str, str], body: Any) -> Any:
        self.simulator.faults.clear()
        return {"cleared": True}
