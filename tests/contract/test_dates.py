"""All dates are ISO 8601 in UTC, with milliseconds and a Z."""

from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest

from tests.contract.api import ADD_QUESTION, NEW_QUESTION, answers, questions
from tests.support.data import Data, new_product_id

DATES = {
    datetime(2018, 10, 18, tzinfo=UTC): "2018-10-18T00:00:00.000Z",
    datetime.fromtimestamp(1595884714.409, UTC): "2020-07-27T21:18:34.409Z",
    datetime(2021, 2, 13, 12, 3, 4, 7000, tzinfo=UTC): "2021-02-13T12:03:04.007Z",
    datetime(2024, 2, 29, 23, 59, 59, 999_000, tzinfo=UTC): "2024-02-29T23:59:59.999Z",
    datetime(2020, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))): "2019-12-31T23:00:00.000Z",
    datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC): "1969-12-31T23:59:59.000Z",
}


@pytest.mark.parametrize(("date", "text"), DATES.items(), ids=DATES.values())
async def test_a_date_is_the_same_utc_text_in_both_pages(
    client: httpx.AsyncClient, data: Data, date: datetime, text: str
) -> None:
    product_id = new_product_id()
    question_id = await data.question(product_id, date=date)
    answer_id = await data.answer(question_id, date=date)
    [question] = await questions(client, product_id)
    [answer] = await answers(client, question_id)
    nested = question["answers"][str(answer_id)]
    assert (question["question_date"], nested["date"], answer["date"]) == (text, text, text)


async def test_a_new_question_is_dated_when_it_is_asked(client: httpx.AsyncClient) -> None:
    product_id = new_product_id()
    before = datetime.now(UTC) - timedelta(seconds=1)
    await ADD_QUESTION.call(client, None, json={**NEW_QUESTION, "product_id": product_id})
    [question] = await questions(client, product_id)
    date = datetime.fromisoformat(question["question_date"])
    assert before <= date <= datetime.now(UTC) + timedelta(seconds=1)
