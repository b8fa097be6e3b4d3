"""ATELIER_VOTE_ONCE: each person's vote counts once, on any instance; no address is kept."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from atelier.http.ops import lifespan
from atelier.local.postgres.server import Server
from atelier.store.connections.database import Database, connect
from atelier.store.migrate import migrate
from atelier.store.voters import VoterRules, VoterWriter
from tests.contract.voting import DAY, SECRET, Time, given, is_counted, shop
from tests.support.cluster import Cluster, cluster
from tests.support.data import Data
from tests.support.postgres import INSTALLED, server, temporary_folder
from tests.support.waiting import until
from tests.transfer.exports import assert_documents_are_current, load, write_export

ADDRESS: dict[str, Any] = {"vote_once": "address", "secret": SECRET}
COOKIE: dict[str, Any] = {"vote_once": "cookie", "secret": SECRET}
MANY = 200


@pytest.mark.parametrize("table", ["questions", "answers"])
@pytest.mark.parametrize("secret", [SECRET, None], ids=["given", "kept in the database"])
async def test_many_votes_of_one_address_at_once_on_two_instances_count_once(
    database: str, table: str, secret: str | None
) -> None:
    async with shop(database, vote_once="address", secret=secret) as votes:
        number = await (votes.question() if table == "questions" else votes.answer())
        await votes.put_at_once(f"/qa/{table}/{number}/helpful", ["192.0.2.1"] * MANY)
        assert await votes.helpful(number, table) == 1
        await assert_documents_are_current(database)


@pytest.fixture
def by_address(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Return a service that tells voters apart by their address."""
    monkeypatch.setenv("ATELIER_VOTE_ONCE", "address")
    with cluster(database, instances=2) as running:
        yield running


async def test_many_votes_through_nginx_count_once_whatever_address_they_claim(
    by_address: Cluster,
) -> None:
    connection = await connect(by_address.database)
    path = f"/qa/questions/{await Data(connection).question(1)}/helpful"
    async with httpx.AsyncClient(base_url=by_address.base_url, timeout=30) as client:
        claims = [{"X-Forwarded-For": f"198.51.100.{n}"} for n in range(MANY)]
        answers = await asyncio.gather(*(client.put(path, headers=claim) for claim in claims))
    assert {answer.status_code for answer in answers} == {204}
    assert await connection.fetchval("SELECT helpful FROM questions") == 1
    await connection.close()


async def test_different_voters_all_count(database: str) -> None:
    async with shop(database, **ADDRESS) as votes:
        number = await votes.question()
        addresses = [f"192.0.2.{n}" for n in range(100)] * 2
        await votes.put_at_once(f"/qa/questions/{number}/helpful", addresses)
        assert await votes.helpful(number) == 100


async def test_a_second_vote_is_answered_as_the_first_and_says_that_it_does_not_count(
    database: str,
) -> None:
    async with shop(database, **ADDRESS) as votes:
        path = f"/qa/questions/{await votes.question()}/helpful"
        first, second = await votes.put(path), await votes.put(path)
        assert is_counted(first)
        assert second.headers["vote-counted"] == "false"


async def test_things_and_kinds_of_votes_are_independent(database: str) -> None:
    async with shop(database, **ADDRESS, reports_to_hide=2) as votes:
        answer = await votes.answer()
        first, second = await votes.question(), await votes.question()
        paths = [
            f"/qa/questions/{first}/helpful",
            f"/qa/questions/{second}/helpful",
            f"/qa/answers/{answer}/helpful",
            f"/qa/questions/{first}/report",
            f"/qa/answers/{answer}/report",
        ]
        assert [is_counted(await votes.put(path)) for path in paths] == [True] * 5
        assert [is_counted(await votes.put(path)) for path in paths] == [False] * 5


async def test_off_every_vote_counts_and_nobody_is_remembered(database: str) -> None:
    async with shop(database) as votes:
        number = await votes.question()
        await votes.put_at_once(f"/qa/questions/{number}/helpful", ["192.0.2.1"] * 50)
        await votes.put(f"/qa/questions/{number}/report")
        assert await votes.helpful(number) == 50
        assert await votes.rows("SELECT 1 FROM voters UNION ALL SELECT 1 FROM voter_secret") == []


async def test_an_ipv6_voter_is_a_network_of_64_bits(database: str) -> None:
    async with shop(database, **ADDRESS) as votes:
        path = f"/qa/questions/{await votes.question()}/helpful"
        assert is_counted(await votes.put(path, "2001:db8:1:2::1"))
        assert not is_counted(await votes.put(path, "2001:db8:1:2:ffff:ffff:ffff:ffff"))
        assert is_counted(await votes.put(path, "2001:db8:1:3::1"))


async def test_an_ipv4_address_is_the_same_one_when_written_as_ipv6(database: str) -> None:
    async with shop(database, **ADDRESS) as votes:
        path = f"/qa/questions/{await votes.question()}/helpful"
        assert is_counted(await votes.put(path, "192.0.2.7"))
        assert not is_counted(await votes.put(path, "::ffff:192.0.2.7"))


async def test_only_what_nginx_says_of_the_address_counts(database: str) -> None:
    async with shop(database, **ADDRESS) as votes:
        path = f"/qa/questions/{await votes.question()}/helpful"
        assert is_counted(await votes.put(path, "203.0.113.1, 192.0.2.1"))
        assert not is_counted(await votes.put(path, "203.0.113.2, 192.0.2.1"))


async def test_a_vote_before_the_keys_change_is_known_after_it(database: str) -> None:
    before = Time(1000 * 90 * DAY - 1)
    async with shop(database, before, **ADDRESS) as votes:
        path = f"/qa/questions/{await votes.question()}/helpful"
        assert is_counted(await votes.put(path))
        for later in (2, 89 * DAY):
            votes.time.now = before.now + later
            assert not is_counted(await votes.put(path))
        rows = await votes.rows("SELECT voter FROM voters")
        assert is_counted(await votes.put(path, "192.0.2.2"))
        assert len(await votes.rows("SELECT DISTINCT voter FROM voters")) == len(rows) + 1


async def test_instances_whose_clocks_are_on_both_sides_of_the_change_count_once(
    database: str,
) -> None:
    late, early = Time(1000 * 90 * DAY + 1), Time(1000 * 90 * DAY - 1)
    async with shop(database, late, **ADDRESS) as one, shop(database, early, **ADDRESS) as other:
        number = await one.question()
        await asyncio.gather(
            *(
                side.put(f"/qa/questions/{number}/helpful")
                for _ in range(20)
                for side in (one, other)
            )
        )
        assert await one.helpful(number) == 1


async def test_hashes_of_one_voter_differ_between_things_and_between_periods(
    database: str,
) -> None:
    async with shop(database, **ADDRESS) as votes:
        paths = [f"/qa/questions/{await votes.question()}/helpful" for _ in range(2)]
        for path in paths:
            await votes.put(path)
        votes.time.now += 180 * DAY
        await votes.put(paths[0])
        rows = await votes.rows("SELECT DISTINCT voter FROM voters")
        assert [len(voter) for (voter,) in rows] == [16] * 3


async def test_no_address_and_no_part_of_a_cookie_is_stored(database: str) -> None:
    async with shop(database, **COOKIE) as votes:
        path = f"/qa/questions/{await votes.question()}/report"
        given(await votes.put(path, "192.0.2.77", json={"reason": "spam"}))
        stored = repr(await votes.rows("SELECT v::text, r::text FROM voters v, reports r"))
        assert "192.0.2.77" not in stored
        assert "c000024d" not in stored


async def test_without_the_secret_hashes_cannot_be_made_again(database: str) -> None:
    async with shop(database, **ADDRESS) as votes:
        path = f"/qa/questions/{await votes.question()}/helpful"
        await votes.put(path)
    async with shop(database, vote_once="address", secret="another secret!!") as votes:
        assert is_counted(await votes.put(path))
        assert len(await votes.rows("SELECT DISTINCT voter FROM voters")) == 2


async def test_the_databases_own_secret_is_made_once(database: str) -> None:
    rules = VoterRules(timedelta(days=90))
    pools = [Database(database, size=2, timeout=5) for _ in range(8)]
    writers = [VoterWriter(pool, rules, timedelta(hours=1)) for pool in pools]
    secrets = await asyncio.gather(*(writer.secret() for writer in writers * 3))
    assert len(set(secrets)) == 1
    assert len(secrets[0]) == 32
    for pool in pools:
        await pool.close()


async def test_who_voted_is_forgotten_after_the_memorys_end_and_not_before(database: str) -> None:
    pool = Database(database, size=1, timeout=5)
    writer = VoterWriter(pool, VoterRules(timedelta(days=30)), timedelta(hours=1))
    async with shop(database, **ADDRESS, vote_memory_days=30.0) as votes:
        number = await votes.question()
        for address in ("192.0.2.1", "192.0.2.2"):
            await votes.put(f"/qa/questions/{number}/report", address, json={"reason": "spam"})
        for table in ("voters", "reports"):
            await votes.connection.execute(
                f"UPDATE {table} SET created_at = now() - interval '29 days 23 hours'"  # noqa: S608
            )
        await writer.forget()
        assert len(await votes.rows("SELECT FROM voters, reports")) == 4
        for table in ("voters", "reports"):
            await votes.connection.execute(
                f"UPDATE {table} SET created_at = now() - interval '30 days 1 minute'"  # noqa: S608
                f" WHERE ctid = (SELECT min(ctid) FROM {table})"
            )
        await writer.forget()
        assert len(await votes.rows("SELECT FROM voters, reports")) == 1
    await pool.close()


async def test_instances_forget_by_themselves_even_where_it_is_off_again(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifespan, "_SECONDS_BETWEEN_CLEANINGS", 0.05)
    connection = await connect(database)
    await connection.execute(
        "INSERT INTO voters SELECT 1, '\\x00', 'question', 'helpful', now() - interval '91 days'"
    )
    async with shop(database):
        await until(lambda: _is_forgotten(connection))
    await connection.close()


async def _is_forgotten(connection: asyncpg.Connection) -> bool:
    return not await connection.fetchval("SELECT count(*) FROM voters")


async def test_more_than_one_statement_may_take_is_forgotten_in_parts(database: str) -> None:
    pool, connection = Database(database, size=1, timeout=5), await connect(database)
    await connection.execute(
        "INSERT INTO voters SELECT n, '\\x00', 'question', 'helpful', now() - interval '9 days'"
        " FROM generate_series(1, 25000) n"
    )
    await VoterWriter(pool, VoterRules(timedelta(days=8)), timedelta(hours=1)).forget()
    assert await connection.fetchval("SELECT count(*) FROM voters") == 0
    await connection.close()
    await pool.close()


async def test_a_keyed_vote_sent_again_is_a_replay_and_another_key_of_its_voter_no_vote(
    database: str,
) -> None:
    async with shop(database, **ADDRESS) as votes:
        number = await votes.question()
        path = f"/qa/questions/{number}/helpful"
        first = await votes.put(path, headers={"Idempotency-Key": "a"})
        replay = await votes.put(path, headers={"Idempotency-Key": "a"})
        other = await votes.put(path, headers={"Idempotency-Key": "b"})
        assert "idempotency-replayed" not in first.headers
        assert is_counted(replay)
        assert replay.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in other.headers
        assert not is_counted(other)
        again = await votes.put(path, headers={"Idempotency-Key": "b"})
        assert again.headers["idempotency-replayed"] == "true"
        assert await votes.helpful(number) == 1


async def test_many_keys_of_one_voter_at_once_count_once(database: str) -> None:
    async with shop(database, **ADDRESS) as votes:
        number = await votes.question()
        results = await asyncio.gather(
            *(
                votes.put(f"/qa/questions/{number}/helpful", headers={"Idempotency-Key": f"k{n}"})
                for n in range(MANY)
            )
        )
        assert [is_counted(result) for result in results].count(True) == 1
        assert await votes.helpful(number) == 1


async def test_a_vote_on_what_is_not_there_is_refused_and_not_remembered(database: str) -> None:
    async with shop(database, **ADDRESS) as votes:
        result = await votes.instances[0].simulate_put("/qa/answers/1/helpful")
        assert (result.status_code, result.text) == (404, "Error: invalid answer id provided")
        assert await votes.rows("SELECT FROM voters") == []


async def test_a_browser_is_known_by_its_cookie_from_any_address(database: str) -> None:
    async with shop(database, **COOKIE) as votes:
        number = await votes.question()
        path = f"/qa/questions/{number}/helpful"
        cookie = given(await votes.put(path, "192.0.2.1"))
        for address in ("192.0.2.1", "192.0.2.2"):
            again = await votes.put(path, address, cookie)
            assert not is_counted(again)
            assert "atelier_voter" not in again.cookies
        assert await votes.helpful(number) == 1


async def test_browsers_behind_one_address_all_count_once_their_cookies_are_a_day_old(
    database: str,
) -> None:
    async with shop(database, **COOKIE) as votes:
        cookies = [
            given(await votes.put(f"/qa/questions/{await votes.question()}/helpful"))
            for _ in range(5)
        ]
        number = await votes.question()
        path = f"/qa/questions/{number}/helpful"
        young = [is_counted(await votes.put(path, cookie=cookie)) for cookie in cookies]
        assert young == [True, False, False, False, False]
        votes.time.now += DAY + 1
        old = [is_counted(await votes.put(path, cookie=cookie)) for cookie in cookies]
        assert old == [False, True, True, True, True]
        assert await votes.helpful(number) == 5


async def test_cookies_that_are_dropped_bring_no_second_vote_from_an_address(
    database: str,
) -> None:
    async with shop(database, **COOKIE) as votes:
        number = await votes.question()
        path = f"/qa/questions/{number}/helpful"
        results = await votes.put_at_once(path, ["192.0.2.1"] * MANY)
        assert await votes.helpful(number) == 1
        assert len([result for result in results if "atelier_voter" in result.cookies]) == 1
        votes.time.now += DAY + 1
        cookie = given(await votes.put(f"/qa/questions/{await votes.question()}/helpful", "::1"))
        votes.time.now += DAY + 1
        assert is_counted(await votes.put(path, "192.0.2.2", cookie))
        assert not is_counted(await votes.put(path, "192.0.2.2"))


@pytest.mark.parametrize("change", ["another id", "younger", "cut", "another key", "nothing"])
async def test_a_forged_or_changed_cookie_is_none(database: str, change: str) -> None:
    async with shop(database, **COOKIE) as votes:
        cookie = given(await votes.put(f"/qa/questions/{await votes.question()}/helpful"))
        votes.time.now += 2 * DAY
        path = f"/qa/questions/{await votes.question()}/helpful"
        assert is_counted(await votes.put(path, "192.0.2.1"))
        forged = {
            "another id": ("B" if cookie[0] == "A" else "A") + cookie[1:],
            "younger": cookie[:20] + ("B" if cookie[20] == "A" else "A") + cookie[21:],
            "cut": cookie[:-1],
            "another key": cookie[:-8] + "AAAAAAAA",
            "nothing": cookie,
        }[change]
        assert is_counted(await votes.put(path, "192.0.2.1", forged)) is (change == "nothing")


async def test_a_cookie_ends_after_a_year(database: str) -> None:
    async with shop(database, **COOKIE) as votes:
        path = f"/qa/questions/{await votes.question()}/helpful"
        cookie = given(await votes.put(path, "192.0.2.1"))
        votes.time.now += 366 * DAY
        assert given(await votes.put(path, "192.0.2.1", cookie)) != cookie


@pytest.mark.parametrize(
    ("scheme", "same_site", "secure"), [("https", "None", True), ("http", "Lax", False)]
)
async def test_the_cookie_is_as_narrow_as_it_can_be(
    database: str, scheme: str, same_site: str, *, secure: bool
) -> None:
    async with shop(database, **COOKIE) as votes:
        path = f"/qa/questions/{await votes.question()}/helpful"
        cookie = (await votes.put(path, headers={"X-Forwarded-Proto": scheme})).cookies[
            "atelier_voter"
        ]
        assert (cookie.path, cookie.http_only, cookie.max_age) == ("/qa", True, 365 * 24 * 3600)
        assert (cookie.same_site, cookie.secure) == (same_site, secure)


async def test_who_voted_is_known_after_a_restart_of_everything() -> None:
    with temporary_folder() as folder:
        for expected in (True, False):
            with server(INSTALLED["embedded"], folder, {}) as running:
                assert is_counted_on(await _vote_on(running)) is expected


def is_counted_on(found: tuple[int, bool]) -> bool:
    helpful, counted = found
    assert helpful == 1
    return counted


async def _vote_on(running: Server) -> tuple[int, bool]:
    """Vote on the one question of a server's database; return its votes, and if this counted."""
    await migrate(running.dsn())
    async with shop(running.dsn(), vote_once="address") as votes:
        if not await votes.rows("SELECT FROM questions"):
            await votes.question()
        [(number,)] = await votes.rows("SELECT id FROM questions")
        counted = is_counted(await votes.put(f"/qa/questions/{number}/helpful"))
        return await votes.helpful(number), counted


async def test_an_import_keeps_who_voted_on_what_stays_and_forgets_the_rest(
    database: str, tmp_path: Path
) -> None:
    folder = write_export(tmp_path / "export")
    await load(database, folder)
    async with shop(database, vote_once="address", reports_to_hide=2) as votes:
        gone = await votes.question()
        paths = [f"/qa/questions/{n}" for n in (1, gone)] + ["/qa/answers/10"]
        for path in paths:
            await votes.put(f"{path}/helpful")
            await votes.put(f"{path}/report", json={"reason": "spam"})
        [secret] = await votes.rows("SELECT secret FROM voter_secret")
        await load(database, folder, replace=True)
        left = "SELECT target, target_id FROM {} ORDER BY target_id"
        assert await votes.rows(left.format("reports")) == [("question", 1), ("answer", 10)]
        assert len(await votes.rows("SELECT FROM voters")) == 4
        assert await votes.rows("SELECT secret FROM voter_secret") == [secret]
        assert not is_counted(await votes.put("/qa/questions/1/helpful"))
        assert not is_counted(await votes.put("/qa/answers/10/report"))
        assert is_counted(await votes.put("/qa/questions/2/helpful"))
        await votes.put("/qa/answers/10/report", "192.0.2.2")
        assert await votes.is_hidden(10, "answers")
        await assert_documents_are_current(database)


async def test_what_is_removed_takes_its_voters_with_it(database: str) -> None:
    async with shop(database, **ADDRESS, reports_to_hide=2) as votes:
        answer, other = await votes.answer(), await votes.question()
        [(question,)] = await votes.rows("SELECT question_id FROM answers")
        for path in (f"questions/{question}", f"answers/{answer}", f"questions/{other}"):
            await votes.put(f"/qa/{path}/helpful")
            await votes.put(f"/qa/{path}/report")
        await votes.connection.execute("DELETE FROM questions WHERE id = $1", question)
        assert set(await votes.rows("SELECT target, target_id FROM voters")) == {
            ("question", other)
        }
        assert await votes.rows("SELECT target_id FROM reports") == [(other,)]
        await votes.connection.execute("TRUNCATE questions CASCADE")
        assert await votes.rows("SELECT 1 FROM voters UNION ALL SELECT 1 FROM reports") == []


async def test_a_vote_that_finds_no_secret_is_told_to_come_again_and_counts_then(
    database: str,
) -> None:
    connection = await connect(database)
    async with shop(database, vote_once="address") as votes:
        path = f"/qa/questions/{await votes.question()}/helpful"
        await connection.execute("ALTER TABLE voter_secret RENAME TO away")
        refused = await votes.instances[0].simulate_put(path)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        await connection.execute("ALTER TABLE away RENAME TO voter_secret")
        assert is_counted(await votes.put(path, instance=0))
    await connection.close()
