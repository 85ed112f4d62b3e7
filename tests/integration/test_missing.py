# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workflow that does not exist is fine, and a warning names the cluster; and so is a cluster that never had any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .helpers import Modules, Played, deprovision, environment, everything, info, warnings, writes

VERSIONS = ("2.15.0", "2.19.1", "3.6.0")


@pytest.fixture(scope="module")
def missing(cluster: Callable[..., Any], modules: Modules) -> tuple[Played, dict[str, Any]]:
    """On each version a cluster with another workflow, and one where Flow Framework was never used."""
    sims = {}
    tasks = []
    for version in VERSIONS:
        for used in ("used", "never used"):
            name = f"{version} {used}"
            sims[name] = sim = cluster(version=version, cluster_name=f"cluster-{version}")
            if used == "used":
                environment(sim, "other")
            tasks.append(deprovision(name, sim.url, "unknown"))
    tasks += [info(f"{name}, info", sims[name].url, "unknown") for name in ("3.6.0 used", "3.6.0 never used")]
    sim = sims["3.6.0 used"]
    tasks.append(
        deprovision(
            "fails",
            sim.url,
            ["other", "unknown"],
            allow_delete=["other-docs", "other-embed", "other-hybrid"],
            on_missing="fail",
        )
    )
    before = everything(sim, "other")
    played = modules.run(tasks)
    assert everything(sim, "other") == before
    return played, sims


@pytest.mark.parametrize("used", ["used", "never used"])
@pytest.mark.parametrize("version", VERSIONS)
def test_an_unknown_workflow_is_ok_and_unchanged_and_a_warning_names_the_cluster(version: str, used: str, missing: tuple[Played, dict[str, Any]]) -> None:
    played, sims = missing
    name = f"{version} {used}"
    result = played[name]
    assert not result["failed"] and not result["changed"]
    assert (result["workflows"][0]["state_before"], result["workflows"][0]["state_after"]) == (None, None)
    assert result["resources"] == []
    assert f"no workflow unknown on cluster cluster-{version}" in warnings(result)
    assert writes(sims[name]) == []


def test_information_on_an_unknown_workflow_names_no_state(missing: tuple[Played, dict[str, Any]]) -> None:
    for used in ("used", "never used"):
        result = missing[0][f"3.6.0 {used}, info"]
        assert not result["failed"]
        assert [one["state"] for one in result["workflows"]] == [None]


def test_on_missing_fail_refuses_before_anything_is_deleted(missing: tuple[Played, dict[str, Any]]) -> None:
    result = missing[0]["fails"]
    assert result["failed"] and not result["changed"]
    assert "unknown: no such workflow on cluster-3.6.0" in result["msg"]
    assert {one["status"] for one in result["resources"]} == {"untouched", "retained"}
