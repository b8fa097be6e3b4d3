"""`make install` gives a user the command, and `make uninstall` takes it away again."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent


def make(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments, f"PYTHON={sys.executable}"],
        cwd=_ROOT,
        env={"PATH": path, "HOME": "/nonexistent"},
        check=False,
        capture_output=True,
        text=True,
    )


def prepared(prefix: Path) -> Path:
    """Make the environment, and let it see what is installed here: nothing is fetched."""
    place = prefix / "lib" / "atelier"
    venv.create(place)
    [packages] = place.glob("lib/python*/site-packages")
    (packages / "here.pth").write_text(sysconfig.get_path("purelib"))
    (place / "runtime.done").touch()
    return place


def test_the_command_is_installed_as_a_copy_and_removed_again(tmp_path: Path) -> None:
    if not shutil.which("make"):
        pytest.skip("make is not here")
    prefix, path = tmp_path / "pre fix", os.environ["PATH"]
    place = prepared(prefix)
    installed = make("install", f"PREFIX={prefix}", path=path)
    assert installed.returncode == 0, installed.stderr
    assert f'export PATH="{prefix}/bin:$PATH"' in installed.stdout

    environment = {"PATH": f"{prefix}/bin:{path}"}
    said = subprocess.run(
        ["atelier", "--version"], env=environment, cwd="/", check=True, capture_output=True
    )
    assert said.stdout.startswith(b"atelier ")
    find = "import atelier, importlib.resources as r; print(r.files(atelier))"
    found = subprocess.run(
        [place / "bin" / "python", "-P", "-c", find], check=True, capture_output=True, text=True
    )
    assert Path(found.stdout.strip()).is_relative_to(place)

    assert make("uninstall", f"PREFIX={prefix}", path=path).returncode == 0
    assert not [*(prefix / "bin").iterdir(), *(prefix / "lib").iterdir()]
