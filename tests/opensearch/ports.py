# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports of loopback that stay ours while nothing listens there: a node comes back on the same one."""

from __future__ import annotations

import platform
import socket

HOST = "127.0.0.1"


def reserve() -> tuple[int, socket.socket | None]:
    """A free port, and what holds it for as long as it is open.

    Nobody else is given the port meanwhile, be it to listen on or to call from; but who asks for this very port, as the
    node does, with SO_REUSEADDR, may listen there. Only Linux has it so; elsewhere nothing is held.
    """
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((HOST, 0))
    port: int = one.getsockname()[1]
    if platform.system() == "Linux":
        return port, one
    one.close()
    return port, None
