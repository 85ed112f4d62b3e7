# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server: nodes, TLS, the log, faults and security around the handlers, and the handle that tests hold."""

from __future__ import annotations

import asyncio
import copy
import http.client
import json
import re
import socket
import ssl
import struct
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode, urlsplit

import trustme
from aiohttp import web

from .clock import Clock
from .control import Control
from .engine import Caller, Engine, Node, make_node
from .errors import Refused, core_error
from .faults import PROXY_PAGE, Faults, Rule
from .flow import BASE, FlowRoutes
from .front import Front, RealCluster
from .native import Cluster, ClusterRoutes
from .native_indices import IndexRoutes
from .native_ml import MachineLearningRoutes
from .native_named import NamedRoutes
from .native_snapshots import SnapshotRoutes
from .rest import JSON, LONGEST_LINE, TEXT, Answer, Call, Router, filtered, no_handler, parse_query
from .security import Security, User
from .settings import Settings
from .store import STATES, TEMPLATES, Stores
from .versions import features, parse
from .worlds.memory import MemoryWorld
from .worlds.opensearch import OpenSearchWorld

T = TypeVar("T")
CONTROL = "/_simulator/"
_START_SECONDS = 20.0


class InThread(Protocol):
    """Does something in the server's thread."""

    def __call__(self, work: Callable[[], T]) -> T:
        """What the work returns."""


@dataclass
class Request:
    """One request that was received. ``status`` is None while it runs, and for one that never got an answer.

    ``path`` is as it came, ``query`` the raw query string; ``started`` and ``ended`` are epoch seconds.
    """

    node: str
    method: str
    path: str
    query: str
    body: Any
    status: int | None = None
    opaque_id: str | None = None
    user: str | None = None
    authorization: str | None = None
    started: float = field(default_factory=time.time)
    ended: float | None = None

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True)
class Options:
    """What a simulator is started with; ``running`` documents them."""

    version: str
    clock: float
    security: bool
    tls: bool
    pool: int | None
    nodes: int
    cluster_name: str
    multi_tenancy: bool
    plugins: tuple[str, ...] | None
    host: str
    port: int


class World:
    """The world of resources, callable from any thread; ``worlds/memory.py`` says what each method does."""

    def __init__(self, run: InThread, world: MemoryWorld | OpenSearchWorld) -> None:
        self._call = run
        self._world = world

    def put(self, kind: str, id_: str, **attributes: Any) -> None:
        self._call(lambda: self._world.put(kind, id_, **attributes))

    def get(self, kind: str, id_: str) -> dict[str, Any] | None:
        return self._call(lambda: self._world.get(kind, id_))

    def remove(self, kind: str, id_: str) -> bool:
        return self._call(lambda: self._world.remove(kind, id_))

    def ids(self, kind: str) -> list[str]:
        return self._call(lambda: self._world.ids(kind))

    def clear(self) -> None:
        self._call(self._world.clear)


class Simulator:
    """A cluster that is being simulated. Every method may be called from any thread."""

    def __init__(self, options: Options, directory: Path, real: RealCluster | None = None) -> None:
        self.options = options
        self.version = options.version
        parse(options.version)
        self.features = features(options.version)
        self.clock = Clock(options.clock)
        self.faults = Faults()
        self.log: list[Request] = []
        self.urls: list[str] = []
        self.ca_cert: str | None = None
        self.client_cert: str | None = None
        self.client_key: str | None = None
        self._directory = directory
        self._security = Security(options.security)
        self._settings = Settings(self.features, options.multi_tenancy)
        self._stores = Stores(self.clock)
        self._front = None if real is None else Front(real)
        self._nodes = self._simulated_nodes() if self._front is None else self._front.nodes(self.features, options.pool)
        self._engine = Engine(self.features, self.clock, self._stores, self._security, self.faults, self._settings, self._nodes)
        self._router = Router()
        self.world = self._world_in_memory() if self._front is None else self._world_behind(self._front)
        self._control = Control(self)
        self._ports: dict[int, Node] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None

    def _simulated_nodes(self) -> list[Node]:
        options = self.options
        return [make_node(number, f"{options.host}:{9299 + number}", self.features, options.pool) for number in range(1, options.nodes + 1)]

    def _world_in_memory(self) -> World:
        """Everything of OpenSearch and ML Commons is answered by this process."""
        options, engine = self.options, self._engine
        memory = self._memory = MemoryWorld(
            self.clock,
            self.features,
            self._stores,
            self.faults,
            self._security.authorize,
            options.security,
            [node.id for node in self._nodes],
            self._settings.get,
        )
        engine.world = memory
        FlowRoutes(engine).register(self._router)
        self.cluster = Cluster(options.cluster_name, options.version, options.plugins or self.features.plugins)
        MachineLearningRoutes(engine, memory).register(self._router)
        ClusterRoutes(self.cluster, engine, memory).register(self._router)
        NamedRoutes(engine, memory).register(self._router)
        IndexRoutes(options.version, engine, memory).register(self._router)
        SnapshotRoutes(options.version, engine, memory, self.faults).register(self._router)
        return World(self._run, memory)

    def _world_behind(self, front: Front) -> World:
        """Everything but Flow Framework is a real cluster's; that too where the plugin is installed: then no route is ours."""
        world = OpenSearchWorld(self.features, front, front.real.security)
        self._engine.world = world
        if not front.real.flow_framework:
            FlowRoutes(self._engine).register(self._router)
            front.register(self._router, self._engine)
        return World(lambda work: work(), world)

    # -- for tests

    @property
    def url(self) -> str:
        """The first node."""
        return self.urls[0]

    @property
    def users(self) -> dict[str, User]:
        """Users by name; change a password or the permissions in place."""
        return self._security.users

    @property
    def in_flight(self) -> dict[str, int]:
        """By node: the deprovision calls that are under way now, whatever came of their answers."""
        return {node.name: len(node.tasks) for node in self._nodes}

    @property
    def writing(self) -> bool:
        """Whether something is written or done that no answer waits for."""
        return any(not task.done() for task in tuple(self._engine.background))

    @property
    def in_flight_max(self) -> dict[str, int]:
        """By node: the most deprovision calls that were ever under way at once."""
        return {node.name: node.in_flight_max for node in self._nodes}

    def add_user(
        self,
        name: str,
        password: str,
        permissions: list[str] | None = None,
        backend_roles: list[str] | None = None,
        roles: list[str] | None = None,
    ) -> None:
        """A user with these actions (globs over real action names). The role all_access makes an administrator."""
        user = User(name, password, permissions or [], backend_roles or [], roles or ["own_index"])
        self._security.users[name] = user

    def add_token(self, token: str, user: str) -> None:
        """A bearer token, or an access key of AWS, of that user."""
        self._security.tokens[token] = user

    def requests(self, method: str | None = None, path: str | None = None) -> list[Request]:
        """Logged requests with that method whose ``path?query`` the regular expression finds."""
        return [
            request
            for request in list(self.log)
            if (method is None or request.method == method) and (path is None or re.search(path, f"{request.path}?{request.query}"))
        ]

    def clear_log(self) -> None:
        self._run(self.log.clear)

    @property
    def _plugin(self) -> OpenSearchWorld | None:
        """Where the records are, if the real plugin keeps them."""
        world = self._engine.world
        return world if self._front is not None and self._front.real.flow_framework else None

    def load(self, state: Mapping[str, Any], template: Any = None) -> None:
        """Put a state document, and a template if one is given."""
        if self._plugin is not None:
            self._plugin.load(state, template)
        else:
            self._run(lambda: self._engine.load(state, template))

    def clear(self) -> None:
        """No workflow and no resource any more, as when it was started. Not in front of a real cluster."""
        self.world.clear()
        self._run(self._stores.indices.clear)

    def state(self, workflow_id: str) -> dict[str, Any] | None:
        """A copy of the state document as it is stored now."""
        if self._plugin is not None:
            return self._plugin.record(STATES, workflow_id)
        return self._run(lambda: copy.deepcopy(self._engine.state(workflow_id)))

    def template(self, workflow_id: str) -> dict[str, Any] | None:
        """A copy of the template as it is stored now."""
        if self._plugin is not None:
            return self._plugin.record(TEMPLATES, workflow_id)
        return self._run(lambda: copy.deepcopy(self._engine.template(workflow_id)))

    def crash(self) -> None:
        """Flow Framework's node dies: what is under way ends where it is, and gets no answer. What was written stays."""

        def end() -> None:
            for task in list(self._engine.background):
                task.cancel()

        self._run(end)

    @property
    def cluster_name(self) -> str:
        return self.options.cluster_name if self._front is None else self._front.cluster_name

    def at_once(self, work: Callable[[], T]) -> T:
        """Do several things to the cluster, or look at several, while it does nothing else; much cheaper than one by one."""
        return self._run(work)

    def passes(self, workflow_id: str) -> int | None:
        """How many passes the last deprovision of a workflow made; None where there was none."""
        return self._run(lambda: self._engine.passes.get(workflow_id))

    def provision(self, template: Mapping[str, Any], wait: bool = True, params: Mapping[str, str] | None = None) -> str:
        """Create and provision over HTTP as admin; the workflow's id. RuntimeError where the server refuses."""
        query = urlencode({"provision": "true", **(params or {})})
        status, body = self._request("POST", f"{BASE}?{query}", template)
        if status not in (201, 202):
            raise RuntimeError(f"the simulator refused the template: {status} {body}")
        id_ = str(body["workflow_id"])
        while wait and not self._provisioned(id_):
            time.sleep(0.005)
        return id_

    def _provisioned(self, id_: str) -> bool:
        state = self.state(id_) or {}
        return state.get("state") != "PROVISIONING" and not self._run(lambda: self._engine.provisioning(id_))

    def _request(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        parts = urlsplit(self.url)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.ca_cert)
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(str(parts.hostname), parts.port, timeout=60, context=context)
        else:
            connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
        headers = {"Content-Type": "application/json"}
        if self._security.enabled:
            admin = self._security.users["admin"]
            headers["Authorization"] = "Basic " + b64encode(f"admin:{admin.password}".encode()).decode()
        try:
            connection.request(method, target, json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    # -- the thread and its loop

    def _run(self, work: Callable[[], T]) -> T:
        """Do something in the server's thread, wherever it is called from."""
        if self._loop is None or not self._loop.is_running() or threading.current_thread() is self._thread:
            return work()

        async def inside() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(timeout=_START_SECONDS)

    def start(self) -> None:
        """Listen; returns when every node does. Raises what kept it from listening."""
        ready = threading.Event()
        failure: list[BaseException] = []
        tls = self._tls() if self.options.tls else None

        def thread() -> None:
            try:
                asyncio.run(self._serve(ready, tls))
            except BaseException as error:  # handed over to the thread that started this one
                failure.append(error)
                ready.set()

        self._thread = threading.Thread(target=thread, name="simulator", daemon=True)
        self._thread.start()
        if not ready.wait(_START_SECONDS):
            raise TimeoutError("the simulator did not start")
        if failure:
            raise failure[0]

    def stop(self) -> None:
        """Stop listening; whatever hangs is dropped."""
        if self._loop is not None and self._stop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(_START_SECONDS)

    async def _serve(self, ready: threading.Event, tls: ssl.SSLContext | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = web.Server(self._receive, access_log=None, max_line_size=1 << 20, max_field_size=1 << 16)
        runner = web.ServerRunner(server, shutdown_timeout=0.05)
        await runner.setup()
        try:
            for number, node in enumerate(self._nodes):
                port = self.options.port + number if self.options.port else 0
                site = web.TCPSite(runner, self.options.host, port, ssl_context=tls)
                await site.start()
                listening = runner.addresses[-1]
                self._ports[listening[1]] = node
                scheme = "https" if tls else "http"
                self.urls.append(f"{scheme}://{self.options.host}:{listening[1]}")
            ready.set()
            await self._stop.wait()
        finally:
            for task in list(self._engine.background):
                task.cancel()
            await runner.cleanup()
            if self._front is not None:
                await self._front.close()

    def _tls(self) -> ssl.SSLContext:
        if self._front is None:
            return self._certificates()
        self.ca_cert = self._front.real.ca_cert
        return self._front.tls()

    def _certificates(self) -> ssl.SSLContext:
        """A CA of its own, a certificate for this host, and one for a client whose name is admin."""
        authority = trustme.CA()
        server = authority.issue_cert(self.options.host, "localhost")
        client = authority.issue_cert("admin@example.org", common_name="admin")
        ca, cert, key = (self._directory / name for name in ("ca.pem", "client.pem", "client.key"))
        authority.cert_pem.write_to_path(ca)
        for blob in client.cert_chain_pems:
            blob.write_to_path(cert, append=True)
        client.private_key_pem.write_to_path(key)
        self.ca_cert, self.client_cert, self.client_key = str(ca), str(cert), str(key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.configure_cert(context)
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    # -- one request

    async def _receive(self, received: web.BaseRequest) -> web.StreamResponse:
        raw_path, _sign, query = received.raw_path.partition("?")
        try:
            content = await received.content.read(-1)
        except ConnectionResetError:  # the client was gone before it had said everything
            return web.Response()
        port = received.transport.get_extra_info("sockname")[1] if received.transport else 0
        node = self._ports.get(port, self._nodes[0])
        call = Call(
            received.method,
            raw_path,
            query,
            received.headers,
            content,
            node,
            Caller(),
            received.headers.get("X-Opaque-Id"),
            certificate=_common_name(received),
        )
        if raw_path.startswith(CONTROL):
            return _response(call, self._control.answer(call))
        request = Request(node.name, call.method, raw_path, query, _parsed(content), opaque_id=call.opaque_id)
        request.authorization = received.headers.get("Authorization")
        self.log.append(request)
        for hook in list(self.faults.hooks):
            hook(request)
        rules = self.faults.take(call.method, f"{raw_path}?{query}")
        for rule in rules:
            if rule.action == "delay":
                await asyncio.sleep(rule.seconds)
        spoiling = next((rule for rule in rules if rule.action != "delay"), None)
        if spoiling is None:
            try:
                return _response(call, await self._worked(call, request))
            except ConnectionError:  # there is no answer
                request.ended = time.time()
                _reset(received)
                return web.Response()
        if spoiling.action == "truncate" or (spoiling.when == "after" and spoiling.action != "silence"):
            answer = await self._worked(call, request)
            return await self._spoiled(received, call, request, spoiling, answer)
        if spoiling.when != "before":
            self._engine.spawn(self._answer(call, request))
        return await self._spoiled(received, call, request, spoiling, None)

    async def _worked(self, call: Call, request: Request) -> Answer:
        """The real answer; the work goes on when the client is gone. ConnectionError where it ended without one."""
        work = self._engine.spawn(self._answer(call, request))
        try:
            answer: Answer = await asyncio.shield(work)
        except asyncio.CancelledError:
            if work.cancelled():
                raise ConnectionError("the node died") from None
            raise
        return answer

    async def _answer(self, call: Call, request: Request) -> Answer:
        """Do what was asked and log how it ended."""
        try:
            answer = await self._handled(call, request)
        except Refused as refused:
            call.params.pop("filter_path", None)  # core shows errors whole
            content_type = TEXT if isinstance(refused.body, str) else JSON
            answer = Answer(refused.status, refused.body, content_type)
        request.status = answer.status
        request.ended = time.time()
        return answer

    async def _handled(self, call: Call, request: Request) -> Answer:
        call.params = parse_query(call.query)
        if self._front is not None and not self._router.knows(call):
            return await self._front.pass_on(call)
        line = f"{call.method} {call.uri} HTTP/1.1"
        if len(line.encode()) > LONGEST_LINE:
            raise core_error("too_long_http_line_exception", f"An HTTP line is larger than {LONGEST_LINE} bytes.", 400)
        if self._front is None:
            call.caller = Caller(self._security.authenticate(call.headers, call.certificate))
        elif call.raw_path.startswith(BASE):
            call.caller = await self._front.caller(call.headers, call.certificate)
        request.user = call.caller.user.name if call.caller.user is not None else None
        if self.faults.plugin_absent and call.raw_path.startswith("/_plugins/_flow_framework"):
            raise no_handler(call)
        return await self._router.dispatch(call)

    async def _spoiled(self, received: web.BaseRequest, call: Call, request: Request, rule: Rule, answer: Answer | None) -> web.StreamResponse:
        if rule.action == "silence":
            await asyncio.get_running_loop().create_future()  # until the client or the simulator ends it
        request.ended = time.time()
        if rule.action == "reset":
            request.status = None
            _reset(received)
            return web.Response()
        if rule.action == "answer":
            request.status = rule.status
            return _response(call, Answer(rule.status, rule.body, rule.content_type))
        request.status = 200
        if rule.action == "empty":
            return _response(call, Answer(200, ""))
        if rule.action == "html":
            return _response(call, Answer(200, PROXY_PAGE, "text/html"))
        if answer is None:
            raise AssertionError("truncating needs an answer")
        request.status = answer.status
        text = answer.body if isinstance(answer.body, (bytes, str)) else json.dumps(answer.body)
        return _response(call, Answer(answer.status, text[: len(text) // 2], answer.content_type))


def _response(call: Call, answer: Answer) -> web.Response:
    body = answer.body
    if not isinstance(body, (str, bytes)):
        if call.params.get("filter_path") and answer.status < 400:  # errors are shown whole
            body = filtered(body, call.params["filter_path"])
        pretty = call.params.get("pretty", "false") in ("", "true")
        body = json.dumps(body, indent=2 if pretty else None, separators=None if pretty else (",", ":"))
    headers = {**answer.headers, "Content-Type": answer.content_type}
    if call.opaque_id is not None:
        headers["X-Opaque-Id"] = call.opaque_id
    return web.Response(status=answer.status, body=body if isinstance(body, bytes) else body.encode(), headers=headers)


def _parsed(content: bytes) -> Any:
    """The body for the log: JSON, or text where it is none."""
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def _common_name(received: web.BaseRequest) -> str | None:
    certificate = received.transport.get_extra_info("peercert") if received.transport else None
    for part in (certificate or {}).get("subject", ()):
        for name, value in part:
            if name == "commonName":
                return str(value)
    return None


def _reset(received: web.BaseRequest) -> None:
    """End the connection with a RST instead of an orderly FIN."""
    transport = received.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


@contextmanager
def in_front(
    real: RealCluster, clock: float = 1.0, pool: int | None = None, multi_tenancy: bool = False, host: str = "127.0.0.1", port: int = 0
) -> Iterator[Simulator]:
    """Flow Framework in front of a real cluster: its routes are simulated, everything else is the cluster's own.

    Like ``running``, but for what the cluster decides: version, nodes, TLS and the security plugin. ``world`` is the
    cluster's.
    """
    options = Options(real.version, clock, real.security, real.security, pool, len(real.urls), "", multi_tenancy, None, host, port)
    with _started(options, real) as simulator:
        yield simulator


@contextmanager
def running(
    version: str = "3.6.0",
    clock: float = 0.0,
    security: bool = False,
    tls: bool = False,
    pool: int | None = None,
    nodes: int = 1,
    cluster_name: str = "simulator",
    multi_tenancy: bool = False,
    plugins: tuple[str, ...] | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Simulator]:
    """A cluster that listens for as long as the context lasts, in a thread and event loop of its own.

    ``version``: of OpenSearch and Flow Framework. ``clock``: 1 pauses as the real server does, 0 not at all.
    ``security``: the security plugin, users as in security.py. ``tls``: HTTPS, certificates under ``ca_cert``.
    ``pool``: maximum of the deprovision pool. ``plugins``: what ``_cat/plugins`` lists, instead of the version's.
    """
    if nodes < 1:
        raise ValueError("a cluster has at least one node")
    options = Options(version, clock, security, tls, pool, nodes, cluster_name, multi_tenancy, plugins, host, port)
    with _started(options) as simulator:
        yield simulator


@contextmanager
def _started(options: Options, real: RealCluster | None = None) -> Iterator[Simulator]:
    with tempfile.TemporaryDirectory(prefix="simulator-") as directory:
        simulator = Simulator(options, Path(directory), real)
        simulator.start()
        try:
            yield simulator
        finally:
            simulator.stop()
