"""`atelier db upgrade`: the embedded PostgreSQL's data moves to a newer major version."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from atelier.local.host.locks import is_free
from atelier.local.host.programs import major_version
from tests.support.commands import ATELIER, environment, left_behind, run
from tests.support.parts import require_or_skip
from tests.support.postgres import INSTALLED, server, temporary_folder
from tests.support.waiting import wait_until

_OLD, _NEW = INSTALLED.get("system-15"), INSTALLED["embedded"]


@pytest.fixture(scope="module")
def original() -> Iterator[Path]:
    """Return a home whose data an older PostgreSQL created, with some rows."""
    old = require_or_skip(
        _OLD, "PostgreSQL 15 is not installed (Debian: apt-get install postgresql)"
    )
    with temporary_folder() as folder:
        home = folder / "home"
        home.mkdir()
        with server(old, home):
            pass
        (home / "data").rename(home / "postgresql")
        for command in (
            ("migrate",),
            ("generate", str(folder / "export"), "--products", "50"),
            ("import", "--yes", str(folder / "export")),
        ):
            done = run(home, *command)
            assert done.returncode == 0, done.stderr
        yield home


@pytest.fixture
def home(original: Path) -> Iterator[Path]:
    copy = original.with_name("copy")
    subprocess.run(["cp", "-a", original, copy], check=True)
    yield copy
    run(copy, "db", "stop")
    assert left_behind(copy) == []
    shutil.rmtree(copy)


def versions(home: Path) -> dict[str, int]:
    """Return the folders with data, with the version of each."""
    files = sorted(home.glob("*/PG_VERSION"))
    return {file.parent.name: int(file.read_text()) for file in files}


def verify(home: Path) -> None:
    done = run(home, "verify", str(home.parent / "export"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_row_is_there_afterwards_and_the_old_data_is_kept(home: Path) -> None:
    upgraded = run(home, "db", "upgrade", "--yes")
    assert upgraded.returncode == 0, upgraded.stderr
    new = major_version(_NEW)
    assert versions(home) == {"postgresql": new, "postgresql-15": 15}
    verify(home)
    again = run(home, "db", "upgrade")
    assert (again.returncode, "newest" in again.stdout) == (0, True)
    # The way back: the kept folder takes the place of the new one.
    shutil.rmtree(home / "postgresql")
    (home / "postgresql-15").rename(home / "postgresql")
    verify(home)


def test_it_asks_first_and_says_how_much_is_copied(home: Path) -> None:
    asked = run(home, "db", "upgrade")
    assert asked.returncode != 0
    assert "from PostgreSQL 15 to" in asked.stdout
    assert versions(home) == {"postgresql": 15}


def test_a_running_server_is_not_upgraded(home: Path) -> None:
    assert run(home, "db", "start").returncode == 0
    refused = run(home, "db", "upgrade", "--yes")
    assert refused.returncode == 1
    assert "`atelier db stop`" in refused.stderr
    assert versions(home) == {"postgresql": 15}


def test_a_killed_upgrade_leaves_the_data_and_can_be_repeated(home: Path) -> None:
    process = subprocess.Popen([*ATELIER, "db", "upgrade", "--yes"], env=environment(home))
    while not (home / "postgresql.upgrade" / "pg_upgrade_output.d").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: is_free(home / "lock" / "users"), "pg_upgrade goes on")
    assert versions(home)["postgresql"] == 15
    assert run(home, "db", "upgrade", "--yes").returncode == 0
    assert versions(home) == {"postgresql": major_version(_NEW), "postgresql-15": 15}
    verify(home)
