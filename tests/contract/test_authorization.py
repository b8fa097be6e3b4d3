"""Every route under /admin requires a valid token of sufficient scope."""

import re
from datetime import timedelta
from typing import Any, NamedTuple

import httpx
import pytest
from falcon.inspect import inspect_routes
from falcon.testing import ASGIConductor

from atelier.http.app import create_service
from atelier.http.common.errors import PROBLEM
from atelier.settings import Settings
from atelier.store import tokens
from atelier.store.tokens import Scope
from tests.contract.test_without_database import alone
from tests.support.cluster import Cluster
from tests.support.data import Data

__all__ = ["alone"]  # a fixture


class Guarded(NamedTuple):
    """A route with the scope that it requires, and a body for it."""

    method: str
    path: str
    scope: Scope
    body: Any = None


_WHY = {"reason": "mistake"}
_DECISION = {
    "target": "question",
    "id": -1,
    "version": f"0-{'0' * 12}",
    "action": "remove",
    **_WHY,
}
_RULES = """
[[rule]]
name = "links"
kind = "links"
action = "hold"
max = 0
"""

_WEBHOOK = "/admin/v1/webhooks/{webhook_id}"

ROUTES = [
    Guarded("GET", "/admin/v1/token", Scope.READ),
    Guarded("GET", "/admin/v1/queue", Scope.READ),
    Guarded("GET", "/admin/v1/decisions", Scope.READ),
    Guarded("POST", "/admin/v1/decisions", Scope.MODERATE, _DECISION),
    Guarded("GET", "/admin/v1/decisions/{decision_id}", Scope.READ),
    Guarded("POST", "/admin/v1/decisions/{decision_id}/undo", Scope.MODERATE, _WHY),
    Guarded("GET", "/admin/v1/rules", Scope.MODERATE),
    Guarded("PUT", "/admin/v1/rules", Scope.OPERATE, {"source": None}),
    Guarded("POST", "/admin/v1/rules/try", Scope.MODERATE, {"source": _RULES, "days": 1}),
    Guarded("GET", "/admin/v1/unanswered", Scope.READ),
    Guarded("GET", "/admin/v1/changes", Scope.READ),
    Guarded("GET", "/admin/v1/webhooks", Scope.OPERATE),
    Guarded("POST", "/admin/v1/webhooks", Scope.OPERATE, {"url": "ftp://x"}),
    Guarded("GET", _WEBHOOK, Scope.OPERATE),
    Guarded("DELETE", _WEBHOOK, Scope.OPERATE),
    Guarded("POST", f"{_WEBHOOK}/pause", Scope.OPERATE),
    Guarded("POST", f"{_WEBHOOK}/resume", Scope.OPERATE),
    Guarded("POST", f"{_WEBHOOK}/test", Scope.OPERATE),
    Guarded("POST", f"{_WEBHOOK}/secret", Scope.OPERATE, {}),
    Guarded("GET", f"{_WEBHOOK}/deliveries", Scope.OPERATE),
    Guarded("POST", f"{_WEBHOOK}/deliveries/{{delivery_id}}/replay", Scope.OPERATE),
]
"""Every route under /admin."""

_MALFORMED = [
    *("", "Bearer", "Basic YTpi", "atelier_x", "Token atelier_x", "Bearer a b"),
    *("Bearer a,Bearer b", "Bearer \u00e4", "Bearer a=b", "Bearer 'x'", "Bearer a\tb"),
]
_EVERY_ROUTE = pytest.mark.parametrize("route", ROUTES, ids=lambda each: f"{each[0]} {each[1]}")


class Tokens(NamedTuple):
    """A token of each scope, and those that are rejected."""

    by_scope: dict[Scope, str]
    unknown: str
    expired: str
    revoked: str


@pytest.fixture(scope="module")
async def issued(data: Data) -> Tokens:
    async def issue(name: str, scope: Scope, lifetime: timedelta | None = None) -> str:
        created = await tokens.create(data.connection, f"matrix {name}", scope, lifetime)
        assert created
        return created

    by_scope = {scope: await issue(scope.text, scope, timedelta(days=1)) for scope in Scope}
    expired = await issue("expired", Scope.OPERATE, timedelta(0))
    revoked = await issue("revoked", Scope.OPERATE)
    assert await tokens.revoke(data.connection, "matrix revoked")
    return Tokens(by_scope, by_scope[Scope.READ][:-1], expired, revoked)


async def call(
    client: httpx.AsyncClient, route: Guarded, authorization: str | None = None
) -> httpx.Response:
    headers = {} if authorization is None else {b"Authorization": authorization.encode()}
    path = re.sub(r"{\w+}", "1", route.path)
    return await client.request(route.method, path, headers=headers, json=route.body)


def detail(response: httpx.Response, status: int) -> str:
    """Return the detail of a rejection, after checking its form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM
    assert response.headers["www-authenticate"].startswith('Bearer realm="atelier"')
    assert response.headers["cache-control"] == "no-store"
    problem = response.json()
    assert problem["status"] == status
    return str(problem["detail"])


def test_the_table_lists_every_route_under_admin() -> None:
    routes = inspect_routes(create_service(Settings(), "postgresql:///unused").app)
    served = {
        (method.method, route.path)
        for route in routes
        if route.path.startswith("/admin")
        for method in route.methods
        if not method.internal and method.method != "HEAD"
    }
    assert served == {(route.method, route.path) for route in ROUTES}


@_EVERY_ROUTE
async def test_without_a_token_the_answer_is_401(client: httpx.AsyncClient, route: Guarded) -> None:
    response = await call(client, route)
    assert "Authorization: Bearer TOKEN" in detail(response, 401)
    assert response.headers["www-authenticate"] == 'Bearer realm="atelier"'


@_EVERY_ROUTE
@pytest.mark.parametrize("authorization", _MALFORMED, ids=ascii)
async def test_a_malformed_header_is_rejected(
    client: httpx.AsyncClient, route: Guarded, authorization: str
) -> None:
    assert "must be `Bearer TOKEN`" in detail(await call(client, route, authorization), 401)


@_EVERY_ROUTE
@pytest.mark.parametrize(
    ("state", "text"),
    [("unknown", "does not exist"), ("expired", "has expired"), ("revoked", "was revoked")],
)
async def test_a_token_that_is_not_valid_is_rejected_with_its_state(
    client: httpx.AsyncClient, issued: Tokens, route: Guarded, state: str, text: str
) -> None:
    response = await call(client, route, f"Bearer {getattr(issued, state)}")
    assert text in detail(response, 401)
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


@_EVERY_ROUTE
@pytest.mark.parametrize("scope", Scope)
async def test_exactly_the_required_scope_and_higher_ones_suffice(
    client: httpx.AsyncClient, issued: Tokens, route: Guarded, scope: Scope
) -> None:
    response = await call(client, route, f"Bearer {issued.by_scope[scope]}")
    if scope >= route.scope:
        assert response.status_code not in (401, 403, 500)
        assert response.headers["cache-control"] == "no-store"
    else:
        text = detail(response, 403)
        assert route.scope.text in text
        assert f"this token's scope is {scope.text}" in text
        challenge = response.headers["www-authenticate"]
        assert f'error="insufficient_scope", scope="{route.scope.text}"' in challenge


@_EVERY_ROUTE
async def test_no_origin_may_call_it_from_a_browser(
    client: httpx.AsyncClient, issued: Tokens, route: Guarded
) -> None:
    headers = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": route.method,
        "Access-Control-Request-Headers": "Authorization",
    }
    path = re.sub(r"{\w+}", "1", route.path)
    preflight = await client.options(path, headers=headers)
    headers["Authorization"] = f"Bearer {issued.by_scope[Scope.OPERATE]}"
    response = await client.request(route.method, path, headers=headers, json=route.body)
    for each in (preflight, response):
        assert not [name for name in each.headers if name.startswith("access-control-")]


@_EVERY_ROUTE
async def test_a_request_without_a_well_formed_token_uses_no_connection(
    alone: ASGIConductor,
    route: Guarded,
) -> None:
    path = re.sub(r"{\w+}", "1", route.path)
    for authorization, status in [(None, 401), ("Bearer a b", 401), ("Bearer abc", 503)]:
        headers = {"Authorization": authorization} if authorization else {}
        response = await alone.simulate_request(
            route.method, path, headers=headers, json=route.body
        )
        assert response.status_code == status
        assert response.headers["content-type"] == PROBLEM


async def test_a_token_says_whose_it_is(
    client: httpx.AsyncClient, issued: Tokens, data: Data
) -> None:
    headers = {"Authorization": f"bearer {issued.by_scope[Scope.MODERATE]}"}
    own = (await client.get("/admin/v1/token", headers=headers)).json()
    assert (own["name"], own["scope"]) == ("matrix moderate", "moderate")
    stored = await data.row(
        "SELECT iso_date(expires_at) AS expires_at FROM tokens WHERE name = $1", own["name"]
    )
    assert own["expires_at"] == stored["expires_at"]


async def test_a_revoked_token_is_rejected_by_every_instance_from_then_on(
    service: Cluster, data: Data
) -> None:
    token = await tokens.create(data.connection, "soon revoked", Scope.READ)
    for status in (200, 401):
        for socket in service.sockets:
            transport = httpx.AsyncHTTPTransport(uds=str(socket))
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                own = await client.get(
                    "/admin/v1/token", headers={"Authorization": f"Bearer {token}"}
                )
                assert own.status_code == status
        await tokens.revoke(data.connection, "soon revoked")


async def test_only_a_hash_of_a_token_is_stored(data: Data) -> None:
    token = await tokens.create(data.connection, "hashed", Scope.READ)
    assert token
    row = await data.row("SELECT t::text AS stored, hash FROM tokens t WHERE name = 'hashed'")
    assert token not in row["stored"]
    assert token.encode().hex() not in row["stored"]
    assert len(row["hash"]) == 32


@pytest.mark.parametrize("accept", ["*/*", "text/plain", "text/html"])
@pytest.mark.parametrize("root", ["/v1", "/admin"])
@pytest.mark.parametrize("way", ["nginx", "instance"])
async def test_every_error_under_v1_and_admin_is_a_problem_document(
    service: Cluster, way: str, root: str, accept: str
) -> None:
    transport = httpx.AsyncHTTPTransport(uds=str(service.sockets[0])) if way != "nginx" else None
    url = service.base_url if way == "nginx" else "http://x"
    large = b"x" * 1_100_000 if way == "nginx" else b""
    async with httpx.AsyncClient(transport=transport, base_url=url, timeout=30) as client:
        for method, path, body, status in [
            ("GET", f"{root}/nowhere", b"", 404),
            ("GET", root, b"", 404),
            ("PURGE", "/admin/v1/token", b"", 405),
            ("DELETE", "/admin/v1/token", b"", 405),
            ("TRACE", root, b"", 405 if way == "nginx" else 404),
            *([("POST", f"{root}/x", large, 413)] if large else []),
        ]:
            response = await client.request(method, path, content=body, headers={"Accept": accept})
            assert response.status_code == status
            assert response.headers["content-type"] == PROBLEM
            problem = response.json()
            assert problem["status"] == status
            assert problem["title"]
            assert problem["detail"]
            assert not problem["detail"].startswith("Error")
