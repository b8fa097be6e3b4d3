"""The reader's language, and the error texts in it."""

import json
import re
from collections.abc import Callable
from importlib.resources import files

import falcon.asgi
import falcon.testing
import pytest

from atelier.http.common.languages import (
    ENGLISH,
    LANGUAGES,
    accepted,
    translated,
    translated_rule_error,
)
from atelier.store.moderation import rule_files
from atelier.store.moderation.rule_files import InvalidRulesError


def request(header: str | None) -> falcon.asgi.Request:
    headers = {} if header is None else {"Accept-Language": header}
    return falcon.testing.create_asgi_req(headers=headers)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("DE-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr,ar-EG;q=0.7,en;q=0.8", "en"),
        ("fr;q=1,ar;q=0.001", "ar"),
        ("de;q=0,ar;q=0.5", "ar"),
        ("pt-BR, pt", "en"),
        ("*", "en"),
        ("de;q=high, ar", "ar"),
        ("x" * 5000, "en"),
        (", ;q=1, de;q=2,,", "en"),
    ],
)
def test_the_language_that_a_reader_prefers_is_chosen(header: str | None, language: str) -> None:
    assert accepted(request(header)) == language


def test_the_error_of_each_field_is_translated() -> None:
    links, length = "more than 2 links", "must have 1 to 60 characters, not only spaces"
    text = f"body: must not contain {links}; name: {length}"
    assert translated(text, "de") == (
        "body: darf nicht mehr als 2 Links enthalten; "
        "name: muss 1 bis 60 Zeichen haben, nicht nur Leerzeichen"
    )
    assert translated("body: the shop's own words", "de") is None
    assert translated("body: must be left empty; name: the shop's own words", "ar") is None


def texts(name: str) -> dict[str, str]:
    """Return a file of translations."""
    file = files("atelier") / "web" / "messages" / f"{name}.json"
    return dict(json.loads(file.read_text("utf-8")))


@pytest.mark.parametrize("kind", ["", "rules-"])
@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != ENGLISH])
def test_every_language_has_the_same_texts_with_their_values(language: str, kind: str) -> None:
    of_language = texts(f"{kind}{language}")
    assert of_language.keys() == texts(f"{kind}de").keys()
    translate = translated_rule_error if kind else translated
    for english in of_language:
        assert translate(english.replace("{}", "\u2e2e"), language)


_MISTAKES = """
[[rule]]
name = "Loud"
[[rule]]
name = "a"
kind = "word"
[[rule]]
name = "a"
kind = "words"
action = "hold"
words = ["x"]
[[rule]]
name = "a"
kind = "links"
action = "stop"
[[rule]]
name = "a"
kind = "links"
action = "hold"
max = 0.5
[[rule]]
name = "a"
kind = "links"
action = "hold"
max = 1
[[rule]]
name = "b"
kind = "new_address"
action = "refuse"
[[rule]]
name = "b"
kind = "new_address"
action = "hold"
within_days = 0
[[rule]]
name = "b"
kind = "repeated"
action = "hold"
within_hours = 1
on = "moon"
[[rule]]
name = "b"
kind = "words"
action = "hold"
words = []
[[rule]]
name = "b"
kind = "words"
action = "hold"
words = ["!"]
[[rule]]
name = "b"
kind = "links"
action = "hold"
max = 1
maximum = 2
[[rule]]
name = "b"
kind = "links"
action = "hold"
xyz = 2
[[rule]]
name = "b"
kind = "links"
action = "hold"
max = 1
applies_to = "questions"
[[rule]]
name = "b"
kind = "links"
action = "hold"
max = 1
message = "why"
[[rule]]
name = "b"
kind = "links"
action = "refuse"
max = 1
message = ""
"""


def errors(source: str) -> tuple[str, ...]:
    """Return what is wrong in rules."""
    with pytest.raises(InvalidRulesError) as caught:
        rule_files.parse(source)
    return caught.value.errors


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != ENGLISH])
def test_every_mistake_in_a_rule_is_told_in_the_language(language: str) -> None:
    english = [
        *(error.split(": ", 1)[1] for error in errors(_MISTAKES)),
        *errors("[[rul]]"),
        *errors("[[zzz]]"),
        *errors(""),
        *errors("[[rule]]\n" * 51),
        *errors("#" * 70_000),
        *errors("[[rule"),
        *errors("name = x"),
    ]
    used = {text for text in texts(f"rules-{language}") if any(map(_pattern(text), english))}
    assert used == {*texts(f"rules-{language}")}, "a text that no mistake has"
    for text in english:
        said = translated_rule_error(text, language)
        assert said, text
        assert said != text


def _pattern(text: str) -> Callable[[str], object]:
    return re.compile(re.escape(text).replace(r"\{\}", "(.*)"), re.DOTALL).fullmatch


def test_the_messages_of_a_shop_are_not_taken_for_mistakes_in_its_rules() -> None:
    assert translated("body: write in full sentences", "de") is None
