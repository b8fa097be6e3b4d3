"""Where the pages are, for links and for crawlers."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

import falcon.asgi

from atelier.http.pages.responses import origin
from atelier.settings import Settings


class Addresses(NamedTuple):
    """Addresses; "" where a setting has none."""

    public_url: str
    """What stands before the path of a page."""
    product_url: str
    """The address of a product in the shop, with `{product_id}`."""
    products: Mapping[int, str]
    """The addresses of those products that have another one, by id."""

    @classmethod
    def from_settings(cls, settings: Settings, products: Mapping[int, str]) -> "Addresses":
        """Return the addresses of a service; those of `products` only without a product_url."""
        url = settings.product_url or ""
        return cls(settings.public_url or "", url, {} if url else products)

    def link(self, path: str, after: str | None = None) -> str:
        """Return the target of a link to a page, or to the page after a cursor."""
        query = f"?after={quote(after)}" if after else ""
        return f"{self.public_url}{path}{query}"

    def absolute(self, req: falcon.asgi.Request, path: str, after: str | None = None) -> str:
        """Return the same with scheme and host, if need be those of the request."""
        return f"{'' if self.public_url else origin(req)}{self.link(path, after)}"

    def product(self, product_id: int) -> str:
        """Return the address of a product in the shop."""
        url = self.product_url.replace("{product_id}", str(product_id))
        return self.products.get(product_id, url)
