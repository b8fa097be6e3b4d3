"""`make bundle`: the release that hosts install."""

import tarfile
from pathlib import Path

from scripts.bundle import bundle

_ROOT = Path(__file__).parents[2]


def test_a_bundle_holds_what_a_host_needs_and_is_reproducible(tmp_path: Path) -> None:
    first, second = bundle(tmp_path / "1"), bundle(tmp_path / "2")
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        boot = next(each for each in archive.getmembers() if each.name.endswith("/boot.sh"))
        assert boot.mode & 0o111
    folder = _ROOT / "src" / "atelier" / "cloud" / "systemd" / "units"
    units = {f"systemd/{file.name}" for file in folder.iterdir()}
    assert "systemd/atelier@.service" in units
    assert {"boot.sh", "requirements.txt", *units} <= names
    assert [name for name in names if name.startswith("atelier_qa-") and name.endswith(".whl")]
    assert [name for name in names if name.startswith("pip-") and name.endswith(".whl")]


def test_the_hosts_requirements_are_locked_with_hashes_and_hold_no_test() -> None:
    lock = (_ROOT / "requirements" / "aws.txt").read_text()
    assert "\nboto3==" in lock
    assert "--hash=sha256:" in lock
    assert "moto" not in lock
    for name in ("runtime", "local"):
        assert "boto3" not in (_ROOT / "requirements" / f"{name}.txt").read_text()
