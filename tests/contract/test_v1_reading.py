"""Public reading under /v1: lists of questions and answers, single questions, and summaries."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from atelier.store.lists.reader import Sort
from tests.contract.api import NEW_QUESTION, compact
from tests.contract.conftest import Shop
from tests.support.data import WRITTEN, Data, new_product_id

PROBLEM = "application/problem+json"


async def get(client: httpx.AsyncClient, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON of a successful response."""
    response = await client.get(path, params={name: str(value) for name, value in query.items()})
    assert response.status_code == 200, response.text
    return response.json()


async def pages(client: httpx.AsyncClient, path: str, **query: object) -> AsyncIterator[Any]:
    """Yield the pages of a list until there are no more."""
    cursor = None
    while True:
        after: dict[str, str] = {"after": cursor} if cursor else {}
        page = await get(client, path, **query, **after)
        yield page
        if not (cursor := page["next"]):
            return


async def listed(client: httpx.AsyncClient, path: str, **query: object) -> list[int]:
    """Return the ids of all rows of a list."""
    return [row["id"] async for page in pages(client, path, **query) for row in page["results"]]


def problem(response: httpx.Response) -> dict[str, Any]:
    """Return an error, which must be a problem document."""
    assert response.headers["content-type"] == PROBLEM
    document: dict[str, Any] = response.json()
    assert document["status"] == response.status_code
    return document


async def test_a_page_is_byte_for_byte_the_documented_json(
    client: httpx.AsyncClient, data: Data
) -> None:
    product_id = new_product_id()
    question = await data.question(product_id, body='"Why"?\n', helpful=4)
    await data.answer(question, helpful=9, reported=True)
    liked = await data.answer(question, helpful=7, date=WRITTEN + timedelta(milliseconds=1))
    seller = await data.answer(question, name="Seller", body="Because.")
    photo = await data.photo(seller, "https://example.com/a.jpg")
    written = "2018-10-18T00:00:00.000Z"

    response = await client.get(f"/v1/products/{product_id}/questions")

    assert response.headers["content-type"].partition(";")[0] == "application/json"
    answers = [
        {
            "id": seller,
            "question_id": question,
            "body": "Because.",
            "created_at": written,
            "author": "Seller",
            "is_seller": True,
            "helpful": 0,
            "photos": [{"id": photo, "url": "https://example.com/a.jpg"}],
        },
        {
            "id": liked,
            "question_id": question,
            "body": "Something pretty durable but I can't be sure",
            "created_at": "2018-10-18T00:00:00.001Z",
            "author": "metslover",
            "is_seller": False,
            "helpful": 7,
            "photos": [],
        },
    ]
    shown = {
        "id": question,
        "product_id": product_id,
        "body": '"Why"?\n',
        "created_at": written,
        "author": "williamsmith",
        "helpful": 4,
        "answer_count": 2,
        "answers": answers,
    }
    totals = {
        "questions": 1,
        "answers": 2,
        "unanswered": 0,
        "last_activity": "2018-10-18T00:00:00.001Z",
    }
    assert response.content == compact({"results": [shown], "next": None, "totals": totals})
    assert (await client.get(f"/v1/questions/{question}")).content == compact(shown)
    assert (await client.get(f"/v1/questions/{question}/answers")).content == compact(
        {"results": answers, "next": None, "totals": {"answers": 2}}
    )
    assert (await client.get(f"/v1/products/{product_id}/summary")).content == compact(
        {"product_id": product_id, **totals}
    )


async def test_a_product_without_questions_has_an_empty_page(client: httpx.AsyncClient) -> None:
    product_id = new_product_id()
    totals = {"questions": 0, "answers": 0, "unanswered": 0, "last_activity": None}
    page = await get(client, f"/v1/products/{product_id}/questions")
    assert page == {"results": [], "next": None, "totals": totals}
    summary = await get(client, f"/v1/products/{product_id}/summary")
    assert summary == {"product_id": product_id, **totals}


@pytest.fixture(scope="session")
async def assortment(data: Data) -> dict[str, Any]:
    """Return a product whose questions differ in everything that lists are sorted by."""
    product_id = new_product_id()
    questions = []
    for number in range(12):
        question = await data.question(
            product_id, helpful=number % 3, date=WRITTEN - timedelta(days=number // 2)
        )
        for answer in range(number % 4):
            await data.answer(
                question,
                name="Seller" if answer == 2 else "metslover",
                photos=["https://a.b/c"] * (number % 5),
                helpful=answer,
            )
        questions.append(question)
    await data.question(product_id, helpful=99, reported=True)
    return {"product_id": product_id, "questions": questions}


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("helpful", "helpful DESC, id DESC"),
        ("newest", "date_written DESC, id DESC"),
        ("oldest", "date_written, id"),
        ("most_answers", "(SELECT count(*) FROM answers WHERE question_id = q.id) DESC, id DESC"),
    ],
)
@pytest.mark.parametrize(
    ("filter_", "condition"),
    [
        (None, "true"),
        ("answered", "EXISTS (SELECT FROM answers WHERE question_id = q.id)"),
        ("unanswered", "NOT EXISTS (SELECT FROM answers WHERE question_id = q.id)"),
        (
            "seller",
            "EXISTS (SELECT FROM answers WHERE question_id = q.id AND answerer_name = 'Seller')",
        ),
        (
            "photos",
            "EXISTS (SELECT FROM answers a, photos WHERE question_id = q.id AND answer_id = a.id)",
        ),
    ],
)
@pytest.mark.parametrize("limit", [1, 5, 100])
async def test_every_order_and_filter_lists_each_question_once_on_whatever_pages(  # noqa: PLR0913, PLR0917
    client: httpx.AsyncClient,
    data: Data,
    assortment: dict[str, Any],
    sort: str,
    order: str,
    filter_: str | None,
    condition: str,
    limit: int,
) -> None:
    product_id = assortment["product_id"]
    expected = await data.connection.fetch(
        f"SELECT id FROM questions q WHERE product_id = $1 AND NOT reported AND {condition}"  # noqa: S608 - fixed texts
        f" ORDER BY {order}",
        product_id,
    )
    query = {"sort": sort, "limit": limit} | ({"filter": filter_} if filter_ else {})
    found = await listed(client, f"/v1/products/{product_id}/questions", **query)
    assert expected
    assert found == [row["id"] for row in expected]


@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_answers_are_listed_by_seller_then_votes_then_id(
    client: httpx.AsyncClient, data: Data, limit: int
) -> None:
    question = await data.question(new_product_id())
    for number in range(9):
        await data.answer(
            question, helpful=number % 3, name="Seller" if number in {2, 4} else "seller"
        )
    rows = await data.connection.fetch(
        "SELECT id FROM answers WHERE question_id = $1"
        " ORDER BY answerer_name = 'Seller' DESC, helpful DESC, id DESC",
        question,
    )
    expected = [row["id"] for row in rows]
    path = f"/v1/questions/{question}"
    assert await listed(client, f"{path}/answers", limit=limit) == expected
    shown = await get(client, path, answers=limit)
    assert [answer["id"] for answer in shown["answers"]] == expected[:limit]
    assert shown["answer_count"] == 9


async def test_answers_0_leaves_the_answers_out_but_counts_them(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    page = await get(client, f"/v1/products/{shop.product_id}/questions", answers=0)
    shown = await get(client, f"/v1/questions/{shop.question_id}", answers=0)
    assert page["results"] == [shown]
    assert (shown["answer_count"], shown["answers"]) == (1, [])


async def test_several_products_are_read_at_once_in_the_order_asked_for(
    client: httpx.AsyncClient, data: Data
) -> None:
    products = [new_product_id() for _ in range(3)]
    for product_id in products[:2]:
        for _ in range(3):
            await data.question(product_id)
    wanted = [products[1], products[2], products[0]]
    ids = ",".join(map(str, [*wanted, wanted[0]]))
    batch = await get(client, "/v1/questions", product_ids=ids, limit=2)
    summaries = await get(client, "/v1/summaries", product_ids=ids)
    for product_id, page, summary in zip(
        wanted, batch["results"], summaries["results"], strict=True
    ):
        path = f"/v1/products/{product_id}"
        assert page == {"product_id": product_id, **await get(client, f"{path}/questions", limit=2)}
        assert summary == await get(client, f"{path}/summary")


@pytest.mark.parametrize("sort", ["helpful", "newest", "oldest", "most_answers"])
async def test_pages_show_each_row_once_while_others_are_added(
    client: httpx.AsyncClient, data: Data, sort: str
) -> None:
    product_id = new_product_id()
    existing = [await data.question(product_id, helpful=number % 4) for number in range(30)]
    path, is_done = f"/v1/products/{product_id}/questions", asyncio.Event()

    async def add() -> int:
        added = 0
        while not is_done.is_set():
            post = {**NEW_QUESTION, "product_id": product_id, "body": f"Question {added}?"}
            response = await client.post("/qa/questions", json=post)
            assert response.status_code == 201
            added += 1
        return added

    writers = [asyncio.create_task(add()) for _ in range(3)]
    try:
        found = [
            row["id"]
            async for page in _first_pages(client, path, {*existing}, sort=sort, limit=2)
            for row in page["results"]
        ]
    finally:
        is_done.set()
    assert min(await asyncio.gather(*writers)) > 0
    assert len(found) == len({*found})
    assert {*existing} <= {*found}


async def _first_pages(
    client: httpx.AsyncClient, path: str, wanted: set[int], **query: object
) -> AsyncIterator[Any]:
    """Yield pages until all wanted rows were on one: there is no end while rows are added."""
    async for page in pages(client, path, **query):
        yield page
        wanted -= {row["id"] for row in page["results"]}
        if not wanted:
            return


async def test_every_page_equals_the_tables_of_its_moment_under_concurrent_writers(
    client: httpx.AsyncClient, data: Data
) -> None:
    product_id = new_product_id()
    questions = [await data.question(product_id) for _ in range(4)]
    answers = [await data.answer(question) for question in questions]
    path = f"/v1/products/{product_id}/questions"

    async def write(question: int, answer: int) -> None:
        post = {"body": "Yes.", "name": "jane", "email": "j@example.com", "photos": ["https://a.b"]}
        for _ in range(40):
            await client.put(f"/qa/answers/{answer}/helpful")
            await client.put(f"/qa/questions/{question}/helpful")
            await client.post(f"/qa/questions/{question}/answers", json=post)

    writers = asyncio.gather(*map(write, questions, answers))
    while not writers.done():
        page = await get(client, path, limit=100, answers=100)
        shown = page["results"]
        assert [row["answer_count"] for row in shown] == [len(row["answers"]) for row in shown]
        assert page["totals"]["answers"] == sum(row["answer_count"] for row in shown)
        assert page["totals"]["questions"] == len(shown) == 4
    await writers
    shown = (await get(client, path, limit=100, answers=100))["results"]
    assert {row["id"]: row["helpful"] for row in shown} == dict.fromkeys(questions, 40)
    rows = await data.connection.fetch(
        "SELECT id, helpful FROM answers WHERE question_id = ANY ($1)", questions
    )
    assert {answer["id"]: answer["helpful"] for row in shown for answer in row["answers"]} == {
        row["id"]: row["helpful"] for row in rows
    }
    assert {row["helpful"] for row in rows} == {0, 40}


# 0 a product, 1 one of its questions, 2 an answer to it, 3 another product, 4 and 5 the product's
# first and last question
_CHANGES = (
    "SELECT",
    "UPDATE answers SET helpful = helpful + 1 WHERE id = {2}",
    "UPDATE questions SET helpful = helpful + 1 WHERE id = {1}",
    "UPDATE questions SET helpful = 0 WHERE id = {1}",
    "UPDATE answers SET body = 'Cheaper than ever' WHERE id = {2}",
    "UPDATE answers SET answerer_name = 'Seller' WHERE id = {2}",
    "INSERT INTO photos (answer_id, url) VALUES ({2}, 'https://example.com/b.jpg')",
    "UPDATE photos SET url = 'https://example.com/c.jpg' WHERE answer_id = {2}",
    "DELETE FROM photos WHERE answer_id = {2}",
    "UPDATE questions SET reported = true WHERE id = {5}",
    "UPDATE questions SET reported = false WHERE product_id = {0}",
    "UPDATE questions SET product_id = {3} WHERE id = {4}",
    (
        "INSERT INTO questions (product_id, body, date_written, asker_name, asker_email) "
        "VALUES ({0}, 'Is it cheaper? 9', '2001-01-01Z', 'jane', 'jane@example.com')"
    ),
    "UPDATE answers SET reported = true WHERE id = {2}",
    "UPDATE answers SET reported = false WHERE id = {2}",
    "UPDATE questions SET reported = true WHERE id = {1}",
    "DELETE FROM answers WHERE question_id = {1}",
)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/products/{0.product_id}/questions",
        "/v1/questions/{0.question_id}",
        "/v1/questions/{0.question_id}/answers",
        "/v1/questions?product_ids={0.product_id}",
    ],
)
async def test_the_etag_changes_whenever_the_response_does(
    client: httpx.AsyncClient, data: Data, shop: Shop, path: str
) -> None:
    path = path.format(shop)
    answer = f"/qa/answers/{shop.answer_id}"
    changes = [
        client.put(f"/qa/questions/{shop.question_id}/helpful"),
        client.put(f"{answer}/helpful"),
        client.post(
            f"/qa/questions/{shop.question_id}/answers",
            json={"body": "Yes.", "name": "jane", "email": "j@example.com"},
        ),
        data.photo(shop.answer_id, "https://example.com/a.jpg"),
        client.put(f"{answer}/report"),
    ]
    tags = set()
    for change in changes:
        response = await client.get(path)
        tag = response.headers["etag"]
        tags.add(tag)
        for known in (tag, f'"other", {tag}', "*"):
            again = await client.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
        await change
        assert (await client.get(path, headers={"If-None-Match": tag})).status_code == 200
    assert len(tags) == len(changes)


_LISTS = (
    *(f"/v1/products/{{0}}/questions?sort={sort}&limit=2" for sort in Sort),
    "/v1/products/{0}/questions?filter=answered&limit=1&answers=1",
    "/v1/products/{0}/questions?q=cheaper&limit=2",
    "/v1/products/{0}/similar?text=cheaper product",
    "/v1/products/{0}/summary",
    "/v1/questions?product_ids={0}&limit=1",
    "/v1/questions/{1}",
    "/v1/questions/{1}/answers?limit=1",
    "/v1/answers/{2}",
    "/products/{0}/questions",
    "/questions/{1}",
)


async def test_responses_with_the_same_etag_are_the_same_whatever_was_changed(
    client: httpx.AsyncClient, data: Data
) -> None:
    product = new_product_id()
    async with data.connection.transaction():  # rows of the same version
        questions = [await data.question(product, body=f"Is it cheaper? {n}") for n in range(4)]
        answers = [await data.answer(question) for question in questions for _ in range(2)]
    ids = (product, questions[1], answers[2], new_product_id(), questions[0], questions[3])
    bodies: dict[tuple[str, str], bytes] = {}
    for change in _CHANGES:
        await data.connection.execute(change.format(*ids))
        for path in (each.format(*ids) for each in _LISTS):
            response = await client.get(path)
            if response.status_code == 200:
                known = bodies.setdefault((path, response.headers["etag"]), response.content)
                assert response.content == known, (path, change)
    assert len(bodies) > 5 * len(_LISTS)


async def test_the_etag_of_a_summary_changes_with_posts(
    client: httpx.AsyncClient, data: Data, shop: Shop
) -> None:
    for path in (
        f"/v1/products/{shop.product_id}/summary",
        f"/v1/summaries?product_ids={shop.product_id}",
    ):
        headers = {"If-None-Match": (await client.get(path)).headers["etag"]}
        assert (await client.get(path, headers=headers)).status_code == 304
        await data.answer(shop.question_id)
        assert (await client.get(path, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("sort=best", "sort"),
        ("sort=newest&sort=newest", "sort"),
        ("filter=open", "filter"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=1e1", "limit"),
        ("limit=", "limit"),
        ("limit=\u0661", "limit"),
        ("answers=-1", "answers"),
        ("answers=101", "answers"),
        ("after=", "after"),
        ("after=nonsense", "after"),
        ("after=é", "after"),
        ("after=a&after=b", "after"),
    ],
)
async def test_an_invalid_parameter_answers_422_and_names_it(
    client: httpx.AsyncClient, shop: Shop, query: str, parameter: str
) -> None:
    response = await client.get(f"/v1/products/{shop.product_id}/questions?{query}")
    assert response.status_code == 422
    document = problem(response)
    assert document["parameter"] == parameter
    assert document["detail"].startswith(f"{parameter} must be ")


@pytest.mark.parametrize(
    "ids", ["", "1,", "1,x", "1.5", ",".join(map(str, range(101)))], ids=lambda ids: ids[:5]
)
@pytest.mark.parametrize("path", ["/v1/questions", "/v1/summaries"])
async def test_invalid_product_ids_answer_422(
    client: httpx.AsyncClient, path: str, ids: str
) -> None:
    response = await client.get(path, params={"product_ids": ids})
    assert response.status_code == 422
    assert problem(response)["parameter"] == "product_ids"
    assert problem(await client.get(path))["parameter"] == "product_ids"


async def test_a_cursor_is_only_good_for_its_own_list(
    client: httpx.AsyncClient, data: Data
) -> None:
    first, other = new_product_id(), new_product_id()
    for product_id in (first, other, first, other):
        await data.question(product_id)
    path = f"/v1/products/{first}/questions"
    cursor = (await get(client, path, limit=1))["next"]
    assert len((await get(client, path, after=cursor, limit=1))["results"]) == 1
    changed = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    with_spare_bit = cursor[:-1] + chr(ord(cursor[-1]) + 1)
    for invalid in (
        f"/v1/products/{other}/questions?after={cursor}",
        f"{path}?after={cursor}&sort=newest",
        f"{path}?after={cursor}&filter=unanswered",
        f"{path}?after={changed}",
        f"{path}?after={with_spare_bit}",
        f"{path}?after={cursor}=",
        f"{path}?after=%20{cursor}",
        f"{path}?after={cursor}{cursor}",
        f"/v1/questions?product_ids={first}&after={cursor}",
    ):
        response = await client.get(invalid)
        assert response.status_code == 422, invalid
        assert problem(response)["parameter"] == "after"


@pytest.mark.parametrize("path", ["/v1/questions/{}", "/v1/questions/{}/answers"])
async def test_an_unknown_or_hidden_question_answers_404(
    client: httpx.AsyncClient, data: Data, path: str
) -> None:
    hidden = await data.question(new_product_id(), reported=True)
    await data.answer(hidden)
    for question in (hidden, 10**18, "x", "1.5", 2**63):
        response = await client.get(path.format(question))
        assert response.status_code == 404
        assert "question" in problem(response)["detail"]
    assert (await client.get("/v1/products/x/questions")).status_code == 404
    assert (await client.get("/v1/products/x/summary")).status_code == 404


async def test_head_has_the_headers_of_get(client: httpx.AsyncClient, shop: Shop) -> None:
    path = f"/v1/products/{shop.product_id}/questions"
    page, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == page.headers["etag"]


async def test_the_location_of_a_new_answer_is_that_answer(
    client: httpx.AsyncClient, data: Data
) -> None:
    question = await data.question(new_product_id())
    added = await client.post(
        f"/v1/questions/{question}/answers",
        json={"body": "Yes.", "name": "ann", "email": "ann@example.com"},
    )
    location = added.headers["location"]

    response = await client.get(location)

    created = added.json()
    assert (created.pop("status"), "/v1/posts/" in created.pop("status_url")) == ("published", True)
    assert response.json() == created
    tag = {"If-None-Match": response.headers["etag"]}
    assert (await client.get(location, headers=tag)).status_code == 304
    await client.put(f"{location}/vote")
    changed = await client.get(location, headers=tag)
    assert changed.json() == {**created, "helpful": 1}


async def test_an_answer_that_is_hidden_or_whose_question_is_answers_404(
    client: httpx.AsyncClient, data: Data
) -> None:
    hidden = await data.answer(await data.question(new_product_id()), reported=True)
    below = await data.answer(await data.question(new_product_id(), reported=True))

    for number in (hidden, below, 2**62):
        assert problem(await client.get(f"/v1/answers/{number}"))["status"] == 404
