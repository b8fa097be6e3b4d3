"""What happens when an instance starts, goes on, and stops."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from atelier.store.connections.database import Database, DatabaseUnavailableError

_SECONDS_BETWEEN_CLEANINGS = 600

Cleaning: TypeAlias = Callable[[], Awaitable[None]]
"""Deletes what has expired."""


class Lifespan:
    """Falcon calls these at the ASGI lifespan's two ends."""

    def __init__(self, cleanings: Sequence[Cleaning], *databases: Database) -> None:
        """Take what is done now and then, and the databases to open and close."""
        self._cleanings = cleanings
        self._databases = databases
        self._cleaning: asyncio.Task[None] | None = None

    async def process_startup(self, _scope: Mapping[str, Any], _event: Mapping[str, Any]) -> None:
        """Begin what goes on beside requests."""
        for database in self._databases:
            await database.open()
        self._cleaning = asyncio.create_task(self._clean())

    async def process_shutdown(self, _scope: Mapping[str, Any], _event: Mapping[str, Any]) -> None:
        """Close the connections."""
        if self._cleaning:
            self._cleaning.cancel()
        for database in self._databases:
            await database.close()

    async def _clean(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_CLEANINGS)
            for clean in self._cleanings:
                with suppress(DatabaseUnavailableError):
                    await clean()
