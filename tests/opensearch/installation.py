# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An OpenSearch with its plugins, unpacked once into a cache outside the checkout."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import artifacts
from .account import Account
from .java import Java
from .problems import CannotRun

NAME = "opensearch_ops.flow_framework"


@dataclass(frozen=True)
class Installation:
    """Where it is, and whether the real Flow Framework is in it. Nothing in it is ever written to."""

    home: Path
    version: str
    flow_framework: bool


def installed(release: artifacts.Release, security: bool, java: Java, account: Account) -> Installation:
    """The installation of that version, made before if it is not there."""
    wanted = [release.server, *release.plugins]
    if security:
        if release.security is None:
            raise CannotRun(f"there is no security plugin for OpenSearch {release.version} here")
        wanted.append(release.security)
    base = cache(account)
    key = hashlib.sha256("".join(f"{one} {one.sha256}\n" for one in wanted).encode()).hexdigest()[:12]
    home = base / f"opensearch-{release.version}-{key}"
    with locked(base / f"{home.name}.lock"):
        if not home.is_dir():
            make(wanted, home, java)
    return Installation(home, release.version, False)


def make(wanted: list[artifacts.Artifact], home: Path, java: Java) -> None:
    """Unpack and install aside, and rename last: what bears the name is whole."""
    with tempfile.TemporaryDirectory(prefix=f"{home.name}.part-", dir=home.parent) as name:
        folder = Path(name)
        say(f"putting OpenSearch together in {home} (once)")
        server, *plugins = artifacts.fetch(wanted, folder)
        unpack(server, folder)
        (fresh,) = folder.glob("opensearch-*/")
        for plugin in plugins:
            install(fresh, plugin, java)
        fresh.rename(home)


def unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            path = packed.extract(member, folder)
            mode = member.external_attr >> 16
            if mode:
                os.chmod(path, mode & 0o755)


def install(home: Path, plugin: Path, java: Java) -> None:
    """By OpenSearch's own tool, which checks that the plugin fits the version."""
    command = [str(home / "bin" / "opensearch-plugin"), "install", "--batch", plugin.as_uri()]
    variables = {"PATH": os.environ["PATH"], "OPENSEARCH_JAVA_HOME": str(java.home)}
    done = subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise CannotRun(f"{plugin.name} could not be installed:\n{done.stdout}")


def cache(account: Account) -> Path:
    """The folder of all installations. Root's own is closed to the account that the server runs as: then it is the machine's."""
    folder = Path(pwd.getpwuid(os.geteuid()).pw_dir) / ".cache" / NAME
    given = os.environ.get("XDG_CACHE_HOME")
    # tests/environment.py replaces HOME, and sets this to what it would be without.
    if given and Path(given) != Path(os.environ.get("HOME", "")) / ".cache":
        folder = Path(given) / NAME
    if not account.is_ours:
        folder = Path("/var/cache") / NAME
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    print(f"opensearch: {text}", file=sys.stderr, flush=True)


def jvm_options(home: Path, java: Java) -> list[str]:
    """The options that OpenSearch's own parser gives for this Java, but those of files in the working directory."""
    command = [str(java.program), "-Xshare:auto", "-cp", str(home / "lib" / "*"), "org.opensearch.tools.launchers.JvmOptionsParser", str(home / "config")]
    if (home / "lib" / "tools" / "launchers").is_dir():
        command[3] += os.pathsep + str(home / "lib" / "tools" / "launchers" / "*")
    done = subprocess.run(command, env={"OPENSEARCH_TMPDIR": "/nowhere"}, cwd=home, stdout=subprocess.PIPE, text=True, check=True)
    mine = re.compile(r"-Xm[sx]|-Xlog:|-XX:HeapDumpPath|-XX:\+HeapDump|-XX:ErrorFile|-Djava\.io\.tmpdir|-XX:\+AlwaysPreTouch")
    return [option for option in done.stdout.split() if not mine.match(option)]
