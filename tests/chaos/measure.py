"""What clients noted of each request, and what follows from it."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

from tests.chaos.connection import Answer

LOST = frozenset({0, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
"""What a client is told whose instance dies; 0 is no answer."""
UNAVAILABLE = frozenset({HTTPStatus.SERVICE_UNAVAILABLE})
"""What it is told while the database is away, or too many ask."""


class Sample(NamedTuple):
    """One request: when it was due (monotonic), how long its answer took, and what it was.

    The status is 0 where there was no answer; `fault` says what was wrong with it, if anything.
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
    """What all clients of a test have noted so far."""

    all: list[Sample] = field(default_factory=list)

    def note(self, start: float, status: int, fault: str | None) -> None:
        self.all.append(Sample(start, time.monotonic() - start, status, fault))

    @property
    def faults(self) -> Counter[str]:
        """What went wrong, and how often; empty where everything was answered as expected."""
        return Counter(sample.fault for sample in self.all if sample.fault)

    def of(self, *statuses: int) -> list[Sample]:
        return [sample for sample in self.all if sample.status in statuses]

    def since(self, moment: float, until: float = float("inf")) -> list[Sample]:
        """Return the requests that were due within a time."""
        return [sample for sample in self.all if moment <= sample.start < until]


def refusal(answer: Answer, tolerated: frozenset[int]) -> str | None:
    """Say what is wrong with an answer that is not the one asked for, unless it is tolerated."""
    if answer.status not in tolerated:
        return f"{answer.status} {answer.body[:60]!r}"
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" not in answer.fields:
        return "503 without Retry-After"
    return None


def percentile(samples: Sequence[Sample], share: float) -> float:
    """Return the seconds within which a share of requests was answered."""
    assert samples, "nothing was asked"
    ordered = sorted(sample.seconds for sample in samples)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def longest(samples: Iterable[Sample]) -> float:
    """Return the seconds of the slowest answer; 0 if there was none."""
    return max((sample.seconds for sample in samples), default=0.0)
