"""Imports beside concurrent sessions, and imports that are killed."""

import asyncio
import signal
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from atelier.errors import AtelierError
from atelier.store.connections.database import SCHEMA, Database, connect
from atelier.store.limits import ClientHashes
from atelier.store.queries import queries
from atelier.store.writes import Outcome, Vote, Writer
from atelier.transfer.database.exclusive_lock import exclusive_lock
from atelier.transfer.progress import PlainProgress
from tests.transfer.exports import (
    QUESTIONS,
    assert_documents_are_current,
    check,
    contents,
    fetch,
    load,
    made_up,
    schemas,
    write_export,
)
from tests.transfer.running import start_import, stop_at

PAGE = queries("atelier.store")["questions_page"]
STEPS = [
    "answers.csv ...",
    "questions.csv: done",
    "tables ...",
    "primary keys ...",
    "indexes ...",
    "documents ...",
    "indexes of documents ...",
    "indexes of documents: done",
    "No row was rejected",
]

WAITING_FOR_A_ROW = "SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
WAITING_FOR_THE_LOCK = "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"


async def test_kill_at_any_step_leaves_the_old_rows_or_the_new(
    database: str, tmp_path: Path
) -> None:
    old, new = made_up(tmp_path / "old"), made_up(tmp_path / "new", products=60, seed=2)
    await load(database, old)
    for step in STEPS:
        stop_at(start_import(database, new), step, signal.SIGKILL)
        is_old, is_new = (await check(database, old)).ok, (await check(database, new)).ok
        assert is_old != is_new, step
        assert is_new == (step == STEPS[-1]) or step.endswith("done")
    await load(database, old, replace=True)
    assert (await check(database, old)).ok
    assert await schemas(database) == {"atelier"}


async def test_killed_first_import_leaves_an_empty_database_that_can_be_imported_into(
    database: str, tmp_path: Path
) -> None:
    folder = made_up(tmp_path / "export")
    stop_at(start_import(database, folder), "documents ...", signal.SIGKILL)
    assert (await contents(database))["questions"] == []
    assert (await load(database, folder)).changed
    assert (await check(database, folder)).ok


async def test_ctrl_c_leaves_nothing_behind(database: str, tmp_path: Path) -> None:
    folder = made_up(tmp_path / "export")
    stop_at(start_import(database, folder), "tables ...", signal.SIGINT)
    assert await schemas(database) == {"atelier"}
    assert (await contents(database))["questions"] == []
    assert not list(folder.glob("rejects*"))


async def test_readers_see_the_old_rows_and_then_the_new_and_never_an_error(
    database: str, tmp_path: Path
) -> None:
    old = write_export(tmp_path / "old")
    new = write_export(
        tmp_path / "new", questions=[line.replace(b",7,", b",7,", 1) + b"0" for line in QUESTIONS]
    )
    await load(database, old)
    pool = await asyncpg.create_pool(
        database, min_size=4, max_size=4, server_settings={"search_path": SCHEMA}
    )
    seen: list[list[str]] = [[] for _ in range(4)]
    done = asyncio.Event()

    async def read(pages: list[str]) -> None:
        while not done.is_set():
            rows = await pool.fetch(PAGE, [7], [100], [0])
            pages.append(rows[0]["documents"])

    async with pool, asyncio.TaskGroup() as readers:
        for pages in seen:
            readers.create_task(read(pages))
        await asyncio.sleep(0.1)
        await load(database, new, replace=True)
        await asyncio.sleep(0.1)
        done.set()
    first, last = seen[0][0], seen[0][-1]
    assert first != last
    for pages in seen:
        changes = [page for page, before in zip(pages[1:], pages, strict=False) if page != before]
        assert (pages[0], changes) == (first, [last])


async def test_rows_written_during_the_import_are_not_lost(database: str, tmp_path: Path) -> None:
    folder = made_up(tmp_path / "export")

    async def add_question() -> None:
        connection = await connect(database)
        await connection.execute(
            "INSERT INTO questions (product_id, body, asker_name, asker_email)"
            " VALUES (1, 'mine', 'n', 'e')"
        )
        await connection.close()

    task = None

    def on_line(line: str) -> None:
        nonlocal task
        if line == "tables ...":
            task = asyncio.ensure_future(add_question())

    with pytest.raises(AtelierError, match="Rows were written while the import ran"):
        await load(database, folder, progress=PlainProgress(on_line))
    assert task
    assert [row[2] for row in (await contents(database))["questions"]] == ["mine"]


async def test_replacement_keeps_the_daily_counts(database: str, tmp_path: Path) -> None:
    service = Database(database, size=2, timeout=10)
    quota = await ClientHashes(service, None).quota("posts", "203.0.113.7", 1)
    writer = Writer(service, timedelta(hours=1))
    question = (1, "Why?", "jane", "jane@example.com")
    assert (await writer.add_question(*question, quota=quota)).outcome is Outcome.DONE
    await load(database, made_up(tmp_path), replace=True)
    same = await ClientHashes(service, None).quota("posts", "203.0.113.7", 1)
    assert same == quota
    assert (await writer.add_question(*question, quota=same)).outcome is Outcome.LIMITED
    await service.close()


async def test_replacement_keeps_the_rules_and_what_they_compare_posts_with(
    database: str, tmp_path: Path
) -> None:
    tables = ("moderation_rules", "rule_counts", "posted_texts", "posting_clients")
    connection = await connect(database)
    await connection.execute(
        "SELECT change_rules('anna', 'rules', 0);"
        "INSERT INTO rule_counts VALUES (1, 'links', 3, now());"
        "INSERT INTO posted_texts VALUES ('a', 1, now());"
        "INSERT INTO posting_clients VALUES ('a', now(), now());"
    )
    before = [await connection.fetch(f"SELECT * FROM {each}") for each in tables]  # noqa: S608
    await load(database, made_up(tmp_path), replace=True)
    after = [await connection.fetch(f"SELECT * FROM {each}") for each in tables]  # noqa: S608
    assert after == before
    assert all(before)
    [changed] = await connection.fetch("SELECT * FROM change_rules('anna', 'others', 1)")
    assert tuple(changed) == ("DONE", 2)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="cannot be changed"):
        await connection.execute("DELETE FROM moderation_rules")
    await connection.close()


async def test_concurrent_import_is_refused(database: str, tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export")
    async with exclusive_lock(database, "import"):
        with pytest.raises(AtelierError, match="running on this database already"):
            await load(database, folder)
    assert (await load(database, folder)).changed


async def test_slow_reader_delays_the_swap_but_not_other_readers(
    database: str, tmp_path: Path
) -> None:
    await load(database, write_export(tmp_path / "old"))
    slow, other = await connect(database), await connect(database)
    try:
        transaction = slow.transaction()
        await transaction.start()
        await slow.fetch("SELECT * FROM questions")
        swapping = asyncio.create_task(
            load(database, write_export(tmp_path / "new", photos=[]), replace=True)
        )
        while not await fetch(database, WAITING_FOR_THE_LOCK):
            assert not swapping.done()
        assert len(await other.fetch("SELECT * FROM photos", timeout=10)) == 2
        await transaction.rollback()
        await swapping
        assert await other.fetch("SELECT * FROM photos") == []
    finally:
        await slow.close()
        await other.close()


async def test_service_and_merge_do_not_deadlock(database: str, tmp_path: Path) -> None:
    """Vote on many questions, in changing order, while answers to them are merged."""
    ids, folder = await answers_to_all(database, tmp_path)
    service = Database(database, size=1, timeout=30)
    writer = Writer(service, timedelta(hours=1))
    done = asyncio.Event()
    votes = 0

    async def vote() -> None:
        nonlocal votes
        while not done.is_set():
            some = [Vote("question", id_, "helpful") for id_ in reversed(ids[votes % 7 :: 7])]
            assert {*await asyncio.gather(*map(writer.vote, some))} == {Outcome.DONE}
            votes += 1

    async with asyncio.TaskGroup() as voters:
        voters.create_task(vote())
        summary = await load(database, folder)
        done.set()
    await service.close()
    assert summary.files[1].added == len(ids)
    assert votes
    await assert_documents_are_current(database)


async def test_merge_survives_a_deadlock_with_another_session(
    database: str, tmp_path: Path
) -> None:
    """The other session locks the last question, then the first once the merge waits."""
    ids, folder = await answers_to_all(database, tmp_path)
    other_session = await connect(database)
    await other_session.execute("SET deadlock_timeout = '1min'")  # so that the merge is aborted
    vote = "UPDATE questions SET helpful = helpful + 1 WHERE id = $1"
    try:
        async with other_session.transaction():
            await other_session.execute(vote, ids[-1])
            merging = asyncio.create_task(load(database, folder))
            while not await fetch(database, WAITING_FOR_A_ROW):
                assert not merging.done()
            await other_session.execute(vote, ids[0])
        assert (await merging).files[1].added == len(ids)
    finally:
        await other_session.close()
    await assert_documents_are_current(database)


async def test_service_uses_the_index_once_many_rows_are_merged(
    database: str, tmp_path: Path
) -> None:
    """The plan was made for a few rows; dropping the import schemas invalidates it."""
    await load(database, write_export(tmp_path / "old"))
    await fetch(database, "ANALYZE")
    service = Database(database, size=1, timeout=30)

    async def scans() -> int:
        """Read pages; return the total number of sequential scans so far."""
        for product_id in range(1, 20):
            await service.read(PAGE, [product_id], [100], [0])
        await service.read("SELECT pg_stat_force_next_flush()")
        [row] = await service.read(
            "SELECT seq_scan FROM pg_stat_user_tables WHERE relid = 'question_documents'::regclass"
        )
        return int(row[0])

    few = [await scans() for _ in range(2)]
    await load(database, made_up(tmp_path / "new", products=2000))
    many = [await scans() for _ in range(2)]
    await service.close()
    assert few[1] > few[0]
    assert many[1] == many[0]


async def answers_to_all(database: str, tmp_path: Path) -> tuple[list[int], Path]:
    """Import questions; return their ids and an export with a new answer to each."""
    await load(database, made_up(tmp_path / "old", products=30))
    ids = [row[0] for row in await fetch(database, "SELECT id FROM questions ORDER BY id")]
    answers = [b'%d,%d,"t",5,"n","e",0,0' % (10_000 + n, id_) for n, id_ in enumerate(ids)]
    return ids, write_export(tmp_path / "new", questions=[], answers=answers, photos=[])


async def test_merge_keeps_digests_of_repeats_and_replace_deletes_them(
    database: str, tmp_path: Path
) -> None:
    service = Database(database, size=1, timeout=30)
    writer = Writer(service, timedelta(hours=1), timedelta(hours=1))

    async def post() -> Outcome:
        return (await writer.add_question(7, "b", "n", "e", digest=b"d")).outcome

    try:
        assert [await post(), await post()] == [Outcome.DONE, Outcome.REPEATED]
        await load(database, write_export(tmp_path / "more"))  # a merge
        assert await post() is Outcome.REPEATED
        await load(database, tmp_path / "more", replace=True)
        assert [await post(), await post()] == [Outcome.DONE, Outcome.REPEATED]
    finally:
        await service.close()
