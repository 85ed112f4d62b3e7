# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flow Framework in front of a real cluster that has everything but that plugin.

What belongs to the plugin is answered here: its routes, and its part of the lists of plugins, pools, tasks and settings.
Everything else is passed through, byte for byte, with the credentials that came along.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
from opensearchpy import OpenSearch
from yarl import URL

from .engine import Caller, Engine, Node, make_node
from .errors import Refused
from .native import THREAD_POOL_ALIASES, cat_answer, deprovision_tasks, pool_rows
from .rest import Answer, Call, Router
from .security import User, unauthorized
from .settings import flat
from .versions import FLOW_FRAMEWORK, Features

SUPERADMIN = "superadmin"
"""The common name of the certificate that may do everything."""

OURS = "plugins.flow_framework."
"""What the settings of the plugin begin with."""

# Headers that belong to one connection, or that aiohttp makes anew.
OF_ONE_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})


class RealCluster(Protocol):
    """A real cluster, as ``tests/opensearch`` starts one."""

    @property
    def version(self) -> str:
        """Of OpenSearch."""

    @property
    def urls(self) -> list[str]:
        """One a node."""

    @property
    def security(self) -> bool:
        """Whether the security plugin is there; with it TLS."""

    @property
    def flow_framework(self) -> bool:
        """Whether the plugin is installed there: then nothing of it is answered here."""

    @property
    def ca_cert(self) -> str | None:
        """The CA of its certificates."""

    @property
    def client_certs(self) -> Mapping[str, tuple[str, str]]:
        """Certificate and key by the common name in it; that of SUPERADMIN may write to the plugins' own indices."""

    @property
    def node_cert(self) -> tuple[str, str] | None:
        """Certificate and key of the nodes."""


@dataclass
class Passing(User):
    """Somebody that the cluster knows: ``headers`` are the credentials, ``certificate`` the common name of a certificate."""

    headers: Mapping[str, str] = field(default_factory=dict)
    certificate: str | None = None


class Front:
    """The real cluster, as those who call it, and what the plugin adds to its answers."""

    def __init__(self, real: RealCluster) -> None:
        self.real = real
        self.engine: Engine | None = None
        self.cluster_name = ""
        self._urls: dict[str, str] = {}  # of each node by its id
        self._shown: dict[str, dict[str, Any]] = {}  # a node as the list of tasks shows it
        self._groups: dict[str, list[str]] = {}  # of actions, which nobody changes
        self._sessions: dict[str | None, aiohttp.ClientSession] = {}
        self._clients: dict[str | None, OpenSearch] = {}

    def register(self, router: Router, engine: Engine) -> None:
        """The routes that are answered by both."""
        self.engine = engine
        router.add("GET", "/_cat/plugins", self.cat_plugins, None)
        router.add("GET", "/_cat/thread_pool", self.cat_thread_pool, None)
        router.add("GET", "/_cat/thread_pool/{names}", self.cat_thread_pool, None)
        router.add("GET", "/_tasks", self.tasks, None)
        router.add("GET", "/_cluster/settings", self.get_settings, None)
        router.add("PUT", "/_cluster/settings", self.put_settings, None, True)

    def nodes(self, features: Features, pool: int | None) -> list[Node]:
        """The cluster's nodes, one for each of its URLs, with the pools that the plugin would have there."""
        found = []
        for number, url in enumerate(self.real.urls, 1):
            with OpenSearch([url], **self._trust(SUPERADMIN)) as client:
                answer = client.nodes.info(node_id="_local", metric="http")
            self.cluster_name = answer["cluster_name"]
            ((id_, shown),) = answer["nodes"].items()
            node = make_node(number, shown["transport_address"], features, pool)
            node.name, node.id = shown["name"], id_
            self._urls[id_] = url
            self._shown[id_] = {
                "name": shown["name"],
                "transport_address": shown["transport_address"],
                "host": shown["host"],
                "ip": shown["transport_address"],
                "roles": shown["roles"],
                "attributes": shown["attributes"],
            }
            found.append(node)
        return found

    # -- who asks

    def as_admin(self) -> tuple[OpenSearch, Mapping[str, str]]:
        """For ``worlds/opensearch.py``: who may write to the plugins' own indices."""
        return self._client(SUPERADMIN), {}

    def as_caller(self, caller: User | None) -> tuple[OpenSearch, Mapping[str, str]]:
        """For ``worlds/opensearch.py``: who called Flow Framework."""
        if not isinstance(caller, Passing):
            return self._client(None), {}
        return self._client(caller.certificate), caller.headers

    def _certificate(self, name: str | None) -> tuple[str, str] | None:
        if name is None or not self.real.security:
            return None
        return self.real.client_certs[name]

    def _client(self, name: str | None) -> OpenSearch:
        """One that shows the certificate of that name. It sends once: the plugin's steps do not repeat either."""
        if name not in self._clients:
            self._clients[name] = OpenSearch(self.real.urls, max_retries=0, timeout=60, **self._trust(name))
        return self._clients[name]

    def _trust(self, name: str | None) -> dict[str, Any]:
        """What opensearch-py is told of certificates."""
        cert = self._certificate(name)
        shown = {} if cert is None else {"client_cert": cert[0], "client_key": cert[1]}
        return {**shown, "ca_certs": self.real.ca_cert} if self.real.security else {}

    def _session(self, name: str | None) -> aiohttp.ClientSession:
        if name not in self._sessions:
            context: ssl.SSLContext | bool = True
            if self.real.ca_cert:
                context = ssl.create_default_context(cafile=self.real.ca_cert)
                cert = self._certificate(name)
                if cert is not None:
                    context.load_cert_chain(*cert)
            # A connection for each request: what a restarted node closed is never used again.
            connector = aiohttp.TCPConnector(ssl=context, limit=0, force_close=True)
            self._sessions[name] = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        return self._sessions[name]

    async def close(self) -> None:
        """Close every connection to the cluster."""
        for session in self._sessions.values():
            await session.close()
        for client in self._clients.values():
            client.close()

    async def caller(self, headers: Mapping[str, str], certificate: str | None) -> Caller:
        """Who asks, and what the cluster lets them do. Refused: 401."""
        if not self.real.security:
            return Caller()
        shown = {name: value for name, value in headers.items() if name.lower() == "authorization"}
        answer = await self._ask("GET", "/_plugins/_security/authinfo", shown, certificate)
        if answer.status == 401:
            raise unauthorized()
        if answer.status != 200:  # the node is starting, for one
            raise Refused(answer.status, answer.body.decode())
        known = json.loads(answer.body)
        roles = known["roles"]
        user = Passing(known["user_name"], "", await self._permissions(roles), known["backend_roles"], roles, headers=shown, certificate=certificate)
        return Caller(user)

    async def _permissions(self, roles: list[str]) -> list[str]:
        """The actions of some roles, as they are now, without names of groups of actions."""
        if not self._groups:
            self._groups = {name: group["allowed_actions"] for name, group in (await self._of_security("actiongroups")).items()}
        known, groups = await self._of_security("roles"), self._groups
        found: set[str] = set()
        left = [action for role in roles for action in known.get(role, {}).get("cluster_permissions", [])]
        while left:
            action = left.pop()
            if action not in found:
                found.add(action)
                left.extend(groups.get(action, []))
        return sorted(found)

    async def _of_security(self, what: str) -> dict[str, Any]:
        """One kind of what the security plugin is set up with."""
        answer = await self._ask("GET", f"/_plugins/_security/api/{what}", {}, SUPERADMIN)
        known: dict[str, Any] = json.loads(answer.body)
        return known

    def tls(self) -> ssl.SSLContext:
        """For those who call the front: the cluster's own certificate, and client certificates of its CA."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.real.ca_cert)
        assert self.real.node_cert is not None, "with security there is one"
        context.load_cert_chain(*self.real.node_cert)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    # -- passing through

    async def pass_on(self, call: Call) -> Answer:
        """The cluster's own answer. ConnectionError where none comes."""
        return await self._ask(call.method, call.uri, call.headers, call.certificate, call.content, call.node)

    async def _ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        certificate: str | None,
        content: bytes = b"",
        node: Node | None = None,
    ) -> Answer:
        """The path goes as it came: nothing is quoted or put right on the way."""
        sent = {name: value for name, value in headers.items() if name.lower() not in OF_ONE_HOP}
        url = self.real.urls[0] if node is None else self._urls[node.id]
        try:
            async with self._session(certificate).request(
                method, URL(url + target, encoded=True), headers=sent, data=content or None, skip_auto_headers=("Content-Type",)
            ) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in (*OF_ONE_HOP, "content-type")}
                return Answer(answer.status, await answer.read(), answer.headers.get("Content-Type", ""), kept)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise ConnectionError(str(error)) from None

    async def _asked(self, call: Call, target: str) -> Any:
        """What the cluster says to the same caller. Refused with its answer where it is none."""
        answer = await self._ask("GET", target, call.headers, call.certificate, node=call.node)
        try:
            body = json.loads(answer.body)
        except ValueError:
            body = answer.body.decode()
        if answer.status != 200:
            raise Refused(answer.status, body)
        return body

    # -- what both know something of

    @property
    def _engine(self) -> Engine:
        assert self.engine is not None, "register comes first"
        return self.engine

    async def cat_plugins(self, call: Call) -> Answer:
        rows = await self._asked(call, "/_cat/plugins?format=json")
        faults, own = self._engine.faults, f"{self.real.version}.0"
        if not faults.plugin_absent:
            rows += [{"name": node.name, "component": FLOW_FRAMEWORK, "version": faults.plugin_versions.get(node.name, own)} for node in self._engine.nodes]
        return cat_answer(call, sorted(rows, key=lambda row: (row["name"], row["component"])), ["name", "component", "version"])

    async def cat_thread_pool(self, call: Call) -> Answer:
        """The cluster's own pools, and those of the plugin on the same nodes."""
        wanted = call.path.get("names", "*")
        rows = await self._asked(call, f"/_cat/thread_pool/{wanted}?format=json&h=*")
        rows += pool_rows(self._engine.nodes, wanted.split(","))
        return cat_answer(call, rows, ["node_name", "name", "active", "queue", "rejected"], THREAD_POOL_ALIASES)

    async def tasks(self, call: Call) -> Answer:
        """Deprovision calls are tasks of the node that they are on."""
        shown = await self._asked(call, call.uri)
        for node in self._engine.nodes:
            tasks = deprovision_tasks(node, call.params.get("actions"), call.flag("detailed"))
            if tasks and "nodes" in shown:
                known = shown["nodes"].setdefault(node.id, {**self._shown[node.id], "tasks": {}})
                known["tasks"].update(tasks)
        return Answer(200, shown)

    async def get_settings(self, call: Call) -> Answer:
        own = await self.pass_on(call)
        settings = self._engine.settings
        if own.status != 200 or not (settings.persistent or settings.transient or call.flag("include_defaults")):
            return own
        body = json.loads(own.body)
        layers = {"persistent": settings.persistent, "transient": settings.transient}
        if call.flag("include_defaults"):
            layers["defaults"] = {name: value for name, value in settings.defaults.items() if name.startswith(OURS)}
        for name, layer in layers.items():
            body[name] = {**body.get(name, {}), **layer}
        return Answer(200, body)

    async def put_settings(self, call: Call) -> Answer:
        """Settings of the plugin are kept here; those of others go on to the cluster."""
        body = call.json({})
        named = {name for layer in ("persistent", "transient") for name in flat(body.get(layer) or {})}
        if not any(name.startswith(OURS) for name in named):
            return await self.pass_on(call)
        if not all(name.startswith(OURS) for name in named):
            raise Refused(400, {"error": "one request for the plugin's settings, another for those of others"})
        caller = await self.caller(call.headers, call.certificate)
        self._engine.security.authorize(caller.user, "cluster:admin/settings/update")
        return Answer(200, self._engine.settings.put(body))
