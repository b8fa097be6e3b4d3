"""A browser, the running service, and its test data."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.contract.conftest import client, data, shop
from tests.support.browser import open_browser

__all__ = ["client", "data", "shop"]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Return a browser that the tests share; each opens its own pages, without cookies."""
    async with open_browser() as browser:
        yield browser
