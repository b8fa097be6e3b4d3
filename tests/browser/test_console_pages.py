"""The other pages of the console in a browser: overview, unanswered, audit trail, tokens."""

import re

import httpx
from playwright.async_api import Browser, expect

from atelier.store.moderation.search import build_index, drop_index
from atelier.store.tokens import Scope
from tests.browser.console import console, no_complaints
from tests.support.browser import Visit, accessibility_violations, fits
from tests.support.cluster import Cluster
from tests.support.data import Data, new_product_id

PAGES = [
    "",
    "/queue",
    "/queue?filter=newest",
    "/unanswered",
    "/rules",
    "/audit",
    "/imports",
    "/tokens",
    "/search?q=the",
    "/webhooks",
    "/nothing",
]


async def test_graphs_show_the_requests_of_all_instances(
    browser: Browser, service: Cluster, data: Data
) -> None:
    async with console(browser, service, data, Scope.MODERATE) as visit:
        page = visit.page
        for _ in range(3):
            for socket in service.sockets:
                transport = httpx.AsyncHTTPTransport(uds=str(socket))
                async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                    for product in range(20):
                        await client.get(f"/qa/questions?product_id={product}")
            await page.wait_for_timeout(2000)
        await expect(page.locator("#plots[data-points]")).not_to_have_attribute("data-points", "0")
        await expect(page.locator(".uplot canvas")).to_have_count(8)
        # At least these: other tests may have one with the demo shop on the same database.
        instances, number = page.locator("#instances .state.good"), len(service.sockets)
        await expect(instances.nth(number - 1)).to_be_visible()
        await expect(page.locator("[data-tile=instances]")).to_have_text(
            re.compile(rf"^[{number}-9]\b")
        )
        await expect(page.locator("[data-tile=p99]")).to_contain_text("ms")
        await expect(page.get_by_role("img", name="Requests, per second: all")).to_be_visible()
        assert await accessibility_violations(page) == []
        no_complaints(visit, service)


async def test_graphs_can_be_zoomed_and_show_other_times(
    browser: Browser, service: Cluster, data: Data
) -> None:
    async with console(browser, service, data, Scope.MODERATE) as visit:
        page = visit.page
        await expect(page.locator(".uplot").first).to_be_visible(timeout=40_000)
        box = await page.locator(".uplot .u-over").first.bounding_box()
        assert box
        await page.mouse.move(box["x"] + 20, box["y"] + 20)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 30, steps=4)
        await page.mouse.up()
        reset = page.get_by_role("button", name="Reset zoom")
        await expect(reset).to_be_visible()
        await reset.click()
        await expect(reset).to_be_hidden()
        await page.get_by_role("button", name="1 h").click()
        await expect(page.get_by_role("button", name="1 h")).to_have_attribute(
            "aria-pressed", "true"
        )
        await expect(page.locator("#freshness")).to_contain_text("Updated")
        no_complaints(visit, service)


async def test_an_answer_as_seller_appears_on_the_product_page(
    browser: Browser, service: Cluster, client: httpx.AsyncClient, data: Data
) -> None:
    product = new_product_id()
    for body in ("Second?", "First?"):
        await data.question(product, body=body)
    async with console(browser, service, data, Scope.MODERATE) as visit:
        page = visit.page
        await page.goto(f"{service.base_url}/console/unanswered?product_id={product}")
        await page.keyboard.press("j")
        await page.keyboard.press("e")
        await page.keyboard.type("Yes, <b>indeed</b>.")
        await page.keyboard.press("Control+Enter")
        first = page.locator(".post").first
        await expect(first).to_contain_text("Answered by you")
        await expect(page.locator(".post").nth(1)).to_be_focused()

        async def answers() -> list[tuple[str, str]]:
            found = (await client.get(f"/qa/questions?product_id={product}")).json()["results"]
            return [
                (answer["body"], answer["answerer_name"])
                for question in found
                for answer in question["answers"].values()
            ]

        assert await answers() == [("Yes, <b>indeed</b>.", "Seller")]
        await page.keyboard.press("u")
        await expect(first).not_to_contain_text("Answered by you")
        assert await answers() == []
        no_complaints(visit, service)


async def test_a_question_that_another_answered_first_is_not_answered_twice(
    browser: Browser, service: Cluster, client: httpx.AsyncClient, data: Data
) -> None:
    product = new_product_id()
    await data.question(product)
    url = f"{service.base_url}/console/unanswered?product_id={product}"
    async with (
        console(browser, service, data, Scope.MODERATE, "first seller") as first,
        console(browser, service, data, Scope.MODERATE) as second,
    ):
        for visit in (first, second):
            await visit.page.goto(url)
        for visit, text in ((first, "Answered by you"), (second, "Answered by first seller")):
            await visit.page.get_by_role("button", name="Answer as seller").click()
            await visit.page.get_by_role("textbox", name="in the name").fill("An answer")
            await visit.page.get_by_role("button", name="Publish").click()
            await expect(visit.page.locator(".post")).to_contain_text(text)
    [question] = (await client.get(f"/qa/questions?product_id={product}")).json()["results"]
    assert len(question["answers"]) == 1


async def test_every_page_is_accessible_and_fits(
    browser: Browser, service: Cluster, data: Data
) -> None:
    context = await browser.new_context()
    sign_in = Visit(await context.new_page())
    async with console(browser, service, data, Scope.OPERATE) as visit:
        for each, path in [(sign_in, "/sign-in"), *((visit, path) for path in PAGES)]:
            page = each.page
            await page.goto(f"{service.base_url}/console{path}")
            for width in (1280, 320):  # the same at 400 %
                await page.set_viewport_size({"width": width, "height": 800})
                assert await accessibility_violations(page) == [], (path, width)
                assert await fits(page), (path, width)
        visit.complaints[:] = [each for each in visit.complaints if "404" not in each]
        no_complaints(visit, service)
        no_complaints(sign_in, service)
    await context.close()


async def test_focus_is_visible_on_everything_that_can_have_it(
    browser: Browser, service: Cluster, data: Data
) -> None:
    async with console(browser, service, data, Scope.OPERATE) as visit:
        page = visit.page
        await page.goto(f"{service.base_url}/console/tokens")
        seen = set()
        for _ in range(12):
            await page.keyboard.press("Tab")
            element, style = await page.evaluate(
                "[document.activeElement.outerHTML,"
                " getComputedStyle(document.activeElement).outlineStyle]"
            )
            seen.add(element)
            assert style == "solid", element
        assert len(seen) == 12


async def test_a_token_is_created_and_revoked_in_the_browser_and_signing_out_ends_it(
    browser: Browser, service: Cluster, data: Data
) -> None:
    async with console(browser, service, data, Scope.OPERATE, "olga") as visit:
        page = visit.page
        await page.get_by_role("link", name="Tokens").click()
        await page.get_by_label("Name").fill("new colleague")
        await page.get_by_label("Scope").select_option("moderate")
        await page.get_by_role("button", name="Create a token").click()
        await expect(page.locator(".secret")).to_contain_text("atelier_")
        row = page.get_by_role("row", name="new colleague")
        await expect(row).to_contain_text("by olga")
        await row.locator("summary").click()
        await row.get_by_role("button", name="Revoke new colleague now").click()
        await expect(page.get_by_role("row", name="new colleague")).to_contain_text("revoked")
        await expect(page.locator(".secret")).to_have_count(0)
        await page.get_by_role("button", name="Sign out").click()
        await expect(page).to_have_title("Sign in · Atelier console")
        await page.goto(f"{service.base_url}/console/tokens")
        await expect(page).to_have_title("Sign in · Atelier console")
        no_complaints(visit, service)


async def test_the_audit_trail_is_exported(browser: Browser, service: Cluster, data: Data) -> None:
    async with console(browser, service, data, Scope.MODERATE) as visit:
        await visit.page.get_by_role("link", name="Audit trail").click()
        async with visit.page.expect_download() as download:
            await visit.page.get_by_role("link", name="Export").click()
        assert (await download.value).suggested_filename == "audit-trail.jsonl"
        no_complaints(visit, service)


async def test_a_hidden_post_is_found_and_shown_as_text(
    browser: Browser, service: Cluster, data: Data
) -> None:
    word = f"hemline{new_product_id()}"
    body = f"<b onclick=alert(1)>{word}</b> and more"
    question = await data.question(new_product_id(), body=body, reported=True)
    async with console(browser, service, data, Scope.MODERATE) as visit:
        page = visit.page
        await page.get_by_role("link", name="Search").click()
        await page.get_by_label("Words").fill(word.upper())
        await page.get_by_label("Words").press("Enter")
        row = page.get_by_role("row", name=word)
        await expect(row).to_contain_text(body)
        await expect(row).to_contain_text(f"Question {question}")
        await expect(row).to_contain_text("reported")
        await page.get_by_label("State").select_option("visible")
        await page.get_by_role("button", name="Search").click()
        await expect(row).to_have_count(0)
        no_complaints(visit, service)


async def test_a_post_that_was_found_is_decided_about(
    browser: Browser, service: Cluster, data: Data
) -> None:
    word = f"seam{new_product_id()}"
    question = await data.question(new_product_id(), body=f"{word} question")
    answer = await data.answer(question, body=f"{word} answer")
    await data.question(new_product_id(), body=f"{word} newer")
    async with console(browser, service, data, Scope.MODERATE) as visit:
        page = visit.page
        for name, text in ((f"Answer {answer}", "answer"), (f"Question {question}", "question")):
            await page.goto(f"{service.base_url}/console/search?q={word}")
            await page.get_by_role("link", name=name, exact=True).click()
            await expect(page.locator(".post")).to_have_count(1)
            await expect(page.locator(".post .body")).to_have_text(f"{word} {text}")
            await page.keyboard.press("j")
            await page.keyboard.press("x")
            await expect(page.locator(".post.done")).to_be_visible()
        await page.goto(f"{service.base_url}/console/search?q={word}&status=removed")
        await expect(page.get_by_role("row", name=word)).to_have_count(2)
        no_complaints(visit, service)


async def test_a_search_says_whether_there_is_an_index_its_size_and_how_long_it_took(
    browser: Browser, service: Cluster, data: Data
) -> None:
    async with console(browser, service, data, Scope.MODERATE) as visit:
        page, index = visit.page, visit.page.locator("#index")
        await page.goto(f"{service.base_url}/console/search")
        await expect(index).to_contain_text("There is no index")
        async for _ in build_index(data.connection):
            pass
        try:
            await page.reload()
            await expect(index).to_have_text(
                re.compile(r"The index takes [0-9,]+ [kM]B and was built in [0-9]+ s\.")
            )
        finally:
            await drop_index(data.connection)
        no_complaints(visit, service)


async def test_a_webhook_is_added_paused_resumed_and_removed(
    browser: Browser, service: Cluster, data: Data
) -> None:
    async with console(browser, service, data, Scope.OPERATE, "otto") as visit:
        page = visit.page
        await page.get_by_role("link", name="Webhooks").click()
        await page.get_by_label("URL").fill("https://169.254.169.254/latest")
        await page.get_by_role("button", name="Add").click()
        await expect(page.get_by_role("alert")).to_contain_text("The URL must")
        url = f"https://hooks{new_product_id()}.shop.example/qa"
        await page.get_by_label("URL").fill(url)
        await page.get_by_role("button", name="Add").click()
        await expect(page.locator(".secret")).to_contain_text("whsec_")
        await expect(page.get_by_role("row", name=url)).to_contain_text("by otto")
        await page.get_by_role("link", name=url).click()
        await page.get_by_role("button", name="Send a test").click()
        await expect(page.get_by_role("region", name="Table of deliveries")).to_contain_text("test")
        await page.get_by_role("button", name="Pause").click()
        await expect(page.locator(".heading")).to_contain_text("paused")
        assert await accessibility_violations(page) == []
        await page.get_by_role("button", name="Resume").click()
        await expect(page.locator(".heading")).to_contain_text("active")
        await page.get_by_text("Remove", exact=True).click()
        await page.get_by_role("button", name="Remove it").click()
        await expect(page.get_by_role("row", name=url)).to_have_count(0)
        complaints = [each for each in visit.complaints if "422" not in each]
        assert complaints == []
