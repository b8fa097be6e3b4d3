"""Explains failed connections and missing privileges, and how to fix them."""

import socket
import ssl

import asyncpg

from atelier.errors import AtelierError
from atelier.store.connections.hosts import connect_to_any
from atelier.store.connections.url import DatabaseUrl
from atelier.store.queries import queries

_SETTING = "ATELIER_DATABASE_URL"
_UNKNOWN = "Check that it is running and that the URL is correct."
_HINTS: tuple[tuple[type[Exception], str], ...] = (
    (
        asyncpg.InvalidPasswordError,
        f"It rejects this user and password: correct them in {_SETTING}.",
    ),
    (
        asyncpg.InvalidCatalogNameError,
        f"It has no such database: create it, or name another in {_SETTING}.",
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
    (asyncpg.UndefinedObjectError, f"Remove this parameter from {_SETTING}."),
    (asyncpg.ClientConfigurationError, f"Correct {_SETTING}."),
    (
        ssl.SSLCertVerificationError,
        f"Name its certificate authority in {_SETTING}, as in ?sslrootcert=FILE.",
    ),
    (socket.gaierror, f"The host name cannot be resolved: check it in {_SETTING}."),
    (PermissionError, "This user has no permission to open its socket."),
)


def unreachable(dsn: str, error: Exception, reason: str = "") -> AtelierError:
    """Return an error that explains a failed connection, without the URL's password."""
    url = DatabaseUrl.parse(dsn)
    message = (reason or str(error) or type(error).__name__).partition("\n")[0].rstrip(".")
    return AtelierError(f"Cannot connect to {describe(dsn)}: {message}. {_hint(error, url)}")


def describe(dsn: str) -> str:
    """Return a database's name and hosts for messages."""
    url = DatabaseUrl.parse(dsn)
    return f"the database {url.database} at {url.host_list}"


def _hint(error: Exception, url: DatabaseUrl) -> str:
    if "rejected SSL upgrade" in str(error):
        return f"It does not speak TLS: turn TLS on there, or remove sslmode from {_SETTING}."
    hint = next((text for kind, text in _HINTS if isinstance(error, kind)), None)
    if hint is None and isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return _authorization_hint(str(error))
    return (hint or _UNKNOWN).format(database=_quoted(url.database), user=_quoted(url.user))


def _authorization_hint(message: str) -> str:
    if "no encryption" in message and "[local]" not in message:
        return (
            f"If it accepts encrypted connections only, add ?sslmode=require to {_SETTING}; else "
            "have its pg_hba.conf admit this user from here."
        )
    if "pg_hba.conf" in message:
        return "Its pg_hba.conf does not admit this user from here."
    return f"It rejects this user: name another in {_SETTING}, or let this one log in."


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_PRIVILEGES = queries("atelier.local.postgres")["privileges"]


async def missing_privileges(dsn: str, denied: asyncpg.PostgresError) -> AtelierError:
    """Return an error that says what the URL's role was denied, and what to grant to it."""
    connection = await connect_to_any(dsn)
    try:
        [privileges] = await connection.fetch(_PRIVILEGES)
    finally:
        connection.terminate()
    url = DatabaseUrl.parse(dsn)
    return AtelierError(
        f"The role {privileges['role']} lacks rights in the database {privileges['database']} at "
        f"{url.host_list}: {denied}. {_remedy(privileges)}"
    )


def _remedy(privileges: asyncpg.Record) -> str:
    if privileges["superusers"]:  # do not suggest to grant a superuser's role
        owner = privileges["superusers"][0]
        return f"The existing objects belong to {owner}: run this as {owner}."
    if grants := _grants(privileges):
        return f"Have an administrator of that database run: {' '.join(grants)}"
    return "Grant it the rights that docs/configuration.md lists."


def _grants(privileges: asyncpg.Record) -> list[str]:
    role, database = privileges["role"], privileges["database"]
    grants = []
    if not privileges["can_create_schemas"]:
        grants.append(f"GRANT CREATE ON DATABASE {database} TO {role};")
    if not privileges["can_create_migration_tables"]:
        grants.append(f"GRANT USAGE, CREATE ON SCHEMA public TO {role};")
    return grants + [f"GRANT {owner} TO {role};" for owner in privileges["owners"]]
