"""The commands of docs/api.md run, and their output has the form that the page shows."""

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.cluster import Cluster
from tests.support.commands import environment
from tests.support.parts import program_or_skip

_PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_SHOWN_URL = "http://127.0.0.1:8080"
_END = "\0end\0"


class Command(NamedTuple):
    """A command of the page, and the output shown below it."""

    text: str
    output: str


def sections() -> dict[str, list[Command]]:
    """Return the commands of each section that has some."""
    parts = re.split(r"^## (.+)\n", _PAGE, flags=re.MULTILINE)[1:]
    found = {
        title: [
            Command(*match.groups())
            for block in _BLOCK.findall(text)
            for match in _COMMAND.finditer(block)
        ]
        for title, text in zip(parts[::2], parts[1::2], strict=True)
    }
    return {title: commands for title, commands in found.items() if commands}


SECTIONS = sections()


def matches(shown: object, received: object) -> bool:
    """Return whether JSON has the form of the JSON shown; lists may have other lengths.

    A null may be any value.
    """
    if isinstance(shown, dict) and isinstance(received, dict):
        return shown.keys() == received.keys() and all(
            matches(shown[name], received[name]) for name in shown
        )
    if isinstance(shown, list) and isinstance(received, list):
        if not shown or not received:
            return not shown
        return all(matches(shown[0], item) for item in received)
    return shown is None or received is None or type(shown) is type(received)


def is_as_shown(shown: str, received: str) -> bool:
    with suppress(json.JSONDecodeError):
        return matches(json.loads(shown), json.loads(received))
    return shown.split() == received.split()


@pytest.mark.usefixtures("documented")
@pytest.mark.parametrize("title", SECTIONS)
def test_commands_of_the_page_do_what_it_shows(
    service: Cluster, token: str, tmp_path: Path, title: str
) -> None:
    """Run a section in one shell; `$TOKEN` is a token of the highest scope."""
    program_or_skip("curl", "curl")
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "atelier").symlink_to(Path(sys.executable).with_name("atelier"))
    script = "".join(
        f"{command.text}\nprintf '\\0end\\0'\n" for command in SECTIONS[title]
    ).replace(_SHOWN_URL, service.base_url)
    done = subprocess.run(
        ["bash", "-eo", "pipefail"],
        input=script,
        env=environment(
            tmp_path / "home",
            ATELIER_DATABASE_URL=service.database,
            TOKEN=token,
            PATH=f"{folder}:{os.environ['PATH']}",
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    outputs = done.stdout.split(_END)
    assert len(outputs) == len(SECTIONS[title]) + 1
    for command, output in zip(SECTIONS[title], outputs, strict=False):
        assert is_as_shown(command.output, output), f"{command.text}\n{output}"


def test_the_page_has_commands() -> None:
    assert {"Errors", "Tokens"} <= SECTIONS.keys()
