"""The samples recorded by clients, and their statistics."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

from tests.chaos.connection import Response

LOST = frozenset({0, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
"""The statuses of requests whose instance dies; 0 is no response."""
UNAVAILABLE = frozenset({HTTPStatus.SERVICE_UNAVAILABLE})
"""The statuses during a database outage or overload."""


class Sample(NamedTuple):
    """A request: its due time (monotonic), the time to its response, and the status.

    The status is 0 if there was no response; `fault` describes an unexpected response.
    """

    start: float
    seconds: float
    status: int
    fault: str | None

    @property
    def end(self) -> float:
        return self.start + self.seconds


@dataclass
class Samples:
    """The samples of all clients of a test."""

    all: list[Sample] = field(default_factory=list)

    def record(self, start: float, status: int, fault: str | None) -> None:
        self.all.append(Sample(start, time.monotonic() - start, status, fault))

    @property
    def faults(self) -> Counter[str]:
        """The faults and their counts; empty if every response was as expected."""
        return Counter(sample.fault for sample in self.all if sample.fault)

    def of(self, *statuses: int) -> list[Sample]:
        return [sample for sample in self.all if sample.status in statuses]

    def since(self, start: float, until: float = float("inf")) -> list[Sample]:
        """Return the requests that were due in a period (monotonic seconds)."""
        return [sample for sample in self.all if start <= sample.start < until]


def refusal(answer: Response, tolerated: frozenset[int]) -> str | None:
    """Return the fault of an unsuccessful response, or None if its status is tolerated."""
    if answer.status not in tolerated:
        return f"{answer.status} {answer.body[:60]!r}"
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" not in answer.headers:
        return "503 without Retry-After"
    return None


def percentile(samples: Sequence[Sample], share: float) -> float:
    """Return a percentile of the response times in seconds; `share` is from 0 to 1."""
    assert samples, "no requests were sent"
    ordered = sorted(sample.seconds for sample in samples)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def longest(samples: Iterable[Sample]) -> float:
    """Return the slowest response time in seconds; 0 without samples."""
    return max((sample.seconds for sample in samples), default=0.0)
