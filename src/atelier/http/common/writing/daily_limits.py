"""Limits per client address and day, across all instances."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_address, ip_network

import falcon.asgi

from atelier.http.common.client_address import client_address
from atelier.http.common.errors import ApiError
from atelier.settings import Limit
from atelier.store.limits import UNLIMITED, ClientHashes, Quota
from atelier.store.writes import Outcome

_DAY = timedelta(days=1)


class DailyLimit:
    """The daily limit of posts, or of reports."""

    def __init__(
        self, kind: str, limit: Limit, exempt: Iterable[str], clients: ClientHashes
    ) -> None:
        """Take the kind of writes, their limit (0: none), the exempt networks and the hashes."""
        self._kind = kind
        self._limit = int(limit)
        self._exempt = [ip_network(network) for network in exempt]
        self._clients = clients

    @property
    def is_on(self) -> bool:
        """Whether there is a limit."""
        return bool(self._limit)

    async def quota(self, req: falcon.asgi.Request) -> Quota:
        """Return the client's quota; a client with an unknown address has no limit."""
        address = client_address(req) if self._limit else ""
        if not address or self._is_exempt(address):
            return UNLIMITED
        return await self._clients.quota(self._kind, address, self._limit)

    def _is_exempt(self, text: str) -> bool:
        address = ip_address(text)
        return any(address in network for network in self._exempt)

    def check(self, outcome: Outcome) -> None:
        """Raise ApiError if a write was rejected because of the limit."""
        if outcome is not Outcome.LIMITED:
            return
        seconds = _seconds_left()
        raise ApiError(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"Error: too many {self._kind} from your address today; try again tomorrow",
            {
                "Retry-After": f"{seconds}",
                "RateLimit-Policy": f'"{self._kind}-per-day";q={self._limit};w={_DAY.days * 86400}',
                "RateLimit": f'"{self._kind}-per-day";r=0;t={seconds}',
                "Access-Control-Expose-Headers": "Retry-After, RateLimit, RateLimit-Policy",
            },
        )


def _seconds_left() -> int:
    """Return the seconds until the next day (UTC)."""
    now = datetime.now(UTC)
    midnight = (now + _DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - now).seconds + 1
