# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.opensearch --version 2.19.1 --security``: a real cluster until it is told to stop, to look around in."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from . import java
from .account import account
from .cluster import Cluster, running
from .installation import Installation, installed
from .problems import CannotRun, DidNotStart, say
from .releases import RELEASES, Release, release


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.opensearch", description=__doc__)
    parser.add_argument("--version", help=f"{' or '.join(RELEASES)}; without it the newest, or, with --fetch, all of them")
    parser.add_argument("--security", action="store_true", help="TLS, client certificates and users")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--fetch", action="store_true", help="only fetch and unpack what it is made of")
    return parser.parse_args(given)


def main() -> int:
    options = arguments()
    try:
        if options.fetch:
            fetch(options.version)
        else:
            run(options.version or list(RELEASES)[-1], options.security, options.nodes)
    except (CannotRun, DidNotStart) as problem:
        say(str(problem))
        return 2 if isinstance(problem, CannotRun) else 1
    return 0


def fetch(version: str | None) -> None:
    for one in [release(version)] if version else RELEASES.values():
        for security in (False, True) if one.security else (False,):
            print(installation(one, security).home, flush=True)


def installation(wanted: Release, security: bool) -> Installation:
    user = account()
    return installed(wanted, security, java.find(*wanted.java, user), user)


def run(version: str, security: bool, nodes: int) -> None:
    stop = threading.Event()
    with running(version, security, nodes) as cluster:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        describe(cluster)
        stop.wait()


def describe(cluster: Cluster) -> None:
    """The URLs first, one a line."""
    for url in cluster.urls:
        print(url)
    print(f"flow_framework: {'installed' if cluster.flow_framework else 'not installed'}")
    print(f"repository: {cluster.repository}")
    if cluster.security:
        print(f"ca_cert: {cluster.ca_cert}")
        print(f"users: {', '.join(cluster.users)} (the password is the name)")
        for name, (certificate, key) in cluster.client_certs.items():
            print(f"client_cert of {name}: {certificate}, its key: {key}")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
