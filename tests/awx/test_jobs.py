# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs of the kit as AWX runs them: by ansible-runner, with the environment of a credential, the answers of a survey, and artifacts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ansible_runner
import pytest

from tests.integration.helpers import Environment, ansible_environment, environment, everything, existing, writes
from tests.simulator import running

from . import kit

DATA = kit.data()
TYPES = {one["name"]: one for one in DATA["controller_credential_types"]}
TEMPLATES = {one["name"]: one for one in DATA["controller_templates"]}
PLAN, TEARDOWN, APPROVED, REAP, REPORT = (TEMPLATES[f"Environment - {name}"] for name in ("plan", "tear down", "tear down what was approved", "reap", "report"))
CONFIRM = "2 workflows on preview"

pytestmark = [pytest.mark.slow, pytest.mark.extended]


@dataclass(frozen=True)
class Job:
    """How a job ended, what it printed, and what it handed on."""

    status: int
    output: str
    artifacts: dict[str, Any]


class Controller:
    """Runs job templates against one cluster."""

    def __init__(self, sim: Any, credential: dict[str, str], folder: Path) -> None:
        self.sim = sim
        self.credential = credential
        self.folder = folder
        self.jobs = 0

    def launch(self, template: dict[str, Any], variables: dict[str, Any]) -> Job:
        """One job. The variables of the template stand below those of the launch, as in AWX."""
        self.jobs += 1
        folder = self.folder / f"job-{self.jobs}"
        folder.mkdir()
        tools = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "ANSIBLE_LOCAL_TEMP": str(folder / "tmp")}
        kept = {name: value for name, value in ansible_environment().items() if name not in ("ANSIBLE_CALLBACKS_ENABLED", "ANSIBLE_CALLBACK_PLUGINS")}
        ran = ansible_runner.run(
            private_data_dir=str(folder),
            project_dir=str(kit.AWX / "project"),
            playbook=template["playbook"],
            inventory=f"localhost ansible_connection=local ansible_python_interpreter='{sys.executable}'",
            extravars={**template.get("extra_vars", {}), "environment_teardown_report_directory": str(folder / "reports"), **variables},
            envvars={**kept, **tools, **self.credential},
            cmdline=" ".join(filter(None, ["--check" if template["job_type"] == "check" else "", "--diff" if template["diff_mode"] else ""])),
            settings={"job_timeout": 120},
            quiet=True,
        )
        events = list(ran.events)
        (last,) = [event for event in events if event["event"] == "playbook_on_stats"]
        return Job(ran.rc, "\n".join(event.get("stdout", "") for event in events), last["event_data"].get("artifact_data", {}))


@pytest.fixture()
def sim() -> Iterator[Any]:
    with running(security=True, tls=True, cluster_name="preview") as simulator:
        simulator.add_user("operator", "operators-password", ["*"], roles=["all_access"])
        simulator.add_token("operators-token", "operator")
        yield simulator


@pytest.fixture()
def controller(sim: Any, tmp_path: Path) -> Controller:
    return Controller(sim, credential(sim, "OpenSearch with a password", tmp_path), tmp_path)


def credential(sim: Any, name: str, folder: Path) -> dict[str, str]:
    """The environment that a credential of a type gives to a job."""
    read = {key: Path(path).read_text(encoding="utf-8") for key, path in {"ca": sim.ca_cert, "cert": sim.client_cert, "key": sim.client_key}.items()}
    inputs = {
        "OpenSearch with a password": {"username": "operator", "password": "operators-password"},
        "OpenSearch with a token": {"token": "operators-token"},
        "OpenSearch with a client certificate": {"client_cert": read["cert"], "client_key": read["key"]},
    }[name]
    return kit.injected(TYPES[name], {"url": sim.url, "ca_cert": read["ca"], **inputs}, folder)


def two(sim: Any) -> tuple[list[Environment], dict[str, Any]]:
    """Two environments, and the answers that tear them down."""
    made = [environment(sim, name, ("connector", "index")) for name in ("pr-17", "pr-18")]
    return made, {"name": "pr-1*", "allow_delete": "pr-17-docs\npr-18-docs\n"}


@pytest.mark.parametrize("name", ["OpenSearch with a password", "OpenSearch with a token", "OpenSearch with a client certificate"])
def test_a_credential_of_each_type_lets_a_job_in(name: str, sim: Any, tmp_path: Path) -> None:
    environment(sim, "pr-17", ("connector",))
    job = Controller(sim, credential(sim, name, tmp_path), tmp_path).launch(PLAN, kit.answers(PLAN["survey_spec"], workflow_id="pr-17"))
    assert job.status == 0, job.output
    assert job.artifacts["environment_teardown_result_of_plan"]["status"] == "planned"


def test_on_aws_the_region_comes_from_our_type_and_the_keys_from_that_of_awx(tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI"}
    with running() as sim:
        inputs = kit.injected(TYPES["OpenSearch on AWS"], {"url": sim.url, "aws_region": "eu-central-1"}, tmp_path)
        job = Controller(sim, {**inputs, **keys}, tmp_path).launch(PLAN, kit.answers(PLAN["survey_spec"], workflow_id="gone"))
        signed = {(one.authorization or "").split("/aws4_request")[0].split("/", 2)[-1] for one in sim.requests()}
    assert job.status == 0, job.output
    assert signed == {"eu-central-1/es"}


def test_plan_approval_teardown_report(controller: Controller) -> None:
    sim = controller.sim
    made, given = two(sim)
    survey = kit.answers(PLAN["survey_spec"], **given)
    plan = controller.launch(PLAN, survey)
    assert plan.status == 0 and writes(sim) == [], plan.output
    assert set(plan.artifacts) == {"environment_teardown_result_of_plan", "environment_teardown_plan_hash", "environment_teardown_plan_lines"}
    assert plan.artifacts["environment_teardown_result_of_plan"]["confirm"] == CONFIRM
    done = controller.launch(APPROVED, {**plan.artifacts, **survey})
    assert done.status == 0, done.output
    assert [existing(sim, one) for one in made] == [set(), set()]
    assert done.artifacts["environment_teardown_result_of_teardown"]["status"] == "done"
    report = controller.launch(REPORT, {**plan.artifacts, **done.artifacts})
    assert report.status == 0, report.output
    for job in (plan, done, report):
        assert "operators-password" not in job.output + str(job.artifacts)


def test_what_has_changed_since_the_approval_is_refused_with_the_difference(controller: Controller) -> None:
    sim = controller.sim
    _made, given = two(sim)
    survey = kit.answers(PLAN["survey_spec"], **given)
    plan = controller.launch(PLAN, survey)
    sim.world.remove("connector", "pr_18_connector")
    before = everything(sim, "pr-17", "pr-18")
    refused = controller.launch(APPROVED, {**plan.artifacts, **survey})
    assert refused.status != 0 and everything(sim, "pr-17", "pr-18") == before and writes(sim) == []
    assert "another plan, or the cluster has changed since" in refused.output
    assert "approved, and not in today's plan: would_delete connector pr_18_connector" in refused.output
    assert refused.artifacts["environment_teardown_result_of_teardown"]["status"] == "failed", "handed on by a job that failed"
    report = controller.launch(REPORT, {**plan.artifacts, **refused.artifacts})
    assert report.status != 0, "the workflow is red"


def test_without_a_plan_the_approved_job_tears_nothing_down(controller: Controller) -> None:
    _made, given = two(controller.sim)
    job = controller.launch(APPROVED, kit.answers(APPROVED["survey_spec"], **given))
    assert job.status != 0 and writes(controller.sim) == []


def test_a_blocked_plan_says_what_is_missing_and_the_report_fails(controller: Controller) -> None:
    two(controller.sim)
    plan = controller.launch(PLAN, kit.answers(PLAN["survey_spec"], name="pr-1*"))
    assert plan.status != 0
    result = plan.artifacts["environment_teardown_result_of_plan"]
    assert result["blocked"] == ["pr-17-docs", "pr-18-docs"] and "environment_teardown_plan_hash" not in plan.artifacts
    report = controller.launch(REPORT, plan.artifacts)
    assert report.status != 0 and "Nothing was torn down. Refused" in report.output


@pytest.mark.parametrize("handed", ["a plan", "nothing", "that it has begun"])
def test_a_teardown_that_hands_no_result_on_is_not_said_to_have_deleted_nothing(handed: str, controller: Controller) -> None:
    """It may have been killed half way."""
    short = {"status": "unfinished", "msg": "2 workflows: 4 resources to delete"}
    plan = {"environment_teardown_result_of_plan": {**short, "status": "planned"}}
    before = {"a plan": plan, "nothing": {}, "that it has begun": {**plan, "environment_teardown_result_of_teardown": short}}[handed]
    report = controller.launch(REPORT, before)
    assert report.status != 0
    assert "No result was handed on; what was deleted is not known." in report.output and "Nothing was torn down" not in report.output


def test_one_job_with_a_typed_word(controller: Controller) -> None:
    made, given = two(controller.sim)
    job = controller.launch(TEARDOWN, kit.answers(TEARDOWN["survey_spec"], **given, confirm=CONFIRM))
    assert job.status == 0, job.output
    assert [existing(controller.sim, one) for one in made] == [set(), set()]


def test_a_schedule_reaps_and_another_one_only_looks(controller: Controller) -> None:
    made, _unused = two(controller.sim)
    reap, look = (one["extra_data"] for one in DATA["controller_schedules"])
    now = {"environment_teardown_unchanged_for": "0s"}
    found = controller.launch(REAP, {**look, **now})
    assert found.status != 0 and "Overdue: 2" in found.output and writes(controller.sim) == []
    done = controller.launch(REAP, {**reap, **now})
    assert done.status == 0, done.output
    assert [existing(controller.sim, one) for one in made] == [set(), set()]
    assert done.artifacts["environment_teardown_result_of_reap"]["totals"]["indices"] == 2
