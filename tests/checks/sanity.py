# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.checks.sanity [OPTION ...]: `ansible-test sanity`, with every Python of this machine that it takes.

First it looks at the artifact, as Automation Hub does, then at the rest of the checkout. The options are those of ansible-test:
`--test pylint`. It runs in an environment of tests/environment.py, whose home keeps what ansible-test installs for itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

from ansible_test._internal.constants import SUPPORTED_PYTHON_VERSIONS
from ansible_test._internal.python_requirements import get_venv_packages

from tests import environment
from tests.interpreters import interpreters

from . import watched

# ansible-test would fetch get-pip.py from a site that is no package index, and that not every machine reaches.
# Every Python that can make virtual environments brings a pip along, which gets the one that is asked for.
GET_PIP = """\
import subprocess, sys

subprocess.check_call([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL)
wanted = [one for one in sys.argv[1:] if one not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *wanted]))
"""


def copy(folder: Path) -> Path:
    """The collection where ansible-test wants it: what git knows or would add, as it stands in the checkout.

    A link would not do: ansible-test follows it, and finds itself outside of any collection.
    """
    collection = folder / environment.COLLECTION
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=environment.ROOT, stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    for name in listed.stdout.split("\0"):
        source = Path(environment.ROOT, name)
        if name and source.exists():
            (collection / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, collection / name, follow_symlinks=False)
    return collection


def installed(checkout: Path, folder: Path) -> Path:
    """The artifact, as whoever gets it has it: of tests/ it holds config.yml alone, which says for which Pythons it is."""
    folder.mkdir()
    galaxy = ("ansible-galaxy", "collection")
    subprocess.run([*galaxy, "build", str(checkout), "--output-path", str(folder)], check=True)
    (artifact,) = folder.glob("*.tar.gz")
    # The search path of the tests has the checkout under this name.
    alone = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder)}
    subprocess.run([*galaxy, "install", str(artifact), "--collections-path", str(folder), "--offline"], env=alone, check=True)
    return folder / environment.COLLECTION


def files(collection: Path) -> set[str]:
    """The paths of all files, from the root of the collection."""
    return {str(path.relative_to(collection)) for path in collection.rglob("*") if path.is_file()}


def provide_pip(versions: Iterable[str], home: Path) -> None:
    """Put the script where ansible-test looks for the one that it has fetched before."""
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in versions:
        pip = get_venv_packages(SimpleNamespace(version=version))["pip"]
        (cache / f"get_pip_{pip.replace('.', '_')}.py").write_text(GET_PIP, encoding="utf-8")


def provide_settings_of_pip(home: Path) -> None:
    """ansible-test hands no variables on to pip: what the caller told it by them stands in its file."""
    lines = [f"{name[len('PIP_') :].lower().replace('_', '-')} = {value}\n" for name, value in sorted(os.environ.items()) if name.startswith("PIP_")]
    file = home / ".config" / "pip" / "pip.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    # An index may be named with a password in it.
    file.touch(mode=0o600)
    file.write_text("".join(["[global]\n", *lines]), encoding="utf-8")


def missing(pythons: Iterable[str]) -> list[str]:
    """The Pythons that this ansible-core supports, as far as the collection does, and that this machine has not."""
    return [version for version in SUPPORTED_PYTHON_VERSIONS if version not in pythons and tuple(map(int, version.split("."))) >= environment.OLDEST_TARGET]


def main(arguments: list[str]) -> int:
    home, pythons = Path.home(), interpreters()
    provide_pip(pythons, home)
    provide_settings_of_pip(home)
    path = os.pathsep.join([os.path.dirname(sys.executable), *(str(python.parent) for python in pythons.values()), os.environ["PATH"]])
    command = ["ansible-test", "sanity", "--color", "no", *arguments]
    with tempfile.TemporaryDirectory(prefix="flow_framework-sanity-") as folder:
        checkout = copy(Path(folder, "checkout"))
        artifact = installed(checkout, Path(folder, "artifact"))
        looks = [
            watched([*command, *names], collection, r"WARNING: (Skipping|Required program)", PATH=path)
            for collection, names in ((artifact, []), (checkout, sorted(files(checkout) - files(artifact))))
        ]
    status = max(status for status, _skipped in looks)
    skipped = list(dict.fromkeys(line for _status, lines in looks for line in lines))
    if absent := missing(pythons):
        print("sanity: this machine has no Python", ", ".join(absent))
    if skipped:
        print("sanity: not everything was looked at:", *skipped, sep="\n", end="")
    return status or int(bool(skipped))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
