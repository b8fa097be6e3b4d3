"""What a stack costs a month, from the dated table of prices."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

_VOLUME_GB = 8
_SECRETS = 3
_METRICS = 9
_ALARMS = 12


@dataclass(frozen=True, slots=True)
class Item:
    """A part of the bill."""

    text: str
    dollars: float | None
    """Per month; None if the table has no price."""


def prices() -> dict[str, Any]:
    """Return the table of prices."""
    found: dict[str, Any] = json.loads((files(__package__) / "prices.json").read_text())
    return found


def estimate(values: Mapping[str, str]) -> list[Item]:
    """Return the monthly items for the values of the parameters, without traffic."""
    return [*_hosts(values), *_database(values), *_network(values), *_rest()]


def total(items: list[Item]) -> float:
    """Return the sum of the known items in dollars."""
    return sum(item.dollars for item in items if item.dollars is not None)


def _hosts(values: Mapping[str, str]) -> Iterator[Item]:
    for count, kind, what in (
        (int(values["Instances"]), values["InstanceType"], "instances"),
        (int(values["NginxHosts"]), values["NginxType"], "nginx"),
    ):
        yield _hourly(f"{count} x {kind} ({what})", count, prices()["ec2"].get(kind))
        disk = count * _VOLUME_GB * prices()["volume_gb_month"]
        yield Item(f"{count} x {_VOLUME_GB} GiB gp3 ({what})", disk)


def _database(values: Mapping[str, str]) -> Iterator[Item]:
    zones = 2 if values["DatabaseMultiZone"] == "true" else 1
    servers = zones + int(values["ReadReplicas"])
    kind, storage = values["DatabaseClass"], int(values["DatabaseStorage"])
    yield _hourly(f"{servers} x {kind} (PostgreSQL)", servers, prices()["rds"].get(kind))
    cost = servers * storage * prices()["database_gb_month"]
    yield Item(f"{servers} x {storage} GiB gp3 (PostgreSQL)", cost)


def _network(values: Mapping[str, str]) -> Iterator[Item]:
    gateways, hosts = int(values["NatGateways"]), int(values["NginxHosts"])
    yield _hourly(f"{gateways} x NAT gateway", gateways, prices()["nat_gateway_hour"])
    addresses = gateways + hosts + (2 if values["Certificate"] else 0)
    yield _hourly(f"{addresses} x public address", addresses, prices()["public_address_hour"])
    if values["Certificate"]:
        yield _hourly("network load balancer", 1, prices()["load_balancer_hour"])


def _rest() -> Iterator[Item]:
    table = prices()
    yield Item(f"{_SECRETS} x secret", _SECRETS * table["secret_month"])
    yield Item(f"{_METRICS} x metric", _METRICS * table["metric_month"])
    yield Item(f"{_ALARMS} x alarm", _ALARMS * table["alarm_month"])


def _hourly(text: str, count: int, price: float | None) -> Item:
    return Item(text, None if price is None else count * price * prices()["hours"])
