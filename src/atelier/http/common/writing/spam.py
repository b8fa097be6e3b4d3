"""Spam guards for posts; each is off by default."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import unicodedata2 as unicodedata

from atelier.http.common.writing.texts import remove_ignorable
from atelier.settings import Settings

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


class BlockedWords:
    """Words and phrases that posts must not contain."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Take lines with one word or phrase each; `#` starts a comment."""
        entries = (tuple(_words(nfkc_casefold(line.partition("#")[0]))) for line in lines)
        self._phrases = frozenset(filter(None, entries))
        self._lengths = frozenset(map(len, self._phrases))

    @classmethod
    def from_file(cls, path: Path) -> "BlockedWords":
        """Read a UTF-8 file, with or without a byte order mark."""
        return cls(path.read_text(encoding="utf-8-sig").splitlines())

    def occur_in(self, text: str) -> bool:
        """Return whether a case-folded text contains any of them as whole words."""
        words = list(_words(text)) if self._lengths else []
        return any(
            tuple(words[start : start + length]) in self._phrases
            for length in self._lengths
            for start in range(len(words) - length + 1)
        )


class SpamGuards(NamedTuple):
    """The spam guards; all are off by default."""

    max_links: int | None = None
    words: BlockedWords | None = None
    honeypot: str | None = None
    rejects_repeats: bool = False

    @classmethod
    def from_settings(cls, settings: Settings) -> "SpamGuards":
        """Return the guards that the settings enable; reads the file of blocked words."""
        path = settings.spam_words_file
        return cls(
            settings.spam_max_links,
            BlockedWords.from_file(path) if path else None,
            settings.spam_honeypot,
            bool(settings.spam_repeat_minutes),
        )

    def violations(
        self, fields: Mapping[str, object], texts: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        """Yield the fields because of which a post is spam, and why.

        It takes the post's fields as sent and its normalized texts by name.
        """
        if self.honeypot is not None and fields.get(self.honeypot) not in (None, ""):
            yield self.honeypot, "must be left empty"
        if self.max_links is None and self.words is None:
            return
        for name, text in texts.items():
            folded = nfkc_casefold(text)
            if self.max_links is not None and _count_links(folded) > self.max_links:
                yield name, f"must not contain more than {self.max_links} links"
            if self.words and self.words.occur_in(folded):
                yield name, "must not contain blocked words"

    def digest(self, text: str) -> bytes | None:
        """Return a digest that is equal for repeated texts; None if repeats are allowed."""
        if not self.rejects_repeats:
            return None
        return hashlib.sha256(" ".join(nfkc_casefold(text).split()).encode()).digest()


def nfkc_casefold(text: str) -> str:
    """Return a text mapped with Unicode's toNFKC_Casefold."""
    for _ in range(2):  # folding can produce text that must be normalized and folded again
        text = remove_ignorable(unicodedata.normalize("NFKC", text).casefold())
    normalized: str = unicodedata.normalize("NFKC", text)
    return normalized


def _count_links(text: str) -> int:
    return sum(1 for _ in _LINK.finditer(text))


def _words(text: str) -> Iterator[str]:
    """Yield the words of a case-folded text, with confusables mapped to Latin letters."""
    runs = groupby(text.translate(_CONFUSABLES), _is_word_character)
    return ("".join(run) for is_word, run in runs if is_word)


def _is_word_character(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"
