"""The pages for crawlers and without JavaScript, in a browser."""

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from tests.contract.conftest import Shop
from tests.support.browser import Visit, accessibility_violations, fits
from tests.support.cluster import Cluster
from tests.support.data import Data
from tests.support.html import CONTROLS, HOSTILE_TEXTS

_PHOTO = "https://photos.example/1.jpg"


def paths(shop: Shop) -> list[str]:
    return [
        f"/products/{shop.product_id}/questions",
        f"/questions/{shop.question_id}",
        f"/products/{shop.product_id + 1}/questions",
        "/questions/0",
    ]


@pytest.fixture
async def hostile(shop: Shop, data: Data) -> Shop:
    """Return a product whose texts try to break out of its pages, or to turn their text around."""
    for text in HOSTILE_TEXTS + CONTROLS:
        await data.question(shop.product_id, body=text, name=text[:60])
        await data.answer(shop.question_id, body=text, name=text[:60], photos=[_PHOTO])
    await data.answer(shop.question_id, name="Seller")
    return shop


async def open_pages(browser: Browser, service: Cluster, path: str) -> Visit:
    visit = Visit(await browser.new_page())
    await visit.page.goto(f"{service.base_url}{path}")
    return visit


async def test_a_page_follows_its_policy_and_requests_no_other_host(
    browser: Browser, service: Cluster, hostile: Shop
) -> None:
    for path in paths(hostile):
        visit = await open_pages(browser, service, path)
        await expect(visit.page.locator("h1")).to_have_count(1)
        assert [each for each in visit.complaints if " 404 " not in each] == []
        assert visit.hosts == {urlsplit(service.base_url).netloc}
        await visit.page.close()


async def test_structured_data_is_data_and_no_script(
    browser: Browser, service: Cluster, hostile: Shop
) -> None:
    visit = await open_pages(browser, service, f"/questions/{hostile.question_id}")
    block = visit.page.locator("script")
    await expect(block).to_have_attribute("type", "application/ld+json")
    data = await block.evaluate("element => JSON.parse(element.textContent)")
    assert {answer["text"] for answer in data["mainEntity"]["suggestedAnswer"]} >= {*HOSTILE_TEXTS}
    assert visit.complaints == []
    await visit.page.close()


async def test_a_page_is_accessible_and_fits_a_phone(
    browser: Browser, service: Cluster, hostile: Shop
) -> None:
    for path in paths(hostile):
        page = (await open_pages(browser, service, path)).page
        assert await accessibility_violations(page) == []
        await page.set_viewport_size({"width": 360, "height": 740})
        assert await fits(page), path
        await page.close()


async def test_a_reader_without_javascript_reads_on_and_back(
    browser: Browser, service: Cluster, hostile: Shop
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{service.base_url}/products/{hostile.product_id}/questions")
    first = await page.locator("h2").first.inner_text()
    await page.get_by_role("link", name="More questions").click()
    await expect(page.locator("h2").first).not_to_have_text(first)
    await page.get_by_role("link", name="First questions").click()
    await expect(page.locator("h2").first).to_have_text(first)
    await page.locator("h2 a").first.click()
    await expect(page.locator("h1")).to_have_text(first)
    await page.get_by_role("link", name="All questions about this product").click()
    await expect(page.locator("h2").first).to_have_text(first)
    await context.close()


async def test_what_a_text_turns_around_ends_with_it(
    browser: Browser, service: Cluster, shop: Shop, data: Data
) -> None:
    question = await data.question(shop.product_id, body="\u202eturned", name="\u202eemoc")
    visit = await open_pages(browser, service, f"/questions/{question}")
    order = await visit.page.evaluate(
        """() => {
          const left = (node) => {
            const range = document.createRange();
            range.selectNodeContents(node);
            return range.getBoundingClientRect().left;
          };
          return [...document.querySelector(".meta").childNodes].map(left);
        }"""
    )
    assert order == sorted(order), "the parts of the line are not from left to right"
    await visit.page.close()
