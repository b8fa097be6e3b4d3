"""Calls only go downward (docs/architecture.md)."""

import ast
from pathlib import Path

import pytest

import atelier

_ROOT = Path(atelier.__file__).parent
_BELOW = {
    "cli": {"http", "transfer", "local", "store", "cloud"},
    "http": {"store"},
    "transfer": {"store"},
    "local": {"store", "transfer"},
    "cloud": {"local"},
    "store": set[str](),
}
_FOR_ALL = {"errors", "settings", "metrics", "__version__"}
_WEB = {"falcon", "uvicorn"}

# The folders of a layer, from the bottom up: each imports only from those before it.
_FOLDERS = {
    "http": ["common", "webhooks", "ops", "qa", "v1", "admin", "pages", "console"],
    "store": ["connections", "lists", "search", "moderation", "webhooks", "console"],
    "transfer": ["files", "reader", "database", "generator", "importer", "verifier", "exporter"],
    "local": ["host", "nginx", "logs", "postgres", "cluster", "monitoring", "supervisor"],
    "cloud": ["systemd", "hosts", "aws"],
}
# Folders beside each other, which do not know each other.
_SEPARATE = [
    ("http", {"ops", "qa", "v1", "admin", "console"}),
    ("transfer", {"generator", "importer", "verifier", "exporter"}),
    ("local", {"nginx", "logs", "postgres"}),
    ("cloud", {"systemd", "hosts", "aws"}),
]


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


def folders_used(layer: str, folder: str) -> set[str]:
    """Return the folders of the same layer that a folder imports from."""
    names = [name.split(".") for file in files(f"{layer}/{folder}") for name in imports(file)]
    return {name[2] for name in names if name[:2] == ["atelier", layer]} & {*_FOLDERS[layer]}


@pytest.mark.parametrize(
    ("layer", "folder"), [(layer, folder) for layer in _FOLDERS for folder in _FOLDERS[layer]]
)
def test_a_folder_only_imports_from_those_below_it(layer: str, folder: str) -> None:
    order = _FOLDERS[layer]
    assert files(f"{layer}/{folder}")
    assert folders_used(layer, folder) <= {*order[: order.index(folder) + 1]}


@pytest.mark.parametrize(("layer", "folders"), _SEPARATE)
def test_folders_beside_each_other_do_not_know_each_other(layer: str, folders: set[str]) -> None:
    for folder in folders:
        assert folders_used(layer, folder) & folders <= {folder}


@pytest.mark.parametrize("layer", _FOLDERS)
def test_every_folder_has_its_place(layer: str) -> None:
    packages = {file.parent.name for file in (_ROOT / layer).glob("*/__init__.py")}
    assert packages == {*_FOLDERS[layer]}


@pytest.mark.parametrize("layer", ["store", "transfer", "local", "cloud"])
def test_only_http_knows_the_web_framework(layer: str) -> None:
    for file in files(layer):
        assert not {name.split(".")[0] for name in imports(file)} & _WEB, file.name


def test_sql_lives_in_sql_files_where_http_is_concerned() -> None:
    for file in files("http"):
        text = file.read_text(encoding="utf-8")
        assert not {word for word in ("SELECT ", "INSERT ", "UPDATE ", "DELETE ") if word in text}
