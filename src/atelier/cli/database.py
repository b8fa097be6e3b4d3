"""The commands for the database itself."""
# ruff: noqa: PLC0415 - each imports what it needs when it runs, so that all start quickly

import asyncio
import sys
from pathlib import Path

import click

from atelier.cli.common import examples
from atelier.settings import Settings


@click.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database's schema up to date.

    Safe to run at any time, and by several at once. Where the service has a role of its own, that
    is granted what the new schema has for it.
    """
    from atelier.local.postgres.database import database, update_rights
    from atelier.store.migrate import migrate as run

    with database(settings) as dsn:
        applied = asyncio.run(run(dsn))
        asyncio.run(update_rights(settings, dsn))
    click.echo("\n".join(f"applied {name}" for name in applied) or "The database is up to date.")


@click.group()
def db() -> None:
    """Look after the database: start and stop the embedded one, open psql, grant rights."""


@db.command()
@click.pass_obj
def start(settings: Settings) -> None:
    """Start it, and leave it running until `atelier db stop`; make it if there is none."""
    from atelier.local.postgres.embedded import Embedded, own_home

    server = Embedded.open(own_home(settings))
    server.hold()
    click.echo(f"PostgreSQL runs until `atelier db stop`: {server.server.dsn()}")


@db.command()
@click.pass_obj
def stop(settings: Settings) -> None:
    """Stop it, or have it stop with the last command that uses it."""
    from atelier.local.postgres.embedded import Embedded, has_database, own_home

    home = own_home(settings)
    stopped = not has_database(home) or Embedded.open(home).release()
    click.echo("PostgreSQL is stopped." if stopped else "It stops when the last command is done.")


@db.command("status")
@click.pass_obj
def db_status(settings: Settings) -> None:
    """Say whether it runs, and where."""
    from atelier.local.postgres.embedded import Embedded, own_home

    click.echo(Embedded.existing(own_home(settings)).describe())


@db.command(
    context_settings={"ignore_unknown_options": True},
    epilog=examples("atelier db psql", "atelier db psql -c 'SELECT count(*) FROM questions'"),
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def psql(settings: Settings, arguments: tuple[str, ...]) -> None:
    """Open psql on the database, with psql's own arguments."""
    from atelier.local.postgres.database import database
    from atelier.local.postgres.psql import psql as run

    with database(settings) as dsn:
        code = run(dsn, arguments)
    sys.exit(code)


@db.command(
    epilog=examples(
        "atelier db roles | less",
        "atelier db roles --apply",
        "atelier db roles --apply --role shop_web --password-file /run/secrets/shop_web",
    )
)
@click.option(
    "--role",
    help="Its name; by default that of ATELIER_DATABASE_URL, if it is not the "
    "admin's, else atelier_service.",
)
@click.option("--apply", "is_applied", is_flag=True, help="Run it, instead of printing it.")
@click.option("--password-prompt", is_flag=True, help="With --apply: ask for its password.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --apply: read its password from a file.",
)
@click.pass_obj
def roles(
    settings: Settings,
    role: str | None,
    password_file: Path | None,
    *,
    is_applied: bool,
    password_prompt: bool,
) -> None:
    """Print the SQL for the role that the service uses, or run it.

    The role is made if it is missing, which takes the right to make roles (CREATEROLE), and is
    granted what the service's statements need, nothing else. May be run again at any time.
    A password is set only if one is given.
    """
    from atelier.local.postgres import roles as rights
    from atelier.local.postgres.database import database

    name = role or rights.service_role(settings)
    if (password_file or password_prompt) and not is_applied:
        raise click.UsageError("A password is set with --apply only: it is never printed.")
    if not is_applied:
        click.echo(rights.statements(name), nl=False)
        return
    password = _password(password_file, prompt=password_prompt)
    with database(settings) as dsn:
        made = asyncio.run(rights.apply(dsn, name, password))
    click.echo(f"The role {name} was {'made and ' if made else ''}granted what the service needs.")


def _password(file: Path | None, *, prompt: bool) -> str | None:
    """Return the password of a file or a prompt; None if neither is asked for."""
    if file and prompt:
        raise click.UsageError("Give either --password-file or --password-prompt.")
    if file:
        return file.read_text(encoding="utf-8").removesuffix("\n")
    return click.prompt("Password", hide_input=True, confirmation_prompt=True) if prompt else None


COMMANDS = (migrate, db)
