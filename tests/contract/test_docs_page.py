"""/docs in a real browser: it shows everything, it works, and it asks no other host."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.contract.conftest import Shop
from tests.contract.test_specification import OPERATIONS
from tests.support.cluster import Cluster
from tests.support.parts import require_or_skip

CHROMIUM = Path("/usr/bin/chromium")
INSTALLED = CHROMIUM.exists()
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]

expect.set_options(timeout=20_000)


@dataclass
class Visit:
    """A page that is open, and what it has done so far."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
async def visit(service: Cluster) -> AsyncIterator[Visit]:
    require_or_skip(INSTALLED, f"{CHROMIUM} is missing (Debian: apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        visit = Visit(await browser.new_page())
        visit.page.on("request", lambda request: visit.hosts.add(urlsplit(request.url).netloc))
        visit.page.on("console", lambda message: visit.complaints.append(message.text))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        await visit.page.goto(f"{service.base_url}/docs")
        yield visit
        await browser.close()


async def test_the_page_shows_every_operation_and_asks_no_other_host(
    service: Cluster, visit: Visit
) -> None:
    page = visit.page
    await expect(page).to_have_title("Atelier Q&A API")
    await expect(page.locator(".opblock")).to_have_count(len(OPERATIONS))
    for path, method, operation in OPERATIONS:
        block = page.locator(f"[id='operations-{operation['tags'][0]}-{operation['operationId']}']")
        await expect(block.locator(".opblock-summary-method")).to_have_text(method.upper())
        await expect(block.locator(".opblock-summary-path")).to_have_attribute("data-path", path)
        await block.locator(".opblock-summary-control").click()
        await expect(block.locator(".responses-table .response")).not_to_have_count(0)
    await page.locator("section.models button").first.click()
    await expect(page.locator(".model-container")).not_to_have_count(0)
    assert visit.complaints == []
    assert visit.hosts == {urlsplit(service.base_url).netloc}


async def test_a_request_can_be_tried_out_on_the_page(visit: Visit, shop: Shop) -> None:
    block = visit.page.locator("#operations-Questions-listQuestions")
    await block.locator(".opblock-summary-control").click()
    await block.get_by_role("button", name="Try it out").click()
    await block.locator("[data-param-name=product_id] input").fill(str(shop.product_id))
    await block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table tbody")
    await expect(answer.locator(".response-col_status")).to_have_text("200")
    await expect(answer).to_contain_text(f'"question_id": {shop.question_id}')
    assert visit.complaints == []


async def test_every_file_of_the_page_may_be_cached_and_runs_nothing_from_elsewhere(
    client: httpx.AsyncClient,
) -> None:
    for path, content_type in {
        "/docs": "text/html",
        "/docs/page.js": "text/javascript",
        "/docs/page.css": "text/css",
        "/docs/swagger-ui.css": "text/css",
        "/docs/swagger-ui-bundle.js": "text/javascript",
    }.items():
        response = await client.get(path)
        assert response.status_code == 200
        assert response.headers["content-type"].partition(";")[0] == content_type
        assert response.headers["cache-control"] == (
            "no-cache" if path == "/docs" else "public, max-age=3600"
        )
        assert response.headers["content-security-policy"].startswith(
            "default-src 'none'; script-src 'self'; "
        )
        etag = {"If-None-Match": response.headers["etag"]}
        assert (await client.get(path, headers=etag)).status_code == 304
