"""The role that serves: made, and granted no more than its statements need (decision 14)."""

import base64
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import pbkdf2_hmac, sha256

import asyncpg

from atelier.errors import AtelierError
from atelier.settings import Settings
from atelier.store.connections.database import UNDEFINED
from atelier.store.connections.hosts import connect_to_primary
from atelier.store.connections.url import DatabaseUrl
from atelier.store.queries import queries

SERVICE_ROLE = "atelier_service"
"""The name of the role, where nobody chose one."""

_QUERIES = queries("atelier.local.postgres")
_ONE_AT_A_TIME = 0x41_74_52_6F  # an advisory lock's key: "AtRo"
_ITERATIONS = 4096  # PostgreSQL's own number


def quoted(name: str) -> str:
    """Return a name as SQL has it between quotes."""
    return '"' + name.replace('"', '""') + '"'


def other_role(settings: Settings) -> str | None:
    """Return the role of the service's URL if it is another than that of the admin's, else None."""
    if not (settings.database_url and settings.admin_database_url):
        return None
    service, admin = map(_user, (settings.database_url, settings.admin_database_url))
    return service if service and service != admin else None


def service_role(settings: Settings) -> str:
    """Return the name of the role that serves, or that a database with one role is to get."""
    return other_role(settings) or SERVICE_ROLE


def _user(url: str) -> str:
    with suppress(ValueError):  # whoever connects says what is wrong with it
        return DatabaseUrl.parse(url.strip()).user
    return ""


def statements(role: str) -> str:
    """Return the SQL that makes a role, if it is missing, and grants it what it needs."""
    return _creating(role) + _granting(role)


async def apply(dsn: str, role: str, password: str | None = None) -> bool:
    """Make a role, if it is missing, and grant it what it needs; say whether it was missing.

    Raises AtelierError if the database is not migrated, if the role could do more than it is
    granted, or if it is missing and the one of the URL may not make roles; and
    asyncpg.InsufficientPrivilegeError if that one is not the owner.
    """
    async with _alone(dsn) as connection:
        is_missing = not await _is_there(connection, role)
        if is_missing:
            await _create(connection, role)
        if password is not None:
            verifier = scram_verifier(password)
            await connection.execute(f"ALTER ROLE {quoted(role)} PASSWORD '{verifier}'")
        await _grant(connection, role)
        return is_missing


async def update(dsn: str, role: str) -> None:
    """Grant a role what it needs now, as after a migration, if there is such a role.

    Raises AtelierError and asyncpg.InsufficientPrivilegeError as `apply` does.
    """
    async with _alone(dsn) as connection:
        if await _is_there(connection, role):
            await _grant(connection, role)


async def provide(dsn: str) -> None:
    """Have SERVICE_ROLE there, granted what it needs if the database is migrated."""
    async with _alone(dsn) as connection:
        await connection.execute(_creating(SERVICE_ROLE))
        with suppress(AtelierError):
            await _is_there(connection, SERVICE_ROLE)
            await _grant(connection, SERVICE_ROLE)


@asynccontextmanager
async def _alone(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect; of several that grant at once PostgreSQL would refuse all but one."""
    connection = await connect_to_primary(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _ONE_AT_A_TIME)
        yield connection
    finally:
        await connection.close()


def scram_verifier(password: str) -> str:
    """Return what PostgreSQL keeps of a password, so that the password itself is not sent.

    Raises AtelierError unless it is printable ASCII, for others are normalized by each client.
    """
    if not (password and password.isascii() and password.isprintable()):
        raise AtelierError("The password must be of printable ASCII characters.")
    salt = secrets.token_bytes(16)
    salted = pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    client, server = (hmac.digest(salted, f"{side} Key".encode(), "sha256") for side in _SIDES)
    stored = sha256(client).digest()
    parts = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(_ITERATIONS, *parts)


_SIDES = ("Client", "Server")


async def _is_there(connection: asyncpg.Connection, role: str) -> bool:
    rows = await connection.fetch(_QUERIES["service_role_state"], role)
    if not rows:
        raise AtelierError("The database is not migrated: run `atelier migrate` first.")
    if rows[0]["is_owner"]:
        raise AtelierError(
            f"{role} is a superuser or a member of the schema's owner, so no grant confines it: "
            "name another role."
        )
    return bool(rows[0]["is_there"])


async def _create(connection: asyncpg.Connection, role: str) -> None:
    try:
        await connection.execute(_creating(role))
    except asyncpg.InsufficientPrivilegeError as error:
        raise AtelierError(
            f"There is no role {role}, and to make it takes CREATEROLE: have a role with that run "
            f"CREATE ROLE {quoted(role)} LOGIN; and then run this again."
        ) from error


async def _grant(connection: asyncpg.Connection, role: str) -> None:
    try:
        await connection.execute(_granting(role))
    except UNDEFINED as error:
        raise AtelierError(
            f"The database is not migrated ({error}): run `atelier migrate` first."
        ) from error


def _creating(role: str) -> str:
    literal = quoted(role).replace("'", "''")
    return _QUERIES["create_service_role"].format(role=quoted(role), literal=f"'{literal}'")


def _granting(role: str) -> str:
    return _QUERIES["service_role"].format(role=quoted(role))
