"""nginx directives for the rate limits per client address."""

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from atelier.settings import Settings

_BURST_SECONDS = 10
_MIN_BURST = 10
_ZONE_SIZE = "10m"  # at least 80,000 addresses; beyond that, the least recently used are evicted


class Rate(NamedTuple):
    """A limit on the requests of a kind from one address."""

    kind: str
    per_second: float

    @property
    def burst(self) -> int:
        """The maximum number of requests at once."""
        return max(_MIN_BURST, ceil(self.per_second * _BURST_SECONDS))

    @property
    def window(self) -> int:
        """The seconds after which a whole burst is accepted again."""
        return ceil(self.burst / self.per_second)

    @property
    def retry_after(self) -> int:
        """The seconds after which a rejected request is accepted."""
        return ceil(1 / self.per_second)


def rates(settings: Settings) -> list[Rate]:
    """Return the rates that are limited."""
    all_kinds = {
        "reads": settings.rate_reads,
        "votes": settings.rate_votes,
        "posts": settings.rate_posts,
        "sign_ins": settings.rate_sign_ins,
    }
    return [Rate(kind, limit) for kind, limit in all_kinds.items() if limit]


def zones(limited: list[Rate]) -> str:
    """Return the zones and the headers of rejections, for the context `http`."""
    return "\n".join(
        [
            *map(_zone, limited),
            *_map("$limited_kind $rate_policy", '"{0.kind}";q={0.burst};w={0.window}', limited),
            *_map("$limited_kind $rate_left", '"{0.kind}";r=0;t={0.retry_after}', limited),
            *_map("$request_kind $rate_retry_after", "{0.retry_after}", limited),
        ]
    )


def checks(limited: list[Rate]) -> str:
    """Return the limits, for the context `location`."""
    return "\n".join(
        f"            limit_req zone=rate_{rate.kind} burst={rate.burst - 1} nodelay;"
        for rate in limited
    )


def _zone(rate: Rate) -> str:
    zone = f"rate_{rate.kind}:{_ZONE_SIZE}"
    return (
        f'    map $request_kind ${rate.kind}_of {{ {rate.kind} $client_key; default ""; }}\n'
        f"    limit_req_zone ${rate.kind}_of zone={zone} rate={_format(rate)};"
    )


def _map(variables: str, value: str, limited: list[Rate]) -> Iterator[str]:
    yield f"    map {variables} {{"
    for rate in limited:
        yield f"        {rate.kind} '{value.format(rate)}';"
    yield '        default "";\n    }'


def _format(rate: Rate) -> str:
    """Return a rate in nginx's format: an integer per second or per minute."""
    if rate.per_second == int(rate.per_second):
        return f"{rate.per_second:.0f}r/s"
    return f"{max(1, round(rate.per_second * 60))}r/m"
