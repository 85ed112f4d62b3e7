# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this folder share: environments on the simulator, runs of the module, and what the server saw."""

from __future__ import annotations

import atexit
import functools
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import locks
from tests.docs.pages import GUIDES, blocks
from tests.forked.runner import Run, Runner
from tests.integration import in_process
from tests.integration.helpers import NAMED, STEPS, connector_of, entries_of, heed_interrupts, truthful

ENDED = 1700000060000  # provision_end_time, in milliseconds
CREATED = ENDED - 10_000  # when the indices of an environment were made
FLOW = "/_plugins/_flow_framework/workflow"

ALL = tuple(STEPS)

# What a processor of ML Commons needs beside the model that it uses, in an ingest pipeline and in a search pipeline.
MAPS = {"input_map": [{"inputs": "text"}], "output_map": [{"vector": "data"}]}
QUERY_MAPS = {"input_map": [{"inputs": "query.match.text.query"}], "output_map": [{"query.match.text.query": "data"}]}


@dataclass(frozen=True)
class Made:
    """What one workflow provisioned: (kind, id) of each resource, in the order of the record."""

    workflow_id: str
    resources: tuple[tuple[str, str], ...]

    @property
    def named(self) -> list[str]:
        """What allow_delete has to name."""
        return [id_ for kind, id_ in self.resources if kind in NAMED]

    def id(self, kind: str) -> str:
        """The id of the first resource of a kind."""
        return next(id_ for one, id_ in self.resources if one == kind)


def provisioned(
    sim: Any,
    workflow_id: str,
    kinds: Iterable[str | tuple[str, str]] = ALL,
    state: str = "COMPLETED",
    has_template: bool = True,
    gone: Iterable[str] = (),
    **index: Any,
) -> Made:
    """Put an environment there as if it had been provisioned. ``kinds``: kinds, or pairs of kind and id.

    ``gone``: kinds that are recorded and do not exist; ``index``: attributes of its indices.
    """
    resources = tuple(one if isinstance(one, tuple) else (one, named(workflow_id, one)) for one in kinds)
    made = Made(workflow_id, resources)
    for kind, id_ in resources:
        if kind not in tuple(gone):
            sim.world.put(kind, id_, **attributes(kind, dict(resources), index))
    record(sim, workflow_id, resources, state, has_template)
    return made


def named(workflow_id: str, kind: str) -> str:
    """The id of a resource of that workflow."""
    return connector_of(workflow_id) if kind == "connector" else f"{workflow_id}-{kind.replace('_', '-')}"


def attributes(kind: str, ids: Mapping[str, str], index: Mapping[str, Any]) -> dict[str, Any]:
    """What a resource is made with: the model uses the connector, and is in the group."""
    if kind == "index":
        return {"documents": 3, "creation_date": CREATED, **index}
    if kind == "model":
        made = {"state": "DEPLOYED", "connector_id": ids.get("connector"), "model_group_id": ids.get("model_group")}
        return {name: value for name, value in made.items() if value}
    return {}


def record(sim: Any, workflow_id: str, resources: Iterable[tuple[str, str]], state: str = "COMPLETED", has_template: bool = True) -> None:
    """Put a state document, and a template."""
    progress = {"COMPLETED": "DONE", "PROVISIONING": "IN_PROGRESS"}.get(state, state)
    document: dict[str, Any] = {"workflow_id": workflow_id, "state": state, "provisioning_progress": progress}
    document.update(provision_start_time=1700000000000, resources_created=entries_of(resources))
    if state != "PROVISIONING":
        document["provision_end_time"] = ENDED
    template = {"name": workflow_id, "workflows": {"provision": {"nodes": []}}}
    sim.load(document, template if has_template else None)


# -- runs --------------------------------------------------------------------------------------------------------------


def run(sim: Any, workflow_id: str | Sequence[str], **options: Any) -> dict[str, Any]:
    """The module's code in this process; the result with its warnings."""
    ids = [workflow_id] if isinstance(workflow_id, str) else list(workflow_id)
    return in_process.deprovision(sim.urls, workflow_id=ids, **options)


def check(sim: Any, workflow_id: str | Sequence[str], **options: Any) -> dict[str, Any]:
    """The same in check mode."""
    return run(sim, workflow_id, check_mode=True, **options)


@functools.cache
def runner() -> Runner:
    """Forks the runs of this process of pytest. Their locks are those of the machine: all runs here share them."""
    made = Runner(os.environ["ANSIBLE_COLLECTIONS_PATH"], locks.FOLDER)
    atexit.register(made.close)
    return made


def start(sim: Any, workflow_id: str | Sequence[str], **options: Any) -> Run:
    """The module as a process of its own."""
    return runner().start({"params": given(sim, workflow_id, options)})


def start_by(prefix: Sequence[str], sim: Any, workflow_id: str | Sequence[str], **options: Any) -> subprocess.Popen[str]:
    """The same by a command, with an interpreter of its own, as Ansible starts it on a machine."""
    module = "ansible_collections.opensearch_ops.flow_framework.plugins.modules.workflow_deprovision"
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", module],
        env={**os.environ, "PYTHONPATH": os.environ["ANSIBLE_COLLECTIONS_PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": given(sim, workflow_id, options)}))
    process.stdin.close()
    process.stdin = None
    return process


def given(sim: Any, workflow_id: str | Sequence[str], options: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a run of its own process."""
    ids = [workflow_id] if isinstance(workflow_id, str) else list(workflow_id)
    return {"url": list(sim.urls), "workflow_id": ids, "wait_sleep": 0.05, "wait_timeout": 60, **options}


def finish(process: Run | subprocess.Popen[str], timeout: float = 60) -> dict[str, Any]:
    """The result that a module process prints. AssertionError with what it said where it printed none."""
    out, err = process.communicate(timeout=timeout)
    assert out.strip() and "Traceback" not in out + err, (process.returncode, out, err)
    return dict(json.loads(out[out.index("{") :]))


def in_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    """Do something beside the test; the function returned waits for it and gives, or raises, what came of it."""
    ended: list[Any] = []

    def body() -> None:
        try:
            ended.append((work(), None))
        except BaseException as error:  # handed over to the test
            ended.append((None, error))

    thread = threading.Thread(target=body, daemon=True)
    thread.start()

    def wait(timeout: float = 60) -> Any:
        thread.join(timeout)
        assert ended, "still at work"
        value, error = ended[0]
        if error is not None:
            raise error
        return value

    return wait


def bare(sim: Any, workflow_id: str, allow: Sequence[str] = (), node: int = 0, timeout: float = 60) -> Any:
    """Somebody's own deprovision, without our mark: (status, body). OSError or TimeoutError where none comes."""
    query = f"?allow_delete={','.join(allow)}" if allow else ""
    return call(sim.urls[node], "POST", f"{FLOW}/{workflow_id}/_deprovision{query}", timeout=timeout)


def call(url: str, method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None, timeout: float = 30) -> Any:
    """One bare request: (status, body)."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, target, data, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


def after_the_plan(sim: Any, work: Callable[[], Any]) -> None:
    """Do something between plan and call: at the second look at the pool (the first is before anything is read)."""
    looks: list[Any] = []

    def before(request: Any) -> None:
        if "opensearch_deprovision_workflow" in request.path:
            looks.append(request)
            if len(looks) == 2:
                work()

    sim.faults.hook(before)


def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    """Wait for something to become true. AssertionError when it does not."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come true"
        time.sleep(0.01)


def release_once(sim: Any, condition: Callable[[], Any], seconds: float = 20) -> Callable[[], Any]:
    """Let the calls that are held go on once something is true; the function returned waits for that."""

    def work() -> None:
        until(condition, seconds)
        sim.faults.release()

    return in_thread(work)


# -- what the server saw, and what it holds ----------------------------------------------------------------------------


def posts(sim: Any, workflow_id: str = "[^/]+") -> list[Any]:
    """The deprovision calls that the server got."""
    return list(sim.requests("POST", f"/workflow/{workflow_id}/_deprovision"))


def writes(sim: Any) -> list[str]:
    """Every request that changes something, without its query."""
    return [
        f"{one.method} {one.path}"
        for one in sim.requests()
        if one.method not in ("GET", "HEAD") and not (one.method == "POST" and one.path.endswith(("/_search", "/_msearch")))
    ]


def allowed(sim: Any) -> list[list[str]]:
    """What allow_delete named in each deprovision call."""
    queries = [one.query for one in posts(sim)]
    return [[unquote(item) for item in unquote(query.partition("=")[2]).split(",")] if query else [] for query in queries]


def overlaps(requests: Iterable[Any]) -> list[tuple[str, str]]:
    """Pairs of targets that were under way at the same time."""
    ordered = sorted(requests, key=lambda one: one.started)
    return [
        (one.target, other.target) for number, one in enumerate(ordered) for other in ordered[number + 1 :] if one.ended is None or other.started < one.ended
    ]


def statuses(result: Mapping[str, Any]) -> dict[str, str]:
    """``kind/id`` of each resource, and its status."""
    return {f"{one['kind']}/{one['id']}": one["status"] for one in result["resources"]}


def by_kind(result: Mapping[str, Any]) -> dict[str, str]:
    """Kind of each resource, and its status."""
    return {one["kind"]: one["status"] for one in result["resources"]}


def message(result: Mapping[str, Any], kind: str) -> str:
    """Why the only resource of a kind is as it is."""
    (found,) = [one["msg"] for one in result["resources"] if one["kind"] == kind]
    return str(found)


def there(sim: Any, made: Made) -> set[str]:
    """The kinds of an environment that exist."""
    return {kind for kind, id_ in made.resources if sim.world.get(kind, id_) is not None}


def warned(result: Mapping[str, Any]) -> str:
    """The warnings of a run as one text."""
    return "\n".join(text if isinstance(text, str) else json.dumps(text) for text in result.get("warnings", []))


def finished(result: Mapping[str, Any], sim: Any, workflow_id: str = "w") -> None:
    """The run succeeded, what it says is true, and the record is reset or gone."""
    assert not result["failed"], result["msg"]
    truthful(result, sim)
    state = sim.state(workflow_id)
    assert state is None or (state["state"] == "NOT_STARTED" and not state.get("resources_created")), state


# -- the roles of the documentation ------------------------------------------------------------------------------------

ITS_INDICES = '["pr-*"]'


def documented_roles() -> dict[str, dict[str, Any]]:
    """The roles that guide_permissions.rst shows, by name, as the security plugin takes them; for any index where the example has those of its environments."""
    shown = "".join(block.text for block in blocks(GUIDES / "guide_permissions.rst") if block.file.startswith("roles"))
    assert shown.count(ITS_INDICES) == 1, "and the pattern for settings is * as it stands there"
    roles: dict[str, dict[str, Any]] = yaml.safe_load(shown.replace(ITS_INDICES, '["*"]'))
    return roles


def permitted_by(*roles: Mapping[str, Any]) -> list[str]:
    """All that some roles permit."""
    return [
        one for role in roles for part in (role, *role.get("index_permissions", ())) for one in part.get("cluster_permissions", part.get("allowed_actions", ()))
    ]
