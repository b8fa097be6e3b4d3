"""What PostgreSQL says about itself."""

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
    """A moment of the primary; where it does not answer, only why."""

    error: str | None = None
    version: str = ""
    role: str = "away"
    most_connections: int = 0
    allowed_connections: int = 0
    """To this role in this database, all clients together."""
    active: int = 0
    idle: int = 0
    standbys: list[dict[str, object]] = field(default_factory=list)
    """Each with its name, state, lag_seconds and lag_bytes."""
    imports: list[dict[str, object]] = field(default_factory=list)
    """Each COPY under way, with its target, bytes and rows."""


async def database_state(dsn: str) -> DatabaseState:
    """Ask PostgreSQL; nothing is raised where it does not answer."""
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
    """Return a warning if PostgreSQL allows fewer connections than may be wanted, else None.

    A reload has one instance more for a while. Nothing is warned of while PostgreSQL is away.
    """
    each = settings.connections
    wanted = (instances + 1) * each
    if state.error is not None or wanted <= state.allowed_connections:
        return None
    return (
        f"{instances} instances, and one more during a reload, may open {wanted} connections "
        f"({each} each); PostgreSQL allows {state.allowed_connections}. Lower INSTANCES or "
        "ATELIER_POOL_SIZE, or raise max_connections."
    )
