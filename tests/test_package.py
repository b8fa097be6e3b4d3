"""The built package: it holds all that the service reads at run time, and serves."""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import PathDistribution
from pathlib import Path

import httpx
import pytest

from tests.support.cluster import program, wait_until_ready
from tests.support.postgres import temporary_folder

_ROOT = Path(__file__).parent.parent
_SOURCE = _ROOT / "src"
_SPECIFICATION = _ROOT / "contract" / "openapi.yaml"
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
_WHERE = "import atelier; print(atelier.__file__)"


def _build(kind: str, project: Path, folder: Path) -> Path:
    """Build a wheel or an sdist of a project, as `python -m build` does; return the file."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (built,) = folder.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the unpacked source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(_build("sdist", _ROOT, folder)) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # from 3.11.4 on
        archive.extractall(folder)  # noqa: S202 - it was built a line above
    return next(path for path in folder.iterdir() if path.is_dir())


@pytest.fixture(scope="module", params=["sdist", "checkout"])
def wheel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that is built of the source distribution, or straight of the checkout."""
    project = request.getfixturevalue("sdist") if request.param == "sdist" else _ROOT
    return _build("wheel", project, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(sdist: Path) -> Iterator[Path]:
    """Return a folder with the wheel installed; the packages it needs are those of the tests."""
    options = ("--disable-pip-version-check", "-qq", "--no-deps", "--no-index", "--no-compile")
    with temporary_folder() as folder:
        wheel, target = _build("wheel", sdist, folder), folder / "packages"
        pip = (sys.executable, "-m", "pip", "install", *options)
        subprocess.run([*pip, "--target", target, wheel], check=True)
        yield target


def test_a_wheel_holds_every_file_of_the_source(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = (path for path in _SOURCE.rglob("*") if path.is_file() and path.suffix != ".pyc")
    source = {path.relative_to(_SOURCE).as_posix() for path in files}
    assert packed == source | {"atelier/contract/openapi.yaml"}


def test_a_source_distribution_can_be_built_and_tested(sdist: Path) -> None:
    tracked = (
        "Makefile",
        "LICENSE",
        "SECURITY.md",
        "contract",
        "requirements",
        "scripts",
        "src",
        "tests",
    )
    missing = {
        path.relative_to(_ROOT).as_posix()
        for name in tracked
        for path in (_ROOT / name, *(_ROOT / name).rglob("*"))
        if "__pycache__" not in path.parts and not (sdist / path.relative_to(_ROOT)).exists()
    }
    assert missing == set()


def test_an_installed_wheel_serves(installed: Path, database: str) -> None:
    environment = {"PYTHONPATH": str(installed), "ATELIER_DATABASE_URL": database}
    python = (sys.executable, "-P")
    said = subprocess.run([*python, "-c", _WHERE], env=environment, capture_output=True, check=True)
    assert Path(said.stdout.decode().strip()).is_relative_to(installed)
    socket = installed.with_name("instance.sock")
    with program([*python, "-m", "atelier", "serve", "--socket", str(socket)], **environment):
        wait_until_ready(socket)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket))) as client:
            assert client.get("http://it/openapi.yaml").content == _SPECIFICATION.read_bytes()
            assert client.get("http://it/docs").status_code == 200
            assert client.get("http://it/qa/questions?product_id=1").json()["results"] == []


def test_an_installed_wheel_has_the_command(installed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", installed / "bin" / "atelier", "--version"],
        env={"PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    )
    (metadata,) = installed.glob("*.dist-info")
    assert PathDistribution(metadata).version in done.stdout


def test_every_dependency_says_the_lowest_version_and_that_one_is_tested() -> None:
    lowest = (_ROOT / "requirements" / "lowest.txt").read_text()
    for dependency in _PROJECT["dependencies"]:
        name, version = dependency.split(">=")
        assert f"\n{name}=={version}" in lowest, dependency


def test_the_readme_names_the_pythons_of_the_metadata() -> None:
    classifier = "Programming Language :: Python :: 3."
    named = [name.removeprefix(classifier) for name in _PROJECT["classifiers"]]
    minors = [f"3.{name}" for name in named if name.isdecimal()]
    listed = f"{', '.join(minors[:-1])} and {minors[-1]}"
    assert listed in (_ROOT / "README.md").read_text()


def test_the_pip_that_comes_with_the_repository_is_the_locked_one() -> None:
    (pip,) = (_ROOT / "requirements").glob("pip-*.whl")
    lock = (_ROOT / "requirements" / "pip.txt").read_text()
    assert f"pip=={pip.name.split('-')[1]} " in lock
    assert f"sha256:{sha256(pip.read_bytes()).hexdigest()}" in lock
