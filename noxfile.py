# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is checked or made from a checkout: one session each, with its commands.

    make NAME                                          needs Python 3.10 or newer and make
    python3 tests/environment.py nox -s NAME -- ARGS   the same without make
    nox -s NAME -- ARGS                                with a nox of your own

Each command runs in an environment of tests/environment.py, which is made when it is missing: with what
stands in tests/requirements, and apart from the settings and the home directory of whoever calls.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2026.4"
# The environments are those of tests/environment.py, which knows when one is outdated and when it is in use.
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "test"]

WORKERS = "4"
DOCS = Path("tests", "output", "docs")

# References in the documentation, to whatever collection, have to lead somewhere.
REFERENCES = ("--validate-collection-refs", "all", "--disallow-unknown-collection-refs")

# Of the tests that were written for the simulator, those that are about what becomes of real resources.
OPENSEARCH_TESTS = (
    "tests/opensearch/test_contract_with_security.py",
    "tests/opensearch/test_contract.py",
    "tests/molecule",
    "tests/opensearch",
    "tests/integration/test_allow_delete.py",
    "tests/integration/test_check_mode.py",
    "tests/integration/test_guards.py",
    "tests/integration/test_partial_failure.py",
    "tests/integration/test_second_run.py",
    "tests/real/test_delete_workflow.py",
    "tests/real/test_left_behind.py",
    "tests/real/test_partial_failure.py",
    "tests/real/test_shared.py",
    "tests/real/test_stale_records.py",
)


def run(session: nox.Session, *command: str, requirements: str = "test") -> None:
    """Run a command in the environment that tests/requirements/<requirements>.txt describes; its failure ends the session."""
    session.run(sys.executable, "tests/environment.py", "run", "--requirements", requirements, *command)


def pytest(session: nox.Session, *arguments: str) -> None:
    """Run tests. What the caller adds comes last, so that it wins; REQUIREMENTS names another client (client-2.8)."""
    run(session, "pytest", *arguments, *session.posargs, requirements=os.environ.get("REQUIREMENTS", "test"))


# -- see it ------------------------------------------------------------------------------------------------------------


@nox.session
def demo(session: nox.Session) -> None:
    """provision environments on a simulated server, and tear them down, with playbooks"""
    run(session, "python", "-m", "tests.demo", *session.posargs)


@nox.session(name="demo-opensearch")
def demo_opensearch(session: nox.Session) -> None:
    """the same on a real OpenSearch 3.6.0 (needs Java and Maven)"""
    run(session, "python", "-m", "tests.demo", "--opensearch", *session.posargs)


# -- test --------------------------------------------------------------------------------------------------------------


@nox.session
def test(session: nox.Session) -> None:
    """unit tests, contract, playbooks, a molecule scenario; ALL=1: everything, in some minutes more"""
    pytest(session, "-m", "not opensearch and not extended", "-n", WORKERS, "--dist", "loadfile", "--no-loadscope-reorder")


@nox.session(name="test-opensearch")
def test_opensearch(session: nox.Session) -> None:
    """on real OpenSearch 3.6.0 and 2.19.1, put together from Maven artifacts (needs Java and Maven)"""
    run(session, "python", "-m", "tests.opensearch", "--fetch")
    pytest(session, "-m", "opensearch", "--opensearch", "3.6.0", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", *OPENSEARCH_TESTS)


@nox.session
def unit(session: nox.Session) -> None:
    """the unit tests only"""
    pytest(session, "tests/unit")


@nox.session
def contract(session: nox.Session) -> None:
    """what any server must answer: the simulator, or a real one (URL= USER= PASSWORD= CA_CERT=)"""
    pytest(session, "tests/contract")


@nox.session
def matrix(session: nox.Session) -> None:
    """each supported ansible-core, with the oldest and newest Python and opensearch-py (ONLY=2.16,2.21 CI=1 PYTHONS=PATH)"""
    session.run(sys.executable, "-m", "tests.matrix", *session.posargs)


@nox.session
def molecule(session: nox.Session) -> None:
    """every molecule scenario"""
    pytest(session, "tests/molecule", "-n", WORKERS)


@nox.session
def campaign(session: nox.Session) -> None:
    """faults, kills and runs at once in generated worlds (N=1000 SEED=1 SECONDS=3600)"""
    run(session, "python", "-m", "tests.campaign", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """measured beside a loop of uri and bare HTTP (QUICK=1 ONLY= SIZES= RUNS= DOCS=1, URL= as for contract)"""
    run(session, "python", "-m", "tests.bench", *session.posargs, requirements="bench")


@nox.session
def coverage(session: nox.Session) -> None:
    """how much of the plugins unit tests and playbooks reach, modules and action plugins in their own processes included"""
    run(session, "python", "-m", "tests.covered", *session.posargs, requirements="coverage")


@nox.session
def mutation(session: nox.Session) -> None:
    """do the unit tests notice small changes to what decides? (ONLY=plan,slots WORKERS=1 FRESH=1)"""
    run(session, "python", "-m", "tests.mutation", *session.posargs, requirements="mutation")


# -- check -------------------------------------------------------------------------------------------------------------


@nox.session
def lint(session: nox.Session) -> None:
    """style, types, documentation (Python 3.11 or newer)"""
    for command in (
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("yamllint", "."),
        ("shellcheck", ".ci/run"),
        ("zizmor", "--offline", "--pedantic", ".github"),
        ("mypy", "-p", "ansible_collections.opensearch_ops.flow_framework.plugins", "-p", "tests"),
        ("ansible-lint", "--strict"),
        ("antsibull-changelog", "lint"),
        ("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--check-extra-docs-refs", *REFERENCES, "."),
    ):
        run(session, *command, requirements="lint")


@nox.session
def sanity(session: nox.Session) -> None:
    """ansible-test sanity, with every Python that is here (CORE=2.16 PYTHON=python3.10: of another ansible-core)"""
    core = os.environ.get("CORE")
    run(session, "python", "-m", "tests.checks.sanity", *session.posargs, requirements=f"core-{core}" if core else "test")


@nox.session
def licences(session: nox.Session) -> None:
    """every file says whose it is, as REUSE wants it"""
    run(session, "reuse", "lint", requirements="licences")


@nox.session
def importer(session: nox.Session) -> None:
    """the artifact as Galaxy and Automation Hub look at it (Python 3.11 or newer)"""
    run(session, "python", "-m", "tests.checks.notes", requirements="importer")
    run(session, "python", "-m", "tests.checks.importer", requirements="importer")


# -- make --------------------------------------------------------------------------------------------------------------


@nox.session
def docs(session: nox.Session) -> None:
    """the guides and the modules as pages, in tests/output/docs/html (Python 3.11 or newer)"""
    # What an earlier build left would be taken for a page of this one.
    shutil.rmtree(DOCS, ignore_errors=True)
    (DOCS / "rst").mkdir(parents=True)
    pages = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", f"{DOCS}/rst", "opensearch_ops.flow_framework")
    run(session, "antsibull-docs", "collection", *pages, requirements="docs")
    where = ("-c", "docs/docsite/sphinx", "-d", f"{DOCS}/doctrees", f"{DOCS}/rst", f"{DOCS}/html")
    run(session, "sphinx-build", "--fail-on-warning", "--keep-going", "--quiet", "-b", "html", *where, requirements="docs")
    session.log("The first page is %s", (DOCS / "html" / "index.html").resolve())


@nox.session
def changelog(session: nox.Session) -> None:
    """CHANGELOG.md and .rst for the version in galaxy.yml; takes changelogs/fragments/ in"""
    run(session, "antsibull-changelog", "release", "--update-existing", requirements="lint")


@nox.session
def build(session: nox.Session) -> None:
    """the artifact for Galaxy, in dist/"""
    run(session, "python", "-m", "tests.checks.notes")
    run(session, "ansible-galaxy", "collection", "build", "--force", "--output-path", "dist", *session.posargs)
