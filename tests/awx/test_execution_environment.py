# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment: ansible-builder takes the definition, and reads from the collection what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from . import kit

pytestmark = pytest.mark.extended


def builder(*words: str, folder: Path) -> str:
    """Run ansible-builder; what it printed. Fails if it does."""
    ran = subprocess.run([sys.executable, "-m", "ansible_builder", *words], cwd=folder, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_definition_makes_a_context_with_the_collection(tmp_path: Path) -> None:
    definition = kit.EXAMPLES / "execution-environment" / "execution-environment.yml"
    builder("create", "--file", str(definition), "--context", str(tmp_path / "context"), "--output-filename", "Containerfile", folder=tmp_path)
    recipe = (tmp_path / "context" / "Containerfile").read_text(encoding="utf-8")
    assert "ansible-galaxy collection install" in recipe and "assemble" in recipe
    wanted = yaml.safe_load((tmp_path / "context" / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    assert [one["name"] for one in wanted["collections"]] == ["opensearch_ops.flow_framework"]


def test_the_collection_says_what_it_needs() -> None:
    """What introspect writes down is what the image installs."""
    output = builder("introspect", os.environ["ANSIBLE_COLLECTIONS_PATH"], folder=Path.cwd())
    assert "opensearch-py" in output and "botocore" in output and "opensearch_ops.flow_framework" in output
