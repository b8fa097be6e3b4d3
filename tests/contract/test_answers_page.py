"""GET /qa/questions/{question_id}/answers: a page of a question's answers."""

import httpx

from tests.contract.api import answers, compact
from tests.contract.conftest import Shop
from tests.support.data import EMAIL, Data, new_product_id


async def test_a_page_is_byte_for_byte_the_documented_json(
    client: httpx.AsyncClient, data: Data
) -> None:
    question_id = await data.question(new_product_id())
    without_photos = await data.answer(question_id, helpful=1, name="Seller")
    with_photos = await data.answer(question_id, helpful=5)
    first = await data.photo(with_photos, "https://example.com/answer_5_1.jpg")
    second = await data.photo(with_photos, "https://example.com/answer_5_0.jpg")

    response = await client.get(f"/qa/questions/{question_id}/answers")

    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == "application/json"
    assert response.content == compact(
        {
            "question": str(question_id),
            "page": 1,
            "count": 5,
            "results": [
                {
                    "answer_id": with_photos,
                    "body": "Something pretty durable but I can't be sure",
                    "date": "2018-10-18T00:00:00.000Z",
                    "answerer_name": "metslover",
                    "helpfulness": 5,
                    "photos": [
                        {"id": first, "url": "https://example.com/answer_5_1.jpg"},
                        {"id": second, "url": "https://example.com/answer_5_0.jpg"},
                    ],
                },
                {
                    "answer_id": without_photos,
                    "body": "Something pretty durable but I can't be sure",
                    "date": "2018-10-18T00:00:00.000Z",
                    "answerer_name": "Seller",
                    "helpfulness": 1,
                    "photos": [],
                },
            ],
        }
    )


async def test_page_and_count_are_echoed_as_numbers_by_default_and_as_strings_where_given(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    url = f"/qa/questions/{shop.question_id}/answers"
    for query, echo in {
        "": (1, 5),
        "?page=1": ("1", 5),
        "?count=2": (1, "2"),
        "?page=1&count=2": ("1", "2"),
        "?page=0&count=0": ("0", "0"),
        "?page=01&count=005": ("01", "005"),
    }.items():
        page = (await client.get(url + query)).json()
        assert (page["page"], page["count"]) == echo


async def test_an_unknown_question_has_no_results(client: httpx.AsyncClient) -> None:
    response = await client.get("/qa/questions/987654321987654321/answers")
    assert response.status_code == 200
    assert response.content == (
        b'{"question":"987654321987654321","page":1,"count":5,"results":[]}'
    )


async def test_answers_come_by_helpfulness_then_newest_id_also_the_sellers(
    client: httpx.AsyncClient, data: Data
) -> None:
    question_id = await data.question(new_product_id())
    ids = [
        await data.answer(question_id, helpful=helpful, name=name)
        for helpful, name in [(1, "Seller"), (7, "a"), (0, "b"), (7, "c"), (10, "d")]
    ]
    found = [answer["answer_id"] for answer in await answers(client, question_id)]
    assert found == [ids[4], ids[3], ids[1], ids[0], ids[2]]


async def test_a_reported_answer_is_left_out(client: httpx.AsyncClient, data: Data) -> None:
    question_id = await data.question(new_product_id())
    await data.answer(question_id, helpful=9, reported=True)
    kept = await data.answer(question_id)
    [answer] = await answers(client, question_id)
    assert answer["answer_id"] == kept


async def test_the_answers_of_a_reported_question_are_left_out(
    client: httpx.AsyncClient, data: Data
) -> None:
    question_id = await data.question(new_product_id(), reported=True)
    await data.answer(question_id)
    assert await answers(client, question_id) == []


async def test_five_answers_make_a_page_by_default(client: httpx.AsyncClient, data: Data) -> None:
    question_id = await data.question(new_product_id())
    for _ in range(7):
        await data.answer(question_id)
    assert len(await answers(client, question_id)) == 5
    assert len(await answers(client, question_id, page=2)) == 2


async def test_the_photos_of_an_answer_are_shown_however_many_answers_there_are(
    client: httpx.AsyncClient, data: Data
) -> None:
    question_id = await data.question(new_product_id())
    answer_id = await data.answer(question_id, helpful=1)
    photo_id = await data.photo(answer_id, "https://example.com/first.jpg")
    expected = [{"id": photo_id, "url": "https://example.com/first.jpg"}]
    for number_of_others in (99, 1):  # a hundred answers, and one more
        for _ in range(number_of_others):
            await data.answer(question_id)
        first = (await answers(client, question_id))[0]
        assert (first["answer_id"], first["photos"]) == (answer_id, expected)


async def test_no_email_address_is_in_a_page(client: httpx.AsyncClient, shop: Shop) -> None:
    response = await client.get(f"/qa/questions/{shop.question_id}/answers")
    assert EMAIL not in response.text
    assert "mail" not in response.text


async def test_texts_come_back_as_they_were_written(client: httpx.AsyncClient, data: Data) -> None:
    text = "\"q\" \\ / 'a'\r\n\t\x01\x7f <b>&amp; é 漢字 👩‍👩‍👧 \u2028 \ufeff \U0010ffff"
    question_id = await data.question(new_product_id())
    await data.answer(question_id, body=text, name=text, photos=[text])
    [answer] = await answers(client, question_id)
    assert (answer["body"], answer["answerer_name"]) == (text, text)
    assert answer["photos"][0]["url"] == text
