"""AWS on this machine, and the commands on it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from atelier.cli import atelier
from tests.support.aws import Aws

Command = Callable[..., Result]


@pytest.fixture(scope="session")
def aws_server() -> Iterator[Aws]:
    from tests.support.moto_server import running_aws  # noqa: PLC0415 - takes seconds

    with running_aws() as running:
        yield running


@pytest.fixture
def aws(aws_server: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Return an empty AWS; commands of this process use it, and wait less for it."""
    aws_server.reset()
    for name, value in aws_server.environment.items():
        monkeypatch.setenv(name, value)
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.05)))
    return aws_server


@pytest.fixture
def command(aws: Aws) -> Command:
    """Return what runs `atelier aws …`; its errors are in `exception`."""

    def run(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(atelier, ["aws", *arguments], input=given)

    assert aws
    return run


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Return a file in the place of a release; nothing is booted here."""
    file = tmp_path / "atelier-hosts.tar.gz"
    file.write_bytes(b"a release")
    return file
