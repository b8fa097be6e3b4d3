"""ATELIER_REPORTS_TO_HIDE: the number of different reporters that hides a target; reasons."""

import json
from typing import Any

import pytest

from tests.contract.voting import TwoInstances, is_counted, two_instances
from tests.transfer.exports import assert_documents_are_current


async def add_target(service: TwoInstances, table: str) -> int:
    return await (service.question() if table == "questions" else service.answer())


@pytest.mark.parametrize("table", ["questions", "answers"])
@pytest.mark.parametrize("vote_once", ["off", "address", "cookie"])
async def test_exactly_the_nth_of_many_concurrent_reporters_hides_the_target(
    database: str, table: str, vote_once: str
) -> None:
    async with two_instances(database, vote_once=vote_once, reports_to_hide=40) as service:
        number = await add_target(service, table)
        path = f"/qa/{table}/{number}/report"
        await service.put_concurrently(path, [f"192.0.2.{n % 39}" for n in range(120)])
        assert not await service.is_hidden(number, table)
        await assert_documents_are_current(database)
        await service.put_concurrently(path, [f"192.0.2.{n}" for n in range(30, 50)])
        assert await service.is_hidden(number, table)
        assert await service.rows("SELECT count(*) FROM reports") == [(50,)]
        documents = "SELECT document FROM question_documents"
        assert await service.rows(documents) == await service.rows(
            "SELECT document FROM question_document_view"
        )


async def test_reporter_counts_once_per_target(database: str) -> None:
    async with two_instances(database, reports_to_hide=2) as service:
        first, second = await service.question(), await service.question()
        for number in (first, second):
            for _ in range(3):
                await service.put(f"/qa/questions/{number}/report")
            assert not await service.is_hidden(number)
        await service.put(f"/qa/questions/{first}/report", "192.0.2.2")
        assert (await service.is_hidden(first), await service.is_hidden(second)) == (True, False)


async def test_every_helpful_vote_counts_with_a_report_threshold_and_vote_once_off(
    database: str,
) -> None:
    async with two_instances(database, reports_to_hide=3) as service:
        number = await service.question()
        for _ in range(3):
            await service.put(f"/qa/questions/{number}/helpful")
            await service.put(f"/qa/questions/{number}/report")
        assert await service.helpful(number) == 3
        assert not await service.is_hidden(number)


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b'{"body": 5}', b'{"reason": "spam"}'])
async def test_every_report_hides_by_default(database: str, body: bytes) -> None:
    async with two_instances(database) as service:
        number = await service.question()
        for _ in range(2):
            assert is_counted(await service.put(f"/qa/questions/{number}/report", body=body))
            assert await service.is_hidden(number)
            await service.connection.execute("UPDATE questions SET reported = false")


async def test_repeated_report_does_not_hide_again_with_one_vote_per_person(database: str) -> None:
    async with two_instances(database, vote_once="address") as service:
        number = await service.question()
        await service.put(f"/qa/questions/{number}/report")
        assert await service.is_hidden(number)
        await service.connection.execute("UPDATE questions SET reported = false")
        await service.put(f"/qa/questions/{number}/report")
        assert not await service.is_hidden(number)
        await service.put(f"/qa/questions/{number}/report", "192.0.2.2")
        assert await service.is_hidden(number)


@pytest.mark.parametrize("hide", [1, 3])
async def test_reason_is_stored(database: str, hide: int) -> None:
    async with two_instances(database, reports_to_hide=hide) as service:
        number = await service.answer()
        path = f"/qa/answers/{number}/report"
        await service.put(path, json={"reason": "  is an advertisement 😀  ", "more": 1})
        stored = await service.rows("SELECT target, target_id, reason FROM reports")
        assert stored == [("answer", number, "is an advertisement 😀")]


@pytest.mark.parametrize("reason", ["x" * 200, "😀" * 200])
async def test_reason_of_maximum_length_is_stored(database: str, reason: str) -> None:
    async with two_instances(database) as service:
        body = json.dumps({"reason": reason}).encode()
        await service.put(f"/qa/questions/{await service.question()}/report", body=body)
        assert await service.rows("SELECT reason FROM reports") == [(reason,)]


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b'{"reason": ',
        b"[" * 5000,
        b'{"reason": 5}',
        b'{"reason": ["spam"]}',
        b'{"reason": "  "}',
        b'{"reason": "' + b"x" * 201 + b'"}',
        b'{"reason": "\\u0000"}',
        b'{"reason": "\\ud800"}',
        b'{"reason": "spam", "more": "' + b"x" * 70_000 + b'"}',
    ],
    ids=lambda body: repr(body[:30]),
)
@pytest.mark.parametrize("hide", [1, 2])
async def test_invalid_reason_is_ignored(database: str, body: bytes, hide: int) -> None:
    async with two_instances(database, reports_to_hide=hide) as service:
        number = await service.question()
        for address in ("192.0.2.1", "192.0.2.2"):
            await service.put(f"/qa/questions/{number}/report", address, body=body)
        assert await service.is_hidden(number)
        assert await service.rows("SELECT FROM reports WHERE reason IS NOT NULL") == []


@pytest.mark.parametrize("kind", [None, "text/plain;charset=UTF-8", "application/x-unknown"])
async def test_reason_is_accepted_with_any_content_type(database: str, kind: str | None) -> None:
    headers: dict[str, Any] = {"Content-Type": kind} if kind else {}
    async with two_instances(database) as service:
        path = f"/qa/questions/{await service.question()}/report"
        await service.put(path, body=b'{"reason":"rude"}', headers=headers)
        assert await service.rows("SELECT reason FROM reports") == [("rude",)]


async def test_reporter_can_add_one_reason_later(database: str) -> None:
    async with two_instances(database, reports_to_hide=2) as service:
        path = f"/qa/questions/{await service.question()}/report"
        await service.put(path)
        for reason in ("rude", "another"):
            await service.put(path, json={"reason": reason})
        assert await service.rows("SELECT reason FROM reports") == [("rude",)]


async def test_reason_of_a_helpful_vote_is_ignored(database: str) -> None:
    async with two_instances(database, vote_once="address") as service:
        path = f"/qa/questions/{await service.question()}/helpful"
        await service.put(path, json={"reason": "good"})
        assert await service.rows("SELECT FROM reports") == []
