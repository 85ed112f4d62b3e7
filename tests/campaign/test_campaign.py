# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Some hundreds of rounds of the campaign; ``python -m tests.campaign`` plays as many as asked for."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import pytest

from .tally import play_some

SEED = int(os.environ.get("CAMPAIGN_SEED") or 71)  # the same rounds for everybody: `make campaign` is for new ones
ROUNDS = int(os.environ.get("CAMPAIGN_ROUNDS") or 300)
SECONDS = 240.0
"""No round begins later than so many seconds after the first: three times as long as they take on two idle processors."""
FEWEST = min(100, ROUNDS)
"""Fewer than these prove too little. A machine that is slow plays fewer than all, and says so."""


@pytest.mark.slow
def test_whatever_goes_wrong_nothing_is_lost_and_everything_said_is_so(
    record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    tally = play_some(SEED, range(ROUNDS), time.time() + SECONDS)
    record_property("campaign", tally.readable())
    with capsys.disabled():
        print("\n" + tally.readable(), file=sys.__stderr__, flush=True)  # a worker's own output is not shown
    assert not tally.failed, "\n".join(tally.failures[:3])
    assert tally.rounds >= FEWEST, f"{tally.rounds} of {ROUNDS} rounds were played in {SECONDS:.0f} s; fewer than {FEWEST} prove too little"
