"""`atelier plan-capacity`: its figures, its arithmetic, and its limits."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from atelier.cli import atelier
from atelier.cloud import capacity
from atelier.cloud.capacity import MAX_DATABASE_CPUS, Hosts, Load, figures, plan

_PROFILE = Path(__file__).parents[2] / "docs" / "profile.md"
_COLUMNS = ("nginx", "instances", "PostgreSQL", "the rest", "WAL")
_GIVEN: dict[str, dict[str, int]] = {
    "page": dict(zip(_COLUMNS, (25, 47, 20, 5, 0), strict=True)),
    "vote": dict(zip(_COLUMNS, (30, 70, 132, 17, 24158), strict=True)),
}


@pytest.fixture
def _given_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the model calculate with figures that no new measurement changes."""
    monkeypatch.setattr(capacity, "figures", lambda: figures() | _GIVEN)


def measured(heading: str) -> dict[str, int]:
    """Return the medians of our own row of a table of the profile."""
    section = _PROFILE.read_text().partition(f"### {heading}\n")[2]
    (row,) = re.findall(r"^\| Atelier Q&A \|(.*)\|$", section.partition("\n### ")[0], re.MULTILINE)
    cells = [int(cell.split("(")[0].strip().replace(",", "")) for cell in row.split("|")]
    return dict(zip(_COLUMNS, cells[2:], strict=True))


def test_the_figures_are_those_of_the_profile() -> None:
    assert figures()["page"] == measured("page of a product, any of the catalogue")
    assert figures()["vote"] == measured("votes")
    assert f"on {figures()['date']}" in _PROFILE.read_text()
    assert figures()["machine"] in _PROFILE.read_text()


@pytest.mark.usefixtures("_given_figures")
def test_the_arithmetic_is_the_load_times_the_measured_time() -> None:
    found = plan(Load(10_000, 500), Hosts(cpus=2, busy=0.5))
    page, vote = _GIVEN["page"]["instances"], _GIVEN["vote"]["instances"]
    assert found.instances.cpus == pytest.approx((10_000 * page + 500 * vote) / 1e6)
    assert found.instances.needed == 2
    assert found.instances.hosts == 2  # one of which may fail
    assert found.replicas is None
    assert found.limits == []


@pytest.mark.usefixtures("_given_figures")
def test_slower_cpus_need_more_hosts() -> None:
    fast, slow = (plan(Load(100_000, 0), Hosts(speed=speed)) for speed in (1.0, 0.5))
    assert slow.instances.cpus == pytest.approx(2 * fast.instances.cpus)
    assert slow.instances.hosts > fast.instances.hosts


@pytest.mark.usefixtures("_given_figures")
def test_pages_go_to_replicas_when_the_primary_is_too_small() -> None:
    found = plan(Load(4_000_000, 1_000), Hosts())
    assert found.replicas
    assert found.replicas.hosts * MAX_DATABASE_CPUS > found.replicas.needed
    assert found.primary.needed < MAX_DATABASE_CPUS
    assert found.limits == []


@pytest.mark.usefixtures("_given_figures")
def test_votes_beyond_one_primary_are_said_to_be_so() -> None:
    done = CliRunner().invoke(atelier, ["plan-capacity", "--rps", "1000", "--votes", "5000000"])
    assert "One primary does not suffice: the primary needs" in done.output
    assert "of WAL, more than" in done.output


@pytest.mark.usefixtures("_given_figures")
def test_the_printed_plan_shows_hosts_and_arithmetic() -> None:
    done = CliRunner().invoke(atelier, ["plan-capacity", "--rps", "10000", "--votes", "500"])
    assert done.exit_code == 0
    assert "instances: 2 hosts with 2 vCPUs each" in done.output
    assert "(10,000 x 47 µs + 500 x 70 µs) = 0.51 CPUs" in done.output


@pytest.mark.parametrize("rate", ["nan", "inf", "-1", "1e300", "many"])
def test_what_is_no_rate_is_refused(rate: str) -> None:
    for option in ("--rps", "--votes", "--speed", "--busy"):
        done = CliRunner().invoke(atelier, ["plan-capacity", "--rps", "1", option, rate])
        assert done.exit_code == 2, (option, done.output)


@pytest.mark.usefixtures("_given_figures")
def test_a_fraction_of_a_request_is_shown_as_such() -> None:
    done = CliRunner().invoke(atelier, ["plan-capacity", "--rps", "0.5", "--votes", "1000.25"])
    assert "(0.5 x 47 µs + 1,000.25 x 70 µs)" in done.output
