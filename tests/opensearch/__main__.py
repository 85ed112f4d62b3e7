# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.opensearch --version 2.19.1``: a real cluster until it is told to stop, for a person to look around in."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time

from .cluster import Cluster, running
from .problems import CannotRun, DidNotStart


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.opensearch", description=__doc__)
    parser.add_argument("--version", default="3.6.0")
    parser.add_argument("--security", action="store_true", help="TLS and users; the password of each is its name")
    parser.add_argument("--nodes", type=int, default=1)
    return parser.parse_args(given)


def describe(cluster: Cluster) -> None:
    for url in cluster.urls:
        print(url)
    print(f"Flow Framework: {'the real plugin' if cluster.flow_framework else 'not installed'}")
    print(f"repository: {cluster.repository}")
    if cluster.security:
        print(f"ca_cert: {cluster.ca_cert}")
        print(f"users, each with its name as password: {', '.join(cluster.users)}")
        for name, (certificate, key) in cluster.client_certs.items():
            print(f"client certificate of {name}: {certificate} {key}")
    sys.stdout.flush()


def main() -> int:
    options = arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    began = time.monotonic()
    try:
        with running(options.version, options.security, options.nodes) as cluster:
            describe(cluster)
            print(f"ready in {time.monotonic() - began:.1f} s", flush=True)
            stop.wait()
    except (CannotRun, DidNotStart) as problem:
        print(f"opensearch: {problem}", file=sys.stderr)
        return 2 if isinstance(problem, CannotRun) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
