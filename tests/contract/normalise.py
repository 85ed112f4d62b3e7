# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a recorded answer and a real one comparable: ids, times and prefixes that differ from run to run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .client import NOT_SENT, Answer
from .scenario import Exchange, Scenario, strings

GENERATED = re.compile(r"[A-Za-z0-9_-]{20,22}")
ID_KEYS = {"workflow_id", "model_id", "task_id", "connector_id", "model_group_id", "agent_id", "cluster_uuid", "uuid"}
GENERATED_TYPES = {"connector_id", "model_id", "model_group_id", "agent_id"}
UUID_IN_TEXT = re.compile(r"\[[^\]/]+/([A-Za-z0-9_-]{22})\]")

# Compared by type only: they differ from run to run.
VARYING = {
    "created_time", "last_updated_time", "last_deployed_time", "last_provisioned_time",
    "provision_start_time", "provision_end_time", "creation_date", "start_time_in_millis", "running_time_in_nanos",
    "took", "_seq_no", "_version", "_primary_term", "_score", "max_score", "size_in_bytes",
    "build_hash", "build_date", "created", "completed",
}  # fmt: skip
# The same where the answer describes the machine it came from: the key "name" means something else elsewhere.
VARYING_AT = {"/": {"name", "cluster_name"}, "/_cat/": {"name", "node_name"}}

# On a real server these depend on its own release, nodes, replicas and processors.
VARYING_ON_A_REAL_SERVER = {
    "number", "lucene_version", "minimum_wire_compatibility_version", "minimum_index_compatibility_version",
    "build_type", "version", "total", "successful", "planning_worker_node_count",
    "current_worker_node_count", "planning_worker_nodes", "active", "queue", "max",
}  # fmt: skip
# The record of who provisioned: there with security, not without, and another name on another server.
OWN_TO_A_SERVER = {"user"}

# Java sets: their order is random.
UNORDERED = {"roles", "backend_roles", "inputs", "outputs", "required_plugins"}

FLOW_FRAMEWORK = "/_plugins/_flow_framework/"


@dataclass
class Binding:
    """What stands for what: the recorded prefix for a fresh one, each recorded id for the real one."""

    old_prefix: str | None
    new_prefix: str
    generated: frozenset[str]
    ids: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Binding:
        return Binding(self.old_prefix, self.new_prefix, self.generated, dict(self.ids))

    def rewrite(self, value: Any) -> Any:
        """The recorded value with everything known put in; an id that is not known yet stays as it was."""
        if isinstance(value, str):
            return self._tokens().sub(lambda found: self._known(found.group()) or found.group(), value)
        if isinstance(value, dict):
            return {self.rewrite(key): self.rewrite(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.rewrite(inner) for inner in value]
        return value

    def unknown_in(self, value: Any) -> set[str]:
        """The recorded ids inside ``value`` that no earlier answer has given a real one for."""
        found = {token for text in strings(value) for token in self._tokens().findall(text)}
        return {token for token in found if self._known(token) is None}

    def match(self, recorded: str, actual: str) -> bool:
        """Whether ``actual`` is ``recorded`` with other ids; ids seen for the first time are bound."""
        pattern, names = self._pattern(recorded)
        found = re.fullmatch(pattern, actual, re.DOTALL)
        if not found:
            return False
        real = [found.group(index + 1) for index in range(len(names))]
        if set(real) & set(self.ids.values()):
            return False  # one real id can not stand for two recorded ones
        self.ids.update(zip(names, real, strict=True))
        return True

    def _pattern(self, recorded: str) -> tuple[str, list[str]]:
        names: list[str] = []
        pattern, at = "", 0
        for token in self._tokens().finditer(recorded):
            pattern += re.escape(recorded[at : token.start()])
            known = self._known(token.group())
            if known is not None:
                pattern += re.escape(known)
            elif token.group() in names:
                pattern += f"(?:\\{names.index(token.group()) + 1})"
            else:
                names.append(token.group())
                pattern += "([A-Za-z0-9_-]{1,64})"
            at = token.end()
        return pattern + re.escape(recorded[at:]), names

    def _known(self, token: str) -> str | None:
        return self.new_prefix if token == self.old_prefix else self.ids.get(token)

    def _tokens(self) -> re.Pattern[str]:
        words = [*sorted(self.generated, key=len, reverse=True), *([self.old_prefix] if self.old_prefix else [])]
        return re.compile("|".join(re.escape(word) for word in words) or r"(?!)")


@dataclass(frozen=True)
class Rules:
    """How close two answers have to be.

    ``real``: the server is not the simulator, so that it may say more about an index or a model than the recorded
    one did, hold documents of others, have several nodes, and have security where the recorded server had none.
    ``same``: both servers hold the same documents under the same ids, so that all hits count. ``also``: further keys
    that are compared by type only.
    """

    path: str
    sent: Any = NOT_SENT
    real: bool = False
    same: bool = False
    also: frozenset[str] = frozenset()

    def varying(self) -> set[str]:
        found = VARYING | self.also | (VARYING_ON_A_REAL_SERVER if self.real else set())
        for start, keys in VARYING_AT.items():
            if self.path == start or (start != "/" and self.path.startswith(start)):
                found = found | keys
        return found

    def may_say_more(self) -> bool:
        return self.real and not self.path.startswith(FLOW_FRAMEWORK)

    def size(self) -> int | None:
        """The page size that a search asked for."""
        return self.sent.get("size") if isinstance(self.sent, dict) else None


def binding_for(scenario: Scenario, fresh: str) -> Binding:
    """A binding that knows the prefix, and which words of the scenario are generated ids."""
    found: set[str] = set()
    for exchange in scenario.exchanges:
        found |= set(_generated(exchange))
    return Binding(scenario.prefix, fresh, frozenset(found))


def differences(recorded: Answer, actual: Answer, binding: Binding, rules: Rules) -> list[str]:
    """What is not alike, one line each, empty when the answers are equal. Binds ids seen for the first time."""
    found = []
    if recorded.status != actual.status:
        found.append(f"status: recorded {recorded.status}, answered {actual.status}")
    if recorded.content_type.lower() != actual.content_type.lower():
        found.append(f"content type: recorded {recorded.content_type!r}, answered {actual.content_type!r}")
    if rules.path.startswith("/_cat/") and recorded.status == 200:
        return found + _table_differences(recorded.body, actual.body, binding, rules)
    return found + _compare(recorded.body, actual.body, binding, rules, "body", "")


def _compare(recorded: Any, actual: Any, binding: Binding, rules: Rules, at: str, key: str) -> list[str]:
    if key in rules.varying() and not isinstance(recorded, dict):
        return [] if _same_type(recorded, actual) else [f"{at}: recorded {recorded!r}, answered {actual!r}"]
    if isinstance(recorded, dict) and isinstance(actual, dict):
        if {"took", "hits"} <= set(recorded) and not rules.same:
            return _compare_search(recorded, actual, binding, rules, at)
        return _compare_objects(recorded, actual, binding, rules, at)
    if isinstance(recorded, list) and isinstance(actual, list):
        return _compare_lists(recorded, actual, binding, rules, at, key)
    texts = isinstance(recorded, str) and isinstance(actual, str)
    alike = binding.match(recorded, actual) if texts else recorded == actual and type(recorded) is type(actual)
    return [] if alike else [f"{at}: recorded {binding.rewrite(recorded)!r}, answered {actual!r}"]


def _compare_objects(recorded: dict[str, Any], actual: dict[str, Any], binding: Binding, rules: Rules, at: str) -> list[str]:
    ignored = OWN_TO_A_SERVER if rules.real else set()
    keys = _paired_keys(recorded, actual, binding)
    found = []
    for key, real_key in keys.items():
        if key in ignored:
            continue
        if real_key not in actual:
            found.append(f"{at}.{real_key}: recorded {binding.rewrite(recorded[key])!r}, not answered")
            continue
        found += _compare(recorded[key], actual[real_key], binding, rules, f"{at}.{real_key}", key)
    more = set(actual) - set(keys.values()) - ignored
    if not rules.may_say_more():
        found += [f"{at}.{key}: answered {actual[key]!r}, not recorded" for key in sorted(more)]
    return found


def _paired_keys(recorded: dict[str, Any], actual: dict[str, Any], binding: Binding) -> dict[str, str]:
    """Recorded key -> real key. Of generated keys (node and model ids) the one unknown is the one that is left over."""
    new = [key for key in recorded if key in binding.generated and key not in binding.ids]
    known = {binding.rewrite(key) for key in recorded if key not in new}
    left = [key for key in actual if key not in known]
    if len(new) == 1 and left:
        binding.match(new[0], left[0])
    return {key: binding.rewrite(key) for key in recorded}


def _compare_lists(recorded: list[Any], actual: list[Any], binding: Binding, rules: Rules, at: str, key: str) -> list[str]:
    if len(recorded) != len(actual):
        return [f"{at}: recorded {binding.rewrite(recorded)!r}, answered {actual!r}"]
    if key in UNORDERED:
        recorded, actual = sorted(recorded), sorted(actual, key=str)
    found = []
    for index, (left, right) in enumerate(zip(recorded, actual, strict=True)):
        found += _compare(left, right, binding, rules, f"{at}[{index}]", key)
    return found


def _compare_search(recorded: dict[str, Any], actual: dict[str, Any], binding: Binding, rules: Rules, at: str) -> list[str]:
    """The hits of this run only: a server holds documents of others, and holds others than the recorded one did.

    A page that was asked to be small (``size``), or that does not hold all there is, shows whatever comes first:
    there only its shape is compared.
    """
    hits = actual.get("hits", {})
    if not isinstance(hits, dict) or not isinstance(hits.get("hits"), list) or not isinstance(hits.get("total"), dict):
        return [f"{at}.hits: recorded {recorded['hits']!r}, answered {hits!r}"]
    listed, total = hits["hits"], hits["total"].get("value")
    if not isinstance(total, int):
        return [f"{at}.hits.total: {total!r} is no number"]
    found = _compare_objects(_without_hits(recorded), _without_hits(actual), binding, rules, at)
    found += _max_score(recorded["hits"], hits, at)
    shapes = _shapes(recorded["hits"]["hits"], listed, at)
    if shapes:
        return found + shapes
    if total < len(listed):
        found.append(f"{at}.hits.total: {total} is less than the {len(listed)} hits that are listed")
    if rules.size() is not None or total > len(listed):
        asked = rules.size()
        most = 10 if asked is None else asked
        return found + ([f"{at}.hits: {len(listed)} listed, at most {most} asked for"] if len(listed) > most else [])
    own = [hit for hit in recorded["hits"]["hits"] if _is_own(hit, binding)]
    mine = _own_of(listed, own, binding)
    if len(own) != len(mine):
        return [*found, f"{at}.hits: recorded {binding.rewrite(own)!r}, answered {mine!r}"]
    for index, (left, right) in enumerate(zip(own, mine, strict=True)):
        found += _compare_objects(left, right, binding, rules, f"{at}.hits.hits[{index}]")
    return found


def _without_hits(answer: dict[str, Any]) -> dict[str, Any]:
    total = {key: value for key, value in answer["hits"]["total"].items() if key != "value"}
    return {**answer, "hits": {"total": total}}


def _max_score(recorded: dict[str, Any], actual: dict[str, Any], at: str) -> list[str]:
    if recorded["hits"] or actual["hits"]:
        alike = not actual["hits"] or isinstance(actual.get("max_score"), (int, float))
    else:
        alike = recorded["max_score"] == actual.get("max_score", NOT_SENT)
    if alike:
        return []
    return [f"{at}.hits.max_score: recorded {recorded['max_score']!r}, answered {actual.get('max_score')!r}"]


def _shapes(recorded: list[dict[str, Any]], actual: list[dict[str, Any]], at: str) -> list[str]:
    if not recorded:
        return []
    keys, index = set(recorded[0]), recorded[0]["_index"]
    bad = [hit for hit in actual if set(hit) != keys or hit["_index"] != index or not isinstance(hit["_id"], str)]
    return [f"{at}.hits: a hit is {keys} of {index}, answered {bad[0]!r}"] if bad else []


def _is_own(hit: dict[str, Any], binding: Binding) -> bool:
    if hit["_id"] in binding.ids:
        return True
    prefix = binding.old_prefix
    return prefix is not None and any(prefix in text for text in strings(hit))


def _own_of(listed: list[dict[str, Any]], own: list[dict[str, Any]], binding: Binding) -> list[dict[str, Any]]:
    wanted = {binding.ids.get(hit["_id"]) for hit in own}
    return [hit for hit in listed if hit.get("_id") in wanted or any(binding.new_prefix in text for text in strings(hit))]


def _table_differences(recorded: Any, actual: Any, binding: Binding, rules: Rules) -> list[str]:
    """Rows in any order. A real server may have more plugins than the recorded one, and a row for each of its nodes."""
    if not isinstance(actual, list) or not actual:
        return [f"body: recorded {recorded!r}, answered {actual!r}"]
    if rules.real:
        recorded = [row for row in recorded if _component(row) in ("opensearch-flow-framework", "None")]
        actual = [row for row in actual if _component(row) == _component(recorded[0])]
        recorded = [recorded[0]] * max(1, len(actual))
    return _compare_lists(sorted(recorded, key=_component), sorted(actual, key=_component), binding, rules, "body", "")


def _component(row: dict[str, Any]) -> str:
    return str(row.get("component"))


def _same_type(recorded: Any, actual: Any) -> bool:
    if isinstance(recorded, bool) or isinstance(actual, bool):
        return isinstance(recorded, bool) and isinstance(actual, bool)
    if isinstance(recorded, (int, float)):
        return isinstance(actual, (int, float))
    if isinstance(recorded, str) and recorded.isdigit():
        return isinstance(actual, str) and actual.isdigit()
    return type(recorded) is type(actual)


def _generated(exchange: Exchange) -> Iterable[str]:
    return (word for word in _candidates(exchange.answer.body) if GENERATED.fullmatch(word))


def _candidates(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield from UUID_IN_TEXT.findall(value)
    elif isinstance(value, list):
        for inner in value:
            yield from _candidates(inner)
    elif isinstance(value, dict):
        yield from _candidates_of(value)


def _candidates_of(value: dict[str, Any]) -> Iterable[str]:
    for key, inner in value.items():
        if isinstance(inner, str) and (key in ID_KEYS or key == "_id"):
            yield inner
        if isinstance(inner, dict) and "stats" in inner:  # the answer of undeploy: node id -> stats -> model id
            yield key
            yield from inner["stats"]
        if key == "planning_worker_nodes":
            yield from inner
        yield from _candidates(inner)
    if value.get("resource_type") in GENERATED_TYPES:
        yield value["resource_id"]
