"""The plots of docs/performance.md."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from atelier.cloud.capacity import Hosts, Load, plan
from bench.load import WORKLOADS
from bench.results import Costs, Profile, Results, Sample, Soak, Timeline
from bench.systems import CEILING, EXPRESS, FASTAPI, OURS, TITLES
from bench.targets import Spread

COLOURS = {OURS: "#0b6e4f", EXPRESS: "#c8553d", FASTAPI: "#588bae", CEILING: "#b8b8b8"}
_WIDTH, _HEIGHT = 9.0, 4.2
_BAR = 0.2
_COSTS = {"uniform": "a page", "votes": "a vote", "mix": WORKLOADS["mix"]}
COMPONENTS = {
    "nginx": "#8d99ae",
    "instances": "#0b6e4f",
    "PostgreSQL": "#e09f3e",
    "the rest": "#d9d9d9",
}
"""What serves a request: everything but the load generator."""
_CUT = 1.25
_PLANNED_RATES = (1000, 2500, 10_000)
_PLANNED = "#e09f3e"
_ON_LINE: dict[str, Any] = {
    "ha": "right",
    "va": "center",
    "fontsize": 8,
    "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.5},
}
_FAILED = "#d62828"

mpl.rcParams.update(
    {
        "svg.hashsalt": "atelier",  # the same bytes for the same figures
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "grid.color": "#e6e6e6",
        "axes.axisbelow": True,
        "legend.frameon": False,
    }
)


def draw_all(results: Results, folder: Path) -> list[str]:
    """Plot the results as SVG files in a folder; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    plots: dict[str, tuple[bool, Callable[[Path], None]]] = {
        "throughput": (bool(results.saturation), lambda path: draw_throughput(results, path)),
        "latency": (bool(results.open_loop), lambda path: draw_latency(results, path)),
        "ramp": (results.ramp is not None, lambda path: _draw_ramp(results, path)),
    }
    for name, (is_measured, draw) in plots.items():
        if is_measured:
            draw(folder / f"{name}.svg")
    return [name for name, (is_measured, _) in plots.items() if is_measured]


def draw_throughput(results: Results, path: Path) -> None:
    """Plot requests/s by system and workload; whiskers show minimum and maximum."""
    names = [name for name in WORKLOADS if name in results.saturation]
    figure, axes = _figure("requests/s at saturation (logarithmic)")
    _grouped(axes, names, results.saturation, lambda sample: sample.rate)
    _save(figure, path)


def draw_latency(results: Results, path: Path) -> None:
    """Plot the p99 at each rate of the open loop."""
    rates = sorted(results.open_loop, key=int)
    figure, axes = _figure("p99 in ms of the open loop (logarithmic)")
    groups = {f"{int(rate):,} requests/s": results.open_loop[rate] for rate in rates}
    _grouped(axes, list(groups), groups, lambda sample: sample.p99)
    _save(figure, path)


def draw_costs(profile: Profile, path: Path) -> None:
    """Plot the CPU time of a page, a vote and the mix, part by part, beside the peers.

    Bars much longer than the second longest are cut off; the number beside each bar is its length.
    """
    shown = [name for name in _COSTS if name in profile]
    figure = Figure(figsize=(_WIDTH, 0.7 + 1.25 * len(shown)), layout="constrained")
    figure.suptitle("CPU time of a request, µs", x=0.01, ha="left", fontsize=11)
    panels = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for name, axes in zip(shown, panels, strict=True):
        _stacked(axes, profile[name].costs)
        axes.set_title(_COSTS[name], fontsize=9, loc="left")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper right", ncols=len(labels))
    _save(figure, path)


def draw_timeline(timeline: Timeline, path: Path, title: str) -> None:
    """Plot a long run: target and achieved requests/s, errors, latency percentiles."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure, _ = _timeline(timeline, title)
    _save(figure, path)


def draw_ramps(ramps: Mapping[int, tuple[float, Timeline]], path: Path) -> None:
    """Plot a ramp for each number of instances: due, served and predicted requests/s."""
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    figure.suptitle("Requests/s due, served and predicted", x=0.01, ha="left", fontsize=11)
    for axes, (number, (predicted, timeline)) in zip(
        figure.subplots(1, len(ramps), sharey=True), ramps.items(), strict=True
    ):
        _draw_rates(axes, timeline)
        axes.axhline(predicted, color=_PLANNED, label="predicted")
        axes.set_title("1 instance" if number == 1 else f"{number} instances", fontsize=10, pad=24)
        axes.set_xlabel("seconds")
        axes.set_ylabel("")
        axes.get_legend().remove()
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    _save(figure, path)


def draw_soak(soak: Soak, path: Path, title: str) -> None:
    """Plot a soak test: its timeline, memory of the largest instance, and open files."""
    figure = Figure(figsize=(_WIDTH, 8.2), layout="constrained")
    rates, latency, memory, files = figure.subplots(4, 1, sharex=True, height_ratios=[3, 3, 2, 2])
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    _draw_rates(rates, soak.timeline)
    _draw_percentiles(latency, soak.timeline)
    latency.set_xlabel("")
    for axes, samples, label in (
        (memory, soak.memory, "MB of the\nlargest instance"),
        (files, soak.descriptors, "open files"),
    ):
        axes.plot(*zip(*samples, strict=True), color=COLOURS[OURS])
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
    files.set_xlabel("seconds")
    _save(figure, path)


def _stacked(axes: Axes, costs: Costs) -> None:
    """Plot one horizontal bar per system, divided into its components."""
    systems = [system for system in (FASTAPI, EXPRESS, OURS) if costs.get(system)]
    middles = {
        component: [median(cost.parts[component] for cost in costs[s]) for s in systems]
        for component in COMPONENTS
    }
    totals = [sum(parts) for parts in zip(*middles.values(), strict=True)]
    end = _CUT * sorted(totals)[-2]
    left = [0.0] * len(systems)
    names = [TITLES[system] for system in systems]
    for component, widths in middles.items():
        axes.barh(names, widths, left=left, color=COMPONENTS[component], label=component)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    for number, total in enumerate(totals):
        text = f"{total:,.0f} →" if total > end else f"{total:,.0f}"
        axes.text(min(total, end) + end / 100, number, text, va="center", fontsize=8)
    axes.set_xlim(0, end)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")


def _draw_ramp(results: Results, path: Path) -> None:
    assert results.ramp  # noqa: S101 - draw_all checked
    title = (
        "Ramp to overload and back on one machine; the hosts that plan-capacity names for a rate"
    )
    figure, rates = _timeline(results.ramp, title)
    rates.set_ylim(top=max(rates.get_ylim()[1], 1.1 * max(_PLANNED_RATES)))
    for rate in _PLANNED_RATES:
        rates.axhline(rate, color=_PLANNED, linewidth=1)
        rates.text(0.995, rate, _hosts(rate), transform=rates.get_yaxis_transform(), **_ON_LINE)
    _save(figure, path)


def _hosts(rate: int) -> str:
    found = plan(Load(rate, 0), Hosts())
    return (
        f"{rate:,}/s: {found.nginx.hosts} nginx hosts, {found.instances.hosts} hosts of instances, "
        f"PostgreSQL with {found.primary.needed} vCPUs"
    )


def _timeline(timeline: Timeline, title: str) -> tuple[Figure, Axes]:
    """Return a figure, and its axes with requests/s."""
    figure = Figure(figsize=(_WIDTH, 5.6), layout="constrained")
    rates, latency = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    _draw_rates(rates, timeline)
    _draw_percentiles(latency, timeline)
    return figure, rates


def _draw_rates(axes: Axes, timeline: Timeline) -> None:
    starts = [slot.start for slot in timeline.slots]
    failed = [slot.rate * slot.errors for slot in timeline.slots]
    axes.plot(
        starts, [slot.target for slot in timeline.slots], "--", color="#888888", label="target"
    )
    axes.plot(starts, [slot.rate for slot in timeline.slots], color=COLOURS[OURS], label="answered")
    axes.fill_between(starts, failed, color=_FAILED, alpha=0.6, label="errors")
    axes.set_ylabel("requests/s")
    axes.set_ylim(bottom=0)
    _legend_above(axes)


def _draw_percentiles(axes: Axes, timeline: Timeline) -> None:
    starts = [slot.start for slot in timeline.slots]
    for name, colour in (("p50", "#0b6e4f"), ("p95", "#e09f3e"), ("p99", "#9e2a2b")):
        values = [getattr(slot, name) or float("nan") for slot in timeline.slots]
        axes.plot(starts, values, color=colour, label=name)
    _logarithmic(axes)
    axes.set_ylabel("latency in ms")
    axes.set_xlabel("seconds")
    _legend_above(axes)


def _grouped(
    axes: Axes,
    names: Sequence[str],
    groups: dict[str, dict[str, list[Sample]]],
    figure_of: Callable[[Sample], float],
) -> None:
    """Plot a group of bars for each name, one bar per system."""
    for index, system in enumerate(TITLES):
        spreads = {
            n: Spread.of([figure_of(sample) for sample in groups[name][system]])
            for n, name in enumerate(names)
            if groups[name].get(system)
        }
        if spreads:
            _bars(axes, index, system, spreads)
    axes.set_xticks([n + 1.5 * _BAR for n in range(len(names))], names)
    _logarithmic(axes)
    _legend_above(axes)


def _bars(axes: Axes, index: int, system: str, spreads: dict[int, Spread]) -> None:
    found = list(spreads.values())
    middles = [spread.median for spread in found]
    whiskers = [
        [spread.median - spread.minimum for spread in found],
        [spread.maximum - spread.median for spread in found],
    ]
    drawn = axes.bar(
        [n + index * _BAR for n in spreads],
        middles,
        _BAR * 0.9,
        yerr=whiskers,
        color=COLOURS[system],
        label=TITLES[system],
        error_kw={"linewidth": 1, "ecolor": "#333333"},
    )
    axes.bar_label(drawn, [_short(middle) for middle in middles], fontsize=7, padding=2)


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}"  # noqa: PLR2004 - three digits


def _logarithmic(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _position: f"{value:,g}")
    axes.yaxis.set_minor_locator(NullLocator())


def _legend_above(axes: Axes) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(TITLES), borderaxespad=0)


def _figure(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure, figure.subplots()


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {})
