"""Small exports for tests, and the database contents after their import."""

import csv
from pathlib import Path
from typing import Any

import asyncpg

from atelier.store.connections.database import connect
from atelier.transfer.generator import generate
from atelier.transfer.importer.confirmation import Confirm
from atelier.transfer.importer.dry_run import dry_run
from atelier.transfer.importer.importer import import_export
from atelier.transfer.importer.summary import ImportSummary
from atelier.transfer.progress import PlainProgress, Progress
from atelier.transfer.verifier.report import VerifyReport
from atelier.transfer.verifier.verifier import verify
from tests.transfer.reading import HEADER

SILENT = PlainProgress(lambda _: None)

QUESTIONS = [
    b'1,7,"What fabric?",1595884714409,"yankee","a@example.com",0,1',
    b'2,7,"Does it shrink?",1613888219613,"jbilas","b@example.com",0,4',
    b'3,8,"Reported",1598026382276,"troll","c@example.com",1,0',
]
ANSWERS = [
    b'10,1,"Cotton, mostly",1599958385988,"Seller","s@example.com",0,8',
    b'11,1,"Not sure\nat all",1599990560555,"metslover","m@example.com",0,2',
    b'12,2,"No",1599089609530,"dschulman","d@example.com",0,0',
]
PHOTOS = [b'100,10,"https://example.com/a.jpg"', b'101,10,"https://example.com/b.jpg"']


def write_export(
    folder: Path,
    *,
    questions: list[bytes] = QUESTIONS,
    answers: list[bytes] = ANSWERS,
    photos: list[bytes] = PHOTOS,
) -> Path:
    """Write the three files with these lines; return their folder."""
    folder.mkdir(exist_ok=True)
    _write(folder / "questions.csv", HEADER, questions)
    answers_header = HEADER.replace(b"asker", b"answerer").replace(b"product_id", b"question_id")
    _write(folder / "answers.csv", answers_header, answers)
    _write(folder / "answers_photos.csv", b"id,answer_id,url\n", photos)
    return folder


def _write(path: Path, header: bytes, lines: list[bytes]) -> None:
    path.write_bytes(header + b"".join(line + b"\n" for line in lines))


def made_up(folder: Path, *, products: int = 40, seed: int = 1) -> Path:
    """Generate an export; return its folder."""
    generate(folder, products=products, seed=seed, progress=SILENT)
    return folder


async def load(  # noqa: PLR0913 - the command's options, by name
    dsn: str,
    folder: Path,
    *,
    strict: bool = False,
    replace: bool = False,
    progress: Progress = SILENT,
    confirm: Confirm = lambda _: True,
) -> ImportSummary:
    """Import a folder; rejects are written to `rejects.csv` in it."""
    return await import_export(
        dsn,
        folder,
        rejects=folder / "rejects.csv",
        strict=strict,
        replace=replace,
        progress=progress,
        confirm=confirm,
    )


async def count(dsn: str, folder: Path, *, replace: bool = False) -> ImportSummary:
    """Do a dry run; rejects are written to `rejects.csv` in the folder."""
    return await dry_run(
        dsn, folder, rejects=folder / "rejects.csv", replace=replace, progress=SILENT
    )


async def check(dsn: str, folder: Path) -> VerifyReport:
    """Verify a folder."""
    return await verify(dsn, folder, progress=SILENT)


def rejects(folder: Path) -> list[tuple[str, int, str, str]]:
    """Return file, line, reason (without detail) and text of each reject, in file order."""
    with (folder / "rejects.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "line", "reason", "text"]
    return sorted(
        (name, int(line), reason.split(":")[0], text) for name, line, reason, text in rows[1:]
    )


async def fetch(dsn: str, query: str, *args: object) -> list[asyncpg.Record]:
    """Run one query in the schema `atelier`."""
    connection = await connect(dsn)
    try:
        return await connection.fetch(query, *args)
    finally:
        await connection.close()


async def assert_documents_are_current(dsn: str) -> None:
    """Assert that every document and every summary matches the view that defines it."""
    rows = await fetch(
        dsn,
        "SELECT v AS now, d AS stored FROM question_document_view v"
        " FULL JOIN question_documents d USING (question_id)",
    )
    assert rows
    assert all(row["now"] == row["stored"] for row in rows)
    summaries = "SELECT * FROM {} ORDER BY question_id"
    assert await fetch(dsn, summaries.format("question_summaries")) == await fetch(
        dsn, summaries.format("question_summary_view")
    )


async def contents(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables, for comparison."""
    return {
        table: [tuple(row) for row in await fetch(dsn, f"SELECT * FROM {table} ORDER BY 1")]  # noqa: S608
        for table in ("questions", "answers", "photos", "question_documents")
    }


async def schemas(dsn: str) -> set[str]:
    """Return the names of the service's schemas."""
    rows = await fetch(dsn, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'atelier%'")
    return {row[0] for row in rows}
