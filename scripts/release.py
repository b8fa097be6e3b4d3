"""Makes a release: the version, the changelog, a commit with a tag, and the files to publish.

    make release VERSION=0.2.0 [KEY=~/.ssh/id_ed25519]

Nothing is pushed or uploaded. The files in dist/ are built from the tag, so anyone who has it gets
the same bytes. KEY signs the checksums with an SSH key; without it, they are not signed.
"""

import argparse
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_UNRELEASED = "## [Unreleased]"
_NAMESPACE = "file"
"""Of the signature: what `ssh-keygen -Y verify` names, too."""


class ReleaseError(Exception):
    """The release cannot be made; the message says what to do."""


class Project:
    """A checkout of the project."""

    def __init__(self, root: Path) -> None:
        """Take the checkout's folder."""
        self._root = root
        self._code = root / "src" / "atelier" / "__init__.py"
        self._changelog = root / "CHANGELOG.md"
        self.dist = root / "dist"

    def prepare(self, version: str, today: str) -> None:
        """Set the version, date the changelog's entries, and commit and tag that.

        Raises ReleaseError, and changes nothing, if that is not possible.
        """
        code = self._with_version(version)
        changelog = self._with_entries_of(version, today)
        if self._git("status", "--porcelain"):
            raise ReleaseError("There are changes that are not committed: commit them first.")
        if self._git("tag", "--list", _tag(version)):
            raise ReleaseError(f"The tag {_tag(version)} exists: choose a new version.")
        self._code.write_text(code)
        self._changelog.write_text(changelog)
        files = (str(self._code), str(self._changelog))
        self._git("commit", "--quiet", "-m", f"Release {version}", *files)
        self._git("tag", "-a", _tag(version), "-m", f"Version {version}")

    def build(self, version: str) -> list[Path]:
        """Build the tag's wheel, sdist and list of components into dist/; return the files."""
        time = self._git("log", "-1", "--format=%ct", _tag(version))
        self.dist.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as name:
            source = Path(name)
            self._unpack(version, source)
            run = _runner(source, time)
            for kind in ("sdist", "wheel"):
                run("-m", "hatchling", "build", "-t", kind, "-d", str(self.dist))
            components = self.dist / f"atelier_qa-{version}.cdx.json"
            run("scripts/sbom.py", str(components))
        (sdist,) = self.dist.glob(f"atelier_qa-{version}.tar.gz")
        (wheel,) = self.dist.glob(f"atelier_qa-{version}-*.whl")
        return [wheel, sdist, components]

    def _with_version(self, version: str) -> str:
        text = self._code.read_text()
        found = re.search(r'__version__ = "([^"]+)"', text)
        current = found[1] if found else ""
        if not _VERSION.fullmatch(version):
            raise ReleaseError(f"{version!r} is not a version: three numbers, such as 0.2.0.")
        has_tags = bool(self._git("tag", "--list", _tag(current)))
        if _numbers(version) < _numbers(current) or (has_tags and version == current):
            raise ReleaseError(f"{version} is not newer than {current}.")
        return text.replace(f'__version__ = "{current}"', f'__version__ = "{version}"')

    def _with_entries_of(self, version: str, today: str) -> str:
        text = self._changelog.read_text()
        entries = text.partition(_UNRELEASED)[2].partition("\n## [")[0]
        if not re.search(r"^- ", entries, re.MULTILINE):
            raise ReleaseError(f"CHANGELOG.md has nothing under {_UNRELEASED}: say what changed.")
        return text.replace(_UNRELEASED, f"{_UNRELEASED}\n\n## [{version}] - {today}", 1)

    def _unpack(self, version: str, folder: Path) -> None:
        archive = subprocess.run(
            ["git", "archive", "--format=tar", _tag(version)],
            cwd=self._root,
            check=True,
            capture_output=True,
        ).stdout
        with tarfile.open(fileobj=BytesIO(archive)) as tar:
            tar.extraction_filter = getattr(tarfile, "data_filter", None)  # from 3.11.4 on
            tar.extractall(folder)  # noqa: S202 - it is of this repository

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self._root, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise ReleaseError(f"git {arguments[0]}: {done.stderr.strip()}")
        return done.stdout.strip()


def write_checksums(files: list[Path]) -> Path:
    """Write SHA256SUMS beside files, as `sha256sum --check` reads it; return it."""
    lines = [f"{sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files)]
    sums = files[0].with_name("SHA256SUMS")
    sums.write_text("".join(lines))
    return sums


def sign(file: Path, key: Path) -> Path:
    """Sign a file with an SSH key, and return the signature; raise ReleaseError if that fails."""
    signature = file.with_name(f"{file.name}.sig")
    signature.unlink(missing_ok=True)
    command = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", _NAMESPACE, str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ReleaseError(f"The checksums are not signed: {done.stderr.strip()}")
    return signature


def _tag(version: str) -> str:
    return f"v{version}"


def _numbers(version: str) -> tuple[int, ...]:
    found = _VERSION.fullmatch(version)
    return tuple(map(int, found.groups())) if found else ()


def _runner(folder: Path, time: str) -> Callable[..., None]:
    environment = {"SOURCE_DATE_EPOCH": time, "PATH": "/usr/bin:/bin"}

    def run(*arguments: str) -> None:
        command = [sys.executable, *arguments]
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)

    return run


def main() -> None:
    """Make the release named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version")
    parser.add_argument("--key", type=Path, help="an SSH key that signs the checksums")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    arguments = parser.parse_args()
    project = Project(arguments.root)
    try:
        project.prepare(arguments.version, datetime.now(UTC).date().isoformat())
        files = project.build(arguments.version)
        files.append(write_checksums(files))
        if arguments.key:
            files.append(sign(files[-1], arguments.key.expanduser()))
    except ReleaseError as error:
        sys.exit(f"release: {error}")
    sys.stdout.write("".join(f"{file}\n" for file in files))
    if not arguments.key:
        sys.stdout.write("The checksums are not signed: KEY=FILE signs them with an SSH key.\n")


if __name__ == "__main__":
    main()
