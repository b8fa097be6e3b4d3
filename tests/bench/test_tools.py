"""External programs of the benchmark are installed or reported as missing."""

import shutil
from pathlib import Path

import pytest

from atelier.errors import AtelierError
from bench import tools
from bench.systems import EXPRESS_FOLDER
from tests.support.cluster import free_port
from tests.support.parts import program_or_skip


def test_unreachable_npm_registry_is_a_one_line_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program_or_skip("npm", "npm")
    for file in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(EXPRESS_FOLDER / file, tmp_path)
    monkeypatch.setattr(tools, "EXPRESS_FOLDER", tmp_path)
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    with pytest.raises(
        AtelierError, match=r"^npm could not install the Express peer: .+$"
    ) as raised:
        tools.install_express(lambda _: None)
    assert "\n" not in str(raised.value)
    assert "127.0.0.1" in str(raised.value)
