"""The service's role: creates it and grants it only what its statements need (decision 14)."""

import base64
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import pbkdf2_hmac, sha256

import asyncpg

from atelier.errors import AtelierError
from atelier.settings import Settings
from atelier.store.connections.database import UNDEFINED, connect_directly
from atelier.store.connections.url import DatabaseUrl
from atelier.store.queries import queries

SERVICE_ROLE = "atelier_service"
"""The default name of the service's role."""

_QUERIES = queries("atelier.local.postgres")
_ADVISORY_LOCK = 0x41_74_52_6F  # "AtRo"
_SCRAM_ITERATIONS = 4096  # PostgreSQL's default
_SCRAM_KEYS = ("Client Key", "Server Key")


def quoted(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def separate_role(settings: Settings) -> str | None:
    """Return the role of the service's URL, or None if it is also the role of the admin URL."""
    if not (settings.database_url and settings.admin_database_url):
        return None
    service, admin = map(_user, (settings.database_url, settings.admin_database_url))
    return service if service and service != admin else None


def service_role(settings: Settings) -> str:
    """Return the name of the service's role; SERVICE_ROLE if there is no separate one yet."""
    return separate_role(settings) or SERVICE_ROLE


def _user(url: str) -> str:
    with suppress(ValueError):  # reported when connecting
        return DatabaseUrl.parse(url.strip()).user
    return ""


def statements(role: str) -> str:
    """Return the SQL that creates a role, if it is missing, and grants it what it needs."""
    return _create_statement(role) + _grant_statements(role)


async def apply(dsn: str, role: str, password: str | None = None) -> bool:
    """Create a role, if it is missing, and grant it what it needs; return whether it was created.

    Raises AtelierError if the database is not migrated, if no grant can restrict the role, or if
    the role is missing and the one of the URL must not create roles; and
    asyncpg.InsufficientPrivilegeError if the role of the URL is not the owner.
    """
    async with _exclusive_connection(dsn) as connection:
        is_missing = not await _exists(connection, role)
        if is_missing:
            await _create(connection, role)
        if password is not None:
            verifier = scram_verifier(password)
            await connection.execute(f"ALTER ROLE {quoted(role)} PASSWORD '{verifier}'")
        await _grant(connection, role)
        return is_missing


async def create(dsn: str, role: str) -> None:
    """Create a role without privileges, if it is missing, in a database that may be empty.

    Raises AtelierError if it is missing and the role of the URL must not create roles.
    """
    async with _exclusive_connection(dsn) as connection:
        await _create(connection, role)


async def update(dsn: str, role: str) -> None:
    """Grant a role what it needs now, as after a migration, if the role exists.

    Raises AtelierError and asyncpg.InsufficientPrivilegeError like `apply`.
    """
    async with _exclusive_connection(dsn) as connection:
        if await _exists(connection, role):
            await _grant(connection, role)


async def ensure(dsn: str) -> None:
    """Create SERVICE_ROLE if it is missing; grant it what it needs if the database is migrated."""
    async with _exclusive_connection(dsn) as connection:
        await connection.execute(_create_statement(SERVICE_ROLE))
        with suppress(AtelierError):
            await _exists(connection, SERVICE_ROLE)
            await _grant(connection, SERVICE_ROLE)


@asynccontextmanager
async def _exclusive_connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect and take a lock: concurrent grants on the same object fail in PostgreSQL."""
    connection = await connect_directly(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _ADVISORY_LOCK)
        yield connection
    finally:
        await connection.close()


def scram_verifier(password: str) -> str:
    """Return PostgreSQL's SCRAM verifier, which is sent to the server instead of the password.

    Raises AtelierError unless the password is printable ASCII: clients normalize others
    differently.
    """
    if not (password and password.isascii() and password.isprintable()):
        raise AtelierError("The password must consist of printable ASCII characters.")
    salt = secrets.token_bytes(16)
    salted = pbkdf2_hmac("sha256", password.encode(), salt, _SCRAM_ITERATIONS)
    client, server = (hmac.digest(salted, key.encode(), "sha256") for key in _SCRAM_KEYS)
    stored = sha256(client).digest()
    parts = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(_SCRAM_ITERATIONS, *parts)


async def _exists(connection: asyncpg.Connection, role: str) -> bool:
    rows = await connection.fetch(_QUERIES["service_role_state"], role)
    if not rows:
        raise AtelierError("The database is not migrated: run `atelier migrate` first.")
    if rows[0]["is_owner"]:
        raise AtelierError(
            f"{role} is a superuser or a member of the schema's owner, so grants cannot restrict "
            "it: name another role."
        )
    return bool(rows[0]["is_present"])


async def _create(connection: asyncpg.Connection, role: str) -> None:
    try:
        await connection.execute(_create_statement(role))
    except asyncpg.InsufficientPrivilegeError as error:
        raise AtelierError(
            f"The role {role} does not exist, and creating it requires CREATEROLE: have a role "
            f"with that run CREATE ROLE {quoted(role)} LOGIN; then run this again."
        ) from error


async def _grant(connection: asyncpg.Connection, role: str) -> None:
    try:
        await connection.execute(_grant_statements(role))
    except UNDEFINED as error:
        raise AtelierError(
            f"The database is not migrated ({error}): run `atelier migrate` first."
        ) from error


def _create_statement(role: str) -> str:
    literal = quoted(role).replace("'", "''")
    return _QUERIES["create_service_role"].format(role=quoted(role), literal=f"'{literal}'")


def _grant_statements(role: str) -> str:
    return _QUERIES["service_role"].format(role=quoted(role))
