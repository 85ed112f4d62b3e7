# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work on many things at once, in threads, with an order between them."""

from __future__ import annotations

import signal
import threading
from typing import AbstractSet, Callable, Mapping, Sequence

Before = Mapping[str, AbstractSet[str]]  # name -> the names that go before it


class Schedule:
    """Hands out names: none before those that go before it have been done.

    Where they wait for each other in a ring, one of them begins once nothing else is under way.
    """

    def __init__(self, names: Sequence[str], before: Before) -> None:
        self.before = before
        self.waiting = dict.fromkeys(names)
        self.under_way: set[str] = set()
        self.error: BaseException | None = None
        self.changed = threading.Condition()

    def next(self) -> str | None:
        """The next name, once there is one that may begin; None when none is left."""
        with self.changed:
            while self.waiting and self.error is None:
                name = next((name for name in self.waiting if self.is_ready(name)), None)
                if name is None and not self.under_way:
                    name = self.in_a_ring(next(iter(self.waiting)))
                if name is not None:
                    del self.waiting[name]
                    self.under_way.add(name)
                    return name
                self.changed.wait()
            return None

    def is_ready(self, name: str) -> bool:
        """Whether nothing that goes before it is left."""
        return self.waits_for(name) is None

    def waits_for(self, name: str) -> str | None:
        """One of those that go before it and are left."""
        return next((other for other in sorted(self.before.get(name, ())) if other != name and (other in self.waiting or other in self.under_way)), None)

    def in_a_ring(self, name: str | None) -> str:
        """One of a ring, from a name that waits for it or is in it."""
        met: dict[str, None] = {}
        while name is not None and name not in met:
            met[name] = None
            name = self.waits_for(name)
        return name or next(reversed(list(met)))

    def done(self, name: str, error: BaseException | None = None) -> None:
        """Note that one has ended; with an error nothing more is handed out."""
        with self.changed:
            self.under_way.discard(name)
            self.error = self.error or error
            self.changed.notify_all()


def work_on(names: Sequence[str], before: Before, most: int, work: Callable[[str], None]) -> None:
    """Work on all names, at most so many at once. Raises what the work raised, when all that was under way has ended.

    The threads are no reason to live on: a process that is told to stop stops at once.
    """
    schedule = Schedule(names, before)
    if min(most, len(names)) <= 1:
        worker(schedule, work)
    else:
        threads = [threading.Thread(target=worker, args=(schedule, work), daemon=True) for dummy in range(min(most, len(names)))]
        for thread in threads:
            start_without_signals(thread)
        for thread in threads:
            thread.join()
    if schedule.error is not None:
        raise schedule.error


def worker(schedule: Schedule, work: Callable[[str], None]) -> None:
    """One after the other, as long as there are any."""
    name = schedule.next()
    while name is not None:
        error: BaseException | None = None
        try:
            work(name)
        except BaseException as caught:
            error = caught  # raised again where the work was asked for
        schedule.done(name, error)
        name = schedule.next()


def start_without_signals(thread: threading.Thread) -> None:
    """Start a thread that no signal is delivered to.

    Only the main thread acts on one, and a signal that the kernel hands to another does not wake it: the task would go
    on after Ctrl-C (seen with ansible-core 2.19, which sends it to this process alone).
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
