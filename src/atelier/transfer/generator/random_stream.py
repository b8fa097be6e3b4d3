"""Random numbers that are the same on every machine and in every version of Python.

The random module promises that for random() alone, one slow number at a time, and NumPy's
generators promise it for no distribution. SHAKE-128 is fixed by a standard (FIPS 202), comes
with Python, and gives a whole column of numbers in one call.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import shake_128
from typing import TypeVar

T = TypeVar("T")

TABLE_SIZE = 1 << 16
"""The entries of a wheel: what can be drawn is spread over them in proportion to its chance."""


@dataclass(frozen=True, slots=True)
class RandomStream:
    """The random of one block: they depend on the seed, the block and the purpose, nothing else."""

    seed: int
    block: int

    def small(self, purpose: str, count: int) -> tuple[int, ...]:
        """Return `count` numbers from 0 to 65,535, each a place on a wheel."""
        return struct.unpack(f"<{count}H", self._bytes(purpose, 2 * count))

    def large(self, purpose: str, count: int) -> tuple[int, ...]:
        """Return `count` numbers from 0 to 2**32 - 1."""
        return struct.unpack(f"<{count}I", self._bytes(purpose, 4 * count))

    def pick(self, purpose: str, table: Sequence[T], count: int) -> Iterator[T]:
        """Return `count` entries of the wheel."""
        return map(table.__getitem__, self.small(purpose, count))

    def _bytes(self, purpose: str, count: int) -> bytes:
        return shake_128(f"{self.seed}/{self.block}/{purpose}".encode()).digest(count)
