"""Functions in environments of their own, made by uv from a wheel that the test writes: nothing is downloaded."""

from __future__ import annotations

import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from batuta import task
from batuta.authoring.context import StepContext
from batuta.authoring.dag import DAG
from batuta.authoring.operators import OperatorError, VenvOperator, python_venv, venv_build
from batuta.core.errors import DefinitionError
from tests.authoring.dag_runs import DagRuns


def wheel(folder: Path, version: str) -> str:
    """A package `greeter` with one function, as a wheel."""
    path = folder / f"greeter-{version}-py3-none-any.whl"
    info = f"greeter-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("greeter.py", f"VERSION = {version!r}\n\ndef greet(name):\n    return f'hello {{name}}'\n")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: greeter\nVersion: {version}\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    return str(path)


@pytest.fixture
def greeter(tmp_path: Path) -> str:
    return wheel(tmp_path, "1.0")


def context() -> StepContext:
    return StepContext(run_id=1, job="j", step="s", attempt=1)


def version_and_prefix(name: str) -> tuple[str, str, str]:
    import sys

    import greeter  # type: ignore[import-not-found]

    print("inside", greeter.VERSION)
    return greeter.greet(name), greeter.VERSION, sys.prefix


def test_a_function_runs_with_its_own_requirements(runs: DagRuns, greeter: str, batuta_home: Path) -> None:
    @task
    def who() -> str:
        return "ana"

    with DAG("venv") as d:
        VenvOperator(version_and_prefix, requirements=[greeter], args=[who()], name="in_it")
        VenvOperator(version_and_prefix, requirements=[greeter], kwargs={"name": "{{ job }}"}, name="again")
    ran = runs.run(d)
    assert ran.state == "succeeded", [run.error for run in ran.tasks.values()]
    said, version, prefix = ran.output("in_it")
    assert (said, version) == ("hello ana", "1.0")
    assert Path(prefix).parent == batuta_home / "venvs"
    assert prefix != sys.prefix
    assert ran.output("again")[0] == "hello venv"
    assert "inside 1.0" in ran.log("in_it")
    assert len([folder for folder in (batuta_home / "venvs").iterdir() if folder.is_dir()]) == 1


def test_the_decorator_works_in_dags_and_plainly(runs: DagRuns, greeter: str) -> None:
    @python_venv(requirements=[greeter], serializer="json", retries=1)
    def greet(name: str, times: int = 1) -> list[str]:
        from greeter import greet

        return [greet(name)] * times

    assert greet("bo") == ["hello bo"]
    with DAG("venv") as d:
        greet.partial(times=2).expand(name=["x", "y"])
    assert d.plan().steps[0].retry.attempts_max == 2
    assert runs.run(d).outputs("greet") == [["hello x"] * 2, ["hello y"] * 2]


def test_errors_inside_name_their_line(greeter: str) -> None:
    @python_venv(requirements=[])
    def fails() -> None:
        numbers = {"a": 1}

        print(numbers["b"])

    with pytest.raises(OperatorError, match="KeyError: 'b'") as caught:
        fails()
    file, _, line = (caught.value.where or "").rpartition(":")
    assert file == __file__
    assert Path(__file__).read_text().splitlines()[int(line) - 1].strip() == 'print(numbers["b"])'


def test_a_process_that_dies_is_told() -> None:
    @python_venv(requirements=[])
    def dies() -> None:
        import os

        os._exit(7)

    with pytest.raises(OperatorError, match="exit code 7"):
        dies()


def test_arguments_and_results_that_cannot_travel_are_told() -> None:
    @python_venv(requirements=[])
    def takes(value: Any) -> Any:
        return value

    with pytest.raises(OperatorError, match="cannot be sent as pickle"):
        takes(threading.Lock())

    @python_venv(requirements=[])
    def makes() -> Any:
        class Local:
            pass

        return Local()

    with pytest.raises(OperatorError, match="Local"):
        makes()

    @python_venv(requirements=[], serializer="json")
    def odd() -> Any:
        return {1, 2}

    with pytest.raises(OperatorError, match="not JSON serializable"):
        odd()


OUTSIDE = 5


def uses_outside() -> int:
    return OUTSIDE + len(sys.argv)


def test_functions_that_need_the_outside_are_refused_where_they_stand() -> None:
    captured = 3

    def closure() -> int:
        return captured

    async def later() -> None: ...

    refused: list[tuple[Any, str]] = [
        (uses_outside, "uses OUTSIDE, sys"),
        (closure, "uses captured"),
        (later, "is async"),
        (lambda: 1, "define it with def"),
        (len, "define it with def"),
    ]
    for function, said in refused:
        with pytest.raises(DefinitionError) as caught:
            python_venv(requirements=[])(function)
        assert said in str(caught.value)
        assert caught.value.hint
    with pytest.raises(DefinitionError, match="'marshal'"):
        python_venv(requirements=[], serializer="marshal")(version_and_prefix)  # type: ignore[arg-type]


def test_requirements_that_cannot_be_installed_are_told(tmp_path: Path, batuta_home: Path) -> None:
    missing = str(tmp_path / "nosuch-1.0-py3-none-any.whl")
    with pytest.raises(OperatorError, match="cannot be filled"):
        venv_build.environment([missing], context())
    with pytest.raises(OperatorError, match="cannot be made"):
        venv_build.environment([], context(), python="/no/such/python")


def test_environments_are_told_apart_and_made_once(tmp_path: Path, greeter: str, batuta_home: Path) -> None:
    one = venv_build.environment([greeter], context())
    marker = Path(one).parent.parent / "marker"
    marker.touch()
    assert venv_build.environment([greeter], context()) == one
    assert marker.exists()
    assert venv_build.environment([wheel(tmp_path, "2.0")], context()) != one
    assert venv_build.environment([greeter], context(), system_site_packages=True) != one
    wheel(tmp_path, "1.0")  # the same name, written again
    assert venv_build.environment([greeter], context()) != one


def test_a_build_cut_short_is_made_anew(greeter: str) -> None:
    folder = Path(venv_build.environment([greeter], context())).parent.parent
    (folder / "batuta-ready.json").unlink()
    (folder / "half").touch()
    venv_build.environment([greeter], context())
    assert not (folder / "half").exists()


def test_two_that_want_the_same_make_it_once(greeter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    builds: list[Path] = []
    build = venv_build._build

    def counted(folder: Path, *args: Any) -> None:
        builds.append(folder)
        build(folder, *args)

    monkeypatch.setattr(venv_build, "_build", counted)
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(venv_build.environment([greeter], context()))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(builds), len(set(made)), len(made)) == (1, 1, 4)
