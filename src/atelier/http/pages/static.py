"""The style of the pages and their icon."""

from importlib.resources import files

from atelier.http import App
from atelier.http.pages.documentation import File

_ONE_HOUR = "public, max-age=3600"


def add_static_files(app: App) -> None:
    """Add the routes of the files that all pages share."""
    folder = files("atelier") / "web" / "pages"
    app.add_route("/pages/page.css", File(folder / "page.css", "text/css", _ONE_HOUR))
    app.add_route("/favicon.svg", File(folder / "favicon.svg", "image/svg+xml", _ONE_HOUR))
