# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request line of more than 4,096 bytes is refused (behaviour.md, fact 10): one teardown, several calls, one result."""

from __future__ import annotations

from typing import Any

import pytest

from .helpers import allowed, finished, posts, provisioned, run, there


def longest(sim: Any) -> int:
    """Bytes of the longest request line that the server got."""
    return max(len(f"{one.method} {one.target} HTTP/1.1".encode()) for one in sim.requests())


@pytest.mark.parametrize("name", ("plain-%03d-" + "x" * 60, "prozent%%-%03d-ü" + "é" * 40), ids=("plain", "percent-encoded"))
def test_a_long_allow_delete_is_split_and_one_result_comes_out(sim: Any, name: str) -> None:
    pipelines = [("ingest_pipeline", name % number) for number in range(60)]
    made = provisioned(sim, "w", pipelines)
    result = run(sim, "w", allow_delete=made.named)
    finished(result, sim)
    assert result["summary"]["deleted"] == 60 and there(sim, made) == set()
    assert len(posts(sim)) > 1
    assert longest(sim) < 4096
    assert sorted({one for names in allowed(sim) for one in names}) == sorted(id_ for _kind, id_ in pipelines)
    assert all(one.status in (200, 403) for one in posts(sim)), "no call was refused for its length"
    assert result["workflows"][0]["attempts"] == len(posts(sim))


def test_what_fits_goes_in_one_call(sim: Any) -> None:
    made = provisioned(sim, "w", [("ingest_pipeline", f"p{number}") for number in range(60)])
    finished(run(sim, "w", allow_delete=made.named), sim)
    assert len(posts(sim)) == 1


def test_ids_of_255_bytes_are_split_too(sim: Any) -> None:
    made = provisioned(sim, "w", [("index", f"{number:03d}" + "i" * 252) for number in range(30)])
    finished(run(sim, "w", allow_delete=made.named), sim)
    assert longest(sim) < 4096 and len(posts(sim)) >= 2 and there(sim, made) == set()


def test_an_id_that_fits_no_request_is_failed_and_the_rest_goes(sim: Any) -> None:
    """85 characters of three bytes are 765 bytes in a URL; a pipeline id of 500 such would not fit: it is never sent cut."""
    made = provisioned(sim, "w", [("ingest_pipeline", "€" * 500), ("ingest_pipeline", "small")])
    result = run(sim, "w", allow_delete=made.named)
    assert result["failed"]
    assert sim.world.get("ingest_pipeline", "€" * 500) is not None
    assert len(result["resources"]) == 2
