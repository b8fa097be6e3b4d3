"""What the widget costs a browser: `python -m bench.widget`; writes it into docs/widget.md.

Starts the service with a database of its own in a temporary folder, and stops it at the end.
Chromium loads the widget with an empty cache, and scrolls through 500 questions. The figures come
from its own tracing: tasks are those of the page's main thread.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from bench.machine import machine
from scripts.shots.service import CHROMIUM, service

_DOCUMENT = Path(__file__).parents[1] / "docs" / "widget.md"
_PLACE = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- end of figures -->)", re.DOTALL)
_FEW, _MANY = 910_001, 910_002  # as in _FILL
_ROUNDS = 3
_LONG = 50  # ms
_CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "blink.user_timing"]
_FILL = """
    WITH asked AS (
        INSERT INTO questions (product_id, body, asker_name, asker_email, helpful)
        SELECT CASE WHEN n <= 20 THEN 910001 ELSE 910002 END,
            'How does number ' || n || ' compare with what I know, and what is it made of?',
            'jane', 'jane@example.com', n
        FROM generate_series(1, 520) AS n RETURNING id
    )
    INSERT INTO answers (question_id, body, answerer_name, answerer_email)
    SELECT id, repeat('It is as good as it looks. ', 4), 'joe', 'joe@example.com'
    FROM asked, generate_series(1, 3)
"""
_PAGE = """<!doctype html><html lang="en"><title>Measured</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link rel="icon" href="data:,">
    <atelier-questions product-id="{product}" {attributes}></atelier-questions>
    <script>
      const root = () => document.querySelector("atelier-questions").shadowRoot;
      const look = () => root()?.querySelector(".question")
        ? performance.mark("shown") : requestAnimationFrame(look);
      look();
    </script>
    <script type="module" src="/widget/atelier-questions.js"></script>"""


@dataclass(frozen=True)
class Line:
    """How much slower than this machine a reader's processor is, and the connection."""

    name: str
    slowdown: int = 1
    delay: int = 0
    """The time to the service and back, in ms."""
    speed: int = -1
    """Bytes per second; -1: as fast as possible."""


LINES = (
    Line("this machine"),
    Line("processor 4 times slower, 10 Mbit/s, 60 ms", 4, 60, 1_250_000),
    Line("processor 6 times slower, 1.6 Mbit/s, 150 ms", 6, 150, 200_000),
)


@dataclass(frozen=True)
class Trace:
    """What the browser recorded; times in ms."""

    events: list[dict[str, Any]]

    def tasks(self) -> list[float]:
        """Return the durations of the tasks of the page's main thread."""
        threads = {
            (event["pid"], event["tid"])
            for event in self.events
            if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
        }
        return [
            event["dur"] / 1000
            for event in self.events
            if event["name"] == "RunTask"
            and "dur" in event
            and (event["pid"], event["tid"]) in threads
        ]

    def transferred(self) -> list[int]:
        """Return the bytes of each response for the widget, with its headers."""
        asked = {
            event["args"]["data"]["requestId"]
            for event in self.events
            if event["name"] == "ResourceSendRequest"
            and re.search(r"/(widget|v1)/", event["args"]["data"]["url"])
        }
        return [
            event["args"]["data"]["encodedDataLength"]
            for event in self.events
            if event["name"] == "ResourceFinish" and event["args"]["data"]["requestId"] in asked
        ]

    def until(self, mark: str) -> float:
        """Return the time from the beginning of the navigation to a mark of the page."""
        [marked] = [event["ts"] for event in self.events if event["name"] == mark]
        began = max(event["ts"] for event in self.events if event["name"] == "navigationStart")
        return float(marked - began) / 1000


async def measure(base: str) -> str:
    """Measure everything; return the text with the figures."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        loaded = {
            line: [await _load(browser, base, line) for _ in range(_ROUNDS)] for line in LINES
        }
        scrolled = {line: await _scroll(browser, base, line) for line in LINES}
        version = browser.version
        await browser.close()
    return _text(loaded, scrolled, version)


async def _load(browser: Browser, base: str, line: Line) -> Trace:
    page = await _page(browser, line, _FEW)
    await browser.start_tracing(page=page, categories=_CATEGORIES)
    await page.goto(f"{base}/measured")
    await page.locator(".question").nth(3).wait_for()
    await page.wait_for_timeout(300)
    return await _end(browser, page)


async def _scroll(browser: Browser, base: str, line: Line) -> Trace:
    page = await _page(browser, line, _MANY, 'questions="100" more="100"')
    await page.goto(f"{base}/measured")
    for count in range(100, 501, 100):
        await page.locator(".question").nth(count - 1).wait_for(state="attached")
        if count < 500:  # noqa: PLR2004 - as above
            await page.locator("button.more").click()
    await page.evaluate("scrollTo(0, 0)")
    await page.wait_for_timeout(1000)
    await page.mouse.move(200, 300)
    await browser.start_tracing(page=page, categories=_CATEGORIES)
    while await page.evaluate("scrollY + innerHeight < document.body.scrollHeight - 1"):
        await page.mouse.wheel(0, 900)
        await page.wait_for_timeout(16)
    return await _end(browser, page)


async def _end(browser: Browser, page: Page) -> Trace:
    events = json.loads(await browser.stop_tracing())["traceEvents"]
    await page.context.close()
    return Trace(events)


async def _page(browser: Browser, line: Line, product: int, attributes: str = "") -> Page:
    """Open a page with an empty cache, slowed down."""
    context = await browser.new_context(viewport={"width": 412, "height": 900})
    html = _PAGE.format(product=product, attributes=attributes)
    await context.route(
        "**/measured", lambda route: route.fulfill(body=html, content_type="text/html")
    )
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": line.slowdown})
    speeds = {"downloadThroughput": line.speed, "uploadThroughput": line.speed}
    await session.send("Network.enable")
    await session.send(
        "Network.emulateNetworkConditions", {"offline": False, "latency": line.delay, **speeds}
    )
    return page


def _text(loaded: dict[Line, list[Trace]], scrolled: dict[Line, Trace], version: str) -> str:
    this = machine()
    rows = [_row(line, traces) for line, traces in loaded.items()]
    lines = [
        f"Chromium {version} on {this['cores']} cores ({this['processor']}), which also ran",
        f"the service; medians of {_ROUNDS} visits with an empty cache.",
        '"Shown": the first questions are in the page.',
        "",
        "| reader | requests | kB with headers | shown after ms | longest task ms |",
        "|---|---|---|---|---|",
        *rows,
        "",
        "Scrolling through 500 questions from top to bottom:",
        "",
        "| reader | tasks | over 50 ms | longest ms |",
        "|---|---|---|---|",
        *[_scroll_row(line, trace.tasks()) for line, trace in scrolled.items()],
    ]
    return "\n".join(lines) + "\n"


def _row(line: Line, traces: list[Trace]) -> str:
    def middle(value: Callable[[Trace], float]) -> float:
        return median(map(value, traces))

    return (
        f"| {line.name} | {middle(lambda each: len(each.transferred())):.0f} "
        f"| {middle(lambda each: sum(each.transferred())) / 1000:.1f} "
        f"| {middle(lambda each: each.until('shown')):.0f} "
        f"| {middle(lambda each: max(each.tasks())):.0f} |"
    )


def _scroll_row(line: Line, tasks: list[float]) -> str:
    long = sum(duration > _LONG for duration in tasks)
    return f"| {line.name} | {len(tasks)} | {long} | {max(tasks):.0f} |"


def main() -> None:
    """Measure, and write the figures into the document."""
    with service() as started:
        fill = (sys.executable, "-m", "atelier", "db", "psql", "--quiet", "-c", _FILL)
        subprocess.run(fill, env=started.environment, check=True)
        text = asyncio.run(measure(started.url))
    _DOCUMENT.write_text(_PLACE.sub(lambda _: text, _DOCUMENT.read_text()))
    print(text)  # noqa: T201 - its output


if __name__ == "__main__":
    main()
