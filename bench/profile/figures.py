"""The figures of the capacity model, from the profile: src/atelier/cloud/figures.json."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench import report
from bench.plots import COMPONENTS
from bench.processes import ROOT
from bench.results import Cost, Profile
from bench.systems import OURS

FILE = ROOT / "src" / "atelier" / "cloud" / "figures.json"
_PARTS = {"page": "uniform", "vote": "votes"}


def figures(profile: Profile) -> str:
    """Return the contents of the file: medians in microseconds and bytes."""
    parts = {name: profile[part] for name, part in _PARTS.items()}
    head = {
        "date": min(part.date for part in parts.values()),
        "machine": report.facts(parts["page"])["machine"],
    }
    medians = {name: _medians(part.costs[OURS]) for name, part in parts.items()}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in (head | medians).items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write(profile: Profile, file: Path = FILE) -> None:
    """Write the file, if pages and votes are measured."""
    if all(part in profile for part in _PARTS.values()):
        file.write_text(figures(profile), encoding="utf-8")


def _medians(costs: Sequence[Cost]) -> dict[str, int]:
    parts = {part: median(cost.parts[part] for cost in costs) for part in COMPONENTS}
    log = median(cost.log_bytes for cost in costs)
    return {name: round(value) for name, value in {**parts, "WAL": log}.items()}
