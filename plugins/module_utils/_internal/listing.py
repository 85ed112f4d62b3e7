# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All workflows of a cluster, as searches show them: nothing of them is looked at. Sends reads only."""

from __future__ import annotations

from typing import Any, Callable, Iterator

from . import answers
from .answers import Answer, hits_of, is_whole
from .api import Api
from .records import SurveyError, Workflow, with_template, workflow_of

PAGE = 1000  # states that are read together


def every_workflow(api: Api, warn: Callable[[str], None], query: dict[str, Any] | None = None) -> list[Workflow]:
    """Every workflow that searches show, by its id, with what its state and the list of templates say; nothing is looked at.

    C(query): for some states only; a template without a state is then left out. Raises SurveyError. C(has_template) is
    never False here: that is proven one by one.
    """
    templates = listed_templates(api, warn)
    found: list[Workflow] = []
    for source in listed_states(api, query or {"match_all": {}}):
        workflow = workflow_of(source["workflow_id"], source)
        template = templates.pop(workflow.workflow_id, None)
        found.append(workflow if template is None else with_template(workflow, template))
    if query is None:
        found += [with_template(Workflow(workflow_id), template) for workflow_id, template in templates.items()]
    return sorted(found, key=lambda workflow: workflow.workflow_id)


def listed_states(api: Api, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every state document that a search finds, page by page."""
    after: str | None = None
    while True:
        answer = list_of(api.states_after(query, PAGE, after), "Listing workflows")
        hits = hits_of(answer)
        sources = [hit.get("_source") or {} for hit in hits]
        yield from (source for source in sources if isinstance(source.get("workflow_id"), str) and isinstance(source.get("state"), str))
        ids = [source.get("workflow_id") for source in sources]
        if len(hits) < PAGE or not isinstance(ids[-1], str) or ids[-1] == after:
            return
        after = ids[-1]


def listed_templates(api: Api, warn: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """Every template by its workflow's id, as far as one page holds them: as many as a server can be set to hold."""
    answer = list_of(api.templates(), "Listing templates")
    if not is_whole(answer):
        warn("There are more templates than one search shows: workflows of the others are found by id only.")
    return {str(hit.get("_id")): hit["_source"] for hit in hits_of(answer) if isinstance(hit.get("_source"), dict)}


def list_of(answer: Answer, doing: str) -> Answer:
    """A list that the whole task hangs on. Raises SurveyError, also where it is denied; an index that does not exist is empty."""
    missing = answer.outcome == answers.MISSING and "index_not_found_exception" in str(answer.body)
    if not answer.ok and not missing:
        raise SurveyError("%s failed. %s" % (doing, answer.sentence), answer)
    return answer
