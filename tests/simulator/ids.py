# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identifiers as the server makes them."""

from __future__ import annotations

import base64
import secrets


def short_id() -> str:
    """20 letters, digits, - and _: workflows, connectors, models, agents, groups, tasks; may start with any of them."""
    return base64.urlsafe_b64encode(secrets.token_bytes(15)).decode()


def long_id() -> str:
    """22 such characters: nodes, indices, the cluster."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
