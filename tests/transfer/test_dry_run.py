"""A dry run counts what the import after it does, and changes nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from atelier.transfer.importer.summary import ImportSummary
from tests.support.commands import run
from tests.transfer.exports import (
    ANSWERS,
    PHOTOS,
    QUESTIONS,
    contents,
    count,
    fetch,
    load,
    made_up,
    rejects,
    schemas,
    write_export,
)

_SEQUENCES = """
    SELECT relname::text, pg_sequence_last_value(oid::regclass)
    FROM pg_class WHERE relkind = 'S' AND relnamespace = 'atelier'::regnamespace ORDER BY 1"""
_MIGRATIONS = "SELECT * FROM public._pogo_migration ORDER BY 1"
_STATES = ("empty", "filled", "unmigrated")


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Return an export with rows that are new, there already, changed, and of every reject."""
    return write_export(
        tmp_path / "mixed",
        questions=[
            QUESTIONS[0],
            QUESTIONS[1].replace(b"shrink", b"stretch"),
            b'4,9,"New",5,"n","e",0,0',
            b'4,9,"New, too",5,"n","e",0,0',
            QUESTIONS[1].replace(b"shrink", b"fade"),
            b'x,9,"no id",5,"n","e",0,0',
        ],
        answers=[
            *ANSWERS[:2],
            b'10,1,"twice, and different",5,"n","e",0,0',
            b'20,4,"to a new question",5,"n","e",0,0',
            b'21,3,"to one that is only in the database",5,"n","e",0,0',
            b'22,99,"to none",5,"n","e",0,0',
            b"broken",
        ],
        photos=[
            PHOTOS[0].replace(b"a.jpg", b"z.jpg"),
            b'200,20,"new"',
            b'201,12,"of one that is only in the database"',
            b'202,22,"of an orphan"',
            b'203,21,"of an answer to what --replace removes"',
        ],
    )


async def prepare(dsn: str, folder: Path, state: str) -> None:
    if state == "filled":
        await load(dsn, write_export(folder))
    elif state == "unmigrated":
        await fetch(dsn, "DROP SCHEMA atelier CASCADE")
        await fetch(dsn, "DROP TABLE public._pogo_migration, public._pogo_version")


async def everything(dsn: str) -> Mapping[str, Any]:
    """Return all rows, documents, sequences, migrations and schemas."""
    found = await schemas(dsn)
    if not found:
        return {"schemas": found}
    return await contents(dsn) | {
        "schemas": found,
        "sequences": await fetch(dsn, _SEQUENCES),
        "migrations": await fetch(dsn, _MIGRATIONS),
    }


def counts(summary: ImportSummary) -> list[tuple[object, ...]]:
    return [
        (
            file.table,
            file.rows,
            file.before,
            file.added,
            file.replaced,
            file.unchanged,
            file.removed,
            file.after,
            file.rejected,
        )
        for file in summary.files
    ]


@pytest.mark.parametrize("replace", [False, True], ids=["merging", "replacing"])
@pytest.mark.parametrize("state", _STATES)
async def test_it_counts_what_the_import_then_does_and_changes_nothing(
    database: str, tmp_path: Path, mixed: Path, state: str, *, replace: bool
) -> None:
    await prepare(database, tmp_path / "first", state)
    before = await everything(database)
    expected = await count(database, mixed, replace=replace)
    assert await everything(database) == before
    would_reject = rejects(mixed)

    done = await load(database, mixed, replace=replace)
    assert counts(done) == counts(expected)
    assert done.target == expected.target
    assert rejects(mixed) == would_reject
    assert await everything(database) != before


async def test_its_numbers_are_the_tables_own(database: str, tmp_path: Path, mixed: Path) -> None:
    await prepare(database, tmp_path / "first", "filled")
    merging = await count(database, mixed)
    assert [(f.before, f.added, f.replaced, f.unchanged, f.removed) for f in merging.files] == [
        (3, 1, 0, 1, 0),
        (3, 2, 0, 2, 0),
        (2, 3, 0, 0, 0),
    ]
    replacing = await count(database, mixed, replace=True)
    assert [(f.before, f.added, f.replaced, f.unchanged, f.removed) for f in replacing.files] == [
        (3, 1, 1, 1, 1),
        (3, 1, 0, 2, 1),
        (2, 1, 1, 0, 1),
    ]


@pytest.mark.parametrize("replace", [False, True], ids=["merging", "replacing"])
async def test_it_agrees_about_many_rows(database: str, tmp_path: Path, *, replace: bool) -> None:
    await load(database, made_up(tmp_path / "old"))
    new = made_up(tmp_path / "new", products=60, seed=2)
    expected = await count(database, new, replace=replace)
    assert sum(file.rejected.total() for file in expected.files) > 0 or replace
    assert counts(await load(database, new, replace=replace)) == counts(expected)


async def test_the_command_says_where_it_changed_nothing(database: str, tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export")
    place = ("--rejects", str(tmp_path / "rejects.csv"))
    settings = {"ATELIER_DATABASE_URL": database, "COLUMNS": "200"}
    dry = run(tmp_path / "home", "import", str(folder), "--dry-run", *place, **settings)
    (name,) = await fetch(database, "SELECT current_database()")
    assert dry.returncode == 0, dry.stderr
    where = f"database {name[0]} on "
    assert f"Dry run; nothing was changed in {where}" in dry.stdout
    assert "would be there after" in dry.stdout
    real = run(tmp_path / "home", "import", str(folder), *place, **settings)
    assert f"Imported into {where}" in real.stdout
    assert real.stdout.count("schema atelier.") == 1
    assert not (tmp_path / "home").exists()


async def test_strict_fails_it_as_it_would_fail_the_import(database: str, tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export", photos=[b"broken"])
    arguments = ["import", str(folder), "--strict", "--rejects", str(tmp_path / "rejects.csv")]
    for more in (["--dry-run"], []):
        done = run(tmp_path / "home", *arguments, *more, ATELIER_DATABASE_URL=database)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "1 row was rejected" in done.stderr
    assert (await contents(database))["questions"] == []


async def test_the_rejects_of_an_earlier_import_are_lost_only_with_a_word(
    database: str, tmp_path: Path
) -> None:
    folder = write_export(tmp_path / "export", photos=[b"broken"])
    place = folder / "rejects.csv"
    assert not (await load(database, folder)).had_rejects
    earlier = place.read_bytes()

    clean = write_export(tmp_path / "clean")
    home, settings = tmp_path / "home", {"ATELIER_DATABASE_URL": database, "COLUMNS": "300"}
    arguments = ["import", str(clean), "--rejects", str(place)]
    assert "No row was rejected.\n" in run(home, *arguments, "--dry-run", **settings).stdout
    assert place.read_bytes() == earlier

    broken = ["import", str(folder), "--rejects", str(place), "--dry-run"]
    said = run(home, *broken, **settings).stdout
    assert "in place of earlier ones" in said
    said = run(home, *arguments, **settings).stdout
    assert "No row was rejected; the earlier" in said
    assert not place.exists()


@pytest.mark.parametrize("dry", [False, True])
async def test_a_file_that_holds_no_rejects_is_never_overwritten(
    database: str, tmp_path: Path, *, dry: bool
) -> None:
    folder = write_export(tmp_path / "export")
    mine = folder / "questions.csv"
    before = mine.read_bytes()
    arguments = ["import", str(folder), "--rejects", str(mine), *(["--dry-run"] if dry else [])]
    done = run(tmp_path / "home", *arguments, ATELIER_DATABASE_URL=database)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "name another rejects file (--rejects)" in done.stderr
    assert mine.read_bytes() == before
    assert (await contents(database))["questions"] == []
