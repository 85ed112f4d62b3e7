# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded and gone already: behaviour.md, fact 3, recordings gone_before, ml_gone_before and placeholder_heals."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import api
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.connection import Node

from .helpers import allowed, by_kind, call, check, finished, posts, provisioned, run, there, warned, writes

STALE = ("index", "ingest_pipeline", "search_pipeline", "model")
REPLACEABLE = STALE[:3]


class Killed(BaseException):
    """The process ends here, and nothing after this is done."""


@pytest.mark.parametrize("kind", STALE)
def test_a_stale_record_counts_as_gone_is_warned_of_and_nothing_is_sent_for_it(sim: Any, kind: str) -> None:
    provisioned(sim, "w", [kind], gone=[kind])
    result = run(sim, "w", allow_delete=["w-index", "w-ingest-pipeline", "w-search-pipeline"])
    assert (result["failed"], result["changed"]) == (False, False)
    assert by_kind(result) == {kind: "absent"}
    assert "still records what is gone" in warned(result) and "stale_records" in warned(result)
    assert writes(sim) == []
    assert sim.state("w")["state"] == "COMPLETED"


@pytest.mark.parametrize("kind", STALE)
def test_beside_a_stale_record_the_rest_goes_and_the_ghost_is_never_in_allow_delete(sim: Any, kind: str) -> None:
    made = provisioned(sim, "w", ["connector", "agent", *REPLACEABLE, *([kind] if kind == "model" else [])], gone=[kind])
    result = run(sim, "w", allow_delete=made.named)
    assert not result["failed"] and result["changed"]
    assert set(by_kind(result).values()) == {"deleted", "absent"}
    assert there(sim, made) == set()
    assert len(posts(sim)) >= 1
    assert not any(made.id(kind) in names for names in allowed(sim))
    again = run(sim, "w", allow_delete=made.named)
    assert not again["changed"] and not again["failed"]


@pytest.mark.parametrize("kind", REPLACEABLE)
def test_recreate_puts_a_placeholder_lets_the_server_finish_and_keeps_the_template(sim: Any, kind: str) -> None:
    made = provisioned(sim, "w", ["connector", kind], gone=[kind])
    predicted = check(sim, "w", allow_delete=made.named, stale_records="recreate")
    assert writes(sim) == []
    result = run(sim, "w", allow_delete=made.named, stale_records="recreate")
    finished(result, sim)
    assert by_kind(result) == {"connector": "deleted", kind: "absent"}
    assert (predicted["changed"], predicted["failed"]) == (result["changed"], result["failed"]) == (True, False)
    assert there(sim, made) == set() and sim.template("w") is not None
    sent = writes(sim)
    assert [one.split()[0] for one in sent] == ["POST", "PUT", "POST"], "the rest first, then placeholders, then one call"


def test_recreate_is_for_several_at_once_and_one_call(sim: Any) -> None:
    made = provisioned(sim, "w", REPLACEABLE, gone=REPLACEABLE)
    finished(run(sim, "w", allow_delete=made.named, stale_records="recreate"), sim)
    assert [one.split()[0] for one in writes(sim)] == ["PUT", "PUT", "PUT", "POST"]
    assert there(sim, made) == set()


def test_recreate_cannot_help_with_a_model_which_stays_reported(sim: Any) -> None:
    made = provisioned(sim, "w", ["model", "index"], gone=["model", "index"])
    result = run(sim, "w", allow_delete=made.named, stale_records="recreate")
    assert by_kind(result) == {"model": "absent", "index": "absent"}
    assert (result["failed"], result["changed"]) == (False, False)
    assert "works for indices and pipelines only" in warned(result)
    assert writes(sim) == []


def test_recreate_puts_nothing_that_allow_delete_does_not_name(sim: Any) -> None:
    provisioned(sim, "w", ["index"], gone=["index"])
    result = run(sim, "w", stale_records="recreate")
    assert by_kind(result) == {"index": "absent"} and not result["changed"]
    assert writes(sim) == []


def test_recreate_puts_nothing_while_something_else_stays_recorded(sim: Any) -> None:
    made = provisioned(sim, "w", ["index", "ingest_pipeline"], gone=["index"])
    result = run(sim, "w", allow_delete=[made.id("index")], on_blocked="keep", stale_records="recreate")
    assert by_kind(result) == {"index": "absent", "ingest_pipeline": "kept"}
    assert writes(sim) == []


def test_recreate_is_refused_where_something_of_that_name_appears_meanwhile(sim: Any) -> None:
    """Somebody makes the index between the last look and the placeholder: it stays, with its documents."""
    made = provisioned(sim, "w", ["index"], gone=["index"])

    def before(request: Any) -> None:
        if request.method == "PUT" and sim.world.get("index", made.id("index")) is None:
            sim.world.put("index", made.id("index"), documents=7)

    sim.faults.hook(before)
    result = run(sim, "w", allow_delete=made.named, stale_records="recreate")
    assert result["failed"] and "placeholder" in result["msg"]
    assert sim.world.get("index", made.id("index"))["documents"] == 7
    assert posts(sim) == []


@pytest.mark.parametrize("kind", ("ingest_pipeline", "search_pipeline"))
def test_recreate_overwrites_no_pipeline_that_appears_meanwhile(sim: Any, kind: str) -> None:
    """A PUT of a pipeline would overwrite it: the look directly before has to see it."""
    made = provisioned(sim, "w", [kind], gone=[kind])
    body = {"description": "of somebody else", "processors" if kind == "ingest_pipeline" else "request_processors": []}
    looks: list[str] = []

    def before(request: Any) -> None:
        if request.path.endswith(made.id(kind)):
            looks.append(request.path)
        if len(looks) == 2:
            sim.world.put(kind, made.id(kind), body=body)

    sim.faults.hook(before)
    result = run(sim, "w", allow_delete=made.named, stale_records="recreate")
    assert result["failed"] and "is there now" in result["msg"]
    assert sim.world.get(kind, made.id(kind))["body"] == body
    assert writes(sim) == []


@pytest.mark.parametrize("kind", REPLACEABLE)
def test_a_placeholder_that_the_server_does_not_take_away_is_a_change_and_is_said(sim: Any, kind: str) -> None:
    """Found by the campaign: nothing of the workflow is deleted or reset, and yet the cluster is not as it was."""
    made = provisioned(sim, "w", [kind], gone=[kind])
    sim.faults.deny(f"delete_{kind}", made.id(kind))
    result = run(sim, "w", allow_delete=made.named, stale_records="recreate")
    assert by_kind(result) == {kind: "absent"} and there(sim, made) == {kind}
    assert result["changed"] and f"{kind}/{made.id(kind)}" in warned(result) and "empty placeholder" in warned(result)
    sim.faults.clear()
    again = run(sim, "w", allow_delete=made.named)
    finished(again, sim)
    assert there(sim, made) == set() and "empty placeholder" not in warned(again)


def test_nobody_can_write_to_a_placeholder_index(sim: Any) -> None:
    """While it is there it is closed to writing, so that nothing of anybody can be lost with it."""
    made = provisioned(sim, "w", ["index"], gone=["index"])
    answers: list[Any] = []

    def before(request: Any) -> None:
        if request.method == "POST" and request.path.endswith("_deprovision"):
            answers.append(sim.world.get("index", made.id("index"))["settings"])

    sim.faults.hook(before)
    finished(run(sim, "w", allow_delete=made.named, stale_records="recreate"), sim)
    assert answers[0]["index.blocks.write"] == "true"


def kill_after(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """The process dies when the answer to the first request of that method is there."""
    send = Node.send

    def dying(self: Any, sent: str, *arguments: Any, **named: Any) -> Any:
        reply = send(self, sent, *arguments, **named)
        if sent == method:
            raise Killed
        return reply

    monkeypatch.setattr(Node, "send", dying)


@pytest.mark.parametrize("kind", REPLACEABLE)
@pytest.mark.parametrize(
    "options",
    [{}, {"on_blocked": "keep", "on_shared": "keep"}, {"stale_records": "forget"}, {"stale_records": "recreate"}, {"delete_workflow": True}],
    ids=str,
)
def test_a_placeholder_that_a_killed_run_left_is_cleared_by_a_later_run_with_any_options(
    sim: Any, kind: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = provisioned(sim, "w", [kind], gone=[kind])
    with monkeypatch.context() as patch:
        kill_after(patch, "PUT")
        with pytest.raises(Killed):
            run(sim, "w", allow_delete=made.named, stale_records="recreate")
    assert there(sim, made) == {kind} and posts(sim) == []
    predicted = check(sim, "w", **options)
    result = run(sim, "w", **options)
    finished(result, sim)
    assert by_kind(result) == by_kind(predicted) == {kind: "absent"}
    assert there(sim, made) == set()
    assert (sim.template("w") is None) == ("delete_workflow" in options)


def test_a_placeholder_that_somebody_filled_is_none_any_more(sim: Any) -> None:
    """Our mark alone does not make it ours to delete: it has to be empty."""
    made = provisioned(sim, "w", ["index"], gone=["index"])
    settings = {"mappings": {"_meta": {"description": "opensearch_ops.flow_framework: an empty placeholder, so that Flow Framework can clear its record"}}}
    assert call(sim.url, "PUT", f"/{made.id('index')}", settings)[0] == 200
    assert call(sim.url, "POST", f"/{made.id('index')}/_doc?refresh=true", {"a": 1})[0] == 201
    sim.clear_log()
    result = run(sim, "w")
    assert by_kind(result) == {"index": "blocked"}
    assert there(sim, made) == {"index"} and writes(sim) == []


def test_a_placeholder_never_takes_a_namesake_along_that_stays(sim: Any) -> None:
    """allow_delete matches by id alone (vector D43): clearing the placeholder would delete the pipeline of that name."""
    made = provisioned(sim, "w", [("index", "same"), ("ingest_pipeline", "same")], gone=["index"])
    sim.world.put(
        "index",
        "same",
        creation_date=1700000050000,
        mappings={"_meta": {"description": "opensearch_ops.flow_framework: an empty placeholder, so that Flow Framework can clear its record"}},
    )
    result = run(sim, "w", on_blocked="keep")
    assert by_kind(result) == {"index": "absent", "ingest_pipeline": "kept"}
    assert "ingest_pipeline" in there(sim, made)
    assert not any("same" in names for names in allowed(sim))


@pytest.mark.parametrize("kind", STALE)
def test_forget_drops_record_and_template_once_all_else_is_gone(sim: Any, kind: str) -> None:
    made = provisioned(sim, "w", ["connector", "agent", kind], gone=[kind])
    result = run(sim, "w", allow_delete=made.named, stale_records="forget")
    finished(result, sim)
    assert by_kind(result) == {"connector": "deleted", "agent": "deleted", kind: "absent"}
    assert sim.state("w") is None and sim.template("w") is None
    sent = writes(sim)
    assert sent[-1].startswith("DELETE") and all(one.startswith("POST") for one in sent[:-1])
    assert sim.requests("DELETE")[-1].query == "clear_status=true"


def test_forget_forgets_nothing_while_something_recorded_is_there(sim: Any) -> None:
    made = provisioned(sim, "w", ["index", "ingest_pipeline"], gone=["index"])
    result = run(sim, "w", on_blocked="keep", stale_records="forget")
    assert by_kind(result) == {"index": "absent", "ingest_pipeline": "kept"}
    assert sim.state("w") is not None and sim.template("w") is not None
    assert sim.requests("DELETE") == [] and there(sim, made) == {"ingest_pipeline"}


@pytest.mark.simulated("the real step limit is ten seconds")
def test_an_index_deletion_that_outlasts_the_step_limit_is_deleted_and_its_record_stale(sim: Any) -> None:
    """Vector D45: the first answer is 202 though the index goes, and every later one would be."""
    made = provisioned(sim, "w", ["connector", "index"])
    sim.faults.outlast("delete_index", made.id("index"))
    result = run(sim, "w", allow_delete=made.named)
    assert by_kind(result) == {"connector": "deleted", "index": "deleted"}
    assert not result["failed"] and result["changed"]
    assert len(posts(sim)) == 1, "what is gone is never asked for again"
    sim.clear_log()
    again = run(sim, "w", allow_delete=made.named, stale_records="recreate", wait_timeout=8)
    assert again["failed"] and "takes longer than the server waits" in again["msg"]
    assert [one.split()[0] for one in writes(sim)] == ["PUT", "POST"], "one placeholder a run, not one after the other"
    sim.faults.clear()
    finished(run(sim, "w", allow_delete=made.named, stale_records="recreate"), sim)


def test_an_index_deletion_that_outlasts_the_step_limit_is_recovered_by_recreate_in_the_same_run(sim: Any) -> None:
    """... unless the deletion goes on being slow: then the placeholder is marked, and a later run clears it."""
    made = provisioned(sim, "w", ["index"])
    sim.faults.outlast("delete_index", made.id("index"))

    def after_the_first(request: Any) -> None:
        if request.method == "PUT":
            sim.faults.slow.clear()

    sim.faults.hook(after_the_first)
    result = run(sim, "w", allow_delete=made.named, stale_records="recreate")
    finished(result, sim)
    assert [one.split()[0] for one in writes(sim)] == ["POST", "PUT", "POST"]


def test_an_unanswered_look_is_never_taken_for_a_stale_record(sim: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "READ_TRIES", 1)
    made = provisioned(sim, "w", ["index"])
    sim.faults.answer("GET", rf"/{made.id('index')}\?", 404, {"error": "not found"}, times=None)
    result = run(sim, "w", allow_delete=made.named, stale_records="forget")
    assert result["failed"] and by_kind(result) == {"index": "unknown"}
    assert writes(sim) == [] and there(sim, made) == {"index"}


@pytest.mark.simulated("access control of connectors needs the security plugin")
def test_where_the_server_does_not_get_over_it_though_others_do_it_is_said(sim: Any) -> None:
    """Vector D32: a gone connector, with access control of connectors on, for a caller who is no administrator."""
    provisioned(sim, "w", ["connector"], gone=["connector"])
    sim.faults.connector_access_control, sim.faults.caller_is_admin = True, False
    result = run(sim, "w")
    assert by_kind(result) == {"connector": "absent"} and not result["failed"]
    assert "still records what is gone (w_connector)" in warned(result)
