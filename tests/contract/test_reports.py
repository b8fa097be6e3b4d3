"""ATELIER_REPORTS_TO_HIDE: from how many different reporters on a thing is hidden; reasons."""

import json
from typing import Any

import pytest

from tests.contract.voting import Shop, is_counted, shop
from tests.transfer.exports import assert_documents_are_current


async def target(votes: Shop, table: str) -> int:
    return await (votes.question() if table == "questions" else votes.answer())


@pytest.mark.parametrize("table", ["questions", "answers"])
@pytest.mark.parametrize("vote_once", ["off", "address", "cookie"])
async def test_of_many_reporters_at_once_on_two_instances_the_nth_hides(
    database: str, table: str, vote_once: str
) -> None:
    async with shop(database, vote_once=vote_once, reports_to_hide=40) as votes:
        number = await target(votes, table)
        path = f"/qa/{table}/{number}/report"
        await votes.put_at_once(path, [f"192.0.2.{n % 39}" for n in range(120)])
        assert not await votes.is_hidden(number, table)
        await assert_documents_are_current(database)
        await votes.put_at_once(path, [f"192.0.2.{n}" for n in range(30, 50)])
        assert await votes.is_hidden(number, table)
        assert await votes.rows("SELECT count(*) FROM reports") == [(50,)]
        stored = "SELECT document FROM question_documents"
        assert await votes.rows(stored) == await votes.rows(
            "SELECT document FROM question_document_view"
        )


async def test_each_reporter_counts_once_for_each_thing(database: str) -> None:
    async with shop(database, reports_to_hide=2) as votes:
        first, second = await votes.question(), await votes.question()
        for number in (first, second):
            for _ in range(3):
                await votes.put(f"/qa/questions/{number}/report")
            assert not await votes.is_hidden(number)
        await votes.put(f"/qa/questions/{first}/report", "192.0.2.2")
        assert (await votes.is_hidden(first), await votes.is_hidden(second)) == (True, False)


async def test_votes_count_on_while_reports_are_gathered_and_voters_are_off(database: str) -> None:
    async with shop(database, reports_to_hide=3) as votes:
        number = await votes.question()
        for _ in range(3):
            await votes.put(f"/qa/questions/{number}/helpful")
            await votes.put(f"/qa/questions/{number}/report")
        assert await votes.helpful(number) == 3
        assert not await votes.is_hidden(number)


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b'{"body": 5}', b'{"reason": "spam"}'])
async def test_by_default_each_report_hides_whoever_sends_it(database: str, body: bytes) -> None:
    async with shop(database) as votes:
        number = await votes.question()
        for _ in range(2):
            assert is_counted(await votes.put(f"/qa/questions/{number}/report", body=body))
            assert await votes.is_hidden(number)
            await votes.connection.execute("UPDATE questions SET reported = false")


async def test_a_dismissed_report_hides_no_more_if_each_person_counts_once(database: str) -> None:
    async with shop(database, vote_once="address") as votes:
        number = await votes.question()
        await votes.put(f"/qa/questions/{number}/report")
        assert await votes.is_hidden(number)
        await votes.connection.execute("UPDATE questions SET reported = false")
        await votes.put(f"/qa/questions/{number}/report")
        assert not await votes.is_hidden(number)
        await votes.put(f"/qa/questions/{number}/report", "192.0.2.2")
        assert await votes.is_hidden(number)


@pytest.mark.parametrize("hide", [1, 3])
async def test_a_reason_is_kept(database: str, hide: int) -> None:
    async with shop(database, reports_to_hide=hide) as votes:
        number = await votes.answer()
        path = f"/qa/answers/{number}/report"
        await votes.put(path, json={"reason": "  is an advertisement 😀  ", "more": 1})
        kept = await votes.rows("SELECT target, target_id, reason FROM reports")
        assert kept == [("answer", number, "is an advertisement 😀")]


@pytest.mark.parametrize("reason", ["x" * 200, "😀" * 200])
async def test_the_longest_reason_is_kept(database: str, reason: str) -> None:
    async with shop(database) as votes:
        body = json.dumps({"reason": reason}).encode()
        await votes.put(f"/qa/questions/{await votes.question()}/report", body=body)
        assert await votes.rows("SELECT reason FROM reports") == [(reason,)]


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
async def test_any_other_body_is_ignored(database: str, body: bytes, hide: int) -> None:
    async with shop(database, reports_to_hide=hide) as votes:
        number = await votes.question()
        for address in ("192.0.2.1", "192.0.2.2"):
            await votes.put(f"/qa/questions/{number}/report", address, body=body)
        assert await votes.is_hidden(number)
        assert await votes.rows("SELECT FROM reports WHERE reason IS NOT NULL") == []


@pytest.mark.parametrize("kind", [None, "text/plain;charset=UTF-8", "application/x-unknown"])
async def test_a_reason_is_read_whatever_its_content_type(database: str, kind: str | None) -> None:
    headers: dict[str, Any] = {"Content-Type": kind} if kind else {}
    async with shop(database) as votes:
        path = f"/qa/questions/{await votes.question()}/report"
        await votes.put(path, body=b'{"reason":"rude"}', headers=headers)
        assert await votes.rows("SELECT reason FROM reports") == [("rude",)]


async def test_a_reporter_may_add_a_reason_once_and_not_fill_the_table(database: str) -> None:
    async with shop(database, reports_to_hide=2) as votes:
        path = f"/qa/questions/{await votes.question()}/report"
        await votes.put(path)
        for reason in ("rude", "another"):
            await votes.put(path, json={"reason": reason})
        assert await votes.rows("SELECT reason FROM reports") == [("rude",)]


async def test_a_vote_has_no_reason(database: str) -> None:
    async with shop(database, vote_once="address") as votes:
        path = f"/qa/questions/{await votes.question()}/helpful"
        await votes.put(path, json={"reason": "good"})
        assert await votes.rows("SELECT FROM reports") == []
