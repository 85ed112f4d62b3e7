# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds of the plan for all surveys and all options."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.fates import STATUSES
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.options import Options
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.plan import Plan, make_plan
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import Resource, Survey

from .worlds import OPTIONS, changes, fails, surveys

GATED = ("index", "ingest_pipeline", "search_pipeline")
FEW = settings().max_examples  # hypothesis' own 100, or what a run asks for that tries each mutant
MANY = settings(max_examples=120 if FEW == 100 else FEW, deadline=None, derandomize=True)


def sent(plan: Plan) -> list[tuple[Resource, ...]]:
    """What each workflow's calls would delete, worked out from what the server does with a call (behaviour.md 2.7), not from the plan's words."""
    deleted = []
    for one in plan.workflows:
        taken = list(one.first)
        if one.post:
            for resource in one.workflow.resources:
                if resource.kind not in GATED or resource.id in one.allow:
                    taken.append(resource)
        deleted.append(tuple(resource for resource in taken if "delete" in resource.actions))
    return deleted


def named(resource: Resource, survey: Survey, options: Options) -> bool:
    """Whether allow_delete names it, written once more and in another way than in the plan."""
    mates = [r for w in survey.workflows if w.workflow_id == resource.workflow_id for r in w.resources if r.id == resource.id and r.kind in GATED]
    return f"{resource.kind}/{resource.id}" in options.allow_delete or (resource.id in options.allow_delete and len({r.kind for r in mates}) == 1)


@MANY
@given(surveys(), OPTIONS)
def test_nothing_that_needs_naming_is_deleted_without_being_named(survey: Survey, options: Options) -> None:
    for resources in sent(make_plan(survey, options)):
        for resource in resources:
            if resource.kind in GATED and resource.exists is not False:
                assert named(resource, survey, options)


@MANY
@given(surveys(), OPTIONS)
def test_nothing_that_matches_protect_is_touched(survey: Survey, options: Options) -> None:
    from fnmatch import fnmatchcase

    plan = make_plan(survey, options)
    for one, resources in zip(plan.workflows, sent(plan), strict=False):
        for resource in resources:
            names = [name for name in (resource.id, one.workflow.workflow_id, one.workflow.name) if name]
            assert resource.exists is False or not any(fnmatchcase(name, pattern) for name in names for pattern in options.protect)


@MANY
@given(surveys(), OPTIONS)
def test_no_id_that_the_cluster_takes_for_more_is_ever_sent(survey: Survey, options: Options) -> None:
    for one in make_plan(survey, options).workflows:
        for name in list(one.allow) + [resource.id for resource in one.first]:
            assert not any(sign in name for sign in "*,") and name == name.strip()
        if one.post:
            assert all(r.kind != "other" for r in one.workflow.resources)


@MANY
@given(surveys(), OPTIONS)
def test_what_is_gone_is_never_named_unless_something_of_that_id_is_there_or_our_own_placeholder(survey: Survey, options: Options) -> None:
    for one in make_plan(survey, options).workflows:
        there = {r.id for r in one.workflow.resources if r.kind in GATED and (r.exists or r.placeholder)}
        assert set(one.allow) <= there


@MANY
@given(surveys(), OPTIONS)
def test_the_plan_covers_every_recorded_resource_once(survey: Survey, options: Options) -> None:
    plan = make_plan(survey, options)
    assert [[fate.resource for fate in one.fates] for one in plan.workflows] == [list(one.resources) for one in survey.workflows]
    assert all(fate.status in STATUSES for one in plan.workflows for fate in one.fates)


@MANY
@given(surveys(), OPTIONS)
def test_a_refused_plan_sends_nothing_and_changes_nothing(survey: Survey, options: Options) -> None:
    plan = make_plan(survey, options)
    if plan.refusals:
        assert fails(plan) and not changes(plan)
        assert not any(one.post or one.first or one.allow for one in plan.workflows)
        assert not any(fate.status == "would_delete" or fate.changed for one in plan.workflows for fate in one.fates)


@MANY
@given(surveys(), OPTIONS)
def test_what_would_be_deleted_exists_and_its_workflow_acts(survey: Survey, options: Options) -> None:
    for one in make_plan(survey, options).workflows:
        for fate in one.fates:
            if fate.status == "would_delete":
                assert fate.resource.exists is True and (one.post or fate.resource in one.first)
                assert fate.changed and not fate.failed


@MANY
@given(surveys(), OPTIONS)
def test_its_own_hash_changes_nothing_about_a_plan(survey: Survey, options: Options) -> None:
    plan = make_plan(survey, options)
    assert make_plan(survey, replace(options, plan_hash=plan.hash)) == plan


@MANY
@given(surveys(), OPTIONS)
def test_a_plan_with_another_hash_is_refused(survey: Survey, options: Options) -> None:
    assert make_plan(survey, replace(options, plan_hash="no")).refusals
