"""Validation and Unicode normalization of posted texts.

The Unicode data come from a library: those of the standard library depend on Python's version.
"""

import re
from itertools import groupby

import unicodedata2 as unicodedata

from atelier.store.moderation.matching import remove_ignorable

MAX_COMBINING_MARKS = 30
"""Maximum number of consecutive combining marks, as in Unicode's Stream-Safe Text Format.

Python sorts them in quadratic time, and longer runs only cover the lines above and below.
"""

MAX_DECOMPOSITION = 4
"""Maximum length of a canonical decomposition, in code points."""

_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_FORBIDDEN_IN_LINES = re.compile(f"[{_CONTROLS}]")
_FORBIDDEN_IN_LINE = re.compile(rf"[{_CONTROLS}\t\n\u2028\u2029]")
_NONCHARACTER_OR_SURROGATE = re.compile(
    r"[\ud800-\udfff\ufdd0-\ufdef"
    + "".join(
        f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 1 << 16)
    )
    + "]"
)
_BIDI_TERMINATORS = {
    **dict.fromkeys("\u202a\u202b\u202d\u202e", "\u202c"),  # embeddings, overrides
    **dict.fromkeys("\u2066\u2067\u2068", "\u2069"),  # isolates
}
_PARAGRAPH_SEPARATORS = "\n\u2029"
_BIDI_BRACKETS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_BIDI_CONTROLS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# The property White_Space; str.strip() also removes U+001C to U+001F.
_WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
# BRAILLE PATTERN BLANK, MUSICAL SYMBOL NULL NOTEHEAD
_BLANK_SYMBOLS = frozenset("\u2800\U0001d159")
_BLANK_CATEGORIES = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Mc", "Me"})


class InvalidTextError(ValueError):
    """Why a text is invalid."""


def normalize_lines(text: str) -> str:
    """Return a text of one or more lines in NFC, trimmed, with LF line endings.

    Raises InvalidTextError.
    """
    return _validated_nfc(text.replace("\r\n", "\n"), _FORBIDDEN_IN_LINES).strip(_WHITE_SPACE)


def normalize_line(text: str) -> str:
    """Return a text of one line in NFC, trimmed. Raises InvalidTextError."""
    return _validated_nfc(text, _FORBIDDEN_IN_LINE).strip(_WHITE_SPACE)


def normalize_address(text: str) -> str:
    """Return an e-mail address or a URL in NFC. Raises InvalidTextError."""
    if _BIDI_CONTROLS.search(text):  # RFC 3987, 4.1
        raise InvalidTextError("must not contain bidirectional controls")
    return _validated_nfc(text, _FORBIDDEN_IN_LINE)


def is_blank(text: str) -> bool:
    """Return whether a text has only spaces, fillers, control characters and combining marks."""
    return all(
        character in _BLANK_SYMBOLS or unicodedata.category(character) in _BLANK_CATEGORIES
        for character in remove_ignorable(text)
    )


def _validated_nfc(text: str, forbidden: re.Pattern[str]) -> str:
    if found := forbidden.search(text):
        raise InvalidTextError(f"must not contain the control character U+{ord(found[0]):04X}")
    if text.isascii():
        return text
    if _NONCHARACTER_OR_SURROGATE.search(text):
        raise InvalidTextError("must not contain an unpaired surrogate or a noncharacter")
    if not _are_bidi_brackets_balanced(text):
        raise InvalidTextError("must not contain unbalanced bidirectional controls in a paragraph")
    _check_combining_marks(text)
    normalized: str = unicodedata.normalize("NFC", text)
    _check_combining_marks(normalized)  # one character may decompose into several marks
    return normalized


def _check_combining_marks(text: str) -> None:
    for is_mark, run in groupby(map(unicodedata.combining, text), bool):
        if is_mark and sum(1 for _ in run) > MAX_COMBINING_MARKS:
            raise InvalidTextError(
                f"must not contain more than {MAX_COMBINING_MARKS} combining marks in a row"
            )


def _are_bidi_brackets_balanced(text: str) -> bool:
    """Return whether embeddings, overrides and isolates are balanced in each paragraph."""
    return all(map(_is_balanced, re.split(f"[{_PARAGRAPH_SEPARATORS}]", text)))


def _is_balanced(paragraph: str) -> bool:
    expected: list[str] = []
    for character in _BIDI_BRACKETS.findall(paragraph):
        if character in _BIDI_TERMINATORS:
            expected.append(_BIDI_TERMINATORS[character])
        elif not expected or expected.pop() != character:
            return False
    return not expected
