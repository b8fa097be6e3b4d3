"""Processor time is that of the right processes, and the plan that of the right statement."""

import asyncio
import subprocess
import sys

from bench.data import Catalogue
from bench.profile import cpu
from bench.profile.run import explained

_BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"


def test_each_part_has_the_time_of_its_own_processes_and_of_what_they_started() -> None:
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {_BUSY!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout
        assert worker.stdout.read(1) == b"\n"
        taken = cpu.seconds(cpu.Roots(nginx=worker.pid, instances=[], postmaster=_gone()))
        worker.communicate(b"\n")
    assert 0.3 <= taken["nginx"] < taken["busy"]
    assert taken["instances"] == taken["PostgreSQL"] == 0


def test_the_plan_is_one_index_scan_for_each_product(catalogue: Catalogue) -> None:
    plan = asyncio.run(explained(catalogue))
    assert plan.count("Index Scan using question_documents_page") == 1
    assert "Seq Scan" not in plan


def _gone() -> int:
    """Return the pid of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        return process.pid
