"""The moderation queue in a browser: by keyboard, one and many, undo, a second moderator."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from atelier.store.tokens import Scope
from tests.browser.console import console, no_complaints
from tests.support.browser import Visit, accessibility_violations
from tests.support.cluster import Cluster
from tests.support.console import new_token
from tests.support.data import Data, new_product_id

HOSTILE = [
    "<script>document.title = 'owned'</script>",
    "<img src=x onerror=\"document.title = 'owned'\">",
    '"><svg onload="document.title = \'owned\'">',
    "{{ 7 * 7 }} {% raw %} ${7 * 7} &lt;b&gt;",
    "</textarea></p></li></template><style>* { display: none }</style>",
    "abc \u202e \u05d0\u05d1\u05d2 \u202c def \u2066 isolated \u2069 end",
    "javascript:document.title='owned'",
]
"""Texts that are dangerous as markup, or turn the text around them."""


@pytest.fixture
async def product(data: Data) -> int:
    """Return a product with three reported questions, in the order of the queue."""
    product_id = new_product_id()
    for number in (3, 2, 1):
        await data.question(product_id, body=f"Question {number}?", reported=True)
    return product_id


@pytest.fixture
async def visit(
    browser: Browser, service: Cluster, data: Data, product: int
) -> AsyncIterator[Visit]:
    """Return the queue of the product, seen by a moderator."""
    async with console(browser, service, data, Scope.MODERATE) as visit:
        await visit.page.goto(f"{service.base_url}/console/queue?product_id={product}")
        yield visit
        no_complaints(visit, service)


async def reported(data: Data, product: int) -> list[bool]:
    """Return whether each question of a product is hidden, in the order of the queue."""
    rows = await data.connection.fetch(
        "SELECT reported FROM questions WHERE product_id = $1 ORDER BY id DESC", product
    )
    return [row["reported"] for row in rows]


async def states(data: Data, product: int) -> list[str]:
    rows = await data.connection.fetch(
        "SELECT state FROM moderation_states WHERE product_id = $1 ORDER BY target_id DESC", product
    )
    return [row["state"] for row in rows]


def post(number: int) -> str:
    return f".post >> nth={number - 1}"


async def test_posts_are_decided_and_undone_by_keyboard_only(
    visit: Visit, data: Data, product: int
) -> None:
    page = visit.page
    await page.keyboard.press("j")
    await expect(page.locator(post(1))).to_be_focused()
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    await expect(page.locator(post(1))).to_be_focused()
    await page.keyboard.press("x")
    await expect(page.locator(post(1))).to_contain_text("Removed by you.")
    await expect(page.locator(post(2))).to_be_focused()
    await page.keyboard.press("h")
    await expect(page.locator(post(2))).to_contain_text("Held by you.")
    await page.keyboard.press("r")
    await expect(page.locator(post(3))).to_contain_text("Restored by you.")
    assert await reported(data, product) == [True, True, False]
    assert await states(data, product) == ["removed", "held"]
    await page.keyboard.press("u")
    await expect(page.locator(post(3))).not_to_contain_text("by you")
    await expect(page.locator(post(3))).to_be_focused()
    assert await reported(data, product) == [True, True, True]
    await page.keyboard.press("x")  # what was undone can be decided again
    await expect(page.locator(post(3))).to_contain_text("Removed by you.")
    assert await states(data, product) == ["removed", "held", "removed"]


async def test_many_posts_are_decided_and_undone_at_once(
    visit: Visit, data: Data, product: int
) -> None:
    page = visit.page
    await page.keyboard.press("a")
    await expect(page.locator("#selected")).to_have_text("3 selected")
    await page.keyboard.press("2")
    await page.get_by_label("Note").fill("a wave of spam")
    await page.get_by_role("button", name="Remove", exact=True).first.click()
    await expect(page.locator(".post.done")).to_have_count(3)
    rows = await data.connection.fetch(
        "SELECT reason, note FROM moderation_decisions WHERE product_id = $1", product
    )
    assert [tuple(row) for row in rows] == [("off_topic", "a wave of spam")] * 3
    await page.locator("h1").click()
    await page.keyboard.press("u")
    await expect(page.locator(".post.done")).to_have_count(0)
    assert await states(data, product) == ["reported"] * 3


async def test_the_second_moderator_sees_what_the_first_did_and_may_decide_again(
    browser: Browser, service: Cluster, visit: Visit, data: Data, product: int
) -> None:
    async with console(browser, service, data, Scope.MODERATE, "carla") as other:
        await other.page.goto(visit.page.url)
        await other.page.keyboard.press("j")
        await other.page.keyboard.press("3")
        await other.page.keyboard.press("x")
        await expect(other.page.locator(post(1))).to_contain_text("Removed by you.")
    page = visit.page
    await page.keyboard.press("j")
    await page.keyboard.press("r")
    first = page.locator(post(1))
    await expect(first).to_contain_text("Removed by carla")
    await expect(first).to_contain_text("(offensive): your decision was not applied")
    assert (await reported(data, product))[0]
    await page.keyboard.press("r")
    await expect(first).to_contain_text("Restored by you.")
    assert not (await reported(data, product))[0]


async def test_typing_is_not_taken_for_a_decision(visit: Visit, data: Data, product: int) -> None:
    page = visit.page
    await page.keyboard.press("j")
    await page.keyboard.press("n")
    await page.keyboard.type("xhr")
    await expect(page.get_by_label("Note")).to_have_value("xhr")
    await page.keyboard.press("Control+x")
    await page.keyboard.press("?")
    assert await states(data, product) == ["reported"] * 3
    await page.locator("h1").click()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("undo the last decision")
    await page.keyboard.press("x")
    assert await states(data, product) == ["reported"] * 3
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_a_lost_connection_is_said_and_nothing_is_hidden(
    visit: Visit, data: Data, product: int
) -> None:
    page = visit.page
    await page.context.set_offline(True)
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(page.locator(post(1))).to_contain_text("Not applied")
    await page.context.set_offline(False)
    await page.keyboard.press("x")
    await expect(page.locator(post(1))).to_contain_text("Removed by you.")
    visit.complaints[:] = [each for each in visit.complaints if "ERR_INTERNET" not in each]
    assert await states(data, product) == ["removed", "reported", "reported"]


async def test_hostile_texts_are_shown_as_texts(
    browser: Browser, service: Cluster, data: Data
) -> None:
    product = new_product_id()
    for body in HOSTILE:
        question = await data.question(product, body=body, name=body[:60])
        answer = await data.answer(question, body=body, name=body[:60])
        await data.photo(answer, "javascript:alert(1)")
        for table, number in (("questions", question), ("answers", answer)):
            await data.connection.execute(
                f"UPDATE {table} SET reported = true WHERE id = $1",  # noqa: S608 - constants
                number,
            )
        await data.connection.execute(
            "INSERT INTO reports (target_id, reporter, target, reason) VALUES ($1, $2, $3, $4)",
            *(question, b"x" * 16, "question", body[:60]),
        )
    async with console(browser, service, data, Scope.MODERATE) as visit:
        page = visit.page
        await page.goto(f"{service.base_url}/console/queue?product_id={product}")
        bodies = await page.locator(".post .body").all_text_contents()
        assert sorted(bodies) == sorted(HOSTILE * 2)
        assert await page.title() == "Queue · Atelier console"
        assert await page.locator("a[href^='javascript']").count() == 0
        assert await accessibility_violations(page) == []
        no_complaints(visit, service)


async def test_a_token_that_is_revoked_ends_the_session_of_an_open_page(
    visit: Visit, data: Data
) -> None:
    await data.connection.execute(
        "UPDATE tokens SET revoked_at = now() WHERE name = $1",
        await visit.page.locator("meta[name=visitor]").get_attribute("content"),
    )
    await visit.page.keyboard.press("j")
    await visit.page.keyboard.press("x")
    await expect(visit.page).to_have_title("Sign in · Atelier console")
    visit.complaints[:] = [each for each in visit.complaints if "401" not in each]


async def test_a_reason_of_shoppers_and_the_question_of_an_answer_are_shown(
    browser: Browser, service: Cluster, data: Data
) -> None:
    product = new_product_id()
    answer = await data.answer(await data.question(product, body="Is it warm?"), body="BUY NOW")
    async with console(browser, service, data, Scope.MODERATE) as visit:
        page = visit.page
        report = await page.request.post(
            f"{service.base_url}/v1/answers/{answer}/reports", data={"reason": "is advertising"}
        )
        assert report.ok
        await page.goto(f"{service.base_url}/console/queue?product_id={product}")
        item = page.locator(".post")
        await expect(item.locator(".context")).to_contain_text("Is it warm?")
        await expect(item.locator(".chip")).to_contain_text("is advertising")
        await page.keyboard.press("j")
        await page.keyboard.press("h")
        await expect(item).to_contain_text("Held by you.")
        await page.goto(f"{service.base_url}/console/queue?filter=held&product_id={product}")
        await item.locator("summary").click()
        await expect(item.locator(".history li")).to_contain_text("Held by you now (spam)")
        no_complaints(visit, service)


async def test_the_queue_continues_on_the_next_page(
    browser: Browser, service: Cluster, data: Data
) -> None:
    await new_token(data.connection, Scope.READ)
    product = new_product_id()
    await data.connection.execute(
        "INSERT INTO questions (product_id, body, asker_name, asker_email, reported)"
        " SELECT $1, 'Q' || n, 'x', 'x', true FROM generate_series(1, 60) n",
        product,
    )
    async with console(browser, service, data, Scope.MODERATE) as visit:
        await visit.page.goto(f"{service.base_url}/console/queue?product_id={product}")
        await expect(visit.page.locator(".post")).to_have_count(50)
        await visit.page.get_by_role("link", name="Next page").click()
        await expect(visit.page.locator(".post")).to_have_count(10)
        no_complaints(visit, service)
