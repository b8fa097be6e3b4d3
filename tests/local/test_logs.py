"""What is shown of the parts' logs, and how large they grow."""

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

        def make(*, verbose: bool = False, days: float = 0) -> Logs:
            logs = Logs(tmp_path, shown.append, verbose=verbose, days=days)
            stack.callback(logs.close)
            return logs

        yield make


def event(level: str, **fields: str) -> str:
    return json.dumps({"level": level, "message": "it happened", **fields})


def test_warnings_and_errors_are_shown_with_their_part_and_request(
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


def test_everything_is_shown_to_those_who_want_it(make: MakeLogs, shown: list[str]) -> None:
    make(verbose=True).listener("instance 1")(event("INFO"))
    assert shown == ["instance 1 | INFO it happened"]


@pytest.mark.parametrize("line", ["Traceback (most recent call last):", "[1, 2]", "null", "{}"])
def test_what_is_no_event_is_shown_as_it_is(make: MakeLogs, shown: list[str], line: str) -> None:
    make().listener("nginx")(line)
    assert shown == [f"nginx | {line}"]


def test_of_postgresql_what_is_new_and_a_warning_or_worse_is_shown_but_not_thousands(
    make: MakeLogs, shown: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "postgresql.log"
    file.write_text("12:00 [1] FATAL:  an old story\n")
    logs = make()
    with file.open("a") as log:
        log.write("12:01 [1] LOG:  checkpoint\n12:01 [1] FATAL:  no disk\n")
    logs.look()
    logs.look()
    assert shown == ["PostgreSQL | 12:01 [1] FATAL:  no disk"]
    with file.open("a") as log:
        log.write("12:02 [1] ERROR:  no disk\n" * 1000)
    logs.look()
    assert len(shown) < 30
    assert "lines more in" in shown[-1]


def test_files_that_others_write_are_rotated_and_those_go_on(
    make: MakeLogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LARGEST_FOREIGN_FILE", 10)
    logs = make()
    with (tmp_path / "access.log").open("a") as writer:
        for number in range(6):
            writer.write(f"a line of request {number}\n")
            writer.flush()
            logs.look()
    kept = {file.name: file.read_text() for file in tmp_path.glob("access.log*")}
    assert kept == {
        "access.log": "",
        "access.log.1": "a line of request 5\n",
        "access.log.2": "a line of request 4\n",
        "access.log.3": "a line of request 3\n",
    }


def test_files_of_parts_are_rotated(
    make: MakeLogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LARGEST_FILE", 1000)
    on_line = make().listener("instance 1")
    for _ in range(100):
        on_line(event("INFO"))
    assert len(list(tmp_path.glob("instance-1.log*"))) == 4
    assert all(file.stat().st_size <= 1000 for file in tmp_path.glob("instance-1.log*"))


def test_lines_that_a_full_disk_refuses_are_told_once_and_counted(
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
    assert shown[1:] == [f"{file} is written again; 1,000 lines of it were lost."]
    mark, last = map(json.loads, file.read_text().splitlines())
    assert mark["message"] == "1,000 lines could not be written here."
    assert last["request"] == "last"
    told = (tmp_path / "supervisor.log").read_text()
    assert [line in told for line in shown] == [True, True]


def test_a_disk_that_was_full_holds_whole_lines_and_every_other_one_is_counted(
    tmp_path: Path, shown: list[str]
) -> None:
    with small_disk(tmp_path / "disk", "64K") as disk:
        (disk / "ballast").write_bytes(bytes(40_000))
        logs = Logs(disk, shown.append, verbose=False)
        on_line = logs.listener("instance 1")
        for number in range(1000):
            on_line(event("INFO", request=str(number), padding="x" * 100))
        (disk / "ballast").unlink()
        logs.look()
        logs.close()
        *kept, mark = map(json.loads, (disk / "instance-1.log").read_text().splitlines())
    assert [each["request"] for each in kept] == [str(number) for number in range(len(kept))]
    assert f"{1000 - len(kept)} lines of it were lost" in shown[-1]
    assert mark["message"].startswith(f"{1000 - len(kept)} lines")
    assert 0 < len(kept) < 1000


def test_a_file_that_cannot_be_rotated_is_told_once_and_older_ones_are_kept(
    make: MakeLogs, shown: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LARGEST_FOREIGN_FILE", 10)
    logs = make()
    access = tmp_path / "access.log"
    access.write_text("a line that is long enough\n")
    access.with_name("access.log.1").write_text("older\n")
    (tmp_path / "access.log.new").symlink_to("/dev/full")
    logs.look()
    (tmp_path / "access.log.new").symlink_to("/dev/full")
    logs.look()
    assert shown == [f"Cannot rotate {access}: No space left on device. It is tried again."]
    logs.look()
    assert access.read_text() == ""
    assert access.with_name("access.log.2").read_text() == "older\n"


def test_what_nginx_says_every_second_is_shown_once(make: MakeLogs, shown: list[str]) -> None:
    on_line = make().listener("nginx")
    for second in range(10):
        on_line(f"2026/11/24 02:46:0{second} [alert] 17#17: write() failed")
    on_line("2026/11/24 02:46:10 [alert] 17#17: something else")
    assert [line[-14:] for line in shown] == ["write() failed", "something else"]


def test_no_line_is_kept_longer_than_so_many_days(make: MakeLogs, tmp_path: Path) -> None:
    def write(name: str, days: float, form: str = '{{"time":"{}","client":"{}"}}\n') -> None:
        moment = datetime.now(UTC) - timedelta(days=days)
        with (tmp_path / name).open("a") as file:
            file.write(form.format(moment.isoformat(timespec="seconds"), name))

    for name, days in [("access.log.2", 4.1), ("access.log.1", 2.5), ("access.log", 1.1)]:
        write(name, days)
    write("postgresql.log.3", 5, "{} [1] LOG: {}\n")
    write("instance-1.log", 0.9)
    write("instance-7.log", 1.1)  # of an instance that is no more
    (tmp_path / "nginx.log.1").write_text("a line without a time\n")
    logs = make(days=4)
    logs.listener("instance 1")(event("INFO"))
    logs.look()
    kept = {file.name for file in tmp_path.iterdir() if file.stat().st_size}
    assert kept == {
        *("access.log.1", "access.log.2", "instance-1.log", "instance-7.log.1", "nginx.log.1")
    }
    write("access.log", 0)
    assert "access.log" in (tmp_path / "access.log").read_text(), "it is written on"


def test_a_part_writes_on_after_its_file_was_rotated_for_its_age(
    make: MakeLogs, tmp_path: Path
) -> None:
    old = '{"time":"2020-01-01T00:00:00+00:00"}'
    (tmp_path / "instance-1.log").write_text(f"{old}\n")
    logs = make(days=1)
    logs.listener("instance 1")(event("INFO", request="first"))
    logs.look()
    logs.listener("instance 1")(event("INFO", request="second"))
    assert not (tmp_path / "instance-1.log.1").exists(), "its first line is too old"
    assert "second" in (tmp_path / "instance-1.log").read_text()


def test_without_a_number_of_days_lines_are_kept(make: MakeLogs, tmp_path: Path) -> None:
    (tmp_path / "access.log.3").write_text('{"time":"2020-01-01T00:00:00+00:00"}\n')
    make().look()
    assert (tmp_path / "access.log.3").exists()


def test_what_nginx_says_names_no_client(make: MakeLogs, shown: list[str], tmp_path: Path) -> None:
    make(verbose=True).listener("nginx")(
        "2026/11/24 02:46:00 [crit] 1#1: *1 connect() failed, client: 2001:db8::7, server: x"
    )
    for said in (shown[0], (tmp_path / "nginx.log").read_text()):
        assert "2001:db8::7" not in said
        assert "connect() failed, server: x" in said
