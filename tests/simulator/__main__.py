# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.simulator --version 3.6.0 --port 0``: a simulated cluster until it is told to stop.

With ``--opensearch`` only Flow Framework is simulated, in front of a real OpenSearch of that version (tests/opensearch).
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from .server import Simulator, in_front, running

LOOK_SECONDS = 1.0
"""How often it looks whether the process of ``--while`` is there."""


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--version", default="3.6.0", help="version of OpenSearch and Flow Framework")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; further nodes take the next ones")
    parser.add_argument("--clock", type=float, default=1.0, help="1: pauses of the real server; 0: none")
    parser.add_argument("--security", action="store_true", help="the security plugin; admin/admin and others")
    parser.add_argument("--tls", action="store_true", help="HTTPS with a CA of its own")
    parser.add_argument("--pool", type=int, help="maximum of the pool opensearch_deprovision_workflow")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--cluster-name", help="without it: simulator")
    parser.add_argument("--multi-tenancy", action="store_true", help="every request needs x-tenant-id")
    parser.add_argument(
        "--opensearch",
        action="store_true",
        help="everything but Flow Framework is a real OpenSearch, started from Maven artifacts (Java and Maven are needed)",
    )
    parser.add_argument("--write-url", type=Path, metavar="FILE", help="write the URLs there, one a line")
    parser.add_argument("--while", dest="process", type=int, metavar="PID", help="stop, too, when that process is gone")
    options = parser.parse_args(given)
    if options.opensearch and (options.tls or options.cluster_name):
        parser.error("--tls and --cluster-name are for a simulated cluster: a real one has TLS with --security, and a name of its own")
    return options


def simulated(options: argparse.Namespace) -> AbstractContextManager[Simulator]:
    return running(
        version=options.version,
        clock=options.clock,
        security=options.security,
        tls=options.tls,
        pool=options.pool,
        nodes=options.nodes,
        cluster_name=options.cluster_name or "simulator",
        multi_tenancy=options.multi_tenancy,
        host=options.host,
        port=options.port,
    )


@contextmanager
def behind(options: argparse.Namespace) -> Iterator[Simulator]:
    """In front of a real cluster, which ends with it. OSError where it does not start."""
    from tests.opensearch import CannotRun, DidNotStart
    from tests.opensearch import running as real_cluster  # for this only: it needs Java and Maven

    try:
        with (
            real_cluster(options.version, options.security, options.nodes) as real,
            in_front(real, options.clock, options.pool, options.multi_tenancy, options.host, options.port) as simulator,
        ):
            yield simulator
    except (CannotRun, DidNotStart) as problem:
        raise OSError(str(problem)) from None


def wait(stop: threading.Event, process: int | None) -> None:
    """Until it is told to stop, or that process is gone."""
    while not stop.wait(None if process is None else LOOK_SECONDS):
        if process is not None and not exists(process):
            return


def exists(process: int) -> bool:
    """Whether it runs: one that is dead and that nobody has waited for does not."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], stdout=subprocess.PIPE, text=True, check=False)
    return found.stdout.strip()[:1] not in ("", "Z")


def main() -> int:
    options = arguments()
    stop = threading.Event()
    try:
        context = behind(options) if options.opensearch else simulated(options)
        with context as simulator:
            # Not before: a start can take minutes, and can be broken off as that of any program.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
            for url in simulator.urls:
                print(url, flush=True)
            if simulator.ca_cert:
                print(f"ca_cert: {simulator.ca_cert}", flush=True)
            if simulator.client_cert:
                print(f"client_cert: {simulator.client_cert}", flush=True)
                print(f"client_key: {simulator.client_key}", flush=True)
            if options.write_url:
                partial = options.write_url.with_name(options.write_url.name + ".part")
                partial.write_text("".join(f"{url}\n" for url in simulator.urls))
                partial.replace(options.write_url)
            wait(stop, options.process)
    except (OSError, ValueError) as wrong:
        print(f"the simulator did not start: {wrong}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
