"""Opaque cursors: where the next page of a list begins, with a checksum over the list."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2s

from atelier.store.lists.reader import Position

_CHECKSUM_BYTES = 6
_NUMBER_BYTES = 8


def encode(position: Position, of_list: str) -> str:
    """Return the cursor for a position in a list."""
    numbers = struct.pack(f">{len(position)}q", *position)
    return urlsafe_b64encode(_checksum(numbers, of_list) + numbers).decode().rstrip("=")


def decode(cursor: str, of_list: str, length: int) -> Position | None:
    """Return a cursor's position, which has `length` numbers; None if it is not of this list."""
    try:
        numbers = urlsafe_b64decode(cursor.encode("ascii") + b"==")[_CHECKSUM_BYTES:]
    except ValueError:
        return None
    if len(numbers) != length * _NUMBER_BYTES:
        return None
    position = struct.unpack(f">{length}q", numbers)
    # Compared as text: decoding ignores what it does not know, and the last letter's spare bits.
    return position if encode(position, of_list) == cursor else None


def _checksum(numbers: bytes, of_list: str) -> bytes:
    return blake2s(numbers + of_list.encode(), digest_size=_CHECKSUM_BYTES).digest()
