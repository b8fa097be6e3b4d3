"""docs/performance.md: the template bench/performance.md, filled from the results."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template

import msgspec

from bench import plots
from bench.load import WORKLOADS
from bench.per_core import per_core
from bench.plan import COMMON_RATE, QUIET_RATE
from bench.results import Profile, Results, Rounds, Sample, Timeline, load_profile
from bench.systems import CEILING, EXPRESS, FASTAPI, OURS, TITLES
from bench.tables import NOT_MEASURED, spread, table
from bench.targets import Target, ratios, targets

_TEMPLATE = Path(__file__).with_name("performance.md")
_GIGABYTE = 1 << 30
_COMMAND = {"full": "make bench", "quick": "make bench-quick"}

V1 = Path(__file__).parent / "results" / "v1.md"
"""What `python -m bench v1` measured last."""
LARGER = V1.with_name("larger-than-memory.md")
"""What `python -m bench larger-than-memory` measured last."""
STEADY = V1.with_name("steady.md")
"""What `python -m bench steady` measured last."""
SEARCH = V1.with_name("search.md")
"""What `python -m bench search` measured last."""
POSTS = V1.with_name("posts.md")
"""What `python -m bench posts` measured last."""
PROFILE = V1.with_name("profile.json")
"""What `python -m bench profile` measured last."""


def write(results: Results, document: Path) -> None:
    """Write a document, and its plots into the folder of the same name beside it."""
    folder = document.with_suffix("")
    pictures = plots.draw_all(results, folder)
    shown = {name: f"![{name}]({folder.name}/{name}.svg)\n\n" for name in pictures}
    text = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        facts(results),
        costs=_costs(load_profile(PROFILE), folder),
        targets=targets_table(targets(results)),
        scale=_scale(results),
        saturation=shown.get("throughput", "") + _saturation(results),
        floor=_floor(results),
        hot=_hot(results),
        open_loop=shown.get("latency", "") + _open_loop(results),
        beside_large=_beside_large(results),
        growth=_growth(results),
        memory=_memory(results),
        ramp=_ramp(results) + shown.get("ramp", "").rstrip(),
        transfer=_transfer(results),
        v1=_kept(V1),
        larger=_kept(LARGER),
        steady=_kept(STEADY),
        search=_kept(SEARCH),
        posts=_kept(POSTS),
    )
    document.write_text(text, encoding="utf-8")


def _costs(profile: Profile, folder: Path) -> str:
    """Draw the CPU time of a request; return the picture and what it means for a deployment."""
    if not {"uniform", "votes"} <= profile.keys():
        return NOT_MEASURED
    plots.draw_costs(profile, folder / "costs.svg")
    return f"![CPU time of a request]({folder.name}/costs.svg)\n\n{per_core(profile)}"


def keep(text: str, file: Path) -> None:
    """Keep what a command measured, for the next document."""
    file.write_text(f"{text}\n", encoding="utf-8")


def _kept(file: Path) -> str:
    """Return what another command measured last."""
    return file.read_text(encoding="utf-8").strip() if file.exists() else NOT_MEASURED


def targets_table(found: Iterable[Target]) -> str:
    """Return targets as a Markdown table."""
    return table(["what", "target", "measured", "reached"], map(_target_cells, found))


def targets_text(results: Results) -> str:
    """Return the targets for a terminal."""
    lines = [_target_cells(target) for target in targets(results)]
    width = max((len(cells[0]) for cells in lines), default=0)
    return "\n".join(
        f"{what:{width}}  {limit:>9}  {reached:3}  {measured}"
        for what, limit, measured, reached in lines
    )


def draw_timeline(timeline: Path, picture: Path) -> None:
    """Plot a TIMELINE written by a script of bench/k6."""
    found = msgspec.json.decode(timeline.read_bytes(), type=Timeline)
    plots.draw_timeline(found, picture, "Requests, errors and latency over time")


def facts(results: Results) -> Mapping[str, object]:
    """Return the template values for the machine, the data and the run."""
    machine, data = results.machine, results.data
    rows = (f"{data[name]:,} {name}" for name in ("products", "questions", "answers", "photos"))
    page = f"; a page has {data['page_bytes']:,} bytes on average" if "page_bytes" in data else ""
    size = f"; the database has {data['bytes'] / _GIGABYTE:.1f} GB" if "bytes" in data else ""
    return {
        "command": _COMMAND.get(results.plan, "python -m bench run …"),
        "date": results.date,
        "minutes": f"{results.minutes:g}",
        "rounds": results.rounds,
        "generator": results.load_generator,
        "machine": f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}, "
        f"{machine['kernel']}",
        "data": f"{data['rows']:,} rows: {', '.join(rows)}{page}{size}",
        "instances": results.instances,
        "durability": ", ".join(f"`{name} = {v}`" for name, v in results.durability.items()),
        "versions": ", ".join(f"{name} {v}" for name, v in results.versions.items()),
        "compared": f"{data.get('answers_compared', 0):,}",
    }


def _target_cells(target: Target) -> list[str]:
    return [target.what, target.limit_text, target.measured_text, "yes" if target.reached else "no"]


def _scale(results: Results) -> str:
    """Return a sentence that compares the ceiling with the peers."""
    pages = results.saturation.get("uniform", {})
    found = [
        f"{ratios(pages, CEILING, peer, lambda s: s.rate).text(1)} times as many as {TITLES[peer]}"
        for peer in (EXPRESS, FASTAPI)
        if CEILING in pages and peer in pages
    ]
    if not found:
        return ""
    return (
        "For scale: the ceiling, a constant response from the same nginx and uvicorn without any "
        f"database, answers {' and '.join(found)}. "
    )


def _saturation(results: Results) -> str:
    names = [name for name in WORKLOADS if name in results.saturation]
    return "\n\n".join(_workload(results, name) for name in names) or NOT_MEASURED


def _workload(results: Results, name: str) -> str:
    rounds = results.saturation[name]
    rows = [_system_cells(rounds, system) for system in TITLES if system in rounds]
    head = ["", "requests/s", "p50 ms", "p99 ms", "errors", "ours ÷ peer"]
    return f"### {WORKLOADS[name]}\n\n{table(head, rows)}{_commands(results, name)}"


def _system_cells(rounds: Rounds, system: str) -> list[str]:
    samples = rounds[system]
    ratio = "" if system == OURS else ratios(rounds, OURS, system, lambda s: s.rate).text(2)
    return [TITLES[system], spread((s.rate for s in samples), 0), *latency(samples), ratio]


def latency(samples: Sequence[Sample]) -> list[str]:
    """Return the cells p50, p99 and errors of a table."""
    return [
        spread((sample.p50 for sample in samples), 2),
        spread((sample.p99 for sample in samples), 1),
        f"{sum(sample.errors for sample in samples):,}",
    ]


def _floor(results: Results) -> str:
    rows = [[pages, spread(rates, 0)] for pages, rates in results.floor.items()]
    return table(["products per query", "pages/s"], rows) + _commands(results, "floor")


def _hot(results: Results) -> str:
    samples = [sample for sample in results.hot if sample.lookups is not None]
    rows = [
        [spread((s.rate for s in samples), 0), spread((s.lookups or 0 for s in samples), 3)]
        for _ in samples[:1]
    ]
    return table(["requests/s", "lookups ÷ requests"], rows) + _commands(results, "hot lookups")


def _open_loop(results: Results) -> str:
    tables = []
    for rate, rounds in results.open_loop.items():
        rows = [
            [TITLES[system], *latency(samples), f"{sum(s.dropped for s in samples):,}"]
            for system, samples in rounds.items()
        ]
        head = [f"{int(rate):,} requests/s", "p50 ms", "p99 ms", "errors", "dropped"]
        tables.append(table(head, rows) + _commands(results, f"open loop {rate}"))
    return "\n\n".join(tables) or NOT_MEASURED


def _beside_large(results: Results) -> str:
    rows = [
        [TITLES[system], f"{QUIET_RATE if system == OURS else COMMON_RATE:,}", when, *latency(s)]
        for system, rounds in results.beside_large.items()
        for when, s in rounds.items()
    ]
    head = ["", "requests/s", "", "p50 ms", "p99 ms", "errors"]
    return table(head, rows) + _commands(results, "large reader", "beside large")


def _growth(results: Results) -> str:
    rows = [
        [size, spread((s.p50 for s in samples), 3), spread((s.p99 for s in samples), 3)]
        for size, samples in results.growth.items()
    ]
    return table(["size", "p50 ms", "p99 ms"], rows) + _commands(results, "growth")


def _memory(results: Results) -> str:
    rows = [
        [TITLES[system], f"{peak.resident:.0f}", f"{peak.proportional:.0f}"]
        for system, peak in results.memory.items()
    ]
    return table(["", "resident MB", "proportional MB"], rows) + _commands(results, "memory")


def _ramp(results: Results) -> str:
    if not results.ramp:
        return NOT_MEASURED
    return f"{results.ramp.verdict}{_commands(results, 'ramp')}\n\n"


def _transfer(results: Results) -> str:
    found = results.transfer
    if not found:
        return NOT_MEASURED
    rows = [
        ["plain COPY, keys, indexes, ANALYZE", spread((t.floor for t in found), 1), ""],
        [
            "import",
            spread((t.imported for t in found), 1),
            spread((t.memory for t in found), 0),
        ],
        ["verify", spread((t.verified for t in found), 1), ""],
    ]
    commands = _commands(results, "floor of an import", "import", "verify")
    return table(["", "seconds", "MB"], rows) + commands


def _commands(results: Results, *names: str) -> str:
    lines = [results.commands[name] for name in names if name in results.commands]
    return "\n\n```\n" + "\n".join(lines) + "\n```" if lines else ""
