# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials, permissions, backend roles and tenants (behaviour.md 5; recordings security_roles, backend_roles)."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.connection import ConnectionOptionError
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import SurveyError
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.resources import index_placeholder
from tests.simulator import running

from .helpers import (
    FLOW,
    by_kind,
    call,
    check,
    documented_roles,
    finish,
    finished,
    in_thread,
    message,
    overlaps,
    permitted_by,
    posts,
    provisioned,
    run,
    start,
    there,
    until,
    warned,
    writes,
)

ROLE = permitted_by(documented_roles()["flow_framework_teardown"])

LITERAL = {"id": "g", "type": "register_model_group", "user_inputs": {"name": "a group"}}


@pytest.fixture()
def secured() -> Iterator[Any]:
    with running(security=True) as sim:
        yield sim


def full(sim: Any) -> Any:
    """An environment of everything, whose template names a model group."""
    made = provisioned(sim, "w")
    sim.load(sim.state("w"), {"name": "w", "workflows": {"provision": {"nodes": [LITERAL]}}})
    return made


def as_user(sim: Any, permissions: list[str], **options: Any) -> dict[str, Any]:
    """One run by a user with just these permissions; what stops the whole task is a result with its sentence, too."""
    sim.add_user("least", "leastpassword", permissions)
    try:
        return run(sim, "w", username="least", password="leastpassword", **options)
    except SurveyError as error:
        return {"failed": True, "msg": str(error), "warnings": [], "resources": []}


def everything_said(result: dict[str, Any]) -> str:
    return json.dumps(result)


def test_a_full_teardown_with_the_role_of_the_documentation(secured: Any) -> None:
    made = full(secured)
    result = as_user(secured, ROLE, allow_delete=made.named, leftovers="delete", delete_workflow=True)
    finished(result, secured)
    assert result["warnings"] == []
    assert there(secured, made) == set() and secured.state("w") is None and secured.template("w") is None
    assert {one.status for one in secured.requests()} <= {200, 404}


def test_recreate_with_the_role_of_the_documentation(secured: Any) -> None:
    made = provisioned(secured, "w", ("index", "ingest_pipeline", "search_pipeline"), gone=("index", "ingest_pipeline", "search_pipeline"))
    finished(as_user(secured, ROLE, allow_delete=made.named, stale_records="recreate"), secured)


PLACEHOLDERS = ("indices:admin/create", "cluster:admin/ingest/pipeline/put", "cluster:admin/search/pipeline/put")


UNSAID = "cluster:admin/snapshot/status"  # the server refuses by itself


def test_without_the_right_to_see_snapshots_the_server_refuses_by_itself(secured: Any) -> None:
    made = provisioned(secured, "w", ["connector", "index"], snapshot=True)
    result = as_user(secured, [one for one in ROLE if one != UNSAID], allow_delete=made.named)
    assert by_kind(result) == {"connector": "deleted", "index": "failed"} and there(secured, made) == {"index"}


@pytest.mark.parametrize("left_out", [one for one in ROLE if one != UNSAID])
def test_each_permission_that_is_left_out_is_named(secured: Any, left_out: str) -> None:
    """Whatever comes of it, the result says which permission is missing, and what it says of each resource is true."""
    if left_out in PLACEHOLDERS:
        kinds = ("index", "ingest_pipeline", "search_pipeline")
        made = provisioned(secured, "w", kinds, gone=kinds)
        result = as_user(secured, [one for one in ROLE if one != left_out], allow_delete=made.named, stale_records="recreate")
    else:
        made = full(secured)
        given = [one for one in ROLE if one != left_out]
        result = as_user(secured, given, allow_delete=made.named, leftovers="delete", delete_workflow=True)
        for one in result["resources"]:
            exists = secured.world.get(one["kind"], one["id"]) is not None
            assert exists == (one["status"] not in ("deleted", "absent")), one
    assert left_out in everything_said(result), result["msg"]
    assert "Traceback" not in everything_said(result)


STEP_RIGHTS = {
    "indices:admin/delete": "index",
    "cluster:admin/ingest/pipeline/delete": "ingest_pipeline",
    "cluster:admin/search/pipeline/delete": "search_pipeline",
    "cluster:admin/opensearch/ml/connectors/delete": "connector",
    "cluster:admin/opensearch/ml/agents/delete": "agent",
}


@pytest.mark.parametrize("right", STEP_RIGHTS)
def test_a_user_without_the_right_to_delete_a_resource_is_told_for_that_resource(secured: Any, right: str) -> None:
    """A 202 without a reason (vectors A11, D41)."""
    made = provisioned(secured, "w")
    result = as_user(secured, [one for one in ROLE if one != right], allow_delete=made.named)
    kind = STEP_RIGHTS[right]
    assert {one for one, status in by_kind(result).items() if status == "failed"} == {kind}
    assert right in message(result, kind) and there(secured, made) == {kind, "model_group"}


def test_401_is_said_and_stops_everything(secured: Any) -> None:
    made = provisioned(secured, "w")
    for credentials in ({}, {"username": "admin", "password": "wrong"}, {"token": "wrong"}):
        with pytest.raises(SurveyError, match=r"refuses the credentials, or got none \(401\)"):
            run(secured, "w", allow_delete=made.named, **credentials)
    assert writes(secured) == [] and len(secured.requests()) == 3, "a wrong password is not tried again: accounts get locked"


def test_credentials_that_expire_in_the_middle_stop_all_workflows(secured: Any) -> None:
    made = [provisioned(secured, name, ("connector",)) for name in ("a", "b")]

    def before(request: Any) -> None:
        if request.path.endswith("_deprovision"):
            secured.users["admin"].password = "changed"

    secured.faults.hook(before)
    result = run(secured, ["a", "b"], username="admin", password="admin")
    assert result["failed"] and "401" in result["msg"]
    assert len(posts(secured)) == 1 and there(secured, made[1]) == {"connector"}


def test_a_401_to_the_call_alone_stops_all_workflows_too(sim: Any) -> None:
    made = [provisioned(sim, name, ("connector",)) for name in "abcdefgh"]
    sim.faults.answer("POST", "_deprovision", 401, "Unauthorized", "text/plain", times=None)
    result = run(sim, list("abcdefgh"))
    assert all(one["failed"] and "401" in one["msg"] for one in result["workflows"])
    assert len(posts(sim)) <= 2, "what was under way on the two slots, and nothing after it"
    assert all(there(sim, one) == {"connector"} for one in made)


def test_a_count_of_no_shards_is_no_count_and_a_filled_index_with_our_mark_stays_somebody_s(sim: Any) -> None:
    """The plugin can be set to answer with nothing what it denies (tests/opensearch/test_security_plugin.py)."""
    made = provisioned(sim, "w", ["index"], mappings=index_placeholder()["mappings"])
    nothing = {"count": 0, "_shards": {"total": 0, "successful": 0, "skipped": 0, "failed": 0}}
    everything = {"_all": {"total": {"store": {"size_in_bytes": 77}}}, "indices": {"of-others": {"total": {"store": {"size_in_bytes": 77}}}}}
    sim.faults.answer("GET", "_count", 200, nothing, times=None)
    sim.faults.answer("GET", "_stats", 200, everything, times=None)
    (index,) = check(sim, "w", allow_delete=made.named)["resources"]
    assert (index["status"], index["documents"], index["size_in_bytes"]) == ("would_delete", None, None)


DISABLED = "This API is disabled. To enable it, update the setting [plugins.flow_framework.enabled] to true."
REFUSALS: dict[str, tuple[int, str, str]] = {
    "switched off": (403, DISABLED, r"plugins\.flow_framework\.enabled"),
    "no permission": (403, "Failed to get workflow status.", "flow_framework/workflow_state/get"),
    "no permission, 2.13": (403, "Failed to get workflow.", "flow_framework/workflow_state/get"),
    "no permission, 2.12": (403, "no permissions for [cluster:admin/x] and User [name=u]", r"no permissions for \[cluster:admin/x\]"),
    "backend roles": (403, "User does not have permissions to access workflow: w", "backend role"),
    "backend roles, 2.17 to 2.19": (400, "User does not have permissions to access workflow: w", "backend role"),
    "no tenant": (403, "Tenant ID header is missing or has no value", "set tenant_id"),
    "a null tenant": (403, "Tenant ID can't be null", "set tenant_id"),
    "another tenant": (403, "No permission to access this resource", "another tenant"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_each_refusal_of_a_read_is_told_apart_with_what_helps(sim: Any, name: str) -> None:
    status, text, told = REFUSALS[name]
    provisioned(sim, "w")
    sim.faults.answer("GET", "_status", status, {"error": text}, times=None)
    with pytest.raises(SurveyError, match=told):
        run(sim, "w")
    assert writes(sim) == []


CALL_REFUSALS = {
    "no permission": (403, "Failed to get workflow.", "flow_framework/workflow/deprovision"),
    "backend roles": (403, "User does not have permissions to access workflow: w", "backend role"),
    "backend roles, 2.17 to 2.19": (400, "User does not have permissions to access workflow: w", "backend role"),
    "another tenant": (403, "No permission to access this resource", "another tenant"),
    "switched off": (403, DISABLED, r"plugins\.flow_framework\.enabled"),
    "blocked before the handler": (403, {"type": "cluster_block_exception", "reason": "blocked by: [SERVICE/8/read-only]"}, "blocked by"),
}


@pytest.mark.parametrize("name", CALL_REFUSALS)
def test_each_refusal_of_the_call_itself_is_told_apart_and_not_repeated(sim: Any, name: str) -> None:
    status, error, told = CALL_REFUSALS[name]
    made = provisioned(sim, "w", ("connector", "index"))
    sim.faults.answer("POST", "_deprovision", status, {"error": error}, times=None)
    result = run(sim, "w", allow_delete=made.named)
    assert result["failed"] and re.search(told, result["msg"]), result["msg"]
    assert len(posts(sim)) == 1 and there(sim, made) == {"connector", "index"}


@pytest.mark.parametrize("version", ("2.17.0", "2.18.0", "2.19.1", "3.0.0", "3.6.0"))
def test_a_workflow_of_others_behind_backend_roles_is_refused_with_what_helps(version: str) -> None:
    with running(version=version, security=True) as sim:
        made = provisioned(sim, "w")
        sim.add_user("mate", "matepass", ["*"], ["team-b"])
        owner = {"name": "owner", "backend_roles": ["team-a"]}
        sim.load({**(sim.state("w") or {}), "user": owner}, {**(sim.template("w") or {}), "user": owner})
        admin = {"Authorization": "Basic " + b64encode(b"admin:admin").decode()}
        setting = {"persistent": {"plugins.flow_framework.filter_by_backend_roles": True}}
        assert call(sim.url, "PUT", "/_cluster/settings", setting, admin)[0] == 200
        with pytest.raises(SurveyError, match="backend role"):
            run(sim, "w", allow_delete=made.named, username="mate", password="matepass")
        assert posts(sim) == []
        sim.users["mate"].backend_roles = ["team-a"]
        finished(run(sim, "w", allow_delete=made.named, username="mate", password="matepass"), sim)


def tenant_environment(sim: Any, workflow_id: str, tenant: str = "t1", **arguments: Any) -> Any:
    made = provisioned(sim, workflow_id, **arguments)
    sim.load({**sim.state(workflow_id), "tenant_id": tenant}, {**sim.template(workflow_id), "tenant_id": tenant})
    return made


def test_a_tenant_is_sent_with_every_request() -> None:
    with running(multi_tenancy=True) as sim:
        made = tenant_environment(sim, "w", kinds=("connector", "index"))
        with pytest.raises(SurveyError, match="set tenant_id"):
            run(sim, "w", allow_delete=made.named)
        with pytest.raises(SurveyError, match="another tenant"):
            run(sim, "w", allow_delete=made.named, tenant_id="t2")
        assert posts(sim) == []
        finished(run(sim, "w", allow_delete=made.named, tenant_id="t1"), sim)
        assert there(sim, made) == set()


@pytest.mark.parametrize("concurrency", (0, 2), ids=("by default one call a node", "429 for one more"))
def test_the_limit_of_a_tenant_is_waited_for(concurrency: int) -> None:
    """One call a tenant at once, and 429 for the next (vector R14); here the other call is one of ours elsewhere."""
    with running(multi_tenancy=True, clock=0.2) as sim:
        other = tenant_environment(sim, "other", kinds=("connector", "agent", "index"))
        made = tenant_environment(sim, "w", kinds=("connector", "index"))
        sim.faults.outlast("delete_agent", other.id("agent"))  # 2 s here
        headers = {"x-tenant-id": "t1", "X-Opaque-Id": "opensearch_ops.flow_framework/there/other"}
        wait = in_thread(lambda: call(sim.url, "POST", f"{FLOW}/other/_deprovision", headers=headers))
        until(lambda: posts(sim))
        finished(run(sim, "w", allow_delete=made.named, tenant_id="t1", wait_sleep=0.2, concurrency=concurrency), sim)
        assert wait()[0] == 202
        assert (429 in {one.status for one in posts(sim, "w")}) == (concurrency == 2)
        assert overlaps([one for one in posts(sim) if one.status != 429]) == []


def test_the_tenant_option_cannot_smuggle_a_second_header(sim: Any) -> None:
    with pytest.raises(ConnectionOptionError):
        run(sim, "w", tenant_id="a\r\nx-evil: 1")
    assert sim.requests() == []


def test_https_to_a_port_that_speaks_none_says_so_and_not_that_a_ca_is_missing(sim: Any) -> None:
    with pytest.raises(SurveyError, match=r"does not speak TLS.*write http:// in url"):
        run(sim, "w", url=[sim.url.replace("http://", "https://")])
    assert sim.requests() == []


def test_a_secret_that_is_part_of_an_unrecorded_name_or_of_a_users_is_refused(sim: Any) -> None:
    """The command that would remove it would name something else."""
    nodes = [{"id": "a", "type": "create_index", "user_inputs": {"index_name": "pr-hush-logs"}}]
    sim.load({"workflow_id": "w", "state": "NOT_STARTED"}, {"name": "w", "workflows": {"provision": {"nodes": nodes}}})
    sim.world.put("index", "pr-hush-logs")
    result = finish(start(sim, "w", token="hush"))
    assert result["failed"] and "part of a name" in result["msg"] and result["unrecorded"] == []


def test_no_password_stands_in_any_result_or_warning(secured: Any) -> None:
    made = full(secured)
    result = as_user(secured, ["cluster:monitor/*"], allow_delete=made.named)
    assert "leastpassword" not in everything_said(result) + warned(result)
    assert b64encode(b"least:leastpassword").decode() not in everything_said(result)


def test_a_server_that_repeats_what_it_was_sent_makes_no_secret_visible(sim: Any) -> None:
    """As pages of proxies do. Each form that a secret is sent in is masked, in what is said of a resource and in a warning."""
    made = provisioned(sim, "w", ["connector", "ingest_pipeline"])
    given = {"username": "least", "password": "leastpassword", "headers": {"X-Key": "k3y-of-the-proxy"}}
    secrets = ("leastpassword", b64encode(b"least:leastpassword").decode(), "k3y-of-the-proxy")

    def repeat(path: str, status: int) -> None:
        reason = "you sent " + " and ".join(secrets)
        sim.faults.answer("GET", path, status, {"error": {"type": "x", "reason": reason}, "status": status}, times=None)

    repeat("/_plugins/_ml/connectors/", 500)
    repeat("/_all/_settings", 403)
    result = finish(start(sim, "w", allow_delete=made.named, **given))
    assert "you sent ****" in message(result, "connector") and "you sent ****" in warned(result)
    assert [secret for secret in secrets if secret in everything_said(result)] == []
