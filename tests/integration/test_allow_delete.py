# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Without a sufficient allow_delete nothing at all is deleted; with one, exactly what it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .helpers import (
    DEPROVISION,
    Environment,
    Playbooks,
    Played,
    by_kind,
    deprovision,
    environment,
    everything,
    existing,
    info,
    resource,
    statuses,
    writes,
)

ALL = {"connector", "model_group", "model", "agent", "index", "ingest_pipeline", "search_pipeline"}


@pytest.fixture(scope="module")
def refused(cluster: Callable[..., Any], playbooks: Playbooks) -> tuple[Played, Any, dict[str, Any]]:
    """Refusals of every kind over two environments; simulator and world before with them."""
    sim = cluster()
    first, _other = environment(sim, "one"), environment(sim, "two")
    before = everything(sim, "one", "two")
    rescued = {
        "name": "a block",
        "block": [{"name": "in the block", DEPROVISION: {"url": sim.url, "workflow_id": "one"}}],
        "rescue": [{"name": "in rescue", "ansible.builtin.debug": {"var": "ansible_failed_result"}}],
    }
    played = playbooks.run(
        [
            deprovision("nothing named", sim.url, "one"),
            deprovision("one of three named", sim.url, "one", allow_delete=first.ids["index"]),
            deprovision("all of one, nothing of two", sim.url, ["one", "two"], allow_delete=first.named),
            deprovision("no wildcard", sim.url, "one", allow_delete=["*", "one-*"]),
            deprovision("case matters", sim.url, "one", allow_delete=[name.upper() for name in first.named]),
            deprovision("another kind", sim.url, "one", allow_delete=[f"index/{name}" for name in first.named]),
            rescued,
            info("information", sim.url, "two"),
        ]
    )
    return played, sim, before


REFUSALS = {
    "nothing named": ["one-docs", "one-embed", "one-hybrid"],
    "one of three named": ["one-embed", "one-hybrid"],
    "all of one, nothing of two": ["two-docs", "two-embed", "two-hybrid"],
    "no wildcard": ["one-docs", "one-embed", "one-hybrid"],
    "case matters": ["one-docs", "one-embed", "one-hybrid"],
    "another kind": ["one-embed", "one-hybrid"],
}


@pytest.mark.parametrize("name", REFUSALS)
def test_without_a_sufficient_allow_delete_the_task_fails_and_names_what_is_missing(name: str, refused: tuple[Played, Any, dict[str, Any]]) -> None:
    result = refused[0][name]
    assert result["failed"] and not result["changed"]
    assert result["blocked"] == REFUSALS[name]
    assert result["msg"].startswith("Refused, nothing was deleted.")
    assert all(missing in result["msg"] for missing in REFUSALS[name])
    assert "allow_delete" in result["msg"]
    assert result["summary"]["blocked"] == len(REFUSALS[name])
    assert result["summary"]["deleted"] == result["summary"]["would_delete"] == 0
    assert {one["id"] for one in result["remaining"]} == {one["id"] for one in result["resources"]}


def test_without_a_sufficient_allow_delete_no_deprovision_is_sent_and_everything_is_still_there(
    refused: tuple[Played, Any, dict[str, Any]],
) -> None:
    _played, sim, before = refused
    assert writes(sim) == []
    assert everything(sim, "one", "two") == before


def test_rescue_reads_the_resources_from_ansible_failed_result(refused: tuple[Played, Any, dict[str, Any]]) -> None:
    result = refused[0]["in rescue"]["ansible_failed_result"]
    assert by_kind(result) == {
        "connector": "untouched", "model": "untouched", "agent": "untouched", "model_group": "retained",
        "index": "blocked", "ingest_pipeline": "blocked", "search_pipeline": "blocked",
    }  # fmt: skip
    assert result["blocked"] == ["one-docs", "one-embed", "one-hybrid"]
    assert resource(result, "index")["documents"] == 12
    assert "add one-docs to allow_delete" in resource(result, "index")["msg"]
    same_keys = {key for key in refused[0]["nothing named"] if not key.startswith("_") and key != "invocation"}
    assert same_keys - {"exception"} <= set(result)


def test_information_names_what_a_teardown_would_need(refused: tuple[Played, Any, dict[str, Any]]) -> None:
    result, sim = refused[0]["information"], refused[1]
    assert not result["failed"] and not result["changed"]
    assert result["blocked"] == ["two-docs", "two-embed", "two-hybrid"]
    assert set(by_kind(result).values()) == {"present"}
    assert result["summary"] == {"present": 7, "absent": 0, "unknown": 0}
    found, index = resource(result, "index"), sim.world.get("index", "two-docs")
    assert found["documents"] == 12 and found["size_in_bytes"] == index["size_in_bytes"] > 0


@pytest.fixture(scope="module")
def allowed(cluster: Callable[..., Any], playbooks: Playbooks) -> tuple[Played, Any, dict[str, Environment]]:
    """Everything that is enough, each in a workflow of its own."""
    sim = cluster()
    names = ("whole", "keep", "keepsome", "kinds", "text", "bare", "half", "both")
    made = {name: environment(sim, name) for name in names if name not in ("bare", "half", "both")}
    for name in ("bare", "half", "both"):
        same = f"{name}-same"
        made[name] = environment(sim, name, ("connector",), ids={"index": same, "ingest_pipeline": same})
    kinds = [f"{kind}/{made['kinds'].ids[kind]}" for kind in ("index", "ingest_pipeline", "search_pipeline")]
    played = playbooks.run(
        [
            deprovision("whole", sim.url, "whole", allow_delete=[*made["whole"].named, "of-no-workflow"]),
            deprovision("keep", sim.url, "keep", on_blocked="keep"),
            deprovision("keepsome", sim.url, "keepsome", on_blocked="keep", allow_delete=["keepsome-docs"]),
            deprovision("kinds", sim.url, "kinds", allow_delete=kinds),
            deprovision("text", sim.url, "text", allow_delete=", ".join(made["text"].named)),
            deprovision("bare", sim.url, "bare", allow_delete="bare-same"),
            deprovision("half", sim.url, "half", allow_delete="index/half-same"),
            deprovision("both", sim.url, "both", allow_delete="index/both-same,ingest_pipeline/both-same"),
        ]
    )
    return played, sim, made


def test_what_allow_delete_names_is_deleted_and_every_resource_is_reported(
    allowed: tuple[Played, Any, dict[str, Environment]],
) -> None:
    played, sim, made = allowed
    result = played["whole"]
    assert not result["failed"] and result["changed"]
    assert by_kind(result) == {kind: "retained" if kind == "model_group" else "deleted" for kind in ALL}
    assert existing(sim, made["whole"]) == {"model_group"}
    assert sim.state("whole")["state"] == "NOT_STARTED"
    (workflow,) = result["workflows"]
    assert (workflow["state_before"], workflow["state_after"], workflow["attempts"]) == ("COMPLETED", "NOT_STARTED", 1)
    assert result["server"]["flow_framework"].startswith("3.6.0")
    assert result["msg"] == "1 workflow: 6 resources deleted, 1 model group left on the cluster"
    assert resource(result, "model")["steps"] == ["register_remote_model", "deploy_model"]


def test_on_blocked_keep_deletes_the_rest_and_keeps_those(allowed: tuple[Played, Any, dict[str, Environment]]) -> None:
    played, sim, made = allowed
    kept = {"index", "ingest_pipeline", "search_pipeline"}
    assert not played["keep"]["failed"] and played["keep"]["changed"]
    assert {kind for kind, status in by_kind(played["keep"]).items() if status == "kept"} == kept
    assert existing(sim, made["keep"]) == kept | {"model_group"}
    assert played["keep"]["blocked"] == ["keep-docs", "keep-embed", "keep-hybrid"]
    assert not played["keepsome"]["failed"]
    assert existing(sim, made["keepsome"]) == {"ingest_pipeline", "search_pipeline", "model_group"}


def test_allow_delete_takes_an_id_with_its_kind_and_ids_joined_by_commas(
    allowed: tuple[Played, Any, dict[str, Environment]],
) -> None:
    played, sim, made = allowed
    for name in ("kinds", "text"):
        assert not played[name]["failed"]
        assert existing(sim, made[name]) == {"model_group"}


def test_a_bare_id_that_fits_resources_of_two_kinds_releases_none(
    allowed: tuple[Played, Any, dict[str, Environment]],
) -> None:
    played, sim, made = allowed
    for name in ("bare", "half"):
        assert played[name]["failed"] and not played[name]["changed"]
        assert existing(sim, made[name]) == {"connector", "index", "ingest_pipeline"}
        assert f"ingest_pipeline/{name}-same" in played[name]["blocked"]
    assert statuses(played["bare"])["index/bare-same"] == "blocked"
    assert not played["both"]["failed"]
    assert existing(sim, made["both"]) == set()
