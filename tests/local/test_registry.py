"""Commands create no database implicitly, and find this user's running service."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from atelier.local.host import registry
from atelier.local.host.home import Home
from atelier.local.host.locks import shared
from atelier.local.host.registry import running_elsewhere
from atelier.local.supervisor.preflight import exclusive_service
from tests.support.commands import run
from tests.support.postgres import temporary_folder

_NEED_A_DATABASE = (
    ("import", "/"),
    ("import", "/", "--dry-run"),
    ("export", "exported"),
    ("verify", "/"),
    ("migrate",),
    ("serve", "--port", "1"),
    ("db", "psql"),
    ("db", "status"),
)
_NEED_A_SERVICE = (("status",), ("reload",), ("scale", "2"), ("logs",))


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with temporary_folder() as folder:
        monkeypatch.setattr("tempfile.tempdir", str(folder))
        yield folder


@contextmanager
def service(home: Path, *, embedded: bool = True) -> Iterator[None]:
    """Hold the locks of a running service."""
    made = Home.open(home)
    with exclusive_service(made, 8080), shared(made.lock("users" if embedded else "start")):
        yield


def said_by(home: Path, commands: Sequence[Sequence[str]]) -> list[str]:
    """Run commands that must fail with one line each; return the lines."""
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda command: run(home, *command), commands))
    assert {each.returncode for each in done} == {1}, [each.stderr for each in done]
    assert {each.stderr.count("\n") for each in done} == {1}, [each.stderr for each in done]
    return [each.stderr for each in done]


def test_command_without_a_database_gives_a_remedy_and_creates_nothing(folder: Path) -> None:
    home = folder / "new"
    for line in said_by(home, _NEED_A_DATABASE):
        assert line.startswith(f"atelier: There is no database in {home}: `atelier up` or")
        assert "ATELIER_HOME" in line
        assert "ATELIER_DATABASE_URL" in line
    for line in said_by(home, _NEED_A_SERVICE):
        assert str(home) in line
        assert "`atelier up`" in line
    assert run(home, "db", "stop").stdout == "PostgreSQL is stopped.\n"
    assert not home.exists()


def test_command_without_a_database_names_the_home_of_the_running_service(
    folder: Path,
) -> None:
    with service(folder / "run ning"):
        needed = f"`ATELIER_HOME='{folder}/run ning' atelier ...` uses its database"
        for line in said_by(folder / "new", _NEED_A_DATABASE):
            assert needed in line
        for line in said_by(folder / "new", _NEED_A_SERVICE):
            assert f"runs in {folder}/run ning: set ATELIER_HOME to that" in line
        assert not (folder / "new").exists()
    with service(folder / "given", embedded=False):
        assert "an ATELIER_DATABASE_URL" in said_by(folder / "new", [("import", "/")])[0]


def test_command_on_another_database_than_the_running_services_warns(folder: Path) -> None:
    own = folder / "own"
    assert run(own, "db", "start").returncode == 0
    with service(folder / "running"):
        done = run(own, "db", "psql", "-Atc", "SELECT 1")
        assert done.stdout == "1\n"
        assert done.stderr.startswith(f"atelier: This uses the database in {own}, but your")
        assert f"ATELIER_HOME={folder}/running" in done.stderr
        with service(own):
            assert run(own, "db", "psql", "-Atc", "SELECT 1").stderr == ""
    assert run(own, "db", "psql", "-Atc", "SELECT 1").stderr == ""
    assert run(own, "db", "stop").returncode == 0


def test_running_service_is_found_by_others_but_not_by_itself(folder: Path) -> None:
    with service(folder / "a"):
        assert running_elsewhere(folder / "b") == folder / "a"
        assert running_elsewhere(folder / "a") is None
        (folder / "link").symlink_to(folder / "a")
        assert running_elsewhere(folder / "link") is None
        with service(folder / "b"):
            assert running_elsewhere(folder / "b") == folder / "a"
    assert running_elsewhere(folder / "b") is None


def test_entry_of_a_killed_service_is_removed(folder: Path) -> None:
    with registry.registered(Home.open(folder / "a").path):
        (folder / "a" / "lock" / "up").write_text("http://127.0.0.1:8080 (process 1)")
        assert len(_entries(folder)) == 1
        assert running_elsewhere(folder / "b") is None
        assert _entries(folder) == []


def test_entries_writable_by_others_are_ignored(folder: Path) -> None:
    with service(folder / "a"):
        place = folder / f"atelier-services-{os.geteuid()}"
        assert place.stat().st_mode & 0o777 == 0o700
        place.chmod(0o777)
        assert running_elsewhere(folder / "b") is None
        with service(folder / "b"):
            assert len(_entries(folder)) == 1


def _entries(folder: Path) -> list[Path]:
    return list((folder / f"atelier-services-{os.geteuid()}").iterdir())
