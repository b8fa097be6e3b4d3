"""The layout of a home folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from atelier.errors import AtelierError
from atelier.local.host.home import Home
from tests.support.postgres import temporary_folder

_LONGEST_SOCKET_PATH = 107


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


def test_sockets_are_in_the_home_if_their_path_is_short(folder: Path) -> None:
    assert Home.open(folder).run == folder / "run"


@pytest.mark.parametrize("name", ["x" * 100, "with space", "quo'te", "a,b", "dollar$", "é"])
def test_sockets_are_outside_the_home_if_their_path_is_unsuitable(folder: Path, name: str) -> None:
    home = Home.open(folder / name)
    assert len(os.fsencode(home.run / "service" / "instance-64.sock")) <= _LONGEST_SOCKET_PATH
    assert folder not in home.run.parents
    assert home.run == Home.open(folder / name).run
    assert home.run != Home.open(folder / f"{name}2").run


def test_run_folder_that_is_another_users_link_is_rejected(folder: Path) -> None:
    home = Home.open(folder / ("x" * 100))
    home.run.symlink_to(folder)
    try:
        with pytest.raises(AtelierError, match="exists and is not yours"):
            home.make_run_folder()
    finally:
        home.run.unlink()


def test_the_run_folder_is_removed_when_it_is_empty(folder: Path) -> None:
    home = Home.open(folder)
    home.make_run_folder()
    (home.run / "in-use").touch()
    home.clean_up()
    assert home.run.exists()
    (home.run / "in-use").unlink()
    home.clean_up()
    assert not home.run.exists()
