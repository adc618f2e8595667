"""Checks the deployment files; run by `make check`. Exits 1 with a line for each thing that is wrong.

Kubernetes: the overlays as kustomize renders them (where kubectl or kustomize is present; the manifests as they stand
otherwise) against the strict schemas. Kubernetes and compose: every service is there, with a health check, and with
every setting that it can't start without.
"""

import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import msgspec
import yaml

from basejump_common.bus.permissions import server_configuration
from basejump_common.contracts.operation import SERVICES
from basejump_common.settings import PREFIX

ROOT = Path(__file__).parent.parent
OVERLAYS = ("dev", "production")
ONE_SHOT = ("migrate", "cli")


def main() -> int:
    """The number of overlays and files looked at, or what is wrong with them."""
    problems = [*nats_users(), *compose(ROOT / "docker-compose.yml")]
    for overlay in OVERLAYS:
        problems += kubernetes(ROOT / "deploy/k8s/overlays" / overlay)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    print(f"deployment files: {'wrong' if problems else 'valid'} ({', '.join(OVERLAYS)}; {_renderer()[0]})")
    return 1 if problems else 0


def nats_users() -> Iterator[str]:
    """The users' permissions are those that the contracts give."""
    if (ROOT / "deploy/nats/accounts.conf").read_text() != server_configuration():
        yield "deploy/nats/accounts.conf differs from the contracts; write it again with `make record`"


def kubernetes(overlay: Path) -> Iterator[str]:
    """What is wrong with an overlay."""
    manifests = _render(overlay)
    for manifest in manifests:
        try:
            kubernetes_validate.validate(manifest, "1.32", strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{overlay.name}: {manifest['kind']} {manifest['metadata']['name']}: {error.message}"
    yield from _workloads(overlay.name, manifests)


def _workloads(overlay: str, manifests: list[dict[str, Any]]) -> Iterator[str]:
    deployments = {m["metadata"]["name"]: m for m in manifests if m["kind"] == "Deployment"}
    settings: dict[str, str] = {}
    for manifest in manifests:
        if manifest["kind"] == "ConfigMap" and manifest["metadata"]["name"] == "basejump":
            settings = manifest["data"]
    for service in SERVICES:
        if service not in deployments:
            yield f"{overlay}: no Deployment {service}"
            continue
        container = deployments[service]["spec"]["template"]["spec"]["containers"][0]
        yield from (f"{overlay}: {service} has no {p}" for p in _PROBES if p not in container)
        given = {*settings, *(variable["name"] for variable in container["env"])}
        if _renderer()[1]:  # what an overlay's patches set is seen only when rendered
            yield from _missing(f"{overlay}: {service}", service, given)


_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def compose(path: Path) -> Iterator[str]:
    """What is wrong with the compose file."""
    services = yaml.safe_load(path.read_text())["services"]
    for name, service in services.items():
        if "healthcheck" not in service and name not in ONE_SHOT:
            yield f"compose: {name} has no healthcheck"
        for needed in service.get("depends_on", {}):
            if needed not in services:
                yield f"compose: {name} depends on {needed}, which isn't there"
    for service in SERVICES:
        if service not in services:
            yield f"compose: no {service}"
        else:
            yield from _missing(f"compose: {service}", service, set(services[service]["environment"]))
    yield from _compose_config(path)


def _compose_config(path: Path) -> Iterator[str]:
    docker = shutil.which("docker")
    if docker is None or _run(docker, "compose", "version").returncode:
        return
    config = _run(docker, "compose", "--file", str(path), "config", "--quiet")
    if config.returncode:
        yield f"compose: {config.stderr.strip()}"


def _missing(where: str, service: str, given: set[str]) -> Iterator[str]:
    settings = importlib.import_module(f"basejump_{service.replace('-', '_')}.settings").Settings
    for field in msgspec.structs.fields(settings):
        variable = PREFIX + field.name.upper()
        if field.required and variable not in given:
            yield f"{where}: {variable} is not set"


def _renderer() -> tuple[str, list[str]]:
    if kubectl := shutil.which("kubectl"):
        return "rendered by kubectl", [kubectl, "kustomize"]
    if kustomize := shutil.which("kustomize"):
        return "rendered by kustomize", [kustomize, "build"]
    return "manifests as they stand", []


def _render(overlay: Path) -> list[dict[str, Any]]:
    _, command = _renderer()
    if not command:
        return _manifests(overlay)
    rendered = _run(*command, str(overlay))
    if rendered.returncode:
        raise SystemExit(f"{overlay.name}: {rendered.stderr.strip()}")
    return [manifest for manifest in yaml.safe_load_all(rendered.stdout) if manifest]


def _manifests(folder: Path) -> list[dict[str, Any]]:
    """What a kustomization names, without its patches and generators; a name that isn't there fails."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    found: list[dict[str, Any]] = []
    for resource in kustomization["resources"]:
        path = folder / resource
        found += _manifests(path) if path.is_dir() else [m for m in yaml.safe_load_all(path.read_text()) if m]
    return found


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own arguments)


if __name__ == "__main__":
    sys.exit(main())
