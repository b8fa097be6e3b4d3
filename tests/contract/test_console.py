"""The console over HTTP: signing in, sessions, foreign requests, decisions, tokens."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from falcon.inspect import inspect_routes

from atelier.http.app import create_service
from atelier.settings import Settings
from atelier.store import tokens
from atelier.store.tokens import Scope
from tests.contract.conftest import Shop
from tests.contract.test_without_database import NOWHERE
from tests.support.cluster import Cluster, cluster
from tests.support.console import COOKIE, Visitor, new_token, sign_in, signed_in, visiting
from tests.support.data import Data, new_product_id
from tests.support.waiting import wait_until

_DECISION = {"target": "question", "id": 1, "version": f"0-{'0' * 12}", "action": "remove"}
_WHY = {"reason": "spam"}


def routes() -> dict[str, set[str]]:
    """Return the methods of every path of the console, but for its files and the sign-in."""
    app = create_service(Settings(), NOWHERE).app
    return {
        route.path: {each.method for each in route.methods if not each.internal}
        for route in inspect_routes(app)
        if route.path.startswith("/console")
        and not route.path.startswith("/console/files/")
        and route.path != "/console/sign-in"
    }


@pytest.fixture
async def moderator(service: Cluster, data: Data) -> AsyncIterator[Visitor]:
    token = await new_token(data.connection, Scope.MODERATE)
    async with signed_in(service, token) as visitor:
        yield visitor


@pytest.fixture
async def operator(service: Cluster, data: Data) -> AsyncIterator[Visitor]:
    token = await new_token(data.connection, Scope.OPERATE)
    async with signed_in(service, token) as visitor:
        yield visitor


async def queue_item(visitor: Visitor, shop: Shop) -> dict[str, Any]:
    """Return what the page of the queue knows of the question of a shop."""
    page = await visitor.client.get("/console/queue", params={"product_id": shop.product_id})
    found = re.search(
        rf'data-target="question" data-id="{shop.question_id}" data-version="([^"]+)"', page.text
    )
    assert found, page.text
    return {"target": "question", "id": shop.question_id, "version": found[1]}


@pytest.mark.parametrize(
    ("scope", "status"), [(Scope.READ, 403), (Scope.MODERATE, 303), (Scope.OPERATE, 303)]
)
async def test_a_token_that_may_moderate_or_operate_signs_in(
    service: Cluster, data: Data, scope: Scope, status: int
) -> None:
    token = await new_token(data.connection, scope)
    async with visiting(service) as visitor:
        response = await sign_in(visitor, token)
        assert response.status_code == status
        page = await visitor.client.get("/console")
        assert page.status_code == (200 if status == 303 else 303)
        if status == 403:
            assert "may only read" in response.text


@pytest.mark.parametrize(
    ("state", "text"),
    [("unknown", "no such token"), ("expired", "has expired"), ("revoked", "was revoked")],
)
async def test_a_token_that_is_not_valid_does_not_sign_in(
    service: Cluster, data: Data, state: str, text: str
) -> None:
    name = f"console {state}"
    lifetime = timedelta(seconds=-1) if state == "expired" else None
    token = await tokens.create(data.connection, name, Scope.OPERATE, lifetime)
    assert token
    if state == "revoked":
        await tokens.revoke(data.connection, name)
    async with visiting(service) as visitor:
        response = await sign_in(visitor, "atelier_x" if state == "unknown" else token)
        assert response.status_code == 401
        assert text in response.text
        assert COOKIE not in response.cookies
        assert token not in response.text


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_cookie_is_for_the_console_and_its_pages_only(
    service: Cluster, data: Data, scheme: str
) -> None:
    token = await new_token(data.connection, Scope.MODERATE)
    async with visiting(service, service.sockets[0]) as visitor:
        visitor.client.headers["X-Forwarded-Proto"] = scheme
        response = await sign_in(visitor, token)
    [cookie] = response.headers.get_list("set-cookie")
    attributes = {each.strip().lower() for each in cookie.split(";")[1:]}
    expected = {"httponly", "samesite=strict", "path=/console"}
    assert attributes == expected | ({"secure"} if scheme == "https" else set())
    assert token not in str(response.headers)


async def test_every_instance_knows_a_session_and_its_end(service: Cluster, data: Data) -> None:
    token = await new_token(data.connection, Scope.MODERATE, "shared session")
    async with visiting(service, service.sockets[0]) as first:
        await sign_in(first, token)
        for status in (200, 303):
            for socket in service.sockets:
                async with visiting(service, socket) as other:
                    other.client.cookies = first.client.cookies
                    assert (await other.client.get("/console/queue")).status_code == status
            await tokens.revoke(data.connection, "shared session")


async def test_a_session_ends_with_its_token_or_when_its_time_is_over(
    service: Cluster, data: Data
) -> None:
    for table, row in (
        ("tokens", "name = 'short'"),
        ("console_sessions", "token_id = (SELECT id FROM tokens WHERE name = 'short')"),
    ):
        await data.connection.execute("DELETE FROM tokens WHERE name = 'short'")
        token = await new_token(data.connection, Scope.MODERATE, "short")
        async with signed_in(service, token) as visitor:
            assert (await visitor.client.get("/console")).status_code == 200
            await data.connection.execute(
                f"UPDATE {table} SET expires_at = now() WHERE {row}"  # noqa: S608 - constants
            )
            assert (await visitor.client.get("/console")).status_code == 303


async def test_signing_out_ends_the_session_even_for_a_copy_of_its_cookie(
    service: Cluster, moderator: Visitor
) -> None:
    copy = dict(moderator.client.cookies)
    response = await moderator.submit("/console/sign-out")
    assert (response.status_code, response.headers["location"]) == (303, "/console/sign-in")
    assert COOKIE not in moderator.client.cookies
    async with visiting(service) as thief:
        thief.client.cookies.update(copy)
        assert (await thief.client.get("/console/queue")).status_code == 303


async def test_only_a_hash_of_a_session_is_stored(moderator: Visitor, data: Data) -> None:
    secret = moderator.client.cookies[COOKIE]
    rows = await data.connection.fetch("SELECT s::text AS stored FROM console_sessions s")
    stored = " ".join(row["stored"] for row in rows)
    assert rows
    assert secret not in stored
    assert secret.encode().hex() not in stored


async def test_nothing_but_the_sign_in_can_be_reached_without_a_session(service: Cluster) -> None:
    found = routes()
    assert {"/console", "/console/queue", "/console/decisions"} <= found.keys()
    async with visiting(service) as visitor:
        visitor.client.cookies.set(COOKIE, "x" * 43)
        for path, methods in found.items():
            filled = path.replace("{decision_id}", "1")
            for method in methods - {"HEAD"}:
                options: dict[str, Any] = {"data": {"csrf": "x"}} if method == "POST" else {}
                if "decisions" in path and method == "POST":
                    options = {"json": {**_DECISION, **_WHY}}
                response = await visitor.client.request(method, filled, **options)
                assert response.status_code == 303, (method, path)
                assert response.headers["location"] == "/console/sign-in"
                script = {"Sec-Fetch-Dest": "empty", "Accept": "application/problem+json"}
                response = await visitor.client.request(method, filled, headers=script, **options)
                assert response.status_code == 401, (method, path)
                assert "sign in again" in response.json()["detail"]


_FOREIGN: list[dict[str, str | None]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": None},
    {"Sec-Fetch-Site": None, "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": None, "Origin": "null"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "own"},
]


@pytest.mark.parametrize("headers", _FOREIGN, ids=str)
async def test_a_request_from_another_page_changes_nothing(
    service: Cluster,
    operator: Visitor,
    data: Data,
    shop: Shop,
    headers: dict[str, str | None],
) -> None:
    token = await new_token(data.connection, Scope.OPERATE)
    csrf = await operator.csrf()
    for name, value in headers.items():
        if value is None:
            del operator.client.headers[name]
        else:
            operator.client.headers[name] = service.base_url if value == "own" else value
    client = operator.client
    decision = {**_DECISION, **_WHY, "id": shop.question_id}
    for response in [
        await client.post("/console/sign-in", data={"token": token}),
        await client.post("/console/sign-out", data={"csrf": csrf}),
        await client.post("/console/tokens", data={"csrf": csrf, "name": "x", "scope": "read"}),
        await client.post("/console/tokens/revoke", data={"csrf": csrf, "name": "operator"}),
        await client.post("/console/webhooks", data={"csrf": csrf, "url": "https://shop.example/"}),
        await client.post("/console/decisions", json=decision, headers={"X-CSRF-Token": csrf}),
        await client.post("/console/decisions/1/undo", json=_WHY, headers={"X-CSRF-Token": csrf}),
    ]:
        assert response.status_code == 403
        assert "does not come from a page of the console" in response.text
    assert (await client.get("/console")).status_code == 200  # still signed in


async def test_a_change_needs_the_token_of_its_own_session(
    service: Cluster, moderator: Visitor, data: Data
) -> None:
    other = await new_token(data.connection, Scope.MODERATE)
    async with signed_in(service, other) as stranger:
        foreign = await stranger.csrf()
    for csrf in ("", "0" * 64, foreign, "\u00fc"):
        response = await moderator.client.post("/console/sign-out", data={"csrf": csrf})
        assert response.status_code == 403
    header = {"X-CSRF-Token": foreign}
    response = await moderator.client.post("/console/decisions", json=_DECISION, headers=header)
    assert response.status_code == 403


async def test_an_older_browser_that_sends_only_its_origin_is_served(
    service: Cluster, data: Data
) -> None:
    token = await new_token(data.connection, Scope.MODERATE)
    async with visiting(service) as visitor:
        del visitor.client.headers["Sec-Fetch-Site"]
        visitor.client.headers["Origin"] = service.base_url
        assert (await sign_in(visitor, token)).status_code == 303


async def test_no_page_is_kept_shared_or_framed(operator: Visitor) -> None:
    operator.client.headers["Origin"] = "https://shop.example"
    await operator.submit("/console/webhooks", url="https://hooks.shop.example/qa")
    [webhook] = re.findall(
        r"/console/webhooks/\d+", (await operator.client.get("/console/webhooks")).text
    )[:1]
    paths = ["/console/sign-in", *(path for path, methods in routes().items() if "GET" in methods)]
    for path in (each.replace("/console/webhooks/{webhook_id}", webhook) for each in paths):
        response = await operator.client.get(path)
        assert response.status_code in (200, 303, 422), path
        assert response.headers["cache-control"] == "no-store", path
        assert "access-control-allow-origin" not in response.headers
        if response.headers["content-type"].startswith("text/html"):
            policy = response.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy


async def test_decisions_are_made_undone_and_refused_as_those_of_the_api(
    service: Cluster, moderator: Visitor, data: Data, shop: Shop
) -> None:
    await moderator.client.put(f"/qa/questions/{shop.question_id}/report")
    item = await queue_item(moderator, shop)
    other = await new_token(data.connection, Scope.MODERATE, "the other moderator")
    async with signed_in(service, other) as second:
        removed = {**item, "action": "remove", **_WHY}
        response = await moderator.post("/console/decisions", {"decisions": [removed]})
        [result] = response.json()["results"]
        assert (response.status_code, result["status"]) == (200, 201)
        held = {**item, "action": "hold", **_WHY}
        [late] = (await second.post("/console/decisions", {"decisions": [held]})).json()["results"]
        assert (late["status"], late["decision"]["id"]) == (409, result["decision"]["id"])
        path = f"/console/decisions/{result['decision']['id']}/undo"
        [undone] = (await second.post(path, {"reason": "mistake"})).json()["results"]
        assert undone["decision"]["actor"] == "the other moderator"
        [again] = (await moderator.post(path, {"reason": "mistake"})).json()["results"]
        assert again["status"] == 409
    query = {"target": "question", "target_id": str(shop.question_id)}
    history = (await moderator.client.get("/console/decisions", params=query)).json()["results"]
    assert [each["action"] for each in history] == ["undo", "remove"]
    assert (await moderator.post("/console/decisions/-1/undo", _WHY)).json()["results"][0][
        "status"
    ] == 404
    assert (await moderator.post("/console/decisions", {"decisions": []})).status_code == 422


_POST = re.compile(
    r'<li class="post"[^>]* data-target="(\w+)" data-id="([0-9]+)" data-version="([^"]+)"'
)


async def walk(moderator: Visitor, path: str) -> AsyncIterator[list[tuple[str, int, str]]]:
    """Yield target, id and version of the posts of each page, by the links to the next page."""
    following: str | None = path
    while following:
        page = (await moderator.client.get(following)).text
        yield [(target, int(number), version) for target, number, version in _POST.findall(page)]
        link = re.search(r'<p class="more"><a class="button" href="([^"]+)"', page)
        following = unescape(link[1]) if link else None


@pytest.mark.parametrize("listed", ["reported", "newest"])
async def test_the_whole_queue_is_walked_once_while_others_report_and_decide(
    moderator: Visitor, data: Data, listed: str
) -> None:
    product = new_product_id()
    questions = await data.connection.fetch(
        "INSERT INTO questions (product_id, body, asker_name, asker_email, reported)"
        " SELECT $1, 'Q' || n, 'x', 'x', true FROM generate_series(1, 130) n RETURNING id",
        product,
    )
    answers = await data.connection.fetch(
        "INSERT INTO answers (question_id, body, answerer_name, answerer_email, reported)"
        " SELECT $1, 'A' || n, 'x', 'x', true FROM generate_series(1, 70) n RETURNING id",
        questions[0]["id"],
    )
    for row in questions[::10]:
        await moderator.client.put(f"/qa/questions/{row['id']}/report")
    waiting = {("question", row["id"]) for row in questions} | {
        ("answer", row["id"]) for row in answers
    }
    seen: list[tuple[str, int]] = []
    async for posts in walk(moderator, f"/console/queue?filter={listed}"):
        seen += [(target, number) for target, number, _ in posts]
        ours = [post for post in posts if post[:2] in waiting][:3]
        decisions = [
            {"target": target, "id": number, "version": version, "action": action, **_WHY}
            for action, (target, number, version) in zip(
                ("remove", "hold", "restore"), ours, strict=False
            )
        ]
        if decisions:
            await moderator.post("/console/decisions", {"decisions": decisions})
        await data.question(product, reported=True)
    assert len(seen) == len({*seen}), "a post was on two pages"
    assert waiting - {*seen} == set(), "a post was on no page"


async def test_the_audit_trail_can_be_filtered_and_exported(
    client: httpx.AsyncClient, moderator: Visitor, token: str, shop: Shop
) -> None:
    item = {"target": "question", "id": shop.question_id, "reason": "spam"}
    await moderator.client.put(f"/qa/questions/{shop.question_id}/report")
    version = (await queue_item(moderator, shop))["version"]
    for action in ("hold", "remove"):
        decision = {**item, "action": action, "version": version}
        [result] = (await moderator.post("/console/decisions", decision)).json()["results"]
        version = f"{result['decision']['id']}-{version.partition('-')[2]}"
    query = {"target": "question", "target_id": str(shop.question_id), "actor": ""}
    for action, shown in (("", 2), ("hold", 1), ("undo", 0)):
        page = await moderator.client.get("/console/audit", params={**query, "action": action})
        assert page.text.count('<td data-column="No."') == shown
    export = await moderator.client.get("/console/audit/export", params=query)
    assert export.headers["content-disposition"].startswith("attachment")
    assert [json.loads(line)["action"] for line in export.text.splitlines()] == ["hold", "remove"]
    whole = await moderator.client.get("/console/audit/export")
    admin = {"Authorization": f"Bearer {token}", "Accept": "application/jsonl"}
    assert whole.text == (await client.get("/admin/v1/decisions", headers=admin)).text


async def test_an_operator_creates_a_token_that_is_shown_once_and_revokes_it(
    client: httpx.AsyncClient, operator: Visitor
) -> None:
    name = 'x"><script>'
    page = await operator.submit("/console/tokens", name=name, scope="moderate", days="30")
    assert page.status_code == 200
    assert "<script>" not in page.text.replace('<script src="/console', "")
    found = re.search(r'<code class="secret">(atelier_[\w-]+)</code>', page.text)
    assert found
    headers = {"Authorization": f"Bearer {found[1]}"}
    own = (await client.get("/admin/v1/token", headers=headers)).json()
    assert (own["name"], own["scope"]) == (name, "moderate")
    assert found[1] not in (await operator.client.get("/console/tokens")).text
    taken = await operator.submit("/console/tokens", name=name, scope="read", days="30")
    assert (taken.status_code, "There is, or was, a token named" in taken.text) == (409, True)
    assert (await operator.submit("/console/tokens/revoke", name=name)).status_code == 303
    assert (await client.get("/admin/v1/token", headers=headers)).status_code == 401
    assert (await operator.submit("/console/tokens/revoke", name=name)).status_code == 404
    for wrong in ("", " x", "a\nb", "x" * 61):
        assert (
            await operator.submit("/console/tokens", name=wrong, scope="read")
        ).status_code == 422


async def test_a_moderator_can_neither_see_nor_change_tokens(
    moderator: Visitor, data: Data
) -> None:
    assert "/console/tokens" not in (await moderator.client.get("/console/queue")).text
    fields = {"name": "mine", "scope": "operate"}
    for response in [
        await moderator.client.get("/console/tokens"),
        await moderator.submit("/console/tokens", **fields),
        await moderator.submit("/console/tokens/revoke", **fields),
        await moderator.client.get("/console/webhooks"),
        await moderator.submit("/console/webhooks", url="https://shop.example/hook"),
        await moderator.submit("/console/webhooks/1", action="pause"),
    ]:
        assert response.status_code == 403
        assert "needs a token with the scope operate" in response.text
    assert not await data.connection.fetchval("SELECT count(*) FROM tokens WHERE name = 'mine'")


async def test_questions_are_listed_until_they_have_an_answer(
    client: httpx.AsyncClient, moderator: Visitor, data: Data
) -> None:
    product = new_product_id()
    question = await data.question(product, body="Who answers <me>?")
    path = f"/console/unanswered?product_id={product}"
    page = (await moderator.client.get(path)).text
    assert "Who answers &lt;me&gt;?" in page
    version = re.search(rf'data-id="{question}" data-version="([^"]+)"', page)
    assert version
    item = {"target": "question", "id": question, "version": version[1]}
    decision = {**item, "action": "answer_as_seller", "reason": "answered", "text": "We do."}
    for status in (201, 409):
        response = await moderator.post("/console/decisions", {"decisions": [decision]})
        assert response.json()["results"][0]["status"] == status
    [shown] = (await client.get(f"/qa/questions?product_id={product}")).json()["results"]
    [answer] = shown["answers"].values()
    assert (answer["body"], answer["answerer_name"]) == ("We do.", "Seller")
    assert "Every question has an answer" in (await moderator.client.get(path)).text


@pytest.mark.parametrize(
    "query", ["filter=x", "product_id=x", "after=x", "filter=newest&product_id=5"]
)
async def test_an_invalid_address_of_the_queue_gets_a_page_that_says_so(
    moderator: Visitor, query: str
) -> None:
    response = await moderator.client.get(f"/console/queue?{query}")
    assert response.status_code == 422
    assert response.headers["content-type"].startswith("text/html")
    assert "must be" in response.text


async def test_empty_fields_of_a_filter_mean_all(moderator: Visitor) -> None:
    for path in (
        "/console/queue?filter=removed&product_id=&reason=",
        "/console/unanswered?product_id=",
        "/console/audit?actor=&action=&target=&target_id=",
    ):
        assert (await moderator.client.get(path)).status_code == 200


_RULES = '[[rule]]\nname = "airships"\nkind = "words"\naction = "hold"\nwords = ["zeppelin"]\n'


async def test_rules_are_tried_by_moderators_and_put_in_force_by_operators(
    client: httpx.AsyncClient, moderator: Visitor, operator: Visitor
) -> None:
    product = new_product_id()
    question = {"body": "A <i>zeppelin</i>?", "name": "x", "email": "x@example.com"}
    await client.post("/qa/questions", json={**question, "product_id": product})
    tried = await moderator.submit("/console/rules", do="try", source=_RULES, days="7")
    assert tried.status_code == 200
    assert "A &lt;i&gt;zeppelin&lt;/i&gt;?" in tried.text
    denied = await moderator.submit("/console/rules", do="apply", source=_RULES, replaces="0")
    assert denied.status_code == 403
    wrong = await operator.submit("/console/rules", do="try", source="[[rule]]", days="7")
    assert (wrong.status_code, "These rules are invalid" in wrong.text) == (422, True)


async def test_mistakes_in_rules_are_told_in_the_language_of_the_moderator(
    moderator: Visitor,
) -> None:
    moderator.client.headers["Accept-Language"] = "de"
    source = _RULES.replace("hold", "stop")
    page = unescape((await moderator.submit("/console/rules", do="try", source=source)).text)
    assert "Diese Regeln sind ungültig:" in page
    assert 'Zeile 1, Regel "airships": action: nötig ist "hold" oder "refuse"' in page


async def test_a_change_of_rules_by_another_is_not_overwritten(
    operator: Visitor, data: Data
) -> None:
    try:
        first = await operator.submit("/console/rules", do="apply", source=_RULES, replaces="0")
        assert first.status_code == 200
        other = _RULES.replace("zeppelin", "airship")
        late = await operator.submit("/console/rules", do="apply", source=other, replaces="0")
        assert late.status_code == 422
        assert "were put in force meanwhile" in late.text
        assert "airship" in late.text
    finally:
        await data.connection.execute("SELECT change_rules('test', NULL, NULL)")


@pytest.fixture
def captured(service: Cluster, capfd: pytest.CaptureFixture[str]) -> Iterator[Cluster]:
    """Return a service of its own, whose output is captured."""
    assert capfd
    with cluster(service.database, instances=1) as running:
        yield running


async def test_neither_a_token_nor_a_session_is_in_any_log(
    captured: Cluster, data: Data, capfd: pytest.CaptureFixture[str]
) -> None:
    token = await new_token(data.connection, Scope.OPERATE)
    log = captured.sockets[0].parent / "access.log"
    async with signed_in(captured, token) as visitor:
        secret, csrf = visitor.client.cookies[COOKIE], await visitor.csrf()
        created = await visitor.submit("/console/tokens", name="for no log", scope="read")
        await visitor.post("/console/decisions", {"decisions": []})
        await visitor.client.get(f"/console/sign-in?token={token}")
        await visitor.client.get(f"/console/{token}/{secret}")
    new = re.search(r"atelier_[\w-]{43}", created.text)
    assert new
    await asyncio.to_thread(
        wait_until, lambda: log.read_text().count("\n") >= 7, "lines are missing"
    )
    written = log.read_text() + "".join(capfd.readouterr())
    assert "/console/tokens" in written
    for each in (token, secret, csrf, new[0]):
        assert each not in written
