# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the environment of the tests and the demo, and runs a command in it.

    python3 tests/environment.py run [--requirements NAME] [--target PYTHON] COMMAND [ARGUMENT ...]
    python3 tests/environment.py nox [ARGUMENT ...]
    python3 tests/environment.py clean

`nox` runs sessions of noxfile.py, which call `run` in their turn: it keeps the variables of the caller, and `run` does not.

`--target` names the Python that modules run with in the plays of the command; else it is that of the environment.

Needs Python 3.10 or newer with its venv module (3.8 for a target: tests/requirements/target-*.txt), and a package index that pip reaches; nothing else is
taken from the machine, and nothing is read from or written to the home directory of the user.

Everything is made in `.venv/` of the checkout. Where that cannot be, it is made in a private folder
under TMPDIR, and the first line of the output says so:

    py3.11/             a virtual environment for each Python, with tests/requirements/test.txt
    py3.11-NAME/        the same with tests/requirements/NAME.txt (--requirements NAME)
    collections/        a tree that shows the checkout to Ansible as opensearch_ops.flow_framework
    home/               HOME of what is run, with Ansible's own folders

Unlike every other file, this one has to be readable for any Python 3.6: only so it can say that the
Python is too old. Hence no `from __future__ import annotations`, and types from `typing`.
"""

import contextlib
import fcntl
import hashlib
import json
import locale
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from typing import Dict, Iterator, List, NoReturn, Tuple

OLDEST_PYTHON = (3, 10)
# An environment for modules to run in holds no tests (tests/requirements/target-*.txt).
OLDEST_TARGET = (3, 8)
ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
REQUIREMENTS = os.path.join(ROOT, "tests", "requirements")
COLLECTION = os.path.join("ansible_collections", "opensearch_ops", "flow_framework")

# Settings of the caller that would change what the tests see. OPENSEARCH_… are fallbacks of module options.
# Those of make would pass the caller's arguments on to every make that a test runs.
DROPPED = re.compile(r"(ANSIBLE|AWS|MOLECULE|OPENSEARCH)_|PYTHON[A-Z]|(MAKEFLAGS|MAKEOVERRIDES|MFLAGS)$")
# … but for those that only make the output of Ansible longer or coloured.
KEPT = ("ANSIBLE_DEBUG", "ANSIBLE_FORCE_COLOR", "ANSIBLE_VERBOSITY")

LOOPBACK = "127.0.0.1,localhost,::1"


class Problem(Exception):
    """Something that the user has to put right; the text says what and how."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# -- is this Python good enough? ---------------------------------------------------------------------------------------


def check_python(requirements: str) -> None:
    oldest = OLDEST_TARGET if requirements.startswith("target-") else OLDEST_PYTHON
    if sys.version_info < oldest:
        names = ["python3.%d" % minor for minor in range(20, oldest[1] - 1, -1)]
        found = [name for name in names if shutil.which(name)]
        hint = "Found: make PYTHON=%s TARGET" % found[0] if found else "Install one, and name it: make PYTHON=… TARGET"
        raise Problem("%s is Python %s; Python %d.%d or newer is needed. %s" % (sys.executable, python_version(), *oldest, hint))
    try:
        import ensurepip
        import venv
    except ImportError as error:
        raise Problem(
            "%s cannot make virtual environments (%s). Install its venv module: `apt install python%d.%d-venv` on "
            "Debian and Ubuntu, python3-libs on Fedora and RHEL; or name another Python: make PYTHON=… TARGET" % (sys.executable, error, *sys.version_info[:2])
        ) from error
    del ensurepip, venv


def python_version() -> str:
    return "%d.%d.%d" % sys.version_info[:3]


# -- where does it go? -------------------------------------------------------------------------------------------------


def base_folder() -> str:
    """The folder that holds everything this file makes.

    It lies outside the checkout in two cases: the scripts that pip makes, and search paths, bear blanks in a path
    (tried with Python 3.10 to 3.13), but neither quotes, `$` nor `:`; and others' checkouts are not ours to write to.
    """
    inside = os.path.join(ROOT, ".venv")
    if not is_plain(inside):
        reason = "the path of the checkout holds special characters"
    elif not is_writable(inside):
        reason = "%s is not writable" % inside
    else:
        return inside
    outside = private_folder()
    say("environment: in %s, as %s" % (outside, reason))
    return outside


def is_plain(path: str) -> bool:
    """Whether the path can stand between double quotes in a shell, and in a search path. Blanks can."""
    return re.fullmatch(r"[A-Za-z0-9_@+=,./ -]+", path) is not None


def is_writable(folder: str) -> bool:
    """Whether new files can be made in the folder. It is made if it is missing."""
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def private_folder() -> str:
    """A folder under TMPDIR for this user and this checkout, that nobody else can have put there."""
    parent = os.path.realpath(tempfile.gettempdir())
    if not is_plain(parent):
        raise Problem("The path of the temporary folder holds special characters: %s. Set TMPDIR." % parent)
    name = "flow_framework-%d-%s" % (os.getuid(), hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:12])
    path = os.path.join(parent, name)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise Problem("%s is not a folder that only this user can write to. Remove it, or set TMPDIR." % path)
    return path


# -- the virtual environment -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(path: str, how: int) -> Iterator[int]:
    """Holds the lock file; the lock ends with the process at the latest."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            say("environment: waiting for another run that uses or makes it (%s)" % path)
            fcntl.flock(descriptor, how)
        yield descriptor
    finally:
        os.close(descriptor)


def wanted_stamp(folder: str, requirements: str) -> str:
    """What the environment was, or has to be, made from. It cannot be moved, so that its place counts too."""
    digest = hashlib.sha256()
    for text in texts_of(requirements):
        digest.update(text.encode() + b"\0")
    digest.update("\0".join([folder, requirements, "%d.%d" % sys.version_info[:2]]).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def texts_of(requirements: str) -> Iterator[str]:
    """The file of these requirements, and those that it takes in (`-r base.txt`)."""
    with open(os.path.join(REQUIREMENTS, requirements + ".txt"), encoding="utf-8") as file:
        text = file.read()
    yield text
    for name in re.findall(r"^-r (.+)\.txt$", text, re.MULTILINE):
        yield from texts_of(name)


def installed(folder: str, stamp: str) -> str:
    """What is installed, in words; empty if the environment is missing, half made, outdated or without its Python."""
    try:
        with open(os.path.join(folder, "flow_framework.json"), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return ""
    usable = found.get("stamp") == stamp and os.access(os.path.join(folder, "bin", "python"), os.X_OK)
    return str(found["content"]) if usable else ""


def install(folder: str, requirements: str, stamp: str) -> str:
    """Makes the virtual environment anew. The stamp comes last: without it the environment does not count as made."""
    began = time.monotonic()
    python = os.path.join(folder, "bin", "python")
    log = folder + ".log"
    say(
        "environment: installing %s for Python %s into %s (once; about a minute)"
        % (os.path.join("tests", "requirements", requirements + ".txt"), python_version(), folder)
    )
    with open(log, "wb") as output:
        step([sys.executable, "-I", "-m", "venv", "--clear", folder], log, output.fileno())
        pip = [python, "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--retries", "2"]
        step([*pip, "-r", os.path.join(REQUIREMENTS, requirements + ".txt")], log, output.fileno())
    look = "import importlib.metadata as m; print(', '.join(n + ' ' + d.version for n in %r for d in m.distributions(name=n)))"
    names = ("ansible-core", "opensearch-py", "molecule", "pytest", "nox")
    answer = subprocess.run([python, "-I", "-c", look % (names,)], stdout=subprocess.PIPE, check=True)
    content = "Python %s, %s" % (python_version(), answer.stdout.decode().strip())
    with open(os.path.join(folder, "flow_framework.json"), "w", encoding="utf-8") as file:
        json.dump({"stamp": stamp, "content": content}, file)
    say("environment: installed in %.0f s" % (time.monotonic() - began))
    return content


def step(command: List[str], log: str, output: int) -> None:
    """Runs one step of the installation, its output in the log; raises a Problem with the end of it if it fails."""
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=pip_environment(), check=False)
    if result.returncode == 0:
        return
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read()
    told = "\n".join("    " + line for line in text.splitlines()[-12:])
    cause = ""
    if "after connection broken by" in text or "Could not fetch URL" in text:
        cause = (
            "\nThe package index cannot be reached. Is there a network? pip's own settings say which index "
            "and which proxy it uses (PIP_INDEX_URL, HTTPS_PROXY, PIP_CERT; `pip config list`)."
        )
    elif "No space left on device" in text:
        cause = "\nThe disk is full: about 250 MB are needed."
    raise Problem("Making the environment failed:\n%s%s\nThe whole output: %s" % (told, cause, log))


def pip_environment() -> Dict[str, str]:
    """The caller's variables, so that pip keeps its settings, but for those that would send packages elsewhere."""
    dropped = ("PIP_PREFIX", "PIP_ROOT", "PIP_TARGET", "PYTHONHOME", "PYTHONPATH")
    variables = {name: value for name, value in os.environ.items() if name not in dropped}
    variables["PIP_USER"] = "0"
    variables["PIP_ROOT_USER_ACTION"] = "ignore"
    return variables


# -- the collection, where Ansible looks for it ------------------------------------------------------------------------


def link_collection(base: str) -> str:
    """Makes the tree through which Ansible and Python find the checkout under its name; gives its path.

    The tests call this too, so that the tree is there whoever starts them.
    """
    tree = os.path.join(base, "collections")
    link = os.path.join(tree, COLLECTION)
    os.makedirs(os.path.dirname(link), exist_ok=True)
    if not (os.path.islink(link) and os.readlink(link) == ROOT):
        # By way of a new name, since another process may be at the same.
        with tempfile.TemporaryDirectory(dir=tree) as fresh:
            os.symlink(ROOT, os.path.join(fresh, "link"))
            os.replace(os.path.join(fresh, "link"), link)
    return tree


# -- running in it -----------------------------------------------------------------------------------------------------


def variables_for(base: str, folder: str, target: str) -> Dict[str, str]:
    """The environment variables of what is run; `target`: the Python of modules, or empty for that of the environment."""
    home = os.path.join(base, "home")
    ansible = os.path.join(home, ".ansible")
    os.makedirs(ansible, exist_ok=True)
    config = os.path.join(home, "ansible.cfg")
    with open(config, "a", encoding="utf-8"):
        pass
    variables = {name: value for name, value in os.environ.items() if name in KEPT or not DROPPED.match(name)}
    variables.update(
        PATH=os.pathsep.join([os.path.join(folder, "bin"), os.environ.get("PATH", os.defpath)]),
        VIRTUAL_ENV=folder,
        PYTHONDONTWRITEBYTECODE="1",
        HOME=home,
        XDG_CACHE_HOME=os.path.join(home, ".cache"),
        XDG_CONFIG_HOME=os.path.join(home, ".config"),
        HYPOTHESIS_STORAGE_DIRECTORY=os.path.join(home, "hypothesis"),
        ANSIBLE_COLLECTIONS_PATH=link_collection(base),
        # An empty file, or Ansible would read /etc/ansible/ansible.cfg.
        ANSIBLE_CONFIG=config,
        ANSIBLE_HOME=ansible,
        ANSIBLE_LOCAL_TEMP=os.path.join(ansible, "tmp"),
        # What modules run with, unless an inventory says otherwise.
        ANSIBLE_PYTHON_INTERPRETER=target or os.path.join(folder, "bin", "python"),
        ANSIBLE_REMOTE_TEMP=os.path.join(ansible, "tmp"),
    )
    # pytest's memory of the last failures; a checkout need not be writable.
    cache = "-o " + shlex.quote("cache_dir=" + os.path.join(home, "pytest"))
    variables["PYTEST_ADDOPTS"] = " ".join([cache, os.environ.get("PYTEST_ADDOPTS", "")]).strip()
    # The servers of the tests are on loopback, whatever proxy leads to the world.
    for name in ("no_proxy", "NO_PROXY"):
        variables[name] = ",".join(filter(None, [os.environ.get(name, ""), LOOPBACK]))
    if not is_utf8():
        variables["LC_ALL"] = utf8_locale()
    return variables


def target_python() -> str:
    """For the tests: the Python that modules have to run with, in plays and without."""
    return os.environ.get("ANSIBLE_PYTHON_INTERPRETER", sys.executable)


def is_utf8() -> bool:
    """Whether the locale of the caller is one that Ansible takes."""
    try:
        locale.setlocale(locale.LC_ALL, "")
        return (locale.getlocale()[1] or "").lower().replace("-", "") == "utf8"
    except (locale.Error, ValueError):
        return False


def utf8_locale() -> str:
    for name in ("C.UTF-8", "C.utf8", "en_US.UTF-8"):
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, name)
            return name
    raise Problem("Ansible needs a UTF-8 locale; neither C.UTF-8 nor en_US.UTF-8 is there. Install one, or set LC_ALL.")


def run(requirements: str, command: List[str], target: str = "", apart: bool = True) -> NoReturn:
    """Replaces this process by the command, in an environment that is made or renewed before if need be.

    `target`: the Python that modules run with, if it is not that of the environment.
    `apart`: with variables and a home of its own, and not with those of the caller.
    """
    if not os.path.isfile(os.path.join(REQUIREMENTS, requirements + ".txt")):
        raise Problem("There is no tests/requirements/%s.txt." % requirements)
    base = base_folder()
    suffix = "" if requirements == "test" else "-" + requirements
    folder = os.path.join(base, "py%d.%d%s" % (*sys.version_info[:2], suffix))
    stamp = wanted_stamp(folder, requirements)
    while True:
        # Whoever uses the environment holds a shared lock until the command ends: nobody renews it meanwhile.
        with locked(folder + ".lock", fcntl.LOCK_SH) as descriptor:
            content = installed(folder, stamp)
            if content and apart:
                say("environment: %s" % content)
                start(command, variables_for(base, folder, target), descriptor)
            elif content:
                start([os.path.join(folder, "bin", command[0]), *command[1:]], dict(os.environ), descriptor)
        with locked(folder + ".lock", fcntl.LOCK_EX):
            if not installed(folder, stamp):
                install(folder, requirements, stamp)


def start(command: List[str], variables: Dict[str, str], descriptor: int) -> NoReturn:
    program = shutil.which(command[0], path=variables["PATH"])
    if program is None:
        raise Problem("There is no command %s in the environment." % command[0])
    os.set_inheritable(descriptor, True)
    os.execve(program, command, variables)


def clean() -> None:
    """Removes what this file made, in both places, but no environment that is in use."""
    for base in (os.path.join(ROOT, ".venv"), private_folder()):
        if not os.path.isdir(base):
            continue
        if not os.access(base, os.W_OK):
            raise Problem("%s is not ours to remove." % base)
        for name in sorted(os.listdir(base)):
            if re.fullmatch(r"py3\.\d+(-[\w.-]+)?\.lock", name):
                with locked(os.path.join(base, name), fcntl.LOCK_EX):
                    folder = os.path.join(base, name[: -len(".lock")])
                    shutil.rmtree(folder, ignore_errors=True)
                    for path in (folder + ".log", folder + ".lock"):
                        with contextlib.suppress(FileNotFoundError):
                            os.remove(path)
        for name in ("collections", "home"):
            shutil.rmtree(os.path.join(base, name), ignore_errors=True)
        # Something else may be in there: then it stays.
        with contextlib.suppress(OSError):
            os.rmdir(base)


def parse(arguments: List[str]) -> Tuple[Dict[str, str], List[str]]:
    """(options of `run`, command); the command is taken as it is, with all its options."""
    options = {"requirements": "test", "target": ""}
    while len(arguments) > 1 and arguments[0] in ("--requirements", "--target"):
        options[arguments[0][2:]], arguments = arguments[1], arguments[2:]
    if not arguments or arguments[0].startswith("-"):
        raise Problem("usage: environment.py run [--requirements NAME] [--target PYTHON] COMMAND [ARGUMENT ...] | nox [ARGUMENT ...] | clean")
    return options, arguments


def main(arguments: List[str]) -> int:
    try:
        if arguments == ["clean"]:
            clean()
            return 0
        if arguments[:1] == ["nox"]:
            check_python("nox")
            run("nox", arguments, apart=False)
        if arguments[:1] != ["run"]:
            arguments = ["run"]
        options, command = parse(arguments[1:])
        check_python(options["requirements"])
        run(options["requirements"], command, options["target"])
    except Problem as problem:
        say("environment: %s" % problem)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
