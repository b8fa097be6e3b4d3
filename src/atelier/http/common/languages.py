"""The reader's language, and error texts in it; the English texts are the keys of the others."""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import falcon.asgi

ENGLISH = "en"
LANGUAGES = (ENGLISH, "de", "ar")
"""The languages of the pages, the widget and the error texts for shoppers."""

_RANGE = re.compile(r"([A-Za-z]{1,8})(?:-[A-Za-z0-9-]{1,40})?(?:;q=([01](?:\.[0-9]{0,3})?))?")
_MAX_RANGES = 20
_NEXT_FIELD = re.compile(r"; (?=[\w-]{1,60}: )")
_FIELD = re.compile(r"([\w-]{1,60}: )(.*)", re.DOTALL)
_VALUE = re.escape("{}")


def accepted(req: falcon.asgi.Request) -> str:
    """Return the one of LANGUAGES that a request prefers; English if it accepts none of them."""
    header = req.get_header("Accept-Language", default="")
    known = [(quality, name) for quality, name in _ranges(header) if name in LANGUAGES and quality]
    return max(known, key=lambda each: each[0], default=(0, ENGLISH))[1]


def _ranges(header: str) -> Iterator[tuple[float, str]]:
    for part in header.replace(" ", "").split(",")[:_MAX_RANGES]:
        if given := _RANGE.fullmatch(part):
            yield float(given[2] or 1), given[1].lower()


def translated(text: str, language: str) -> str | None:
    """Return an error text in a language; None if it is not known in it.

    The text may be one for each of several fields: `body: must …; name: must …`.
    """
    parts = [_part(part, language) for part in _NEXT_FIELD.split(text)]
    known = [part for part in parts if part is not None]
    return "; ".join(known) if len(known) == len(parts) else None


def _part(text: str, language: str) -> str | None:
    whole = _sentence(text, language)
    field = _FIELD.fullmatch(text)
    if whole is not None or field is None:
        return whole
    sentence = _sentence(field[2], language)
    return None if sentence is None else f"{field[1]}{sentence}"


def translated_rule_error(text: str, language: str) -> str | None:
    """Return what is wrong in a moderation rule in a language; None if it is not known in it."""
    return _sentence(text, f"rules-{language}")


def _sentence(text: str, name: str) -> str | None:
    for pattern, translation in _texts(name):
        if found := pattern.fullmatch(text):
            return translation.format(*found.groups())
    return None


@cache
def _texts(name: str) -> list[tuple[re.Pattern[str], str]]:
    """Return the patterns of the English texts of a file, each with its translation."""
    file = files("atelier") / "web" / "messages" / f"{name}.json"
    texts: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return [
        (re.compile(re.escape(english).replace(_VALUE, "(.*)"), re.DOTALL), other)
        for english, other in texts.items()
    ]
