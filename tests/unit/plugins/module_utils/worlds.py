# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Surveys to plan over: short builders, and hypothesis strategies for all of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.endings import planned
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.options import Options
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.outcome import result
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.plan import Plan
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import Resource, Server, Survey, Workflow
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.resources import KINDS, kind_of
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.sharing import User

TYPES = {kind.name: kind.type for kind in KINDS.values()}


def changes(plan: Plan) -> bool:
    """Whether check mode says C(changed)."""
    return bool(result(plan, planned(plan))["changed"])


def fails(plan: Plan) -> bool:
    """Whether check mode fails."""
    return bool(result(plan, planned(plan))["failed"])


def server(version: str = "3.6.0", security: bool = False) -> Server:
    return Server(version, version + ".0", "preview", "uuid-of-preview", security)


def resource(step: str, resource_id: str, *more_steps: str, workflow_id: str = "w1", exists: bool | None = True, **facts: Any) -> Resource:
    kind = kind_of(step)
    if kind == "index" and exists:
        facts.setdefault("uuid", "uuid-" + resource_id)
        facts.setdefault("documents", 0)
    return Resource(workflow_id, kind, TYPES.get(kind, "unknown_type"), resource_id, (step, *more_steps), exists=exists, **facts)


def workflow(
    *resources: Resource, workflow_id: str = "w1", state: str | None = "COMPLETED", name: str | None = None, has_template: bool | None = True
) -> Workflow:
    return Workflow(workflow_id, state, tuple(resources), name, has_template, written=(1, 2))


def survey(*workflows: Workflow, version: str = "3.6.0", security: bool = False) -> Survey:
    return Survey(server(version, security), tuple(workflows))


# -- everything that can be ----------------------------------------------------------------------------------

VERSIONS = ("2.12.0", "2.13.0", "2.14.0", "2.15.0", "2.16.0", "2.17.0", "2.18.0", "2.19.1", "3.0.0", "3.4.0", "3.6.0", "3.8.0")
NAMES = st.sampled_from(["docs", "logs", "a", "b", "a,b", "*", "-x", "_y", " pad ", "docs*", "<d-{now/d}>", "..", "a/b", "index/docs"])
STEP_NAMES = st.sampled_from([*sorted(step for kind in KINDS.values() for step in kind.steps), "step_of_a_newer_server"])
USERS = st.lists(st.builds(User, kind=st.sampled_from(["model", "agent", "workflow", "index"]), id=st.sampled_from(["a", "b", "m9"])), max_size=2)


@st.composite
def workflows(draw: st.DrawFn, workflow_id: str) -> Workflow:
    found: dict[tuple[str, str], Resource] = {}
    for _number in range(draw(st.integers(0, 6))):
        step, name = draw(STEP_NAMES), draw(NAMES)
        key = kind_of(step), name
        if key in found:
            continue
        exists = draw(st.sampled_from([True, True, True, False, None]))
        facts: dict[str, Any] = {"problem": "not allowed"} if exists is None else {}
        more = ("deploy_model",) if key[0] == "model" and step != "deploy_model" and draw(st.booleans()) else ()
        if key[0] == "model" and exists:
            facts["state"] = draw(st.sampled_from(["DEPLOYED", "UNDEPLOYED", "REGISTERED"]))
        if exists:
            facts["users"] = tuple(draw(st.one_of(st.just([]), USERS)))
            facts["placeholder"] = False
        elif exists is False and key[0] in ("index", "ingest_pipeline"):
            facts["placeholder"] = draw(st.booleans())
        if key[0] == "index" and exists:
            facts["documents"] = draw(st.sampled_from([None, 0, 5, 5000]))
            facts["obstacle"] = draw(st.sampled_from(["", "", "the index is blocked"]))
        found[key] = resource(step, name, *more, workflow_id=workflow_id, exists=exists, **facts)
    state = draw(st.sampled_from(["NOT_STARTED", "COMPLETED", "FAILED", "PROVISIONING"]))
    return workflow(
        *found.values(),
        workflow_id=workflow_id,
        state=state,
        name=draw(st.sampled_from([None, "env", "prod"])),
        has_template=draw(st.sampled_from([True, False, None])),
    )


@st.composite
def surveys(draw: st.DrawFn) -> Survey:
    count = draw(st.integers(1, 3))
    made = [draw(workflows("w%d" % number)) for number in range(count)]
    if draw(st.booleans()):
        made.append(workflow(workflow_id="gone", state=None))
    return survey(*made, version=draw(st.sampled_from(VERSIONS)), security=draw(st.booleans()))


ALLOWED = st.lists(st.one_of(NAMES, st.builds("{}/{}".format, st.sampled_from(["index", "ingest_pipeline", "search_pipeline"]), NAMES)), max_size=5)
OPTIONS = st.builds(
    Options,
    allow_delete=ALLOWED.map(tuple),
    on_blocked=st.sampled_from(["fail", "keep"]),
    on_shared=st.sampled_from(["fail", "keep", "delete"]),
    stale_records=st.sampled_from(["report", "recreate", "forget"]),
    leftovers=st.sampled_from(["report", "delete"]),
    delete_workflow=st.booleans(),
    on_missing=st.sampled_from(["ok", "fail"]),
    protect=st.lists(st.sampled_from(["prod*", "docs", "w0", "zzz"]), max_size=2).map(tuple),
    max_workflows=st.one_of(st.none(), st.integers(0, 3)),
    max_documents=st.one_of(st.none(), st.sampled_from([0, 100])),
    expect_cluster=st.sampled_from([None, None, "preview", "uuid-of-preview", "production"]),
)
