"""The differences that `atelier verify` finds."""

from pathlib import Path

import pytest
from rich.console import Console

from atelier.errors import AtelierError
from atelier.transfer.database.exclusive_lock import exclusive_lock
from atelier.transfer.verifier import verifier
from tests.transfer.exports import (
    ANSWERS,
    PHOTOS,
    QUESTIONS,
    check,
    contents,
    fetch,
    load,
    made_up,
    schemas,
    write_export,
)

TAMPERING = {
    "a changed character": (
        "UPDATE questions SET body = 'What Fabric?' WHERE id = 1",
        {"questions.body"},
    ),
    "a missing photo": (
        "DELETE FROM photos WHERE id = 101",
        {"photos: rows", "photos.id", "photos.answer_id", "photos.url"},
    ),
    "a row too many": (
        "INSERT INTO photos (id, answer_id, url) VALUES (7, 12, 'u')",
        {"photos: rows", "photos.id", "photos.answer_id", "photos.url"},
    ),
    "a vote": ("UPDATE answers SET helpful = helpful + 1 WHERE id = 12", {"answers.helpful"}),
    "a report": ("UPDATE answers SET reported = true WHERE id = 12", {"answers.reported"}),
    "a date moved by a millisecond": (
        "UPDATE answers SET date_written = date_written + interval '1 millisecond' WHERE id = 12",
        {"answers.date_written"},
    ),
    "a photo moved to another answer": (
        "UPDATE photos SET answer_id = 11 WHERE id = 101",
        {"photos.answer_id"},
    ),
    "two values that changed places": (
        """UPDATE photos SET url = CASE id WHEN 100 THEN 'https://example.com/b.jpg'
           ELSE 'https://example.com/a.jpg' END""",
        {"photos.url"},
    ),
    "an id that changed": (
        "UPDATE photos SET id = 500 WHERE id = 101",
        {"photos.id", "photos.answer_id", "photos.url"},
    ),
    "a document that was tampered with": (
        "UPDATE question_documents SET document = replace(document, 'Cotton', 'Wool')",
        {"question_documents"},
    ),
    "a missing document": (
        "DELETE FROM question_documents WHERE question_id = 2",
        {"question_documents"},
    ),
    "a document of nothing": (
        "INSERT INTO question_documents VALUES (99, 7, 0, '{}')",
        {"question_documents"},
    ),
    "a document of another product": (
        "UPDATE question_documents SET product_id = 8 WHERE question_id = 2",
        {"question_documents"},
    ),
    "a wrong number of votes for /v1": (
        """UPDATE question_documents SET answer_ranks[1] = answer_ranks[1] + 1
           WHERE answer_ranks <> '{}'""",
        {"question_documents"},
    ),
    "a wrong summary": (
        "UPDATE question_summaries SET answer_count = 7 WHERE question_id = 2",
        {"question_summaries"},
    ),
    "a missing summary": (
        "DELETE FROM question_summaries WHERE question_id = 2",
        {"question_summaries"},
    ),
    "a summary of nothing": (
        "INSERT INTO question_summaries VALUES (99, 7, now(), 0, false, false, now())",
        {"question_summaries"},
    ),
}

TEXTS = {
    "document": ("question_documents", "document"),
    "summary": ("question_summaries", "opening"),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_verify_finds(database: str, tmp_path: Path, what: str) -> None:
    folder = write_export(tmp_path / "export")
    await load(database, folder)
    assert (await check(database, folder)).ok
    statement, differing = TAMPERING[what]
    await fetch(database, statement)
    report = await check(database, folder)
    assert not report.ok
    assert {found.what for found in report.checks if not found.ok} == differing
    assert all(found.ids for found in report.checks if not found.ok and "rows" not in found.what)


@pytest.mark.parametrize("kind", ["document", "summary"])
async def test_verify_finds_one_wrong_text_in_any_of_many_partitions(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(verifier, "_QUESTIONS_PER_PARTITION", 20)
    folder = made_up(tmp_path / "export")
    await load(database, folder)
    assert (await check(database, folder)).ok
    table, column = TEXTS[kind]
    ((last,),) = await fetch(
        database,
        f"UPDATE {table} SET {column} = overlay({column} PLACING 'x' FROM 20)"  # noqa: S608
        f" WHERE question_id = (SELECT max(question_id) FROM {table}) RETURNING question_id",
    )
    (found,) = [found for found in (await check(database, folder)).checks if not found.ok]
    assert (found.what, found.ids) == (table, [last])


@pytest.mark.parametrize("view", ["question_document_view", "question_summary_view"])
async def test_verify_finds_that_the_import_builds_what_the_view_does_not_define(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    monkeypatch.setattr(verifier, "_QUESTIONS_PER_PARTITION", 20)
    folder = made_up(tmp_path / "export")
    await load(database, folder)
    ((definition,),) = await fetch(database, f"SELECT pg_get_viewdef('{view}')")
    changed = f"SELECT * FROM ({definition.rstrip(';')}) AS v WHERE question_id <> 1"  # noqa: S608
    await fetch(database, f"CREATE OR REPLACE VIEW {view} AS {changed}")
    (found,) = [found for found in (await check(database, folder)).checks if not found.ok]
    assert found.ids == [1]


async def test_verify_names_the_first_ids_that_differ(database: str, tmp_path: Path) -> None:
    folder = made_up(tmp_path / "export")
    await load(database, folder)
    await fetch(database, "UPDATE answers SET body = body || '.' WHERE id % 10 = 3")
    report = await check(database, folder)
    (found,) = [found for found in report.checks if not found.ok]
    assert (found.what, found.ids) == ("answers.body", [3, 13, 23, 33, 43])


async def test_rows_that_an_import_rejects_are_counted_and_not_compared(
    database: str, tmp_path: Path
) -> None:
    folder = write_export(
        tmp_path / "export",
        questions=[*QUESTIONS, QUESTIONS[0], b"broken"],
        answers=[*ANSWERS, b'13,999,"orphan",5,"n","e",0,1'],
        photos=[*PHOTOS, b'102,13,"of an orphan"', b'103,998,"orphan"'],
    )
    await load(database, folder)
    report = await check(database, folder)
    assert report.ok
    assert report.rejected == {"questions.csv": 2, "answers.csv": 1, "answers_photos.csv": 2}


async def test_empty_database_differs_from_any_export(database: str, tmp_path: Path) -> None:
    report = await check(database, write_export(tmp_path / "export"))
    assert {found.what for found in report.checks if found.what.endswith("rows")} == {
        found.what for found in report.checks if not found.ok and found.what.endswith("rows")
    }


async def test_verify_writes_nothing(database: str, tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export")
    await load(database, folder)
    await fetch(database, "UPDATE questions SET helpful = 77")
    before = await contents(database)
    assert not (await check(database, folder)).ok
    assert await contents(database) == before
    assert await schemas(database) == {"atelier"}


async def test_report_is_one_table_that_fits_80_columns(database: str, tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export")
    await load(database, folder)
    await fetch(database, "UPDATE questions SET body = 'x' WHERE id = 2")
    console = Console(width=80, record=True, file=(tmp_path / "shown").open("w"))
    console.print((await check(database, folder)).render())
    lines = console.export_text().splitlines()
    console.file.close()
    (body,) = [line for line in lines if "questions.body" in line and "│" in line]
    assert "differs" in body
    assert "questions.body differs, first ids: 2" in lines
    assert len([line for line in lines if " ok " in line]) == 23


async def test_concurrent_verification_is_refused(database: str, tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export")
    async with exclusive_lock(database, "verify"):
        with pytest.raises(AtelierError, match="running on this database already"):
            await check(database, folder)


async def test_database_without_tables_is_reported(database: str, tmp_path: Path) -> None:
    await fetch(database, "DROP SCHEMA atelier CASCADE")
    with pytest.raises(AtelierError, match="has no tables yet"):
        await check(database, write_export(tmp_path / "export"))
