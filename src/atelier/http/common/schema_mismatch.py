"""What is answered while the database's schema is not the one that this version works with."""

from http import HTTPStatus
from time import monotonic

import falcon.asgi

from atelier.http.common.errors import ApiError
from atelier.http.common.logs import report, request_suffix
from atelier.store.connections.database import (
    Database,
    DatabaseUnavailableError,
    SchemaMismatchError,
)
from atelier.store.health import remedy

_SECONDS_BETWEEN_LOOKS = 1.0


class SchemaMismatch:
    """Says what to do about it; looks at most once a second, for there may be many requests."""

    def __init__(self, database: Database) -> None:
        """Take the database whose migrations are looked at."""
        self._database = database
        self._remedy = "the database's schema is not the one that this version needs"
        self._looked_at = float("-inf")

    async def answer(
        self,
        req: falcon.asgi.Request,
        _resp: falcon.asgi.Response,
        error: SchemaMismatchError,
        _params: dict[str, object],
    ) -> None:
        """Answer 503 with what an operator has to do."""
        what_to_do = await self._look(error)
        report(what_to_do, req, error.__cause__)
        raise ApiError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"Error: {what_to_do}{request_suffix(req)}",
            {"Retry-After": "5"},
        )

    async def _look(self, error: SchemaMismatchError) -> str:
        if monotonic() - self._looked_at > _SECONDS_BETWEEN_LOOKS:
            self._looked_at = monotonic()
            try:
                self._remedy = await remedy(error, self._database)
            except DatabaseUnavailableError:
                self._looked_at = float("-inf")
        return self._remedy
