# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the contract cannot see: knobs, pools that hang, certificates, the process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from . import Simulator, running
from .search import FieldTypes, Hit, SearchError, run
from .versions import TABLE, features

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT.parent / "shared" / "templates"
WORKFLOW = "/_plugins/_flow_framework/workflow"
HTTP = urllib3.PoolManager(retries=False, maxsize=8)


def send(sim: Simulator, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
    """Status and decoded body; text where it is no JSON."""
    headers = dict(options.pop("headers", {}))
    content = None if body is None else json.dumps(body).encode()
    if content:
        headers["Content-Type"] = "application/json"
    url = options.pop("url", sim.url)
    pool = options.pop("pool", HTTP)
    answer = pool.request(method, url + path, body=content, headers=headers, timeout=options.pop("timeout", 10))
    try:
        return answer.status, json.loads(answer.data)
    except ValueError:
        return answer.status, answer.data.decode()


def stored(sim: Simulator, id_: str = "w") -> dict[str, Any]:
    """The state document, which has to be there."""
    state = sim.state(id_)
    assert state is not None
    return state


def state_of(sim: Simulator, id_: str = "w") -> str:
    return str(stored(sim, id_)["state"])


def template(*nodes: tuple[str, str, dict[str, Any]], edges: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    return {
        "name": "env",
        "workflows": {
            "provision": {
                "nodes": [{"id": id_, "type": type_, "user_inputs": inputs} for id_, type_, inputs in nodes],
                "edges": [{"source": source, "dest": dest} for source, dest in edges or []],
            }
        },
    }


def pipelines(prefix: str, count: int) -> dict[str, Any]:
    """A template of independent ingest pipelines."""
    return template(*((f"p{i}", "create_ingest_pipeline", {"pipeline_id": f"{prefix}-{i}", "configurations": {"processors": []}}) for i in range(count)))


def recorded(*resources: tuple[str, str, str]) -> dict[str, Any]:
    """A COMPLETED state: step name, resource type, id."""
    return {
        "workflow_id": "w",
        "state": "COMPLETED",
        "provisioning_progress": "DONE",
        "resources_created": [
            {
                "workflow_step_name": step,
                "workflow_step_id": f"s{number}",
                "resource_type": kind,
                "resource_id": id_,
            }
            for number, (step, kind, id_) in enumerate(resources)
        ],
    }


@pytest.fixture()
def sim() -> Iterator[Simulator]:
    with running() as simulator:
        yield simulator


# -- versions


def test_every_row_of_the_table_starts_and_tears_down() -> None:
    for row in TABLE:
        version = ".".join(map(str, row.since))
        with running(version=version) as sim:
            send(sim, "PUT", "/_cluster/settings", {"persistent": {"plugins.flow_framework.enabled": True}})
            id_ = sim.provision(template(("n", "noop", {})))
            assert send(sim, "POST", f"{WORKFLOW}/{id_}/_deprovision") == (200, {"workflow_id": id_}), version
            assert state_of(sim, id_) == "NOT_STARTED"


def test_a_version_between_two_rows_takes_the_older_one() -> None:
    assert features("2.19.1").since == (2, 19, 0)
    assert features("2.19.4").since == (2, 19, 3)
    assert features("9.9.9").since == TABLE[-1].since
    with pytest.raises(ValueError, match=r"2\.12\.0"):
        features("2.11.0")
    with pytest.raises(ValueError, match="not a version"):
        features("three")


# -- pools


def test_as_many_calls_as_threads_hang_and_one_fewer_finish() -> None:
    with running(clock=0.02) as sim:
        ids = [sim.provision(pipelines(f"x{i}", 3)) for i in range(4)]
        outcomes = at_once(sim, ids[:3])
        assert outcomes == [403, 403, 403]
        for number, id_ in enumerate(ids[:3]):
            allowed = ",".join(f"x{number}-{i}" for i in range(3))
            assert send(sim, "POST", f"{WORKFLOW}/{id_}/_deprovision?allow_delete={allowed}")[0] == 200
    with running(clock=0.3) as sim:
        for i in range(4):
            for j in range(3):
                sim.world.put("connector", f"c{i}{j}")
            state = recorded(*(("create_connector", "connector_id", f"c{i}{j}") for j in range(3)))
            sim.load({**state, "workflow_id": f"w{i}"}, {"name": "env"})
        assert at_once(sim, [f"w{i}" for i in range(4)], timeout=2.0) == [None] * 4
        row = send(sim, "GET", "/_cat/thread_pool/opensearch_deprovision_workflow?format=json&h=active,queue,max")[1]
        assert row == [{"active": "4", "queue": "4", "max": "4"}]
        tasks = send(sim, "GET", "/_tasks?actions=*deprovision")[1]["nodes"]
        assert [len(node["tasks"]) for node in tasks.values()] == [4]
        assert sim.in_flight_max == {"node-1": 4}
        assert state_of(sim, "w0") == "COMPLETED"


def at_once(sim: Simulator, ids: list[str], timeout: float = 10.0) -> list[int | None]:
    """Deprovision all of them at the same time; None for one that was not answered."""
    result: list[int | None] = [None] * len(ids)

    def one(number: int) -> None:
        with contextlib.suppress(urllib3.exceptions.TimeoutError):
            result[number] = send(sim, "POST", f"{WORKFLOW}/{ids[number]}/_deprovision", timeout=timeout)[0]

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(ids))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return result


def test_a_pool_of_one_thread_never_finishes() -> None:
    with running(pool=1) as sim:
        sim.world.put("connector", "c1")
        sim.load(recorded(("create_connector", "connector_id", "c1")), {"name": "env"})
        with pytest.raises(urllib3.exceptions.TimeoutError):
            send(sim, "POST", f"{WORKFLOW}/w/_deprovision", timeout=0.3)


def test_nodes_have_pools_of_their_own_and_names() -> None:
    with running(nodes=2, pool=3) as sim:
        assert [send(sim, "GET", "/", url=url)[1]["name"] for url in sim.urls] == ["node-1", "node-2"]
        id_ = sim.provision(template(("n", "noop", {})))
        send(sim, "POST", f"{WORKFLOW}/{id_}/_deprovision", url=sim.urls[1])
        assert sim.in_flight_max == {"node-1": 0, "node-2": 1}
        names = "opensearch_deprovision_workflow"
        rows = send(sim, "GET", f"/_cat/thread_pool/{names}?format=json&h=node_name,max,completed")[1]
        assert rows == [
            {"node_name": "node-1", "max": "3", "completed": "0"},
            {"node_name": "node-2", "max": "3", "completed": "1"},
        ]
        assert [request.node for request in sim.requests("POST", "_deprovision")] == ["node-2"]


def test_a_dropped_connection_does_not_stop_the_work() -> None:
    with running(clock=0.1) as sim:
        sim.world.put("connector", "c1")
        sim.load(recorded(("create_connector", "connector_id", "c1")), {"name": "env"})
        with pytest.raises(urllib3.exceptions.TimeoutError):
            send(sim, "POST", f"{WORKFLOW}/w/_deprovision", timeout=0.02, headers={"X-Opaque-Id": "me"})
        headers = [
            task["headers"] for node in send(sim, "GET", "/_tasks?detailed&actions=*deprovision")[1]["nodes"].values() for task in node["tasks"].values()
        ]
        assert headers == [{"X-Opaque-Id": "me"}]
        until(lambda: state_of(sim) == "NOT_STARTED")
        assert sim.world.get("connector", "c1") is None
        until(lambda: sim.requests("POST", "_deprovision")[0].status == 200)


def until(check: Any, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_pause_after_each_resource_and_pass_is_the_real_one() -> None:
    with running(clock=1.0) as sim:
        sim.world.put("connector", "c1")
        sim.load(recorded(("create_connector", "connector_id", "c1")), {"name": "env"})
        started = time.monotonic()
        send(sim, "POST", f"{WORKFLOW}/w/_deprovision")
        assert 1.1 <= time.monotonic() - started < 2.0


# -- faults


def test_answers_instead_of_the_work_and_after_it(sim: Simulator) -> None:
    sim.world.put("connector", "c1")
    sim.load(recorded(("create_connector", "connector_id", "c1")), {"name": "env"})
    sim.faults.answer("POST", "/w/_deprovision", 503, {"error": "busy"})
    assert send(sim, "POST", f"{WORKFLOW}/w/_deprovision") == (503, {"error": "busy"})
    assert sim.world.get("connector", "c1")
    sim.faults.answer("POST", "/w/_deprovision", 504, "<html>", content_type="text/html", when="after")
    assert send(sim, "POST", f"{WORKFLOW}/w/_deprovision") == (504, "<html>")
    assert sim.world.get("connector", "c1") is None and state_of(sim) == "NOT_STARTED"
    assert [request.status for request in sim.requests("POST")] == [503, 504]


def test_cuts(sim: Simulator) -> None:
    sim.faults.cut("GET", "^/$|^/[?]$", "reset")
    with pytest.raises(urllib3.exceptions.ProtocolError, match=r"[Rr]eset"):
        send(sim, "GET", "/")
    sim.faults.cut("GET", "^/", "truncate")
    status, text = send(sim, "GET", "/")
    assert status == 200 and isinstance(text, str) and text.startswith('{"name"') and not text.endswith("}")
    sim.faults.cut(None, "^/", "empty")
    assert send(sim, "GET", "/") == (200, "")
    sim.faults.cut("*", "^/", "html")
    assert "nginx" in send(sim, "GET", "/")[1]
    sim.faults.cut("GET", "^/", "silence")
    with pytest.raises(urllib3.exceptions.TimeoutError):
        send(sim, "GET", "/", timeout=0.2)
    assert send(sim, "GET", "/")[0] == 200
    sim.faults.delay("GET", "^/", 0.2)
    started = time.monotonic()
    assert send(sim, "GET", "/")[0] == 200
    assert time.monotonic() - started >= 0.2
    with pytest.raises(ValueError, match="how is one of"):
        sim.faults.cut("GET", "^/", "explode")


def test_silence_while_the_work_goes_on(sim: Simulator) -> None:
    sim.world.put("connector", "c1")
    sim.load(recorded(("create_connector", "connector_id", "c1")), {"name": "env"})
    sim.faults.cut("POST", "_deprovision", "silence", when="after")
    with pytest.raises(urllib3.exceptions.TimeoutError):
        send(sim, "POST", f"{WORKFLOW}/w/_deprovision", timeout=0.3)
    assert state_of(sim) == "NOT_STARTED"


def test_a_reset_in_the_middle_of_the_work() -> None:
    with running(clock=0.1) as sim:
        sim.world.put("connector", "c1")
        sim.load(recorded(("create_connector", "connector_id", "c1")), {"name": "env"})
        sim.faults.cut("POST", "_deprovision", "reset", when="during")
        with pytest.raises(urllib3.exceptions.ProtocolError):
            send(sim, "POST", f"{WORKFLOW}/w/_deprovision")
        assert state_of(sim) == "COMPLETED"
        until(lambda: state_of(sim) == "NOT_STARTED")


def test_a_hook_changes_the_world_before_a_request(sim: Simulator) -> None:
    seen = []

    def hook(request: Any) -> None:
        seen.append(request.target)
        if request.method == "GET":
            sim.world.put("index", "late", documents=7)

    sim.faults.hook(hook)
    assert send(sim, "GET", "/late/_count")[1]["count"] == 7
    assert seen == ["/late/_count"]
    sim.faults.clear()
    send(sim, "GET", "/")
    assert seen == ["/late/_count"]


def test_an_unknown_step_is_never_answered(sim: Simulator) -> None:
    sim.load(recorded(("create_moon", "moon_id", "m")), {"name": "env"})
    with pytest.raises(urllib3.exceptions.TimeoutError):
        send(sim, "POST", f"{WORKFLOW}/w/_deprovision", timeout=0.3)
    assert state_of(sim) == "COMPLETED"


def test_plugin_absent_and_of_another_version(sim: Simulator) -> None:
    sim.faults.plugin_versions = {"node-1": "2.15.0.0"}
    assert "2.15.0.0" in str(send(sim, "GET", "/_cat/plugins")[1])
    sim.faults.plugin_absent = True
    path = f"{WORKFLOW}/w/_status"
    assert send(sim, "GET", path) == (400, {"error": f"no handler found for uri [{path}] and method [GET]"})
    assert "flow-framework" not in str(send(sim, "GET", "/_cat/plugins")[1])


# -- provisioning


def test_steps_side_by_side_lose_records_only_where_they_did() -> None:
    def provisioned(version: str) -> tuple[dict[str, Any], list[str]]:
        with running(version=version, clock=0.01) as sim:
            sim.faults.lost_records = True
            id_ = sim.provision(pipelines("p", 6))
            return stored(sim, id_), sim.world.ids("ingest_pipeline")

    state, made = provisioned("2.19.1")
    assert state["state"] == "FAILED" and "during step p" in state["error"]
    assert len(made) == 6 and 1 <= len(state["resources_created"]) < 6
    state, made = provisioned("3.6.0")
    assert state["state"] == "COMPLETED" and len(state["resources_created"]) == 6 == len(made)


def test_other_branches_go_on_after_a_failure() -> None:
    with running(clock=0.02) as sim:
        sim.world.put("index", "taken")
        nodes = [("bad", "create_index", {"index_name": "taken", "configurations": {}})]
        nodes += [(f"ok{i}", "create_index", {"index_name": f"ok{i}", "configurations": {}}) for i in range(4)]
        id_ = sim.provision(template(*nodes, edges=[("ok0", "ok1"), ("ok1", "ok2"), ("ok2", "ok3")]))
        state = stored(sim, id_)
        assert state["state"] == "FAILED" and "[taken/" in state["error"]
        assert [entry["resource_id"] for entry in state["resources_created"]] == ["ok0", "ok1", "ok2", "ok3"]


def test_substitution_by_parameter_and_by_output(sim: Simulator) -> None:
    nodes = (
        ("one", "create_ingest_pipeline", {"pipeline_id": "${{who}}-ing", "configurations": {"processors": []}}),
        (
            "two",
            "create_index",
            {
                "index_name": "${{who}}-idx",
                "configurations": {"settings": {"default_pipeline": "${{one.pipeline_id}}"}},
            },
        ),
    )
    id_ = sim.provision(template(*nodes, edges=[("one", "two")]), params={"who": "pr-17"})
    assert state_of(sim, id_) == "COMPLETED"
    settings = send(sim, "GET", "/pr-17-idx/_settings?flat_settings")[1]["pr-17-idx"]["settings"]
    assert settings["index.default_pipeline"] == "pr-17-ing"


@pytest.mark.skipif(not TEMPLATES.is_dir(), reason="../shared/templates is not here")
def test_real_templates(sim: Simulator) -> None:
    expected = {
        "deploy-openai-model": ["create_connector", "register_remote_model", "deploy_model"],
        "query-assist-agent": ["create_connector", "register_remote_model", "deploy_model", "register_agent"],
    }
    for name, steps in expected.items():
        id_ = sim.provision(json.loads((TEMPLATES / f"{name}.json").read_text()))
        state = stored(sim, id_)
        assert state["state"] == "COMPLETED", state.get("error")
        assert [entry["workflow_step_name"] for entry in state["resources_created"]] == steps
        shown = json.dumps([send(sim, "GET", f"{WORKFLOW}/{id_}")[1], sim.template(id_)])
        assert "YOUR_" not in shown and "credential" not in shown
        assert send(sim, "POST", f"{WORKFLOW}/{id_}/_deprovision")[0] == 200
    fields = {
        "create_ingest_pipeline.pipeline_id": "sem-ing",
        "create_index.name": "sem-idx",
        "create_index.settings.number_of_shards": "2",
    }
    id_ = sim.provision(json.loads((TEMPLATES / "semantic-search.json").read_text()), params=fields)
    assert state_of(sim, id_) == "COMPLETED", sim.state(id_)
    assert (sim.world.get("index", "sem-idx") or {})["settings"]["index.number_of_shards"] == "2"


# -- access


def basic(name: str, password: str | None = None) -> dict[str, str]:
    return urllib3.make_headers(basic_auth=f"{name}:{password or name}")


def test_passwords_tokens_and_users_of_ones_own() -> None:
    with running(version="2.19.1", security=True) as sim:
        assert send(sim, "GET", "/") == (401, "Unauthorized")
        assert send(sim, "GET", "/", headers=basic("admin", "wrong"))[0] == 401
        sim.users["admin"].password = "new"
        assert send(sim, "GET", "/", headers=basic("admin"))[0] == 401
        assert send(sim, "GET", "/", headers=basic("admin", "new"))[0] == 200
        sim.add_user("ops", "secret", ["cluster:monitor/*", "indices:admin/get"], ["team"])
        sim.add_token("abc", "ops")
        bearer = {"Authorization": "Bearer abc"}
        assert send(sim, "GET", "/", headers=bearer)[0] == 200
        status, body = send(sim, "DELETE", "/idx", headers=bearer)
        assert status == 403 and "[indices:admin/delete]" in body["error"]["reason"]
        assert "backend_roles=[team]" in body["error"]["reason"]
        assert send(sim, "GET", "/", headers={"Authorization": "Bearer no"})[0] == 401
        assert "opensearch-security" in str(send(sim, "GET", "/_cat/plugins", headers=bearer)[1])
        assert [request.user for request in sim.requests(path="^/[?]")][-2:] == ["ops", None]


def test_tls_and_client_certificates() -> None:
    with running(security=True, tls=True) as sim:
        assert sim.url.startswith("https://")
        plain = urllib3.PoolManager(retries=False, ca_certs=sim.ca_cert)
        assert send(sim, "GET", "/", pool=plain) == (401, "Unauthorized")
        with_certificate = urllib3.PoolManager(retries=False, ca_certs=sim.ca_cert, cert_file=sim.client_cert, key_file=sim.client_key)
        assert send(sim, "GET", "/", pool=with_certificate)[0] == 200
        assert sim.log[-1].user == "admin"
        with pytest.raises(urllib3.exceptions.SSLError):
            send(sim, "GET", "/", pool=urllib3.PoolManager(retries=False))
        assert sim.provision(template(("n", "noop", {})))


def test_tenants() -> None:
    with running(multi_tenancy=True) as sim:
        one, two = {"x-tenant-id": "one"}, {"x-tenant-id": "two"}
        assert send(sim, "POST", WORKFLOW, template(("n", "noop", {})))[0] == 403
        id_ = send(sim, "POST", WORKFLOW, template(("n", "noop", {})), headers=one)[1]["workflow_id"]
        refused = (403, {"error": "No permission to access this resource"})
        assert send(sim, "POST", f"{WORKFLOW}/{id_}/_deprovision", headers=two) == refused
        assert send(sim, "POST", f"{WORKFLOW}/{id_}/_deprovision", headers=one)[0] == 200


# -- the cluster around it


def test_indices_as_a_client_looks_at_them(sim: Simulator) -> None:
    sim.world.put("index", "docs", documents=12, size_in_bytes=4096, uuid="u" * 22)
    sim.world.put("alias", "alias", index="docs")
    sim.world.put("index", "shut", closed=True)
    sim.world.put("index", "held", snapshot=True)
    assert send(sim, "HEAD", "/docs")[0] == 200 and send(sim, "HEAD", "/none")[0] == 404
    assert list(send(sim, "GET", "/alias")[1]) == ["docs"]
    assert list(send(sim, "GET", "/docs,none?ignore_unavailable=true")[1]) == ["docs"]
    assert send(sim, "GET", "/docs,none")[1]["error"]["index"] == "none"
    assert send(sim, "GET", "/docs/_count")[1]["count"] == 12
    stats = send(sim, "GET", "/docs/_stats/docs,store,translog")[1]["indices"]["docs"]
    assert stats["uuid"] == "u" * 22 and stats["primaries"]["store"]["size_in_bytes"] == 4096
    assert stats["primaries"]["translog"]["uncommitted_operations"] == 0
    for path in ("/shut/_count", "/shut/_stats"):
        status, body = send(sim, "GET", path)
        assert (status, body["error"]["type"]) == (400, "index_closed_exception")
    assert send(sim, "DELETE", "/alias")[1]["error"]["type"] == "illegal_argument_exception"
    assert send(sim, "DELETE", "/held")[1]["error"]["type"] == "snapshot_in_progress_exception"
    assert list(send(sim, "GET", "/_snapshot/_status")[1]["snapshots"][0]["indices"]) == ["held"]
    assert list(send(sim, "GET", "/d*")[1]) == ["docs"]
    assert send(sim, "GET", "/_alias/alias")[1] == {"docs": {"aliases": {"alias": {}}}}
    assert send(sim, "GET", "/_alias/none") == (404, {"error": "alias [none] missing", "status": 404})
    assert send(sim, "PUT", "/Docs")[1]["error"]["type"] == "invalid_index_name_exception"


def test_documents_are_counted_after_a_refresh_only(sim: Simulator) -> None:
    send(sim, "PUT", "/idx", {"settings": {"refresh_interval": "-1", "number_of_replicas": 0}})
    assert send(sim, "PUT", "/idx/_doc/1", {"a": 1})[0] == 201
    assert send(sim, "GET", "/idx/_count")[1]["count"] == 0
    translog = send(sim, "GET", "/idx/_stats/translog")[1]["indices"]["idx"]["primaries"]["translog"]
    assert translog["uncommitted_operations"] == 1
    send(sim, "POST", "/idx/_refresh")
    assert send(sim, "GET", "/idx/_count")[1]["count"] == 1
    assert send(sim, "POST", "/idx/_search", {"query": {"term": {"a": 1}}})[1]["hits"]["hits"][0]["_id"] == "1"


def test_searches_see_a_change_after_the_refresh_only() -> None:
    with running(clock=0.3) as sim:
        body: dict[str, Any] = {"query": {"match_all": {}}}
        id_ = send(sim, "POST", "/_plugins/_ml/connectors/_create", {"name": "c"})[1]["connector_id"]
        path = "/_plugins/_ml/connectors/_search"
        assert send(sim, "POST", path, body)[1]["hits"]["total"]["value"] == 0
        until(lambda: send(sim, "POST", path, body)[1]["hits"]["total"]["value"] == 1)
        send(sim, "DELETE", f"/_plugins/_ml/connectors/{id_}")
        assert send(sim, "POST", path, body)[1]["hits"]["total"]["value"] == 0


def test_pipelines_by_pattern_and_by_list(sim: Simulator) -> None:
    for name in ("a1", "a2", "b"):
        send(sim, "PUT", f"/_search/pipeline/{name}", {})
    assert sorted(send(sim, "GET", "/_search/pipeline/a*")[1]) == ["a1", "a2"]
    assert sorted(send(sim, "GET", "/_search/pipeline/a1,b,none")[1]) == ["a1", "b"]
    assert send(sim, "DELETE", "/_search/pipeline/none")[0] == 404
    assert send(sim, "DELETE", "/_search/pipeline/a*") == (200, {"acknowledged": True})
    assert sim.world.ids("search_pipeline") == ["b"]


def test_filter_path_and_pretty(sim: Simulator) -> None:
    assert send(sim, "GET", "/?filter_path=version.number,name")[1] == {
        "name": "node-1",
        "version": {"number": "3.6.0"},
    }
    assert send(sim, "GET", "/nothing?filter_path=*.settings")[1]["error"]["type"] == "index_not_found_exception", "errors are whole"
    assert "\n" in HTTP.request("GET", sim.url + "/?pretty").data.decode()


def test_queries() -> None:
    types = FieldTypes({"kind": "keyword", "r": "nested", "r.id": "keyword", "n": "number"}, dynamic=False)
    hits = [
        Hit("1", {"kind": "a", "n": 1, "r": [{"id": "x"}]}, 0),
        Hit("2", {"kind": "b", "n": 2, "r": [{"id": "y"}, {"id": "x"}]}, 1),
        Hit("3", {"kind": "ab", "n": 3}, 2),
    ]

    def found(**body: Any) -> list[str]:
        return [hit["_id"] for hit in run("i", types, hits, body)["hits"]["hits"]]

    assert found(query={"term": {"kind": "a"}}) == ["1"]
    assert found(query={"terms": {"_id": ["1", "3"]}}) == ["1", "3"]
    assert found(query={"nested": {"path": "r", "query": {"term": {"r.id": "x"}}}}) == ["1", "2"]
    assert found(query={"term": {"r.id": "x"}}) == []
    assert found(query={"range": {"n": {"gt": 1, "lte": 3}}}) == ["2", "3"]
    assert found(query={"wildcard": {"kind": "a*"}}) == ["1", "3"] == found(query={"prefix": {"kind": "a"}})
    assert found(query={"bool": {"must_not": {"exists": {"field": "kind"}}}}) == []
    assert found(query={"bool": {"should": [{"ids": {"values": ["1"]}}, {"term": {"n": 3}}]}}) == ["1", "3"]
    assert found(sort=[{"n": "desc"}], size=2) == ["3", "2"]
    assert found(sort=[{"n": {"order": "desc"}}], size=2, search_after=[2]) == ["1"]
    assert found(**{"from": 1, "size": 1}) == ["2"]
    only = run("i", types, hits, {"_source": ["r.id"], "size": 1})["hits"]["hits"][0]["_source"]
    assert only == {"r": [{"id": "x"}]}
    with pytest.raises(SearchError, match="unknown query"):
        found(query={"fuzzy_like": {}})
    with pytest.raises(SearchError, match="nested object under path"):
        found(query={"nested": {"path": "q", "query": {"match_all": {}}}})


# -- a process of its own


def test_the_command_with_its_knobs(tmp_path: Path) -> None:
    urls = tmp_path / "urls"
    command = [sys.executable, "-m", "tests.simulator", "--version", "2.19.1", "--clock", "0", "--nodes", "2"]
    process = subprocess.Popen([*command, "--write-url", str(urls)], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        until(urls.exists, 10)
        assert urls.read_text().splitlines()[0] == url

        def knob(method: str, name: str, body: Any = None) -> Any:
            content = None if body is None else json.dumps(body).encode()
            answer = HTTP.request(method, f"{url}/_simulator/{name}", body=content)
            assert answer.status == 200, answer.data
            return json.loads(answer.data)

        knob("POST", "world", {"kind": "index", "id": "docs", "attributes": {"documents": 3}})
        knob("POST", "load", {"state": recorded(("create_index", "index_name", "docs")), "template": {"name": "t"}})
        knob(
            "POST",
            "faults",
            {"fault": "answer", "arguments": {"method": "POST", "path_regex": "_dep", "status": 503, "body": {}}},
        )
        assert HTTP.request("POST", f"{url}{WORKFLOW}/w/_deprovision").status == 503
        knob("DELETE", "faults")
        path = f"{url}{WORKFLOW}/w/_deprovision?allow_delete=docs"
        assert HTTP.request("POST", path).status == 200
        assert knob("GET", "world?kind=index") == {"index": []}
        assert knob("GET", "state?workflow_id=w")["state"]["state"] == "NOT_STARTED"
        assert [request["status"] for request in knob("GET", "log?method=POST")] == [503, 200]
        knob("DELETE", "log")
        assert knob("GET", "log") == []
        assert HTTP.request("GET", f"{url}/_simulator/moon").status == 404
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


# -- many at once ------------------------------------------------------------------------------------------------------


def many_searches(sim: Simulator, lines: list[Any], end: str = "\n", **headers: str) -> tuple[int, Any]:
    """Status and body of ``_msearch``."""
    text = "\n".join(json.dumps(line) for line in lines) + end
    answer = HTTP.request("POST", sim.url + "/_msearch", body=text.encode(), headers={"Content-Type": "application/x-ndjson", **headers})
    return answer.status, json.loads(answer.data)


def test_many_searches_are_answered_one_by_one_in_their_order() -> None:
    with running() as sim:
        sim.world.put("index", "a", documents=3)
        sim.world.put("index", "shut", closed=True)
        body = {"size": 0, "query": {"match_all": {}}}
        status, made = many_searches(sim, [{"index": "a"}, body, {"index": "gone"}, body, {"index": "shut"}, body])
        first, second, third = made["responses"]
        assert status == 200 and first["status"] == 200 and first["hits"]["total"] == {"value": 3, "relation": "eq"}
        assert (second["status"], second["error"]["type"]) == (404, "index_not_found_exception")
        assert (third["status"], third["error"]["type"]) == (400, "index_closed_exception")
        assert many_searches(sim, [{"index": "a"}, body], end="")[0] == 400
        assert many_searches(sim, [{"index": "a"}])[0] == 400


def test_the_list_of_tasks_holds_the_request_for_it_with_the_time() -> None:
    with running(nodes=2) as sim:
        before = int(time.time() * 1000)
        ((node, shown),) = send(sim, "GET", "/_tasks?actions=cluster:monitor/tasks/lists")[1]["nodes"].items()
        ((task_id, task),) = shown["tasks"].items()
        assert task_id == f"{node}:{task['id']}" and task["action"] == "cluster:monitor/tasks/lists"
        assert before <= task["start_time_in_millis"] <= int(time.time() * 1000) + 10
        assert send(sim, "GET", "/_tasks?actions=*deprovision")[1] == {"nodes": {}}


def test_more_terms_than_an_index_takes_are_refused() -> None:
    terms = {"query": {"terms": {"name": ["x"] * 65_537}}}
    with pytest.raises(SearchError, match="exceeded the allowed maximum of"):
        run("i", FieldTypes(), [Hit("a", {"name": "x"}, 0)], terms)


def test_a_client_that_dies_in_the_middle_of_its_request_has_asked_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with running() as sim:
        host, port = sim.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(f"POST {WORKFLOW}/w/_deprovision HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\n".encode())
            time.sleep(0.1)
        assert send(sim, "GET", "/")[0] == 200
        assert [request.method for request in sim.log] == ["GET"]
    assert caplog.text == ""
