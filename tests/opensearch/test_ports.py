# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that stay ours."""

from __future__ import annotations

import socket
import sys

import pytest

from tests.opensearch import ports


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a port be held for another process")
def test_who_asks_for_a_held_port_may_listen_on_it_again_and_again() -> None:
    port, held = ports.reserve()
    for _number in range(2):
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((ports.HOST, port))
            server.listen()
            with socket.create_connection((ports.HOST, port)):
                server.accept()[0].close()
    assert held is not None
    held.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a port be held for another process")
def test_nobody_listens_on_a_held_port_by_chance() -> None:
    port, held = ports.reserve()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((ports.HOST, port))
    with socket.socket() as other, pytest.raises(OSError):
        other.bind((ports.HOST, port))
    assert held is not None
    held.close()


def test_each_is_another_one() -> None:
    reserved = [ports.reserve() for _number in range(50)]
    assert len({port for port, _other in reserved}) == 50
    for _other, held in reserved:
        if held is not None:
            held.close()
