# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How busy the machine is, and what is installed on it."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path


class Busy:
    """The share of the processors that was at work, by whomever, between two looks."""

    def __init__(self) -> None:
        self.began = processor_times()

    def percent(self) -> float | None:
        """Percent of all processors since this was made; None where /proc does not say."""
        now = processor_times()
        if self.began is None or now is None or now[1] == self.began[1]:
            return None
        return 100 * (now[0] - self.began[0]) / (now[1] - self.began[1])


def processor_times() -> tuple[int, int] | None:
    """Ticks at work, and all ticks, of all processors since the machine was started."""
    try:
        fields = [int(one) for one in Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]]
    except OSError:
        return None
    idle = fields[3] + fields[4]  # idle, and waiting for a disk
    return sum(fields) - idle, sum(fields)


def others_at_work(seconds: float = 1.0) -> str:
    """What the machine is busy with while nothing of the benchmark runs."""
    busy = Busy()
    time.sleep(seconds)
    percent = busy.percent()
    said = "unknown" if percent is None else f"{percent:.0f} % of the processors at work"
    return f"{said}, load {os.getloadavg()[0]:.1f}"


def description() -> str:
    """This collection's version, the machine, and what is installed on it, in general words."""
    galaxy = Path(__file__).resolve().parents[2] / "galaxy.yml"
    ours = next(line.split()[1] for line in galaxy.read_text(encoding="utf-8").splitlines() if line.startswith("version:"))
    installed = ", ".join(f"{name} {version(name)}" for name in ("ansible-core", "opensearch-py"))
    return f"Collection {ours}, {os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}, {installed}"
