# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each answer is, over everything that real servers were recorded to answer, and what each call sends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import answers, api
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.answers import (
    BLOCK,
    CERTIFICATE,
    DISABLED,
    FAILED,
    FORBIDDEN,
    INCOMPLETE,
    LOST,
    MISSING,
    NEEDS_ALLOW_DELETE,
    NO_PLUGIN,
    NOT_OPENSEARCH,
    OK,
    REFUSED,
    THROTTLED,
    UNAUTHENTICATED,
    UNAVAILABLE,
    UNREACHABLE,
    UNREADABLE,
    Answer,
    classify,
)
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.api import Api, deprovision_target
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.connection import Connection, Node, Reply
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.resources import KINDS

URL = "https://search.example.com:9200"
RECORDINGS = Path(__file__).parents[3] / "contract" / "recordings"

# -- the recordings ----------------------------------------------------------------------------------------


class Recorded(NamedTuple):
    """One answer of a real server."""

    version: str
    scenario: str
    position: int
    user: str
    place: str
    method: str
    status: int
    content_type: str
    body: Any

    @property
    def reply(self) -> Reply:
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return Reply(self.status, self.content_type, text)


def place_of(path: str) -> str:
    """What a request was about, without ids and prefixes, which differ from run to run."""
    path = path.partition("?")[0]
    for form, place in PLACES:
        if re.fullmatch(form, path):
            return place
    return path


WORKFLOW = "/_plugins/_flow_framework/workflow"
PLACES = (
    (WORKFLOW, "create"),
    (WORKFLOW + r"/state/_search", "states"),
    (WORKFLOW + r"/_search", "templates"),
    (WORKFLOW + r"/[^/]*/_deprovision", "deprovision"),
    (WORKFLOW + r"/[^/]*/_status", "status"),
    (WORKFLOW + r"/[^/]*/_provision", "provision"),
    (WORKFLOW + r"/[^/]+", "template"),
    (r"/_plugins/_ml/agents/_search", "agents"),
    (r"/_plugins/_ml/models/[^_/][^/]*|/_plugins/_ml/models/-[^/]*", "model"),
    (r"/_plugins/_ml/connectors/[^/]+", "connector"),
    (r"/_plugins/_ml/model_groups/[^/]+", "model group"),
    (r"/_plugins/_ml/agents/[^/]+", "agent"),
    (r"/_ingest/pipeline/[^/]+", "ingest pipeline"),
    (r"/_search/pipeline/[^/]+", "search pipeline"),
    (r"/_cat/thread_pool/[^/]+", "pool"),
    (r"/[a-z][^/]*", "index"),
)


def recorded() -> Iterator[Recorded]:
    for file in sorted(RECORDINGS.glob("*.json")):
        recording = json.loads(file.read_text(encoding="utf-8"))
        for scenario in recording["scenarios"]:
            for position, exchange in enumerate(scenario["exchanges"]):
                request, response = exchange["request"], exchange["response"]
                yield Recorded(
                    recording["server"],
                    scenario["name"],
                    position,
                    request.get("as", ""),
                    place_of(request["path"]),
                    request["method"],
                    response["status"],
                    response["content_type"],
                    response["body"],
                )


ANSWERS = list(recorded())

# What every answer from 300 on is, by what is known of its scenario: who asks, for what, and what is there.
EXPECTED: dict[tuple[str, str, str, int], str] = {
    # Something in the workflow needs to be named, and is not.
    ("everything_then_allow_delete", "", "POST deprovision", 403): NEEDS_ALLOW_DELETE,
    ("allow_delete_some", "", "POST deprovision", 403): NEEDS_ALLOW_DELETE,
    ("allow_delete_unknown", "", "POST deprovision", 403): NEEDS_ALLOW_DELETE,
    ("gone_before", "", "POST deprovision", 403): NEEDS_ALLOW_DELETE,
    ("failed_provision", "", "POST deprovision", 403): NEEDS_ALLOW_DELETE,
    ("long_url", "", "POST deprovision", 403): NEEDS_ALLOW_DELETE,
    ("index_with_data", "", "POST deprovision", 403): NEEDS_ALLOW_DELETE,
    ("wrong_body", "", "POST deprovision", 403): NEEDS_ALLOW_DELETE,
    ("security_roles", "flowml", "POST deprovision", 403): NEEDS_ALLOW_DELETE,
    # Flow Framework is switched off.
    ("disabled", "", "GET status", 403): DISABLED,
    ("disabled", "", "POST deprovision", 403): DISABLED,
    # No credentials, and wrong ones.
    ("security_roles", "anonymous", "GET status", 401): UNAUTHENTICATED,
    ("security_roles", "admin", "GET status", 401): UNAUTHENTICATED,
    # Users who may not do this.
    ("security_roles", "nobody", "GET /", 403): FORBIDDEN,
    ("security_roles", "nobody", "GET status", 403): FORBIDDEN,
    ("security_roles", "nobody", "POST deprovision", 403): FORBIDDEN,
    ("security_roles", "nobody", "POST states", 403): FORBIDDEN,
    ("security_roles", "nobody", "GET index", 403): FORBIDDEN,
    ("security_roles", "nobody", "GET pool", 403): FORBIDDEN,
    ("security_roles", "reader", "GET /", 403): FORBIDDEN,
    ("security_roles", "reader", "POST deprovision", 403): FORBIDDEN,
    ("security_roles", "reader", "GET index", 403): FORBIDDEN,
    ("security_roles", "reader", "GET pool", 403): FORBIDDEN,
    ("security_roles", "flowadmin", "GET index", 403): FORBIDDEN,
    ("security_roles", "flowml", "GET index", 403): FORBIDDEN,
    ("backend_roles", "flowml", "GET status", 400): FORBIDDEN,
    ("backend_roles", "flowml", "POST deprovision", 400): FORBIDDEN,
    ("backend_roles", "flowml", "DELETE template", 400): FORBIDDEN,
    # What was deleted, or never there.
    ("everything_then_allow_delete", "", "GET status", 404): MISSING,
    ("everything_then_allow_delete", "", "POST deprovision", 404): MISSING,
    ("never_provisioned", "", "GET status", 404): MISSING,
    ("template_deleted_first", "", "GET template", 404): MISSING,
    ("template_deleted_first", "", "GET status", 404): MISSING,
    ("delete_clear_status", "", "GET status", 404): MISSING,
    ("delete_clear_status", "", "POST deprovision", 404): MISSING,
    ("unknown_workflow", "", "POST deprovision", 404): MISSING,
    ("unknown_workflow", "", "GET status", 404): MISSING,
    ("unknown_workflow", "", "GET template", 404): MISSING,
    ("ml_checks", "", "GET agent", 404): MISSING,
    ("ml_checks", "", "GET model", 404): MISSING,
    ("ml_checks", "", "GET connector", 404): MISSING,
    ("ml_checks", "", "GET index", 404): MISSING,
    ("ml_checks", "", "GET ingest pipeline", 404): MISSING,
    ("ml_checks", "", "GET search pipeline", 404): MISSING,
    ("reprovision_after", "", "GET status", 404): MISSING,
    ("overwrites", "", "GET ingest pipeline", 404): MISSING,
    ("looking_for_users_of_a_connector", "", "GET model group", 404): MISSING,
    ("comma_lookup", "", "GET ingest pipeline", 404): MISSING,
    ("index_and_pipelines", "", "GET status", 404): MISSING,
    # Flow Framework was never used: the words of the status are those of a failure.
    ("empty_cluster", "", "GET status", 404): UNREADABLE,
    ("empty_cluster", "", "POST deprovision", 404): MISSING,
    ("empty_cluster", "", "GET template", 404): MISSING,
    ("empty_cluster", "", "DELETE template", 404): MISSING,
    ("empty_cluster", "", "POST templates", 404): MISSING,
    ("empty_cluster", "", "POST states", 404): MISSING,
    ("empty_cluster", "", "GET model", 404): MISSING,
    ("empty_cluster", "", "GET agent", 404): MISSING,
    ("empty_cluster", "", "GET connector", 404): MISSING,
    ("empty_cluster", "", "POST agents", 404): MISSING,
    ("empty_cluster", "", "GET /_ingest/pipeline", 404): MISSING,
    ("empty_cluster", "", "GET /_search/pipeline", 404): MISSING,
    # Requests that are wrong, or come at the wrong time.
    ("unknown_workflow", "", "POST deprovision", 400): REFUSED,
    ("unknown_workflow", "", "GET deprovision", 405): REFUSED,
    ("long_url", "", "POST deprovision", 400): REFUSED,
    ("hyphen", "", "POST deprovision", 400): REFUSED,
    ("allow_delete_refused", "", "POST deprovision", 400): REFUSED,
    ("reprovision_after", "", "POST provision", 400): REFUSED,
    ("looking_for_users_of_a_connector", "", "DELETE model group", 409): REFUSED,
    # Below 2.16 an unknown workflow is a failure of the server.
    ("index_and_pipelines", "", "POST deprovision", 500): FAILED,
    ("delete_clear_status", "", "POST deprovision", 500): FAILED,
    ("unknown_workflow", "", "POST deprovision", 500): FAILED,
}


def key_of(answer: Recorded) -> tuple[str, str, str, int]:
    return answer.scenario, answer.user, f"{answer.method} {answer.place}", answer.status


def expected(answer: Recorded) -> str:
    """A deprovision that answers 202 has left something; provisioning answers 202 when it has begun (since 3.0)."""
    if answer.status == 202:
        return INCOMPLETE if answer.place == "deprovision" else OK
    return OK if answer.status < 300 else EXPECTED[key_of(answer)]


@pytest.mark.parametrize(
    "answer",
    ANSWERS,
    ids=lambda a: f"{a.version}-{a.scenario}-{a.position}-{a.method} {a.place.replace('/', '|')}-{a.status}",
)
def test_every_recorded_answer_is_what_its_scenario_makes_it(answer: Recorded) -> None:
    made = classify(answer.reply, URL)
    assert made.outcome == expected(answer)
    assert made.status == answer.status
    if made.ok:
        assert made.sentence == "" and made.body == answer.body
    else:
        assert made.sentence
        assert made.body == (None if answer.status == 401 else answer.body)


def test_every_expectation_meets_a_recorded_answer() -> None:
    assert len(ANSWERS) > 600
    assert set(EXPECTED) == {key_of(answer) for answer in ANSWERS if answer.status >= 300}


def one(scenario: str, place: str, status: int, version: str = "3.6.0") -> Recorded:
    """The first recorded answer of that description."""
    return next(a for a in ANSWERS if (a.version, a.scenario, a.place, a.status) == (version, scenario, place, status))


@pytest.mark.parametrize("version", ["2.15.0", "2.19.1", "3.6.0"])
def test_a_state_document_that_tells_of_a_failure_is_an_answer_all_the_same(version: Any) -> None:
    failed = one("failed_provision", "status", 200, version)
    assert "error" in failed.body
    assert classify(failed.reply, URL).ok


def test_what_the_server_says_is_left_is_the_sentence() -> None:
    assert classify(one("gone_before", "deprovision", 202).reply, URL).sentence.startswith("Failed to deprovision some resources: [pipeline_id ")
    assert classify(one("gone_before", "deprovision", 403).reply, URL).sentence.startswith("These resources require the allow_delete parameter")


def test_a_block_on_an_index_is_not_laid_to_the_credentials() -> None:
    """As real servers answer a look at it (tests/opensearch/test_native.py)."""
    reason = "index [docs] blocked by: [FORBIDDEN/9/index metadata (api)];"
    body = json.dumps({"error": {"type": "cluster_block_exception", "reason": reason}, "status": 403})
    answer = classify(Reply(403, "application/json", body), URL)
    assert answer.outcome == BLOCK and reason in answer.sentence
    assert "credentials" not in answer.sentence and "whoever asks" in answer.sentence


# -- what was not recorded ---------------------------------------------------------------------------------

HTML = "<!DOCTYPE html>\n<HTML><body>Please log in</body></HTML>"


@pytest.mark.parametrize(
    ("status", "text", "content_type", "outcome", "said"),
    [
        (200, HTML, "text/html", NOT_OPENSEARCH, "an HTML page"),
        (200, "", "text/html", NOT_OPENSEARCH, "an empty answer"),
        (200, "", "", NOT_OPENSEARCH, "an empty answer"),
        (200, " \n", "application/json", NOT_OPENSEARCH, "an empty answer"),
        (200, "Please log in", "text/html; charset=utf-8", NOT_OPENSEARCH, "an HTML page"),
        (200, '{"workflow_id": "w1", "sta', "application/json", NOT_OPENSEARCH, "broken off or no JSON"),
        (202, HTML, "text/html", NOT_OPENSEARCH, "an HTML page"),
        (204, "", "", NOT_OPENSEARCH, "an empty answer"),
        (301, "", "text/html", NOT_OPENSEARCH, "(301)"),
        (302, HTML, "text/html", NOT_OPENSEARCH, "an HTML page (302)"),
        (400, HTML, "text/html", NOT_OPENSEARCH, "an HTML page (400)"),
        (403, HTML, "text/html", NOT_OPENSEARCH, "an HTML page (403)"),
        (404, HTML, "text/html", NOT_OPENSEARCH, "an HTML page (404)"),
        (404, "", "", NOT_OPENSEARCH, "an empty answer (404)"),
        (404, '{"error": "Fail to find workf', "application/json", NOT_OPENSEARCH, "broken off or no JSON (404)"),
        (404, "404 page not found", "text/plain", NOT_OPENSEARCH, "broken off or no JSON (404)"),
        (500, HTML, "text/html", NOT_OPENSEARCH, "an HTML page (500)"),
        (401, "", "", UNAUTHENTICATED, "refuses the credentials"),
        (401, HTML, "text/html", UNAUTHENTICATED, "refuses the credentials"),
        (401, '{"error": "x"}', "application/json", UNAUTHENTICATED, "refuses the credentials"),
        (502, HTML, "text/html", UNAVAILABLE, "is not available (502)"),
        (503, "OpenSearch Security not initialized.", "text/plain", UNAVAILABLE, "is not available (503)"),
        (504, "{}", "application/json", UNAVAILABLE, "is not available (504)"),
        (500, '{"error": "boom"}', "application/json", FAILED, "boom"),
        (
            429,
            '{"error": "Exceeded max simultaneous deprovisioning requests: 1"}',
            "application/json",
            THROTTLED,
            "Exceeded max",
        ),
        (
            403,
            '{"error": "User does not have permissions to access workflow: w1"}',
            "application/json",
            FORBIDDEN,
            "denies this",
        ),
        (
            403,
            '{"error": "Tenant ID header is missing or has no value"}',
            "application/json",
            FORBIDDEN,
            "Tenant ID header",
        ),
        (403, '{"error": "No permission to access this resource"}', "application/json", FORBIDDEN, "denies this"),
        (
            403,
            '{"error": "no permissions for [cluster:admin/opensearch/flow_framework/workflow/deprovision]"}',
            "application/json",
            FORBIDDEN,
            "no permissions",
        ),
        (
            403,
            '{"error": {"type": "cluster_block_exception", "reason": "index [x] blocked"}, "status": 403}',
            "application/json",
            BLOCK,
            "blocked",
        ),
        (403, '{"message": "forbidden"}', "application/json", FORBIDDEN, "denies this"),
        (
            400,
            '{"error": "no handler found for uri [/_plugins/_flow_framework/workflow] and method [POST]"}',
            "application/json",
            NO_PLUGIN,
            "is not installed",
        ),
        (404, '{"error": "Fail to find workflow w1"}', "application/json", MISSING, "Fail to find workflow w1"),
        (
            404,
            '{"error": "Failed to get workflow status of: w1"}',
            "application/json",
            UNREADABLE,
            "Failed to get workflow status",
        ),
        (408, '{"took": 1}', "application/json", REFUSED, "408"),
        (200, "[]", "application/json", OK, ""),
        (202, '{"workflow_id": "w1"}', "application/json", OK, ""),
        (200, '{"error": "", "state": "FAILED"}', "application/json", OK, ""),
    ],
)
def test_answers_that_were_not_recorded(status: Any, text: Any, content_type: str, outcome: str, said: str) -> None:
    made = classify(Reply(status, content_type, text), URL)
    assert (made.outcome, made.status) == (outcome, status)
    assert said in made.sentence and (URL in made.sentence or outcome in (OK, DISABLED, NEEDS_ALLOW_DELETE))


@pytest.mark.parametrize(
    ("error", "said"),
    [(UNREACHABLE, "cannot be reached: why"), (CERTIFICATE, "cannot be trusted: why"), (LOST, "did not answer: why")],
)
def test_no_answer_is_said_with_its_reason(error: Any, said: str) -> None:
    made = classify(Reply(None, "", "why", error), URL)
    assert (made.outcome, made.status, made.body) == (error, None, None)
    assert URL + " " + said in made.sentence


@pytest.mark.parametrize("why", ("SSLV3_ALERT_CERTIFICATE_UNKNOWN", "TLSV1_ALERT_UNKNOWN_CA", "TLSV13_ALERT_CERTIFICATE_REQUIRED"))
def test_a_client_certificate_that_the_server_refuses_is_not_taken_for_the_server_s_own(why: str) -> None:
    said = classify(Reply(None, "", "[SSL: %s] alert" % why, CERTIFICATE), URL).sentence
    assert "client_cert" in said and "ca_cert" not in said and why in said


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "reason", "type", "x"]), inner, max_size=3),
)


@given(st.integers(100, 999), st.one_of(st.text(), JSON.map(json.dumps)), st.text())
def test_no_answer_whatsoever_breaks_it_and_only_a_success_is_ok(status: Any, text: Any, content_type: str) -> None:
    made = classify(Reply(status, content_type, text), URL)
    assert made.ok == (made.outcome == OK)
    if made.ok:
        assert 200 <= status < 300 and json.loads(text) == made.body
    else:
        assert made.outcome == NEEDS_ALLOW_DELETE or made.sentence


@given(st.integers(100, 999), JSON.map(json.dumps))
def test_missing_is_said_by_a_404_in_json_only(status: Any, text: Any) -> None:
    if classify(Reply(status, "application/json", text), URL).outcome == MISSING:
        assert status == 404


# -- what a deprovision asks for ---------------------------------------------------------------------------

IDS = st.text(
    st.one_of(st.sampled_from(list(" ,+&;=%?#/\\*\"'.:@<>{}-_\t\n\0€")), st.characters(exclude_categories=["Cs"])),
    min_size=1,
)


def as_the_server_splits(query: str) -> set[str]:
    """The names that the server takes from a query: decoded, split at commas, trimmed (behaviour.md 2.3)."""
    values = parse_qs(query, keep_blank_values=True, strict_parsing=True)
    assert set(values) == {"allow_delete"} and len(values["allow_delete"]) == 1
    trimmed = (name.strip("".join(map(chr, range(33)))) for name in values["allow_delete"][0].split(","))
    return {name for name in trimmed if name}


@given(st.lists(IDS.filter(lambda text: "," not in text and text == text.strip("".join(map(chr, range(33))))), min_size=1))
@example(["a+b", "a b", "a&allow_delete=c", "a;b", "100%", "a%2Cb", "ä/ö", "index/docs"])
def test_every_id_without_a_comma_arrives_at_the_server_as_itself(ids: list[str]) -> None:
    path, _mark, query = deprovision_target("w1", ids).partition("?")
    assert path == "/_plugins/_flow_framework/workflow/w1/_deprovision"
    assert as_the_server_splits(query) == set(ids)
    assert re.fullmatch(r"allow_delete=(?:[A-Za-z0-9_.~/-]|%[0-9A-F]{2})*", query)  # nothing that anything in between may read in two ways


@given(IDS, st.lists(st.just("docs"), max_size=1))
@example("../../_all", [])
@example("w1/_status", [])
@example("w1?allow_delete=docs", [])
@example("w1#", [])
@example("a,b", [])
@example("*", [])
def test_the_path_has_the_same_segments_whatever_the_workflow_is_called(workflow_id: str, ids: list[str]) -> None:
    target = deprovision_target(workflow_id, ids)
    path, mark, _query = target.partition("?")
    assert bool(mark) == bool(ids) and target.count("?") == len(ids) and "#" not in target
    segments = path.split("/")
    assert segments[:4] == ["", "_plugins", "_flow_framework", "workflow"] and segments[5:] == ["_deprovision"]
    assert unquote(segments[4]) == workflow_id
    assert not set(segments[4]) & set(",*")


def test_with_nothing_to_name_there_is_no_parameter() -> None:
    """Below 2.16 the server refuses the parameter (recording 2.15.0 allow_delete_refused)."""
    assert deprovision_target("w1", []) == "/_plugins/_flow_framework/workflow/w1/_deprovision"


# -- calls -------------------------------------------------------------------------------------------------


class Sent(NamedTuple):
    """One request that a call made."""

    node: str
    method: str
    target: str
    body: Any
    timeout: float
    headers: dict[str, str] | None


class FakeNode(Node):
    """Gives one reply after the other, the last for ever, and keeps what it was asked."""

    def __init__(self, url: str, log: list[Sent], replies: list[Reply]) -> None:
        super().__init__(url, None)
        self.log = log
        self.replies = replies

    def send(self, method: str, target: str, body: bytes | None, timeout: float, headers: dict[str, str] | None = None) -> Reply:
        self.log.append(Sent(self.url, method, target, None if body is None else json.loads(body), timeout, headers))
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def ok(body: Any = None) -> Reply:
    return Reply(200, "application/json", json.dumps({} if body is None else body))


def an_api(*nodes: list[Reply]) -> tuple[Api, list[Sent]]:
    """The calls over nodes that give these replies, and the log of what they are asked."""
    log: list[Sent] = []
    made = [FakeNode(f"https://{name}:9200", log, list(replies)) for name, replies in zip("abc", nodes, strict=False)]
    return Api(Connection(list(made), set(), 30.0)), log


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, which are not made: only the clock moves."""
    made: list[float] = []
    monkeypatch.setattr(api, "time", SimpleNamespace(sleep=made.append, monotonic=lambda: sum(made)))
    return made


# One reply of each outcome that a reply can have.
REPLIES: dict[str, Reply] = {
    OK: ok(),
    INCOMPLETE: Reply(202, "application/json", '{"error": "Failed to deprovision some resources: [a b]."}'),
    NEEDS_ALLOW_DELETE: one("wrong_body", "deprovision", 403).reply,
    MISSING: one("unknown_workflow", "status", 404).reply,
    UNREADABLE: one("empty_cluster", "status", 404).reply,
    UNAUTHENTICATED: Reply(401, "text/plain", "Unauthorized"),
    FORBIDDEN: Reply(403, "application/json", '{"error": "Failed to get workflow."}'),
    BLOCK: Reply(403, "application/json", '{"error": {"type": "cluster_block_exception", "reason": "index [x] blocked"}}'),
    DISABLED: one("disabled", "status", 403).reply,
    THROTTLED: Reply(429, "application/json", '{"error": "slow down"}'),
    UNAVAILABLE: Reply(503, "application/json", "{}"),
    UNREACHABLE: Reply(None, "", "refused", "unreachable"),
    CERTIFICATE: Reply(None, "", "expired", "certificate"),
    LOST: Reply(None, "", "reset", "lost"),
    NOT_OPENSEARCH: Reply(200, "text/html", HTML),
    NO_PLUGIN: Reply(400, "application/json", '{"error": "no handler found for uri [/x] and method [GET]"}'),
    REFUSED: Reply(400, "application/json", '{"error": "no"}'),
    FAILED: Reply(500, "application/json", '{"error": "boom"}'),
}
MAY_PASS = {UNREACHABLE, LOST, UNAVAILABLE, THROTTLED}


def test_the_table_of_replies_holds_each_outcome() -> None:
    assert {outcome: classify(reply, URL).outcome for outcome, reply in REPLIES.items()} == {outcome: outcome for outcome in REPLIES}
    names = {value for name, value in vars(answers).items() if name.isupper() and isinstance(value, str) and re.fullmatch("[a-z_]+", value)}
    assert names == set(REPLIES)


@pytest.mark.parametrize("outcome", REPLIES)
def test_a_read_is_repeated_for_what_may_pass_and_for_nothing_else(outcome: str, pauses: list[float]) -> None:
    calls, log = an_api([REPLIES[outcome], ok()])
    assert calls.info().outcome == (OK if outcome in MAY_PASS else outcome)
    assert len(log) == (2 if outcome in MAY_PASS else 1)
    assert len(pauses) == len(log) - 1


@pytest.mark.parametrize("outcome", [UNAVAILABLE, THROTTLED])
def test_a_starting_or_busy_node_is_waited_for_as_long_as_a_request_may_take(outcome: str, pauses: list[float]) -> None:
    calls, log = an_api([REPLIES[outcome]])
    assert calls.info().outcome == outcome
    assert 30 <= sum(pauses) < 30 + api.LONGEST_READ_PAUSE and max(pauses) == api.LONGEST_READ_PAUSE
    assert len(log) == len(pauses) + 1


@pytest.mark.parametrize("outcome", [UNREACHABLE, LOST])
def test_a_read_gives_up_after_a_few_tries_with_growing_pauses(outcome: str, pauses: list[float]) -> None:
    calls, log = an_api([REPLIES[outcome]])
    assert calls.info().outcome == outcome
    assert len(log) == api.READ_TRIES
    assert pauses == sorted(pauses) and len(set(pauses)) == len(pauses) == len(log) - 1 and sum(pauses) < 10


def test_a_read_goes_to_the_next_node_when_one_is_down(pauses: list[float]) -> None:
    calls, log = an_api([REPLIES[UNREACHABLE]], [REPLIES[LOST]], [ok()])
    assert calls.info().ok
    assert [sent.node for sent in log] == ["https://a:9200", "https://b:9200", "https://c:9200"]


def test_a_read_that_one_node_lets_wait_for_too_long_is_asked_once_more_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of one read is over with the first; a second node answers all the same, and a third is not asked."""
    now = [0.0]
    calls, log = an_api([REPLIES[LOST]], [REPLIES[LOST]], [ok()])

    def send(node: FakeNode, *args: Any) -> Reply:
        now[0] += 30.0  # the time-out
        return sent(node, *args)

    sent = FakeNode.send
    monkeypatch.setattr(FakeNode, "send", send)
    monkeypatch.setattr(api, "time", SimpleNamespace(sleep=lambda seconds: None, monotonic=lambda: now[0]))
    assert calls.info().outcome == LOST
    assert [one.node for one in log] == ["https://a:9200", "https://b:9200"]


WRITES: dict[str, Callable[[Api], Answer]] = {
    "put": lambda calls: calls.put("index", "docs", {}),
    "delete_workflow": lambda calls: calls.delete_workflow("w1", True),
    "delete": lambda calls: calls.delete("index", "docs"),
}


@pytest.mark.parametrize("outcome", sorted(REPLIES))
def test_a_deprovision_is_sent_once_to_its_node_whatever_comes_back(outcome: str, pauses: list[float]) -> None:
    calls, log = an_api([ok()], [REPLIES[outcome], ok()], [ok()])
    assert calls.deprovision(calls.connection.nodes[1], "w1", ["docs"], "run/1", 600.0).outcome == outcome
    assert [sent.node for sent in log] == ["https://b:9200"] and not pauses


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("outcome", sorted(set(REPLIES) - {UNREACHABLE}))
def test_what_changes_something_is_sent_once_whatever_comes_back(outcome: str, write: str, pauses: list[float]) -> None:
    calls, log = an_api([REPLIES[outcome], ok()], [ok()], [ok()])
    assert WRITES[write](calls).outcome == outcome
    assert [sent.node for sent in log] == ["https://a:9200"]


@pytest.mark.parametrize("write", WRITES)
def test_what_changes_something_goes_to_the_next_node_only_where_nothing_was_sent(write: str, pauses: list[float]) -> None:
    calls, log = an_api([REPLIES[UNREACHABLE]], [REPLIES[LOST]], [ok()])
    assert WRITES[write](calls).outcome == LOST
    assert [sent.node for sent in log] == ["https://a:9200", "https://b:9200"]


@pytest.mark.parametrize("write", WRITES)
def test_with_all_nodes_down_nothing_was_sent_and_that_is_said(write: str, pauses: list[float]) -> None:
    calls, log = an_api([REPLIES[UNREACHABLE]], [REPLIES[UNREACHABLE]])
    answer = WRITES[write](calls)
    assert answer.outcome == UNREACHABLE and "https://b:9200 cannot be reached" in answer.sentence
    assert len(log) == 2


def test_a_deprovision_carries_its_mark_and_waits_as_long_as_it_is_told() -> None:
    calls, log = an_api([ok()])
    calls.deprovision(calls.connection.nodes[0], "w1", ["docs", "a b"], "opensearch_ops.flow_framework/run/w1", 599.5)
    target = "/_plugins/_flow_framework/workflow/w1/_deprovision?allow_delete=docs%2Ca%20b"
    assert log == [Sent("https://a:9200", "POST", target, None, 599.5, {"x-opaque-id": "opensearch_ops.flow_framework/run/w1"})]


READS: dict[str, tuple[Callable[[Api], Answer], str]] = {
    "info": (lambda calls: calls.info(), "GET /"),
    "plugins": (lambda calls: calls.plugins(), "GET /_cat/plugins?format=json"),
    "status": (lambda calls: calls.status("a/b"), "GET /_plugins/_flow_framework/workflow/a%2Fb/_status?all=true"),
    "states": (lambda calls: calls.state_index_exists(), "POST /_plugins/_flow_framework/workflow/state/_search"),
    "template": (lambda calls: calls.template("a*b"), "GET /_plugins/_flow_framework/workflow/a%2Ab"),
    "index": (lambda calls: calls.look("index", "a,b"), "GET /a%2Cb"),
    "ingest_pipeline": (lambda calls: calls.look("ingest_pipeline", "a,b"), "GET /_ingest/pipeline/a%2Cb"),
    "search_pipeline": (lambda calls: calls.look("search_pipeline", "a?b"), "GET /_search/pipeline/a%3Fb"),
    "connector": (lambda calls: calls.look("connector", "-x_"), "GET /_plugins/_ml/connectors/-x_"),
    "model": (lambda calls: calls.look("model", "x"), "GET /_plugins/_ml/models/x"),
    "model_group": (lambda calls: calls.look("model_group", "x"), "GET /_plugins/_ml/model_groups/x"),
    "agent": (lambda calls: calls.look("agent", "x"), "GET /_plugins/_ml/agents/x"),
    "ingest_pipelines": (lambda calls: calls.pipelines("ingest_pipeline"), "GET /_ingest/pipeline"),
    "search_pipelines": (lambda calls: calls.pipelines("search_pipeline"), "GET /_search/pipeline"),
    "count": (lambda calls: calls.count("a%b"), "GET /a%25b/_count"),
    "stats": (lambda calls: calls.stats("docs"), "GET /docs/_stats/docs,store,translog"),
    "models": (lambda calls: calls.models_of(["c2", "c1"], ["g1"]), "POST /_plugins/_ml/models/_search"),
    "model_groups": (lambda calls: calls.model_groups_named(["g"]), "POST /_plugins/_ml/model_groups/_search"),
    "agents": (lambda calls: calls.agents(), "POST /_plugins/_ml/agents/_search"),
    "states_with": (
        lambda calls: calls.states_with(["docs"], ["w1"]),
        "POST /_plugins/_flow_framework/workflow/state/_search",
    ),
    "settings": (
        lambda calls: calls.index_settings(),
        "GET /_all/_settings/index.default_pipeline,index.final_pipeline,index.search.default_pipeline?flat_settings=true&expand_wildcards=all",
    ),
    "states_by_id": (lambda calls: calls.states_by_id(["w1"]), "POST /_plugins/_flow_framework/workflow/state/_search"),
    "states_after": (lambda calls: calls.states_after({"match_all": {}}, 5, "w1"), "POST /_plugins/_flow_framework/workflow/state/_search"),
    "templates_by_id": (lambda calls: calls.templates_by_id(["w1"]), "POST /_plugins/_flow_framework/workflow/_search"),
    "templates": (lambda calls: calls.templates(), "POST /_plugins/_flow_framework/workflow/_search"),
    "connectors_by_id": (lambda calls: calls.ml_by_id("connector", ["c"]), "POST /_plugins/_ml/connectors/_search"),
    "indices": (
        lambda calls: calls.indices(["a%b", "c/d"]),
        (
            "GET /a%25b,c%2Fd?ignore_unavailable=true&filter_path=*.aliases,*.mappings._meta.description,*.settings.index.uuid,"
            "*.settings.index.creation_date,*.settings.index.refresh_interval,*.settings.index.blocks"
        ),
    ),
    "stats_of": (
        lambda calls: calls.stats_of(["a%b", "c"]),
        (
            "GET /a%25b,c/_stats/store,translog?ignore_unavailable=true&filter_path=indices.*.uuid,"
            "indices.*.total.store.size_in_bytes,indices.*.total.translog.uncommitted_operations"
        ),
    ),
    "clock": (lambda calls: calls.clock(), "GET /_tasks?actions=cluster%3Amonitor%2Ftasks%2Flists"),
    "deprovision_pool": (
        lambda calls: calls.deprovision_pool(),
        "GET /_cat/thread_pool/opensearch_deprovision_workflow?format=json&h=node_name,active,queue,max,completed",
    ),
    "provision_pool": (
        lambda calls: calls.provision_pool(),
        "GET /_cat/thread_pool/opensearch_provision_workflow?format=json&h=node_name,active,queue",
    ),
    "tasks": (
        lambda calls: calls.deprovision_tasks(),
        "GET /_tasks?actions=cluster%3Aadmin%2Fopensearch%2Fflow_framework%2Fworkflow%2Fdeprovision&detailed=true",
    ),
}


@pytest.mark.parametrize("read", READS)
def test_a_look_is_one_read_with_everything_quoted(read: str) -> None:
    call, request = READS[read]
    calls, log = an_api([ok()])
    call(calls)
    assert [f"{sent.method} {sent.target}" for sent in log] == [request]
    assert log[0].timeout == 30.0
    assert (log[0].body is not None) == (log[0].method == "POST")


def test_the_documents_of_many_indices_are_counted_by_lines_of_json() -> None:
    class Lines(Node):
        sent: tuple[Any, ...] = ()

        def send(self, method: str, target: str, body: bytes | None, timeout: float, headers: dict[str, str] | None = None) -> Reply:
            self.sent = method, target, body, headers
            return ok()

    node = Lines("https://a:9200", None)
    Api(Connection([node], set(), 30.0)).counts(["a,b", "ä"])
    method, target, body, headers = node.sent
    assert (method, target, headers) == ("POST", "/_msearch", {"content-type": "application/x-ndjson"})
    search = {"size": 0, "track_total_hits": True, "query": {"match_all": {}}}
    assert body.endswith(b"\n") and [json.loads(line) for line in body.splitlines()] == [{"index": "a,b"}, search, {"index": "ä"}, search]


def test_states_are_searched_without_naming_fields_since_that_hides_the_owner() -> None:
    """behaviour.md 1.4: with C(_source) in the request the user is stripped for everybody."""
    calls, log = an_api([ok(), ok()])
    calls.states_by_id(["w1"])
    calls.states_after({"match_all": {}}, 5, "w0")
    assert all("_source" not in sent.body for sent in log)
    assert log[1].body["search_after"] == ["w0"] and log[1].body["sort"] == [{"workflow_id": "asc"}]


def test_models_are_searched_by_the_keyword_of_their_connector() -> None:
    """A term on the text field finds nothing, nor one on the keyword of a group (recording looking_for_users_of_a_connector)."""
    calls, log = an_api([ok()])
    calls.models_of({"c2", "c1"}, {"g"})
    either = [{"terms": {"connector_id.keyword": ["c1", "c2"]}}, {"terms": {"model_group_id": ["g"]}}]
    assert log[0].body["query"] == {"bool": {"should": either}} and log[0].body["size"] == 10000


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters=","), min_size=1, max_size=60), min_size=1, max_size=60))
def test_the_ids_of_one_call_fit_one_request_line_and_are_the_first_of_the_list(ids: list[str]) -> None:
    fitting = api.first_that_fit("w" * 20, ids)
    assert fitting and fitting == ids[: len(fitting)]
    line = "POST " + deprovision_target("w" * 20, fitting) + " HTTP/1.1"
    assert len(fitting) == 1 or len(line) < 4096
    assert fitting == ids or len(deprovision_target("w" * 20, ids[: len(fitting) + 1])) > api.LONGEST_TARGET


# -- what proves presence and absence ----------------------------------------------------------------------

ABSENCES = {
    "index": [one("ml_checks", "index", 404), one("ml_checks", "index", 404, "2.19.1")],
    "ingest_pipeline": [one("ml_checks", "ingest pipeline", 404), one("comma_lookup", "ingest pipeline", 404)],
    "search_pipeline": [one("ml_checks", "search pipeline", 404)],
    "connector": [
        one("ml_checks", "connector", 404),
        one("ml_checks", "connector", 404, "2.19.1"),
        one("empty_cluster", "connector", 404),
    ],
    "model": [
        one("ml_checks", "model", 404),
        one("ml_checks", "model", 404, "2.19.1"),
        one("empty_cluster", "model", 404),
    ],
    "agent": [
        one("ml_checks", "agent", 404),
        one("ml_checks", "agent", 404, "2.19.1"),
        one("empty_cluster", "agent", 404),
    ],
    "model_group": [one("looking_for_users_of_a_connector", "model group", 404)],
}


@pytest.mark.parametrize(
    ("kind", "answer"),
    [(kind, answer) for kind, answers in ABSENCES.items() for answer in answers],
    ids=lambda value: value if isinstance(value, str) else value.version,
)
def test_a_resource_is_missing_when_the_server_says_so_in_its_words(kind: str, answer: Recorded) -> None:
    calls, _log = an_api([answer.reply])
    assert calls.look(kind, "x").outcome == MISSING


def test_absence_was_recorded_for_every_kind() -> None:
    assert set(ABSENCES) == set(KINDS)


NO_PROOF = {
    "an HTML page": Reply(404, "text/html", HTML),
    "nothing": Reply(404, "", ""),
    "a gateway's JSON": Reply(404, "application/json", '{"message": "no Route matched with those values"}'),
    "another failure": Reply(404, "application/json", '{"error": {"type": "resource_not_found_exception", "reason": "x"}, "status": 404}'),
    "a text": Reply(404, "application/json", '{"error": "Not Found"}'),
    "null": Reply(404, "application/json", "null"),
    "a list": Reply(404, "application/json", "[]"),
    "denied": Reply(403, "application/json", "{}"),
    "empty 200": Reply(200, "application/json", ""),
    "failed": Reply(500, "application/json", '{"error": {"type": "index_not_found_exception", "reason": "Failed to find model"}}'),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reply", NO_PROOF)
def test_nothing_else_proves_that_a_resource_is_missing(reply: str, kind: str) -> None:
    calls, _log = an_api([NO_PROOF[reply]])
    answer = calls.look(kind, "x")
    assert answer.outcome not in (OK, MISSING) and answer.sentence


@pytest.mark.parametrize("kind", ["index", "ingest_pipeline", "connector"])
def test_the_absence_of_one_kind_proves_nothing_about_another(kind: str) -> None:
    others = {"index": "ingest_pipeline", "ingest_pipeline": "index", "connector": "search_pipeline"}
    calls, _log = an_api([ABSENCES[others[kind]][0].reply])
    assert calls.look(kind, "x").outcome == FAILED


def test_a_status_is_that_of_the_workflow_that_was_asked_for() -> None:
    calls, _log = an_api([ok({"workflow_id": "w1", "state": "COMPLETED"})])
    assert calls.status("w1").ok and calls.status("w2").outcome == NOT_OPENSEARCH


@pytest.mark.parametrize("body", [{}, [], None, "w1", {"state": "COMPLETED"}])
def test_a_status_without_its_id_is_none(body: Any) -> None:
    calls, _log = an_api([Reply(200, "application/json", json.dumps(body))])
    assert calls.status("w1").outcome == NOT_OPENSEARCH


def test_flow_framework_was_never_used_only_when_the_state_index_itself_is_missing() -> None:
    for reply, outcome in [
        (one("empty_cluster", "states", 404).reply, MISSING),
        (one("empty_cluster", "templates", 404).reply, FAILED),
        (one("empty_cluster", "agents", 404).reply, FAILED),
        (NO_PROOF["a gateway's JSON"], FAILED),
        (NO_PROOF["an HTML page"], NOT_OPENSEARCH),
        (ok({"hits": {"hits": []}}), OK),
    ]:
        calls, _log = an_api([reply])
        assert calls.state_index_exists().outcome == outcome


@pytest.mark.parametrize("kind", ["ingest_pipeline", "search_pipeline"])
def test_a_cluster_without_pipelines_has_an_empty_list_of_them(kind: str) -> None:
    reply = one("empty_cluster", {"ingest_pipeline": "/_ingest/pipeline", "search_pipeline": "/_search/pipeline"}[kind], 404).reply
    calls, _log = an_api([reply])
    assert calls.pipelines(kind) == Answer(OK, 404, {}, "")


@pytest.mark.parametrize("reply", NO_PROOF)
def test_nothing_else_is_an_empty_list_of_pipelines(reply: str) -> None:
    calls, _log = an_api([NO_PROOF[reply]])
    assert not calls.pipelines("ingest_pipeline").ok
