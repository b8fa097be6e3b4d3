"""What outlived a killed service is known again by its session and its files; others are not."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from atelier.local.cluster.orphans import record, terminate_orphans
from tests.support.processes import all_processes
from tests.support.waiting import wait_until

_SLEEP = "import time; time.sleep(300)"
_LEADER = f"""
import subprocess, sys, time
with open(sys.argv[1], "w") as log:
    worker = subprocess.Popen([sys.executable, "-c", {_SLEEP!r}], stdout=log)
    print(worker.pid, flush=True)
    time.sleep(300)
"""


class Started:
    """A program with a worker that has a file open, as nginx has its log."""

    def __init__(self, log: Path) -> None:
        self.leader = subprocess.Popen(
            [sys.executable, "-c", _LEADER, str(log)],
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.leader.stdout
        self.worker = int(self.leader.stdout.readline())

    def kill_leader(self) -> None:
        self.leader.kill()
        self.leader.wait()

    def is_gone(self) -> bool:
        return self.worker not in {process.pid for process in all_processes()}

    def clean_up(self) -> None:
        for pid in (self.leader.pid, self.worker):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.leader.wait()
        assert self.leader.stdout
        self.leader.stdout.close()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    program = Started(tmp_path / "log")
    yield program
    program.clean_up()


def test_a_worker_that_outlived_its_leader_is_ended(started: Started, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    record(notes, started.leader.pid)
    started.kill_leader()
    assert terminate_orphans(notes, tmp_path)
    wait_until(started.is_gone, "the worker still runs")
    assert not notes.exists()
    assert terminate_orphans(notes, tmp_path) == []


def test_a_leader_that_was_left_is_ended_with_its_workers(started: Started, tmp_path: Path) -> None:
    record(tmp_path / "notes", started.leader.pid)
    assert len(terminate_orphans(tmp_path / "notes", tmp_path)) == 2
    wait_until(started.is_gone, "the worker still runs")


def test_a_stranger_who_has_the_number_of_a_leader_is_left_alone(
    started: Started, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    record(notes, started.leader.pid)
    earlier = json.loads(notes.read_text()) | {"start": 1}
    notes.write_text(json.dumps(earlier) + "\n")
    assert terminate_orphans(notes, tmp_path) == []
    assert not started.is_gone()


def test_a_stranger_in_a_session_of_a_leaders_number_is_left_alone(
    started: Started, tmp_path: Path
) -> None:
    record(tmp_path / "notes", started.leader.pid)
    started.kill_leader()
    other = tmp_path / "other"
    other.mkdir()
    assert terminate_orphans(tmp_path / "notes", other) == []
    assert not started.is_gone()


def test_after_a_restart_of_the_machine_nothing_is_known_again(
    started: Started, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    record(notes, started.leader.pid)
    notes.write_text(json.dumps(json.loads(notes.read_text()) | {"boot": "another"}) + "\n")
    assert terminate_orphans(notes, tmp_path) == []
    assert not started.is_gone()


def test_a_full_disk_costs_the_note_and_not_the_program() -> None:
    record(Path("/dev/full"), os.getpid())


@pytest.mark.parametrize(
    "text", ["", "{", '{"pid": 1}\n', '{"pid": "x", "start": 0, "boot": ""}\n']
)
def test_notes_that_make_no_sense_end_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "notes").write_text(text)
    assert terminate_orphans(tmp_path / "notes", tmp_path) == []
