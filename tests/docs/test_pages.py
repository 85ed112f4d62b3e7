# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What README.md and the guides show is run, page by page, and does what they say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from .pages import GUIDES, PAGES, ROOT, Block, blocks, inline_code
from .play import SHELL, Player
from .worlds import EVENTS, WORLDS, cluster

NOT_RUN: dict[tuple[str, str], int] = {
    ("CONTRIBUTING.md", "a network"): 1,
    ("README.md", "a network"): 4,
    ("guide_awx.rst", "AWX"): 1,
    ("guide_execution_environment.rst", "a container engine"): 1,
    ("guide_execution_environment.rst", "a network"): 2,
    ("guide_permissions.rst", "a real cluster"): 1,  # tests/opensearch/test_security_plugin.py has one
    ("guide_quick_start.rst", "a network"): 1,
    ("guide_simulator.rst", "a network"): 1,
}
"""How many blocks of a page are not run, and what they need."""

LONG = ("guide_authentication.rst", "guide_many_workflows.rst", "guide_roles_and_reports.rst", "guide_safety.rst", "guide_simulator.rst")
"""The pages that take longest."""


def each_page() -> list[Any]:
    """Every page, with the marks that it needs."""
    return [pytest.param(page, id=page.name, marks=[pytest.mark.extended] if page.name in LONG else []) for page in PAGES]


@pytest.mark.parametrize("page", each_page())
@pytest.mark.skipif(" " in sys.executable, reason="Ansible's async wrapper starts no Python whose path holds a blank")
def test_what_the_page_shows_is_so(page: Path, tmp_path: Path) -> None:
    with cluster(page.name) as its_cluster:
        player = Player(its_cluster, tmp_path)
        for block in blocks(page):
            player.play(block)


@pytest.mark.extended
def test_who_starts_at_the_simulator_sees_what_the_quick_start_shows(tmp_path: Path) -> None:
    """The blocks that provision pr-17 there, then those of the quick start in the same terminal, without its line with the URL."""
    simulator, quick_start = (blocks(GUIDES / f"guide_{name}.rst") for name in ("simulator", "quick_start"))
    (filled,) = [place for place, block in enumerate(simulator) if "/pr-17-docs/_doc" in block.text]
    with cluster("guide_quick_start.rst") as nobodys:
        player = Player(nobodys, tmp_path)
        for block in simulator[: filled + 1]:
            player.play(block)
            if "workflow_id" in block.marks.get("holds", ()):
                nobodys.environment.workflow_ids[0] = json.loads(player.output)["workflow_id"]
        for block in quick_start:
            if block.language == "yaml":  # its playbook connects to a cluster of one's own
                break
            lines = [line for line in block.text.splitlines(keepends=True) if "OPENSEARCH_URL=" not in line]
            marks = {name: mark for name, mark in block.marks.items() if name in ("exit", "needs")}
            player.play(replace(block, text="".join(lines), marks=marks))
        player.play(replace(simulator[filled], text="kill $(cat simulator.pid)\n"))


def test_what_is_not_run_is_known_here_and_is_little() -> None:
    everything = [block for page in PAGES for block in blocks(page)]
    found: dict[tuple[str, str], int] = {}
    for block in everything:
        if "needs" in block.marks:
            key = (block.page, block.marks["needs"])
            found[key] = found.get(key, 0) + 1
    assert found == NOT_RUN
    assert sum(found.values()) < len(everything) / 10


def test_each_world_and_each_event_belongs_to_a_page() -> None:
    assert set(WORLDS) | set(LONG) <= {page.name for page in PAGES}
    assert set(EVENTS) == {event for page in PAGES for block in blocks(page) for event in block.marks.get("before", [])}


def make_commands(block: Block) -> list[str]:
    """The commands of a block that call make."""
    return [line for line in block.text.splitlines() if line.startswith("make ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_what_is_said_to_be_made_can_be_made(page: Path) -> None:
    """Each `make …` in text and blocks names a target with arguments that it takes; tried without doing it."""
    said = [command for command in inline_code(page) if command.startswith("make ")]
    for block in blocks(page):
        if block.language in SHELL:
            said += make_commands(block)
    for command in dict.fromkeys(said):
        arguments = re.sub(r"=…|=\[.*?\]", "=x", command).split()[1:]
        assert all(re.fullmatch(r"[a-z-]+|[A-Z_]+=\S*", argument) for argument in arguments), command
        done = subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0 and "Nothing to be done" not in done.stdout, f"{command}: {done.stdout}{done.stderr}"


def test_what_is_said_to_be_shown_is_shown() -> None:
    """Each `ansible-doc …` in a sentence finds something."""
    said = {command for page in PAGES for command in inline_code(page) if command.startswith("ansible-doc ")}
    assert said
    for command in said:
        done = subprocess.run(command.split(), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0 and done.stdout.strip() and "not found" not in done.stderr, f"{command}: {done.stderr}"
