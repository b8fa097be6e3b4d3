"""What happens when an instance starts, goes on, and stops."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from atelier.store.connections.database import Database, DatabaseUnavailableError
from atelier.store.voters import VoterWriter
from atelier.store.writes import Writer

_SECONDS_BETWEEN_CLEANINGS = 600


class Lifespan:
    """Falcon calls these at the ASGI lifespan's two ends."""

    def __init__(self, writer: Writer, voters: VoterWriter, *databases: Database) -> None:
        """Take what forgets old keys and old voters, and the databases to open and close."""
        self._writer = writer
        self._voters = voters
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
            with suppress(DatabaseUnavailableError):
                await self._writer.forget_keys()
                await self._voters.forget()
