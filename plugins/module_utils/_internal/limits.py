# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a task may wait. Moments are those of the monotonic clock."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Mapping


@dataclass(frozen=True)
class Limits:
    """``wait``: seconds for one workflow; ``pause``: seconds before the first repetition of a call; ``end``: when the whole task is over."""

    wait: float = 600.0
    pause: float = 2.0
    end: float = math.inf

    @classmethod
    def of(cls, params: Mapping[str, Any], begun: float) -> Limits:
        """From module parameters, for a task that began at that moment."""
        task = params["task_timeout"]
        return cls(params["wait_timeout"], params["wait_sleep"], math.inf if task is None else begun + task)

    def deadline(self, used: float = 0.0) -> float:
        """Until when may be waited from now on, of which so many seconds are used up already."""
        return min(time.monotonic() + self.wait - used, self.end)

    @property
    def task_is_over(self) -> bool:
        """Whether the time of the whole task is."""
        return time.monotonic() >= self.end

    @property
    def over(self) -> str:
        """The option whose time is over, once a deadline is."""
        return "task_timeout" if self.task_is_over else "wait_timeout"
