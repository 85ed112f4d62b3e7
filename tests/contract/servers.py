# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server to hold against the recordings: what it has, and how patient one has to be with it."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from .cleanup import WORKFLOW, Made, take_away
from .client import Client
from .replay import Server

TRUSTED = "plugins.ml_commons.trusted_connector_endpoints_regex"
ENDPOINT = "http://127.0.0.1:1/v1"

CLOCK = 0.05
"""Factor of the simulator's clock: fast, and slow enough for a look to meet what goes on."""

SIMULATOR_DEADLINE, REAL_DEADLINE = 5.0, 60.0
"""Seconds that a look is repeated until it is as recorded."""


def simulated_server(simulator: Any, version: str, security: bool, clock: float) -> Server:
    """The simulator as a server to hold against the recordings."""
    admin = "admin" if security else None
    client = Client(simulator.url, user=admin, password=admin, timeout=30)
    return server_of(client, version, real=False, deadline=SIMULATOR_DEADLINE, pause=max(0.002, clock / 20))


def server_of(client: Client, number: str, real: bool, deadline: float, pause: float) -> Server:
    """Ask a server what it has."""
    rows = client.send("GET", "/_cat/plugins?format=json").body
    plugins = {row["component"] for row in rows}
    security, machine_learning = "opensearch-security" in plugins, "opensearch-ml" in plugins
    return Server(client, number, real, security, machine_learning, deadline, pause)


def prepare(server: Server) -> dict[str, Any]:
    """Let the server take the recorded connectors; returns the persistent settings as they were, to be put back.

    They point to a closed port of loopback, which ML Commons refuses until a setting names it as trusted.
    """
    answer = server.client.send("GET", "/_cluster/settings?include_defaults=true&flat_settings=true").body
    trusted = {**answer.get("defaults", {}), **answer["persistent"], **answer["transient"]}.get(TRUSTED)
    if not server.machine_learning or trusted is None or any(re.fullmatch(each, ENDPOINT) for each in trusted):
        return {}
    wanted = {TRUSTED: [*trusted, re.escape(ENDPOINT)]}
    assert server.client.send("PUT", "/_cluster/settings", {"persistent": wanted}).status == 200
    return {TRUSTED: answer["persistent"].get(TRUSTED)}


def make_used(server: Server) -> None:
    """Create a workflow and delete it again, so that the indices of Flow Framework exist (recording empty_cluster)."""
    provision = {"nodes": [{"id": "nothing", "type": "noop"}], "edges": []}
    template = {
        "name": "contract-" + uuid4().hex[:8], "description": "contract", "use_case": "CONTRACT",
        "version": {"template": "1.0.0", "compatibility": ["2.12.0", "3.0.0"]},
        "workflows": {"provision": provision},
    }  # fmt: skip
    made = Made()
    made.note("POST", WORKFLOW, template, server.client.send("POST", WORKFLOW, template))
    assert made.workflows, "no workflow could be created"
    take_away(server.client, made, machine_learning=False, deadline=server.deadline)
