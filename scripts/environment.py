"""Creates a virtual environment with the packages of a lock file, for the Python running this.

pip is part of the repository (requirements/pip-*.whl), so that ensurepip is not required: Debian
and Ubuntu omit it from their python3.
"""

import argparse
import platform
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
_REQUIREMENTS = ROOT / "requirements"
_LOCAL = _REQUIREMENTS / "local.txt"
_OLDEST_GLIBC = (2, 27)


def has_wheels_of_programs() -> bool:
    """Return whether wheels of PostgreSQL and nginx can exist for this Python.

    They require glibc; markers in the lock file select those for the CPU architecture.
    """
    if sys.platform == "darwin":
        return True
    name, version = platform.libc_ver()
    return name == "glibc" and tuple(map(int, version.split(".")[:2])) >= _OLDEST_GLIBC


def create(folder: Path) -> None:
    """Create an environment with only pip, replacing the contents of its folder."""
    venv.EnvBuilder(clear=True, symlinks=True).create(folder)
    (pip,) = _REQUIREMENTS.glob("pip-*.whl")
    _pip_install(folder, "--no-index", str(pip), pip=[str(pip / "pip")])


def is_of_this_python(folder: Path) -> bool:
    """Return whether the folder contains an environment of the Python running this."""
    question = "import sys; print(sys.base_prefix, sys.version)"
    try:
        answer = subprocess.run(
            [_python(folder), "-c", question], check=True, capture_output=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer == f"{sys.base_prefix} {sys.version}\n"


def install_packages(folder: Path, lock: Path) -> None:
    """Install the packages of a lock file, and PostgreSQL and nginx if there are wheels."""
    locks = [lock, _LOCAL] if has_wheels_of_programs() else [lock]
    files = [part for each in locks for part in ("--requirement", str(each))]
    _pip_install(folder, "--require-hashes", *files)


def install_project(folder: Path, *, copy: bool) -> None:
    """Install the project: a copy of its current state, or an editable link to this checkout."""
    how = ["--force-reinstall"] if copy else ["--editable"]
    _pip_install(folder, "--no-deps", "--no-build-isolation", *how, str(ROOT))


def set_up(folder: Path, lock: Path, *, copy: bool) -> None:
    """Install a lock file's packages unless LOCK.done shows that they are up to date.

    An incomplete environment, or one of another Python, is recreated. A copy of the project is
    reinstalled each time.
    """
    done = folder / f"{lock.stem}.done"
    finished = is_of_this_python(folder) and any(folder.glob("*.done"))
    if finished and _is_newer(done, lock, _LOCAL, ROOT / "pyproject.toml"):
        if copy:
            install_project(folder, copy=True)
        return
    name = folder.resolve().relative_to(ROOT) if folder.resolve().is_relative_to(ROOT) else folder
    _print(
        f"Installing the packages of requirements/{lock.name} for Python "
        f"{platform.python_version()} into {name} (once, about a minute)."
    )
    if not finished:
        create(folder)
    for each in folder.glob("*.done"):
        each.unlink()
    install_packages(folder, lock)
    install_project(folder, copy=copy)
    if not has_wheels_of_programs():
        _print("There are no wheels of PostgreSQL and nginx for this system: install its packages.")
    done.touch()


def _is_newer(file: Path, *others: Path) -> bool:
    return file.exists() and all(file.stat().st_mtime >= each.stat().st_mtime for each in others)


def _python(folder: Path) -> str:
    return str(folder / "bin" / "python")


def _pip_install(folder: Path, *arguments: str, pip: Sequence[str] = ("-m", "pip")) -> None:
    quiet = ("--disable-pip-version-check", "-qq")
    subprocess.run([_python(folder), *pip, *quiet, "install", *arguments], check=True)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Set up the environment named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copy", action="store_true", help="install a copy of the project")
    parser.add_argument("folder", type=Path)
    parser.add_argument("lock", type=Path)
    arguments = parser.parse_args()
    try:
        set_up(arguments.folder, arguments.lock, copy=arguments.copy)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


if __name__ == "__main__":
    main()
