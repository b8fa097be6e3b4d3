"""Where a text matches: ranges of code points in a snippet of it, for the client to mark."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import unicodedata2 as unicodedata

from atelier.store.search.folding import BOUNDARY, Near, fold_character, is_short
from atelier.store.search.stems import is_inner

SNIPPET_LENGTH = 200
"""The maximum length of a snippet, in code points, without its ellipses."""

_CONTEXT = 60
"""How many code points of a long text a snippet shows before the first match."""
_ELLIPSIS = "…"
_JOINERS = "\u200d\ufe0e\ufe0f"

Range = tuple[int, int]
"""The index of the first code point, and that after the last one."""


class Snippet(NamedTuple):
    """A part of a text, and what matches in it."""

    text: str
    ranges: list[Range]


class Marker:
    """Finds words in texts."""

    def __init__(self, words: Iterable[Sequence[str]]) -> None:
        """Take the patterns of each word: the first that is found in a text counts.

        They are regular expressions, applied to folded texts; group 1 is what matches.
        """
        self._words = [[re.compile(pattern) for pattern in patterns] for patterns in words]

    def snippet(self, text: str) -> Snippet | None:
        """Return a text, shortened if it is long, with its matches; None if there are none."""
        ranges = self._ranges(text)
        return _shortened(text, ranges) if ranges else None

    def _ranges(self, text: str) -> list[Range]:
        pieces = [fold_character(character) for character in text]
        origins = [index for index, piece in enumerate(pieces) for _ in piece]
        return _merged(
            (origins[start], _end(text, pieces, origins[end - 1] + 1))
            for start, end in self._found("".join(pieces))
        )

    def _found(self, folded: str) -> Iterator[Range]:
        for patterns in self._words:
            for pattern in patterns:
                if found := [match.span(1) for match in pattern.finditer(folded)]:
                    yield from found
                    break


def search_patterns(words: Iterable[tuple[str, Near | None]]) -> Iterator[list[str]]:
    """Yield the patterns of what a search finds: each word itself, then the words near to it."""
    for word, near in words:
        near_pattern = near and f"(?:^|(?<={BOUNDARY}))({near.edits})(?=$|{BOUNDARY})"
        start = "(?:^|(?<= ))" if is_short(word) else ""
        yield [f"{start}({re.escape(word)})", *([near_pattern] if near_pattern else [])]


def stem_patterns(stems: Iterable[str]) -> Iterator[list[str]]:
    """Yield the patterns of words with certain stems."""
    for stem in stems:
        before = r"\w*" if is_inner(stem) else ""
        yield [f"(?:^|(?<={BOUNDARY}))({before}{re.escape(stem)}\\w*)"]


def _end(text: str, pieces: list[str], end: int) -> int:
    """Return the end of a match, with the marks that belong to its last character."""
    while end < len(text) and not pieces[end] and _is_attached(text[end]):
        end += 1
    return end


def _is_attached(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character).startswith("M")


def _merged(ranges: Iterable[Range]) -> list[Range]:
    """Return ranges in order; those that overlap or touch become one."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _shortened(text: str, ranges: list[Range]) -> Snippet:
    if len(text) <= SNIPPET_LENGTH:
        return Snippet(text, ranges)
    start = _word_start(text, max(0, ranges[0][0] - _CONTEXT), ranges[0][0])
    end = min(len(text), start + SNIPPET_LENGTH)
    before, after = _ELLIPSIS * (start > 0), _ELLIPSIS * (end < len(text))
    shift = len(before) - start
    inside = [(first, min(last, end)) for first, last in ranges if first < end]
    return Snippet(
        before + text[start:end] + after, [(first + shift, last + shift) for first, last in inside]
    )


def _word_start(text: str, position: int, limit: int) -> int:
    """Return where the next word begins, so that no character is cut from its marks."""
    if position == 0:
        return 0
    space = text.find(" ", position, limit)
    return limit if space < 0 else space + 1
