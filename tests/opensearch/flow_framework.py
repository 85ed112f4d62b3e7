# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the real Flow Framework plugin comes from: a file that is named, or the Maven repository, where it has it."""

from __future__ import annotations

import os
import re
import tempfile
import time
import zipfile
from pathlib import Path

from . import maven
from .problems import CannotRun, say
from .releases import Release

VARIABLE = "FLOW_FRAMEWORK_ZIP"
ASK_AGAIN = 24 * 3600.0
"""Seconds after which a repository that did not have it is asked again."""


def plugin(release: Release, cache: Path) -> Path | None:
    """The zip of that version; None where there is none. ``cache``: a folder to keep it in.

    Raises CannotRun where the environment variable names no such plugin.
    """
    given = os.environ.get(VARIABLE)
    if given:
        path = Path(given).resolve()
        version = version_of(path)
        if version == release.version:
            return path
        say(f"the Flow Framework that {VARIABLE} names is for OpenSearch {version}, not {release.version}: not used")
    return from_repository(release, cache)


def version_of(archive: Path) -> str:
    """The version of OpenSearch that a plugin is for. Raises CannotRun where it is no Flow Framework."""
    try:
        with zipfile.ZipFile(archive) as packed:
            text = packed.read("plugin-descriptor.properties").decode(errors="replace")
    except (OSError, KeyError, zipfile.BadZipFile) as wrong:
        raise CannotRun(f"{VARIABLE} names {archive}, which is not the zip of a plugin: {wrong}") from wrong
    values: dict[str, str] = dict(re.findall(r"^([\w.]+)=(.*?)\s*$", text, re.MULTILINE))
    if values.get("name") != "opensearch-flow-framework":
        raise CannotRun(f"{VARIABLE} names {archive}, which is the plugin {values.get('name')}")
    return values.get("opensearch.version", "")


def from_repository(release: Release, cache: Path) -> Path | None:
    """The repository's, fetched once; that it has none is remembered for a day."""
    kept = cache / release.flow_framework.file
    absent = kept.with_suffix(".absent")
    if kept.is_file():
        return kept
    if absent.is_file() and time.time() - absent.stat().st_mtime < ASK_AGAIN:
        return None
    if maven.program() is None:  # what is there already runs without it; where something has to be fetched, that is said
        return None
    with tempfile.TemporaryDirectory(prefix="part-", dir=cache) as folder:
        try:
            (fetched,) = maven.fetch([release.flow_framework], Path(folder))
        except maven.NotThere:
            absent.touch()
            return None
        except CannotRun as problem:  # as without a network
            say(f"whether the repository has a Flow Framework {release.version} is not known: {problem}")
            return None
        return fetched.replace(kept)
