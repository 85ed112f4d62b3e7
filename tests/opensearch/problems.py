# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can keep an OpenSearch from running."""

from __future__ import annotations


class CannotRun(Exception):
    """Something is missing on this machine; the text says what, and how to get it."""


class DidNotStart(Exception):
    """The server was started and did not get ready; the text says why, and where its log is."""
