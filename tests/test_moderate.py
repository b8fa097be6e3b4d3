"""`atelier moderate`: the queue and decisions on the command line."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from atelier.store.connections.database import connect
from tests.support.commands import run
from tests.support.data import Data


class Shell:
    """Runs commands on a database."""

    def __init__(self, home: Path, database: str) -> None:
        self._home = home
        self._database = database

    def __call__(self, *arguments: str) -> CompletedProcess[str]:
        return run(self._home, "moderate", *arguments, ATELIER_DATABASE_URL=self._database)

    def lines(self, *arguments: str) -> list[dict[str, object]]:
        done = self(*arguments, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def shell(tmp_path: Path, database: str) -> Shell:
    return Shell(tmp_path / "home", database)


async def add(database: str, *, reported: bool = False) -> int:
    connection = await connect(database)
    number = await Data(connection).question(1, body="Why?", reported=reported)
    await connection.close()
    return number


async def test_reported_question_is_found_decided_and_the_decision_undone(
    shell: Shell, database: str
) -> None:
    number = str(await add(database, reported=True))
    [item] = shell.lines("queue")
    shown = shell("queue").stdout
    assert all(text in shown for text in ("question", str(item["version"]), "Why?"))
    version = str(item["version"])
    done = shell("restore", "question", number, "--reason", "fine", "--version", version)
    assert done.stdout == f"Decision 1: restore question {number}, now visible.\n"
    assert shell.lines("queue") == []
    done = shell("remove", "question", number, "--reason", "spam", "--version", version)
    assert done.returncode == 1
    assert "Another decision was made since: 1, restore by" in done.stderr
    done = shell("undo", "1", "--reason", "mistake")
    assert done.stdout == f"Decision 2: undo question {number}, now reported.\n"
    assert [each["id"] for each in shell.lines("decisions")] == [1, 2]
    assert "restore" in shell("decisions").stdout


async def test_seller_answers_and_corrects(shell: Shell, database: str) -> None:
    number = str(await add(database))
    shell("answer", number, "--reason", "service", "--text", "Because.")
    shell("edit", "question", number, "--reason", "typo", "--text", "Why not?")
    items = shell.lines("queue", "--filter", "newest")
    objects = [item["object"] for item in items]
    assert [each["body"] for each in objects] == ["Because.", "Why not?"]  # type: ignore[index] # an object


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("remove", "question", "99", "--reason", "spam"), 1, "It does not exist"),
        (("undo", "99", "--reason", "spam"), 1, "It does not exist"),
        (("remove", "question", "1", "--reason", "Not a code"), 2, "reason must be a code"),
        (("edit", "answer", "1", "--reason", "typo", "--text", " "), 2, "not only spaces"),
        (("queue", "--filter", "newest", "--product", "1"), 2, "excludes --product"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    shell: Shell, arguments: tuple[str, ...], code: int, text: str
) -> None:
    done = shell(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert text in done.stderr
    assert "Traceback" not in done.stderr
