"""Commands that export and erase the personal data of one person."""
# ruff: noqa: PLC0415 - each command imports what it needs, so that all start quickly

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from atelier.cli.common import connected, examples, operator
from atelier.errors import AtelierError
from atelier.settings import Settings

if TYPE_CHECKING:
    from atelier.store.privacy import Erased, Found, Mode


def _read_email(_context: click.Context, _parameter: click.Parameter, given: str) -> str:
    """Return the address given, or for `-` the first line of standard input."""
    from atelier.store.privacy import is_address

    if given == "-":
        if sys.stdin.isatty():
            click.echo("E-mail address: ", nl=False, err=True)
        given = sys.stdin.readline()
    if not is_address(given):
        raise click.BadParameter("not an e-mail address.")
    return given.strip()


_EMAIL = click.argument("email", callback=_read_email)


@click.group()
def privacy() -> None:
    """Export or erase the personal data of one person.

    The commands find the questions and answers posted with the address EMAIL, ignoring case,
    outer whitespace and Unicode normal form. `-` reads it from standard input, which keeps it out
    of the shell history and the process list.
    """


@privacy.command("export", epilog=examples("atelier privacy export - < address > person.json"))
@_EMAIL
@click.pass_obj
def export(settings: Settings, email: str) -> None:
    """Print everything stored with EMAIL as JSON."""
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
    "--keep-texts", is_flag=True, help="Keep texts and photos; replace name and address only."
)
@click.option("--delete", is_flag=True, help="Delete the rows instead of anonymizing them.")
@click.option(
    "--with-answers",
    is_flag=True,
    help="With --delete: also delete questions that others answered, with their answers.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def erase(  # noqa: PLR0913 - one parameter per option
    settings: Settings, email: str, *, keep_texts: bool, delete: bool, with_answers: bool, yes: bool
) -> None:
    """Erase the personal data posted with EMAIL.

    The name becomes Anonymous, the address "erased", texts become "(removed)", photos are deleted.
    The answers of others stay. Running it again is safe.
    """
    from atelier.local.postgres.database import database
    from atelier.transfer.importer.confirmation import confirmation

    mode = _mode(keep_texts=keep_texts, delete=delete, with_answers=with_answers)
    confirm = confirmation(yes=yes, action="erase")
    with database(settings) as dsn:
        click.echo(asyncio.run(_erase(dsn, email, mode, confirm)))


def _mode(*, keep_texts: bool, delete: bool, with_answers: bool) -> "Mode":
    from atelier.store.privacy import Mode

    if keep_texts and delete:
        raise click.UsageError("--keep-texts and --delete exclude each other.")
    if with_answers and not delete:
        raise click.UsageError("--with-answers requires --delete.")
    if delete:
        return Mode.DELETE_ALL if with_answers else Mode.DELETE
    return Mode.KEEP_TEXTS if keep_texts else Mode.ANONYMIZE


async def _export(dsn: str, email: str) -> dict[str, list[dict[str, object]]]:
    from atelier.store import privacy as store

    async with connected(dsn, "The export") as connection:
        return await store.posts(connection, await store.find(connection, email))


async def _erase(dsn: str, email: str, mode: "Mode", confirm: Callable[[str], bool]) -> str:
    """Ask for confirmation, then erase; return the summary."""
    from atelier.store import privacy as store
    from atelier.transfer.database.exclusive_lock import exclusive_lock
    from atelier.transfer.database.session import target_of

    async with connected(dsn, "The erasure") as connection:
        found = await store.find(connection, email)
        target = await target_of(connection, dsn)
        if not found.affected:
            return f"Nothing was found in {target}."
        others_answers = await store.answers_of_others(connection, found)
        if not confirm(_prompt(found, others_answers, mode, target)):
            raise AtelierError("Nothing was changed.")
        async with exclusive_lock(dsn, "import"):  # a running import could bring rows back
            erased = await store.erase(connection, email, found, mode, done_by=operator())
    return _summary(erased, mode, target)


def _prompt(found: "Found", others_answers: int, mode: "Mode", target: str) -> str:
    from atelier.store.privacy import Mode

    subject = {
        Mode.ANONYMIZE: "The name, address, text and photos of",
        Mode.KEEP_TEXTS: "The name and address of",
    }.get(mode, "All of")
    addition = (
        f", with {_count(others_answers, 'answer')} of others" if mode is Mode.DELETE_ALL else ""
    )
    return f"{subject} {_counts(found)} in {target} would be erased{addition}."


def _counts(found: "Found") -> str:
    return f"{_count(len(found.questions), 'question')} and {_count(len(found.answers), 'answer')}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _summary(erased: "Erased", mode: "Mode", target: str) -> str:
    questions, answers = _count(erased.questions, "question"), _count(erased.answers, "answer")
    return (
        f"Erased in {target} ({mode}): {questions}, {answers}, {_count(erased.photos, 'photo')}, "
        f"{_count(erased.keys, 'idempotency key')}.\n"
        "Files were not changed: exports, rejects.csv and backups may still contain this person's "
        "data.\nAfter an import or a restore of one of them, erase again (docs/privacy.md)."
    )


COMMANDS = (privacy,)
