"""The pages' own words, in the language of the setting or of the reader."""

import json
from datetime import datetime
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import falcon.asgi
from markupsafe import Markup

from atelier.http.common import languages
from atelier.http.common.languages import LANGUAGES

AUTO = "auto"
"""The setting with which each reader gets pages in their language."""


class Texts:
    """The words of one language; templates read them as attributes."""

    def __init__(self, language: str, folder: str = "pages") -> None:
        """Read the file of a language, of the pages in a folder."""
        file = files("atelier") / "web" / folder / f"texts-{language}.json"
        self._texts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self.language = language

    def __getitem__(self, name: str) -> str:
        """Return a text; raise KeyError if there is none of this name."""
        return str(self._texts[name])

    def error(self, status: HTTPStatus) -> tuple[str, str]:
        """Return the heading and the sentence of an error page."""
        errors: dict[str, list[str]] = self._texts["errors"]
        heading, sentence = errors.get(f"{status}") or errors[f"{status // 100}xx"]
        return heading, sentence

    def fill(self, name: str, *values: object) -> str:
        """Return a text with its values filled in."""
        return self[name].format(*values)

    def html(self, name: str, *values: object) -> Markup:
        """Return a text that may contain elements, with its values filled in, and escaped."""
        return Markup(self[name]).format(*values)  # noqa: S704 - a text of ours

    def group(self, name: str) -> dict[str, Any]:
        """Return the texts of a group, by name."""
        return dict(self._texts[name])

    def term(self, group: str, value: str) -> str:
        """Return what a value of the API is called; one that is not known keeps its name."""
        return str(self._texts[group].get(value) or value.replace("_", " "))

    def said(self, text: str, otherwise: str | None = None) -> str:
        """Return an error text of the API in this language; `otherwise` if it is not known in it.

        Without that, such a text stays English.
        """
        if self.language == languages.ENGLISH:
            return text or otherwise or ""
        return languages.translated(text, self.language) or otherwise or text

    def number(self, value: int) -> str:
        """Return a number in groups of three digits."""
        return f"{value:,}".replace(",", self["thousands"])

    def count(self, name: str, number: int) -> str:
        """Return how many there are of what the text names."""
        form = "one" if number == 1 else "other"
        return str(self._texts[name][form]).format(number)

    def date(self, iso: str) -> str:
        """Return a date of the API as text: `18 October 2018`."""
        try:
            date = datetime.fromisoformat(iso)
        except ValueError:  # outside the years 1 to 9999
            return iso.partition("T")[0]
        month = self._texts["months"][date.month - 1]
        return self["date"].format(day=date.day, month=month, year=date.year)


class Words:
    """The words for each request."""

    def __init__(self, language: str, folder: str = "pages") -> None:
        """Take the language of all pages, or AUTO; and the folder of the pages."""
        self._texts = {each: Texts(each, folder) for each in LANGUAGES}
        self._language = None if language == AUTO else language

    def of(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> Texts:
        """Return the words in the language of the setting, else of the reader, else in English.

        The response then says that it depends on the reader. The page that includes a fragment
        may name its own language, `lang`.
        """
        if "fragment" in req.params:
            return self.named(req, resp)
        return self._of_reader(req, resp)

    def named(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> Texts:
        """Return the words in the language that the address names, `lang`; else as `of`."""
        named = req.get_param("lang")
        return self._texts[named] if named in self._texts else self._of_reader(req, resp)

    def _of_reader(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> Texts:
        if self._language:
            return self._texts[self._language]
        resp.append_header("Vary", "Accept-Language")
        return self._texts[languages.accepted(req)]
