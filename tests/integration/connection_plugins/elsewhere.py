# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine by a connection that is not the local one, as ssh to another would be."""

from __future__ import annotations

from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = r"""
name: elsewhere
short_description: This machine, as if it were another
description: For the tests.
extends_documentation_fragment: [connection_pipelining]
"""


class Connection(Local):
    transport = "elsewhere"
