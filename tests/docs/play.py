# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays a page: writes its files, runs its playbooks and commands in their order, and compares what they print with what it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.integration.helpers import FOREIGN, GROUP

from .pages import ROOT, Block, Unclear
from .worlds import EVENTS, PASSWORD, URL, USER, WORKFLOW_ID, Cluster

SHELL = ("shell", "bash", "console")
OUTPUT = ("text", "diff", "json", "html")
HOME = "/home/ops"
"""The folder of a page, as it calls it."""

# Exports of one block hold in those below it, as in a terminal.
SCRIPT = """\
[ ! -f "$PAGE_EXPORTS" ] || . "$PAGE_EXPORTS"
trap 'export -p > "$PAGE_EXPORTS"' EXIT
set -eo pipefail
"""

# What differs from run to run.
VARYING = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"\*{3,}"), "***"),
    (re.compile(r"\b\d{8}T\d{6}Z"), "(time)"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?( ?UTC|Z)?"), "(time)"),
    (re.compile(r"(?<![\w/.-])(?=[a-z0-9_-]*[A-Z])[A-Za-z0-9_-]{22}(?![\w-])"), "(uuid)"),
    (re.compile(r"(?<![\w/.-])(?=[a-z0-9_-]*[A-Z])[A-Za-z0-9_-]{20}(?![\w-])"), "(id)"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "(hash)"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "(seconds)"),
    (re.compile(r"['\"]|[|>]-(?=\s)"), ""),  # how YAML writes a text differs from core to core
    (re.compile(r"\s+"), " "),
)


class Player:
    """Plays the blocks of one page on its cluster, in a folder of its own."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.home = folder / "ops"
        self.home.mkdir()
        self.inventory = folder / "inventory.json"
        self.exports = folder / "exports"
        self.playbook = self.home / ".playbook.yml"
        self.output = ""
        """Of the last thing that was run."""
        cluster.inventory(self.inventory)

    def play(self, block: Block) -> None:
        """One block. AssertionError where it does not do what the page says; Unclear where that cannot be told."""
        if "needs" in block.marks:
            return
        if block.marks.get("fresh"):
            self.cluster.renew()
            self.cluster.inventory(self.inventory)
        for event in block.marks.get("before", []):
            EVENTS[event](self.cluster)
        if block.file:
            path = self.home / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.cluster.meant(block.text), encoding="utf-8")
        elif block.language in OUTPUT:
            self.compare(block)
        else:
            self.run(block)

    def run(self, block: Block) -> None:
        """A playbook, tasks, a script."""
        ended = subprocess.run(
            self.command(block),
            cwd=ROOT if block.marks.get("in") == "repository" else self.home,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=120,
            check=False,
        )
        self.output = ended.stdout
        where = f"{block.place}\n{block.text}\n--- ended with {ended.returncode}, and printed\n{self.output}"
        assert ended.returncode == block.marks.get("exit", 0), where
        assert "Traceback" not in self.output, where
        for text in block.marks.get("holds", []):
            assert plain(self.cluster.meant(text)) in plain(self.output), f"{text!r} is not in the output of {where}"
        if "left" in block.marks:
            assert self.cluster.left() == block.marks["left"], where

    def command(self, block: Block) -> list[str]:
        """What is started for a block."""
        text = self.cluster.meant(block.text).replace(HOME, str(self.home))
        if block.language in ("yaml", "yaml+jinja"):
            self.playbook.write_text(as_playbook(block, text, self.cluster.simulator.url), encoding="utf-8")
            return ["bash", "-c", SCRIPT + f'ansible-playbook "{self.playbook}"']
        if block.language in SHELL:
            if "…" in text:
                raise Unclear(f"{block.place}: … in a command is no placeholder that is known")
            terminal = str(os.getpid())  # where a reader has one for the whole page, each block here has a shell of its own
            return ["bash", "-c", SCRIPT + text.replace("$$", terminal)]
        if block.language == "python":
            return [sys.executable, "-c", text]
        raise Unclear(f"{block.place}: what is to be done with {block.language or 'no language'}? Give it a file name, or a language that is run")

    def environment(self) -> dict[str, str]:
        """Of whoever follows the page."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)},
            "ANSIBLE_ASYNC_DIR": str(self.exports.with_name("async")),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
            "ANSIBLE_INVENTORY": str(self.inventory),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            "PAGE_EXPORTS": str(self.exports),
            "PYTHONPATH": str(ROOT),
        }

    def compare(self, block: Block) -> None:
        """What the page shows, with what was printed: all of it in this order; … stands for anything."""
        there, at = plain(self.example(self.output)), 0
        for piece in filter(None, (plain(text).strip() for text in block.text.split("…"))):
            found = there.find(piece, at)
            assert found >= 0, f"{block.place}: not printed, or not in this order:\n{piece}\n--- It has printed\n{self.output}\n--- that is\n{there[at:]}"
            at = found + len(piece)

    def example(self, output: str) -> str:
        """An output with the names of the page."""
        names = {self.cluster.simulator.url: URL, self.cluster.workflow_id: WORKFLOW_ID, str(self.home): HOME}
        for real, example in names.items():
            output = output.replace(real, example)
        return output


def plain(text: str) -> str:
    """A text without what differs from run to run, and with blanks in place of line ends."""
    for pattern, replacement in VARYING:
        text = pattern.sub(replacement, text)
    return text


def as_playbook(block: Block, text: str, url: str) -> str:
    """The text of a playbook; tasks become one."""
    content = yaml.safe_load(text)
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise Unclear(f"{block.place}: neither a playbook nor tasks; give it a file name")
    if all("hosts" in one or "ansible.builtin.import_playbook" in one for one in content):
        return text
    connection: dict[str, Any] = {"url": url, "username": USER, "password": PASSWORD}
    play = {"hosts": "localhost", "gather_facts": False, "module_defaults": {GROUP: connection}, "tasks": content}
    return json.dumps([play])
