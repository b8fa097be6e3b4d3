"""Templates of the pages for browsers: they escape every value, whatever a shopper wrote."""

from datetime import datetime
from hashlib import blake2b
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from atelier import __version__


class Templates:
    """The templates in a folder of `atelier/web`."""

    def __init__(self, folder: str) -> None:
        """Take the folder's name; templates are compiled once, when they are first used."""
        self._environment = Environment(
            loader=PackageLoader("atelier", f"web/{folder}"),
            autoescape=True,
            undefined=StrictUndefined,  # a misspelt name is an error
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters["date"] = _date
        self.version = _digest(folder)
        """Changes with the templates: part of the ETag of every page."""

    def render(self, name: str, **values: object) -> bytes:
        """Return a template with its values filled in.

        `{{ value }}` is safe in text and in quoted attributes (other than `style` and `on…`), and
        `{{ value | tojson }}` in a script element of data. A URL that a shopper wrote needs its
        scheme checked.
        """
        return self._environment.get_template(name).render(values).encode()


def _digest(folder: str) -> str:
    templates = (each for each in (files("atelier") / "web" / folder).iterdir() if each.is_file())
    contents = (each.read_bytes() for each in sorted(templates, key=lambda each: each.name))
    return blake2b(b"\0".join([__version__.encode(), *contents]), digest_size=8).hexdigest()


def _date(iso: str) -> str:
    """Return a date of the API as text: `18 October 2018`."""
    try:
        date = datetime.fromisoformat(iso)
    except ValueError:  # outside the years 1 to 9999
        return iso.partition("T")[0]
    return f"{date.day} {date:%B %Y}"
