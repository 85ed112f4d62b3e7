# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One round: a world twice, once in peace and once in trouble, and what must hold of both.

Everything of a round comes from ``Random(f"{seed}/{number}")``, so that it can be repeated; but for the order in which
processes get the processor.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote, urlsplit

from tests.forked.runner import Ended, Runner
from tests.simulator import Simulator, running
from tests.simulator.versions import features

from . import invariants, trouble, worlds
from .trouble import Planter, Stage, Trouble
from .worlds import Flow, Picture, World

SPEED = 20.0
"""How much faster than on a real cluster time passes here."""
WAIT_TIMEOUT = 8
WAIT_TIMEOUT_SILENCE = 2  # seconds: where an answer may never come
REQUEST_TIMEOUT = 2.0
LONGEST_CALL = 5.0  # seconds: a deprovision that is answered is answered by then


@dataclass
class Round:
    """What was played, and what did not hold (empty: everything did)."""

    seed: int
    number: int
    world: World
    options: dict[str, Any]
    trouble: Trouble
    wrong: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    runs: int = 0
    killed: int = 0
    posts: int = 0
    seconds: float = 0.0

    def readable(self) -> str:
        """Everything that a person needs to understand a failure."""
        parts = [f"seed {self.seed}, round {self.number}: {len(self.wrong)} wrong"]
        parts += ["  - " + text for text in self.wrong]
        parts += ["world:", self.world.readable(), "options: " + json.dumps(self.options, ensure_ascii=False)]
        parts += ["trouble:", self.trouble.readable(), "story:", *("  " + line for line in self.story)]
        return "\n".join(parts)


def play(seed: int, number: int, runner: Runner) -> Round:
    """One round."""
    begun = time.monotonic()
    rng = Random(f"{seed}/{number}")
    world = worlds.Maker(rng).make()
    bare_victim(world)
    played = Round(seed, number, world, trouble.options(rng, world), trouble.plan(rng, world))
    try:
        with cluster(world) as twin, cluster(world) as sim:
            peace = Peace(played, twin, runner)
            peace.play()
            War(played, sim, runner, peace).play()
            played.posts = len(sim.requests("POST", "/_deprovision"))
    except Exception:  # the round has not been played: that is a failure, and the others go on
        played.wrong.append("the campaign itself failed: " + traceback.format_exc())
    played.seconds = time.monotonic() - begun
    return played


def bare_victim(world: World) -> None:
    """A workflow that only the bare call is about."""
    ids = ["agent_of_bare_%d" % number for number in range(3)]
    for id_ in ids:
        world.things["agent", id_] = {}
    world.foreign.append(Flow("flow_of_bare", "COMPLETED", [("register_agent", id_) for id_ in ids], {"name": "bare"}))


@contextmanager
def cluster(world: World) -> Iterator[Simulator]:
    """A simulator that holds the world."""
    with running(version=world.version, clock=world.clock, security=world.security, nodes=world.nodes, pool=world.pool) as sim:
        if not sim.features.enabled_by_default:
            send(sim, "PUT", "/_cluster/settings", {"persistent": {"plugins.flow_framework.enabled": True}})
        worlds.put(sim, world)
        sim.clear_log()
        yield sim


def send(sim: Simulator, method: str, target: str, body: Any = None) -> int:
    """One request of somebody else; its status, 0 where none came."""
    parts = urlsplit(sim.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=LONGEST_CALL)
    headers = {"Content-Type": "application/json", "Authorization": "Basic YWRtaW46YWRtaW4="}  # admin:admin
    try:
        connection.request(method, target, json.dumps(body) if body is not None else None, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def wait_while(is_so: Callable[[], bool]) -> None:
    """As long as it is so, but no longer than a call can take."""
    end = time.monotonic() + LONGEST_CALL
    while time.monotonic() < end and is_so():
        time.sleep(0.01)


class Side:
    """One of the two clusters of a round."""

    def __init__(self, played: Round, sim: Simulator, runner: Runner) -> None:
        self.played = played
        self.world = played.world
        self.sim = sim
        self.runner = runner
        self.before = worlds.picture(sim, self.world)
        self.unworked: set[int] = set()  # id() of requests that were answered without being worked on
        self.hung: set[int] = set()  # and of those that only a restart has ended
        used = any(flows != "task" for stage in played.trouble.stages for flows, _kill, _wait in stage.runs)
        self.groups = {"task": self.world.task, "beside": self.world.beside} if used else {"task": self.world.task}

    @property
    def ours(self) -> list[Flow]:
        """The workflows that the runs of this round are about."""
        return [flow for flows in self.groups.values() for flow in flows]

    def wrong(self, where: str, texts: list[str]) -> None:
        self.played.wrong += [f"{where}: {text}" for text in texts]

    def tell(self, text: str) -> None:
        self.played.story.append(text)

    def busy(self) -> bool:
        """Whether a deprovision is under way: that of a run that was killed goes on, and one whose answer was spoiled."""
        calls = self.sim.requests("POST", "/_deprovision")
        return any(self.sim.in_flight.values()) or any(call.ended is None and id(call) not in self.unworked for call in calls)

    def until_idle(self) -> None:
        """Until no deprovision is under way any more, but those that are never answered."""
        wait_while(self.busy)

    def until_written(self) -> None:
        """Where no call is under way that a run could wait for: until what the last one had to write is written, a moment later."""
        wait_while(lambda: self.sim.writing and not self.busy())

    @property
    def threads(self) -> int:
        """The most that each node's deprovision pool has: as many calls at once hang it."""
        return self.world.pool or features(self.world.version).pool_deprovision

    @property
    def looks_are_one_runs(self) -> bool:
        """Whether every look at the tasks was answered, and was that of the only run there."""
        mine = self.played.trouble
        readable = all(fault.sort in ("deprovision", "write") for fault in mine.faults)
        return readable and all(len(stage.runs) == 1 for stage in mine.stages)

    def picture(self) -> Picture:
        return worlds.picture(self.sim, self.world)

    def job(self, group: str, kill: Any = None, silence: bool = False) -> dict[str, Any]:
        """The run of one group of workflows."""
        flows = self.groups.get(group, self.ours)
        params: dict[str, Any] = {
            "url": self.sim.urls,
            "workflow_id": [flow.id for flow in flows],
            "wait_timeout": WAIT_TIMEOUT_SILENCE if silence else WAIT_TIMEOUT,
            "wait_sleep": 0.02,
            "request_timeout": 0.5 if silence else REQUEST_TIMEOUT,
            **self.played.options,
        }
        if self.world.security:
            params.update(username="admin", password="admin")
        return {"params": params, "kill": kill and vars(kill)}

    def run(self, group: str, where: str) -> dict[str, Any]:
        """A run in peace, with all that must hold of one."""
        alone, before = not self.busy(), self.picture()
        ended = self.runner.start(self.job(group)).wait()
        self.played.runs += 1
        return self.checked(ended, before, self.picture(), group, where, alone)

    def checked(self, ended: Ended, before: Picture, after: Picture, group: str, where: str, alone: bool = True, sure: bool = True) -> dict[str, Any]:
        """The result of a run that was not killed; {} where there is none."""
        if ended.hung:
            self.wrong(where, ["the run did not end"])
        wrong = invariants.misshapen(ended.result, ended.stdout, ended.stderr)
        result = ended.result or {}
        self.tell(f"{where} {group}: changed={result.get('changed')} failed={result.get('failed')} {result.get('msg', '')}")
        for one in result.get("resources", ()):
            self.tell(f"    {one['workflow_id']} {one['kind']}/{one['id']!r} {one['status']} {one['msg']}")
        for one in result.get("workflows", ()):
            self.tell(f"    {one['workflow_id']} {one['state_before']} -> {one['state_after']} attempts {one['attempts']} {one['msg']}")
        for text in result.get("warnings", ()):
            self.tell(f"    warning: {text}")
        if not wrong:
            wrong += invariants.untrue(result, after, alone, sure)
            if alone:
                ours = {flow.id for flow in (self.groups.get(group, self.ours))}
                changes = invariants.material(before, after, ours)
                unsure = any(one["status"] == "unknown" for one in result["resources"])
                if bool(changes) != result["changed"] and not unsure:
                    wrong.append(f"changed={result['changed']}, and what has changed is {changes}")
        self.wrong(where, wrong)
        return result if ended.result else {}

    def nothing_wrongly_gone(self, after: Picture, where: str, bare: list[str] | None = None) -> None:
        """Invariant 1. ``bare``: workflows that somebody else has deprovisioned without naming anything."""
        options = self.played.options
        bare = bare or []
        still = not set(bare) & {flow.id for flow in self.ours}
        allowed = set().union(*(invariants.may_go(self.world, flows, options, still) for flows in self.groups.values()))
        touched = [flow for flow in self.world.flows if flow.id in bare]
        for flow in touched:
            allowed |= {key for key in flow.keys if key[0] not in worlds.NAMED}
        ours = self.ours + [flow for flow in touched if flow not in self.ours]
        self.wrong(where, invariants.gone_wrongly(self.before, after, self.world, allowed, ours, options))

    def safe(self, where: str, bare: bool, unworked: set[int]) -> None:
        """Invariant 3."""
        calls = [call for call in self.sim.requests("POST", "/_deprovision") if id(call) not in unworked | self.hung]
        wrong = invariants.overlapping(calls)
        if self.looks_are_one_runs:
            wrong += invariants.beside_a_stranger(list(self.sim.log), unworked)
        if not bare:
            wrong += [
                f"{count} calls at once on {node}, {self.threads - 1} are safe" for node, count in self.sim.in_flight_max.items() if count >= self.threads
            ]
        self.wrong(where, wrong)


class Peace(Side):
    """The same world without any trouble: where the other one has to end too."""

    def play(self) -> None:
        self.results = {group: self.run(group, "in peace") for group in self.groups}
        self.after = self.picture()
        self.nothing_wrongly_gone(self.after, "in peace")
        self.safe("in peace", False, set())
        self.sim.clear_log()
        for group, first in self.results.items():
            again = self.run(group, "in peace, again")
            if again.get("changed"):
                self.wrong("in peace, again", ["a second run has changed something"])
            if first and not first["failed"] and self.sim.requests("POST", "/_deprovision"):
                self.wrong("in peace, again", ["a second run has sent a deprovision"])
        self.wrong("in peace, again", differences(self.picture(), self.after))


class War(Side):
    """The world in trouble."""

    def __init__(self, played: Round, sim: Simulator, runner: Runner, peace: Peace) -> None:
        super().__init__(played, sim, runner)
        self.peace = peace
        self.bare = [stage.bare[0] for stage in played.trouble.stages if stage.bare]
        self.planter = Planter(sim, played.trouble)
        self.unworked = self.planter.unworked

    def play(self) -> None:
        mine = self.played.trouble
        self.sim.faults.hook(self.planter)
        self.sim.faults.undeploy_visible_after(mine.undeploys_late)
        for step, id_ in mine.denied:
            self.sim.faults.deny(step, id_)
        for step, id_ in mine.outlasting:
            self.sim.faults.outlast(step, id_)
        for number, stage in enumerate(mine.stages):
            self.stage(stage, f"in trouble, {number + 1}")
        self.sim.faults.clear()
        self.until_written()
        self.restart_what_hangs()
        results = {group: self.run(group, "afterwards") for group in self.groups}
        self.until_idle()
        after = self.picture()
        self.nothing_wrongly_gone(after, "afterwards", self.bare)
        self.safe("afterwards", bool(self.bare), self.planter.unworked)
        if not set(self.bare) & {flow.id for flow in self.ours}:
            self.wrong("afterwards, against peace", self.against_peace(after, results))

    def stage(self, stage: Stage, where: str) -> None:
        """Runs that begin together, each in its process."""
        silence = any(fault.spoil == "silence" for fault in self.played.trouble.faults)
        alone, before = not self.busy(), self.picture()
        ends: list[Ended | None] = [None] * len(stage.runs)

        def one(position: int) -> None:
            flows, kill, wait = stage.runs[position]
            time.sleep(wait)
            ends[position] = self.runner.start(self.job(flows, kill, silence)).wait()

        threads = [threading.Thread(target=one, args=(position,)) for position in range(len(stage.runs))]
        if stage.bare:
            threads.append(threading.Thread(target=self.bare_call, args=stage.bare))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after = self.picture()
        alone = alone and len(stage.runs) == 1 and not stage.bare
        sure = all(fault.sort in ("deprovision", "write") for fault in self.played.trouble.faults)
        for (flows, kill, _wait), ended in zip(stage.runs, ends, strict=True):
            assert ended is not None
            self.played.runs += 1
            if kill and ended.result is None and (ended.code < 0 or "KeyboardInterrupt" in ended.stderr):
                self.played.killed += 1
                self.tell(f"{where} {flows}: killed")
                continue
            self.checked(ended, before, after, flows, where, alone, sure)

    def restart_what_hangs(self) -> None:
        """A bare call beside ours can fill a small pool, which nobody can prevent: then do what the module says, restart and run again."""
        full = {node for node, count in self.sim.in_flight.items() if count >= self.threads}
        if self.bare and full:
            self.hung |= {id(call) for call in self.sim.requests("POST", "/_deprovision") if call.ended is None and call.node in full}
            self.sim.crash()
            self.tell(f"restarted, since a bare call has filled the pool of {', '.join(sorted(full))}")

    def bare_call(self, workflow_id: str, wait: float) -> None:
        time.sleep(wait)
        send(self.sim, "POST", f"/_plugins/_flow_framework/workflow/{quote(workflow_id, safe='')}/_deprovision")
        self.until_idle()  # its answer may have been spoiled while the server goes on: later runs are told apart from it

    def against_peace(self, after: Picture, results: dict[str, dict[str, Any]]) -> list[str]:
        """Invariant 4."""
        peaceful = self.peace.after
        excused: set[Any] = {"flow_of_bare", *(("agent", f"agent_of_bare_{n}") for n in range(3))} if self.bare else set()
        wrong = []
        unrecorded = {(one["kind"], one["id"]) for result in results.values() for one in result.get("unrecorded", ())}
        for flow in self.ours:
            for key in flow.keys:
                if key[0] == "model_group" and key in after.things and key not in peaceful.things and not self.records(after, flow, key):
                    excused.add(key)  # the server has erased its record
                    named = flow.id in after.templates and key not in self.world.shared  # else others record it
                    if named and key not in unrecorded:
                        wrong.append(f"{key} was left, its record is erased, and unrecorded does not name it: {unrecorded}")
            if (self.played.trouble.outlasting or self.played.trouble.denied) and self.stale(after, flow):
                excused.add(flow.id)
        return wrong + differences(after, peaceful, excused)

    @staticmethod
    def records(now: Picture, flow: Flow, key: worlds.Key) -> bool:
        return any((worlds.STEPS.get(step), id_) == key for step, id_ in now.states.get(flow.id, {}).get("records", ()))

    def stale(self, now: Picture, flow: Flow) -> bool:
        """Whether the server itself has made a stale record, which these options do not heal as a whole record ends."""
        left = [key for key in flow.keys if self.records(now, flow, key)]
        forgotten = flow.id not in now.states and self.played.options["stale_records"] == "forget"
        return forgotten or any(key not in now.things or self.idle(now, key) for key in left)

    def idle(self, now: Picture, key: worlds.Key) -> bool:
        """Whether a model stays recorded because its undeployment was denied, though there is nothing to undeploy."""
        denied = ("undeploy_model", key[1]) in self.played.trouble.denied
        return key[0] == "model" and denied and now.things[key].get("model_state") == "UNDEPLOYED"


def differences(one: Picture, other: Picture, excused: set[Any] | None = None) -> list[str]:
    """How two pictures differ."""
    pairs: tuple[tuple[str, dict[Any, Any], dict[Any, Any]], ...] = (
        ("", one.things, other.things),
        ("state of ", one.states, other.states),
        ("template of ", one.templates, other.templates),
    )
    wrong = []
    for what, ones, others in pairs:
        for key in ones.keys() | others.keys():
            if key not in (excused or ()) and ones.get(key) != others.get(key):
                wrong.append(f"{what}{key}: {ones.get(key)}, not {others.get(key)}")
    return wrong
