# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's thread pools, as far as a client can see and feel them (behaviour.md 6).

A pool counts threads, it does not have any: who holds one holds it while awaiting, so that outer tasks that hold
all threads and wait for steps of the same pool hang for ever, as on the real server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Pool:
    """At most ``maximum`` holders at once; the others wait in order of arrival in an unbounded queue."""

    def __init__(self, name: str, maximum: int) -> None:
        self.name = name
        self.maximum = maximum
        self.active = 0
        self.completed = 0
        self.largest = 0
        self._waiting: list[tuple[asyncio.Future[None], int]] = []

    @property
    def queue(self) -> int:
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        return self.active == 0 and not self._waiting

    @asynccontextmanager
    async def thread(self, keep_free: int = 0) -> AsyncIterator[None]:
        """Hold one thread. ``keep_free``: begin only while so many more are free."""
        await self._acquire(keep_free)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, keep_free: int) -> None:
        if not self._waiting and self.active < self.maximum - keep_free:
            self._take()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (turn, keep_free)
        self._waiting.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if entry in self._waiting:
                self._waiting.remove(entry)
            elif not turn.cancelled():
                self._release()
            raise

    def _take(self) -> None:
        self.active += 1
        self.largest = max(self.largest, self.active)

    def _release(self) -> None:
        self.active -= 1
        self.completed += 1
        for entry in list(self._waiting):
            turn, keep_free = entry
            if self.active < self.maximum - keep_free:
                self._waiting.remove(entry)
                if not turn.done():
                    self._take()
                    turn.set_result(None)
                    return
