"""The demo shop at `/`, or instead of it a page that says what this service is."""

import asyncio
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import falcon.asgi

from atelier.http import App
from atelier.http.common.errors import ApiError
from atelier.http.common.languages import LANGUAGES
from atelier.http.pages import plain_text
from atelier.http.pages.documentation import File
from atelier.http.pages.questions import QuestionList
from atelier.http.pages.responses import POLICY, send
from atelier.http.pages.templates import Templates
from atelier.http.pages.texts import Texts, Words
from atelier.store.lists.reader import ListReader

# The widget's script, what it loads from /v1, and the photos that shoppers link to.
_POLICY = POLICY.replace(
    "img-src 'self'", "img-src 'self' data: https: http:; script-src 'self'; connect-src 'self'"
)
_FOLDER = files("atelier") / "web" / "demo"
_ONE_HOUR = "public, max-age=3600"
_TEMPLATES = Templates("demo", "pages")
_SHOP = {language: Texts(language, "demo") for language in LANGUAGES}
_NAMES = dict(zip(LANGUAGES, ("English", "Deutsch", "العربية"), strict=True))
_OTHERS = 4
_SVG = "image/svg+xml"
_PHOTO = re.compile(r"[0-9]+-([a-z-]+)\.jpg", re.ASCII)
_DRAWINGS = {
    **dict.fromkeys(("front", "back", "worn", "after-washing"), "hanger"),
    **dict.fromkeys(("close-up", "side"), "fabric"),
    "in-the-box": "box",
    "label": "label",
}
"""The drawing for each view of the generated photos."""

Product = Mapping[str, Any]


class Home:
    """`/`: all products."""

    def __init__(self, products: Mapping[int, Product], reader: ListReader, words: Words) -> None:
        """Take the products by id, the reader of lists, and the words of its pages."""
        self._products = products
        self._reader = reader
        self._words = words

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the products, each with its number of questions."""
        texts = self._words.named(req, resp)
        summaries = await asyncio.gather(*map(self._reader.summary, self._products))

        def render() -> bytes:
            counts = {
                each["product_id"]: plain_text.count(each, texts)
                for each in map(json.loads, summaries)
            }
            products = self._products.values()
            values = {"texts": texts, "products": products, "counts": counts}
            return _TEMPLATES.render("home.html", **values, **_in_language(req, texts))

        versions = (texts.language, _query(req), b"".join(summaries).decode())
        send(req, resp, render, _TEMPLATES.version, *versions, policy=_POLICY)

    on_head = on_get


class ProductPage:
    """`/demo/products/{product_id}`."""

    def __init__(
        self, products: Mapping[int, Product], questions: QuestionList, words: Words
    ) -> None:
        """Take the products by id, the reader of their questions, and the words of their pages."""
        self._products = products
        self._questions = questions
        self._words = words

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, product_id: str
    ) -> None:
        """Send a product, with its questions for readers without JavaScript."""
        request, page = await self._questions.read(req, product_id)
        product = self._products.get(request.key.product_id)
        if not product:
            raise ApiError(HTTPStatus.NOT_FOUND, "there is no such product in the demo shop")
        texts = self._words.named(req, resp)

        def render() -> bytes:
            others = self._others(request.key.product_id)
            values = self._questions.values(req, request, page, texts) | _in_language(req, texts)
            return _TEMPLATES.render("product.html", product=product, others=others, **values)

        versions = (
            _TEMPLATES.version,
            self._questions.version,
            texts.language,
            _query(req),
            page.version.decode(),
            page.totals.decode(),
        )
        send(req, resp, render, "/".join(map(str, request.key)), *versions, policy=_POLICY)

    on_head = on_get

    def _others(self, product_id: int) -> list[Product]:
        """Return the products that follow one, and after the last one the first."""
        ids = [*self._products]
        place = ids.index(product_id) + 1
        return [self._products[each] for each in (ids[place:] + ids)[:_OTHERS]]


class Photo:
    """`/demo/photos/{answer_id}/{name}`: what the sample's answers show, drawn."""

    def __init__(self) -> None:
        """Read the drawings."""
        self._drawings = {
            name: File(_FOLDER / "photos" / f"{name}.svg", _SVG, _ONE_HOUR)
            for name in {*_DRAWINGS.values()}
        }

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, answer_id: str, name: str
    ) -> None:
        """Send the drawing for the view that a photo's name ends with."""
        photo = _PHOTO.fullmatch(name)
        if not (answer_id.isdigit() and photo and photo[1] in _DRAWINGS):
            raise ApiError(HTTPStatus.NOT_FOUND, "there is no such photo in the sample")
        await self._drawings[_DRAWINGS[photo[1]]].on_get(req, resp)

    on_head = on_get


class About:
    """`/` without a demo shop: what this is."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the page."""
        send(req, resp, lambda: _TEMPLATES.render("about.html"), _TEMPLATES.version)

    on_head = on_get


def _query(req: falcon.asgi.Request) -> str:
    """Return the query of links to other pages: that of the language, if this address has one."""
    language = req.get_param("lang")
    return f"?lang={language}" if language in LANGUAGES else ""


def _in_language(req: falcon.asgi.Request, texts: Texts) -> dict[str, object]:
    """Return what every page of the shop shows: its words, and links to the languages."""
    return {"shop": _SHOP[texts.language], "languages": _NAMES, "query": _query(req)}


def add_demo_shop(app: App, reader: ListReader, questions: QuestionList, words: Words) -> None:
    """Add the routes of the demo shop and of its files; `words` are those of its lists."""
    listed = _products()
    products = {product["id"]: product for product in listed}
    app.add_route("/", Home(products, reader, words))
    app.add_route("/demo/products/{product_id}", ProductPage(products, questions, words))
    app.add_route("/demo/shop.css", File(_FOLDER / "shop.css", "text/css", _ONE_HOUR))
    for product in listed:
        name = f"{product['picture']}.svg"
        app.add_route(f"/demo/{name}", File(_FOLDER / name, _SVG, _ONE_HOUR))
    app.add_route("/demo/photos/{answer_id}/{name}", Photo())


def demo_addresses() -> dict[int, str]:
    """Return the address of each product of the demo shop, by id."""
    return {product["id"]: f"/demo/products/{product['id']}" for product in _products()}


def _products() -> list[Product]:
    products: list[Product] = json.loads((_FOLDER / "products.json").read_text(encoding="utf-8"))
    return products
