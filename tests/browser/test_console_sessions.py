"""Sessions that end while somebody works, and figures that cannot be read."""

import pytest
from playwright.async_api import Browser, expect

from atelier.store.tokens import Scope
from tests.browser.console import console, sign_in
from tests.support.browser import Visit
from tests.support.cluster import Cluster
from tests.support.console import new_token
from tests.support.data import Data, new_product_id


async def end_session(visit: Visit, data: Data) -> None:
    """End the session of an open page: its token is revoked."""
    await data.connection.execute(
        "UPDATE tokens SET revoked_at = now() WHERE name = $1",
        await visit.page.locator("meta[name=visitor]").get_attribute("content"),
    )


async def sign_in_again(visit: Visit, data: Data, scope: Scope) -> None:
    """Follow the link of the notice into a new tab, and sign in there."""
    async with visit.page.context.expect_page() as opened:
        await visit.page.get_by_role("link", name="Sign in again in a new tab").click()
    tab = await opened.value
    await sign_in(tab, await new_token(data.connection, scope))
    await tab.close()


async def test_a_note_survives_the_end_of_the_session(
    browser: Browser, service: Cluster, data: Data
) -> None:
    product = new_product_id()
    question = await data.question(product, reported=True)
    async with console(browser, service, data, Scope.MODERATE) as visit:
        page = visit.page
        await page.goto(f"{service.base_url}/console/queue?product_id={product}")
        await page.get_by_label("Note").fill("half a page of reasons")
        await end_session(visit, data)
        post = page.locator(".post")
        await post.get_by_role("button", name="Remove").click()
        await expect(page.get_by_role("alert")).to_contain_text("what you typed stays here")
        await expect(post).to_contain_text("Not applied")
        await expect(page.get_by_label("Note")).to_have_value("half a page of reasons")
        await sign_in_again(visit, data, Scope.MODERATE)
        await post.get_by_role("button", name="Remove").click()
        await expect(post).to_contain_text("Removed by you.")
        await expect(page.locator("#signed-out")).to_have_count(0)
    row = await data.row("SELECT note FROM moderation_decisions WHERE target_id = $1", question)
    assert row["note"] == "half a page of reasons"


async def test_rules_that_were_typed_survive_the_end_of_the_session(
    browser: Browser, service: Cluster, data: Data
) -> None:
    async with console(browser, service, data, Scope.OPERATE) as visit:
        page = visit.page
        await page.goto(f"{service.base_url}/console/rules")
        await page.locator("textarea").fill("# many rules")
        await end_session(visit, data)
        await page.get_by_role("button", name="Put in force").click()
        await expect(page.get_by_role("alert")).to_contain_text("what you typed stays here")
        await expect(page.locator("textarea")).to_have_value("# many rules")
        await sign_in_again(visit, data, Scope.OPERATE)
        await page.get_by_role("button", name="Put in force").click()
        await expect(page.get_by_role("alert")).to_contain_text("These rules are invalid")
        await expect(page.locator("textarea")).to_have_value("# many rules")


async def test_old_figures_are_told_apart_while_none_can_be_read(
    browser: Browser, service: Cluster, data: Data
) -> None:
    async with console(browser, service, data, Scope.MODERATE) as visit:
        freshness = visit.page.locator("#freshness")
        await expect(freshness).to_contain_text("Updated")
        await visit.page.context.set_offline(True)
        await expect(freshness).to_contain_text("No figures since")
        await expect(freshness).to_contain_text("The service cannot be reached.")
        await expect(visit.page.locator("main")).to_have_class("stale")
        await visit.page.context.set_offline(False)
        await expect(freshness).to_contain_text("Updated")
        await expect(visit.page.locator("main")).not_to_have_class("stale")


@pytest.mark.parametrize("path", ["/queue?filter=newest", "/audit"])
async def test_back_from_another_page_shows_the_present_state(
    browser: Browser, service: Cluster, data: Data, path: str
) -> None:
    product = new_product_id()
    await data.question(product, reported=True)
    async with console(browser, service, data, Scope.MODERATE) as visit:
        page = visit.page
        await page.goto(f"{service.base_url}/console/queue?product_id={product}")
        await page.keyboard.press("j")
        await page.keyboard.press("x")
        await expect(page.locator(".post")).to_contain_text("Removed by you.")
        await page.goto(f"{service.base_url}/console{path}")
        await page.go_back()
        await expect(page.locator(".empty")).to_be_visible()
