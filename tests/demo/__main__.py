# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.demo: plays the demo. The exit status is 1 if anything was not as said."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.simulator import running

from . import screen
from .acts import CLUSTER, Demo
from .cast import DOCUMENTS, PUBLISHED, Environment, Stage, assistant, templates

VERSION = "3.6.0"
CLOCK = 0.25
"""Factor of the simulator's clock. 1 is the pace of the real server, and took 46 s where this took 25 s."""


def main() -> int:
    """Play everything; 0 if all of it was as said."""
    # Signs that a terminal does not know must not end the demo.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    began = time.monotonic()
    screen.heading(" opensearch_ops.flow_framework: environments torn down, as the server sees it")
    server = running(version=VERSION, clock=CLOCK, cluster_name=CLUSTER)
    with tempfile.TemporaryDirectory(prefix="flow_framework-demo-") as folder, server as simulator:
        demo = prepared(simulator, Path(folder))
        demo.play_all()
    return summary(demo, time.monotonic() - began)


def prepared(simulator: Any, folder: Path) -> Demo:
    """The environments, provisioned from templates."""
    stage = Stage(simulator)
    large, small = Environment("pr-17"), Environment("pr-18")
    screen.say(f"A simulated OpenSearch {VERSION} runs at {simulator.url}, four times as fast as the real one.")
    stage.provision(large, assistant(large.name))
    stage.provision(small, assistant(small.name))
    model_id = next(id_ for kind, id_ in large.resources if kind == "model")
    names = ["assistant.json"]
    for name, template in templates(large.name, model_id):
        stage.provision(large, template)
        names.append(name)
    origin = "the demo's own, and published ones of Flow Framework" if PUBLISHED.is_dir() else "the demo's own"
    screen.say(
        f"Two environments have been provisioned from templates ({origin}), with {DOCUMENTS} documents an index:"
    )
    screen.say(f"{large.name}: {len(large.resources)} resources of {', '.join(names)}", "  ")
    screen.say(f"{small.name}: {len(small.resources)} resources of assistant.json", "  ")
    screen.say()
    screen.say(
        "What follows is the output of ansible-playbook. The file of an environment names its workflows, and its"
        " indices and pipelines in allow_delete. After each act the demo compares what was said with what the server"
        " has."
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
