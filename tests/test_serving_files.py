"""The configurations of serving/ name what there is, and say the same."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
SERVING = ROOT / "serving"
HAS_RAY = importlib.util.find_spec("ray") is not None
NEEDS_RAY = pytest.mark.skipif(not HAS_RAY, reason="the extra `ray` is not installed")
LOADED = {"device", "dtype"}  # of gemma_vision.load


def manifests(path: Path) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]


def applications() -> dict[str, list[dict[str, Any]]]:
    """The applications of both ways to deploy them, by file."""
    (service,) = manifests(SERVING / "kubernetes" / "rayservice.yaml")
    (own,) = manifests(SERVING / "serve.yaml")
    inner = yaml.safe_load(service["spec"]["serveConfigV2"])
    return {"serve.yaml": own["applications"], "rayservice.yaml": inner["applications"]}


def names_of(function: str) -> tuple[ast.FunctionDef, set[str]]:
    """A function of serving/app.py, and the words that the file knows."""
    tree = ast.parse((SERVING / "app.py").read_text(encoding="utf-8"))
    found = next(
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function
    )
    words = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return found, words


@pytest.mark.parametrize("file", applications())
def test_an_application_is_built_by_a_function_that_knows_its_arguments(file):
    for application in applications()[file]:
        module, _, function = application["import_path"].partition(":")
        assert module == "serving.app"
        _, words = names_of(function)
        assert set(application["args"]) <= words | LOADED


def test_both_ways_deploy_the_same():
    own, kubernetes = applications().values()
    assert own == kubernetes


def test_a_pod_has_longer_to_end_than_its_replicas():
    (service,) = manifests(SERVING / "kubernetes" / "rayservice.yaml")
    (group,) = service["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    grace = group["template"]["spec"]["terminationGracePeriodSeconds"]
    tree = ast.parse((SERVING / "app.py").read_text(encoding="utf-8"))
    pairs = {
        key.value: value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
    }
    assert grace > pairs["graceful_shutdown_timeout_s"]
    assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


def test_ray_is_kept_from_all_but_its_own_pods_and_the_page():
    (policy,) = manifests(SERVING / "kubernetes" / "network-policy.yaml")
    (rule,) = policy["spec"]["ingress"]
    assert policy["spec"]["policyTypes"] == ["Ingress"] and len(rule["from"]) == 2


def test_the_versions_of_ray_are_the_tested_one():
    (service,) = manifests(SERVING / "kubernetes" / "rayservice.yaml")
    version = service["spec"]["rayClusterConfig"]["rayVersion"]
    assert f'"ray[serve]=={version}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


# What KubeRay's types of version v1 have at each place, and which of them must be there.
RAY_SERVICE = {
    "serveConfigV2": str,
    "rayClusterConfig": {
        "rayVersion": str,
        "enableInTreeAutoscaling": bool,
        "headGroupSpec!": {"rayStartParams!": "texts", "template!": "pod"},
        "workerGroupSpecs": [
            {
                "groupName!": str,
                "replicas": int,
                "minReplicas": int,
                "maxReplicas": int,
                "rayStartParams!": "texts",
                "template!": "pod",
            }
        ],
    },
}


def pod(template: dict[str, Any]) -> dict[str, Any]:
    """A pod of a template, as Kubernetes knows one."""
    metadata = {"name": "any"} | template.get("metadata", {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def check_resource(resource: dict[str, Any]) -> None:
    """Raise where Kubernetes has no such field, or another type of it."""
    import kubernetes_validate

    kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


def check_shape(value: Any, shape: Any, where: str) -> None:
    """Raise where a value has fields that its type has not, or lacks one."""
    if isinstance(shape, type):
        assert isinstance(value, shape), where
    elif shape == "texts":
        assert all(isinstance(one, str) for one in value.values()), where
    elif shape == "pod":
        check_resource(pod(value))
    elif isinstance(shape, list):
        for number, one in enumerate(value):
            check_shape(one, shape[0], f"{where}[{number}]")
    else:
        known = {name.rstrip("!"): inner for name, inner in shape.items()}
        assert set(value) <= set(known), f"{where}: {set(value) - set(known)}"
        assert {name[:-1] for name in shape if name.endswith("!")} <= set(value), where
        for name, one in value.items():
            check_shape(one, known[name], f"{where}.{name}")


def test_the_service_is_of_kuberays_type_and_its_pods_of_kubernetes():
    (service,) = manifests(SERVING / "kubernetes" / "rayservice.yaml")
    assert set(service) == {"apiVersion", "kind", "metadata", "spec"}
    assert (service["apiVersion"], service["kind"]) == ("ray.io/v1", "RayService")
    check_shape(service["spec"], RAY_SERVICE, "spec")


def test_a_field_that_is_misspelt_is_found():
    import kubernetes_validate

    (service,) = manifests(SERVING / "kubernetes" / "rayservice.yaml")
    (group,) = service["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    container = group["template"]["spec"]["containers"][0]
    container["volumemounts"] = container.pop("volumeMounts")
    with pytest.raises(kubernetes_validate.ValidationError, match="volumemounts"):
        check_shape(service["spec"], RAY_SERVICE, "spec")
    del service["spec"]["rayClusterConfig"]["headGroupSpec"]
    with pytest.raises(AssertionError):
        check_shape(service["spec"], RAY_SERVICE, "spec")


def test_the_policy_is_of_kubernetes_own_type():
    (policy,) = manifests(SERVING / "kubernetes" / "network-policy.yaml")
    check_resource(policy)


def test_pods_without_a_proxy_have_a_probe_that_asks_for_none():
    (service,) = manifests(SERVING / "kubernetes" / "rayservice.yaml")
    assert yaml.safe_load(service["spec"]["serveConfigV2"])["proxy_location"] == "Disabled"
    for group in service["spec"]["rayClusterConfig"]["workerGroupSpecs"]:
        (container,) = group["template"]["spec"]["containers"]
        assert container["readinessProbe"]["httpGet"]["path"] == "/api/local_raylet_healthz"


@NEEDS_RAY
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray's own fields
def test_serve_reads_the_configuration():
    from ray.serve.schema import ServeDeploySchema

    (own,) = manifests(SERVING / "serve.yaml")
    known = set(ServeDeploySchema.model_fields)
    applications = ServeDeploySchema.model_validate(own).applications
    assert set(own) <= known and len(applications) == len(own["applications"])
    for one, read in zip(own["applications"], applications, strict=True):
        assert set(one) <= set(type(read).model_fields)


@NEEDS_RAY
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray's own fields
def test_what_a_deployment_takes_can_be_said_where_it_is_started():
    from serving.app import build

    arguments = {"max_replicas": 4, "downscale_delay_s": 7, "target_ongoing_requests": 3}
    scaling = build(arguments)._bound_deployment._deployment_config.autoscaling_config
    assert (scaling.min_replicas, scaling.max_replicas) == (1, 4)
    assert (scaling.downscale_delay_s, scaling.target_ongoing_requests) == (7, 3)
