# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Some dozens of rounds of the campaign; ``python -m tests.campaign`` plays as many as asked for."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from .tally import play_some

SEED = int(os.environ.get("CAMPAIGN_SEED") or 71)  # the same rounds for everybody: `make campaign` is for new ones
ROUNDS = int(os.environ.get("CAMPAIGN_ROUNDS") or 240)
SECONDS = 25.0
"""No round begins later than so many seconds after the first."""
LANES = 3
"""So many rounds are played at once: most of one is waiting."""


@pytest.mark.slow
def test_whatever_goes_wrong_nothing_is_lost_and_everything_said_is_so(
    record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    deadline = time.time() + SECONDS
    with ThreadPoolExecutor(LANES) as lanes:
        played = list(lanes.map(lambda lane: play_some(SEED, lane, ROUNDS, LANES, deadline), range(LANES)))
    tally = played[0]
    for other in played[1:]:
        tally.add(other)
    record_property("campaign", tally.readable())
    with capsys.disabled():
        print("\n" + tally.readable(), file=sys.__stderr__, flush=True)  # a worker's own output is not shown
    assert not tally.failed, "\n".join(tally.failures[:3])
    assert tally.rounds >= 10, "too few rounds were played to prove anything"
