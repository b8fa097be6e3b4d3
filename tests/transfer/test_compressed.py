"""Files compressed with gzip are read like those that are not."""

import gzip
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from atelier.errors import AtelierError
from atelier.transfer.files.layout import FILES
from tests.support.commands import run
from tests.transfer.exports import check, contents, count, load, made_up, schemas, write_export
from tests.transfer.reading import HEADER, ROW, read

_COMMANDS = ("import", "verify")


def compress(folder: Path, *, name: str = "{}.gz") -> Path:
    for file in FILES:
        path = folder / file.name
        data = path.read_bytes()
        path.unlink()
        (folder / name.format(file.name)).write_bytes(gzip.compress(data))
    return folder


def said_by_import(dsn: str, folder: Path, *options: str) -> str:
    """Run an import that must be refused with one line; return it."""
    home = folder.parent / "home"
    place = ("--rejects", str(folder.parent / "rejects.csv"))
    done = run(home, "import", str(folder), *place, *options, ATELIER_DATABASE_URL=dsn)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith("atelier: ")
    return done.stderr


@pytest.mark.parametrize("name", ["{}.gz", "{}"], ids=["named .csv.gz", "named .csv"])
async def test_compressed_files_are_imported_counted_and_verified(
    database: str, tmp_path: Path, name: str
) -> None:
    plain = made_up(tmp_path / "plain")
    packed = compress(made_up(tmp_path / "packed"), name=name)
    rows = (await count(database, packed)).rows
    summary = await load(database, packed)
    assert (summary.rows, summary.rejected) == (rows, 0)
    for folder in (packed, plain):
        assert (await check(database, folder)).ok


async def test_a_file_named_gz_that_is_not_compressed_is_read_as_it_is(
    database: str, tmp_path: Path
) -> None:
    folder = write_export(tmp_path / "export")
    (folder / "answers.csv").rename(folder / "answers.csv.gz")
    assert (await load(database, folder)).rows == 8
    assert (await check(database, folder)).ok


async def test_the_command_reads_a_folder_of_compressed_and_plain_files(
    database: str, tmp_path: Path
) -> None:
    folder = write_export(tmp_path / "export", photos=[b"broken"])
    (folder / "answers_photos.csv.gz").write_bytes(
        gzip.compress((folder / "answers_photos.csv").read_bytes())
    )
    (folder / "answers_photos.csv").unlink()
    settings = {"ATELIER_DATABASE_URL": database}
    place = tmp_path / "rejects.csv"
    done = run(tmp_path / "home", "import", str(folder), "--rejects", str(place), **settings)
    assert done.returncode == 0, done.stderr
    assert place.read_text().splitlines()[1].startswith("answers_photos.csv,2,")
    assert run(tmp_path / "home", "verify", str(folder), **settings).returncode == 0


def test_several_members_and_padding_are_read_to_the_end(tmp_path: Path) -> None:
    data = gzip.compress(HEADER) + gzip.compress(ROW) + gzip.compress(b"2" + ROW[1:]) + bytes(100)
    assert [row.id for row in read(tmp_path, data).rows] == [1, 2]


def _truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _without_its_end(data: bytes) -> bytes:
    return data[:-1]


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


def _with_a_wrong_checksum(data: bytes) -> bytes:
    return data[:-8] + zlib.crc32(b"other").to_bytes(4, "little") + data[-4:]


def _followed_by_rubbish(data: bytes) -> bytes:
    return data + b"rubbish"


def _only_the_first_bytes(data: bytes) -> bytes:
    return data[:3]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_truncated, "is incomplete: its gzip data ends too early. Copy it again."),
        (_without_its_end, "is incomplete"),
        (_only_the_first_bytes, "is incomplete"),
        (_flipped, "is damaged: its gzip data cannot be decompressed"),
        (_with_a_wrong_checksum, "is damaged"),
        (_followed_by_rubbish, "is damaged"),
    ],
)
async def test_a_damaged_file_is_one_line_and_nothing_is_lost(
    database: str, tmp_path: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    await load(database, write_export(tmp_path / "old"))
    before = await contents(database)
    folder = compress(made_up(tmp_path / "new"))
    path = folder / "answers.csv.gz"
    path.write_bytes(damage(path.read_bytes()))
    for options in ([], ["--replace", "--yes"], ["--dry-run"]):
        line = said_by_import(database, folder, *options)
        assert "answers.csv.gz " in line
        assert message in line
    assert await contents(database) == before
    assert await schemas(database) == {"atelier"}
    assert not (tmp_path / "rejects.csv").exists()


async def test_a_file_that_is_there_twice_is_refused(database: str, tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export")
    (folder / "questions.csv.gz").write_bytes(gzip.compress(HEADER))
    for options in ([], ["--dry-run"]):
        line = said_by_import(database, folder, *options)
        assert "holds both questions.csv and questions.csv.gz: remove one of them." in line
    with pytest.raises(AtelierError, match="holds both"):
        await check(database, folder)
    assert (await contents(database))["questions"] == []


# Prints the most memory, in KiB, that reading a file took beyond what the interpreter takes.
_READ = """
import resource, sys
from pathlib import Path
from atelier.transfer.files.layout import QUESTIONS
from atelier.transfer.reader.reader import Reader

reader = Reader(Path(sys.argv[1]), QUESTIONS)
rows = sum(chunk.csv.count(b"\\n") for chunk in reader.chunks(lambda reject: None))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _read_apart(path: Path) -> tuple[int, int]:
    """Read a file in a process of its own; return its rows and its memory in KiB."""
    command = [sys.executable, "-c", _READ, str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows, memory = re.findall(r"\d+", output)
    return int(rows), int(memory)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """256 MiB of rows, far more than a reader may take, in one file and in a stream of members."""
    small, large = tmp_path / "small.gz", tmp_path / "large.gz"
    member = gzip.compress(ROW * (16 * 2**20 // len(ROW)))
    rows = 16 * 2**20 // len(ROW)
    small.write_bytes(gzip.compress(HEADER) + member)
    large.write_bytes(gzip.compress(HEADER) + member * 16)
    assert _read_apart(small)[0] == rows
    found, memory = _read_apart(large)
    assert found == 16 * rows
    assert memory - _read_apart(small)[1] < 32 * 2**10
