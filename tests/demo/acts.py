# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The acts: each explains itself, runs a playbook, and compares what it said with what the server sees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.environment import ROOT, is_writable

from . import screen
from .cast import DOCUMENTS, KINDS, Environment, Stage, changes, deprovisions
from .playbook import Played, play

REPORTS = Path(ROOT) / "tests" / "output" / "demo"
"""Where the report of the teardown is left, unless the checkout cannot be written to."""

CLUSTER = "preview"
"""The name of the simulated cluster."""


class Demo:
    """The acts share a server, two environments, and a count of what was not as said."""

    def __init__(self, stage: Stage, large: Environment, small: Environment, folder: Path) -> None:
        self.stage = stage
        self.large = large
        self.small = small
        self.folder = folder
        self.reports = REPORTS if is_writable(str(REPORTS)) else folder
        self.passed = 0
        self.failed: list[str] = []
        self.act = 0
        self.requests: list[tuple[str, list[Any]]] = []  # of each playbook: what it was, what it sent

    def play_all(self) -> None:
        """The whole piece."""
        self.look()
        plan_hash = self.plan()
        self.careless()
        self.tear_down(plan_hash)
        self.again()
        self.bare_api()
        self.what_is_left()

    # -- the acts

    def look(self) -> None:
        """The information module: what there is, and what would need naming."""
        self.begin(
            "What does the environment hold?",
            f"{self.large.name} is {len(self.large.workflow_ids)} workflows. workflow_info reads their records and"
            " looks at every resource. It changes nothing.",
        )
        played, requests = self.play("workflow_info", "look.yml", self.large)
        found = played.report
        self.check(played.status == 0, "The playbook ends well.")
        resources, names = self.large.resources, ", ".join(self.large.to_name)
        self.check(keys(found) == set(resources), f"It names exactly the {len(resources)} resources that were recorded.")
        self.check(keys(found, "present") == set(resources), "It says of each that it is there, and it is.")
        counts = [one["documents"] for one in found.get("resources", []) if one["kind"] == "index"]
        self.check(bool(counts) and set(counts) == {DOCUMENTS}, f"It counts the {DOCUMENTS} documents of each index.")
        self.check(found.get("blocked") == self.large.to_name, f"It names what needs naming: {names}.")
        self.check_untouched(requests)

    def plan(self) -> str:
        """Check mode; returns the hash of the plan."""
        self.begin(
            "What would a teardown do?",
            "The playbook that will tear down, in check mode: the module makes its plan, shows it, and stops. The hash stands for this plan.",
        )
        played, requests = self.play("the plan", "teardown.yml", self.large, "--check", "--diff")
        self.check(played.status == 0, "The playbook ends well.")
        going, groups = self.large.deletable, self.large.groups
        report = played.report
        self.check(keys(report, "would_delete") == set(going), f"It says would_delete of {len(going)} resources.")
        self.check(keys(report, "retained") == set(groups), f"It says retained of {count(groups, 'model group')}.")
        diff = [line for line in played.output.splitlines() if line.startswith("-  ")]
        self.check(len(diff) == len(going), f"The diff takes away {len(diff)} lines, one for each.")
        self.check_untouched(requests)
        return str(report.get("plan_hash"))

    def careless(self) -> None:
        """Without allow_delete: refused before anything is deleted."""
        self.begin(
            "What if somebody forgets to name them?",
            "The same teardown without allow_delete. Indices and pipelines go only when they are named, so the module"
            " refuses before anything is deleted; rescue reads the same result as register.",
        )
        played, requests = self.play("the refusal", "careless.yml", self.large)
        self.check(played.status == 0 and "rescued=1" in played.output, "The task fails, and rescue catches it.")
        to_name = self.large.to_name
        self.check(played.report.get("blocked") == to_name, f"blocked names all {len(to_name)} of them.")
        self.check(not played.report.get("changed", True), "It says changed: false.")
        self.check_untouched(requests)

    def tear_down(self, plan_hash: str) -> None:
        """The real thing."""
        self.begin(
            "The teardown",
            "This time by the playbook of the collection, which also writes a report. Indices and pipelines are named, the"
            " cluster is the one expected, no index holds more than 100 documents, the plan is still the one of act 2 (its"
            " hash says so), and somebody has confirmed what is to go.",
        )
        confirm = json.dumps({"environment_teardown_confirm": f"{len(self.large.workflow_ids)} workflows on {CLUSTER}"})
        given = ["-e", f"environment_teardown_plan_hash={plan_hash}", "-e", confirm]
        played, requests = self.play("the teardown", "opensearch_ops.flow_framework.teardown", self.large, *given)
        report = played.report
        going, groups = self.large.deletable, self.large.groups
        self.check(played.status == 0 and bool(report.get("changed")), "The playbook ends well, and says changed.")
        self.check(keys(report, "deleted") == set(going), f"It says deleted of {len(going)} resources.")
        self.check(keys(report, "retained") == set(groups), f"It says retained of {count(groups, 'model group')}.")
        self.check(report.get("plan_hash") == plan_hash, "It carried out the plan of act 2.")
        self.check(self.stage.left(self.large) == groups, "The server has none of them but what is retained.")
        self.check(set(self.stage.states(self.large)) == {"NOT_STARTED"}, "Every workflow is NOT_STARTED.")
        self.check(self.stage.recorded(self.large) == [], "Nothing is recorded any more.")
        sent = deprovisions(requests)
        expected = len(self.large.workflow_ids)
        text = f"{expected} requests changed something: one deprovision for each workflow."
        self.check(len(sent) == expected == len(changes(requests)), text)
        self.check({r.status for r in sent} == {200}, "The server answered each with 200: never a 403, never a 202.")
        page = self.reports / f"{self.large.name}.html"
        self.check(page.is_file(), f"The report is a page: {page}")

    def again(self) -> None:
        """The second run."""
        groups = self.large.groups
        self.begin(
            "The same again",
            "Nothing is left to do, so nothing is sent that could change anything. What act 4 called retained still exists, and a deprovision"
            " takes it off the record; only its name in the template leads to it now. The result calls it unrecorded, and leaves it alone.",
        )
        played, requests = self.play("the same again", "teardown.yml", self.large)
        self.check(played.status == 0 and "changed=0" in played.output, "The playbook ends well, with changed=0.")
        self.check(played.report.get("changed") is False, "The task says changed: false.")
        unrecorded = {(one["kind"], one["id"]) for one in played.report.get("unrecorded", [])}
        self.check(unrecorded == set(groups), f"It says unrecorded of {count(groups, 'model group')}.")
        self.check(changes(requests) == [], f"{len(requests)} requests, all of them reads.")

    def bare_api(self) -> None:
        """What the server's API does without our module, and how the module finishes it."""
        self.begin(
            "And without this collection?",
            f"{self.small.name} is one workflow with every kind of resource. A bare POST to the server's own API,"
            " naming nothing: it answers 403, which sounds like a refusal.",
        )
        played, requests = self.play("the bare POST", "bare_api.yml", self.small)
        resources, groups, left = self.small.resources, self.small.groups, self.stage.left(self.small)
        gone = [key for key in resources if key not in left]
        refused = played.report.get("status") == 403 and len(deprovisions(requests)) == 1
        self.check(refused, "The one call was answered with 403.")
        names = ", ".join(f"{kind} {id_}" for kind, id_ in gone)
        text = f"It has deleted {len(gone)} of {len(resources)} resources all the same: {names}."
        self.check({kind for kind, dummy in gone} == {"connector", "model", "agent"}, text)
        recorded = self.stage.recorded(self.small)
        forgotten = set(groups) <= set(left) and set(recorded) == set(left) - set(groups)
        self.check(forgotten, "The record has lost the model group, which is still there.")
        self.check(self.stage.states(self.small) == ["COMPLETED"], "The state says COMPLETED.")

        screen.say()
        screen.say("The module finishes it.")
        screen.say()
        played, requests = self.play("the rest of it", "teardown.yml", self.small)
        named = {key for key in self.small.resources if key[1] in self.small.to_name}
        finished = played.status == 0 and keys(played.report, "deleted") == named
        self.check(finished, f"It deletes the {len(named)} that were left.")
        self.check(self.stage.left(self.small) == groups, "The server has only the model group.")
        self.check(self.stage.states(self.small) == ["NOT_STARTED"], "The workflow is NOT_STARTED.")

    def what_is_left(self) -> None:
        """The server's own view at the end."""
        self.begin("What the server sees now", "Read from the simulator itself, with no module in between.")
        world = self.stage.simulator.world
        for kind in dict.fromkeys(KINDS.values()):
            ids = world.ids(kind)
            screen.row(f"  {kind:<16} {len(ids)}  ", ", ".join(ids))
        recorded = [id_ for dummy, id_ in self.large.groups + self.small.groups]
        screen.say()
        text = (
            "Model groups stay: no version of Flow Framework deletes them. The result of the teardown names those of"
            f" {self.large.name} as retained. That of {self.small.name} the bare POST took off the"
            " record, and the result calls it unrecorded, as that of act 5 does."
        )
        if len(world.ids("model_group")) > len(recorded):
            text += " The others the server made by itself, for models without a group; no record ever named them."
        screen.say(text)
        screen.say()
        print(f"  {'what ran':<20} {'requests':>8} {'deprovisions':>13} {'other changes':>14}", flush=True)
        for name, requests in self.requests:
            calls = len(deprovisions(requests))
            print(f"  {name:<20} {len(requests):>8} {calls:>13} {len(changes(requests)) - calls:>14}", flush=True)
        screen.say()
        others = [kind for kind in KINDS.values() if kind != "model_group" and world.ids(kind)]
        self.check(others == [], "No index, pipeline, connector, model or agent is left.")
        here = set(recorded) <= set(world.ids("model_group"))
        self.check(here, f"The {len(recorded)} model groups that were recorded are left, as was said.")
        sent = [r for dummy, requests in self.requests for r in deprovisions(requests)]
        expected = len(self.large.workflow_ids) + 2
        text = f"{expected} deprovisions in all: one a workflow of {self.large.name}, and two for {self.small.name}."
        self.check(len(sent) == expected, text)
        everything = [r for dummy, requests in self.requests for r in changes(requests)]
        self.check(len(everything) == len(sent), "No playbook sent anything else that changes something.")

    # -- what the acts share

    def begin(self, title: str, text: str) -> None:
        """The heading of an act, and what it is about."""
        self.act += 1
        screen.heading(f" {self.act}  {title}")
        screen.say(text)
        screen.say()

    def play(self, what: str, playbook: str, environment: Environment, *options: str) -> tuple[Played, list[Any]]:
        """Run a playbook on an environment; what it said, and what it sent."""
        mark = self.stage.seen()
        variables = {
            "cluster_url": self.stage.simulator.url,
            "expect_cluster": CLUSTER,
            "workflow_ids": environment.workflow_ids,
            "allow_delete": environment.to_name,
            "environment_teardown_url": self.stage.simulator.url,
            "environment_teardown_workflow_id": environment.workflow_ids,
            "environment_teardown_allow_delete": environment.to_name,
            "environment_teardown_expect_cluster": CLUSTER,
            "environment_teardown_max_documents": 100,
            "environment_teardown_report_directory": str(self.reports),
            "environment_teardown_report_name": environment.name,
        }
        played = play(playbook, environment.name, self.folder, variables, *options)
        requests = self.stage.since(mark)
        self.requests.append((what, requests))
        return played, requests

    def check(self, good: bool, text: str) -> None:
        """Print and count one check."""
        screen.verdict(good, text)
        if good:
            self.passed += 1
        else:
            self.failed.append(f"act {self.act}: {text}")

    def check_untouched(self, requests: list[Any]) -> None:
        """Nothing was sent that could change the large environment, and it is as it was provisioned."""
        reads = bool(requests) and changes(requests) == []
        self.check(reads, f"{len(requests)} requests, all of them reads; no deprovision.")
        resources = self.large.resources
        untouched = self.stage.left(self.large) == resources == self.stage.recorded(self.large)
        self.check(untouched, f"The server still has all {len(resources)} resources, and their records.")


def keys(report: dict[str, Any], status: str = "") -> set[tuple[str, str]]:
    """Kind and id of a result's resources, or of those with a status."""
    return {(one["kind"], one["id"]) for one in report.get("resources", []) if status in ("", one["status"])}


def count(things: list[Any], noun: str) -> str:
    """A count with its noun."""
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
