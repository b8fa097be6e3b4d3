"""The database that a command works on: the user's, or the embedded one."""

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
    lacking_rights,
    place,
    unreachable,
)
from atelier.local.postgres.embedded import Embedded, database_of_other_service
from atelier.settings import Settings
from atelier.store.connections.hosts import connect_to_any
from atelier.store.connections.url import DatabaseUrl

_CONNECT_SECONDS = 10.0


@contextmanager
def database(settings: Settings, *, make: bool = False) -> Iterator[str]:
    """Yield the admin's address of a database that answers; start the embedded one if none is set.

    Raises AtelierError, without the password, if it does not answer, is lost on the way, or does
    not let the role do what is done in the context. `make`: where the home has no database, make
    one.
    """
    with _admin_address(settings, make=make) as (dsn, setting):
        try:
            asyncio.run(_ask(dsn, setting))
            yield dsn
        except asyncpg.InsufficientPrivilegeError as error:
            raise asyncio.run(lacking_rights(dsn, error)) from error
        except (ConnectionError, asyncpg.PostgresConnectionError) as error:
            raise AtelierError(f"The connection to {place(dsn)} was lost: {error}.") from error
        except asyncpg.DiskFullError as error:
            raise AtelierError(f"The disk of {place(dsn)} is full: make room. {error}.") from error


@contextmanager
def address(settings: Settings) -> Iterator[str]:
    """Yield the service's address of the user's database as it is, or of the embedded one, started.

    Raises AtelierError.
    """
    if not settings.is_embedded:
        yield service_url(settings, "")
        return
    with _embedded(settings) as dsn:
        asyncio.run(roles.provide(dsn))
        yield service_url(settings, dsn)


def service_url(settings: Settings, admin: str) -> str:
    """Return the service's address of the database that an admin's address is of.

    Raises AtelierError where only the admin's is set.
    """
    if settings.database_url:
        return checked_url(settings.database_url)
    if settings.admin_database_url:
        raise AtelierError(f"{ADMIN_SETTING} is set: set {SETTING} to what the service is to use.")
    return str(replace(DatabaseUrl.parse(admin), user_info=roles.SERVICE_ROLE))


async def update_rights(settings: Settings, dsn: str) -> None:
    """Grant the role of the service what it needs now, if it is another than that of a URL.

    That of the embedded database is made if it is missing. Raises AtelierError, and
    asyncpg.InsufficientPrivilegeError where the role of the URL is not the owner.
    """
    if settings.is_embedded:
        await roles.provide(dsn)
    elif role := roles.other_role(settings):
        await roles.update(dsn, role)


@contextmanager
def _admin_address(settings: Settings, *, make: bool) -> Iterator[tuple[str, str]]:
    """Yield the admin's address, and the setting that it is from."""
    if settings.admin_database_url:
        yield checked_url(settings.admin_database_url, ADMIN_SETTING), ADMIN_SETTING
    elif settings.database_url:
        yield checked_url(settings.database_url), SETTING
    else:
        with _embedded(settings, make=make) as dsn:
            yield dsn, SETTING


@contextmanager
def _embedded(settings: Settings, *, make: bool = False) -> Iterator[str]:
    server = Embedded.open(settings.home) if make else Embedded.existing(settings.home)
    if not make and not service_runs(settings.home):
        _warn_of_other_service(settings.home)
    with server.used() as dsn:
        yield dsn


def _warn_of_other_service(home: Path) -> None:
    """Say so if this user's service works on another database, for that may be the one meant."""
    if elsewhere := database_of_other_service(home):
        sys.stderr.write(f"atelier: This works on the database in {home}, but {elsewhere}.\n")


async def check_service(settings: Settings) -> None:
    """Raise AtelierError if the service has an address of its own that cannot be connected to."""
    if settings.database_url and settings.admin_database_url:
        await _ask(checked_url(settings.database_url))


def check_urls(settings: Settings) -> None:
    """Raise AtelierError if the service's address or the standbys' is none."""
    if not settings.is_embedded:
        service_url(settings, "")
    if settings.read_database_url:
        checked_url(settings.read_database_url, "ATELIER_READ_DATABASE_URL")


def checked_url(url: str, setting: str = SETTING) -> str:
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


async def _ask(dsn: str, setting: str = SETTING) -> None:
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
            f"{place(dsn)} is PostgreSQL {version.major}: {SUPPORTED[0]} or newer is needed."
        )
