# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many reads in a few requests: an Api that already knows the answers about what is there.

A Surveyor asks it one by one, as it asks any Api, and so decides the same. Only presence is ever known beforehand: what a
list or a search did not show, or did not show as expected, is asked for one by one (guide_architecture, rule 7).
"""

from __future__ import annotations

from typing import Any, Callable, Iterable, Sequence

from . import answers
from .answers import Answer, Readable, hits_of
from .api import LARGEST_PAGE, Api, indices_target, pages, pages_that_fit, stats_target
from .connection import Connection
from .resources import KINDS, Key, titles

MOST_COUNTS = 500  # searches in one request: the node works on a few of them at a time, and queues the others

# A page that was refused or failed says nothing; asking one by one shows why. Anything else stops the task, as it does there.
INDECISIVE = (
    *(answers.FORBIDDEN, answers.BLOCK, answers.REFUSED, answers.FAILED),
    *(answers.UNREADABLE, answers.DISABLED, answers.INCOMPLETE, answers.NEEDS_ALLOW_DELETE),
)


class BulkApi(Api):
    """Reads ahead, and then answers from what it read. Each answer is given once; the lists of pipelines are kept.

    ``readable`` raises what stops a task; ``warn`` says what takes longer. ``sure``: no search is believed that a workflow
    records nothing.
    """

    def __init__(self, connection: Connection, readable: Readable, warn: Callable[[str], None], sure: bool = False) -> None:
        super().__init__(connection)
        self.readable = readable
        self.warn = warn
        self.sure = sure
        self.known: dict[tuple[str, ...], Answer] = {}
        self.nothing: set[Key] = set()  # kind and name: a complete list shows nothing of that name
        self.lists: dict[str, Answer] = {}
        self.refused: set[str] = set()

    # -- what is answered from what was read ahead ----------------------------------------------------------

    def status(self, workflow_id: str) -> Answer:
        return self.known.pop(("status", workflow_id), None) or super().status(workflow_id)

    def template(self, workflow_id: str) -> Answer:
        return self.known.pop(("template", workflow_id), None) or super().template(workflow_id)

    def look(self, kind: str, resource_id: str) -> Answer:
        return self.known.get(("look", kind, resource_id)) or super().look(kind, resource_id)

    def count(self, index: str) -> Answer:
        return self.known.get(("count", index)) or super().count(index)

    def stats(self, index: str) -> Answer:
        return self.known.get(("stats", index)) or super().stats(index)

    def pipelines(self, kind: str) -> Answer:
        if kind not in self.lists:
            self.lists[kind] = super().pipelines(kind)
        return self.lists[kind]

    # -- reading ahead ---------------------------------------------------------------------------------------

    def read_workflows(self, workflow_ids: Sequence[str]) -> None:
        """States and templates of some workflows."""
        self.known.clear()
        for page in pages(workflow_ids, LARGEST_PAGE):
            for workflow_id, source in self.found(self.states_by_id(page), page, "Searching workflow states by id"):
                if source.get("workflow_id") == workflow_id and isinstance(source.get("state"), str) and (source.get("resources_created") or not self.sure):
                    self.learn(source, "status", workflow_id)
            for workflow_id, source in self.found(self.templates_by_id(page), page, "Searching templates by id"):
                if isinstance(source.get("name"), str):
                    self.learn(source, "template", workflow_id)

    def read_resources(self, keys: Iterable[Key]) -> None:
        """What is there of some resources. Ids that the cluster would take for more than themselves are left out."""
        self.known.clear()
        self.nothing.clear()
        ids: dict[str, dict[str, None]] = {}
        for kind, resource_id in keys:
            if kind in KINDS and not KINDS[kind].danger(resource_id):
                ids.setdefault(kind, {})[resource_id] = None
        for kind, wanted in ids.items():
            if KINDS[kind].generated:
                self.read_ml(kind, list(wanted))
            elif KINDS[kind].listed:
                self.read_pipelines(kind, wanted)
            elif kind == "index":
                self.read_indices(list(wanted))

    def read_ml(self, kind: str, ids: Sequence[str]) -> None:
        """Connectors, models, agents, model groups. Hidden ones are in no search."""
        for page in pages(ids, LARGEST_PAGE):
            for resource_id, source in self.found(self.ml_by_id(kind, page), page, "Searching %s by id" % titles(kind)):
                if kind != "model" or isinstance(source.get("model_state"), str):
                    self.learn(source, "look", kind, resource_id)

    def read_pipelines(self, kind: str, ids: Iterable[str]) -> None:
        """Pipelines, of which there is a list of all: cluster state, so it is never behind."""
        answer = self.pipelines(kind)
        if not answer.ok or not isinstance(answer.body, dict):
            return
        for pipeline in ids:
            if isinstance(answer.body.get(pipeline), dict):
                self.learn({pipeline: answer.body[pipeline]}, "look", kind, pipeline)
            elif pipeline not in answer.body:
                self.nothing.add((kind, pipeline))

    def read_indices(self, names: Sequence[str]) -> None:
        """Indices with their sizes and documents. All three have to be there for one, and for the same uuid."""
        there: dict[str, dict[str, Any]] = {}
        for page in pages_that_fit(names, indices_target):
            there.update(self.indices_in(page))
        stats: dict[str, Answer] = {}
        for page in pages_that_fit(there, stats_target):
            body = self.body(self.stats_of(page), "Reading sizes of indices").get("indices")
            for name, one in body.items() if isinstance(body, dict) else ():
                if name in there and isinstance(one, dict) and one.get("uuid") == uuid_of(there[name]) and isinstance(one.get("total"), dict):
                    stats[name] = Answer(answers.OK, 200, {"indices": {name: {"total": one["total"]}}}, "")
        counted = {name: answer for part in pages(list(stats), MOST_COUNTS) for name, answer in self.counted(part).items()}
        for name, answer in stats.items():
            if name in counted or COUNTING in self.refused:
                self.learn({name: there[name]}, "look", "index", name)
                self.known["stats", name] = answer
            if name in counted:
                self.known["count", name] = counted[name]

    def indices_in(self, page: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What one request shows of some names. An alias or a data stream is shown as the indices behind it."""
        answer = self.indices(page)
        body = self.body(answer, "Reading indices")
        wanted = set(page)
        found = {name: one for name, one in body.items() if name in wanted and isinstance(one, dict) and uuid_of(one)}
        aliases = {alias for one in body.values() if isinstance(one, dict) for alias in one.get("aliases") or ()}
        if answer.ok and set(body) <= wanted:
            self.nothing.update(("index", name) for name in wanted - set(body) - aliases)
        return found

    def counted(self, names: Sequence[str]) -> dict[str, Answer]:
        """The documents of some indices, each as C(_count) would say it."""
        responses = self.body(self.counts(names), COUNTING).get("responses") if COUNTING not in self.refused else None
        counted: dict[str, Answer] = {}
        for name, one in zip(names, responses if isinstance(responses, list) and len(responses) == len(names) else ()):
            total = ((one.get("hits") or {}).get("total") or {}) if isinstance(one, dict) and one.get("status") == 200 else {}
            if isinstance(total.get("value"), int) and total.get("relation") == "eq" and not one.get("timed_out"):
                counted[name] = Answer(answers.OK, 200, {"count": total["value"], "_shards": one.get("_shards")}, "")
        return counted

    # -- answers ---------------------------------------------------------------------------------------------

    def learn(self, body: dict[str, Any], *key: str) -> None:
        """Keep what a read of this one thing would have answered."""
        self.known[key] = Answer(answers.OK, 200, body, "")

    def body(self, answer: Answer, doing: str) -> dict[str, Any]:
        """The object that was answered; an empty one where it was refused or failed, with one warning.

        Raises, by way of ``readable``, for what stops every task.
        """
        if answer.outcome in INDECISIVE:
            if doing not in self.refused:
                self.refused.add(doing)
                self.warn("%s in bulk was refused, so it is done one by one, which takes longer. %s" % (doing, answer.sentence))
            return {}
        if answer.outcome not in (answers.MISSING, answers.NO_PLUGIN):
            self.readable(answer, doing)
        return answer.body if answer.ok and isinstance(answer.body, dict) else {}

    def found(self, answer: Answer, wanted: Iterable[str], doing: str) -> list[tuple[str, dict[str, Any]]]:
        """Id and document of each hit that was asked for and is as a hit should be."""
        self.body(answer, doing)
        ids = set(wanted)
        hits = [(hit.get("_id"), hit.get("_source")) for hit in hits_of(answer)]
        return [(hit_id, source) for hit_id, source in hits if isinstance(hit_id, str) and hit_id in ids and isinstance(source, dict)]


COUNTING = "Counting documents"


def uuid_of(index: dict[str, Any]) -> str | None:
    """The uuid in what a read shows of an index."""
    uuid = ((index.get("settings") or {}).get("index") or {}).get("uuid")
    return uuid if isinstance(uuid, str) else None
