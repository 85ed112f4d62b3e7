# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time of the simulator: real epoch milliseconds, and pauses that a factor stretches or removes."""

from __future__ import annotations

import asyncio
import time


class Clock:
    """``factor`` 1 pauses as the real server does, 0 not at all (it still gives way to other tasks)."""

    def __init__(self, factor: float) -> None:
        if factor < 0:
            raise ValueError("the clock's factor is 0 or more")
        self.factor = factor
        self._last = 0

    async def sleep(self, seconds: float) -> None:
        """Pause for that many seconds of the real server."""
        await asyncio.sleep(seconds * self.factor)

    def now_ms(self) -> int:
        """Epoch milliseconds; each call gives more than the one before, so that a new write is seen to be new."""
        self._last = max(int(time.time() * 1000), self._last + 1)
        return self._last

    def due(self, seconds: float) -> float:
        """The moment (time.monotonic) that many seconds of the real server from now; never for infinity."""
        if seconds == float("inf"):
            return seconds
        return time.monotonic() + seconds * self.factor

    @property
    def instant(self) -> bool:
        return self.factor == 0
