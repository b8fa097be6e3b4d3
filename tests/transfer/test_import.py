"""The rows after an import."""

import random
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from atelier.errors import AtelierError
from atelier.store.connections.database import connect
from atelier.transfer.files.rejects import Reason, original
from tests.support.commands import run
from tests.support.postgres import every_postgres
from tests.transfer.exports import (
    ANSWERS,
    PHOTOS,
    QUESTIONS,
    assert_documents_are_current,
    check,
    contents,
    fetch,
    load,
    made_up,
    rejects,
    schemas,
    write_export,
)
from tests.transfer.reading import HEADER

DIRTY = {
    "questions": [
        *QUESTIONS,
        b'4,7,"text"oops,5,"n","e",0,1',
        b'5,7,"short",5',
        b'6,7,"\xff\\",5,"n","e",0,1',
        b'7,7,"a\0b",5,"n","e",0,1',
        b'x,7,"t",5,"n","e",0,1',
        b'9007199254740992,7,"t",5,"n","e",0,1',
        b'8,7,"t",someday,"n","e",0,1',
        b'9,7,"t",5,"n","e",perhaps,1',
        b'10,7,"t",5,"n","e",0,-1',
        b'1,9,"another row with id 1",5,"n","e",0,0',
        b'11,7,"' + b"a" * 65537 + b'",5,"n","e",0,1',
        b'12,7,"open,5,n,e,0,1',
    ],
    "answers": [*ANSWERS, b'13,999,"nobody asked",5,"n","e",0,1'],
    "photos": [*PHOTOS, b'102,13,"of an orphan"', b'103,998,"orphan"'],
}

NEW_QUESTION = """
    INSERT INTO questions (product_id, body, asker_name, asker_email)
    VALUES (1, 'b', 'n', 'e') RETURNING id"""
NEW_ANSWER = """
    INSERT INTO answers (question_id, body, answerer_name, answerer_email)
    VALUES (1, 'b', 'n', 'e') RETURNING id"""
NEW_PHOTO = "INSERT INTO photos (answer_id, url) VALUES (10, 'u') RETURNING id"


@every_postgres
async def test_import_passes_verification(database: str, tmp_path: Path) -> None:
    folder = made_up(tmp_path / "export")
    summary = await load(database, folder)
    assert summary.rejected == 0
    assert not (folder / "rejects.csv").exists()
    report = await check(database, folder)
    assert report.ok
    assert await schemas(database) == {"atelier"}


@every_postgres
async def test_every_row_is_in_the_database_or_in_the_rejects_file(
    database: str, tmp_path: Path
) -> None:
    folder = write_export(tmp_path / "export", **DIRTY)
    summary = await load(database, folder)
    assert [(f.rows, f.accepted, f.rejected.total()) for f in summary.files] == [
        (15, 3, 12),
        (4, 3, 1),
        (4, 2, 2),
    ]
    assert [(name, line, reason) for name, line, reason, _ in rejects(folder)] == [
        ("answers.csv", 6, "orphan"),
        ("answers_photos.csv", 4, "orphan"),
        ("answers_photos.csv", 5, "orphan"),
        ("questions.csv", 5, "malformed quotes"),
        ("questions.csv", 6, "wrong number of fields"),
        ("questions.csv", 7, "invalid UTF-8"),
        ("questions.csv", 8, "NUL byte"),
        ("questions.csv", 9, "invalid id"),
        ("questions.csv", 10, "invalid id"),
        ("questions.csv", 11, "unparseable date"),
        ("questions.csv", 12, "unknown boolean"),
        ("questions.csv", 13, "negative helpfulness"),
        ("questions.csv", 14, "duplicate id"),
        ("questions.csv", 15, "field over 64 KiB"),
        ("questions.csv", 16, "unterminated quote"),
    ]
    texts = [original(text) for name, _, _, text in rejects(folder) if name == "questions.csv"]
    assert texts == DIRTY["questions"][3:]
    assert (await check(database, folder)).ok


async def test_summary_counts_all_rows(database: str, tmp_path: Path) -> None:
    summary = await load(database, write_export(tmp_path / "export", **DIRTY))
    assert summary.files[0].rejected[Reason.ID] == 2
    assert summary.files[1].rejected == Counter({Reason.ORPHAN: 1})
    assert (summary.rows, summary.rejected, summary.changed) == (23, 15, True)


async def test_documents_and_summaries_are_those_of_their_views(
    database: str, tmp_path: Path
) -> None:
    """The import builds them by a query of its own."""
    questions = [
        b'%d,%d,"q ""%d"" \\ \xe2\x80\xae",%d,"n\t","e",%d,%d'
        % (id_, id_ % 3 + 1, id_, id_, id_ % 5 == 0, 7)
        for id_ in range(1, 41)
    ]
    answers = [
        b'%d,%d,"a\n\\""%d",%d,"%s","e",%d,%d'
        % (100 - n, n % 37 + 1, n, 10**12 + n, b"Seller" if n % 4 else b"x", n % 3 == 0, n % 9)
        for n in range(90)
    ]
    photos = [b'%d,%d,"https://x.example/""%d"' % (500 - n, 100 - n % 50, n) for n in range(80)]
    orphans = [b'1000,999,"lost",5,"n","e",0,1'], [b'1000,1000,"of an orphan"']
    folder = write_export(
        tmp_path, questions=questions, answers=answers + orphans[0], photos=photos + orphans[1]
    )
    await load(database, folder)
    await assert_documents_are_current(database)
    assert len(await fetch(database, "SELECT FROM question_documents")) == 32
    [facts] = await fetch(
        database,
        "SELECT count(*) FILTER (WHERE has_photos), count(*) FILTER (WHERE has_seller),"
        " count(*) FILTER (WHERE answer_count = 0) FROM question_summaries",
    )
    assert all(facts)


async def test_rows_are_imported_unchanged(database: str, tmp_path: Path) -> None:
    await load(database, write_export(tmp_path / "export"))
    (row,) = await fetch(database, "SELECT * FROM answers WHERE id = 11")
    assert (row["body"], row["answerer_name"], row["helpful"]) == (
        "Not sure\nat all",
        "metslover",
        2,
    )
    assert row["date_written"].isoformat() == "2020-09-13T09:49:20.555000+00:00"
    documents = await fetch(
        database, "SELECT document FROM question_documents ORDER BY question_id"
    )
    assert len(documents) == 2
    assert '"photos":["https://example.com/a.jpg","https://example.com/b.jpg"]' in documents[0][0]


HARD_TEXTS = [
    '"',
    '""',
    ",",
    "\n",
    "\r\n",
    "\r",
    "\\.",
    "\\N",
    "é",
    "𝄞",
    " ",
    "a",
    "\x01",
    "\u2028",
    "'",
]


async def test_any_text_is_imported_unchanged(database: str, tmp_path: Path) -> None:
    random_ = random.Random(5)
    bodies = {
        id_: "".join(random_.choices(HARD_TEXTS, k=random_.randint(0, 9))) for id_ in range(1, 2000)
    }
    lines = [
        f'{id_},1,"{body.replace(chr(34), chr(34) * 2)}",{id_},"n","e",0,0'.encode()
        for id_, body in bodies.items()
    ]
    folder = write_export(tmp_path / "export", questions=lines, answers=[], photos=[])
    assert (await load(database, folder)).rejected == 0
    rows = await fetch(database, "SELECT id, body FROM questions")
    assert {row["id"]: row["body"] for row in rows} == bodies


@every_postgres
async def test_the_older_edition_loads(database: str, tmp_path: Path) -> None:
    folder = tmp_path / "older"
    folder.mkdir()
    (folder / "questions.csv").write_bytes(
        b"\xef\xbb\xbf"
        + HEADER.replace(b",", b", ").replace(b"\n", b"\r\n")
        + b'1,5,"Why?","2018-10-18","williamsmith","first.last@gmail.com",0,4\r\n'
    )
    (folder / "answers.csv").write_bytes(
        b"id, question_id, body, date_written, answerer_name, answerer_email, reported, helpful\n"
        b'68,1,"No markup","2018-08-18","Seller","Seller",false,4'
    )
    (folder / "answers_photos.csv").write_bytes(b"id, answer_id, url\n")
    assert (await load(database, folder)).rejected == 0
    (row,) = await fetch(database, "SELECT date_written, answerer_email FROM answers")
    assert row["date_written"].isoformat() == "2018-08-18T00:00:00+00:00"
    assert row["answerer_email"] == "Seller"
    assert (await check(database, folder)).ok


async def test_the_oldest_and_the_last_dates_are_kept_to_the_millisecond(
    database: str, tmp_path: Path
) -> None:
    dates = [-62135596800000, -62135596799999, -1, 0, 99999999999999, 253402300799999]
    lines = [b'%d,1,"t",%d,"n","e",0,0' % pair for pair in enumerate(dates, 1)]
    folder = write_export(tmp_path / "export", questions=lines, answers=[], photos=[])
    assert (await load(database, folder)).rejected == 0
    rows = await fetch(
        database,
        "SELECT (extract(epoch FROM date_written) * 1000)::text FROM questions ORDER BY id",
    )
    assert [float(row[0]) for row in rows] == dates


async def test_unknown_column_is_ignored_with_a_warning(database: str, tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export")
    (folder / "answers_photos.csv").write_bytes(b'url,width,id,answer_id\n"u",12,100,10\n')
    summary = await load(database, folder)
    assert summary.warnings == [
        "answers_photos.csv: the column 'width' is unknown and was not loaded."
    ]
    assert [tuple(row) for row in await fetch(database, "SELECT * FROM photos")] == [(100, 10, "u")]


@pytest.mark.parametrize("name", ["questions.csv", "answers.csv", "answers_photos.csv"])
async def test_a_missing_file_is_named(database: str, tmp_path: Path, name: str) -> None:
    folder = write_export(tmp_path / "export")
    (folder / name).unlink()
    with pytest.raises(AtelierError, match=name):
        await load(database, folder)


async def test_new_ids_continue_above_the_largest(database: str, tmp_path: Path) -> None:
    await load(database, write_export(tmp_path / "export"))
    assert (await fetch(database, NEW_QUESTION))[0][0] == 4
    assert (await fetch(database, NEW_ANSWER))[0][0] == 13
    assert (await fetch(database, NEW_PHOTO))[0][0] == 102


async def test_import_leaves_the_schema_of_the_migrations(database: str, tmp_path: Path) -> None:
    before = await _schema(database)
    await load(database, write_export(tmp_path / "export"))
    assert await _schema(database) == before


async def test_importing_twice_changes_nothing(database: str, tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export", **DIRTY)
    first = await load(database, folder)
    before, rejected = await contents(database), rejects(folder)
    again = await load(database, folder)
    assert not again.changed
    assert [file.unchanged for file in again.files] == [file.added for file in first.files]
    assert await contents(database) == before
    assert rejects(folder) == rejected


async def test_existing_rows_are_merged_with_and_never_overwritten(
    database: str, tmp_path: Path
) -> None:
    await load(database, write_export(tmp_path / "first"))
    folder = write_export(
        tmp_path / "second",
        questions=[
            QUESTIONS[0],
            QUESTIONS[1].replace(b"shrink", b"stretch"),
            _moved(QUESTIONS[0], 4),
        ],
        answers=[
            ANSWERS[0],
            b'20,4,"to a new question",5,"n","e",0,0',
            b'21,2,"to an old question",5,"n","e",0,0',
            b'22,77,"to none",5,"n","e",0,0',
        ],
        photos=[
            b'200,11,"of an old answer"',
            b'201,20,"of a new answer"',
            b'202,22,"of an orphan"',
            PHOTOS[0].replace(b"a.jpg", b"z.jpg"),
        ],
    )
    summary = await load(database, folder)
    assert [(f.added, f.unchanged, f.rejected.total()) for f in summary.files] == [
        (1, 1, 1),
        (2, 1, 1),
        (2, 0, 2),
    ]
    assert [(name, line, reason) for name, line, reason, _ in rejects(folder)] == [
        ("answers.csv", 5, "orphan"),
        ("answers_photos.csv", 4, "orphan"),
        ("answers_photos.csv", 5, "conflict"),
        ("questions.csv", 3, "conflict"),
    ]
    rows = await contents(database)
    assert [row[0] for row in rows["questions"]] == [1, 2, 3, 4]
    assert rows["questions"][1][2] == "Does it shrink?"
    assert [row[0] for row in rows["answers"]] == [10, 11, 12, 20, 21]
    assert [row[0] for row in rows["photos"]] == [100, 101, 200, 201]
    await assert_documents_are_current(database)


async def test_a_merge_continues_ids_above_both(database: str, tmp_path: Path) -> None:
    await load(database, write_export(tmp_path / "first"))
    lower = [_moved(QUESTIONS[0], 2_000), _moved(QUESTIONS[0], 50)]
    await load(database, write_export(tmp_path / "second", questions=lower, answers=[], photos=[]))
    assert (await fetch(database, NEW_QUESTION))[0][0] == 2_001
    await load(database, write_export(tmp_path / "third"))
    assert (await fetch(database, NEW_QUESTION))[0][0] == 2_002


async def test_replace_starts_from_empty(database: str, tmp_path: Path) -> None:
    await load(database, made_up(tmp_path / "old"))
    folder = write_export(tmp_path / "new")
    summary = await load(database, folder, replace=True)
    assert [file.added for file in summary.files] == [0, 0, 2], (
        "rows with ids that were there are replaced"
    )
    assert (await check(database, folder)).ok


@pytest.mark.parametrize("mode", ["into an empty database", "merging", "replacing"])
async def test_strict_leaves_the_database_as_it_was(
    database: str, tmp_path: Path, mode: str
) -> None:
    if mode != "into an empty database":
        await load(database, made_up(tmp_path / "old"))
    before = await contents(database)
    folder = write_export(tmp_path / "export", **DIRTY)
    with pytest.raises(AtelierError, match="rows were rejected"):
        await load(database, folder, strict=True, replace=mode == "replacing")
    assert await contents(database) == before
    assert len(rejects(folder)) >= 15
    assert await schemas(database) == {"atelier"}


async def test_strict_accepts_valid_files(database: str, tmp_path: Path) -> None:
    assert (await load(database, write_export(tmp_path / "export"), strict=True)).changed


async def test_rejects_file_of_an_earlier_import_is_removed(database: str, tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export", **DIRTY)
    await load(database, folder)
    assert (folder / "rejects.csv").exists()
    write_export(folder)
    await load(database, folder, replace=True)
    assert not (folder / "rejects.csv").exists()


async def test_unwritable_rejects_file_fails_before_the_import(
    database: str, tmp_path: Path
) -> None:
    folder = write_export(tmp_path / "export")
    (folder / "rejects.csv").mkdir()
    with pytest.raises(AtelierError, match="rejects file"):
        await load(database, folder)
    assert (await contents(database))["questions"] == []


async def test_many_duplicates_and_orphans_are_told_apart(database: str, tmp_path: Path) -> None:
    parents = {0: 999, 1: 1, 2: 2}
    answers = [b'%d,%d,"t%d",5,"n","e",0,0' % (n % 50 + 1, parents[n % 3], n) for n in range(200)]
    folder = write_export(tmp_path / "export", answers=answers, photos=[])
    summary = await load(database, folder)
    standing = {n + 1: f"t{n}" for n in range(50) if n % 3}
    rows = await fetch(database, "SELECT id, body FROM answers ORDER BY id")
    assert {row["id"]: row["body"] for row in rows} == standing
    assert summary.files[1].rows == len(answers)
    assert len(rejects(folder)) == len(answers) - len(standing)
    assert (await check(database, folder)).ok


def _moved(line: bytes, id_: int) -> bytes:
    return b"%d," % id_ + line.split(b",", 1)[1]


async def _schema(dsn: str) -> list[asyncpg.Record]:
    """Return all objects of the schema, as described by the catalog."""
    connection = await connect(dsn)
    try:
        return await connection.fetch("""
            SELECT 'relation', relname::text, relkind::text, relpersistence::text
            FROM pg_class WHERE relnamespace = 'atelier'::regnamespace
            UNION ALL
            SELECT 'constraint', conname, conrelid::regclass::text, pg_get_constraintdef(oid)
            FROM pg_constraint WHERE connamespace = 'atelier'::regnamespace
            UNION ALL
            SELECT 'index', indexname, tablename, indexdef
            FROM pg_indexes WHERE schemaname = 'atelier'
            UNION ALL
            SELECT 'trigger', tgname, tgenabled::text, pg_get_triggerdef(t.oid)
            FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
            WHERE relnamespace = 'atelier'::regnamespace AND NOT tgisinternal
            UNION ALL
            SELECT 'column', attrelid::regclass::text, attname, concat_ws(
                ' ', attnum, format_type(atttypid, atttypmod), attnotnull, attidentity)
            FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
            WHERE relnamespace = 'atelier'::regnamespace AND attnum > 0
            UNION ALL
            SELECT 'function', proname, '', prosrc
            FROM pg_proc WHERE pronamespace = 'atelier'::regnamespace
            UNION ALL
            SELECT 'migration', migration_id, schema_name, ''
            FROM public._pogo_migration
            ORDER BY 1, 2, 3, 4
        """)
    finally:
        await connection.close()


async def test_import_stores_texts_unchanged_and_ignores_spam_guards(
    database: str, tmp_path: Path
) -> None:
    text = " casino\x9f\u202e e\u0301 http://a.b http://c.d \uffff\u200b\t "
    words = tmp_path / "words"
    words.write_text("casino")
    row = f'7,"{text}",1595884714409,"\u200b","a@example.com",0,1'.encode()
    folder = write_export(tmp_path / "export", questions=[b"1," + row, b"2," + row])
    settings = {
        "ATELIER_SPAM_REPEAT_MINUTES": "60",
        "ATELIER_SPAM_MAX_LINKS": "0",
        "ATELIER_SPAM_WORDS_FILE": str(words),
    }
    done = run(tmp_path / "home", "import", str(folder), ATELIER_DATABASE_URL=database, **settings)
    assert done.returncode == 0, done.stderr
    rows = await fetch(database, "SELECT body, asker_name FROM questions ORDER BY id")
    assert [tuple(row) for row in rows] == [(text, "\u200b")] * 2
    assert (await check(database, folder)).ok
