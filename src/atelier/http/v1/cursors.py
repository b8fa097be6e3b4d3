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
        data = urlsafe_b64decode(cursor.encode("ascii") + b"==")
    except ValueError:
        return None
    checksum, numbers = data[:_CHECKSUM_BYTES], data[_CHECKSUM_BYTES:]
    if len(numbers) != length * _NUMBER_BYTES or checksum != _checksum(numbers, of_list):
        return None
    return struct.unpack(f">{length}q", numbers)


def _checksum(numbers: bytes, of_list: str) -> bytes:
    return blake2s(numbers + of_list.encode(), digest_size=_CHECKSUM_BYTES).digest()
