"""A dbt project in the service: runs over both, files that change, files that are broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from batuta.core.errors import LoadError
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.location import CodeLocation, Trouble
from tests.bridges.lake import write_lake
from tests.engine.projects import until
from tests.scheduler.conftest import Open, ended


def trouble_of(location: CodeLocation) -> Trouble | None:
    return location.trouble


@pytest.mark.timeout(600)
def test_a_project_is_loaded_anew_when_its_files_change(tmp_path: Path, open_service: Open) -> None:
    root = write_lake(tmp_path / "lake")
    service = open_service(root)
    location = service.locations.get("warehouse")
    assert trouble_of(location) is None
    first = location.version()
    run = ended(service, service.launch(RunSpec(selection="+gold.revenue"))[0])
    assert (run.state, run.location, run.config["locations"]) == ("succeeded", "lake", ["lake", "warehouse"])

    model = root / "dbt" / "models" / "gold" / "revenue.sql"
    good = model.read_text()
    model.write_text(good.replace("sum(", "0 + sum("))
    until(lambda: location.version() is not first, "it is not loaded anew")
    changed = location.version()
    assert "gold.revenue" in service.locations.assets_for().select("changed")
    assert (
        ended(service, service.launch(RunSpec(selection="gold.revenue", config={"mode": "stale"}))[0]).state
        == "succeeded"
    )

    model.write_text(good.replace("from {{", "from {{{"))
    until(lambda: trouble_of(location) is not None, "it is not seen to be broken")
    trouble = trouble_of(location)
    assert trouble is not None
    assert isinstance(trouble.error, LoadError)
    assert "Compilation Error in model revenue" in str(trouble)
    assert f"{model}:1" in str(trouble)
    assert location.version() is changed
    assert ended(service, service.launch(RunSpec(selection="gold.revenue"))[0]).state == "succeeded"

    model.write_text(good)
    until(lambda: trouble_of(location) is None, "it is not seen to be mended")
    assert location.version().hash == first.hash
