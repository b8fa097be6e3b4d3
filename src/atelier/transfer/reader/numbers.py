"""Whole numbers as files write them."""

import re

_WHOLE = re.compile(rb"[+-]?[0-9]+")
_MOST_DIGITS = 20


def whole_number(value: bytes) -> int | None:
    """Return the number, or None if the value is none; one of many digits comes back shorter.

    Python refuses to convert very long numbers. Shortened to 20 digits it is still beyond 64 bits.
    """
    text = value.strip()
    if not _WHOLE.fullmatch(text):
        return None
    digits = text.lstrip(b"+-").lstrip(b"0")[:_MOST_DIGITS]
    return int(digits or b"0") * (-1 if text.startswith(b"-") else 1)
