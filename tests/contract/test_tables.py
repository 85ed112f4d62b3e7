# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of behaviour.md 10.2 to 10.6, row by row, against the simulator of the versions they name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
import urllib3

from .client import NOT_SENT, Answer, Client

pytestmark = pytest.mark.usefixtures("only_simulator")

ID = "8xL8bowB8y25Tqfenm50"
WORKFLOW = "/_plugins/_flow_framework/workflow"
DEPROVISION = f"{WORKFLOW}/{ID}/_deprovision"
STATUS = f"{WORKFLOW}/{ID}/_status"
DISABLED = "This API is disabled. To enable it, update the setting [plugins.flow_framework.enabled] to true."
NO_TEMPLATE = f"Failed to retrieve template ({ID}) from global context."
NOT_YOURS = f"User does not have permissions to access workflow: {ID}"

NOT_HELD = {
    "R13": "multi-tenancy is a static setting that no server here has on",
    "R14": "as R13",
    "R15": "as R13",
    "R16": "as R13",
    "A12": "resource sharing is not simulated",
}
"""Rows that no test holds the simulator to, with the reason."""

TO_2_13 = ("2.12.0", "2.13.0")
TO_2_14 = (*TO_2_13, "2.14.0")
TO_2_15 = (*TO_2_14, "2.15.0")
FROM_2_16 = ("2.16.0", "2.17.0", "2.18.0", "2.19.1", "3.0.0", "3.6.0", "3.8.0")
FROM_2_15 = ("2.15.0", *FROM_2_16)
FROM_2_14 = ("2.14.0", *FROM_2_15)
ANY = (*TO_2_15, *FROM_2_16)


def row(name: str, *versions: str) -> pytest.MarkDecorator:
    """Parametrises a test with the versions that a row of a table names."""
    assert name not in NOT_HELD
    return pytest.mark.parametrize("version", versions, ids=[f"{name}-{version}" for version in versions])


def entry(step: str, step_id: str, resource_type: str, resource: str) -> dict[str, str]:
    return {
        "workflow_step_name": step, "workflow_step_id": step_id,
        "resource_type": resource_type, "resource_id": resource,
    }  # fmt: skip


C = entry("create_connector", "connector_1", "connector_id", "c1")
M = entry("register_remote_model", "model_1", "model_id", "m1")
D = entry("deploy_model", "model_1", "model_id", "m1")
A = entry("register_agent", "agent_1", "agent_id", "a1")
INDEX = entry("create_index", "index_1", "index_name", "my-index")
PIPELINE = entry("create_ingest_pipeline", "ingest_1", "pipeline_id", "my-pipe")
TEMPLATE = {
    "name": "case", "description": "d", "use_case": "CASE",
    "version": {"template": "1.0.0", "compatibility": ["2.12.0", "3.0.0"]},
}  # fmt: skip


def template(*nodes: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    """A template of (id, type, user_inputs), one after the other."""
    listed = [{"id": name, "type": step, "user_inputs": inputs} for name, step, inputs in nodes]
    edges = [{"source": left[0], "dest": right[0]} for left, right in pairwise(nodes)]
    return {**TEMPLATE, "workflows": {"provision": {"nodes": listed, "edges": edges}}}


PIPELINE_TEMPLATE = template(("ingest_1", "create_ingest_pipeline", {"pipeline_id": "my-pipe", "configurations": {"processors": []}}))

# All the inputs that create_connector requires (recording steps).
CONNECTOR = {
    "name": "c", "description": "d", "version": "1", "protocol": "http", "parameters": {"endpoint": "127.0.0.1"},
    "credential": {"key": "x"},
    "actions": [{"action_type": "predict", "method": "POST", "url": "http://127.0.0.1:1/v1"}],
}  # fmt: skip
CONNECTOR_TEMPLATE = template(("connector_1", "create_connector", CONNECTOR))


class Case:
    """One simulator with one workflow."""

    def __init__(self, sim: Any, security: bool) -> None:
        self.sim = sim
        admin = "admin" if security else None
        self.client = Client(sim.url, user=admin, password=admin, timeout=10)

    def send(self, method: str, path: str, body: Any = NOT_SENT, user: str | None = None, **more: Any) -> Answer:
        credentials = (user, user) if user else "own"
        return self.client.send(method, path, body, credentials=credentials, **more)

    def setting(self, name: str, value: Any) -> None:
        answer = self.send("PUT", "/_cluster/settings", {"persistent": {f"plugins.flow_framework.{name}": value}})
        assert answer.status == 200

    def load(self, *entries: dict[str, str], state: str = "COMPLETED", template: bool = True, **more: Any) -> None:
        """The workflow ID with these entries, and their resources. ``more`` goes into the state document."""
        progress = {"COMPLETED": "DONE", "PROVISIONING": "IN_PROGRESS"}.get(state, state)
        document = {"workflow_id": ID, "state": state, "provisioning_progress": progress, **more}
        if state != "NOT_STARTED":
            document |= {"provision_start_time": 1700000000000, "provision_end_time": 1700000060000}
        if entries:
            document["resources_created"] = list(entries)
        other = {"workflow_id": "other", "state": "NOT_STARTED", "provisioning_progress": "NOT_STARTED"}
        self.sim.load(other, PIPELINE_TEMPLATE)  # so that both indices exist
        self.sim.load(document, PIPELINE_TEMPLATE if template else None)
        self._put(entries)

    def _put(self, entries: tuple[dict[str, str], ...]) -> None:
        names = {each["workflow_step_name"] for each in entries}
        for each in entries:
            step, resource = each["workflow_step_name"], each["resource_id"]
            if step == "create_index":
                self.sim.world.put("index", resource, documents=0, size_in_bytes=208)
            elif step.endswith("_pipeline"):
                kind = step.removeprefix("create_")
                self.sim.world.put(kind, resource, body={"processors": []})
            elif step == "register_remote_model":
                used = {"connector_id": "c1"} if "create_connector" in names else {}
                self.sim.world.put("model", resource, state="DEPLOYED" if D in entries else "REGISTERED", **used)
            elif step in ("create_connector", "register_agent"):
                self.sim.world.put(step.split("_")[1], resource, body={"name": resource})

    def exists(self, kind: str, resource: str) -> bool:
        return self.sim.world.get(kind, resource) is not None

    def until(self, done: Callable[[], bool]) -> bool:
        end = time.monotonic() + 5
        while not done():
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def status(self) -> Answer:
        return self.send("GET", f"{STATUS}?all=true")


@contextmanager
def case(version: str, enabled: bool = True, security: bool = False, **options: Any) -> Iterator[Case]:
    """A simulator of its own. 2.12 ships switched off; it is switched on unless ``enabled`` is False."""
    from tests.simulator import running

    options.setdefault("clock", 0.0)
    with running(version=version, security=security, **options) as sim:
        made = Case(sim, security)
        if enabled and version == "2.12.0":
            made.setting("enabled", True)
        yield made


def plain(answer: Answer) -> tuple[int, Any]:
    """Status and ``error`` of the plugin's envelope, which has no other key."""
    assert set(answer.body) == {"error"}, answer
    return answer.status, answer.body["error"]


def core(answer: Answer) -> tuple[int, str]:
    """Status and reason of the envelope of OpenSearch itself."""
    assert set(answer.body) == {"error", "status"} and answer.body["status"] == answer.status, answer
    error = answer.body["error"]
    assert error["root_cause"] == [{"type": error["type"], "reason": error["reason"]}]
    assert error["type"] == "illegal_argument_exception"
    return answer.status, error["reason"]


def no_answer(one: Case, seconds: float = 0.4) -> bool:
    try:
        one.send("POST", DEPROVISION, timeout=seconds)
    except urllib3.exceptions.TimeoutError:
        return True
    return False


# behaviour.md 10.2, the REST layer


@row("R01", *TO_2_15)
def test_allow_delete_is_unknown(version: str) -> None:
    with case(version) as one:
        one.load(INDEX)
        reason = f"request [{DEPROVISION}] contains unrecognized parameter: [allow_delete]"
        before = one.sim.state(ID)
        assert core(one.send("POST", f"{DEPROVISION}?allow_delete=x")) == (400, reason)
        assert one.sim.state(ID) == before


@row("R02", *FROM_2_16)
@pytest.mark.parametrize("name", ["allow-delete", "allowDelete"])
def test_the_spelling_of_the_documentation(version: str, name: str) -> None:
    with case(version) as one:
        one.load(INDEX)
        reason = f"request [{DEPROVISION}] contains unrecognized parameter: [{name}] -> did you mean [allow_delete]?"
        assert core(one.send("POST", f"{DEPROVISION}?{name}=x")) == (400, reason)


@row("R03", *FROM_2_16)
def test_several_unknown_parameters(version: str) -> None:
    with case(version) as one:
        reason = f"request [{DEPROVISION}] contains unrecognized parameters: [bar], [foo]"
        assert core(one.send("POST", f"{DEPROVISION}?foo=1&bar=2")) == (400, reason)


@row("R04", "2.12.0")
def test_the_first_version_is_switched_off(version: str) -> None:
    with case(version, enabled=False) as one:
        assert plain(one.send("POST", DEPROVISION)) == (403, DISABLED)


@row("R05", "3.8.0")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", STATUS), ("POST", DEPROVISION), ("DELETE", f"{WORKFLOW}/{ID}"), ("GET", f"{WORKFLOW}/{ID}"),
        ("POST", f"{WORKFLOW}/_search"), ("POST", f"{WORKFLOW}/state/_search"), ("GET", f"{WORKFLOW}/_steps"),
    ],
)  # fmt: skip
def test_switched_off(version: str, method: str, path: str) -> None:
    with case(version) as one:
        one.load(C)
        one.setting("enabled", False)
        assert plain(one.send(method, path)) == (403, DISABLED)
        assert one.sim.state(ID)["resources_created"] == [C]


@row("R06", "3.8.0")
def test_switched_off_and_a_body(version: str) -> None:
    with case(version) as one:
        one.setting("enabled", False)
        reason = f"request [POST {WORKFLOW}] does not support having a body"
        assert core(one.send("POST", WORKFLOW, PIPELINE_TEMPLATE)) == (400, reason)


@row("R07", *TO_2_13)
def test_a_body_is_refused(version: str) -> None:
    with case(version) as one:
        one.load(C)
        reason = f"request [POST {DEPROVISION}] does not support having a body"
        assert core(one.send("POST", DEPROVISION, {})) == (400, reason)
        assert one.exists("connector", "c1")


@row("R08", *FROM_2_16)
def test_a_body_is_ignored(version: str) -> None:
    with case(version) as one:
        one.load(INDEX)
        text = "These resources require the allow_delete parameter to deprovision: [index_name my-index]."
        assert plain(one.send("POST", DEPROVISION, {"allow_delete": "my-index"})) == (403, text)


@row("R09", *FROM_2_16)
def test_the_last_of_a_repeated_parameter_counts(version: str) -> None:
    with case(version) as one:
        one.load(PIPELINE, INDEX)
        text = "These resources require the allow_delete parameter to deprovision: [pipeline_id my-pipe]."
        answer = one.send("POST", f"{DEPROVISION}?allow_delete=my-pipe&allow_delete=my-index")
        assert plain(answer) == (403, text)
        assert not one.exists("index", "my-index")


@row("R10", *FROM_2_16)
def test_a_plus_is_a_blank(version: str) -> None:
    with case(version) as one:
        one.load({**PIPELINE, "resource_id": "a b"})
        assert one.send("POST", f"{DEPROVISION}?allow_delete=a+b").status == 200
        assert not one.exists("ingest_pipeline", "a b")


@row("R11", *ANY)
def test_the_wrong_method(version: str) -> None:
    with case(version) as one:
        answer = one.send("GET", DEPROVISION)
        text = f"Incorrect HTTP method for uri [{DEPROVISION}] and method [GET], allowed: [POST]"
        assert (answer.status, answer.body) == (405, {"error": text, "status": 405})


@row("R12", "2.12.0", "2.15.0", "2.19.1", "3.6.0")
def test_the_plugin_is_not_installed(version: str) -> None:
    with case(version) as one:
        one.sim.faults.plugin_absent = True
        text = f"no handler found for uri [{DEPROVISION}] and method [POST]"
        assert plain(one.send("POST", DEPROVISION)) == (400, text)


@row("R17", "2.12.0", "2.15.0", "2.19.1", "3.6.0")
def test_an_unknown_step_never_answers(version: str) -> None:
    with case(version) as one:
        one.load(C, entry("create_future", "future_1", "future_id", "f1"))
        before = one.sim.state(ID)
        assert no_answer(one)
        assert one.sim.state(ID) == before and one.exists("connector", "c1")


@row("R18", "2.12.0", "2.15.0", "2.18.0")
def test_two_calls_hang_a_pool_of_two(version: str) -> None:
    """The third call queues, and the rest of the server goes on answering."""
    _check_hang(version, pool=2)


@row("R19", "2.19.1", "3.6.0")
def test_four_calls_hang_a_pool_of_four(version: str) -> None:
    _check_hang(version, pool=4)


@pytest.mark.parametrize(("version", "pool"), [("2.19.1", 4), ("3.6.0", 4), ("2.18.0", 2)])
def test_one_call_fewer_than_the_pool_finishes(version: str, pool: int) -> None:
    with case(version, pool=pool, clock=0.05) as one:
        one.load(C)
        with ThreadPoolExecutor(pool) as calls:
            hung = list(calls.map(lambda _number: no_answer(one, 5), range(pool - 1)))
        assert hung == [False] * (pool - 1)


def _check_hang(version: str, pool: int) -> None:
    """A call alone takes 0.15 s here; with as many as the pool has threads every one waits for ever."""
    with case(version, pool=pool, clock=0.1) as one:
        one.load(C, M, D, A)
        with ThreadPoolExecutor(pool + 1) as calls:
            hung = list(calls.map(lambda _number: no_answer(one, 0.9), range(pool + 1)))
        assert hung == [True] * (pool + 1)
        path = "/_cat/thread_pool/opensearch_deprovision_workflow?format=json&h=node_name,active,queue,max,completed"
        rows = one.send("GET", path).body
        assert [(row_["active"], row_["max"]) for row_ in rows] == [(str(pool), str(pool))]
        assert int(rows[0]["queue"]) > 0
        assert one.status().status == 200


# behaviour.md 10.3, access control


PERMISSIONS = ["cluster:admin/*", "cluster:monitor/*", "indices:*"]


def owned(one: Case) -> str:
    """A workflow that the user ``owner`` (backend role a) provisioned; returns its id."""
    one.sim.add_user("owner", "owner", permissions=PERMISSIONS, backend_roles=["a"])
    one.sim.add_user("other", "other", permissions=PERMISSIONS, backend_roles=["b"])
    one.setting("filter_by_backend_roles", True)
    answer = one.send("POST", f"{WORKFLOW}?provision=true", PIPELINE_TEMPLATE, user="owner")
    assert answer.status in (201, 202), answer
    workflow: str = answer.body["workflow_id"]
    assert one.until(lambda: one.sim.state(workflow)["state"] == "COMPLETED")
    return workflow


@row("A01", "2.13.0", "2.15.0", "2.19.1", "3.6.0")
def test_no_permission_to_deprovision(version: str) -> None:
    with case(version, security=True) as one:
        one.load(C)
        assert plain(one.send("POST", DEPROVISION, user="nobody")) == (403, "Failed to get workflow.")
        assert one.exists("connector", "c1")


@row("A02", "2.12.0")
def test_no_permission_in_the_words_of_the_security_plugin(version: str) -> None:
    with case(version, security=True) as one:
        one.load(C)
        status, text = plain(one.send("POST", DEPROVISION, user="nobody"))
        assert status == 403
        assert text.startswith("no permissions for [cluster:admin/opensearch/flow_framework/workflow/deprovision] and User [name=nobody")


@row("A03", *FROM_2_15)
def test_no_permission_to_look(version: str) -> None:
    with case(version, security=True) as one:
        one.load(C)
        permissions = ["cluster:admin/opensearch/flow_framework/workflow/deprovision", "cluster:admin/opensearch/ml/*"]
        one.sim.add_user("blind", "blind", permissions=permissions)
        assert plain(one.send("GET", STATUS, user="blind")) == (403, "Failed to get workflow status.")
        assert one.send("POST", DEPROVISION, user="blind").status == 200
        assert not one.exists("connector", "c1")


@row("A04", "2.17.0", "2.18.0", "2.19.1")
def test_no_common_backend_role_is_a_400(version: str) -> None:
    _check_foreign(version, 400)


@row("A05", "3.0.0", "3.4.0", "3.6.0")
def test_no_common_backend_role_is_a_403(version: str) -> None:
    _check_foreign(version, 403)


def _check_foreign(version: str, status: int) -> None:
    with case(version, security=True) as one:
        workflow = owned(one)
        text = NOT_YOURS.replace(ID, workflow)
        assert plain(one.send("POST", f"{WORKFLOW}/{workflow}/_deprovision", user="other")) == (status, text)
        assert plain(one.send("GET", f"{WORKFLOW}/{workflow}/_status", user="other")) == (status, text)
        assert one.send("GET", f"{WORKFLOW}/{workflow}/_status", user="owner").status == 200
        assert one.exists("ingest_pipeline", "my-pipe")


@row("A06", "2.17.0", "2.18.0")
def test_without_template_nobody_gets_through_the_filter(version: str) -> None:
    with case(version, security=True) as one:
        workflow = owned(one)
        assert one.send("DELETE", f"{WORKFLOW}/{workflow}", user="owner").status == 200
        text = NO_TEMPLATE.replace(ID, workflow)
        assert plain(one.send("POST", f"{WORKFLOW}/{workflow}/_deprovision", user="owner")) == (404, text)
        assert plain(one.send("GET", f"{WORKFLOW}/{workflow}/_status", user="owner")) == (404, text)
        assert one.sim.state(workflow) is not None


@row("A07", "2.19.1", "3.0.0", "3.6.0")
def test_without_template_the_filter_looks_at_the_state(version: str) -> None:
    with case(version, security=True) as one:
        workflow = owned(one)
        assert one.send("DELETE", f"{WORKFLOW}/{workflow}", user="owner").status == 200
        assert one.send("GET", f"{WORKFLOW}/{workflow}/_status", user="owner").status == 200
        answer = one.send("POST", f"{WORKFLOW}/{workflow}/_deprovision?allow_delete=my-pipe", user="owner")
        assert (answer.status, answer.body) == (200, {"workflow_id": workflow})
        assert one.until(lambda: one.sim.state(workflow) is None)


@row("A08", "3.4.0")
def test_a_state_without_user_breaks_the_filter(version: str) -> None:
    with case(version, security=True) as one:
        owned(one)
        one.load(C)
        for user in ("owner", "admin"):
            assert plain(one.send("GET", STATUS, user=user)) == (500, "Failed to get workflow status.")


@row("A09", "3.5.0", "3.6.0", "3.8.0")
def test_a_state_without_user_is_the_administrators(version: str) -> None:
    with case(version, security=True) as one:
        owned(one)
        one.load(C)
        assert plain(one.send("GET", STATUS, user="owner")) == (403, NOT_YOURS)
        assert one.send("GET", STATUS, user="admin").status == 200


@pytest.mark.parametrize(("version", "status"), [("2.19.1", 400), ("3.0.0", 403), ("3.6.0", 403)])
def test_who_deprovisions_owns_the_state(version: str, status: int) -> None:
    """A10."""
    with case(version, security=True) as one:
        workflow = owned(one)
        path = f"{WORKFLOW}/{workflow}/_deprovision?allow_delete=my-pipe"
        assert one.send("POST", path, user="admin").status == 200
        assert one.until(lambda: one.sim.state(workflow)["state"] == "NOT_STARTED")
        assert one.sim.state(workflow)["user"]["name"] == "admin"
        text = NOT_YOURS.replace(ID, workflow)
        assert plain(one.send("GET", f"{WORKFLOW}/{workflow}/_status", user="owner")) == (status, text)


@row("A11", *FROM_2_16)
def test_flow_framework_alone_deletes_nothing(version: str) -> None:
    with case(version, security=True) as one:
        one.load(C, M, D, INDEX)
        text = "Failed to deprovision some resources: [index_name my-index, model_id m1, connector_id c1]."
        assert plain(one.send("POST", f"{DEPROVISION}?allow_delete=my-index", user="flowadmin")) == (202, text)
        assert one.exists("connector", "c1") and one.exists("model", "m1") and one.exists("index", "my-index")


# behaviour.md 10.4, status


@row("S01", *ANY)
def test_a_fresh_workflow(version: str) -> None:
    with case(version) as one:
        answer = one.send("POST", WORKFLOW, CONNECTOR_TEMPLATE)
        assert answer.status == 201
        workflow = answer.body["workflow_id"]
        want = {"workflow_id": workflow, "state": "NOT_STARTED"}
        path = f"{WORKFLOW}/{workflow}/_status"
        assert one.until(lambda: one.send("GET", path).status == 200)
        assert one.send("GET", path).body == want
        for query in ("?all=true", "?all"):  # S02
            assert one.send("GET", path + query).body == {**want, "provisioning_progress": "NOT_STARTED"}


@row("S03", *ANY)
def test_a_completed_workflow(version: str) -> None:
    with case(version) as one:
        one.load(C)
        answer = one.send("GET", STATUS)
        want = {"workflow_id": ID, "state": "COMPLETED", "resources_created": [C]}
        assert (answer.status, answer.body) == (200, want)


@row("S04", *ANY)
def test_a_failed_workflow(version: str) -> None:
    with case(version) as one:
        one.load(C, state="FAILED", error="it did not work")
        answer = one.send("GET", STATUS)
        want = {"workflow_id": ID, "state": "FAILED", "error": "it did not work", "resources_created": [C]}
        assert (answer.status, answer.body) == (200, want)


@row("S05", *ANY)
def test_all_is_a_boolean(version: str) -> None:
    with case(version) as one:
        one.load(C)
        reason = "Failed to parse value [yes] as only [true] or [false] are allowed."
        assert core(one.send("GET", f"{STATUS}?all=yes")) == (400, reason)
        reason = f"request [{STATUS}] contains unrecognized parameter: [All] -> did you mean [all]?"
        assert core(one.send("GET", f"{STATUS}?All=true")) == (400, reason)


@row("S06", *ANY)
def test_no_such_workflow(version: str) -> None:
    texts = {"2.12.0": "Fail to find workflow", "2.13.0": f"Fail to find workflow {ID}"}
    texts["2.14.0"] = texts["2.13.0"]
    with case(version) as one:
        assert one.send("POST", WORKFLOW, CONNECTOR_TEMPLATE).status == 201  # so that the index exists
        want = texts.get(version, f"Fail to find workflow status of {ID}")
        assert plain(one.send("GET", STATUS)) == (404, want)


@pytest.mark.parametrize(("version", "status"), [("2.12.0", 400), ("2.18.0", 400), ("2.19.1", 500), ("3.6.0", 500)])
def test_a_document_of_a_newer_node(version: str, status: int) -> None:
    """S07."""
    with case(version) as one:
        one.load(C, field_of_a_later_version="x")
        assert plain(one.send("GET", STATUS)) == (status, f"Failed to parse workflowState: {ID}")


@row("S08", "2.18.0", "2.19.1", "3.6.0")
def test_the_list_shrinks_from_its_end(version: str) -> None:
    lists = _lists_while_running(version)
    assert lists == sorted(lists, key=len, reverse=True)
    assert all(each == [C, M, D, A][: len(each)] for each in lists)
    assert len(lists[-1]) == 1, "the last entry is not taken away before the reset"
    assert len({len(each) for each in lists}) >= 3


@row("S09", "2.12.0", "2.15.0", "2.17.0")
def test_the_list_is_whole_until_the_end(version: str) -> None:
    assert all(each == [C, M, D, A] for each in _lists_while_running(version))


def _lists_while_running(version: str) -> list[list[Any]]:
    """The lists that ``_status`` shows while a deprovision of [C, M, D, A] runs."""
    with case(version, clock=0.3) as one:
        one.load(C, M, D, A)
        seen: list[list[Any]] = []
        with ThreadPoolExecutor(1) as calls:
            call = calls.submit(one.send, "POST", DEPROVISION)
            while not call.done():
                body = one.status().body
                if body["state"] == "NOT_STARTED":
                    break  # 3.4 and later write before they answer
                seen.append(body.get("resources_created", []))
                time.sleep(0.003)
            assert call.result().status == 200
        assert seen
        return seen


@row("S10", "2.15.0", "2.19.1")
def test_the_reset_comes_after_the_answer(version: str) -> None:
    with case(version, clock=0.5) as one:
        one.load(C)
        assert one.send("POST", DEPROVISION).status == 200
        first = one.status().body
        assert (first["state"], first["resources_created"]) == ("COMPLETED", [C])
        assert one.until(lambda: one.status().body["state"] == "NOT_STARTED")
        assert "resources_created" not in one.status().body


@row("S11", "3.4.0", "3.6.0", "3.8.0")
def test_the_reset_comes_before_the_answer(version: str) -> None:
    with case(version, clock=0.5) as one:
        one.load(C)
        assert one.send("POST", DEPROVISION).status == 200
        assert one.status().body == {
            "workflow_id": ID, "state": "NOT_STARTED", "provisioning_progress": "NOT_STARTED",
        }  # fmt: skip


@row("S12", "2.16.0", "2.19.1", "3.6.0")
def test_a_403_is_written_after_the_answer(version: str) -> None:
    with case(version, clock=0.5) as one:
        one.load(INDEX, state="FAILED", error="x")
        assert one.send("POST", DEPROVISION).status == 403
        assert one.status().body["state"] == "FAILED"
        assert one.until(lambda: one.status().body["state"] == "COMPLETED")
        assert one.status().body["error"] == "x"


# behaviour.md 10.5, delete


def _deleted(answer: Answer, result: str) -> None:
    assert answer.status == 200, answer
    assert (answer.body["_index"], answer.body["result"]) == (".plugins-flow-framework-templates", result)


@row("X01", *FROM_2_14)
def test_delete_drops_an_empty_state(version: str) -> None:
    with case(version) as one:
        one.load(state="NOT_STARTED")
        _deleted(one.send("DELETE", f"{WORKFLOW}/{ID}"), "deleted")
        assert one.until(lambda: one.status().status == 404)


@row("X02", *TO_2_13)
def test_delete_keeps_every_state(version: str) -> None:
    with case(version) as one:
        one.load(state="NOT_STARTED")
        _deleted(one.send("DELETE", f"{WORKFLOW}/{ID}"), "deleted")
        time.sleep(0.05)
        assert one.status().status == 200
        assert one.sim.template(ID) is None


@row("X03", *FROM_2_14)
def test_delete_keeps_a_state_with_resources(version: str) -> None:
    with case(version) as one:
        one.load(C)
        _deleted(one.send("DELETE", f"{WORKFLOW}/{ID}"), "deleted")
        _check_kept_then_deprovisioned(one)


@row("X04", *FROM_2_15)
@pytest.mark.parametrize("value", ["true", "TRUE"])  # X08
def test_clear_status_forgets(version: str, value: str) -> None:
    with case(version) as one:
        one.load(C)
        _deleted(one.send("DELETE", f"{WORKFLOW}/{ID}?clear_status={value}"), "deleted")
        assert one.until(lambda: one.status().status == 404)
        assert one.exists("connector", "c1")
        status = 500 if version == "2.15.0" else 404
        text = f"Failed to get workflow state for workflow {ID}"
        assert plain(one.send("POST", DEPROVISION)) == (status, text)


@row("X05", *FROM_2_15)
def test_clear_status_keeps_what_is_being_provisioned(version: str) -> None:
    with case(version) as one:
        one.load(C, state="PROVISIONING")
        _deleted(one.send("DELETE", f"{WORKFLOW}/{ID}?clear_status=true"), "deleted")
        time.sleep(0.05)
        assert one.sim.template(ID) is None
        assert one.status().body["state"] == "PROVISIONING"


@row("X06", *TO_2_14)
def test_clear_status_is_unknown(version: str) -> None:
    with case(version) as one:
        one.load(C)
        reason = f"request [{WORKFLOW}/{ID}] contains unrecognized parameter: [clear_status]"
        assert core(one.send("DELETE", f"{WORKFLOW}/{ID}?clear_status=true")) == (400, reason)
        assert one.sim.template(ID) is not None and one.status().status == 200


@row("X07", *FROM_2_15)
@pytest.mark.parametrize("query", ["clear_status=1", "clear_status"])
def test_anything_but_true_is_false(version: str, query: str) -> None:
    with case(version) as one:
        one.load(C)
        _deleted(one.send("DELETE", f"{WORKFLOW}/{ID}?{query}"), "deleted")
        _check_kept_then_deprovisioned(one)


def _check_kept_then_deprovisioned(one: Case) -> None:
    time.sleep(0.05)
    assert one.status().body["resources_created"] == [C]
    assert one.send("POST", DEPROVISION).status == 200
    assert one.until(lambda: one.status().status == 404)


@row("X09", *ANY)
def test_delete_of_a_template_that_is_gone(version: str) -> None:
    with case(version) as one:
        one.load(C, template=False)
        _deleted(one.send("DELETE", f"{WORKFLOW}/{ID}"), "not_found")


@row("X10", *FROM_2_15)
def test_clear_status_forgets_a_ghost(version: str) -> None:
    with case(version) as one:
        one.load(D, template=False)
        _deleted(one.send("DELETE", f"{WORKFLOW}/{ID}?clear_status=true"), "not_found")
        assert one.until(lambda: one.status().status == 404)


@row("X11", *ANY)
def test_delete_without_any_template(version: str) -> None:
    with case(version) as one:
        text = "There are no templates in the global context" + ("." if version == "2.12.0" else "")
        assert plain(one.send("DELETE", f"{WORKFLOW}/{ID}")) == (404, text)


@row("X12", "2.19.1", "3.0.0", "3.6.0")
def test_delete_through_the_filter_needs_a_template(version: str) -> None:
    with case(version, security=True) as one:
        workflow = owned(one)
        assert one.send("DELETE", f"{WORKFLOW}/{workflow}", user="owner").status == 200
        path = f"{WORKFLOW}/{workflow}"
        assert plain(one.send("DELETE", path, user="owner")) == (404, NO_TEMPLATE.replace(ID, workflow))
        assert one.send("DELETE", f"{path}?clear_status=true", user="owner").status == 200
        assert one.until(lambda: one.sim.state(workflow) is None)


# behaviour.md 10.6, provision


@pytest.mark.parametrize(("version", "status"), [(each, 202 if each >= "3" else 200) for each in ANY])
def test_provision(version: str, status: int) -> None:
    """P01."""
    with case(version, clock=1.0) as one:
        workflow = one.send("POST", WORKFLOW, CONNECTOR_TEMPLATE).body["workflow_id"]
        path = f"{WORKFLOW}/{workflow}/_status?all=true"
        assert one.until(lambda: one.send("GET", path).status == 200)
        start = int(time.time() * 1000)
        answer = one.send("POST", f"{WORKFLOW}/{workflow}/_provision")
        assert (answer.status, answer.body) == (status, {"workflow_id": workflow})
        state = one.send("GET", path).body
        assert (state["state"], state["provisioning_progress"]) == ("PROVISIONING", "IN_PROGRESS")
        assert state["provision_start_time"] >= start and not state.get("resources_created")
        assert one.until(lambda: one.send("GET", path).body["state"] == "COMPLETED")


@row("P02", *FROM_2_14)
def test_provision_of_what_is_provisioned(version: str) -> None:
    with case(version) as one:
        one.load(C)
        text = (
            "The workflow provisioning state is DONE and can not be provisioned unless its state is NOT_STARTED: "
            f"{ID}. Deprovision the workflow to reset the state."
        )
        assert plain(one.send("POST", f"{WORKFLOW}/{ID}/_provision")) == (400, text)


@row("P03", *TO_2_13)
def test_provision_of_what_is_provisioned_before_2_14(version: str) -> None:
    with case(version) as one:
        one.load(C)
        text = f"The template has already been provisioned: {ID}"
        assert plain(one.send("POST", f"{WORKFLOW}/{ID}/_provision")) == (400, text)


@pytest.mark.parametrize(("version", "status"), [(each, 202 if each >= "3" else 201) for each in ANY])
def test_create_and_provision(version: str, status: int) -> None:
    """P04."""
    with case(version) as one:
        answer = one.send("POST", f"{WORKFLOW}?provision=true", CONNECTOR_TEMPLATE)
        assert answer.status == status and set(answer.body) == {"workflow_id"}
        assert one.until(lambda: one.sim.state(answer.body["workflow_id"])["state"] == "COMPLETED")


@row("P05", *FROM_2_14)
def test_update_of_what_is_provisioned(version: str) -> None:
    with case(version) as one:
        one.load(C)
        text = f"The template can not be updated unless its provisioning state is NOT_STARTED: {ID}. Deprovision the workflow to reset the state."
        assert plain(one.send("PUT", f"{WORKFLOW}/{ID}", PIPELINE_TEMPLATE)) == (400, text)


@row("P06", "2.17.0", "2.19.1", "3.0.0", "3.6.0")
def test_reprovision_of_what_was_never_provisioned(version: str) -> None:
    with case(version) as one:
        one.load(state="NOT_STARTED")
        text = f"The template can not be reprovisioned unless its provisioning state is DONE or FAILED: {ID}"
        assert plain(one.send("PUT", f"{WORKFLOW}/{ID}?reprovision=true", PIPELINE_TEMPLATE)) == (400, text)


@row("P07", *FROM_2_16)
@pytest.mark.parametrize("step", ["delete_index", "delete_ingest_pipeline", "delete_search_pipeline"])
def test_a_template_may_not_delete(version: str, step: str) -> None:
    with case(version) as one:
        text = f"The step type [{step}] for node [x] can not be used in a workflow."
        assert plain(one.send("POST", WORKFLOW, template(("x", step, {"index_name": "i"})))) == (403, text)


@row("P08", *FROM_2_16)
def test_provision_after_a_403(version: str) -> None:
    with case(version) as one:
        one.load(INDEX, state="FAILED", error="x")
        assert one.send("POST", DEPROVISION).status == 403
        assert one.until(lambda: one.sim.state(ID)["state"] == "COMPLETED")
        answer = one.send("POST", f"{WORKFLOW}/{ID}/_provision")
        assert answer.status == 400 and "The workflow provisioning state is DONE" in answer.body["error"]
