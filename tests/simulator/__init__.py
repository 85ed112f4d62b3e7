# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated OpenSearch cluster with Flow Framework and ML Commons, to test clients against.

``with running(version="3.6.0") as sim:`` starts one; README.md beside this file says what it can do.
"""

from __future__ import annotations

from .server import Request, Simulator, in_front, running

__all__ = ["Request", "Simulator", "in_front", "running"]
