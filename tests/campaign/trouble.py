# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in a round: spoiled answers, steps that fail, kills, runs at once, a bare call of somebody else."""

from __future__ import annotations

import re
import signal
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

from tests.simulator import Request, Simulator

from .worlds import STEPS, World

DEPROVISION_STEPS = {
    "create_connector": "delete_connector",
    "register_remote_model": "delete_model",
    "register_local_pretrained_model": "delete_model",
    "deploy_model": "undeploy_model",
    "register_agent": "delete_agent",
    "create_index": "delete_index",
    "create_ingest_pipeline": "delete_ingest_pipeline",
    "create_search_pipeline": "delete_search_pipeline",
}
PAGE = "<html><head><title>Gateway</title></head><body>Gateway</body></html>"
SPOILS = ("reset", "truncate", "empty", "html", "silence", "502", "503", "504", "429", "404 html", "slow")


@dataclass
class Fault:
    """The ``at``-th request of one sort is spoiled, and the next ones to the same place, ``times`` in all."""

    sort: str  # "any", "deprovision", "write", "read"
    at: int
    spoil: str
    when: str
    times: int = 1
    seen: int = 0

    def fits(self, request: Request) -> bool:
        deprovision = request.path.endswith("/_deprovision")
        read = request.method == "GET" or request.path.endswith(("/_search", "/_msearch"))
        return {"any": True, "deprovision": deprovision, "write": not read, "read": read}[self.sort]


@dataclass
class Kill:
    """A run dies at its ``at``-th request of a sort ("any" or "write")."""

    of: str
    at: int
    moment: str
    signal: int


@dataclass
class Stage:
    """Runs that begin together: each on "task", "beside" or "all", with its kill; and a bare call of somebody else."""

    runs: list[tuple[str, Kill | None, float]]  # flows, kill, seconds until it begins
    bare: tuple[str, float] | None = None  # workflow id, seconds until it is sent


@dataclass
class Trouble:
    """Everything that goes wrong in one round."""

    faults: list[Fault] = field(default_factory=list)
    denied: list[tuple[str, str]] = field(default_factory=list)
    outlasting: list[tuple[str, str]] = field(default_factory=list)
    undeploys_late: int = 0
    stages: list[Stage] = field(default_factory=list)

    def sorts(self) -> list[str]:
        """What to count this round under."""
        made = [f"answer: {fault.spoil}" for fault in self.faults]
        made += ["step denied"] * bool(self.denied) + ["step outlasts"] * bool(self.outlasting)
        made += ["undeploy seen late"] * bool(self.undeploys_late)
        for stage in self.stages:
            if len(stage.runs) > 1:
                same = len({flows for flows, _kill, _wait in stage.runs}) == 1
                made.append(f"{len(stage.runs)} runs at once, {'the same workflows' if same else 'other workflows too'}")
            made += [f"killed: {signal.Signals(kill.signal).name}" for _flows, kill, _wait in stage.runs if kill]
            made += ["bare call beside"] * bool(stage.bare)
        return sorted(set(made)) or ["nothing goes wrong"]

    def readable(self) -> str:
        return "\n".join(f"  {name}: {value}" for name, value in asdict(self).items() if value)


class Planter:
    """A hook of the simulator: spoils requests as they come, and remembers those whose work was never done."""

    def __init__(self, sim: Simulator, trouble: Trouble) -> None:
        self.sim = sim
        self.trouble = trouble
        self.unworked: set[int] = set()  # id() of requests; the log keeps them alive

    def __call__(self, request: Request) -> None:
        for fault in self.trouble.faults:
            if fault.fits(request):
                fault.seen += 1
                if fault.at <= fault.seen < fault.at + fault.times:
                    self.spoil(fault, request)
                    return

    def spoil(self, fault: Fault, request: Request) -> None:
        faults, target = self.sim.faults, "^" + re.escape(f"{request.path}?{request.query}") + "$"
        when = fault.when
        if fault.spoil == "slow":
            if not request.path.endswith("/_deprovision"):  # a call that is not there yet cannot be seen by anybody
                faults.delay(request.method, target, 0.1)
            return
        if fault.spoil == "truncate":
            when = "after"
        if fault.spoil in ("reset", "truncate", "empty", "html", "silence"):
            faults.cut(request.method, target, fault.spoil, when=when)
        elif fault.spoil == "429":
            when = "before"
            faults.answer(
                request.method,
                target,
                429,
                {"error": {"type": "circuit_breaking_exception", "reason": "too busy"}, "status": 429},
            )
        elif fault.spoil == "404 html":
            faults.answer(request.method, target, 404, PAGE, "text/html", when=when)
        else:
            faults.answer(request.method, target, int(fault.spoil), PAGE, "text/html", when=when)
        if when == "before":
            self.unworked.add(id(request))


def plan(rng: Random, world: World) -> Trouble:
    """What goes wrong in this world."""
    trouble = Trouble()
    for _number in range(rng.choice([0, 0, 1, 1, 2, 3])):
        sort = rng.choice(["any", "any", "deprovision", "write", "read"])
        at = rng.randint(1, 3) if sort in ("deprovision", "write") else rng.randint(1, 60)
        trouble.faults.append(Fault(sort, at, rng.choice(SPOILS), rng.choice(["before", "after", "during"]), rng.choice([1, 1, 1, 2, 4])))
    steps = [(DEPROVISION_STEPS[step], id_) for flow in world.task + world.beside for step, id_ in flow.entries if step in DEPROVISION_STEPS]
    if steps and rng.random() < 0.15:
        trouble.denied = rng.sample(steps, min(len(steps), rng.randint(1, 2)))
    if steps and world.clock and rng.random() < 0.15:
        trouble.outlasting = [rng.choice(steps)]
    if rng.random() < 0.1:
        trouble.undeploys_late = rng.randint(1, 3)
    trouble.stages = [stage(rng, world) for _number in range(rng.choice([1, 1, 1, 2, 3]))]
    return trouble


def stage(rng: Random, world: World) -> Stage:
    """One run, or several at once."""
    at_once = rng.choice([1, 1, 1, 2, 3])
    groups = ["task", "task", "beside", "all"] if world.beside else ["task"]
    runs = []
    for number in range(at_once):
        kill = a_kill(rng) if rng.random() < 0.3 else None
        runs.append(("task" if number == 0 else rng.choice(groups), kill, rng.choice([0.0, rng.uniform(0, 0.1)])))
    bare = None
    if rng.random() < 0.12:
        # A call that is never answered (a step that nobody knows) keeps everybody waiting, as it should.
        answered = [flow.id for flow in world.task if all(step in STEPS for step, _id in flow.entries)]
        targets = answered if answered and rng.random() < 0.4 else ["flow_of_bare"]
        bare = (rng.choice(targets), rng.uniform(0, 0.15))
    return Stage(runs, bare)


def a_kill(rng: Random) -> Kill:
    """Where a run dies: most often while the server is at its first call, which then goes on without it."""
    if rng.random() < 0.3:
        return Kill("write", 1, "during", signal.SIGKILL)
    of = rng.choice(["any", "write"])
    at = rng.randint(1, 3) if of == "write" else rng.randint(1, 70)
    return Kill(of, at, rng.choice(["before", "during", "after"]), rng.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))


def options(rng: Random, world: World) -> dict[str, Any]:
    """The options of every run of a round."""
    generous = rng.random() < 0.7
    names: list[str] = []
    for flow in world.task + world.beside:
        for step, id_ in flow.entries:
            kind = STEPS.get(step, "other")
            if kind in ("index", "ingest_pipeline", "search_pipeline") and rng.random() < (0.97 if generous else 0.6):
                names.append(f"{kind}/{id_}" if rng.random() < 0.3 else id_)
                if generous and rng.random() < 0.5:
                    names += [f"{other}/{id_}" for k, other in flow_kinds(flow) if k == id_]
    if rng.random() < 0.1:
        names.append(rng.choice(["nothing-of-that-name", "logs-of-others", "*", "_all", "index/*"]))
    made: dict[str, Any] = {
        "allow_delete": names,
        "on_blocked": rng.choice(["fail", "keep", "keep"]),
        "on_shared": rng.choice(["fail", "keep", "keep", "delete", "delete"]),
        "stale_records": rng.choice(["report", "recreate", "forget"]),
        "leftovers": rng.choice(["report", "delete"]),
        "delete_workflow": rng.random() < 0.25,
    }
    things = [id_ for flow in world.task for _step, id_ in flow.entries] + [flow.id for flow in world.task]
    if things and rng.random() < 0.05:
        made["protect"] = [rng.choice(things).replace("[", "?")]
    return made


def flow_kinds(flow: Any) -> list[tuple[str, str]]:
    """(id, kind) of what a workflow records and a person names."""
    return [(id_, kind) for kind, id_ in flow.keys if kind in ("index", "ingest_pipeline", "search_pipeline")]
