"""The state of PostgreSQL: connections, standbys, running imports."""

import asyncio
from dataclasses import dataclass, field

import asyncpg

from atelier.settings import Settings
from atelier.store.connections.database import LOST, connect
from atelier.store.queries import queries

_QUERIES = queries("atelier.local.postgres")
_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """A snapshot of PostgreSQL's state; only `error` if it is unreachable."""

    error: str | None = None
    version: str = ""
    role: str = "away"
    most_connections: int = 0
    allowed_connections: int = 0
    """For this role in this database, all clients together."""
    active: int = 0
    idle: int = 0
    standbys: list[dict[str, object]] = field(default_factory=list)
    """Each with its name, state, lag_seconds and lag_bytes."""
    imports: list[dict[str, object]] = field(default_factory=list)
    """Each running COPY with its target, bytes and rows."""


async def database_state(dsn: str) -> DatabaseState:
    """Query PostgreSQL's state; never raise if it is unreachable."""
    try:
        async with asyncio.timeout(_SECONDS):
            connection = await connect(dsn)
            try:
                return await _state(connection)
            finally:
                connection.terminate()
    except (*LOST, asyncpg.PostgresError) as error:
        return DatabaseState(error=str(error) or type(error).__name__)


async def _state(connection: asyncpg.Connection) -> DatabaseState:
    [row] = await connection.fetch(_QUERIES["database_state"])
    standbys = await connection.fetch(_QUERIES["standbys"])
    imports = await connection.fetch(_QUERIES["imports"])
    return DatabaseState(
        **row, standbys=[dict(row) for row in standbys], imports=[dict(row) for row in imports]
    )


def connections_missing(state: DatabaseState, settings: Settings, instances: int) -> str | None:
    """Return a warning if PostgreSQL allows fewer connections than may be needed, else None.

    A reload temporarily runs one more instance. No warning while PostgreSQL is unreachable.
    """
    per_instance = settings.connections
    needed = (instances + 1) * per_instance
    if state.error is not None or needed <= state.allowed_connections:
        return None
    return (
        f"{instances} instances, and one more during a reload, may open {needed} connections "
        f"({per_instance} each); PostgreSQL allows {state.allowed_connections}. Lower INSTANCES or "
        "ATELIER_POOL_SIZE, or raise max_connections."
    )
