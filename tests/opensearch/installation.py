# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An OpenSearch with its plugins, put together once into a cache outside the checkout."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import environment

from . import flow_framework, maven
from .account import Account, own_home
from .java import Java
from .problems import CannotRun, say
from .releases import Artifact, Module, Release

NAME = "opensearch_ops.flow_framework"
LAYOUT = 1
"""Counts up when something below makes other installations out of the same artifacts."""

DESCRIPTOR = """\
name={module.name}
description={module.name}, put together for tests
version={version}
opensearch.version={version}
java.version=11
classname={module.main}
extended.plugins={module.extends}
"""


@dataclass(frozen=True)
class Installation:
    """An OpenSearch in its folder, to which nothing is written any more, and whether the real Flow Framework is in it."""

    home: Path
    version: str
    flow_framework: bool


def installed(release: Release, security: bool, java: Java, account: Account) -> Installation:
    """The installation, made before if it is not there; ``account`` can read it. Raises CannotRun."""
    base = cache(account)
    plugins = release.plugins(security)
    with environment.locked(str(base / "lock"), fcntl.LOCK_EX):
        flow = flow_framework.plugin(release, base)
        home = base / folder_name(release, security, flow)
        if not home.is_dir():
            make(home, release, plugins, flow, java)
    return Installation(home, release.version, flow is not None)


def cache(account: Account) -> Path:
    """The folder of all installations: in the user's own cache, or, as root's is closed to others, in the machine's."""
    # tests/environment.py replaces HOME, and names a folder in there: that is nobody's wish.
    wish, replaced = os.environ.get("XDG_CACHE_HOME"), Path(os.environ.get("HOME", "/")) / ".cache"
    own = Path(wish) if wish and Path(wish) != replaced else own_home() / ".cache"
    base = own if account.is_ours or account.reads(own) else Path("/var/cache")
    folder = base / NAME
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    if not account.is_ours:
        for made in missing:
            made.chmod(0o755)  # whatever the umask
    return folder


def folder_name(release: Release, security: bool, flow: Path | None) -> str:
    """Changes with everything that an installation is made of."""
    content = [str(LAYOUT), repr(release), maven.SUMS.read_text(), maven.sha256(flow) if flow else ""]
    key = hashlib.sha256("\0".join(content).encode()).hexdigest()[:12]
    kind = release.version + ("-security" if security else "") + ("-flow" if flow else "")
    return f"opensearch-{kind}-{key}"


# -- putting it together -----------------------------------------------------------------------------------------------


def make(home: Path, release: Release, plugins: Sequence[Artifact], flow: Path | None, java: Java) -> None:
    """All is done in a folder aside, which gets its name last: what bears the name is whole."""
    began = time.monotonic()
    say(f"putting {home} together (once; takes half a minute, and longer where 600 MB have to be fetched)")
    for left in home.parent.glob("part-*"):  # by a process that was killed; nobody else is here
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix="part-", dir=home.parent) as name:
        folder = Path(name)
        server, *archives = maven.fetch([release.server, *plugins, *(jar for one in release.modules for jar in one.jars)], folder)
        unpack(server, folder)
        fresh = folder / f"opensearch-{release.version}"
        for module in release.modules:
            add_module(module, release.version, fresh, folder)
        for archive in [*archives[: len(plugins)], *([flow] if flow else [])]:
            install(archive, fresh, java)
        subprocess.run(["chmod", "-R", "a+rX,go-w", str(fresh)], check=True)  # whatever the umask
        fresh.rename(home)
    say(f"put together in {time.monotonic() - began:.0f} s")


def unpack(archive: Path, folder: Path) -> None:
    """With the modes of the files: some are programs."""
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            path = packed.extract(member, folder)
            mode = member.external_attr >> 16
            if mode and not member.is_dir():
                os.chmod(path, mode & 0o777)


def add_module(module: Module, version: str, home: Path, jars: Path) -> None:
    folder = home / "modules" / module.name
    folder.mkdir()
    for jar in module.jars:
        shutil.copy(jars / jar.file, folder)
    (folder / "plugin-descriptor.properties").write_text(DESCRIPTOR.format(module=module, version=version))
    if module.permissions:
        grants = "".join(f'  permission java.lang.RuntimePermission "{one}";\n' for one in module.permissions)
        (folder / "plugin-security.policy").write_text(f"grant {{\n{grants}}};\n")


def install(archive: Path, home: Path, java: Java) -> None:
    """By OpenSearch's own tool, which refuses what does not fit the version."""
    command = [str(home / "bin" / "opensearch-plugin"), "install", "--batch", archive.as_uri()]
    variables = {"PATH": os.environ.get("PATH", os.defpath), "OPENSEARCH_JAVA_HOME": str(java.home)}
    done = subprocess.run(
        command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )
    if done.returncode:
        raise CannotRun(f"{archive.name} could not be installed:\n{done.stdout}")
