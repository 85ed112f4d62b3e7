# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines while the task works: they come before it ends, and change nothing about it.

A request is held on the server until a test has seen what it waits for: no outcome hangs on how fast anything is.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ansible_runner
import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import slots, teardown
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.progress import VARIABLE
from tests.environment import target_python
from tests.simulator import running

from . import in_process
from .helpers import Task, ansible_environment, by_kind, deprovision, environment, existing, heed_interrupts, in_check_mode, state

MARK = "workflow_deprovision: "
AT_WORK = MARK + "0 of 1 workflow done, 0 of 6 resources gone; the server works on workflow w"
CONNECTIONS = Path(__file__).with_name("connection_plugins")
PATIENCE = 60  # seconds for anything that has to come in the end
LONG_ENOUGH = 5  # seconds that a request is held where no line is to come: longer than the first one takes


def until(condition: Callable[[], Any], what: Callable[[], str] = lambda: "") -> Any:
    """Wait until something is true."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited in vain\n{what()}")


class Held:
    """Holds the first request that fits, and with it all that come after, until it is let go."""

    def __init__(self, sim: Any, method: str, path: str) -> None:
        self.reached = threading.Event()
        self.let_go = threading.Event()

        def hook(request: Any) -> None:
            if request.method == method and path in request.path and not self.reached.is_set():
                self.reached.set()
                self.let_go.wait(PATIENCE)

        sim.faults.hook(hook)


class Play:
    """One play that is under way: its output so far, and what its tasks returned."""

    def __init__(self, folder: Path, tasks: list[Task], inventory: str, **variables: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.output_file, self.record = folder / "output", folder / "record"
        self.temporary = folder / "tmp"
        self.record.touch()
        book = folder / "play.json"
        play = {"hosts": "all", "connection": "local", "gather_facts": False, "tasks": tasks}
        book.write_text(json.dumps([{**play, "vars": {"ansible_python_interpreter": target_python()}}]), encoding="utf-8")
        settings = dict(RECORDER_FILE=self.record, ANSIBLE_LOCAL_TEMP=self.temporary, ANSIBLE_ASYNC_DIR=folder / "async")
        with open(self.output_file, "wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ansible", "playbook", "-i", inventory, str(book)],
                cwd=folder,
                env={**ansible_environment(), **{name: str(value) for name, value in settings.items()}, **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=heed_interrupts,
            )

    @property
    def output(self) -> str:
        return self.output_file.read_text(encoding="utf-8")

    def lines(self, start: str = "") -> list[str]:
        """The lines of progress so far, or those that begin like this."""
        return [text for text in self.output.splitlines() if MARK in text and text.startswith(start)]

    def results(self) -> dict[str, dict[str, Any]]:
        """What the tasks that have ended returned."""
        found = [json.loads(text) for text in self.record.read_text(encoding="utf-8").splitlines()]
        return {one["task"]: one["result"] for one in found}

    def end(self) -> dict[str, dict[str, Any]]:
        """Wait for the end: what the tasks returned. Nothing is left in Ansible's folder."""
        assert self.process.wait(PATIENCE) == 0, self.output
        assert "Traceback" not in self.output, self.output
        assert list(self.temporary.iterdir()) == []
        return self.results()


@pytest.fixture()
def play(tmp_path: Path) -> Iterator[Callable[..., Play]]:
    """``play(tasks, inventory=…, NAME=value …)`` starts a play, which is stopped at the latest when the test ends."""
    plays: list[Play] = []

    def start(*tasks: Task, inventory: str = "localhost,", **variables: str) -> Play:
        plays.append(Play(tmp_path / f"play-{len(plays)}", list(tasks), inventory, **variables))
        return plays[-1]

    yield start
    for one in plays:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()


@pytest.fixture()
def sim() -> Iterator[Any]:
    with running(version="3.6.0", clock=0.0) as simulator:
        yield simulator


def plain(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what differs from run to run: times, and the uuid of the index, which the hash covers."""
    kept = {key: value for key, value in result.items() if key not in ("duration", "invocation", "plan_hash")}
    kept["workflows"] = [{**one, "duration": 0} for one in result["workflows"]]
    kept["resources"] = [{**one, "uuid": None} for one in result["resources"]]
    return kept


def held_play(sim: Any, play: Callable[..., Play], task: Task, method: str = "POST", path: str = "_deprovision", **others: Any) -> Play:
    """A play whose task is at a request that the server holds; the request goes on when it has been held long enough."""
    held = Held(sim, method, path)
    started = play(task, **others)
    until(held.reached.is_set, lambda: started.output)
    time.sleep(LONG_ENOUGH)
    assert started.results() == {}
    held.let_go.set()
    return started


# -- on the terminal -------------------------------------------------------------------------------------------


def test_lines_come_while_the_module_works_and_the_result_is_the_same_without(sim: Any, play: Callable[..., Play]) -> None:
    held = Held(sim, "POST", "_deprovision")
    made = environment(sim, "w")
    task = deprovision("tear down", sim.url, "w", allow_delete=made.named)
    loud = play(task)
    until(lambda: loud.lines(AT_WORK), lambda: loud.output)
    assert (loud.results(), loud.process.poll()) == ({}, None), "the line comes first"
    held.let_go.set()
    with_lines = loud.end()["tear down"]
    assert existing(sim, made) == {"model_group"}

    made = environment(sim, "w")
    task = deprovision("tear down", sim.url, "w", allow_delete=made.named, progress=False)
    quiet = held_play(sim, play, task)
    without = quiet.end()["tear down"]
    assert quiet.lines() == []
    assert plain(without) == plain(with_lines) and without["changed"]


def test_in_check_mode_lines_say_that_it_reads(sim: Any, play: Callable[..., Play]) -> None:
    held = Held(sim, "GET", "/w/_status")
    made = environment(sim, "w")
    started = play(in_check_mode(deprovision("plan", sim.url, "w", allow_delete=made.named)))
    until(lambda: started.lines(MARK + "reads 1 workflow"), lambda: started.output)
    held.let_go.set()
    assert by_kind(started.end()["plan"])["index"] == "would_delete"
    assert len(existing(sim, made)) == 7


def test_each_host_has_its_own_lines_and_the_task_keeps_its_environment(sim: Any, play: Callable[..., Play]) -> None:
    """Two hosts in parallel, and a loop: each run follows its own file."""
    held = Held(sim, "POST", "_deprovision")
    for host in ("a", "b"):
        environment(sim, f"{host}-1", ("connector",))
        environment(sim, f"{host}-2", ("connector",))
    task = deprovision("tear down", "{{ omit }}", "{{ inventory_hostname }}-{{ item }}")
    started = play({**task, "loop": [1, 2], "environment": {"OPENSEARCH_URL": sim.url}}, inventory="a,b,")
    until(lambda: {text.split("]")[0] for text in started.lines()} == {"[a", "[b"}, lambda: started.output)
    assert f"[a] {MARK}" in started.output and f"[b] {MARK}" in started.output
    held.let_go.set()
    assert [one["changed"] for one in started.end()["tear down"]["results"]] == [True, True]
    assert sim.world.ids("connector") == []


def test_a_signal_ends_playbook_module_and_thread_and_leaves_nothing(sim: Any, play: Callable[..., Play]) -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("needs /proc to see the module's process")
    held = Held(sim, "POST", "_deprovision")
    made = environment(sim, "w")
    started = play(deprovision("tear down", sim.url, "w", allow_delete=made.named))
    until(lambda: started.lines() and held.reached.is_set(), lambda: started.output)  # a slow machine has lines before the call
    assert processes_with(str(started.record)), "the module is there"
    os.killpg(started.process.pid, signal.SIGINT)  # as a terminal does
    assert started.process.wait(PATIENCE) != 0
    until(lambda: not processes_with(str(started.record)))
    held.let_go.set()
    until(lambda: existing(sim, made) == {"model_group"})  # the call that was sent is the server's
    assert list(started.temporary.iterdir()) == []
    assert started.results() == {}


def processes_with(text: str) -> list[str]:
    """The processes with a text in their environment: the playbook, what it forked, and the module."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (entry / "environ").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found


# -- where there are none --------------------------------------------------------------------------------------


@pytest.mark.skipif(" " in sys.executable, reason="Ansible's async wrapper starts no Python whose path holds a blank")
def test_async_prints_none_and_works_as_ever(sim: Any, play: Callable[..., Play]) -> None:
    made = environment(sim, "w")
    task = {**deprovision("later", sim.url, "w", allow_delete=made.named), "async": 60, "poll": 1}
    started = held_play(sim, play, task)
    assert started.end()["later"]["changed"] and started.lines() == []
    assert existing(sim, made) == {"model_group"}


def test_another_connection_prints_none_and_works_as_ever(sim: Any, play: Callable[..., Play]) -> None:
    made = environment(sim, "w")
    task = {**deprovision("elsewhere", sim.url, "w", allow_delete=made.named), "connection": "elsewhere"}
    started = held_play(sim, play, task, ANSIBLE_CONNECTION_PLUGINS=str(CONNECTIONS))
    assert started.end()["elsewhere"]["changed"] and started.lines() == []
    assert existing(sim, made) == {"model_group"}


def test_no_log_prints_none(sim: Any, play: Callable[..., Play]) -> None:
    made = environment(sim, "w")
    started = held_play(sim, play, {**deprovision("hidden", sim.url, "w", allow_delete=made.named), "no_log": True})
    started.end()
    assert started.lines() == [] and existing(sim, made) == {"model_group"}


# -- in AWX ----------------------------------------------------------------------------------------------------


@pytest.mark.target
def test_lines_are_events_of_ansible_runner(sim: Any, tmp_path: Path) -> None:
    """The server goes on when the event has arrived."""
    held = Held(sim, "POST", "_deprovision")
    made = environment(sim, "w")
    events: list[dict[str, Any]] = []

    def arrived(event: dict[str, Any]) -> bool:
        events.append(event)
        if event.get("stdout", "").startswith(AT_WORK):
            held.let_go.set()
        return True

    variables = {**ansible_environment(), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    record = tmp_path / "record"
    record.touch()
    play = {"hosts": "all", "connection": "local", "gather_facts": False}
    ran = ansible_runner.run(
        private_data_dir=str(tmp_path),
        playbook=[{**play, "tasks": [deprovision("tear down", sim.url, "w", allow_delete=made.named)]}],
        inventory=f"localhost ansible_python_interpreter='{target_python()}'",
        envvars={**variables, "RECORDER_FILE": str(record), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp")},
        event_handler=arrived,
        quiet=True,
        settings={"job_timeout": PATIENCE},
    )
    held.let_go.set()
    assert ran.rc == 0, [event.get("stdout") for event in events]
    kinds = [event["event"] for event in events]
    at = next(number for number, event in enumerate(events) if event.get("stdout", "").startswith(AT_WORK))
    assert kinds[at] == "verbose"
    assert kinds.index("runner_on_start") < at < kinds.index("runner_on_ok")
    assert existing(sim, made) == {"model_group"}


# -- what the module writes down -------------------------------------------------------------------------------


@pytest.fixture()
def facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """What was written to the file that the module was given, with short pauses."""
    path = tmp_path / "facts"
    path.touch()
    monkeypatch.setenv(VARIABLE, str(path))
    for module in (slots, teardown):
        monkeypatch.setattr(module, "POLL", 0.02)
    return lambda: [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def reasons(facts: list[dict[str, Any]]) -> list[str]:
    """What was waited for, in turn."""
    found = [one["for"] for entry in facts for one in entry["waits"]]
    return [what for number, what in enumerate(found) if number == 0 or what != found[number - 1]]


def test_from_the_first_workflow_to_the_last(sim: Any, facts: Callable[[], list[dict[str, Any]]]) -> None:
    made = [environment(sim, f"w{number}") for number in range(3)]
    in_process.deprovision(sim.urls, workflow_id=[one.workflow_id for one in made], allow_delete=[i for one in made for i in one.named])
    told = facts()
    assert told[0] == {"phase": "reading", "workflows": 3, "waits": []}
    ends = [(one["done"], one["gone"]) for one in told if one["phase"] == "teardown" and not one["waits"]]
    assert ends[0] == (0, 0) and ends[-1] == (3, 18) and ends == sorted(ends)
    assert {(one["done"], one["gone"]) for one in told if one["phase"] == "teardown"} == {(0, 0), (1, 6), (2, 12), (3, 18)}
    assert {(one["workflows"], one["resources"]) for one in told if one["phase"] == "teardown"} == {(3, 18)}
    assert reasons(told)[0] == "another" and {"slot", "answer"} <= set(reasons(told))
    assert ["node-1"] in [one["nodes"] for entry in told for one in entry["waits"]]


def test_check_mode_writes_only_that_it_reads(sim: Any, facts: Callable[[], list[dict[str, Any]]]) -> None:
    made = environment(sim, "w")
    in_process.deprovision(sim.urls, check_mode=True, workflow_id=["w"], allow_delete=made.named)
    assert facts() == [{"phase": "reading", "workflows": 1, "waits": []}]


def test_progress_false_writes_nothing(sim: Any, facts: Callable[[], list[dict[str, Any]]]) -> None:
    made = environment(sim, "w")
    in_process.deprovision(sim.urls, workflow_id=["w"], allow_delete=made.named, progress=False)
    assert facts() == [] and existing(sim, made) == {"model_group"}


def test_a_retried_202_says_how_many_are_left(sim: Any, facts: Callable[[], list[dict[str, Any]]]) -> None:
    made = environment(sim, "w")
    sim.faults.deny("delete_connector", made.ids["connector"])
    result = in_process.deprovision(sim.urls, workflow_id=["w"], allow_delete=made.named)
    assert by_kind(result)["connector"] == "failed"
    again = [one for entry in facts() for one in entry["waits"] if one["for"] == "repetition"]
    assert again and {one["left"] for one in again} == {1}
    last = facts()[-1]
    assert (last["done"], last["incomplete"], last["gone"], last["waits"]) == (1, 1, 5, [])


def test_a_lost_answer(sim: Any, facts: Callable[[], list[dict[str, Any]]]) -> None:
    made = environment(sim, "w")
    sim.faults.cut("POST", "_deprovision", "reset", when="during")
    in_process.deprovision(sim.urls, workflow_id=["w"], allow_delete=made.named)
    assert "server" in reasons(facts())
    assert (facts()[-1]["done"], facts()[-1]["incomplete"], facts()[-1]["gone"]) == (1, 0, 6)


def test_provisioning_under_way(sim: Any, facts: Callable[[], list[dict[str, Any]]]) -> None:
    sim.load(state("w", [], "PROVISIONING"))
    in_process.deprovision(sim.urls, workflow_id=["w"])
    told = facts()
    (waits,) = told[1]["waits"]
    assert (told[1]["phase"], waits["for"], waits["workflow_id"]) == ("reading", "provisioning", "w")
    assert told[2]["waits"] == []


def test_no_secret_is_in_the_file(facts: Callable[[], list[dict[str, Any]]]) -> None:
    with running(version="3.6.0", clock=0.0, security=True) as sim:
        sim.add_user("operator", "operators-password", ["*"], roles=["all_access"])
        made = environment(sim, "w")
        in_process.deprovision(sim.urls, workflow_id=["w"], allow_delete=made.named, username="operator", password="operators-password", headers={"x-a": "top"})
    written = json.dumps(facts())
    assert facts()[-1]["gone"] == 6
    assert not [word for word in ("operator", "password", "x-a", "top", "127.0.0.1") if word in written]
