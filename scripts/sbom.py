"""Writes the components of an installation, in CycloneDX format, from a lock file.

The output is reproducible: it has no serial number, and no time except SOURCE_DATE_EPOCH, if set.
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_LOCK = ROOT / "requirements" / "local.txt"
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def sbom(lock: Path) -> dict[str, Any]:
    """Return the document of a lock file; the project is its root component."""
    document = _components(lock)
    for component in document["components"]:
        del component["description"]  # the text of the lock file, with all hashes
    root = document["metadata"]["component"]
    root["version"] = version()
    document["dependencies"] = [
        {"ref": root["bom-ref"], "dependsOn": sorted(_direct(document["components"]))},
        *(each for each in document["dependencies"] if each["ref"] != root["bom-ref"]),
    ]
    return document


def version() -> str:
    """Return the project's version."""
    text = (ROOT / "src" / "atelier" / "__init__.py").read_text()
    found = re.search(r'__version__ = "([^"]+)"', text)
    assert found  # noqa: S101 - hatchling requires it, too
    return found[1]


def _components(lock: Path) -> dict[str, Any]:
    program = Path(sys.executable).with_name("cyclonedx-py")
    options = ("--output-reproducible", "--output-format", "JSON", "--output-file", "-")
    done = subprocess.run(
        [program, "requirements", lock, "--pyproject", ROOT / "pyproject.toml", *options],
        check=True,
        capture_output=True,
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _direct(components: list[dict[str, Any]]) -> set[str]:
    """Return the references of the project's direct dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = project["dependencies"] + project["optional-dependencies"]["local"]
    names = {found[0].lower() for each in requirements if (found := _NAME.match(each))}
    return {each["bom-ref"] for each in components if each["name"].lower() in names}


def main() -> None:
    """Write the document to the file named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--lock", type=Path, default=_LOCK)
    arguments = parser.parse_args()
    document = sbom(arguments.lock)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    sys.stdout.write(f"{arguments.output}: {len(document['components'])} components.\n")


if __name__ == "__main__":
    main()
