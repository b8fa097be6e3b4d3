"""The widget on other people's pages: policies, styles, assistive technology, small screens."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.front import NEW, Front, fill, question, votes
from tests.support.browser import Visit, accessibility_violations
from tests.support.data import Data, new_product_id
from tests.support.html import CONTROLS, HOSTILE_TEXTS

ASKED = "Does it shrink?"
STRICT = (
    "default-src 'none'; script-src {0}; connect-src {0}; base-uri 'none'; form-action 'none'; "
    "img-src https: data:; require-trusted-types-for 'script'; trusted-types 'none'"
)
HOSTILE = """<style>
    * { all: unset !important; color: rgb(255, 0, 0) !important; font-size: 3px !important;
        display: inline !important; direction: rtl !important; letter-spacing: 9px !important;
        text-transform: uppercase !important; visibility: visible !important; }
    button, h2, dialog, .primary, .question { background: rgb(255, 0, 0) !important; }
</style>"""
_STYLES = """(each) => {
    const all = [...each.shadowRoot.querySelectorAll("*")].map((element) => {
        const style = getComputedStyle(element);
        return ["color", "fontSize", "direction", "letterSpacing", "textTransform",
            "backgroundColor", "display"].map((name) => style[name]).join("|");
    });
    return all;
}"""


async def product(data: Data) -> int:
    """Add a product with a question and three answers, one with a photo."""
    number = new_product_id()
    asked = await data.question(number, body=ASKED, helpful=4)
    await data.answer(asked, body="It does not.", name="Seller")
    await data.answer(asked, helpful=5, photos=["https://photos.example/1.jpg"])
    await data.answer(asked, body="A third answer")
    return number


async def dialogs(page: Page) -> list[str]:
    """Return the names of the buttons that open dialogs."""
    await page.locator(".question").first.wait_for()
    return ["Add a question", "Add an answer", "Photo 1 by", "Report"]


async def test_hostile_texts_are_shown_as_texts(front: Front, data: Data) -> None:
    number, hostile = new_product_id(), HOSTILE_TEXTS + CONTROLS
    for place, text in enumerate(hostile):
        asked = await data.question(number, body=text, name=text[:60], helpful=100 - place)
        await data.answer(asked, body=text, name=text[:60], photos=[text])
    visit = await front.open(number, 'questions="100"', policy=STRICT)
    questions = visit.page.locator(".lists .question:visible")
    await expect(questions).to_have_count(len(hostile))
    for place, text in enumerate(hostile):
        await assert_shown_as_text(questions.nth(place), text)
    assert visit.complaints == []


async def assert_shown_as_text(question: Locator, hostile: str) -> None:
    """Check a question and its answer, of which all parts are the same text."""
    for part in ("question-text", "answer-text"):
        text = question.locator(f".{part}")
        assert await text.evaluate("(each) => each.textContent") == hostile
        assert await text.evaluate("(each) => each.children.length") == 0, hostile
        await expect(text).to_have_attribute("dir", "auto")
    authors = question.locator("bdi")
    assert await authors.evaluate_all("(all) => all.map((each) => each.textContent)") == (
        [hostile[:60]] * 2
    )
    await expect(question.locator(".photo")).to_have_count(0)
    await question.get_by_role("button", name="Add an answer").click()
    dialog = question.page.locator("dialog")
    assert await dialog.locator(".about").evaluate("(each) => each.textContent") == hostile
    await question.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_it_works_under_a_strict_policy_and_with_trusted_types(
    front: Front, data: Data
) -> None:
    picture = {"body": "<svg xmlns='http://www.w3.org/2000/svg'/>", "content_type": "image/svg+xml"}
    await front.context.route("https://photos.example/*", lambda route: route.fulfill(**picture))
    visit = await front.open(await product(data), 'lang="de"', policy=STRICT)
    page = visit.page
    await votes(question(page, ASKED), 4).or_(page.locator("button.vote").first).first.click()
    await page.get_by_role("searchbox").fill("shrink")
    await expect(page.locator("mark")).to_have_count(1)
    await page.locator("header button").click()
    await fill(page, **NEW)
    await expect(page.locator(".notice.good")).to_be_visible()
    accent = await page.locator("header button").evaluate("(e) => getComputedStyle(e).color")
    assert accent == "rgb(255, 255, 255)"
    assert visit.complaints == []


async def test_styles_of_the_page_do_not_leak_in(front: Front, data: Data) -> None:
    number = await product(data)
    styles = []
    for head in ("", HOSTILE):
        page = (await front.open(number, head=head)).page
        await page.set_viewport_size({"width": 900, "height": 900})
        await page.locator(".question").first.wait_for()
        await page.get_by_role("button", name="Add a question").click()
        styles.append(await page.locator("atelier-questions").evaluate(_STYLES))
    assert len(styles[0]) > 50
    assert styles[0] == styles[1]


async def test_variables_and_parts_change_the_looks(front: Front, data: Data) -> None:
    head = """<style>
        atelier-questions { --atelier-accent: rgb(1, 2, 3) }
        atelier-questions::part(question-text) { text-transform: uppercase }
    </style>"""
    page = (await front.open(await product(data), head=head)).page
    button, text = page.locator("header button"), page.locator(".question-text")
    await expect(button).to_have_css("background-color", "rgb(1, 2, 3)")
    await expect(text).to_have_css("text-transform", "uppercase")


async def test_dark_colours_follow_the_reader_unless_the_page_chooses(
    front: Front, data: Data
) -> None:
    number, surface = await product(data), "background-color"
    light, dark = "rgb(255, 255, 255)", "rgb(21, 23, 28)"
    for scheme, attributes, expected in (
        ("light", "", light),
        ("dark", "", dark),
        ("light", 'theme="dark"', dark),
        ("dark", 'theme="light"', light),
    ):
        page = (await front.open(number, attributes)).page
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await expect(page.locator("section")).to_have_css(surface, expected)


async def test_no_state_breaks_a_rule_of_accessibility(front: Front, data: Data) -> None:
    number = await product(data)
    page = (await front.open(number, 'product-name="Shirt"')).page
    await page.emulate_media(reduced_motion="reduce")
    for name in await dialogs(page):
        await page.get_by_role("button", name=name).first.click()
        await expect(page.get_by_role("dialog")).to_have_count(1)
        if name.startswith("Add"):
            await page.locator("dialog button[type=submit]").click()
        assert await accessibility_violations(page) == [], name
        await page.keyboard.press("Escape")
    await page.get_by_role("button", name="See more answers").click()
    await page.get_by_role("searchbox").fill("shrink")
    await expect(page.locator("mark")).to_have_count(1)
    assert await accessibility_violations(page) == []
    await page.context.set_offline(True)
    await page.locator("button.vote:visible").first.click()
    await expect(page.locator(".notice.waiting")).to_be_visible()
    await page.get_by_role("searchbox").fill("shrinks")
    await expect(page.locator(".search-status")).to_contain_text("could not be loaded")
    assert await accessibility_violations(page) == []
    await page.context.set_offline(False)
    await page.locator("atelier-questions").evaluate("(e) => e.setAttribute('product-id', 'x')")
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await accessibility_violations(page) == []
    empty = str(new_product_id())
    await page.locator("atelier-questions").evaluate(
        "(e, id) => e.setAttribute('product-id', id)", empty
    )
    await expect(page.locator(".message")).to_contain_text("No questions yet")
    assert await accessibility_violations(page) == []


async def test_everything_can_be_done_with_the_keyboard(front: Front, data: Data) -> None:
    page = (await front.open(await product(data))).page
    await page.locator(".question").first.wait_for()

    async def reach(name: str) -> None:
        for _ in range(60):
            await page.keyboard.press("Tab")
            found = await page.evaluate("""() => {
                const active = document.querySelector("atelier-questions").shadowRoot.activeElement;
                return active && (active.ariaLabel || active.textContent || active.name);
            }""")
            if found and found.startswith(name):
                return
        pytest.fail(f"{name} cannot be reached")

    await reach("Add a question")
    await page.keyboard.press("Enter")
    await page.keyboard.type("Is it warm?")
    for text in ("jane", "jane@example.com"):
        await page.keyboard.press("Tab")
        await page.keyboard.type(text)
    await page.keyboard.press("Enter")
    await expect(question(page, "Is it warm?")).to_be_visible()
    await reach("Search questions")
    await page.keyboard.type("shrink")
    await expect(page.locator("mark")).to_have_count(1)
    await reach("Yes")
    await page.keyboard.press("Space")
    await expect(votes(question(page, ASKED), 5)).to_have_attribute("aria-pressed", "true")
    await reach("Report")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await reach("See more answers")
    await page.keyboard.press("Enter")
    await expect(page.locator(".answer:visible")).to_have_count(3)


@pytest.mark.parametrize("lang", ["en", "de", "ar"])
async def test_a_small_phone_does_not_scroll_sideways(front: Front, data: Data, lang: str) -> None:
    number = await product(data)
    await data.question(number, body="w" * 400, name="n" * 60)
    visit = await front.open(number, lang=lang)
    page = visit.page
    await page.set_viewport_size({"width": 360, "height": 700})
    await expect(page.locator(".question")).to_have_count(2)
    assert await overflowing(visit) == []
    for opener in ("header button", "button.answer-button", "button.report", "button.photo"):
        await page.locator(opener).first.click()
        assert await overflowing(visit) == [], opener
        await page.keyboard.press("Escape")


async def overflowing(visit: Visit) -> list[str]:
    """Return the elements that reach beyond the window."""
    found: list[str] = await visit.page.evaluate("""() => [...document
        .querySelector("atelier-questions").shadowRoot.querySelectorAll("*")]
        .filter((each) => !each.closest(".hidden, svg"))
        .map((each) => [each, each.getBoundingClientRect()])
        .filter(([each, {left, right}]) => right > innerWidth + 1 || left < -1)
        .map(([each]) => `${each.className}: ${each.textContent.slice(0, 40)}`)
        .concat(document.documentElement.scrollWidth > innerWidth ? ["the page"] : [])""")
    return found


async def test_right_to_left_the_page_is_mirrored_and_texts_keep_their_direction(
    front: Front, data: Data
) -> None:
    page = (await front.open(await product(data), lang="ar")).page
    heading = await page.locator("h2").bounding_box()
    ask = await page.locator("header button").bounding_box()
    assert heading
    assert ask
    assert heading["x"] > ask["x"]
    text = page.locator(".question-text").first
    assert await text.evaluate("(each) => getComputedStyle(each).direction") == "ltr"


async def test_nothing_moves_for_readers_who_asked_for_that(front: Front, data: Data) -> None:
    page = (await front.open(await product(data))).page
    await page.emulate_media(reduced_motion="reduce")
    await page.get_by_role("button", name="Add a question").click()
    await expect(page.locator("dialog")).to_have_css("animation-name", "none")
    await expect(page.locator("dialog .primary")).to_have_css("transition-property", "none")


async def test_five_hundred_questions_are_shown_and_each_is_laid_out_on_its_own(
    front: Front, data: Data
) -> None:
    number = new_product_id()
    await data.connection.execute(
        """INSERT INTO questions (product_id, body, asker_name, asker_email)
        SELECT $1, 'Question ' || n, 'jane', 'jane@x.org' FROM generate_series(1, 500) AS n""",
        number,
    )
    page = (await front.open(number, 'questions="100" more="100"')).page
    more = page.get_by_role("button", name="More answered questions")
    for count in range(200, 501, 100):
        await more.click()
        await expect(page.locator(".question")).to_have_count(count)
    await expect(more).to_be_hidden()
    last = page.locator(".question").last
    await expect(last).to_have_css("contain", "layout style")
    await last.scroll_into_view_if_needed()
    await expect(last.locator("h3")).to_be_in_viewport()


async def test_a_dialog_keeps_the_focus_tells_its_errors_and_gives_the_focus_back(
    front: Front, data: Data
) -> None:
    page = (await front.open(await product(data))).page
    opener = page.get_by_role("button", name="Add a question")
    await opener.press("Enter")
    dialog = page.get_by_role("dialog", name="Ask your question")
    await expect(dialog.get_by_label("Your question")).to_be_focused()
    await dialog.get_by_role("button", name="Send question").press("Enter")
    await expect(dialog.get_by_label("Your question")).to_be_focused()
    name = dialog.get_by_label("Nickname")
    await expect(name).to_have_accessible_description(
        "Shown with your text: not your full name or e-mail address. This field is required."
    )
    for _ in range(12):
        await page.keyboard.press("Tab")
        assert await page.evaluate("""() => {
            const focused = document.querySelector("atelier-questions").shadowRoot.activeElement;
            return !focused || focused.closest("dialog") !== null;
        }""")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(opener).to_be_focused()


async def test_it_can_be_moved_removed_and_used_twice(front: Front, data: Data) -> None:
    number = new_product_id()
    await data.question(number)
    visit = await front.open(number)
    page = visit.page
    await page.evaluate("""() => {
        const one = document.querySelector("atelier-questions");
        document.querySelector("h1").before(one);
        document.body.append(one.cloneNode());
    }""")
    await expect(page.locator(".question")).to_have_count(2)
    await page.locator("atelier-questions").first.evaluate("(each) => each.remove()")
    await expect(page.locator(".question")).to_have_count(1)
    assert visit.complaints == []
