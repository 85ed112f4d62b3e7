# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is recorded of a server is a recording that this server holds, whichever one its requests were taken from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .record import CannotRecord, Recorder
from .replay import Replay, ScenarioDiffers, Server
from .scenario import Scenario, scenario_of, scenarios
from .servers import CLOCK, make_used, simulated_server

pytestmark = pytest.mark.usefixtures("only_simulator")

NAMES = ("unknown_workflow", "everything_then_allow_delete", "comma_lookup")


def server(simulator: Callable[..., Any], version: str) -> Server:
    """A server on which Flow Framework has been used before, as that of the scenarios."""
    made = simulated_server(simulator(version, clock=CLOCK), version, False, CLOCK)
    make_used(made)
    return made


def taken_from(version: str, name: str) -> Scenario:
    (found,) = (one for one in scenarios(version) if one.name == name)
    return found


@pytest.mark.parametrize("version", ["3.6.0", "2.19.1"])
def test_what_is_recorded_is_held(version: str, simulator: Callable[..., Any], tmp_path: Path) -> None:
    """The requests are those that were recorded of 3.6.0. On 2.19.1 some of the answers are others."""
    its, recorder = server(simulator, version), Recorder(tmp_path / "recording.json")
    for name in NAMES:
        recorder.record(its, taken_from("3.6.0", name))
    recorder.write()
    document = json.loads(recorder.file.read_text(encoding="utf-8"))
    assert document["server"] == version and f"opensearch-flow-framework {version}.0" in document["plugins"] and document["security"] is False
    read = [scenario_of(version, document["security"], item) for item in document["scenarios"]]
    assert [one.name for one in read] == list(NAMES)
    for one in read:
        there = taken_from("3.6.0", one.name)
        assert one.prefix != there.prefix or one.prefix is None
        assert [each.method for each in one.exchanges] == [each.method for each in there.exchanges]
        Replay(its, one).run()


def test_what_another_version_answers_is_kept_as_it_is(simulator: Callable[..., Any], tmp_path: Path) -> None:
    scenario = taken_from("3.6.0", "everything_then_allow_delete")
    recorder = Recorder(tmp_path / "recording.json")
    recorder.record(server(simulator, "2.19.1"), scenario)
    (recorded,) = recorder.scenarios
    statuses = [exchange["response"]["status"] for exchange in recorded["exchanges"]]
    differing = [(one.answer.status, status) for one, status in zip(scenario.exchanges, statuses, strict=True) if one.answer.status != status]
    assert differing and set(differing) == {(202, 201)}, "3.0 and newer answer 202 where they provision"
    with pytest.raises(ScenarioDiffers):
        Replay(server(simulator, "2.19.1"), scenario).run()


def test_requests_side_by_side_are_not_recorded(simulator: Callable[..., Any], tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "recording.json")
    with pytest.raises(CannotRecord, match="side by side"):
        recorder.record(server(simulator, "3.6.0"), taken_from("3.6.0", "concurrent"))
    recorder.write()
    assert not recorder.file.exists()
