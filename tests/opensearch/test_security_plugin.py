# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS, credentials and permissions on the real security plugin: what it asks for, and what is said of what it denies."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection, snapshots
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.answers import Answer
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.api import Api
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import SurveyError
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.resources import KINDS, generated_kinds
from tests.docs.pages import GUIDES, blocks
from tests.docs.worlds import URL
from tests.environment import target_python
from tests.integration import in_process
from tests.integration.helpers import (
    GROUP,
    Environment,
    Playbooks,
    RoleRuns,
    ansible_environment,
    by_kind,
    deprovision,
    deprovisions,
    environment,
    existing,
    resource,
    role,
    truthful,
    warnings,
)
from tests.real.conftest import quick
from tests.real.helpers import check, documented_roles, permitted_by, run, writes
from tests.simulator import in_front, running

from . import Cluster, security

__all__ = ["quick"]
pytestmark = [pytest.mark.opensearch, pytest.mark.slow]

API = "/_plugins/_security/api"
TEARDOWN, MANY, SNAPSHOT = (documented_roles()[f"flow_framework_{name}"] for name in ("teardown", "many", "snapshot"))
PASSWORD = "A-password-of-the-tests-77"
NAMED = ("index", "ingest_pipeline", "search_pipeline")


def both(*roles: Mapping[str, Any]) -> dict[str, Any]:
    """One role that permits what some do."""
    return {name: [one for role in roles for one in role.get(name, ())] for name in ("cluster_permissions", "index_permissions")}


def without(role: Mapping[str, Any], *left_out: str) -> dict[str, Any]:
    """The role with some permissions less."""
    parts = [{**part, "allowed_actions": [one for one in part["allowed_actions"] if one not in left_out]} for part in role.get("index_permissions", ())]
    kept = [one for one in role["cluster_permissions"] if one not in left_out]
    return {"cluster_permissions": kept, "index_permissions": [part for part in parts if part["allowed_actions"]]}


def narrow(role: Mapping[str, Any], pattern: str, *actions: str) -> dict[str, Any]:
    """The role for the indices of a pattern only, where it permits one of some actions; without actions always."""
    parts = [
        {**part, "index_patterns": [pattern]} if not actions or set(actions) & set(part["allowed_actions"]) else part for part in role["index_permissions"]
    ]
    return {**role, "index_permissions": parts}


def is_named(permission: str, result: Any) -> bool:
    """Whether a permission, and not only a longer one, stands anywhere in a result."""
    return re.search(re.escape(permission) + r"(?![\w/])", json.dumps(result)) is not None


class Accounts:
    """Users that have one role of their own each; made many at once, since each change takes the security plugin a moment."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.names: set[str] = set()

    def add(self, roles: Mapping[str, Mapping[str, Any]]) -> None:
        """Make a user for each role, or change what it may do."""
        fresh = {name: {"hash": security.HASHES["nobody"]} for name in roles if name not in self.names}
        self.change("roles", roles)
        if fresh:
            self.change("internalusers", fresh)
            self.change("rolesmapping", {name: {"users": [name]} for name in fresh})
        self.names |= set(roles)

    def remove(self) -> None:
        for kind in ("rolesmapping", "roles", "internalusers"):
            self.patch(kind, [{"op": "remove", "path": f"/{name}"} for name in self.names])

    def of(self, name: str) -> dict[str, Any]:
        """The options of a user of ours, or of one that the cluster started with."""
        return {"username": name, "password": "nobody" if name in self.names else name, "ca_cert": self.cluster.ca_cert}

    def change(self, kind: str, values: Mapping[str, Any]) -> None:
        self.patch(kind, [{"op": "add", "path": f"/{name}", "value": value} for name, value in values.items()])

    def patch(self, kind: str, changes: list[dict[str, Any]]) -> None:
        answer = self.cluster.client().send("PATCH", f"{API}/{kind}", changes)
        assert answer.status == 200, answer


@contextmanager
def configured(secure: Cluster, name: str) -> Iterator[None]:
    """With a switch of the security plugin on."""
    for value in (True, False):
        change = [{"op": "add", "path": f"/config/dynamic/{name}", "value": value}]
        answer = secure.client().send("PATCH", f"{API}/securityconfig", change)
        assert answer.status == 200, answer
        if value:
            try:
                yield
            except BaseException:
                secure.client().send("PATCH", f"{API}/securityconfig", [{**change[0], "value": False}])
                raise


@pytest.fixture(scope="module")
def sim(secure: Cluster) -> Iterator[Any]:
    """Flow Framework in front of the cluster."""
    with in_front(secure, clock=0.2) as simulator:
        yield simulator
        simulator.world.clear()


@pytest.fixture(scope="module")
def accounts(secure: Cluster) -> Iterator[Accounts]:
    """Without the role that the plugin gives to everybody as it is delivered: it permits some of what is left out here."""
    path = f"{API}/rolesmapping/own_index"
    everybody = secure.client().send("GET", path).body["own_index"]["users"]
    try:
        assert secure.client().send("DELETE", path).status == 200
        made = Accounts(secure)
        made.add({"least": TEARDOWN})
        yield made
        made.remove()
    finally:  # other files of this process have the same cluster
        assert secure.client().send("PUT", path, {"users": everybody}).status in (200, 201)


def attempted(sim: Any, workflow_id: str = "nothing", how: Any = run, **options: Any) -> dict[str, Any]:
    """One run; what stops the whole task is a result with its sentence, too."""
    try:
        result: dict[str, Any] = how(sim, workflow_id, **options)
        return result
    except SurveyError as error:
        return {"failed": True, "msg": str(error), "warnings": [], "resources": []}


def informed(sim: Any, workflow_ids: list[str], **options: Any) -> dict[str, Any]:
    """The result of workflow_info, with its warnings."""
    return in_process.information(sim.urls, workflow_id=workflow_ids, **options)


def full(sim: Any, workflow_id: str) -> Environment:
    """An environment of everything, whose template names its model group."""
    made = environment(sim, workflow_id)
    group = {"id": "g", "type": "register_model_group", "user_inputs": {"name": made.ids["model_group"]}}
    sim.load(sim.state(workflow_id), {"name": workflow_id, "workflows": {"provision": {"nodes": [group]}}})
    return made


# -- TLS and credentials -----------------------------------------------------------------------------------------------


@pytest.fixture(params=["front", "node"])
def reached(request: pytest.FixtureRequest, sim: Any, secure: Cluster) -> tuple[list[str], str]:
    """A way to the cluster, and what is said there at the end: behind the front of the plugin, and at the node itself."""
    if request.param == "front":
        return list(sim.urls), "1 not there"
    return secure.urls, "1 not there" if secure.flow_framework else "plugin is not installed"


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_ca_of_its_own_is_trusted_when_given_and_missed_with_the_name_of_the_option(sim: Any, secure: Cluster, reached: tuple[list[str], str]) -> None:
    url, end = reached
    admin = {"username": "admin", "password": "admin"}
    assert end in attempted(sim, url=url, ca_cert=secure.ca_cert, **admin)["msg"]
    assert end in attempted(sim, url=url, validate_certs=False, **admin)["msg"]
    refused = attempted(sim, url=url, **admin)
    assert refused["failed"] and "cannot be trusted" in refused["msg"] and "ca_cert" in refused["msg"]


def test_a_client_certificate_is_its_user(sim: Any, secure: Cluster, reached: tuple[list[str], str]) -> None:
    url, end = reached
    for name, said in (("admin", end), ("nobody", "cluster:monitor/nodes/info")):
        certificate, key = secure.client_certs[name]
        assert said in attempted(sim, url=url, ca_cert=secure.ca_cert, client_cert=certificate, client_key=key)["msg"]


def test_a_client_certificate_of_an_unknown_ca_is_said_to_be_refused(sim: Any, secure: Cluster, tmp_path: Path) -> None:
    """At the node: a server in Python ends such a connection without a word."""
    forged = trustme.CA().issue_cert("admin@example.org", common_name="admin", **security.SUBJECT)
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    forged.cert_chain_pems[0].write_to_path(files[0])
    forged.private_key_pem.write_to_path(files[1])
    options: dict[str, Any] = {"ca_cert": secure.ca_cert, "client_cert": str(files[0]), "client_key": str(files[1])}
    for credentials in ({}, {"username": "admin", "password": "admin"}):
        result = attempted(sim, url=secure.urls, **options, **credentials)
        assert result["failed"] and "refuses the client certificate" in result["msg"] and "client_cert" in result["msg"]
        assert "ca_cert" not in result["msg"]


@pytest.mark.parametrize("credentials", [{}, {"username": "admin", "password": "wrong"}, {"token": "wrong"}], ids=["none", "password", "token"])
def test_refused_credentials_are_not_tried_a_second_time(sim: Any, secure: Cluster, credentials: dict[str, str]) -> None:
    sim.clear_log()
    result = attempted(sim, ca_cert=secure.ca_cert, **credentials)
    assert result["failed"] and "refuses the credentials, or got none (401)" in result["msg"]
    assert [request.status for request in sim.requests()] == [401]


def test_playbooks_tear_down_by_password_and_by_the_certificate_of_the_environment(sim: Any, secure: Cluster, accounts: Accounts, tmp_path: Path) -> None:
    """The certificate of the variables is of no account where the task says who it is."""
    client = secure.client()
    assert client.send("PUT", f"{API}/internalusers/operator", {"password": PASSWORD}).status == 201
    assert client.send("PATCH", f"{API}/rolesmapping/least", [{"op": "add", "path": "/users", "value": ["least", "operator"]}]).status == 200
    made = {name: environment(sim, name, ("connector", *NAMED)) for name in ("by-password", "by-certificate", "by-nobody")}
    sim.clear_log()
    certificate, key = secure.client_certs["admin"]
    nobody = dict(zip(("client_cert", "client_key"), secure.client_certs["nobody"], strict=True))
    options = {"by-password": {"username": "operator", "password": PASSWORD}, "by-certificate": {}, "by-nobody": nobody}
    tasks = [deprovision(name, list(sim.urls), name, allow_delete=one.named, **options[name]) for name, one in made.items()]
    variables = {
        "OPENSEARCH_CLIENT_CERT": certificate,
        "OPENSEARCH_CLIENT_KEY": key,
        "OPENSEARCH_CA_CERT": str(secure.ca_cert),
    }
    played = Playbooks(tmp_path).run(tasks, environment=variables, arguments=["-vvvv"])
    assert client.send("DELETE", f"{API}/internalusers/operator").status == 200
    for name, user in (("by-password", "operator"), ("by-certificate", "admin")):
        assert not played[name]["failed"] and played[name]["changed"], played[name]["msg"]
        assert existing(sim, made[name]) == set()
        assert [request.user for request in deprovisions(sim, name)] == [user]
    assert played["by-nobody"]["failed"] and "cluster:monitor/nodes/info" in played["by-nobody"]["msg"]
    assert existing(sim, made["by-nobody"]) == set(made["by-nobody"].ids)
    assert PASSWORD not in played.output + json.dumps(played.results)


# -- the role of the documentation -------------------------------------------------------------------------------------


def test_the_role_of_the_documentation_is_enough_for_everything(sim: Any, accounts: Accounts) -> None:
    made = full(sim, "pr-full")
    options = {**accounts.of("least"), "allow_delete": made.named, "leftovers": "delete", "delete_workflow": True}
    sim.clear_log()
    foreseen = check(sim, "pr-full", **options)
    assert set(by_kind(foreseen).values()) == {"would_delete"} and foreseen["warnings"] == [] and writes(sim) == []
    result = run(sim, "pr-full", **options)
    assert not result["failed"] and result["warnings"] == [], result
    assert set(by_kind(result).values()) == {"deleted"} and existing(sim, made) == set()
    assert sim.state("pr-full") is None and sim.template("pr-full") is None
    assert {request.status for request in sim.requests()} <= {200, 404}
    again = run(sim, "pr-full", **options)
    assert not again["failed"] and not again["changed"]


@pytest.mark.parametrize("way", ["recreate", "forget"])
def test_the_role_of_the_documentation_is_enough_for_stale_records(sim: Any, accounts: Accounts, way: str) -> None:
    workflow_id = f"pr-{way}"
    made = stale(sim, workflow_id, NAMED)
    result = run(sim, workflow_id, **accounts.of("least"), allow_delete=made.named, stale_records=way)
    assert not result["failed"] and set(by_kind(result).values()) == {"absent"}, result
    assert existing(sim, made) == set() and not (sim.state(workflow_id) or {}).get("resources_created")


def stale(sim: Any, workflow_id: str, kinds: tuple[str, ...]) -> Environment:
    """An environment whose resources were deleted by hand."""
    made = environment(sim, workflow_id, ())
    gone = Environment(workflow_id, {kind: f"{workflow_id}-{kind.replace('_', '-')}" for kind in kinds})
    sim.load(gone.state, sim.template(made.workflow_id))
    return gone


# What a full teardown in check mode has to do without; what becomes of the others is below.
DELETES = {
    "cluster:admin/opensearch/ml/connectors/delete": "connector",
    "cluster:admin/opensearch/ml/models/delete": "model",
    "cluster:admin/opensearch/ml/undeploy_models": "model",
    "cluster:admin/opensearch/ml/undeploy_model": "model",
    "cluster:admin/opensearch/ml/agents/delete": "agent",
    "cluster:admin/opensearch/ml/model_groups/delete": "model_group",
    "cluster:admin/ingest/pipeline/delete": "ingest_pipeline",
    "cluster:admin/search/pipeline/delete": "search_pipeline",
    "indices:admin/delete": "index",
}
PUTS = {
    "cluster:admin/ingest/pipeline/put": "ingest_pipeline",
    "cluster:admin/search/pipeline/put": "search_pipeline",
    "indices:admin/create": "index",
}
CALLS = (
    "cluster:monitor/nodes/stats",
    "cluster:monitor/tasks/lists",
    "cluster:admin/opensearch/flow_framework/workflow/deprovision",
    "cluster:admin/opensearch/flow_framework/workflow/delete",
)
UNSAID = "cluster:admin/snapshot/status"  # the server refuses by itself
READS = [one for one in permitted_by(TEARDOWN) if one not in (*DELETES, *PUTS, *CALLS, UNSAID)]


@pytest.fixture(scope="module")
def lacking(accounts: Accounts) -> dict[str, str]:
    """For each permission of the role a user who has all but that one."""
    users = {one: f"lacking-{number}" for number, one in enumerate(permitted_by(TEARDOWN))}
    accounts.add({users[one]: without(TEARDOWN, one) for one in users})
    return users


@pytest.fixture(scope="module")
def spared(sim: Any) -> Environment:
    """An environment that nothing deletes."""
    return full(sim, "pr-spared")


@pytest.mark.parametrize("left_out", READS)
def test_each_permission_to_read_that_is_left_out_is_named(sim: Any, accounts: Accounts, lacking: dict[str, str], spared: Environment, left_out: str) -> None:
    """In check mode, and where something is unknown then in a run: nothing goes, and nothing is said to be absent."""
    options = {**accounts.of(lacking[left_out]), "allow_delete": spared.named, "leftovers": "delete"}
    foreseen = attempted(sim, spared.workflow_id, check, **options)
    for result in (foreseen, attempted(sim, spared.workflow_id, **options)) if foreseen["failed"] else (foreseen,):
        assert is_named(left_out, result), result
        assert not {"absent", "deleted"} & set(by_kind(result).values()), by_kind(result)
    assert existing(sim, spared) == set(spared.ids)


def test_without_all_that_only_warns_a_teardown_goes_on_and_each_is_named(sim: Any, accounts: Accounts) -> None:
    """Who uses what, how many calls are under way and how many documents there are may stay unknown."""
    left_out = [
        "cluster:monitor/main",
        "cluster:monitor/nodes/stats",
        "cluster:monitor/tasks/lists",
        "cluster:admin/opensearch/flow_framework/workflow_state/search",
        "cluster:admin/opensearch/flow_framework/workflow/get",
        "cluster:admin/opensearch/ml/models/search",
        "cluster:admin/opensearch/ml/agents/search",
        "indices:monitor/settings/get",
        "indices:data/read/search",
        "indices:monitor/stats",
    ]
    accounts.add({"blindfold": without(TEARDOWN, *left_out, UNSAID)})
    made = environment(sim, "pr-blindfold")
    result = run(sim, "pr-blindfold", **accounts.of("blindfold"), allow_delete=made.named)
    assert not result["failed"], result
    assert existing(sim, made) == {"model_group"}
    assert resource(result, "index")["documents"] is None
    truthful(result, sim)
    assert [one for one in left_out if not is_named(one, result["warnings"])] == []


def test_without_any_right_to_delete_each_resource_says_which_one_it_needs(sim: Any, accounts: Accounts) -> None:
    accounts.add({"keeper": without(TEARDOWN, *DELETES)})
    made = full(sim, "pr-keeper")
    result = run(sim, "pr-keeper", **accounts.of("keeper"), allow_delete=made.named, leftovers="delete", delete_workflow=True)
    assert set(by_kind(result).values()) == {"failed"} and existing(sim, made) == set(made.ids)
    for right, kind in DELETES.items():
        told = resource(result, kind)
        if right != KINDS["model"].right and kind != "connector":  # the model is still deployed, and still uses the connector: that is said
            assert is_named(right, told["msg"]), told
    assert sim.template("pr-keeper") is not None


@pytest.mark.parametrize("left_out", DELETES)
def test_each_right_to_delete_that_is_left_out_is_named_for_that_resource(sim: Any, accounts: Accounts, lacking: dict[str, str], left_out: str) -> None:
    kind, workflow_id = DELETES[left_out], f"pr-{lacking[left_out]}"
    made = environment(sim, workflow_id, (kind, "ingest_pipeline" if kind == "search_pipeline" else "search_pipeline"))
    result = run(sim, workflow_id, **accounts.of(lacking[left_out]), allow_delete=made.named, leftovers="delete")
    assert existing(sim, made) == {kind}
    assert {one for one, status in by_kind(result).items() if status == "failed"} == {kind}
    assert is_named(left_out, resource(result, kind)["msg"]), resource(result, kind)
    truthful(result, sim)


@pytest.mark.parametrize("left_out", PUTS)
def test_each_right_to_recreate_that_is_left_out_is_named(sim: Any, accounts: Accounts, lacking: dict[str, str], left_out: str) -> None:
    made = stale(sim, f"pr-{lacking[left_out]}", (PUTS[left_out],))
    result = run(sim, made.workflow_id, **accounts.of(lacking[left_out]), allow_delete=made.named, stale_records="recreate")
    assert is_named(left_out, result) and existing(sim, made) == set()
    assert sim.state(made.workflow_id)["resources_created"] and by_kind(result) == {PUTS[left_out]: "absent"}


@pytest.mark.parametrize("left_out", CALLS)
def test_each_permission_for_the_call_that_is_left_out_is_named(sim: Any, accounts: Accounts, lacking: dict[str, str], left_out: str) -> None:
    made = environment(sim, f"pr-{lacking[left_out]}", ("connector", "index"))
    result = attempted(sim, made.workflow_id, **accounts.of(lacking[left_out]), allow_delete=made.named, delete_workflow=True)
    assert is_named(left_out, result), result
    truthful(result, sim)
    assert existing(sim, made) == (set(made.ids) if left_out.endswith("deprovision") else set())
    assert (sim.template(made.workflow_id) is not None) == left_out.startswith("cluster:admin")


Request = Callable[[Api, Environment], Answer]


def each(word: str, kinds: Iterable[str], send: Callable[[Api, Environment, str], Answer]) -> dict[str, Request]:
    """The same request for each of the kinds."""

    def of(kind: str) -> Request:
        return lambda api, made: send(api, made, kind)

    return {f"{word} {kind}": of(kind) for kind in kinds}


def put_placeholder(api: Api, made: Environment, kind: str) -> Answer:
    placeholder = KINDS[kind].placeholder
    assert placeholder is not None
    return api.put(kind, made.ids[kind], placeholder())


DEPLOYED = "pr-probe-deployed"
REQUESTS: dict[str, Request] = {
    "info": lambda api, made: api.info(),
    "plugins": lambda api, made: api.plugins(),
    "clock": lambda api, made: api.clock(),
    "deprovision_tasks": lambda api, made: api.deprovision_tasks(),
    "deprovision_pool": lambda api, made: api.deprovision_pool(),
    "provision_pool": lambda api, made: api.provision_pool(),
    "running_snapshots": lambda api, made: api.running_snapshots(),
    "models_of": lambda api, made: api.models_of([made.ids["connector"]], []),
    "model_groups_named": lambda api, made: api.model_groups_named(["nothing"]),
    "agents": lambda api, made: api.agents(),
    "index_settings": lambda api, made: api.index_settings(),
    "count": lambda api, made: api.count(made.ids["index"]),
    "stats": lambda api, made: api.stats(made.ids["index"]),
    "indices": lambda api, made: api.indices([made.ids["index"]]),
    "stats_of": lambda api, made: api.stats_of([made.ids["index"]]),
    "counts": lambda api, made: api.counts([made.ids["index"]]),
    **each("look at", KINDS, lambda api, made, kind: api.look(kind, made.ids[kind])),
    **each("list", NAMED[1:], lambda api, made, kind: api.pipelines(kind)),
    **each("search", generated_kinds(), lambda api, made, kind: api.ml_by_id(kind, [made.ids[kind]])),
    "undeploy": lambda api, made: api.send_once("POST", f"{KINDS['model'].target(DEPLOYED)}/_undeploy", 30),
    **each("delete", ("agent", "model", "connector", "model_group", *NAMED), lambda api, made, kind: api.delete(kind, made.ids[kind])),
    **each("put", NAMED, put_placeholder),
}
"""What the modules send to others than Flow Framework, and what it sends for them, in an order that leaves nothing behind."""


def api_of(sim: Any, options: Mapping[str, Any]) -> Api:
    """The cluster as a user meets it."""
    defaults = {name: option.get("default") for name, option in connection.argument_spec().items()}
    return Api(connection.connect({**defaults, "url": list(sim.urls), **options}))


def needed(sim: Any, allow: Callable[[dict[str, list[str]]], dict[str, dict[str, Any]]]) -> dict[str, set[str]]:
    """What each request asks for: it is repeated with what it was denied for until it is not denied.

    ``allow`` takes permissions by user and gives the options of each; every request has a user of its own.
    """
    made = environment(sim, "pr-probe", [kind for kind in KINDS if kind != "model"])
    made.ids["model"] = "pr-probe-model"
    sim.world.put("model", made.ids["model"])
    sim.world.put("model", DEPLOYED, state="DEPLOYED")
    given: dict[str, list[str]] = {name: [] for name in REQUESTS}
    left = list(REQUESTS)
    while left:
        users = allow({name.replace(" ", "-"): given[name] for name in left})
        for name in left.copy():
            answer = REQUESTS[name](api_of(sim, users[name.replace(" ", "-")]), made)
            denied = re.findall(r"no permissions for \[([^]]+)\]", json.dumps(answer.body))
            if denied:
                assert denied[0] not in given[name], (name, answer)
                given[name].append(denied[0])
            else:
                assert answer.ok, (name, answer)
                left.remove(name)
    return {name: set(one) for name, one in given.items()}


def test_the_simulator_asks_for_the_same_permissions_as_the_plugin_and_the_roles_have_them_all(sim: Any, accounts: Accounts) -> None:
    def on_the_plugin(given: dict[str, list[str]]) -> dict[str, dict[str, Any]]:
        accounts.add({user: role_of(actions) for user, actions in given.items()})
        return {user: accounts.of(user) for user in given}

    def on_the_simulator(given: dict[str, list[str]]) -> dict[str, dict[str, Any]]:
        for user, actions in given.items():
            simulator.add_user(user, user, actions)
        return {user: {"username": user, "password": user} for user in given}

    real = needed(sim, on_the_plugin)
    with running(version="2.19.1", security=True) as simulator:
        assert needed(simulator, on_the_simulator) == real
    assert {action for asked in real.values() for action in asked} <= set(permitted_by(TEARDOWN, MANY))


def role_of(actions: list[str]) -> dict[str, Any]:
    """A role that permits these for all indices; of those of indices the plugin looks for one among the cluster's."""
    cluster = [one for one in actions if one.startswith("cluster:") or one == "indices:data/read/msearch"]
    index = [one for one in actions if one not in cluster]
    return {"cluster_permissions": cluster, "index_permissions": [{"index_patterns": ["*"], "allowed_actions": index}] if index else []}


# -- many workflows ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def estate(sim: Any) -> list[Environment]:
    """More workflows than are read one by one."""
    return [environment(sim, f"pr-{number}", ("connector", "ingest_pipeline", "index"), documents=2) for number in range(11)]


def test_the_second_role_reads_many_and_the_first_is_enough_for_one(sim: Any, accounts: Accounts, estate: list[Environment]) -> None:
    accounts.add({"many": both(TEARDOWN, MANY)})
    sim.clear_log()
    seen = informed(sim, [one.workflow_id for one in estate], **accounts.of("many"))
    assert seen["warnings"] == [] and {one["status"] for one in seen["resources"]} == {"present"}
    assert {one["documents"] for one in seen["resources"]} == {2, None} and len(seen["resources"]) == 33
    assert {request.status for request in sim.requests()} == {200} and len(sim.requests()) < 20
    one = informed(sim, ["pr-0"], **accounts.of("least"))
    assert one["warnings"] == [] and one["summary"] == {"present": 3, "absent": 0, "unknown": 0}
    everything = informed(sim, [], **accounts.of("many"))
    assert everything["warnings"] == []


@pytest.mark.parametrize("left_out", permitted_by(MANY))
def test_without_a_line_of_the_second_role_it_is_said_once_and_read_one_by_one(sim: Any, accounts: Accounts, estate: list[Environment], left_out: str) -> None:
    accounts.add({"fewer": without(both(TEARDOWN, MANY), left_out)})
    seen = informed(sim, [one.workflow_id for one in estate], **accounts.of("fewer"))
    (warning,) = seen["warnings"]
    assert is_named(left_out, warning) and {one["status"] for one in seen["resources"]} == {"present"}
    assert {one["documents"] for one in seen["resources"]} == {2, None}


# -- patterns of indices -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def patterns(accounts: Accounts) -> Accounts:
    """``narrow`` as the documentation says; ``narrower`` sees the settings of its own indices only."""
    accounts.add({"narrow": narrow(both(TEARDOWN, MANY), "pr-*", "indices:admin/get"), "narrower": narrow(both(TEARDOWN, MANY), "pr-*")})
    return accounts


def test_a_narrow_pattern_is_enough_for_the_indices_that_it_covers(sim: Any, patterns: Accounts) -> None:
    made = environment(sim, "pr-narrow", NAMED)
    sim.world.put("index", "other-user", settings={"index.default_pipeline": made.ids["ingest_pipeline"]})
    shared = check(sim, "pr-narrow", **patterns.of("narrow"), allow_delete=made.named)
    assert resource(shared, "ingest_pipeline")["used_by"] == ["index/other-user"] and shared["warnings"] == []
    sim.world.remove("index", "other-user")
    result = run(sim, "pr-narrow", **patterns.of("narrow"), allow_delete=made.named)
    assert not result["failed"] and result["warnings"] == [] and existing(sim, made) == set()


def test_without_the_settings_of_all_indices_a_warning_says_that_users_of_pipelines_are_not_known(sim: Any, patterns: Accounts) -> None:
    made = environment(sim, "pr-narrower", NAMED)
    result = run(sim, "pr-narrower", **patterns.of("narrower"), allow_delete=made.named)
    assert not result["failed"] and existing(sim, made) == set()
    (warning,) = result["warnings"]
    assert is_named("indices:monitor/settings/get", warning) and "not known" in warning


def test_where_the_plugin_leaves_out_what_it_denies_only_the_settings_of_all_indices_show_every_user(sim: Any, secure: Cluster, patterns: Accounts) -> None:
    made = environment(sim, "pr-left-out", ("ingest_pipeline",))
    sim.world.put("index", "other-user", settings={"index.default_pipeline": made.ids["ingest_pipeline"]})
    with configured(secure, "do_not_fail_on_forbidden"):
        for user, seen in (("narrow", ["index/other-user"]), ("narrower", [])):
            result = check(sim, "pr-left-out", **patterns.of(user), allow_delete=made.named)
            assert resource(result, "ingest_pipeline")["used_by"] == seen and result["warnings"] == []
    sim.world.remove("index", "other-user")


@pytest.mark.parametrize("there", [True, False], ids=["there", "gone"])
def test_an_index_outside_of_the_pattern_is_not_known_and_stays(sim: Any, patterns: Accounts, there: bool) -> None:
    """Also where it is gone: the plugin denies it in the same words."""
    name = f"other-{there}".lower()
    made = environment(sim, f"pr-outside-{there}", NAMED, ids={"index": name})
    if not there:
        sim.world.remove("index", name)
    result = run(sim, made.workflow_id, **patterns.of("narrow"), allow_delete=made.named)
    assert by_kind(result) == {"index": "unknown", "ingest_pipeline": "untouched", "search_pipeline": "untouched"}
    assert is_named("indices:admin/get", resource(result, "index")["msg"]) and deprovisions(sim, made.workflow_id) == []
    assert existing(sim, made) == set(NAMED if there else NAMED[1:])
    sim.world.remove("index", name)


def test_one_index_outside_of_the_pattern_spoils_no_other_of_many(sim: Any, patterns: Accounts, estate: list[Environment]) -> None:
    outside = environment(sim, "pr-outside", ("index",), ids={"index": "other-of-many"})
    seen = informed(sim, ["pr-outside", *(one.workflow_id for one in estate)], **patterns.of("narrow"))
    found = {(one["workflow_id"], one["kind"]): one for one in seen["resources"]}
    assert found.pop((outside.workflow_id, "index"))["status"] == "unknown"
    assert {one["status"] for one in found.values()} == {"present"} and {one["documents"] for one in found.values()} == {2, None}
    (warning,) = seen["warnings"]
    assert is_named("indices:admin/get", warning) and "one by one" in warning


def test_where_the_plugin_answers_with_nothing_what_it_denies_no_number_is_made_of_it(
    sim: Any, secure: Cluster, accounts: Accounts, lacking: dict[str, str]
) -> None:
    """It shows a count of 0, and the sizes of all indices as a sum."""
    made = environment(sim, "pr-empty", ("index",), documents=3)

    def numbers(user: str) -> tuple[Any, Any]:
        index = resource(check(sim, "pr-empty", **accounts.of(user), allow_delete=made.named), "index")
        assert index["status"] == "would_delete"
        return index["documents"], index["size_in_bytes"]

    documents, size = numbers("least")
    assert documents == 3 and size > 0
    with configured(secure, "do_not_fail_on_forbidden"), configured(secure, "do_not_fail_on_forbidden_empty"):
        assert numbers(lacking["indices:data/read/search"]) == (None, size)
        assert numbers(lacking["indices:monitor/stats"]) in ((3, None), (3, size))


# -- users with too few rights -----------------------------------------------------------------------------------------


UNSEEN = {
    "nobody": None,
    "reader": set(KINDS),
    "flowadmin": set(KINDS),
    "flowml": set(NAMED),
}
"""The kinds that a user may not look at; None: nothing at all."""
LOOKS = {
    "connector": "cluster:admin/opensearch/ml/connectors/get",
    "model": "cluster:admin/opensearch/ml/models/get",
    "model_group": "cluster:admin/opensearch/ml/model_groups/get",
    "agent": "cluster:admin/opensearch/ml/agents/get",
    "index": "indices:admin/get",
    "ingest_pipeline": "cluster:admin/ingest/pipeline/get",
    "search_pipeline": "cluster:admin/search/pipeline/get",
}


@pytest.mark.parametrize("name", UNSEEN)
def test_a_user_with_too_few_rights_is_told_for_each_resource_and_nothing_goes(sim: Any, accounts: Accounts, spared: Environment, name: str) -> None:
    """The users of the recordings, with the plugin's own roles; the version of Flow Framework is said, as not all may read it."""
    options = {**accounts.of(name), "allow_delete": spared.named, "flow_framework_version": "2.19.1"}
    result = attempted(sim, spared.workflow_id, **options)
    unseen = UNSEEN[name]
    assert result["failed"] and existing(sim, spared) == set(spared.ids) and deprovisions(sim, spared.workflow_id) == []
    if unseen is None:
        assert is_named("cluster:admin/opensearch/flow_framework/workflow_state/get", result["msg"])
        return
    assert {kind for kind, status in by_kind(result).items() if status == "unknown"} == unseen
    assert all(is_named(LOOKS[kind], resource(result, kind)["msg"]) for kind in unseen)
    assert not {"absent", "deleted"} & set(by_kind(result).values())


# -- what a user may not see -------------------------------------------------------------------------------------------


@pytest.fixture()
def model_access_control(secure: Cluster) -> Iterator[None]:
    name = "plugins.ml_commons.model_access_control_enabled"
    for value in (True, None):
        assert secure.client().send("PUT", "/_cluster/settings", {"persistent": {name: value}}).status == 200
        if value:
            yield


def test_what_uses_it_out_of_sight_keeps_a_connector_and_that_is_said(sim: Any, accounts: Accounts, model_access_control: None) -> None:
    """A model in somebody's private group uses the connector; ML Commons shows neither to this user."""
    owner = {"name": "admin", "backend_roles": ["admin"], "roles": ["all_access"], "custom_attribute_names": [], "user_requested_tenant": None}
    made = full(sim, "pr-unseen")
    sim.world.put("model_group", "theirs", access="private", owner=owner)
    sim.world.put("model", "theirs", connector_id=made.ids["connector"], model_group_id="theirs")
    result = run(sim, "pr-unseen", **accounts.of("least"), allow_delete=made.named, leftovers="delete")
    assert existing(sim, made) == {"connector"} and sim.world.get("model", "theirs") is not None
    assert {kind for kind, status in by_kind(result).items() if status == "failed"} == {"connector"}
    assert "may not see" in resource(result, "connector")["msg"]
    truthful(result, sim)
    sim.world.remove("model", "theirs")
    again = run(sim, "pr-unseen", **accounts.of("least"), allow_delete=made.named)
    assert not again["failed"] and existing(sim, made) == set()


def test_a_model_that_this_user_may_not_see_is_not_known_and_stays(sim: Any, accounts: Accounts) -> None:
    """Hidden by the super administrator; an agent that uses it is seen as its user all the same."""
    made = environment(sim, "pr-hidden", ("agent",))
    sim.world.put("model", "pr-hidden-model", body={"is_hidden": True})
    sim.world.put("agent", "seen", body={"tools": [{"type": "MLModelTool", "parameters": {"model_id": "pr-hidden-model"}}]})
    both_kinds = Environment("pr-hidden", {**made.ids, "model": "pr-hidden-model"})
    sim.load(both_kinds.state, sim.template("pr-hidden"))
    result = run(sim, "pr-hidden", **accounts.of("least"))
    assert by_kind(result) == {"agent": "untouched", "model": "unknown"} and existing(sim, both_kinds) == {"agent", "model"}
    assert "ML Commons" in resource(result, "model")["msg"] and warnings(result) == ""
    sim.world.remove("agent", "seen")


# -- the page ----------------------------------------------------------------------------------------------------------


CI = "ci"  # whom the playbook of the page permits


@pytest.fixture()
def backups(secure: Cluster) -> Iterator[None]:
    """A repository, and nothing in it afterwards."""
    client = secure.client()
    assert client.send("PUT", "/_snapshot/backups", {"type": "fs", "settings": {"location": str(secure.repository)}}).status == 200
    yield
    assert client.send("DELETE", "/_snapshot/backups/*", timeout=60).status == 200
    assert client.send("DELETE", "/_snapshot/backups").status == 200


@pytest.fixture()
def permitted(secure: Cluster, accounts: Accounts, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The options of a user to whom the playbook of the page has given its roles; all of it as it stands there, but for the address."""
    page = blocks(GUIDES / "guide_permissions.rst")
    for block in page:
        if block.file:
            (tmp_path / block.file).write_text(block.text.replace(URL, secure.url), encoding="utf-8")
    host = {"ansible_connection": "local", "ansible_python_interpreter": target_python(), "search_user": "admin", "search_password": "admin"}
    (tmp_path / "inventory.json").write_text(json.dumps({"all": {"hosts": {"localhost": host}}}), encoding="utf-8")
    environment = {**ansible_environment(), "ANSIBLE_INVENTORY": "inventory.json", "SSL_CERT_FILE": str(secure.ca_cert)}
    roles = list(documented_roles())
    accounts.change("internalusers", {CI: {"hash": security.HASHES["nobody"]}})
    try:
        for block in page:
            if block.marks.get("needs") == "a real cluster":
                subprocess.run(["bash", "-ec", block.text], cwd=tmp_path, env={**environment, "RECORDER_FILE": os.devnull}, check=True, timeout=120)
        yield {"username": CI, "password": "nobody", "ca_cert": secure.ca_cert}
    finally:
        for kind, names in (("rolesmapping", roles), ("roles", roles), ("internalusers", [CI])):
            accounts.patch(kind, [{"op": "remove", "path": f"/{name}"} for name in names])


def test_whom_the_playbook_of_the_page_permits_takes_a_snapshot_and_tears_down_by_name(
    sim: Any, backups: None, permitted: dict[str, Any], tmp_path: Path
) -> None:
    made = full(sim, "pr-page")
    asked = {"name": "pr-page", "confirm": "pr-page", "allow_delete": made.named, "leftovers": "delete", "snapshot_repository": "backups"}
    tasks = [role("teardown", tmp_path / "reports", **asked)]
    played = Playbooks(tmp_path).run(tasks, play={"module_defaults": {GROUP: {"url": sim.url, **permitted}}})
    runs = RoleRuns(sim, played, tmp_path / "reports", {})
    assert runs.failed("teardown") == "" and existing(sim, made) == set()
    report = runs.report("teardown")
    assert report["status"] == "done" and report["warnings"] == []
    assert report["snapshot"]["indices"] == [made.ids["index"]] and report["snapshot"]["state"] == "SUCCESS"


@pytest.mark.parametrize("left_out", permitted_by(SNAPSHOT))
def test_without_a_line_of_the_role_for_snapshots_the_refusal_names_it(sim: Any, backups: None, accounts: Accounts, left_out: str) -> None:
    accounts.add({"fewer-for-snapshots": without(SNAPSHOT, left_out)})
    with pytest.raises(SurveyError) as refused:
        snapshots.take(api_of(sim, accounts.of("fewer-for-snapshots")), "backups", "before", ["pr-page-docs"], 5, 0.1, False)
    assert is_named(left_out, str(refused.value))
