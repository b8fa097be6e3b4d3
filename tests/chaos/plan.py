"""The two test sets: the quick one of `make test`, and the full one of `make chaos`."""

import os
from typing import TypeVar

T = TypeVar("T")

FULL = os.environ.get("CHAOS") == "full"


def quick_or_full(quick: T, full: T) -> T:
    """Return the value for the running set."""
    return full if FULL else quick
