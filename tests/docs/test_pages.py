# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What README.md and the guides show is run, page by page, and does what they say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .pages import PAGES, ROOT, Block, blocks, inline_code
from .play import SHELL, Player
from .worlds import WORLDS, cluster

NOT_RUN: dict[tuple[str, str], int] = {
    ("guide_simulator.rst", "a network"): 1,
}
"""How many blocks of a page are not run, and what they need."""


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_what_the_page_shows_is_so(page: Path, tmp_path: Path) -> None:
    with cluster(page.name) as its_cluster:
        player = Player(its_cluster, tmp_path)
        for block in blocks(page):
            player.play(block)


def test_what_is_not_run_is_known_here_and_is_little() -> None:
    everything = [block for page in PAGES for block in blocks(page)]
    found: dict[tuple[str, str], int] = {}
    for block in everything:
        if "needs" in block.marks:
            key = (block.page, block.marks["needs"])
            found[key] = found.get(key, 0) + 1
    assert found == NOT_RUN
    assert sum(found.values()) < len(everything) / 10


def test_each_world_belongs_to_a_page() -> None:
    assert set(WORLDS) <= {page.name for page in PAGES}


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
        assert done.returncode == 0, f"{command}: {done.stderr}"
