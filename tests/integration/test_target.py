# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where modules run: by the Python that the tests were told (tests/environment.py run --target), which can import all of the collection."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import ansible
import pytest
from ansible_test._util.target.common import constants

from tests.environment import target_python

from .helpers import Playbooks, task

PLUGINS = Path(__file__).parents[2] / "plugins"
COLLECTION = "ansible_collections.opensearch_ops.flow_framework.plugins"
LOOK = "import json, sys; print(json.dumps([list(sys.version_info[:2]), sys.prefix]))"


def version(python: str) -> tuple[str, str]:
    """The version of a Python (3.8), and its folder."""
    (major, minor), prefix = json.loads(subprocess.check_output([python, "-I", "-c", LOOK], text=True))
    return f"{major}.{minor}", prefix


@pytest.mark.target
def test_ansible_core_supports_both_pythons() -> None:
    """By what ansible-core says itself of the release that is installed."""
    controller, target = version(sys.executable)[0], version(target_python())[0]
    assert controller in constants.CONTROLLER_PYTHON_VERSIONS, importlib.metadata.version("ansible-core")
    assert target in constants.REMOTE_ONLY_PYTHON_VERSIONS + constants.CONTROLLER_PYTHON_VERSIONS


def test_plays_run_modules_by_the_target(playbooks: Playbooks) -> None:
    look = {"name": "look", "ansible.builtin.setup": {"gather_subset": ["!all", "!min", "python"]}}
    found = playbooks.run([look])["look"]["ansible_facts"]["ansible_python"]
    python, prefix = version(target_python())
    assert "{major}.{minor}".format(**found["version"]) == python
    assert version(found["executable"])[1] == prefix


def test_each_module_starts_there_and_knows_its_options(playbooks: Playbooks) -> None:
    """As Ansible packs it; teardown_report is an action alone, and is never sent."""
    names = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
    names.remove("teardown_report")
    played = playbooks.run([task(name, f"opensearch_ops.flow_framework.{name}", {"no_such_option": 1}) for name in names])
    for name in names:
        assert "missing required arguments: " in played[name]["msg"] or "Unsupported parameters" in played[name]["msg"], played[name]


@pytest.mark.target
def test_the_target_imports_everything_that_is_sent_there(tmp_path: Path) -> None:
    """With Ansible from the controller, as the packed module has it, and everything else as the target has it."""
    names = [
        f"{COLLECTION}.{folder}.{path.stem}"
        for folder in ("module_utils._internal", "modules")
        for path in PLUGINS.joinpath(*folder.split(".")).glob("[a-z]*.py")
    ]
    assert f"{COLLECTION}.modules.workflow_info" in names
    (tmp_path / "ansible").symlink_to(Path(ansible.__file__).parent)
    path = os.pathsep.join([os.environ["ANSIBLE_COLLECTIONS_PATH"], str(tmp_path)])
    code = "import importlib, sys; print(*(importlib.import_module(name).__name__ for name in sys.argv[1:]))"
    imported = subprocess.check_output([target_python(), "-c", code, *names], env={**os.environ, "PYTHONPATH": path}, text=True)
    assert imported.split() == names
