"""Taking votes back under /v1, where ATELIER_VOTE_ONCE knows persons."""

import asyncio
from typing import Any

import pytest
from falcon.testing import Result

from tests.contract.voting import (
    DAY,
    SECRET,
    FakeClock,
    TwoInstances,
    is_counted,
    new_cookie,
    two_instances,
)
from tests.transfer.exports import assert_documents_are_current

ADDRESS: dict[str, Any] = {"vote_once": "address", "secret": SECRET}
COOKIE: dict[str, Any] = {"vote_once": "cookie", "secret": SECRET}
CONCURRENT = 200


async def voted(
    service: TwoInstances,
    method: str,
    path: str,
    address: str = "192.0.2.1",
    **options: Any,  # noqa: ANN401 - the options of send
) -> Result:
    """Send a vote or take one back; assert that it is accepted."""
    result = await service.send(method, path, address, **options)
    assert result.status_code == 200
    return result


async def new_path(service: TwoInstances, table: str = "questions") -> str:
    """Return the path of votes on a new question or answer."""
    number = await (service.question() if table == "questions" else service.answer())
    return f"/v1/{table}/{number}/vote"


@pytest.mark.parametrize("table", ["questions", "answers"])
async def test_a_vote_taken_back_does_not_count_and_can_be_given_again(
    database: str, table: str
) -> None:
    async with two_instances(database, **ADDRESS) as service:
        path = await new_path(service, table)
        steps = [("PUT", 1), ("DELETE", 0), ("DELETE", 0), ("PUT", 1), ("PUT", 1), ("DELETE", 0)]
        results = [(await voted(service, method, path), votes) for method, votes in steps]
        assert [result.json["helpful"] for result, _ in results] == [votes for _, votes in steps]
        counted = [is_counted(result) for result, _ in results]
        assert counted == [True, True, False, True, False, True]
        assert await service.rows("SELECT 1 FROM voters") == []
        await assert_documents_are_current(database)


@pytest.mark.parametrize("table", ["questions", "answers"])
async def test_of_concurrent_calls_one_takes_the_vote_back(database: str, table: str) -> None:
    async with two_instances(database, **ADDRESS) as service:
        path = await new_path(service, table)
        for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
            await voted(service, "PUT", path, address)
        results = await asyncio.gather(
            *(voted(service, "DELETE", path, instance=n % 2) for n in range(CONCURRENT))
        )
        assert sum(map(is_counted, results)) == 1
        number = int(path.split("/")[3])
        assert await service.helpful(number, table) == 2
        await assert_documents_are_current(database)


async def test_concurrent_votes_and_take_backs_end_with_as_many_votes_as_voters(
    database: str,
) -> None:
    async with two_instances(database, **ADDRESS) as service:
        path = await new_path(service)
        await asyncio.gather(
            *(
                voted(service, "PUT" if n % 3 else "DELETE", path, f"192.0.2.{n % 7}")
                for n in range(CONCURRENT)
            )
        )
        [(voters,)] = await service.rows("SELECT count(*) FROM voters")
        assert await service.helpful(int(path.split("/")[3])) == voters
        await assert_documents_are_current(database)


async def test_votes_never_fall_below_0(database: str) -> None:
    async with two_instances(database, **ADDRESS) as service:
        path = await new_path(service)
        await voted(service, "PUT", path)
        await service.connection.execute("UPDATE questions SET helpful = 0")  # as an import may
        assert (await voted(service, "DELETE", path)).json["helpful"] == 0


async def test_nobody_takes_back_the_vote_of_another(database: str) -> None:
    async with two_instances(database, **ADDRESS) as service:
        path, other = await new_path(service), await new_path(service)
        await voted(service, "PUT", path)
        assert not is_counted(await voted(service, "DELETE", path, "192.0.2.2"))
        assert not is_counted(await voted(service, "DELETE", other))
        assert (await voted(service, "PUT", path)).json["helpful"] == 1


async def test_a_report_is_not_taken_back_with_a_vote(database: str) -> None:
    async with two_instances(database, **ADDRESS, reports_to_hide=2) as service:
        path = await new_path(service)
        await voted(service, "PUT", path)
        await service.put(path.replace("/v1", "/qa").replace("vote", "report"))
        await voted(service, "DELETE", path)
        assert await service.rows("SELECT action FROM voters") == [("report",)]


async def test_votes_of_both_apis_are_the_same(database: str) -> None:
    async with two_instances(database, **COOKIE) as service:
        path = await new_path(service)
        old = path.replace("/v1", "/qa").replace("vote", "helpful")
        cookie = new_cookie(await service.put(old))
        assert not is_counted(await voted(service, "PUT", path, cookie=cookie))
        assert is_counted(await voted(service, "DELETE", path, cookie=cookie))
        assert is_counted(await service.put(old, cookie=cookie))


async def test_a_take_back_with_a_key_is_replayed(database: str) -> None:
    async with two_instances(database, **ADDRESS) as service:
        path = await new_path(service)
        await voted(service, "PUT", path)
        headers = {"Idempotency-Key": "k"}
        results = [await voted(service, "DELETE", path, headers=headers) for _ in range(2)]
        replayed = [result.headers.get("idempotency-replayed") for result in results]
        assert replayed == [None, "true"]
        assert (await service.send("PUT", path, headers=headers)).status_code == 422


async def test_a_browser_takes_its_vote_back_at_any_time_and_votes_again(database: str) -> None:
    clock = FakeClock()
    async with two_instances(database, clock, **COOKIE, vote_memory_days=90) as service:
        path = await new_path(service)
        cookie = new_cookie(await voted(service, "PUT", path))
        for days, address in ((0, "192.0.2.1"), (2, "192.0.2.8"), (60, "192.0.2.9")):
            clock.now += days * DAY
            taken = await voted(service, "DELETE", path, address, cookie=cookie)
            assert (taken.json["helpful"], is_counted(taken)) == (0, True)
            again = await voted(service, "PUT", path, cookie=cookie)
            assert (again.json["helpful"], is_counted(again)) == (1, True)


async def test_without_its_cookie_a_browser_takes_nothing_back(database: str) -> None:
    async with two_instances(database, **COOKIE) as service:
        path = await new_path(service)
        await voted(service, "PUT", path)
        assert not is_counted(await voted(service, "DELETE", path))
        assert await service.helpful(int(path.split("/")[3])) == 1


async def test_taking_back_does_not_free_an_address_from_which_others_voted(
    database: str,
) -> None:
    clock = FakeClock()
    async with two_instances(database, clock, **COOKIE) as service:
        old = new_cookie(await voted(service, "PUT", await new_path(service), "192.0.2.8"))
        clock.now += 2 * DAY
        path = await new_path(service)
        first = await voted(service, "PUT", path)
        assert is_counted(first)
        for _ in range(3):
            assert is_counted(await voted(service, "PUT", path, cookie=old))
            assert is_counted(await voted(service, "DELETE", path, cookie=old))
            assert not is_counted(await voted(service, "PUT", path))
        assert is_counted(await voted(service, "DELETE", path, cookie=new_cookie(first)))
        assert is_counted(await voted(service, "PUT", path))
        assert await service.helpful(int(path.split("/")[3])) == 1
