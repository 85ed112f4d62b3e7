# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""202: what the server could not delete is tried again while that helps, and then named with its cause."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import slots, teardown
from tests.simulator import running

from .helpers import ENDED, MAPS, QUERY_MAPS, allowed, by_kind, call, check, finished, message, posts, provisioned, record, run, there, writes


@pytest.fixture()
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the teardown makes, noted instead of made."""
    noted: list[float] = []
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=noted.append)
    monkeypatch.setattr(teardown, "time", clock)
    return noted


def shrinking(sim: Any, made: Any, refusals: int) -> None:
    """With each call one connector more can go; ``refusals`` calls until all can."""
    ids = [id_ for _kind, id_ in made.resources]
    for id_ in ids[1:]:
        sim.faults.deny("delete_connector", id_)

    def before(request: Any) -> None:
        number = len(posts(sim))
        if request.method == "POST" and request.path.endswith("_deprovision") and 1 < number <= refusals + 1:
            sim.faults.denied.discard(("delete_connector", ids[number - 1]))

    sim.faults.hook(before)


def test_a_partial_failure_is_retried_with_growing_pauses_while_the_list_shrinks(sim: Any, pauses: list[float]) -> None:
    made = provisioned(sim, "w", [("connector", f"c{n}") for n in range(5)])
    shrinking(sim, made, 4)
    finished(run(sim, "w", wait_sleep=1.0), sim)
    assert len(posts(sim)) == 5
    waited = [seconds for seconds in pauses if seconds >= 0.5]
    assert waited == pytest.approx([1.0, 2.0, 4.0, 8.0], abs=0.2)


def test_between_two_calls_the_record_has_to_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server writes it a moment after its answer (behaviour.md 2.5; guide_architecture, rule 6): a second here, as on a busy cluster."""
    monkeypatch.setattr(slots, "PAUSE", 0.0)
    with running(clock=20) as sim:
        made = provisioned(sim, "w", ["connector"])
        sim.faults.deny("delete_connector", made.id("connector"))
        written: list[int] = []

        def before(request: Any) -> None:
            if request.method == "POST" and request.path.endswith("_deprovision"):
                written.append((sim.state("w") or {})["provision_end_time"])

        sim.faults.hook(before)
        run(sim, "w", wait_sleep=0.0)
        assert len(written) == 2 and written[0] == ENDED < written[1]


def test_the_pauses_between_calls_stop_growing_at_half_a_minute(sim: Any, pauses: list[float]) -> None:
    made = provisioned(sim, "w", [("connector", f"c{n}") for n in range(8)])
    shrinking(sim, made, 7)
    finished(run(sim, "w", wait_sleep=4.0, wait_timeout=600), sim)
    assert max(pauses) <= 30.0 and [seconds for seconds in pauses if seconds > 20] != []


def test_what_does_not_shrink_is_given_up_after_two_calls(sim: Any, pauses: list[float]) -> None:
    made = provisioned(sim, "w", ["connector"])
    sim.faults.deny("delete_connector", made.id("connector"))
    result = run(sim, "w")
    assert result["failed"] and by_kind(result) == {"connector": "failed"}
    assert len(posts(sim)) == 2


def test_no_call_is_sent_after_the_deadline(sim: Any) -> None:
    made = provisioned(sim, "w", [("connector", f"c{n}") for n in range(6)])
    shrinking(sim, made, 5)
    result = run(sim, "w", wait_sleep=0.6, wait_timeout=1)
    assert result["failed"] and "wait_timeout was over" in result["msg"]
    assert 1 <= len(posts(sim)) < 6
    assert there(sim, made) == {"connector"}


@pytest.mark.parametrize("option", ("wait_timeout", "task_timeout"))
def test_that_the_time_was_over_is_said_together_with_what_keeps_it(sim: Any, option: str) -> None:
    made = provisioned(sim, "w", ["connector"])
    sim.faults.deny("delete_connector", made.id("connector"))
    result = run(sim, "w", wait_sleep=3, **{option: 1})
    assert by_kind(result) == {"connector": "failed"} and result["workflows"][0]["msg"] == f"{option} was over."
    assert re.match(rf"{option} was over\. It is still there after \d deprovision calls?\. The server does not say why; ", message(result, "connector"))


@pytest.mark.simulated("the real ML Commons sees it at once, or not, as it likes")
def test_a_model_whose_undeployment_is_seen_late_goes_with_the_next_call(sim: Any) -> None:
    """Vectors D34 and D35: delete_model is refused until the undeployment is seen."""
    made = provisioned(sim, "w", ["connector", "model"])
    sim.faults.undeploy_visible_after(2)
    finished(run(sim, "w"), sim)
    assert there(sim, made) == set() and len(posts(sim)) >= 2


def test_a_connector_in_use_is_failed_before_anything_and_its_models_are_named(sim: Any) -> None:
    made = provisioned(sim, "w", ["connector", "agent"])
    sim.world.put("model", "foreign", connector_id=made.id("connector"), name="of somebody else")
    predicted = check(sim, "w", on_shared="delete")
    result = run(sim, "w", on_shared="delete")
    assert by_kind(result) == {"connector": "failed", "agent": "deleted"}
    assert by_kind(predicted) == {"connector": "failed", "agent": "would_delete"}
    for one in (predicted, result):
        assert "model/foreign (of somebody else)" in message(one, "connector")
        assert "model/foreign (of somebody else)" in one["msg"]
    assert "foreign" in sim.world.ids("model")


def test_a_connector_that_the_server_takes_for_another_with_a_word_in_common_says_so(sim: Any) -> None:
    """ML Commons looks for its models by words: seen on a real 3.6.0, where a dash in a generated id is enough for it."""
    made = provisioned(sim, "w", [("connector", "one-x9")])
    sim.world.put("model", "foreign", connector_id="two-x9")
    result = run(sim, "w")
    assert by_kind(result) == {"connector": "failed"} and there(sim, made) == {"connector"}
    assert "words of the ids" in message(result, "connector") and "DELETE /_plugins/_ml/connectors/one-x9" in message(result, "connector")
    sim.world.remove("model", "foreign")
    finished(run(sim, "w"), sim)


def test_a_model_that_only_another_workflow_deployed_is_failed_and_how_to_undeploy_it_is_said(sim: Any) -> None:
    provisioned(sim, "w", ["model"])
    state = sim.state("w")
    state["resources_created"] = [one for one in state["resources_created"] if one["workflow_step_name"] != "deploy_model"]
    sim.load(state, sim.template("w"))
    result = run(sim, "w")
    assert by_kind(result) == {"model": "failed"}
    assert "deployed" in message(result, "model") and "POST /_plugins/_ml/models/w-model/_undeploy" in message(result, "model")
    assert writes(sim) == []


def test_a_model_that_does_not_get_undeployed_is_said_to_be_deployed(sim: Any) -> None:
    """Vector D42: neither undeployed nor deleted."""
    made = provisioned(sim, "w", ["model"])
    sim.faults.deny("undeploy_model", made.id("model"))
    result = run(sim, "w")
    assert by_kind(result) == {"model": "failed"}
    assert "still deployed" in message(result, "model") and "cluster:admin/opensearch/ml/undeploy_models" in message(result, "model")


@pytest.mark.parametrize("user", ("agent", "ingest_pipeline", "search_pipeline"))
def test_a_model_that_safe_delete_protects_names_what_uses_it(sim: Any, user: str) -> None:
    made = provisioned(sim, "w", ["model"])
    id_ = made.id("model")
    bodies = {
        "agent": {"tools": [{"type": "MLModelTool", "parameters": {"model_id": id_}}]},
        "ingest_pipeline": {"processors": [{"ml_inference": {"model_id": id_, **MAPS}}]},
        "search_pipeline": {"request_processors": [{"ml_inference": {"model_id": id_, **QUERY_MAPS}}]},
    }
    sim.world.put(user, "user", body=bodies[user])
    safe = {"persistent": {"plugins.ml_commons.safe_delete_model": True}}
    assert call(sim.url, "PUT", "/_cluster/settings", safe)[0] == 200
    assert by_kind(run(sim, "w")) == {"model": "blocked"} and posts(sim) == []
    result = run(sim, "w", on_shared="delete")
    assert by_kind(result) == {"model": "failed"}
    assert f"{user}/user" in message(result, "model")


@pytest.mark.parametrize("block", ("read_only", "metadata"))
def test_a_blocked_index_is_failed_before_anything_the_rest_goes_and_the_cure_is_said(sim: Any, block: str) -> None:
    made = provisioned(sim, "w", ["connector", "index"], settings={f"index.blocks.{block}": True})
    predicted, result = (one(sim, "w", allow_delete=made.named) for one in (check, run))
    assert by_kind(predicted) == {"connector": "would_delete", "index": "failed"}
    assert by_kind(result) == {"connector": "deleted", "index": "failed"}
    assert f"PUT /{made.id('index')}/_settings" in message(result, "index")
    assert f"index.blocks.{block}" in result["msg"]
    assert not any(made.id("index") in names for names in allowed(sim))
    assert there(sim, made) == {"index"}


def test_an_alias_in_place_of_the_index_is_failed_and_what_it_stands_for_is_untouched(sim: Any) -> None:
    sim.world.put("index", "real", documents=9)
    sim.world.put("alias", "w-index", index="real")
    record(sim, "w", [("connector", "c"), ("index", "w-index")])
    sim.world.put("connector", "c")
    result = run(sim, "w", allow_delete=["w-index"])
    assert by_kind(result) == {"connector": "deleted", "index": "failed"}
    assert "an alias of that name, of real" in message(result, "index")
    assert sim.world.get("index", "real")["documents"] == 9
    assert not any("w-index" in names for names in allowed(sim))


@pytest.mark.simulated("tests/opensearch/test_snapshot.py takes a real one")
def test_an_index_in_a_running_snapshot_is_failed_and_goes_with_a_later_run(sim: Any) -> None:
    made = provisioned(sim, "w", ["connector", "index"], snapshot=True)
    result = run(sim, "w", allow_delete=made.named)
    assert by_kind(result) == {"connector": "deleted", "index": "failed"}
    assert "running snapshot simulated of repository simulated" in message(result, "index") and not any(allowed(sim))
    assert result["failed"] and there(sim, made) == {"index"}
    sim.world.put("index", made.id("index"), creation_date=1700000050000)
    finished(run(sim, "w", allow_delete=made.named, on_shared="delete"), sim)


RIGHTS = {
    "connector": ("delete_connector", "cluster:admin/opensearch/ml/connectors/delete"),
    "agent": ("delete_agent", "cluster:admin/opensearch/ml/agents/delete"),
    "index": ("delete_index", "indices:admin/delete"),
    "ingest_pipeline": ("delete_ingest_pipeline", "cluster:admin/ingest/pipeline/delete"),
    "search_pipeline": ("delete_search_pipeline", "cluster:admin/search/pipeline/delete"),
}


@pytest.mark.parametrize("kind", RIGHTS)
def test_where_looking_shows_no_cause_the_permission_that_may_be_missing_is_named(sim: Any, kind: str) -> None:
    """The server never says why (behaviour.md, fact 2): so it is said what most often is the reason, and for which right."""
    made = provisioned(sim, "w", [kind])
    step, right = RIGHTS[kind]
    sim.faults.deny(step, made.id(kind))
    result = run(sim, "w", allow_delete=made.named)
    assert by_kind(result) == {kind: "failed"}
    assert "does not say why" in message(result, kind) and right in message(result, kind)
    assert there(sim, made) == {kind}


def test_one_workflow_that_fails_does_not_stop_the_others(sim: Any) -> None:
    first, second = provisioned(sim, "a", ["connector"]), provisioned(sim, "b", ["index"])
    sim.faults.deny("delete_connector", first.id("connector"))
    result = run(sim, ["a", "b"], allow_delete=second.named)
    assert [one["failed"] for one in result["workflows"]] == [True, False]
    assert there(sim, first) == {"connector"} and there(sim, second) == set()


def test_a_connector_that_a_later_workflow_of_the_task_releases_goes_in_the_second_round(sim: Any) -> None:
    """The models of b use the connector of a: a is tried again when b is gone, and check mode knows."""
    first = provisioned(sim, "a", ["connector"])
    sim.world.put("model", "m", connector_id=first.id("connector"))
    record(sim, "b", [("model", "m")])
    predicted, result = (one(sim, ["a", "b"]) for one in (check, run))
    assert by_kind(predicted) == {"connector": "would_delete", "model": "would_delete"}
    assert by_kind(result) == {"connector": "deleted", "model": "deleted"} and not result["failed"]
