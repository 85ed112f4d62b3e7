# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who uses what the workflows of a task recorded: a few requests for the whole task, however many workflows.

What may not be read is said once, and found nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterable, Iterator, Sequence, TypeVar

from .answers import Answer, Readable, hits_of, is_whole
from .api import LARGEST_PAGE, MOST_TERMS, Api, pages
from .resources import KINDS, Key, generated_kinds, kind_of, titles

T = TypeVar("T")


@dataclass(frozen=True)
class User:
    """Something that uses a resource. ``steps``: what a workflow recorded it with."""

    kind: str
    id: str
    name: str = ""
    steps: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """Kind and id."""
        return self.kind, self.id

    def __str__(self) -> str:
        return "%s/%s" % (self.kind, self.id)


class Users:
    """The users of some resources, collected."""

    def __init__(self, wanted: Iterable[Key]) -> None:
        self.wanted: set[Key] = set(wanted)
        self.found: dict[Key, list[User]] = {}
        self.noted: set[tuple[Key, User]] = set()

    def of_kind(self, *kinds: str) -> list[str]:
        """The ids that are asked for, of some kinds."""
        return sorted(resource_id for kind, resource_id in self.wanted if kind in kinds)

    def add(self, key: Key, user: User) -> None:
        """Note one use; a thing does not use itself."""
        if key in self.wanted and key != user.key and (key, user) not in self.noted:
            self.noted.add((key, user))
            self.found.setdefault(key, []).append(user)


def find_users(api: Api, workflow_ids: Iterable[str], wanted: Iterable[Key], readable: Readable, warn: Callable[[str], None]) -> dict[Key, list[User]]:
    """Every use of the wanted resources that a few requests show. ``readable`` passes an answer on or says what is missing."""
    users = Users(wanted)
    if not users.wanted:
        return {}
    recorded_elsewhere(api, users, workflow_ids, readable)
    models_of(api, users, readable)
    generated = set(users.of_kind(*generated_kinds()))
    in_settings = bool(users.of_kind(*[name for name, kind in KINDS.items() if kind.settings]))
    if generated:
        answer = readable(api.agents(), "Reading agents")
        if not is_whole(answer):
            warn("There are more agents than one search shows (%d): what the others use is not known." % LARGEST_PAGE)
        for hit in hits_of(answer):
            refer(users, User("agent", str(hit.get("_id")), str((hit.get("_source") or {}).get("name", ""))), hit.get("_source"), generated)
    if generated or in_settings:
        pipelines_of(api, users, generated, readable)
    if in_settings:
        settings_of(api, users, readable)
    return users.found


def every_hit(ask: Callable[[Sequence[T]], Answer], items: Sequence[T], readable: Readable, doing: str) -> Iterator[dict[str, Any]]:
    """The hits of a search for many terms, in requests that hold as many terms as the server takes.

    Where one answer cannot hold all hits the terms are asked for in halves: that needs no order that a cluster may refuse
    to sort by. A hit may come twice.
    """
    for page in pages(items, MOST_TERMS):
        answer = readable(ask(page), doing)
        if is_whole(answer) or len(page) == 1:
            yield from hits_of(answer)
        else:
            half = len(page) // 2
            yield from every_hit(ask, page[:half], readable, doing)
            yield from every_hit(ask, page[half:], readable, doing)


def recorded_elsewhere(api: Api, users: Users, workflow_ids: Iterable[str], readable: Readable) -> None:
    """Workflows outside the task that record the same."""
    inside = set(workflow_ids)
    ids = sorted({resource_id for dummy, resource_id in users.wanted})
    for hit in every_hit(lambda page: api.states_with(page, inside), ids, readable, "Searching other workflows"):
        source = hit.get("_source") or {}
        steps: dict[Key, list[str]] = {}
        for entry in source.get("resources_created") or ():
            step = str(entry.get("workflow_step_name"))
            steps.setdefault((kind_of(step), str(entry.get("resource_id"))), []).append(step)
        for key, names in steps.items():
            users.add(key, User("workflow", str(hit.get("_id")), steps=tuple(names)))


def models_of(api: Api, users: Users, readable: Readable) -> None:
    """Models of the connectors and of the model groups (recording looking_for_users_of_a_connector)."""
    makers = sorted(key for key in users.wanted if key[0] in ("connector", "model_group"))

    def ask(page: Sequence[Key]) -> Answer:
        return api.models_of([name for kind, name in page if kind == "connector"], [name for kind, name in page if kind == "model_group"])

    for hit in every_hit(ask, makers, readable, "Searching the models that use a connector or a group"):
        source = hit.get("_source") or {}
        user = User("model", str(hit.get("_id")), str(source.get("name", "")))
        users.add(("connector", str(source.get("connector_id"))), user)
        users.add(("model_group", str(source.get("model_group_id"))), user)


def pipelines_of(api: Api, users: Users, generated: set[str], readable: Readable) -> None:
    """Pipelines that refer to a model or an agent, and ingest pipelines that call another one."""
    for kind in [name for name, kind in KINDS.items() if kind.listed]:
        answer = readable(api.pipelines(kind), "Reading %s" % titles(kind))
        for name, body in (answer.body or {}).items() if answer.ok and isinstance(answer.body, dict) else ():
            refer(users, User(kind, name), body, generated)
            for called in called_pipelines(body) if kind == "ingest_pipeline" else ():
                users.add(("ingest_pipeline", called), User(kind, name))


def settings_of(api: Api, users: Users, readable: Readable) -> None:
    """Indices whose settings name a resource, as their default pipeline for instance."""
    answer = readable(api.index_settings(), "Reading the settings of indices")
    for index, body in (answer.body or {}).items() if answer.ok and isinstance(answer.body, dict) else ():
        settings = body.get("settings") or {}
        for kind in KINDS.values():
            for setting in set(kind.settings) & set(settings):
                users.add((kind.name, str(settings[setting])), User("index", index))


def refer(users: Users, user: User, body: Any, generated: set[str]) -> None:
    """Note every generated id that stands anywhere in a body: such an id is in no other use."""
    for text in set(strings_in(body)) & generated:
        for kind in generated_kinds():
            users.add((kind, text), user)


def strings_in(body: Any) -> Iterator[str]:
    """Every string of a JSON value."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict):
        for value in body.values():
            yield from strings_in(value)
    elif isinstance(body, list):
        for value in body:
            yield from strings_in(value)


def called_pipelines(body: Any) -> Iterator[str]:
    """The names that the C(pipeline) processors of an ingest pipeline call."""
    if isinstance(body, dict):
        called = body.get("pipeline")
        if isinstance(called, dict) and isinstance(called.get("name"), str):
            yield called["name"]
    for value in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
        yield from called_pipelines(value)
