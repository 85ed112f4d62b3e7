# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the processes of one machine, whatever their user, agree on by locks that die with their holder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from contextlib import contextmanager
from typing import Iterator

FOLDER = "/tmp"  # one for all users of the machine, whatever their TMPDIR says
MOST_SLOTS = 64  # slots of one node that this machine counts
MOST_NODES = 1 << 20
SLOTS = MOST_NODES * MOST_SLOTS  # bytes of all slots, from 1 on


class TooLate(Exception):
    """A lock was not to be had before the deadline."""


class Locks:
    """Locks of this machine for one cluster: bytes of one file. They die with the process that holds them.

    The file is the same for all users. It is opened without creating it where it is there, since the kernel refuses
    to create over another user's file in a folder that everybody may write to.
    """

    GATE = 0
    EVERY_SLOT = -1  # all slots of all nodes: for one who cannot see what is under way

    def __init__(self, cluster: str) -> None:
        name = "opensearch_ops.flow_framework-%s.lock" % hashlib.sha256(cluster.encode("utf-8")).hexdigest()[:16]
        self.file = open_shared(os.path.join(FOLDER, name))
        self.mine: set[int] = set()
        self.guard = threading.Lock()  # the kernel's locks do not part the threads of one process

    @staticmethod
    def of_slot(node: str, number: int) -> int:
        """The byte of one slot of one node."""
        return 1 + spread(node, MOST_NODES) * MOST_SLOTS + number

    @staticmethod
    def of_workflow(workflow_id: str) -> int:
        """The byte of one workflow, beyond those of all slots."""
        return (1 << 32) + spread(workflow_id, 1 << 40)

    @staticmethod
    def of_call(mark: str) -> int:
        """The byte of one call, beyond those of all workflows: whoever holds it sends, or is about to send, what bears that mark."""
        return (1 << 42) + spread(mark, 1 << 40)

    def take(self, byte: int) -> bool:
        """Lock one byte, or say that somebody has it."""
        with self.guard:
            if any(overlap(byte, held) for held in self.mine):
                return False
            try:
                fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB, *extent(byte))
            except OSError:
                return False
            self.mine.add(byte)
            return True

    def release(self, byte: int) -> None:
        """Let go one byte."""
        with self.guard:
            fcntl.lockf(self.file, fcntl.LOCK_UN, *extent(byte))
            self.mine.discard(byte)

    @contextmanager
    def held(self, byte: int, deadline: float, pause: float) -> Iterator[None]:
        """Hold one byte for as long as the block lasts, once it is to be had. ``pause`` in seconds. Raises TooLate."""
        while not self.take(byte):
            if time.monotonic() >= deadline:
                raise TooLate
            time.sleep(pause)
        try:
            yield
        finally:
            self.release(byte)

    def held_slots(self, node: str) -> int:
        """How many slots of a node this machine holds. Only while the gate is held."""
        return sum(1 for number in range(MOST_SLOTS) if self.is_held(self.of_slot(node, number)))

    def is_held(self, byte: int) -> bool:
        """Whether anybody on this machine holds a byte. Only while the gate is held, since it is taken for a moment."""
        if not self.take(byte):
            return True
        self.release(byte)
        return False


def extent(byte: int) -> tuple[int, int]:
    """Length and start of what is locked in the file."""
    return (SLOTS, 1) if byte == Locks.EVERY_SLOT else (1, byte)


def overlap(byte: int, other: int) -> bool:
    """Whether two locks have a byte in common."""
    (length, start), (other_length, other_start) = extent(byte), extent(other)
    return start < other_start + other_length and other_start < start + length


def open_shared(path: str) -> int:
    """A file that every user of the machine may lock."""
    for _try in range(3):
        try:
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            try:
                made = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            except FileExistsError:
                continue
            os.fchmod(made, 0o666)  # whatever the umask says
            return made
    raise OSError("%s comes and goes" % path)


def spread(name: str, most: int) -> int:
    """A number below ``most`` that is the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], "big") % most
