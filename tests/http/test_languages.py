"""The reader's language, and the error texts in it."""

import json
from importlib.resources import files

import falcon.asgi
import falcon.testing
import pytest

from atelier.http.common.languages import ENGLISH, LANGUAGES, accepted, translated


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


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != ENGLISH])
def test_every_language_has_the_same_texts_with_their_values(language: str) -> None:
    texts = {
        each: json.loads(
            (files("atelier") / "web" / "messages" / f"{each}.json").read_text("utf-8")
        )
        for each in ("de", language)
    }
    assert texts[language].keys() == texts["de"].keys()
    for english in texts[language]:
        example = english.replace("{}", "\u2e2e")
        assert translated(example, language)
