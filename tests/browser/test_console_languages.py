"""The console in the languages of the other pages."""

import pytest
from playwright.async_api import Browser, Page, expect

from atelier.store.tokens import Scope
from tests.browser.console import console, no_complaints
from tests.support.browser import accessibility_violations
from tests.support.cluster import Cluster
from tests.support.data import Data, new_product_id

_WRITTEN = """() => {
    const ofOthers = "code, kbd, bdi, q, time, script, style, textarea, body [lang=en], [dir=auto]";
    const texts = [];
    const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode())
        if (!node.parentElement.closest(ofOthers)) texts.push(node.data);
    for (const name of ["aria-label", "title", "placeholder", "data-column"])
        for (const each of document.querySelectorAll(`[${name}]`))
            if (!each.matches(`time, ${ofOthers}`)) texts.push(each.getAttribute(name));
    return texts.map((text) => text.replace(/[^\\p{L}]+/gu, " ").trim()).filter(Boolean);
}"""
"""The words of the console itself, without names and what people wrote."""

_SAME = {
    *("Atelier", "Atelier console", "CPU", "D", "Import", "JSON", "Median", "Name", "Post", "URL"),
    *("Spam", "spam", "Text", "Token", "Version", "Webhook", "Webhooks", "https shop example hook"),
    *("moderate", "operate", "read", "ms", "p ms", "s", "h", "MB", "min"),
}
"""What the same word is for in both languages, or a name."""

_PAGES = (
    *("", "/queue?filter=newest", "/unanswered", "/search?q=question", "/rules", "/audit"),
    *("/imports", "/tokens", "/webhooks", "/nowhere", "/queue?filter=unknown"),
)


async def written(page: Page) -> set[str]:
    """Return the texts of a page that are the console's own."""
    return {*await page.evaluate(_WRITTEN)}


async def reported(data: Data) -> int:
    product = new_product_id()
    await data.question(product, reported=True)
    await data.question(product)
    return product


async def test_nothing_on_a_german_page_stays_english(
    browser: Browser, service: Cluster, data: Data
) -> None:
    product = await reported(data)
    texts: dict[str, dict[str, set[str]]] = {}
    for locale in ("en-GB", "de-DE"):
        async with console(browser, service, data, Scope.OPERATE, locale=locale) as visit:
            page, seen = visit.page, texts.setdefault(locale, {})
            await expect(page.locator("#instances tr").first).to_be_visible()
            for path in _PAGES:
                if path:
                    await page.goto(f"{service.base_url}/console{path}")
                seen[path] = await written(page)
            await page.goto(f"{service.base_url}/console/queue?product_id={product}")
            for key in ("j", "x"):
                await page.keyboard.press(key)
            await expect(page.locator(".post.done")).to_be_visible()
            seen["decided"] = await written(page)
            await page.keyboard.press("u")
            await expect(page.locator(".post.done")).to_have_count(0)
            seen["undone"] = await written(page)
            assert await page.locator("html").get_attribute("lang") == locale[:2]
    for path, english in texts["en-GB"].items():
        assert english & texts["de-DE"][path] - _SAME == set(), path


@pytest.mark.parametrize("width", [360, 1280])
async def test_arabic_pages_are_mirrored_accessible_and_fit(
    browser: Browser, service: Cluster, data: Data, width: int
) -> None:
    await reported(data)
    async with console(browser, service, data, Scope.OPERATE, locale="ar") as visit:
        page = visit.page
        await page.set_viewport_size({"width": width, "height": 800})
        for path in ("", "/queue", "/audit", "/search?q=question"):
            await page.goto(f"{service.base_url}/console{path}")
            brand = await page.locator(".brand").bounding_box()
            session = await page.locator(".session").bounding_box()
            assert brand
            assert session
            assert brand["x"] > session["x"]
            assert await accessibility_violations(page) == [], path
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        no_complaints(visit, service)
