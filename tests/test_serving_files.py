"""The configurations of serving/ name what there is, and say the same."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
SERVING = ROOT / "serving"
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
