"""Questions as HTML pages: complete, safe, valid, and as search engines want them."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

import httpx
import pytest

from atelier.http.pages.questions import ANSWERS, FIRST_ANSWERS, QUESTIONS
from atelier.store.lists.sitemap import PART
from tests.contract.conftest import Shop
from tests.support.cluster import Cluster, cluster
from tests.support.data import Data, new_product_id
from tests.support.html import CONTROLS, HOSTILE_TEXTS, attributes, parse, structured_data, texts

ELEMENTS = {
    *("html", "head", "meta", "title", "link", "script", "body", "main", "article", "nav"),
    *("h1", "h2", "h3", "p", "a", "ul", "li", "bdi", "time", "span", "section"),
}


async def page_of(client: httpx.AsyncClient, path: str) -> Element:
    """Return a page, which must be valid HTML."""
    response = await client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    document, errors = parse(response.text)
    assert errors == []
    return document


async def data_of(client: httpx.AsyncClient, question_id: int) -> Any:  # noqa: ANN401 - JSON
    [data] = structured_data(await page_of(client, f"/questions/{question_id}"))
    return data["mainEntity"]


async def test_a_page_shows_the_questions_of_a_product_with_first_answers(
    client: httpx.AsyncClient, data: Data
) -> None:
    product = new_product_id()
    await data.question(product, body="Less helpful?", helpful=1)
    question = await data.question(product, body="More helpful?", helpful=2)
    for n in range(FIRST_ANSWERS + 1):
        await data.answer(question, body=f"Answer {n}", helpful=9 - n)
    await data.answer(question, body="The seller's", name="Seller", photos=["https://x.example/1"])
    page = await page_of(client, f"/products/{product}/questions")
    assert texts(page, ".//article/h2") == ["More helpful?", "Less helpful?"]
    assert texts(page, ".//li/p[@class='text']") == ["The seller's", "Answer 0", "Answer 1"]
    assert texts(page, ".//p[@class='more']") == [f"All {FIRST_ANSWERS + 2} answers"]
    assert texts(page, ".//p[@class='none']") == ["No answer yet."]
    assert attributes(page, ".//p[@class='photos']/a", "href") == ["https://x.example/1"]
    assert f"/questions/{question}" in attributes(page, ".//h2/a", "href")
    assert texts(page, ".//p[@class='count']") == [f"2 questions, {FIRST_ANSWERS + 2} answers"]


async def test_paging_visits_every_question_once(client: httpx.AsyncClient, data: Data) -> None:
    product = new_product_id()
    asked = {await data.question(product, body=f"Question {n}?") for n in range(QUESTIONS * 2 + 1)}
    url, seen = f"/products/{product}/questions", []
    while url:
        page = await page_of(client, url)
        assert attributes(page, ".//link[@rel='canonical']", "href") == [f"{client.base_url}{url}"]
        ids = attributes(page, ".//article", "id")
        assert len(ids) <= QUESTIONS
        seen += [int(each.removeprefix("question-")) for each in ids]
        url = "".join(attributes(page, ".//a[@rel='next']", "href"))
    assert len(seen) == len(asked)
    assert set(seen) == asked


async def test_a_permalink_shows_all_answers_page_by_page(
    client: httpx.AsyncClient, data: Data
) -> None:
    question = await data.question(new_product_id())
    given = {await data.answer(question) for _ in range(ANSWERS + 1)}
    first = await page_of(client, f"/questions/{question}")
    [url] = attributes(first, ".//a[@rel='next']", "href")
    second = await page_of(client, url)
    ids = attributes(first, ".//li", "id") + attributes(second, ".//li", "id")
    assert {int(each.removeprefix("answer-")) for each in ids} == given
    assert texts(first, ".//h2") == [f"{len(given)} answers"]
    assert len(structured_data(first)) == 1
    assert structured_data(second) == []


async def test_a_permalink_has_the_data_that_search_engines_document(
    client: httpx.AsyncClient, data: Data
) -> None:
    asked, answered = datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    question = await data.question(
        new_product_id(), body="Is it\nwarm?", date=asked, name="jo", helpful=3
    )
    first = await data.answer(question, body="Very.", date=answered, name="al", helpful=7)
    seller = await data.answer(
        question, body="It is.", date=answered, name="Seller", photos=["https://x.example/1"]
    )
    url = f"{client.base_url}/questions/{question}"
    assert await data_of(client, question) == {
        "@type": "Question",
        "name": "Is it\nwarm?",
        "text": "Is it\nwarm?",
        "url": url,
        "answerCount": 2,
        "upvoteCount": 3,
        "datePublished": "2020-02-03T04:05:06.000Z",
        "author": {"@type": "Person", "name": "jo"},
        "acceptedAnswer": {
            "@type": "Answer",
            "text": "It is.",
            "url": f"{url}#answer-{seller}",
            "upvoteCount": 0,
            "datePublished": "2021-01-01T00:00:00.000Z",
            "author": {"@type": "Organization", "name": "Seller"},
            "image": ["https://x.example/1"],
        },
        "suggestedAnswer": [
            {
                "@type": "Answer",
                "text": "Very.",
                "url": f"{url}#answer-{first}",
                "upvoteCount": 7,
                "datePublished": "2021-01-01T00:00:00.000Z",
                "author": {"@type": "Person", "name": "al"},
            }
        ],
    }


async def test_an_answer_that_the_data_link_to_has_its_place_on_the_page(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    data = await data_of(client, shop.question_id)
    assert "acceptedAnswer" not in data
    [suggested] = data["suggestedAnswer"]
    page = await page_of(client, f"/questions/{shop.question_id}")
    assert attributes(page, ".//li", "id") == [suggested["url"].partition("#")[2]]


@pytest.mark.parametrize("answer", [None, " \n\u00a0"])
async def test_a_question_without_an_answer_in_words_has_no_data(
    client: httpx.AsyncClient, data: Data, answer: str | None
) -> None:
    question = await data.question(new_product_id())
    if answer:
        await data.answer(question, body=answer, photos=["https://x.example/1"])
    page = await page_of(client, f"/questions/{question}")
    assert structured_data(page) == []


async def test_only_permalinks_have_data(client: httpx.AsyncClient, shop: Shop) -> None:
    page = await page_of(client, f"/products/{shop.product_id}/questions")
    assert structured_data(page) == []


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
async def test_a_hostile_text_is_text_everywhere(
    client: httpx.AsyncClient, data: Data, text: str
) -> None:
    product = new_product_id()
    question = await data.question(product, body=text, name=text[:60])
    await data.answer(question, body=text, name=text[:60], photos=[f"https://x.example/?{text}"])
    for path in (f"/products/{product}/questions", f"/questions/{question}"):
        page = await page_of(client, path)
        assert {element.tag for element in page.iter()} <= ELEMENTS
        assert texts(page, ".//*[@lang='']") == [text, text[:60], text, text[:60]]
        assert all(
            not name.startswith("on") and name != "style"
            for element in page.iter()
            for name in element.keys()  # noqa: SIM118 - an Element is no mapping
        )
    read = await data_of(client, question)
    assert read["text"] == read["name"] == text
    [answer] = read["suggestedAnswer"]
    assert (answer["text"], answer["author"]["name"]) == (text, text[:60])
    assert answer["image"] == [f"https://x.example/?{text}"]


@pytest.mark.parametrize("text", CONTROLS, ids=ascii)
async def test_a_control_of_direction_acts_on_its_own_text_only(
    client: httpx.AsyncClient, data: Data, text: str
) -> None:
    product = new_product_id()
    question = await data.question(product, body=text, name=text)
    await data.answer(question, body=text, name=text)
    for path in (f"/products/{product}/questions", f"/questions/{question}"):
        document, _ = parse((await client.get(path)).text)
        isolated = [*document.iterfind(".//bdi"), *document.iterfind(".//*[@dir='auto']")]
        within = "".join("".join(element.itertext()) for element in isolated)
        body = "".join(document.find("body").itertext())  # type: ignore[union-attr]  # always there
        for control in "\u202e\u2066\u2069\u202c":
            assert body.count(control) == within.count(control)
        head = " ".join(texts(document, ".//title"))
        assert not {*"\u202e\u2066\u2069\u202c"} & {*head}


async def test_a_photo_that_is_no_web_address_is_no_link(
    client: httpx.AsyncClient, data: Data, shop: Shop
) -> None:
    await data.photo(shop.answer_id, "javascript:alert(1)")
    page = await page_of(client, f"/questions/{shop.question_id}")
    assert attributes(page, ".//p[@class='photos']/a", "href") == []


async def test_what_is_hidden_is_on_no_page(
    client: httpx.AsyncClient, data: Data, shop: Shop
) -> None:
    hidden = await data.question(shop.product_id, body="Hidden?", reported=True)
    await data.answer(shop.question_id, body="Hidden.", reported=True)
    for path in (f"/products/{shop.product_id}/questions", f"/questions/{shop.question_id}"):
        assert "Hidden" not in (await client.get(path)).text
    assert (await client.get(f"/questions/{hidden}")).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/questions/9223372036854775807", 404),
        ("/questions/nonsense", 404),
        ("/questions/1/nowhere", 404),
        ("/products/nonsense/questions", 404),
        ("/products", 404),
        ("/products/1/questions?after=nonsense", 422),
        ("/questions/1?after=nonsense&after=x", 422),
    ],
)
async def test_an_error_is_a_page_that_is_not_indexed(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    response = await client.get(path)
    assert response.status_code == status
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    page, errors = parse(response.text)
    assert errors == []
    assert attributes(page, ".//meta[@name='robots']", "content") == ["noindex"]
    assert texts(page, ".//p[@class='status']") == [str(status)]
    assert "script-src" not in response.headers["content-security-policy"]


async def test_a_method_that_a_page_does_not_have_answers_405_as_a_page(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    response = await client.post(f"/questions/{shop.question_id}")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"
    assert "<h1>That is not possible here</h1>" in response.text


async def test_a_product_without_questions_has_a_page_that_is_not_indexed(
    client: httpx.AsyncClient,
) -> None:
    path = f"/products/{new_product_id()}/questions"
    page = await page_of(client, path)
    assert texts(page, ".//p[@class='none']") == [
        "Nobody has asked a question about this product yet."
    ]
    assert (await client.get(path)).headers["x-robots-tag"] == "noindex"


async def test_a_page_that_has_not_changed_answers_304(
    client: httpx.AsyncClient, data: Data, shop: Shop
) -> None:
    paths = (
        f"/products/{shop.product_id}/questions",
        f"/products/{shop.product_id}/questions?fragment=1",
        f"/questions/{shop.question_id}",
    )
    tags = {path: (await client.get(path)).headers["etag"] for path in paths}
    assert len(set(tags.values())) == len(paths)
    for path, tag in tags.items():
        known = await client.get(path, headers={"If-None-Match": tag})
        assert (known.status_code, known.content) == (304, b"")
        assert known.headers["cache-control"] == "no-cache"
    assert (await client.put(f"/qa/answers/{shop.answer_id}/helpful")).status_code == 204
    for path, tag in tags.items():
        changed = await client.get(path, headers={"If-None-Match": tag})
        assert changed.status_code == 200
        assert "1 person found this helpful" in changed.text
    await data.question(shop.product_id)
    changed = await client.get(paths[0], headers={"If-None-Match": tags[paths[0]]})
    assert changed.status_code == 200


async def test_a_fragment_is_the_list_alone(client: httpx.AsyncClient, shop: Shop) -> None:
    response = await client.get(f"/products/{shop.product_id}/questions?fragment=1")
    assert response.headers["x-robots-tag"] == "noindex"
    assert response.text.startswith("<section ")
    assert response.text.rstrip().endswith("</section>")
    document, errors = parse(
        f"<!doctype html><html lang=en><title>x</title><main>{response.text}</main></html>"
    )
    assert errors == []
    assert attributes(document, ".//article", "id") == [f"question-{shop.question_id}"]
    assert not texts(document, ".//h1")


async def test_a_host_that_is_none_is_not_repeated(client: httpx.AsyncClient, shop: Shop) -> None:
    hostile = {"Host": 'x"><script>alert(1)</script>'}
    page = await client.get(f"/questions/{shop.question_id}", headers=hostile)
    assert "alert" not in page.text


async def test_head_has_the_headers_of_get(client: httpx.AsyncClient, shop: Shop) -> None:
    path = f"/questions/{shop.question_id}"
    got, head = await client.get(path), await client.head(path)
    assert head.content == b""
    for name in ("etag", "content-length", "content-type", "content-security-policy"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/robots.txt", "text/plain"),
        ("/favicon.svg", "image/svg+xml"),
        ("/pages/page.css", "text/css"),
    ],
)
async def test_files_of_the_pages_can_be_cached(
    client: httpx.AsyncClient, path: str, content_type: str
) -> None:
    response = await client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{content_type}; charset=utf-8"
    assert response.headers["cache-control"] == "public, max-age=3600"


async def test_robots_are_kept_from_what_is_no_page(client: httpx.AsyncClient) -> None:
    lines = (await client.get("/robots.txt")).text.splitlines()
    assert "User-agent: *" in lines
    assert {"Disallow: /admin", "Disallow: /console", "Disallow: /demo"} <= {*lines}
    assert f"Sitemap: {client.base_url}/sitemap.xml" in lines


async def test_the_sitemap_lists_every_question_with_a_visible_answer(
    client: httpx.AsyncClient, data: Data
) -> None:
    product, host = new_product_id(), client.base_url
    answered, unanswered, hidden = [await data.question(product) for _ in range(3)]
    for each in (answered, hidden):
        await data.answer(each, date=datetime(2019, 1, 2, tzinfo=UTC))
    await data.answer(unanswered, reported=True)
    await data.connection.execute("UPDATE questions SET reported = true WHERE id = $1", hidden)
    part = f"{host}/sitemap/{answered // PART}.xml"
    assert part in await _locations(client, "/sitemap.xml")
    listed = await _locations(client, part)
    asked = [f"{host}/questions/{each}" for each in (answered, unanswered, hidden)]
    assert [each for each in asked if each in listed] == asked[:1]
    entry = f"<url><loc>{asked[0]}</loc><lastmod>2019-01-02</lastmod></url>"
    assert entry in (await client.get(part)).text
    for missing in ("/sitemap/-1.xml", "/sitemap/x.xml", f"/sitemap/{2**62}.xml", "/sitemap/1"):
        assert (await client.get(missing)).status_code == 404


async def test_every_part_of_the_sitemap_has_questions(client: httpx.AsyncClient) -> None:
    for part in await _locations(client, "/sitemap.xml"):
        [first, *_] = await _locations(client, part)
        assert (await client.get(first)).status_code == 200


async def _locations(client: httpx.AsyncClient, path: str) -> list[str]:
    response = await client.get(path)
    assert response.status_code == 200
    root = ET.fromstring(response.text)  # noqa: S314 - our own
    return [
        each.text or "" for each in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
    ]


async def test_addresses_and_language_are_those_of_the_settings(
    settled: httpx.AsyncClient, client: httpx.AsyncClient, data: Data, shop: Shop
) -> None:
    for _ in range(QUESTIONS):
        await data.question(shop.product_id)
    base, product = "https://shop.example/qa", f"https://shop.example/p?id={shop.product_id}"
    path = f"/products/{shop.product_id}/questions"
    document = await page_of(settled, path)
    assert (document.get("lang"), document.get("dir")) == ("ar", "rtl")
    assert attributes(document, ".//link[@rel='canonical']", "href") == [f"{base}{path}"]
    assert attributes(document, ".//p[@class='back']/a", "href") == [product]
    [following] = attributes(document, ".//a[@rel='next']", "href")
    assert following.startswith(f"{base}{path}?after=")
    [data_block] = structured_data(await page_of(settled, f"/questions/{shop.question_id}"))
    assert data_block["mainEntity"]["url"] == f"{base}/questions/{shop.question_id}"
    tags = {(await each.get(path)).headers["etag"] for each in (settled, client)}
    assert len(tags) == 2


@pytest.mark.parametrize(
    ("accepted", "language", "heading"),
    [
        ("de-CH, en;q=0.5", "de", "Diese Seite gibt es nicht"),
        ("ar", "ar", "هذه الصفحة غير موجودة"),
        ("fr", "en", "This page does not exist"),
    ],
)
async def test_pages_and_errors_are_in_the_language_of_the_reader(
    client: httpx.AsyncClient, shop: Shop, accepted: str, language: str, heading: str
) -> None:
    headers = {"Accept-Language": accepted}
    for path in (f"/products/{shop.product_id}/questions", f"/questions/{shop.question_id}"):
        response = await client.get(path, headers=headers)
        assert parse(response.text)[0].get("lang") == language
        assert "Accept-Language" in response.headers["vary"]
        assert response.headers["etag"] != (await client.get(path)).headers["etag"] or (
            language == "en"
        )
    missing, errors = parse((await client.get("/questions/x", headers=headers)).text)
    assert errors == []
    assert (missing.get("lang"), texts(missing, ".//h1")) == (language, [heading])
    path = f"/products/{shop.product_id}/questions?fragment=1&lang=de"
    assert 'lang="de"' in (await client.get(path, headers=headers)).text


@pytest.fixture
async def settled(elsewhere: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=elsewhere.base_url) as client:
        yield client


@pytest.fixture(scope="module")
def elsewhere(service: Cluster) -> Iterator[Cluster]:
    """Return a service with other addresses and another language, on the same database."""
    settings = {
        "ATELIER_PUBLIC_URL": "https://shop.example/qa/",
        "ATELIER_PRODUCT_URL": "https://shop.example/p?id={product_id}",
        "ATELIER_LANGUAGE": "ar",
    }
    with cluster(service.database, instances=1, **settings) as running:
        yield running
