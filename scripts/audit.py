"""Looks up known vulnerabilities of the locked packages.

The exit code is 0 if there are none, 1 if there are some, and 2 if a package could not be looked
up: no answer from the advisory source does not mean no vulnerability.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
_LOCK = ROOT / "requirements" / "local.txt"
_PROGRAM = Path(sys.executable).with_name("pip-audit")
_OPTIONS = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json")


class Result(NamedTuple):
    """The text to print, and the exit code."""

    text: str
    code: int


def audit(lock: Path, program: Sequence[str | Path] = (_PROGRAM,)) -> Result:
    """Look up the packages of a lock file; return the findings and the exit code."""
    done = subprocess.run(
        [*program, *_OPTIONS, "--requirement", lock], check=False, capture_output=True, text=True
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return Result(f"The advisory source does not answer: nothing was audited ({reason}).", 2)
    return _evaluate(packages)


def _evaluate(packages: list[dict[str, Any]]) -> Result:
    found = [
        f"{each['name']} {each['version']}: {vulnerability['id']}, fixed in "
        f"{', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for each in packages
        for vulnerability in each.get("vulns", [])
    ]
    skipped = [each for each in packages if "skip_reason" in each]
    if skipped or not packages:
        found.append(
            f"The advisory source does not know {len(skipped)} of {len(packages)} packages: "
            "they were not audited."
        )
        return Result("\n".join(found), 2)
    return Result(
        "\n".join(found) or f"{len(packages)} packages: no known vulnerabilities.", bool(found)
    )


def main() -> None:
    """Audit the lock file named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock", type=Path, nargs="?", default=_LOCK)
    text, code = audit(parser.parse_args().lock)
    (sys.stderr if code else sys.stdout).write(f"{text}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
