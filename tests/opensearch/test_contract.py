# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract on a real 3.6.0. A file of its own, so that it is played beside the other one."""

from __future__ import annotations

import pytest

from tests.simulator import in_front

from . import Cluster
from .by_url import contract

pytestmark = pytest.mark.opensearch


def test_recordings_and_vectors_hold_on_a_real_3_6_0(plain: Cluster) -> None:
    with in_front(plain) as front:  # at the pace of the real plugin, which the vectors hold it to
        front.world.clear()
        assert contract(front.url) >= 70
