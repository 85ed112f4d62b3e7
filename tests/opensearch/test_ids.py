# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Odd ids of pipelines, and dangerous ones, on a real cluster: what is deleted is exactly what bears the id."""

from __future__ import annotations

import pytest

from tests.real.helpers import finished, posts, provisioned, record, run, statuses
from tests.simulator import Simulator

pytestmark = pytest.mark.opensearch

ODD = ["with blank", "100%", "%2e%2e", "a/b", "a+b", "a&b=c", "a;b", "a?b", "#", "ünï", "日本", "..", "_all", "-dash", "<now>", '"quoted"', "a\\b", "x" * 200]
"""Ids that the cluster takes for nothing but themselves."""
DANGEROUS = ["docs*", "*", "a,b", " blank before", "blank after "]
BYSTANDERS = ["docs1", "a", "b", "blank before", "blank after", "with", "all", "100"]


@pytest.mark.parametrize("kind", ["ingest_pipeline", "search_pipeline"])
def test_every_odd_id_deletes_exactly_itself(sim: Simulator, kind: str) -> None:
    for id_ in BYSTANDERS:
        sim.world.put(kind, id_)
    made = provisioned(sim, "w", [(kind, id_) for id_ in ODD])
    assert set(sim.world.ids(kind)) == {*ODD, *BYSTANDERS}
    result = run(sim, "w", allow_delete=made.named)
    finished(result, sim)
    assert statuses(result) == {f"{kind}/{id_}": "deleted" for id_ in ODD}
    assert set(sim.world.ids(kind)) == set(BYSTANDERS)


@pytest.mark.parametrize("kind", ["ingest_pipeline", "search_pipeline"])
def test_a_dangerous_id_is_never_sent_and_nothing_that_it_would_take_along_is_lost(sim: Simulator, kind: str) -> None:
    for id_ in [*BYSTANDERS, *DANGEROUS]:
        sim.world.put(kind, id_)
    everything = set(sim.world.ids(kind))
    assert everything == {*BYSTANDERS, *DANGEROUS}, "the cluster takes each of them for a name"
    record(sim, "w", [(kind, id_) for id_ in DANGEROUS])
    result = run(sim, "w", allow_delete=DANGEROUS)
    assert result["failed"] and set(statuses(result).values()) == {"blocked"}
    assert posts(sim) == [] and set(sim.world.ids(kind)) == everything
