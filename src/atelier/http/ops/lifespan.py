"""Startup, periodic cleanup and shutdown of an instance."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from atelier.errors import describe_error
from atelier.http.common.logs import log
from atelier.store.connections.database import DatabaseUnavailableError

_CLEANUP_INTERVAL_SECONDS = 600

CleanupTask: TypeAlias = Callable[[], Awaitable[None]]
"""Deletes expired rows."""


class Resource(Protocol):
    """What opens and closes with the application."""

    async def open(self) -> None:
        """Start background tasks."""

    async def close(self) -> None:
        """Stop them, and close the connections."""


class Lifespan:
    """Middleware for the ASGI lifespan events."""

    def __init__(self, cleanup_tasks: Sequence[CleanupTask], *resources: Resource) -> None:
        """Take the functions to call periodically, and what to open and close."""
        self._cleanup_tasks = cleanup_tasks
        self._resources = resources
        self._cleanup: asyncio.Task[None] | None = None

    async def process_startup(self, _scope: Mapping[str, Any], _event: Mapping[str, Any]) -> None:
        """Open the resources and start the periodic cleanup."""
        for resource in self._resources:
            await resource.open()
        self._cleanup = asyncio.create_task(self._clean_up_periodically())

    async def process_shutdown(self, _scope: Mapping[str, Any], _event: Mapping[str, Any]) -> None:
        """Stop the cleanup and close the connections."""
        if self._cleanup:
            self._cleanup.cancel()
        for resource in self._resources:
            await resource.close()

    async def _clean_up_periodically(self) -> None:
        while True:
            await asyncio.sleep(_CLEANUP_INTERVAL_SECONDS)
            for delete_expired in self._cleanup_tasks:
                try:
                    await delete_expired()
                except DatabaseUnavailableError as error:
                    log.warning("deleting expired rows failed: %s", describe_error(error))
