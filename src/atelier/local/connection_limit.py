"""Whether PostgreSQL allows as many connections as the instances may open."""

from atelier.local.database_state import DatabaseState
from atelier.settings import Settings


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
