"""Calls only go downward (docs/architecture.md)."""

import ast
from pathlib import Path

import pytest

import atelier

_ROOT = Path(atelier.__file__).parent
_BELOW = {
    "cli": {"http", "transfer", "local", "store"},
    "http": {"store"},
    "transfer": {"store"},
    "local": {"store", "transfer"},
    "store": set[str](),
}
_FOR_ALL = {"errors", "limits", "settings", "metrics", "__version__"}
_WEB = {"falcon", "uvicorn"}


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files(layer: str) -> list[Path]:
    single = _ROOT / f"{layer}.py"
    return [single] if single.exists() else sorted((_ROOT / layer).rglob("*.py"))


@pytest.mark.parametrize("layer", _BELOW)
def test_a_layer_only_calls_downward(layer: str) -> None:
    allowed = _BELOW[layer] | _FOR_ALL | {layer}
    assert files(layer)
    for file in files(layer):
        used = {name.split(".")[1] for name in imports(file) if name.startswith("atelier.")}
        assert used <= allowed, f"{file.name} reaches {used - allowed}"


@pytest.mark.parametrize("layer", ["store", "transfer", "local"])
def test_only_http_knows_the_web_framework(layer: str) -> None:
    for file in files(layer):
        assert not {name.split(".")[0] for name in imports(file)} & _WEB, file.name


def test_sql_lives_in_sql_files_where_http_is_concerned() -> None:
    for file in files("http"):
        text = file.read_text(encoding="utf-8")
        assert not {word for word in ("SELECT ", "INSERT ", "UPDATE ", "DELETE ") if word in text}
