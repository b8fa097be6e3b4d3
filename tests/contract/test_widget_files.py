"""/widget: the script of the element, small, cacheable, for pages of any origin."""

import gzip
import re

import httpx
import pytest

SHORT = "/widget/atelier-questions.js"
TYPE = "text/javascript; charset=utf-8"


@pytest.fixture
async def script(client: httpx.AsyncClient) -> str:
    """Return the address of the script with its version."""
    [address] = re.findall(r'^import "\./(\w{16}/[\w-]+\.js)";$', (await client.get(SHORT)).text)
    return f"/widget/{address}"


async def test_the_short_name_is_never_stale_and_the_versioned_one_never_changes(
    client: httpx.AsyncClient, script: str
) -> None:
    short, versioned = await client.get(SHORT), await client.get(script)
    assert short.headers["cache-control"] == "no-cache"
    assert versioned.headers["cache-control"] == "public, max-age=31536000, immutable"
    for path, response in ((SHORT, short), (script, versioned)):
        assert response.status_code == 200
        assert response.headers["content-type"] == TYPE
        known = {"If-None-Match": response.headers["etag"]}
        unchanged = await client.get(path, headers=known)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["etag"] == response.headers["etag"]
        assert (await client.head(path)).headers["etag"] == response.headers["etag"]


async def test_everything_that_an_english_reader_loads_is_at_most_15_kb(
    client: httpx.AsyncClient, script: str
) -> None:
    sizes = []
    for path in (SHORT, script):
        response = await client.get(path, headers={"Accept-Encoding": "gzip"})
        sizes.append(int(response.headers["content-length"]))
    assert sum(sizes) <= 15_000


async def test_it_is_compressed_only_for_those_who_accept_that(
    client: httpx.AsyncClient, script: str
) -> None:
    contents = {}
    for accepted in ("gzip", "br, GZIP;q=0.5", "identity", "gzip;q=0", "br"):
        async with client.stream("GET", script, headers={"Accept-Encoding": accepted}) as response:
            raw = b"".join([part async for part in response.aiter_raw()])
        encoding = response.headers.get("content-encoding")
        assert (encoding == "gzip") == (accepted in {"gzip", "br, GZIP;q=0.5"}), accepted
        assert "accept-encoding" in response.headers["vary"].lower()
        contents[response.headers["etag"]] = gzip.decompress(raw) if encoding else raw
    assert len(contents) == 2, "a cache could mix them up"
    assert len(set(contents.values())) == 1


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://shop.example"}])
async def test_pages_of_every_origin_may_load_it(
    client: httpx.AsyncClient, script: str, headers: dict[str, str]
) -> None:
    language = script.replace("atelier-questions", "texts-de")
    for path in (SHORT, script, language):
        response = await client.get(path, headers=headers)
        assert response.status_code == 200
        assert response.headers.get_list("access-control-allow-origin") == ["*"]
        assert response.headers["cross-origin-resource-policy"] == "cross-origin"
        assert response.headers.get_list("x-content-type-options") == ["nosniff"]


async def test_while_versions_change_an_instance_serves_its_own_files_and_nobody_keeps_them(
    client: httpx.AsyncClient, script: str
) -> None:
    current = await client.get(script)
    other = await client.get(f"/widget/0123456789abcdef/{script.rpartition('/')[2]}")
    assert other.content == current.content
    assert other.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/widget",
        "/widget/0123456789abcdef/element.js",
        "/widget/0123456789abcdef/..%2fwidget.css",
        "/widget/0123456789abcdef/texts-xx.js",
    ],
)
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    assert response.text == "Error: Not Found"
