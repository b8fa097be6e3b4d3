"""`atelier up` as a user meets it: real processes, from an empty folder to Ctrl-C."""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.cluster import free_port, wait_until_ready
from tests.support.commands import (
    as_ordinary_user,
    left_behind,
    processes_of,
    run,
    up,
)
from tests.support.postgres import temporary_folder
from tests.support.processes import Process, alive, wait_until_gone

_QUESTION = {"body": "Is it kept?", "name": "n", "email": "n@example.com", "product_id": 4711}

_PRIVATE = ("sh", "-c", 'umask 077 && exec "$@"', "sh")
"""Runs a command whose new files are for its user alone."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


@dataclass(frozen=True)
class FirstStart:
    """What the first `up` of a home said and did, and what it left when it was gone."""

    home: Path
    port: int
    said: str
    products: list[dict[str, object]]
    code: int
    alive: list[Process]
    left: list[str]


@pytest.fixture(scope="module")
def first(folder: Path) -> FirstStart:
    home, port = folder / "home", free_port()
    with up(home, PORT=str(port)) as running:
        running.wait_for("Ready")
        assert json.loads(_get(port, "/ready"))["status"] == "ready"
        pages = [json.loads(_get(port, f"/qa/questions?product_id={n}")) for n in range(1, 51)]
        httpx.post(f"http://127.0.0.1:{port}/qa/questions", json=_QUESTION).raise_for_status()
        family = processes_of(home)
        code = running.press_ctrl_c()
        return FirstStart(home, port, running.said, pages, code, alive(family), left_behind(home))


def test_the_first_start_says_what_it_does_and_where_it_is(first: FirstStart) -> None:
    told = [
        f"Starting PostgreSQL, with its data in {first.home}",
        "Migrated:",
        "Loading the sample",
        "Starting 3 instances and nginx",
        f"Ready: http://127.0.0.1:{first.port}\n",
    ]
    places = [first.said.find(line) for line in told]
    assert -1 not in places
    assert places == sorted(places)


def test_the_first_start_serves_a_sample(first: FirstStart) -> None:
    assert sum(bool(page["results"]) for page in first.products) > 20


def test_ctrl_c_ends_well_and_leaves_no_process_and_no_stale_file(first: FirstStart) -> None:
    assert first.code == 0
    assert first.alive == []
    assert first.left == []
    assert "Traceback" not in first.said


def test_a_second_start_keeps_the_data(first: FirstStart) -> None:
    with up(first.home, PORT=str(first.port)) as running:
        running.wait_for("Ready")
        page = json.loads(_get(first.port, "/qa/questions?product_id=4711"))
        assert [question["question_body"] for question in page["results"]] == ["Is it kept?"]
        assert "sample" not in running.said


def test_a_second_service_in_the_same_home_is_told_of_the_first(first: FirstStart) -> None:
    with up(first.home, PORT=str(first.port)) as running:
        running.wait_for("Ready")
        refused = run(first.home, "up", PORT=str(free_port()))
        assert _is_one_line(refused)
        assert f"http://127.0.0.1:{first.port}" in refused.stderr
        assert f"process {running.process.pid}" in refused.stderr
        assert json.loads(_get(first.port, "/ready"))["status"] == "ready"


def test_commands_share_the_database_of_a_running_service(first: FirstStart) -> None:
    with up(first.home, PORT=str(first.port)) as running:
        running.wait_for("Ready")
        count = run(first.home, "db", "psql", "-Atc", "SELECT count(*) > 0 FROM questions")
        assert count.stdout == "t\n"
        assert json.loads(_get(first.port, "/ready"))["status"] == "ready"


def test_what_dies_is_started_again(first: FirstStart) -> None:
    with up(first.home, PORT=str(first.port)) as running:
        running.wait_for("Ready")
        for victim in ("instance-2.sock", "nginx: master", "bin/postgres"):
            os.kill(_pid_of(first.home, victim), signal.SIGKILL)
        running.wait_for("instance 2 ended (SIGKILL)")
        running.wait_for("nginx ended (SIGKILL)")
        running.wait_for("PostgreSQL ended")
        wait_until_ready(first.port)
        assert running.press_ctrl_c() == 0
    assert left_behind(first.home) == []


def test_a_killed_supervisor_leaves_nothing_running_and_can_be_started_again(
    first: FirstStart,
) -> None:
    with up(first.home, PORT=str(first.port)) as running:
        running.wait_for("Ready")
        family = processes_of(first.home)
        running.process.kill()
        wait_until_gone(family)
    with up(first.home, PORT=str(first.port)) as running:
        running.wait_for("Ready")
        assert running.press_ctrl_c() == 0
    assert left_behind(first.home) == []


def test_a_terminated_service_stops_like_one_that_was_interrupted(first: FirstStart) -> None:
    with up(first.home, PORT=str(first.port)) as running:
        running.wait_for("Starting 3 instances")
        running.process.terminate()
        assert running.process.wait(30) == 0
    assert left_behind(first.home) == []


def test_a_taken_port_is_refused_in_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run(folder / "port", "up", PORT=str(port))
    assert _is_one_line(refused)
    assert f"Port {port} cannot be used" in refused.stderr
    assert left_behind(folder / "port") == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://shop@localhost/qa", "no PostgreSQL address"),
        ("postgresql://shop:se#cret@localhost/qa", "no PostgreSQL address"),
        ("postgresql://shop:se@cret@localhost/qa", "no PostgreSQL address"),
        ("postgresql://shop:secret@127.0.0.1:1/qa", "Cannot connect to the database qa at"),
        ("postgresql:///qa?host=/nowhere&user=shop", "Cannot connect to the database qa at"),
    ],
)
def test_a_broken_database_url_is_refused_in_one_line(folder: Path, url: str, reason: str) -> None:
    refused = run(folder / "url", "up", PORT=str(free_port()), ATELIER_DATABASE_URL=url)
    assert _is_one_line(refused)
    assert reason in refused.stderr
    assert "cret" not in refused.stderr
    assert left_behind(folder / "url") == []


@pytest.mark.parametrize("command", [["up"], ["serve", "--port", "1"]])
def test_a_broken_address_of_standbys_is_refused_in_one_line(
    folder: Path, command: list[str]
) -> None:
    settings = {"ATELIER_READ_DATABASE_URL": "postgresql://[broken/x"}
    refused = run(folder / "url", *command, PORT=str(free_port()), **settings)
    assert _is_one_line(refused)
    assert "ATELIER_READ_DATABASE_URL is no PostgreSQL address" in refused.stderr
    assert left_behind(folder / "url") == []


def test_a_home_that_cannot_be_written_is_refused_in_one_line(folder: Path) -> None:
    (folder / "file").touch()
    refused = run(folder / "file" / "home", "up", PORT=str(free_port()))
    assert _is_one_line(refused)
    assert f"Cannot write to {folder / 'file' / 'home'}: Not a directory" in refused.stderr


def test_a_given_database_is_used_and_nothing_is_embedded(folder: Path, database: str) -> None:
    home, port = folder / "given", free_port()
    with up(home, PORT=str(port), ATELIER_DATABASE_URL=database) as running:
        running.wait_for("Ready")
        assert json.loads(_get(port, "/ready"))["status"] == "ready"
        assert not (home / "postgresql").exists()
        assert running.press_ctrl_c() == 0
    assert left_behind(home) == []


def test_it_runs_in_a_folder_that_other_users_cannot_enter(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    home, port = closed / "home", free_port()
    with up(home, prefix=_PRIVATE, PORT=str(port), INSTANCES="1") as running:
        running.wait_for("Ready")
        assert json.loads(_get(port, "/ready"))["status"] == "ready"
        assert running.press_ctrl_c() == 0
    assert left_behind(home) == []


def test_it_runs_for_an_ordinary_user(folder: Path) -> None:
    own = folder / "own"
    own.mkdir(mode=0o700)
    home, port = own / "home", free_port()
    with up(home, prefix=as_ordinary_user(own), PORT=str(port), INSTANCES="1") as running:
        running.wait_for("Ready")
        assert json.loads(_get(port, "/ready"))["status"] == "ready"
        assert running.press_ctrl_c() == 0
    assert left_behind(home) == []


def test_a_home_that_one_may_not_write_is_refused_in_one_line(folder: Path) -> None:
    (folder / "other").mkdir()
    prefix = as_ordinary_user(folder / "other")
    (folder / "other").chmod(0o555)
    refused = run(folder / "other" / "home", "up", prefix=prefix, PORT=str(free_port()))
    assert _is_one_line(refused)
    assert "Permission denied. Set ATELIER_HOME to a folder" in refused.stderr


@pytest.mark.parametrize("megabytes", [1, 20, 42])
def test_a_full_disk_is_refused_in_one_line(folder: Path, megabytes: int) -> None:
    with _small_disk(folder / "disk", megabytes) as disk:
        refused = run(disk / "home", "up", PORT=str(free_port()))
        assert _is_one_line(refused)
        assert re.search("make room|space", refused.stderr, re.IGNORECASE)
        assert left_behind(disk / "home") == []


@contextmanager
def _small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    place.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}M,mode=755", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk takes the right to mount one")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _is_one_line(refused: subprocess.CompletedProcess[str]) -> bool:
    lines = refused.stderr.splitlines()
    return refused.returncode == 1 and len(lines) == 1 and lines[0].startswith("atelier: ")


def _get(port: int, path: str) -> bytes:
    return httpx.get(f"http://127.0.0.1:{port}{path}").raise_for_status().content


def _pid_of(home: Path, part_of_command: str) -> int:
    found = [p.pid for p in processes_of(home) if part_of_command in p.command]
    assert found, f"no process {part_of_command}"
    return found[0]
