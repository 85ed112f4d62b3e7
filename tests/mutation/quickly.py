# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plugin of pytest for what is run thousands of times: properties come last, with few examples, the same ones each time."""

from __future__ import annotations

import gc

import pytest
from hypothesis import Phase, settings

settings.register_profile("mutation", max_examples=8, derandomize=True, database=None, deadline=None, phases=[Phase.explicit, Phase.generate])
settings.load_profile("mutation")


def pytest_configure() -> None:
    """What is there already is no garbage: pytest looks for some in the end, and a fork would copy every page of it."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: getattr(getattr(item, "obj", None), "is_hypothesis_test", False))
