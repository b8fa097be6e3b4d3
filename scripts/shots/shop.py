"""The widget, the demo shop and the pages."""

import json
from urllib.request import Request, urlopen

from playwright.async_api import BrowserContext, Page, Route

from scripts.shots.camera import Shot

_PRODUCT = 900_001
_EMAIL = "jack@example.com"

_Answer = tuple[str, str, int, list[str]]  # author, text, votes, photos
_QUESTIONS: list[tuple[str, str, int, list[_Answer]]] = [
    (
        "Does the wool itch? I have sensitive skin.",
        "mara_k",
        14,
        [
            (
                "Seller",
                "It is superfine merino, made for bare skin.\nIf it itches, send it back.",
                9,
                [],
            ),
            ("tomasz", "Not at all, and I cannot wear ordinary wool.", 6, []),
            ("bea", "A little around the neck for the first two days.", 1, []),
        ],
    ),
    (
        "How does it fit over a shirt? I am between M and L.",
        "henrik",
        8,
        [
            (
                "noor",
                "Take the L over a shirt. Two photos: M on the left, L on the right.",
                5,
                ["https://photos.example/1.svg", "https://photos.example/2.svg"],
            )
        ],
    ),
    (
        "Can it be washed in the machine?",
        "june.w",
        5,
        [("Seller", "Yes: wool programme, 30 degrees, no softener. Dry it flat.", 4, [])],
    ),
    ("Is the dark green closer to olive or to bottle green?", "philo", 2, []),
    (
        "Are the buttons real horn?",
        "ines",
        1,
        [("Seller", "Yes, from a workshop in Aosta.", 2, [])],
    ),
    ("Will the navy come back in XS?", "li_na", 0, []),
]


async def _loaded(page: Page) -> None:
    await page.locator(".question").first.wait_for()


async def _searched(page: Page) -> None:
    await page.get_by_role("searchbox").fill("wool")
    await page.locator("mark").first.wait_for()


async def _asking(page: Page) -> None:
    await _loaded(page)
    await page.locator("header .primary").click()
    await page.locator("textarea").fill("Can it be washed?")
    await page.locator(".similar-question").first.wait_for()
    await page.locator("input[name=email]").fill("jack@")
    await page.locator("dialog .primary").click()
    await page.locator("textarea").focus()


async def _answering(page: Page) -> None:
    await _loaded(page)
    await page.locator(".answer-button").first.click()
    await page.locator("textarea").fill("Mine has not, after a year.")
    await page.locator(".photo-row input").fill("https://photos.example/1.svg")
    await page.locator("input[name=name]").focus()
    await page.locator(".preview img").wait_for()


async def _photo(page: Page) -> None:
    await _loaded(page)
    await page.locator(".photo").first.click()


async def _reporting(page: Page) -> None:
    await _loaded(page)
    await page.locator("button.report").nth(1).click()


async def _waiting(page: Page) -> None:
    await _loaded(page)
    await page.context.set_offline(offline=True)
    await page.locator("button.vote").first.click()
    await page.locator(".notice.waiting").wait_for()


async def _failed(page: Page) -> None:
    await page.locator("[role=alert]").wait_for()


async def _empty(page: Page) -> None:
    await page.locator(".message").wait_for()


async def _opened(page: Page) -> None:
    await page.locator("main").wait_for()


async def _taken_over(page: Page) -> None:
    await page.get_by_role("searchbox").wait_for()


_WIDGET = f"/shots/?product={_PRODUCT}"
SHOTS = [
    Shot("widget", _WIDGET, _loaded, height=1150, in_docs=True),
    Shot("widget-dark", _WIDGET, _loaded, height=1150, scheme="dark"),
    Shot("widget-phone", _WIDGET, _loaded, 360, 1400),
    Shot("widget-phone-dark", _WIDGET, _loaded, 360, 1400, "dark", in_docs=True),
    Shot("widget-arabic", f"{_WIDGET}&lang=ar", _loaded, height=1150),
    Shot("widget-german-phone", f"{_WIDGET}&lang=de", _loaded, 360, 1400),
    Shot("widget-search", _WIDGET, _searched),
    Shot("widget-ask", _WIDGET, _asking),
    Shot("widget-ask-phone", _WIDGET, _asking, 360, 800, "dark"),
    Shot("widget-answer", _WIDGET, _answering),
    Shot("widget-photo", _WIDGET, _photo),
    Shot("widget-report", _WIDGET, _reporting, scheme="dark"),
    Shot("widget-waiting", _WIDGET, _waiting),
    Shot("widget-empty", "/shots/?product=900002", _empty, height=500),
    Shot("widget-error", "/shots/?product=none", _failed, height=500),
    Shot("shop", "/demo/products/1", _taken_over, 1200, 1240, in_docs=True),
    Shot("shop-phone", "/demo/products/7", _taken_over, 360, 1400, "dark"),
    Shot("shop-home", "/", _opened, 1200, 1100),
    Shot("shop-home-dark", "/", _opened, 1200, 1100, "dark"),
    Shot("page-questions", "/products/5/questions", _opened),
    Shot("page-question-dark", "/questions/1", _opened, scheme="dark", height=700),
]


async def _send_page(route: Route) -> None:
    given = dict(part.split("=") for part in route.request.url.partition("?")[2].split("&"))
    page = f"""<!doctype html><html lang="{given.get("lang", "en")}"><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark"><title>Cardigan</title>
        <style>body {{ margin: 0 auto; max-width: 860px; padding: clamp(8px, 3vw, 32px);
          font-family: sans-serif }}</style>
        <atelier-questions product-id="{given["product"]}" product-name="Merino cardigan">
        </atelier-questions>
        <script type="module" src="/widget/atelier-questions.js"></script>"""
    await route.fulfill(body=page, content_type="text/html; charset=utf-8")


async def _send_photo(route: Route) -> None:
    hue = 160 if "1" in route.request.url else 220
    picture = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 600">
        <rect width="600" height="600" fill="hsl({hue} 25% 88%)"/>
        <path d="M180 170l70-40q50 40 100 0l70 40 70 190-60 24-30-90v220H200V294l-30 90-60-24z"
          fill="hsl({hue} 35% 38%)"/>
        <path d="M300 160v354" stroke="hsl({hue} 30% 25%)" stroke-width="5"/>
        <path d="M318 230v.1m0 80v.1m0 80v.1m0 80v.1" stroke="hsl({hue} 30% 80%)" stroke-width="18"
          stroke-linecap="round"/></svg>"""
    await route.fulfill(body=picture, content_type="image/svg+xml")


def fill(base: str) -> None:
    """Add the questions and answers that the pictures show."""
    for body, name, votes, answers in reversed(_QUESTIONS):
        path = f"/v1/products/{_PRODUCT}/questions"
        question = _send(base, "POST", path, {"body": body, "name": name, "email": _EMAIL})
        for _ in range(votes):
            _send(base, "PUT", f"/v1/questions/{question}/vote")
        for author, text, helpful, photos in answers:
            fields = {"body": text, "name": author, "email": _EMAIL, "photos": photos}
            answer = _send(base, "POST", f"/v1/questions/{question}/answers", fields)
            for _ in range(helpful):
                _send(base, "PUT", f"/v1/answers/{answer}/vote")


def _send(base: str, method: str, path: str, fields: object = None) -> int:
    headers = {"Content-Type": "application/json"}
    body = json.dumps(fields).encode()
    request = Request(base + path, method=method, headers=headers, data=body)  # noqa: S310 - ours
    with urlopen(request) as response:  # noqa: S310 - ours
        return int(json.load(response)["id"])


async def prepare(context: BrowserContext) -> None:
    """Let a browser have the page that embeds the widget, and the photos of its answers."""
    await context.route("**/shots/*", _send_page)
    await context.route("https://photos.example/*", _send_photo)
