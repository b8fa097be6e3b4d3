"""Watches this host: drains it before it ends, reports a hung process, sends metrics."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress

from botocore.exceptions import BotoCoreError, ClientError

from atelier.cloud.hosts.host import Host
from atelier.cloud.hosts.metrics import Publisher

_POLL_SECONDS = 5.0
_METRICS_SECONDS = 60.0
_HUNG_CHECKS = 12
"""A process that did not answer for so many checks, a minute, does not recover by itself."""
_TIMEOUT_SECONDS = 2.0


class Watch:
    """The state between two checks."""

    def __init__(self, host: Host, ports: Sequence[int], stop: Callable[[], object]) -> None:
        """Take the ports of the host's processes, and what stops them gracefully."""
        self._host = host
        self._ports = ports
        self._stop = stop
        self._failures = 0
        self._asked_to_leave = False

    def check(self, sleep: Callable[[float], None] = time.sleep) -> bool:
        """Check once; return whether the host has drained and is about to end."""
        if self._host.metadata("autoscaling/target-lifecycle-state") == "Terminated":
            self._leave(sleep)
            return True
        if self._host.metadata("spot/instance-action") and not self._asked_to_leave:
            self._ask_to_leave()
        self._failures = 0 if all(map(_is_live, self._ports)) else self._failures + 1
        if self._failures == _HUNG_CHECKS:
            self._report_unhealthy()
        return False

    def _leave(self, sleep: Callable[[float], None]) -> None:
        """Serve until nginx has taken this host out, stop gracefully, let the host end."""
        sleep(float(self._host.inputs["DRAIN_SECONDS"]))
        self._stop()
        self._host.client("autoscaling").complete_lifecycle_action(
            AutoScalingGroupName=self._host.inputs["GROUP"],
            LifecycleHookName="drain",
            InstanceId=self._host.instance,
            LifecycleActionResult="CONTINUE",
        )

    def _ask_to_leave(self) -> None:
        """Have the group replace this spot instance, which takes it out of nginx, too."""
        self._host.client("autoscaling").terminate_instance_in_auto_scaling_group(
            InstanceId=self._host.instance, ShouldDecrementDesiredCapacity=False
        )
        self._asked_to_leave = True

    def _report_unhealthy(self) -> None:
        self._host.client("autoscaling").set_instance_health(
            InstanceId=self._host.instance, HealthStatus="Unhealthy"
        )


def run(host: Host) -> int:
    """Watch until the host ends."""
    ports = _ports()
    watch, publisher = Watch(host, ports, _stop_instances), Publisher(host, ports)
    published = time.monotonic()
    while True:
        with suppress(BotoCoreError, ClientError, OSError):  # tried again shortly
            if watch.check():
                return 0
            if time.monotonic() - published >= _METRICS_SECONDS:
                published = time.monotonic()
                publisher.publish()
        time.sleep(_POLL_SECONDS)


def _is_live(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=_TIMEOUT_SECONDS):
            return True
    except OSError:
        return False


def _ports() -> list[int]:
    """Return the ports of the enabled instances of this host."""
    command = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "atelier@*.service"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    names = [line.split()[0] for line in listed.splitlines() if line.strip()]
    return sorted(int(name.partition("@")[2].partition(".")[0]) for name in names)


def _stop_instances() -> None:
    subprocess.run(["systemctl", "stop", "atelier@*.service"], check=False)
