"""The database that a command works on: the user's, or the embedded one."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from atelier.errors import AtelierError
from atelier.local.host.programs import SUPPORTED
from atelier.local.host.registry import service_runs
from atelier.local.postgres.connection_errors import lacking_rights, place, unreachable
from atelier.local.postgres.embedded import Embedded, database_of_other_service
from atelier.settings import Settings
from atelier.store.connections.hosts import connect_to_any
from atelier.store.connections.url import DatabaseUrl

_CONNECT_SECONDS = 10.0


@contextmanager
def database(settings: Settings, *, make: bool = False) -> Iterator[str]:
    """Yield the address of a database that answers; start the embedded one if none is set.

    Raises AtelierError, without the password, if it does not answer, is lost on the way, or does
    not let the role do what is done in the context. `make`: where the home has no database, make
    one.
    """
    with address(settings, make=make) as dsn:
        try:
            asyncio.run(_ask(dsn))
            yield dsn
        except asyncpg.InsufficientPrivilegeError as error:
            raise asyncio.run(lacking_rights(dsn, error)) from error
        except (ConnectionError, asyncpg.PostgresConnectionError) as error:
            raise AtelierError(f"The connection to {place(dsn)} was lost: {error}.") from error
        except asyncpg.DiskFullError as error:
            raise AtelierError(f"The disk of {place(dsn)} is full: make room. {error}.") from error


@contextmanager
def address(settings: Settings, *, make: bool = False) -> Iterator[str]:
    """Yield the address of the user's database as it is, or of the embedded one, started."""
    if settings.database_url:
        yield checked_url(settings.database_url)
        return
    server = Embedded.open(settings.home) if make else Embedded.existing(settings.home)
    if not make and not service_runs(settings.home):
        _warn_of_other_service(settings.home)
    with server.used() as dsn:
        yield dsn


def _warn_of_other_service(home: Path) -> None:
    """Say so if this user's service works on another database, for that may be the one meant."""
    if elsewhere := database_of_other_service(home):
        sys.stderr.write(f"atelier: This works on the database in {home}, but {elsewhere}.\n")


def check_read_url(settings: Settings) -> None:
    """Raise AtelierError if the address of the standbys is set and is none."""
    if settings.read_database_url:
        checked_url(settings.read_database_url, "ATELIER_READ_DATABASE_URL")


def checked_url(url: str, setting: str = "ATELIER_DATABASE_URL") -> str:
    """Return the URL of a setting; raise AtelierError if it is none. Nothing is connected."""
    url = url.strip()  # a file that it was read from may have ended in a line break
    try:
        DatabaseUrl.parse(url)
    except ValueError as error:
        raise AtelierError(
            f"{setting} is no PostgreSQL address, for {error}: write "
            "postgresql://USER:PASSWORD@HOST:PORT/NAME, special characters as %XX."
        ) from error
    return url


async def _ask(dsn: str) -> None:
    try:
        connection = await connect_to_any(dsn, timeout=_CONNECT_SECONDS)
    except TimeoutError as error:
        raise unreachable(dsn, error, f"no answer within {_CONNECT_SECONDS:.0f} s") from error
    except asyncpg.DiskFullError:
        raise
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise unreachable(dsn, error) from error
    version = connection.get_server_version()
    await connection.close()
    if version.major < SUPPORTED[0]:
        raise AtelierError(
            f"{place(dsn)} is PostgreSQL {version.major}: {SUPPORTED[0]} or newer is needed."
        )
