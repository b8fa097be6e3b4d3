"""CORS headers are the same on every path if not all origins are allowed."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from atelier.settings import Settings
from tests.contract.test_fast_path import Instance, instance
from tests.support.cluster import Cluster
from tests.support.postgres import temporary_folder

_ALLOWED = "https://shop.example"
_PAGE = "/qa/questions?product_id=1"
_PATHS = {
    "fast path": ("GET", _PAGE, {}),
    "general path": ("GET", _PAGE, {"Connection": "close"}),
    "error": ("GET", "/qa/questions", {}),
    "post": ("POST", "/qa/questions", {}),
    "unknown": ("GET", "/nowhere", {}),
}


@pytest.fixture(params=[f"{_ALLOWED},http://localhost:3000", "none"], scope="module")
def origins(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
async def configured(service: Cluster, origins: str) -> AsyncIterator[Instance]:
    settings = Settings.from_environment({"ATELIER_CORS_ORIGINS": origins})
    with temporary_folder() as folder:
        async with instance(service.database, folder, settings) as running:
            yield running


@pytest.fixture
def strict(configured: Instance) -> Instance:
    """Return an instance that no request of this test has reached yet."""
    configured.general.clear()
    return configured


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize("origin", [_ALLOWED, "https://evil.example", f"{_ALLOWED}.evil", None])
async def test_only_listed_origins_can_read_responses(
    strict: Instance, origins: str, path: str, origin: str | None
) -> None:
    method, url, headers = _PATHS[path]
    request_headers = {**headers, **({"Origin": origin} if origin else {})}
    response = await strict.client.request(method, url, headers=request_headers)
    assert (len(strict.general) == 0) == (path == "fast path")
    expected = origin if origin in origins.split(",") else None
    assert response.headers.get("access-control-allow-origin") == expected
    assert "Origin" in response.headers["vary"].split(", "), "a cache would mix origins up"


@pytest.mark.parametrize("origin", [_ALLOWED, "https://evil.example"])
async def test_only_listed_origins_pass_the_preflight(
    strict: Instance, origins: str, origin: str
) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    response = await strict.client.options("/qa/answers/1/helpful", headers=headers)
    is_allowed = origin in origins
    assert ("access-control-allow-methods" in response.headers) == is_allowed
    assert ("access-control-allow-origin" in response.headers) == is_allowed


async def test_no_origin_can_read_the_response_to_malformed_http(strict: Instance) -> None:
    reader, writer = await asyncio.open_unix_connection(strict.socket)
    writer.write(f"get / HTTP/1.1\r\nOrigin: {_ALLOWED}\r\n\r\n".encode())
    head = (await reader.read()).decode().lower()
    writer.close()
    assert head.startswith("http/1.1 400 ")
    assert "access-control-allow-origin" not in head
    assert "\r\nvary: origin\r\n" in head


async def test_documentation_pages_have_a_strict_content_security_policy(
    client: httpx.AsyncClient,
) -> None:
    for path in ("/docs", "/docs/page.js", "/openapi.yaml"):
        response = await client.get(path)
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers.get_list("x-content-type-options") == ["nosniff"]
        assert response.headers.get_list("referrer-policy") == ["no-referrer"]
