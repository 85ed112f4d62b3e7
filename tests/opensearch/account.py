# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users: who runs the tests, and who runs the server, which is the same one unless it is root."""

from __future__ import annotations

import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534
"""Of the user who owns nothing, on every Linux. No entry in a list of users is needed."""


@dataclass(frozen=True)
class Account:
    """Ids of user and group, as the operating system knows them."""

    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        return self.uid == os.geteuid()

    def reads(self, path: Path) -> bool:
        """Whether the user can get at the path; of other groups it is in none. Links are followed."""
        found = path.resolve()
        return all(self._passes(folder) for folder in found.parents) and self._may(found, stat.S_IRUSR)

    def _passes(self, folder: Path) -> bool:
        return self._may(folder, stat.S_IXUSR)

    def _may(self, path: Path, bit: int) -> bool:
        """``bit``: of the owner, as in ``stat``."""
        try:
            found = path.stat()
        except OSError:
            return False
        if found.st_uid == self.uid:
            return bool(found.st_mode & bit)
        if found.st_gid == self.gid:
            return bool(found.st_mode & bit >> 3)
        return bool(found.st_mode & bit >> 6)

    def temporary_folder(self) -> str:
        """Where its folders may be made: TMPDIR, unless it is closed to this user."""
        given = tempfile.gettempdir()
        return given if self.reads(Path(given)) else "/tmp"

    def owns(self, folder: Path) -> None:
        """Give the folder, and what is in it, to this user alone."""
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o700 if path.is_dir() else 0o600)
            if not self.is_ours:
                os.chown(path, self.uid, self.gid)


def own_home() -> Path:
    """Of the user who runs this. Not HOME, which tests/environment.py replaces, unless the machine knows no user of that id."""
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        return Path.home()


def account() -> Account:
    """Who runs the server: OpenSearch refuses to be run by root."""
    if os.geteuid() == 0:
        return Account(NOBODY, NOBODY)
    return Account(os.geteuid(), os.getegid())
