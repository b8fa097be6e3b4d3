"""Startup, periodic cleanup and shutdown of an instance."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from atelier.store.connections.database import Database, DatabaseUnavailableError
from atelier.store.voters import VoterWriter
from atelier.store.writes import Writer

_CLEANUP_INTERVAL_SECONDS = 600


class Lifespan:
    """Middleware for the ASGI lifespan events."""

    def __init__(self, writer: Writer, voters: VoterWriter, *databases: Database) -> None:
        """Take the writers whose expired rows are deleted, and the databases to open and close."""
        self._writer = writer
        self._voters = voters
        self._databases = databases
        self._cleanup: asyncio.Task[None] | None = None

    async def process_startup(self, _scope: Mapping[str, Any], _event: Mapping[str, Any]) -> None:
        """Open the databases and start the periodic cleanup."""
        for database in self._databases:
            await database.open()
        self._cleanup = asyncio.create_task(self._clean_up_periodically())

    async def process_shutdown(self, _scope: Mapping[str, Any], _event: Mapping[str, Any]) -> None:
        """Stop the cleanup and close the connections."""
        if self._cleanup:
            self._cleanup.cancel()
        for database in self._databases:
            await database.close()

    async def _clean_up_periodically(self) -> None:
        while True:
            await asyncio.sleep(_CLEANUP_INTERVAL_SECONDS)
            with suppress(DatabaseUnavailableError):
                await self._writer.delete_expired_keys()
                await self._writer.delete_expired_digests()
                await self._voters.delete_expired()
