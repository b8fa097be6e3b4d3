"""The limits that nginx keeps for each address, as directives."""

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from atelier.settings import Settings

_BURST_SECONDS = 10
_LEAST_BURST = 10
_ZONE = "10m"  # for 80,000 addresses or more; of more, those that came longest ago are forgotten


class Rate(NamedTuple):
    """The requests of a kind that one address may send."""

    kind: str
    per_second: float

    @property
    def burst(self) -> int:
        """The requests that may come at once."""
        return max(_LEAST_BURST, ceil(self.per_second * _BURST_SECONDS))

    @property
    def window(self) -> int:
        """The seconds after which as many may come at once again."""
        return ceil(self.burst / self.per_second)

    @property
    def wait(self) -> int:
        """The seconds after which one that was refused is taken."""
        return ceil(1 / self.per_second)


def rates(settings: Settings) -> list[Rate]:
    """Return the rates that are limited."""
    all_kinds = {
        "reads": settings.rate_reads,
        "votes": settings.rate_votes,
        "posts": settings.rate_posts,
    }
    return [Rate(kind, number) for kind, number in all_kinds.items() if number]


def zones(limited: list[Rate]) -> str:
    """Return where nginx counts, and the fields of its refusals: for the level `http`."""
    return "\n".join(
        [
            *map(_zone, limited),
            *_map("$limited_as $rate_policy", '"{0.kind}";q={0.burst};w={0.window}', limited),
            *_map("$limited_as $rate_left", '"{0.kind}";r=0;t={0.wait}', limited),
            *_map("$request_kind $rate_wait", "{0.wait}", limited),
        ]
    )


def checks(limited: list[Rate]) -> str:
    """Return what counts a request, and refuses it if there are too many: for a location."""
    return "\n".join(
        f"            limit_req zone=rate_{rate.kind} burst={rate.burst - 1} nodelay;"
        for rate in limited
    )


def _zone(rate: Rate) -> str:
    return (
        f'    map $request_kind ${rate.kind}_of {{ {rate.kind} $client_key; default ""; }}\n'
        f"    limit_req_zone ${rate.kind}_of zone=rate_{rate.kind}:{_ZONE} rate={_written(rate)};"
    )


def _map(variables: str, value: str, limited: list[Rate]) -> Iterator[str]:
    yield f"    map {variables} {{"
    for rate in limited:
        yield f"        {rate.kind} '{value.format(rate)}';"
    yield '        default "";\n    }'


def _written(rate: Rate) -> str:
    """Return a rate as nginx takes it: whole requests a second, or a minute."""
    if rate.per_second == int(rate.per_second):
        return f"{rate.per_second:.0f}r/s"
    return f"{max(1, round(rate.per_second * 60))}r/m"
