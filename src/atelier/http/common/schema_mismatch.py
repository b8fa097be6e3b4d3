"""503 responses while the database's schema does not fit this version."""

from http import HTTPStatus
from time import monotonic

import falcon.asgi

from atelier.http.common.errors import ApiError
from atelier.http.common.logs import log_rejection, request_suffix
from atelier.store.connections.database import (
    Database,
    DatabaseUnavailableError,
    SchemaMismatchError,
)
from atelier.store.health import remedy

_CHECK_INTERVAL_SECONDS = 1.0


class SchemaMismatch:
    """Responds with the remedy, which it determines at most once a second."""

    def __init__(self, database: Database) -> None:
        """Take the database whose migrations are checked."""
        self._database = database
        self._remedy = "the database's schema is not the one that this version needs"
        self._checked_at = float("-inf")

    async def handle(
        self,
        req: falcon.asgi.Request,
        _resp: falcon.asgi.Response,
        error: SchemaMismatchError,
        _params: dict[str, object],
    ) -> None:
        """Respond with 503 and what the operator has to do."""
        text = await self._current_remedy(error)
        log_rejection(text, req, error.__cause__)
        raise ApiError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"Error: {text}{request_suffix(req)}",
            {"Retry-After": "5"},
        )

    async def _current_remedy(self, error: SchemaMismatchError) -> str:
        if monotonic() - self._checked_at > _CHECK_INTERVAL_SECONDS:
            self._checked_at = monotonic()
            try:
                self._remedy = await remedy(error, self._database)
            except DatabaseUnavailableError:
                self._checked_at = float("-inf")
        return self._remedy
