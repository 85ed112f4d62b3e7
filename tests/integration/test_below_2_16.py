# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Below Flow Framework 2.16 the server forgets indices and pipelines: the module deletes the named ones itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .helpers import (
    Environment,
    Modules,
    Played,
    by_kind,
    deprovision,
    environment,
    existing,
    in_check_mode,
    warnings,
    writes,
)

KINDS = ("connector", "index", "ingest_pipeline", "search_pipeline")


@pytest.fixture(scope="module")
def old(cluster: Callable[..., Any], modules: Modules) -> tuple[Played, dict[str, tuple[Any, Environment]]]:
    sims, tasks = {}, []
    for name in ("named", "keep", "refused", "read-only"):
        sim = cluster(version="2.15.0")
        made = environment(sim, "w", KINDS)
        sims[name] = sim, made
        options: dict[str, Any] = {"allow_delete": made.named} if name in ("named", "read-only") else {}
        if name == "keep":
            options = {"on_blocked": "keep"}
        if name == "read-only":
            sim.world.put("index", made.ids["index"], read_only=True)
        task = deprovision(name, sim.url, "w", **options)
        tasks += [in_check_mode({**task, "name": f"check {name}"}), task]
        if name in ("named", "keep"):
            tasks.append({**task, "name": f"{name} again"})
    return modules.run(tasks), sims


def test_the_module_deletes_what_is_named_and_then_lets_the_server_clear_its_record(
    old: tuple[Played, dict[str, tuple[Any, Environment]]],
) -> None:
    played, (sim, made) = old[0], old[1]["named"]
    assert not played["named"]["failed"] and played["named"]["changed"]
    assert set(by_kind(played["named"]).values()) == {"deleted"}
    assert existing(sim, made) == set()
    assert sim.state("w")["state"] == "NOT_STARTED"
    sent = [line.split("?")[0] for line in writes(sim)]
    assert {line for line in sent if line.startswith("DELETE")} == {
        "DELETE /w-docs", "DELETE /_ingest/pipeline/w-embed", "DELETE /_search/pipeline/w-hybrid",
    }  # fmt: skip
    assert sent[-1].startswith("POST") and sum(line.startswith("POST") for line in sent) == 1
    assert not any("allow_delete" in line for line in writes(sim))  # a 400 there


def test_keep_says_what_the_server_forgets(old: tuple[Played, dict[str, tuple[Any, Environment]]]) -> None:
    played, (sim, made) = old[0], old[1]["keep"]
    assert not played["keep"]["failed"]
    assert existing(sim, made) == {"index", "ingest_pipeline", "search_pipeline"}
    assert "resources_created" not in sim.state("w") or sim.state("w")["resources_created"] == []
    for name in made.named:
        assert name in warnings(played["keep"])
    assert "forgets" in warnings(played["keep"])


def test_without_allow_delete_nothing_is_deleted(old: tuple[Played, dict[str, tuple[Any, Environment]]]) -> None:
    played, (sim, made) = old[0], old[1]["refused"]
    assert played["refused"]["failed"] and played["refused"]["blocked"] == sorted(made.named)
    assert existing(sim, made) == set(KINDS) and writes(sim) == []


def test_what_cannot_be_deleted_stays_recorded(old: tuple[Played, dict[str, tuple[Any, Environment]]]) -> None:
    """Else a later run would not know of it."""
    played, (sim, made) = old[0], old[1]["read-only"]
    assert played["read-only"]["failed"]
    assert by_kind(played["read-only"])["index"] == "failed"
    assert "index" in existing(sim, made)
    assert made.ids["index"] in [entry["resource_id"] for entry in sim.state("w")["resources_created"]]
    assert not any(line.startswith("POST") for line in writes(sim))


@pytest.mark.parametrize("name", ["named", "keep", "refused", "read-only"])
def test_check_mode_predicts_it(name: str, old: tuple[Played, dict[str, tuple[Any, Environment]]]) -> None:
    check, real = old[0][f"check {name}"], old[0][name]
    predicted = {kind: "deleted" if status == "would_delete" else status for kind, status in by_kind(check).items()}
    assert predicted == by_kind(real)
    assert (check["changed"], check["failed"]) == (real["changed"], real["failed"])


@pytest.mark.parametrize("name", ["named", "keep"])
def test_a_second_run_changes_nothing(name: str, old: tuple[Played, dict[str, tuple[Any, Environment]]]) -> None:
    again = old[0][f"{name} again"]
    assert not again["changed"] and not again["failed"]
