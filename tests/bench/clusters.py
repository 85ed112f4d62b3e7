# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured against: a simulated cluster in a process of its own, or one real server by URL."""

from __future__ import annotations

import hashlib
import multiprocessing
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol
from urllib.parse import quote

from tests.contract.client import Client
from tests.integration.helpers import NAMED, STEPS, entries_of, state

WORKFLOW = "/_plugins/_flow_framework/workflow"
POOL = "/_cat/thread_pool/opensearch_deprovision_workflow?format=json&h=node_name,max"


class CannotMeasure(Exception):
    """Something that this cluster does not offer; the text says what."""


@dataclass(frozen=True)
class Environment:
    """One workflow, and (kind, id) of each resource in the order of its record."""

    workflow_id: str
    resources: tuple[tuple[str, str], ...]

    @property
    def named(self) -> list[str]:
        """What allow_delete has to name."""
        return [id_ for kind, id_ in self.resources if kind in NAMED]


@dataclass(frozen=True)
class Counts:
    """What a simulated cluster saw since it was last cleared, and what it still holds.

    ``in_flight``: the most deprovisions under way at once on any one node, since it was started. ``processor``: seconds
    of processor time of the simulator. ``left``: resources that are there.
    """

    requests: int
    deprovisions: int
    in_flight: int
    processor: float
    left: int


class Cluster(Protocol):
    """What the ways of tearing down are tried on."""

    urls: list[str]
    user: str | None
    password: str | None
    ca_cert: str | None
    insecure: bool

    def pipelines(self, workflows: int, each: int) -> list[Environment]:
        """That many provisioned workflows with so many ingest pipelines each; nothing else counts as measured."""

    def estate(self, workflows: int) -> list[Environment]:
        """That many provisioned workflows of connector, model, ingest pipeline, index and search pipeline."""

    def counts(self) -> Counts | None:
        """What it saw; None where nobody can tell."""

    def clear(self) -> None:
        """Begin to count anew."""


def client_of(cluster: Cluster) -> Client:
    """Bare HTTP."""
    return Client(cluster.urls[0], user=cluster.user, password=cluster.password, ca_cert=cluster.ca_cert, insecure=cluster.insecure, timeout=600)


def pool_maximum(cluster: Cluster) -> int:
    """Threads of the deprovision pool, the fewest of all nodes. Raises CannotMeasure where one call would hang it."""
    answer = client_of(cluster).send("GET", POOL)
    if answer.status != 200 or not answer.body:
        raise CannotMeasure(f"the deprovision pool of {cluster.urls[0]} cannot be read: {answer.status} {answer.body}")
    most = min(int(row["max"]) for row in answer.body)
    if most < 2:
        raise CannotMeasure("the deprovision pool has one thread: any call hangs the node")
    return most


# -- environments ------------------------------------------------------------------------------------------------------


def generated(text: str) -> str:
    """Twenty letters and digits, like the ids that the server makes; the same for the same text."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def with_pipelines(number: int, each: int) -> Environment:
    """One workflow of ingest pipelines only."""
    pipelines = [("ingest_pipeline", f"preview-{number:03d}-pipeline-{one}") for one in range(1, each + 1)]
    return Environment(generated(f"preview-{number}"), tuple(pipelines))


def with_five(number: int) -> Environment:
    """One workflow of five resources, with the names that a tenant's would have."""
    name = f"tenant-{number:05d}"
    made = [("connector", generated(name + "connector")), ("model", generated(name + "model"))]
    made += [("ingest_pipeline", name + "-embed"), ("index", name + "-docs"), ("search_pipeline", name + "-hybrid")]
    return Environment(generated(name), tuple(made))


CREATED = int(time.time() * 1000) - 120_000  # milliseconds: before any provisioning ended, however long loading takes


def attributes(kind: str, ids: dict[str, str]) -> dict[str, Any]:
    """What a resource is made with: the five use each other as those of a published template do."""
    if kind == "connector":
        return {}
    if kind == "model":
        return {"state": "DEPLOYED", "connector_id": ids["connector"]}
    if kind == "index":
        pipelines = {"default_pipeline": ids["ingest_pipeline"], "search.default_pipeline": ids["search_pipeline"]}
        return {"documents": 12, "size_in_bytes": 4096, "settings": pipelines, "creation_date": CREATED}
    if kind == "ingest_pipeline" and "model" in ids:
        return {"body": {"processors": [{"text_embedding": {"model_id": ids["model"], "field_map": {"text": "vector"}}}]}}
    if kind == "search_pipeline" and "model" in ids:
        return {"body": {"request_processors": [{"neural_query_enricher": {"default_model_id": ids["model"]}}]}}
    return {}


# -- the simulated cluster ---------------------------------------------------------------------------------------------


class Simulated:
    """A simulated cluster. It lives in another process, so that it shares no interpreter with what is measured."""

    user: str | None = None
    password: str | None = None
    ca_cert: str | None = None
    insecure = False

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.urls: list[str] = pipe.recv()

    def pipelines(self, workflows: int, each: int) -> list[Environment]:
        return self.loaded(with_pipelines(number, each) for number in range(workflows))

    def estate(self, workflows: int) -> list[Environment]:
        return self.loaded(with_five(number) for number in range(workflows))

    def loaded(self, environments: Iterable[Environment]) -> list[Environment]:
        """Put all of them there at once, not by HTTP."""
        made = list(environments)
        self.ask("load", made)
        return made

    def counts(self) -> Counts:
        counts: Counts = self.ask("counts")
        return counts

    def clear(self) -> None:
        self.ask("clear")

    def ask(self, name: str, argument: Any = None) -> Any:
        """Let the other process do something, and wait for it."""
        self.pipe.send((name, argument))
        return self.pipe.recv()


@contextmanager
def simulated(**options: Any) -> Iterator[Simulated]:
    """A cluster for as long as the context lasts; ``options`` as of ``tests.simulator.running``."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, options), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Simulated(ours)
    finally:
        ours.close()  # it ends when nobody is there to ask it
        process.join()


def serve(pipe: Connection, options: dict[str, Any]) -> None:
    """The other process: the simulator, and what it is asked to do, until nobody asks any more."""
    from tests.simulator import running

    with running(**options) as sim:
        pipe.send(sim.urls)
        began = time.process_time()
        while True:
            try:
                name, argument = pipe.recv()
            except EOFError:
                return
            if name == "load":
                load(sim, argument)
            if name in ("load", "clear"):
                sim.clear_log()
                began = time.process_time()
            pipe.send(counts_of(sim, began) if name == "counts" else None)


def load(sim: Any, environments: Sequence[Environment]) -> None:
    """All of them in one go in the simulator's thread: the calls between threads are what takes time."""

    def put() -> None:
        for one in environments:
            ids = dict(one.resources)
            for kind, id_ in one.resources:
                sim.world.put(kind, id_, **attributes(kind, ids))
            sim.load(state(one.workflow_id, entries_of(one.resources)), {"name": one.workflow_id, "workflows": {"provision": {"nodes": []}}})

    sim._run(put)


def counts_of(sim: Any, began: float) -> Counts:
    """What the simulator saw; ``began``: its processor time then."""
    return Counts(
        requests=len(sim.requests()),
        deprovisions=len(sim.requests("POST", "/_deprovision")),
        in_flight=max(sim.in_flight_max.values()),
        processor=time.process_time() - began,
        left=sum(len(sim.world.ids(kind)) for kind in STEPS),
    )


# -- a real server -----------------------------------------------------------------------------------------------------


class Real:
    """A real server. It provisions the workflows itself, by its own API, again for each way of tearing them down."""

    def __init__(self, url: str, user: str | None, password: str | None, ca_cert: str | None, insecure: bool) -> None:
        self.urls = [url.rstrip("/")]
        self.user, self.password, self.ca_cert, self.insecure = user, password, ca_cert, insecure
        self.client = client_of(self)
        self.prefix = f"bench-{uuid.uuid4().hex[:8]}"
        self.made: list[Environment] = []

    def pipelines(self, workflows: int, each: int) -> list[Environment]:
        while len(self.made) < workflows:
            self.made.append(self.created(len(self.made), each))
        for one in self.made[:workflows]:  # one after the other: nobody knows what a full provision pool does
            if self.state(one) == "NOT_STARTED":
                self.send("POST", f"{WORKFLOW}/{one.workflow_id}/_provision")
            self.wait(one)
        return self.made[:workflows]

    def estate(self, workflows: int) -> list[Environment]:
        raise CannotMeasure("only on the simulator")

    def counts(self) -> Counts | None:
        return None

    def clear(self) -> None:
        pass

    def created(self, number: int, each: int) -> Environment:
        """One workflow, not yet provisioned."""
        names = [f"{self.prefix}-{number:03d}-pipeline-{one}" for one in range(1, each + 1)]
        body = '{"description": "benchmark of opensearch_ops.flow_framework", "processors": []}'
        nodes = [
            {"id": f"pipeline_{one}", "type": "create_ingest_pipeline", "user_inputs": {"pipeline_id": name, "configurations": body}}
            for one, name in enumerate(names)
        ]
        template = {
            "name": f"{self.prefix}-{number:03d}",
            "description": "benchmark of opensearch_ops.flow_framework",
            "use_case": "CUSTOM",
            "version": {"template": "1.0.0", "compatibility": ["2.12.0", "3.0.0"]},
            "workflows": {"provision": {"nodes": nodes}},
        }
        answer = self.send("POST", WORKFLOW, template)
        return Environment(str(answer["workflow_id"]), tuple(("ingest_pipeline", name) for name in names))

    def send(self, method: str, path: str, *body: Any) -> Any:
        """One request that has to succeed."""
        answer = self.client.send(method, path, *body)
        if answer.status not in (200, 201, 202):
            raise CannotMeasure(f"{method} {path}: {answer.status} {answer.body}")
        return answer.body

    def state(self, one: Environment) -> str:
        return str(self.send("GET", f"{WORKFLOW}/{one.workflow_id}/_status")["state"])

    def wait(self, one: Environment) -> None:
        """Until a workflow is provisioned."""
        limit = time.monotonic() + 120
        while self.state(one) != "COMPLETED":
            if time.monotonic() > limit:
                raise CannotMeasure(f"workflow {one.workflow_id} did not get provisioned")
            time.sleep(0.2)

    def take_away(self) -> None:
        """Everything that was made here, by its exact name; also what a broken-off run left."""
        for one in self.made:
            self.client.send("POST", f"{WORKFLOW}/{one.workflow_id}/_deprovision?allow_delete={quote(','.join(one.named))}")
            for _kind, id_ in one.resources:
                self.client.send("DELETE", f"/_ingest/pipeline/{quote(id_)}")
            self.client.send("DELETE", f"{WORKFLOW}/{one.workflow_id}?clear_status=true")
