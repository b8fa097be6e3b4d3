"""deploy/patroni works in folders with any name, or fails with one line."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

_FOLDER = Path(__file__).parents[2] / "deploy" / "patroni"
_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0"}
_SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from nodes import Node, patroni_configuration
from atelier.local.host.utf8 import use_utf8
use_utf8()
node = Node(1, Path(sys.argv[2]), 15400)
passwords = dict.fromkeys(("superuser", "replication", "rewind"), "x")
print(patroni_configuration(node, [node], passwords))
"""


def test_path_is_written_to_the_configuration_unchanged() -> None:
    folder = """/srv/ä 日本: "quo'ted" #1"""
    command = [sys.executable, "-c", _SCRIPT, str(_FOLDER), folder]
    done = subprocess.run(command, check=True, capture_output=True, env=os.environ | _LOCALE)
    # Between double quotes, YAML is JSON.
    found = dict(re.findall(r"^  (data_dir|pgpass): (.*)$", done.stdout.decode(), re.MULTILINE))
    assert json.loads(found["data_dir"]) == f"{folder}/data"
    assert json.loads(found["pgpass"]) == f"{folder}/pgpass"


def test_path_that_is_not_utf8_is_rejected_in_one_line(tmp_path: Path) -> None:
    home = tmp_path / os.fsdecode(b"\xe4")
    command = [sys.executable, str(_FOLDER / "run.py"), "--home", str(home)]
    refused = subprocess.run(command, check=False, capture_output=True, env=os.environ | _LOCALE)
    assert refused.returncode == 1
    assert refused.stderr.startswith(b"patroni: The path ")
    assert refused.stderr.count(b"\n") == 1
    assert not home.exists()
