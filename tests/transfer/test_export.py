"""The files that `atelier export` writes."""

from pathlib import Path

import pytest

from atelier.errors import AtelierError
from atelier.transfer.exporter.exporter import ExportSummary, export
from atelier.transfer.files.layout import FILES
from tests.support.postgres import every_postgres
from tests.transfer.exports import SILENT, check, fetch, load, made_up, write_export


async def save(dsn: str, folder: Path, *, force: bool = False) -> ExportSummary:
    return await export(dsn, folder, progress=SILENT, force=force)


def read_all(folder: Path) -> dict[str, bytes]:
    return {file.name: (folder / file.name).read_bytes() for file in FILES}


@every_postgres
async def test_import_export_import_export_gives_identical_bytes(
    database: str, tmp_path: Path
) -> None:
    original = made_up(tmp_path / "original")
    await load(database, original)
    await save(database, tmp_path / "first")
    await load(database, tmp_path / "first", replace=True)
    await save(database, tmp_path / "second")
    assert read_all(tmp_path / "second") == read_all(tmp_path / "first") == read_all(original)


async def test_export_has_the_format_of_the_original(database: str, tmp_path: Path) -> None:
    questions = [b'2,9,"a ""quote"", a comma\r\nand lines",-1,"","e",1,0', b'1,9,"t",5,"n","",0,7']
    folder = write_export(tmp_path / "given", questions=questions, answers=[], photos=[])
    await load(database, folder)
    await save(database, tmp_path / "export")
    header, rest = (tmp_path / "export" / "questions.csv").read_bytes().split(b"\n", 1)
    assert header == b"id,product_id,body,date_written,asker_name,asker_email,reported,helpful"
    assert rest == questions[1] + b"\n" + questions[0] + b"\n"


async def test_export_of_rows_written_by_the_service_verifies(
    database: str, tmp_path: Path
) -> None:
    await load(database, write_export(tmp_path / "given"))
    await fetch(
        database,
        "INSERT INTO questions (product_id, body, asker_name, asker_email)"
        " VALUES (1, 'new', 'n', 'e')",
    )
    summary = await save(database, tmp_path / "export")
    assert summary.rows == {"questions.csv": 4, "answers.csv": 3, "answers_photos.csv": 2}
    assert (await check(database, tmp_path / "export")).ok


async def test_failed_export_leaves_the_earlier_one(database: str, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    await load(database, write_export(tmp_path / "given"))
    await save(database, folder)
    before = read_all(folder)
    await fetch(database, "ALTER TABLE photos RENAME COLUMN url TO address")
    with pytest.raises(AtelierError, match="The export failed"):
        await save(database, folder, force=True)
    assert read_all(folder) == before
    assert {path.name for path in folder.iterdir()} == set(before)


async def test_unwritable_folder_is_named_in_the_error(database: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AtelierError, match="The export to"):
        await save(database, tmp_path / "file" / "export")
