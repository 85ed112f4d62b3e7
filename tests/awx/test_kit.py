# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kit keeps the rules that AWX's server has for credential types, surveys, job templates and workflows, and fits the collection."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection
from ansible_collections.opensearch_ops.flow_framework.plugins.modules import index_snapshot

from . import kit

DATA = kit.data()
TYPES = {one["name"]: one for one in DATA["controller_credential_types"]}
TEMPLATES = {one["name"]: one for one in DATA["controller_templates"]}
(WORKFLOW,) = DATA["controller_workflows"]
SURVEYS = {one["name"]: one["survey_spec"] for one in [*DATA["controller_templates"], WORKFLOW] if one["survey_enabled"]}
NODES = {one["identifier"]: one for one in WORKFLOW["workflow_nodes"]}
SPECS = kit.load(kit.EXAMPLES.parent / "roles" / "environment_teardown" / "meta" / "argument_specs.yml")["argument_specs"]

# What AWX lets no credential set (its ENV_BLOCKLIST), beside everything that begins with ANSIBLE_.
BLOCKED = {"VIRTUAL_ENV", "PATH", "PYTHONPATH", "JOB_ID", "INVENTORY_ID", "INVENTORY_SOURCE_ID", "INVENTORY_UPDATE_ID", "AD_HOC_COMMAND_ID", "REST_API_URL"}
BLOCKED |= {"REST_API_TOKEN", "MAX_EVENT_RES", "CALLBACK_QUEUE", "CALLBACK_CONNECTION", "CACHE", "JOB_CALLBACK_DEBUG", "INVENTORY_HOSTVARS", "AWX_HOST"}
FALLBACKS = {option["fallback"][1][0] for option in connection.argument_spec().values() if "fallback" in option} | set(connection.AUTHENTICATION.values())
PLACES = {"always_nodes", "success_nodes", "failure_nodes"}


# -- credential types --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TYPES)
def test_the_fields_of_a_credential_type_are_ones_that_awx_takes(name: str) -> None:
    inputs = TYPES[name]["inputs"]
    ids = [one["id"] for one in inputs["fields"]]
    assert len(ids) == len(set(ids)) and set(inputs["required"]) <= set(ids)
    for one in inputs["fields"]:
        assert set(one) <= {"id", "label", "type", "secret", "multiline", "format", "help_text", "choices", "default", "ask_at_runtime"}
        assert re.fullmatch(r"[a-zA-Z_]+[a-zA-Z0-9_]*", one["id"]) and one["id"] != "tower"
        assert one["label"] and one["type"] in ("string", "boolean")
        assert one["type"] == "string" or not set(one) & {"secret", "multiline", "format", "choices"}
        assert one["id"] not in ("password", "token", "client_key") or one["secret"]


@pytest.mark.parametrize("name", TYPES)
def test_the_injectors_of_a_credential_type_are_ones_that_awx_takes(name: str) -> None:
    injectors, fields = TYPES[name]["injectors"], {one["id"] for one in TYPES[name]["inputs"]["fields"]}
    assert set(injectors) == {"env", "file"}, "no secret becomes a variable of a play"
    files = set(injectors["file"])
    assert all(re.fullmatch(r"template\.[a-zA-Z_][a-zA-Z0-9_]*", one) for one in files)
    known: dict[str, Any] = dict.fromkeys(fields, "EXAMPLE")
    known["tower"] = SimpleNamespace(filename=SimpleNamespace(**{one.partition(".")[2]: "EXAMPLE" for one in files}))
    for variable, text in injectors["env"].items():
        assert not variable.startswith("ANSIBLE_") and variable not in BLOCKED
        assert text.isascii()
    for text in [*injectors["env"].values(), *injectors["file"].values()]:
        kit.engine().from_string(text).render(**known)  # StrictUndefined: a field that is not declared is an error


@pytest.mark.parametrize("name", TYPES)
def test_the_variables_are_those_that_the_modules_read(name: str) -> None:
    assert set(TYPES[name]["injectors"]["env"]) <= FALLBACKS


@pytest.mark.parametrize("name", TYPES)
def test_with_the_required_fields_alone_certificates_are_checked(name: str, tmp_path: Path) -> None:
    required = dict.fromkeys(TYPES[name]["inputs"]["required"], "x")
    environment = kit.injected(TYPES[name], required, tmp_path)
    assert environment["OPENSEARCH_VALIDATE_CERTS"] == "True" and environment["OPENSEARCH_CA_CERT"] == ""


# -- surveys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SURVEYS)
def test_a_survey_is_one_that_awx_takes(name: str) -> None:
    survey = SURVEYS[name]
    assert survey["name"] and survey["description"] and survey["spec"]
    variables = [one["variable"] for one in survey["spec"]]
    assert len(variables) == len(set(variables))
    for one in survey["spec"]:
        assert {"question_name", "type", "variable", "required"} <= set(one) and isinstance(one["required"], bool)
        assert one["type"] in ("text", "textarea", "password", "integer", "float", "multiplechoice", "multiselect")
        if one["type"] in ("text", "textarea"):
            assert isinstance(one.get("default", ""), str) and len(one.get("default", "")) <= one["max"]
            assert one["min"] == (1 if one["required"] else 0), "a blank answer is one to an optional question only"
        if one["type"] == "integer":
            assert isinstance(one["default"], int) and one["min"] <= one["default"] <= one["max"]
        if one["type"] == "multiplechoice":
            assert one["default"] in one["choices"] and all(isinstance(choice, str) for choice in one["choices"])


@pytest.mark.parametrize("name", SURVEYS)
def test_every_question_is_a_variable_of_the_role(name: str) -> None:
    entry = "reap" if name.endswith("reap") else "main"
    assert {one["variable"] for one in SURVEYS[name]["spec"]} <= set(SPECS[entry]["options"])


def test_the_workflow_asks_what_its_jobs_take() -> None:
    """So that its answers reach them whatever a job lets others set."""
    asked = [one["variable"] for one in WORKFLOW["survey_spec"]["spec"]]
    for name in ("Environment - plan", "Environment - tear down what was approved"):
        assert [one["variable"] for one in TEMPLATES[name]["survey_spec"]["spec"]] == asked


# -- job templates and the workflow ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_job_template_has_all_that_it_needs(name: str) -> None:
    one = TEMPLATES[name]
    assert (kit.AWX / "project" / one["playbook"]).is_file()
    assert one["job_type"] == ("check" if one["playbook"] == "plan.yml" else "run")
    assert not one["ask_variables_on_launch"] and not one["allow_simultaneous"] and one["timeout"] > 0
    for kind in ("projects", "inventories", "execution_environments"):
        field = kind[:-1] if kind != "inventories" else "inventory"
        assert one[field] in [other["name"] for other in DATA[f"controller_{kind}"]]
    assert set(one["credentials"]) <= {other["name"] for other in DATA["controller_credentials"]}


@pytest.mark.parametrize("name", [name for name, one in TEMPLATES.items() if one["playbook"] in ("teardown.yml", "reap.yml")])
def test_a_job_that_tears_down_ends_by_itself_before_its_time_is_over(name: str) -> None:
    """It then says what is left; one that is ended says nothing. A snapshot may come before."""
    snapshot = index_snapshot.argument_spec()["wait_timeout"]["default"]
    given = TEMPLATES[name]["extra_vars"]["environment_teardown_task_timeout"]
    assert given + snapshot < TEMPLATES[name]["timeout"]


def test_only_the_job_after_the_approval_confirms_by_itself() -> None:
    confirming = [name for name, one in TEMPLATES.items() if "environment_teardown_confirm" in one.get("extra_vars", {})]
    assert confirming == ["Environment - tear down what was approved"]
    nodes = [name for name, one in NODES.items() if one["unified_job_template"]["name"] in confirming]
    before = [name for name, one in NODES.items() for place in PLACES for other in one["related"].get(place, []) if other["identifier"] in nodes]
    assert before == ["approve"] and NODES["approve"]["unified_job_template"]["type"] == "workflow_approval"
    assert NODES["approve"]["unified_job_template"]["timeout"] > 0
    assert NODES["approve"]["related"]["success_nodes"] == [{"identifier": "teardown"}]


def test_every_branch_of_the_workflow_ends_with_the_report() -> None:
    """Whose failure makes the workflow red: a failure that a later job handles would leave it green."""
    for name, one in NODES.items():
        leads = {place: [other["identifier"] for other in others] for place, others in one["related"].items()}
        assert set(leads) <= PLACES and all(other in NODES for others in leads.values() for other in others)
        if name != "report":
            assert "report" in leads.get("failure_nodes", []) + leads.get("always_nodes", [])
    assert NODES["report"]["related"] == {}


@pytest.mark.parametrize("schedule", DATA["controller_schedules"], ids=lambda one: str(one["name"]))
def test_a_schedule_answers_every_required_question(schedule: dict[str, Any]) -> None:
    spec = TEMPLATES[schedule["unified_job_template"]]["survey_spec"]["spec"]
    assert {one["variable"] for one in spec if one["required"]} <= set(schedule["extra_data"]) <= {one["variable"] for one in spec}
    assert re.fullmatch(r"DTSTART:\d{8}T\d{6}Z RRULE:FREQ=[A-Z]+;(BYDAY=[A-Z,]+;)?INTERVAL=\d+", schedule["rrule"])


def test_only_the_prefix_differs_on_the_automation_platform() -> None:
    """And apply.yml takes everything that the data holds."""
    text = (kit.AWX / "apply.yml").read_text(encoding="utf-8")
    changed = re.sub(r"awx\.awx\.", "ansible.controller.", text)
    modules = re.findall(r"^      ansible\.controller\.(\w+):", changed, re.MULTILINE)
    assert len(modules) == len(DATA) and not re.search(r"^      awx\.", changed, re.MULTILINE)
    assert {name for name in DATA if name not in text} == set()
    for name, entries in DATA.items():
        task = text.split(name)[0].rsplit("- name:", 1)[1]
        assert {key for one in entries for key in one} <= set(re.findall(r"item\.(\w+)", task)), name


def test_no_schedule_that_deletes_is_switched_on_by_applying_the_kit() -> None:
    deleting = [one for one in DATA["controller_schedules"] if one["extra_data"]["environment_teardown_scan"] != "true"]
    assert deleting and all(one["enabled"] is False for one in deleting)
    (task,) = [one for one in kit.load(kit.AWX / "apply.yml")[0]["tasks"] if one["name"] == "Schedules"]
    assert task["awx.awx.schedule"]["enabled"] == "{{ item.enabled | default(true) }}"
