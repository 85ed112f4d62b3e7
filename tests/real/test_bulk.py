# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many workflows in a few requests: the same as one by one, absence only by a GET of that id, and no outage is absence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import quote

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import api, connection, sharing
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import Survey, SurveyError
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.resources import index_placeholder, ingest_placeholder
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.survey import FEW, Surveyor
from tests.campaign import worlds
from tests.simulator import running

from .helpers import CREATED, FLOW, documented_roles, permitted_by, provisioned, record, run, writes

ONE_BY_ONE = 10**9
ESTATE = ("connector", "model", "ingest_pipeline", "index", "search_pipeline")


def survey(sim: Any, ids: list[str], few: int, look: bool = True, **options: Any) -> Survey:
    """What a surveyor sees that reads one by one up to ``few`` workflows."""
    params = {name: option.get("default") for name, option in connection.argument_spec().items()}
    params.update(url=list(sim.urls), **options)
    return Surveyor(api.Api(connection.connect(params)), few=few).survey(ids, look)


def both(sim: Any, ids: list[str], **options: Any) -> tuple[Survey, Survey]:
    """In bulk and one by one."""
    return survey(sim, ids, 0, **options), survey(sim, ids, ONE_BY_ONE, **options)


def without_warnings(one: Survey) -> Survey:
    return replace(one, warnings=())


def estate(sim: Any, count: int, kinds: tuple[str, ...] = ESTATE, **options: Any) -> list[str]:
    """That many workflows, all of whose resources are there."""
    return [provisioned(sim, f"w{number}", kinds, **options).workflow_id for number in range(count)]


@pytest.fixture()
def secured() -> Iterator[Any]:
    with running(security=True) as sim:
        yield sim


# -- the same as one by one --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(24))
def test_bulk_and_one_by_one_show_the_same_world(seed: int) -> None:
    """Dataclass by dataclass, warnings too, in generated worlds: stale and shared and dangerous records, aliases,
    placeholders, blocks, snapshots, closed indices, missing templates and states."""
    maker = worlds.Maker(Random(seed))
    maker.bystanders()
    maker.world.task = [maker.flow("task") for _number in range(30)]
    with running(version=maker.world.version) as sim:
        worlds.put(sim, maker.world)
        ids = [flow.id for flow in maker.world.task] + ["nobody"]
        many, single = both(sim, ids)
        assert many == single, maker.world.readable()
        assert survey(sim, ids, 0, look=False) == survey(sim, ids, ONE_BY_ONE, look=False)


ODD_INDICES: dict[str, dict[str, Any]] = {
    "plain": {},
    "empty": {"documents": 0},
    "closed": {"closed": True},
    "read-only": {"read_only": True},
    "no-refresh": {"settings": {"index.refresh_interval": "-1"}},
    "no-refresh-pending": {"settings": {"index.refresh_interval": "-1"}, "uncommitted_operations": 4},
    "placeholder": {"documents": 0, **index_placeholder()},
    "filled-placeholder": {"documents": 5, **index_placeholder()},
    "snapshot": {"snapshot": True},
    "with.dots.in.it": {},
    "ä": {},
}


def odd_world(sim: Any) -> list[str]:
    """One workflow for each odd index, and some for odd pipelines, aliases and records."""
    for name, attributes in ODD_INDICES.items():
        provisioned(sim, f"of-{name}".replace(".", "-").replace("ä", "ae"), [("index", name)], **attributes)
    sim.world.put("index", "behind", creation_date=CREATED)
    sim.world.put("alias", "alias-of-behind", index="behind")
    sim.world.put("alias", "alias-of-plain", index="plain")
    sim.world.put("alias", "free-alias-of-behind", index="behind")
    sim.world.put("alias", "free-alias-of-plain", index="plain")
    record(sim, "aliases", [("index", "alias-of-behind"), ("index", "alias-of-plain"), ("index", "gone")])
    sim.world.put("ingest_pipeline", "marked", body=ingest_placeholder())
    sim.world.put("ingest_pipeline", "a,b", body={"processors": []})
    record(sim, "pipelines", [("ingest_pipeline", "marked"), ("ingest_pipeline", "a,b"), ("ingest_pipeline", "gone"), ("index", "a*")])
    record(sim, "shared", [("index", "plain"), ("index", "closed")], has_template=False)
    nodes = [
        {"id": str(number), "type": "create_index", "user_inputs": {"index_name": name}}
        for number, name in enumerate(("behind", "free-alias-of-plain", "free-alias-of-behind", "never", "plain"))
    ]
    nodes += [{"id": "p", "type": "create_ingest_pipeline", "user_inputs": {"pipeline_id": name}} for name in ("marked", "a,b", "never")]
    sim.world.put("model_group", "g1", body={"name": "a group"})
    nodes.append({"id": "g", "type": "register_model_group", "user_inputs": {"name": "a group"}})
    sim.load({"workflow_id": "literal", "state": "NOT_STARTED"}, {"name": "literal", "workflows": {"provision": {"nodes": nodes}}})
    return [*(f"of-{name}".replace(".", "-").replace("ä", "ae") for name in ODD_INDICES), "aliases", "pipelines", "shared", "literal", "nobody"]


def test_bulk_and_one_by_one_show_the_same_of_odd_things(sim: Any) -> None:
    many, single = both(sim, odd_world(sim))
    assert many == single
    assert not [one.target for one in sim.requests() if "*" in one.path or "%2A" in one.path], "an id that is a pattern reaches no path"
    documents = {r.id: r.documents for w in many.workflows for r in w.resources if r.kind == "index"}
    assert documents["plain"] == 3 and documents["filled-placeholder"] == 5 and documents["with.dots.in.it"] == 3 and documents["ä"] == 3
    assert documents["closed"] is None and documents["no-refresh-pending"] is None and documents["no-refresh"] == 3
    unrecorded = {"index/free-alias-of-plain", "index/free-alias-of-behind", "index/behind", "model_group/g1"}
    assert {f"{one.kind}/{one.id}" for one in many.unrecorded} == unrecorded


# -- absence, and the truth --------------------------------------------------------------------------------------------


def test_absence_is_proven_by_a_get_of_that_one_id_and_presence_by_none(sim: Any) -> None:
    ids = estate(sim, 12)
    gone = provisioned(sim, "stale", gone=(*ESTATE, "model_group", "agent"))
    sim.clear_log()
    seen = survey(sim, [*ids, "stale", "nobody"], FEW)
    states = {w.workflow_id: w for w in seen.workflows}
    assert {r.exists for r in states["stale"].resources} == {False}
    assert all(r.exists for id_ in ids for r in states[id_].resources)
    assert states["nobody"].state is None
    paths = [one.path for one in sim.requests("GET")]
    single = [path for path in paths if re.search(r"/w\d+(-[a-z-]+)?(/_status|/_count|/_stats.*)?$", path)]
    assert single == [], "what the bulk showed is not asked for again"
    for kind, id_ in gone.resources:
        place = {"index": "", "ingest_pipeline": "/_ingest/pipeline", "search_pipeline": "/_search/pipeline"}.get(kind, f"/_plugins/_ml/{kind}s")
        assert f"{place}/{id_}" in paths, id_
    assert f"{FLOW}/nobody/_status" in paths and f"{FLOW}/nobody" in paths


def test_what_a_search_does_not_see_yet_is_not_absent() -> None:
    """A search is a second behind; here it never catches up."""
    with running(clock=1000.0) as sim:
        ids = estate(sim, 12)
        memory = sim._memory
        made = sim._run(lambda: memory.create_connector({"name": "new"}))
        record(sim, "newest", [("connector", made)])
        seen = survey(sim, [*ids, "newest"], FEW)
        assert [r.exists for r in seen.workflows[-1].resources] == [True]
        assert sim.requests("GET", f"/connectors/{made}")


def test_a_hidden_model_is_in_no_search_and_there_all_the_same(sim: Any) -> None:
    ids = estate(sim, 12)
    hits: list[Any] = []
    sim.faults.answer("POST", "/_ml/models/_search", 200, {"hits": {"total": {"value": 0, "relation": "eq"}, "hits": hits}}, times=None)
    assert all(r.exists for w in survey(sim, ids, FEW).workflows for r in w.resources)


def test_up_to_ten_workflows_are_read_in_real_time(sim: Any) -> None:
    ids = estate(sim, FEW + 1)
    survey(sim, ids[:FEW], FEW)
    assert len(sim.requests("GET", "/workflow/[^/]+/_status")) == FEW and not sim.requests("POST", "/_msearch")
    sim.clear_log()
    survey(sim, ids, FEW)
    assert not sim.requests("GET", "/workflow/[^/]+/_status")


def test_many_workflows_are_torn_down_after_a_bulk_read(sim: Any) -> None:
    ids = estate(sim, 12, ("connector", "model", "index"))
    result = run(sim, ids, allow_delete=[f"{id_}-index" for id_ in ids])
    assert not result["failed"], result["msg"]
    assert result["summary"]["deleted"] == 36 and sim.world.ids("index") == sim.world.ids("model") == []


# -- refusals, failures, outages ---------------------------------------------------------------------------------------

DENIED = {"error": {"type": "security_exception", "reason": "no permissions for [x]"}, "status": 403}
BULK_READS: dict[str, tuple[str, str]] = {
    "states": ("POST", "/workflow/state/_search"),
    "templates": ("POST", "/workflow/_search"),
    "connectors": ("POST", "/_ml/connectors/_search"),
    "models": ("POST", "/_ml/models/_search"),
    "agents": ("POST", "/_ml/agents/_search"),
    "model groups": ("POST", "/_ml/model_groups/_search"),
    "ingest pipelines": ("GET", r"/_ingest/pipeline(\?|$)"),
    "search pipelines": ("GET", r"/_search/pipeline(\?|$)"),
    "indices": ("GET", r"^/[^/]+\?ignore_unavailable"),
    "sizes": ("GET", r"/_stats/store,translog"),
    "counts": ("POST", "/_msearch"),
}


@pytest.mark.parametrize("read", BULK_READS)
def test_a_denied_bulk_read_is_done_one_by_one_and_the_same_is_seen(sim: Any, read: str) -> None:
    ids = estate(sim, 12, ("connector", "model_group", "model", "agent", "ingest_pipeline", "index", "search_pipeline"))
    sim.faults.answer(*BULK_READS[read], 403, DENIED, times=None)
    many, single = both(sim, ids)
    assert without_warnings(many) == without_warnings(single)
    assert all(r.exists for w in many.workflows for r in w.resources)
    told = [text for text in many.warnings if "in bulk was refused" in text]
    assert len(told) == (0 if "pipelines" in read else 1), many.warnings
    if read == "counts":
        assert not sim.requests("GET", r"/_stats/docs,store,translog") or sim.requests("GET", "/_count")


FAILURES: dict[str, tuple[int, Any]] = {
    "an error of the server": (500, {"error": {"type": "x", "reason": "it broke"}, "status": 500}),
    "a refusal": (400, {"error": {"type": "x", "reason": "not like that"}, "status": 400}),
    "an empty object": (200, {}),
    "a list": (200, []),
    "no hits": (200, {"hits": {"hits": {"a": 1}}, "responses": 5, "indices": []}),
    "hits that are none": (200, {"hits": {"hits": ["x", {"_id": 5}, {"_id": "w0", "_source": "x"}, {"_id": "w0", "_source": {}}]}, "responses": [1]}),
}
OWN = {name: read for name, read in BULK_READS.items() if name in ("templates", "connectors", "indices", "sizes", "counts")}  # of the bulk alone


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("read", OWN)
def test_a_failed_or_malformed_bulk_read_proves_nothing_and_the_same_is_seen(sim: Any, read: str, failure: str) -> None:
    ids = estate(sim, 12)
    single = survey(sim, ids, ONE_BY_ONE)
    sim.faults.answer(*OWN[read], *FAILURES[failure], times=None)
    assert without_warnings(survey(sim, ids, 0)) == without_warnings(single)


def test_a_hit_that_is_no_state_of_that_workflow_proves_nothing(sim: Any) -> None:
    ids = estate(sim, 12)
    single = survey(sim, ids, ONE_BY_ONE)
    hits = [{"_id": "w0", "_source": {"workflow_id": "w1", "state": "FAILED"}}, {"_id": "w1", "_source": {"workflow_id": "w1"}}]
    sim.faults.answer("POST", "/workflow/state/_search", 200, {"hits": {"hits": hits}}, times=1)
    assert survey(sim, ids, 0) == single


def test_a_name_behind_which_other_indices_stand_is_asked_for_alone(sim: Any) -> None:
    """A data stream: a list shows its backing indices, whose aliases do not name it (tests/opensearch/test_native.py)."""
    ids = estate(sim, 12, ("connector",))
    node = {"id": "i", "type": "create_index", "user_inputs": {"index_name": "stream"}}
    sim.load({"workflow_id": "s", "state": "NOT_STARTED"}, {"name": "s", "workflows": {"provision": {"nodes": [node]}}})
    backing = {".ds-stream-000001": {"settings": {"index": {"uuid": "u"}}}}
    sim.faults.answer("GET", r"^/stream(\?|$)", 200, backing, times=None)
    many, single = both(sim, [*ids, "s"])
    assert many == single and [(one.kind, one.id) for one in many.unrecorded] == [("index", "stream")]


def test_an_index_that_is_another_in_its_statistics_is_asked_for_one_by_one(sim: Any) -> None:
    """Replaced between two reads."""
    ids = estate(sim, 12, ("index",))
    seen: list[Any] = []

    def replaced(request: Any) -> None:
        if "/_stats/store,translog" in request.path and not seen:
            seen.append(request)
            sim._memory.put("index", "w0-index", uuid="another", documents=8)

    sim.faults.hook(replaced)
    index = survey(sim, ids, 0).workflows[0].resources[0]
    assert (index.uuid, index.documents) == ("another", 8)
    assert sim.requests("GET", r"^/w0-index\?") and not sim.requests("GET", r"^/w1-index\?")


OUTAGES: dict[str, Callable[[Any, str, str], None]] = {
    "unauthorised": lambda sim, method, path: sim.faults.answer(method, path, 401, "Unauthorized", "text/plain", times=None),
    "unavailable": lambda sim, method, path: sim.faults.answer(method, path, 503, {}, times=None),
    "busy": lambda sim, method, path: sim.faults.answer(method, path, 429, {}, times=None),
    "reset": lambda sim, method, path: sim.faults.cut(method, path, "reset", times=None),
    "truncated": lambda sim, method, path: sim.faults.cut(method, path, "truncate", times=None),
    "html": lambda sim, method, path: sim.faults.cut(method, path, "html", times=None),
}


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("read", OWN)
def test_an_outage_in_a_bulk_read_stops_the_task_and_is_never_absence(sim: Any, read: str, outage: str) -> None:
    ids = estate(sim, 12)
    OUTAGES[outage](sim, *OWN[read])
    sim.clear_log()
    with pytest.raises(SurveyError) as raised:
        survey(sim, ids, 0, request_timeout=0.2)
    assert raised.value.stops_all == (outage == "unauthorised")
    assert len(sim.requests()) < 30, "and is not asked for one by one"


# -- permissions -------------------------------------------------------------------------------------------------------

TEARDOWN, MANY = (permitted_by(documented_roles()[name]) for name in ("flow_framework_teardown", "flow_framework_many"))


def as_user(sim: Any, permissions: list[str], ids: list[str]) -> Survey:
    sim.add_user("least", "leastpassword", permissions)
    return survey(sim, ids, FEW, username="least", password="leastpassword")


def test_the_role_of_the_documentation_is_enough_to_read_many(secured: Any) -> None:
    ids = estate(secured, 12, (*ESTATE, "agent", "model_group"))
    seen = as_user(secured, TEARDOWN + MANY, ids)
    assert seen.warnings == () and all(r.exists for w in seen.workflows for r in w.resources)
    assert {one.status for one in secured.requests()} == {200}


@pytest.mark.parametrize("left_out", MANY)
def test_without_the_permission_for_reading_many_it_is_said_once_and_read_one_by_one(secured: Any, left_out: str) -> None:
    ids = estate(secured, 12)
    full = TEARDOWN + MANY
    seen = as_user(secured, [one for one in full if one != left_out], ids)
    assert len(seen.warnings) == 1 and left_out in seen.warnings[0]
    assert all(r.exists for w in seen.workflows for r in w.resources)
    assert all(r.documents == 3 for w in seen.workflows for r in w.resources if r.kind == "index")


# -- how many ----------------------------------------------------------------------------------------------------------


def test_a_thousand_workflows_of_five_resources_take_twenty_requests_and_one_for_each_3500_bytes_of_names() -> None:
    names: list[str] = []
    with running() as sim:

        def fill() -> None:
            for number in range(1000):
                ids = {kind: f"preview-environment-{number}-{kind.replace('_', '-')}" for kind in ESTATE}
                names.extend(ids.values())
                for kind, id_ in ids.items():
                    made = {"connector_id": ids["connector"], "state": "DEPLOYED"} if kind == "model" else {}
                    sim._memory.put(kind, id_, **made)
                recorded = [
                    {"workflow_step_name": step, "workflow_step_id": step, "resource_type": "x_id", "resource_id": ids[kind]}
                    for step, kind in worlds.STEPS.items()
                    if kind in ids and step not in ("reindex", "register_local_pretrained_model")
                ]
                node = {"id": "i", "type": "create_index", "user_inputs": {"index_name": ids["index"]}}
                template = {"name": f"pr-{number}", "workflows": {"provision": {"nodes": [node]}}}
                sim._engine.load({"workflow_id": f"w{number}", "state": "COMPLETED", "resources_created": recorded}, template)

        fill()
        seen = survey(sim, [f"w{number}" for number in range(1000)], FEW)
        assert sum(1 for w in seen.workflows for r in w.resources if r.exists) == 5000
        length = sum(len(quote(name, safe="")) for name in names)
        assert len(sim.requests()) <= 20 + length // 3500
        assert max(len(one.target) for one in sim.requests()) <= api.LONGEST_TARGET
        assert writes(sim) == []


def test_a_name_list_never_outgrows_a_request_line_and_loses_no_name() -> None:
    rng = Random(3)
    names = ["".join(rng.choice("abcä-.") for _sign in range(rng.choice([1, 30, 200]))) + str(number) for number in range(900)]
    found = list(api.pages_that_fit(names, api.indices_target))
    assert [name for page in found for name in page] == names
    assert all(len(api.indices_target(page)) <= api.LONGEST_TARGET for page in found)
    assert len(found) <= 3 + sum(len(quote(name, safe="")) + 1 for name in names) // 3400


# -- who uses what, beyond one page ------------------------------------------------------------------------------------


def test_users_are_found_beyond_one_page_of_terms_and_of_hits(sim: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MOST_TERMS", 5)
    monkeypatch.setattr(api, "LARGEST_PAGE", 7)
    ids = estate(sim, 13, ("connector", "ingest_pipeline"))
    for number in range(13):
        for copy in range(3):
            sim.world.put("model", f"outside-{number}-{copy}", connector_id=f"w{number}_connector")
        record(sim, f"other{number}", [("ingest_pipeline", f"w{number}-ingest-pipeline")])
    seen = survey(sim, ids, FEW)
    for number, workflow in enumerate(seen.workflows):
        connector, pipeline = workflow.resources
        assert sorted(map(str, connector.users)) == [f"model/outside-{number}-{copy}" for copy in range(3)]
        assert [str(user) for user in pipeline.users] == [f"workflow/other{number}"]
    for one in sim.requests("POST", "_search"):
        for listed in re.findall(r"'(?:resources_created.resource_id|connector_id.keyword)': \[([^\]]*)\]", str(one.body)):
            assert listed.count(",") < 5


def test_more_agents_than_one_search_shows_are_said(sim: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "LARGEST_PAGE", 3)
    estate(sim, 1, ("connector",))
    for number in range(4):
        sim.world.put("agent", f"a{number}")
    assert [text for text in survey(sim, ["w0"], FEW).warnings if "more agents than one search shows" in text]


def test_a_search_is_not_believed_that_a_workflow_records_nothing() -> None:
    """It was provisioned a moment ago: the search still shows the state before, and nobody would look at it again."""
    with running(clock=1.0) as sim:
        ids = [f"w{number}" for number in range(12)]
        for workflow_id in ids:
            sim.load({"workflow_id": workflow_id, "state": "NOT_STARTED"}, {"name": workflow_id, "workflows": {"provision": {"nodes": []}}})
        for workflow_id in ids:
            sim.world.put("agent", f"{workflow_id}-agent")
            entry = {"workflow_step_name": "register_agent", "workflow_step_id": "a", "resource_type": "agent_id", "resource_id": f"{workflow_id}-agent"}
            change = {"state": "COMPLETED", "provisioning_progress": "DONE", "resources_created": [entry]}
            sim._engine._states().update(workflow_id, change)
        result = run(sim, ids)
        assert result["summary"]["deleted"] == 12, result["msg"]
