"""The commands for the database."""
# ruff: noqa: PLC0415 - imports inside the commands keep the start of others quick

import asyncio
import sys

import click

from atelier.cli.common import examples
from atelier.settings import Settings


@click.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database's schema up to date.

    Safe to run at any time, even concurrently.
    """
    from atelier.local.postgres.database import database
    from atelier.store.migrate import migrate as run

    with database(settings) as dsn:
        applied = asyncio.run(run(dsn))
    click.echo("\n".join(f"applied {name}" for name in applied) or "The database is up to date.")


@click.group()
def db() -> None:
    """Start, stop and inspect the embedded PostgreSQL."""


@db.command()
@click.pass_obj
def start(settings: Settings) -> None:
    """Start it and keep it running until `atelier db stop`; create it if there is none."""
    from atelier.local.postgres.embedded import Embedded, own_home

    server = Embedded.open(own_home(settings))
    server.hold()
    click.echo(f"PostgreSQL keeps running until `atelier db stop`: {server.server.dsn()}")


@db.command()
@click.pass_obj
def stop(settings: Settings) -> None:
    """Stop it now, or when the last command that uses it ends."""
    from atelier.local.postgres.embedded import Embedded, has_database, own_home

    home = own_home(settings)
    stopped = not has_database(home) or Embedded.open(home).release()
    click.echo("PostgreSQL is stopped." if stopped else "It stops when the last command ends.")


@db.command("status")
@click.pass_obj
def db_status(settings: Settings) -> None:
    """Show whether it is running, and its URL."""
    from atelier.local.postgres.embedded import Embedded, own_home

    click.echo(Embedded.existing(own_home(settings)).describe())


@db.command(
    context_settings={"ignore_unknown_options": True},
    epilog=examples("atelier db psql", "atelier db psql -c 'SELECT count(*) FROM questions'"),
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def psql(settings: Settings, arguments: tuple[str, ...]) -> None:
    """Run psql on the database; ARGUMENTS are psql's."""
    from atelier.local.postgres.database import database
    from atelier.local.postgres.psql import psql as run

    with database(settings) as dsn:
        code = run(dsn, arguments)
    sys.exit(code)


COMMANDS = (migrate, db)
