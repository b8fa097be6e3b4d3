"""CPU time is attributed to the right processes, and the plan is that of the page statement."""

import asyncio
import subprocess
import sys

from bench.data import Catalogue
from bench.profile import cpu
from bench.profile.run import explained

_BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"


def test_cpu_time_includes_descendants_of_each_component() -> None:
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {_BUSY!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout
        assert worker.stdout.read(1) == b"\n"
        used = cpu.seconds(cpu.Roots(nginx=worker.pid, instances=[], postmaster=_ended_pid()))
        worker.communicate(b"\n")
    assert 0.3 <= used["nginx"] < used["busy"]
    assert used["instances"] == used["PostgreSQL"] == 0


def test_plan_is_one_index_scan_per_product(catalogue: Catalogue) -> None:
    plan = asyncio.run(explained(catalogue))
    assert plan.count("Index Scan using question_documents_page") == 1
    assert "Seq Scan" not in plan


def _ended_pid() -> int:
    """Return the pid of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        return process.pid
