"""`atelier up` end to end: real processes, from an empty folder to Ctrl-C."""

import fcntl
import json
import os
import pty
import re
import select
import shlex
import signal
import socket
import subprocess
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from atelier.local.host.home import Home
from atelier.settings import Settings
from tests.support.cluster import free_port, wait_until_ready
from tests.support.commands import (
    ATELIER,
    Up,
    as_ordinary_user,
    environment,
    left_behind,
    processes_of,
    run,
    up,
)
from tests.support.disk import small_disk
from tests.support.html import attributes, parse, texts
from tests.support.parts import open_files_or_skip
from tests.support.postgres import temporary_folder
from tests.support.processes import Process, alive, wait_until_gone
from tests.support.waiting import wait_until

_QUESTION = {"body": "Is it kept?", "name": "n", "email": "n@example.com", "product_id": 4711}

_STOP_SECONDS = 60
"""Enough for PostgreSQL's last checkpoint on a busy machine."""

_README = Path(__file__).parents[1] / "README.md"

_FIRST_UNPRIVILEGED_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")

_PRIVATE = ("sh", "-c", 'umask 077 && exec "$@"', "sh")
"""Runs a command whose new files are accessible to its user only."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


@dataclass(frozen=True)
class FirstStart:
    """The output and effects of the first `up` of a home, and what it left behind."""

    home: Path
    port: int
    output: str
    products: list[dict[str, object]]
    code: int
    alive: list[Process]
    left: list[str]


@dataclass(frozen=True)
class Again:
    """A running service."""

    home: Path
    port: int
    running: Up


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
        return FirstStart(home, port, running.output, pages, code, alive(family), left_behind(home))


@pytest.fixture(scope="module")
def again(first: FirstStart) -> Iterator[Again]:
    """Return a second start of that home, of a copy, for tests that change nothing."""
    port = free_port()
    with temporary_folder() as folder:
        home = folder / "home"
        subprocess.run(["cp", "-a", first.home, home], check=True)
        with up(home, PORT=str(port)) as running:
            running.wait_for("Ready")
            yield Again(home, port, running)


def test_first_start_prints_its_progress_and_url(first: FirstStart) -> None:
    expected = [
        f"Starting PostgreSQL, with its data in {first.home}",
        "Created the tables.",
        "Loading the sample",
        f"Starting {Settings().instances} instances and nginx",
        f"Ready: http://127.0.0.1:{first.port}\n",
    ]
    positions = [first.output.find(line) for line in expected]
    assert -1 not in positions
    assert positions == sorted(positions)


def test_readme_shows_the_output(first: FirstStart) -> None:
    shown = [line for line in _transcript("make up") if not line.startswith(("Installing", "..."))]
    output = first.output.replace(str(first.home), ".atelier").replace(str(first.port), "8080")
    output = output.replace(f"Starting {Settings().instances} inst", "Starting 2 inst")
    assert [line for line in shown if line not in output.splitlines()] == []


def test_readme_shows_the_responses(again: Again) -> None:
    commands = [line for line in _README.read_text().splitlines() if line.startswith("$ curl")]
    assert commands
    for command in commands:
        [*options, url] = shlex.split(command)[2:]
        method = options[options.index("-X") + 1] if "-X" in options else "GET"
        answer = httpx.request(method, url.replace("8080", str(again.port)))
        status = f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}"
        expected = status if "-i" in options else answer.text
        assert "".join(_transcript(command.removeprefix("$ "))) == expected


def _transcript(command: str) -> list[str]:
    """Return the lines that the README shows below a command."""
    below = _README.read_text().partition(f"$ {command}\n")[2]
    return re.split(r"\n\n|\n```", below)[0].splitlines()


def test_the_first_start_serves_a_sample(first: FirstStart) -> None:
    assert sum(bool(page["results"]) for page in first.products) > 20


def test_the_shop_to_try_has_questions_about_every_product(again: Again) -> None:
    [shop] = re.findall(r"a shop to try +(\S+)", again.running.output)
    home, _ = parse(httpx.get(shop).text)
    counts = texts(home, ".//span[@class='count']")
    assert counts
    assert not [count for count in counts if count.startswith("0 ")]
    products = attributes(home, ".//main//a", "href")
    pages = [parse(_get(again.port, path).decode())[0] for path in products]
    photos = [url for page in pages for url in attributes(page, ".//p[@class='photos']/a", "href")]
    assert photos
    for url in photos:
        photo = httpx.get(url).raise_for_status()
        assert photo.headers["content-type"].startswith("image/svg+xml")


def test_ctrl_c_exits_cleanly_and_leaves_no_process_and_no_stale_file(first: FirstStart) -> None:
    assert first.code == 0
    assert first.alive == []
    assert first.left == []
    assert not Home.at(first.home).processes.exists()
    assert "Traceback" not in first.output


def test_a_second_start_keeps_the_data(again: Again) -> None:
    page = json.loads(_get(again.port, "/qa/questions?product_id=4711"))
    assert [question["question_body"] for question in page["results"]] == ["Is it kept?"]
    assert "sample" not in again.running.output


def test_second_service_in_a_home_is_rejected_with_the_address_of_the_first(again: Again) -> None:
    refused = run(again.home, "up", PORT=str(free_port()))
    assert _is_one_line(refused)
    assert f"http://127.0.0.1:{again.port}" in refused.stderr
    assert f"process {again.running.process.pid}" in refused.stderr
    assert json.loads(_get(again.port, "/ready"))["status"] == "ready"


def test_commands_share_the_database_of_a_running_service(again: Again) -> None:
    count = run(again.home, "db", "psql", "-Atc", "SELECT count(*) > 0 FROM questions")
    assert count.stdout == "t\n"
    assert json.loads(_get(again.port, "/ready"))["status"] == "ready"


def test_command_in_another_folder_names_the_home_of_the_service(again: Again) -> None:
    elsewhere = again.home.with_name("elsewhere")
    refused = run(elsewhere, "import", "/")
    assert _is_one_line(refused)
    assert f"There is no database in {elsewhere}: your service runs in" in refused.stderr
    assert f"`ATELIER_HOME={again.home} atelier ...`" in refused.stderr
    assert not elsewhere.exists()


def test_killed_components_are_restarted(first: FirstStart) -> None:
    with up(first.home, PORT=str(first.port), INSTANCES="2") as running:
        running.wait_for("Ready")
        for victim in ("instance-2.sock", "nginx: master", "bin/postgres"):
            os.kill(_pid_of(first.home, victim), signal.SIGKILL)
        running.wait_for("instance 2 exited (SIGKILL)")
        running.wait_for("nginx exited (SIGKILL)")
        running.wait_for("PostgreSQL exited")
        wait_until_ready(first.port)
        assert running.press_ctrl_c() == 0
    assert left_behind(first.home) == []


def test_killed_supervisor_leaves_nothing_running_and_can_be_restarted(
    first: FirstStart,
) -> None:
    with up(first.home, PORT=str(first.port)) as running:
        running.wait_for("Ready")
        family = processes_of(first.home)
        running.process.kill()
        wait_until_gone(family)
    with up(first.home, PORT=str(first.port), INSTANCES="1") as running:
        running.wait_for("Ready")
        assert running.press_ctrl_c() == 0
    assert left_behind(first.home) == []


def test_sigterm_stops_the_service_like_ctrl_c(first: FirstStart) -> None:
    with up(first.home, PORT=str(first.port)) as running:
        running.wait_for(f"Starting {Settings().instances} instances")
        running.process.terminate()
        assert running.process.wait(_STOP_SECONDS) == 0
    assert left_behind(first.home) == []


def test_a_closed_terminal_stops_the_service_like_ctrl_c(first: FirstStart) -> None:
    with in_terminal(first.home, PORT=str(first.port), INSTANCES="1") as (process, terminal):
        wait_until_ready(first.port)
        family = processes_of(first.home)
        terminal.close()
        assert process.wait(_STOP_SECONDS) == 0
        wait_until_gone(family)
    assert left_behind(first.home) == []


def test_service_with_nohup_survives_its_terminal(first: FirstStart) -> None:
    nohup = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh")
    with in_terminal(first.home, prefix=nohup, PORT=str(first.port)) as (process, terminal):
        wait_until_ready(first.port)
        family = processes_of(first.home)
        terminal.close()
        os.kill(
            _pid_of(first.home, "instance-2.sock"), signal.SIGKILL
        )  # about which it says a line
        wait_until(
            lambda: "instance 2 exited" in supervisor_log(first.home), "the exit was not logged"
        )
        assert json.loads(_get(first.port, "/ready"))["status"] == "ready"
        process.terminate()
        assert process.wait(_STOP_SECONDS) == 0
        wait_until_gone(family)
    assert left_behind(first.home) == []


def test_terminal_closed_after_a_signal_does_not_prevent_shutdown(first: FirstStart) -> None:
    with in_terminal(first.home, PORT=str(first.port), INSTANCES="1") as (process, terminal):
        wait_until_ready(first.port)
        process.terminate()
        terminal.close()
        process.wait(_STOP_SECONDS)
    wait_until_gone(processes_of(first.home))
    assert left_behind(first.home) == []


def supervisor_log(home: Path) -> str:
    return (home / "log" / "supervisor.log").read_text()


@contextmanager
def in_terminal(
    home: Path, *, prefix: Sequence[str] = (), **settings: str
) -> Iterator[tuple[subprocess.Popen[bytes], "Terminal"]]:
    """Run `atelier up` in its own terminal."""
    ours, its = pty.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [*prefix, *ATELIER, "up"],
        env=environment(home, **settings),
        cwd="/",
        stdin=its,
        stdout=its,
        stderr=its,
        preexec_fn=take_terminal,  # noqa: PLW1509 - as a shell does
    )
    os.close(its)
    terminal = Terminal(ours)
    try:
        yield process, terminal
    finally:
        process.kill()
        process.wait(_STOP_SECONDS)
        terminal.close()


class Terminal(threading.Thread):
    """Reads the output of a terminal until it is closed."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._closing = threading.Event()
        self.start()

    def run(self) -> None:
        with suppress(OSError):
            while not self._closing.is_set():
                if select.select([self._descriptor], [], [], 0.05)[0]:
                    os.read(self._descriptor, 1 << 16)

    def close(self) -> None:
        if not self._closing.is_set():
            self._closing.set()
            self.join()  # a terminal with a pending read cannot be closed
            os.close(self._descriptor)


def test_next_service_terminates_the_orphans_of_a_killed_one(first: FirstStart) -> None:
    with up(first.home, PORT=str(first.port)) as running:
        running.wait_for("Ready")
        family = processes_of(first.home)
        victims = ("nginx: master", "postgres.holder", "bin/postgres", "serve")
        killed = [p for p in family if any(victim in p.command for victim in victims)]
        os.kill(running.process.pid, signal.SIGSTOP)  # it would restart the killed processes
        for process in killed:
            os.kill(process.pid, signal.SIGKILL)
        running.process.kill()
        running.process.wait(_STOP_SECONDS)
    left = [process for process in alive(family) if "nginx: worker" in process.command]
    assert left, "no orphan was left"
    with up(first.home, PORT=str(first.port), INSTANCES="1") as running:
        running.wait_for("Ready")
        assert "orphaned processes of a killed service: nginx" in running.output
        assert alive(left) == []
        assert running.press_ctrl_c() == 0
    assert left_behind(first.home) == []


def test_status_fails_where_nothing_is_served(first: FirstStart) -> None:
    assert run(first.home, "status").returncode == 1
    with up(first.home, PORT=str(first.port), INSTANCES="1") as running:
        running.wait_for("Ready")
        assert run(first.home, "status").returncode == 0
        os.kill(_pid_of(first.home, "instance-1.sock"), signal.SIGSTOP)
        stopped = run(first.home, "status")
        os.kill(_pid_of(first.home, "instance-1.sock"), signal.SIGCONT)
        assert stopped.returncode == 1
        assert "does not answer" in stopped.stdout
        assert running.press_ctrl_c() == 0


@pytest.mark.parametrize(("hard", "reported"), [(16384, False), (2000, True)])
def test_low_limit_of_open_files_is_raised_or_reported(
    first: FirstStart, hard: int, *, reported: bool
) -> None:
    open_files_or_skip(hard)
    limited = ("sh", "-c", f'ulimit -Sn 256 && ulimit -Hn {hard} && exec "$@"', "sh")
    with up(first.home, prefix=limited, PORT=str(first.port), INSTANCES="1") as running:
        running.wait_for("Ready")
        assert (f"The limit of {hard} open files" in running.output) is reported
        for part in ("serve", "bin/postgres"):
            limits = Path(f"/proc/{_pid_of(first.home, part)}/limits").read_text()
            assert re.search(rf"Max open files\s+{hard} ", limits)
        assert running.press_ctrl_c() == 0


def test_more_connections_than_postgresql_allows_cause_a_warning(first: FirstStart) -> None:
    settings = {"PORT": str(first.port), "INSTANCES": "1", "ATELIER_POOL_SIZE": "100"}
    with up(first.home, **settings) as running:
        running.wait_for("Ready")
        assert "PostgreSQL allows" not in running.output
        scaled = run(first.home, "scale", "6")
        assert "may open 742 connections (106 each); PostgreSQL allows 597" in scaled.stdout
        postmaster = _pid_of(first.home, "bin/postgres")
        os.kill(postmaster, signal.SIGSTOP)  # it accepts no new connection, and none is needed
        scaled = run(first.home, "scale", "1")
        os.kill(postmaster, signal.SIGCONT)
        assert scaled.stdout == "1 instances serve.\n", scaled.stderr
        assert running.press_ctrl_c() == 0


def test_port_in_use_is_reported_in_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        port = occupied.getsockname()[1]
        refused = run(folder / "port", "up", PORT=str(port))
    assert _is_one_line(refused)
    assert f"Port {port} cannot be used" in refused.stderr
    assert left_behind(folder / "port") == []


def test_an_ordinary_user_is_told_a_port_that_may_be_used(tmp_path: Path) -> None:
    if int(_FIRST_UNPRIVILEGED_PORT.read_text()) <= 80:
        pytest.skip("every user may use every port here")
    refused = run(tmp_path / "home", "up", prefix=as_ordinary_user(tmp_path), PORT="80")
    assert _is_one_line(refused)
    assert "Port 80 cannot be used: Permission denied" in refused.stderr
    assert "`PORT=8080 make up`" in refused.stderr


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://shop@localhost/qa", "not a valid PostgreSQL URL"),
        ("postgresql://shop:se#cret@localhost/qa", "not a valid PostgreSQL URL"),
        ("postgresql://shop:se@cret@localhost/qa", "not a valid PostgreSQL URL"),
        ("postgresql://shop:secret@127.0.0.1:1/qa", "Cannot connect to the database qa at"),
        ("postgresql:///qa?host=/nowhere&user=shop", "Cannot connect to the database qa at"),
    ],
)
def test_invalid_database_url_is_reported_in_one_line(folder: Path, url: str, reason: str) -> None:
    refused = run(folder / "url", "up", PORT=str(free_port()), ATELIER_DATABASE_URL=url)
    assert _is_one_line(refused)
    assert reason in refused.stderr
    assert "cret" not in refused.stderr
    assert left_behind(folder / "url") == []


@pytest.mark.parametrize("command", [["up"], ["serve", "--port", "1"]])
def test_invalid_standby_url_is_reported_in_one_line(folder: Path, command: list[str]) -> None:
    settings = {"ATELIER_READ_DATABASE_URL": "postgresql://[broken/x"}
    refused = run(folder / "url", *command, PORT=str(free_port()), **settings)
    assert _is_one_line(refused)
    assert "ATELIER_READ_DATABASE_URL is not a valid PostgreSQL URL" in refused.stderr
    assert left_behind(folder / "url") == []


def test_home_that_cannot_be_created_is_reported_in_one_line(folder: Path) -> None:
    (folder / "file").touch()
    refused = run(folder / "file" / "home", "up", PORT=str(free_port()))
    assert _is_one_line(refused)
    assert f"Cannot write to {folder / 'file' / 'home'}: Not a directory" in refused.stderr


def test_configured_database_is_used_without_an_embedded_one(folder: Path, database: str) -> None:
    home, port = folder / "given", free_port()
    with up(home, PORT=str(port), ATELIER_DATABASE_URL=database) as running:
        running.wait_for("Ready")
        assert json.loads(_get(port, "/ready"))["status"] == "ready"
        assert not (home / "postgresql").exists()
        assert "a shop to try" not in running.output
        assert b"<h1>Atelier Q&amp;A</h1>" in _get(port, "/")
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


@pytest.mark.parametrize("name", ["ä日本 '#", os.fsdecode(b"no-utf8-\xe4")])
def test_it_runs_in_a_folder_of_any_name_whatever_the_locale(folder: Path, name: str) -> None:
    home, port = folder / name / "home", free_port()
    home.parent.mkdir()
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0"}
    with up(home, PORT=str(port), INSTANCES="1", **locale) as running:
        running.wait_for("Ready")
        assert json.loads(_get(port, "/ready"))["status"] == "ready"
        assert running.press_ctrl_c() == 0
        assert "Traceback" not in running.output
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


def test_home_without_write_permission_is_reported_in_one_line(folder: Path) -> None:
    (folder / "other").mkdir()
    prefix = as_ordinary_user(folder / "other")
    (folder / "other").chmod(0o555)
    refused = run(folder / "other" / "home", "up", prefix=prefix, PORT=str(free_port()))
    assert _is_one_line(refused)
    assert "Permission denied. Set ATELIER_HOME to a writable folder" in refused.stderr


@pytest.mark.parametrize("megabytes", [1, 20, 42])
def test_full_disk_is_reported_in_one_line(folder: Path, megabytes: int) -> None:
    with small_disk(folder / "disk", f"{megabytes}M") as disk:
        refused = run(disk / "home", "up", PORT=str(free_port()))
        assert _is_one_line(refused)
        assert re.search("make room|space", refused.stderr, re.IGNORECASE)
        assert left_behind(disk / "home") == []


def _is_one_line(refused: subprocess.CompletedProcess[str]) -> bool:
    lines = refused.stderr.splitlines()
    return refused.returncode == 1 and len(lines) == 1 and lines[0].startswith("atelier: ")


def _get(port: int, path: str) -> bytes:
    return httpx.get(f"http://127.0.0.1:{port}{path}").raise_for_status().content


def _pid_of(home: Path, part_of_command: str) -> int:
    found = [p.pid for p in processes_of(home) if part_of_command in p.command]
    assert found, f"no process {part_of_command}"
    return found[0]
