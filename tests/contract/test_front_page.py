"""`/` with the demo shop and without it, and the pages of the shop."""

from collections.abc import AsyncIterator
from xml.etree import ElementTree as ET

import httpx
import pytest

from atelier.transfer.generator.vocabulary import PHOTO_VIEWS
from tests.contract.conftest import Shop
from tests.support.cluster import Cluster
from tests.support.data import Data
from tests.support.html import HOSTILE_TEXTS, attributes, parse, texts


@pytest.fixture(scope="module")
async def demo(demo_service: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=demo_service.base_url) as client:
        yield client


async def test_the_front_page_leads_to_every_product_and_back(demo: httpx.AsyncClient) -> None:
    home, errors = parse((await demo.get("/")).text)
    assert errors == []
    links = attributes(home, ".//main//a", "href")
    assert 4 <= len(links) <= 6
    for link in links:
        page = await demo.get(link)
        assert page.status_code == 200
        document, errors = parse(page.text)
        assert errors == []
        assert "/" in attributes(document, ".//nav/a", "href")
        [element] = document.iterfind(".//atelier-questions")
        assert link == f"/demo/products/{element.get('product-id')}"
        assert attributes(document, ".//script", "src") == ["/widget/atelier-questions.js"]
        for picture in attributes(document, ".//img", "src"):
            assert (await demo.get(picture)).headers["content-type"].startswith("image/svg+xml")


async def test_a_product_of_the_shop_shows_its_questions_without_javascript(
    demo: httpx.AsyncClient, data: Data
) -> None:
    before = texts(parse((await demo.get("/demo/products/13")).text)[0], ".//article/h3")
    tag = (await demo.get("/demo/products/13")).headers["etag"]
    home = (await demo.get("/")).headers["etag"]
    for text in HOSTILE_TEXTS[:3]:
        await data.question(13, body=text, helpful=10**6)
    response = await demo.get("/demo/products/13", headers={"If-None-Match": tag})
    document, errors = parse(response.text)
    assert errors == []
    assert texts(document, ".//article/h3") == HOSTILE_TEXTS[2::-1] + before[:7]
    assert (await demo.get("/", headers={"If-None-Match": home})).status_code == 200
    again = await demo.get("/demo/products/13", headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("de", "ltr"), ("ar", "rtl")])
async def test_the_shop_is_in_the_language_of_the_reader_or_of_the_address(
    demo: httpx.AsyncClient, language: str, direction: str
) -> None:
    seen: dict[str, str] = {}
    for path in ("/", "/demo/products/1"):
        wanted = await demo.get(path, headers={"Accept-Language": language})
        assert "accept-language" in wanted.headers["vary"].lower()
        named = await demo.get(
            path, params={"lang": language}, headers={"Accept-Language": "de, ar;q=0.5"}
        )
        assert wanted.headers["etag"] != named.headers["etag"], "their links differ"
        for response in (wanted, named):
            document, errors = parse(response.text)
            assert errors == []
            assert (document.get("lang"), document.get("dir")) == (language, direction)
        links = attributes(document, ".//main//a", "href") + attributes(
            document, ".//header/a", "href"
        )
        shop = [link for link in links if link == "/" or link.startswith(("/?", "/demo/"))]
        assert shop
        assert all(link.endswith(f"?lang={language}") for link in shop)
        seen[path] = " ".join(texts(document, ".//h1"))
    other = "de" if language == "en" else "en"
    for path, heading in seen.items():
        document, _ = parse((await demo.get(path, params={"lang": other})).text)
        assert " ".join(texts(document, ".//h1")) != heading


@pytest.mark.parametrize(
    "path", ["/demo/products/2", "/demo/products/x", "/demo", "/demo/x.svg", "/demo/photos/1/x.jpg"]
)
async def test_what_the_shop_does_not_have_is_a_page_that_says_so(
    demo: httpx.AsyncClient, path: str
) -> None:
    response = await demo.get(path)
    assert response.status_code == 404
    document, errors = parse(response.text)
    assert errors == []
    assert texts(document, ".//h1") == ["This page does not exist"]


async def test_without_the_shop_the_front_page_says_what_this_is(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    response = await client.get("/")
    document, errors = parse(response.text)
    assert errors == []
    assert texts(document, ".//h1") == ["Atelier Q&A"]
    for link in attributes(document, ".//main//a", "href"):
        assert (await client.get(link, follow_redirects=True)).status_code == 200
    assert (await client.get("/demo/products/1")).status_code == 404
    known = await client.get("/", headers={"If-None-Match": response.headers["etag"]})
    assert known.status_code == 304
    assert (await client.get(f"/questions/{shop.question_id}")).status_code == 200


async def test_a_permalink_leads_back_to_the_product_of_the_shop(
    demo: httpx.AsyncClient, data: Data, shop: Shop
) -> None:
    question = await data.question(16)
    page, _ = parse((await demo.get(f"/questions/{question}")).text)
    [_, product] = attributes(page, ".//p[@class='back']/a", "href")
    assert (await demo.get(product)).status_code == 200
    other, _ = parse((await demo.get(f"/questions/{shop.question_id}")).text)
    assert len(attributes(other, ".//p[@class='back']/a", "href")) == 1


async def test_every_photo_of_the_sample_is_drawn(demo: httpx.AsyncClient) -> None:
    for view in PHOTO_VIEWS:
        response = await demo.get(f"/demo/photos/4732/1360-{view}.jpg")
        assert response.headers["content-type"] == "image/svg+xml; charset=utf-8"
        assert ET.fromstring(response.text).tag.endswith("svg")  # noqa: S314 - our own file
