# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A snapshot of indices: begun once, looked at until it has ended, and true only as a look shows it."""

from __future__ import annotations

import json
import shlex
import time
from typing import Any, Sequence

from .answers import MISSING, Answer
from .api import Api, snapshot_target
from .module import OptionError
from .records import SurveyError
from .resources import KINDS

SUCCESS = "SUCCESS"
RUNNING = "IN_PROGRESS"


def empty() -> dict[str, Any]:
    """A result that holds nothing yet."""
    return dict(changed=False, msg="", repository=None, snapshot=None, state=None, uuid=None, indices=[], shards={}, restore="", duration=0.0)


def take(api: Api, repository: str, name: str, indices: Sequence[str], timeout: float, pause: float, check_mode: bool) -> dict[str, Any]:
    """Take a snapshot and wait until it has succeeded; the result. Raises OptionError and SurveyError.

    One of that name that holds these indices already is fine, and waited for if it still runs; any other one of that name is refused.
    """
    started = time.monotonic()
    wanted = list(dict.fromkeys(indices))
    refuse_patterns(wanted)
    made = dict(empty(), repository=repository, snapshot=name, indices=wanted)
    if not wanted:
        return dict(made, msg="No index is named, nothing to do.")
    known(api.repository(repository), "The snapshot repository %s cannot be used." % repository)
    answer = api.snapshot(repository, name)
    new = answer.outcome == MISSING
    if new and check_mode:
        return dict(made, changed=True, msg="A snapshot of %d indices would be taken." % len(wanted))
    if new:
        begun = api.take_snapshot(repository, name, wanted)
        answer = until_ended(api, repository, name, started + timeout, pause)
        if answer.outcome == MISSING:
            raise SurveyError("The snapshot was not begun. %s" % (begun.sentence or answer.sentence))
    elif is_running(answer, name) and not lacks(entry_of(answer, name), wanted):
        if check_mode:
            uuid = entry_of(answer, name).get("uuid")
            return dict(made, state=RUNNING, uuid=uuid, msg="Snapshot %s/%s is still running, and would be waited for." % (repository, name))
        answer = until_ended(api, repository, name, started + timeout, pause)
    shown = entry_of(known(answer, "The snapshot cannot be looked at."), name)
    made.update(changed=new, state=shown.get("state"), uuid=shown.get("uuid"), shards=shown.get("shards") or {})
    made["duration"] = round(time.monotonic() - started, 3)
    problem = problem_of(shown, wanted, made["duration"])
    if problem:
        return dict(made, failed=True, msg="Snapshot %s/%s: %s" % (repository, name, problem))
    made["restore"] = restore_command(repository, name, wanted)
    return dict(made, msg="Snapshot %s/%s holds %s." % (repository, name, ", ".join(wanted)))


def refuse_patterns(indices: Sequence[str]) -> None:
    """Raises OptionError for what the cluster would take for more than one index."""
    for index in indices:
        danger = KINDS["index"].danger(index)
        if danger:
            raise OptionError("indices holds %r: %s." % (index, danger))


def until_ended(api: Api, repository: str, name: str, deadline: float, pause: float) -> Answer:
    """Look until the snapshot runs no more, or the time is over: the last answer."""
    while True:
        answer = api.snapshot(repository, name)
        if not is_running(answer, name) or time.monotonic() + pause > deadline:
            return answer
        time.sleep(pause)


def is_running(answer: Answer, name: str) -> bool:
    """Whether the snapshot has begun and not ended."""
    return answer.ok and entry_of(answer, name).get("state") == RUNNING


def known(answer: Answer, doing: str) -> Answer:
    """An answer that says something. Raises SurveyError with what it said otherwise."""
    if not answer.ok:
        raise SurveyError("%s %s" % (doing, answer.sentence), answer)
    return answer


def entry_of(answer: Answer, name: str) -> dict[str, Any]:
    """The entry of one snapshot in the answer about it; empty where it is not there."""
    entries = answer.body.get("snapshots") if isinstance(answer.body, dict) else None
    return next((one for one in entries or [] if isinstance(one, dict) and one.get("snapshot") == name), {})


def problem_of(shown: dict[str, Any], wanted: Sequence[str], waited: float) -> str:
    """Why the indices could not be restored from it after so many seconds; empty where they could."""
    if shown.get("state") == RUNNING:
        return lacks(shown, wanted) or "still running after %d s; it goes on." % waited
    if shown.get("state") != SUCCESS or (shown.get("shards") or {}).get("failed"):
        return "it ended as %s, and %s" % (shown.get("state"), json.dumps(shown.get("failures") or "gives no reason"))
    return lacks(shown, wanted)


def lacks(shown: dict[str, Any], wanted: Sequence[str]) -> str:
    """What a snapshot does not hold, in words; one that runs names what it will hold. Empty where it holds everything."""
    lacking = [index for index in wanted if index not in (shown.get("indices") or [])]
    return "it does not hold %s: there is an older snapshot of that name." % ", ".join(lacking) if lacking else ""


def restore_command(repository: str, name: str, indices: Sequence[str]) -> str:
    """The request that brings the indices back, for a shell."""
    body = json.dumps({"indices": list(indices), "include_global_state": False})
    return "curl -X POST \"$OPENSEARCH_URL%s/_restore\" -H 'Content-Type: application/json' -d %s" % (snapshot_target(repository, name), shlex.quote(body))
