# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which workflows: the filters of a task, first against what searches show of all, then against what was read of each.

The first pass may take too many and never too few, but for what a search is behind by (about a second).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Iterable

from ansible.module_utils.parsing.convert_bool import boolean

from .api import LISTING_ACTION, Api, clock_of, recorded_one_of
from .listing import every_workflow
from .module import OptionError, workflow_ids
from .records import STATES, Server, Survey, SurveyError, Workflow, no_workflow
from .survey import Surveyor

NO_LIMIT = "<any>"  # every filter has a default that is not null: a null is a variable that was not set, and would choose too much
ANY = [NO_LIMIT]
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True)
class Filters:
    """What a workflow has to be; None and an empty tuple ask for nothing. Ages in seconds."""

    ids: tuple[str, ...] | None = None
    names: tuple[str, ...] = ()
    use_cases: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    resource_ids: tuple[str, ...] = ()
    older_than: int | None = None
    newer_than: int | None = None
    unchanged_for: int | None = None
    orphaned: bool | None = None

    @classmethod
    def of(cls, params: dict[str, Any]) -> Filters:
        """The filters of a task. Raises OptionError."""
        given = params.get("workflow_id", ANY)
        if given is None:
            raise OptionError("workflow_id is null: probably a variable that is not set. Leave it out for every workflow. Nothing was read.")
        return cls(
            ids=None if given == ANY else tuple(workflow_ids(given)),
            **{field: filled(option, params.get(option, ANY)) for field, option in LISTS.items()},
            older_than=seconds_of("older_than", params.get("older_than", NO_LIMIT)),
            newer_than=seconds_of("newer_than", params.get("newer_than", NO_LIMIT)),
            unchanged_for=seconds_of("unchanged_for", params.get("unchanged_for", NO_LIMIT)),
            orphaned=truth_of("orphaned", params.get("orphaned", NO_LIMIT)),
        )

    @property
    def only_ids(self) -> bool:
        """The workflows are named, and nothing else is asked of them."""
        return self.ids is not None and self == Filters(ids=self.ids)

    @property
    def by_age(self) -> bool:
        """An age is asked for."""
        return any(limit is not None for limit in (self.older_than, self.newer_than, self.unchanged_for))

    @property
    def query(self) -> dict[str, Any] | None:
        """What of it the server can tell exactly: C(state) and C(resource_id) are keywords in every version. None: nothing.

        The rest is compared here: names are globs, and a template says neither a state nor what was recorded.
        """
        clauses: list[dict[str, Any]] = []
        if self.states:
            clauses.append({"terms": {"state": sorted(self.states)}})
        if self.resource_ids:
            clauses.append(recorded_one_of(self.resource_ids))
        return {"bool": {"filter": clauses}} if clauses else None

    def fits(self, workflow: Workflow, now: int, unknown: bool = False) -> bool:
        """Whether a workflow is as asked for. C(now) in milliseconds; C(unknown): what to say where owner or template is not known."""
        age, unchanged = age_of(workflow, now), unchanged_of(workflow, now)
        checks = (
            self.ids is None or workflow.workflow_id in self.ids,
            not self.names or (workflow.name is not None and any(fnmatchcase(workflow.name, glob) for glob in self.names)),
            not self.use_cases or workflow.use_case in self.use_cases,
            not self.states or workflow.state in self.states,
            not self.owners or (unknown if workflow.owner is None else workflow.owner in self.owners),
            not self.resource_ids or any(resource.id in self.resource_ids for resource in workflow.resources),
            self.older_than is None or (age is not None and age >= self.older_than),
            self.newer_than is None or (age is not None and age < self.newer_than),
            self.unchanged_for is None or (unchanged is not None and unchanged >= self.unchanged_for),
            self.orphaned is None or (unknown if workflow.orphaned is None and workflow.found else bool(workflow.orphaned) == self.orphaned),
        )
        return all(checks)


LISTS = {"names": "name", "use_cases": "use_case", "states": "state", "owners": "owner", "resource_ids": "resource_id"}


def filled(option: str, given: Iterable[str] | None) -> tuple[str, ...]:
    """The values of a filter, none where it lets everything through. Raises OptionError: an empty one or a null is a
    variable that was not set, never 'any'."""
    values = tuple(given or ())
    if list(values) == ANY or (option == "state" and set(values) == set(STATES)):
        return ()
    if not (values and all(value.strip() for value in values)):
        raise OptionError("%s is empty or null, or holds an empty value: probably a variable that is not set. Leave it out to ask for nothing." % option)
    return values


def seconds_of(option: str, text: str | None) -> int | None:
    """C(90m) as seconds. Raises OptionError for what is no age."""
    if text == NO_LIMIT:
        return None
    match = re.match(r"^([0-9]{1,9})([smhdw])\Z", text or "")
    if not match:
        raise OptionError("%s is %r: give a number with s, m, h, d or w, such as 90m or 7d." % (option, text))
    return int(match.group(1)) * SECONDS[match.group(2)]


def truth_of(option: str, given: Any) -> bool | None:
    """True, False, or None where nothing is asked. Raises OptionError, for a null too."""
    if given == NO_LIMIT:
        return None
    try:
        return bool(boolean(given))
    except TypeError:
        raise OptionError("%s is %r: give true or false, or leave it out." % (option, given)) from None


def age_of(workflow: Workflow, now: int) -> int | None:
    """Seconds since provisioning began, else since the template was created; None where neither is known."""
    begun = (workflow.written or (None, None))[0] or workflow.created
    return None if begun is None else (now - begun) // 1000


def unchanged_of(workflow: Workflow, now: int) -> int | None:
    """Seconds since the newest of its times; None where none is known."""
    times = [time for time in (workflow.created, workflow.updated, *(workflow.written or ())) if time is not None]
    return (now - max(times)) // 1000 if times else None


def ages_of(workflow: Workflow, now: int) -> dict[str, int | None]:
    """Both, as results show them."""
    return dict(age=age_of(workflow, now), unchanged=unchanged_of(workflow, now))


def time_of(api: Api, wanted: bool) -> tuple[int, list[str]]:
    """The cluster's own time in milliseconds since 1970, or else this machine's; and what to say then, if it matters."""
    answer = api.clock()
    now = clock_of(answer)
    if now is not None:
        return now, []
    text = "The cluster's time cannot be read, so ages are counted by the clock of the machine that the module runs on. Grant %s. %s"
    return int(time.time() * 1000), [(text % (LISTING_ACTION, answer.sentence)).strip()] if wanted else []


def choose(surveyor: Surveyor, server: Server, filters: Filters, now: int, look: bool) -> Survey:
    """The survey of the workflows that are as asked for: by name and id, or in the task's order where only ids were given."""
    if filters.only_ids:
        survey = surveyor.survey(filters.ids or (), look, server)
        return replace(survey, warnings=survey.warnings + missing_of(survey))
    if filters.ids is not None:
        survey = surveyor.survey(filters.ids, False, server)
        listed, missing = list(survey.workflows), missing_of(survey)
    else:
        listed, missing = every_workflow(surveyor.api, surveyor.warnings.append, filters.query), ()
    likely = [workflow.workflow_id for workflow in listed if filters.fits(workflow, now, unknown=True)]
    survey = surveyor.survey(likely, look, server)
    refuse_unreadable(survey, filters)
    fitting = [workflow for workflow in survey.workflows if filters.fits(workflow, now) and (workflow.found or workflow.has_template)]
    ids = {workflow.workflow_id for workflow in fitting}
    return replace(
        survey,
        workflows=tuple(sorted(fitting, key=lambda workflow: (workflow.name or "", workflow.workflow_id))),
        unrecorded=tuple(one for one in survey.unrecorded if one.workflow_id in ids),
        warnings=survey.warnings + missing + hidden_owners(survey, filters),
    )


def missing_of(survey: Survey) -> tuple[str, ...]:
    """A sentence for each workflow that was named and does not exist."""
    return tuple(no_workflow(w.workflow_id, survey.server) for w in survey.workflows if not w.found)


def refuse_unreadable(survey: Survey, filters: Filters) -> None:
    """Raises SurveyError: where templates may not be read, what they say cannot be asked for."""
    told_by_templates = filters.names or filters.use_cases or filters.unchanged_for is not None or filters.orphaned is not None
    if told_by_templates and any(w.has_template is None for w in survey.workflows):
        raise SurveyError("Templates could not be read, so name, use_case, unchanged_for and orphaned cannot be told. %s" % " ".join(survey.warnings))


def hidden_owners(survey: Survey, filters: Filters) -> tuple[str, ...]:
    """A sentence where owners are asked for and not shown: finding nothing would otherwise look like there being nothing."""
    unknown = sum(1 for workflow in survey.workflows if workflow.owner is None and workflow.found) if filters.owners else 0
    if not unknown:
        return ()
    why = "searches show it to administrators only" if survey.server.security else "without the security plugin none is recorded"
    return ("The owner of %d of the workflows is not known (%s): they were not chosen." % (unknown, why),)
