"""Explains failed connections and missing privileges, and how to fix them."""

import socket
import ssl

import asyncpg

from atelier.errors import AtelierError
from atelier.local.postgres.roles import quoted
from atelier.store.connections.hosts import connect_to_any
from atelier.store.connections.url import DatabaseUrl
from atelier.store.queries import queries

SETTING = "ATELIER_DATABASE_URL"
ADMIN_SETTING = "ATELIER_ADMIN_DATABASE_URL"
_UNKNOWN = "Check that it is running and that the URL is correct."
_HINTS: tuple[tuple[type[Exception], str], ...] = (
    (
        asyncpg.InvalidPasswordError,
        "It rejects this user and password: correct them in {setting}.",
    ),
    (
        asyncpg.InvalidCatalogNameError,
        "It has no such database: create it, or name another in {setting}.",
    ),
    (
        asyncpg.TooManyConnectionsError,
        "All allowed connections are in use: close some, or raise the limit.",
    ),
    (
        asyncpg.InsufficientPrivilegeError,
        "Have an administrator run: GRANT CONNECT ON DATABASE {database} TO {user};",
    ),
    (asyncpg.CannotConnectNowError, "It is starting or stopping: try again in a moment."),
    (asyncpg.UndefinedObjectError, "Remove this parameter from {setting}."),
    (asyncpg.ClientConfigurationError, "Correct {setting}."),
    (
        ssl.SSLCertVerificationError,
        "Name its certificate authority in {setting}, as in ?sslrootcert=FILE.",
    ),
    (socket.gaierror, "The host name cannot be resolved: check it in {setting}."),
    (PermissionError, "This user has no permission to open its socket."),
)


def unreachable(
    dsn: str, error: Exception, reason: str = "", *, setting: str = SETTING
) -> AtelierError:
    """Return an error that explains a failed connection, without the URL's password."""
    url = DatabaseUrl.parse(dsn)
    message = (reason or str(error) or type(error).__name__).partition("\n")[0].rstrip(".")
    hint = _hint(error, url, setting)
    return AtelierError(f"Cannot connect to {describe(dsn)}: {message}. {hint}")


def describe(dsn: str) -> str:
    """Return a database's name and hosts for messages."""
    url = DatabaseUrl.parse(dsn)
    return f"the database {url.database} at {url.host_list}"


def _hint(error: Exception, url: DatabaseUrl, setting: str) -> str:
    if "rejected SSL upgrade" in str(error):
        return f"It does not speak TLS: turn TLS on there, or remove sslmode from {setting}."
    hint = next((text for kind, text in _HINTS if isinstance(error, kind)), None)
    if hint is None and isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return _authorization_hint(str(error), setting)
    names = {"database": quoted(url.database), "user": quoted(url.user), "setting": setting}
    return (hint or _UNKNOWN).format_map(names)


def _authorization_hint(message: str, setting: str) -> str:
    if "no encryption" in message and "[local]" not in message:
        return (
            f"If it accepts encrypted connections only, add ?sslmode=require to {setting}; else "
            "have its pg_hba.conf admit this user from here."
        )
    if "pg_hba.conf" in message:
        return "Its pg_hba.conf does not admit this user from here."
    return f"It rejects this user: name another in {setting}, or let this one log in."


_QUERIES = queries("atelier.local.postgres")


async def missing_privileges(dsn: str, denied: asyncpg.PostgresError) -> AtelierError:
    """Return an error that says what the URL's role was denied, and what to grant to it."""
    connection = await connect_to_any(dsn)
    try:
        [privileges] = await connection.fetch(_QUERIES["privileges"])
    finally:
        connection.terminate()
    url = DatabaseUrl.parse(dsn)
    return AtelierError(
        f"The role {privileges['role']} lacks privileges in the database {privileges['database']} "
        f"at {url.host_list}: {denied}. {_remedy(privileges)}"
    )


def _remedy(privileges: asyncpg.Record) -> str:
    if privileges["is_service_role"]:
        return (
            f"It is a role for serving only: set {ADMIN_SETTING} to the URL of the role that owns "
            "the tables."
        )
    if privileges["superusers"]:  # do not suggest to grant a superuser's role
        owner = privileges["superusers"][0]
        return f"The existing objects belong to {owner}: run this as {owner}."
    if grants := _grants(privileges):
        return f"Have an administrator of that database run: {' '.join(grants)}"
    return "Grant it the privileges that docs/configuration.md lists."


def _grants(privileges: asyncpg.Record) -> list[str]:
    on_database, on_public = admin_grants(privileges["role"], privileges["database"])
    grants = []
    if not privileges["can_create_schemas"]:
        grants.append(on_database)
    if not privileges["can_create_migration_tables"]:
        grants.append(on_public)
    return grants + [f"GRANT {owner} TO {privileges['role']};" for owner in privileges["owners"]]


def admin_grants(role: str, database: str) -> list[str]:
    """Return the grants that a role needs to migrate and import; both names are quoted."""
    return _QUERIES["admin_role"].format(role=role, database=database).splitlines()
