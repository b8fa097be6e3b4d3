"""What a role of the database lacks, and the statements that grant it."""

import asyncpg

from atelier.errors import AtelierError
from atelier.store.hosts import connect_to_any
from atelier.store.sql import queries
from atelier.store.url import DatabaseUrl

_RIGHTS = queries("atelier.local")["rights"]


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
