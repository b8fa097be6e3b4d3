"""Why PostgreSQL does not let a command in, and what the user can do about it."""

import socket
import ssl

import asyncpg

from atelier.errors import AtelierError
from atelier.store.connections.hosts import connect_to_any
from atelier.store.connections.url import DatabaseUrl
from atelier.store.queries import queries

_SETTING = "ATELIER_DATABASE_URL"
_UNKNOWN = "Is it running, and is its address right?"
_HINTS: tuple[tuple[type[Exception], str], ...] = (
    (
        asyncpg.InvalidPasswordError,
        f"It runs, but refuses this user and password: correct them in {_SETTING}.",
    ),
    (
        asyncpg.InvalidCatalogNameError,
        f"It runs, but has no such database: create it, or name another in {_SETTING}.",
    ),
    (
        asyncpg.TooManyConnectionsError,
        "It runs, but has all the connections it takes: close some, or raise the limit.",
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
        f"Name the authority that signed it in {_SETTING}, as in ?sslrootcert=FILE.",
    ),
    (socket.gaierror, f"Its host's name cannot be resolved: is it right in {_SETTING}?"),
    (PermissionError, "This user may not open its socket."),
)


def unreachable(dsn: str, error: Exception, reason: str = "") -> AtelierError:
    """Return the error that tells why there is no connection to a URL, without its password."""
    url = DatabaseUrl.parse(dsn)
    said = (reason or str(error) or type(error).__name__).partition("\n")[0].rstrip(".")
    return AtelierError(f"Cannot connect to {place(dsn)}: {said}. {_hint(error, url)}")


def place(dsn: str) -> str:
    """Return where a database is, fit to be shown."""
    url = DatabaseUrl.parse(dsn)
    return f"the database {url.database} at {url.place}"


def _hint(error: Exception, url: DatabaseUrl) -> str:
    if "rejected SSL upgrade" in str(error):
        return f"It does not speak TLS: turn TLS on there, or remove sslmode from {_SETTING}."
    hint = next((text for kind, text in _HINTS if isinstance(error, kind)), None)
    if hint is None and isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return _hint_of_admission(str(error))
    return (hint or _UNKNOWN).format(database=_quoted(url.database), user=_quoted(url.user))


def _hint_of_admission(said: str) -> str:
    if "no encryption" in said and "[local]" not in said:
        return (
            f"If it takes encrypted connections only, add ?sslmode=require to {_SETTING}; else "
            "have its pg_hba.conf admit this user from here."
        )
    if "pg_hba.conf" in said:
        return "It runs, but its pg_hba.conf does not admit this user from here."
    return f"It runs, but refuses this user: name another in {_SETTING}, or let this one log in."


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_RIGHTS = queries("atelier.local.postgres")["rights"]


async def lacking_rights(dsn: str, refused: asyncpg.PostgresError) -> AtelierError:
    """Return the error that tells what was refused to the role of a URL, and what to grant it."""
    connection = await connect_to_any(dsn)
    try:
        [rights] = await connection.fetch(_RIGHTS)
    finally:
        connection.terminate()
    url = DatabaseUrl.parse(dsn)
    return AtelierError(
        f"The role {rights['role']} lacks rights in the database {rights['database']} at "
        f"{url.place}: {refused}. {_remedy(rights)}"
    )


def _remedy(rights: asyncpg.Record) -> str:
    if rights["superusers"]:  # a superuser's role is not to be granted
        owner = rights["superusers"][0]
        return f"What is there belongs to {owner}: run this as {owner}."
    if grants := _grants(rights):
        return f"Have an administrator of that database run: {' '.join(grants)}"
    return "Grant it the rights that docs/configuration.md lists."


def _grants(rights: asyncpg.Record) -> list[str]:
    role, database = rights["role"], rights["database"]
    grants = []
    if not rights["makes_schemas"]:
        grants.append(f"GRANT CREATE ON DATABASE {database} TO {role};")
    if not rights["makes_bookkeeping"]:
        grants.append(f"GRANT USAGE, CREATE ON SCHEMA public TO {role};")
    return grants + [f"GRANT {owner} TO {role};" for owner in rights["owners"]]
