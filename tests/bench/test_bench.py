# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark runs through, has every row, and its counts are right. Times prove nothing here: the clock stands still."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import pytest

from tests.bench import __main__ as bench
from tests.bench import clusters, report, scenarios, ways
from tests.bench.report import Row, Section, Wish

OPTIONS = scenarios.Options(workflows=2, sizes=(2,), runs=1, processes=2, each=1, starts=1, clock=0.0)
WAYS = (scenarios.DEFAULT, scenarios.LOOP, scenarios.bare(2))  # one of each kind: a play takes seconds of the processor


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Section]]:
    """The whole benchmark, small, by its titles."""
    folder = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ways, "empty_play", lambda: ways.Took(0.0))  # a third of the plays: what they take is not looked at here
        every = scenarios.ways_of
        patch.setattr(scenarios, "ways_of", lambda options, most: {name: way for name, way in every(options, most).items() if name in WAYS})
        found = {section.title: section for section in bench.run(OPTIONS, list(scenarios.SCENARIOS), folder)}
    text = (folder / "figures.md").read_text(encoding="utf-8")
    assert "of 3 pipelines, torn down: **" in text and "instead of" in text
    assert all(title in text and row.what in text for title, section in found.items() for row in section.rows)
    yield found


@pytest.mark.slow
@pytest.mark.extended
def test_every_way_of_tearing_down_is_measured_and_counted(sections: dict[str, Section]) -> None:
    torn, again = sections["2 workflows of 3 pipelines, torn down"], sections["2 workflows of 3 pipelines, nothing left"]
    assert [row.what for row in torn.rows] == [row.what for row in again.rows] == list(WAYS)
    assert requests(torn, scenarios.LOOP) == 4, "a look and a deprovision for each of two workflows"
    assert requests(again, scenarios.LOOP) == 4, "the same, whatever is left"
    assert requests(torn, scenarios.bare(2)) == requests(again, scenarios.bare(2)) == 2
    assert requests(torn, scenarios.DEFAULT) > requests(again, scenarios.DEFAULT) > 2
    assert all(row.at_once and row.at_once < 4 for row in torn.rows)
    assert all(row.at_once is None for row in again.rows if row.what == scenarios.DEFAULT), "nothing was sent"
    assert all((row.memory or 0) > 10 for row in torn.rows if row.what != scenarios.bare(2)), "MB of a Python process"


@pytest.mark.slow
@pytest.mark.extended
def test_nodes_and_processes_at_once_are_measured(sections: dict[str, Section]) -> None:
    nodes = sections["2 workflows of 3 pipelines, over the nodes"]
    crowd = sections["2 processes at once, 1 workflows each"]
    assert [row.what for row in nodes.rows] == ["1 node", "3 nodes"] and all(row.requests for row in nodes.rows)
    assert [row.what for row in crowd.rows] == ["by default", "concurrency: 3"]
    assert requests(crowd, "by default") > 6
    assert crowd.wishes[0].met, crowd.wishes[0]


@pytest.mark.slow
@pytest.mark.extended
def test_looking_is_measured(sections: dict[str, Section]) -> None:
    looking = sections["Looking at workflows of five resources, all there"]
    assert [row.what for row in looking.rows] == [f"{name}, 2" for name in (scenarios.CHECK, scenarios.INFO, scenarios.STATUS)]
    assert requests(looking, f"{scenarios.STATUS}, 2") == 2
    for name in (scenarios.CHECK, scenarios.INFO):
        assert [number for number, _value in looking.curves[name]] == [2]
        assert requests(looking, f"{name}, 2") > 0
    assert "of 188 bytes" in looking.wishes[0].wanted
    assert len(looking.wishes) == 3 and all(wish.met is not None for wish in looking.wishes)


def test_a_size_that_would_take_too_long_is_left_out_and_a_loop_is_measured_once() -> None:
    section, counted = Section("looking"), clusters.Counts(7, 0, 0, 0.1, 0)
    cluster = mock.Mock(**{"counts.return_value": counted})

    def row(name: str, size: int, seconds: float) -> Row:
        return scenarios.look_row(scenarios.Options(limit=100.0, runs=1), section, cluster, name, size, lambda: ways.Took(seconds))

    section.rows = [row(scenarios.CHECK, 10, 4.0), row(scenarios.CHECK, 100, 60.0), row(scenarios.CHECK, 1000, 60.0)]
    assert [one.seconds for one in section.rows] == [4.0, 60.0, None]
    assert "100 took 60 s" in section.rows[2].note
    section.rows += [row(scenarios.STATUS, 10, 1.0), row(scenarios.STATUS, 100, 1.0)]
    assert [one.seconds for one in section.rows[3:]] == [1.0, None]
    (wish, _other) = scenarios.growth(section, scenarios.Options(sizes=(10, 100)))
    assert (wish.figure, wish.met) == ("15.00 times", False)
    (few,) = scenarios.few_requests(section, {100: 7000})
    assert few.met and few.wanted.startswith("at most 22 ") and few.figure == "7"


@pytest.mark.slow
@pytest.mark.extended
def test_what_starting_takes_is_measured(sections: dict[str, Section]) -> None:
    start = sections["Starting a module, as a process of its own"]
    assert len(start.rows) == 5 and all((row.seconds or 0) > 0 for row in start.rows)


def requests(section: Section, what: str) -> int:
    """The requests of a row that was measured."""
    row = section.row(what)
    assert row is not None and row.requests is not None, what
    return row.requests


def test_a_play_that_does_not_do_what_is_measured_is_no_measurement() -> None:
    with OPTIONS.cluster() as cluster:
        made = cluster.pipelines(1, 1)
        with pytest.raises(ways.Failed, match="assert"):
            ways.by_module(cluster, made, "deleted", 2)
        with pytest.raises(ways.Failed, match="left"):
            cluster.pipelines(1, 1)
            scenarios.check_gone(cluster.counts())


def test_bare_calls_never_fill_the_pool() -> None:
    """As many calls as the pool has threads hang a node until it is restarted."""
    for most, numbers in ((2, {1}), (3, {1}), (4, {2, 3}), (6, {4, 3})):
        ways_there = scenarios.ways_of(OPTIONS, most)
        assert {name for name, way in ways_there.items() if way and name.startswith("bare")} == set(map(scenarios.bare, numbers))
        assert (ways_there[scenarios.RAISED_TASK] is None) == (most <= 3)
    with clusters.simulated(version="3.6.0", clock=0.0, pool=1) as cluster, pytest.raises(clusters.CannotMeasure, match="one thread"):
        clusters.pool_maximum(cluster)


def test_a_real_server_provisions_again_for_each_way_and_is_left_as_it_was() -> None:
    """Any server by URL: here a simulated one, which is only asked what a real one can be asked."""
    with OPTIONS.cluster() as cluster:
        real = clusters.Real(cluster.urls[0], None, None, None, False)
        made = real.pipelines(2, 3)
        assert len({id_ for one in made for _kind, id_ in one.resources}) == 6
        assert counts(cluster).left == 6
        ways.by_http(real, made, 2, there=True)
        assert counts(cluster).left == 0
        assert real.pipelines(2, 3) == made and counts(cluster).left == 6
        assert real.counts() is None
        real.take_away()
        assert counts(cluster).left == 0
        statuses = {real.client.send("GET", f"{clusters.WORKFLOW}/{one.workflow_id}/_status").status for one in made}
        assert statuses == {404}


def counts(cluster: clusters.Cluster) -> clusters.Counts:
    found = cluster.counts()
    assert found is not None
    return found


def test_an_estate_of_thousands_is_loaded_in_one_go_and_all_of_it_is_there() -> None:
    with OPTIONS.cluster() as cluster:
        made = cluster.estate(2000)
        assert len({one.workflow_id for one in made}) == 2000
        assert counts(cluster).left == 10_000
        assert counts(cluster).requests == 0


def test_the_time_of_an_import_is_that_of_its_outermost_entries() -> None:
    log = "\n".join(
        (
            "import time: self [us] | cumulative | imported package",
            "import time:       100 |        100 |     opensearchpy.inner",
            "import time:        10 |         10 |     other",
            "import time:       200 |        310 |   opensearchpy",
            "import time:         5 |        315 | module",
            "import time:        40 |         40 | opensearchpy.late",
        )
    )
    assert ways.import_time(log, "opensearchpy") == pytest.approx(350e-6)
    assert ways.import_time(log, "module") == pytest.approx(315e-6)
    assert ways.import_time(log, "missing") == 0


def test_the_middle_run_counts_and_the_worst_of_all_is_shown() -> None:
    runs = [
        (ways.Took(3.0, 50.0), clusters.Counts(30, 1, 2, 0.1, 0)),
        (ways.Took(1.0, 90.0), clusters.Counts(10, 1, 3, 0.1, 0)),
        (ways.Took(2.0, 60.0), clusters.Counts(20, 1, 1, 0.1, 0)),
    ]
    row = scenarios.Measured.of(runs).row("it")
    assert (row.seconds, row.requests, row.at_once, row.memory) == (2.0, 20, 3, 90.0)


@pytest.mark.parametrize(
    ("wish", "met"),
    [
        (report.wish_at_least("a", 3.0, 3, ""), True),
        (report.wish_at_least("a", 2.99, 3, ""), False),
        (report.wish_at_most("a", 1.26, 1.25, ""), False),
        (report.wish_at_most("a", 1.25, 1.25, ""), True),
        (report.wish_at_most("a", None, 1.25, "no such option"), None),
    ],
)
def test_a_wish_is_met_or_not_or_was_not_measured(wish: Wish, met: bool | None) -> None:
    assert wish.met is met
    assert wish.cells()[-1] == {True: "met", False: "not met", None: "not measured"}[met]


def test_the_figures_go_between_the_marks_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    report.into_page(page, "new\n")
    assert page.read_text(encoding="utf-8") == f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n"
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="marks"):
        report.into_page(page, "new\n")


def test_the_page_of_the_project_has_the_marks() -> None:
    text = bench.PAGE.read_text(encoding="utf-8")
    assert text.count(report.BEGIN) == text.count(report.END) == 1


def test_the_picture_shows_bars_and_lines(tmp_path: Path) -> None:
    bars = Section("torn down", [Row("ours", 1.5), Row("a loop", 4.0), Row("none", note="not measured")], bars=True)
    lines = Section("looking", curves={"check mode": [(10, 1.0), (100, 2.0)]})
    file = tmp_path / "picture.svg"
    if find_spec("matplotlib") is None:  # `make bench` has it, `make test` need not
        assert not report.draw([bars, lines], file) and not file.exists()
        return
    assert report.draw([bars, lines], file)
    assert file.read_text(encoding="utf-8").startswith("<?xml")
    assert not report.draw([Section("nothing")], file)
