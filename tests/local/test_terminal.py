"""Output to a file on a full disk is lost, later output is not."""

import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import os, sys
from atelier.local.supervisor.terminal import Terminal

def lead_stdout_to(path):
    os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND), 1)

terminal = Terminal()
lead_stdout_to("/dev/full")
for number in range(10000):
    print("on a full disk", number, file=terminal, flush=True)
lead_stdout_to(sys.argv[1])
print("with room again", file=terminal, flush=True)
"""


def test_full_disk_is_not_treated_as_a_closed_terminal(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.touch()
    command = [sys.executable, "-c", _SCRIPT, str(output)]
    done = subprocess.run(command, check=True, capture_output=True)
    assert output.read_text().endswith("with room again\n")
    assert done.stderr == b""
