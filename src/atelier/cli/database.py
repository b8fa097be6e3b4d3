"""The commands for the database."""
# ruff: noqa: PLC0415 - imports inside the commands keep the start of others quick

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

    Safe to run at any time, even concurrently. Also grants the service's role the privileges that
    the new schema requires, if it is not the role that migrates.
    """
    from atelier.local.postgres.database import database, update_privileges
    from atelier.store.migrate import migrate as run

    with database(settings) as dsn:
        applied = asyncio.run(run(dsn))
        asyncio.run(update_privileges(settings, dsn))
    click.echo("\n".join(f"applied {name}" for name in applied) or "The database is up to date.")


@click.group()
def db() -> None:
    """Start, stop, back up and upgrade the embedded PostgreSQL; run psql; grant privileges."""


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


@db.command(epilog=examples("atelier db backup /backup/atelier-$(date +%F).dump"))
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(settings: Settings, file: Path) -> None:
    """Write the whole database to FILE, while the service runs.

    Unlike `atelier export`, it also contains decisions, hashes of tokens and voters, and changes.
    It contains personal data. `atelier db restore` and PostgreSQL's pg_restore read it.
    """
    from atelier.local.postgres.backup import back_up
    from atelier.local.postgres.database import database

    with database(settings) as dsn:
        size = back_up(dsn, file)
    click.echo(f"Wrote {file}, {size / 1e6:,.1f} MB.")


@db.command(epilog=examples("ATELIER_HOME=/srv/restored atelier db restore atelier.dump"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def restore(settings: Settings, file: Path) -> None:
    """Restore FILE into an empty database, completely or not at all.

    Creates the embedded database, and the service's role, if they are missing.
    """
    from atelier.local.postgres import backup as backups
    from atelier.local.postgres import roles as service_roles
    from atelier.local.postgres.database import database

    with database(settings, create=True) as dsn:
        asyncio.run(backups.check_empty(dsn))
        asyncio.run(service_roles.create(dsn, service_roles.service_role(settings)))
        backups.restore(dsn, file)
    click.echo("Restored. `atelier migrate` brings an older backup up to date.")


@db.command()
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def upgrade(settings: Settings, *, yes: bool) -> None:
    """Upgrade its data to the newest installed PostgreSQL; keep a copy of the old data.

    Needs the programs of both versions, and as much free disk space as the data takes. The service
    must be stopped. An interrupted upgrade leaves the data as it was; run the command again.
    """
    from atelier.local.postgres.embedded import Embedded, own_home
    from atelier.local.postgres.upgrade import Upgrade

    plan = Upgrade.of(Embedded.existing(own_home(settings)))
    if plan is None:
        click.echo("The data is of the newest installed PostgreSQL.")
        return
    if not yes:
        click.confirm(f"{plan}. Go on?", abort=True)
    click.echo(f"PostgreSQL is {plan.new} now. Its old data is in {plan.run()}: remove it later.")


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


@db.command(
    epilog=examples(
        "atelier db roles | less",
        "atelier db roles --apply",
        "atelier db roles --apply --role shop_web --password-file /run/secrets/shop_web",
    )
)
@click.option(
    "--role",
    help="Its name; by default the role of ATELIER_DATABASE_URL if that is not the admin's, "
    "else atelier_service.",
)
@click.option("--apply", "is_applied", is_flag=True, help="Run the SQL instead of printing it.")
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
    """Print or run the SQL that creates the service's role and its grants.

    The role is created if it is missing, which requires CREATEROLE, and is granted only what the
    service's statements need. Safe to run again at any time. A password is set only if one is
    given.
    """
    from atelier.local.postgres import roles as service_roles
    from atelier.local.postgres.database import database

    name = role or service_roles.service_role(settings)
    if (password_file or password_prompt) and not is_applied:
        raise click.UsageError("A password needs --apply: it is never printed.")
    if not is_applied:
        click.echo(service_roles.statements(name), nl=False)
        return
    password = _password(password_file, prompt=password_prompt)
    with database(settings) as dsn:
        created = asyncio.run(service_roles.apply(dsn, name, password))
    click.echo(f"{'Created' if created else 'Updated'} the role {name} with the service's grants.")


def _password(file: Path | None, *, prompt: bool) -> str | None:
    """Return the password from a file or a prompt; None if neither option is given."""
    if file and prompt:
        raise click.UsageError("Give either --password-file or --password-prompt.")
    if file:
        return file.read_text(encoding="utf-8").removesuffix("\n")
    return click.prompt("Password", hide_input=True, confirmation_prompt=True) if prompt else None


COMMANDS = (migrate, db)
