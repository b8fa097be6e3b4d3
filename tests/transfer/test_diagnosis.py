"""Errors about unsuitable files say what the file looks like, and show its header but no data."""

import codecs
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from atelier.local.postgres.server import Server
from tests.support.commands import run
from tests.transfer.exports import contents, load, schemas, write_export
from tests.transfer.reading import HEADER, ROW

_SHOWN = HEADER.decode().strip()


def _separated(separator: bytes) -> bytes:
    return (HEADER + ROW.replace(b'"', b"")).replace(b",", separator)


def _wide(encoding: str, mark: bytes = b"") -> bytes:
    return mark + (HEADER + ROW).decode().encode(encoding)


_FILES = {
    "semicolons": (_separated(b";"), "is separated by semicolons", _SHOWN.replace(",", ";")),
    "tabs": (_separated(b"\t"), "is separated by tabs", _SHOWN.replace(",", "\\t")),
    "bars": (_separated(b"|"), "is separated by vertical bars", _SHOWN.replace(",", "|")),
    "tabs, no header": (
        ROW.replace(b'"', b"").replace(b",", b"\t"),
        "is separated by tabs",
        None,
    ),
    "semicolons after a mark": (
        codecs.BOM_UTF8 + _separated(b";"),
        "is separated by semicolons",
        _SHOWN.replace(",", ";"),
    ),
    "UTF-16 with a mark": (
        _wide("utf-16-le", codecs.BOM_UTF16_LE),
        "looks like UTF-16: export it as UTF-8",
        _SHOWN,
    ),
    "UTF-16, the other order": (
        _wide("utf-16-be", codecs.BOM_UTF16_BE),
        "looks like UTF-16",
        _SHOWN,
    ),
    "UTF-16 without a mark": (_wide("utf-16-le"), "looks like UTF-16", _SHOWN),
    "UTF-16 without a mark, the other order": (
        _wide("utf-16-be"),
        "looks like UTF-16",
        _SHOWN,
    ),
    "no header": (ROW, "has no header line: the first line looks like data", None),
    "no header, a mark": (codecs.BOM_UTF8 + ROW, "has no header line", None),
    "another file": (b"id,answer_id,url\n", "has the header of answers_photos.csv", "id,answer_id"),
    "a missing column": (
        HEADER.replace(b",helpful", b""),
        "has no column helpful",
        _SHOWN.replace(",helpful", ""),
    ),
    "carriage returns": (
        (HEADER + ROW).replace(b"\n", b"\r"),
        "has lines that end in a carriage return alone",
        _SHOWN,
    ),
    "something else": (b"hello\n", "has no columns", None),
    "control characters": (b"id,\x1b[2Jhello\n", "has no columns", "id,\\x1b[2Jhello"),
}


@pytest.fixture(scope="module")
async def loaded(
    postgres: Server, template: asyncpg.Connection, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """Return the URL of a database with an export; no test changes it."""
    await template.execute("CREATE DATABASE loaded TEMPLATE template STRATEGY file_copy")
    url = postgres.dsn("loaded")
    await load(url, write_export(tmp_path_factory.mktemp("old")))
    yield url
    await template.execute("DROP DATABASE loaded WITH (FORCE)")


@pytest.mark.parametrize("what", _FILES)
async def test_only_a_header_is_shown_with_what_the_file_looks_like(
    loaded: str, tmp_path: Path, what: str
) -> None:
    data, finding, first_line = _FILES[what]
    before = await contents(loaded)
    folder = write_export(tmp_path / "new")
    path = folder / "questions.csv"
    path.write_bytes(data)
    place = ("--rejects", str(tmp_path / "rejects.csv"))
    for options in (("--replace", "--yes"), ("--dry-run",)):
        done = run(
            tmp_path / "home",
            "import",
            str(folder),
            *place,
            *options,
            ATELIER_DATABASE_URL=loaded,
        )
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert done.stderr.startswith(f"atelier: {path} {finding}")
        shown = done.stderr.partition(" The first line is: ")[2]
        assert shown.startswith(first_line) if first_line else not shown
        assert done.stderr.isascii()
        assert "\x1b" not in done.stderr
    assert await contents(loaded) == before
    assert await schemas(loaded) == {"atelier"}


@pytest.mark.parametrize(
    ("start", "finding"),
    [
        (b"", "is empty: its first line must name its columns"),
        (b"BZh91AY", "looks like bzip2 data"),
        (b"\xfd7zXZ\x00", "looks like xz data"),
        (b"\x28\xb5\x2f\xfd", "looks like Zstandard data"),
        (b"PK\x03\x04 xl/workbook.xml", "looks like a spreadsheet"),
        (b"PK\x03\x04 questions.csv", "looks like a ZIP archive"),
        (b"\xd0\xcf\x11\xe0", "looks like an Excel workbook"),
    ],
)
def test_other_formats_are_named(database: str, tmp_path: Path, start: bytes, finding: str) -> None:
    folder = write_export(tmp_path / "new")
    (folder / "questions.csv").write_bytes(start)
    done = run(
        tmp_path / "home",
        "import",
        str(folder),
        "--rejects",
        str(tmp_path / "rejects.csv"),
        ATELIER_DATABASE_URL=database,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert f"questions.csv {finding}" in done.stderr
