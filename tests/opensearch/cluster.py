# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of real OpenSearch nodes on loopback, for as long as a context lasts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from urllib3.exceptions import HTTPError

from tests.contract.client import Client
from tests.simulator.security import default_users

from . import java, jvm, security
from .account import Account, account
from .installation import Installation, installed
from .node import Node, discovery
from .ports import HOST
from .problems import DidNotStart, say
from .releases import release

START_SECONDS = 180.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.1
LOGS = Path(__file__).parents[1] / "output" / "opensearch"


class Cluster:
    """What a test has of a running cluster.

    ``url``, ``urls``: one a node. ``repository``: a folder that an ``fs`` snapshot repository may have as its location.
    ``flow_framework``: the real plugin is installed. With ``security``: ``ca_cert``, ``users`` (password by name),
    ``client_certs`` (paths of certificate and key by name; that of security.SUPERADMIN may do everything) and ``node_cert``
    (those of the nodes themselves).
    """

    def __init__(self, installation: Installation, engine: java.Java, with_security: bool, nodes: int, user: Account) -> None:
        self.version = installation.version
        self.flow_framework = installation.flow_framework
        self.security = with_security
        self.ca_cert: str | None = None
        self.users: dict[str, str] = {}
        self.client_certs: dict[str, tuple[str, str]] = {}
        self.node_cert: tuple[str, str] | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="opensearch-", dir=user.temporary_folder()))
        self.repository = self.folder / "repository"
        self.nodes = [Node(f"node-{number}", self.folder / f"node-{number}") for number in range(1, nodes + 1)]
        self._installation = installation
        self._java = engine
        self._account = user
        self._kept = LOGS / f"{time.strftime('%Y%m%dT%H%M%S')}-{self.version}-{self.folder.name.rpartition('-')[2]}"
        self._turn = threading.Lock()
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).with_name("keeper.py")), str(self.folder), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )

    @property
    def urls(self) -> list[str]:
        return [f"{'https' if self.security else 'http'}://{HOST}:{node.http}" for node in self.nodes]

    @property
    def url(self) -> str:
        return self.urls[0]

    def client(self, user: str = "admin", number: int = 0) -> Client:
        """Bare HTTP to a node. Without security there are no users."""
        if not self.security:
            return Client(self.urls[number])
        return Client(self.urls[number], user=user, password=self.users[user], ca_cert=self.ca_cert)

    def log(self, number: int = 0) -> str:
        """What a node has printed so far."""
        output = self.nodes[number].output
        return output.read_text(errors="replace") if output.exists() else ""

    def stop(self, number: int = 0, at_once: bool = False) -> None:
        """Let a node end in an orderly way, or ``at_once``, as if its machine had failed. Its data stay."""
        how = signal.SIGKILL if at_once else signal.SIGTERM
        self._ask(end=self.nodes[number].name, signal=how, seconds=STOP_SECONDS)

    def start(self, number: int = 0) -> None:
        """Start a node that was stopped, on the same ports and data, and wait until it is ready. Raises DidNotStart."""
        if self._status(number) is None:
            raise ValueError(f"{self.nodes[number].name} runs")
        self._launch(self.nodes[number])
        self._wait(number)

    def keep_logs(self) -> Path:
        """Copy the logs to where they outlive the cluster; gives the folder, which is always the same."""
        self._kept.mkdir(parents=True, exist_ok=True)
        for node in self.nodes:
            if node.output.exists():
                shutil.copytree(node.output.parent, self._kept / node.name, dirs_exist_ok=True)
        return self._kept

    # -- from here on for `running`

    def configure(self) -> None:
        self.folder.chmod(0o711)
        self.repository.mkdir()
        self._account.owns(self.repository)
        settings: dict[str, Any] = {"path.repo": [str(self.repository)], **discovery(self.nodes)}
        if self.security:
            certificates = self._secure()
            settings |= security.settings()
        for node in self.nodes:
            node.configure(settings)
            if self.security:
                security.write(node.config, self._installation.home, certificates)
            self._account.owns(node.folder)

    def _secure(self) -> security.Certificates:
        """Make the certificates, and say who may come in how."""
        folder = self.folder / "certificates"
        folder.mkdir(0o700)
        made = security.Certificates(folder)
        self.ca_cert = str(made.ca)
        self.users = {user.name: user.password for user in default_users().values()}
        self.client_certs = {name: (str(certificate), str(key)) for name, (certificate, key) in made.clients.items()}
        self.node_cert = (str(made.node[0]), str(made.node[1]))
        return made

    def begin(self) -> None:
        """Start all nodes, and wait until they are ready. Raises DidNotStart."""
        for node in self.nodes:
            self._launch(node)
        for number in range(len(self.nodes)):
            self._wait(number)

    def end(self) -> None:
        """Kill all nodes, and remove their folder: the keeper does that when it has no more input."""
        assert self._keeper.stdin and self._keeper.stdout
        self._keeper.stdin.close()
        self._keeper.wait()
        self._keeper.stdout.close()
        for node in self.nodes:
            node.give_up_ports()

    def _launch(self, node: Node) -> None:
        self._ask(
            start=node.name,
            command=jvm.command(self._installation, self._java, node.folder),
            variables={"PATH": os.defpath, "LANG": "C.UTF-8"},
            directory=str(self._installation.home),
            output=str(node.output),
            uid=self._account.uid,
            gid=self._account.gid,
        )

    def _wait(self, number: int) -> None:
        """Until the node answers, is part of the cluster, and, with security, knows its users."""
        limit = time.monotonic() + START_SECONDS
        client = self.client(number=number)
        while not is_ready(client):
            status = self._status(number)
            if status is not None:
                raise DidNotStart(f"{self.nodes[number].name} ended with status {status}:\n{end_of(self.log(number))}")
            if time.monotonic() > limit:
                raise DidNotStart(f"{self.nodes[number].name} was not ready after {START_SECONDS:.0f} s:\n{end_of(self.log(number))}")
            time.sleep(POLL_SECONDS)
        client.close()

    def _status(self, number: int) -> int | None:
        """With which a node ended; None while it runs."""
        status: int | None = self._ask(look=self.nodes[number].name)["status"]
        return status

    def _ask(self, **order: Any) -> dict[str, Any]:
        """Give the keeper an order, and wait until it is carried out. Raises DidNotStart where there is no keeper any more."""
        assert self._keeper.stdin and self._keeper.stdout
        with self._turn, suppress(BrokenPipeError):
            self._keeper.stdin.write(json.dumps(order).encode() + b"\n")
            line = self._keeper.stdout.readline()
            if line:
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise DidNotStart("the process that keeps the servers has ended, and with it the servers")


def is_ready(client: Client) -> bool:
    try:
        return client.send("GET", "/_cluster/health?wait_for_status=yellow&timeout=5s", timeout=15).status == 200
    except HTTPError:
        return False


def end_of(log: str) -> str:
    """Its last lines, but for those of stack traces."""
    lines = [line for line in log.splitlines() if not line.startswith("\tat ")]
    return "\n".join("    " + line[:300] for line in lines[-12:])


@contextmanager
def running(version: str = "3.6.0", security: bool = False, nodes: int = 1) -> Iterator[Cluster]:
    """A cluster of that version, ready to be used. What is missing is fetched before.

    On an exception the logs are kept under tests/output/opensearch/, and it is said where. Raises CannotRun where Java, Maven
    or the version is missing, DidNotStart.
    """
    if nodes < 1:
        raise ValueError("a cluster has at least one node")
    wanted, user = release(version), account()
    engine = java.find(*wanted.java, user)
    cluster = Cluster(installed(wanted, security, engine, user), engine, security, nodes, user)
    try:
        cluster.configure()
        cluster.begin()
        yield cluster
    except DidNotStart as problem:
        raise DidNotStart(f"{problem}\nThe logs are kept in {cluster.keep_logs()}") from None
    except Exception:
        say(f"the logs of {version} are kept in {cluster.keep_logs()}")
        raise
    finally:
        cluster.end()
