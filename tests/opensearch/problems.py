# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can keep an OpenSearch from running, and how a person is told."""

from __future__ import annotations

import sys


class CannotRun(Exception):
    """Something is missing on this machine; the text says what, and how to get it."""


class DidNotStart(Exception):
    """A server was started and did not get ready; the text is the end of its log, and where all of it is kept."""


def say(text: str) -> None:
    print(f"opensearch: {text}", file=sys.stderr, flush=True)
