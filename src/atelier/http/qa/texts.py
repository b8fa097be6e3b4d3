"""Texts as people type them: what is refused, and the one form in which a text is kept.

Unicode's tables are those of a library, not of Python, so that every Python says the same.
"""

import re
from itertools import groupby

import unicodedata2 as unicodedata

MOST_MARKS = 30
"""How many combining marks may follow each other, as in Unicode's Stream-Safe Text Format.

To order more takes the square of their number, and they only cover the lines around them.
"""

MOST_PARTS = 4
"""How many code points one of NFC may come from: no longer decomposition is canonical."""

_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_NOT_IN_LINES = re.compile(f"[{_CONTROLS}]")
_NOT_IN_LINE = re.compile(rf"[{_CONTROLS}\t\n\u2028\u2029]")
_NO_CHARACTER = re.compile(
    r"[\ud800-\udfff\ufdd0-\ufdef"
    + "".join(
        f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 1 << 16)
    )
    + "]"
)
_ENDS = {
    **dict.fromkeys("\u202a\u202b\u202d\u202e", "\u202c"),  # embeddings, overrides
    **dict.fromkeys("\u2066\u2067\u2068", "\u2069"),  # isolates
}
_PARAGRAPH_ENDS = "\n\u2029"
_DIRECTIONS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_DIRECTION_MARKS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# The property White_Space: str.strip() takes U+001C to U+001F as well.
_SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_IGNORABLE = re.compile(  # the property Default_Ignorable_Code_Point, which no version changes
    r"[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]+"
)
_EMPTY_SYMBOLS = frozenset("\u2800\U0001d159")  # Braille without a dot, a note without a head
_EMPTY_CATEGORIES = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Mc", "Me"})


class TextError(ValueError):
    """What is wrong with a text."""


def lines(text: str) -> str:
    """Return a text of one line or several as it is kept: in NFC, trimmed, its lines ended by LF.

    Raises TextError.
    """
    return _kept(text.replace("\r\n", "\n"), _NOT_IN_LINES).strip(_SPACES)


def line(text: str) -> str:
    """Return a text of one line as it is kept: in NFC, trimmed. Raises TextError."""
    return _kept(text, _NOT_IN_LINE).strip(_SPACES)


def address(text: str) -> str:
    """Return an e-mail address or a URL as it is kept: in NFC. Raises TextError."""
    if _DIRECTION_MARKS.search(text):  # RFC 3987, 4.1
        raise TextError("must not hold marks of writing direction")
    return _kept(text, _NOT_IN_LINE)


def is_blank(text: str) -> bool:
    """Say whether nothing of a text can be seen: spaces, fillers, marks without a letter."""
    return all(
        character in _EMPTY_SYMBOLS or unicodedata.category(character) in _EMPTY_CATEGORIES
        for character in without_ignorable(text)
    )


def without_ignorable(text: str) -> str:
    """Return a text without the characters that are not to be seen."""
    return _IGNORABLE.sub("", text)


def _kept(text: str, refused: re.Pattern[str]) -> str:
    """Refuse what cannot be kept, and return the rest in NFC."""
    if found := refused.search(text):
        raise TextError(f"must not hold the control character U+{ord(found[0]):04X}")
    if text.isascii():
        return text
    if _NO_CHARACTER.search(text):
        raise TextError("must not hold half a surrogate pair or a code point that is no character")
    if not _are_directions_ended(text):
        raise TextError("must end every change of writing direction within its paragraph")
    _check_marks(text)
    normalized: str = unicodedata.normalize("NFC", text)
    _check_marks(normalized)  # one character may have become several marks
    return normalized


def _check_marks(text: str) -> None:
    for is_mark, run in groupby(map(unicodedata.combining, text), bool):
        if is_mark and sum(1 for _ in run) > MOST_MARKS:
            raise TextError(f"must not have more than {MOST_MARKS} combining marks in a row")


def _are_directions_ended(text: str) -> bool:
    """Say whether embeddings, overrides and isolates end in order, and in their paragraphs."""
    return all(map(_is_balanced, re.split(f"[{_PARAGRAPH_ENDS}]", text)))


def _is_balanced(paragraph: str) -> bool:
    expected: list[str] = []
    for character in _DIRECTIONS.findall(paragraph):
        if character in _ENDS:
            expected.append(_ENDS[character])
        elif not expected or expected.pop() != character:
            return False
    return not expected
