"""Routes that do not exist, methods they do not have, and the state of the service."""

import httpx
import pytest

from tests.contract.api import ALL_ROUTES, refusal

METHODS = {
    path: {route.method for route in ALL_ROUTES if route.path.partition("?")[0] == path}
    for path in [route.path.partition("?")[0] for route in ALL_ROUTES]
}
UNKNOWN = [
    "/qa",
    "/qa/",
    "/qa/products",
    "/qa/questions/5",
    "/qa/questions/5/answers/6",
    "/qa/questions/5/unknown",
    "/qa/answers",
    "/qa/answers/5",
    "/qa/answers/5/unknown",
    "/QA/questions?product_id=5",
    "/api/qa/questions?product_id=5",
    "/nowhere",
    "/%ff",
    "/.env",
    "/docs/nothing.js",
    "/docs/index.html",
    "/docs/swagger-ui.js",
]


@pytest.mark.parametrize("path", UNKNOWN)
async def test_an_unknown_path_answers_404_in_plain_text(
    client: httpx.AsyncClient, path: str
) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        status, text = refusal(await client.request(method, path))
        assert status == 404
        assert text.startswith("Error: ")


@pytest.mark.parametrize(("path", "methods"), METHODS.items())
async def test_a_method_that_a_path_does_not_have_answers_405_and_those_it_has(
    client: httpx.AsyncClient, path: str, methods: set[str]
) -> None:
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
        response = await client.request(method, path.format(5))
        status, text = refusal(response)
        assert status == 405
        assert text.startswith("Error: ")
        assert methods <= set(response.headers["allow"].replace(" ", "").split(","))


@pytest.mark.parametrize(
    "path",
    [
        "/docs/../contract/openapi.yaml",
        "/docs/..%2fcontract%2fopenapi.yaml",
        "/docs/%2e%2e/%2e%2e/errors.py",
        "/docs/..%5cerrors.py",
        "/docs//etc/passwd",
        "/docs/%2fetc/passwd",
        "/docs/page.js%00.css",
    ],
)
async def test_no_other_file_can_be_reached_through_the_documentation(
    client: httpx.AsyncClient, path: str
) -> None:
    status, text = refusal(await client.get(path))
    assert status in (400, 404)
    assert text.startswith("Error: ")


async def test_healthy_service_is_ready_for_reads_and_writes(client: httpx.AsyncClient) -> None:
    live = await client.get("/live")
    assert (live.status_code, live.text) == (200, "live")
    for path, served in {
        "/ready": {"status": "ready", "reads": True, "writes": True},
        "/ready/reads": {"status": "ready", "reads": True},
    }.items():
        response = await client.get(path)
        assert (response.status_code, response.json()) == (200, served)
        assert response.headers["content-type"].partition(";")[0] == "application/json"
        assert response.headers["cache-control"] == "no-store"
