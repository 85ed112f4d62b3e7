# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator in memory and a real cluster answer every native request that the collection sends alike."""

from __future__ import annotations

import inspect
import json
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.answers import WORKFLOWS
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.api import Api
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.resources import (
    KINDS,
    index_placeholder,
    ingest_placeholder,
    search_placeholder,
)
from tests.contract.client import Client
from tests.simulator import running as simulated
from tests.simulator.worlds.opensearch import AGENT, CONNECTOR, ML_KINDS, PIPELINES

from . import Cluster
from .native import NODE, Both, ask, both

CLUSTERS = {name: pytest.param(name, marks=[pytest.mark.opensearch, pytest.mark.slow]) for name in ("plain", "secure")}

Call = tuple[Any, ...]
"""The name of a method of C(Api) and its arguments."""
Thing = tuple[str, str, dict[str, Any]]
"""What is put: kind, id and attributes."""

WORD = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
MAPPINGS = {"properties": {"field": WORD}}
ODD = ("p q", "p%q", "größe", "p/q", "p?q", "p#q", 'p"q', "p\\q", "p&q=r", "p+q", "p;q", "-p", ".p", "P", "p:q", "p|q", "p<q>")
"""Words with characters that a path has to quote, or that the cluster may take for more than a name."""

ODD_PIPELINES = ("a,b", "p q", "p%q", "größe", "p/q", "p?q", "p#q", "p+q", 'p"q', "p\\q")

# Every kind of thing in every state that matters. ML Commons is told everything that it would otherwise fill in by itself.
CONNECTOR_BODY = {name: value for name, value in CONNECTOR.items() if name != "credential"}
TOOL = {"type": "MLModelTool", "parameters": {"model_id": "deployed"}, "include_output_in_agent_response": False}
PLACEHOLDERS = {"index": index_placeholder(), "ingest_pipeline": ingest_placeholder(), "search_pipeline": search_placeholder()}
ESTATE: list[Thing] = [
    ("index", "docs", {"documents": 3, "mappings": MAPPINGS}),
    ("index", "empty", {}),
    ("index", "shut", {"documents": 1, "closed": True, "mappings": MAPPINGS, "settings": {"index.default_pipeline": "plain"}}),
    ("index", "fixed", {"documents": 2, "read_only": True, "mappings": MAPPINGS}),
    ("index", "named", {"documents": 1, "aliases": ["other-name", "both-names"], "mappings": MAPPINGS}),
    ("index", "named-too", {"aliases": {"both-names": {}}}),
    ("index", "filled-in", PLACEHOLDERS["index"]),
    ("index", "with.dots.in.its.name", {"mappings": {"_meta": {"description": "mine"}}}),
    ("index", "ingests", {"settings": {"index.default_pipeline": "plain", "index.final_pipeline": "last"}}),
    ("index", "searches", {"settings": {"index.search.default_pipeline": "plain"}}),
    ("index", "slow-to-show", {"settings": {"index.refresh_interval": "-1", "index.number_of_replicas": 0}}),
    ("index", "out-of-sight", {"settings": {"index.hidden": True, "index.default_pipeline": "plain"}}),
    ("index", "unreadable", {"settings": {"index.blocks.read": True}}),
    ("index", "größe%50", {}),
    ("alias", "alone", {"index": "docs"}),
    ("ingest_pipeline", "plain", {"body": {"description": "mine", "processors": [{"set": {"field": "a", "value": 1}}]}}),
    ("ingest_pipeline", "filled-in", {"body": PLACEHOLDERS["ingest_pipeline"]}),
    ("search_pipeline", "plain", {"body": {"description": "mine", "request_processors": []}}),
    ("search_pipeline", "filled-in", {"body": PLACEHOLDERS["search_pipeline"]}),
    *((kind, id_, {}) for kind in PIPELINES for id_ in ODD_PIPELINES),
    ("connector", "used", {"body": CONNECTOR_BODY}),
    ("connector", "unused", {"body": CONNECTOR_BODY}),
    ("model_group", "full", {"body": {"description": "d", "latest_version": 1}}),
    ("model_group", "empty", {"body": {"description": "d", "latest_version": 0}}),
    ("model", "registered", {"connector_id": "used", "model_group_id": "full"}),
    ("model", "deployed", {"state": "DEPLOYED", "connector_id": "used", "model_group_id": "full"}),
    ("model", "undeployed", {"state": "UNDEPLOYED", "connector_id": "used", "model_group_id": "full"}),
    ("agent", "answers", {"body": {**AGENT, "tools": [TOOL]}}),
]


IDS = {kind: [id_ for k, id_, _other in ESTATE if k == kind] for kind in KINDS}
READS: list[Call] = [
    ("info",),
    ("info_of", NODE, 30.0),
    ("plugins",),
    *(("look", kind, id_) for kind in KINDS for id_ in (*IDS[kind], "absent")),
    *(("look", "index", id_) for id_ in ("alone", "both-names", *ODD)),
    *(("look", kind, f"absent{id_}") for kind in PIPELINES for id_ in ODD_PIPELINES),
    *(("look", kind, id_) for kind in ML_KINDS for id_ in ("-x", "_x")),
    *(("pipelines", kind) for kind in PIPELINES),
    *(("count", id_) for id_ in (*IDS["index"], "alone", "both-names", "absent")),
    *(("stats", id_) for id_ in (*IDS["index"], "alone", "both-names", "absent")),
    ("running_snapshots",),
    ("models_of", ["used", "unused"], []),
    ("models_of", [], ["full", "empty"]),
    ("models_of", ["absent"], ["full"]),
    ("models_of", ["absent"], ["absent"]),
    ("model_groups_named", ["full", "empty", "absent"]),
    ("agents",),
    ("index_settings",),
    *(("ml_by_id", kind, [*IDS[kind], "absent"]) for kind in ML_KINDS),
    ("indices", [*IDS["index"], "absent"]),
    ("indices", ["absent"]),
    ("indices", ["alone", "docs"]),
    ("stats_of", [*IDS["index"], "absent"]),
    ("stats_of", ["absent"]),
    ("counts", [*IDS["index"], "absent", "alone"]),
    ("clock",),
    ("deprovision_tasks",),
    ("deprovision_pool",),
    ("provision_pool",),
]

PUT_ON_NOTHING: list[tuple[str, str]] = [
    *((kind, "new") for kind in PLACEHOLDERS),
    *(("index", f"n{id_}") for id_ in ODD_PIPELINES),
    *(("index", id_) for id_ in ("-n", "+n", ".n", ".", "..", "n" * 256)),
    *((kind, f"n{id_}") for kind in PIPELINES for id_ in ("a,b", "p%q", "p/q", "größe")),
]
OVERWRITTEN: list[Thing] = [(kind, "there", {}) for kind in PLACEHOLDERS]
DELETED_FROM_NOTHING: list[tuple[str, str]] = [*((kind, "absent") for kind in KINDS), *(("index", id_) for id_ in ("-n", ".n", *ODD_PIPELINES))]
DELETED: list[Thing] = [
    *((kind, "there", {}) for kind in KINDS),
    *((kind, f"n{id_}", {}) for kind in PIPELINES for id_ in ODD_PIPELINES),
    *(("index", "there", attributes) for attributes in ({"documents": 2}, {"closed": True}, {"read_only": True})),
    *(("index", "there", {"settings": {f"index.blocks.{block}": True}}) for block in ("write", "read", "metadata", "read_only_allow_delete")),
    *(("model", "there", {"state": state}) for state in ("DEPLOYED", "UNDEPLOYED")),
]
CHANGES: list[tuple[Call, list[Thing]]] = [
    *((("put", kind, id_, PLACEHOLDERS[kind]), []) for kind, id_ in PUT_ON_NOTHING),
    *((("put", *thing[:2], PLACEHOLDERS[thing[0]]), [thing]) for thing in OVERWRITTEN),
    (("put", "index", "called", PLACEHOLDERS["index"]), [("index", "there", {"aliases": ["called"]})]),
    *((("delete", kind, id_), []) for kind, id_ in DELETED_FROM_NOTHING),
    *((("delete", *thing[:2]), [thing]) for thing in DELETED),
    (("delete", "index", "called"), [("index", "there", {"aliases": ["called"]})]),
    (("delete", "index", "called"), [("index", "there", {"aliases": ["called"]}), ("index", "there-too", {"aliases": ["called"]})]),
    (("delete", "ingest_pipeline", "there"), [("ingest_pipeline", "there", {}), ("index", "user", {"settings": {"index.default_pipeline": "there"}})]),
    (("delete", "search_pipeline", "there"), [("search_pipeline", "there", {}), ("index", "user", {"settings": {"index.search.default_pipeline": "there"}})]),
    (("delete", "model_group", "there"), [("model_group", "there", {}), ("model", "member", {"model_group_id": "there"})]),
    (("delete", "connector", "there"), [("connector", "there", {"body": CONNECTOR_BODY}), ("model", "member", {"connector_id": "there"})]),
]

# The calls to Flow Framework itself: recordings vouch for them (tests/contract). The ways that all calls are sent by.
OF_FLOW_FRAMEWORK: list[Call] = [
    ("status", "w"),
    ("state_index_exists",),
    ("template", "w"),
    ("states_with", ["docs"], ["w"]),
    ("states_by_id", ["w"]),
    ("states_after", {"match_all": {}}, 1, "w"),
    ("templates_by_id", ["w"]),
    ("templates",),
    ("deprovision", NODE, "w", ["docs"], "run", 30.0),
    ("delete_workflow", "w", True),
]
WAYS = {"read", "search", "send", "send_once"}


def title(given: Call | tuple[Call, list[Thing]]) -> str:
    """A call, or a change with the things that are there before it, as the name of a test."""
    call, things = given if isinstance(given[0], tuple) else (given, [])
    words = ["a node" if part is NODE else ",".join(part) if isinstance(part, list) else str(part) for part in call if not isinstance(part, dict)]
    return " ".join([*words, *(f"{id_}:{','.join(attributes)}" for _other, id_, attributes in things if attributes)])


@pytest.fixture(scope="module", params=CLUSTERS.values())
def pair(request: pytest.FixtureRequest) -> Iterator[Both]:
    cluster: Cluster = request.getfixturevalue(request.param)
    with both(cluster) as made:
        yield made
        made.clear()


with_security = pytest.mark.parametrize("pair", [CLUSTERS["secure"]], indirect=True)


@pytest.fixture
def empty(pair: Both) -> Both:
    """Where nothing is, and there never was a connector, model, group or agent."""
    pair.clear()
    for index in ML_KINDS.values():
        pair.remove("index", index)
    return pair


@pytest.fixture
def estate(pair: Both) -> Both:
    """Where everything is."""
    if not pair.things:
        pair.clear()
        for thing in ESTATE:
            pair.put(*thing[:2], **thing[2])
        pair.things = True
    return pair


def unlike(pair: Both, called: Iterable[Call], user: str = "admin") -> list[str]:
    return [line for call in called for line in pair.unlike(call, (user, user))]


# -- reads -------------------------------------------------------------------------------------------------------------


def test_where_there_never_was_a_pipeline_one_that_is_missing_is_deleted_and_later_it_is_not(empty: Both) -> None:
    state = empty.real.client().send("GET", "/_cluster/state/metadata?filter_path=metadata.ingest,metadata.search_pipeline").body
    for kind, path in PIPELINES.items():
        if path.split("/")[1].strip("_") not in json.dumps(state):  # another test may have had one
            assert empty.unlike(("delete", kind, "absent")) == []
        empty.put(kind, "once")
        empty.remove(kind, "once")
        assert empty.unlike(("delete", kind, "absent")) == []


def test_where_nothing_is_everything_is_answered_alike(empty: Both) -> None:
    for kind in PIPELINES:
        empty.put(kind, "once")
        empty.remove(kind, "once")
    assert unlike(empty, [*READS, *(("delete", kind, "absent") for kind in KINDS)]) == []


@pytest.mark.parametrize("call", READS, ids=title)
def test_a_read_is_answered_alike(estate: Both, call: Call) -> None:
    assert estate.unlike(call) == []


IN_THE_WAY: list[Call] = [
    ("look", "index", "there"), ("count", "there"), ("stats", "there"), ("index_settings",),
    ("indices", ["docs", "there"]), ("counts", ["docs", "there"]), ("stats_of", ["docs", "there"]),
]  # fmt: skip


def test_an_index_whose_metadata_are_blocked_stops_the_reads_of_all_alike(estate: Both) -> None:
    with there(estate, [("index", "there", {"settings": {"index.blocks.metadata": True}})]):
        assert unlike(estate, IN_THE_WAY) == []


def test_an_index_whose_search_pipeline_is_gone_cannot_be_counted_alike(estate: Both) -> None:
    with there(estate, [("search_pipeline", "gone", {}), ("index", "there", {"settings": {"index.search.default_pipeline": "gone"}})]):
        estate.remove("search_pipeline", "gone")
        assert unlike(estate, IN_THE_WAY) == []


@pytest.mark.parametrize("number", [65_536, 65_537])
def test_as_many_terms_as_an_index_takes_and_one_more_are_answered_alike(estate: Both, number: int) -> None:
    assert estate.unlike(("models_of", [f"c{n}" for n in range(number)], [])) == []


@pytest.mark.parametrize("lines", ['{"index": "docs"}\n{"size": 0}', '{"index": "docs"}\n', ""], ids=["no end", "no body", "nothing"])
def test_lines_of_searches_that_are_none_are_refused_alike(estate: Both, lines: str) -> None:
    assert estate.unlike(("read", "POST", "/_msearch", lines.encode())) == []


def test_a_data_stream_is_shown_by_its_backing_index_and_is_no_index_that_can_be_deleted(pair: Both) -> None:
    """What is told of it elsewhere (tests/real/test_bulk.py): the simulator has none."""
    client = pair.real.client()
    assert client.send("PUT", "/_index_template/tests", {"index_patterns": ["stream"], "data_stream": {}}).status == 200
    assert client.send("PUT", "/_data_stream/stream").status == 200
    try:
        assert [(name, shown["aliases"]) for name, shown in client.send("GET", "/stream").body.items()] == [(".ds-stream-000001", {})]
        refused = client.send("DELETE", "/stream")
        assert (refused.status, refused.body["error"]["type"]) == (404, "index_not_found_exception")
    finally:
        assert client.send("DELETE", "/_data_stream/stream").status == 200
        assert client.send("DELETE", "/_index_template/tests").status == 200


# -- changes -----------------------------------------------------------------------------------------------------------


@contextmanager
def there(pair: Both, things: list[Thing]) -> Iterator[None]:
    """Some things in both, for as long as the context lasts."""
    try:
        for kind, id_, attributes in things:
            pair.put(kind, id_, **attributes)
        yield
    finally:
        for kind, id_, _other in reversed(things):
            pair.remove(kind, id_)


@pytest.mark.parametrize("change", CHANGES, ids=title)
def test_a_change_is_answered_alike_and_leaves_the_same_behind(estate: Both, change: tuple[Call, list[Thing]]) -> None:
    call, things = change
    _what, kind, id_ = call[:3]
    with there(estate, things):
        try:
            assert unlike(estate, [call, ("look", kind, id_)]) == []
        finally:
            estate.remove(kind, id_)


@pytest.mark.parametrize(
    ("connector", "used", "status"),
    [("c-one", "b-one", 409), ("c-one", "b-ONE-x", 409), ("c-one", "b_one", 200), ("c_one", "b_one", 200), ("b_one", "b_one", 409)],
)
def test_a_connector_counts_as_used_where_its_id_has_a_word_in_common_with_that_of_a_model_alike(estate: Both, connector: str, used: str, status: int) -> None:
    """ML Commons looks for them by words: a dash ends one, an underscore and a capital do not."""
    call = ("delete", "connector", connector)
    with there(estate, [("connector", connector, {"body": CONNECTOR_BODY}), ("model", "member", {"connector_id": used})]):
        ((real, memory),) = estate.ask(call, ("admin", "admin"))
        assert (real.status, memory.status) == (status, status)
        assert estate.unlike(call) == []


@contextmanager
def snapshot(cluster: Cluster, index: str) -> Iterator[None]:
    """One that is being taken of an index with data, and does not get far. The names are the simulator's."""
    client, path = cluster.client(), "/_snapshot/simulated"
    for number in range(12):
        client.send("POST", f"/{index}/_doc", {"field": Random(number).randbytes(5000).hex()})
    for what in ("_refresh", "_flush"):
        client.send("POST", f"/{index}/{what}")
    settings = {"location": str(cluster.repository / "native"), "max_snapshot_bytes_per_sec": "20kb"}
    assert client.send("PUT", path, {"type": "fs", "settings": settings}).status == 200
    try:
        assert client.send("PUT", f"{path}/simulated", {"indices": index, "include_global_state": False}).status == 200
        while "processed" not in json.dumps(client.send("GET", "/_snapshot/_status").body):
            time.sleep(0.05)
        yield
    finally:
        assert client.send("DELETE", f"{path}/simulated").status == 200
        assert client.send("DELETE", path).status == 200


def test_a_running_snapshot_is_shown_and_keeps_its_indices_from_being_deleted_alike(estate: Both) -> None:
    mappings = {"properties": {"field": {"type": "keyword", "index": False, "doc_values": False}}}
    estate.front.world.put("index", "held", mappings=mappings)
    estate.memory.world.put("index", "held", mappings=mappings, documents=12, snapshot=True)
    try:
        with snapshot(estate.real, "held"):
            assert unlike(estate, [("running_snapshots",), ("delete", "index", "held"), ("look", "index", "held"), ("count", "held")]) == []
    finally:
        estate.remove("index", "held")


SNAPSHOTS: list[Call] = [
    ("repository", "kept"),
    ("repository", "absent"),
    ("snapshot", "kept", "absent"),
    ("snapshot", "absent", "one"),
    ("take_snapshot", "kept", "Upper", ["saved"]),
    ("take_snapshot", "absent", "one", ["saved"]),
    ("take_snapshot", "kept", "none", ["absent"]),
    ("take_snapshot", "kept", "one", ["saved"]),
]


def test_a_snapshot_is_taken_and_shown_alike(estate: Both) -> None:
    estate.put("index", "saved", documents=3)
    body = {"type": "fs", "settings": {"location": str(estate.real.repository / "kept")}}
    admin = "admin" if estate.real.security else None
    clients = estate.real.client(), Client(estate.memory.url, admin, admin, ca_cert=estate.memory.ca_cert)
    assert [client.send("PUT", "/_snapshot/kept", body).status for client in clients] == [200, 200]
    try:
        assert unlike(estate, SNAPSHOTS) == []
        limit = time.monotonic() + 30
        while clients[0].send("GET", "/_snapshot/kept/one").body["snapshots"][0]["state"] == "IN_PROGRESS" and time.monotonic() < limit:
            time.sleep(0.1)
        assert unlike(estate, [("snapshot", "kept", "one"), ("take_snapshot", "kept", "one", ["saved"])]) == []
    finally:
        for path in ("/_snapshot/kept/one", "/_snapshot/kept"):
            clients[0].send("DELETE", path)
        estate.remove("index", "saved")


# -- rights ------------------------------------------------------------------------------------------------------------


@with_security
@pytest.mark.parametrize("user", ["nobody", "reader", "flowadmin", "flowml"])
def test_who_lacks_a_right_is_refused_alike(estate: Both, user: str) -> None:
    changes = [*(("delete", kind, "absent") for kind in KINDS), *(("put", kind, "new", body) for kind, body in PLACEHOLDERS.items())]
    assert unlike(estate, [*READS, *changes], user) == []
    assert not any(estate.memory.world.get(kind, "new") for kind in PLACEHOLDERS)


@with_security
@pytest.mark.parametrize(
    ("credentials", "called"),
    [(None, READS), (("admin", "wrong"), READS), (("somebody", "somebody"), READS[:1])],  # for the last the real one takes its time
    ids=["without", "wrong", "unknown"],
)
def test_who_is_not_known_is_refused_alike(estate: Both, credentials: tuple[str, str] | None, called: list[Call]) -> None:
    assert [line for call in called for line in estate.unlike(call, credentials)] == []


@with_security
def test_many_searches_at_once_need_a_right_of_their_own_alike(estate: Both) -> None:
    """Everybody has it by the role own_index, as long as that is everybody's."""
    mapping = "/_plugins/_security/api/rolesmapping/own_index"
    known = estate.memory.users["nobody"]
    before, known.permissions = known.permissions, ()
    try:
        assert estate.real.client().send("PUT", mapping, {"users": ["admin"]}).status == 200
        assert unlike(estate, [("counts", ["docs", "absent"])], "nobody") == []
    finally:
        known.permissions = before
        assert estate.real.client().send("PUT", mapping, {"users": ["*"]}).status == 200


# -- nothing is left out -----------------------------------------------------------------------------------------------


def test_what_differs_is_seen() -> None:
    """Between two simulators of which one stands for the real cluster."""
    with simulated() as one, simulated() as other:
        real: Any = SimpleNamespace(url=one.url, ca_cert=None, security=False, flow_framework=True)
        two = Both(real, one, other)
        two.put("index", "docs", documents=3)
        assert unlike(two, [("look", "index", "docs"), ("count", "docs"), ("indices", ["docs"]), ("clock",), ("counts", ["docs"])]) == []
        other.world.put("index", "docs", documents=4, mappings={"_meta": {"description": "more"}}, closed=True)
        other.faults.answer("GET", "/_tasks", 200, {"nodes": {}}, content_type="application/json; charset=UTF-8")
        for call in (("look", "index", "docs"), ("count", "docs"), ("indices", ["docs"]), ("clock",), ("counts", ["docs"])):
            assert two.unlike(call) != [], call


def test_every_call_of_the_collection_is_compared_for_every_kind() -> None:
    methods = {name for name, _other in inspect.getmembers(Api, inspect.isfunction) if not name.startswith("_")}
    compared = [*READS, *(call for call, _other in CHANGES), *SNAPSHOTS]
    assert methods == {call[0] for call in [*compared, *OF_FLOW_FRAMEWORK]} | WAYS
    for method, kinds in {"look": KINDS, "delete": KINDS, "pipelines": PIPELINES, "ml_by_id": ML_KINDS, "put": PLACEHOLDERS}.items():
        assert {call[1] for call in compared if call[0] == method} == set(kinds), method


@pytest.mark.parametrize("call", OF_FLOW_FRAMEWORK, ids=title)
def test_a_call_that_is_not_compared_goes_to_flow_framework_alone(call: Call) -> None:
    with simulated() as sim:
        assert all(one.target.startswith(WORKFLOWS) for one in ask(sim.url, None, None, call))


def test_nothing_else_in_the_collection_sends_a_request() -> None:
    """Whoever wants something of the server calls a method that says what."""
    plugins = Path(inspect.getfile(Api)).parents[1]
    by_hand = re.compile(r"api\.(%s)\(|perform_request" % "|".join(sorted(WAYS)))
    assert {path.name for path in plugins.rglob("*.py") if by_hand.search(path.read_text())} == {"connection.py"}
