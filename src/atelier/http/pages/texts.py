"""The pages' own words, in the language of the setting."""

import json
from datetime import datetime
from importlib.resources import files
from typing import Any


class Texts:
    """The words of one language; templates read them as attributes."""

    def __init__(self, language: str) -> None:
        """Read the file of a language."""
        file = files("atelier") / "web" / "pages" / f"texts-{language}.json"
        self._texts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self.language = language

    def __getitem__(self, name: str) -> str:
        """Return a text; raise KeyError if there is none of this name."""
        return str(self._texts[name])

    def fill(self, name: str, value: object) -> str:
        """Return a text with a value filled in."""
        return self[name].format(value)

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
