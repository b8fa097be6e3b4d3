"""Pages escape what anybody wrote."""

import json
import re
from importlib.resources import files
from pathlib import Path
from string import Formatter

import jinja2
import pytest

from atelier.http.pages.templates import Templates
from atelier.http.pages.texts import Texts

CONSOLE = Path(str(files("atelier") / "web" / "console"))
DEMO = CONSOLE.with_name("demo")
_HOSTILE = "\"'><script>alert(1)</script>&lt;"


def error_page(**values: object) -> str:
    given = {"title": "Not Found", "status": 404, "heading": "Not Found", "text": ""} | values
    return Templates("pages").render("error.html", **given).decode()


@pytest.mark.parametrize("place", ["title", "heading", "text"])
def test_a_value_is_escaped_wherever_it_stands(place: str) -> None:
    page = error_page(**{place: _HOSTILE})
    assert "<script" not in page
    assert "&#34;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;lt;" in page


def test_a_value_that_a_template_misses_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        Templates("pages").render("error.html")


def test_a_version_is_that_of_its_templates() -> None:
    assert Templates("pages").version == Templates("pages").version
    assert Templates("pages").version != Templates("docs").version


@pytest.mark.parametrize("folder", ["pages", "console", "demo"])
@pytest.mark.parametrize("language", ["de", "ar"])
def test_a_language_has_every_text_with_the_same_places_to_fill_in(
    language: str, folder: str
) -> None:
    texts = files("atelier") / "web" / folder
    english, other = (
        json.loads((texts / f"texts-{each}.json").read_text("utf-8")) for each in ("en", language)
    )
    assert other.keys() == english.keys()
    for name, text in english.items():
        if isinstance(text, str):
            assert places(other[name]) == places(text), name
        elif "other" in text and "one" in text:
            assert places(other[name]["other"]) == places(text["other"]), name
        elif isinstance(text, dict):
            assert {key: shape(each) for key, each in other[name].items()} == {
                key: shape(each) for key, each in text.items()
            }, name
        else:
            assert len({*other[name]}) == len(text), name


def shape(text: str | list[str]) -> int:
    """Return how many places a text has to be filled in; of a list how many texts."""
    return text.count("{}") if isinstance(text, str) else len(text)


_NO_TEXT = re.compile(r"\{[{%#].*?[}%#]\}|<(code|kbd)>.*?</\1>|<!--.*?-->|<[^>]*>", re.DOTALL)
_NAMES = {"Atelier", "UTC", "read", "moderate", "operate"}  # as in commands and the API


@pytest.mark.parametrize(
    "name", sorted(str(file) for folder in (CONSOLE, DEMO) for file in folder.glob("*.html"))
)
def test_a_template_has_no_words_of_its_own(name: str) -> None:
    source = Path(name).read_text("utf-8")
    words = {*_NO_TEXT.sub(" ", source).split()}
    assert {word for word in words - _NAMES if any(map(str.isalpha, word))} == set()


@pytest.mark.parametrize("name", sorted(map(str, CONSOLE.glob("*.js"))))
def test_every_text_that_a_script_of_the_console_asks_for_exists(name: str) -> None:
    scripts = json.loads((CONSOLE / "texts-en.json").read_text("utf-8"))["scripts"]
    asked = {*re.findall(r'\bt\("(\w+)"', Path(name).read_text("utf-8"))}
    assert asked - scripts.keys() == set()


def places(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text)} - {None}


def test_a_date_is_written_as_the_language_does() -> None:
    dates = [Texts(each).date("2018-10-18T23:59:59.999Z") for each in ("en", "de")]
    assert dates == ["18 October 2018", "18. Oktober 2018"]
    assert Texts("en").date("12018-10-18T00:00:00.000Z") == "12018-10-18"
