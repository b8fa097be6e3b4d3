"""The commands. Each imports what it needs when it runs, so that all start quickly."""
# ruff: noqa: PLC0415 - see above

import asyncio
import logging
import os
import sys
from contextlib import closing
from pathlib import Path

import click

from atelier import __version__
from atelier.errors import AtelierError
from atelier.limits import raise_open_files
from atelier.local.utf8 import use_utf8
from atelier.settings import Settings

_EXISTING = click.Path(exists=True, file_okay=False, path_type=Path)
_NEW = click.Path(file_okay=False, path_type=Path)
_INTERRUPTED = 130


def _examples(*lines: str) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def main() -> None:
    """Run a command; an AtelierError becomes one line on stderr and exit code 1."""
    use_utf8()
    raise_open_files()
    # The migration tool warns of every migration; the commands say what was applied.
    logging.getLogger("pogo_core").setLevel(logging.ERROR)
    try:
        atelier.main(standalone_mode=False)
    except AtelierError as error:
        click.echo(f"atelier: {error}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="atelier %(version)s")
@click.pass_context
def atelier(context: click.Context) -> None:
    """Questions and answers behind a shop's product pages.

    All commands work on the database of ATELIER_DATABASE_URL or, where that is not set, on an
    embedded PostgreSQL in ATELIER_HOME (.atelier), which they start if needed. Only `up` and
    `db start` make one.
    """
    context.obj = Settings.from_environment()


@atelier.command(epilog=_examples("atelier up", "PORT=8081 INSTANCES=2 atelier up"))
@click.option("-v", "--verbose", is_flag=True, help="Show all that the parts say.")
@click.pass_obj
def up(settings: Settings, *, verbose: bool) -> None:
    """Run the whole service, until Ctrl-C.

    That is the database, the instances and nginx. An empty database gets a small sample to look at.
    """
    from atelier.local.supervisor import up as run

    run(settings, verbose=verbose)


@atelier.command()
@click.option("--json", "as_json", is_flag=True, help="Print it for programs.")
@click.pass_obj
def status(settings: Settings, *, as_json: bool) -> None:
    """Show how a running service is: its instances and PostgreSQL.

    The exit code is 0 only if at least one instance serves.
    """
    import json

    from rich.console import Console

    from atelier.local.control import ask
    from atelier.local.home import Home
    from atelier.local.status import is_served, render

    state = ask(Home.at(settings.home), "status")
    if as_json:
        click.echo(json.dumps(state, indent=2))
    else:
        Console(width=max(Console().width, 110)).print(render(state))
    sys.exit(0 if is_served(state) else 1)


@atelier.command(epilog=_examples("atelier reload", "ATELIER_POOL_SIZE=10 atelier reload"))
@click.pass_obj
def reload(settings: Settings) -> None:
    """Put the installed code and new settings to work, without a request lost.

    One instance after the other gives way to a new process. Settings of the instances that are
    in this command's environment replace those they have; all others stay.
    """
    from atelier.local.control import ask
    from atelier.local.home import Home
    from atelier.local.service import CHANGEABLE

    changes = {name: os.environ[name] for name in CHANGEABLE if name in os.environ}
    click.echo(ask(Home.at(settings.home), "reload", changes=changes))


@atelier.command(epilog=_examples("atelier scale 5"))
@click.argument("instances", type=click.IntRange(1, 64))
@click.pass_obj
def scale(settings: Settings, instances: int) -> None:
    """Have INSTANCES instances from now on, without a request lost."""
    from atelier.local.control import ask
    from atelier.local.home import Home

    click.echo(ask(Home.at(settings.home), "scale", instances=instances))


def _parts_of_logs(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    from atelier.local.home import log_folder
    from atelier.local.log_reader import parts

    settings = context.find_object(Settings) or Settings.from_environment()
    return [part for part in parts(log_folder(settings.home)) if part.startswith(begun)]


@atelier.command(epilog=_examples("atelier logs", "atelier logs instance-1 -f -n 0 | jq .message"))
@click.argument("part", required=False, shell_complete=_parts_of_logs)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is added, until Ctrl-C.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="How many of the last lines.",
)
@click.pass_obj
def logs(settings: Settings, part: str | None, *, follow: bool, lines: int) -> None:
    """Show what the service has logged, whether it runs or not.

    PART is access, supervisor, nginx, postgresql or instance-1 and so on; its lines are shown as
    they are. Without it, those of all parts are shown in the order of time, with their part.
    """
    from atelier.local.home import log_folder
    from atelier.local.log_reader import LogReader
    from atelier.local.log_view import show

    with closing(LogReader(log_folder(settings.home), part)) as reader:
        show(reader, lines=lines, follow=follow)


@atelier.command(
    "nginx-config",
    epilog=_examples(
        "atelier nginx-config --listen 80 --server 10.0.1.5:9000 --server 10.0.1.6:9000"
    ),
)
@click.option("--server", "servers", multiple=True, required=True, help="HOST:PORT or unix:PATH.")
@click.option("--listen", default="80", show_default=True, help="A port, or an address and a port.")
@click.pass_obj
def nginx_config(settings: Settings, servers: tuple[str, ...], listen: str) -> None:
    """Print the configuration of an nginx that has a host of its own."""
    from atelier.local.nginx import host_configuration

    click.echo(host_configuration(listen, servers, settings.request_timeout), nl=False)


@atelier.command(
    epilog=_examples("atelier serve --port 9000", "atelier serve --socket /run/atelier/1.sock")
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address,")
@click.option("--port", type=click.IntRange(1, 65535), help="and on this port;")
@click.option("--socket", type=click.Path(path_type=Path), help="or on this unix socket.")
@click.pass_obj
def serve(settings: Settings, host: str, port: int | None, socket: Path | None) -> None:
    """Run one instance, for use behind a proxy of your own.

    It starts even while the database is away; GET /ready then answers 503.
    """
    from atelier.http.server import serve as run
    from atelier.local.database import address, check_read_url

    check_read_url(settings)
    if (port is None) == (socket is None):
        raise click.UsageError("Give either --port or --socket.")
    with address(settings) as dsn:
        run(settings, database_url=dsn, host=host, port=port, socket=socket)


@atelier.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database's schema up to date.

    Safe to run at any time, and by several at once.
    """
    from atelier.local.database import database
    from atelier.store.migrate import migrate as run

    with database(settings) as dsn:
        applied = asyncio.run(run(dsn))
    click.echo("\n".join(f"applied {name}" for name in applied) or "The database is up to date.")


@atelier.command(
    "import",
    epilog=_examples("atelier import export/", "atelier import export/ --replace --dry-run"),
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
@click.option("--dry-run", is_flag=True, help="Only say what an import would do.")
@click.pass_obj
def import_(  # noqa: PLR0913 - one for each option
    settings: Settings,
    folder: Path,
    rejects: Path,
    *,
    strict: bool,
    replace: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Load the three files of an export from FOLDER.

    They are questions.csv, answers.csv and answers_photos.csv; any of them may be compressed
    with gzip and may then be called *.csv.gz. All or nothing, and safe to repeat; the service
    keeps serving the old rows until the new ones are complete. Rows are merged by id with those
    in the database: none of these is overwritten or removed, except with --replace.
    """
    from rich.console import Console

    from atelier.local.database import database
    from atelier.transfer.confirmation import confirmation
    from atelier.transfer.dry_run import dry_run as count
    from atelier.transfer.importer import import_export
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
    console.print(summary.render())
    if strict:
        summary.check_strict()


@atelier.command(epilog=_examples("atelier verify export/"))
@click.argument("folder", type=_EXISTING)
@click.pass_obj
def verify(settings: Settings, folder: Path) -> None:
    """Prove that the database holds what the files in FOLDER say.

    Compares counts, and checksums of every column, and every stored document with its
    definition. The exit code is 0 only if all of it agrees.
    """
    from rich.console import Console

    from atelier.local.database import database
    from atelier.transfer.progress import progress_for
    from atelier.transfer.verify import verify as run

    console = Console()
    with database(settings) as dsn:
        report = asyncio.run(run(dsn, folder, progress=progress_for(console)))
    console.print(report.render())
    sys.exit(0 if report.ok else 1)


@atelier.command(epilog=_examples("atelier export backup/", "atelier export backup/ --force"))
@click.argument("folder", type=_NEW)
@click.option("--force", is_flag=True, help="Overwrite an export that is in FOLDER.")
@click.pass_obj
def export(settings: Settings, folder: Path, *, force: bool) -> None:
    """Write the database to questions.csv, answers.csv and answers_photos.csv in FOLDER.

    The files get their names when all three are complete.
    """
    from rich.console import Console

    from atelier.local.database import database
    from atelier.transfer.exporter import export as run
    from atelier.transfer.progress import progress_for

    console = Console()
    with database(settings) as dsn:
        summary = asyncio.run(run(dsn, folder, force=force, progress=progress_for(console)))
    console.print(summary.render())


@atelier.command(
    epilog=_examples(
        "atelier generate sample/ --products 1000",
        "atelier generate full/ --products 1000011   (12.46 million rows, 2 GB)",
    )
)
@click.argument("folder", type=_NEW)
@click.option("--products", type=click.IntRange(1), required=True, help="How many products.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same bytes.")
def generate(folder: Path, products: int, seed: int) -> None:
    """Generate an export with made-up rows in FOLDER."""
    from rich.console import Console

    from atelier.transfer.generate import generate as run
    from atelier.transfer.progress import progress_for

    run(folder, products=products, seed=seed, progress=progress_for(Console()))


@atelier.group()
def db() -> None:
    """Start, stop and look into the embedded PostgreSQL."""


@db.command()
@click.pass_obj
def start(settings: Settings) -> None:
    """Start it, and leave it running until `atelier db stop`; make it if there is none."""
    from atelier.local.embedded import Embedded, own_home

    server = Embedded.open(own_home(settings))
    server.keep()
    click.echo(f"PostgreSQL runs until `atelier db stop`: {server.server.dsn()}")


@db.command()
@click.pass_obj
def stop(settings: Settings) -> None:
    """Stop it, or have it stop with the last command that uses it."""
    from atelier.local.embedded import Embedded, has_database, own_home

    home = own_home(settings)
    stopped = not has_database(home) or Embedded.open(home).release()
    click.echo("PostgreSQL is stopped." if stopped else "It stops when the last command is done.")


@db.command("status")
@click.pass_obj
def db_status(settings: Settings) -> None:
    """Say whether it runs, and where."""
    from atelier.local.embedded import Embedded, own_home

    click.echo(Embedded.existing(own_home(settings)).describe())


@db.command(
    context_settings={"ignore_unknown_options": True},
    epilog=_examples("atelier db psql", "atelier db psql -c 'SELECT count(*) FROM questions'"),
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def psql(settings: Settings, arguments: tuple[str, ...]) -> None:
    """Open psql on the database, with psql's own arguments."""
    from atelier.local.database import database
    from atelier.local.psql import psql as run

    with database(settings) as dsn:
        code = run(dsn, arguments)
    sys.exit(code)
