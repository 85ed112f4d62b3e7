# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured: tearing down, nodes, processes at once, looking, starting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from . import ways
from .clusters import CannotMeasure, Cluster, Counts, Environment, Real, pool_maximum, simulated
from .report import Row, Section, Wish, quotient, wish_at_least, wish_at_most
from .ways import Failed, Took, by_http, by_info, by_module, by_processes, by_uri, median_of

RAISED = 3  # calls at once, where more than the default is asked for: the pool of a small node has four threads
ONLY_SIMULATED = "only on the simulator"

DEFAULT = "one task of this collection"
RAISED_TASK = f"one task of this collection, concurrency: {RAISED}"
LOOP = "a loop of ansible.builtin.uri"
LOOP_CAREFUL = "the loop, deprovisioning only what records anything"
CHECK, INFO, STATUS = "check mode", "workflow_info", "a loop of ansible.builtin.uri, status only"

Way = Callable[[Cluster, Sequence[Environment], bool], Took]
Run = tuple[Took, "Counts | None"]


@dataclass(frozen=True)
class Options:
    """What is measured, and on what. ``limit``: seconds that one measurement may be expected to take."""

    workflows: int = 24
    pipelines: int = 3
    sizes: tuple[int, ...] = (100, 1000, 10000)
    runs: int = 3
    processes: int = 10  # at once
    each: int = 3  # workflows of each of them
    starts: int = 9  # of a module's process
    version: str = "3.6.0"
    clock: float = 1.0
    limit: float = 600.0
    real: Real | None = None

    def cluster(self, nodes: int = 1) -> AbstractContextManager[Cluster]:
        """A new simulated cluster, or the real one."""
        if self.real is None:
            return simulated(version=self.version, clock=self.clock, nodes=nodes)
        if nodes > 1:
            raise CannotMeasure("only on the simulator: one URL is one node")
        return given(self.real)


@contextmanager
def given(real: Real) -> Iterator[Cluster]:
    """The real server, which is there before and after."""
    yield real


@dataclass(frozen=True)
class Measured:
    """The run with the middle time of several; the most calls at once and the most memory are those of all of them."""

    took: Took
    counts: Counts | None
    at_once: int | None
    memory: float | None

    @staticmethod
    def of(runs: Sequence[Run]) -> Measured:
        took, counts = sorted(runs, key=lambda run: run[0].seconds)[len(runs) // 2]
        at_once = [counts.in_flight for _other, counts in runs if counts is not None and counts.deprovisions]
        memory = [took.memory for took, _other in runs if took.memory is not None]
        return Measured(took, counts, max(at_once, default=None), max(memory, default=None))

    def row(self, what: str) -> Row:
        """As a row of a table."""
        return Row(
            what,
            self.took.seconds,
            "",
            self.counts.requests if self.counts else None,
            self.at_once,
            self.memory,
            self.took.processor,
            self.counts.processor if self.counts else None,
        )


# -- tearing down ------------------------------------------------------------------------------------------------------


def deprovision(options: Options) -> list[Section]:
    """The workflows torn down in every way, and the same again when there is nothing left."""
    with options.cluster() as cluster:
        most = pool_maximum(cluster)
    safe = max(1, most - 2)
    numbers = f"{options.workflows} workflows of {options.pipelines} pipelines"
    first = Section(f"{numbers}, torn down", bars=True)
    again = Section(f"{numbers}, nothing left", bars=True)
    for what, way in ways_of(options, most).items():
        if way is None:
            for section in (first, again):
                section.rows.append(Row(what, note=f"not measured: {RAISED} of {most} threads would hang the node"))
            continue
        for section, measured in zip((first, again), both_times(options, way, what in (DEFAULT, RAISED_TASK)), strict=True):
            section.rows.append(measured.row(what))
    for section in (first, again):
        section.rows = [with_speed(row, quotient(section.row(LOOP), row), "the loop") for row in section.rows]
    first.wishes = [
        wish_at_least("tearing down, against the loop", quotient(first.row(LOOP), first.row(DEFAULT)), 3, "not measured"),
        wish_at_least(f"tearing down with concurrency: {RAISED}, against the loop", quotient(first.row(LOOP), first.row(RAISED_TASK)), 4, "not measured"),
        wish_at_most("tearing down, time against bare HTTP", quotient(first.row(DEFAULT), first.row(bare(safe))), 1.25, "not measured"),
        wish_at_most(f"with concurrency: {RAISED}, time against bare HTTP", quotient(first.row(RAISED_TASK), first.row(bare(RAISED))), 1.25, "not measured"),
    ]
    again.wishes = [wish_at_least("nothing left, against the loop", quotient(again.row(LOOP), again.row(DEFAULT)), 15, "not measured")]
    return [first, again]


def ways_of(options: Options, most: int) -> dict[str, Way | None]:
    """The ways of tearing down, by their names in the table; None for one that the module does not have, or the pool not bear.

    ``most``: the maximum of the pool. As many calls at once would hang the node until it is restarted.
    """
    safe = max(1, most - 2)
    number = options.workflows * options.pipelines

    def module(concurrency: int | None) -> Way:
        return lambda cluster, made, there: by_module(cluster, made, "deleted", number if there else 0, concurrency)

    def http(at_once: int) -> Way:
        return lambda cluster, made, there: by_http(cluster, made, at_once, there)

    return {
        DEFAULT: module(None),
        RAISED_TASK: module(RAISED) if most > RAISED else None,
        LOOP: lambda cluster, made, there: by_uri(cluster, made),
        LOOP_CAREFUL: lambda cluster, made, there: by_uri(cluster, made, careful=True),
        bare(safe): http(safe),
        bare(RAISED): http(RAISED) if most > RAISED else None,
    }


def bare(at_once: int) -> str:
    """The name of bare calls in the table."""
    return f"bare HTTP, {at_once} at once"


def both_times(options: Options, way: Way, quiet: bool) -> tuple[Measured, Measured]:
    """One way, with everything there and with nothing left. ``quiet``: it may send nothing then."""
    runs = [both_once(options, way, quiet) for _number in range(options.runs)]
    return Measured.of([run[0] for run in runs]), Measured.of([run[1] for run in runs])


def both_once(options: Options, way: Way, quiet: bool) -> tuple[Run, Run]:
    """One run of both, on a cluster of its own."""
    with options.cluster() as cluster:
        made = cluster.pipelines(options.workflows, options.pipelines)
        first = counted(cluster, lambda: way(cluster, made, True))
        check_gone(first[1])
        again = counted(cluster, lambda: way(cluster, made, False))
        if quiet:
            check_quiet(again[1])
        return first, again


def counted(cluster: Cluster, work: Callable[[], Took]) -> Run:
    """One run, and what the cluster saw of it."""
    cluster.clear()
    took = work()
    return took, cluster.counts()


def check_gone(counts: Counts | None) -> None:
    """What is measured has to have been done."""
    if counts is not None and counts.left:
        raise Failed(f"{counts.left} resources are left")


def check_quiet(counts: Counts | None) -> None:
    """Where nothing is left, nothing may be sent."""
    if counts is not None and counts.deprovisions:
        raise Failed(f"{counts.deprovisions} deprovisions were sent although nothing was left")


def with_speed(row: Row, ratio: float | None, of: str) -> Row:
    """The row with how many times as fast it is."""
    return row if ratio is None else replace(row, speed=f"{ratio:.1f} × {of}")


# -- nodes, and processes at once --------------------------------------------------------------------------------------


def nodes(options: Options) -> list[Section]:
    """The same workflows over one node and over three."""
    section = Section(f"{options.workflows} workflows of {options.pipelines} pipelines, over the nodes")
    for count, name in ((1, "1 node"), (3, "3 nodes")):
        try:
            runs = [over_nodes(options, count) for _number in range(options.runs)]
            section.rows.append(Measured.of(runs).row(name))
        except CannotMeasure as why:
            section.rows.append(Row(name, note=f"not measured: {why}"))
    one, three = section.row("1 node"), section.row("3 nodes")
    section.rows = [with_speed(row, quotient(one, row), "one node") for row in section.rows]
    section.wishes = [wish_at_least("throughput of three nodes against one", quotient(one, three), 2.5, ONLY_SIMULATED)]
    return [section]


def over_nodes(options: Options, count: int) -> Run:
    """One task over all workflows on a cluster of so many nodes."""
    with options.cluster(nodes=count) as cluster:
        made = cluster.pipelines(options.workflows, options.pipelines)
        run = counted(cluster, lambda: by_module(cluster, made, "deleted", options.workflows * options.pipelines))
        check_gone(run[1])
        return run


def crowd(options: Options) -> list[Section]:
    """Many module processes at once: what they send together must never fill the pool of a node."""
    section = Section(f"{options.processes} processes at once, {options.each} workflows each")
    for name, concurrency in (("by default", None), (f"concurrency: {RAISED}", RAISED)):
        what = f"{options.processes} processes, {name}: calls on a node"
        if options.real:
            section.rows.append(Row(name, note=f"not measured: {ONLY_SIMULATED}"))
            section.wishes.append(Wish(what, "below the pool's maximum", ONLY_SIMULATED, None))
            continue
        measured, most = at_once(options, concurrency)
        section.rows.append(measured.row(name))
        seen = measured.at_once or 0
        section.wishes.append(Wish(what, f"below {most}, the pool's maximum", f"{seen} at most", 0 < seen < most))
    return [section]


def at_once(options: Options, concurrency: int | None) -> tuple[Measured, int]:
    """The processes on a cluster of their own, and the maximum of its pool."""
    with options.cluster() as cluster:
        most = pool_maximum(cluster)
        made = cluster.pipelines(options.processes * options.each, options.pipelines)
        shares = [made[number :: options.processes] for number in range(options.processes)]
        run = counted(cluster, lambda: by_processes(cluster, shares, concurrency))
        check_gone(run[1])
        return Measured.of([run]), most


# -- looking -----------------------------------------------------------------------------------------------------------


def read(options: Options) -> list[Section]:
    """Check mode and workflow_info over estates of several sizes, all there."""
    section = Section("Looking at workflows of five resources, all there")
    bytes_of = {size: look_at(options, section, size) for size in options.sizes}
    section.wishes = [*few_requests(section, bytes_of), *growth(section, options), *memory(section, options)]
    return [section]


def look_at(options: Options, section: Section, size: int) -> int:
    """One size: a row for each way to look. Returns the bytes of all the resources' names."""
    try:
        with options.cluster() as cluster:
            made = cluster.estate(size)
            looks: dict[str, Callable[[], Took]] = {
                CHECK: lambda: by_module(cluster, made, "would_delete", 5 * size, check=True),
                INFO: lambda: by_info(cluster, made),
                STATUS: lambda: by_uri(cluster, made, only_status=True),
            }
            for name, look in looks.items():
                section.rows.append(look_row(options, section, cluster, name, size, look))
            return sum(len(id_) for one in made for _kind, id_ in one.resources)
    except CannotMeasure as why:
        section.rows += [Row(f"{name}, {size:,}", note=f"not measured: {why}") for name in (CHECK, INFO, STATUS)]
        return 0


def look_row(options: Options, section: Section, cluster: Cluster, name: str, size: int, look: Callable[[], Took]) -> Row:
    """One look measured; or not, where the size before lets it be too long. A long one is not repeated."""
    what, points = f"{name}, {size:,}", section.curves.setdefault(name, [])
    limit = 0.0 if name == STATUS else options.limit  # a loop is measured once: its time grows with the number
    if points and points[-1][1] * size / points[-1][0] > limit:
        return Row(what, note=f"not measured: {points[-1][0]:,} took {points[-1][1]:.0f} s")
    runs = [counted(cluster, look)]
    while len(runs) < options.runs and runs[0][0].seconds < options.limit / 20:
        runs.append(counted(cluster, look))
    row = Measured.of(runs).row(what)
    points.append((size, row.seconds or 0.0))
    return row


def few_requests(section: Section, bytes_of: dict[int, int]) -> list[Wish]:
    """At most twenty requests, and one for each 3,500 bytes of the resources' names."""
    wishes = []
    for size, names in bytes_of.items():
        row = section.row(f"{CHECK}, {size:,}")
        if row is None or row.requests is None:
            wishes.append(Wish(f"check mode over {size:,}: requests", "few", "not measured", None))
            continue
        allowed = 20 + names // 3500
        wanted = f"at most {allowed:,} (20, and one for each 3,500 of {names:,} bytes)"
        wishes.append(Wish(f"check mode over {size:,}: requests", wanted, f"{row.requests:,}", row.requests <= allowed))
    return wishes


def growth(section: Section, options: Options) -> list[Wish]:
    """From the last size but one to the last, time grows no more than the number."""
    if len(options.sizes) < 2:
        return []
    small, large = options.sizes[-2:]
    return [
        wish_at_most(
            f"{name} from {small:,} to {large:,}: time",
            quotient(section.row(f"{name}, {large:,}"), section.row(f"{name}, {small:,}")),
            large / small,
            "not measured",
        )
        for name in (CHECK, INFO)
    ]


def memory(section: Section, options: Options) -> list[Wish]:
    """The largest estate fits into little memory."""
    largest = max(options.sizes)
    rows = {name: section.row(f"{name}, {largest:,}") for name in (CHECK, INFO)}
    return [
        wish_at_most(f"{name} over {largest:,}: peak memory of the module", row.memory if row else None, 250, "not measured", " MB")
        for name, row in rows.items()
    ]


# -- starting ----------------------------------------------------------------------------------------------------------


def start(options: Options) -> list[Section]:
    """From the start of a module's process to its first request, and what of that are imports."""
    section = Section("Starting a module, as a process of its own")
    runs = options.starts
    section.rows.append(Row("Python starting and ending", median_of(runs, ways.python_alone)))
    for module in ("workflow_deprovision", "workflow_info"):
        seconds = median_of(runs, partial(ways.until_first_request, module))
        section.rows.append(Row(f"{module}: from its start to the first request", seconds))
    packages = ("ansible.module_utils.basic", "opensearchpy")
    imports = [ways.import_seconds("workflow_deprovision", *packages) for _number in range(runs)]
    for package, times in zip(packages, zip(*imports, strict=True), strict=True):
        section.rows.append(Row(f"of that, importing {package}", sorted(times)[runs // 2]))
    return [section]


# -- all of them -------------------------------------------------------------------------------------------------------

SCENARIOS = ("deprovision", "nodes", "crowd", "read", "start")


def measure(options: Options, only: Sequence[str]) -> Iterator[Section]:
    """Each scenario in turn."""
    of_name = {"deprovision": deprovision, "nodes": nodes, "crowd": crowd, "read": read, "start": start}
    for name in only:
        yield from of_name[name](options)
