# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""README.md says what is so: its playbooks run, its tables are those of the modules, its links work on Galaxy."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.demo.cast import Environment, Stage, assistant
from tests.environment import target_python
from tests.simulator import running

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COLLECTION = "ansible_collections.opensearch_ops.flow_framework.plugins."

EXAMPLE_URL = "https://search.example.com:9200"
"""The cluster of the examples; the simulator takes its place."""

TORN_DOWN = (
    "Tear down the preview environment of a pull request",
    "Plan a teardown, look at it, and carry out that plan and no other",
    "Tear down by the role, and keep a report",
)
REFUSED = ("Say what is left when a teardown fails",)
PLANNED = ("Plan the teardown of the preview environments of last week and before",)


def blocks() -> list[Any]:
    """The content of every YAML example. Raises yaml.YAMLError for one that is no YAML."""
    return [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)]


PLAYS = {play["name"]: play for block in blocks() if isinstance(block, list) for play in block}


# -- examples ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A cluster with the name that the examples expect, and with users."""
    with running(version="3.6.0", clock=0.0, security=True, cluster_name="preview") as simulator:
        yield Stage(simulator)


def provisioned(stage: Stage) -> Environment:
    """The environment that the examples tear down."""
    environment = Environment("pr-17")
    workflow_id = stage.simulator.provision(assistant(environment.name))
    environment.workflow_ids.append(workflow_id)
    environment.resources += stage.recorded(environment)
    assert environment.to_name == ["pr-17-clean", "pr-17-docs", "pr-17-search"]
    return environment


def run_play(play: dict[str, Any], stage: Stage, environment: Environment, folder: Path) -> str:
    """Run one example by real ansible-playbook with its cluster exchanged; its output. Fails if the playbook does."""
    playbook = folder / "playbook.yml"
    text = yaml.safe_dump([play], sort_keys=False)
    assert EXAMPLE_URL in text
    playbook.write_text(text.replace(EXAMPLE_URL, stage.simulator.url), encoding="utf-8")
    inventory = folder / "inventory.yml"
    host = {"ansible_connection": "local", "ansible_python_interpreter": target_python()}
    inventory.write_text(json.dumps({"all": {"hosts": {"localhost": host}}}), encoding="utf-8")
    variables: dict[str, Any] = {"search_user": "admin", "search_password": "admin", "preview_workflow_id": environment.workflow_ids[0]}
    variables["reviewed_names"] = environment.to_name
    # The module refuses where its password is a part of a name that it would have to show; none here holds "admin".
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), str(playbook)]
    done = subprocess.run(
        [*command, "-e", json.dumps(variables)],
        env={name: value for name, value in os.environ.items() if not name.startswith("OPENSEARCH_")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_every_example_is_known_here() -> None:
    """A new example has to be put down above, with what it does."""
    assert sorted(PLAYS) == sorted(TORN_DOWN + REFUSED + PLANNED)


@pytest.mark.target
@pytest.mark.parametrize("name", TORN_DOWN)
def test_example_tears_down(name: str, stage: Stage, tmp_path: Path) -> None:
    environment = provisioned(stage)
    assert stage.left(environment) == environment.resources
    output = run_play(PLAYS[name], stage, environment, tmp_path)
    assert stage.left(environment) == environment.groups
    assert stage.states(environment) == ["NOT_STARTED"]
    assert "changed=0" not in output


@pytest.mark.target
@pytest.mark.parametrize("name", REFUSED)
def test_example_refuses_and_says_what_is_missing(name: str, stage: Stage, tmp_path: Path) -> None:
    environment = provisioned(stage)
    output = run_play(PLAYS[name], stage, environment, tmp_path)
    assert "rescued=1" in output
    said = output.split("TASK [Name what allow_delete would have to name]")[1]
    assert all(id_ in said for id_ in environment.to_name)
    assert stage.left(environment) == environment.resources == stage.recorded(environment)
    assert stage.simulator.requests("POST", "_deprovision") == []


@pytest.mark.target
@pytest.mark.parametrize("name", PLANNED)
def test_example_plans_what_is_old_and_deletes_nothing(name: str, stage: Stage, tmp_path: Path) -> None:
    environment, simulator = provisioned(stage), stage.simulator
    young = run_play(PLAYS[name], stage, environment, tmp_path)
    assert "changed=0" in young, "it is not a week old"
    begun = int(time.time() * 1000) - 8 * 86_400_000
    state: Any = simulator.state(environment.workflow_ids[0])
    simulator.load({**state, "provision_start_time": begun, "provision_end_time": begun + 1000})
    simulator.world.put("index", "pr-17-docs", creation_date=begun)
    assert "changed=1" in run_play(PLAYS[name], stage, environment, tmp_path)
    assert stage.left(environment) == environment.resources and simulator.requests("POST", "_deprovision") == []


def test_requirements_example_names_this_repository() -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    (requirements,) = (block for block in blocks() if isinstance(block, dict))
    assert [one["name"] for one in requirements["collections"]] == [galaxy["repository"] + ".git"]


# -- tables ------------------------------------------------------------------------------------------------------------


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its own heading."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def documentation(module: str) -> dict[str, Any]:
    """What a module says of itself."""
    loaded: dict[str, Any] = yaml.safe_load(importlib.import_module(COLLECTION + "modules." + module).DOCUMENTATION)
    return loaded


def fragment() -> dict[str, Any]:
    """The connection options."""
    text = importlib.import_module(COLLECTION + "doc_fragments.connection").ModuleDocFragment.DOCUMENTATION
    loaded: dict[str, Any] = yaml.safe_load(text)["options"]
    return loaded


def as_yaml(default: object) -> str:
    """A default as a playbook would have it."""
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_options_and_defaults_are_those_of_the_module() -> None:
    options = documentation("workflow_deprovision")["options"]
    said = {row[0]: row[1] for row in table("Options of workflow_deprovision")}
    true = {name: "required" if one.get("required") else as_yaml(one.get("default", "")) for name, one in options.items()}
    assert said == true


def test_options_of_information_are_those_of_the_module() -> None:
    assert [row[0] for row in table("Options of workflow_info")] == list(documentation("workflow_info")["options"])


def test_connection_options_and_variables_are_those_of_the_modules() -> None:
    said = {row[0]: row[1] for row in table("Connection")}
    true = {}
    for name, option in fragment().items():
        named = re.findall(r"E\((OPENSEARCH_[A-Z_]+)\)", " ".join(option["description"]))
        true[name] = named[0] if named else ""
    assert said == true


def test_statuses_are_those_that_a_resource_can_have() -> None:
    fates = importlib.import_module(COLLECTION + "module_utils.fates")
    rows = table("What status says")
    assert sorted(row[0] for row in rows) == sorted(fates.STATUSES)
    assert {row[0] for row in rows if row[3] == "yes"} == set(fates.FAILURES)


def test_commands_are_targets_of_the_makefile() -> None:
    named = set(re.findall(r"`make ([a-z-]+)", README))
    assert named
    subprocess.run(["make", "--dry-run", *sorted(named)], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)


def test_links_are_full_urls_and_those_into_the_repository_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]*)\)", README)
    assert links and all(link.startswith("https://") for link in links)
    paths = re.findall(
        r"\]\(https://github\.com/opensearch-ops/ansible-flow-framework/(?:blob|tree|raw)/main/([^)]+)\)", README
    )
    assert paths and all((ROOT / path).exists() for path in paths), paths
