# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real cluster and the simulator in memory side by side: the same things in both, asked by the collection's own calls."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import api as calls
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection
from ansible_collections.opensearch_ops.flow_framework.plugins.modules import workflow_info
from tests.contract.client import Answer
from tests.contract.normalise import Binding, Rules, differences
from tests.simulator import Simulator, in_front
from tests.simulator import running as simulated
from tests.simulator.versions import FLOW_FRAMEWORK, JOB_SCHEDULER, ML_COMMONS

from . import Cluster

# What only the plugin knows: through the front where the real cluster has it not.
OF_THE_PLUGIN = ("plugins", "deprovision_pool", "provision_pool", "deprovision_tasks")

# Ids that the servers make, and the numbers of their tasks.
MADE = re.compile(r"(?<![\w-])(?=[a-z0-9_-]*[A-Z])[\w-]{22}(?![\w-])")
TASK = re.compile(r"<id>:\d+")

# Compared by type only, beside what normalise.py lists: places, times and sizes that no two servers share.
VARYING = frozenset(
    {
        "cluster_name", "transport_address", "ip", "id", "max", "earliest_last_modified_age", "operations", "uncommitted_size_in_bytes",
        "time_in_millis", "file_count", "start_time", "end_time", "end_time_in_millis", "duration_in_millis",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Exchange:
    """One request that the collection sent, and what came back."""

    method: str
    target: str
    body: bytes | None
    status: int | None
    content_type: str
    text: str

    @property
    def request(self) -> tuple[str, str, bytes | None]:
        return self.method, self.target, self.body

    @property
    def answer(self) -> Answer:
        """With one word for all ids that the server made."""
        text = TASK.sub("<id>:0", MADE.sub("<id>", self.text))
        return Answer(self.status or 0, self.content_type, in_order(json.loads(text)) if self.content_type.startswith("application/json") else text)


def in_order(value: Any) -> Any:
    """The hits of a search in the order of their ids: both servers hold the same, written in another order."""
    if isinstance(value, list):
        values = [in_order(item) for item in value]
        return sorted(values, key=lambda hit: str(hit["_id"])) if all(isinstance(item, dict) and "_id" in item for item in values) else values
    return {key: in_order(item) for key, item in value.items()} if isinstance(value, dict) else value


class Listening:
    """A node of the collection's connection that keeps what is sent and what comes back."""

    def __init__(self, node: Any, heard: list[Exchange]) -> None:
        self.url = node.url
        self._node = node
        self._heard = heard

    def send(self, method: str, target: str, body: bytes | None, timeout: float, headers: dict[str, str] | None = None) -> Any:
        reply = self._node.send(method, target, body, timeout, headers)
        self._heard.append(Exchange(method, target, body, reply.status, reply.content_type, reply.text))
        return reply


@cache
def connected(url: str, ca_cert: str | None, pair: tuple[str, str] | None) -> tuple[calls.Api, list[Exchange]]:
    """The collection's calls to a server, with those credentials, and where what they send is written down."""
    params = {name: option.get("default") for name, option in workflow_info.argument_spec().items()}
    params.update(url=[url], ca_cert=ca_cert, username=pair and pair[0], password=pair and pair[1])
    made = connection.connect(params)
    heard: list[Exchange] = []
    listening: list[Any] = [Listening(node, heard) for node in made.nodes]
    made.nodes[:] = listening
    return calls.Api(made), heard


def ask(url: str, ca_cert: str | None, pair: tuple[str, str] | None, call: Sequence[Any]) -> list[Exchange]:
    """What one call of C(Api) sends and gets. ``call``: the name of the method, and its arguments; NODE stands for a node."""
    api, heard = connected(url, ca_cert, pair)
    heard.clear()
    name, *arguments = call
    getattr(api, name)(*(api.connection.nodes[0] if argument is NODE else argument for argument in arguments))
    return list(heard)


NODE = object()
"""In a call: a node of the connection."""


@dataclass
class Both:
    """The two servers."""

    real: Cluster
    front: Simulator
    memory: Simulator
    things: bool = False  # whether there are any, other than those of one test

    def put(self, kind: str, id_: str, **attributes: Any) -> None:
        """The same thing into both."""
        for one in (self.front, self.memory):
            one.world.put(kind, id_, **attributes)

    def remove(self, kind: str, id_: str) -> None:
        for one in (self.front, self.memory):
            one.world.remove(kind, id_)

    def clear(self) -> None:
        self.things = False
        for one in (self.front, self.memory):
            one.world.clear()

    def ask(self, call: Sequence[Any], pair: tuple[str, str] | None) -> list[tuple[Exchange, Exchange]]:
        """Each request of a call with both answers, the real one first. Without security there are no users."""
        credentials = pair if self.real.security else None
        through_front = call[0] in OF_THE_PLUGIN and not self.real.flow_framework
        real = ask(self.front.url if through_front else self.real.url, self.real.ca_cert, credentials, call)
        memory = ask(self.memory.url, self.memory.ca_cert, credentials, call)
        assert [one.request for one in real] == [one.request for one in memory], "other requests follow from other answers"
        return list(zip(real, memory, strict=True))

    def unlike(self, call: Sequence[Any], pair: tuple[str, str] | None = ("admin", "admin")) -> list[str]:
        """In what the answers to a call differ, one line each."""
        found = []
        for real, memory in self.ask(call, pair):
            rules = Rules(real.target, json.loads(real.body) if real.body and not real.target.endswith("_msearch") else None, same=True, also=VARYING)
            lines = differences(real.answer, memory.answer, Binding(None, "", frozenset()), rules)
            found += [f"{real.method} {real.target} {line}" for line in lines]
        return found


@contextmanager
def both(real: Cluster) -> Iterator[Both]:
    """The real cluster, and a simulator of its version with the same plugins and users."""
    with ExitStack() as stack:
        front = stack.enter_context(in_front(real, clock=1))
        plugins = (FLOW_FRAMEWORK, JOB_SCHEDULER, ML_COMMONS)
        memory = stack.enter_context(simulated(real.version, security=real.security, tls=real.security, plugins=plugins))
        yield Both(real, front, memory)
