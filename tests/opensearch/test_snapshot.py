# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An index in a snapshot that is really being taken, into a repository that is slow."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.real.helpers import by_kind, check, finished, message, provisioned, run, there
from tests.simulator import Simulator

from . import Cluster

pytestmark = pytest.mark.opensearch

SNAPSHOT = "/_snapshot/slow/one"


@pytest.fixture()
def slow(plain: Cluster) -> Iterator[Cluster]:
    """A repository in which a snapshot of a few hundred documents takes minutes."""
    client = plain.client()
    settings = {"location": str(plain.repository), "max_snapshot_bytes_per_sec": "1kb", "chunk_size": "1kb"}
    assert client.send("PUT", "/_snapshot/slow", {"type": "fs", "settings": settings}).status == 200
    yield plain
    client.send("DELETE", SNAPSHOT, timeout=120)
    client.send("DELETE", "/_snapshot/slow")


def test_an_index_in_a_running_snapshot_is_failed_the_rest_goes_and_it_goes_with_a_later_run(slow: Cluster, sim: Simulator) -> None:
    made = provisioned(sim, "w", ["connector", "index"], documents=2000)
    client = slow.client()
    taken = client.send("PUT", SNAPSHOT + "?wait_for_completion=false", {"indices": made.id("index"), "include_global_state": False})
    assert taken.status == 200, taken.body
    until_it_runs(slow)

    predicted = check(sim, "w", allow_delete=made.named)
    result = run(sim, "w", allow_delete=made.named)
    assert by_kind(predicted) == {"connector": "would_delete", "index": "failed"}
    assert by_kind(result) == {"connector": "deleted", "index": "failed"}
    assert "snapshot" in message(result, "index") and there(sim, made) == {"index"}

    assert client.send("DELETE", SNAPSHOT, timeout=120).status == 200
    finished(run(sim, "w", allow_delete=made.named), sim)
    assert there(sim, made) == set()


def until_it_runs(cluster: Cluster) -> None:
    limit = time.monotonic() + 30
    while not cluster.client().send("GET", "/_snapshot/_status").body["snapshots"]:
        assert time.monotonic() < limit, "the snapshot does not run"
        time.sleep(0.1)
