"""`make release`: a version, a dated changelog, a tag, and files with signed checksums."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.parts import program_or_skip

_ROOT = Path(__file__).parents[1]
_SCRIPT = _ROOT / "scripts" / "release.py"
Release = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository with the tracked files of this one, as one commit."""
    folder = tmp_path / "project"
    tracked = git(_ROOT, "ls-files", "-z").split("\0")
    for name in filter(None, tracked):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (_ROOT / name).exists():
            shutil.copy2(_ROOT / name, target, follow_symlinks=False)
    for command in (
        ("init", "--quiet"),
        ("config", "user.name", "Tester"),
        ("config", "user.email", "tester@shop.example"),
        ("add", "--all"),
        ("commit", "--quiet", "-m", "All"),
    ):
        git(folder, *command)
    return folder


@pytest.fixture
def release(project: Path) -> Release:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(_SCRIPT), "--root", str(project), *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    return run


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_release_is_tagged_built_and_signed(
    project: Path, release: Release, tmp_path: Path
) -> None:
    keygen = program_or_skip("ssh-keygen", "openssh-client")
    key = tmp_path / "key"
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    done = release("0.9.0", "--key", str(key))
    assert done.returncode == 0, done.stderr

    assert git(project, "status", "--porcelain") == ""
    assert git(project, "describe").strip() == "v0.9.0"
    changelog = (project / "CHANGELOG.md").read_text()
    assert re.search(r"## \[Unreleased\]\n\n## \[0\.9\.0\] - \d{4}-\d\d-\d\d\n\n###", changelog)

    dist = project / "dist"
    names = {"SHA256SUMS", "SHA256SUMS.sig", "atelier_qa-0.9.0.cdx.json", "atelier_qa-0.9.0.tar.gz"}
    assert {file.name for file in dist.iterdir()} == names | {"atelier_qa-0.9.0-py3-none-any.whl"}
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=dist, check=False
    )
    assert checked.returncode == 0
    signers = tmp_path / "signers"
    signers.write_text(f"releases@shop.example {key.with_suffix('.pub').read_text()}")
    who = ("-I", "releases@shop.example", "-n", "file", "-s", "SHA256SUMS.sig")
    verify = [keygen, "-Y", "verify", "-f", str(signers), *who]
    sums = (dist / "SHA256SUMS").read_bytes()
    subprocess.run(verify, cwd=dist, input=sums, check=True, capture_output=True)
    forged = subprocess.run(verify, cwd=dist, input=sums + b" ", check=False, capture_output=True)
    assert forged.returncode != 0


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("0.0.1", "is not newer than"),
        ("1.0", "three numbers"),
        ("v1.0.0", "three numbers"),
    ],
)
def test_unsuitable_version_is_refused(
    project: Path, release: Release, version: str, reason: str
) -> None:
    before = git(project, "log")
    done = release(version)
    assert (done.returncode, reason in done.stderr) == (1, True)
    assert (git(project, "log"), git(project, "tag")) == (before, "")


def test_uncommitted_changes_and_an_empty_changelog_are_refused(
    project: Path, release: Release
) -> None:
    changelog = project / "CHANGELOG.md"
    text = changelog.read_text()
    (project / "README.md").write_text("changed")
    assert "not committed" in release("0.9.0").stderr
    git(project, "checkout", "--quiet", "README.md")
    changelog.write_text(re.sub(r"(?s)(## \[Unreleased\]\n).*", r"\1", text))
    assert "say what changed" in release("0.9.0").stderr
    assert git(project, "tag") == ""
