"""Nobody loses rows to `import --replace` without having said yes."""

import os
import pty
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from atelier.transfer.files.layout import FILES
from tests.support.commands import ATELIER, environment, run
from tests.transfer.exports import contents, fetch, load, made_up, schemas, write_export

_SECONDS = 60
_CTRL_C = b"\x03"
_INTERRUPTED = 130
_FEWER = (
    "questions 3 instead of",
    "--replace would leave fewer rows in database ",
)


@dataclass
class Terminal:
    """A command on a terminal of its own."""

    process: subprocess.Popen[bytes]
    end: int
    said: str = ""

    def wait_for(self, text: str) -> None:
        """Read until it has said something; a terminal breaks lines, so blanks do not count."""
        while _squeezed(text) not in _squeezed(self.said):
            assert self._read(), self.said

    def type(self, keys: bytes) -> None:
        os.write(self.end, keys)

    def exit_code(self) -> int:
        while self._read():
            pass
        return self.process.wait(_SECONDS)

    def _read(self) -> bool:
        silent = not select.select([self.end], [], [], _SECONDS)[0]
        assert not silent, self.said
        with suppress(OSError):  # the other end is closed
            data = os.read(self.end, 65536)
            self.said += data.decode(errors="replace")
            return bool(data)
        return False


def _squeezed(text: str) -> str:
    return "".join(text.split())


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@contextmanager
def on_a_terminal(dsn: str, folder: Path, *options: str) -> Iterator[Terminal]:
    """Run `atelier import FOLDER --replace` where somebody can answer."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        # setsid --ctty: Ctrl-C becomes a signal only on the terminal that controls the session.
        ["setsid", "--ctty", "--wait", *ATELIER, "import", str(folder), "--replace", *options],
        env=environment(folder / "home", ATELIER_DATABASE_URL=dsn, COLUMNS="300"),
        cwd=folder,
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.fixture
async def filled(database: str, tmp_path: Path) -> str:
    await load(database, made_up(tmp_path / "old"))
    return database


@pytest.fixture
def smaller(tmp_path: Path) -> Path:
    return write_export(tmp_path / "smaller")


async def test_no_leaves_every_row(filled: str, smaller: Path) -> None:
    before = await contents(filled)
    with on_a_terminal(filled, smaller) as terminal:
        terminal.wait_for("Continue? [y/N]")
        for text in _FEWER:
            assert text in terminal.said
        terminal.type(b"n\n")
        assert terminal.exit_code() == 1
        assert "The import was cancelled: nothing was changed." in terminal.said
    assert await contents(filled) == before
    assert await schemas(filled) == {"atelier"}


async def test_merely_enter_means_no(filled: str, smaller: Path) -> None:
    before = await contents(filled)
    with on_a_terminal(filled, smaller) as terminal:
        terminal.wait_for("Continue? [y/N]")
        terminal.type(b"\n")
        assert terminal.exit_code() == 1
    assert await contents(filled) == before


async def test_yes_replaces_and_says_what_was_removed(filled: str, smaller: Path) -> None:
    (number,) = (await fetch(filled, "SELECT count(*) FROM questions"))[0]
    with on_a_terminal(filled, smaller) as terminal:
        terminal.wait_for("Continue? [y/N]")
        terminal.type(b"y\n")
        assert terminal.exit_code() == 0
        assert "Imported into database " in terminal.said
        assert f"questions 3 instead of {number:,}" in terminal.said
        assert terminal.said.count("Continue?") == 1
        removed = next(line for line in terminal.said.splitlines() if "removed" in line)
        assert f" {number - 3:,} " in removed
    assert len((await contents(filled))["questions"]) == 3


async def test_ctrl_c_ends_the_question_and_leaves_every_row(filled: str, smaller: Path) -> None:
    before = await contents(filled)
    with on_a_terminal(filled, smaller) as terminal:
        terminal.wait_for("Continue? [y/N]")
        terminal.type(_CTRL_C)
        assert terminal.exit_code() == _INTERRUPTED
        assert "Traceback" not in terminal.said
    assert await contents(filled) == before
    assert await schemas(filled) == {"atelier"}
    assert files_in(smaller) == {file.name for file in FILES}


async def test_who_said_yes_before_is_not_asked(filled: str, smaller: Path) -> None:
    with on_a_terminal(filled, smaller, "--yes") as terminal:
        assert terminal.exit_code() == 0
        assert "Continue?" not in terminal.said
    assert len((await contents(filled))["questions"]) == 3


async def test_nobody_is_asked_where_no_row_is_lost(database: str, tmp_path: Path) -> None:
    await load(database, write_export(tmp_path / "old"))
    with on_a_terminal(database, made_up(tmp_path / "larger")) as terminal:
        assert terminal.exit_code() == 0
        assert "Continue?" not in terminal.said


async def test_rows_that_turn_out_to_be_rejected_count_as_lost(
    database: str, tmp_path: Path
) -> None:
    await load(database, write_export(tmp_path / "old"))
    orphans = [b'%d,99,"t",5,"n","e",0,0' % id_ for id_ in (10, 11, 12)]
    folder = write_export(tmp_path / "new", answers=orphans)
    with on_a_terminal(database, folder) as terminal:
        terminal.wait_for("Continue? [y/N]")
        assert "answers 0 instead of 3, photos 0 instead of 2" in terminal.said
        terminal.type(b"n\n")
        assert terminal.exit_code() == 1
    assert len((await contents(database))["answers"]) == 3


@pytest.mark.parametrize("rows", ["fewer", "none"])
async def test_where_there_is_no_terminal_yes_must_be_given(
    filled: str, tmp_path: Path, rows: str
) -> None:
    before = await contents(filled)
    empty: dict[str, list[bytes]] = {"questions": [], "answers": [], "photos": []}
    folder = write_export(tmp_path / "new", **(empty if rows == "none" else {}))
    command = ["import", str(folder), "--replace", "--rejects", str(tmp_path / "rejects.csv")]
    refused = run(tmp_path / "home", *command, ATELIER_DATABASE_URL=filled)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), refused.stderr
    assert "Nothing was changed; add --yes to import all the same." in refused.stderr
    assert await contents(filled) == before
    assert await schemas(filled) == {"atelier"}

    done = run(tmp_path / "home", *command, "--yes", ATELIER_DATABASE_URL=filled)
    assert done.returncode == 0, done.stderr
    assert "Nothing" not in done.stdout
    assert len((await contents(filled))["questions"]) == (0 if rows == "none" else 3)


async def test_files_without_rows_are_said_to_have_none(filled: str, tmp_path: Path) -> None:
    before = await contents(filled)
    folder = write_export(tmp_path / "new", questions=[], answers=[], photos=[])
    command = ["import", str(folder), "--rejects", str(tmp_path / "rejects.csv")]
    done = run(tmp_path / "home", *command, ATELIER_DATABASE_URL=filled)
    assert "Nothing to import: the files have no rows." in done.stdout
    assert await contents(filled) == before
