"""What is shown of the parts' logs, and how large they grow."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from atelier.local import logs as module
from atelier.local.logs import Logs

MakeLogs = Callable[..., Logs]


@pytest.fixture
def shown() -> list[str]:
    return []


@pytest.fixture
def make(tmp_path: Path, shown: list[str]) -> Iterator[MakeLogs]:
    with ExitStack() as stack:

        def make(*, verbose: bool = False) -> Logs:
            logs = Logs(tmp_path, shown.append, verbose=verbose)
            stack.callback(logs.close)
            return logs

        yield make


def event(level: str, **fields: str) -> str:
    return json.dumps({"level": level, "message": "it happened", **fields})


def test_warnings_and_errors_are_shown_with_their_part_and_request(
    make: MakeLogs, shown: list[str], tmp_path: Path
) -> None:
    hear = make().listener("instance 2")
    hear(event("INFO"))
    hear(event("WARNING", request="8f3c"))
    hear(event("ERROR", exception="Traceback: x"))
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
    hear = make().listener("instance 1")
    for _ in range(100):
        hear(event("INFO"))
    assert len(list(tmp_path.glob("instance-1.log*"))) == 4
    assert all(file.stat().st_size <= 1000 for file in tmp_path.glob("instance-1.log*"))
