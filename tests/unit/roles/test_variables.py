# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role are the options of the modules: none is forgotten, and none is invented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.resources import KINDS, needs_allow_delete
from ansible_collections.opensearch_ops.flow_framework.plugins.modules import index_snapshot, workflow_deprovision, workflow_info
from ansible_collections.opensearch_ops.flow_framework.plugins.plugin_utils._report import report_of

ROLE = Path(__file__).resolve().parents[3] / "roles" / "environment_teardown"
PREFIX = "environment_teardown_"
OWN = {"confirm", "plan_hash", "plan_lines", "snapshot_repository", "snapshot_timeout", "report_directory", "report_name"}
REAP = {"allow_delete_like", "scan"}


def load(path: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROLE / path).read_text(encoding="utf-8")))


SPECS = load("meta/argument_specs.yml")["argument_specs"]
VARIABLES = load("vars/main.yml")
CONNECTION = connection.argument_spec()
CHOOSING = {name: one for name, one in workflow_info.argument_spec().items() if name not in CONNECTION and name != "look"}
TEARDOWN = {name: one for name, one in workflow_deprovision.argument_spec().items() if name not in {*CONNECTION, "workflow_id", "plan_hash"}}


@pytest.mark.parametrize(("which", "options"), [("connection", CONNECTION), ("choosing", CHOOSING), ("teardown", TEARDOWN)])
def test_every_option_of_a_module_is_passed_on(which: str, options: dict[str, Any]) -> None:
    assert set(VARIABLES[f"{PREFIX}_{which}_options"]) == set(options)


def test_what_is_a_list_there_may_be_a_text_here() -> None:
    lists = {name for name, one in {**CONNECTION, **CHOOSING, **TEARDOWN}.items() if one.get("type") == "list"}
    assert set(VARIABLES[f"{PREFIX}_list_options"]) == lists


def test_a_pattern_may_begin_with_each_kind_that_has_to_be_named() -> None:
    assert VARIABLES[f"{PREFIX}_named_kinds"] == [kind for kind in KINDS if needs_allow_delete(kind)]


def test_the_names_that_are_not_refused_are_those_that_are_specified() -> None:
    """Of any way in: a play may set some for all of them."""
    known = {PREFIX + name for which in ("connection", "choosing", "teardown", "own") for name in VARIABLES[f"{PREFIX}_{which}_options"]}
    assert known == {name for spec in SPECS.values() for name in spec["options"]}
    assert set(VARIABLES[f"{PREFIX}_own_options"]) == OWN | REAP


def test_what_the_role_hands_on_may_come_back() -> None:
    """AWX gives it to a later job as extra variables."""
    handed_on = {name for action in ("plan", "teardown", "reap", "scan") for name in report_of(dict(action=action, started="", path=""))["stats"]}
    assert handed_on == {PREFIX + name for name in VARIABLES[f"{PREFIX}_results"]}


@pytest.mark.parametrize("entry", SPECS)
def test_every_variable_is_specified(entry: str) -> None:
    known = {*CONNECTION, *CHOOSING, *TEARDOWN, *OWN, *(REAP if entry == "reap" else ())}
    assert {name[len(PREFIX) :] for name in SPECS[entry]["options"]} == known


@pytest.mark.parametrize("name", sorted({**CONNECTION, **CHOOSING, **TEARDOWN}))
def test_a_variable_takes_what_its_option_takes(name: str) -> None:
    """Whatever a blank text would not fit is left to the module to check."""
    option, variable = {**CONNECTION, **CHOOSING, **TEARDOWN}[name], SPECS["main"]["options"][PREFIX + name]
    raw = option["type"] not in ("str", "path", "list") or (option["type"] == "str" and "choices" in option)
    assert variable["type"] == ("raw" if raw else option["type"])
    assert "choices" not in variable
    assert variable.get("no_log") == (option.get("no_log") or None)


def test_only_what_the_role_itself_needs_has_a_default() -> None:
    """A default here would stand above the module's, and above what the play sets."""
    assert set(load("defaults/main.yml")) == {f"{PREFIX}report_directory", f"{PREFIX}report_name", f"{PREFIX}scan"}


@pytest.mark.parametrize("entry", SPECS)
def test_ansible_doc_tells_each_default_of_the_role(entry: str) -> None:
    options = SPECS[entry]["options"]
    set_here = {name: value for name, value in load("defaults/main.yml").items() if name in options}
    assert {name: one["default"] for name, one in options.items() if "default" in one} == set_here


def test_the_time_for_a_snapshot_is_told_with_the_default_of_its_module() -> None:
    default = index_snapshot.argument_spec()["wait_timeout"]["default"]
    (said, _link) = SPECS["main"]["options"][f"{PREFIX}snapshot_timeout"]["description"]
    assert f" {default} if not set." in said
