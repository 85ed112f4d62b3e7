# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation is complete, says what the code does, and its examples run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.opensearch_ops.flow_framework.plugins.action import teardown_report
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection
from ansible_collections.opensearch_ops.flow_framework.plugins.modules import index_snapshot, workflow_deprovision, workflow_info

from .helpers import DEPROVISION, INFO, Playbooks, ansible_environment, environment, existing, template

MODULES = {DEPROVISION: workflow_deprovision, INFO: workflow_info}
SNAPSHOT = "opensearch_ops.flow_framework.index_snapshot"
REPORT = "opensearch_ops.flow_framework.teardown_report"
SPECS = {
    **{name: module.argument_spec for name, module in MODULES.items()},
    SNAPSHOT: index_snapshot.argument_spec,
    REPORT: teardown_report.argument_spec,
}
ROOT = Path(__file__).parents[2]
GUIDES = "ansible_collections.opensearch_ops.flow_framework.docsite.guide_"
SERVER = "https://search.example.com:9200"


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """What ansible-doc shows of both modules."""
    command = [sys.executable, "-m", "ansible", "doc", "--type", "module", "--json", *SPECS]
    made = subprocess.run(command, env=ansible_environment(), capture_output=True, text=True, check=True, timeout=60)
    return dict(json.loads(made.stdout))


def entries(described: dict[str, Any], below: str, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every option, or every key of a result, with those inside it."""
    for name, entry in described.items():
        yield path + name, entry
        yield from entries(entry.get(below) or {}, below, f"{path}{name}.")


@pytest.mark.parametrize("module", MODULES)
def test_every_option_and_every_key_of_the_result_is_described(module: str, shown: dict[str, Any]) -> None:
    doc, returned = shown[module]["doc"], shown[module]["return"]
    options = dict(entries(doc["options"], "suboptions"))
    keys = dict(entries(returned, "contains"))
    assert {"url", "workflow_id", "ca_cert"} <= set(options)
    assert {"server.cluster_uuid", "resources.status", "summary"} <= set(keys)
    for name, entry in [*options.items(), *keys.items()]:
        assert "".join(entry["description"]).strip(), name
        assert entry["type"], name
    for name, entry in keys.items():
        assert entry["returned"], name
    assert doc["short_description"] and doc["description"] and doc["author"] and doc["version_added"]
    assert shown[module]["examples"].strip()
    for name, attribute in doc["attributes"].items():
        assert attribute["support"] and attribute["description"], name


@pytest.mark.parametrize("module", SPECS)
def test_the_options_are_those_of_the_code(module: str, shown: dict[str, Any]) -> None:
    """Names, types, elements, defaults, choices, aliases, and which are required."""
    spec = SPECS[module]()
    documented = shown[module]["doc"]["options"]
    assert set(spec) == set(documented)
    for name, option in spec.items():
        for key in ("type", "elements", "default", "choices"):
            assert documented[name].get(key) == option.get(key), f"{name}: {key}"
        assert documented[name].get("aliases", []) == option.get("aliases", []), name
        assert documented[name].get("required", False) == option.get("required", False), name


@pytest.mark.parametrize("module", MODULES)
def test_every_fallback_to_the_environment_is_documented(module: str, shown: dict[str, Any]) -> None:
    spec = MODULES[module].argument_spec()
    variables = {name: option["fallback"][1][0] for name, option in spec.items() if "fallback" in option}
    variables.update(connection.AUTHENTICATION)
    for name, variable in variables.items():
        assert f"E({variable})" in "".join(shown[module]["doc"]["options"][name]["description"]), name


@pytest.mark.parametrize(
    ("module", "guides"),
    [
        (DEPROVISION, {"safety", "troubleshooting", "authentication", "permissions"}),
        (INFO, {"authentication", "permissions"}),
        (SNAPSHOT, {"authentication", "permissions"}),
        (REPORT, {"roles_and_reports"}),
    ],
)
def test_a_module_names_the_guides_that_belong_to_it(module: str, guides: set[str], shown: dict[str, Any]) -> None:
    """Whether each is there is seen by the linter of the documentation."""
    named = {entry["ref"]: entry["description"] for entry in shown[module]["doc"]["seealso"] if "ref" in entry}
    assert {GUIDES + guide for guide in guides} <= set(named) and all(named.values())


def test_where_a_pattern_is_explained_it_is_said_that_more_may_fit(shown: dict[str, Any]) -> None:
    """pr-17* also chooses pr-170, and what is said to choose pr-17 alone does."""
    described = "".join(shown[INFO]["doc"]["options"]["name"]["description"])
    assert all(text in described for text in ("V(pr-17*) also fits C(pr-170)", "V(pr-17[!0-9]*)"))
    specs = yaml.safe_load((ROOT / "roles" / "environment_teardown" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    for spec in specs.values():
        said = "".join(spec["options"]["environment_teardown_name"]["description"])
        assert "V(pr-17[!0-9]*)" in said and "V(pr-17*) would also fit C(pr-170)" in said
    fitting = {glob: [name for name in ("pr-17", "pr-17-docs", "pr-170") if fnmatchcase(name, glob)] for glob in ("pr-17*", "pr-17[!0-9]*", "pr-17")}
    assert fitting == {"pr-17*": ["pr-17", "pr-17-docs", "pr-170"], "pr-17[!0-9]*": ["pr-17-docs"], "pr-17": ["pr-17"]}


def test_the_result_has_the_keys_that_are_documented(shown: dict[str, Any], cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """No more and no fewer, on success as on failure."""
    sim = cluster()
    made = environment(sim, "w")
    options = {"url": sim.url, "workflow_id": "w"}
    played = playbooks.run(
        [
            {"name": "look", INFO: options},
            {"name": "refused", DEPROVISION: options, "ignore_errors": True},
            {"name": "tear down", DEPROVISION: {**options, "allow_delete": made.named}},
        ]
    )
    ansibles = {"changed", "failed", "invocation", "exception", "warnings", "deprecations", "diff"}
    for name, module in (("look", INFO), ("refused", DEPROVISION), ("tear down", DEPROVISION)):
        returned = shown[module]["return"]
        keys = {key for key in played[name] if not key.startswith("_")} - ansibles
        assert keys == {key for key, entry in returned.items() if entry["returned"] == "always"} - ansibles, name
        for key, entry in returned.items():
            if "contains" in entry and played[name].get(key):
                found = played[name][key]
                for one in found if isinstance(found, list) else [found]:
                    assert set(one) == set(entry["contains"]), f"{name}: {key}"
        assert set(played[name]["summary"]) == set(returned["summary"]["sample"]), name


def examples(module: str, shown: dict[str, Any], sim: Any) -> list[dict[str, Any]]:
    """The examples, with the server and the files of the simulator; each task may be found by its name."""
    text = shown[module]["examples"].replace(SERVER, sim.url)
    for name, path in {"ops.pem": sim.client_cert, "ops.key": sim.client_key, "ca.pem": sim.ca_cert}.items():
        text = text.replace(f"/etc/pki/opensearch/{name}", path)
    return list(yaml.safe_load(text))


def test_every_example_runs(shown: dict[str, Any], cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """With a server that has the environment of the examples; each that tears down gets it anew."""
    sim = cluster(security=True, tls=True, cluster_name="preview")
    sim.add_user("operator", "operators-password", ["*"], roles=["all_access"])
    sim.add_token("operators-token", "operator")
    variables = {
        "search_user": "operator",
        "search_password": "operators-password",
        "search_token": "operators-token",
        "preview_workflow_id": "preview",
        "reviewed_names": ["pr-17-docs", "pr-17-embed"],
    }
    ids = {"index": "pr-17-docs", "ingest_pipeline": "pr-17-embed"}
    trusting = {"OPENSEARCH_CA_CERT": sim.ca_cert}  # the examples trust the system's certificates
    plan, exact, keep, report = examples(DEPROVISION, shown, sim)
    look, blocked, find, plan_old, reviewed = examples(INFO, shown, sim)
    # Who reads the plan writes its hash down beside the names; here the play does.
    write_down = {"name": "Write it down", "ansible.builtin.set_fact": {"reviewed_plan": "{{ plan.plan_hash }}"}}
    plays = {
        "plan and teardown": ([plan, exact], {"model_group"}),
        "keep": ([keep], {"model_group", "index", "ingest_pipeline"}),
        "report": ([report], {"connector", "model_group", "model", "agent", "index", "ingest_pipeline"}),
        "info": (
            [look, blocked],
            {"connector", "model_group", "model", "agent", "index", "ingest_pipeline"},
        ),
    }
    plays["choosing"] = ([find, plan_old, write_down, reviewed], {"model_group"})
    begun = int(time.time() * 1000) - 8 * 86_400_000
    for name, (tasks, left) in plays.items():
        made = environment(sim, "preview", ("connector", "model_group", "model", "agent"), ids=ids)
        if name == "choosing":
            sim.world.put("index", "pr-17-docs", creation_date=begun)
            sim.load({**made.state, "provision_start_time": begun, "provision_end_time": begun + 1000}, template("pr-17"))
        played = playbooks.run(tasks, play={"vars": variables}, environment=trusting)
        assert played.status == 0, f"{name}\n{played.output}"
        assert existing(sim, made) == left, name
    wanted = [task["name"] for tasks, _other in plays.values() for task in tasks if task is not write_down]
    assert len(wanted) == len(yaml.safe_load(shown[DEPROVISION]["examples"])) + len(yaml.safe_load(shown[INFO]["examples"]))


def test_the_example_of_a_report_leaves_all_that_its_command_needs(shown: dict[str, Any], cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """That of a teardown, and of a plan by the same tasks."""
    sim = cluster(tls=True, cluster_name="preview")
    (block,) = examples(REPORT, shown, sim)
    begin, plan, carry_out = block["block"]
    (report,) = block["always"]
    planned = {**report, "name": "Report the plan", REPORT: {**report[REPORT], "action": "plan", "path": "{{ playbook_dir }}/reports/planned"}}
    # So that the end of each is another second than the begin.
    tasks = [begin, {"name": "The next second", "ansible.builtin.wait_for": {"timeout": 1}}, plan, planned, carry_out]
    made = environment(sim, "preview", ("connector", "index"), ids={"index": "pr-17-docs"})
    played = playbooks.run([{**block, "block": tasks}], play={"vars": {"preview_workflow_id": "preview"}}, environment={"OPENSEARCH_CA_CERT": sim.ca_cert})
    assert played.status == 0, played.output
    assert existing(sim, made) == {"index"}
    for name, status in (("planned", "planned"), ("pr-17", "done")):
        text = {end: (playbooks.folder / "reports" / f"{name}.{end}").read_text(encoding="utf-8") for end in ("json", "vars.yml")}
        written = json.loads(text["json"])
        assert written["status"] == status and written["started"] < written["ended"]
        assert written["asked"]["options"] == {"on_blocked": "keep"}
        variables = yaml.safe_load(text["vars.yml"].replace("!unsafe", ""))
        assert variables["environment_teardown_workflow_id"] == ["preview"] and variables["environment_teardown_on_blocked"] == "keep"
    assert "-e environment_teardown_confirm=preview" in played[planned["name"]]["report"]["finish"]
