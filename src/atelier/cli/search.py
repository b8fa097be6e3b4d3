"""The commands for the index of all posts."""
# ruff: noqa: PLC0415 - imports inside the commands keep the start of others quick

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from atelier.cli.common import connected, examples
from atelier.settings import Settings

if TYPE_CHECKING:
    import asyncpg

_PROGRESS_SECONDS = 5


@click.group()
def search() -> None:
    """Build, drop and inspect the index for moderators' search in all posts."""


@search.group()
def index() -> None:
    """Build, drop and inspect it. Without it, a search goes through all posts, page by page."""


@index.command(epilog=examples("atelier search index build"))
@click.pass_obj
def build(settings: Settings) -> None:
    """Build it, which takes minutes for millions of posts; the service goes on meanwhile.

    Posts then take a little longer, votes and pages do not. An import that replaces all data drops
    it.
    """
    from atelier.local.postgres.database import database

    with database(settings) as dsn:
        asyncio.run(_build(dsn))


@index.command()
@click.pass_obj
def drop(settings: Settings) -> None:
    """Drop it; the service goes on meanwhile."""
    from atelier.local.postgres.database import database

    with database(settings) as dsn:
        asyncio.run(_drop(dsn))
    click.echo("There is no index now.")


@index.command()
@click.pass_obj
def status(settings: Settings) -> None:
    """Show whether it is there, its size, and the progress of a build."""
    from atelier.local.postgres.database import database

    with database(settings) as dsn:
        asyncio.run(_status(dsn))


async def _build(dsn: str) -> None:
    from atelier.store.moderation.search import build_index, index_state

    async with connected(dsn, "Building the index") as connection:
        started = time.monotonic()
        progress = asyncio.create_task(_show_progress(dsn))
        async for name in build_index(connection):
            click.echo(f"Building {name}.")
        progress.cancel()
        with suppress(asyncio.CancelledError):
            await progress
        _show(await index_state(connection))
        click.echo(f"It took {time.monotonic() - started:.0f} seconds.")


async def _show_progress(dsn: str) -> None:
    from atelier.store.moderation.search import index_progress

    async with connected(dsn, "Reading the progress") as connection:
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            _show_builds(await index_progress(connection))


async def _drop(dsn: str) -> None:
    from atelier.store.moderation.search import drop_index

    async with connected(dsn, "Dropping the index") as connection:
        await drop_index(connection)


async def _status(dsn: str) -> None:
    from atelier.store.moderation.search import index_progress, index_state

    async with connected(dsn, "Reading the state") as connection:
        state = await index_state(connection)
        _show(state)
        _show_builds(await index_progress(connection))
    if not state:
        click.echo("There is no index: atelier search index build")


def _show(state: "list[asyncpg.Record]") -> None:
    for row in state:
        note = f", built in {row['seconds']} s" if row["seconds"] is not None else ""
        note = note if row["is_valid"] else ", not complete"
        click.echo(f"{row['name']}: {row['bytes'] / 2**20:.1f} MB{note}")


def _show_builds(builds: "list[asyncpg.Record]") -> None:
    for row in builds:
        percent = "" if row["percent"] is None else f", {row['percent']} %"
        click.echo(f"{row['name']}: {row['phase']}{percent}")


COMMANDS = (search,)
