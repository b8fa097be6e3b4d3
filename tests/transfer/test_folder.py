"""The folder of an export holds the old files or the new ones, whenever an export is killed."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from atelier.errors import AtelierError
from atelier.store.connections.database import connect
from atelier.transfer.exporter.exporter import export
from atelier.transfer.files.folder import find, new_files
from atelier.transfer.files.layout import FILES
from tests.support.commands import ATELIER, environment, run
from tests.support.disk import small_disk
from tests.support.waiting import wait_until
from tests.transfer.exports import SILENT, check, fetch, load, made_up, write_export

_NAMES = {file.name for file in FILES}
_SYSTEM_CALLS = range(1, 100)

# Kills itself before the system call of this number that changes a folder or a file's place.
_EXPORT_KILLED_AT = """
import os, signal, sys
from pathlib import Path

folder, fatal = Path(sys.argv[1]), int(sys.argv[2])
calls = 0

def deadly(call):
    def called(*args, **options):
        global calls
        calls += 1
        if calls == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **options)
    return called

for name in ("rename", "replace", "unlink", "fsync"):
    setattr(os, name, deadly(getattr(os, name)))

from atelier.transfer.files.folder import new_files
with new_files(folder, force=True) as files:
    for file, output in files.items():
        output.write(b"new " * 100_000 + file.name.encode())
"""


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def found(folder: Path) -> dict[str, bytes]:
    """Return what an import or a verification of the folder reads."""
    return {file.name: path.read_bytes() for file, path in find(folder).items()}


def write_all(folder: Path, word: bytes, *, force: bool = False) -> None:
    with new_files(folder, force=force) as files:
        for file, output in files.items():
            output.write(word * 100_000 + file.name.encode())


def kill_at(folder: Path, number: int) -> bool:
    """Run an export of new files, killed before a system call; say whether it got that far."""
    command = [sys.executable, "-c", _EXPORT_KILLED_AT, str(folder), str(number)]
    code = subprocess.run(command, check=False).returncode
    assert code in (0, -signal.SIGKILL)
    return code != 0


def expected(word: bytes) -> dict[str, bytes]:
    return {name: word * 100_000 + name.encode() for name in _NAMES}


def test_a_kill_before_any_step_leaves_all_old_files_or_all_new_ones(tmp_path: Path) -> None:
    seen = []
    for number in _SYSTEM_CALLS:
        folder = tmp_path / str(number)
        write_all(folder, b"old ")
        if not kill_at(folder, number):
            break
        seen.append(found(folder))
    else:
        pytest.fail("it never came to its end")
    old, new = expected(b"old "), expected(b"new ")
    assert all(files in (old, new) for files in seen)
    assert old in seen
    assert new in seen
    assert seen == sorted(seen, key=lambda files: files == new), "once new, always new"


def test_after_a_kill_the_same_command_works_and_nothing_is_left_over(tmp_path: Path) -> None:
    for number in _SYSTEM_CALLS:
        folder = tmp_path / str(number)
        write_all(folder, b"old ")
        was_killed = kill_at(folder, number)
        write_all(folder, b"newer ", force=True)
        assert snapshot(folder) == expected(b"newer ")
        if not was_killed:
            break


def test_what_a_killed_export_left_is_removed_even_where_the_next_is_refused(
    tmp_path: Path,
) -> None:
    for number in _SYSTEM_CALLS:
        folder = tmp_path / str(number)
        write_all(folder, b"old ")
        if not kill_at(folder, number):
            break
        with pytest.raises(AtelierError, match="already holds"):
            write_all(folder, b"refused ")
        assert snapshot(folder) in (expected(b"old "), expected(b"new "))


@pytest.fixture
async def filled(database: str, tmp_path: Path) -> str:
    await load(database, made_up(tmp_path / "made up"))
    return database


async def locked(dsn: str) -> asyncpg.Connection:
    """Return a connection that keeps an export from reading photos."""
    connection = await connect(dsn)
    await connection.execute("BEGIN; LOCK TABLE photos IN ACCESS EXCLUSIVE MODE")
    return connection


def running(dsn: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*ATELIER, "export", str(folder), "--force"],
        env=environment(folder.parent / "home", ATELIER_DATABASE_URL=dsn),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_an_export_that_is_ended_while_it_writes_leaves_the_old_files(
    filled: str, tmp_path: Path, signal_: signal.Signals
) -> None:
    folder = tmp_path / "export"
    await export(filled, folder, progress=SILENT)
    before = found(folder)
    await fetch(filled, "UPDATE questions SET body = 'new'")
    holder = await locked(filled)
    with running(filled, folder) as process:
        wait_until(lambda: len(list(folder.glob("*.partial"))) == len(FILES), "it never wrote")
        process.send_signal(signal_)
        process.wait(60)
    await holder.close()
    assert found(folder) == before

    again = run(tmp_path / "home", "export", str(folder), "--force", ATELIER_DATABASE_URL=filled)
    assert again.returncode == 0, again.stderr
    assert set(snapshot(folder)) == _NAMES
    assert (await check(filled, folder)).ok


async def test_a_second_export_into_the_same_folder_is_refused(filled: str, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    holder = await locked(filled)
    with running(filled, folder) as process:
        wait_until(lambda: len(list(folder.glob("*.partial"))) == len(FILES), "it never wrote")
        for options in ([], ["--force"]):
            second = run(
                tmp_path / "home", "export", str(folder), *options, ATELIER_DATABASE_URL=filled
            )
            assert (second.returncode, second.stderr.count("\n")) == (1, 1)
            assert "Another export into" in second.stderr
        await holder.close()
    assert process.returncode == 0
    assert (await check(filled, folder)).ok
    assert set(snapshot(folder)) == _NAMES


async def test_an_export_is_overwritten_only_with_force(filled: str, tmp_path: Path) -> None:
    folder, home = tmp_path / "export", tmp_path / "home"
    first = run(home, "export", str(folder), ATELIER_DATABASE_URL=filled)
    assert first.returncode == 0, first.stderr
    before = snapshot(folder)
    await fetch(filled, "UPDATE questions SET helpful = helpful + 1")

    refused = run(home, "export", str(folder), ATELIER_DATABASE_URL=filled)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "or overwrite with --force" in refused.stderr
    assert snapshot(folder) == before

    forced = run(home, "export", str(folder), "--force", ATELIER_DATABASE_URL=filled)
    assert forced.returncode == 0, forced.stderr
    assert set(snapshot(folder)) == _NAMES
    assert snapshot(folder) != before
    assert (await check(filled, folder)).ok


@pytest.mark.parametrize("name", sorted(_NAMES))
def test_one_file_of_an_export_is_enough_to_refuse(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"precious")
    with pytest.raises(AtelierError, match=f"already holds {name}: .*--force"):
        write_all(tmp_path, b"new ")
    assert snapshot(tmp_path) == {name: b"precious"}


@pytest.mark.parametrize("force", [False, True])
def test_no_file_is_written_beside_its_compressed_self(tmp_path: Path, *, force: bool) -> None:
    (tmp_path / "answers.csv.gz").write_bytes(b"precious")
    with pytest.raises(AtelierError, match=r"cannot be imported.*remove answers.csv.gz"):
        write_all(tmp_path, b"new ", force=force)
    assert snapshot(tmp_path) == {"answers.csv.gz": b"precious"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "256K") as disk:
        yield disk


async def test_a_full_disk_is_one_line_and_leaves_the_old_files(
    database: str, tmp_path: Path, disk: Path
) -> None:
    await load(database, write_export(tmp_path / "small"))
    home, folder = tmp_path / "home", disk / "export"
    assert run(home, "export", str(folder), ATELIER_DATABASE_URL=database).returncode == 0
    before = snapshot(folder)
    await load(database, made_up(tmp_path / "large", products=1_000))

    full = run(home, "export", str(folder), "--force", ATELIER_DATABASE_URL=database)
    assert (full.returncode, full.stderr.count("\n")) == (1, 1), full.stderr
    assert "No space left on device" in full.stderr
    assert snapshot(folder) == before


def test_an_import_waits_for_no_one_to_put_a_complete_export_in_place(tmp_path: Path) -> None:
    """A copy of the folder of a killed export is as good as the folder."""
    for number in _SYSTEM_CALLS:
        folder = tmp_path / str(number)
        write_all(folder, b"old ")
        if not kill_at(folder, number):
            break
        copied = shutil.copytree(folder, tmp_path / f"{number}, copied")
        assert found(copied) == found(folder)
        assert not os.path.lexists(copied / "questions.csv.complete")
