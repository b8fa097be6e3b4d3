"""Error texts name the cause, without values from rows and requests."""

import asyncio
import json
import logging

import asyncpg
import pytest

from atelier.errors import AtelierError, describe_error, format_traceback
from atelier.http.common.logs import configure_logs
from tests.support.data import Data

_SECRET = "jane@secret.example"


def _postgres_error(kind: type[asyncpg.PostgresError], message: str, **fields: str) -> Exception:
    error = kind(message)
    for name, value in fields.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (AtelierError("Do this."), "AtelierError: Do this."),
        (ValueError(f"invalid literal: {_SECRET!r}"), "ValueError"),
        (KeyError(_SECRET), "KeyError"),
        (ConnectionRefusedError(111, "Connect call failed"), "Connect call failed"),
        (FileNotFoundError(2, "No such file", f"/{_SECRET}"), "FileNotFoundError: No such file"),
        (asyncpg.InterfaceError("connection is closed"), "InterfaceError: connection is closed"),
        (asyncpg.exceptions._base.DataError(f"invalid input: {_SECRET}"), "DataError"),  # noqa: SLF001 - only defined there
        (
            asyncpg.InvalidTextRepresentationError(f'invalid input syntax: "{_SECRET}"'),
            "SQLSTATE 22P02",
        ),
        (asyncpg.RaiseError(f"not {_SECRET}"), "RaiseError: SQLSTATE P0001"),
        (asyncpg.DeadlockDetectedError("deadlock detected"), "deadlock detected, SQLSTATE 40P01"),
        (
            _postgres_error(
                asyncpg.CheckViolationError,
                "violates",
                detail=f"Failing row contains ({_SECRET})",
                table_name="questions",
                constraint_name="refused",
            ),
            "SQLSTATE 23514, table questions, constraint refused",
        ),
    ],
)
def test_error_descriptions_contain_no_values(error: Exception, text: str) -> None:
    assert text in describe_error(error)
    assert _SECRET not in describe_error(error)


def test_tracebacks_show_all_causes_without_values() -> None:
    try:
        try:
            int(_SECRET)
        except ValueError as cause:
            raise KeyError(_SECRET) from cause
    except KeyError as error:
        text = format_traceback(ExceptionGroup(_SECRET, [error, OSError(5, "Input/output error")]))
    lines = text.splitlines()
    assert [line for line in lines if "Error" in line and not line.startswith(" ")] == [
        "ValueError",
        "KeyError",
        "OSError: Input/output error",
    ]
    assert "int(_SECRET)" in text, "the line of code, not its values"
    assert _SECRET not in text


async def test_values_rejected_by_a_constraint_are_not_shown(database: str) -> None:
    connection = await asyncpg.connect(database, server_settings={"search_path": "atelier"})
    await connection.execute("CREATE UNIQUE INDEX one_each ON questions (asker_email)")
    data = Data(connection)
    await data.question(1, email=_SECRET)
    with pytest.raises(asyncpg.UniqueViolationError) as raised:
        await data.question(1, email=_SECRET)
    assert _SECRET in str(raised.value), "PostgreSQL's detail quotes it"
    assert "constraint one_each" in format_traceback(raised.value)
    assert _SECRET not in format_traceback(raised.value)
    await connection.close()


def test_asyncio_errors_are_logged_without_values(
    capfd: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level

    async def fail() -> None:
        raise ValueError(_SECRET)

    async def abandon_task() -> None:
        asyncio.get_running_loop().call_soon(int, _SECRET)
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    try:
        configure_logs("instance-1")
        asyncio.run(abandon_task())
        logging.getLogger("shop").error("%d things", _SECRET)
    finally:
        root.handlers[:], root.level = before
    output = capfd.readouterr().err
    events = [json.loads(line) for line in output.splitlines()]
    assert [event["message"].strip() for event in events] == [
        "Exception in callback int",
        "Task exception was never retrieved",
        "a record could not be written: its message is malformed",
    ]
    assert _SECRET not in output
