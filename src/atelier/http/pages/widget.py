"""/widget: the element that shows a product's questions, for pages of any origin (decision 23).

The script is put together in memory from the modules in `web/widget`, so that one request loads it.
"""

import gzip
import json
import re
from functools import cache
from hashlib import blake2b
from http import HTTPStatus
from importlib.resources import files
from string import ascii_letters
from typing import NamedTuple

import falcon
import falcon.asgi
from rjsmin import jsmin

from atelier.http import App
from atelier.http.common.errors import ApiError

NAME = "atelier-questions.js"
"""The script, with a version before it in the path, and the short one that imports it."""

_FOLDER = files("atelier") / "web" / "widget"
# Each module after those that it imports.
_MODULES = (
    *("texts-en.js", "texts.js", "dom.js", "storage.js", "api.js", "outbox.js", "cards.js"),
    *("list.js", "search.js", "dialogs.js", "notices.js", "element.js"),
)
_LANGUAGES = ("texts-ar.js", "texts-de.js")
_STYLES = "widget.css"
_REVALIDATE, _IMMUTABLE = "no-cache", "public, max-age=31536000, immutable"
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)
_PRIVATE = re.compile(r"#[a-zA-Z]\w*")
_DECLARED = re.compile(r"^(?:(?:async )?function|class|const|let) (\w*[A-Z]\w*)", re.MULTILINE)
_PROPERTY = re.compile(r"\.(\w+)|^ +(\w+)(?: =|\()", re.MULTILINE)
_WORD = re.compile(r'"[^"\n]*"|(?<![.}\w$#])\w+')
_LETTERS = [f"{letter}{digit}" for digit in ("", *"0123456789") for letter in ascii_letters]
_CONST = re.compile(r"\bconst\b(?=[ {\[])")
_BOOLEAN = re.compile(r'(?<!["\w])(?:true|false)(?!["\w])')
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_SPACE = re.compile(r"\s*([{};,])\s*|(?<=[\w-])(:) ")


class Asset(NamedTuple):
    """A file, as it is and compressed (if that is smaller), each with its ETag."""

    plain: tuple[bytes, str]
    compressed: tuple[bytes, str]

    @classmethod
    def of(cls, text: str) -> "Asset":
        """Return the file with a text."""
        content = text.encode()
        packed = gzip.compress(content, 9, mtime=0)
        smaller = packed if len(packed) < len(content) else content
        return cls((content, _digest(content)), (smaller, _digest(smaller)))


class Widget(NamedTuple):
    """The files of the widget, by name, and their version."""

    version: str
    assets: dict[str, Asset]
    entry: Asset


@cache
def widget(honeypot: str | None) -> Widget:
    """Return the widget, put together once; only bots fill the field `honeypot`, if any."""
    texts = {NAME: script(honeypot), **{name: str(jsmin(_read(name))) for name in _LANGUAGES}}
    version = _digest("".join(texts.values()).encode())
    entry = f'import "./{version}/{NAME}";\n'
    return Widget(version, {name: Asset.of(text) for name, text in texts.items()}, Asset.of(entry))


def script(honeypot: str | None) -> str:
    """Return all modules as one, with the styles, without comments and needless spaces."""
    modules = _with_short_names("".join(map(_module, _MODULES)))
    values = {"css": _styles(), "HONEYPOT": honeypot}
    constants = [
        f"const {name} = {json.dumps(value, ensure_ascii=False)};\n"
        for name, value in values.items()
    ]
    return str(jsmin("".join(constants))) + _smaller(str(jsmin(modules)))


def _smaller(script: str) -> str:
    """Return a script with shorter words for declarations and booleans outside strings."""
    script = _CONST.sub("let", script.replace(";}", "}"))
    return _BOOLEAN.sub(lambda found: "!0" if found[0] == "true" else "!1", script)


def _module(name: str) -> str:
    """Return a module without its imports and exports: all modules share one scope."""
    text = _EXPORT.sub("", _IMPORT.sub("", _read(name)))
    return text.replace("export default {", "const english = {")


def _with_short_names(modules: str) -> str:
    """Return the modules with shorter names where nobody else sees them.

    These are the private ones (`#name`), and those that modules declare, if they have a capital
    and no property has the name. A word in a string, or at the end of a template, is none.
    """
    properties = {name for found in _PROPERTY.findall(modules) for name in found}
    private = sorted({*_PRIVATE.findall(modules)})
    declared = sorted({*_DECLARED.findall(modules)} - properties)
    short = {
        **{name: f"#{letter}" for name, letter in zip(private, _LETTERS, strict=False)},
        **{name: f"${letter}" for name, letter in zip(declared, _LETTERS, strict=False)},
    }
    modules = _PRIVATE.sub(lambda name: short.get(name[0], name[0]), modules)
    return _WORD.sub(lambda name: short.get(name[0], name[0]), modules)


def _styles() -> str:
    return _CSS_SPACE.sub(r"\1\2", _CSS_COMMENT.sub("", _read(_STYLES))).strip()


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()


class Entry:
    """`/widget/atelier-questions.js`: never stale; it imports the script of the version."""

    def __init__(self, honeypot: str | None) -> None:
        """Take the name of the field that only bots fill, if there is one."""
        self._honeypot = honeypot

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the file, or 304."""
        _send(req, resp, widget(self._honeypot).entry, _REVALIDATE)

    on_head = on_get


class Versioned:
    """`/widget/{version}/{name}`: cacheable forever."""

    def __init__(self, honeypot: str | None) -> None:
        """Take the name of the field that only bots fill, if there is one."""
        self._honeypot = honeypot

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, version: str, name: str
    ) -> None:
        """Send the file, or 304.

        While a new version is rolled out, an instance is asked for the files of another version:
        it sends its own, which no cache keeps.
        """
        current = widget(self._honeypot)
        asset = current.assets.get(name)
        if asset is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "Error: Not Found")
        _send(req, resp, asset, _IMMUTABLE if version == current.version else _REVALIDATE)

    on_head = on_get


def add_widget(app: App, honeypot: str | None) -> None:
    """Add the routes of the widget; only bots fill the field `honeypot`, if there is one."""
    app.add_route(f"/widget/{NAME}", Entry(honeypot))
    app.add_route("/widget/{version}/{name}", Versioned(honeypot))


def _send(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, asset: Asset, cache_control: str
) -> None:
    accepts_gzip = _accepts_gzip(req.get_header("Accept-Encoding") or "")
    content, tag = asset.compressed if accepts_gzip else asset.plain
    resp.set_headers(
        {
            "Content-Type": "text/javascript; charset=utf-8",
            "Cache-Control": cache_control,
            # Any page may embed it; whether it may call the API is for ATELIER_CORS_ORIGINS.
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Timing-Allow-Origin": "*",
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Encoding",
        }
    )
    resp.etag = tag
    if tag in (req.if_none_match or ()):
        resp.status = falcon.HTTP_NOT_MODIFIED
        return
    if content != asset.plain[0]:
        resp.set_header("Content-Encoding", "gzip")
    resp.data = content


def _accepts_gzip(accepted: str) -> bool:
    offers = (offer.replace(" ", "").lower().partition(";q=") for offer in accepted.split(","))
    return any(
        name == "gzip" and quality not in {"0", "0.0", "0.00", "0.000"}
        for name, _, quality in offers
    )
