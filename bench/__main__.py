"""`python -m bench`: the benchmark's commands."""

import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from atelier.errors import AtelierError
from atelier.local.host.open_files import raise_open_files
from bench import report, results, runner, soak
from bench.abuse import measure_abuse
from bench.capacity import measure_capacity
from bench.compare import compare
from bench.instances import compare_instances
from bench.larger_than_memory import compare_larger
from bench.migration import migrate_under_load
from bench.plan import FULL, QUICK, Plan
from bench.posts import measure_posts
from bench.processes import ROOT
from bench.profile import figures
from bench.profile.document import write as write_profile
from bench.profile.run import PARTS, profile
from bench.search import measure_search
from bench.steady import PLACES, measure_steady
from bench.v1 import compare_v1

_RESULTS = ROOT / "bench" / "results"
_QUICK_DOCUMENT = _RESULTS / "quick.md"
_DOCUMENT = ROOT / "docs" / "performance.md"
_PROFILE = ROOT / "docs" / "profile.md"
_CAPACITY = ROOT / "docs" / "pictures" / "capacity.svg"
_INTERRUPTED = 130

Command = TypeVar("Command", bound=Callable[..., Any])


def main() -> None:
    """Run a command; report expected errors as one line on stderr."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    raise_open_files()
    try:
        bench.main(standalone_mode=False)
    except AtelierError as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(_INTERRUPTED)


def _measured(rounds: int, seconds: int) -> Callable[[Command], Command]:
    """Add the options of a comparison to its command; take their defaults."""

    def add(command: Command) -> Command:
        for name, least, default, text in (
            ("--seconds", 1, seconds, None),
            ("--rounds", 1, rounds, None),
            ("--products", 1000, None, "The size of the catalogue."),
        ):
            kind = click.IntRange(least)
            option = click.option(name, type=kind, default=default, help=text, show_default=True)
            command = option(command)
        return command

    return add


def _plan(products: int | None, rounds: int, seconds: int) -> Plan:
    return replace(QUICK, products=products or QUICK.products, rounds=rounds, seconds=seconds)


def _write(text: str, file: Path) -> None:
    """Print what was measured, and keep it for the next docs/performance.md."""
    report.keep(text, file)
    click.echo(text)
    click.echo(f"{file.relative_to(ROOT)} is written.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Compare the service with its peers. Data is kept in ATELIER_BENCH_HOME."""


@bench.command()
@click.option("--quick", is_flag=True, help="A tenth of the data, in about three minutes.")
@click.option(
    "--only", multiple=True, type=click.Choice(runner.PARTS), help="Measure only this part."
)
@click.option("--products", type=click.IntRange(1000), help="The size of the catalogue.")
@click.option("--rounds", type=click.IntRange(1), help="Number of rounds.")
@click.option("--seconds", type=click.IntRange(1), help="Duration of a measurement at saturation.")
def run(
    *,
    quick: bool,
    only: tuple[str, ...],
    products: int | None,
    rounds: int | None,
    seconds: int | None,
) -> None:
    """Measure; write the results and, after a full run, docs/performance.md."""
    plan = QUICK if quick else FULL
    options = {"products": products, "rounds": rounds, "seconds": seconds}
    changes = {name: value for name, value in options.items() if value is not None}
    if changes or only:
        plan = replace(plan, name=f"{plan.name}-partly", **changes)
    file = _RESULTS / f"{plan.name}.json"
    unfinished = file.with_name(f"{plan.name}-unfinished.json")
    found = runner.measure(plan, only or runner.PARTS, _clock(), unfinished)
    results.save(found, file)
    document = _DOCUMENT if plan is FULL else file.with_suffix(".md")
    report.write(found, document)
    click.echo(report.targets_text(found))
    click.echo(f"{file.relative_to(ROOT)} and {document.relative_to(ROOT)} are written.")


@bench.command(name="profile")
@click.option("--quick", is_flag=True, help="On a tenth of the data.")
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Measure only this part.")
@click.option("--products", type=click.IntRange(1000), help="The size of the catalogue.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--seconds", type=click.IntRange(1), help="Duration of a measurement.")
def run_profile(
    *,
    quick: bool,
    only: tuple[str, ...],
    products: int | None,
    rounds: int,
    seconds: int | None,
) -> None:
    """Measure the CPU time of a request by component; write docs/profile.md.

    Parts that are not measured stay as they were. With --quick, everything is written to
    bench/results instead.
    """
    plan = QUICK if quick else FULL
    plan = replace(
        plan,
        rounds=rounds,
        products=products or plan.products,
        seconds=seconds or plan.seconds,
    )
    file = report.PROFILE if not quick else _RESULTS / "profile-partly.json"
    found, explained = profile(plan, only or PARTS, _clock())
    whole = results.load_profile(file) | found
    results.save_profile(whole, file)
    document = _PROFILE if not quick else file.with_suffix(".md")
    write_profile(whole, explained, document)
    if not quick:
        figures.write(whole)
    click.echo(f"{file.relative_to(ROOT)} and {document.relative_to(ROOT)} are written.")


@bench.command(name="compare")
@click.argument("revision")
@_measured(rounds=7, seconds=3)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of this checkout only.",
)
def run_compare(
    revision: str, *, products: int | None, rounds: int, seconds: int, settings: tuple[str, ...]
) -> None:
    """Compare this checkout with its REVISION, in turn, on the same data."""
    plan = _plan(products, rounds, seconds)
    click.echo(compare(plan, revision, dict(each.split("=", 1) for each in settings), _clock()))


@bench.command(name="v1")
@_measured(rounds=20, seconds=1)
def run_v1(*, products: int | None, rounds: int, seconds: int) -> None:
    """Compare pages under /v1 with those under /qa, and what ETags cost and save.

    The next docs/performance.md includes the table.
    """
    plan = _plan(products, rounds, seconds)
    text = compare_v1(plan, _clock())
    _write(text, report.V1)


@bench.command(name="search")
def run_search() -> None:
    """Measure searches among 50,000 questions.

    The next docs/performance.md includes the list.
    """
    with runner.embedded() as postgres:
        _write(measure_search(postgres, _clock()), report.SEARCH)


@bench.command(name="posts")
@click.option("--rounds", type=click.IntRange(1), default=20, show_default=True)
def run_posts(*, rounds: int) -> None:
    """Compare posts with and without an index for searches, and with moderation rules.

    The next docs/performance.md includes the table.
    """
    with runner.embedded() as postgres:
        _write(measure_posts(postgres, rounds, _clock()), report.POSTS)


@bench.command(name="larger-than-memory")
@_measured(rounds=5, seconds=5)
def run_larger(*, products: int | None, rounds: int, seconds: int) -> None:
    """Compare page reads with those of Express, with memory for a quarter of the data.

    The next docs/performance.md includes the table.
    """
    plan = _plan(products, rounds, seconds)
    text = compare_larger(plan, _clock())
    _write(text, report.LARGER)


@bench.command(name="steady")
@click.option(
    "--only", multiple=True, type=click.Choice(list(PLACES)), help="Where the load generator runs."
)
@_measured(rounds=5, seconds=8)
def run_steady(*, only: tuple[str, ...], products: int | None, rounds: int, seconds: int) -> None:
    """Measure latency at steady rates, with the load generator among the rest and apart.

    The next docs/performance.md includes the table.
    """
    plan = replace(_plan(products, rounds, max(1, seconds // 4)), open_loop=seconds)
    text = measure_steady(plan, only or PLACES, _clock())
    _write(text, report.STEADY)


@bench.command(name="instances")
@_measured(rounds=5, seconds=3)
def run_instances(*, products: int | None, rounds: int, seconds: int) -> None:
    """Compare one, two, three and four instances on this machine; print tables."""
    plan = _plan(products, rounds, seconds)
    click.echo(compare_instances(plan, _clock()))


@bench.command(name="abuse")
@_measured(rounds=5, seconds=5)
def run_abuse(*, products: int | None, rounds: int, seconds: int) -> None:
    """Measure what a client far above its rate limit costs the others; print tables."""
    plan = _plan(products, rounds, seconds)
    click.echo(measure_abuse(plan, _clock()))


@bench.command(name="capacity")
@_measured(rounds=3, seconds=12)
def run_capacity(*, products: int | None, rounds: int, seconds: int) -> None:
    """Compare what plan-capacity predicts for 1, 2 and 3 instances with ramps; print a table.

    Also draws them: docs/pictures/capacity.svg. Limits the instances' CPU time, as root.
    """
    plan = replace(_plan(products, rounds, seconds), ramp=seconds)
    click.echo(measure_capacity(plan, _CAPACITY, _clock()))


@bench.command(name="migration")
@click.argument("revision")
@click.option("--products", type=click.IntRange(1000), help="The size of the catalogue.")
def run_migration(revision: str, *, products: int | None) -> None:
    """Migrate a database of a REVISION, which serves meanwhile; print what waited and failed."""
    click.echo(migrate_under_load(revision, products or FULL.products, _clock()))


@bench.command(name="report")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
def write_report(file: Path) -> None:
    """Regenerate the document of a results file."""
    found = results.load(file)
    document = _DOCUMENT if found.plan == FULL.name else file.with_suffix(".md")
    report.write(found, document)


@bench.command()
@click.argument("timeline", type=click.Path(exists=True, path_type=Path))
@click.argument("picture", type=click.Path(path_type=Path))
def ramp(timeline: Path, picture: Path) -> None:
    """Plot a TIMELINE written by a script of bench/k6 (`TIMELINE=file`) as SVG or PNG."""
    report.draw_timeline(timeline, picture)


@bench.command(name="soak")
@click.option("--minutes", type=float, default=30, show_default=True)
@click.option("--rate", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--quick", is_flag=True, help="On a tenth of the data.")
@click.option("--products", type=click.IntRange(1000), help="The size of the catalogue.")
@click.option("--hostile", is_flag=True, help="Beside hostile clients (bench/hostile.py).")
def run_soak(
    *, minutes: float, rate: int, quick: bool, products: int | None, hostile: bool
) -> None:
    """Run a long steady load; report latency and memory over time."""
    plan = QUICK if quick else FULL
    plan = replace(plan, products=products or plan.products)
    click.echo(soak.soak(plan, minutes, rate, _RESULTS, _clock(), hostile=hostile))


def _clock() -> Callable[[str], None]:
    """Return a function that prints a line with the time since now, in minutes and seconds."""
    start = time.monotonic()

    def log(line: str) -> None:
        seconds = int(time.monotonic() - start)
        click.echo(f"{seconds // 60:3}:{seconds % 60:02}  {line}")

    return log


if __name__ == "__main__":
    main()
