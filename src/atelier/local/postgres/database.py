"""The database that a command uses: the configured one, or the embedded one."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg

from atelier.errors import AtelierError
from atelier.local.host.programs import SUPPORTED
from atelier.local.host.registry import service_runs
from atelier.local.postgres import roles
from atelier.local.postgres.connection_errors import (
    ADMIN_SETTING,
    SETTING,
    describe,
    missing_privileges,
    unreachable,
)
from atelier.local.postgres.embedded import Embedded, database_of_other_service
from atelier.settings import Settings
from atelier.store.connections.hosts import connect_to_any
from atelier.store.connections.url import DatabaseUrl

_CONNECT_SECONDS = 10.0


@contextmanager
def database(settings: Settings, *, create: bool = False) -> Iterator[str]:
    """Yield the admin URL of a reachable database; start the embedded one if none is configured.

    Raises AtelierError, without the password, if the database is unreachable, the connection is
    lost in the context, or the role lacks a privilege. `create`: create the embedded database if
    the home has none.
    """
    with _admin_url(settings, create=create) as (dsn, setting):
        try:
            asyncio.run(_check(dsn, setting))
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
def address(settings: Settings) -> Iterator[str]:
    """Yield the service's URL of the configured database, unchecked, or of the embedded one.

    The embedded one is started. Raises AtelierError.
    """
    if not settings.is_embedded:
        yield service_url(settings, "")
        return
    with _embedded(settings) as dsn:
        asyncio.run(roles.ensure(dsn))
        yield service_url(settings, dsn)


def service_url(settings: Settings, admin: str) -> str:
    """Return the service's URL of the database that an admin URL refers to.

    Raises AtelierError if only the admin URL is configured.
    """
    if settings.database_url:
        return checked_url(settings.database_url)
    if settings.admin_database_url:
        raise AtelierError(f"{ADMIN_SETTING} is set: set {SETTING} to the URL of the service, too.")
    return str(replace(DatabaseUrl.parse(admin), user_info=roles.SERVICE_ROLE))


async def update_privileges(settings: Settings, dsn: str) -> None:
    """Grant the service's role what it needs now, unless it is the role of the admin URL `dsn`.

    The embedded database's role is created if it is missing. Raises AtelierError, and
    asyncpg.InsufficientPrivilegeError if the role of `dsn` is not the owner.
    """
    if settings.is_embedded:
        await roles.ensure(dsn)
    elif role := roles.separate_role(settings):
        await roles.update(dsn, role)


@contextmanager
def _admin_url(settings: Settings, *, create: bool) -> Iterator[tuple[str, str]]:
    """Yield the admin URL and the name of the setting that it comes from."""
    if settings.admin_database_url:
        yield checked_url(settings.admin_database_url, ADMIN_SETTING), ADMIN_SETTING
    elif settings.database_url:
        yield checked_url(settings.database_url), SETTING
    else:
        with _embedded(settings, create=create) as dsn:
            yield dsn, SETTING


@contextmanager
def _embedded(settings: Settings, *, create: bool = False) -> Iterator[str]:
    server = Embedded.open(settings.home) if create else Embedded.existing(settings.home)
    if not create and not service_runs(settings.home):
        _warn_of_other_service(settings.home)
    with server.used() as dsn:
        yield dsn


def _warn_of_other_service(home: Path) -> None:
    """Warn if this user's service uses another database: that may be the intended one."""
    if other := database_of_other_service(home):
        sys.stderr.write(f"atelier: This uses the database in {home}, but {other}.\n")


async def check_service_url(settings: Settings) -> None:
    """Connect to the service's URL if it is not the admin URL; raise AtelierError on failure."""
    if settings.database_url and settings.admin_database_url:
        await _check(checked_url(settings.database_url))


def check_urls(settings: Settings) -> None:
    """Raise AtelierError if the URL of the service or of the standbys is missing or malformed."""
    if not settings.is_embedded:
        service_url(settings, "")
    if settings.read_database_url:
        checked_url(settings.read_database_url, "ATELIER_READ_DATABASE_URL")


def checked_url(url: str, setting: str = SETTING) -> str:
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


async def _check(dsn: str, setting: str = SETTING) -> None:
    try:
        connection = await connect_to_any(dsn, timeout=_CONNECT_SECONDS)
    except TimeoutError as error:
        reason = f"no answer within {_CONNECT_SECONDS:.0f} s"
        raise unreachable(dsn, error, reason, setting=setting) from error
    except asyncpg.DiskFullError:
        raise
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise unreachable(dsn, error, setting=setting) from error
    version = connection.get_server_version()
    await connection.close()
    if version.major < SUPPORTED[0]:
        raise AtelierError(
            f"{describe(dsn)} is PostgreSQL {version.major}: {SUPPORTED[0]} or newer is required."
        )
