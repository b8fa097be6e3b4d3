"""The console, with something on every page: reports, decisions, rules, webhooks, requests."""

import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from playwright.async_api import BrowserContext, Page

from scripts.shots.camera import Shot
from scripts.shots.service import Service

_CLIENTS = 2
_PAUSE = 0.012
"""Seconds between two requests of a client."""
_SAMPLES = 6
"""The points of a graph that are waited for."""
_SECONDS = 150
"""How long they are waited for."""
_REPORTED = range(17, 41)
"""Products with posts that are reported: none of the demo shop, whose pages show theirs."""
_ADVERTISING = (
    "Cheaper at another shop with my coupon SAVE10, is this one worth it?",
    "Is there a discount code for students?",
    "Why is it cheaper in store?",
)
"""What the rules that are tried would have held; the first was removed."""
_ADVERTISED = 41
_NAMES = iter(("nadia", "omar", "petra"))
"""New tokens, one for each picture of them."""
_RULES = """[[rule]]
name = "cheaper-elsewhere"
kind = "words"
action = "hold"
words = ["cheaper", "coupon", "discount code"]

[[rule]]
name = "advertising"
kind = "links"
action = "refuse"
max = 2
"""


async def _opened(page: Page) -> None:
    await page.locator("main").wait_for()


async def _measured(page: Page) -> None:
    enough = f"document.querySelector('#plots').dataset.points >= {_SAMPLES}"
    for _ in range(_SECONDS):  # not wait_for_function, which the page's policy forbids
        if await page.evaluate(enough):
            return
        await page.wait_for_timeout(1000)


async def _deciding(page: Page) -> None:
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await page.locator(".post.done").first.wait_for()
    await page.keyboard.press("s")


async def _answering(page: Page) -> None:
    await page.keyboard.press("j")
    await page.keyboard.press("e")
    await page.keyboard.type("Yes: wool programme, 30 degrees. Dry it flat.")


async def _tried(page: Page) -> None:
    await page.locator("textarea").fill(_RULES)
    await page.get_by_label("Posts of the last").select_option("365")
    await page.get_by_role("button", name="Try on past posts").click()
    await page.locator("#report").wait_for()


async def _created(page: Page) -> None:
    await page.get_by_label("Name").fill(next(_NAMES))
    await page.get_by_role("button", name="Create a token").click()
    await page.locator(".secret").wait_for()


_PAGES = (
    Shot("console-queue", "/console/queue", _deciding, in_docs=True),
    Shot("console-unanswered", "/console/unanswered", _answering, height=700, in_docs=True),
    Shot("console-search", "/console/search?q=washed", _opened, in_docs=True),
    Shot("console-rules", "/console/rules", _tried, height=1000, in_docs=True),
    Shot("console-audit", "/console/audit", _opened, height=600, in_docs=True),
    Shot("console-imports", "/console/imports", _opened, height=600, in_docs=True),
    Shot("console-webhooks", "/console/webhooks", _opened, height=500, in_docs=True),
    Shot("console-tokens", "/console/tokens", _created, height=600),
    Shot("console-overview", "/console", _measured, 1200, 1000, in_docs=True),
)
SHOTS = [
    Shot("console-sign-in", "/console/sign-in", _opened, height=600),
    *(shot._replace(width=max(1100, shot.width)) for shot in _PAGES),
    *(
        shot._replace(name=f"{shot.name}-dark", scheme="dark", in_docs=False, width=1100)
        for shot in _PAGES
    ),
    *(
        shot._replace(name=f"{shot.name}-phone", in_docs=False, width=360, height=800)
        for shot in _PAGES
    ),
]


class Operator:
    """Somebody who uses the service with a token of the scope operate."""

    def __init__(self, service: Service, name: str) -> None:
        """Create the token."""
        command = [sys.executable, "-m", "atelier", "token", "create", name, "--scope", "operate"]
        made = subprocess.run(
            command, env=service.environment, check=True, capture_output=True, text=True
        )
        self._base = service.url
        self._token = made.stdout.split()[-1]

    def fill(self) -> None:
        """Report some posts, decide about others, and add rules and webhooks."""
        listed = [self._get(f"/v1/products/{product}/questions") for product in _REPORTED]
        posts = [post for page in listed for post in page["results"] if post["answers"]]
        reasons = itertools.cycle(("advertising", "offensive", "misleading", "personal"))
        for post, reason in zip(posts[:8], reasons, strict=False):
            self._send("POST", f"/v1/questions/{post['id']}/reports", {"reason": reason})
            answer = post["answers"][0]["id"]
            self._send("POST", f"/v1/answers/{answer}/reports", {"reason": reason})
        waiting = self._get("/admin/v1/queue?limit=9")["results"][::2]
        for item, action in zip(waiting, ("hold", "remove", "restore", "remove"), strict=False):
            about = {name: item[name] for name in ("target", "id", "version")}
            why = {"reason": "off_topic", "note": None if action == "hold" else "seen twice"}
            self._send("POST", "/admin/v1/decisions", {**about, "action": action, **why})
        self._advertise()
        self._send("PUT", "/admin/v1/rules", {"source": _RULES, "replaces": 0})
        for path in ("search", "mails"):
            self._send("POST", "/admin/v1/webhooks", {"url": f"https://shop.example/{path}"})

    def _advertise(self) -> None:
        for body in _ADVERTISING:
            post = {"body": body, "name": "sam", "email": "sam@example.com"}
            self._send("POST", f"/v1/products/{_ADVERTISED}/questions", post)
        path = "/admin/v1/queue?filter=newest&limit=3"
        [item] = [
            each for each in self._get(path)["results"] if each["object"]["body"] == _ADVERTISING[0]
        ]
        about = {name: item[name] for name in ("target", "id", "version")}
        self._send("POST", "/admin/v1/decisions", {**about, "action": "remove", "reason": "spam"})

    async def sign_in(self, context: BrowserContext) -> None:
        """Sign a browser in to the console."""
        await context.request.post(
            f"{self._base}/console/sign-in",
            form={"token": self._token},
            headers={"Sec-Fetch-Site": "same-origin"},
        )

    def _get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        return self._send("GET", path)

    def _send(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        content = None if body is None else json.dumps(body).encode()
        request = Request(  # noqa: S310 - ours
            self._base + path, method=method, headers=headers, data=content
        )
        with urlopen(request) as response:  # noqa: S310 - ours
            return json.load(response)


@contextmanager
def visitors(base: str) -> Iterator[None]:
    """Let shoppers read pages and vote meanwhile, which the graphs show."""
    is_over = threading.Event()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        for number in range(_CLIENTS):
            pool.submit(_visit, urlsplit(base).netloc, is_over, number)
        try:
            yield
        finally:
            is_over.set()


def _visit(host: str, is_over: threading.Event, number: int) -> None:
    connection = HTTPConnection(host)
    for count in itertools.count(number):
        method, path = "GET", f"/qa/questions?product_id={count * 37 % 997 + 1}"
        if count % 10 == 0:
            method, path = "PUT", f"/qa/questions/{count * 31 % 997 + 1}/helpful"
        connection.request(method, path)
        connection.getresponse().read()
        if is_over.wait(_PAUSE):
            return
