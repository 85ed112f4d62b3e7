# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan or a teardown comes to, as one structure. Pure; it decides nothing, and knows no option that connects."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any, Mapping, Sequence

import yaml

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.options import DECIDING

PLAYBOOK = "ansible-playbook opensearch_ops.flow_framework."
PREFIX = "environment_teardown_"
LOOKS_ONLY = ("plan", "scan")
SETTLED = ("deleted", "would_delete", "absent", "retained")  # retained: nothing is left of it that a teardown could delete
MOST = 200  # items of a list that set_stats hands on: AWX keeps its data with the job, and gives it to the next one
SNAPSHOT = ("repository", "snapshot", "state", "indices", "restore")
LONGEST = 4000  # characters of a text there
HARMLESS = re.compile(r"[\w .:,/@+=-]*")  # no template can be written with these alone
PLAIN = re.compile(r"[A-Za-z0-9_-]+")  # means nothing to a shell, to YAML, or to Ansible
EMPTY: dict[str, Any] = dict(
    ended=None,
    check_mode=False,
    by="",
    choosing={},
    options={},
    workflow_id=None,
    plan={},
    approved_hash="",
    approved_lines=[],
    outcome={},
    snapshot={},
    failure="",
    unwritten="",
)


def report_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The report of what is known, with what is printed, handed on, and written beside it (C(text), C(stats), C(variables))."""
    known = {**EMPTY, **facts}
    known["failure"] = known["failure"] or failure_of(known)
    plan, outcome = known["plan"], known["outcome"]
    last = outcome if "resources" in outcome else plan
    resources = resources_of(known)
    report = dict(
        format=1,
        action=known["action"],
        check_mode=known["check_mode"],
        status=status_of(known),
        finished=known["ended"] is not None,
        msg=known["failure"] or last.get("msg", ""),
        started=known["started"],
        ended=known["ended"],
        by=known["by"],
        asked=dict(choose=dict(known["choosing"]), options=dict(known["options"])),
        server=last.get("server"),
        plan_hash=plan.get("plan_hash"),
        confirm=confirmation(plan),
        duration=outcome.get("duration"),
        workflows=workflows_of(last, resources),
        summary=counts_of(resources, "status"),
        planned=counts_of(resources, "planned"),
        totals=totals_of(resources),
        remaining=[one for one in resources if one["status"] not in SETTLED],
        blocked=list(last.get("blocked") or []),
        overdue=overdue(last, resources),
        unrecorded=list(last.get("unrecorded") or []),
        warnings=list(dict.fromkeys([*(plan.get("warnings") or []), *(outcome.get("warnings") or [])])),
        snapshot={key: known["snapshot"][key] for key in SNAPSHOT} if known["snapshot"].get("snapshot") else {},
        difference=difference(known),
        file="" if known["unwritten"] else known["path"],
    )
    report["finish"] = finishing_command(report, known)
    report["finish_heading"] = heading_of(report)
    return dict(report, variables=variables_of(report, known), text=text_of(report, known), stats=stats_of(report, known))


# -- what was planned, and what became of it -----------------------------------------------------------------


def status_of(known: Mapping[str, Any]) -> str:
    """One word for the whole run."""
    changed = known["outcome"].get("changed", False)
    if known["ended"] is None:
        return "unfinished"
    if known["failure"]:
        return "incomplete" if changed and not known["check_mode"] else "failed"
    if known["check_mode"] or not known["outcome"]:
        return "planned"
    return "done" if changed else "nothing to do"


def failure_of(known: Mapping[str, Any]) -> str:
    """Why the last result failed; empty if it did not."""
    last = known["outcome"] or known["plan"]
    return str(last.get("msg") or "failed") if last.get("failed") else ""


def resources_of(known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every resource, with what was planned for it and what became of it."""
    planned = {key_of(one): one for one in known["plan"].get("resources", [])}
    ended = {key_of(one): one for one in known["outcome"].get("resources", [])}
    resources = []
    for key in {**planned, **ended}:
        plan = planned.get(key, {}).get("status")
        status = ended[key]["status"] if key in ended else not_told(plan, known)
        resources.append(dict(ended.get(key) or planned[key], planned=plan, status=status))
    return resources


def key_of(one: Mapping[str, Any]) -> tuple[str, str, str]:
    """What tells a resource of a result from the others."""
    return one["workflow_id"], one["kind"], one["id"]


def not_told(planned: str | None, known: Mapping[str, Any]) -> str | None:
    """The status of a resource that no teardown has told of; None while it goes on."""
    if planned != "would_delete" or known["action"] in LOOKS_ONLY:
        return planned
    if known["ended"] is None:
        return None
    return "unknown" if known["outcome"] else "untouched"  # without an outcome the module was never asked to tear down


def workflows_of(result: Mapping[str, Any], resources: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The workflows, each with its resources."""
    held: dict[str, list[Mapping[str, Any]]] = {}
    for one in resources:
        held.setdefault(one["workflow_id"], []).append(one)
    return [dict(workflow, resources=held.get(workflow["workflow_id"], [])) for workflow in result.get("workflows", [])]


def overdue(result: Mapping[str, Any], resources: Sequence[Mapping[str, Any]]) -> list[str]:
    """The workflows that a teardown has or would have something to do for, or fails over: name and id."""
    left = {one["workflow_id"] for one in resources if one["status"] not in ("absent", "retained", "kept")}
    workflows = [one for one in result.get("workflows", []) if one["changed"] or one["failed"] or one["workflow_id"] in left]
    return [" ".join(filter(None, [one["name"], one["workflow_id"]])) for one in workflows]


def counts_of(resources: Sequence[Mapping[str, Any]], which: str) -> dict[str, int]:
    """How many resources have which status."""
    statuses = [one[which] or "unknown" for one in resources]
    return {status: statuses.count(status) for status in sorted(set(statuses))}


def totals_of(resources: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The indices that are gone, or would go, with what they held; C(uncounted) of them could not be counted."""
    indices = [one for one in resources if one["kind"] == "index" and (one["status"] or one["planned"]) in ("deleted", "would_delete")]
    return dict(
        resources=len(resources),
        indices=len(indices),
        documents=sum(one["documents"] or 0 for one in indices),
        bytes=sum(one["size_in_bytes"] or 0 for one in indices),
        uncounted=sum(1 for one in indices if one["documents"] is None),
    )


# -- this plan and no other ----------------------------------------------------------------------------------


def confirmation(plan: Mapping[str, Any]) -> str:
    """What has to be typed to confirm a plan: which workflow, or how many and where. It stays the same when a part is gone already."""
    ids = [one["workflow_id"] for one in plan.get("workflows", [])]
    server = plan.get("server") or {}
    return ids[0] if len(ids) == 1 else "%d workflows on %s" % (len(ids), server.get("cluster_name") or server.get("cluster_uuid") or "this cluster")


def lines_of(plan: Mapping[str, Any], options: Mapping[str, Any]) -> list[str]:
    """What the hash of a plan covers, for people, one line each."""
    server = plan.get("server") or {}
    lines = ["cluster %s %s" % (server.get("cluster_name"), server.get("cluster_uuid"))]
    lines += ["%s: %s" % (name, options[name]) for name in DECIDING if name in options]
    lines += ["allow_delete: %s" % name for name in sorted(options.get("allow_delete") or [])]
    lines += ["workflow %s" % one["workflow_id"] for one in plan.get("workflows", [])]
    for one in plan.get("resources", []):
        status = "would_delete" if one["status"] == "untouched" else one["status"]  # as before it was refused
        lines.append(" ".join([status, one["kind"], one["id"], *([one["uuid"]] if one["uuid"] else []), "of", one["workflow_id"]]))
    return lines


def difference(known: Mapping[str, Any]) -> dict[str, list[str]]:
    """What the plan that was approved holds and today's does not, and the other way round; nothing where they are the same."""
    if not another_plan(known) or not known["approved_lines"]:
        return {}
    approved, today = list(known["approved_lines"]), lines_of(known["plan"], known["options"])
    return dict(approved=[one for one in approved if one not in set(today)], today=[one for one in today if one not in set(approved)])


# -- how it goes on ------------------------------------------------------------------------------------------


def finishing_command(report: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """The command that carries a plan out, or finishes what is left; empty where there is nothing to do."""
    if report["status"] in ("done", "nothing to do") or (report["status"] == "planned" and not would_change(known["plan"])):
        return ""
    if not was_begun(known):
        return ""  # the same run again, with what was wrong put right
    if known["unwritten"]:
        return ""  # it would need the file of variables
    variables = "-e @%s" % shlex.quote(known["path"] + ".vars.yml")
    if not to_plan_again(report, known):
        return " ".join([PLAYBOOK + "teardown", variables, extra_variable("confirm", report["confirm"])])
    named = names_that_release(report)
    release = [extra_variable("allow_delete", sorted({*(known["options"].get("allow_delete") or []), *named}))] if named else []
    return " ".join([PLAYBOOK + "plan", variables, *release])


def would_change(plan: Mapping[str, Any]) -> bool:
    """Whether it has anything to do. C(changed) of the task says less: a plan changes nothing, and playbooks say so by C(changed_when)."""
    return any(one["changed"] for one in plan.get("workflows", []))


def was_begun(known: Mapping[str, Any]) -> bool:
    """Whether a plan was made, or a teardown asked for. Else options were refused, or the cluster was out of reach."""
    return bool(known["plan"].get("plan_hash") or known["outcome"])


def to_plan_again(report: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether somebody has to look at a plan first: there is none, it is not the approved one, or something in it is blocked."""
    if report["status"] == "planned":
        return False
    failed_plan = known["action"] == "plan" and known["failure"]
    return bool(not known["plan"] or known["action"] == "scan" or failed_plan or another_plan(known) or blocked(report))


def another_plan(known: Mapping[str, Any]) -> bool:
    """Whether a plan was approved, and it is not today's."""
    return known["approved_hash"] not in ("", known["plan"].get("plan_hash"))


def blocked(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The resources that are blocked. C(blocked) of a result also names what is kept by choice."""
    return [one for one in report["remaining"] if "blocked" in (one["status"], one["planned"])]


def names_that_release(report: Mapping[str, Any]) -> list[str]:
    """What allow_delete would have to name to let go what is blocked."""
    names = {name for one in blocked(report) for name in (one["id"], "%s/%s" % (one["kind"], one["id"]))}
    return [name for name in report["blocked"] if name in names]


def extra_variable(name: str, value: Any) -> str:
    """A variable of a command. What could be a template is marked as text in YAML, since JSON cannot do that.

    Plain texts go without quotes, which Ansible's output would double or escape; the role takes a list with commas between its items.
    """
    items = value if isinstance(value, list) else [value]
    if all(PLAIN.fullmatch(item) for item in items):
        return "-e %s%s=%s" % (PREFIX, name, ",".join(items))
    variable = {PREFIX + name: value}
    harmless = all(HARMLESS.fullmatch(item) for item in items)
    return "-e %s" % shlex.quote(json.dumps(variable) if harmless else as_text(variable, default_flow_style=True, width=float("inf")).strip())


def as_text(variables: Mapping[str, Any], **style: Any) -> str:
    """Variables in YAML whose texts Ansible never evaluates: names in a cluster are anybody's, and a file of variables counts as trusted."""
    return str(yaml.dump(marked(dict(variables)), Dumper=TextDumper, allow_unicode=True, **style))


class Text(str):
    """A text that is no template."""


class TextDumper(yaml.SafeDumper):
    """Marks each of them."""


TextDumper.add_representer(Text, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))


def marked(value: Any) -> Any:
    """The same with every text marked, the keys excepted, which are names of options."""
    if isinstance(value, dict):
        return {key: marked(one) for key, one in value.items()}
    if isinstance(value, list):
        return [marked(one) for one in value]
    return Text(value) if isinstance(value, str) else value


def heading_of(report: Mapping[str, Any]) -> str:
    """What that command does."""
    if report["status"] == "planned":
        return "To carry it out"
    return "To plan it again" if report["finish"].startswith(PLAYBOOK + "plan") else "To finish it"


def variables_of(report: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of that command: these workflows on this cluster, with the same options. None that connects is among them."""
    choosing = known["choosing"] if known["workflow_id"] is None else {"workflow_id": list(known["workflow_id"])}
    server = report["server"] or {}
    cluster = server.get("cluster_uuid") or server.get("cluster_name")
    options = {**({"expect_cluster": cluster} if cluster else {}), **known["options"], **choosing}
    options.update(approval(report, known))
    return {PREFIX + name: value for name, value in options.items()}


def approval(report: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The hash and the lines of the plan that may be carried out; none where a part may be gone, since what is left is another plan."""
    if report["status"] != "planned" and another_plan(known):
        return dict(plan_hash=known["approved_hash"], plan_lines=list(known["approved_lines"]))
    outcome = known["outcome"]
    nothing_gone = was_begun(known) and report["status"] == "failed" and not outcome.get("changed") and ("resources" in outcome or not outcome)
    if report["status"] == "planned" or (nothing_gone and not to_plan_again(report, known)):
        return dict(plan_hash=report["plan_hash"], plan_lines=lines_of(known["plan"], known["options"]))
    return {}


def stats_of(report: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """What is handed on to other jobs: short. The hash and the lines of a plan have the names under which a teardown takes them."""
    result = {key: report[key] for key in ("status", "msg", "confirm", "summary", "totals", "blocked", "finish", "file")}
    result.update(
        cluster=(report["server"] or {}).get("cluster_name"),
        workflows=len(report["workflows"]),
        remaining=["%s/%s" % (one["kind"], one["id"]) for one in report["remaining"]],
    )
    short = {key: value[:MOST] if isinstance(value, list) else value for key, value in result.items()}
    short.update(msg=report["msg"][:LONGEST], finish=report["finish"] if len(report["finish"]) <= LONGEST else "")  # a part of a command is none
    stats: dict[str, Any] = {"%sresult_of_%s" % (PREFIX, report["action"]): short}
    if report["status"] == "planned" and report["action"] == "plan":
        lines = lines_of(known["plan"], known["options"])
        stats[PREFIX + "plan_hash"] = report["plan_hash"]
        stats[PREFIX + "plan_lines"] = lines if len(lines) <= MOST else []  # a part of it would make a wrong difference
    return stats


def text_of(report: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """The report for a terminal and for the log of a job."""
    server = report["server"] or {}
    rows = [one for workflow in report["workflows"] for one in workflow["resources"]]
    lines = ["%s: %s" % (report["status"], report["msg"])]
    if server:
        lines.append("cluster %s (%s), OpenSearch %s" % (server.get("cluster_name"), server.get("cluster_uuid"), server.get("version")))
    lines += ["%-12s %-15s %s%s" % (one["status"], one["kind"], one["id"], extra(one)) for one in rows[:MOST]]
    lines += ["… and %d more, see the report" % (len(rows) - MOST)] if len(rows) > MOST else []
    lines += ["in no record: %s %s of %s: %s" % (one["kind"], one["id"], one["workflow_id"], one["command"]) for one in report["unrecorded"][:MOST]]
    lines += ["… and %d more in no record, see the report" % (len(report["unrecorded"]) - MOST)] if len(report["unrecorded"]) > MOST else []
    lines += ["approved, and not in today's plan: %s" % one for one in report["difference"].get("approved", [])[:MOST]]
    lines += ["in today's plan, and not approved: %s" % one for one in report["difference"].get("today", [])[:MOST]]
    if report["plan_hash"] and report["status"] == "planned":
        lines.append("plan hash %s" % report["plan_hash"])
    if report["action"] in LOOKS_ONLY:  # Ansible shows the diff of what has changed, and these change nothing
        lines += changed_lines(known["plan"].get("diff") or {})
    if report["snapshot"].get("restore"):
        lines.append("To restore the indices: %s" % report["snapshot"]["restore"])
    lines.append(known["unwritten"] or "report: %s.html, .md and .json" % report["file"])
    if report["finish"]:
        lines.append(line_of_command(report["finish_heading"], report["finish"]))
    return lines


def changed_lines(diff: Mapping[str, str]) -> list[str]:
    """The lines of a diff that differ, each with its sign."""
    before, after = (diff.get(side, "").splitlines() for side in ("before", "after"))
    there, left = set(before), set(after)
    return ["-" + line for line in before if line not in left] + ["+" + line for line in after if line not in there]


def line_of_command(heading: str, command: str) -> str:
    """A command with what it does. Ansible doubles or escapes quotes when it prints them, so that one with quotes cannot be pasted from there."""
    if set(command) & set("'\"\\"):
        return "%s, copy this from the report, since its quotes are not printed as they are: %s" % (heading, command)
    return "%s: %s" % (heading, command)


def extra(one: Mapping[str, Any]) -> str:
    """What else a line says of a resource."""
    counted = "" if one["documents"] is None else " (%d document%s)" % (one["documents"], "" if one["documents"] == 1 else "s")
    return counted + (": %s" % one["msg"] if one["msg"] else "")
