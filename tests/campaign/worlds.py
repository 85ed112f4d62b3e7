# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated worlds: what exists on a cluster, what its workflows record of it, and who else uses it.

Plain data, so that the same world can be put on two simulators and printed when something goes wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.simulator import Simulator
from tests.simulator.store import STATES

Key = tuple[str, str]  # kind and id

# Which kind of resource a step records, and the type that the server writes beside it (behaviour.md 2.2).
STEPS: Mapping[str, str] = {
    "create_connector": "connector",
    "register_remote_model": "model",
    "register_local_pretrained_model": "model",
    "deploy_model": "model",
    "register_agent": "agent",
    "register_model_group": "model_group",
    "create_index": "index",
    "reindex": "index",
    "create_ingest_pipeline": "ingest_pipeline",
    "create_search_pipeline": "search_pipeline",
}
TYPES: Mapping[str, str] = {
    "connector": "connector_id",
    "model": "model_id",
    "agent": "agent_id",
    "model_group": "model_group_id",
    "index": "index_name",
    "ingest_pipeline": "pipeline_id",
    "search_pipeline": "pipeline_id",
}
NAMED = ("index", "ingest_pipeline", "search_pipeline")
"""Kinds that a person names, and that go only when they are named."""
WORLD = (*TYPES, "alias")

STARTED, ENDED = 1700000000000, 1700000060000  # epoch milliseconds: provisioning of every workflow
PROVISIONED = 1700000050000  # before that end: creation of what the workflow made
LATER = ENDED + 2 * 3_600_000  # clearly after it

MARK = "opensearch_ops.flow_framework: an empty placeholder, so that Flow Framework can clear its record"
"""What a placeholder of the collection bears; written out here, so that a changed mark is noticed."""

VERSIONS = (
    "2.12.0", "2.13.0", "2.14.0", "2.15.0", "2.16.0", "2.17.1", "2.18.0", "2.19.1", "2.19.4",
    "3.0.0", "3.1.0", "3.2.0", "3.3.2", "3.4.0", "3.5.0", "3.6.0", "3.7.0", "3.8.0",
)  # fmt: skip

DANGEROUS = {
    "index": ("logs*", "a,b", "-minus", "_all", "..", ".", "<logs-{now/d}>", "what?"),
    "ingest_pipeline": ("a,b", "p*", " blank ", "*", "line\n"),
    "search_pipeline": ("a,b", "p*", "\ttab", "*"),
    "connector": ("a,b", "../x", "x y", "*", "ü"),
    "model": ("a,b", "_all/x", "*"),
    "agent": ("*", "a/b"),
}
HARMLESS = {
    "index": ("ä-{}", "{}.x", "{}-" + "i" * 200),
    "ingest_pipeline": ("{} inner blank", "{}%20", "{}/slash", "ü{}", "{}..", "{}?#&=+;"),
    "search_pipeline": ("{} x", "{}%2C", "{}/../x", "日本{}", "{}" + "s" * 200),
}


@dataclass
class Flow:
    """One workflow: its record as (step, id), and its template. ``state`` is None where there is no state document."""

    id: str
    state: str | None
    entries: list[tuple[str, str]] = field(default_factory=list)
    template: dict[str, Any] | None = None

    @property
    def keys(self) -> list[Key]:
        return [(STEPS.get(step, "other"), id_) for step, id_ in self.entries]

    def document(self) -> dict[str, Any]:
        """The state document, as ``sim.load`` takes it."""
        progress = {"COMPLETED": "DONE", "FAILED": "FAILED", "PROVISIONING": "IN_PROGRESS"}.get(str(self.state), "NOT_STARTED")
        made: dict[str, Any] = {"workflow_id": self.id, "state": self.state, "provisioning_progress": progress}
        made["resources_created"] = [entry(step, id_, f"step_{number}") for number, (step, id_) in enumerate(self.entries)]
        if self.state != "NOT_STARTED":
            made["provision_start_time"] = STARTED
        if self.state in ("COMPLETED", "FAILED"):
            made["provision_end_time"] = ENDED
        if self.state == "FAILED":
            made["error"] = "org.opensearch.flowframework.exception.FlowFrameworkException during step step_0"
        return made


def entry(step: str, id_: str, step_id: str = "step") -> dict[str, str]:
    """One entry of a record."""
    return {
        "workflow_step_name": step,
        "workflow_step_id": step_id,
        "resource_type": TYPES.get(STEPS.get(step, ""), "model_id"),
        "resource_id": id_,
    }


@dataclass
class World:
    """A cluster before anything is sent."""

    version: str
    security: bool = False
    nodes: int = 1
    pool: int | None = None
    clock: float = 0.0
    things: dict[Key, dict[str, Any]] = field(default_factory=dict)
    task: list[Flow] = field(default_factory=list)  # what every run is about
    beside: list[Flow] = field(default_factory=list)  # what runs beside are about; nothing of it is in the task
    foreign: list[Flow] = field(default_factory=list)  # nobody may touch these
    shared: set[Key] = field(default_factory=set)  # used by somebody outside, or made after provisioning had ended
    placeholders: set[Key] = field(default_factory=set)

    @property
    def flows(self) -> list[Flow]:
        return [*self.task, *self.beside, *self.foreign]

    @property
    def level(self) -> tuple[int, ...]:
        return tuple(map(int, self.version.split(".")))

    def readable(self) -> str:
        """The world, one thing a line."""
        lines = [f"version {self.version}, security {self.security}, nodes {self.nodes}, pool {self.pool}, clock {self.clock}"]
        for name in ("task", "beside", "foreign"):
            for flow in getattr(self, name):
                kept = "no template" if flow.template is None else "template " + json.dumps(flow.template, ensure_ascii=False)
                lines.append(f"  {name} {flow.id} {flow.state}, {kept}")
                for (step, id_), key in zip(flow.entries, flow.keys, strict=True):
                    words = [f"{step} {id_!r}", "exists" if key in self.things else "GONE"]
                    words += ["placeholder"] * (key in self.placeholders) + ["shared"] * (key in self.shared)
                    lines.append("    " + ", ".join(words))
        lines += [f"  {kind}/{id_!r} {json.dumps(facts, ensure_ascii=False)}" for (kind, id_), facts in self.things.items()]
        return "\n".join(lines)


# -- on a simulator ----------------------------------------------------------------------------------------------------


def put(sim: Simulator, world: World) -> None:
    """Put a world on a fresh simulator."""
    sim.at_once(lambda: put_all(sim, world))


def put_all(sim: Simulator, world: World) -> None:
    """The same, in the simulator's thread."""
    for (kind, id_), facts in world.things.items():
        sim.world.put(kind, id_, **json.loads(json.dumps(facts)))
    for flow in world.flows:
        if flow.state is not None:
            sim.load(flow.document(), template=flow.template)
        elif flow.template is not None:
            sim.load({**flow.document(), "state": "NOT_STARTED"}, template=flow.template)
            forget(sim, flow.id)


def forget(sim: Simulator, workflow_id: str) -> None:
    """Take a state document away behind the server's back: its template stays."""
    sim.at_once(lambda: sim._engine.stores.made(STATES).delete(workflow_id))


VOLATILE = (
    "created_time",
    "last_updated_time",
    "last_deployed_time",
    "auto_redeploy_retry_times",
    # An undeploy writes these even where the model was not deployed; whether it was stands in model_state.
    "planning_worker_nodes",
    "planning_worker_node_count",
    "current_worker_node_count",
    "deploy_to_all_nodes",
)


@dataclass(frozen=True)
class Picture:
    """A cluster at one moment, without times: things by key, records and templates by workflow id."""

    things: dict[Key, dict[str, Any]]
    states: dict[str, dict[str, Any]]
    templates: dict[str, dict[str, Any]]

    def is_placeholder(self, key: Key) -> bool:
        return key in self.things and bears_mark(key[0], self.things[key])


def bears_mark(kind: str, facts: Mapping[str, Any]) -> bool:
    """Whether this is an empty placeholder of the collection."""
    if kind == "index":
        return ((facts.get("mappings") or {}).get("_meta") or {}).get("description") == MARK and not facts.get("documents")
    return (facts.get("body") or {}).get("description") == MARK


def picture(sim: Simulator, world: World) -> Picture:
    """What is there now."""
    return sim.at_once(lambda: look_at_all(sim, world))


def look_at_all(sim: Simulator, world: World) -> Picture:
    """The same, in the simulator's thread."""
    things: dict[Key, dict[str, Any]] = {}
    for kind in WORLD:
        for id_ in sim.world.ids(kind):
            facts = sim.world.get(kind, id_) or {}
            facts = {name: value for name, value in facts.items() if name not in VOLATILE}
            if kind == "index" and bears_mark(kind, facts):
                facts = {"placeholder": True, "mappings": facts["mappings"]}
            things[kind, id_] = facts
    states, templates = {}, {}
    for flow in world.flows:
        state, template = sim.state(flow.id), sim.template(flow.id)
        if state is not None:
            records = sorted((one["workflow_step_name"], one["resource_id"]) for one in state.get("resources_created", []))
            states[flow.id] = {
                "state": state["state"],
                "progress": state.get("provisioning_progress"),
                "records": records,
            }
        if template is not None:
            templates[flow.id] = {"name": template.get("name"), "workflows": template.get("workflows")}
    return Picture(things, states, templates)


# -- generation --------------------------------------------------------------------------------------------------------


class Maker:
    """Makes one world from one source of chance."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.world = World(rng.choice(VERSIONS))
        self.number = 0

    def maybe(self, chance: float) -> bool:
        return self.rng.random() < chance

    def id(self, prefix: str) -> str:
        """An id as OpenSearch generates them: a few start with - or _."""
        self.number += 1
        return f"{self.rng.choice(['', '', '', '', '-', '_'])}{prefix}{self.number}"

    def make(self) -> World:
        """A whole world."""
        rng, world = self.rng, self.world
        world.security = self.maybe(0.25)
        world.nodes = 2 if self.maybe(0.2) else 1
        world.pool = rng.choice([None, None, None, 2, 3, 1]) if self.maybe(0.3) else None
        world.clock = rng.choice([0.0, 0.0, 0.02, 0.05])
        self.bystanders()
        world.task = [self.flow("task") for _number in range(rng.choice([1, 1, 2, 2, 3, 4]))]
        world.beside = [self.flow("beside") for _number in range(rng.choice([0, 0, 1, 2]))]
        return world

    def put(self, kind: str, id_: str, **facts: Any) -> Key:
        self.world.things.setdefault((kind, id_), facts)
        return kind, id_

    def bystanders(self) -> None:
        """What nobody may touch: near in name to what dangerous ids would match."""
        self.put("index", "logs-of-others", uuid="uuid_of_logs_of_others", creation_date=PROVISIONED, documents=7)
        self.put("index", "a", uuid="uuid_of_a", creation_date=PROVISIONED)
        for kind in ("ingest_pipeline", "search_pipeline"):
            for name in ("a", "b", "p-of-others", "blank", "a,b", "x y"):
                self.put(
                    kind,
                    name,
                    body={"description": "of others", **({"processors": []} if kind == "ingest_pipeline" else {})},
                )
        self.put("model_group", "group_of_others")
        self.put("connector", "connector_of_others")
        self.put(
            "model",
            "model_of_others",
            state="DEPLOYED",
            connector_id="connector_of_others",
            model_group_id="group_of_others",
        )
        self.put("agent", "agent_of_others", body={"llm": {"model_id": "model_of_others"}})
        records = [
            ("create_connector", "connector_of_others"),
            ("register_remote_model", "model_of_others"),
            ("create_index", "logs-of-others"),
        ]
        self.world.foreign.append(Flow("flow_of_others", "COMPLETED", records, {"name": "others"}))

    # -- one workflow

    def flow(self, owner: str) -> Flow:
        rng = self.rng
        flow = Flow(self.id("wf_"), rng.choice(["COMPLETED"] * 6 + ["FAILED", "FAILED", "NOT_STARTED", "PROVISIONING"]))
        for _number in range(rng.choice([0, 1, 2, 3, 4, 5, 6, 8])):
            self.resource(flow, owner)
        if self.maybe(0.03):
            self.many_pipelines(flow)
        if self.maybe(0.03):
            flow.entries.append(("create_wonder", self.id("wonder_")))
        if self.maybe(0.85):
            flow.template = self.template(flow)
        if self.maybe(0.05):
            flow.state, flow.entries = None, []
        return flow

    def template(self, flow: Flow) -> dict[str, Any]:
        """A template that names, literally, some of what the workflow recorded, and something that no record holds."""
        named = {"index": "index_name", "ingest_pipeline": "pipeline_id", "search_pipeline": "pipeline_id"}
        nodes = []
        for number, (step, id_) in enumerate(flow.entries):
            field_name = named.get(STEPS.get(step, ""))
            inputs = {field_name: id_} if field_name else {"name": id_}
            if step in STEPS:
                nodes.append({"id": f"step_{number}", "type": step, "user_inputs": inputs})
        if self.maybe(0.15):
            lost = self.id("unrecorded-").strip("-_")
            self.put("index", lost, uuid="uuid_of_" + lost, creation_date=PROVISIONED)
            nodes.append({"id": "step_lost", "type": "create_index", "user_inputs": {"index_name": lost}})
        return {"name": "env-" + flow.id.strip("-_"), "workflows": {"provision": {"nodes": nodes}}}

    def many_pipelines(self, flow: Flow) -> None:
        """More than one request line can name."""
        for number in range(22):
            name = f"{flow.id.strip('-_')}-" + "long" * 45 + str(number)
            flow.entries.append(("create_ingest_pipeline", name))
            self.put("ingest_pipeline", name, body={"processors": []})

    def steps(self) -> list[str]:
        """The steps that a server of this version can have recorded."""
        known = list(STEPS)
        if self.world.level < (2, 13):
            known.remove("create_search_pipeline")
        if self.world.level < (2, 15):
            known.remove("reindex")
        return known

    def resource(self, flow: Flow, owner: str) -> None:
        """One entry of a record, or two, with what exists of it."""
        step = self.rng.choice([*self.steps(), "create_index", "create_ingest_pipeline", "register_remote_model"])
        kind = STEPS[step]
        if step not in self.steps():
            return
        if step == "deploy_model":
            self.deploy_only(flow)
        elif kind in DANGEROUS and self.maybe(0.03):
            flow.entries.append((step, self.rng.choice(DANGEROUS[kind])))
        elif kind in NAMED:
            self.named(flow, owner, step, kind)
        else:
            self.generated(flow, step, kind)

    def deploy_only(self, flow: Flow) -> None:
        """A model that was there before and is only deployed by this workflow."""
        model = self.id("theirs_")
        flow.entries.append(("deploy_model", model))
        if self.maybe(0.85):
            self.put("model", model, state=self.rng.choice(["DEPLOYED", "DEPLOYED", "UNDEPLOYED"]))

    def generated(self, flow: Flow, step: str, kind: str) -> None:
        id_ = self.id(kind + "_")
        flow.entries.append((step, id_))
        exists = self.maybe(0.82)
        facts: dict[str, Any] = {}
        if kind == "model":
            deploys = self.maybe(0.5)
            if deploys:
                flow.entries.append(("deploy_model", id_))
            facts["state"] = self.rng.choice(["DEPLOYED", "DEPLOYED", "UNDEPLOYED"]) if deploys or self.maybe(0.1) else "REGISTERED"
            connectors = self.of(flow, "connector")
            if connectors and self.maybe(0.8):
                facts["connector_id"] = self.rng.choice(connectors)
            groups = self.of(flow, "model_group")
            if groups and self.maybe(0.5):
                facts["model_group_id"] = self.rng.choice(groups)
        if kind == "agent":
            models = self.of(flow, "model")
            if models:
                facts["body"] = {"llm": {"model_id": self.rng.choice(models)}}
        if not exists:
            return
        key = self.put(kind, id_, **facts)
        if self.maybe(0.07):
            self.use(key)

    def of(self, flow: Flow, kind: str) -> list[str]:
        """The ids of one kind that a workflow made, and that exist."""
        return [id_ for (step, id_), key in zip(flow.entries, flow.keys, strict=True) if key[0] == kind and key in self.world.things and step != "deploy_model"]

    def named(self, flow: Flow, owner: str, step: str, kind: str) -> None:
        world, rng = self.world, self.rng
        mates = sorted(
            {id_ for f in [*getattr(world, owner), flow] for k, id_ in f.keys if k in NAMED and (k, id_) not in world.shared and not self.dangerous(k, id_)}
        )
        if mates and self.maybe(0.12):
            id_ = rng.choice(mates)  # of another kind, or recorded by another workflow of the task too
        else:
            id_ = self.id(kind[:6].strip("_") + "-").strip("-_")
            if self.maybe(0.12):
                id_ = rng.choice(HARMLESS[kind]).format(id_)
        if kind == "index" and (id_ != id_.lower() or any(sign in id_ for sign in " /%?#&")):
            return
        if (step, id_) in flow.entries:
            return
        flow.entries.append((step, id_))
        key = (kind, id_)
        if key in world.things or self.maybe(0.18) or (kind == "index" and ("alias", id_) in world.things):
            return
        if step == "reindex":
            self.put(kind, id_, uuid="uuid_of_" + id_, creation_date=PROVISIONED, documents=1)
            return
        if self.maybe(0.06):
            self.placeholder(key)
        elif kind == "index":
            self.index(flow, id_)
        elif kind == "ingest_pipeline":
            models = self.of(flow, "model")
            processors = [{"text_embedding": {"model_id": rng.choice(models)}}] if models and self.maybe(0.5) else []
            self.put(kind, id_, body={"description": "made", "processors": processors})
        else:
            self.put(kind, id_, body={"description": "made"})
        if key in world.things and key not in world.placeholders and self.maybe(0.07):
            self.use(key)

    @staticmethod
    def dangerous(kind: str, id_: str) -> bool:
        return id_ in DANGEROUS[kind]

    def placeholder(self, key: Key) -> None:
        kind, id_ = key
        self.world.placeholders.add(key)
        if kind == "index":
            self.put(
                kind,
                id_,
                uuid="uuid_of_" + id_,
                creation_date=LATER,
                settings={"index.blocks.write": True},
                mappings={"_meta": {"description": MARK}},
            )
        else:
            self.put(kind, id_, body={"description": MARK, **({"processors": []} if kind == "ingest_pipeline" else {})})

    def index(self, flow: Flow, id_: str) -> None:
        rng = self.rng
        if self.maybe(0.03):
            self.put("alias", id_, index="a")
            return
        facts: dict[str, Any] = {
            "uuid": "uuid_of_" + id_,
            "creation_date": PROVISIONED,
            "documents": rng.choice([0, 3, 500]),
        }
        if self.maybe(0.08):
            facts["read_only"] = True
        elif self.maybe(0.04):
            facts["snapshot"] = True
        elif self.maybe(0.04):
            facts["closed"] = True
        pipelines = self.of(flow, "ingest_pipeline")
        if pipelines and self.maybe(0.4):
            facts["settings"] = {"index.default_pipeline": rng.choice(pipelines)}
        if flow.state in ("COMPLETED", "FAILED") and self.maybe(0.06):
            facts["creation_date"] = LATER
            self.world.shared.add(("index", id_))
        self.put("index", id_, **facts)

    def use(self, key: Key) -> None:
        """Somebody outside uses it."""
        kind, id_ = key
        world, other = self.world, self.id("outside_")
        world.shared.add(key)
        ways = ["recorded"]
        if kind in ("connector", "model_group"):
            ways += ["model"] * 3
        if kind in ("model", "connector"):
            ways += ["agent"] * 2
        if kind == "model":
            ways += ["pipeline"]
        if kind.endswith("pipeline"):
            ways += ["index"] * 2
        way = self.rng.choice(ways)
        if way == "model":
            self.put("model", other, state="REGISTERED", **{kind + "_id": id_})
        elif way == "agent":
            self.put("agent", other, body={"tools": [{"type": "MLModelTool", "parameters": {kind + "_id": id_}}]})
        elif way == "pipeline":
            self.put("ingest_pipeline", other, body={"processors": [{"text_embedding": {"model_id": id_}}]})
        elif way == "index":
            setting = "index.default_pipeline" if kind == "ingest_pipeline" else "index.search.default_pipeline"
            name = other.strip("-_")
            self.put("index", name, uuid="uuid_of_" + name, creation_date=PROVISIONED, settings={setting: id_})
        else:
            step = next(step for step, made in STEPS.items() if made == kind)
            world.foreign.append(Flow(other, "COMPLETED", [(step, id_)], {"name": "outside"}))
