# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""opensearch-py on the target: missing, the oldest supported, the first of 3.x. All other tests use the newest."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import environment as test_environment
from tests.environment import target_python

from .helpers import Playbooks, by_kind, deprovision, environment, existing, info

OLDER = ("2.8.0", "3.0.0")


def test_opensearch_py_missing_gives_ansibles_own_message(cluster: Callable[..., Any], playbooks: Playbooks, tmp_path: Path) -> None:
    """On a Python of its own that has nothing installed."""
    sim = cluster()
    subprocess.run([target_python(), "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    bare = {"vars": {"ansible_python_interpreter": python}}
    played = playbooks.run([{**deprovision("deprovision", sim.url, "w"), **bare}, {**info("info", sim.url, "w"), **bare}])
    for name in ("deprovision", "info"):
        result = played[name]
        assert result["failed"] and not result["changed"]
        assert "Failed to import the required Python library (opensearch-py) on" in result["msg"]
        assert python in result["msg"]
    assert list(sim.requests()) == []


def client(version: str) -> str:
    """A folder that holds one release of opensearch-py, installed once beside the environments of the tests.

    Only this one package: what it needs is there for the newest.
    """
    folder = Path(test_environment.base_folder()) / "home" / f"opensearch-py-{version}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
            install = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", os.path.join(fresh, "it")]
            install += ["--disable-pip-version-check", f"opensearch-py=={version}"]
            done = subprocess.run(install, env=test_environment.pip_environment(), capture_output=True, text=True, check=False)
            if done.returncode and "connection broken" in done.stdout + done.stderr:
                pytest.skip(f"opensearch-py {version} is not installed yet, and the package index cannot be reached")
            assert done.returncode == 0, done.stderr
            os.rename(os.path.join(fresh, "it"), folder)
    return str(folder)


@pytest.mark.parametrize("version", OLDER)
def test_older_releases_of_opensearch_py_work(version: str, cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """Success, a certificate that is not trusted, a refused connection, a lost answer: what each tells apart."""
    path = {"PYTHONPATH": client(version)}
    look = [target_python(), "-c", "import opensearchpy; print(opensearchpy.__versionstr__)"]
    assert subprocess.check_output(look, env={**os.environ, **path}, text=True).strip() == version
    sim = cluster(security=True, tls=True, clock=0.2)
    made = environment(sim, "w")
    sim.faults.cut("POST", "_deprovision", "reset", when="during")
    common: dict[str, Any] = {"username": "admin", "password": "admin", "allow_delete": made.named}
    tasks = [
        deprovision("not trusted", sim.url, "w", **common),
        deprovision("refused", "http://127.0.0.1:1", "w", **common),
        deprovision("wrong password", sim.url, "w", **{**common, "password": "wrong", "ca_cert": sim.ca_cert}),
        deprovision("lost", sim.url, "w", **common, ca_cert=sim.ca_cert),
    ]
    played = playbooks.run([{**task, "environment": path} for task in tasks])
    assert "cannot be trusted" in played["not trusted"]["msg"]
    assert "cannot be reached" in played["refused"]["msg"]
    assert "401" in played["wrong password"]["msg"]
    assert not played["lost"]["failed"], played["lost"]["msg"]
    assert by_kind(played["lost"])["model"] == "deleted" and existing(sim, made) == {"model_group"}
