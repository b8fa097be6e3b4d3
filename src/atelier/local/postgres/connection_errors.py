"""Why PostgreSQL does not let a command in, and what the user can do about it."""

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
_UNKNOWN = "Is it running, and is its address right?"
_HINTS: tuple[tuple[type[Exception], str], ...] = (
    (
        asyncpg.InvalidPasswordError,
        "It runs, but refuses this user and password: correct them in {setting}.",
    ),
    (
        asyncpg.InvalidCatalogNameError,
        "It runs, but has no such database: create it, or name another in {setting}.",
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
    (asyncpg.UndefinedObjectError, "Remove this parameter from {setting}."),
    (asyncpg.ClientConfigurationError, "Correct {setting}."),
    (
        ssl.SSLCertVerificationError,
        "Name the authority that signed it in {setting}, as in ?sslrootcert=FILE.",
    ),
    (socket.gaierror, "Its host's name cannot be resolved: is it right in {setting}?"),
    (PermissionError, "This user may not open its socket."),
)


def unreachable(
    dsn: str, error: Exception, reason: str = "", *, setting: str = SETTING
) -> AtelierError:
    """Return the error that tells why there is no connection to a URL, without its password."""
    url = DatabaseUrl.parse(dsn)
    said = (reason or str(error) or type(error).__name__).partition("\n")[0].rstrip(".")
    return AtelierError(f"Cannot connect to {place(dsn)}: {said}. {_hint(error, url, setting)}")


def place(dsn: str) -> str:
    """Return where a database is, fit to be shown."""
    url = DatabaseUrl.parse(dsn)
    return f"the database {url.database} at {url.place}"


def _hint(error: Exception, url: DatabaseUrl, setting: str) -> str:
    if "rejected SSL upgrade" in str(error):
        return f"It does not speak TLS: turn TLS on there, or remove sslmode from {setting}."
    hint = next((text for kind, text in _HINTS if isinstance(error, kind)), None)
    if hint is None and isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return _hint_of_admission(str(error), setting)
    names = {"database": quoted(url.database), "user": quoted(url.user), "setting": setting}
    return (hint or _UNKNOWN).format_map(names)


def _hint_of_admission(said: str, setting: str) -> str:
    if "no encryption" in said and "[local]" not in said:
        return (
            f"If it takes encrypted connections only, add ?sslmode=require to {setting}; else "
            "have its pg_hba.conf admit this user from here."
        )
    if "pg_hba.conf" in said:
        return "It runs, but its pg_hba.conf does not admit this user from here."
    return f"It runs, but refuses this user: name another in {setting}, or let this one log in."


_QUERIES = queries("atelier.local.postgres")


async def lacking_rights(dsn: str, refused: asyncpg.PostgresError) -> AtelierError:
    """Return the error that tells what was refused to the role of a URL, and what to grant it."""
    connection = await connect_to_any(dsn)
    try:
        [rights] = await connection.fetch(_QUERIES["rights"])
    finally:
        connection.terminate()
    url = DatabaseUrl.parse(dsn)
    return AtelierError(
        f"The role {rights['role']} lacks rights in the database {rights['database']} at "
        f"{url.place}: {refused}. {_remedy(rights)}"
    )


def _remedy(rights: asyncpg.Record) -> str:
    if rights["is_service"]:
        return (
            f"It is a role to serve with: set {ADMIN_SETTING} to the address of the role that owns "
            "the tables."
        )
    if rights["superusers"]:  # a superuser's role is not to be granted
        owner = rights["superusers"][0]
        return f"What is there belongs to {owner}: run this as {owner}."
    if grants := _grants(rights):
        return f"Have an administrator of that database run: {' '.join(grants)}"
    return "Grant it the rights that docs/configuration.md lists."


def _grants(rights: asyncpg.Record) -> list[str]:
    on_database, on_public = admin_grants(rights["role"], rights["database"])
    needed = ((on_database, rights["makes_schemas"]), (on_public, rights["makes_bookkeeping"]))
    grants = [grant for grant, is_there in needed if not is_there]
    return grants + [f"GRANT {owner} TO {rights['role']};" for owner in rights["owners"]]


def admin_grants(role: str, database: str) -> list[str]:
    """Return what a role needs to migrate and to import; names are those of SQL, quoted."""
    return _QUERIES["admin_role"].format(role=role, database=database).splitlines()
