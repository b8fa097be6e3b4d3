"""Guards against unwanted posts: each is off unless its setting turns it on."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import unicodedata2 as unicodedata

from atelier.http.qa.texts import without_ignorable
from atelier.settings import Settings

# A scheme, `www.`, or a host with a path. Possessive: what is no link is read once.
_LINK = re.compile(
    r"(?<![\w.-])(?:(?:https?|ftp)://[^\s/]|www\.[^\s.]|(?:[\w-]++\.)++[a-z]{2,}+/[^\s])",
    re.ASCII,
)
# Letters that look like a Latin one, after case folding: Cyrillic, Greek, and digits.
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0432\u0435\u0455\u0456\u0458\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445"
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7"
    "\u0131"
    "013457",
    "abesijkmhopctyxabezhikmvoptuxioieast",
)


class BlockedWords:
    """Words and phrases that no post may have."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Take a word or a phrase in each line; `#` begins a comment."""
        entries = (tuple(_words(folded(line.partition("#")[0]))) for line in lines)
        self._phrases = frozenset(filter(None, entries))
        self._lengths = frozenset(map(len, self._phrases))

    @classmethod
    def of_file(cls, path: Path) -> "BlockedWords":
        """Read a file of UTF-8 text."""
        return cls(path.read_text(encoding="utf-8-sig").splitlines())

    def are_in(self, text: str) -> bool:
        """Say whether a folded text has one of them, as whole words."""
        words = list(_words(text)) if self._lengths else []
        return any(
            tuple(words[start : start + length]) in self._phrases
            for length in self._lengths
            for start in range(len(words) - length + 1)
        )


class SpamGuards(NamedTuple):
    """What a post is held to beside the contract; as it is made here, nothing."""

    max_links: int | None = None
    words: BlockedWords | None = None
    honeypot: str | None = None
    is_repeat_refused: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "SpamGuards":
        """Return the guards that the settings turn on; reads the file of blocked words."""
        path = settings.spam_words_file
        return cls(
            settings.spam_max_links,
            BlockedWords.of_file(path) if path else None,
            settings.spam_honeypot,
            bool(settings.spam_repeat_minutes),
        )

    def objections(self, fields: Mapping[str, object], texts: Mapping[str, str]) -> Iterator[str]:
        """Yield what is wrong with a post: all its fields as sent, the texts of some as kept."""
        if self.honeypot is not None and fields.get(self.honeypot) not in (None, ""):
            yield f"{self.honeypot}: must be left empty"
        if self.max_links is None and self.words is None:
            return
        for name, text in texts.items():
            seen = folded(text)
            if self.max_links is not None and _links(seen) > self.max_links:
                yield f"{name}: must not have more than {self.max_links} links"
            if self.words and self.words.are_in(seen):
                yield f"{name}: must not have words that are blocked here"

    def digest(self, text: str) -> bytes | None:
        """Return what texts that count as the same share; None if they may be repeated."""
        if not self.is_repeat_refused:
            return None
        return hashlib.sha256(" ".join(folded(text).split()).encode()).digest()


def folded(text: str) -> str:
    """Return a text as Unicode's toNFKC_Casefold: as good as equal texts become equal."""
    for _ in range(2):  # what folding makes may have to be composed, and folded again
        text = without_ignorable(unicodedata.normalize("NFKC", text).casefold())
    normalized: str = unicodedata.normalize("NFKC", text)
    return normalized


def _links(text: str) -> int:
    return sum(1 for _ in _LINK.finditer(text))


def _words(text: str) -> Iterator[str]:
    """Yield the words of a folded text, each look-alike as the letter it looks like."""
    runs = groupby(text.translate(_LOOK_ALIKES), _is_of_a_word)
    return ("".join(run) for is_word, run in runs if is_word)


def _is_of_a_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"
