"""What spam guards and moderation rules look for in texts: words, links and repeats."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import unicodedata2 as unicodedata

# A scheme, `www.`, or a host with a path. Possessive quantifiers prevent backtracking.
_LINK = re.compile(
    r"(?<![\w.-])(?:(?:https?|ftp)://[^\s/]|www\.[^\s.]|(?:[\w-]++\.)++[a-z]{2,}+/[^\s])",
    re.ASCII,
)
# Case-folded Cyrillic and Greek letters, and digits, that look like a Latin letter.
_CONFUSABLES = str.maketrans(
    "\u0430\u0432\u0435\u0455\u0456\u0458\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445"
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7"
    "\u0131"
    "013457",
    "abesijkmhopctyxabezhikmvoptuxioieast",
)
_IGNORABLE = re.compile(  # the stable property Default_Ignorable_Code_Point
    r"[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]+"
)


class BlockedWords:
    """Words and phrases that posts must not contain."""

    def __init__(self, phrases: Iterable[str]) -> None:
        """Take words and phrases."""
        self._phrases = frozenset(filter(None, map(_phrase, phrases)))
        self._lengths = frozenset(map(len, self._phrases))

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> "BlockedWords":
        """Take lines with one of them each; `#` starts a comment."""
        return cls(map(_without_comment, lines))

    @classmethod
    def from_file(cls, path: Path) -> "BlockedWords":
        """Read a UTF-8 file of such lines, with or without a byte order mark."""
        return cls.from_lines(_lines(path))

    def occur_in(self, text: str) -> bool:
        """Return whether a case-folded text contains any of them as whole words."""
        words = list(_words(text)) if self._lengths else []
        return any(
            tuple(words[start : start + length]) in self._phrases
            for length in self._lengths
            for start in range(len(words) - length + 1)
        )


def nfkc_casefold(text: str) -> str:
    """Return a text mapped with Unicode's toNFKC_Casefold."""
    for _ in range(2):  # folding can produce text that must be normalized and folded again
        text = remove_ignorable(unicodedata.normalize("NFKC", text).casefold())
    normalized: str = unicodedata.normalize("NFKC", text)
    return normalized


def remove_ignorable(text: str) -> str:
    """Return a text without default-ignorable code points, such as zero-width characters."""
    return _IGNORABLE.sub("", text)


def count_links(text: str) -> int:
    """Return the number of links in a case-folded text."""
    return sum(1 for _ in _LINK.finditer(text))


def has_words(text: str) -> bool:
    """Return whether a blocked word or phrase has at least one letter or digit."""
    return bool(_phrase(text))


def lines_without_effect(path: Path) -> list[int]:
    """Return the numbers of the lines of a file of blocked words that have only other signs."""
    return [
        number
        for number, line in enumerate(map(_without_comment, _lines(path)), 1)
        if line.strip() and not has_words(line)
    ]


def digest(folded: str) -> bytes:
    """Return a digest that is equal for case-folded texts that differ only in white space."""
    return hashlib.sha256(" ".join(folded.split()).encode()).digest()


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig").splitlines()


def _without_comment(line: str) -> str:
    return line.partition("#")[0]


def _phrase(text: str) -> tuple[str, ...]:
    return tuple(_words(nfkc_casefold(text)))


def _words(text: str) -> Iterator[str]:
    """Yield the words of a case-folded text, with confusables mapped to Latin letters."""
    runs = groupby(text.translate(_CONFUSABLES), _is_word_character)
    return ("".join(run) for is_word, run in runs if is_word)


def _is_word_character(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"
