"""A browser, the running service, and its test data."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext

from tests.browser.front import Front, Shop
from tests.contract.conftest import client, data, demo_service, shop
from tests.support.browser import open_browser
from tests.support.cluster import Cluster

__all__ = ["client", "data", "demo_service", "shop"]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Return a browser that the tests share; each opens its own pages, without cookies."""
    async with open_browser() as browser:
        yield browser


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Return a browser without anything kept from before, whose reader speaks English."""
    context = await browser.new_context(locale="en-US", timezone_id="UTC")
    yield context
    await context.close()


@pytest.fixture
async def front(context: BrowserContext, service: Cluster) -> AsyncIterator[Front]:
    """Return a shop whose pages embed the widget."""
    shop = Shop()
    async with await shop.start():
        yield Front(context, service, shop)
