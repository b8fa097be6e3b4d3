"""The commands for moderators: the queue, decisions, undo and the audit trail."""
# ruff: noqa: PLC0415 - each command imports what it needs, so that all start quickly

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import click

from atelier.cli.common import examples, operator
from atelier.errors import AtelierError
from atelier.settings import Settings

if TYPE_CHECKING:
    from atelier.store.connections.database import Database
    from atelier.store.moderation.decisions import Result

_TARGETS = ("question", "answer")
_SHOWN_CHARACTERS = 60
_MAX_ITEMS = 1000


def _read_text(_context: click.Context, _parameter: click.Parameter, given: str) -> str:
    """Return the text given, or for `-` all of standard input."""
    return sys.stdin.read() if given == "-" else given


_Command = Callable[..., None]


def _decision_options(command: _Command) -> _Command:
    """Add the options that every decision has."""
    for option in (
        click.option("--version", help="The version that the queue showed; by default any."),
        click.option("--note", help="For the audit trail; it cannot be changed or erased."),
        click.option("--reason", required=True, metavar="CODE", help="spam, off_topic, …"),
    ):
        command = option(command)
    return command


_TARGET = click.argument("target", type=click.Choice(_TARGETS))
_ID = click.argument("number", metavar="ID", type=int)
_TEXT = click.option(
    "--text", required=True, callback=_read_text, help="The text; `-` reads standard input."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per line.")


@click.group()
def moderate() -> None:
    """Review what shoppers reported, and what is held for review.

    Every decision is recorded with the user and host that made it, and can be undone as long as it
    is the last one about its question or answer.
    """


@moderate.command(
    epilog=examples("atelier moderate queue", "atelier moderate queue --filter held --json")
)
@click.option(
    "--filter",
    "chosen",
    type=click.Choice(("reported", "held", "removed", "newest")),
    default="reported",
    show_default=True,
)
@click.option("--product", type=int, help="Only this product's.")
@click.option("--reason", help="Only what was reported for this reason.")
@click.option("--limit", type=click.IntRange(1, _MAX_ITEMS), default=20, show_default=True)
@_JSON
@click.pass_obj
def queue(  # noqa: PLR0913 - one parameter per option
    settings: Settings,
    *,
    chosen: str,
    product: int | None,
    reason: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show the questions and answers to look at, the latest first."""
    if chosen == "newest" and (product is not None or reason is not None):
        raise click.UsageError("--filter newest excludes --product and --reason.")
    items = run(settings, lambda database: _items(database, chosen, product, reason, limit))
    if as_json:
        print_lines(items)
        return
    columns = ("", "id", "version", "state", "product", "reports", "reasons", "text")
    print_table(columns, map(_item_row, items))


@moderate.command(epilog=examples("atelier moderate restore answer 5 --reason fine"))
@_TARGET
@_ID
@_decision_options
@click.pass_obj
def restore(settings: Settings, /, **fields: Any) -> None:  # noqa: ANN401 - the options
    """Show a question or an answer again, and clear its reports."""
    _decide(settings, "restore", **fields)


@moderate.command(epilog=examples("atelier moderate remove question 7 --reason spam"))
@_TARGET
@_ID
@_decision_options
@click.pass_obj
def remove(settings: Settings, /, **fields: Any) -> None:  # noqa: ANN401 - the options
    """Hide a question or an answer."""
    _decide(settings, "remove", **fields)


@moderate.command(epilog=examples("atelier moderate hold answer 5 --reason unclear"))
@_TARGET
@_ID
@_decision_options
@click.pass_obj
def hold(settings: Settings, /, **fields: Any) -> None:  # noqa: ANN401 - the options
    """Hide a question or an answer until another decision."""
    _decide(settings, "hold", **fields)


@moderate.command(epilog=examples("atelier moderate answer 7 --reason service --text 'It does.'"))
@_ID
@_TEXT
@_decision_options
@click.pass_obj
def answer(settings: Settings, /, **fields: Any) -> None:  # noqa: ANN401 - the options
    """Answer the question ID as the seller."""
    _decide(settings, "answer_as_seller", target="question", **fields)


@moderate.command(epilog=examples("atelier moderate edit answer 5 --reason typo --text - < text"))
@_TARGET
@_ID
@_TEXT
@_decision_options
@click.pass_obj
def edit(settings: Settings, /, **fields: Any) -> None:  # noqa: ANN401 - the options
    """Correct the text of a question or an answer; the old text is kept."""
    _decide(settings, "edit_typo", **fields)


@moderate.command(epilog=examples("atelier moderate undo 17 --reason mistake"))
@click.argument("number", metavar="DECISION", type=int)
@click.option("--reason", required=True, metavar="CODE")
@click.option("--note", help="For the audit trail.")
@click.pass_obj
def undo(settings: Settings, number: int, reason: str, note: str | None) -> None:
    """Undo a decision; this is a decision itself."""
    from atelier.http.common.moderation import decision_bodies

    why = _valid(lambda: decision_bodies.why({"reason": reason, "note": note}))

    async def undo_in(database: "Database") -> "Result":
        from atelier.store.moderation.decisions import Decisions

        return await Decisions(database).undo(operator(), number, *why)

    _print_result(run(settings, undo_in))


@moderate.command(
    epilog=examples("atelier moderate decisions", "atelier moderate decisions --json > trail.jsonl")
)
@click.option("--actor", help="Only those of this moderator.")
@click.option("--limit", type=click.IntRange(1, _MAX_ITEMS), default=20, show_default=True)
@_JSON
@click.pass_obj
def decisions(settings: Settings, *, actor: str | None, limit: int, as_json: bool) -> None:
    """Show the latest decisions; with --json, print the whole audit trail, the oldest first."""
    if as_json:
        run(settings, lambda database: _print_trail(database, actor))
        return

    async def latest(database: "Database") -> list[dict[str, Any]]:
        from atelier.store.moderation.decisions import Decisions, Filter

        return await Decisions(database).page(Filter(actor), limit=limit)

    columns = ("id", "time", "by", "action", "", "post", "reason", "after")
    names = ("id", "decided_at", "actor", "action", "target", "target_id", "reason", "state_after")
    rows = run(settings, latest)
    print_table(columns, ([str(row[name]) for name in names] for row in rows))


def _decide(settings: Settings, action: str, *, number: int, **fields: Any) -> None:  # noqa: ANN401 - the options
    from atelier.http.common.moderation import decision_bodies

    given = {"action": action, "id": number, **fields}
    decision = _valid(lambda: decision_bodies.decision(given, needs_version=False))

    async def decide_in(database: "Database") -> "Result":
        from atelier.store.moderation.decisions import Decisions

        [result] = await Decisions(database).decide(operator(), [decision])
        return result

    _print_result(run(settings, decide_in))


def _valid(parse: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever `parse` returns
    from atelier.http.common.errors import ApiError

    try:
        return parse()
    except ApiError as error:
        raise click.UsageError(f"{error.description}.") from error


def run(
    settings: Settings,
    work: Callable[["Database"], Any],
    *,
    seconds: float | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Any:  # noqa: ANN401 - whatever `work` returns
    """Return the result of some work with the database; raise AtelierError if it fails.

    `seconds` limit each statement; `parameters` are settings of the session.
    """
    from atelier.local.postgres.database import database

    async def run_in(dsn: str) -> Any:  # noqa: ANN401 - likewise
        async with _database(dsn, seconds or settings.request_timeout, parameters) as pool:
            return await work(pool)

    with database(settings) as dsn:
        return asyncio.run(run_in(dsn))


@asynccontextmanager
async def _database(
    dsn: str, seconds: float, parameters: Mapping[str, str] | None
) -> AsyncIterator["Database"]:
    from atelier.errors import describe_error
    from atelier.store.connections.database import (
        Database,
        DatabaseUnavailableError,
        MissingPrivilegesError,
        SchemaMismatchError,
    )

    pool = Database(dsn, size=1, timeout=seconds, parameters=parameters)
    try:
        yield pool
    except MissingPrivilegesError as error:
        raise AtelierError(
            f"The role lacks a privilege: {describe_error(error.__cause__)}"
        ) from error
    except SchemaMismatchError as error:
        raise AtelierError("The database lacks tables: run `atelier migrate` first.") from error
    except DatabaseUnavailableError as error:
        raise AtelierError(f"No database answers: {describe_error(error.__cause__)}") from error
    finally:
        await pool.close()


async def _items(
    database: "Database", chosen: str, product: int | None, reason: str | None, limit: int
) -> list[dict[str, Any]]:
    from atelier.store.moderation.queue import NewestPosition, Position, Queue, State

    lists = Queue(database)
    if chosen == "newest":
        return (await lists.newest(after=NewestPosition(), limit=limit)).items
    page = await lists.page(
        State(chosen), product_id=product, reason=reason, after=Position(), limit=limit
    )
    return page.items


async def _print_trail(database: "Database", actor: str | None) -> None:
    from atelier.store.moderation.decisions import Decisions, Filter

    async for decision in Decisions(database).all(Filter(actor)):
        print_lines([decision])


def print_lines(rows: Iterable[dict[str, Any]]) -> None:
    """Print one JSON object per line."""
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False))


def _item_row(item: dict[str, Any]) -> list[str]:
    reasons = ", ".join(f"{each['reason']} ({each['count']})" for each in item["reasons"])
    text = " ".join(item["object"]["body"].split())
    if len(text) > _SHOWN_CHARACTERS:
        text = text[:_SHOWN_CHARACTERS] + "…"
    names = ("target", "id", "version", "state", "product_id", "reports")
    return [*(str(item[name]) for name in names), reasons, text]


def print_table(columns: tuple[str, ...], rows: Iterable[list[str]]) -> None:
    """Print rows of texts under these headings."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in rows:
        table.add_row(*map(Text, row))
    Console(width=max(Console().width, 140)).print(table)


def _print_result(result: "Result") -> None:
    from atelier.store.moderation.decisions import Outcome

    decision = result.decision or {}
    if result.outcome is Outcome.DONE:
        click.echo(
            f"Decision {decision['id']}: {decision['action']} {decision['target']} "
            f"{decision['target_id']}, now {decision['state_after']}."
        )
        return
    raise AtelierError(
        {
            Outcome.NO_TARGET: "It does not exist; it may have been deleted.",
            Outcome.CONFLICT: "Another decision was made since: "
            f"{decision.get('id')}, {decision.get('action')} by {decision.get('actor')}.",
            Outcome.CHANGED: "The text was changed since: look at it again.",
            Outcome.ERASED: "The old text was erased with its author's personal data.",
        }[result.outcome]
    )


COMMANDS = (moderate,)
