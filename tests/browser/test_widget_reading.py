"""The widget shows a product's questions: in pages, searched, in the reader's language."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Route, expect

from tests.browser.front import Front, question
from tests.support.browser import accessibility_violations
from tests.support.data import Data, new_product_id

_TEXTS = files("atelier") / "web" / "widget"
PHOTO = "https://photos.example/1.svg"
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60"/>'


async def questions(data: Data, count: int) -> int:
    """Add questions, the first the most helpful; return their product."""
    product = new_product_id()
    for n in range(count):
        await data.question(product, body=f"Question {n}", helpful=count - n)
    return product


async def test_four_questions_are_shown_at_first_the_most_helpful_ones(
    front: Front, data: Data
) -> None:
    visit = await front.open(await questions(data, 16))
    page, texts = visit.page, visit.page.locator(".question-text")
    await expect(texts).to_have_text([f"Question {n}" for n in range(4)])
    more = page.get_by_role("button", name="More answered questions")
    await more.click()
    await expect(texts).to_have_text([f"Question {n}" for n in range(14)])
    await expect(page.get_by_role("heading", name="Question 4", exact=True)).to_be_focused()
    await more.click()
    await expect(texts).to_have_count(16)
    await expect(more).to_be_hidden()
    await expect(page.locator(".totals")).to_have_text("16 questions · 0 answers")
    assert visit.complaints == []


async def test_attributes_choose_how_many_are_shown(front: Front, data: Data) -> None:
    product = await questions(data, 8)
    first = await data.row("SELECT id FROM questions WHERE product_id = $1 LIMIT 1", product)
    for n in range(3):
        await data.answer(first["id"], body=f"Answer {n}")
    page = (await front.open(product, 'questions="2" more="3" answers="1"')).page
    await expect(page.locator(".question")).to_have_count(2)
    await expect(page.locator(".answer")).to_have_count(1)
    await page.get_by_role("button", name="More answered questions").click()
    await expect(page.locator(".question")).to_have_count(5)
    await page.locator("atelier-questions").evaluate("(each) => each.setAttribute('questions', 3)")
    await expect(page.locator(".question")).to_have_count(3)


async def test_two_answers_are_shown_the_sellers_first_and_all_on_request(
    front: Front, data: Data
) -> None:
    product = new_product_id()
    asked = await data.question(product, body="Does it shrink?")
    for n in range(4):
        await data.answer(asked, body=f"Answer {n}", helpful=10 - n)
    await data.answer(asked, body="It does not.", name="Seller")
    page = (await front.open(product)).page
    answers = page.locator(".answer-text")
    await expect(answers).to_have_text(["It does not.", "Answer 0"])
    seller = page.locator(".answer").first.locator("strong")
    await expect(seller).to_have_text("Seller")
    assert int(await seller.evaluate("(each) => getComputedStyle(each).fontWeight")) >= 600
    await page.get_by_role("button", name="See more answers").click()
    await expect(answers).to_have_text(["It does not.", *(f"Answer {n}" for n in range(4))])
    await expect(page.locator(".answer").nth(2)).to_be_focused()
    await page.get_by_role("button", name="Collapse").click()
    await expect(answers).to_have_count(2)
    await expect(page.get_by_role("button", name="See more answers")).to_be_focused()


async def test_a_search_filters_from_three_characters_and_marks_what_matches(
    front: Front, data: Data
) -> None:
    product = new_product_id()
    asked = await data.question(product, body="Is the Wöol soft?", helpful=3)
    for n in range(3):
        text = "No wool. " + "Much else is said here. " * 12 if n == 2 else "Yes"
        await data.answer(asked, body=text, helpful=9 - n)
    await data.question(product, body="Which size?", helpful=9)
    long = "x " * 150
    await data.question(product, body=f"{long}woolly {long}")
    page = (await front.open(product)).page
    field = page.get_by_role("searchbox")
    await field.press_sequentially("wo")
    await expect(page.locator(".search-status")).to_have_text("At least 3 characters")
    await expect(page.locator(".question")).to_have_count(3)
    await field.press_sequentially("ol")
    await expect(page.locator(".search-status")).to_have_text("2 questions found")
    await expect(page.locator(".question:visible mark")).to_have_text(["Wöol", "wool", "wool"])
    await expect(page.locator(".excerpt")).to_contain_text("In an answer: No wool.")
    await field.fill("nowhere at all")
    await expect(page.locator(".search-status")).to_have_text("Nothing found")
    await expect(page.locator(".question:visible")).to_have_count(0)
    await field.fill("")
    await expect(page.locator(".question:visible")).to_have_count(3)
    await expect(page.locator("mark")).to_have_count(0)


async def test_a_search_that_is_overtaken_does_not_show_its_results(
    front: Front, data: Data
) -> None:
    product = await questions(data, 3)
    page = (await front.open(product)).page

    async def delay(route: Route) -> None:
        await page.wait_for_timeout(700)
        await route.fallback()

    await page.route("**/questions?*q=question+0*", delay)
    await page.get_by_role("searchbox").fill("question 0")
    await page.wait_for_timeout(300)
    await page.get_by_role("searchbox").fill("question 2")
    await expect(page.locator(".question-text:visible")).to_have_text(["Question 2"])
    await page.wait_for_timeout(900)
    await expect(page.locator(".question-text:visible")).to_have_text(["Question 2"])


@pytest.mark.parametrize(
    ("locale", "lang", "texts", "date"),
    [
        ("en-US", "en", ("Questions & answers", "Add a question"), "October 18, 2018"),
        ("en-GB", "en", ("Questions & answers", "Add a question"), "18 October 2018"),
        ("de-AT", "de", ("Fragen & Antworten", "Frage stellen"), "18. Oktober 2018"),
        ("de", "xx", ("Fragen & Antworten", "Frage stellen"), "18. Oktober 2018"),
        ("ar-EG", "ar", ("الأسئلة والأجوبة", "أضف سؤالًا"), "١٨ أكتوبر ٢٠١٨"),
        ("fr", "fr", ("Questions & answers", "Add a question"), "October 18, 2018"),
    ],
)
async def test_texts_and_dates_are_in_the_readers_language(  # noqa: PLR0913, PLR0917 - one per column
    browser: Browser,
    front: Front,
    data: Data,
    locale: str,
    lang: str,
    texts: tuple[str, str],
    date: str,
) -> None:
    product = new_product_id()
    await data.question(product, date=datetime(2018, 10, 18, 12, tzinfo=UTC))
    context = await browser.new_context(locale=locale, timezone_id="UTC")
    page = (await replace(front, context=context).open(product, lang=lang)).page
    await expect(page.locator("h2")).to_have_text(texts[0])
    await expect(page.locator("header button")).to_have_text(texts[1])
    await expect(page.locator(".question time")).to_have_text(date)
    direction = "rtl" if lang == "ar" else "ltr"
    await expect(page.locator("section")).to_have_attribute("dir", direction)
    await context.close()


async def test_the_language_is_that_of_the_element_before_that_of_the_page(
    front: Front, data: Data
) -> None:
    page = (await front.open(await questions(data, 1), 'lang="de"', lang="ar")).page
    await expect(page.locator("h2")).to_have_text("Fragen & Antworten")


async def test_a_page_can_bring_its_own_translation(front: Front, data: Data) -> None:
    texts = '{"heading": "Questions et réponses", "questions": {"one": "{n} question !"}}'
    await front.context.route("**/fr.json", lambda route: route.fulfill(body=texts))
    attributes = f'lang="fr" texts="{front.service.base_url}/fr.json"'
    page = (await front.open(await questions(data, 1), attributes)).page
    await expect(page.locator("h2")).to_have_text("Questions et réponses")
    await expect(page.locator(".totals")).to_have_text("1 question ! · 0 answer")


@pytest.mark.parametrize("language", ["ar", "de"])
async def test_a_translation_has_the_same_texts_and_values_as_the_english_one(
    front: Front, language: str
) -> None:
    page = await front.context.new_page()
    english, translated = [
        await page.evaluate(
            "async (text) => (await import(`data:text/javascript;charset=utf-8,${text}`)).default",
            quote((_TEXTS / f"texts-{each}.js").read_text(encoding="utf-8")),
        )
        for each in ("en", language)
    ]
    assert translated.keys() == english.keys()
    for name, text in translated.items():
        assert values(text) <= values(english[name]), name
        assert isinstance(text, str) == isinstance(english[name], str), name


def values(text: str | dict[str, str]) -> set[str]:
    """Return the names of the values in a text, or in its plurals."""
    forms = [text] if isinstance(text, str) else text.values()
    return {name for form in forms for name in re.findall(r"\{(\w+)\}", form)}


async def test_photos_open_large_and_close_again(front: Front, data: Data) -> None:
    product = new_product_id()
    asked = await data.question(product)
    await data.answer(asked, name="noor", photos=[PHOTO, "javascript:alert(1)", "data:text/html,x"])
    picture = {"body": PICTURE, "content_type": "image/svg+xml"}
    await front.context.route(PHOTO, lambda route: route.fulfill(**picture))
    visit = await front.open(product)
    page = visit.page
    await expect(page.locator(".photo")).to_have_count(1)
    await page.get_by_role("button", name="Photo 1 by noor").click()
    dialog = page.get_by_role("dialog", name="Photos")
    await expect(dialog.locator("img")).to_have_attribute("src", PHOTO)
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(page.locator(".photo")).to_be_focused()
    assert visit.complaints == []


@pytest.mark.parametrize("lang", ["en", "ar"])
async def test_the_photos_of_an_answer_are_stepped_through(
    front: Front, data: Data, lang: str
) -> None:
    product = new_product_id()
    urls = [PHOTO.replace("1", str(number)) for number in (1, 2, 3)]
    await data.answer(await data.question(product), photos=urls)
    picture = {"body": PICTURE, "content_type": "image/svg+xml"}
    await front.context.route("https://photos.example/*", lambda route: route.fulfill(**picture))
    page = (await front.open(product, lang=lang)).page
    await page.locator(".photo").nth(1).click()
    pictures = page.locator(".large-photo")
    previous, following = (page.locator(".photo-dialog .buttons button").nth(n) for n in (0, 1))

    async def only(shown: int) -> None:
        for number in range(3):
            there = expect(pictures.nth(number))
            await (there.to_be_in_viewport() if number == shown else there.not_to_be_in_viewport())

    await only(1)
    await following.click()
    await only(2)
    await following.click()
    await only(0)
    await previous.click()
    await only(2)
    await previous.click()
    await only(1)
    await page.locator(".strip").focus()
    await page.keyboard.press("ArrowLeft" if lang == "en" else "ArrowRight")
    await only(0)
    assert await accessibility_violations(page) == []


async def test_a_product_without_questions_invites_to_ask(front: Front) -> None:
    page = (await front.open(new_product_id())).page
    await expect(page.locator(".message")).to_contain_text("No questions yet")
    await expect(page.get_by_role("searchbox")).to_be_hidden()


async def test_a_failure_is_told_and_can_be_retried(front: Front, data: Data) -> None:
    product = await questions(data, 1)
    await front.context.route("**/v1/**", lambda route: route.abort())
    page = (await front.open(product)).page
    await expect(page.get_by_role("alert")).to_contain_text("could not be loaded")
    await front.context.unroute("**/v1/**")
    await page.get_by_role("button", name="Try again").click()
    await expect(question(page, "Question 0")).to_be_visible()
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_an_invalid_product_id_is_told_in_the_words_of_the_service(front: Front) -> None:
    page = (await front.open("none")).page
    await expect(page.get_by_role("alert")).to_contain_text("A product id must be an integer")


async def test_included_questions_stay_until_the_widget_has_loaded_its_own(
    front: Front, data: Data
) -> None:
    product = await questions(data, 1)
    await front.context.route("**/v1/**", lambda route: route.abort())
    included = "<section><p id='included'>Question from the server</p></section>"
    page = (await front.open(product, content=included)).page
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.locator("#included")).to_be_visible()
    await front.context.unroute("**/v1/**")
    await page.get_by_role("button", name="Try again").click()
    await expect(question(page, "Question 0")).to_be_visible()
    await expect(page.locator("#included")).to_have_count(0)


async def test_what_is_loading_is_told(front: Front, data: Data) -> None:
    product, told = await questions(data, 1), asyncio.Event()

    async def delay(route: Route) -> None:
        await told.wait()
        await route.fallback()

    page = (await front.open(new_product_id())).page
    await expect(page.locator(".message")).to_be_visible()
    await page.route("**/v1/**", delay)
    await page.locator("atelier-questions").evaluate(
        "(each, id) => each.setAttribute('product-id', id)", str(product)
    )
    await expect(page.locator(".skeleton")).to_have_count(3)
    await expect(page.get_by_role("status").filter(has_text="Loading questions")).to_have_count(1)
    told.set()
    await expect(question(page, "Question 0")).to_be_visible()
    await expect(page.locator(".skeleton")).to_have_count(0)
