"""The command that prints figures of all questions and answers."""
# ruff: noqa: PLC0415 - imports inside the command keep the start of others quick

import asyncio
from typing import TYPE_CHECKING, Any

import click

from atelier.cli.common import connected, examples
from atelier.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from atelier.store.unanswered import Stats

_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60))


@click.command(epilog=examples("atelier stats", "atelier stats --json | jq .unanswered"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def stats(settings: Settings, *, as_json: bool) -> None:
    """Print what waits for an answer and how long that takes, posts per day, and what rules did.

    It reads the whole database, which takes a while if it is large.
    """
    import json

    from rich.console import Console

    from atelier.local.postgres.database import database

    with database(settings) as dsn:
        found = asyncio.run(_stats(dsn))
    if as_json:
        click.echo(json.dumps(_json(found), indent=2))
        return
    console = Console()
    for table in _tables(found):
        console.print(table)


async def _stats(dsn: str) -> "Stats":
    from atelier.store import unanswered

    async with connected(dsn, "Reading the figures") as connection:
        return await unanswered.stats(connection)


def _json(found: "Stats") -> dict[str, Any]:
    waited = found.first_answers
    times = {"median_seconds": waited.median_seconds, "p90_seconds": waited.p90_seconds}
    figures = {"time_to_first_answer": times, "days": found.days, "rules": found.rules}
    return {**found.totals, **figures}


def _tables(found: "Stats") -> "Iterator[Table]":
    from rich.table import Table

    totals, waited = found.totals, found.first_answers
    table = Table("", "", show_header=False)
    for label, value in (
        ("questions", f"{totals['questions']:,}"),
        ("answers", f"{totals['answers']:,}"),
        ("hidden", f"{totals['hidden_questions'] + totals['hidden_answers']:,}"),
        ("unanswered questions", f"{totals['unanswered']:,}"),
        ("the oldest of them", totals["oldest_unanswered"] or "none"),
        ("time to first answer, median", duration(waited.median_seconds)),
        ("the same, 90th percentile", duration(waited.p90_seconds)),
    ):
        table.add_row(label, value)
    yield table
    posts = Table("day (UTC)", "questions", "answers")
    for day in found.days:
        posts.add_row(day["day"], f"{day['questions']:,}", f"{day['answers']:,}")
    yield posts
    if found.rules:
        rules = Table("moderation rule", "version", "posts held or refused", "the last at")
        for rule in found.rules:
            rules.add_row(rule["rule"], str(rule["version"]), f"{rule['posts']:,}", rule["last_at"])
        yield rules


def duration(seconds: float | None) -> str:
    """Return a time in its largest unit, such as `3.5 hours`; `none` if there is none."""
    if seconds is None:
        return "none"
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.0f} seconds"


COMMANDS = (stats,)
