# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this folder share: playbooks by real Ansible, and environments on the simulator to tear down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.environment import target_python
from tests.forked.runner import Runner

Task = dict[str, Any]

CALLBACKS = Path(__file__).with_name("callback_plugins")
DEPROVISION = "opensearch_ops.flow_framework.workflow_deprovision"
INFO = "opensearch_ops.flow_framework.workflow_info"

# Settings of the caller that would reach the modules or change what Ansible prints.
FOREIGN = ("OPENSEARCH_", "AWS_", "ANSIBLE_STDOUT", "ANSIBLE_CHECK", "ANSIBLE_DIFF", "ANSIBLE_VERBOSITY")

GROUP = "group/opensearch_ops.flow_framework.flow_framework"

KINDS = ("connector", "model_group", "model", "agent", "index", "ingest_pipeline", "search_pipeline")
NAMED = ("index", "ingest_pipeline", "search_pipeline")  # what only goes when allow_delete names it


# -- playbooks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Played:
    """One run of ansible-playbook: its exit status, all that it printed, and what each task returned by its name."""

    status: int
    output: str
    results: dict[str, dict[str, Any]]

    def __getitem__(self, task: str) -> dict[str, Any]:
        assert task in self.results, f"no task {task!r} came to an end:\n{self.output}"
        return self.results[task]


class Playbooks:
    """Runs plays by the ansible-playbook of this Python, on localhost, against whatever the tasks name; modules by the target's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def run(
        self,
        tasks: Sequence[Task],
        *,
        play: Mapping[str, Any] | None = None,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        inventory: str = "localhost,",
        timeout: float = 300,
    ) -> Played:
        """Run one play. ``play``: further keywords of it; ``timeout`` in seconds.

        Whatever happens to the modules, none of them may end in a traceback.
        """
        process, record = self.start(tasks, play=play, arguments=arguments, environment=environment, inventory=inventory)
        output = process.communicate(timeout=timeout)[0].decode("utf-8", "replace")
        assert "Traceback" not in output, output
        lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
        results = {one["task"]: {**one["result"], "failed": one["ended"] == "failed"} for one in lines}
        return Played(process.returncode, output, results)

    def start(
        self,
        tasks: Sequence[Task],
        *,
        play: Mapping[str, Any] | None = None,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        inventory: str = "localhost,",
    ) -> tuple[subprocess.Popen[bytes], Path]:
        """The same, not waited for, in a session of its own: the process, and the file of what its tasks return."""
        self.count += 1
        book = self.folder / f"play-{self.count}.json"
        record = self.folder / f"record-{self.count}.jsonl"
        record.touch()
        keywords = {"hosts": "all", "connection": "local", "gather_facts": False, **(play or {})}
        variables = {"ansible_python_interpreter": target_python(), **keywords.pop("vars", {})}
        book.write_text(json.dumps([{**keywords, "vars": variables, "tasks": list(tasks)}]), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "ansible", "playbook", "-i", inventory, *arguments, str(book)],
            cwd=self.folder,
            env={**ansible_environment(), "RECORDER_FILE": str(record), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=heed_interrupts,
        )
        return process, record


class Modules:
    """Runs tasks as plays do, without the plays: each module in a process of its own, with the arguments that Ansible gives it.

    For files that try dozens of them. What only a play shows (templates, keywords of tasks, output) is not there.
    """

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    def run(self, tasks: Sequence[Task]) -> Played:
        """Run tasks that have a name and a module, perhaps in check mode; they may fail. None of them may end in a traceback."""
        results, output = {}, ""
        for one in tasks:
            module = next(name for name in (DEPROVISION, INFO) if name in one)
            job = {"module": module.rpartition(".")[2], "params": one[module], "check": one.get("check_mode", False)}
            ended = self.runner.start(job).wait()
            assert ended.result is not None and "Traceback" not in ended.stderr, (one, ended)
            assert ended.code == int(bool(ended.result.get("failed"))), ended
            results[one["name"]] = {"failed": False, **ended.result}
            output += ended.stdout + ended.stderr
        return Played(0, output, results)


def heed_interrupts() -> None:
    """In the child, before it runs: what a shell starts in the background ignores SIGINT, and so would all its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ansible_environment() -> dict[str, str]:
    """The variables of this process without what would change the modules' options, and with the recorder."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    variables.update(
        ANSIBLE_CALLBACK_PLUGINS=str(CALLBACKS),
        ANSIBLE_CALLBACKS_ENABLED="recorder",
        ANSIBLE_NOCOLOR="1",
        ANSIBLE_PIPELINING="1",
        ANSIBLE_RETRY_FILES_ENABLED="0",
    )
    return variables


def deprovision(name: str, url: Any, workflow_id: Any, **options: Any) -> Task:
    """A task that tears down. The play goes on after it, whatever comes of it; pauses are short unless said."""
    return task(name, DEPROVISION, {"url": url, "workflow_id": workflow_id, "wait_sleep": 0.1, **options})


def info(name: str, url: Any, workflow_id: Any, **options: Any) -> Task:
    """A task that looks."""
    return task(name, INFO, {"url": url, "workflow_id": workflow_id, **options})


def task(name: str, module: str, options: Mapping[str, Any]) -> Task:
    """A task that does not end the play when it fails."""
    return {"name": name, module: dict(options), "ignore_errors": True}


def in_check_mode(one: Task) -> Task:
    """The same task in check mode, with its diff."""
    return {**one, "check_mode": True, "diff": True}


# -- environments ------------------------------------------------------------------------------------------------------

STEPS = {
    "connector": [("create_connector", "connector_id")],
    "model_group": [("register_model_group", "model_group_id")],
    "model": [("register_remote_model", "model_id"), ("deploy_model", "model_id")],
    "agent": [("register_agent", "agent_id")],
    "ingest_pipeline": [("create_ingest_pipeline", "pipeline_id")],
    "index": [("create_index", "index_name")],
    "search_pipeline": [("create_search_pipeline", "pipeline_id")],
}
SUFFIXES = {"index": "docs", "ingest_pipeline": "embed", "search_pipeline": "hybrid"}


@dataclass(frozen=True)
class Environment:
    """What one workflow provisioned: the id of each kind."""

    workflow_id: str
    ids: dict[str, str]

    @property
    def named(self) -> list[str]:
        """The ids that allow_delete has to name."""
        return [self.ids[kind] for kind in NAMED if kind in self.ids]

    @property
    def state(self) -> dict[str, Any]:
        """The state document that Flow Framework would have written."""
        return state(self.workflow_id, entries_of(self.ids.items()))


def entries_of(resources: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """What Flow Framework would have recorded of resources, of which each is a kind and an id."""
    return [
        {"workflow_step_name": step, "workflow_step_id": f"{kind}_{number}", "resource_type": type_, "resource_id": id_}
        for number, (kind, id_) in enumerate(resources)
        for step, type_ in STEPS[kind]
    ]


def state(workflow_id: str, recorded: Iterable[Mapping[str, str]], name: str = "COMPLETED") -> dict[str, Any]:
    """A state document."""
    progress = {"COMPLETED": "DONE", "PROVISIONING": "IN_PROGRESS"}.get(name, name)
    return {
        "workflow_id": workflow_id,
        "state": name,
        "provisioning_progress": progress,
        "provision_start_time": int(time.time() * 1000) - 60_000,
        "provision_end_time": int(time.time() * 1000),  # an index that is made much later is somebody else's
        "resources_created": [dict(entry) for entry in recorded],
    }


def template(name: str) -> dict[str, Any]:
    """A template: deprovision reads none of it but asks whether there is one."""
    return {"name": name, "description": "", "use_case": "", "version": {}, "workflows": {"provision": {"nodes": []}}}


def environment(sim: Any, workflow_id: str, kinds: Iterable[str] = KINDS, documents: int = 12, ids: Mapping[str, str] | None = None) -> Environment:
    """Put an environment there as if it had been provisioned, named like its workflow; ``ids`` names some otherwise."""
    chosen = {kind: named(workflow_id, kind) for kind in STEPS if kind in tuple(kinds)}
    chosen.update(ids or {})
    for kind, id_ in chosen.items():
        sim.world.put(kind, id_, **attributes(kind, chosen, documents))
    made = Environment(workflow_id, chosen)
    sim.load(made.state, template(workflow_id))
    return made


def named(workflow_id: str, kind: str) -> str:
    """The id of a resource of that workflow."""
    return connector_of(workflow_id) if kind == "connector" else f"{workflow_id}-{SUFFIXES.get(kind, kind)}"


def connector_of(workflow_id: str) -> str:
    """The id of a workflow's connector.

    It is one word: ML Commons takes a model for a user of every connector whose id has a word in common with that of the
    model's connector (tried on 3.6.0), and a dash ends a word.
    """
    return f"{workflow_id}_connector".replace("-", "_")


def attributes(kind: str, ids: Mapping[str, str], documents: int) -> dict[str, Any]:
    """What a resource is made with: the model uses the connector, and is in the group."""
    if kind == "index":
        return {"documents": documents, "size_in_bytes": 4096}
    if kind == "model":
        made = {"state": "DEPLOYED", "connector_id": ids.get("connector"), "model_group_id": ids.get("model_group")}
        return {name: value for name, value in made.items() if value}
    return {}


# -- the role ----------------------------------------------------------------------------------------------------------


def role(title: str, folder: Path | str, entry: str = "main", /, **variables: Any) -> Task:
    """A task that runs the role; the report has the title of the task, and the play goes on after it."""
    given = {f"environment_teardown_{key}": value for key, value in variables.items()}
    given.update(environment_teardown_report_name=title, environment_teardown_report_directory=str(folder))
    include = {"name": "opensearch_ops.flow_framework.environment_teardown", "tasks_from": entry}
    return {
        "name": title,
        "block": [{"name": f"{title} runs", "ansible.builtin.include_role": include, "vars": given}],
        "rescue": [{"name": f"{title} failed", "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}],
    }


def ask(name: str, method: str, url: str, body: Any = None) -> Task:
    """A task that asks the simulator for something."""
    return {"name": name, "ansible.builtin.uri": {"url": url, "method": method, **({"body": body, "body_format": "json"} if body else {})}}


@dataclass(frozen=True)
class RoleRuns:
    """A play that ran the role several times on one cluster."""

    sim: Any
    played: Played
    folder: Path
    environments: dict[str, Environment]

    def report(self, name: str, end: str = "json") -> Any:
        """A report by its name: the structure, or the text of another format."""
        text = (self.folder / f"{name}.{end}").read_text(encoding="utf-8")
        return json.loads(text) if end == "json" else text

    def failed(self, name: str) -> str:
        """Why the role failed; empty if it did not."""
        return str(self.played[f"{name} failed"].get("msg", "")) if f"{name} failed" in self.played.results else ""


# -- what the server saw, and what it holds ----------------------------------------------------------------------------


def everything(sim: Any, *workflow_ids: str) -> dict[str, Any]:
    """All that exists, with the uuids of indices and the states of models, and the records of some workflows."""
    held = {kind: {id_: identity(sim.world.get(kind, id_)) for id_ in sim.world.ids(kind)} for kind in KINDS}
    return {**held, "records": {workflow_id: sim.state(workflow_id) for workflow_id in workflow_ids}}


def truthful(result: Mapping[str, Any], sim: Any) -> None:
    """What the result says of each resource is what the server has; but for placeholders, which count as gone."""
    for one in result["resources"]:
        exists = sim.world.get(one["kind"], one["id"]) is not None
        if one["status"] in ("deleted", "absent"):
            assert not exists, one
        elif one["status"] in ("blocked", "kept", "untouched", "failed", "retained"):
            assert exists, one


def identity(resource: Mapping[str, Any]) -> Any:
    """What tells a resource from another of its name, or from itself before."""
    return resource.get("uuid") or resource.get("state") or True


def existing(sim: Any, made: Environment) -> set[str]:
    """The kinds of an environment that still exist."""
    return {kind for kind, id_ in made.ids.items() if sim.world.get(kind, id_) is not None}


def writes(sim: Any) -> list[str]:
    """The requests that are no reads."""
    return [
        f"{request.method} {request.path}?{request.query}"
        for request in sim.requests()
        if request.method not in ("GET", "HEAD") and not (request.method == "POST" and request.path.endswith(("/_search", "/_msearch")))
    ]


def deprovisions(sim: Any, workflow_id: str = "[^/]+") -> list[Any]:
    """The deprovision calls that the server got."""
    return list(sim.requests("POST", f"/workflow/{workflow_id}/_deprovision"))


def statuses(result: Mapping[str, Any]) -> dict[str, str]:
    """``kind/id`` of each resource of a result, and its status."""
    return {f"{one['kind']}/{one['id']}": one["status"] for one in result["resources"]}


def by_kind(result: Mapping[str, Any], workflow_id: str | None = None) -> dict[str, str]:
    """Kind of each resource, and its status: for results, or workflows, that have one of a kind."""
    return {one["kind"]: one["status"] for one in result["resources"] if workflow_id in (None, one["workflow_id"])}


def resource(result: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The entry of the only resource of a kind."""
    (found,) = [one for one in result["resources"] if one["kind"] == kind]
    return dict(found)


def warnings(result: Mapping[str, Any]) -> str:
    """The warnings of a task, as one text."""
    return "\n".join(str(text) for text in result.get("warnings", []))
