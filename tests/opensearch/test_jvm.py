# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that a node is started with. Java is a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.opensearch import jvm
from tests.opensearch.installation import Installation
from tests.opensearch.java import Java
from tests.opensearch.problems import CannotRun


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    home = tmp_path / "cache" / "opensearch-1.2.3"
    home.mkdir(parents=True)
    return Installation(home, "1.2.3", False)


def java(folder: Path, script: str) -> Java:
    program = folder / "java" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Java(folder / "java", 21)


def test_the_options_of_opensearch_are_asked_for_once_and_ours_left_out(installation: Installation, tmp_path: Path) -> None:
    engine = java(tmp_path, 'echo asked >> "$0.calls"; echo "-Xms4g -Xlog:gc -Dfirst=1 -Dsecond=2"')
    for _again in range(2):
        assert jvm.options(installation, engine) == ["-Dfirst=1", "-Dsecond=2"]
    assert engine.program.with_name("java.calls").read_text().splitlines() == ["asked"]


def test_a_java_that_fails_is_a_sentence_with_its_output_and_leaves_nothing(installation: Installation, tmp_path: Path) -> None:
    engine = java(tmp_path, "echo no such class >&2; exit 1")
    with pytest.raises(CannotRun, match=r"bin/java could not say with which options OpenSearch 1\.2\.3 is started:\nno such class"):
        jvm.options(installation, engine)
    assert list(installation.home.parent.iterdir()) == [installation.home]
