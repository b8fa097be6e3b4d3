"""Logs of a host reach CloudWatch: all lines, once, in order."""

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atelier.cloud.hosts.host import Host
from atelier.cloud.hosts.logs import Entry, LogFile, Sender, batches
from tests.support.aws import Aws

_GROUP = "/atelier/atelier"
_JOURNALD = Path("/lib/systemd/systemd-journald")


class OnInstance(Host):
    """A host with an id of its own."""

    instance = "i-1"


@pytest.fixture
def host(aws: Aws) -> Host:
    """Return a host whose log group exists."""
    aws.client("logs").create_log_group(logGroupName=_GROUP)
    return OnInstance({"LOG_GROUP": _GROUP})


def messages(aws: Aws, stream: str) -> list[str]:
    """Return what a stream has."""
    found = aws.client("logs").get_log_events(
        logGroupName=_GROUP, logStreamName=stream, startFromHead=True
    )
    return [event["message"] for event in found["events"]]


def test_every_line_of_a_file_is_sent_once_also_after_a_restart_and_a_rotation(
    aws: Aws, host: Host, tmp_path: Path
) -> None:
    file = tmp_path / "access.log"
    log = LogFile(file)
    assert Sender(host, tmp_path).send(log) == 0  # nginx has not made it yet
    file.write_text("first\nsec")
    assert Sender(host, tmp_path).send(log) == 1
    with file.open("a") as grown:
        grown.write("ond\n")
    assert Sender(host, tmp_path).send(log) == 1
    file.rename(tmp_path / "access.log.1")
    file.write_text("third\n")
    assert Sender(host, tmp_path).send(log) == 1
    file.write_text("4\n")  # emptied in its place
    assert Sender(host, tmp_path).send(log) == 1
    assert messages(aws, "i-1/nginx-access") == ["first", "second", "third", "4"]


def test_what_could_not_be_sent_is_sent_the_next_time(
    aws: Aws, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "error.log").write_text("a\nb\n")
    sender = Sender(host, tmp_path)

    def refuse(_name: str, _batch: list[Entry]) -> None:
        raise OSError("no route to host")

    with monkeypatch.context() as broken:
        broken.setattr(sender, "_put", refuse)
        with pytest.raises(OSError, match="no route"):
            sender.send(LogFile(tmp_path / "error.log"))
    assert sender.send(LogFile(tmp_path / "error.log")) == 2
    assert messages(aws, "i-1/nginx-error") == ["a", "b"]


def entries(*texts: str, every: int = 1) -> Iterator[Entry]:
    return (Entry(number * every, text, str(number)) for number, text in enumerate(texts))


def test_a_batch_has_no_more_than_one_request_may_have() -> None:
    assert [len(each) for each in batches(entries(*"x" * 4_001))] == [2_000, 2_000, 1]
    assert [len(each) for each in batches(entries(*["x" * 15_000] * 70))] == [66, 4]
    half_a_day = 12 * 3_600_000
    assert [len(each) for each in batches(entries("1", "2", "3", every=half_a_day))] == [2, 1]
    ((long,),) = batches(entries("x" * 1_000_000))
    assert len(long.text) == 16_000


_ON_A_HOST = """
mount -t tmpfs none /run
mkdir -p /run/log/journal/$(cat /etc/machine-id) /run/systemd/journal
{journald} 2>/dev/null & journald=$!
while ! [ -S /run/systemd/journal/socket ]; do sleep 0.05; done
{python} -c "$PROGRAM"; code=$?
kill $journald; wait $journald; exit $code
"""
_PROGRAM = """
import os, socket, subprocess
from pathlib import Path
from atelier.cloud.hosts.logs import Journal, Sender
from tests.cloud.test_logs import OnInstance

journal = Journal(("journalctl", "--output=json", "SYSLOG_IDENTIFIER=test"))
sender = Sender(OnInstance(os.environ), Path(os.environ["STATE_DIRECTORY"]))
to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
to.connect("/run/systemd/journal/socket")
def write(message):
    size = len(message).to_bytes(8, "little")
    to.send(b"SYSLOG_IDENTIFIER=test\\nMESSAGE\\n" + size + message + b"\\n")
    subprocess.run(["journalctl", "--sync"], check=True)
write(b"started"); write(b"a \\xff byte")
assert sender.send(journal) == 2
assert sender.send(journal) == 0
write(b"two\\nlines")
assert sender.send(journal) == 1
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not _JOURNALD.exists(),
    reason="needs root, unshare and systemd-journald, for a journal of its own",
)
def test_the_journal_is_sent_once(aws: Aws, host: Host, tmp_path: Path) -> None:
    assert host
    script = _ON_A_HOST.format(journald=_JOURNALD, python=sys.executable)
    environment: dict[str, Any] = aws.environment | {
        "PATH": os.environ["PATH"],
        "LOG_GROUP": _GROUP,
        "STATE_DIRECTORY": str(tmp_path),
        "PROGRAM": textwrap.dedent(_PROGRAM),
    }
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        env=environment,
        cwd=Path(__file__).parents[2],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert messages(aws, "i-1/journal") == ["-: started", "-: a � byte", "-: two\nlines"]
