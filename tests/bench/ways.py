# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways of doing it: plays by real ansible-playbook, module processes, and bare HTTP calls."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.integration.helpers import FOREIGN

from . import COLLECTIONS
from .clusters import WORKFLOW, Cluster, Environment, client_of

HERE = Path(__file__).parent
MODULES = "ansible_collections.opensearch_ops.flow_framework.plugins.modules."


class Failed(Exception):
    """What should be measured went wrong; the text is what it said."""


@dataclass(frozen=True)
class Took:
    """Seconds from start to end. ``memory``: most resident memory of any one module process, in MB; ``processor``: seconds of
    processor time of all processes that were started. None where there are none.
    """

    seconds: float
    memory: float | None = None
    processor: float | None = None


# -- plays -------------------------------------------------------------------------------------------------------------


def play(name: str, variables: Mapping[str, Any], *arguments: str) -> Took:
    """Run one playbook of this folder, and take off what an empty one took directly before. Raises Failed."""
    own = empty_play()
    took = whole_play(name, variables, *arguments)
    return Took(max(0.0, took.seconds - own.seconds), took.memory, max(0.0, (took.processor or 0.0) - (own.processor or 0.0)))


def empty_play() -> Took:
    """A play that does nothing."""
    return whole_play("empty", {})


def processor_of_children() -> float:
    """Seconds of processor time of all processes that were started here and have ended, with theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def whole_play(name: str, variables: Mapping[str, Any], *arguments: str) -> Took:
    """Run one playbook of this folder, with Ansible's own settings. Raises Failed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        peak, given = Path(folder, "peak"), Path(folder, "vars.json")
        peak.touch()
        measured = {"PYTHONPATH": str(HERE / "measured"), "BENCH_PEAK": str(peak)}
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        given.write_text(json.dumps({**local, "measured": measured, **variables}), encoding="utf-8")
        command = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-e", f"@{given}", *arguments]
        began, used = time.monotonic(), processor_of_children()
        ran = subprocess.run(
            [*command, str(HERE / "playbooks" / f"{name}.yml")],
            cwd=folder,
            env=plain_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        seconds = time.monotonic() - began
        if ran.returncode:
            raise Failed(f"the playbook {name}.yml failed:\n" + ran.stdout.decode("utf-8", "replace")[-3000:])
        peaks = [int(line) for line in peak.read_text(encoding="ascii").split()]
        return Took(seconds, max(peaks) / 1024 if peaks else None, processor_of_children() - used)


def plain_environment() -> dict[str, str]:
    """The variables of this process without what would change the modules' options or what Ansible prints."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {**variables, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_RETRY_FILES_ENABLED": "0"}


def connection_variables(cluster: Cluster) -> dict[str, Any]:
    """How the plays reach the cluster."""
    variables: dict[str, Any] = {"cluster_urls": cluster.urls, "cluster_verified": not cluster.insecure}
    given = {"cluster_user": cluster.user, "cluster_password": cluster.password, "cluster_ca": cluster.ca_cert}
    return {**variables, **{name: value for name, value in given.items() if value}}


def by_module(cluster: Cluster, made: Sequence[Environment], status: str, number: int, concurrency: int | None = None, check: bool = False) -> Took:
    """One task of this collection over all workflows. It has to say ``status`` of ``number`` resources."""
    variables = {
        **connection_variables(cluster),
        "workflow_ids": [one.workflow_id for one in made],
        "allow_delete": [id_ for one in made for id_ in one.named],
        "status": status,
        "number": number,
    }
    if concurrency is not None:
        variables["concurrency"] = concurrency
    return play("module", variables, *(["--check"] if check else []))


def by_info(cluster: Cluster, made: Sequence[Environment]) -> Took:
    """One task that looks at all workflows, all of whose resources are there."""
    ids = [one.workflow_id for one in made]
    number = sum(len(one.resources) for one in made)
    return play("info", {**connection_variables(cluster), "workflow_ids": ids, "status": "present", "number": number})


def by_uri(cluster: Cluster, made: Sequence[Environment], careful: bool = False, only_status: bool = False) -> Took:
    """What is written without this collection; ``only_status``: it reads the records, and deletes nothing."""
    book = "uri_status" if only_status else "uri_loop"
    ids = [one.workflow_id for one in made]
    return play(book, {**connection_variables(cluster), "workflow_ids": ids, "careful": careful})


# -- bare HTTP ---------------------------------------------------------------------------------------------------------


def by_http(cluster: Cluster, made: Sequence[Environment], at_once: int, there: bool) -> Took:
    """So many calls at once, and nothing else: a deprovision each where something is there, else a look at each status."""
    client = client_of(cluster)

    def call(one: Environment) -> int:
        target = f"{WORKFLOW}/{one.workflow_id}"
        if there:
            return client.send("POST", f"{target}/_deprovision?allow_delete={quote(','.join(one.named))}").status
        return client.send("GET", f"{target}/_status").status

    began = time.monotonic()
    with ThreadPoolExecutor(at_once) as threads:
        statuses = list(threads.map(call, made))
    if set(statuses) != {200}:
        raise Failed(f"bare calls were answered {sorted(set(statuses))}")
    return Took(time.monotonic() - began)


# -- module processes --------------------------------------------------------------------------------------------------


def start_module(module: str, options: Mapping[str, Any], *python: str) -> subprocess.Popen[str]:
    """A module as a process of its own. ``python``: options of the interpreter."""
    process = subprocess.Popen(
        [sys.executable, *python, "-m", MODULES + module],
        env={**plain_environment(), "PYTHONPATH": COLLECTIONS},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": dict(options)}))
    process.stdin.close()
    process.stdin = None
    return process


def result_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a module process prints. Raises Failed where that is no result, or a failure."""
    out, err = process.communicate()
    if "{" not in out:
        raise Failed(f"a module process ended with {process.returncode}:\n{out}{err}"[-3000:])
    result: dict[str, Any] = json.loads(out[out.index("{") :])
    if result.get("failed"):
        raise Failed(f"a module process failed: {result.get('msg')}")
    return result


def by_processes(cluster: Cluster, shares: Sequence[Sequence[Environment]], concurrency: int | None = None) -> Took:
    """A module process for each share, all started at once."""
    began, used = time.monotonic(), processor_of_children()
    processes = []
    for share in shares:
        options: dict[str, Any] = {"url": cluster.urls, "workflow_id": [one.workflow_id for one in share]}
        options.update(allow_delete=[id_ for one in share for id_ in one.named], wait_timeout=3600)
        if concurrency is not None:
            options["concurrency"] = concurrency
        processes.append(start_module("workflow_deprovision", options))
    results = [result_of(process) for process in processes]
    seconds = time.monotonic() - began
    for share, result in zip(shares, results, strict=True):
        if result["summary"]["deleted"] != sum(len(one.resources) for one in share):
            raise Failed(f"a module process did not delete everything: {result['summary']}")
    return Took(seconds, processor=processor_of_children() - used)


def until_first_request(module: str) -> float:
    """Seconds from the start of a module's process to its first request, which is refused with 401 so that it ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        began = time.monotonic()
        process = start_module(module, {"url": [url], "workflow_id": ["w"]})
        try:
            caller, _other = server.accept()
            with caller:
                caller.recv(65536)
                seconds = time.monotonic() - began
                caller.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        except TimeoutError:
            raise Failed(f"{module} sent no request: {process.communicate(timeout=5)}") from None
        process.communicate()
    return seconds


def python_alone() -> float:
    """Seconds that Python takes to start and end."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.monotonic() - began


def import_seconds(module: str, *packages: str) -> list[float]:
    """Seconds that a module's process spends on importing each package, with all that the package imports first."""
    process = start_module(module, {"url": ["http://127.0.0.1:9"], "workflow_id": []}, "-X", "importtime")
    _other, err = process.communicate()
    return [import_time(err, package) for package in packages]


def import_time(log: str, package: str) -> float:
    """Seconds of a package in the output of ``-X importtime``: its outermost entries, in which all others are counted.

    A line is ``import time: own | with what it imports | name``; the name is indented by depth, and stands after what it imports.
    """
    total, inside = 0, -1  # inside: the depth of the entry of this package that encloses what is read now
    for line in reversed(log.splitlines()):
        fields = line.removeprefix("import time:").split("|")
        if len(fields) != 3 or not fields[1].strip().isdigit():
            continue
        depth, name = len(fields[2]) - len(fields[2].lstrip()), fields[2].strip()
        if inside >= 0 and depth > inside:
            continue
        inside = depth if name == package or name.startswith(package + ".") else -1
        if inside >= 0:
            total += int(fields[1])
    return total / 1e6


def median_of(runs: int, one: Callable[[], float]) -> float:
    """The middle of several runs, in seconds."""
    times = sorted(one() for _number in range(runs))
    return times[len(times) // 2] if len(times) % 2 else (times[len(times) // 2 - 1] + times[len(times) // 2]) / 2
