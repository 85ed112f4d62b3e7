# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible itself offers: module_defaults of the action group, async, delegate_to, loops."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from .helpers import DEPROVISION, INFO, Playbooks, deprovision, environment, existing


def test_module_defaults_of_the_action_group_reach_both_modules(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    sim = cluster()
    made = environment(sim, "w")
    defaults = {"group/opensearch_ops.flow_framework.flow_framework": {"url": sim.url}}
    tasks = [
        {"name": "look", INFO: {"workflow_id": "w"}},
        {"name": "tear down", DEPROVISION: {"workflow_id": "w", "allow_delete": made.named}},
    ]
    played = playbooks.run(tasks, play={"module_defaults": defaults})
    assert played.status == 0
    assert played["look"]["summary"]["present"] == 7
    assert existing(sim, made) == {"model_group"}
    assert played["tear down"]["changed"]


@pytest.mark.skipif(" " in sys.executable, reason="Ansible's async wrapper starts no Python whose path holds a blank")
def test_async_works(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    sim = cluster()
    made = environment(sim, "w")
    task = {**deprovision("later", sim.url, "w", allow_delete=made.named), "async": 60, "poll": 1}
    # ansible-core 2.17 looks for jobs in the home folder of the password file, whatever HOME says.
    played = playbooks.run([task], environment={"ANSIBLE_ASYNC_DIR": str(playbooks.folder / "async")})
    assert not played["later"]["failed"] and played["later"]["changed"], played.output
    assert existing(sim, made) == {"model_group"}


def test_delegate_to_and_loops_work(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    """From a host that cannot be reached: whatever ran there would fail."""
    sim = cluster()
    made = {name: environment(sim, name) for name in ("elsewhere", "one", "two")}
    elsewhere = deprovision("elsewhere", sim.url, "elsewhere", allow_delete=made["elsewhere"].named)
    named = [id_ for name in ("one", "two") for id_ in made[name].named]
    loop = {**deprovision("loop", sim.url, "{{ item }}", allow_delete=named), "loop": ["one", "two"]}
    inventory = playbooks.folder / "inventory"
    inventory.write_text("[servers]\nfar ansible_host=nowhere.invalid\n[others]\ncontrol ansible_connection=local\n", encoding="utf-8")
    tasks = [{**task, "delegate_to": "control"} for task in (elsewhere, loop)]
    play = {"hosts": "servers", "connection": "ssh"}
    played = playbooks.run(tasks, play=play, inventory=str(inventory))
    assert all(existing(sim, one) == {"model_group"} for one in made.values()), played.output
    assert [one["changed"] for one in played["loop"]["results"]] == [True, True]


def test_a_play_with_the_task_fails_and_says_so_in_its_exit_status(cluster: Callable[..., Any], playbooks: Playbooks) -> None:
    sim = cluster()
    environment(sim, "w")
    task = deprovision("refused", sim.url, "w")
    del task["ignore_errors"]
    played = playbooks.run([task, {"name": "after it", "ansible.builtin.debug": {"msg": "not reached"}}])
    assert played.status == 2
    assert "after it" not in played.results
