"""The files for Prometheus and Grafana are valid, and use only existing metrics."""

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from atelier import metrics
from tests.cluster.conftest import Operated
from tests.support.cluster import free_port, wait_for_port
from tests.support.cluster import program as running_program
from tests.support.parts import program_or_skip
from tests.support.waiting import wait_until

_DEPLOY = Path(__file__).parents[2] / "deploy"
_OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
_HISTOGRAM = ("bucket", "count", "sum")
_NAME = re.compile(r"\batelier_[a-z_]+\b")


def test_dashboard_uses_existing_metrics(operated: Operated) -> None:
    dashboard = json.loads((_DEPLOY / "grafana" / "dashboard.json").read_text())
    expressions = [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]
    _all_exist(expressions, operated)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_alerts_use_existing_metrics_and_are_documented(operated: Operated) -> None:
    text = (_DEPLOY / "prometheus" / "alerts.yml").read_text()
    _all_exist([text], operated)
    alerts = re.findall(r"- alert: (\w+)", text)
    explanations = _OPERATIONS.read_text().partition("## Alerts\n")[2]
    explained = re.findall(r"^### (\w+)$", explanations, flags=re.MULTILINE)
    assert explained == alerts


def test_promtool_accepts_the_alerts_and_they_fire_when_they_should() -> None:
    promtool = program_or_skip("promtool", "prometheus")
    folder = _DEPLOY / "prometheus"
    for check in (("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")):
        done = subprocess.run(
            [promtool, *check], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_panel_shows_data_of_a_healthy_service(operated: Operated, tmp_path: Path) -> None:
    program = program_or_skip("prometheus", "prometheus")
    dashboard = json.loads((_DEPLOY / "grafana" / "dashboard.json").read_text())
    optional = {"no standby", "no import is running"}
    shown = [
        (panel["title"], target["expr"].replace("$__rate_interval", "15s"))
        for panel in dashboard["panels"]
        for target in panel["targets"]
        if panel["fieldConfig"]["defaults"]["noValue"] not in optional
    ]
    with _prometheus(program, operated, tmp_path) as query:
        wait_until(lambda: query("rate(atelier_request_seconds_count[15s]) > 0"), "nothing counted")
        missing = {title: text for title, text in shown if not query(text)}
    assert missing == {}


@contextmanager
def _prometheus(
    program: str, operated: Operated, folder: Path
) -> Iterator[Callable[[str], list[object]]]:
    """Run Prometheus on the service under traffic; yield a function that evaluates PromQL."""
    configuration = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [
            {
                "job_name": "atelier",
                "static_configs": [{"targets": [f"127.0.0.1:{operated.metrics_port}"]}],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(configuration))
    address = f"127.0.0.1:{free_port()}"
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]

    def query(expression: str) -> list[object]:
        for path in ("/qa/questions?product_id=1", "/qa/questions/1/answers"):
            httpx.get(f"{operated.url}{path}").raise_for_status()
        httpx.put(f"{operated.url}/qa/questions/1/helpful")
        answer = httpx.get(f"http://{address}/api/v1/query", params={"query": expression})
        result: list[object] = answer.raise_for_status().json()["data"]["result"]
        return result

    with running_program(command):
        wait_for_port(int(address.rpartition(":")[2]))
        wait_until(lambda: _is_success(f"http://{address}/-/ready"), "Prometheus is not ready")
        yield query


def _is_success(url: str) -> bool:
    return httpx.get(url).is_success


def test_command_prints_the_host_configuration_of_nginx(operated: Operated) -> None:
    text = operated.command("nginx-config", "--server", "10.0.1.5:9000", "--listen", "10.0.0.1:80")
    assert "listen 10.0.0.1:80 " in text
    assert "server 10.0.1.5:9000 " in text
    assert "keepalive_min_timeout" not in text
    newer = ("--nginx-version", "1.28.0")
    assert "keepalive_min_timeout" in operated.command("nginx-config", "--server", "a:1", *newer)


def _all_exist(expressions: Iterable[str], operated: Operated) -> None:
    named = {name for text in expressions for name in _NAME.findall(text)}
    assert named
    shown = httpx.get(operated.metrics_url, timeout=20).text + metrics.exposition().decode()
    families = set(re.findall(r"^# TYPE (\w+) ", shown, flags=re.MULTILINE))
    there = families | {f"{family}_{part}" for family in families for part in _HISTOGRAM}
    assert named <= there, named - there
