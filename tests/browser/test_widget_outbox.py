"""What cannot be sent is kept, told, and sent later: once."""

import json
from typing import Any

from playwright.async_api import Page, Request, Route, expect

from tests.browser.front import NEW, Front, fill, question, votes
from tests.support.data import Data, new_product_id

ASKED = "Does it shrink?"
_STORED = "Object.entries(localStorage).filter(([k]) => k.includes(':outbox:')).map(([, v]) => v)"


async def open_question(front: Front, data: Data) -> tuple[Page, int, int]:
    product = new_product_id()
    asked = await data.question(product, body=ASKED, helpful=4)
    return (await front.open(product)).page, product, asked


async def stored(page: Page) -> list[dict[str, Any]]:
    return [json.loads(text) for text in await page.evaluate(_STORED)]


async def bodies(data: Data, product: int) -> list[str]:
    query = "SELECT body FROM questions WHERE product_id = $1 ORDER BY id"
    return [row["body"] for row in await data.connection.fetch(query, product)]


def key_of(request: Request) -> list[str]:
    return [request.headers["idempotency-key"]] if request.method == "POST" else []


async def test_a_vote_without_a_connection_is_put_back_kept_told_and_sent_later(
    front: Front, data: Data
) -> None:
    page, _, asked = await open_question(front, data)
    item = question(page, ASKED)
    await page.context.set_offline(True)
    await votes(item, 4).click()
    waiting = page.locator(".notice.waiting")
    await expect(waiting).to_contain_text("1 vote or report is not sent yet")
    await expect(votes(item, 4)).to_have_attribute("aria-disabled", "true")
    hint = item.locator(".actions .hint").filter(has_text="Not sent yet")
    place, whole = await hint.bounding_box(), await item.bounding_box()
    assert place and whole  # noqa: PT018 - for the types
    assert place["x"] + place["width"] <= whole["x"] + whole["width"], "the hint is cut"
    await page.context.set_offline(False)
    await expect(votes(item, 5)).to_have_attribute("aria-pressed", "true")
    await expect(waiting).to_have_count(0)
    row = await data.row("SELECT helpful FROM questions WHERE id = $1", asked)
    assert row["helpful"] == 5
    assert await stored(page) == []


async def test_offline_in_the_middle_of_a_post_it_is_published_once_after_a_reload(
    front: Front, data: Data
) -> None:
    page, product, _ = await open_question(front, data)
    keys: list[str] = []

    async def lose(route: Route) -> None:
        """Let the service get the question, and the browser no answer."""
        if key_of(route.request):
            await route.fetch()
            await page.context.set_offline(True)
            await route.abort()
        else:
            await route.fallback()

    page.on("request", lambda request: keys.extend(key_of(request)))
    await page.route(f"**/products/{product}/questions", lose)
    await page.get_by_role("button", name="Add a question").click()
    await fill(page, **NEW | {"body": "Is it warm?"})
    notice = page.locator(".notice.waiting")
    await expect(notice).to_contain_text("Not sent yet. This browser keeps it")
    await expect(notice).to_contain_text("Is it warm?")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.unroute_all()
    await page.route("**/questions", lambda route: route.abort())  # until the page is another one
    await page.context.set_offline(False)
    await page.reload(wait_until="commit")
    await page.unroute_all()
    await expect(page.locator(".notice.good")).to_contain_text("has been published")
    await expect(page.locator(".notice.waiting")).to_have_count(0)
    await expect(question(page, "Is it warm?")).to_have_count(1)
    assert await bodies(data, product) == [ASKED, "Is it warm?"]
    assert len(set(keys)) == 1
    assert len(keys) > 1
    assert await stored(page) == []
    assert await page.evaluate("sessionStorage.length") == 0


async def test_a_post_that_never_arrived_is_sent_after_a_reload(front: Front, data: Data) -> None:
    page, product, asked = await open_question(front, data)
    await page.route("**/answers", lambda route: route.abort())
    await page.get_by_role("button", name="Add an answer").click()
    await fill(page, **NEW | {"body": "It does not."})
    await expect(page.locator(".notice.waiting")).to_contain_text("It does not.")
    await page.unroute_all()
    await page.reload()
    await expect(question(page, ASKED).locator(".answer-text")).to_have_text(["It does not."])
    row = await data.row("SELECT count(*) FROM answers WHERE question_id = $1", asked)
    assert row["count"] == 1
    assert await bodies(data, product) == [ASKED]


async def test_the_e_mail_address_is_kept_for_the_tab_only(front: Front, data: Data) -> None:
    page, product, _ = await open_question(front, data)
    await page.route(f"**/products/{product}/questions", lambda route: route.abort())
    await page.get_by_role("button", name="Add a question").click()
    await fill(page, **NEW | {"body": "Is it warm?"})
    await expect(page.locator(".notice.waiting")).to_be_visible()
    [entry] = await stored(page)
    assert entry["body"] == {"body": "Is it warm?", "name": "jane"}
    url, context = page.url, page.context
    await page.close()
    other = await context.new_page()
    await other.goto(url)
    notice = other.locator(".notice.bad")
    await expect(notice).to_contain_text("Complete it to send it")
    assert await bodies(data, product) == [ASKED]
    await notice.get_by_role("button", name="Edit").click()
    await expect(other.locator("textarea")).to_have_value("Is it warm?")
    await fill(other, email="jane@example.com")
    await expect(question(other, "Is it warm?")).to_have_count(1)
    await expect(notice).to_have_count(0)
    assert await bodies(data, product) == [ASKED, "Is it warm?"]
    assert await stored(other) == []


async def test_a_post_that_waits_can_be_discarded(front: Front, data: Data) -> None:
    page, product, _ = await open_question(front, data)
    await page.route(f"**/products/{product}/questions", lambda route: route.abort())
    await page.get_by_role("button", name="Add a question").click()
    await fill(page, **NEW)
    await page.get_by_role("button", name="Discard").click()
    await expect(page.locator(".notice.waiting")).to_have_count(0)
    assert await stored(page) == []
    assert await page.evaluate("sessionStorage.length") == 0


async def test_a_post_that_is_rejected_later_can_be_edited_and_sent_again(
    front: Front, data: Data
) -> None:
    page, product, _ = await open_question(front, data)
    answers = iter([503, 422])

    async def answer(route: Route) -> None:
        status = next(answers, None)
        if route.request.method != "POST" or status is None:
            await route.fallback()
            return
        problem = {"detail": "body: was recently posted on this product"}
        headers = {"Access-Control-Allow-Origin": "*"}
        await route.fulfill(status=status, json=problem, headers=headers)

    await page.route(f"**/products/{product}/questions", answer)
    await page.get_by_role("button", name="Add a question").click()
    await fill(page, **NEW | {"body": "Is it warm?"})
    await page.get_by_role("button", name="Send now").click()
    notice = page.locator(".notice.bad")
    await expect(notice).to_contain_text("Not accepted: body: was recently posted")
    await notice.get_by_role("button", name="Edit").click()
    await fill(page, body="Is it warm, too?")
    await expect(question(page, "Is it warm, too?")).to_have_count(1)
    await expect(notice).to_have_count(0)
    assert await bodies(data, product) == [ASKED, "Is it warm, too?"]


async def test_what_waited_for_a_month_is_deleted_on_any_product(front: Front, data: Data) -> None:
    page, product, _ = await open_question(front, data)
    month = 31 * 24 * 3600 * 1000
    await page.evaluate(
        """([name, age]) => localStorage.setItem(name,
            JSON.stringify({key: "k", kind: "question", at: Date.now() - age, body: {}}))""",
        [f"atelier:elsewhere/:{product + 1}:outbox:k", month],
    )
    await page.reload()
    await expect(question(page, ASKED)).to_be_visible()
    assert await stored(page) == []


async def test_everything_works_where_the_browser_blocks_storage(front: Front, data: Data) -> None:
    product = new_product_id()
    await data.question(product, body=ASKED, helpful=4)
    blocked = """
        for (const name of ["localStorage", "sessionStorage"])
            Object.defineProperty(window, name, {get() { throw new DOMException("blocked") }});
    """
    await front.context.add_init_script(blocked)
    page = (await front.open(product)).page
    item = question(page, ASKED)
    await votes(item, 4).click()
    await expect(votes(item, 5)).to_have_attribute("aria-pressed", "true")
    await page.route(f"**/products/{product}/questions", lambda route: route.abort())
    await page.get_by_role("button", name="Add a question").click()
    await fill(page, **NEW | {"body": "Is it warm?"})
    await expect(page.locator(".notice.waiting")).to_contain_text("Keep this page open")
    await page.unroute_all()
    await page.get_by_role("button", name="Send now").click()
    await expect(question(page, "Is it warm?")).to_be_visible()
