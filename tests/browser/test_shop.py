"""The demo shop in a browser, with and without JavaScript."""

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.browser import Visit, accessibility_violations, fits
from tests.support.cluster import Cluster
from tests.support.data import Data

PRODUCT = 5
PATHS = ("/", f"/demo/products/{PRODUCT}")


@pytest.fixture
async def question(data: Data) -> int:
    """Return the first question of a product of the shop."""
    question = await data.question(PRODUCT, body="Is the strap long?", helpful=10**6)
    await data.answer(question, body="Long enough.", name="Seller")
    return question


@pytest.mark.usefixtures("question")
async def test_the_shop_is_accessible_and_fits_every_screen(
    browser: Browser, demo_service: Cluster
) -> None:
    page = await browser.new_page()
    for path in (*PATHS, *(f"{path}?lang=ar" for path in PATHS)):
        await page.goto(f"{demo_service.base_url}{path}", wait_until="networkidle")
        assert await accessibility_violations(page) == []
        for width in (360, 768, 1280):
            await page.set_viewport_size({"width": width, "height": 800})
            assert await fits(page), f"{path} at {width} pixels"
    await page.close()


async def test_every_picture_is_shown_and_no_other_host_is_asked(
    browser: Browser, demo_service: Cluster
) -> None:
    visit = Visit(await browser.new_page())
    for path in PATHS:
        await visit.page.goto(f"{demo_service.base_url}{path}")
        assert await _broken_pictures(visit.page) == []
    assert visit.hosts == {urlsplit(demo_service.base_url).netloc}
    await visit.page.close()


async def test_a_shopper_without_javascript_reads_questions(
    browser: Browser, demo_service: Cluster, question: int
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{demo_service.base_url}/")
    await page.get_by_role("link", name="Backpack").click()
    await expect(page.locator("h1")).to_have_text("Harbour Backpack")
    first = page.locator(f"#question-{question}")
    await expect(first).to_contain_text("Is the strap long?")
    await expect(first).to_contain_text("Long enough.")
    await first.get_by_role("link", name="Is the strap long?").click()
    await expect(page).to_have_url(f"{demo_service.base_url}/questions/{question}")
    await context.close()


async def test_the_widget_takes_the_list_over_and_a_shopper_asks(
    browser: Browser, demo_service: Cluster, question: int
) -> None:
    visit = Visit(await browser.new_page(locale="en-US"))
    page = visit.page
    await page.goto(f"{demo_service.base_url}/demo/products/{PRODUCT}")
    await expect(page.get_by_role("searchbox")).to_be_visible()
    await expect(page.locator(f"#question-{question}")).to_be_hidden()
    await page.get_by_role("button", name="Add a question").first.click()
    for name, text in {"body": "Is it new?", "name": "jane", "email": "j@example.com"}.items():
        await page.locator(f"dialog [name={name}]").fill(text)
    await page.locator("dialog button[type=submit]").click()
    await expect(page.get_by_role("heading", name="Is it new?")).to_be_visible()
    assert visit.complaints == []
    assert visit.hosts == {urlsplit(demo_service.base_url).netloc}
    await page.close()


@pytest.mark.usefixtures("question")
async def test_a_shopper_changes_the_language_and_keeps_it(
    browser: Browser, demo_service: Cluster
) -> None:
    page = await browser.new_page()
    await page.goto(f"{demo_service.base_url}/")
    await page.get_by_role("link", name="العربية").click()
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")
    await page.locator(".card a").first.click()
    await expect(page.get_by_role("button", name="أضف سؤالًا")).to_be_visible()
    await page.locator(".trail a").click()
    await expect(page.locator("html")).to_have_attribute("lang", "ar")
    await page.close()


async def test_the_colours_of_the_shop_suit_the_widget(
    browser: Browser, demo_service: Cluster
) -> None:
    page = await browser.new_page()
    await page.goto(f"{demo_service.base_url}/demo/products/{PRODUCT}")
    await expect(page.get_by_role("searchbox")).to_be_visible()
    assert await accessibility_violations(page) == []
    await page.get_by_role("button", name="Add a question").first.click()
    await expect(page.locator("dialog")).to_be_visible()
    assert await accessibility_violations(page) == []
    await page.close()


async def _broken_pictures(page: Page) -> list[str]:
    broken = """async () => {
      await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
      return [...document.images].filter((image) => !image.naturalWidth).map((image) => image.src);
    }"""
    return list(await page.evaluate(broken))
