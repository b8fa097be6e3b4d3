"""The database that a command uses: the configured one, or the embedded one."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from atelier.errors import AtelierError
from atelier.local.host.programs import SUPPORTED
from atelier.local.host.registry import service_runs
from atelier.local.postgres.connection_errors import describe, missing_privileges, unreachable
from atelier.local.postgres.embedded import Embedded, database_of_other_service
from atelier.settings import Settings
from atelier.store.connections.hosts import connect_to_any
from atelier.store.connections.url import DatabaseUrl

_CONNECT_SECONDS = 10.0


@contextmanager
def database(settings: Settings, *, create: bool = False) -> Iterator[str]:
    """Yield the URL of a reachable database; start the embedded one if none is configured.

    Raises AtelierError, without the password, if the database is unreachable, the connection is
    lost in the context, or the role lacks a privilege. `create`: create the embedded database if
    the home has none.
    """
    with address(settings, create=create) as dsn:
        try:
            asyncio.run(_check(dsn))
            yield dsn
        except asyncpg.InsufficientPrivilegeError as error:
            raise asyncio.run(missing_privileges(dsn, error)) from error
        except (ConnectionError, asyncpg.PostgresConnectionError) as error:
            raise AtelierError(f"The connection to {describe(dsn)} was lost: {error}.") from error
        except asyncpg.DiskFullError as error:
            raise AtelierError(
                f"The disk of {describe(dsn)} is full: free some space. {error}."
            ) from error


@contextmanager
def address(settings: Settings, *, create: bool = False) -> Iterator[str]:
    """Yield the URL of the configured database, unchecked, or of the embedded one, started."""
    if settings.database_url:
        yield checked_url(settings.database_url)
        return
    server = Embedded.open(settings.home) if create else Embedded.existing(settings.home)
    if not create and not service_runs(settings.home):
        _warn_of_other_service(settings.home)
    with server.used() as dsn:
        yield dsn


def _warn_of_other_service(home: Path) -> None:
    """Warn if this user's service uses another database: that may be the intended one."""
    if other := database_of_other_service(home):
        sys.stderr.write(f"atelier: This uses the database in {home}, but {other}.\n")


def check_read_url(settings: Settings) -> None:
    """Raise AtelierError if the URL of the standbys is set and malformed."""
    if settings.read_database_url:
        checked_url(settings.read_database_url, "ATELIER_READ_DATABASE_URL")


def checked_url(url: str, setting: str = "ATELIER_DATABASE_URL") -> str:
    """Return a setting's URL; raise AtelierError if it is malformed. Does not connect."""
    url = url.strip()  # a URL read from a file may end in a line break
    try:
        DatabaseUrl.parse(url)
    except ValueError as error:
        raise AtelierError(
            f"{setting} is not a valid PostgreSQL URL ({error}): use "
            "postgresql://USER:PASSWORD@HOST:PORT/NAME, with special characters as %XX."
        ) from error
    return url


async def _check(dsn: str) -> None:
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
            f"{describe(dsn)} is PostgreSQL {version.major}: {SUPPORTED[0]} or newer is required."
        )
