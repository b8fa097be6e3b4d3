"""`python -m fuzz TARGET`: fuzz one target for a while, and keep the inputs that reach new code."""

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click

_NAMES = ("query", "body", "csv", "header")
_FOLDER = Path(__file__).parent
_CORPUS = _FOLDER / "corpus"
_FINDINGS = _FOLDER / "findings"
_LONGEST = 4096  # bytes of an input
_SLOW_SECONDS = 5  # for one input: more is a finding


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", metavar="TARGET", type=click.Choice(_NAMES))
@click.option("--minutes", default=10.0, show_default=True, help="How long.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def main(name: str, minutes: float, arguments: tuple[str, ...]) -> None:
    """Fuzz TARGET; exit with 1 and name the input's file if something does not hold.

    With ARGUMENTS of libFuzzer, run it with these.
    """
    if not find_spec("atheris"):
        raise click.ClickException("atheris is not installed: run make fuzz, which installs it.")
    if arguments:
        _fuzz(name, arguments)
        return
    _FINDINGS.mkdir(exist_ok=True)
    corpus = _CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        code = _run(
            name,
            f"-max_total_time={round(minutes * 60)}",
            f"-artifact_prefix={_FINDINGS}/{name}-",
            f"-timeout={_SLOW_SECONDS}",
            f"-max_len={_LONGEST}",
            "-print_final_stats=1",
            scratch,
            str(corpus),
        )
        if code:
            sys.exit(f"fuzz: something does not hold for an input in {_FINDINGS}.")
        _keep(name, corpus, Path(scratch))


def _keep(name: str, corpus: Path, found: Path) -> None:
    """Replace the corpus by the smallest inputs that reach all that it and the new ones reach."""
    with tempfile.TemporaryDirectory() as scratch:
        _run(name, "-merge=1", f"-max_len={_LONGEST}", scratch, str(corpus), str(found))
        merged = list(Path(scratch).iterdir())
        if merged:
            shutil.rmtree(corpus)
            shutil.copytree(scratch, corpus)
    click.echo(f"fuzz: {name}: {len(merged)} inputs in {corpus.relative_to(Path.cwd())}.")


def _run(name: str, *arguments: str) -> int:
    # libFuzzer ends its process: each run has its own.
    command = [sys.executable, "-m", "fuzz", name, "--", *arguments]
    return subprocess.run(command, check=False).returncode


def _fuzz(name: str, arguments: tuple[str, ...]) -> None:
    import atheris  # noqa: PLC0415 - only installed by `make fuzz`

    with atheris.instrument_imports(include=["atelier", "falcon"]):
        from fuzz import targets  # noqa: PLC0415 - so that what it imports is instrumented
    with tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False) as itself:
        # A merge runs the program again, by the first of its arguments.
        itself.write(f'#!/bin/sh\nexec "{sys.executable}" -m fuzz {name} -- "$@"\n')
    Path(itself.name).chmod(0o700)
    atheris.Setup([itself.name, *arguments], targets.target(name))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
