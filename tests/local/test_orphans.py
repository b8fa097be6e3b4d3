"""Orphans of a killed service are recognized by their session and open files."""

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
    """A program with a worker that has a log file open, like nginx."""

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


def test_orphaned_worker_is_terminated(started: Started, tmp_path: Path) -> None:
    records = tmp_path / "records"
    record(records, started.leader.pid)
    started.kill_leader()
    assert terminate_orphans(records, tmp_path)
    wait_until(started.is_gone, "the worker still runs")
    assert not records.exists()
    assert terminate_orphans(records, tmp_path) == []


def test_orphaned_leader_is_terminated_with_its_workers(started: Started, tmp_path: Path) -> None:
    record(tmp_path / "records", started.leader.pid)
    assert len(terminate_orphans(tmp_path / "records", tmp_path)) == 2
    wait_until(started.is_gone, "the worker still runs")


def test_other_process_with_a_reused_pid_is_not_terminated(
    started: Started, tmp_path: Path
) -> None:
    records = tmp_path / "records"
    record(records, started.leader.pid)
    earlier = json.loads(records.read_text()) | {"start": 1}
    records.write_text(json.dumps(earlier) + "\n")
    assert terminate_orphans(records, tmp_path) == []
    assert not started.is_gone()


def test_process_in_a_reused_session_without_open_files_is_not_terminated(
    started: Started, tmp_path: Path
) -> None:
    record(tmp_path / "records", started.leader.pid)
    started.kill_leader()
    other = tmp_path / "other"
    other.mkdir()
    assert terminate_orphans(tmp_path / "records", other) == []
    assert not started.is_gone()


def test_records_from_before_a_reboot_are_ignored(started: Started, tmp_path: Path) -> None:
    records = tmp_path / "records"
    record(records, started.leader.pid)
    records.write_text(json.dumps(json.loads(records.read_text()) | {"boot": "another"}) + "\n")
    assert terminate_orphans(records, tmp_path) == []
    assert not started.is_gone()


def test_full_disk_does_not_prevent_starting_a_program() -> None:
    record(Path("/dev/full"), os.getpid())


@pytest.mark.parametrize(
    "text", ["", "{", '{"pid": 1}\n', '{"pid": "x", "start": 0, "boot": ""}\n']
)
def test_malformed_records_are_ignored(tmp_path: Path, text: str) -> None:
    (tmp_path / "records").write_text(text)
    assert terminate_orphans(tmp_path / "records", tmp_path) == []
