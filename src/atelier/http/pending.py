"""What the fast path waits for."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from time import perf_counter
from typing import ClassVar, TypeAlias

from atelier.metrics import REQUEST_SECONDS


class Pending(ABC):
    """A response that is being made."""

    method: ClassVar[str] = "GET"

    def __init__(self, route: str) -> None:
        """Take the route, for the metrics."""
        self._route = route
        self.started_at = perf_counter()
        """When the request arrived, as a time of `perf_counter`."""

    @abstractmethod
    def response(self) -> tuple[bytes, bytes]:
        """Return the beginning of the response's head, and its body, once the result is there.

        Records the response time. Raises the error that there is instead of a result.
        """

    def record(self, status: str) -> None:
        """Record the response time."""
        series = REQUEST_SECONDS.labels(self.method, self._route, status)
        series.observe_since(self.started_at)


Respond: TypeAlias = Callable[[Pending], None]
"""Called once the result is there."""
