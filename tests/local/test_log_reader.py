"""`atelier logs` prints existing and added lines in order, even during rotation."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from atelier.local.logs import collector as module
from atelier.local.logs.collector import Logs
from atelier.local.logs.reader import Line, LogReader
from tests.support.commands import ATELIER, environment, run

_ACCESS = '{"time":"2026-11-24T02:00:0%d+00:00","status":200}\n'
_INSTANCE = '{"time": "2026-11-24T02:00:0%d.500+00:00", "level": "INFO"}\n'


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "log"
    folder.mkdir(parents=True)
    (folder / "access.log").write_text(_ACCESS % 1 + _ACCESS % 3)
    (folder / "instance-1.log.1").write_text(_INSTANCE % 0)
    (folder / "instance-1.log").write_text("Traceback\n" + _INSTANCE % 1)
    (folder / "postgresql.log").write_text(
        "initdb says\n2026-11-24 02:00:02.000 UTC [1] LOG:  hello\n\tand more\n"
    )
    return folder


@pytest.fixture
def home(log: Path) -> Path:
    return log.parent


def last(folder: Path, number: int) -> list[Line]:
    with closing(LogReader(folder)) as reader:
        return reader.last(number)


def test_all_logs_are_merged_in_order_of_time(log: Path) -> None:
    lines = last(log, 100)
    assert [(line.part, line.text[:20].decode()) for line in lines] == [
        ("postgresql", "initdb says"),
        ("instance-1", (_INSTANCE % 0)[:20]),
        ("instance-1", "Traceback"),
        ("access", (_ACCESS % 1)[:20]),
        ("instance-1", (_INSTANCE % 1)[:20]),
        ("postgresql", "2026-11-24 02:00:02."),
        ("postgresql", "\tand more"),
        ("access", (_ACCESS % 3)[:20]),
    ]
    assert last(log, 3) == lines[-3:]
    assert last(log, 0) == []


def test_last_lines_include_rotated_files(tmp_path: Path) -> None:
    for age, name in enumerate(("x.log", "x.log.1", "x.log.2", "x.log.3")):
        texts = [f"{10_000 * (4 - age) + n} {'-' * 90}\n" for n in range(2000)]
        (tmp_path / name).write_text("".join(texts))
    for number in (0, 1, 1999, 2000, 2001, 7000, 8000, 9000):
        found = [int(line.text.split()[0]) for line in last(tmp_path, number)]
        every = [10_000 * part + n for part in (1, 2, 3, 4) for n in range(2000)]
        assert found == every[max(0, 8000 - number) :]


def test_added_lines_are_read_once_and_completely_during_rotation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_BYTES", 300)
    monkeypatch.setattr(module, "_MAX_ACCESS_LOG_BYTES", 300)
    logs = Logs(tmp_path, lambda _: None, verbose=False)
    on_line = logs.listener("instance 1")
    (tmp_path / "access.log").touch()
    reader = LogReader(tmp_path)
    found = reader.last(100)
    for number in range(100):
        on_line(f"instance {number}")
        with (tmp_path / "access.log").open("a") as file:
            file.write(f"access {number}\nhalf a")
            file.flush()
            found += reader.new() if number % 7 == 0 else []
            file.write(f" line {number}\n")
        logs.poll()
        found += reader.new() if number % 2 else []
    found += reader.new()
    logs.close()
    reader.close()
    texts = [line.text.decode() for line in found]
    assert [text for text in texts if "instance" in text] == [f"instance {n}" for n in range(100)]
    assert [text for text in texts if "instance" not in text] == [
        text for n in range(100) for text in (f"access {n}", f"half a line {n}")
    ]
    assert len(list(tmp_path.glob("*.log.*"))) == 6


def test_one_log_is_printed_unchanged_and_all_with_their_names(home: Path) -> None:
    shown = run(home, "logs", "instance-1", "-n", "1").stdout
    assert json.loads(shown)["level"] == "INFO"
    assert run(home, "logs", "-n", "1").stdout == "access      | " + _ACCESS % 3


def test_unknown_log_is_rejected_with_the_existing_ones(home: Path) -> None:
    refused = run(home, "logs", "nginx")
    assert refused.returncode == 1
    assert refused.stderr == (
        "atelier: There is no log of nginx: there are access, instance-1, postgresql.\n"
    )


def test_a_shell_completes_the_names_of_logs(home: Path) -> None:
    asked = {"_ATELIER_COMPLETE": "bash_complete", "COMP_WORDS": "atelier logs i"}
    command = Path(sys.executable).with_name("atelier")
    done = subprocess.run(
        [command],
        env=environment(home, COMP_CWORD="2", **asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "plain,instance-1\n"


@contextmanager
def following(home: Path) -> Iterator[subprocess.Popen[str]]:
    command = [*ATELIER, "logs", "-f", "-n", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=environment(home), stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_following_prints_added_lines_also_of_new_logs_until_ctrl_c(home: Path) -> None:
    with following(home) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("access")
        (home / "log" / "instance-2.log").write_text(_INSTANCE % 9)
        assert process.stdout.readline() == "instance-2  | " + _INSTANCE % 9
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        assert process.stderr.read().strip() == ""


def test_following_ends_when_the_output_is_closed_even_without_new_lines(home: Path) -> None:
    with following(home) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait() == 0
        assert process.stderr.read() == ""
