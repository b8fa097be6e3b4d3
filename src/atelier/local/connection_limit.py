"""Whether PostgreSQL allows as many connections as the instances may open."""

from atelier.settings import Settings
from atelier.store.database import connect
from atelier.store.sql import queries

_LIMIT = queries("atelier.local")["connection_limit"]


async def connections_missing(dsn: str, settings: Settings, instances: int) -> str | None:
    """Return a warning if PostgreSQL allows fewer connections than may be wanted, else None.

    A reload has one instance more for a while.
    """
    connection = await connect(dsn)
    try:
        allowed: int = await connection.fetchval(_LIMIT)
    finally:
        await connection.close()
    each = settings.connections
    wanted = (instances + 1) * each
    if wanted <= allowed:
        return None
    return (
        f"{instances} instances, and one more during a reload, may open {wanted} connections "
        f"({each} each); PostgreSQL allows {allowed}. Lower INSTANCES or ATELIER_POOL_SIZE, or "
        "raise max_connections."
    )
