"""Random numbers that are the same on every machine and in every version of Python.

The random module guarantees that only for random(), one slow number at a time; NumPy's
generators guarantee it for no distribution. SHAKE-128 is standardised (FIPS 202), part of
Python, and returns a whole column of numbers in one call.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import shake_128
from typing import TypeVar

T = TypeVar("T")

TABLE_SIZE = 1 << 16
"""The entries of a distribution: each value fills a share of them equal to its probability."""


@dataclass(frozen=True, slots=True)
class RandomStream:
    """The random numbers of one block; they depend only on the seed, the block and the purpose."""

    seed: int
    block: int

    def uint16(self, purpose: str, count: int) -> tuple[int, ...]:
        """Return `count` numbers from 0 to 65,535, indexes into a distribution."""
        return struct.unpack(f"<{count}H", self._bytes(purpose, 2 * count))

    def uint32(self, purpose: str, count: int) -> tuple[int, ...]:
        """Return `count` numbers from 0 to 2**32 - 1."""
        return struct.unpack(f"<{count}I", self._bytes(purpose, 4 * count))

    def pick(self, purpose: str, table: Sequence[T], count: int) -> Iterator[T]:
        """Return `count` entries sampled from the table."""
        return map(table.__getitem__, self.uint16(purpose, count))

    def _bytes(self, purpose: str, count: int) -> bytes:
        return shake_128(f"{self.seed}/{self.block}/{purpose}".encode()).digest(count)
