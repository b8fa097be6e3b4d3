"""Signing in to the console with a browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, expect

from atelier.store.tokens import Scope
from tests.support.browser import Visit
from tests.support.cluster import Cluster
from tests.support.console import new_token
from tests.support.data import Data


@asynccontextmanager
async def console(  # noqa: PLR0913 - as Playwright's contexts
    browser: Browser,
    service: Cluster,
    data: Data,
    scope: Scope,
    name: str = "",
    *,
    has_scripts: bool = True,
    locale: str = "en-GB",
) -> AsyncIterator[Visit]:
    """Yield a visit to the console that begins with the overview."""
    token = await new_token(data.connection, scope, name)
    context = await browser.new_context(locale=locale, java_script_enabled=has_scripts)
    try:
        visit = Visit(await context.new_page())
        await visit.page.goto(f"{service.base_url}/console")
        await sign_in(visit.page, token)
        yield visit
    finally:
        await context.close()


async def sign_in(page: Page, token: str) -> None:
    """Sign in on the page that asks for a token."""
    await page.locator("#token").press_sequentially(token)
    await page.locator("#token").press("Enter")
    await expect(page.locator("#tiles")).to_be_visible()


def no_complaints(visit: Visit, service: Cluster) -> None:
    """Assert that the browser complained of nothing, and requested no other host."""
    assert visit.complaints == []
    assert visit.hosts == {urlsplit(service.base_url).netloc}
