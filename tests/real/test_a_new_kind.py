# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new kind of resource is one row. This file adds one that does not exist, dictionaries, and is the recipe for one that does:

1. A row in C(KINDS) of plugins/module_utils/_internal/resources.py, in the image of the one that is most like it.
2. What the server does with it, in the simulator: for a kind that is kept under names, a row in C(NAMED) of tests/simulator/named.py.
3. How its users are found: what nobody is seen to use is deleted, whoever needs it. By themselves are found other workflows that record it and, where
   ML Commons makes its ids, agents and pipelines that hold one. Settings of indices that name it stand in its row. Whatever else refers to it takes a
   few lines in C(find_users) of sharing.py, where the models of a connector and the pipelines that call a pipeline are.
4. A test: that it goes, that it does not go where it must not, also because of each of its users, and that the result says so.
5. Its name where the modules document kinds, and, if it has to be named, in the role's variables: tests/unit says where it is missing.

Elsewhere a kind stands by its name only where the server does something with that kind alone: an index has a uuid and documents, a model is deployed,
and a connector is free once its models are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.resources import (
    KINDS,
    MARK,
    Kind,
    Step,
    gone_pipeline,
    never,
    pipeline_danger,
)
from tests.integration import in_process
from tests.integration.helpers import truthful
from tests.simulator import running
from tests.simulator.named import NAMED, Named

from .helpers import by_kind, check, finished, message, posts, run, warned, writes

ROW = Kind(
    "dictionary",
    type="dictionary_id",
    path="/_plugins/_dictionaries/%s",
    right="cluster:admin/dictionaries/delete",
    is_gone=gone_pipeline,  # a 404 with an empty object
    steps={"create_dictionary": Step("delete", gone_is_success=never, named_by="dictionary_id", since=(3, 4))},
    danger=pipeline_danger,  # its names may be patterns
    needs_allow_delete=True,
    settings=("index.dictionary",),  # an index that names one uses it
    listed=True,
    placeholder=lambda: {"description": MARK, "words": []},
    is_placeholder=lambda body: body == {"description": MARK, "words": []},
    plural="dictionaries",
)
SIMULATED = Named("dictionary", "/_plugins/_dictionaries", "cluster:admin/dictionaries/", "dictionary_id", since=(3, 4))


@pytest.fixture(autouse=True)
def row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row, in the catalogue and in the simulator."""
    monkeypatch.setitem(KINDS, ROW.name, ROW)
    monkeypatch.setitem(NAMED, SIMULATED.kind, SIMULATED)


@pytest.fixture()
def sim(row: None) -> Iterator[Any]:
    """A cluster that has dictionaries."""
    with running() as simulator:
        yield simulator


def provisioned(sim: Any, name: str = "words") -> str:
    """A workflow that has made a dictionary, and a connector beside it; its id."""
    nodes = [
        {"id": "one", "type": "create_dictionary", "user_inputs": {"dictionary_id": name, "configurations": {"words": ["a", "b"]}}},
        {"id": "two", "type": "create_connector", "user_inputs": CONNECTOR},
    ]
    return str(sim.provision({"name": f"with {name}", "workflows": {"provision": {"nodes": nodes}}}))


CONNECTOR = {"name": "c", "description": "", "version": "1", "protocol": "http", "parameters": {}, "credential": {"key": "k"}, "actions": []}


def test_it_is_planned_without_being_touched(sim: Any) -> None:
    workflow_id = provisioned(sim)
    sim.clear_log()
    plan = check(sim, workflow_id, allow_delete=["words"])
    assert by_kind(plan) == {"dictionary": "would_delete", "connector": "would_delete"}
    assert plan["msg"] == "1 workflow: 2 resources to delete" and plan["changed"]
    assert writes(sim) == [] and sim.world.ids("dictionary") == ["words"]


def test_it_is_deleted_and_proven_gone(sim: Any) -> None:
    workflow_id = provisioned(sim)
    result = run(sim, workflow_id, allow_delete=["words"])
    finished(result, sim, workflow_id)
    (found,) = (one for one in result["resources"] if one["kind"] == "dictionary")
    assert (found["status"], found["type"], found["steps"], found["needs_allow_delete"]) == ("deleted", "dictionary_id", ["create_dictionary"], True)
    assert result["summary"]["deleted"] == 2 and result["msg"] == "1 workflow: 2 resources deleted"
    call = posts(sim)[0]
    looks = [one.status for one in sim.requests("GET", "/_dictionaries/words") if one.started > call.started]
    assert looks and set(looks) == {404} and sim.world.ids("dictionary") == []


def test_it_stays_with_everything_else_where_it_is_not_named(sim: Any) -> None:
    workflow_id = provisioned(sim)
    for look_or_act in (check, run):
        result = look_or_act(sim, workflow_id)
        assert by_kind(result) == {"dictionary": "blocked", "connector": "untouched"} and result["failed"]
        assert result["blocked"] == ["words"] and result["summary"]["blocked"] == 1
        assert "Not named in allow_delete: dictionary words." in result["msg"]
    assert posts(sim) == [] and sim.world.ids("dictionary") == ["words"]


def test_it_is_kept_where_that_is_asked_for_and_the_rest_goes(sim: Any) -> None:
    workflow_id = provisioned(sim)
    result = run(sim, workflow_id, on_blocked="keep")
    assert by_kind(result) == {"dictionary": "kept", "connector": "deleted"} and not result["failed"]
    assert result["msg"] == "1 workflow: 1 resource deleted, 1 resource kept"
    truthful(result, sim)


def test_whoever_may_not_delete_it_is_told_which_permission_that_takes(row: None) -> None:
    with running(security=True) as sim:
        workflow_id = provisioned(sim)
        ours = [kind.right for kind in KINDS.values() if kind is not ROW]
        reads = ["cluster:monitor/*", "indices:monitor/*", "cluster:admin/opensearch/flow_framework/*", "*/get", "*/search"]
        sim.add_user("ops", "ops", [*reads, *ours])
        result = run(sim, workflow_id, allow_delete=["words"], username="ops", password="ops")
        assert by_kind(result) == {"dictionary": "failed", "connector": "deleted"} and result["failed"]
        assert "they need cluster:admin/dictionaries/delete" in message(result, "dictionary")
        truthful(result, sim)


def test_whoever_may_not_look_at_it_is_refused_and_told_so(row: None) -> None:
    with running(security=True) as sim:
        workflow_id = provisioned(sim)
        sim.add_user("ops", "ops", [*("cluster:monitor/*", "indices:*"), *("cluster:admin/opensearch/*", "cluster:admin/ingest/*", "cluster:admin/search/*")])
        result = run(sim, workflow_id, allow_delete=["words"], username="ops", password="ops")
        assert by_kind(result) == {"dictionary": "unknown", "connector": "untouched"}
        assert "cluster:admin/dictionaries/get" in message(result, "dictionary")
        assert "Reading dictionaries is not allowed" in warned(result)
        assert posts(sim) == []


def test_what_is_gone_already_is_absent_and_never_asked_for(sim: Any) -> None:
    """As its row says (gone_is_success=never), the server would answer 202 for ever: so that stays recorded, and is said."""
    workflow_id = provisioned(sim)
    sim.world.remove("dictionary", "words")
    result = run(sim, workflow_id, allow_delete=["words"])
    assert by_kind(result) == {"dictionary": "absent", "connector": "deleted"} and not result["failed"]
    assert "still records what is gone (words)" in warned(result)
    assert [post.query for post in posts(sim)] == [""]


def recorded_by_another(sim: Any) -> None:
    entry = {"workflow_step_name": "create_dictionary", "workflow_step_id": "one", "resource_type": "dictionary_id", "resource_id": "words"}
    sim.load({"workflow_id": "other", "state": "COMPLETED", "provisioning_progress": "DONE", "resources_created": [entry]}, {"name": "other"})


def named_by_an_index(sim: Any) -> None:
    sim.world.put("index", "other", settings={"index.dictionary": "words"})


@pytest.mark.parametrize("user, use", [("workflow/other", recorded_by_another), ("index/other", named_by_an_index)])
def test_what_somebody_else_uses_is_refused_kept_or_deleted_as_on_shared_says(sim: Any, user: str, use: Callable[[Any], None]) -> None:
    workflow_id = provisioned(sim)
    use(sim)
    refused = run(sim, workflow_id, allow_delete=["words"])
    assert by_kind(refused) == {"dictionary": "blocked", "connector": "untouched"} and refused["failed"]
    (found,) = (one for one in refused["resources"] if one["kind"] == "dictionary")
    assert found["used_by"] == [user] and user in refused["msg"] and posts(sim) == []
    kept = run(sim, workflow_id, allow_delete=["words"], on_shared="keep")
    assert by_kind(kept) == {"dictionary": "kept", "connector": "deleted"} and sim.world.ids("dictionary") == ["words"]
    deleted = run(sim, workflow_id, allow_delete=["words"], on_shared="delete")
    assert by_kind(deleted) == {"dictionary": "deleted"} and sim.world.ids("dictionary") == []


def test_an_empty_placeholder_lets_the_server_clear_its_record(sim: Any) -> None:
    workflow_id = provisioned(sim)
    sim.world.remove("dictionary", "words")
    sim.clear_log()
    result = run(sim, workflow_id, allow_delete=["words"], stale_records="recreate")
    finished(result, sim, workflow_id)
    assert by_kind(result) == {"dictionary": "absent", "connector": "deleted"}
    assert [one.split()[0] for one in writes(sim)] == ["POST", "PUT", "POST"] and sim.world.ids("dictionary") == []


def test_a_name_that_is_a_pattern_is_never_deleted(sim: Any) -> None:
    workflow_id = provisioned(sim, "w*")
    sim.world.put("dictionary", "words", body={})
    result = run(sim, workflow_id, allow_delete=["w*"])
    assert by_kind(result)["dictionary"] == "blocked" and sim.world.ids("dictionary") == ["w*", "words"]


def test_a_version_that_does_not_know_its_step_is_not_asked(row: None) -> None:
    with running(version="3.3.0") as sim:
        sim.world.put("dictionary", "words", body={})
        entry = {"workflow_step_name": "create_dictionary", "workflow_step_id": "one", "resource_type": "dictionary_id", "resource_id": "words"}
        sim.load({"workflow_id": "w", "state": "COMPLETED", "provisioning_progress": "DONE", "resources_created": [entry]}, {"name": "w"})
        result = run(sim, "w", allow_delete=["words"])
        assert by_kind(result) == {"dictionary": "failed"} and posts(sim) == []
        assert "Flow Framework 3.3.0.0 does not know the step create_dictionary" in message(result, "dictionary")


def test_many_are_read_together_and_go(sim: Any) -> None:
    names = [f"words-{number:02}" for number in range(12)]
    ids = [provisioned(sim, name) for name in names]
    sim.clear_log()
    plan = check(sim, ids, allow_delete=names)
    assert plan["summary"]["would_delete"] == 24 and len(sim.requests("GET", "/_dictionaries")) == 1
    result = run(sim, ids, allow_delete=names)
    assert result["summary"]["deleted"] == 24 and sim.world.ids("dictionary") == []


def test_it_is_information_and_what_no_record_holds_is_said(sim: Any) -> None:
    workflow_id = provisioned(sim)
    state = sim.state(workflow_id)
    assert by_kind(in_process.information(sim.urls, workflow_id=[workflow_id])) == {"dictionary": "present", "connector": "present"}
    sim.load({**state, "resources_created": [one for one in state["resources_created"] if one["resource_type"] != "dictionary_id"]}, sim.template(workflow_id))
    found = in_process.information(sim.urls, workflow_id=[workflow_id])
    assert by_kind(found) == {"connector": "present"}
    (left,) = found["unrecorded"]
    assert (left["kind"], left["id"], left["command"]) == ("dictionary", "words", "DELETE /_plugins/_dictionaries/words")
