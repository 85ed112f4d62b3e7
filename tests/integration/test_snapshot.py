# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot is true only as a look shows it, and nothing is deleted before one that was asked for has succeeded."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection, snapshots
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.api import Api
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.module import OptionError
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import SurveyError
from ansible_collections.opensearch_ops.flow_framework.plugins.modules import index_snapshot
from tests.real.helpers import documented_roles, permitted_by
from tests.simulator import running

from .helpers import GROUP, Playbooks, RoleRuns, ask, environment, existing, role, writes

MODULE = "opensearch_ops.flow_framework.index_snapshot"


@pytest.fixture()
def sim() -> Iterator[Any]:
    """A cluster with a repository and two indices."""
    with running() as simulator:
        api(simulator).send_once("PUT", "/_snapshot/backups", 5, {"type": "fs", "settings": {"location": "backups"}})
        for name in ("a", "b"):
            simulator.world.put("index", name, documents=3)
        simulator.clear_log()
        yield simulator


def api(sim: Any, **options: Any) -> Api:
    params = {name: option.get("default") for name, option in index_snapshot.argument_spec().items()}
    return Api(connection.connect({**params, "url": list(sim.urls), **options}))


def take(sim: Any, *indices: str, repository: str = "backups", check_mode: bool = False, timeout: float = 5) -> dict[str, Any]:
    return snapshots.take(api(sim), repository, "before", indices, timeout, 0.01, check_mode)


def test_it_holds_the_indices_and_says_how_to_bring_them_back(sim: Any) -> None:
    made = take(sim, "a", "b", "a")
    assert (made["changed"], made["state"], made["indices"], made["shards"]["failed"]) == (True, "SUCCESS", ["a", "b"], 0)
    assert shlex.split(made["restore"])[-1] == '{"indices": ["a", "b"], "include_global_state": false}'
    (sent,) = [request for request in sim.requests("PUT") if request.path == "/_snapshot/backups/before"]
    assert sent.body == {"indices": ["a", "b"], "ignore_unavailable": False, "include_global_state": False, "partial": False}


def test_the_same_again_takes_none(sim: Any) -> None:
    take(sim, "a", "b")
    again = take(sim, "b")
    assert not again["changed"] and again["state"] == "SUCCESS" and len(writes(sim)) == 1


def test_an_older_one_without_the_index_is_no_snapshot_of_it(sim: Any) -> None:
    take(sim, "a")
    made = take(sim, "a", "b")
    assert made["failed"] and "it does not hold b" in made["msg"] and len(writes(sim)) == 1 and made["restore"] == ""


@pytest.mark.parametrize("state", ["PARTIAL", "FAILED"])
def test_one_that_is_not_whole_is_a_failure(state: str, sim: Any) -> None:
    sim.faults.snapshot_ends = state
    made = take(sim, "a")
    assert made["failed"] and made["state"] == state and f"ended as {state}" in made["msg"]
    assert made["restore"] == "", "nothing can be brought back whole from it"


def test_one_that_takes_too_long_is_a_failure(sim: Any) -> None:
    sim.faults.snapshot_ends = "IN_PROGRESS"
    made = take(sim, "a", timeout=0.05)
    assert made["failed"] and made["state"] == "IN_PROGRESS" and "still running" in made["msg"] and made["restore"] == ""


def test_one_that_runs_already_is_waited_for(sim: Any) -> None:
    sim.faults.snapshot_ends = "IN_PROGRESS"
    take(sim, "a", timeout=0.05)
    end = threading.Timer(0.3, setattr, (sim.faults, "snapshot_ends", "SUCCESS"))
    end.start()
    made = take(sim, "a")
    end.join()
    assert "failed" not in made and (made["changed"], made["state"]) == (False, "SUCCESS")
    assert made["duration"] >= 0.2 and "before/_restore" in made["restore"] and len(writes(sim)) == 1


def test_the_time_that_was_waited_is_said_and_not_the_time_that_was_allowed(sim: Any) -> None:
    sim.faults.snapshot_ends = "IN_PROGRESS"
    take(sim, "a", timeout=0.05)
    made = snapshots.take(api(sim), "backups", "before", ["a"], 3.0, 1.9, False)
    assert made["failed"] and "still running after 1 s; it goes on" in made["msg"] and made["duration"] >= 1.9


def test_in_check_mode_one_that_runs_is_not_waited_for(sim: Any) -> None:
    sim.faults.snapshot_ends = "IN_PROGRESS"
    begun = take(sim, "a", timeout=0.05)
    made = take(sim, "a", check_mode=True)
    assert "failed" not in made and not made["changed"] and made["restore"] == "" and made["duration"] < 1
    assert (made["state"], made["uuid"]) == ("IN_PROGRESS", begun["uuid"])
    assert made["msg"] == "Snapshot backups/before is still running, and would be waited for."


@pytest.mark.parametrize("check_mode", [False, True])
def test_one_that_runs_and_is_not_about_these_indices_is_refused_at_once(sim: Any, check_mode: bool) -> None:
    sim.faults.snapshot_ends = "IN_PROGRESS"
    take(sim, "a", timeout=0.05)
    made = take(sim, "b", timeout=30, check_mode=check_mode)
    assert made["failed"] and "it does not hold b: there is an older snapshot of that name" in made["msg"] and made["duration"] < 1


def test_in_check_mode_it_only_looks(sim: Any) -> None:
    made = take(sim, "a", check_mode=True)
    assert made["changed"] and made["state"] is None and writes(sim) == []


def test_a_lost_answer_is_looked_after_and_not_sent_again(sim: Any) -> None:
    sim.faults.cut("PUT", "_snapshot/backups/before", "reset", when="after")
    assert take(sim, "a")["state"] == "SUCCESS" and len(writes(sim)) == 1


@pytest.mark.parametrize(("repository", "index", "words"), [("elsewhere", "a", "elsewhere.*missing"), ("backups", "gone", "no such index")])
def test_what_is_not_there_is_said(repository: str, index: str, words: str, sim: Any) -> None:
    with pytest.raises(SurveyError, match=words):
        take(sim, index, repository=repository)


def test_an_outage_is_no_snapshot(sim: Any) -> None:
    sim.faults.answer("GET", "_snapshot/backups/before", 500, {"error": "broken", "status": 500}, times=None)
    with pytest.raises(SurveyError, match="cannot be looked at"):
        take(sim, "a")


@pytest.mark.parametrize("index", ["*", "a*", "-a", "a,b", ""])
def test_a_pattern_is_refused_before_anything_is_sent(index: str, sim: Any) -> None:
    with pytest.raises(OptionError):
        take(sim, index)
    assert sim.requests() == []


def test_no_index_is_nothing_to_do(sim: Any) -> None:
    assert not take(sim)["changed"] and sim.requests() == []


def test_a_play_takes_one_and_the_same_again_takes_none(sim: Any, playbooks: Playbooks) -> None:
    """By the real module: its options are those that a play gives, and it returns what a look returns."""
    asked = {"url": sim.url, "repository": "backups", "snapshot": "before", "indices": "a,b", "wait_timeout": 5, "wait_sleep": 0.05}
    tasks: list[dict[str, Any]] = [
        {"name": "look", MODULE: asked, "check_mode": True},
        {"name": "take", MODULE: asked},
        {"name": "again", MODULE: asked},
        {"name": "pattern", MODULE: {**asked, "indices": ["a*"]}, "ignore_errors": True},
        {"name": "patience", MODULE: {**asked, "wait_timeout": -1}, "ignore_errors": True},
        {"name": "unnamed", MODULE: {"url": sim.url, "repository": "backups"}, "ignore_errors": True},
    ]
    played = playbooks.run(tasks)
    assert [(played[name]["changed"], played[name]["state"]) for name in ("look", "take", "again")] == [(True, None), (True, "SUCCESS"), (False, "SUCCESS")]
    assert played["take"]["indices"] == ["a", "b"] and len(writes(sim)) == 1
    wrong = {name: played[name]["msg"] for name in ("pattern", "patience", "unnamed") if played[name]["failed"]}
    assert "indices holds 'a*'" in wrong["pattern"] and "wait_timeout" in wrong["patience"] and "indices, snapshot" in wrong["unnamed"]


# -- permissions -------------------------------------------------------------------------------------------------------

ROLE = permitted_by(documented_roles()["flow_framework_snapshot"])


def take_as_user(permissions: list[str]) -> dict[str, Any]:
    """A snapshot by a user with just these permissions."""
    with running(security=True) as simulator:
        simulator.add_user("least", "leastpassword", permissions)
        simulator.world.put("index", "a", documents=3)
        admin = api(simulator, username="admin", password="admin")
        admin.send_once("PUT", "/_snapshot/backups", 5, {"type": "fs", "settings": {"location": "backups"}})
        return snapshots.take(api(simulator, username="least", password="leastpassword"), "backups", "before", ["a"], 5, 0.01, False)


def test_the_role_of_the_documentation_is_enough() -> None:
    assert take_as_user(ROLE)["state"] == "SUCCESS"


@pytest.mark.parametrize("left_out", ROLE)
def test_each_permission_that_is_left_out_is_named(left_out: str) -> None:
    with pytest.raises(SurveyError, match=left_out):
        take_as_user([one for one in ROLE if one != left_out])


# -- before a teardown -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(cluster: Callable[..., Any], playbooks: Playbooks, tmp_path_factory: pytest.TempPathFactory) -> RoleRuns:
    simulator = cluster(cluster_name="preview")
    made = {"w": environment(simulator, "w", ("connector", "index"))}
    folder = tmp_path_factory.mktemp("snapshot") / "reports"
    chosen = {"workflow_id": "w", "allow_delete": "w-docs", "confirm": "w", "snapshot_repository": "backups"}
    faults = f"{simulator.url}/_simulator/faults"
    tasks = [
        ask("a repository", "PUT", f"{simulator.url}/_snapshot/backups", {"type": "fs", "settings": {"location": "backups"}}),
        ask("the next is not whole", "POST", faults, {"snapshot_ends": "PARTIAL"}),
        role("partial", folder, **chosen, snapshot_timeout=60),
        ask("the next ones are", "DELETE", faults),
        {"name": "what finishes it", "ansible.builtin.include_vars": {"file": str(folder / "partial.vars.yml")}},
        role("whole", folder, confirm="w"),
    ]
    played = playbooks.run(tasks, play={"module_defaults": {GROUP: {"url": simulator.url}}})
    return RoleRuns(simulator, played, folder, made)


@pytest.mark.extended
def test_one_that_is_not_whole_keeps_everything(run: RoleRuns) -> None:
    report = run.report("partial")
    assert "ended as PARTIAL" in run.failed("partial")
    assert report["status"] == "failed" and report["summary"] == {"untouched": 2} and report["snapshot"]["state"] == "PARTIAL"
    assert "To restore" not in run.report("partial", "md")


@pytest.mark.extended
def test_what_finishes_it_takes_a_whole_one_first(run: RoleRuns) -> None:
    assert run.report("partial")["asked"]["options"]["snapshot_timeout"] == 60
    assert run.report("whole")["asked"]["options"]["snapshot_repository"] == "backups"


@pytest.mark.extended
def test_the_report_says_how_to_bring_the_indices_back(run: RoleRuns) -> None:
    report = run.report("whole")
    assert report["status"] == "done" and existing(run.sim, run.environments["w"]) == set()
    assert report["snapshot"]["indices"] == ["w-docs"] and report["snapshot"]["state"] == "SUCCESS"
    assert report["snapshot"]["restore"] in run.report("whole", "md")
    names = {one.path.rpartition("/")[2] for one in run.sim.requests("PUT", "_snapshot/backups/environment-teardown-")}
    assert len(names) == 2, "each run has a name of its own"
    order = [one.method for one in run.sim.requests(path="_snapshot/backups/|_deprovision") if one.method in ("PUT", "POST")]
    assert order == ["PUT", "PUT", "POST"], "a snapshot, another, and then the deprovision"
