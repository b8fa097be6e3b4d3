"""A picture, and the browser that takes it."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from scripts.shots.service import CHROMIUM

_ROOT = Path(__file__).parents[2]
_FOLDER = _ROOT / "dist" / "shots"
_DOCS_FOLDER = _ROOT / "docs" / "pictures"

Prepare = Callable[[Page], Awaitable[object]]


class Shot(NamedTuple):
    """A picture: the page, what is done on it before, and how it is looked at."""

    name: str
    path: str
    prepare: Prepare
    width: int = 1000
    height: int = 900
    scheme: str = "light"
    in_docs: bool = False
    """Whether a document shows it: then it is kept in docs/pictures."""


Context = Callable[[BrowserContext], Awaitable[object]]
"""Prepares a browser before its page is opened."""


async def take(base: str, shots: Sequence[Shot], prepare: Context) -> None:
    """Take pictures of the service at an address."""
    for folder in (_FOLDER, _DOCS_FOLDER):
        folder.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        for shot in shots:
            await _take(browser, base, shot, prepare)
        await browser.close()


async def _take(browser: Browser, base: str, shot: Shot, prepare: Context) -> None:
    context = await browser.new_context(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme="dark" if shot.scheme == "dark" else "light",
        locale="en-GB",
        reduced_motion="reduce",
        device_scale_factor=1,
    )
    await prepare(context)
    page = await context.new_page()
    await page.goto(base + shot.path)
    await shot.prepare(page)
    await page.wait_for_timeout(300)  # pictures that are still loading
    folder = _DOCS_FOLDER if shot.in_docs else _FOLDER
    await page.screenshot(path=folder / f"{shot.name}.png")
    await context.close()
