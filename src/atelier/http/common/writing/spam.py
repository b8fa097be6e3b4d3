"""Spam guards for posts; each is off by default."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from atelier.http.common.logs import log
from atelier.settings import Settings
from atelier.store.moderation import matching
from atelier.store.moderation.matching import BlockedWords, nfkc_casefold

_SHOWN_LINES = 20


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
            _read(path) if path else None,
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
            if self.max_links is not None and matching.count_links(folded) > self.max_links:
                yield name, f"must not contain more than {self.max_links} links"
            if self.words and self.words.occur_in(folded):
                yield name, "must not contain blocked words"

    def digest(self, text: str) -> bytes | None:
        """Return a digest that is equal for repeated texts; None if repeats are allowed."""
        return matching.digest(nfkc_casefold(text)) if self.rejects_repeats else None


def _read(path: Path) -> BlockedWords:
    """Read a file of blocked words; log a warning of lines that block nothing."""
    if numbers := matching.lines_without_effect(path):
        shown = ", ".join(map(str, numbers[:_SHOWN_LINES]))
        log.warning("%s: lines without a letter or digit block nothing: %s", path, shown)
    return BlockedWords.from_file(path)
