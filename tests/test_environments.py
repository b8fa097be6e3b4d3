"""What make does before anything is installed: it finds Pythons and makes environments."""

import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import environment, pythons

_ROOT = Path(__file__).parent.parent
_WITHOUT_ENSUREPIP = "import sys; sys.modules['ensurepip'] = None"
_MAKE = "import sys, pathlib, scripts.environment as e; e.create(pathlib.Path(sys.argv[1]))"


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return what writes a program, of which only the lines of shell are given."""

    def write(name: str, script: str) -> Path:
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return file

    return write


def test_pythons_are_found_and_broken_or_old_ones_passed_over(
    program: Callable[[str, str], Path], tmp_path: Path
) -> None:
    program("python3.97", "echo 3.97.1 /somewhere/python")
    program("python3.98", "echo 'pyenv: python3.98: command not found' >&2; exit 127")
    program("python3.99", "exit 0")
    program("python3", "echo 3.10.13 /somewhere/old")
    found = pythons.find({"PATH": str(tmp_path)})
    assert found[3, 97, 1] == Path("/somewhere/python")
    assert not {version for version in found if version[1] > 97 or version < (3, 11)}


def test_a_folder_of_the_path_that_cannot_be_read_is_passed_over(
    program: Callable[[str, str], Path], tmp_path: Path
) -> None:
    program("python3.97", "echo 3.97.1 /somewhere/python")
    too_long = "x" * 5000  # an error for root, too, who may read every folder
    found = pythons.find({"PATH": f"/{too_long}:{tmp_path}", "PYENV_ROOT": f"/{too_long}"})
    assert found[3, 97, 1] == Path("/somewhere/python")


def test_a_virtual_environment_in_the_path_stands_for_its_python() -> None:
    found = pythons.find({"PATH": str(Path(sys.executable).parent)})
    python = found[sys.version_info[:3]]
    assert not (python.parents[1] / "pyvenv.cfg").exists()


def test_the_oldest_and_the_newest_are_tested_beside_that_of_the_whole_suite() -> None:
    versions = [(3, 12, 1), (3, 11, 2), (3, 13, 0), (3, 11, 7)]
    assert pythons.oldest_and_newest(versions, (3, 11, 7)) == [(3, 11, 2), (3, 13, 0)]
    assert pythons.oldest_and_newest(versions, (3, 11, 2)) == [(3, 13, 0)]
    assert pythons.oldest_and_newest(versions[:1], (3, 12, 1)) == []


def test_an_environment_needs_no_ensurepip(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_WITHOUT_ENSUREPIP)
    made = tmp_path / "made"
    subprocess.run(
        [sys.executable, "-c", _MAKE, str(made)],
        cwd=_ROOT,
        env={"PYTHONPATH": str(tmp_path)},
        check=True,
    )
    pip = [str(made / "bin" / "python"), "-m", "pip", "--version"]
    assert str(made) in subprocess.run(pip, check=True, capture_output=True, text=True).stdout
    assert environment.is_of_this_python(made)


def test_an_environment_of_another_python_or_a_broken_one_is_not_used(
    program: Callable[[str, str], Path], tmp_path: Path
) -> None:
    assert not environment.is_of_this_python(tmp_path)
    (tmp_path / "bin").mkdir()
    program("bin/python", "echo /usr 3.99.0")
    assert not environment.is_of_this_python(tmp_path)


@pytest.mark.parametrize(
    ("libc", "wheels"),
    [(("glibc", "2.36"), 1), (("glibc", "2.17"), 0), (("", ""), 0), (("musl", "1.2"), 0)],
)
def test_where_there_are_no_wheels_of_the_programs_the_rest_is_installed(
    monkeypatch: pytest.MonkeyPatch, libc: tuple[str, str], wheels: int
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "libc_ver", lambda: libc)
    monkeypatch.setattr(environment, "_pip_install", lambda _, *given: installed.extend(given))
    environment.install_packages(Path(), _ROOT / "requirements" / "runtime.txt")
    assert str(_ROOT / "requirements" / "runtime.txt") in installed
    assert installed.count(str(_ROOT / "requirements" / "local.txt")) == wheels


def test_a_finished_environment_is_made_anew_for_another_python_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    done: list[str] = []
    lock = _ROOT / "requirements" / "runtime.txt"
    monkeypatch.setattr(environment, "is_of_this_python", lambda _: "another" not in done)
    monkeypatch.setattr(environment, "create", lambda _: done.append("made"))
    monkeypatch.setattr(environment, "install_packages", lambda *_: done.append("installed"))
    monkeypatch.setattr(environment, "install_project", lambda *_, **__: None)
    environment.set_up(tmp_path, lock, copy=False)
    environment.set_up(tmp_path, lock, copy=False)
    assert done == ["made", "installed"]
    environment.set_up(tmp_path, lock.with_name("dev.txt"), copy=False)
    assert done == ["made", "installed", "installed"]
    assert [file.name for file in tmp_path.iterdir()] == ["dev.done"]
    done[:] = ["another"]
    environment.set_up(tmp_path, lock, copy=False)
    assert done == ["another", "made", "installed"]
