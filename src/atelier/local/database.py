"""The database that a command works on: the user's, or the embedded one."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import SplitResult, parse_qs, urlsplit

import asyncpg

from atelier.errors import AtelierError
from atelier.local.embedded import Embedded
from atelier.local.programs import SUPPORTED
from atelier.settings import Settings

_CONNECT_SECONDS = 10.0
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]*)(:\d+)?")


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Yield the address of a database that answers; start the embedded one if none is set.

    Raises AtelierError, without the password, if it does not answer or is lost on the way.
    """
    with address(settings) as dsn:
        try:
            asyncio.run(_ask(dsn))
            yield dsn
        except (ConnectionError, asyncpg.PostgresConnectionError) as error:
            raise AtelierError(f"The connection to {place(dsn)} was lost: {error}.") from error
        except asyncpg.DiskFullError as error:
            raise AtelierError(f"The disk of {place(dsn)} is full: make room. {error}.") from error


@contextmanager
def address(settings: Settings) -> Iterator[str]:
    """Yield the address of the user's database as it is, or of the embedded one, started."""
    if settings.database_url:
        yield checked_url(settings.database_url)
        return
    with Embedded.open(settings.home).used() as dsn:
        yield dsn


def check_read_url(settings: Settings) -> None:
    """Raise AtelierError if the address of the standbys is set and is none."""
    if settings.read_database_url:
        checked_url(settings.read_database_url, "ATELIER_READ_DATABASE_URL")


def checked_url(url: str, setting: str = "ATELIER_DATABASE_URL") -> str:
    """Return the URL of a setting; raise AtelierError if it is none. Nothing is connected."""
    try:
        well_formed = _is_well_formed(urlsplit(url))
    except ValueError:
        well_formed = False
    if not well_formed:
        raise AtelierError(
            f"{setting} is no PostgreSQL address: write "
            "postgresql://USER:PASSWORD@HOST:PORT/NAME, special characters as %XX."
        )
    return url


def place(dsn: str) -> str:
    """Return where a database is, fit to be shown."""
    parts = urlsplit(dsn)
    hosts = parts.netloc.rpartition("@")[2] or parse_qs(parts.query).get("host", ["localhost"])[0]
    return f"the database {parts.path.lstrip('/')} at {hosts}"


def _is_well_formed(parts: SplitResult) -> bool:
    """Refuse what a stray character of a password may have split, lest a piece be shown."""
    parse_qs(parts.query, strict_parsing=bool(parts.query))
    user, _, hosts = parts.netloc.rpartition("@")
    return (
        parts.scheme in {"postgresql", "postgres"}
        and all(_HOST.fullmatch(host) for host in hosts.split(","))
        and "@" not in user + parts.path + parts.query
        and not parts.fragment
    )


async def _ask(dsn: str) -> None:
    try:
        connection = await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS)
    except TimeoutError as error:
        reason = f"no answer within {_CONNECT_SECONDS:.0f} s"
        raise _unreachable(dsn, reason) from error
    except asyncpg.DiskFullError:
        raise
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise _unreachable(dsn, str(error)) from error
    version = connection.get_server_version()
    await connection.close()
    if version.major < SUPPORTED[0]:
        raise AtelierError(
            f"{place(dsn)} is PostgreSQL {version.major}: {SUPPORTED[0]} or newer is needed."
        )


def _unreachable(dsn: str, reason: str) -> AtelierError:
    return AtelierError(
        f"Cannot connect to {place(dsn)}: {reason.partition(chr(10))[0]}. "
        "Is it running, and is its address right?"
    )
