"""Votes, reports, questions and answers through the widget."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.async_api import Browser, Page, Request, Route, expect

from atelier.store.connections.database import connect
from tests.browser.front import NEW, Front, fill, question, told, votes
from tests.support.browser import accessibility_violations
from tests.support.cluster import Cluster, cluster
from tests.support.data import Data, new_product_id

ASKED = "Does it shrink?"


async def open_question(front: Front, data: Data, helpful: int = 4) -> tuple[Page, int, int]:
    """Open the page of a product with one question; return it and the ids of both."""
    product = new_product_id()
    asked = await data.question(product, body=ASKED, helpful=helpful)
    return (await front.open(product)).page, product, asked


async def helpful(data: Data, asked: int) -> int:
    row = await data.row("SELECT helpful FROM questions WHERE id = $1", asked)
    return int(row["helpful"])


async def test_a_vote_counts_at_once_and_only_once(front: Front, data: Data) -> None:
    page, _, asked = await open_question(front, data)
    sent = asyncio.Event()

    async def hold(route: Route) -> None:
        await sent.wait()
        await route.continue_()

    await page.route("**/vote", hold)
    item = question(page, ASKED)
    await votes(item, 4).click()
    await expect(votes(item, 5)).to_have_attribute("aria-pressed", "true")
    assert await helpful(data, asked) == 4
    sent.set()
    await expect(page.get_by_role("status").filter(has_text="has been counted")).to_have_count(1)
    await votes(item, 5).click(force=True)
    await page.reload()
    await votes(item, 5).click(force=True)
    await expect(votes(item, 5)).to_have_attribute("aria-disabled", "true")
    assert await helpful(data, asked) == 5


async def test_two_browsers_see_each_others_votes_after_a_reload(
    browser: Browser, front: Front, data: Data
) -> None:
    page, _, asked = await open_question(front, data)
    other_context = await browser.new_context(locale="en-US")
    other = await other_context.new_page()
    await other.goto(page.url)
    await expect(votes(question(other, ASKED), 4)).to_be_visible()
    for number, each in ((5, page), (6, other)):
        await votes(question(each, ASKED), 4).click()
        await expect(votes(question(each, ASKED), number)).to_be_visible()
    for each in (page, other):
        await each.reload()
        await expect(votes(question(each, ASKED), 6)).to_be_visible()
    assert await helpful(data, asked) == 6
    await other_context.close()


async def test_a_vote_that_is_not_accepted_is_put_back_and_told(front: Front, data: Data) -> None:
    page, _, asked = await open_question(front, data)
    item = question(page, ASKED)
    await expect(item).to_be_visible()
    await data.connection.execute("DELETE FROM questions WHERE id = $1", asked)
    await votes(item, 4).click()
    await expect(page.locator(".notice.bad")).to_contain_text("There is no question with this id")
    await expect(votes(item, 4)).to_have_attribute("aria-pressed", "false")
    assert (
        await page.evaluate("Object.keys(localStorage).filter((k) => k.includes('outbox'))") == []
    )


async def test_a_report_is_sent_once_with_its_reason(front: Front, data: Data) -> None:
    page, _, asked = await open_question(front, data)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))  # noqa: PLW0108 - see Playwright
    item = question(page, ASKED)
    await item.get_by_role("button", name="Report").click()
    await page.get_by_role("radio", name="It is offensive").check()
    await page.get_by_role("button", name="Send report").click()
    await expect(page.locator(".notice.good")).to_contain_text("Your report has been received")
    reported = item.get_by_role("button", name="Reported")
    await reported.click(force=True)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    reports = [each.post_data_json for each in sent if each.url.endswith("/reports")]
    assert reports == [{"reason": "offensive"}]
    row = await data.row("SELECT reported FROM questions WHERE id = $1", asked)
    assert row["reported"] is True


async def test_a_question_appears_at_once_and_is_told_to_the_shop(front: Front, data: Data) -> None:
    page, product, _ = await open_question(front, data)
    await page.get_by_role("searchbox").fill("shrink")
    await page.get_by_role("button", name="Add a question").click()
    await fill(page, **NEW | {"body": "Is it warm?\nReally?"})
    first = page.locator(".question").first
    await expect(first.locator("h3")).to_have_text("Is it warm?\nReally?")
    await expect(first.locator(".badge")).to_have_text("New")
    await expect(page.locator(".notice.good")).to_have_text("Your question has been published.")
    await expect(page.locator(".totals")).to_have_text("2 questions · 0 answers")
    await expect(page.get_by_role("button", name="Add a question")).to_be_focused()
    [[name, detail]] = await told(page)
    assert (name, detail["productId"]) == ("asked", str(product))
    assert detail["question"]["author"] == "jane"
    assert "jane@example.com" not in str(detail)
    stored = "SELECT asker_email FROM questions WHERE id = $1"
    row = await data.row(stored, detail["question"]["id"])
    assert row["asker_email"] == "jane@example.com"


async def test_an_answer_with_photos_appears_at_once_below_its_question(
    front: Front, data: Data
) -> None:
    page, _, asked = await open_question(front, data)
    for n in range(2):
        await data.answer(asked, body=f"Answer {n}", name="Seller")
    await page.reload()
    await page.get_by_role("button", name="Add an answer").click()
    dialog = page.get_by_role("dialog", name="Add your answer")
    await expect(dialog.locator(".about")).to_have_text(ASKED)
    add = dialog.get_by_role("button", name="Add another photo")
    for n in range(1, 6):
        await dialog.get_by_label(f"Photo {n}").fill(f"https://photos.example/{n}.jpg")
        await add.click() if n < 5 else None
    await expect(add).to_be_hidden()
    await fill(page, **NEW | {"body": "It does not."})
    answers = question(page, ASKED).locator(".answer")
    await expect(answers.locator(".answer-text")).to_have_text(
        ["It does not.", "Answer 1", "Answer 0"]
    )
    await expect(answers.first.locator(".photo")).to_have_count(5)
    [[name, detail]] = await told(page)
    assert (name, detail["answer"]["question_id"]) == ("answered", asked)
    await page.reload()
    await page.get_by_role("button", name="See more answers").click()
    await expect(answers).to_have_count(3)


async def test_a_vote_is_told_to_the_shop(front: Front, data: Data) -> None:
    page, product, asked = await open_question(front, data)
    await votes(question(page, ASKED), 4).click()
    await expect(page.get_by_role("status").filter(has_text="has been counted")).to_have_count(1)
    detail = {"target": "question", "id": asked, "helpful": 5, "isCounted": True}
    assert await told(page) == [["voted", {"productId": str(product), **detail}]]


async def test_photos_are_previewed_and_those_that_cannot_be_shown_are_told(
    front: Front, data: Data
) -> None:
    picture = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    await front.context.route(
        "https://photos.example/good.svg",
        lambda route: route.fulfill(body=picture, content_type="image/svg+xml"),
    )
    await front.context.route("https://photos.example/bad.svg", lambda route: route.abort())
    page, _, _ = await open_question(front, data)
    await page.get_by_role("button", name="Add an answer").click()
    field = page.get_by_label("Photo 1")
    await field.fill("https://photos.example/good.svg")
    await field.blur()
    await expect(page.locator(".preview img")).to_have_count(1)
    await field.fill("https://photos.example/bad.svg")
    await field.blur()
    await expect(page.locator(".preview")).to_have_text("No photo at this address.")
    await field.fill("ftp://photos.example/x")
    await field.blur()
    await expect(page.locator("#photos-error")).to_contain_text("with https://")
    await expect(field).to_have_attribute("aria-invalid", "true")


async def test_invalid_fields_are_told_at_the_field_and_nothing_is_sent(
    front: Front, data: Data
) -> None:
    page, product, _ = await open_question(front, data)
    await page.get_by_role("button", name="Add a question").click()
    await expect(page.locator("textarea")).to_be_focused()
    await fill(page, body="x" * 1001, name=" ", email="jane@")
    for name, text in {
        "body": "At most 1,000 characters.",
        "name": "This field is required.",
        "email": "Enter an e-mail address such as jack@example.com.",
    }.items():
        field = page.locator(f"dialog [name={name}]")
        await expect(page.locator(f"#{name}-error")).to_have_text(text)
        await expect(field).to_have_attribute("aria-invalid", "true")
        assert f"{name}-error" in str(await field.get_attribute("aria-describedby"))
    await expect(page.locator("textarea")).to_be_focused()
    await expect(page.locator(".counter")).to_have_text("1,001 of 1,000 characters")
    row = await data.row("SELECT count(*) FROM questions WHERE product_id = $1", product)
    assert row["count"] == 1


async def test_what_the_service_rejects_is_told_in_its_words_at_the_field(
    front: Front, data: Data
) -> None:
    page, _, _ = await open_question(front, data)
    await page.get_by_role("button", name="Add a question").click()
    await fill(page, **NEW | {"body": "\u202eabc", "name": "\u202ejane"})
    await expect(page.locator("#body-error")).to_contain_text("must")
    await expect(page.locator("#name-error")).to_contain_text("must")
    await expect(page.locator("#email-error")).to_have_text("")
    await expect(page.locator("textarea")).to_be_focused()
    await fill(page, **NEW)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert (
        await page.evaluate("Object.keys(localStorage).filter((k) => k.includes('outbox'))") == []
    )


async def test_similar_questions_are_shown_while_typing(front: Front, data: Data) -> None:
    page, _, asked = await open_question(front, data)
    await data.answer(asked, body="It does not.", name="Seller")
    await page.get_by_role("button", name="Add a question").click()
    await page.locator("textarea").press_sequentially("will it shrink")
    await expect(page.locator(".similar-question")).to_have_text([ASKED])
    await expect(page.locator(".similar-answer")).to_have_text(["It does not."])
    await expect(page.get_by_role("status").filter(has_text="1 similar question")).to_have_count(1)
    await page.locator("textarea").fill("")
    await expect(page.locator(".similar")).to_be_hidden()


async def test_what_was_typed_survives_closing_the_dialog(front: Front, data: Data) -> None:
    page, _, _ = await open_question(front, data)
    ask = page.get_by_role("button", name="Add a question")
    await ask.click()
    await page.locator("textarea").fill("Is it")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(ask).to_be_focused()
    await ask.click()
    await expect(page.locator("textarea")).to_have_value("Is it")


@pytest.fixture
def reviewing(database: str) -> Iterator[Cluster]:
    """Return a service that holds new posts for review."""
    with cluster(database, instances=1, ATELIER_MODERATION="pre") as running:
        yield running


async def test_a_post_that_is_held_says_that_it_appears_after_review(
    front: Front, reviewing: Cluster
) -> None:
    connection = await connect(reviewing.database)
    await Data(connection).question(1, body=ASKED)
    await connection.close()
    page = (await replace(front, service=reviewing).open(1)).page
    await page.get_by_role("button", name="Add a question").click()
    await fill(page, **NEW | {"body": "Is it warm?"})
    item = question(page, "Is it warm?")
    await expect(item.locator(".badge")).to_have_text("Waiting for review")
    await expect(item.get_by_role("button")).to_have_count(0)
    await expect(page.locator(".notice.good")).to_contain_text("after a review")
    await expect(page.locator(".totals")).to_have_text("1 question · 0 answers")
    [[name, detail]] = await told(page)
    assert (name, detail["question"]["status"]) == ("asked", "held")
    assert "status_url" not in detail["question"]
    await page.reload()
    await expect(question(page, ASKED)).to_be_visible()
    await expect(item).to_have_count(0)


async def test_no_cookie_is_set_and_no_other_host_is_asked(front: Front, data: Data) -> None:
    product = new_product_id()
    await data.question(product, body=ASKED, helpful=4)
    visit = await front.open(product)
    await votes(question(visit.page, ASKED), 4).click()
    await expect(votes(question(visit.page, ASKED), 5)).to_be_visible()
    assert await front.context.cookies() == []
    assert len(visit.hosts) == 2
    assert visit.complaints == []


@pytest.fixture(scope="module")
def guarded(service: Cluster) -> Iterator[Cluster]:
    """Return a service that refuses texts with links, and what robots fill in."""
    guards = {"ATELIER_SPAM_HONEYPOT": "website", "ATELIER_SPAM_MAX_LINKS": "0"}
    with cluster(service.database, instances=1, **guards) as running:
        yield running


async def test_what_a_robot_fills_in_is_refused_but_people_do_not_see_the_field(
    front: Front, guarded: Cluster
) -> None:
    page = (await replace(front, service=guarded).open(new_product_id())).page
    await page.get_by_role("button", name="Add a question").click()
    trap = page.locator("dialog [name=website]")
    box = await trap.bounding_box()
    assert box
    assert max(box["width"], box["height"]) < 10  # its border, which is clipped
    for _ in range(10):
        await page.keyboard.press("Tab")
        assert await trap.evaluate("field => field.getRootNode().activeElement !== field")
    assert await accessibility_violations(page) == []
    await trap.fill("https://spam.example", force=True)
    await fill(page, **NEW)
    await expect(page.locator("#form-error")).to_have_text("website: must be left empty")
    await trap.fill("", force=True)
    await fill(page, **NEW)
    await expect(question(page, NEW["body"])).to_have_count(1)


@pytest.mark.parametrize(
    ("lang", "refused", "gone"),
    [
        ("de", "darf nicht mehr als 0 Links enthalten", "Diese Frage gibt es nicht mehr"),
        ("ar", "يجب ألا يحتوي على أكثر من 0 روابط", "هذا السؤال لم يعد موجودًا"),
    ],
)
async def test_what_the_service_says_is_in_the_language_of_the_widget(  # noqa: PLR0913, PLR0917
    front: Front, guarded: Cluster, data: Data, lang: str, refused: str, gone: str
) -> None:
    product = new_product_id()
    asked = await data.question(product)
    page = (await replace(front, service=guarded).open(product, lang=lang)).page
    await page.locator("header .primary").click()
    await fill(page, **{**NEW, "body": "See https://x.example"})
    await expect(page.locator("#body-error")).to_have_text(refused)
    await page.keyboard.press("Escape")
    await data.connection.execute("DELETE FROM questions WHERE id = $1", asked)
    await page.locator("button.vote").first.click()
    await expect(page.locator(".notices")).to_contain_text(gone)
