# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection measured beside what a user would do otherwise, and beside bare HTTP.

    make bench

Ways of doing it (ways.py) are tried on clusters (clusters.py), scenario by scenario (scenarios.py), and what came of it is
shown as tables, wishes met or not, and a picture (report.py).
"""

from __future__ import annotations

# With this the collection can be imported under its real name.
from conftest import COLLECTIONS

__all__ = ["COLLECTIONS"]
