# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clusters: what they are, who may do what, how they come back, and how they end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.client import Answer
from tests.opensearch import Cluster, DidNotStart, cluster, node, running, security
from tests.simulator.security import default_users

pytestmark = [pytest.mark.opensearch, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
ANSWERS = {"plain": "3.6.0", "secure": "2.19.1"}


@pytest.fixture(params=list(ANSWERS))
def either(request: pytest.FixtureRequest) -> Cluster:
    """One after the other."""
    started: Cluster = request.getfixturevalue(request.param)
    return started


def ok(answer: Answer) -> Any:
    assert answer.status in (200, 201), answer
    return answer.body


def java_processes(folder: Path) -> dict[int, str]:
    """User by process, of the servers that have that folder in their command, while they run."""
    done = subprocess.run(["ps", "-ww", "-eo", "pid=,user=,stat=,args="], stdout=subprocess.PIPE, text=True, check=True)
    rows = [line.split(None, 3) for line in done.stdout.splitlines()]
    return {int(pid): user for pid, user, stat, command in rows if f"={folder}/" in command and not stat.startswith("Z")}


# -- what it is --------------------------------------------------------------------------------------------------------


def test_it_is_the_version_that_was_asked_for_with_machine_learning(either: Cluster) -> None:
    client = either.client()
    assert ok(client.send("GET", "/"))["version"]["number"] == either.version
    plugins = {row["component"]: row["version"] for row in ok(client.send("GET", "/_cat/plugins?format=json"))}
    assert plugins["opensearch-ml"] == plugins["opensearch-job-scheduler"] == f"{either.version}.0"
    assert ("opensearch-security" in plugins) is either.security
    assert ("opensearch-flow-framework" in plugins) is either.flow_framework


def test_it_listens_on_loopback_only_and_not_as_root(either: Cluster) -> None:
    (found,) = ok(either.client().send("GET", "/_nodes/http,transport,jvm,process"))["nodes"].values()
    bound = found["http"]["bound_address"] + found["transport"]["bound_address"]
    assert {address.rpartition(":")[0] for address in bound} == {"127.0.0.1"}
    assert found["jvm"]["mem"]["heap_max_in_bytes"] <= 1 << 30
    assert set(java_processes(either.folder)) == {found["process"]["id"]}
    assert "root" not in java_processes(either.folder).values()


def test_a_connector_a_model_and_an_agent_are_made_and_deleted(either: Cluster) -> None:
    client = either.client()
    connector = {
        "name": "tests", "description": "tests", "version": "1", "protocol": "http",
        "parameters": {"model": "m"}, "credential": {"key": "secret"},
        "actions": [{"action_type": "predict", "method": "POST", "url": "http://127.0.0.1:1/v1", "request_body": "{}"}],
    }  # fmt: skip
    connector_id = ok(client.send("POST", "/_plugins/_ml/connectors/_create", connector))["connector_id"]
    model = {"name": "tests", "function_name": "remote", "description": "tests", "connector_id": connector_id}
    registered = ok(client.send("POST", "/_plugins/_ml/models/_register?deploy=true", model))
    model_id = registered["model_id"]
    agent = {"name": "tests", "type": "flow", "tools": [{"type": "MLModelTool", "parameters": {"model_id": model_id, "prompt": "p"}}]}
    agent_id = ok(client.send("POST", "/_plugins/_ml/agents/_register", agent))["agent_id"]
    limit = time.monotonic() + 60
    while ok(client.send("GET", f"/_plugins/_ml/models/{model_id}"))["model_state"] != "DEPLOYED":
        assert time.monotonic() < limit, ok(client.send("GET", f"/_plugins/_ml/tasks/{registered['task_id']}"))
        time.sleep(0.2)
    ok(client.send("DELETE", f"/_plugins/_ml/agents/{agent_id}"))
    ok(client.send("POST", f"/_plugins/_ml/models/{model_id}/_undeploy"))
    ok(client.send("DELETE", f"/_plugins/_ml/models/{model_id}"))
    ok(client.send("DELETE", f"/_plugins/_ml/connectors/{connector_id}"))
    assert client.send("GET", f"/_plugins/_ml/models/{model_id}").status == 404


def test_pipelines_work_on_documents_that_are_deleted_by_query(either: Cluster) -> None:
    client = either.client()
    processors = [{"set": {"field": "seen", "value": True}}, {"script": {"source": "ctx.words = ctx.text.length()"}}]
    ok(client.send("PUT", "/_ingest/pipeline/tests-pipeline", {"processors": processors}))
    ok(client.send("PUT", "/tests-index", {"mappings": {"properties": {"text": {"type": "text", "analyzer": "english"}}}}))
    ok(client.send("PUT", "/tests-index/_doc/1?pipeline=tests-pipeline&refresh=true", {"text": "running"}))
    assert ok(client.send("GET", "/tests-index/_doc/1"))["_source"] == {"text": "running", "seen": True, "words": 7}
    query = {"query": {"match": {"text": "runs"}}}
    assert ok(client.send("POST", "/tests-index/_delete_by_query?refresh=true", query))["deleted"] == 1
    ok(client.send("DELETE", "/tests-index"))
    ok(client.send("DELETE", "/_ingest/pipeline/tests-pipeline"))


def test_a_snapshot_goes_to_the_folder_that_is_meant_for_it(either: Cluster) -> None:
    client = either.client()
    ok(client.send("PUT", "/tests-saved", {"settings": {"number_of_replicas": 0}}))
    ok(client.send("PUT", "/_snapshot/tests", {"type": "fs", "settings": {"location": str(either.repository)}}))
    made = ok(client.send("PUT", "/_snapshot/tests/one?wait_for_completion=true", {"indices": "tests-saved"}))
    assert made["snapshot"]["state"] == "SUCCESS"
    assert any(either.repository.glob("**/snap-*"))
    ok(client.send("DELETE", "/_snapshot/tests/one"))
    ok(client.send("DELETE", "/_snapshot/tests"))
    ok(client.send("DELETE", "/tests-saved"))


# -- who may do what ---------------------------------------------------------------------------------------------------


def as_certificate(secure: Cluster, name: str, path: str, method: str = "GET", body: Any = None) -> Any:
    """By the standard library: the tests' own client knows no client certificates."""
    context = ssl.create_default_context(cafile=secure.ca_cert)
    context.load_cert_chain(*secure.client_certs[name])
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(secure.url + path, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, context=context) as answer:
        return json.load(answer)


@pytest.mark.parametrize("name", list(default_users()))
def test_password_and_certificate_make_the_same_user_with_the_simulator_s_roles(secure: Cluster, name: str) -> None:
    wanted = default_users()[name]
    by_password = ok(secure.client(name).send("GET", "/_plugins/_security/authinfo"))
    for found in (by_password, as_certificate(secure, name, "/_plugins/_security/authinfo")):
        assert found["user_name"] == name
        assert sorted(found["roles"]) == sorted(wanted.roles)
        assert sorted(found["backend_roles"]) == sorted(wanted.backend_roles)


@pytest.mark.parametrize("credentials", [None, ("admin", "wrong"), ("somebody", "somebody")])
def test_whoever_is_not_known_is_refused(secure: Cluster, credentials: tuple[str, str] | None) -> None:
    assert secure.client().send("GET", "/", credentials=credentials).status == 401


def test_who_has_no_rights_is_refused_and_who_has_is_not(secure: Cluster) -> None:
    path = "/_plugins/_ml/models/_search"
    assert secure.client("nobody").send("POST", path, {}).status == 403
    assert secure.client("flowml").send("POST", path, {}).status in (200, 404)  # 404 before there is any model
    assert secure.client("flowadmin").send("POST", path, {}).status == 403


def test_admin_and_the_administrator_s_certificate_make_users_and_roles(secure: Cluster) -> None:
    api, client = "/_plugins/_security/api", secure.client()
    user = {"password": "A-long-secret-77!"}
    ok(client.send("PUT", f"{api}/internalusers/tests-user", user))
    ok(client.send("PUT", f"{api}/roles/tests-role", {"cluster_permissions": ["cluster_monitor"]}))
    as_certificate(secure, security.SUPERADMIN, f"{api}/rolesmapping/tests-role", "PUT", {"users": ["tests-user"]})
    pair = ("tests-user", user["password"])
    assert "tests-role" in ok(client.send("GET", "/_plugins/_security/authinfo", credentials=pair))["roles"]
    for kind, name in (("rolesmapping", "tests-role"), ("roles", "tests-role"), ("internalusers", "tests-user")):
        ok(client.send("DELETE", f"{api}/{kind}/{name}"))
    assert client.send("GET", "/", credentials=pair).status == 401
    assert secure.client("flowml").send("GET", f"{api}/internalusers").status == 403


# -- coming back -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [False, True], ids=["orderly", "at once"])
def test_a_node_comes_back_on_its_port_with_its_data(plain: Cluster, at_once: bool) -> None:
    client = plain.client()
    ok(client.send("PUT", "/tests-kept/_doc/1?refresh=true", {"text": "one"}))
    (before,) = java_processes(plain.folder)
    plain.stop(at_once=at_once)
    assert java_processes(plain.folder) == {}
    with pytest.raises(OSError):
        urllib.request.urlopen(plain.url, timeout=5)
    plain.start()
    assert set(java_processes(plain.folder)) != {before}
    assert ok(client.send("GET", "/tests-kept/_count"))["count"] == 1
    ok(client.send("DELETE", "/tests-kept"))


def test_a_node_that_runs_is_not_started_again(secure: Cluster) -> None:
    with pytest.raises(ValueError, match="node-1 runs"):
        secure.start()


def test_two_nodes_are_one_cluster() -> None:
    with running("2.19.1", nodes=2) as two:
        assert len(set(two.urls)) == 2
        for number in range(2):
            assert ok(two.client(number=number).send("GET", "/_cluster/health"))["number_of_nodes"] == 2


# -- ending ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of logs that are kept."""
    monkeypatch.setattr(cluster, "LOGS", tmp_path / "logs")
    return tmp_path / "logs"


def test_nothing_is_left_when_the_context_ends(logs: Path) -> None:
    with running("2.19.1") as one:
        assert java_processes(one.folder)
    assert java_processes(one.folder) == {}
    assert not one.folder.exists()
    assert not logs.exists()


def test_an_exception_leaves_the_logs_and_says_where(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), running("2.19.1") as one:
        raise ZeroDivisionError
    assert java_processes(one.folder) == {}
    (kept,) = logs.iterdir()
    assert f"the logs of 2.19.1 are kept in {kept}" in capsys.readouterr().err
    assert "started" in (kept / "node-1" / "output.log").read_text()


def test_a_server_that_does_not_start_is_seen_at_once_with_the_reason(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(node.SETTINGS, "no.such.setting", True)
    with pytest.raises(DidNotStart, match=r"(?s)node-1 ended with status 1:.*unknown setting \[no\.such\.setting\]") as raised, running("2.19.1"):
        pass
    (kept,) = logs.iterdir()
    assert str(raised.value).endswith(f"The logs are kept in {kept}")
    assert "no.such.setting" in (kept / "node-1" / "output.log").read_text()


def test_a_keeper_that_was_killed_takes_the_server_with_it_and_is_missed(logs: Path) -> None:
    with pytest.raises(DidNotStart, match="the process that keeps the servers has ended"), running("2.19.1") as one:
        one._keeper.kill()
        one._keeper.wait()
        one.stop()
    assert java_processes(one.folder) == {}
    shutil.rmtree(one.folder)


@pytest.fixture
def by_hand() -> Iterator[subprocess.Popen[str]]:
    """``python -m tests.opensearch`` in a group of its own, as a shell starts it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.opensearch", "--version", "2.19.1"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_and_no_folder_is_left_when_a_person_or_a_machine_stops_it(by_hand: subprocess.Popen[str], number: int) -> None:
    assert by_hand.stdout
    url, _logs, repository = (by_hand.stdout.readline().strip() for _number in range(3))
    folder = Path(repository.partition(": ")[2]).parent
    urllib.request.urlopen(url, timeout=10).close()
    assert java_processes(folder)
    os.killpg(by_hand.pid, number)
    limit = time.monotonic() + 20
    while java_processes(folder) or folder.exists():
        assert time.monotonic() < limit
        time.sleep(0.1)
    assert by_hand.wait(20) == (0 if number != signal.SIGKILL else -signal.SIGKILL)
