# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.simulator --version 3.6.0 --port 0``: a simulated cluster until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from .server import running


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
    parser.add_argument("--cluster-name", default="simulator")
    parser.add_argument("--multi-tenancy", action="store_true", help="every request needs x-tenant-id")
    parser.add_argument("--write-url", type=Path, metavar="FILE", help="write the URLs there, one a line")
    return parser.parse_args(given)


def main() -> int:
    options = arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        context = running(
            version=options.version,
            clock=options.clock,
            security=options.security,
            tls=options.tls,
            pool=options.pool,
            nodes=options.nodes,
            cluster_name=options.cluster_name,
            multi_tenancy=options.multi_tenancy,
            host=options.host,
            port=options.port,
        )
        with context as simulator:
            for url in simulator.urls:
                print(url, flush=True)
            if options.tls:
                print(f"ca_cert: {simulator.ca_cert}", flush=True)
                print(f"client_cert: {simulator.client_cert}", flush=True)
                print(f"client_key: {simulator.client_key}", flush=True)
            if options.write_url:
                partial = options.write_url.with_name(options.write_url.name + ".part")
                partial.write_text("".join(f"{url}\n" for url in simulator.urls))
                partial.replace(options.write_url)
            stop.wait()
    except (OSError, ValueError) as wrong:
        print(f"the simulator did not start: {wrong}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
