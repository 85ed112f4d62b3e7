# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plugin of pytest: hypothesis tries the same examples each time, and does not look for the smallest one that fails."""

from __future__ import annotations

from hypothesis import Phase, settings

settings.register_profile("mutation", derandomize=True, database=None, deadline=None, phases=[Phase.explicit, Phase.generate])
settings.load_profile("mutation")
