"""Which log lines are printed, and how log files are rotated."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from atelier.local.logs import collector as module
from atelier.local.logs.collector import Logs
from tests.support.disk import small_disk

MakeLogs = Callable[..., Logs]


@pytest.fixture
def shown() -> list[str]:
    return []


@pytest.fixture
def make(tmp_path: Path, shown: list[str]) -> Iterator[MakeLogs]:
    with ExitStack() as stack:

        def make(*, verbose: bool = False, max_days: float = 0) -> Logs:
            logs = Logs(tmp_path, shown.append, verbose=verbose, max_days=max_days)
            stack.callback(logs.close)
            return logs

        yield make


def event(level: str, **fields: str) -> str:
    return json.dumps({"level": level, "message": "it happened", **fields})


def test_warnings_and_errors_are_printed_with_component_and_request(
    make: MakeLogs, shown: list[str], tmp_path: Path
) -> None:
    on_line = make().listener("instance 2")
    on_line(event("INFO"))
    on_line(event("WARNING", request="8f3c"))
    on_line(event("ERROR", exception="Traceback: x"))
    assert shown == [
        "instance 2 | WARNING it happened (request 8f3c)",
        "instance 2 | ERROR it happened\nTraceback: x",
    ]
    assert len((tmp_path / "instance-2.log").read_text().splitlines()) == 3


def test_verbose_prints_everything(make: MakeLogs, shown: list[str]) -> None:
    make(verbose=True).listener("instance 1")(event("INFO"))
    assert shown == ["instance 1 | INFO it happened"]


@pytest.mark.parametrize("line", ["Traceback (most recent call last):", "[1, 2]", "null", "{}"])
def test_lines_that_are_not_json_are_printed_unchanged(
    make: MakeLogs, shown: list[str], line: str
) -> None:
    make().listener("nginx")(line)
    assert shown == [f"nginx | {line}"]


def test_new_postgresql_warnings_are_printed_up_to_a_limit(
    make: MakeLogs, shown: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "postgresql.log"
    file.write_text("12:00 [1] FATAL:  an old story\n")
    logs = make()
    with file.open("a") as log:
        log.write("12:01 [1] LOG:  checkpoint\n12:01 [1] FATAL:  no disk\n")
    logs.poll()
    logs.poll()
    assert shown == ["PostgreSQL | 12:01 [1] FATAL:  no disk"]
    with file.open("a") as log:
        log.write("12:02 [1] ERROR:  no disk\n" * 1000)
    logs.poll()
    assert len(shown) < 30
    assert "more lines in" in shown[-1]


def test_files_of_other_processes_are_rotated_while_they_are_written(
    make: MakeLogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_ACCESS_LOG_BYTES", 10)
    logs = make()
    with (tmp_path / "access.log").open("a") as writer:
        for number in range(6):
            writer.write(f"a line of request {number}\n")
            writer.flush()
            logs.poll()
    kept = {file.name: file.read_text() for file in tmp_path.glob("access.log*")}
    assert kept == {
        "access.log": "",
        "access.log.1": "a line of request 5\n",
        "access.log.2": "a line of request 4\n",
        "access.log.3": "a line of request 3\n",
    }


def test_component_log_files_are_rotated(
    make: MakeLogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_BYTES", 1000)
    on_line = make().listener("instance 1")
    for _ in range(100):
        on_line(event("INFO"))
    assert len(list(tmp_path.glob("instance-1.log*"))) == 4
    assert all(file.stat().st_size <= 1000 for file in tmp_path.glob("instance-1.log*"))


def test_full_disk_is_reported_once_and_lost_lines_are_counted(
    make: MakeLogs, shown: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "instance-1.log"
    on_line = make().listener("instance 1")
    on_line(event("INFO", request="first"))
    file.rename(tmp_path / "before")
    file.symlink_to("/dev/full")
    on_line = make().listener("instance 1")
    for _ in range(1000):
        on_line(event("INFO", request="lost"))
    assert shown == [f"Cannot write to {file}: No space left on device. Its lines are lost."]
    file.unlink()
    on_line(event("INFO", request="last"))
    assert shown[1:] == [f"{file} can be written again; 1,000 lines were lost."]
    loss, last = map(json.loads, file.read_text().splitlines())
    assert loss["message"] == "1,000 lines could not be written here."
    assert last["request"] == "last"
    log = (tmp_path / "supervisor.log").read_text()
    assert [line in log for line in shown] == [True, True]


def test_full_disk_leaves_only_complete_lines_and_counts_the_others(
    tmp_path: Path, shown: list[str]
) -> None:
    with small_disk(tmp_path / "disk", "64K") as disk:
        (disk / "ballast").write_bytes(bytes(40_000))
        logs = Logs(disk, shown.append, verbose=False)
        on_line = logs.listener("instance 1")
        for number in range(1000):
            on_line(event("INFO", request=str(number), padding="x" * 100))
        (disk / "ballast").unlink()
        logs.poll()
        logs.close()
        *kept, loss = map(json.loads, (disk / "instance-1.log").read_text().splitlines())
    assert [each["request"] for each in kept] == [str(number) for number in range(len(kept))]
    assert f"{1000 - len(kept)} lines were lost" in shown[-1]
    assert loss["message"].startswith(f"{1000 - len(kept)} lines")
    assert 0 < len(kept) < 1000


def test_failed_rotation_is_reported_once_and_keeps_older_files(
    make: MakeLogs, shown: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_ACCESS_LOG_BYTES", 10)
    logs = make()
    access = tmp_path / "access.log"
    access.write_text("a line that is long enough\n")
    access.with_name("access.log.1").write_text("older\n")
    (tmp_path / "access.log.new").symlink_to("/dev/full")
    logs.poll()
    (tmp_path / "access.log.new").symlink_to("/dev/full")
    logs.poll()
    assert shown == [f"Cannot rotate {access}: No space left on device. Retrying."]
    logs.poll()
    assert access.read_text() == ""
    assert access.with_name("access.log.2").read_text() == "older\n"


def test_repeated_nginx_lines_are_printed_once(make: MakeLogs, shown: list[str]) -> None:
    on_line = make().listener("nginx")
    for second in range(10):
        on_line(f"2026/11/24 02:46:0{second} [alert] 17#17: write() failed")
    on_line("2026/11/24 02:46:10 [alert] 17#17: something else")
    assert [line[-14:] for line in shown] == ["write() failed", "something else"]


def test_lines_are_deleted_at_the_maximum_age(make: MakeLogs, tmp_path: Path) -> None:
    def write(name: str, days: float, template: str = '{{"time":"{}","client":"{}"}}\n') -> None:
        time = datetime.now(UTC) - timedelta(days=days)
        with (tmp_path / name).open("a") as file:
            file.write(template.format(time.isoformat(timespec="seconds"), name))

    for name, days in [("access.log.2", 4.1), ("access.log.1", 2.5), ("access.log", 1.1)]:
        write(name, days)
    write("postgresql.log.3", 5, "{} [1] LOG: {}\n")
    write("instance-1.log", 0.9)
    write("instance-7.log", 1.1)  # of an instance that was removed
    (tmp_path / "nginx.log.1").write_text("a line without a time\n")
    logs = make(max_days=4)
    logs.listener("instance 1")(event("INFO"))
    logs.poll()
    kept = {file.name for file in tmp_path.iterdir() if file.stat().st_size}
    assert kept == {
        *("access.log.1", "access.log.2", "instance-1.log", "instance-7.log.1", "nginx.log.1")
    }
    write("access.log", 0)
    assert "access.log" in (tmp_path / "access.log").read_text(), "its writer continues in it"


def test_writing_continues_after_rotation_by_age(make: MakeLogs, tmp_path: Path) -> None:
    old = '{"time":"2020-01-01T00:00:00+00:00"}'
    (tmp_path / "instance-1.log").write_text(f"{old}\n")
    logs = make(max_days=1)
    logs.listener("instance 1")(event("INFO", request="first"))
    logs.poll()
    logs.listener("instance 1")(event("INFO", request="second"))
    assert not (tmp_path / "instance-1.log.1").exists(), "its first line is too old"
    assert "second" in (tmp_path / "instance-1.log").read_text()


def test_lines_are_kept_without_a_maximum_age(make: MakeLogs, tmp_path: Path) -> None:
    (tmp_path / "access.log.3").write_text('{"time":"2020-01-01T00:00:00+00:00"}\n')
    make().poll()
    assert (tmp_path / "access.log.3").exists()


def test_nginx_messages_contain_no_address(
    make: MakeLogs, shown: list[str], tmp_path: Path
) -> None:
    make(verbose=True).listener("nginx")(
        "2026/11/24 02:46:00 [crit] 1#1: *1 connect() failed, client: 2001:db8::7, server: x"
    )
    for text in (shown[0], (tmp_path / "nginx.log").read_text()):
        assert "2001:db8::7" not in text
        assert "connect() failed, server: x" in text
