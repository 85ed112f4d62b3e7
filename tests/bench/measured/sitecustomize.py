# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes the peak memory of a module's process when that ends.

Python imports a module of this name before anything else. The plays of the benchmark put this folder into the
``PYTHONPATH`` of their modules, and name a file in ``BENCH_PEAK``; nothing else sees it.
"""

from __future__ import annotations

import atexit
import os


def note() -> None:
    """Add the peak of this process in kB (VmHWM: resident memory, since the program was started) to the file."""
    with open("/proc/self/status", encoding="ascii") as status:
        peak = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
    with open(os.environ["BENCH_PEAK"], "a", encoding="ascii") as file:
        file.write(peak + "\n")


if "BENCH_PEAK" in os.environ:
    atexit.register(note)
