"""What runs on the hosts: nginx follows the group, a host drains before it ends."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from atelier import metrics
from atelier.cloud.aws.stack import template
from atelier.cloud.hosts import follow, ready
from atelier.cloud.hosts.host import Host
from atelier.cloud.hosts.metrics import Publisher
from atelier.cloud.hosts.watch import Watch
from atelier.errors import AtelierError
from tests.cloud.conftest import Command
from tests.support.aws import Aws

_GROUP = "atelier-instances"


@pytest.fixture
def host(aws: Aws, command: Command, release: Path) -> Host:
    """Return the nginx host of a stack with three instances."""
    assert command("up", "--release", str(release), "--yes").exit_code == 0
    return Host({**aws.environment, "GROUP": _GROUP})


def servers(configuration: Path) -> set[str]:
    """Return the addresses of the instances in an nginx configuration."""
    lines = configuration.read_text().splitlines()
    return {line.split()[1] for line in lines if line.strip().startswith("server 10.")}


def addresses(aws: Aws) -> dict[str, str]:
    """Return the private address of every running instance of the group."""
    running = [{"Name": "tag:Name", "Values": ["atelier instance"]}]
    found = aws.client("ec2").describe_instances(Filters=running)["Reservations"]
    return {
        each["InstanceId"]: each["PrivateIpAddress"]
        for reservation in found
        for each in reservation["Instances"]
        if each["State"]["Name"] == "running"
    }


def test_nginx_follows_the_instances_in_service(
    aws: Aws, host: Host, command: Command, tmp_path: Path
) -> None:
    configuration, reloads = tmp_path / "nginx.conf", tmp_path / "reloads"
    reload = ["sh", "-c", f"echo reloaded >>{reloads}"]
    assert follow.update(host, configuration, reload)
    assert {each.partition(":")[0] for each in servers(configuration)} == {*addresses(aws).values()}
    assert "least_conn" in configuration.read_text()
    assert not follow.update(host, configuration, reload)
    command("scale", "5")
    assert follow.update(host, configuration, reload)
    assert {each.partition(":")[0] for each in servers(configuration)} == {*addresses(aws).values()}
    assert len(addresses(aws)) == 5
    assert reloads.read_text().count("reloaded") == 2


def test_an_instance_that_leaves_service_is_taken_out_while_it_still_runs(
    aws: Aws, host: Host, tmp_path: Path
) -> None:
    configuration = tmp_path / "nginx.conf"
    follow.update(host, configuration, ["true"])
    leaving, address = next(iter(addresses(aws).items()))
    aws.client("autoscaling").enter_standby(
        InstanceIds=[leaving], AutoScalingGroupName=_GROUP, ShouldDecrementDesiredCapacity=True
    )
    assert follow.update(host, configuration, ["true"])
    assert address in addresses(aws).values()
    assert not [each for each in servers(configuration) if each.startswith(f"{address}:")]
    assert {each.partition(":")[0] for each in servers(configuration)} == {
        each for each in addresses(aws).values() if each != address
    }


def test_without_an_instance_in_service_the_last_configuration_is_kept(
    aws: Aws, host: Host, tmp_path: Path
) -> None:
    configuration = tmp_path / "nginx.conf"
    follow.update(host, configuration, ["true"])
    before = configuration.read_text()
    aws.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=_GROUP, MinSize=0, DesiredCapacity=0
    )
    assert not follow.update(host, configuration, ["true"])
    assert configuration.read_text() == before


def test_a_failed_reload_is_said_and_tried_again(host: Host, tmp_path: Path) -> None:
    configuration = tmp_path / "nginx.conf"
    with pytest.raises(AtelierError, match="nginx cannot be reloaded: emerg"):
        follow.update(host, configuration, ["sh", "-c", "echo emerg >&2; exit 1"])
    assert follow.update(host, configuration, ["true"])


@contextmanager
def http(answers: dict[str, str]) -> Iterator[int]:
    """Serve texts by path on a port of 127.0.0.1; other paths are 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = answers.get(self.path)
            self.send_response(200 if text is not None else 404)
            self.end_headers()
            self.wfile.write((text or "").encode())

        def do_PUT(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"token")

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class RecordingHost(Host):
    """A host whose calls of AWS are recorded: moto has no lifecycle actions."""

    def __init__(self, metadata: int, **inputs: str) -> None:
        super().__init__(
            {
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{metadata}/",
                "GROUP": _GROUP,
                "STACK": "atelier",
                "DRAIN_SECONDS": "30",
                **inputs,
            }
        )
        self.calls: list[Any] = []

    def client(self, service: str) -> Any:  # noqa: ANN401
        return _Recorder(service, self.calls)


class _Recorder:
    def __init__(self, service: str, calls: list[Any]) -> None:
        self._service, self._calls = service, calls

    def __getattr__(self, operation: str) -> Any:  # noqa: ANN401
        return lambda **given: self._calls.append((f"{self._service}.{operation}", given))


_META = "/latest/meta-data/"


def test_a_leaving_host_serves_until_nginx_has_taken_it_out_and_then_stops() -> None:
    metadata = {f"{_META}instance-id": "i-1"}
    with http(metadata) as port, http({"/live": "{}"}) as live:
        host = RecordingHost(port)
        watch = Watch(host, [live], lambda: host.calls.append("stopped"))
        assert not watch.check(host.calls.append)
        assert host.calls == []
        metadata[f"{_META}autoscaling/target-lifecycle-state"] = "Terminated"
        assert watch.check(host.calls.append)
    waited, stopped, (operation, given) = host.calls
    assert (waited, stopped) == (30.0, "stopped")
    assert operation == "autoscaling.complete_lifecycle_action"
    assert (given["InstanceId"], given["LifecycleHookName"]) == ("i-1", "drain")


def test_a_spot_notice_makes_the_group_replace_the_host_once() -> None:
    metadata = {
        f"{_META}instance-id": "i-1",
        f"{_META}spot/instance-action": '{"action": "terminate"}',
    }
    with http(metadata) as port, http({"/live": "{}"}) as live:
        host = RecordingHost(port)
        watch = Watch(host, [live], lambda: None)
        assert not any(watch.check(lambda _: None) for _ in range(3))
    ((operation, given),) = host.calls
    assert operation == "autoscaling.terminate_instance_in_auto_scaling_group"
    assert given == {"InstanceId": "i-1", "ShouldDecrementDesiredCapacity": False}


def test_a_process_that_hangs_for_a_minute_is_reported_once() -> None:
    with http({f"{_META}instance-id": "i-1"}) as port, http({}) as hung:
        host = RecordingHost(port)
        watch = Watch(host, [hung], lambda: None)
        for _ in range(11):
            watch.check(lambda _: None)
        assert host.calls == []
        for _ in range(9):
            watch.check(lambda _: None)
    ((operation, given),) = host.calls
    assert operation == "autoscaling.set_instance_health"
    assert given == {"InstanceId": "i-1", "HealthStatus": "Unhealthy"}


@pytest.mark.parametrize(
    ("role", "calls"),
    [
        ("app", ["autoscaling.complete_lifecycle_action", "cloudformation.signal_resource"]),
        ("nginx", ["ec2.associate_address", "cloudformation.signal_resource"]),
        ("job", ["cloudformation.signal_resource"]),
    ],
)
def test_a_host_that_is_ready_reports_it(role: str, calls: list[str]) -> None:
    address = {"ADDRESS": "eipalloc-1"} if role == "nginx" else {}
    with http({f"{_META}instance-id": "i-1"}) as port:
        host = RecordingHost(port, ROLE=role, RESOURCE="It", **address)
        assert ready.run(host) == 0
    assert [operation for operation, _ in host.calls] == calls
    assert host.calls[-1][1]["UniqueId"] == "i-1"


def test_every_metric_of_the_services_alarms_is_published() -> None:
    """With the values of an instance that answered a request, and has a webhook that is behind."""
    answers = {"/metrics": metrics.exposition().decode(), "/ready/reads": ""}
    with http(answers) as port:
        host = RecordingHost(port)
        publisher = Publisher(host, [port])
        publisher.publish()
        metrics.REQUEST_SECONDS.labels("GET", "/qa/questions", "200").observe(0.2)
        metrics.WEBHOOK_BACKLOG_SECONDS.labels("7").set(4000)
        try:
            answers["/metrics"] = metrics.exposition().decode()
        finally:
            metrics.WEBHOOK_BACKLOG_SECONDS.remove("7")
        publisher.publish()
    operation, given = host.calls[-1]
    assert operation == "cloudwatch.put_metric_data"
    sent = {each["MetricName"]: each.get("Value") for each in given["MetricData"]}
    assert sent["WebhookBacklogSeconds"] == 4000
    assert (sent["InstanceUp"], sent["DatabaseUp"], sent["Requests"]) == (1, 1, 1)
    parts = re.split(r"Namespace: Atelier\n\s+MetricName: ", template())[1:]
    assert {part.split(maxsplit=1)[0] for part in parts} == {*sent}
