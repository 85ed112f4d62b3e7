# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of real OpenSearch nodes on loopback, for as long as a context lasts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from . import java, jvm
from .account import Account, account
from .artifacts import release
from .installation import Installation, installed
from .problems import DidNotStart

HOST = "127.0.0.1"
START_SECONDS = 120.0
STOP_SECONDS = 30.0
LOGS = Path(__file__).parents[1] / "output" / "opensearch"

SETTINGS = {
    "cluster.routing.allocation.disk.threshold_enabled": False,
    "plugins.ml_commons.only_run_on_ml_node": False,
    "plugins.ml_commons.native_memory_threshold": 100,
    "plugins.ml_commons.jvm_heap_memory_threshold": 100,
    "plugins.ml_commons.connector.private_ip_enabled": True,
    "plugins.ml_commons.trusted_connector_endpoints_regex": [r"^https?://127\.0\.0\.1(:\d+)?(/.*)?$", "^https://.*$"],
}


class Node:
    """One server: its folders, and the ports that it keeps over a restart."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.http, self.transport = free_port(), free_port()
        self.pid: int | None = None

    @property
    def output(self) -> Path:
        return self.folder / "logs" / "output.log"


class Cluster:
    """What a test has of a running cluster. ``urls``: one a node. ``users``: password by name. ``repository``: a folder
    that an ``fs`` repository may have as its location. ``flow_framework``: the real plugin is installed."""

    ca_cert: str | None = None

    def __init__(self, installation: Installation, engine: java.Java, nodes: int, user: Account, folder: Path) -> None:
        self.installation = installation
        self.version = installation.version
        self.flow_framework = installation.flow_framework
        self.security = False
        self.users: dict[str, str] = {}
        self.client_certs: dict[str, tuple[str, str]] = {}
        self.folder = folder
        self.repository = folder / "repository"
        self.java = engine
        self.account = user
        self.nodes = [Node(f"node-{number}", folder / f"node-{number}") for number in range(1, nodes + 1)]
        self.keeper = subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).parent / "keeper.py"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def urls(self) -> list[str]:
        scheme = "https" if self.security else "http"
        return [f"{scheme}://{HOST}:{node.http}" for node in self.nodes]

    @property
    def url(self) -> str:
        return self.urls[0]

    def log(self, number: int = 0) -> str:
        """What a node has printed so far."""
        return self.nodes[number].output.read_text(errors="replace")

    def stop(self, number: int = 0) -> None:
        """Let a node end in an orderly way; its data stay."""
        self.ask(end=self.nodes[number].name, signal=signal.SIGTERM, seconds=STOP_SECONDS)

    def start(self, number: int = 0) -> None:
        """Start a node that was stopped, on the same ports and data, and wait until it is ready."""
        self.launch(self.nodes[number])
        self.wait(self.nodes[number])

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self.keeper.stdin and self.keeper.stdout
        self.keeper.stdin.write(json.dumps(order).encode() + b"\n")
        self.keeper.stdin.flush()
        answer: dict[str, Any] = json.loads(self.keeper.stdout.readline())
        return answer

    def configure(self) -> None:
        self.folder.chmod(0o755)
        self.repository.mkdir()
        self.account.owns(self.repository)
        for node in self.nodes:
            folders = [node.folder, *(node.folder / name for name in ("config", "data", "logs", "tmp"))]
            for folder in folders:
                folder.mkdir()
            (node.folder / "config" / "opensearch.yml").write_text(self.settings(node))
            shutil.copy(self.installation.home / "config" / "log4j2.properties", node.folder / "config")
            self.account.owns(*folders, *(node.folder / "config").iterdir())

    def settings(self, node: Node) -> str:
        """YAML takes JSON as values."""
        values = {
            "cluster.name": "tests",
            "node.name": node.name,
            "network.host": HOST,
            "http.port": node.http,
            "transport.port": node.transport,
            "path.data": str(node.folder / "data"),
            "path.logs": str(node.folder / "logs"),
            "path.repo": [str(self.repository)],
            **SETTINGS,
        }
        if len(self.nodes) == 1:
            values["discovery.type"] = "single-node"
        else:
            values["discovery.seed_hosts"] = [f"{HOST}:{one.transport}" for one in self.nodes]
            values["cluster.initial_cluster_manager_nodes"] = [one.name for one in self.nodes]
        return "".join(f"{name}: {json.dumps(value)}\n" for name, value in values.items())

    def launch(self, node: Node) -> None:
        home = self.installation.home
        command = [
            str(self.java.program),
            *jvm.options(home, self.java, node.folder),
            f"-Dopensearch.path.home={home}",
            f"-Dopensearch.path.conf={node.folder / 'config'}",
            "-Dopensearch.distribution.type=zip",
            "-Dopensearch.bundled_jdk=false",
            "-cp",
            str(home / "lib" / "*"),
            "org.opensearch.bootstrap.OpenSearch",
        ]
        answer = self.ask(
            start=node.name,
            command=command,
            variables={"PATH": os.defpath, "LANG": "C.UTF-8"},
            directory=str(home),
            output=str(node.output),
            uid=self.account.uid,
            gid=self.account.gid,
        )
        node.pid = answer["pid"]

    def wait(self, node: Node) -> None:
        """Until the node answers, and the cluster's indices can be used."""
        limit = time.monotonic() + START_SECONDS
        while not self.is_ready(node):
            if time.monotonic() > limit:
                raise DidNotStart(f"{node.name} did not get ready in {START_SECONDS:.0f} s; its log is in {self.keep_logs()}")
            time.sleep(0.1)

    def is_ready(self, node: Node) -> bool:
        with suppress(OSError, ssl.SSLError):
            url = self.urls[self.nodes.index(node)]
            urllib.request.urlopen(f"{url}/_cluster/health?wait_for_status=yellow&timeout=10s", timeout=15).read()
            return True
        return False

    def keep_logs(self) -> Path:
        """Copy the logs to where they outlive the cluster."""
        kept = LOGS / f"{time.strftime('%Y%m%d-%H%M%S')}-{self.version}-{os.getpid()}"
        for node in self.nodes:
            shutil.copytree(node.folder / "logs", kept / node.name, dirs_exist_ok=True)
        return kept

    def end(self) -> None:
        assert self.keeper.stdin and self.keeper.stdout
        self.keeper.stdin.close()
        self.keeper.wait()
        self.keeper.stdout.close()


def free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def running(version: str = "3.6.0", security: bool = False, nodes: int = 1) -> Iterator[Cluster]:
    """A cluster of that version, ready to be used. Raises CannotRun, DidNotStart."""
    user = account()
    wanted = release(version)
    engine = java.find(*wanted.java, user)
    installation = installed(wanted, security, engine, user)
    cluster = Cluster(installation, engine, nodes, user, Path(tempfile.mkdtemp(prefix="opensearch-")))
    try:
        cluster.configure()
        for node in cluster.nodes:
            cluster.launch(node)
        for node in cluster.nodes:
            cluster.wait(node)
        yield cluster
    except Exception:
        print(f"opensearch: the logs are kept in {cluster.keep_logs()}", file=sys.stderr)
        raise
    finally:
        cluster.end()
