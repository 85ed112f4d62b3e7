# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: ids that must not be used, what a 404 has to say to be one, and versions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.api import deprovision_target
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.resources import (
    KINDS,
    MARK,
    OTHER,
    TRIMMED,
    error_of,
    generated_danger,
    gone_index,
    gone_ml,
    gone_pipeline,
    index_danger,
    kind_of,
    needs_allow_delete,
    parse_version,
    steps_of,
    title,
    titles,
)
from ansible_collections.opensearch_ops.flow_framework.plugins.modules import workflow_deprovision, workflow_info

RECORDINGS = Path(__file__).parents[3] / "contract" / "recordings"

# -- ids that must not be used -----------------------------------------------------------------------------

INDEX, PIPELINE, GENERATED = KINDS["index"].danger, KINDS["ingest_pipeline"].danger, KINDS["model"].danger


@pytest.mark.parametrize(
    "index",
    [
        "*",
        "docs*",
        "*docs",
        "do*cs",
        "docs?",
        "a,b",
        ",",
        "<docs-{now/d}>",
        "a<b",
        "-docs",
        "-",
        "_all",
        "_docs",
        "+docs",
        "",
        ".",
        "..",
        "docs,-docs",
        "*,-keep",
        " a",
        "a\t",
        "\0a",
        "a\x1f",
    ],
)
def test_an_index_that_the_cluster_takes_for_more_than_itself_is_a_danger(index: str) -> None:
    assert INDEX(index)


@pytest.mark.parametrize(
    "index", ["docs", "a-b_c+d", ".hidden", "...", "a.b", "a/b", "a b", "100%", "ä", "a&b", "a#b", "a>b", "a:b", "0", "X", "\u00a0a", "a\u2003"]
)
def test_an_index_that_is_only_itself_is_no_danger(index: str) -> None:
    assert INDEX(index) == ""


@pytest.mark.parametrize("pipeline", ["*", "a*", "a,b", ",", "", " ", " a", "a ", "\ta", "a\n", "\0a", "a\x1f"])
def test_a_pipeline_that_would_be_a_pattern_or_cannot_be_named_is_a_danger(pipeline: str) -> None:
    assert PIPELINE(pipeline)


@pytest.mark.parametrize("pipeline", ["a", "-a", "_a", "a b", "a?b", "<a>", "..", "a/b", "\u00a0a", "a\u2003", "100%", "a+b"])
def test_a_pipeline_that_is_only_itself_and_can_be_named_is_no_danger(pipeline: str) -> None:
    """Of blanks only those up to U+0020 are trimmed (behaviour.md 2.3)."""
    assert PIPELINE(pipeline) == ""


@pytest.mark.parametrize(
    "generated",
    [
        "",
        "*",
        "a*",
        "a,b",
        "a b",
        " a",
        "a\n",
        "a/b",
        "../a",
        ".",
        "..",
        "a?b",
        "a#b",
        "a%2Fb",
        "ä",
        "\uff11",
        "a.b",
        "a:b",
    ],
)
def test_what_no_server_generates_is_a_danger(generated: str) -> None:
    assert generated_danger(generated)


@pytest.mark.parametrize("generated", ["qxv8_6EBRIk9XcBbdoa_", "-xz-_6EBtuLtwn0TeDpW", "_a", "__", "--", "-", "no-such", "0"])
def test_a_generated_id_may_start_with_any_of_its_signs(generated: str) -> None:
    """Recording 2.19.1 ml_checks: an agent was given an id that starts with -."""
    assert generated_danger(generated) == ""


SIGNS = st.one_of(st.sampled_from(list("*?,<>-_+. \t\n\0/\\%#&=\u00a0aZ9")), st.characters(exclude_categories=["Cs"]))
IDS = st.text(SIGNS, max_size=8)


@given(IDS)
def test_no_index_that_passes_is_a_pattern_a_list_an_exclusion_or_a_command(index: str) -> None:
    if not index_danger(index):
        assert not set(index) & set("*?,<")
        assert index[0] not in "-_+"
        assert index not in (".", "..")


@given(IDS)
@example(" a")
def test_every_pipeline_that_passes_can_be_named_and_is_named_as_itself(pipeline: str) -> None:
    if not PIPELINE(pipeline):
        assert not set(pipeline) & set("*,")
        query = deprovision_target("w1", [pipeline]).partition("?")[2]
        (value,) = parse_qs(query)["allow_delete"]
        assert [name.strip(TRIMMED) for name in value.split(",")] == [pipeline]


@given(st.one_of(IDS, st.from_regex(r"[A-Za-z0-9_-]*\n?", fullmatch=True)))
def test_a_generated_id_passes_exactly_when_it_needs_no_quoting(generated: str) -> None:
    """Letters, digits, - and _ only: it means itself in a path, a query and a log, quoted or not."""
    harmless = bool(generated) and set(generated) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
    assert (generated_danger(generated) == "") == harmless


@given(IDS, st.sampled_from(sorted(KINDS)))
def test_the_path_of_a_resource_is_one_segment_longer_than_its_collection_whatever_the_id(resource_id: str, kind: str) -> None:
    target = KINDS[kind].target(resource_id)
    collection = KINDS[kind].path.split("/")[:-1]
    segments = target.split("/")
    assert segments[:-1] == collection and unquote(segments[-1]) == resource_id
    assert not set(target) & set("?#,* \n\0")


# -- the catalogue -----------------------------------------------------------------------------------------


def test_every_kind_has_the_danger_of_its_ids() -> None:
    assert {name: kind.danger for name, kind in KINDS.items()} == {
        "connector": GENERATED,
        "model": GENERATED,
        "model_group": GENERATED,
        "agent": GENERATED,
        "index": INDEX,
        "ingest_pipeline": PIPELINE,
        "search_pipeline": PIPELINE,
    }
    assert len({INDEX, PIPELINE, GENERATED}) == 3


def test_indices_and_pipelines_need_to_be_named_and_nothing_else_does() -> None:
    assert {kind for kind in [*KINDS, OTHER] if needs_allow_delete(kind)} == {
        "index",
        "ingest_pipeline",
        "search_pipeline",
    }


def test_every_step_is_of_one_kind_and_every_kind_has_a_step_that_records_it() -> None:
    assert {kind_of(step): kind for kind in KINDS for step in steps_of(kind)} == {kind: kind for kind in KINDS}
    assert kind_of("step_of_a_newer_server") == OTHER and steps_of(OTHER) == {}


def test_kinds_are_called_as_people_call_them() -> None:
    assert [(title(kind), titles(kind)) for kind in (*KINDS, OTHER)] == [
        ("connector", "connectors"),
        ("model", "models"),
        ("model group", "model groups"),
        ("agent", "agents"),
        ("index", "indices"),
        ("ingest pipeline", "ingest pipelines"),
        ("search pipeline", "search pipelines"),
        ("resource", "resources"),
    ]


@pytest.mark.parametrize("module", [workflow_deprovision, workflow_info], ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_kind_is_documented(module: Any) -> None:
    documented = yaml.safe_load(module.RETURN)["resources"]["contains"]["kind"]["choices"]
    assert documented == [*KINDS, OTHER]


def test_the_types_are_those_that_servers_record() -> None:
    """In all recorded state documents, each step's entry has the type of its kind."""
    entries = list(recorded_resources())
    assert {entry["workflow_step_name"] for entry in entries} >= {
        "create_connector",
        "register_remote_model",
        "deploy_model",
        "create_index",
        "register_agent",
    }
    assert [entry for entry in entries if KINDS[kind_of(entry["workflow_step_name"])].type != entry["resource_type"]] == []


def exchanges() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Version, scenario and exchange of everything that was recorded."""
    for file in sorted(RECORDINGS.glob("*.json")):
        recording = json.loads(file.read_text(encoding="utf-8"))
        for scenario in recording["scenarios"]:
            for exchange in scenario["exchanges"]:
                yield recording["server"], scenario["name"], exchange


def recorded_resources() -> Iterator[dict[str, str]]:
    for _version, _scenario, exchange in exchanges():
        body = exchange["response"]["body"]
        if "/_status" in exchange["request"]["path"] and isinstance(body, dict):
            yield from body.get("resources_created", [])


# Does a deprovision get over what is gone already? By the vectors of that number, and recordings where they are named.
GETS_OVER = [
    ("create_index", (2, 15), False, True),  # recording 2.15.0 gone_before
    ("create_index", (2, 16), False, False),
    ("create_index", (3, 6, 0), False, False),  # recording 3.6.0 gone_before
    ("create_ingest_pipeline", (2, 15, 0), False, True),  # recording 2.15.0 gone_before
    ("create_ingest_pipeline", (2, 19, 1), True, False),  # recording 2.19.1 gone_before
    ("create_search_pipeline", (2, 15, 0), False, True),
    ("create_search_pipeline", (3, 6, 0), False, False),  # recording 3.6.0 gone_before
    ("register_agent", (2, 13), False, False),
    ("register_agent", (2, 16), False, True),
    ("create_connector", (2, 12, 0), False, True),
    ("create_connector", (3, 6, 0), True, True),  # recording ml_gone_before
    ("register_remote_model", (2, 15, 0), False, False),  # D26
    ("register_remote_model", (2, 16), False, True),
    ("register_remote_model", (2, 16, 0), False, True),
    ("register_remote_model", (3, 8, 0), False, True),  # D25; recording 3.6.0 undeployed_model_gone
    ("register_remote_model", (2, 19, 1), True, False),  # recording 2.19.1 undeployed_model_gone
    ("register_local_custom_model", (3, 8, 0), False, True),
    ("deploy_model", (3, 8, 0), False, False),  # D27; recording ml_gone_before
    ("deploy_model", (2, 12, 0), False, False),
    ("register_agent", (2, 12, 0), False, True),  # D30
    ("register_agent", (2, 13, 0), False, False),
    ("register_agent", (2, 14, 0), False, False),  # D29
    ("register_agent", (2, 15, 0), False, False),
    ("register_agent", (2, 16, 0), False, True),  # D28
    ("register_model_group", (3, 6, 0), False, True),
]


@pytest.mark.parametrize(("step", "version", "security", "gets_over"), GETS_OVER)
def test_what_the_server_gets_over_when_it_is_gone_already(step: str, version: Any, security: bool, gets_over: bool) -> None:
    assert steps_of(kind_of(step))[step].gone_is_success(version, security) is gets_over


# -- what a 404 says ---------------------------------------------------------------------------------------


def body_of(version: str, scenario: str, path: str) -> Any:
    """The body of the first recorded 404 of a scenario under a path."""
    return next(
        exchange["response"]["body"]
        for server, name, exchange in exchanges()
        if (server, name) == (version, scenario) and exchange["request"]["path"].startswith(path) and exchange["response"]["status"] == 404
    )


GONE = {
    gone_index: [body_of(version, "ml_checks", "/r9") for version in ("2.19.1", "3.6.0")],
    gone_pipeline: [
        *[body_of(version, "ml_checks", path) for version in ("2.19.1", "3.6.0") for path in ("/_ingest/pipeline/", "/_search/pipeline/")],
        *[body_of(version, "comma_lookup", "/_ingest/pipeline/") for version in ("2.19.1", "3.6.0")],
    ],
    gone_ml: [
        *[body_of(version, "ml_checks", "/_plugins/_ml/" + path) for version in ("2.19.1", "3.6.0") for path in ("models/", "agents/", "connectors/")],
        *[body_of(version, "looking_for_users_of_a_connector", "/_plugins/_ml/model_groups/") for version in ("2.19.1", "3.6.0")],
        *[body_of("3.6.0", "empty_cluster", "/_plugins/_ml/" + path) for path in ("models/", "agents/", "connectors/", "agents/_search")],
    ],
}


@pytest.mark.parametrize(
    ("says_gone", "body"),
    [(says, body) for says, bodies in GONE.items() for body in bodies],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_servers_say_of_what_is_gone_is_understood(says_gone: Callable[[Any], bool], body: Any) -> None:
    assert says_gone(body) is True


NOT_GONE: list[Any] = [
    None,  # no JSON: HTML, nothing, something broken off
    [],
    "",
    "Not Found",
    0,
    {"error": "Not Found"},
    {"error": None},
    {"error": {}},
    {"error": {"type": None, "reason": None}},
    {"message": "no Route matched with those values"},
    {"error": {"type": "security_exception", "reason": "no permissions for [indices:admin/get]"}, "status": 403},
    {"error": {"type": "status_exception", "reason": "no permission to find model"}, "status": 403},
    {
        "error": {"type": "status_exception", "reason": "Failed to get data object from index .plugins-ml-model"},
        "status": 500,
    },
    {"error": {"type": "resource_not_found_exception", "reason": "x"}, "status": 404},
    {"error": "Fail to find workflow status of w1"},
    {"error": "Failed to get workflow status of: w1"},
]


@pytest.mark.parametrize("says_gone", GONE, ids=lambda says: says.__name__)
@pytest.mark.parametrize("body", NOT_GONE, ids=str)
def test_nothing_else_is_taken_for_gone(body: Any, says_gone: Callable[[Any], bool]) -> None:
    assert says_gone(body) is False


def test_what_one_kind_of_resource_says_is_not_taken_for_another() -> None:
    """But ML Commons may say that its own index is missing, in the words of any index."""
    for says_gone in GONE:
        for other, foreign in GONE.items():
            if says_gone is not other:
                for body in foreign:
                    missing_index = error_of(body).get("type") == "index_not_found_exception"
                    assert says_gone(body) is (missing_index and says_gone is not gone_pipeline)


def test_every_kind_asks_for_the_words_of_its_own_api() -> None:
    assert {name: kind.is_gone for name, kind in KINDS.items()} == {
        **dict.fromkeys(("connector", "model", "model_group", "agent"), gone_ml),
        "index": gone_index,
        **dict.fromkeys(("ingest_pipeline", "search_pipeline"), gone_pipeline),
    }


# -- placeholders ------------------------------------------------------------------------------------------


def test_a_placeholder_is_empty_marked_and_an_index_refuses_to_be_written_to() -> None:
    made = {name: kind.placeholder() for name, kind in KINDS.items() if kind.placeholder}
    assert made == {
        "index": {
            "settings": {"index.number_of_shards": 1, "index.number_of_replicas": 0, "index.blocks.write": True},
            "mappings": {"_meta": {"description": MARK}},
        },
        "ingest_pipeline": {"description": MARK, "processors": []},
        "search_pipeline": {"description": MARK, "request_processors": []},
    }


def test_a_placeholder_is_known_by_its_mark() -> None:
    for name in ("index", "ingest_pipeline", "search_pipeline"):
        kind = KINDS[name]
        assert kind.placeholder and kind.is_placeholder(kind.placeholder()) is True


@pytest.mark.parametrize(
    "body",
    [{}, {"mappings": None}, {"mappings": {}}, {"mappings": {"_meta": None}}, {"mappings": {"_meta": {"description": "docs"}}}, {"description": MARK}],
    ids=str,
)
def test_an_index_without_the_mark_is_no_placeholder(body: dict[str, Any]) -> None:
    assert KINDS["index"].is_placeholder(body) is False


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"processors": []},
        {"description": "embeds", "processors": []},
        {"description": MARK, "processors": [{"set": {}}]},
        {"description": MARK, "request_processors": [{"filter_query": {}}]},
        {"description": MARK, "request_processors": [], "response_processors": [{"rename_field": {}}]},
        {"description": MARK, "phase_results_processors": [{"normalization-processor": {}}]},
    ],
    ids=str,
)
def test_a_pipeline_without_the_mark_or_that_does_something_is_no_placeholder(body: dict[str, Any]) -> None:
    assert KINDS["ingest_pipeline"].is_placeholder(body) is KINDS["search_pipeline"].is_placeholder(body) is False


def test_a_pipeline_with_the_mark_may_say_more_that_does_nothing() -> None:
    assert KINDS["ingest_pipeline"].is_placeholder({"description": MARK, "version": 3, "processors": []}) is True


def test_what_gets_no_placeholder_never_is_one() -> None:
    for kind in KINDS.values():
        if not kind.placeholder:
            assert kind.is_placeholder({"description": MARK, "mappings": {"_meta": {"description": MARK}}}) is False


# -- why an id is a danger, in words -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "id_", "why"),
    [
        ("index", "docs*", "it holds one of * ? , <, which the cluster takes for a pattern or a list"),
        ("index", "-docs", "it starts with -, which no index name does"),
        ("index", "_docs", "it starts with _, which no index name does"),
        ("index", "+docs", "it starts with +, which no index name does"),
        ("index", "..", "it is no name"),
        ("index", " docs", "it is no name"),
        ("ingest_pipeline", "a,b", "it holds * or , which the cluster takes for a pattern or a list"),
        ("search_pipeline", "a*", "it holds * or , which the cluster takes for a pattern or a list"),
        ("ingest_pipeline", "", "it is empty, or starts or ends with a blank, which allow_delete cannot express"),
        ("ingest_pipeline", "a ", "it is empty, or starts or ends with a blank, which allow_delete cannot express"),
        ("model", "a/b", "it holds other characters than letters, digits, - and _"),
    ],
)
def test_a_danger_is_said_so_that_a_person_sees_it_in_the_id(kind: str, id_: str, why: str) -> None:
    assert KINDS[kind].danger(id_) == why


def test_an_id_is_quoted_whole() -> None:
    assert KINDS["index"].target("a/b?c%") == "/a%2Fb%3Fc%25"


# -- versions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("3.6.0.0", (3, 6, 0)),
        ("2.19.1", (2, 19, 1)),
        ("2.19.1.0", (2, 19, 1)),
        ("2.16", (2, 16, 0)),
        ("3.6.0.0-SNAPSHOT", (3, 6, 0)),
        ("3.0.0-alpha1", (3, 0, 0)),
        ("10.0.12", (10, 0, 12)),
        ("", None),
        (None, None),
        ("3", None),
        ("v3.6.0", None),
        (" 3.6.0", None),
        ("latest", None),
        ("3.x", None),
    ],
)
def test_versions_are_numbers_and_what_is_none_is_not_guessed(text: Any, version: Any) -> None:
    assert parse_version(text) == version


def test_versions_are_compared_as_numbers() -> None:
    texts = ["2.9.0", "2.12.0.0", "2.16.0", "2.19.1", "3.0.0", "3.6.0.0", "10.0.0"]
    assert sorted(texts, key=lambda text: parse_version(text) or ()) == texts
    assert parse_version("2.16") == parse_version("2.16.0.0")


@given(st.text())
def test_a_version_is_three_numbers_or_none(text: Any) -> None:
    version = parse_version(text)
    assert version is None or (len(version) == 3 and re.match(r"\d", text))
