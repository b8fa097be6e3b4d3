"""Errors and timeouts of long-running database work."""

import errno
from functools import partial

import asyncpg
import pytest

from atelier.errors import AtelierError
from atelier.transfer.database.session import one_line_errors, open_workers, session, target_of
from tests.transfer.exports import fetch


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            asyncpg.DiskFullError("could not extend file\nHINT:  Check free disk space."),
            r"The import stopped: the database's disk is full \(could not extend file\)",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            r"The import failed: .*No space left on device. Free some space and run it again",
        ),
        (
            asyncpg.ConnectionDoesNotExistError("connection was closed"),
            "The import failed: the database closed the connection; its log says why",
        ),
        (
            asyncpg.UndefinedTableError("relation does not exist\nHINT: ask"),
            "The import failed: relation does not exist",
        ),
        (ConnectionRefusedError(111, "refused"), "The import failed: .*refused"),
    ],
)
def test_database_error_becomes_one_line(error: Exception, message: str) -> None:
    with pytest.raises(AtelierError, match=message) as caught, one_line_errors("The import"):
        raise error
    assert "\n" not in str(caught.value)


def test_missing_privileges_are_left_to_the_command_that_knows_the_grants() -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError), one_line_errors("The import"):
        raise asyncpg.InsufficientPrivilegeError("permission denied for database shop")


async def test_target_is_named_for_any_url_without_its_password(database: str) -> None:
    async with session(database, "atelier") as connection:
        named = await target_of(connection, "postgresql://u:secret@a:1,[::1]:2,c/shop")
    assert named.endswith(" on a:1,[::1]:2,c, schema atelier")


async def test_failing_job_cancels_the_others_and_its_error_is_raised(database: str) -> None:
    async def run(connection: asyncpg.Connection, query: str) -> None:
        await connection.execute(query)

    with pytest.raises(asyncpg.DivisionByZeroError):
        async with open_workers(database, "atelier") as workers:
            await workers.run(
                partial(run, query=query) for query in ("SELECT pg_sleep(600)", "SELECT 1 / 0")
            )
    while await fetch(database, "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)'"):
        pass


async def test_timeouts_of_the_role_do_not_apply(database: str) -> None:
    before = await asyncpg.connect(database)  # itself without the timeout
    await before.execute("ALTER ROLE CURRENT_USER SET statement_timeout = '10ms'")
    try:
        async with session(database, "atelier") as connection:
            await connection.execute("SELECT pg_sleep(0.05)")
    finally:
        await before.execute("ALTER ROLE CURRENT_USER RESET statement_timeout")
        await before.close()
