"""The commands about one person's data."""
# ruff: noqa: PLC0415 - each imports what it needs when it runs, so that all start quickly

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import click

from atelier.cli.common import examples
from atelier.errors import AtelierError
from atelier.settings import Settings

if TYPE_CHECKING:
    import asyncpg

    from atelier.store.privacy import Erased, Found, Mode


def _address(_context: click.Context, _parameter: click.Parameter, given: str) -> str:
    """Return the address of the command line, or for `-` the first line of standard input."""
    from atelier.store.privacy import is_address

    if given == "-":
        if sys.stdin.isatty():
            click.echo("E-mail address: ", nl=False, err=True)
        given = sys.stdin.readline()
    if not is_address(given):
        raise click.BadParameter("this is no e-mail address.")
    return given.strip()


_EMAIL = click.argument("email", callback=_address)


@click.group()
def privacy() -> None:
    """Show or erase what is stored of one person.

    EMAIL finds the questions and answers that were posted with that address; case, spaces around
    it and Unicode's forms do not matter. `-` reads it from standard input, so that it is neither in
    the shell's history nor in the list of processes.
    """


@privacy.command("export", epilog=examples("atelier privacy export - < address > person.json"))
@_EMAIL
@click.pass_obj
def export(settings: Settings, email: str) -> None:
    """Print all that is stored with EMAIL as JSON."""
    import json

    from atelier.local.postgres.database import database

    with database(settings) as dsn:
        posts = asyncio.run(_export(dsn, email))
    click.echo(json.dumps(posts, ensure_ascii=False, indent=2))
    if not any(posts.values()):
        click.echo("Nothing was found.", err=True)


@privacy.command(
    epilog=examples("atelier privacy erase -", "atelier privacy erase - --delete --yes < address")
)
@_EMAIL
@click.option(
    "--keep-texts", is_flag=True, help="Leave texts and photos; only say no longer whose."
)
@click.option("--delete", is_flag=True, help="Delete the rows rather than empty them.")
@click.option(
    "--with-answers",
    is_flag=True,
    help="With --delete: also questions that others answered, with their answers.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def erase(  # noqa: PLR0913 - one for each option
    settings: Settings, email: str, *, keep_texts: bool, delete: bool, with_answers: bool, yes: bool
) -> None:
    """Erase the person from what was posted with EMAIL.

    The name becomes Anonymous, the address goes, texts become "(removed)", photos are deleted.
    The answers of others stay. It can be repeated: where nothing is left to erase, it says so.
    """
    from atelier.local.postgres.database import database
    from atelier.transfer.importer.confirmation import confirmation

    mode = _mode(keep_texts=keep_texts, delete=delete, with_answers=with_answers)
    confirm = confirmation(yes=yes, doing="erase")
    with database(settings) as dsn:
        click.echo(asyncio.run(_erase(dsn, email, mode, confirm)))


def _mode(*, keep_texts: bool, delete: bool, with_answers: bool) -> "Mode":
    from atelier.store.privacy import Mode

    if keep_texts and delete:
        raise click.UsageError("Give either --keep-texts or --delete.")
    if with_answers and not delete:
        raise click.UsageError("--with-answers goes with --delete.")
    if delete:
        return Mode.DELETE_ALL if with_answers else Mode.DELETE
    return Mode.KEEP_TEXTS if keep_texts else Mode.ANONYMIZE


@asynccontextmanager
async def _connected(dsn: str, doing: str) -> AsyncIterator["asyncpg.Connection"]:
    from atelier.store.connections.database import SCHEMA, UNDEFINED
    from atelier.transfer.database.session import one_line_errors, session

    with one_line_errors(doing):
        try:
            async with session(dsn, SCHEMA) as connection:
                yield connection
        except UNDEFINED as error:
            raise AtelierError("The database lacks tables: run `atelier migrate` first.") from error


async def _export(dsn: str, email: str) -> dict[str, list[dict[str, object]]]:
    from atelier.store import privacy as store

    async with _connected(dsn, "The export") as connection:
        return await store.posts(connection, await store.find(connection, email))


async def _erase(dsn: str, email: str, mode: "Mode", confirm: Callable[[str], bool]) -> str:
    """Erase once it is confirmed; return what to tell."""
    from atelier.store import privacy as store
    from atelier.transfer.database.exclusive_lock import exclusive_lock
    from atelier.transfer.database.session import target_of

    async with _connected(dsn, "The erasure") as connection:
        found = await store.find(connection, email)
        target = await target_of(connection, dsn)
        if not found.touched:
            return f"Nothing was found in {target}."
        others = await store.answers_of_others(connection, found)
        if not confirm(_about_to(found, others, mode, target)):
            raise AtelierError("Nothing was changed.")
        async with exclusive_lock(dsn, "import"):  # one that is under way would bring rows back
            erased = await store.erase(connection, email, found, mode, done_by=_who())
    return _done(erased, mode, target)


def _about_to(found: "Found", others: int, mode: "Mode", target: str) -> str:
    from atelier.store.privacy import Mode

    what = {
        Mode.ANONYMIZE: "The name, address, text and photos of",
        Mode.KEEP_TEXTS: "The name and address of",
    }.get(mode, "All of")
    also = f", with {_number(others, 'answer')} of others" if mode is Mode.DELETE_ALL else ""
    return f"{what} {_numbers(found)} in {target} would be erased{also}."


def _numbers(found: "Found") -> str:
    return (
        f"{_number(len(found.questions), 'question')} and {_number(len(found.answers), 'answer')}"
    )


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _done(erased: "Erased", mode: "Mode", target: str) -> str:
    questions, answers = _number(erased.questions, "question"), _number(erased.answers, "answer")
    return (
        f"Erased in {target} ({mode}): {questions}, {answers}, {_number(erased.photos, 'photo')}, "
        f"{_number(erased.keys, 'idempotency key')}.\n"
        "Files are as they were: exports, rejects.csv and backups may still hold this person. "
        "After an import or a\nrestore of one of them, erase again (docs/privacy.md)."
    )


def _who() -> str:
    """Return the user and host that ran the command, for the record."""
    import getpass
    import socket

    return f"{getpass.getuser()}@{socket.gethostname()}"


COMMANDS = (privacy,)
