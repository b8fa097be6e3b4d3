"""The embedded PostgreSQL runs while it is used, even after crashes."""

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.commands import ATELIER, environment, left_behind, processes_of, run
from tests.support.postgres import INSTALLED, server, temporary_folder
from tests.support.processes import wait_until_gone

_SLEEP = ("db", "psql", "-c", "SELECT pg_sleep(300)")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def made(folder: Path) -> Path:
    """Return a home with a database that is not running."""
    for command in (["db", "start"], ["migrate"], ["db", "stop"]):
        assert run(folder / "made", *command).returncode == 0
    return folder / "made"


@pytest.fixture
def home(made: Path) -> Iterator[Path]:
    """Return the home, and check that nothing is running after the test."""
    yield made
    run(made, "db", "stop")
    assert left_behind(made) == []


@pytest.fixture(scope="module")
def shown(made: Path) -> dict[str, str]:
    rows = select(made, "SELECT name || '=' || setting FROM pg_settings").splitlines()
    return dict(row.split("=", 1) for row in rows if "=" in row)


def select(home: Path, query: str) -> str:
    done = run(home, "db", "psql", "-Atc", query)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def sleeping_command(home: Path) -> subprocess.Popen[bytes]:
    """Start a command that uses the database, and wait until it does."""
    process = subprocess.Popen([*ATELIER, *_SLEEP], env=environment(home))
    while select(home, "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sl'") < "1":
        assert process.poll() is None
    return process


def test_concurrent_commands_on_a_new_home_succeed(folder: Path) -> None:
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: run(folder / "new", "db", "start"), range(4)))
    assert [each.returncode for each in done] == [0] * 4, [each.stderr for each in done]
    assert run(folder / "new", "db", "stop").returncode == 0
    assert left_behind(folder / "new") == []


def test_the_server_stops_with_the_last_command_that_uses_it(home: Path) -> None:
    assert select(home, "SELECT 1") == "1"
    assert left_behind(home) == []


def test_started_server_keeps_running_until_it_is_stopped(home: Path) -> None:
    assert "is not running" in run(home, "db", "status").stdout
    assert run(home, "db", "start").returncode == 0
    select(home, "CREATE TABLE public.kept (id int)")
    assert "PostgreSQL is running, not in use" in run(home, "db", "status").stdout
    assert run(home, "db", "stop").stdout == "PostgreSQL is stopped.\n"
    assert left_behind(home) == []


def test_stopped_server_keeps_running_for_a_command_that_uses_it(home: Path) -> None:
    run(home, "db", "start")
    user = sleeping_command(home)
    assert "last command" in run(home, "db", "stop").stdout
    assert user.poll() is None
    user.send_signal(signal.SIGKILL)
    user.wait()


def test_a_killed_command_leaves_nothing_running(home: Path) -> None:
    command = sleeping_command(home)
    family = processes_of(home)
    command.kill()
    command.wait()
    wait_until_gone(family)
    assert left_behind(home) == []
    assert select(home, "SELECT 1") == "1"


@pytest.mark.parametrize("victim", ["atelier.local.postgres.holder", "bin/postgres"])
def test_committed_rows_survive_a_killed_server(home: Path, victim: str) -> None:
    run(home, "db", "start")
    select(home, "CREATE TABLE IF NOT EXISTS public.kept (id int)")
    before = int(select(home, "SELECT count(*) FROM public.kept"))
    select(home, "INSERT INTO public.kept VALUES (1)")
    family = processes_of(home)
    os.kill(next(p.pid for p in family if victim in p.command), signal.SIGKILL)
    assert select(home, "SELECT count(*) FROM public.kept") == str(before + 1)


def test_killed_initdb_is_repeated(folder: Path) -> None:
    half = folder / "half" / "postgresql.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    assert run(folder / "half", "db", "start").returncode == 0
    assert select(folder / "half", "SELECT 1") == "1"
    assert run(folder / "half", "db", "stop").returncode == 0
    assert left_behind(folder / "half") == []


def test_data_of_a_missing_version_is_rejected_in_one_line(folder: Path) -> None:
    (folder / "old" / "postgresql").mkdir(parents=True)
    (folder / "old" / "postgresql" / "PG_VERSION").write_text("9")
    refused = run(folder / "old", "migrate")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "created by PostgreSQL 9, which is not installed" in refused.stderr


@pytest.mark.parametrize("version", INSTALLED)
def test_data_is_served_by_the_version_that_created_it(folder: Path, version: str) -> None:
    home = folder / version
    home.mkdir()
    with server(INSTALLED[version], home) as running:
        number = (running.data / "PG_VERSION").read_text().strip()
    (home / "data").rename(home / "postgresql")
    assert run(home, "migrate").returncode == 0
    assert select(home, "SHOW server_version_num").startswith(number)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
    ],
)
def test_commits_are_durable_and_no_network_port_is_open(
    shown: dict[str, str], setting: str, value: str
) -> None:
    assert shown[setting] == value
