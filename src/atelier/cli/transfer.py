"""The commands that import, verify, export and generate data."""
# ruff: noqa: PLC0415 - imports inside the commands keep the start of others quick

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atelier.cli.common import connected, examples, moment
from atelier.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from atelier.store.imports import ImportRun

_EXISTING = click.Path(exists=True, file_okay=False, path_type=Path)
_NEW = click.Path(file_okay=False, path_type=Path)


@click.command(
    "import",
    epilog=examples("atelier import export/", "atelier import export/ --replace --dry-run"),
)
@click.argument("folder", type=_EXISTING)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    default="rejects.csv",
    show_default=True,
    help="File for the rejected rows, with file, line and reason.",
)
@click.option("--strict", is_flag=True, help="Import nothing if any row is rejected.")
@click.option("--replace", is_flag=True, help="Replace all rows instead of merging with them.")
@click.option("--yes", is_flag=True, help="Do not ask if --replace would leave fewer rows.")
@click.option("--dry-run", is_flag=True, help="Only report what an import would do.")
@click.pass_obj
def import_(  # noqa: PLR0913 - one parameter per option
    settings: Settings,
    folder: Path,
    rejects: Path,
    *,
    strict: bool,
    replace: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Import the three files of an export from FOLDER.

    They are questions.csv, answers.csv and answers_photos.csv; any of them may be compressed
    with gzip and may then be named *.csv.gz. The import is atomic and safe to repeat; the service
    keeps serving the old rows until the new ones are complete. Rows are merged by id with those
    in the database: existing rows are not overwritten or removed, except with --replace.
    """
    from rich.console import Console

    from atelier.local.postgres.database import database, update_privileges
    from atelier.transfer.importer.confirmation import confirmation
    from atelier.transfer.importer.dry_run import dry_run as count
    from atelier.transfer.importer.importer import import_export
    from atelier.transfer.progress import progress_for

    console = Console()
    progress = progress_for(console)
    with database(settings) as dsn:
        if dry_run:
            work = count(dsn, folder, rejects=rejects, replace=replace, progress=progress)
        else:
            work = import_export(
                dsn,
                folder,
                rejects=rejects,
                strict=strict,
                replace=replace,
                progress=progress,
                confirm=confirmation(yes=yes),
            )
        summary = asyncio.run(work)
        if not dry_run:  # it migrates
            asyncio.run(update_privileges(settings, dsn))
    console.print(summary.render())
    if strict:
        summary.check_strict()


@click.command(epilog=examples("atelier imports", "atelier imports --json | jq '.[0]'"))
@click.option(
    "-n", "limit", type=click.IntRange(1), default=10, show_default=True, help="How many."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def imports(settings: Settings, limit: int, *, as_json: bool) -> None:
    """List the last imports: how far a running one is, what was rejected, why one failed.

    The last 100 are kept. Dry runs are not listed.
    """
    import json

    from atelier.local.postgres.database import database

    with database(settings) as dsn:
        runs = asyncio.run(_recent(dsn, limit))
    if as_json:
        rows = [{**run._asdict(), "seconds": run.seconds} for run in runs]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2, default=moment))
        return
    click.echo("\n".join(line for run in runs for line in _lines(run)) or "There was none yet.")


async def _recent(dsn: str, limit: int) -> "list[ImportRun]":
    from atelier.store.imports import recent_imports

    async with connected(dsn, "Listing the imports") as connection:
        return await recent_imports(connection, limit)


def _lines(run: "ImportRun") -> "Iterator[str]":
    option = " --replace" if run.is_replacing else ""
    started = moment(run.started_at)
    yield f"{started} {run.state}, {run.seconds:,.0f} s: {run.host}:{run.folder}{option}"
    if run.state == "finished":
        added, removed = (sum(file[name] for file in run.files) for name in ("added", "removed"))
        yield f"  {added:,} rows added, {removed:,} removed, {run.rejected:,} rejected"
    else:
        total = f" of {run.total:,}" if run.total is not None else ""
        yield f"  {run.phase}: {run.done:,}{total} {run.unit}; {run.rejected:,} rejected so far"
    for each in run.rejects:
        first = f"first in line {each['first_lines'][0]}"
        yield f"  {each['file']}: {each['count']:,} {each['reason']}, {first}"
    if run.error:
        yield f"  {run.error}"


@click.command(epilog=examples("atelier verify export/"))
@click.argument("folder", type=_EXISTING)
@click.pass_obj
def verify(settings: Settings, folder: Path) -> None:
    """Verify that the database holds the data of the files in FOLDER.

    Compares counts, checksums of every column, and every stored document with its definition.
    The exit code is 0 only if everything matches.
    """
    from rich.console import Console

    from atelier.local.postgres.database import database
    from atelier.transfer.progress import progress_for
    from atelier.transfer.verifier.verifier import verify as run

    console = Console()
    with database(settings) as dsn:
        report = asyncio.run(run(dsn, folder, progress=progress_for(console)))
    console.print(report.render())
    sys.exit(0 if report.ok else 1)


@click.command(epilog=examples("atelier export backup/", "atelier export backup/ --force"))
@click.argument("folder", type=_NEW)
@click.option("--force", is_flag=True, help="Overwrite an existing export in FOLDER.")
@click.pass_obj
def export(settings: Settings, folder: Path, *, force: bool) -> None:
    """Write the database to questions.csv, answers.csv and answers_photos.csv in FOLDER.

    The files are renamed to these names when all three are complete.
    """
    from rich.console import Console

    from atelier.local.postgres.database import database
    from atelier.transfer.exporter.exporter import export as run
    from atelier.transfer.progress import progress_for

    console = Console()
    with database(settings) as dsn:
        summary = asyncio.run(run(dsn, folder, force=force, progress=progress_for(console)))
    console.print(summary.render())


@click.command(
    epilog=examples(
        "atelier generate sample/ --products 1000",
        "atelier generate full/ --products 1000011   (12.46 million rows, 2 GB)",
    )
)
@click.argument("folder", type=_NEW)
@click.option("--products", type=click.IntRange(1), required=True, help="Number of products.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same bytes.")
def generate(folder: Path, products: int, seed: int) -> None:
    """Generate an export with random data in FOLDER."""
    from rich.console import Console

    from atelier.transfer.generator import generate as run
    from atelier.transfer.progress import progress_for

    run(folder, products=products, seed=seed, progress=progress_for(Console()))


COMMANDS = (import_, imports, verify, export, generate)
