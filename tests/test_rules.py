"""`atelier moderate rules` and `try`: files of rules, their versions, and trials."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import asyncpg
import pytest

from atelier.store.connections.database import connect
from tests.support.commands import run
from tests.support.data import Data

RULES = """\
[[rule]]
name = "casino"
kind = "words"
action = "refuse"
words = ["casino"]

[[rule]]
name = "links"
kind = "links"
action = "hold"
max = 1

[[rule]]
name = "strangers"
kind = "new_address"
action = "hold"
within_days = 30
"""


class Shell:
    """Runs commands on a database, with a file of rules."""

    def __init__(self, folder: Path, database: str) -> None:
        self._folder = folder
        self._database = database

    def __call__(self, *arguments: str, rules: str = RULES) -> CompletedProcess[str]:
        file = self._folder / "rules.toml"
        file.write_text(rules, encoding="utf-8")
        given = [str(file) if each == "FILE" else each for each in arguments]
        return run(self._folder, "moderate", *given, ATELIER_DATABASE_URL=self._database)


@pytest.fixture
def shell(tmp_path: Path, database: str) -> Shell:
    return Shell(tmp_path, database)


async def test_versions_are_put_in_force_and_never_change(shell: Shell, database: str) -> None:
    assert shell("rules", "apply", "FILE").stdout == "Version 1 is in force.\n"
    assert shell("rules", "apply", "FILE").stdout == "Version 1 is already in force.\n"
    shown = shell("rules", "show")
    assert shown.stdout == RULES
    assert shown.stderr.startswith("Version 1, put in force at ")
    other = RULES.replace("max = 1", "max = 2")
    assert shell("rules", "apply", "FILE", rules=other).stdout == "Version 2 is in force.\n"
    assert shell("rules", "off", "--replaces", "1").returncode == 1
    assert shell("rules", "off", "--replaces", "2").stdout == "No rules are in force.\n"
    assert "No rules are in force." in shell("rules", "show").stderr
    assert shell("rules", "show", "--version", "1").stdout == RULES
    lines = [json.loads(line) for line in shell("rules", "history", "--json").stdout.splitlines()]
    assert [each["version"] for each in lines] == [None, 2, 1]
    assert all("@" in each["actor"] for each in lines)
    connection = await connect(database)
    for change in ("UPDATE moderation_rules SET source = ''", "DELETE FROM moderation_rules"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(change)
    await connection.close()


async def test_a_trial_counts_what_rules_would_have_done_and_what_moderators_did(
    shell: Shell, database: str
) -> None:
    connection = await connect(database)
    data = Data(connection)
    now = datetime.now(UTC)
    for body, days, decision in (
        ("a casino", 1, "remove"),
        ("the Casino, next door", 2, "restore"),
        ("\x07casino\u202e", 3, None),
        ("http://a.example and www.b.example", 4, "remove"),
        ("casino", 91, None),
        ("fine", 5, "remove"),
    ):
        number = await data.question(7, body=body, date=now - timedelta(days=days))
        if decision:
            await connection.execute(
                "SELECT decide('anna', ARRAY['question'], ARRAY[$1::bigint], ARRAY[$2], '{NULL}',"
                " '{spam}', '{NULL}', '{NULL}')",
                number,
                decision,
            )
    await connection.close()
    shown = json.loads(shell("try", "FILE", "--days", "90", "--json").stdout)
    assert shown["looked_at"] == {"posts": 5, "removed": 3, "kept": 1}
    assert (shown["would_be_refused"], shown["would_be_held"]) == (3, 1)
    casino, links, strangers = shown["rules"]
    assert casino["matched"] == {"posts": 3, "removed": 1, "kept": 1}
    assert [each["text"] for each in casino["examples"]] == [
        "\\x07casino\\u202e",
        "the Casino, next door",
        "a casino",
    ]
    assert (links["decided"], links["matched"]["removed"]) == (1, 1)
    assert (strangers["known"], strangers["matched"]) == (False, None)
    printed = shell("try", "FILE", "--examples", "1")
    assert printed.returncode == 0
    assert printed.stdout.startswith(
        "5 posts of the last 90 days: 1 would have been held, 3 refused. "
        "Moderators removed 3 of all, and kept 1.\n"
    )
    assert "(removed by a moderator): a casino\n" in printed.stdout
    assert "no addresses are stored" in printed.stdout


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("words =", "wrods =", 'line 1, rule "casino": unknown key "wrods"; do you mean "words"?'),
        ('kind = "links"', 'kind = "link"', 'line 7, rule "links": kind: write "links"'),
        ("max = 1", "max = 1.5", 'line 7, rule "links": max: write a whole number from 0 to 100'),
        ('action = "hold"\nmax', 'action = "drop"\nmax', 'action: write "hold" or "refuse"'),
        ('"casino"]', '"!!!"]', "words: '!!!' must be a text of at most 100 characters with a"),
        ('name = "links"', 'name = "casino"', "name: another rule has this name"),
        ('[[rule]]\nname = "links"', '[[rules]]\nname = "links"', 'unknown key "rules"; do you'),
        ("max = 1", "max = = 1", "this is not TOML: Invalid value (at line 11, column 7)"),
        ('"hold"\nwithin', '"refuse"\nwithin', 'write "hold": an address that is refused would'),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, error: str
) -> None:
    assert old in RULES
    done = Shell(tmp_path, "postgresql:///unused")(
        "rules", "check", "FILE", rules=RULES.replace(old, new)
    )
    assert done.returncode == 1
    assert error in done.stderr


def test_a_valid_file_is_checked_without_a_database(tmp_path: Path) -> None:
    done = Shell(tmp_path, "postgresql:///unused")("rules", "check", "FILE")
    assert done.stdout == "3 rules: casino, links, strangers.\n"
