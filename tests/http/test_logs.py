"""An instance's log, also on a full disk."""

import json
import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import logging, os, sys
from atelier.http.common.logs import configure_logs

def lead_stderr_to(path):
    os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND), 2)

configure_logs("instance-1")
log = logging.getLogger("shop")
lead_stderr_to(sys.argv[1])
log.info("before")
lead_stderr_to("/dev/full")
for _ in range(100):
    log.error("lost", exc_info=ValueError("lost"))
lead_stderr_to(sys.argv[1])
log.info("after")
"""


def test_records_rejected_by_a_full_disk_are_counted_and_nothing_else_is_written(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    log.touch()
    command = [sys.executable, "-c", _SCRIPT, str(log)]
    done = subprocess.run(command, check=True, capture_output=True)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [event["message"] for event in events] == [
        "before",
        "the log could not be written for a while: 100 lines were lost",
        "after",
    ]
    assert done.stdout + done.stderr == b""
