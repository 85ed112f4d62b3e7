# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Galaxy would hand out works by itself: built, installed into an empty path, and run by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .helpers import ansible_environment, environment, existing

ROOT = Path(__file__).resolve().parents[2]
NAME = "opensearch_ops.flow_framework"
FOLDERS = {"changelogs", "docs", "meta", "playbooks", "plugins", "roles", "tests"}
FILES = {"CHANGELOG.md", "CHANGELOG.rst", "FILES.json", "LICENSE", "MANIFEST.json", "README.md", "requirements.txt"}


def command(*words: str, folder: Path, **variables: str) -> str:
    """Run one of Ansible's commands; what it printed. Fails if it does."""
    kept = {name: value for name, value in ansible_environment().items() if name != "ANSIBLE_COLLECTIONS_PATH"}
    ran = subprocess.run(
        [sys.executable, "-m", "ansible", *words], cwd=folder, env={**kept, **variables}, capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    command("galaxy", "collection", "build", str(ROOT), "--output-path", str(folder), folder=folder)
    (built,) = folder.glob("opensearch_ops-flow_framework-*.tar.gz")
    return built


def test_it_holds_what_a_user_needs_and_nothing_that_only_tests_or_shows(artifact: Path) -> None:
    with tarfile.open(artifact) as packed:
        names = packed.getnames()
    tops = {name.split("/")[0] for name in names}
    assert tops == FOLDERS | FILES
    assert {f"playbooks/{name}.yml" for name in ("plan", "teardown", "reap")} <= set(names)
    assert {name for name in names if name.startswith("changelogs/")} == {"changelogs/changelog.yaml"}
    # Without it ansible-test, as Automation Hub runs it, takes Pythons that the collection is not for.
    assert {name for name in names if name.startswith("tests/")} == {"tests/config.yml"}
    assert all(name.startswith("docs/docsite") for name in names if name.startswith("docs/"))
    assert not [name for name in names if name.endswith((".pyc", ".tar.gz"))]
    assert artifact.stat().st_size < 1_000_000


@pytest.fixture(scope="module")
def installed(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty path, with nothing but the artifact installed into it."""
    path = tmp_path_factory.mktemp("installed") / "collections"
    command("galaxy", "collection", "install", str(artifact), "--collections-path", str(path), "--offline", folder=path.parent)
    assert os.listdir(path / "ansible_collections" / "opensearch_ops") == ["flow_framework"]
    return path


@pytest.mark.parametrize("kind", ("module", "filter", "role"))
def test_ansible_doc_lists_and_shows_all_that_is_installed(installed: Path, kind: str) -> None:
    """As `ansible-doc -l opensearch_ops.flow_framework` does, and by name."""
    folder = {"module": "plugins/modules/*.py", "filter": "plugins/filter/*.py", "role": "roles/*"}[kind]
    wanted = {f"{NAME}.{path.stem}" for path in ROOT.glob(folder)}
    assert wanted
    doc = ("doc", "--type", kind, "--json")
    assert set(json.loads(command(*doc, "--list", NAME, folder=installed, ANSIBLE_COLLECTIONS_PATH=str(installed)))) == wanted
    shown = json.loads(command(*doc, *sorted(wanted), folder=installed, ANSIBLE_COLLECTIONS_PATH=str(installed)))
    assert set(shown) == wanted and all(shown.values())


def test_installed_into_an_empty_path_it_tears_down_and_reports(installed: Path, cluster: Callable[..., Any], tmp_path: Path) -> None:
    sim = cluster()
    made = environment(sim, "pr-17")
    given = {"environment_teardown_workflow_id": "pr-17", "environment_teardown_allow_delete": made.named, "environment_teardown_confirm": "pr-17"}
    work = tmp_path / "work"
    work.mkdir()
    output = command(
        "playbook",
        "opensearch_ops.flow_framework.teardown",
        "-e",
        json.dumps(given),
        folder=work,
        ANSIBLE_COLLECTIONS_PATH=str(installed),
        OPENSEARCH_URL=sim.url,
        RECORDER_FILE=os.devnull,
    )
    assert existing(sim, made) == {"model_group"}
    (report,) = (work / "environment-teardown").glob("teardown-*.json")
    assert json.loads(report.read_text(encoding="utf-8"))["status"] == "done"
    assert {one.name.split(".", 1)[1] for one in report.parent.iterdir()} == {"json", "md", "html", "vars.yml"}
    assert "done: 1 workflow: 6 resources deleted" in output
