"""ATELIER_VOTE_ONCE: one vote per person across instances; no address is stored."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from atelier.http.ops import lifespan
from atelier.local.postgres import roles
from atelier.local.postgres.server import Server
from atelier.store.connections.database import Database, connect
from atelier.store.migrate import migrate
from atelier.store.voters import Voter, VoterRules, VoterVote, VoterWriter
from atelier.store.writes import Vote
from tests.contract.voting import DAY, SECRET, FakeClock, is_counted, new_cookie, two_instances
from tests.support.cluster import Cluster, cluster
from tests.support.data import Data
from tests.support.postgres import INSTALLED, server, temporary_folder
from tests.support.waiting import until
from tests.transfer.exports import assert_documents_are_current, load, write_export

ADDRESS: dict[str, Any] = {"vote_once": "address", "secret": SECRET}
COOKIE: dict[str, Any] = {"vote_once": "cookie", "secret": SECRET}
CONCURRENT_VOTES = 200
_MANY_VOTERS = """
    INSERT INTO voters SELECT n, $1::text::bytea, 'answer', 'helpful' FROM generate_series(1, 500) n
"""
_VOTERS_READ = "SELECT seq_tup_read, idx_scan FROM pg_stat_user_tables WHERE relname = 'voters'"


@pytest.mark.parametrize("table", ["questions", "answers"])
@pytest.mark.parametrize("secret", [SECRET, None], ids=["configured", "from the database"])
async def test_concurrent_votes_from_one_address_on_two_instances_count_once(
    database: str, table: str, secret: str | None
) -> None:
    async with two_instances(database, vote_once="address", secret=secret) as service:
        number = await (service.question() if table == "questions" else service.answer())
        await service.put_concurrently(
            f"/qa/{table}/{number}/helpful", ["192.0.2.1"] * CONCURRENT_VOTES
        )
        assert await service.helpful(number, table) == 1
        await assert_documents_are_current(database)


@pytest.fixture
def by_address(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Return a service that identifies voters by address."""
    monkeypatch.setenv("ATELIER_VOTE_ONCE", "address")
    asyncio.run(roles.ensure(database))
    with cluster(database, instances=2, role=roles.SERVICE_ROLE) as running:
        yield running


async def test_forged_forwarded_addresses_do_not_get_through_nginx(
    by_address: Cluster,
) -> None:
    connection = await connect(by_address.database)
    path = f"/qa/questions/{await Data(connection).question(1)}/helpful"
    async with httpx.AsyncClient(base_url=by_address.base_url, timeout=30) as client:
        headers = [{"X-Forwarded-For": f"198.51.100.{n}"} for n in range(CONCURRENT_VOTES)]
        responses = await asyncio.gather(*(client.put(path, headers=each) for each in headers))
    assert {response.status_code for response in responses} == {204}
    assert await connection.fetchval("SELECT helpful FROM questions") == 1
    await connection.close()


async def test_votes_of_different_voters_all_count(database: str) -> None:
    async with two_instances(database, **ADDRESS) as service:
        number = await service.question()
        addresses = [f"192.0.2.{n}" for n in range(100)] * 2
        await service.put_concurrently(f"/qa/questions/{number}/helpful", addresses)
        assert await service.helpful(number) == 100


async def test_duplicate_vote_gets_the_same_response_with_vote_counted_false(
    database: str,
) -> None:
    async with two_instances(database, **ADDRESS) as service:
        path = f"/qa/questions/{await service.question()}/helpful"
        first, second = await service.put(path), await service.put(path)
        assert is_counted(first)
        assert second.headers["vote-counted"] == "false"


async def test_voter_counts_once_per_target_and_action(database: str) -> None:
    async with two_instances(database, **ADDRESS, reports_to_hide=2) as service:
        answer = await service.answer()
        first, second = await service.question(), await service.question()
        paths = [
            f"/qa/questions/{first}/helpful",
            f"/qa/questions/{second}/helpful",
            f"/qa/answers/{answer}/helpful",
            f"/qa/questions/{first}/report",
            f"/qa/answers/{answer}/report",
        ]
        assert [is_counted(await service.put(path)) for path in paths] == [True] * 5
        assert [is_counted(await service.put(path)) for path in paths] == [False] * 5


async def test_every_vote_counts_and_no_voter_is_stored_when_off(database: str) -> None:
    async with two_instances(database) as service:
        number = await service.question()
        await service.put_concurrently(f"/qa/questions/{number}/helpful", ["192.0.2.1"] * 50)
        await service.put(f"/qa/questions/{number}/report")
        assert await service.helpful(number) == 50
        assert await service.rows("SELECT 1 FROM voters UNION ALL SELECT 1 FROM voter_secret") == []


async def test_ipv6_voter_is_identified_by_its_64_bit_network(database: str) -> None:
    async with two_instances(database, **ADDRESS) as service:
        path = f"/qa/questions/{await service.question()}/helpful"
        assert is_counted(await service.put(path, "2001:db8:1:2::1"))
        assert not is_counted(await service.put(path, "2001:db8:1:2:ffff:ffff:ffff:ffff"))
        assert is_counted(await service.put(path, "2001:db8:1:3::1"))


async def test_ipv4_mapped_address_is_the_same_voter_as_the_ipv4_address(database: str) -> None:
    async with two_instances(database, **ADDRESS) as service:
        path = f"/qa/questions/{await service.question()}/helpful"
        assert is_counted(await service.put(path, "192.0.2.7"))
        assert not is_counted(await service.put(path, "::ffff:192.0.2.7"))


async def test_only_the_last_forwarded_address_identifies_a_voter(database: str) -> None:
    async with two_instances(database, **ADDRESS) as service:
        path = f"/qa/questions/{await service.question()}/helpful"
        assert is_counted(await service.put(path, "203.0.113.1, 192.0.2.1"))
        assert not is_counted(await service.put(path, "203.0.113.2, 192.0.2.1"))


async def test_vote_before_a_key_rotation_is_recognized_after_it(database: str) -> None:
    before = FakeClock(1000 * 90 * DAY - 1)
    async with two_instances(database, before, **ADDRESS) as service:
        path = f"/qa/questions/{await service.question()}/helpful"
        assert is_counted(await service.put(path))
        for later in (2, 89 * DAY):
            service.clock.now = before.now + later
            assert not is_counted(await service.put(path))
        rows = await service.rows("SELECT voter FROM voters")
        assert is_counted(await service.put(path, "192.0.2.2"))
        assert len(await service.rows("SELECT DISTINCT voter FROM voters")) == len(rows) + 1


async def test_vote_counts_once_on_instances_with_clocks_on_both_sides_of_a_rotation(
    database: str,
) -> None:
    late, early = FakeClock(1000 * 90 * DAY + 1), FakeClock(1000 * 90 * DAY - 1)
    async with (
        two_instances(database, late, **ADDRESS) as one,
        two_instances(database, early, **ADDRESS) as other,
    ):
        number = await one.question()
        await asyncio.gather(
            *(
                side.put(f"/qa/questions/{number}/helpful")
                for _ in range(20)
                for side in (one, other)
            )
        )
        assert await one.helpful(number) == 1


async def test_hashes_of_one_voter_differ_between_targets_and_periods(
    database: str,
) -> None:
    async with two_instances(database, **ADDRESS) as service:
        paths = [f"/qa/questions/{await service.question()}/helpful" for _ in range(2)]
        for path in paths:
            await service.put(path)
        service.clock.now += 180 * DAY
        await service.put(paths[0])
        rows = await service.rows("SELECT DISTINCT voter FROM voters")
        assert [len(voter) for (voter,) in rows] == [16] * 3


async def test_addresses_are_not_stored(database: str) -> None:
    async with two_instances(database, **COOKIE) as service:
        path = f"/qa/questions/{await service.question()}/report"
        new_cookie(await service.put(path, "192.0.2.77", json={"reason": "spam"}))
        stored = repr(await service.rows("SELECT v::text, r::text FROM voters v, reports r"))
        assert "192.0.2.77" not in stored
        assert "c000024d" not in stored


async def test_hashes_depend_on_the_secret(database: str) -> None:
    async with two_instances(database, **ADDRESS) as service:
        path = f"/qa/questions/{await service.question()}/helpful"
        await service.put(path)
    async with two_instances(database, vote_once="address", secret="another secret!!") as service:
        assert is_counted(await service.put(path))
        assert len(await service.rows("SELECT DISTINCT voter FROM voters")) == 2


async def test_voters_are_found_by_the_index_though_there_were_none_when_votes_were_planned(
    database: str,
) -> None:
    pool, connection = Database(database, size=1, timeout=5), await connect(database)
    writer = VoterWriter(pool, VoterRules(timedelta(days=90)), timedelta(hours=1))
    number = await Data(connection).question(1)
    await connection.execute("ANALYZE voters")  # as after a restore or an upgrade
    for n in range(10):
        hashes = n.to_bytes(16)
        voter = Voter(hashes, hashes)
        await writer.vote(VoterVote(Vote("question", number, "helpful"), voter))
        await connection.execute(_MANY_VOTERS, str(n))
    await pool.write("SELECT pg_stat_force_next_flush()")
    [[read, looked_up]] = await pool.write(_VOTERS_READ)
    assert read == 0
    assert looked_up > 0
    await connection.close()
    await pool.close()


async def test_concurrent_instances_create_one_secret_in_the_database(database: str) -> None:
    rules = VoterRules(timedelta(days=90))
    pools = [Database(database, size=2, timeout=5) for _ in range(8)]
    writers = [VoterWriter(pool, rules, timedelta(hours=1)) for pool in pools]
    secrets = await asyncio.gather(*(writer.secret() for writer in writers * 3))
    assert len(set(secrets)) == 1
    assert len(secrets[0]) == 32
    for pool in pools:
        await pool.close()


async def test_voters_and_reports_are_deleted_when_they_expire_and_not_before(
    database: str,
) -> None:
    pool = Database(database, size=1, timeout=5)
    writer = VoterWriter(pool, VoterRules(timedelta(days=30)), timedelta(hours=1))
    async with two_instances(database, **ADDRESS, vote_memory_days=30.0) as service:
        number = await service.question()
        for address in ("192.0.2.1", "192.0.2.2"):
            await service.put(f"/qa/questions/{number}/report", address, json={"reason": "spam"})
        for table in ("voters", "reports"):
            await service.connection.execute(
                f"UPDATE {table} SET created_at = now() - interval '29 days 23 hours'"  # noqa: S608
            )
        await writer.delete_expired()
        assert len(await service.rows("SELECT FROM voters, reports")) == 4
        for table in ("voters", "reports"):
            await service.connection.execute(
                f"UPDATE {table} SET created_at = now() - interval '30 days 1 minute'"  # noqa: S608
                f" WHERE ctid = (SELECT min(ctid) FROM {table})"
            )
        await writer.delete_expired()
        assert len(await service.rows("SELECT FROM voters, reports")) == 1
    await pool.close()


async def test_instances_delete_expired_voters_even_when_off(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifespan, "_CLEANUP_INTERVAL_SECONDS", 0.05)
    connection = await connect(database)
    await connection.execute(
        "INSERT INTO voters SELECT 1, '\\x00', 'question', 'helpful', now() - interval '91 days'"
    )
    async with two_instances(database):
        await until(lambda: _no_voters_left(connection))
    await connection.close()


async def _no_voters_left(connection: asyncpg.Connection) -> bool:
    return not await connection.fetchval("SELECT count(*) FROM voters")


async def test_expired_voters_are_deleted_in_batches(database: str) -> None:
    pool, connection = Database(database, size=1, timeout=5), await connect(database)
    await connection.execute(
        "INSERT INTO voters SELECT n, '\\x00', 'question', 'helpful', now() - interval '9 days'"
        " FROM generate_series(1, 25000) n"
    )
    await VoterWriter(pool, VoterRules(timedelta(days=8)), timedelta(hours=1)).delete_expired()
    assert await connection.fetchval("SELECT count(*) FROM voters") == 0
    await connection.close()
    await pool.close()


async def test_same_key_is_a_replay_and_another_key_of_the_same_voter_a_duplicate(
    database: str,
) -> None:
    async with two_instances(database, **ADDRESS) as service:
        number = await service.question()
        path = f"/qa/questions/{number}/helpful"
        first = await service.put(path, headers={"Idempotency-Key": "a"})
        replay = await service.put(path, headers={"Idempotency-Key": "a"})
        other = await service.put(path, headers={"Idempotency-Key": "b"})
        assert "idempotency-replayed" not in first.headers
        assert is_counted(replay)
        assert replay.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in other.headers
        assert not is_counted(other)
        again = await service.put(path, headers={"Idempotency-Key": "b"})
        assert again.headers["idempotency-replayed"] == "true"
        assert await service.helpful(number) == 1


async def test_concurrent_votes_of_one_voter_with_different_keys_count_once(database: str) -> None:
    async with two_instances(database, **ADDRESS) as service:
        number = await service.question()
        results = await asyncio.gather(
            *(
                service.put(f"/qa/questions/{number}/helpful", headers={"Idempotency-Key": f"k{n}"})
                for n in range(CONCURRENT_VOTES)
            )
        )
        assert [is_counted(result) for result in results].count(True) == 1
        assert await service.helpful(number) == 1


async def test_vote_on_an_unknown_target_is_rejected_and_its_voter_not_stored(
    database: str,
) -> None:
    async with two_instances(database, **ADDRESS) as service:
        result = await service.instances[0].simulate_put("/qa/answers/1/helpful")
        assert (result.status_code, result.text) == (404, "Error: invalid answer id provided")
        assert await service.rows("SELECT FROM voters") == []


async def test_cookie_identifies_a_browser_from_any_address(database: str) -> None:
    async with two_instances(database, **COOKIE) as service:
        number = await service.question()
        path = f"/qa/questions/{number}/helpful"
        cookie = new_cookie(await service.put(path, "192.0.2.1"))
        for address in ("192.0.2.1", "192.0.2.2"):
            again = await service.put(path, address, cookie)
            assert not is_counted(again)
            assert "atelier_voter" not in again.cookies
        assert await service.helpful(number) == 1


async def test_browsers_behind_one_address_all_count_with_day_old_cookies(
    database: str,
) -> None:
    async with two_instances(database, **COOKIE) as service:
        cookies = [
            new_cookie(await service.put(f"/qa/questions/{await service.question()}/helpful"))
            for _ in range(5)
        ]
        number = await service.question()
        path = f"/qa/questions/{number}/helpful"
        young = [is_counted(await service.put(path, cookie=cookie)) for cookie in cookies]
        assert young == [True, False, False, False, False]
        service.clock.now += DAY + 1
        old = [is_counted(await service.put(path, cookie=cookie)) for cookie in cookies]
        assert old == [False, True, True, True, True]
        assert await service.helpful(number) == 5


async def test_deleting_the_cookie_gives_no_second_vote_from_an_address(
    database: str,
) -> None:
    async with two_instances(database, **COOKIE) as service:
        number = await service.question()
        path = f"/qa/questions/{number}/helpful"
        results = await service.put_concurrently(path, ["192.0.2.1"] * CONCURRENT_VOTES)
        assert await service.helpful(number) == 1
        assert len([result for result in results if "atelier_voter" in result.cookies]) == 1
        service.clock.now += DAY + 1
        cookie = new_cookie(
            await service.put(f"/qa/questions/{await service.question()}/helpful", "::1")
        )
        service.clock.now += DAY + 1
        assert is_counted(await service.put(path, "192.0.2.2", cookie))
        assert not is_counted(await service.put(path, "192.0.2.2"))


@pytest.mark.parametrize(
    "change", ["another id", "another time", "truncated", "another key", "unmodified"]
)
async def test_forged_or_modified_cookie_is_ignored(database: str, change: str) -> None:
    async with two_instances(database, **COOKIE) as service:
        cookie = new_cookie(await service.put(f"/qa/questions/{await service.question()}/helpful"))
        service.clock.now += 2 * DAY
        path = f"/qa/questions/{await service.question()}/helpful"
        assert is_counted(await service.put(path, "192.0.2.1"))
        forged = {
            "another id": ("B" if cookie[0] == "A" else "A") + cookie[1:],
            "another time": cookie[:20] + ("B" if cookie[20] == "A" else "A") + cookie[21:],
            "truncated": cookie[:-1],
            "another key": cookie[:-8] + "AAAAAAAA",
            "unmodified": cookie,
        }[change]
        assert is_counted(await service.put(path, "192.0.2.1", forged)) is (change == "unmodified")


async def test_cookie_expires_after_a_year(database: str) -> None:
    async with two_instances(database, **COOKIE) as service:
        path = f"/qa/questions/{await service.question()}/helpful"
        cookie = new_cookie(await service.put(path, "192.0.2.1"))
        service.clock.now += 366 * DAY
        assert new_cookie(await service.put(path, "192.0.2.1", cookie)) != cookie


@pytest.mark.parametrize(
    ("scheme", "same_site", "secure"), [("https", "None", True), ("http", "Lax", False)]
)
async def test_cookie_attributes_are_as_strict_as_the_scheme_allows(
    database: str, scheme: str, same_site: str, *, secure: bool
) -> None:
    async with two_instances(database, **COOKIE) as service:
        path = f"/qa/questions/{await service.question()}/helpful"
        cookie = (await service.put(path, headers={"X-Forwarded-Proto": scheme})).cookies[
            "atelier_voter"
        ]
        assert (cookie.path, cookie.http_only, cookie.max_age) == ("/", True, 365 * 24 * 3600)
        assert (cookie.same_site, cookie.secure) == (same_site, secure)


async def test_voters_survive_a_restart_of_database_and_instances() -> None:
    with temporary_folder() as folder:
        for expected in (True, False):
            with server(INSTALLED["embedded"], folder, {}) as running:
                assert await _vote(running) == (1, expected)


async def _vote(running: Server) -> tuple[int, bool]:
    """Vote on the only question; return its helpfulness, and whether this vote counted."""
    await migrate(running.dsn())
    async with two_instances(running.dsn(), vote_once="address") as service:
        if not await service.rows("SELECT FROM questions"):
            await service.question()
        [(number,)] = await service.rows("SELECT id FROM questions")
        counted = is_counted(await service.put(f"/qa/questions/{number}/helpful"))
        return await service.helpful(number), counted


async def test_import_keeps_voters_of_targets_in_the_export_and_deletes_the_others(
    database: str, tmp_path: Path
) -> None:
    folder = write_export(tmp_path / "export")
    await load(database, folder)
    async with two_instances(database, vote_once="address", reports_to_hide=2) as service:
        removed = await service.question()
        paths = [f"/qa/questions/{n}" for n in (1, removed)] + ["/qa/answers/10"]
        for path in paths:
            await service.put(f"{path}/helpful")
            await service.put(f"{path}/report", json={"reason": "spam"})
        [secret] = await service.rows("SELECT secret FROM voter_secret")
        await load(database, folder, replace=True)
        left = "SELECT target, target_id FROM {} ORDER BY target_id"
        assert await service.rows(left.format("reports")) == [("question", 1), ("answer", 10)]
        assert len(await service.rows("SELECT FROM voters")) == 4
        assert await service.rows("SELECT secret FROM voter_secret") == [secret]
        assert not is_counted(await service.put("/qa/questions/1/helpful"))
        assert not is_counted(await service.put("/qa/answers/10/report"))
        assert is_counted(await service.put("/qa/questions/2/helpful"))
        await service.put("/qa/answers/10/report", "192.0.2.2")
        assert await service.is_hidden(10, "answers")
        await assert_documents_are_current(database)


async def test_deleting_a_target_deletes_its_voters_and_reports(database: str) -> None:
    async with two_instances(database, **ADDRESS, reports_to_hide=2) as service:
        answer, other = await service.answer(), await service.question()
        [(question,)] = await service.rows("SELECT question_id FROM answers")
        for path in (f"questions/{question}", f"answers/{answer}", f"questions/{other}"):
            await service.put(f"/qa/{path}/helpful")
            await service.put(f"/qa/{path}/report")
        await service.connection.execute("DELETE FROM questions WHERE id = $1", question)
        assert set(await service.rows("SELECT target, target_id FROM voters")) == {
            ("question", other)
        }
        assert await service.rows("SELECT target_id FROM reports") == [(other,)]
        await service.connection.execute("TRUNCATE questions CASCADE")
        assert await service.rows("SELECT 1 FROM voters UNION ALL SELECT 1 FROM reports") == []


async def test_vote_without_a_readable_secret_gets_503_and_counts_when_retried(
    database: str,
) -> None:
    connection = await connect(database)
    async with two_instances(database, vote_once="address") as service:
        path = f"/qa/questions/{await service.question()}/helpful"
        await connection.execute("ALTER TABLE voter_secret RENAME TO away")
        refused = await service.instances[0].simulate_put(path)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        await connection.execute("ALTER TABLE away RENAME TO voter_secret")
        assert is_counted(await service.put(path, instance=0))
    await connection.close()
