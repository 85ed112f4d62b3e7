# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resources that somebody outside the task uses: on_shared, used_by, and few requests however many workflows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator import running

from .helpers import MAPS, QUERY_MAPS, by_kind, check, finished, message, posts, provisioned, record, run, there, warned, writes

USES: dict[str, tuple[str, str, Callable[[Any, str], None]]] = {
    "recorded by a workflow": ("connector", "workflow/other", lambda sim, id_: record(sim, "other", [("connector", id_)])),
    "an index recorded by a workflow": ("index", "workflow/other", lambda sim, id_: record(sim, "other", [("index", id_)])),
    "a model in an agent": ("model", "agent/user", lambda sim, id_: sim.world.put("agent", "user", body={"llm": {"model_id": id_}})),
    "a model in an ingest pipeline": (
        "model",
        "ingest_pipeline/user",
        lambda sim, id_: sim.world.put("ingest_pipeline", "user", body={"processors": [{"ml_inference": {"model_id": id_, **MAPS}}]}),
    ),
    "a model in a search pipeline": (
        "model",
        "search_pipeline/user",
        lambda sim, id_: sim.world.put("search_pipeline", "user", body={"request_processors": [{"ml_inference": {"model_id": id_, **QUERY_MAPS}}]}),
    ),
    "an agent in an agent": ("agent", "agent/user", lambda sim, id_: sim.world.put("agent", "user", body={"tools": [{"parameters": {"agent_id": id_}}]})),
    "an agent in a search pipeline": (
        "agent",
        "search_pipeline/user",
        lambda sim, id_: sim.world.put("search_pipeline", "user", body={"request_processors": [{"agentic_query_translator": {"agent_id": id_}}]}),
    ),
    "a connector in a model": ("connector", "model/user", lambda sim, id_: sim.world.put("model", "user", connector_id=id_)),
    "an ingest pipeline in another": (
        "ingest_pipeline",
        "ingest_pipeline/user",
        lambda sim, id_: sim.world.put("ingest_pipeline", "user", body={"processors": [{"pipeline": {"name": id_}}]}),
    ),
    "the default pipeline of an index": (
        "ingest_pipeline",
        "index/user",
        lambda sim, id_: sim.world.put("index", "user", settings={"index.default_pipeline": id_}),
    ),
    "the final pipeline of an index": (
        "ingest_pipeline",
        "index/user",
        lambda sim, id_: sim.world.put("index", "user", settings={"index.final_pipeline": id_}),
    ),
    "the search pipeline of an index": (
        "search_pipeline",
        "index/user",
        lambda sim, id_: sim.world.put("index", "user", settings={"index.search.default_pipeline": id_}),
    ),
}


NEURAL = pytest.mark.simulated("the processor belongs to a plugin that is not installed there")


@pytest.mark.parametrize("use", [pytest.param(use, marks=[NEURAL] if use == "an agent in a search pipeline" else []) for use in USES])
def test_what_somebody_outside_uses_is_refused_kept_or_deleted_as_on_shared_says_and_named(sim: Any, use: str) -> None:
    kind, user, make = USES[use]
    companion = "agent" if kind != "agent" else "connector"
    made = provisioned(sim, "w", [kind, companion])
    make(sim, made.id(kind))
    refused = run(sim, "w", allow_delete=made.named)
    assert by_kind(refused) == {kind: "blocked", companion: "untouched"}
    (entry,) = [one for one in refused["resources"] if one["kind"] == kind]
    assert entry["used_by"] == [user] and user in entry["msg"] and user in refused["msg"]
    assert writes(sim) == [] and there(sim, made) == {kind, companion}
    assert refused["blocked"] == [], "naming it in allow_delete releases nothing"

    predicted = check(sim, "w", allow_delete=made.named, on_shared="keep")
    kept = run(sim, "w", allow_delete=made.named, on_shared="keep")
    assert by_kind(kept)[kind] == by_kind(predicted)[kind] == "kept"
    assert kind in there(sim, made)
    assert predicted["failed"] == kept["failed"]

    result = run(sim, "w", allow_delete=made.named, on_shared="delete")
    if use == "a connector in a model":  # the server itself refuses
        assert by_kind(result)[kind] == "failed" and user in message(result, kind)
    else:
        assert by_kind(result)[kind] == "deleted"


@pytest.mark.parametrize("kind", ("model", "agent"))
def test_nothing_is_sent_where_a_call_would_delete_what_is_to_be_kept(sim: Any, kind: str) -> None:
    """The server knows no exception for what needs no permission: with on_shared: keep the workflow is left."""
    made = provisioned(sim, "w", [kind, "connector"] if kind == "agent" else [kind, "agent"])
    record(sim, "other", [(kind, made.id(kind))])
    result = run(sim, "w", on_shared="keep")
    assert by_kind(result)[kind] == "kept" and result["failed"]
    assert "which must stay: none is sent" in result["msg"]
    assert writes(sim) == []


def test_what_the_workflows_of_the_task_use_of_each_other_is_not_shared(sim: Any) -> None:
    first = provisioned(sim, "a", ["connector"])
    sim.world.put("model", "m", connector_id=first.id("connector"))
    sim.world.put("ingest_pipeline", "p", body={"processors": [{"ml_inference": {"model_id": "m", **MAPS}}]})
    sim.world.put("index", "i", creation_date=1700000050000, settings={"index.default_pipeline": "p"})
    record(sim, "b", [("model", "m"), ("ingest_pipeline", "p"), ("index", "i")])
    result = run(sim, ["a", "b"], allow_delete=["p", "i"])
    assert set(by_kind(result).values()) == {"deleted"} and not result["failed"], result["msg"]


def test_an_index_that_was_made_after_provisioning_ended_is_shared(sim: Any) -> None:
    """Deleted and made anew by somebody: the record names it, and it is another one."""
    made = provisioned(sim, "w", ["index"], creation_date=1700000060000 + 60_000)
    result = run(sim, "w", allow_delete=made.named)
    assert by_kind(result) == {"index": "blocked"} and "made after provisioning ended" in message(result, "index")
    assert posts(sim) == []
    finished(run(sim, "w", allow_delete=made.named, on_shared="delete"), sim)


def test_an_index_that_was_made_an_hour_after_provisioning_began_is_shared_whatever_its_end_says(sim: Any) -> None:
    """A 202 or 403 moves the end, and then an index that somebody made meanwhile would look like one of the workflow."""
    made = provisioned(sim, "w", ["index"], creation_date=1700000000000 + 3_600_000 + 1)
    moved = dict(sim.state("w") or {}, provision_end_time=1700000000000 + 7_200_000)
    sim.load(moved, sim.template("w"))
    result = run(sim, "w", allow_delete=made.named)
    assert by_kind(result) == {"index": "blocked"} and "more than an hour after provisioning began" in message(result, "index")
    assert posts(sim) == []


def test_an_index_that_was_made_later_is_kept_to_the_end_of_the_run_though_a_call_moves_the_end_of_provisioning(sim: Any) -> None:
    """The first call leaves the connector, and the server writes its end as that of provisioning: the index is older now."""
    made = provisioned(sim, "w", ["connector", "agent", "index"], creation_date=1700000060000 + 60_000)
    sim.faults.deny("delete_connector", made.id("connector"))
    result = run(sim, "w", allow_delete=made.named, on_shared="keep")
    assert len(posts(sim)) > 1, "there was a second look"
    assert by_kind(result) == {"connector": "failed", "agent": "deleted", "index": "kept"}
    assert there(sim, made) == {"connector", "index"} and not any(made.id("index") in one.query for one in posts(sim))


def test_an_index_that_was_made_while_provisioning_is_the_workflows_own(sim: Any) -> None:
    made = provisioned(sim, "w", ["index"], creation_date=1700000060000 + 1_000)
    finished(run(sim, "w", allow_delete=made.named), sim)


def looked(sim: Any, count: int) -> int:
    """Requests of check mode of that many full workflows."""
    made = [provisioned(sim, f"w{number}") for number in range(count)]
    sim.clear_log()
    check(sim, [one.workflow_id for one in made], allow_delete=[name for one in made for name in one.named])
    return len(sim.requests())


def test_the_requests_are_few_and_as_many_for_twenty_workflows_as_for_sixty() -> None:
    with running() as some, running() as many:
        few = looked(some, 20)
        assert few == looked(many, 60)
        assert few <= 20


def test_the_requests_for_users_are_few_for_one_workflow() -> None:
    with running() as one:
        single = r"/_status|/workflow/w\d+\?|/(connectors|models|model_groups|agents)/w|/pipeline/w|^/w\d+-index"
        assert looked(one, 1) - len(one.requests(None, single)) <= 10


READS = {
    "the search of states": ("POST", "/workflow/state/_search"),
    "the search of models": ("POST", "/_ml/models/_search"),
    "the search of agents": ("POST", "/_ml/agents/_search"),
    "the list of ingest pipelines": ("GET", r"/_ingest/pipeline\?"),
    "the list of search pipelines": ("GET", r"/_search/pipeline\?"),
    "the settings of indices": ("GET", "/_all/_settings"),
    "templates": ("GET", r"/workflow/(w|v)\?"),
}


@pytest.mark.parametrize("read", READS)
def test_what_may_not_be_read_of_users_is_said_once_and_does_not_block(sim: Any, read: str) -> None:
    first, second = provisioned(sim, "w"), provisioned(sim, "v")
    sim.faults.answer(*READS[read], 403, {"error": {"type": "security_exception", "reason": "no permissions for [x]"}, "status": 403}, times=None)
    result = run(sim, ["w", "v"], allow_delete=first.named + second.named)
    assert not result["failed"], result["msg"]
    told = [text for text in result["warnings"] if "is not allowed to these credentials" in text]
    assert len(told) == 1 and "no permissions for [x]" in told[0]
    assert there(sim, first) == there(sim, second) == {"model_group"}


def test_kept_things_that_visibly_use_what_goes_are_warned_of(sim: Any) -> None:
    made = provisioned(sim, "w", ["ingest_pipeline"])
    sim.world.put("index", "w-index", creation_date=1700000050000, settings={"index.default_pipeline": made.id("ingest_pipeline")})
    record(sim, "w", [*made.resources, ("index", "w-index")])
    result = run(sim, "w", allow_delete=made.named, on_blocked="keep")
    assert by_kind(result) == {"ingest_pipeline": "deleted", "index": "kept"}
    assert "which is kept, uses it" in warned(result)
