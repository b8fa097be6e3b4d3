"""The console in a browser that runs no scripts: decisions, answers and undo as forms."""

import re

import httpx
from playwright.async_api import Browser, Page, expect

from atelier.store.tokens import Scope
from tests.browser.console import console
from tests.browser.test_console_queue import HOSTILE, product, reported
from tests.support.cluster import Cluster
from tests.support.console import new_token, signed_in
from tests.support.data import Data, new_product_id

__all__ = ["product"]


async def test_posts_are_decided_about_one_by_one_together_and_undone(
    browser: Browser, service: Cluster, data: Data, product: int
) -> None:
    async with console(browser, service, data, Scope.MODERATE, has_scripts=False) as visit:
        page = visit.page
        await page.goto(f"{service.base_url}/console/queue?product_id={product}")
        await expect(page.get_by_role("button", name="Keyboard")).to_be_hidden()
        await expect(page.get_by_text("Select all", exact=True)).to_be_hidden()
        await page.get_by_label("Note").fill("seen")
        await page.get_by_label("Note").press("Enter")  # decides nothing
        await page.locator(".post").first.get_by_role("button", name="Restore").click()
        await expect(page.locator(".notice")).to_contain_text("restored by you")
        assert await reported(data, product) == [False, True, True]
        for box in await page.locator(".select").all():
            await box.check()
        await page.locator("#reason").select_option("off_topic")
        await page.get_by_role("group").get_by_role("button", name="Remove").click()
        await expect(page.locator(".notice")).to_have_count(2)
        await expect(page.locator(".post")).to_have_count(0)
        await page.get_by_role("button", name="Undo").first.click()
        await expect(page.locator(".notice")).to_contain_text("is reported")
        await expect(page.locator(".post")).to_have_count(1)
        assert re.search("product_id=", page.url)
    audit = await data.connection.fetch(
        "SELECT action, reason, note FROM moderation_decisions WHERE product_id = $1 ORDER BY id",
        product,
    )
    assert list(map(tuple, audit)) == [
        ("restore", "acceptable", "seen"),
        *[("remove", "off_topic", None)] * 2,
        ("undo", "mistake", None),
    ]


async def test_a_decision_that_another_was_faster_with_changes_nothing(
    browser: Browser, service: Cluster, data: Data, product: int
) -> None:
    async with (
        console(browser, service, data, Scope.MODERATE, "faster one", has_scripts=False) as first,
        console(browser, service, data, Scope.MODERATE, has_scripts=False) as second,
    ):
        for each in (first, second):
            await each.page.goto(f"{service.base_url}/console/queue?product_id={product}")
        for each, action in ((first, "Restore"), (second, "Remove")):
            await each.page.locator(".post").first.get_by_role("button", name=action).click()
        await expect(second.page.get_by_role("alert")).to_contain_text("not applied")
        await expect(second.page.get_by_role("alert")).to_contain_text("faster one")
    assert await reported(data, product) == [False, True, True]


async def test_a_question_is_answered_and_the_answer_undone(
    browser: Browser, service: Cluster, client: httpx.AsyncClient, data: Data
) -> None:
    product = new_product_id()
    for body in HOSTILE[:2]:
        await data.question(product, body=body)

    async def bodies() -> list[str]:
        found = (await client.get(f"/qa/questions?product_id={product}")).json()["results"]
        return [each["body"] for question in found for each in question["answers"].values()]

    async with console(browser, service, data, Scope.MODERATE, has_scripts=False) as visit:
        page = visit.page
        await page.goto(f"{service.base_url}/console/unanswered?product_id={product}")
        assert await page.locator(".post .body").all_text_contents() == HOSTILE[:2]
        await _answer(page, HOSTILE[0])
        await expect(page.get_by_role("status").first).to_contain_text("answered by you")
        assert await bodies() == [HOSTILE[0]]
        await expect(page.locator(".post")).to_have_count(1)
        await page.get_by_role("button", name="Undo").click()
        await expect(page.locator(".post")).to_have_count(2)
        assert await bodies() == []


async def test_an_answer_that_was_not_published_is_kept(
    browser: Browser, service: Cluster, data: Data
) -> None:
    product = new_product_id()
    question = await data.question(product)
    async with console(browser, service, data, Scope.MODERATE, has_scripts=False) as visit:
        page = visit.page
        await page.goto(f"{service.base_url}/console/unanswered?product_id={product}")
        await data.connection.execute(
            "UPDATE questions SET body = 'Edited?' WHERE id = $1", question
        )
        await _answer(page, HOSTILE[1])
        await expect(page.get_by_role("alert")).to_contain_text("the text was changed")
        await expect(page.get_by_role("alert").locator("q")).to_have_text(HOSTILE[1])


async def test_a_form_from_elsewhere_decides_nothing(
    service: Cluster, data: Data, product: int
) -> None:
    token = await new_token(data.connection, Scope.MODERATE)
    async with signed_in(service, token) as visitor:
        page = (await visitor.client.get(f"/console/queue?product_id={product}")).text
        button = re.search(r'name="one" value="(remove [^"]+)"', page)
        assert button
        stolen = {"one": button[1], "reason": "spam", "csrf": "0" * 64}
        assert (await visitor.client.post("/console/queue", data=stolen)).status_code == 403
        foreign = {"Sec-Fetch-Site": "cross-site"}
        own = {**stolen, "csrf": await visitor.csrf()}
        response = await visitor.client.post("/console/queue", data=own, headers=foreign)
        assert response.status_code == 403
        assert await reported(data, product) == [True] * 3
        assert (await visitor.client.post("/console/queue", data=own)).status_code == 200
        broken = {**own, "one": "remove question x"}
        assert (await visitor.client.post("/console/queue", data=broken)).status_code == 422


async def _answer(page: Page, text: str) -> None:
    form = page.locator("form.answer").first
    await form.get_by_label("Answer in the name of the shop").fill(text)
    await form.get_by_role("button", name="Publish").click()
