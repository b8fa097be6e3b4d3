"""What the documents say is there: files, headings, commands."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from atelier.cli import atelier
from tests.transfer.exports import fetch

_ROOT = Path(__file__).parents[1]
_LINK = re.compile(r"\[[^\]\[]*\]\(<?([^)\s>]+)>?\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_ELSEWHERE = ("http://", "https://", "mailto:")
_MAKE = re.compile(r"(?:^|[`$ ])make ((?:[a-z]+-)*[a-z]+)\b(?=`|$| *#|  )", re.MULTILINE)
_ATELIER = re.compile(r"(?:`|\$ )(?:\.venv/bin/)?atelier ([a-z][a-z-]*)")


def documents() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    return [_ROOT / name for name in listed] or sorted(_ROOT.glob("[!.]*/**/*.md"))


DOCUMENTS = {str(path.relative_to(_ROOT)): path for path in documents()}


def links(document: Path) -> Iterator[str]:
    text = _FENCE.sub("", document.read_text(encoding="utf-8"))
    return (link for link in _LINK.findall(text) if not link.startswith(_ELSEWHERE))


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    text = _FENCE.sub("", document.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ +(.+)$", text, flags=re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    document = DOCUMENTS[name]
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{name}: {link}"
        assert not anchor or anchor in anchors(target), f"{name}: {link}"


def test_every_make_target_that_is_named_is_there() -> None:
    makefiles = [_ROOT / "Makefile", *_ROOT.glob("*/**/*.mk")]
    texts = [path.read_text() for path in makefiles if ".venv" not in path.parts]
    targets = set(re.findall(r"^([a-z-]+):", "\n".join(texts), flags=re.MULTILINE))
    for name, document in DOCUMENTS.items():
        named = set(_MAKE.findall(document.read_text()))
        assert named <= targets, f"{name}: {named - targets}"


def test_every_command_that_is_named_is_there() -> None:
    with click.Context(atelier) as context:
        commands = set(atelier.list_commands(context))
    for name, document in DOCUMENTS.items():
        if name == "CHANGELOG.md":
            continue
        named = set(_ATELIER.findall(document.read_text()))
        assert named <= commands, f"{name}: {named - commands}"


def test_the_defaults_of_a_load_test_are_those_that_are_told() -> None:
    script = (_ROOT / "bench" / "k6" / "lib" / "thresholds.js").read_text()
    defaults = dict(re.findall(r"setting\('([A-Z0-9_]+)', (\d+)\)", script))
    told = dict(re.findall(r"`([A-Z0-9_]+)` \((\d+)\)", (_ROOT / "bench/README.md").read_text()))
    assert defaults
    assert {name: told.get(name) for name in defaults} == defaults


async def test_what_is_said_of_a_restart_is_what_postgresql_says(database: str) -> None:
    text = (_ROOT / "docs" / "configuration.md").read_text()
    [changed] = re.findall(r"ALTER SYSTEM SET (\w+)", text)
    [listed] = re.findall(
        r"^Most settings take effect .*? need a restart", text, flags=re.MULTILINE
    )
    restarted = re.findall(r"`(\w+)`", listed)
    rows = await fetch(database, "SELECT name FROM pg_settings WHERE context = 'postmaster'")
    need_a_restart = {row["name"] for row in rows}
    assert restarted
    assert need_a_restart >= set(restarted)
    assert changed not in need_a_restart


def test_every_test_named_in_the_list_of_threats_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (_ROOT / "docs" / "security.md").read_text()))
    files = (_ROOT / "tests").rglob("test_*.py")
    defined = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())}
    assert named
    assert named <= defined
