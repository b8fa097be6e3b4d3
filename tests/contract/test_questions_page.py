"""GET /qa/questions: a page of a product's questions."""

import httpx

from tests.contract.api import compact, questions
from tests.contract.conftest import Shop
from tests.support.data import EMAIL, Data, new_product_id


async def test_a_page_is_byte_for_byte_the_documented_json(
    client: httpx.AsyncClient, data: Data
) -> None:
    product_id = new_product_id()
    question_id = await data.question(product_id, helpful=4)
    first = await data.answer(
        question_id,
        body="We are selling it here without any markup from the middleman!",
        name="Seller",
        helpful=4,
        photos=["https://example.com/a.jpg", "https://example.com/b.jpg"],
    )
    second = await data.answer(question_id, helpful=9)

    response = await client.get("/qa/questions", params={"product_id": product_id})

    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == "application/json"
    assert response.content == compact(
        {
            "product_id": str(product_id),
            "results": [
                {
                    "question_id": question_id,
                    "question_body": "Why is this product cheaper here than other sites?",
                    "question_date": "2018-10-18T00:00:00.000Z",
                    "asker_name": "williamsmith",
                    "question_helpfulness": 4,
                    "reported": False,
                    "answers": {
                        str(first): {
                            "id": first,
                            "body": "We are selling it here without any markup from the middleman!",
                            "date": "2018-10-18T00:00:00.000Z",
                            "answerer_name": "Seller",
                            "helpfulness": 4,
                            "photos": ["https://example.com/a.jpg", "https://example.com/b.jpg"],
                        },
                        str(second): {
                            "id": second,
                            "body": "Something pretty durable but I can't be sure",
                            "date": "2018-10-18T00:00:00.000Z",
                            "answerer_name": "metslover",
                            "helpfulness": 9,
                            "photos": [],
                        },
                    },
                }
            ],
        }
    )


async def test_product_without_questions_has_no_results(client: httpx.AsyncClient) -> None:
    product_id = new_product_id()
    response = await client.get("/qa/questions", params={"product_id": product_id})
    assert response.status_code == 200
    assert response.content == compact({"product_id": str(product_id), "results": []})


async def test_a_question_without_answers_has_an_empty_object(
    client: httpx.AsyncClient, data: Data
) -> None:
    product_id = new_product_id()
    await data.question(product_id)
    [question] = await questions(client, product_id)
    assert question["answers"] == {}


async def test_questions_come_by_helpfulness_then_newest_id(
    client: httpx.AsyncClient, data: Data
) -> None:
    product_id = new_product_id()
    helpfulness = [1, 7, 0, 7, 10]
    ids = [await data.question(product_id, helpful=helpful) for helpful in helpfulness]
    found = [question["question_id"] for question in await questions(client, product_id)]
    assert found == [ids[4], ids[3], ids[1], ids[0], ids[2]]


async def test_a_question_carries_all_its_answers_not_a_page_of_them(
    client: httpx.AsyncClient, data: Data
) -> None:
    product_id = new_product_id()
    question_id = await data.question(product_id)
    ids = [await data.answer(question_id) for _ in range(12)]
    [question] = await questions(client, product_id, count=1)
    assert question["answers"].keys() == {str(answer_id) for answer_id in ids}


async def test_a_reported_question_is_left_out(client: httpx.AsyncClient, data: Data) -> None:
    product_id = new_product_id()
    reported = await data.question(product_id, helpful=9, reported=True)
    await data.answer(reported)
    kept = await data.question(product_id)
    [question] = await questions(client, product_id)
    assert question["question_id"] == kept


async def test_a_reported_answer_is_left_out_of_its_question(
    client: httpx.AsyncClient, data: Data, shop: Shop
) -> None:
    await data.answer(shop.question_id, reported=True, photos=["https://example.com/a.jpg"])
    [question] = await questions(client, shop.product_id)
    assert question["answers"].keys() == {str(shop.answer_id)}


async def test_five_questions_make_a_page_by_default(client: httpx.AsyncClient, data: Data) -> None:
    product_id = new_product_id()
    for _ in range(7):
        await data.question(product_id)
    assert len(await questions(client, product_id)) == 5
    assert len(await questions(client, product_id, page=2)) == 2


async def test_page_contains_neither_page_nor_count(client: httpx.AsyncClient, shop: Shop) -> None:
    response = await client.get(
        "/qa/questions", params={"product_id": shop.product_id, "page": 1, "count": 2}
    )
    assert response.json().keys() == {"product_id", "results"}


async def test_no_email_address_is_in_a_page(client: httpx.AsyncClient, shop: Shop) -> None:
    response = await client.get("/qa/questions", params={"product_id": shop.product_id})
    assert EMAIL not in response.text
    assert "mail" not in response.text


async def test_texts_come_back_as_they_were_written(client: httpx.AsyncClient, data: Data) -> None:
    text = "\"q\" \\ / 'a'\r\n\t\x01\x7f <b>&amp; é 漢字 👩‍👩‍👧 \u2028 \ufeff \U0010ffff"
    product_id = new_product_id()
    question_id = await data.question(product_id, body=text, name=text)
    answer_id = await data.answer(question_id, body=text, name=text)
    [question] = await questions(client, product_id)
    answer = question["answers"][str(answer_id)]
    assert (question["question_body"], question["asker_name"]) == (text, text)
    assert (answer["body"], answer["answerer_name"]) == (text, text)
