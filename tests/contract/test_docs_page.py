"""/docs in a real browser: it is complete, it works, and it requests no other host."""

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import browser, context
from tests.contract.conftest import Shop
from tests.contract.test_specification import OPERATIONS
from tests.support.browser import Visit
from tests.support.cluster import Cluster

__all__ = ["browser", "context"]

OVERLAPS = """() => {
  const wrong = [];
  const rects = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [...(node.matches("code, a") ? node : range).getClientRects()]
      .filter((rect) => rect.width > 1 && rect.height > 1);
  };
  const overlap = (a, b) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const lines = (nodes) => nodes.flatMap((node) => rects(node).map((rect) => ({node, rect})));

  const codes = lines(all(".renderedMarkdown code"));
  codes.forEach((one, i) => codes.slice(i + 1).forEach((other) => {
    if (overlap(one.rect, other.rect))
      wrong.push(`${one.node.textContent} overlaps ${other.node.textContent}`);
  }));
  for (const method of all(".opblock-summary-method"))
    if (rects(method).length !== 1) wrong.push(`${method.textContent} is broken`);
  for (const button of all(".highlight-code > div, .curl-command > .copy-to-clipboard"))
    for (const {rect} of lines([...button.parentElement.querySelectorAll("pre code")]))
      if (overlap(button.getBoundingClientRect(), rect)) wrong.push("a button covers code");
  const texts = all("code, pre, .parameter__name, .response-col_status, button");
  for (const {node, rect} of lines(texts))
    if (!node.closest(".model-box, .models") && (rect.left < 0 || rect.right > innerWidth))
      wrong.push(`${node.textContent} is cut off`);
  for (const row of all("table.headers tr, table.parameters > tbody > tr")) {
    const cells = lines([...row.children]);
    cells.forEach((one, i) => cells.slice(i + 1).forEach((other) => {
      if (one.node !== other.node && overlap(one.rect, other.rect))
        wrong.push(`${one.node.textContent} overlaps ${other.node.textContent}`);
    }));
  }
  return wrong;
}"""
"""Returns descriptions of elements that overlap others or overflow the window."""


SHOWN = """blocks => blocks.map(block => [
  block.id,
  block.querySelector(".opblock-summary-method").textContent,
  block.querySelector(".opblock-summary-path").dataset.path,
])"""
"""Returns the operations that blocks of the page show: their ids, methods and paths."""


@pytest.fixture
async def visit(service: Cluster, context: BrowserContext) -> Visit:
    visit = Visit(await context.new_page())
    await visit.page.goto(f"{service.base_url}/docs")
    return visit


async def test_page_shows_every_operation_and_requests_no_other_host(
    service: Cluster, context: BrowserContext
) -> None:
    visit = Visit(page := await context.new_page())
    await page.route("**/docs/page.js", open_all_operations)
    await page.goto(f"{service.base_url}/docs")
    await expect(page).to_have_title("Atelier Q&A API")
    blocks = page.locator(".opblock:has(.responses-table .response)")
    await expect(blocks).to_have_count(len(OPERATIONS))
    assert sorted(await blocks.evaluate_all(SHOWN)) == sorted(
        [f"operations-{operation['tags'][0]}-{operation['operationId']}", method.upper(), path]
        for path, method, operation in OPERATIONS
    )
    await page.locator("section.models button").first.click()
    await expect(page.locator(".model-container")).not_to_have_count(0)
    assert visit.complaints == []
    assert visit.hosts == {urlsplit(service.base_url).netloc}


async def open_all_operations(route: Route) -> None:
    """Let Swagger UI render all operations at once: opening one after the other takes minutes."""
    response = await route.fetch()
    options = "SwaggerUIBundle({"
    script = await response.text()
    assert options in script
    body = script.replace(options, f'{options} docExpansion: "full",')
    await route.fulfill(response=response, body=body)


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


async def settled_overlaps(page: Page) -> list[str]:
    """Return what overlaps once the page is rendered: a busy browser takes a while."""
    for _ in range(50):
        if not (found := await page.evaluate(OVERLAPS)):
            break
        await asyncio.sleep(0.2)
    return list(found)


@pytest.mark.usefixtures("documented")
async def test_nothing_on_the_page_overlaps_or_overflows_at_any_width(visit: Visit) -> None:
    page = visit.page
    await expect(page.locator(".opblock")).to_have_count(len(OPERATIONS))
    for name in ("Questions-addQuestion", "Answers-listAnswers", "Service-ready"):
        await page.locator(f"#operations-{name} .opblock-summary-control").click()
    tried = page.locator("#operations-Answers-listAnswers")
    await tried.get_by_role("button", name="Try it out").click()
    await tried.get_by_role("button", name="Execute").click()
    await expect(tried.locator(".live-responses-table")).to_have_count(1)
    await page.locator("section.models > h4 button").click()
    for name in ("Question", "NewQuestion"):
        await page.locator(f"#model-{name} .model-box-control").first.click()
    for width, scheme in [(375, "light"), (375, "dark"), (768, "light"), (1280, "light")]:
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.set_viewport_size({"width": width, "height": 900})
        assert await settled_overlaps(page) == [], f"{width} pixels, {scheme}"
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


async def test_every_file_of_the_page_is_cacheable_and_has_a_content_security_policy(
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
