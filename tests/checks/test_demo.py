# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo shows commands as a shell takes them."""

from __future__ import annotations

import subprocess

import pytest

from tests.demo.screen import WIDTH, command_of

LONG = '{"environment_teardown_confirm": "%s"}' % " ".join(["three workflows"] * 20)


@pytest.mark.parametrize("words", [["echo"], ["-e", "it's {{ 1 }}", "two  blanks"], [f"word-{number}" for number in range(40)], ["-e", LONG, "-e", "end"]])
def test_a_shell_that_is_given_a_shown_command_runs_it(words: list[str]) -> None:
    shown = command_of(["printf", "%s\\0", *words])
    assert shown.startswith("$ printf")
    done = subprocess.run(["sh", "-c", shown[2:]], stdout=subprocess.PIPE, encoding="utf-8", check=True)
    assert done.stdout.split("\0")[:-1] == words
    assert all(len(line) <= WIDTH or LONG in line for line in shown.splitlines())
