"""The built package holds everything that the service reads at run time."""

import subprocess
import sys
import zipfile
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_SOURCE = _ROOT / "src"


def test_a_wheel_holds_every_file_of_the_source(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=_ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = set(wheel.namelist())
    files = (path for path in _SOURCE.rglob("*") if path.is_file() and path.suffix != ".pyc")
    source = {path.relative_to(_SOURCE).as_posix() for path in files}
    assert source - packed == set()
    assert "atelier/contract/openapi.yaml" in packed
