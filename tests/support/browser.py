"""Chromium, driven by Playwright, and what a visit to a page says about it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.parts import require_or_skip

CHROMIUM = Path("/usr/bin/chromium")
_INSTALLED = CHROMIUM.exists()
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]

_LOOKS: dict[Literal["dark", "light"], dict[str, list[str]]] = {
    "dark": {},
    "light": {"runOnly": ["color-contrast"]},
}
"""The colour schemes, and the options of axe-core in each: only colours depend on them."""
_RUN_AXE = """async (options) => {
    const {violations} = await axe.run({resultTypes: ["violations"], ...options});
    return violations.flatMap(({id, help, nodes}) =>
        nodes.map(({html}) => `${id}: ${help}: ${html}`));
}"""

expect.set_options(timeout=20_000)


@dataclass
class Visit:
    """An open page, the hosts that it requested, and its errors so far."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Start a browser without a window; skip the test where none is installed."""
    reason = f"{CHROMIUM} is missing (Debian: apt-get install chromium)"
    require_or_skip(_INSTALLED, reason)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


async def accessibility_violations(page: Page) -> list[str]:
    """Return what axe-core finds on the page as it is now, one line a violation and element.

    All rules are applied in dark colours, and that of contrast in light ones, too; these remain.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    found = []
    for scheme, options in _LOOKS.items():
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        results = await page.evaluate(_RUN_AXE, options)
        found += [f"{scheme}: {each}" for each in results]
    return found


async def fits(page: Page) -> bool:
    """Return whether nothing is wider than the window."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
