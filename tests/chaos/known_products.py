"""Products with unchanging questions, so that the content of every response is known."""

import json
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.support.data import Data, new_product_id

_DATE = "2018-10-18T00:00:00.000Z"


@dataclass(frozen=True)
class KnownProducts:
    """The expected page of each product, as parsed JSON."""

    pages: dict[int, dict[str, Any]]

    def fault(self, product_id: int, body: bytes) -> str | None:
        """Return the fault of a product's page, or None."""
        return None if json.loads(body) == self.pages[product_id] else f"wrong page: {body[:80]!r}"


async def add_products(connection: asyncpg.Connection, products: int = 20) -> KnownProducts:
    """Add products with two questions, one of them answered; return their expected pages."""
    data = Data(connection)
    return KnownProducts(dict([await _product(data) for _ in range(products)]))


async def _product(data: Data) -> tuple[int, dict[str, Any]]:
    product_id = new_product_id()
    text = f"Is {product_id} what I need?"
    low = await data.question(product_id, body=text, helpful=1)
    high = await data.question(product_id, body=text, helpful=7)
    answer = await data.answer(high, body=f"{product_id} is.", photos=["https://a.example/1"])
    answered = {
        str(answer): {
            "id": answer,
            "body": f"{product_id} is.",
            "date": _DATE,
            "answerer_name": "metslover",
            "helpfulness": 0,
            "photos": ["https://a.example/1"],
        }
    }
    results = [_question(high, text, 7, answered), _question(low, text, 1, {})]
    return product_id, {"product_id": str(product_id), "results": results}


def _question(number: int, text: str, helpful: int, answers: dict[str, Any]) -> dict[str, Any]:
    return {
        "question_id": number,
        "question_body": text,
        "question_date": _DATE,
        "asker_name": "williamsmith",
        "question_helpfulness": helpful,
        "reported": False,
        "answers": answers,
    }
