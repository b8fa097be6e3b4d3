"""Finds the installed Pythons that the service supports, for `make test-pythons`."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

OLDEST = (3, 11)
_FOLDERS = ("/usr/local/bin", "/usr/bin", "/opt/homebrew/bin")
_MANAGERS = ("{PYENV_ROOT}/versions", "~/.pyenv/versions", "~/.local/share/uv/python")
_PROBE_TIMEOUT = 10
_PROBE = """
import sys, sysconfig
released = sys.implementation.name == "cpython" and sys.version_info.releaselevel == "final"
if released and not sysconfig.get_config_var("Py_GIL_DISABLED"):
    print("%d.%d.%d" % sys.version_info[:3], getattr(sys, "_base_executable", sys.executable))
"""

Version = tuple[int, ...]


def find(environment: Mapping[str, str]) -> dict[Version, Path]:
    """Return the Pythons from 3.11 on, by version: released CPythons, one of each version.

    PATH, the usual system folders, and the folders of pyenv and uv are searched. A program that
    does not run, such as a shim without its Python, is ignored.
    """
    found: dict[Version, Path] = {}
    for program in _programs(_folders(environment)):
        answer = _probe(program)
        if answer and answer[0] >= OLDEST:
            found.setdefault(*answer)
    return dict(sorted(found.items()))


def oldest_and_newest(versions: Iterable[Version], tested: Version) -> list[Version]:
    """Return the oldest and the newest version, without the one already tested."""
    ordered = sorted(versions)
    return sorted({*ordered[:1], *ordered[-1:]} - {tested})


def _folders(environment: Mapping[str, str]) -> Iterator[Path]:
    yield from map(Path, environment.get("PATH", "").split(os.pathsep))
    yield from map(Path, _FOLDERS)
    for manager in _MANAGERS:
        root = environment.get("PYENV_ROOT", "~/.pyenv")
        versions = Path(manager.format(PYENV_ROOT=root)).expanduser()
        if _is_readable(versions):
            yield from versions.glob("*/bin")


def _is_readable(folder: Path) -> bool:
    """Return whether a folder can be searched: PATH may be that of another user."""
    return os.access(folder, os.R_OK | os.X_OK)


def _programs(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the programs that may be a Python from 3.11 on, each file once."""
    seen = set()
    for folder in filter(_is_readable, folders):
        for program in (folder / "python3", *sorted(folder.glob("python3.[1-9][0-9]"))):
            if program.exists() and (real := program.resolve()) not in seen:
                seen.add(real)
                yield program


def _probe(program: Path) -> tuple[Version, Path] | None:
    try:
        answer = subprocess.run(
            [program, "-c", _PROBE],
            check=True,
            capture_output=True,
            text=True,
            timeout=_PROBE_TIMEOUT,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version, _, path = answer.strip().partition(" ")
    return (parse(version), Path(path)) if path else None


def parse(version: str) -> Version:
    """Return the components of a version such as 3.11.2."""
    return tuple(map(int, version.split(".")))


def _lines(arguments: argparse.Namespace) -> list[str]:
    found = find(os.environ)
    if arguments.version:
        return [str(found[parse(arguments.version)])]
    chosen: Iterable[Version] = found
    if arguments.ends:
        chosen = oldest_and_newest(found, parse(arguments.ends))
    return [".".join(map(str, version)) for version in chosen]


def main() -> None:
    """Print the installed versions, or the path of one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", nargs="?", help="print the path of this version")
    parser.add_argument(
        "--ends",
        metavar="TESTED",
        help="print the oldest and the newest, except one already tested",
    )
    sys.stdout.writelines(f"{line}\n" for line in _lines(parser.parse_args()))


if __name__ == "__main__":
    main()
