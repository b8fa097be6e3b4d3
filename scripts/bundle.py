"""Makes the release that hosts install: dist/atelier-VERSION-hosts.tar.gz.

It holds the wheel, the locked requirements with their hashes, pip, the units and the boot script;
with --python also the wheels of the requirements, for hosts without a package index.
"""

import argparse
import gzip
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.sbom import ROOT, version

_LOCK = ROOT / "requirements" / "aws.txt"
_UNITS = ROOT / "src" / "atelier" / "cloud" / "systemd" / "units"
_GLIBC = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")


def bundle(folder: Path, pythons: Sequence[str] = (), machine: str = "aarch64") -> Path:
    """Make the release in a folder; the same sources give the same bytes. Return the file."""
    name = f"atelier-{version()}"
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / name
        root.mkdir()
        _build_wheel(root)
        shutil.copy(_LOCK, root / "requirements.txt")
        shutil.copy(next((ROOT / "requirements").glob("pip-*.whl")), root)
        shutil.copy(ROOT / "deploy" / "aws" / "boot.sh", root)
        shutil.copytree(_UNITS, root / "systemd")
        for python in pythons:
            _download(root / "wheels", python, machine)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{name}-hosts.tar.gz"
        file.write_bytes(_archive(root))
    return file


def _build_wheel(folder: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def _download(folder: Path, python: str, machine: str) -> None:
    platforms = [part for each in _GLIBC for part in ("--platform", f"{each}_{machine}")]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-qq", "download"]
    options = ["--only-binary", ":all:", "--python-version", python, *platforms]
    files = ["--require-hashes", "--requirement", str(_LOCK), "--dest", str(folder)]
    subprocess.run([*command, *options, *files], check=True)


def _archive(root: Path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for file in sorted(root.rglob("*")):
            archive.add(file, file.relative_to(root.parent), recursive=False, filter=_anonymous)
    return gzip.compress(content.getvalue(), mtime=0)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return a member without the time and the owner of this machine."""
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() or member.name.endswith(".sh") else 0o644
    return member


def main() -> None:
    """Make the release that the arguments describe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", action="append", default=[], help="such as 3.11; repeatable")
    parser.add_argument("--machine", default="aarch64", choices=("aarch64", "x86_64"))
    given = parser.parse_args()
    file = bundle(ROOT / "dist", given.python, given.machine)
    sys.stdout.write(f"{file.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
