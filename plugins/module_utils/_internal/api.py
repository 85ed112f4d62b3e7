# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The REST calls: a call in, one classified Answer out. No policy: nothing here decides what is deleted."""

from __future__ import annotations

import json
import time
from typing import Any, Callable, Iterable, Iterator, Sequence, TypeVar
from urllib.parse import quote, urlencode

from .answers import FAILED, LOST, MISSING, NOT_OPENSEARCH, OK, THROTTLED, UNAVAILABLE, UNREACHABLE, WORKFLOWS, Answer, action_of, classify
from .connection import Connection, Node
from .resources import KINDS, error_of

T = TypeVar("T")

DEPROVISION_ACTION = "cluster:admin/opensearch/flow_framework/workflow/deprovision"
LISTING_ACTION = "cluster:monitor/tasks/lists"
STATE_INDEX = ".plugins-flow-framework-state"

TEMPLATE_FIELDS = ["name", "use_case", "created_time", "last_updated_time"]
INDEX_FIELDS = (
    "aliases",
    "mappings._meta.description",
    *("settings.index." + name for name in ("uuid", "creation_date", "refresh_interval", "blocks")),
)
STATS_FIELDS = ("uuid", "total.store.size_in_bytes", "total.translog.uncommitted_operations")

LONGEST_TARGET = 3800  # bytes of path and query: the server refuses a request line of more than 4,096, and url may have a prefix

LARGEST_PAGE = 10000  # hits: max_result_window, and the highest number of workflows that a server can be set to hold (behaviour.md 6)
MOST_TERMS = 10000  # in one query: the server takes 65,536 (index.max_terms_count)

READ_TRIES = 4
READ_PAUSE = 0.5  # seconds, growing with each try
LONGEST_READ_PAUSE = 3.0  # seconds


class Api:
    """The calls. Reads go to any node and may be repeated; a call that changes something is sent once, to one node."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    # -- reads ---------------------------------------------------------------------------------------------

    def info(self) -> Answer:
        """``GET /``: names and version of the cluster."""
        return self.read("GET", "/")

    def info_of(self, node: Node, timeout: float) -> Answer:
        """``GET /`` of one node: its own name is in it. ``timeout`` in seconds."""
        return self.send(node, "GET", "/", None, timeout)

    def plugins(self) -> Answer:
        """The plugins of every node, a list of ``name``, ``component``, ``version``."""
        return self.read("GET", "/_cat/plugins?format=json")

    def status(self, workflow_id: str) -> Answer:
        """The state document of a workflow, in real time. OK only with a document of that id."""
        answer = self.read("GET", "%s/%s/_status?all=true" % (WORKFLOWS, quote(workflow_id, safe="")))
        if answer.ok and not (isinstance(answer.body, dict) and answer.body.get("workflow_id") == workflow_id):
            return Answer(NOT_OPENSEARCH, answer.status, None, "The answer is not the state of workflow %s." % workflow_id)
        return answer

    def state_index_exists(self) -> Answer:
        """A search of states for nothing: OK when their index exists, MISSING when Flow Framework was never used."""
        answer = self.read("POST", WORKFLOWS + "/state/_search", {"size": 0, "query": {"match_all": {}}})
        if answer.outcome == MISSING and STATE_INDEX not in json.dumps(answer.body):
            return Answer(FAILED, answer.status, answer.body, answer.sentence)
        return answer

    def template(self, workflow_id: str) -> Answer:
        """The template of a workflow."""
        return self.read("GET", "%s/%s" % (WORKFLOWS, quote(workflow_id, safe="")))

    def look(self, kind: str, resource_id: str) -> Answer:
        """One resource by its id. OK: it is there; MISSING: the server says in so many words that it is not."""
        answer = self.read("GET", KINDS[kind].target(resource_id))
        if answer.outcome == MISSING and not KINDS[kind].is_gone(answer.body):
            return Answer(FAILED, answer.status, answer.body, answer.sentence)
        return answer

    def pipelines(self, kind: str) -> Answer:
        """All pipelines of one kind by id: an id with a comma is found only there (recording comma_lookup)."""
        answer = self.read("GET", KINDS[kind].collection)
        if answer.outcome == MISSING and answer.body == {}:
            return Answer(OK, answer.status, {}, "")
        return answer

    def count(self, index: str) -> Answer:
        """The documents of an index."""
        return self.read("GET", KINDS["index"].target(index) + "/_count")

    def stats(self, index: str) -> Answer:
        """Size and uncommitted operations of an index."""
        return self.read("GET", KINDS["index"].target(index) + "/_stats/docs,store,translog")

    def running_snapshots(self) -> Answer:
        """The snapshots that are being taken now, with their indices: an index in one cannot be deleted."""
        return self.read("GET", "/_snapshot/_status")

    def repository(self, name: str) -> Answer:
        """A snapshot repository."""
        return self.read("GET", "/_snapshot/%s" % quote(name, safe=""))

    def snapshot(self, repository: str, name: str) -> Answer:
        """A snapshot, as it is now. MISSING only when the server says in so many words that there is none."""
        answer = self.read("GET", snapshot_target(repository, name))
        if answer.outcome == MISSING and error_of(answer.body).get("type") != "snapshot_missing_exception":
            return Answer(FAILED, answer.status, answer.body, answer.sentence)
        return answer

    def models_of(self, connectors: Iterable[str], groups: Iterable[str]) -> Answer:
        """The models that use connectors or belong to groups: one field is found as keyword, the other as it is
        (recording looking_for_users_of_a_connector)."""
        either = [{"terms": {"connector_id.keyword": sorted(connectors)}}, {"terms": {"model_group_id": sorted(groups)}}]
        return self.search(KINDS["model"].collection, {"bool": {"should": either}}, ["name", "connector_id", "model_group_id"])

    def model_groups_named(self, names: Iterable[str]) -> Answer:
        """Model groups by name."""
        return self.search(KINDS["model_group"].collection, {"terms": {"name.keyword": sorted(names)}}, ["name"])

    def agents(self) -> Answer:
        """All agents, with everything that they refer to."""
        return self.search(KINDS["agent"].collection, {"match_all": {}})

    def states_with(self, resource_ids: Iterable[str], outside: Iterable[str]) -> Answer:
        """The states of other workflows than C(outside) that record one of some ids."""
        query = {"bool": {"filter": [recorded_one_of(resource_ids)], "must_not": [{"ids": {"values": sorted(outside)}}]}}
        return self.search(WORKFLOWS + "/state", query, ["resources_created"])

    def index_settings(self) -> Answer:
        """The settings of all indices that name a resource."""
        names = ",".join(setting for kind in KINDS.values() for setting in kind.settings)
        return self.read("GET", "/_all/_settings/%s?flat_settings=true&expand_wildcards=all" % names)

    def search(self, path: str, query: dict[str, Any], fields: list[str] | None = None) -> Answer:
        """As much of what a query finds as one page can hold; C(is_whole) says whether that is all of it."""
        body: dict[str, Any] = {"size": LARGEST_PAGE, "query": query}
        if fields is not None:
            body["_source"] = fields
        return self.read("POST", path + "/_search", body)

    # -- reads of many things at once: they prove what is there, and never that something is not ------------

    def states_by_id(self, workflow_ids: Sequence[str]) -> Answer:
        """State documents by id. Without C(_source): with it the server hides the owner from everybody (behaviour.md 1.4)."""
        return self.search(WORKFLOWS + "/state", {"ids": {"values": list(workflow_ids)}})

    def states_after(self, query: dict[str, Any], size: int, after: str | None) -> Answer:
        """A page of states, in the order of their ids.

        C(workflow_id) is a keyword in the mapping of every version and stands in every state document, so a page that
        begins after the last id loses none and shows none twice, whatever is created meanwhile. (To sort by C(_id) can
        be switched off on a cluster.)
        """
        body: dict[str, Any] = {"size": size, "query": query, "sort": [{"workflow_id": "asc"}]}
        if after is not None:
            body["search_after"] = [after]
        return self.read("POST", WORKFLOWS + "/state/_search", body)

    def templates_by_id(self, workflow_ids: Sequence[str]) -> Answer:
        """Templates by id, without what nobody here reads."""
        return self.search(WORKFLOWS, {"ids": {"values": list(workflow_ids)}}, TEMPLATE_FIELDS + literal_fields())

    def templates(self) -> Answer:
        """Name, use case and time of every template, in one page. A template document holds no field of its own that is unique."""
        return self.search(WORKFLOWS, {"match_all": {}}, TEMPLATE_FIELDS)

    def ml_by_id(self, kind: str, ids: Sequence[str]) -> Answer:
        """Connectors, models, agents or model groups by id. The chunks of a model have ids of their own and are not found."""
        return self.search(KINDS[kind].collection, {"ids": {"values": list(ids)}}, ["name", "model_state"])

    def indices(self, names: Sequence[str]) -> Answer:
        """Of all these indices what C(look) shows of one, as far as it is read, with their aliases; those that are not there are left out."""
        return self.read("GET", indices_target(names))

    def stats_of(self, names: Sequence[str]) -> Answer:
        """Size and uncommitted operations of each of these indices; closed ones and those that are not there are left out."""
        return self.read("GET", stats_target(names))

    def counts(self, names: Sequence[str]) -> Answer:
        """The documents of each index, in the order of C(names): C(_count) of many, without names in the path.

        An answer is that of a search: OK as a whole, each with a status of its own.
        """
        body = {"size": 0, "track_total_hits": True, "query": {"match_all": {}}}
        lines = "".join("%s\n%s\n" % (json.dumps({"index": name}), json.dumps(body)) for name in names)
        return self.read("POST", "/_msearch", lines.encode("utf-8"))

    def clock(self) -> Answer:
        """The list of the tasks that list tasks: it always holds this very request, with the time at which it began.

        The cheapest that tells a node's own time: nothing is collected for it, and C(cluster:monitor/tasks/lists) is needed
        for a teardown anyway (guide_permissions). OpenSearch sends no C(Date) header.
        """
        return self.read("GET", "/_tasks?%s" % urlencode({"actions": LISTING_ACTION}))

    def deprovision_tasks(self) -> Answer:
        """The deprovisions under way on every node, anybody's, with their X-Opaque-Id."""
        return self.read("GET", "/_tasks?%s" % urlencode({"actions": DEPROVISION_ACTION, "detailed": "true"}))

    def deprovision_pool(self) -> Answer:
        """The threads that deprovision, a row a node."""
        return self.read("GET", "/_cat/thread_pool/opensearch_deprovision_workflow?format=json&h=node_name,active,queue,max,completed")

    def provision_pool(self) -> Answer:
        """The threads that provision, a row a node: active as long as anything is being provisioned, also after FAILED."""
        return self.read("GET", "/_cat/thread_pool/opensearch_provision_workflow?format=json&h=node_name,active,queue")

    # -- calls that change something -----------------------------------------------------------------------

    def deprovision(self, node: Node, workflow_id: str, allow_delete: Sequence[str], opaque_id: str, timeout: float) -> Answer:
        """Deprovision one workflow on one node; sent once. ``timeout`` in seconds: the server answers when it is done."""
        target = deprovision_target(workflow_id, allow_delete)
        return self.send(node, "POST", target, None, timeout, {"x-opaque-id": opaque_id})

    def delete_workflow(self, workflow_id: str, clear_status: bool) -> Answer:
        """Delete a template; with C(clear_status) (2.15 and later) its state too, whatever that records. Sent once."""
        target = "%s/%s" % (WORKFLOWS, quote(workflow_id, safe=""))
        return self.send_once("DELETE", target + ("?clear_status=true" if clear_status else ""), self.connection.timeout)

    def take_snapshot(self, repository: str, name: str, indices: Sequence[str]) -> Answer:
        """Begin a snapshot of indices, all of each of them; sent once, and answered before it is taken."""
        body = {"indices": list(indices), "ignore_unavailable": False, "include_global_state": False, "partial": False}
        return self.send_once("PUT", snapshot_target(repository, name) + "?wait_for_completion=false", self.connection.timeout, body)

    def put(self, kind: str, resource_id: str, body: dict[str, Any]) -> Answer:
        """Create one resource by its own API; sent once."""
        return self.send_once("PUT", KINDS[kind].target(resource_id), self.connection.timeout, body=body)

    def delete(self, kind: str, resource_id: str) -> Answer:
        """Delete one resource by its own API; sent once."""
        return self.send_once("DELETE", KINDS[kind].target(resource_id), self.connection.timeout)

    # -- sending -------------------------------------------------------------------------------------------

    def read(self, method: str, target: str, body: dict[str, Any] | bytes | None = None) -> Answer:
        """Ask until a node answers, each time the next one. C(body) of bytes: lines of JSON.

        A node that cannot be reached is tried a few times, and where one did not answer in time the next is asked once; one
        that says that it is starting or busy is asked for as long as one request may take.
        """
        nodes, patience = self.connection.nodes, time.monotonic() + self.connection.timeout
        attempt = 0
        while True:
            answer = self.send(nodes[attempt % len(nodes)], method, target, body, self.connection.timeout)
            attempt += 1
            in_time = time.monotonic() < patience
            waited_out = answer.outcome in (UNAVAILABLE, THROTTLED) and in_time
            again = answer.outcome in (UNREACHABLE, LOST) and attempt < max(READ_TRIES, len(nodes)) and (in_time or attempt == 1)
            if not (waited_out or again):
                return answer
            time.sleep(min(READ_PAUSE * attempt, LONGEST_READ_PAUSE))

    def send_once(self, method: str, target: str, timeout: float, body: dict[str, Any] | None = None) -> Answer:
        """Send what changes something. Only where nothing was sent is the next node tried."""
        answer = Answer(UNREACHABLE, None, None, "")
        for node in self.connection.nodes:
            answer = self.send(node, method, target, body, timeout)
            if answer.outcome != UNREACHABLE:
                break
        return answer

    def send(
        self,
        node: Node,
        method: str,
        target: str,
        body: dict[str, Any] | bytes | None,
        timeout: float,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request, one classified answer."""
        data = body
        if isinstance(data, bytes):
            headers = dict(headers or {}, **{"content-type": "application/x-ndjson"})
        elif data is not None:
            data = json.dumps(data).encode("utf-8")
        return classify(node.send(method, target, data, timeout, headers), node.url, action_of(method, target))


def deprovision_target(workflow_id: str, allow_delete: Sequence[str]) -> str:
    """Path and query of a deprovision. Everything is quoted; below 2.16 there is nothing to name, so no parameter."""
    target = "%s/%s/_deprovision" % (WORKFLOWS, quote(workflow_id, safe=""))
    if allow_delete:
        target += "?" + urlencode({"allow_delete": ",".join(allow_delete)}, quote_via=quote)
    return target


def snapshot_target(repository: str, name: str) -> str:
    """The path of a snapshot."""
    return "/_snapshot/%s/%s" % (quote(repository, safe=""), quote(name, safe=""))


def first_that_fit(workflow_id: str, allow_delete: Sequence[str]) -> list[str]:
    """As many ids as one request line bears; the others go with the next call (recording long_url)."""
    fitting: list[str] = []
    for resource_id in allow_delete:
        if fitting and len(deprovision_target(workflow_id, [*fitting, resource_id])) > LONGEST_TARGET:
            break
        fitting.append(resource_id)
    return fitting


def recorded_one_of(resource_ids: Iterable[str]) -> dict[str, Any]:
    """The query for states that record one of some ids. The list is mapped as nested (behaviour.md 1.4)."""
    return {"nested": {"path": "resources_created", "query": {"terms": {"resources_created.resource_id": sorted(resource_ids)}}}}


def literal_fields() -> list[str]:
    """The fields of a template that say what its steps create under a name of its own."""
    inputs = {step.named_by for kind in KINDS.values() for step in kind.steps.values() if step.named_by}
    return ["workflows.provision.nodes.type", *("workflows.provision.nodes.user_inputs." + name for name in sorted(inputs))]


def list_of(names: Sequence[str]) -> str:
    """Names of indices as a path takes a list of them."""
    return ",".join(quote(name, safe="") for name in names)


def indices_target(names: Sequence[str]) -> str:
    """Path and query of C(Api.indices)."""
    return "/%s?ignore_unavailable=true&filter_path=%s" % (list_of(names), ",".join("*." + name for name in INDEX_FIELDS))


def stats_target(names: Sequence[str]) -> str:
    """Path and query of C(Api.stats_of)."""
    return "/%s/_stats/store,translog?ignore_unavailable=true&filter_path=%s" % (list_of(names), ",".join("indices.*." + name for name in STATS_FIELDS))


def pages(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Some items in pieces of C(size) at most."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def pages_that_fit(names: Iterable[str], target: Callable[[Sequence[str]], str]) -> Iterator[list[str]]:
    """Names in lists that one request line bears each. A name that bears no company goes alone."""
    page: list[str] = []
    room = LONGEST_TARGET - len(target([]))
    used = 0
    for name in names:
        length = len(quote(name, safe="")) + 1
        if page and used + length > room:
            yield page
            page, used = [], 0
        page.append(name)
        used += length
    if page:
        yield page


def clock_of(answer: Answer) -> int | None:
    """The time in milliseconds since 1970 at which the node of C(Api.clock) answered; None where it does not say.

    The list holds itself: it was asked for by the name of that very action (tests/opensearch/test_native.py).
    """
    nodes = answer.body.get("nodes") if answer.ok and isinstance(answer.body, dict) else None
    tasks = [task for node in (nodes or {}).values() for task in (node.get("tasks") or {}).values()]
    times = [task.get("start_time_in_millis") for task in tasks if task.get("action") == LISTING_ACTION]
    return max((time for time in times if isinstance(time, int)), default=None)
