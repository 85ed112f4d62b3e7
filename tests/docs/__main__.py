# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.docs PAGE...: plays pages and shows what each block prints, for who writes them. 1 if something is not as they say."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from .pages import blocks
from .play import Player
from .worlds import cluster


def main(paths: list[str]) -> int:
    """Play the pages to their ends, whatever goes wrong."""
    wrong = 0
    for path in map(Path, paths):
        with cluster(path.name) as its_cluster, tempfile.TemporaryDirectory() as folder:
            player = Player(its_cluster, Path(folder))
            for block in blocks(path):
                print(f"\n===== {block.place} {dict(block.marks) or ''}\n{block.text}-----", flush=True)
                before = player.output
                try:
                    player.play(block)
                except AssertionError as difference:
                    wrong += 1
                    print(f"!!!!! {difference}")
                else:
                    print(player.example(player.output) if player.output is not before else "(nothing is run)")
    return min(wrong, 1)


if __name__ == "__main__":
    import conftest  # noqa: F401  (the collection under its name)

    sys.exit(main(sys.argv[1:]))
