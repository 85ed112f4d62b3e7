# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.demo [--opensearch]: plays the demo. The exit status is 1 if anything was not as said.

With ``--opensearch`` on a real cluster, in front of which only Flow Framework is simulated; 2 where Java or Maven is missing.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.opensearch import CannotRun, DidNotStart
from tests.opensearch import running as real_cluster
from tests.simulator import in_front, running

from . import screen
from .acts import CLUSTER, Demo
from .cast import DOCUMENTS, PUBLISHED, Environment, Stage, assistant, templates

VERSION = "3.6.0"
CLOCK = 0.25
"""Factor of the simulator's clock. 1 is the pace of the real server, and took 46 s where this took 25 s."""


def main() -> int:
    """Play everything; 0 if all of it was as said."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description="The demo")
    parser.add_argument("--opensearch", action="store_true", help="on a real OpenSearch; needs Java and Maven")
    real: bool = parser.parse_args().opensearch
    # Signs that a terminal does not know must not end the demo.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    began = time.monotonic()
    screen.heading(" opensearch_ops.flow_framework: environments torn down, as the server sees it")
    try:
        with tempfile.TemporaryDirectory(prefix="flow_framework-demo-") as folder, server(real) as simulator:
            demo = prepared(simulator, Path(folder), real)
            demo.play_all()
    except (CannotRun, DidNotStart) as problem:
        print(problem, file=sys.stderr)
        return 2
    return summary(demo, time.monotonic() - began)


@contextmanager
def server(real: bool) -> Iterator[Any]:
    """What the environments are on. Raises CannotRun, DidNotStart for a real one."""
    if not real:
        with running(version=VERSION, clock=CLOCK, cluster_name=CLUSTER) as simulator:
            screen.say(f"A simulated OpenSearch {VERSION} runs at {simulator.url}, four times as fast as the real one.")
            yield simulator
        return
    with real_cluster(VERSION) as cluster, in_front(cluster) as simulator:
        plugin = "with Flow Framework" if cluster.flow_framework else "behind a simulated Flow Framework"
        screen.say(f"A real OpenSearch {VERSION} runs at {cluster.url}, {plugin} at {simulator.url}.")
        yield simulator


def prepared(simulator: Any, folder: Path, real: bool) -> Demo:
    """The environments, provisioned from templates."""
    stage = Stage(simulator)
    large, small = Environment("pr-17"), Environment("pr-18")
    stage.provision(large, assistant(large.name))
    stage.provision(small, assistant(small.name))
    model_id = next(id_ for kind, id_ in large.resources if kind == "model")
    names = ["assistant.json"]
    for name, template in templates(large.name, model_id, published=PUBLISHED.is_dir() and not real, plain=real):
        stage.provision(large, template)
        names.append(name)
    origin = "the demo's own, and published ones of Flow Framework" if PUBLISHED.is_dir() and not real else "the demo's own"
    screen.say(f"Two environments have been provisioned from templates ({origin}), with {DOCUMENTS} documents an index:")
    screen.say(f"{large.name}: {len(large.resources)} resources of {', '.join(names)}", "  ")
    screen.say(f"{small.name}: {len(small.resources)} resources of assistant.json", "  ")
    screen.say()
    screen.say(
        "What follows is the output of ansible-playbook. The file of an environment names its workflows, and its"
        " indices and pipelines in allow_delete. After each act the demo compares what was said with what the server"
        " has. The cluster and these files end with the demo, so that its commands are to be read, not to be repeated; a"
        " report stays."
    )
    return Demo(stage, large, small, folder)


def summary(demo: Demo, seconds: float) -> int:
    """The last lines, and the exit status."""
    screen.heading(f" {demo.passed} checks held, {len(demo.failed)} did not ({seconds:.0f} s)")
    for text in demo.failed:
        screen.verdict(False, text)
    return 1 if demo.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
