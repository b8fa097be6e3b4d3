"""A complete run of the benchmark, from the data to the results."""

import asyncio
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from atelier.local.postgres.embedded import Embedded
from bench import machine, memory, systems, tools
from bench.check import average_page_size, check_same_responses
from bench.data import SCALE_DOWN, Catalogue, catalogue
from bench.database_memory import enlarge, warm
from bench.experiments import beside_large, growth, hot, open_loop, ramp, saturation, transfer
from bench.home import BenchHome
from bench.load import Generator
from bench.plan import INSTANCES, Plan
from bench.report import SEARCH, keep
from bench.results import Results, save
from bench.search import measure_search
from bench.stage import Stage
from bench.systems import OURS, Running

PARTS = ("saturation", "open-loop", "hot", "large", "growth", "ramp", "search", "transfer")
_WITHOUT_SYSTEMS = {"search", "transfer"}

Log = Callable[[str], None]


def measure(plan: Plan, parts: Collection[str], log: Log, unfinished: Path) -> Results:
    """Run the given parts; raise AtelierError if a requirement is missing.

    If a part fails, the results so far are written to the file `unfinished`.
    """
    start = time.monotonic()
    with stage_for(plan, log) as stage:
        try:
            _measure(stage, parts)
        except BaseException:
            save(stage.results, unfinished)
            raise
        stage.results.minutes = round((time.monotonic() - start) / 60, 1)
        return stage.results


def _measure(stage: Stage, parts: Collection[str]) -> None:
    if set(parts) - _WITHOUT_SYSTEMS:
        _on_systems(stage, parts)
    if "search" in parts:
        keep(measure_search(stage.embedded, stage.log), SEARCH)
    if "transfer" in parts:
        transfer.measure(stage)


@contextmanager
def stage_for(
    plan: Plan, log: Log, set_memory: Callable[[Embedded], None] = enlarge
) -> Iterator[Stage]:
    """Start PostgreSQL, load the data if necessary; stop it when the context ends.

    `set_memory` is called before PostgreSQL starts.
    """
    home = BenchHome.open()
    with home.lock():
        yield from _stage(home, plan, log, set_memory)


@contextmanager
def embedded() -> Iterator[Embedded]:
    """Start the benchmark's PostgreSQL; stop it when the context ends."""
    home = BenchHome.open()
    postgres = Embedded.open(home.postgresql)
    with home.lock(), postgres.used():
        yield postgres


def _stage(
    home: BenchHome, plan: Plan, log: Log, set_memory: Callable[[Embedded], None]
) -> Iterator[Stage]:
    wrk, k6 = tools.wrk(log), tools.k6()
    tools.install_express(log)
    embedded = Embedded.open(home.postgresql)
    set_memory(embedded)
    with embedded.used(), home.scratch("scratch") as scratch, run_folder(embedded) as folder:
        full = catalogue(home, embedded, plan.products, log)
        load = Generator(wrk, k6, scratch, full)
        results = _described(plan, full, load)
        yield Stage(plan, home, embedded, full, load, folder, results, log)


def _on_systems(stage: Stage, parts: Collection[str]) -> None:
    small = None
    if "growth" in parts:
        products = max(1000, stage.plan.products // SCALE_DOWN)
        small = catalogue(stage.home, stage.embedded, products, stage.log)
    stage.log("Loading the data into shared_buffers.")
    for data in filter(None, (stage.catalogue, small)):
        warm(data.dsn)
    if "hot" in parts:
        hot.measure(stage)
    stage.log("Starting the systems, and comparing their responses.")
    with _all_systems(stage) as running, ExitStack() as stack:
        peaks = {
            system.name: stack.enter_context(memory.sampled(memory.largest_sampler(system.pids)))
            for system in running
        }
        saturation.warm_up(stage, running)
        _measure_parts(stage, parts, running, small)
        stage.results.commands["memory"] = "grep -E '^(Rss|Pss):' /proc/PID/smaps_rollup"
        stage.results.memory = {name: peak.value for name, peak in peaks.items()}


def _measure_parts(
    stage: Stage, parts: Collection[str], running: list[Running], small: Catalogue | None
) -> None:
    ours = next(system for system in running if system.name == OURS)
    if "saturation" in parts:
        saturation.measure(stage, running)
        stage.vacuum_and_checkpoint()
    if "open-loop" in parts:
        open_loop.measure(stage, running)
    if "large" in parts:
        beside_large.measure(stage, running)
    if small:
        growth.measure(stage, ours, small)
    if "ramp" in parts and stage.plan.ramp:
        ramp.measure(stage, ours)


@contextmanager
def _all_systems(stage: Stage) -> Iterator[list[Running]]:
    """Start all systems, after checking that those with data give the same responses."""
    dsn = stage.catalogue.dsn
    with stage.running(systems.ours(dsn), systems.express(dsn), systems.fastapi(dsn)) as running:
        compared = check_same_responses(running, stage.catalogue)
        size = average_page_size(running[0], stage.catalogue.products)
        stage.results.data |= {"answers_compared": compared, "page_bytes": size}
        with stage.running(systems.ceiling(size)) as ceiling:
            yield [*running, *ceiling]


@contextmanager
def run_folder(embedded: Embedded) -> Iterator[Path]:
    """Create a folder for sockets beside PostgreSQL's; remove it when the context ends."""
    folder = embedded.home.run / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _described(plan: Plan, data: Catalogue, load: Generator) -> Results:
    release, settings = asyncio.run(machine.postgresql(data.dsn))
    return Results(
        plan=plan.name,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        rounds=plan.rounds,
        seconds=plan.seconds,
        instances=INSTANCES,
        machine=machine.machine(),
        versions={"PostgreSQL": release, **machine.versions(load.k6, load.wrk)},
        durability=settings,
        data={
            "products": data.products,
            "questions": data.questions,
            "answers": data.answers,
            "photos": data.photos,
            "rows": data.questions + data.answers + data.photos,
            "bytes": data.bytes,
        },
        load_generator="wrk" if load.wrk else "k6",
    )
