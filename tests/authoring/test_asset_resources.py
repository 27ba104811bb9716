"""Resources: set up once per process, when needed; values from the environment; torn down."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, PrivateAttr, ValidationError

from batuta.authoring.assets import asset, check
from batuta.authoring.resource import Resource
from batuta.authoring.resources import EnvVar, ResourcePool, Resources
from batuta.core.errors import DefinitionError, RequestError
from tests.authoring.asset_runs import Lake


class Warehouse(Resource):
    """A resource that notes what happens to it."""

    url: str
    port: int = 5432
    options: dict[str, str] = Field(default_factory=dict)
    _notes: list[str] = PrivateAttr(default_factory=list)

    def setup(self) -> None:
        LIFE.append(f"setup {self.url}:{self.port}")

    def teardown(self) -> None:
        LIFE.append(f"teardown {self.url}")


LIFE: list[str] = []


@pytest.fixture(autouse=True)
def fresh_life() -> None:
    LIFE.clear()


def test_a_resource_is_set_up_when_first_needed_and_once(tmp_path: Path) -> None:
    @asset
    def a(db: Warehouse) -> str:
        return db.url

    @asset
    def b(a: str, db: Warehouse) -> str:
        return a + db.url

    @check(b)
    def same(value: str, db: Warehouse) -> bool:
        return value == db.url * 2

    lake = Lake(tmp_path, [a, b, same, Resources(db=Warehouse(url="here"))])
    assert LIFE == []
    assert set(lake.run().values()) == {"succeeded"}, lake.errors
    assert LIFE == ["setup here:5432"]
    lake.graph.resources.close()
    assert LIFE == ["setup here:5432", "teardown here"]
    lake.graph.resources.close()
    assert len(LIFE) == 2


def test_a_parameter_may_be_fed_by_its_type(tmp_path: Path) -> None:
    @asset
    def a(connection: Warehouse) -> str:
        return connection.url

    lake = Lake(tmp_path, [a, Resources(db=Warehouse(url="x"), other=3)])
    lake.run()
    assert lake.value("a") == "x"
    with pytest.raises(DefinitionError, match="no resource is one"):
        Lake(tmp_path, [a]).run()
    two = Resources(one=Warehouse(url="1"), two=Warehouse(url="2"))
    with pytest.raises(DefinitionError, match="2 resources are one"):
        Lake(tmp_path, [a, two]).run()


def test_values_from_the_environment_are_read_at_setup(monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = Warehouse(url=EnvVar("LAKE_URL"), port=EnvVar("LAKE_PORT", "1"), options={"k": EnvVar("LAKE_K", "v")})  # type: ignore[arg-type, dict-item]
    assert "LAKE_URL" in repr(warehouse)
    pool = ResourcePool({"db": warehouse})
    with pytest.raises(RequestError, match="LAKE_URL is not set") as caught:
        pool.get("db")
    assert caught.value.where == "resource 'db'"
    monkeypatch.setenv("LAKE_URL", "there")
    found = pool.get("db")
    assert (found.url, found.port, found.options) == ("there", 1, {"k": "v"})
    assert LIFE == ["setup there:1"]
    monkeypatch.setenv("LAKE_PORT", "no number")
    with pytest.raises(ValidationError, match="port"):
        ResourcePool({"db": warehouse}).get("db")


def test_bad_values_are_refused_where_they_are_written() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Warehouse(url="x", prot=1)  # type: ignore[call-arg]


def test_many_threads_set_it_up_once() -> None:
    pool = ResourcePool({"db": Warehouse(url="x")})
    barrier = threading.Barrier(8)
    found: list[Any] = []

    def get() -> None:
        barrier.wait()
        found.append(pool.get("db"))

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(LIFE) == 1
    assert len({id(one) for one in found}) == 1


def test_resources_can_be_pickled_and_shown() -> None:
    made = pickle.loads(pickle.dumps(Resource()))
    assert type(made) is Resource
    assert repr(Resources(a=1, b=2)) == "<resources a, b>"


def test_plain_objects_are_resources_too() -> None:
    value = object()
    pool = ResourcePool({"thing": value})
    assert pool.get("thing") is value
    pool.close()
    with pytest.raises(DefinitionError, match="did you mean 'thing'"):
        pool.get("thnig")


def test_a_failed_teardown_does_not_keep_the_others() -> None:
    class Stubborn(Resource):
        def teardown(self) -> None:
            raise RuntimeError("no")

    pool = ResourcePool({"db": Warehouse(url="x"), "bad": Stubborn()})
    pool.get("db")
    pool.get("bad")
    with pytest.raises(RuntimeError, match="no"):
        pool.close()
    assert LIFE[-1] == "teardown x"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_each_process_sets_up_its_own_and_tears_it_down(tmp_path: Path) -> None:
    """In a process of its own, as this one has threads."""
    script = tmp_path / "forks.py"
    script.write_text(
        "import os\n"
        "from batuta.authoring.resource import Resource\n"
        "from batuta.authoring.resources import ResourcePool, close_all\n"
        "class Noted(Resource):\n"
        "    def setup(self): print('setup', 'child' if child else 'parent', flush=True)\n"
        "    def teardown(self): print('teardown', 'child' if child else 'parent', flush=True)\n"
        "child = False\n"
        "pool = ResourcePool({'x': Noted()})\n"
        "pool.get('x')\n"
        "pid = os.fork()\n"
        "if not pid:\n"
        "    child = True\n"
        "    pool.close()\n"
        "    pool.get('x')\n"
        "    close_all()\n"
        "    os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["setup parent", "setup child", "teardown child", "teardown parent"]


def test_the_class_is_found_without_importing_pydantic_before() -> None:
    code = (
        "import sys, batuta.authoring.resources as r\n"
        "assert 'pydantic' not in sys.modules\n"
        "assert r.Resource.__name__ == 'Resource' and 'pydantic' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
