"""The files for running it elsewhere say what the program can do: units, image, compose file, chart."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from batuta.cli.group import COMMANDS
from tests.deploy import helm

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "batuta"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def objects(**values: Any) -> dict[tuple[str, str], dict[str, Any]]:
    found = helm.render(CHART, values)
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]["containers"][0]
    return found


def test_the_chart_has_nothing_to_complain_of() -> None:
    helm.lint(CHART)


def test_the_chart_runs_a_server_and_schedulers() -> None:
    found = objects()
    server, scheduler = found["Deployment", "prod-batuta-server"], found["Deployment", "prod-batuta-scheduler"]
    assert container(server)["args"] == ["server", "--host", "0.0.0.0", "--port", "8421"]
    assert container(server)["livenessProbe"]["httpGet"]["path"] == "/health"
    assert container(server)["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert container(scheduler)["args"] == ["scheduler"]
    assert scheduler["spec"]["replicas"] == 2
    assert scheduler["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 75
    for deployment in (server, scheduler):
        pod = deployment["spec"]["template"]["spec"]
        assert pod["initContainers"][0]["args"] == ["db", "upgrade"]
        assert container(deployment)["env"][1]["valueFrom"]["secretKeyRef"] == {"name": "batuta", "key": "store-url"}
        assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == "prod-batuta"
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    service = found["Service", "prod-batuta"]
    assert service["spec"]["selector"].items() <= server["spec"]["template"]["metadata"]["labels"].items()
    assert ("PodDisruptionBudget", "prod-batuta-scheduler") in found


def test_the_chart_does_as_its_values_say() -> None:
    found = objects(
        scheduler={"replicas": 1},
        home={"persistence": {"enabled": False}},
        ingress={"enabled": True, "host": "jobs.example.com", "tlsSecret": "tls"},
        store={"secretKeyKey": "key"},
        env=[{"name": "TZ", "value": "UTC"}],
    )
    kinds = {kind for kind, _ in found}
    assert "PodDisruptionBudget" not in kinds
    assert "PersistentVolumeClaim" not in kinds
    assert found["Ingress", "prod-batuta"]["spec"]["rules"][0]["host"] == "jobs.example.com"
    names = [each["name"] for each in container(found["Deployment", "prod-batuta-scheduler"])["env"]]
    assert names == ["BATUTA_HOME", "BATUTA_STORE_URL", "BATUTA_SECRET_KEY", "TZ"]


def test_the_compose_file_starts_commands_that_there_are() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    commands = {name: service["command"][0] for name, service in compose["services"].items() if "command" in service}
    assert commands == {"server": "server", "scheduler": "scheduler"}
    assert set(commands.values()) <= set(COMMANDS)
    assert set(compose["volumes"]) == {"database", "home"}
    for service in compose["services"].values():
        for name in service.get("depends_on", {}):
            assert "healthcheck" in compose["services"][name]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_there_is(unit: Path) -> None:
    lines = dict(line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line and line[0] != "#")
    program, command = lines["ExecStart"].split()
    assert program.endswith("/batuta")
    assert command in COMMANDS


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_is_one_that_systemd_takes(unit: Path, tmp_path: Path) -> None:
    here = tmp_path / unit.name.replace("@", "@1")
    # Neither the program nor its user is there where the tests run.
    here.write_text(unit.read_text().replace("/srv/batuta/.venv/bin/batuta", "/bin/true").replace("User=batuta\n", ""))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(here)], capture_output=True, text=True, timeout=60, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if unit.name.partition(".")[0].rstrip("@") in line]
    assert complaints == []


def test_the_image_is_built_as_the_linter_likes_it() -> None:
    hadolint = shutil.which("hadolint") or shutil.which("hadolint", path=str(ROOT / ".venv" / "bin"))
    if hadolint is None:
        pytest.skip("there is no hadolint")
    command = [hadolint, "--no-color", str(ROOT / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_the_image_has_what_it_copies_and_runs() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for name in (name for names in copied for name in names):
        assert (ROOT / name).exists()
        assert name in kept
    assert '"up"' in lines[-1]
