"""Templates of the pages for browsers: they escape every value, whatever a shopper wrote."""

from hashlib import blake2b
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from atelier import __version__


class Templates:
    """The templates in folders of `atelier/web`."""

    def __init__(self, *folders: str) -> None:
        """Take the names of the folders; templates are compiled once, when they are first used."""
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader("atelier", f"web/{folder}") for folder in folders]),
            autoescape=True,
            undefined=StrictUndefined,  # a misspelt name is an error
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.version = "-".join(map(_digest, folders))
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
