"""Opens the pools when an instance starts and closes them when it stops."""

from collections.abc import Mapping
from typing import Any

from atelier.store.database import Database


class Lifespan:
    """Falcon calls these at the ASGI lifespan's two ends."""

    def __init__(self, *databases: Database) -> None:
        """Take what is to be opened and closed."""
        self._databases = databases

    async def process_startup(self, _scope: Mapping[str, Any], _event: Mapping[str, Any]) -> None:
        """Open."""
        for database in self._databases:
            await database.open()

    async def process_shutdown(self, _scope: Mapping[str, Any], _event: Mapping[str, Any]) -> None:
        """Close."""
        for database in self._databases:
            await database.close()
