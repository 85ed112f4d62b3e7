# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One server of a cluster: its folders, its ports and its configuration."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import ports

SETTINGS = {
    "cluster.name": "preview",
    # A disk that is nearly full is no matter of a test.
    "cluster.routing.allocation.disk.threshold_enabled": False,
    # The only node runs models too, however little memory is left, and connectors may lead to loopback.
    "plugins.ml_commons.only_run_on_ml_node": False,
    "plugins.ml_commons.native_memory_threshold": 100,
    "plugins.ml_commons.jvm_heap_memory_threshold": 100,
    "plugins.ml_commons.connector.private_ip_enabled": True,
    "plugins.ml_commons.trusted_connector_endpoints_regex": [r"^https?://(127\.0\.0\.1|localhost)(:\d+)?(/.*)?$", "^https://.*$"],
}

LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] [%node_name]%marker %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""
"""All goes to standard output, and that into one file."""


class Node:
    """``folder``: with config, data, logs and tmp in it. The ports stay the same over a restart."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.http, self._http = ports.reserve()
        self.transport, self._transport = ports.reserve()

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def output(self) -> Path:
        """What it prints."""
        return self.folder / "logs" / "output.log"

    def configure(self, settings: dict[str, Any]) -> None:
        """Make its folders."""
        for folder in (self.folder, *(self.folder / name for name in ("config", "data", "logs", "tmp"))):
            folder.mkdir()
        # YAML takes JSON as values.
        text = "".join(f"{name}: {json.dumps(value)}\n" for name, value in {**self.settings(), **settings}.items())
        (self.config / "opensearch.yml").write_text(text)
        (self.config / "log4j2.properties").write_text(LOGGING)

    def settings(self) -> dict[str, Any]:
        return {
            **SETTINGS,
            "node.name": self.name,
            "network.host": ports.HOST,
            "http.port": self.http,
            "transport.port": self.transport,
            "path.data": str(self.folder / "data"),
            "path.logs": str(self.folder / "logs"),
        }

    def give_up_ports(self) -> None:
        for held in (self._http, self._transport):
            if held is not None:
                held.close()


def discovery(nodes: Sequence[Node]) -> dict[str, Any]:
    """How the nodes find each other."""
    if len(nodes) == 1:
        return {"discovery.type": "single-node"}
    return {
        "discovery.seed_hosts": [f"{ports.HOST}:{node.transport}" for node in nodes],
        "cluster.initial_cluster_manager_nodes": [node.name for node in nodes],
    }
