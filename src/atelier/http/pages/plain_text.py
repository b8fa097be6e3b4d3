"""Texts of shoppers where a page has no room for markup: titles and descriptions."""

import re
from collections.abc import Mapping
from typing import Any

from atelier.http.pages.texts import Texts

TITLE, DESCRIPTION = 65, 155
"""The characters that search engines show."""
_DIRECTION_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def shortened(text: str, length: int) -> str:
    """Return a text in one line of at most `length` characters, cut between words if possible.

    It is without the controls of directions, which would act on what follows it.
    """
    line = " ".join(_DIRECTION_CONTROLS.sub("", text).split())
    if len(line) <= length:
        return line
    words, _, _ = line[:length].rpartition(" ")
    return f"{words or line[: length - 1]}…"


def count(totals: Mapping[str, int], texts: Texts) -> str:
    """Return how many questions and answers there are: `1 question, 2 answers`."""
    return texts["comma"].join(texts.count(name, totals[name]) for name in ("questions", "answers"))


def describe(question: Mapping[str, Any], texts: Texts) -> str:
    """Return the first answer of a question, or else who asked it."""
    answers = question["answers"]
    text = answers[0]["body"] if answers else texts.fill("question_by", question["author"])
    return shortened(text, DESCRIPTION)
