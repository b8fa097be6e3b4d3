"""The form in which texts are compared, and the words of a query.

The database's function search_fold is the same as `fold`; a test compares them.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import unicodedata2 as unicodedata

MAX_WORDS = 16
"""Of a longer query, only the longest words count."""
_PUNCTUATION = r"\s!-/:-@\[-`{-~\u2000-\u206f\u3000-\u303f"
BOUNDARY = f"[{_PUNCTUATION}]"
"""White space and punctuation, as a regular expression that PostgreSQL also understands."""

_REMOVED = re.compile(
    r"[\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5"
    r"\u05c7\u0610-\u061a\u061c\u064b-\u065f\u0670\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufe00-\ufe0f\ufeff]+"
)
_REPLACED = str.maketrans(
    dict.fromkeys("\0\t\n\v\f\r\x85\u2028\u2029", " ")
    | dict(zip("øłđħŧıðς", "oldhtid\u03c3", strict=True))
    | dict.fromkeys("\u2018\u2019\u02bc", "'")
    | dict.fromkeys("\u201c\u201d", '"')
    | dict.fromkeys("\u2010\u2013\u2014", "-")
    | {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
)
_OUTER_PUNCTUATION = "?!.,;:\"'()[]"
_MIN_LETTERS_FOR_A_TYPO = 4
_MIN_LETTERS_OF_A_COMPOUND = 11
_SHORT = 2


class Near(NamedTuple):
    """What finds the words that are one edit away from a word, and what a compound is a kind of.

    An edit is a missing, additional or wrong letter, two adjacent letters exchanged, or a space or
    a hyphen within the word. It leaves one half of the word as it is, or exchanges the letters
    where the halves meet; so whatever contains none of the `hints` does not match, and needs no
    regular expression. What a compound is a kind of ("Maschine" for "Waschmaschine") is a whole
    word that ends it and contains its second half.
    """

    word: str
    edits: str
    """A regular expression for such a word."""
    hints: tuple[str, str, str]

    @property
    def pattern(self) -> str:
        """A regular expression for a text with such a word."""
        return _whole(self.edits)

    @property
    def ends(self) -> str:
        """A regular expression for a word that ends with the first part of a divided one."""
        return _ending("|".join(self.word[:cut] for cut in self._cuts if cut >= self._half))

    @property
    def begins(self) -> str:
        """A regular expression for a word that begins with the second part of a divided one."""
        return _beginning("|".join(self.word[cut:] for cut in self._cuts if cut <= self._half))

    def halves(self, words: Iterable[str]) -> list["Halves"]:
        """Return how the word may be divided, given the words that `ends` and `begins` find."""
        known = list(words)
        divided = [Halves(self.word[:cut], self.word[cut:]) for cut in self._cuts]
        return [
            each
            for each in divided
            if any(re.search(each.ends, word) or re.search(each.begins, word) for word in known)
        ]

    @property
    def _cuts(self) -> range:
        return range(1, len(self.word))

    @property
    def _half(self) -> int:
        return len(self.word) // 2


class Halves(NamedTuple):
    """A word that is written as two."""

    head: str
    tail: str

    @property
    def ends(self) -> str:
        """A regular expression for a word that ends with the head."""
        return _ending(self.head)

    @property
    def begins(self) -> str:
        """A regular expression for a word that begins with the tail."""
        return _beginning(self.tail)

    @property
    def pattern(self) -> str:
        """A regular expression for a text with both, one after the other."""
        return _whole(f"{self.head} {self.tail}")


def fold(text: str) -> str:
    """Return a text without case, accents and invisible characters."""
    if not text.isascii():
        decomposed: str = unicodedata.normalize("NFKD", text)
        text = _REMOVED.sub("", decomposed)
    return text.lower().translate(_REPLACED)


@lru_cache(4096)
def fold_character(character: str) -> str:
    """Return what `fold` makes of one character."""
    return fold(character)


def words(query: str) -> list[str]:
    """Return the different words of a query, folded, without punctuation around them."""
    pieces = (piece.strip(_OUTER_PUNCTUATION) or piece for piece in fold(query).split())
    found = list(dict.fromkeys(pieces))
    longest = set(sorted(found, key=len, reverse=True)[:MAX_WORDS])
    return [word for word in found if word in longest]


def near(word: str) -> Near | None:
    """Return what finds the words near to a folded word; None if only the word itself counts.

    That is so for short words, and for all with digits: a size 42 is not a size 43.
    """
    if len(word) < _MIN_LETTERS_FOR_A_TYPO or not word.isalpha():
        return None
    any_character = f"[^{_PUNCTUATION}]"
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    edits = [
        *(left + any_character + right for left, right in cuts),
        *(f"{left}[ -]{right}" for left, right in cuts[1:-1]),
        *(left + any_character + right[1:] for left, right in cuts if right),
        *(left + right[1:] for left, right in cuts if right),
        *(left + right[1] + right[0] + right[2:] for left, right in cuts if right[1:]),
    ]
    edits += _ends(word)
    half = len(word) // 2
    exchanged = word[: half - 1] + word[half] + word[half - 1] + word[half + 1 :]
    return Near(word, "|".join(dict.fromkeys(edits)), (word[:half], word[half:], exchanged))


def _ends(word: str) -> list[str]:
    """Return with what a long word may end that is a word itself."""
    if len(word) < _MIN_LETTERS_OF_A_COMPOUND:
        return []
    half = len(word) // 2
    return [word[start:] for start in range(2, half + 1)]  # without one letter, it is an edit


def needle(word: str) -> str:
    """Return what a text must contain for a folded word: the word, at its beginning if it is short.

    Nearly every text contains each letter somewhere.
    """
    return f" {word}" if is_short(word) else word


def is_short(word: str) -> bool:
    """Return whether a word is only found where a word begins."""
    return len(word) <= _SHORT and word.isascii() and word.isalnum()


def _whole(words: str) -> str:
    return f"(?:^|{BOUNDARY})(?:{words})(?:$|{BOUNDARY})"


def _ending(parts: str) -> str:
    return f"(?:^|{BOUNDARY})(?:{parts})$"


def _beginning(parts: str) -> str:
    return f"^(?:{parts})(?:$|{BOUNDARY})"
