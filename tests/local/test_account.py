"""PostgreSQL started by root, also in folders that only root can enter."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from atelier.local.host.account import account_of
from atelier.local.postgres.server import Server, stop
from tests.support.commands import left_behind, run
from tests.support.postgres import FAST, INSTALLED, temporary_folder


@pytest.fixture
def closed() -> Iterator[Path]:
    with temporary_folder() as folder:
        (folder / "closed").mkdir(mode=0o700)
        yield folder / "closed"


def test_server_never_runs_as_root(closed: Path) -> None:
    account = account_of(closed / "data", INSTALLED["embedded"])
    assert account.run("id", "-u").stdout.strip() not in {"0", ""}


def test_programs_and_data_may_be_accessible_to_their_owner_only(closed: Path) -> None:
    package = INSTALLED["embedded"].parent.parent
    shutil.copytree(package, closed / package.name)
    shutil.copytree(package.with_suffix(".libs"), closed / f"{package.name}.libs")
    programs = closed / package.name / "pginstall" / "bin"
    with temporary_folder() as run_folder:
        account = account_of(closed / "data", programs)
        made = Server(programs, closed / "data", run_folder, run_folder / "log", account)
        made.create()
        process = made.start(FAST)
        assert made.is_ready()
        stop(process)


def test_container_without_the_smaller_capability_works(closed: Path) -> None:
    prefix = ("setpriv", "--bounding-set=-dac_read_search") if os.geteuid() == 0 else ()
    for command in ("start", "stop"):
        done = run(closed / "home", "db", command, prefix=prefix)
        assert done.returncode == 0, done.stderr
    assert left_behind(closed / "home") == []


def test_inaccessible_folder_error_gives_root_a_remedy_in_one_line(closed: Path) -> None:
    prefix = ("setpriv", "--bounding-set=-dac_read_search,-setpcap")
    if os.geteuid() != 0:
        pytest.skip("only root runs PostgreSQL as another user")
    refused = run(closed / "home", "db", "start", prefix=prefix)
    assert refused.returncode == 1
    assert refused.stderr.startswith("atelier: PostgreSQL does not run as root, and other users")
    assert refused.stderr.count("\n") == 1
