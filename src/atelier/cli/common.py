"""Shared by all commands."""
# ruff: noqa: PLC0415 - imports inside the functions keep the start of commands quick

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from atelier.errors import AtelierError

if TYPE_CHECKING:
    import asyncpg


def examples(*lines: str) -> str:
    """Return a help epilog with examples, one per line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


@asynccontextmanager
async def connected(dsn: str, operation: str) -> AsyncIterator["asyncpg.Connection"]:
    """Open a connection to the tables; turn its errors into an AtelierError that names `operation`.

    `operation` begins the sentence: "The export".
    """
    import asyncpg

    from atelier.store.connections.database import SCHEMA, UNDEFINED
    from atelier.transfer.database.session import one_line_errors, session

    with one_line_errors(operation):
        try:
            async with session(dsn, SCHEMA) as connection:
                yield connection
        except asyncpg.InsufficientPrivilegeError:
            raise
        except UNDEFINED as error:
            raise AtelierError("The database lacks tables: run `atelier migrate` first.") from error


def moment(value: datetime) -> str:
    """Return a time as ISO 8601 to the second, in UTC."""
    return value.isoformat(timespec="seconds").replace("+00:00", "Z")


def operator() -> str:
    """Return the user and host that run the command, for the record."""
    import getpass
    import socket

    return f"{getpass.getuser()}@{socket.gethostname()}"
