"""The manifests for Kubernetes are valid, restricted, and agree with each other."""

from pathlib import Path
from typing import Any

import pytest
import yaml

_FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
_FILES = ("namespace", "migrate", "instances", "nginx")
_VERSIONS = ("1.31", "1.36")
"""The oldest with `sleep` as a hook by default is 1.30."""
Manifest = dict[str, Any]


def manifests(*names: str) -> list[Manifest]:
    return [
        manifest
        for name in names
        for manifest in yaml.safe_load_all((_FOLDER / f"{name}.yaml").read_text())
    ]


def pods(*names: str) -> list[Manifest]:
    found = [manifest["spec"] for manifest in manifests(*names) if "spec" in manifest]
    return [spec["template"] for spec in found if "template" in spec]


def one(kind: str, name: str) -> Manifest:
    (found,) = (
        each
        for each in manifests(*_FILES)
        if (each["kind"], each["metadata"]["name"]) == (kind, name)
    )
    return found


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize("name", _FILES)
def test_manifests_are_valid(name: str, version: str) -> None:
    import kubernetes_validate  # noqa: PLC0415 - takes seconds

    for manifest in manifests(name):
        kubernetes_validate.validate(manifest, version, strict=True)


def test_kustomization_lists_every_manifest_but_the_database() -> None:
    listed = yaml.safe_load((_FOLDER / "kustomization.yaml").read_text())["resources"]
    others = {"kustomization.yaml", "cloudnative-pg.yaml"}
    assert {*listed} == {file.name for file in _FOLDER.glob("*.yaml")} - others


@pytest.mark.parametrize("pod", pods(*_FILES), ids=lambda pod: str(pod["metadata"]["labels"]))
def test_pods_have_no_privileges(pod: Manifest) -> None:
    """As the namespace's level `restricted` demands; a rejected pod would only show in events."""
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        assert container["image"] == "atelier"
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        writable = {
            each["mountPath"] for each in container["volumeMounts"] if "readOnly" not in each
        }
        assert writable == {"/tmp"}  # noqa: S108 - in the pod


@pytest.mark.parametrize("name", ["instances", "nginx"])
def test_services_budgets_and_scalers_select_the_pods_of_their_deployment(name: str) -> None:
    deployment = one("Deployment", name)
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert one("Service", name)["spec"]["selector"] == labels
    budget = one("PodDisruptionBudget", name)["spec"]
    assert budget["selector"]["matchLabels"] == labels
    assert deployment["spec"]["replicas"] > budget["maxUnavailable"]


def test_nginx_asks_for_the_headless_service_of_the_instances() -> None:
    service, namespace = one("Service", "instances"), manifests("namespace")[0]
    assert service["spec"]["clusterIP"] == "None"
    (port,) = service["spec"]["ports"]
    name = f"instances.{namespace['metadata']['name']}.svc.cluster.local"
    (container,) = one("Deployment", "nginx")["spec"]["template"]["spec"]["containers"]
    assert f"--server={name}:{port['port']}" in container["args"]
    (instance,) = one("Deployment", "instances")["spec"]["template"]["spec"]["containers"]
    assert instance["args"][-1] == str(port["port"]) == str(instance["ports"][0]["containerPort"])


def test_a_pod_has_the_time_to_leave_and_to_finish_its_requests() -> None:
    """Beside the time in which names expire (5 s in CoreDNS), and nginx's question every 2 s."""
    for name in ("instances", "nginx"):
        spec = one("Deployment", name)["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pause >= 5 + 2
        assert spec["terminationGracePeriodSeconds"] >= pause + 30


def test_only_nginx_and_monitoring_reach_the_instances() -> None:
    policy = one("NetworkPolicy", "instances")["spec"]
    pod = one("Deployment", "instances")["spec"]["template"]
    assert policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    (rule,) = policy["ingress"]
    nginx, monitoring = rule["from"]
    labels = one("Deployment", "nginx")["spec"]["template"]["metadata"]["labels"]
    assert nginx["podSelector"]["matchLabels"].items() <= labels.items()
    assert monitoring["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "monitoring"
    }
    assert rule["ports"] == [{"port": pod["spec"]["containers"][0]["ports"][0]["containerPort"]}]
