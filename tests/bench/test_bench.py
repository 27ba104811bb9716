"""The bench runs, at tiny sizes: every subject does all its workloads, and what goes wrong is told, never counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.contenders import Case, Choice, Contender
from bench.harness import NotDone, Settings
from bench.measure import Figure, run
from bench.report import Report
from bench.subject_batuta import Measured, open_workspace
from bench.workloads import RUN_WORKLOADS, before, layers_of

RUNS = {"fan_out", "chain", "layered", "map", "runs"}


def figures_in(path: Path) -> list[Figure]:
    found = json.loads(path.read_text())["figures"]
    return [Figure(**{name: value for name, value in one.items() if name != "median_s"}) for one in found]


def no_database() -> str:
    raise AssertionError("no PostgreSQL is needed here")


def contender(code: str, *cases: Case) -> Contender:
    """A subject made of some lines of Python."""
    return Contender("made up", "", (sys.executable, "-c", code), cases)


def test_floor_and_batuta_at_tiny_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "figures.json"
    arguments = ["--tiny", "--patience", "0", "--store", "sqlite", "--executor", "processes", "--json", str(path)]
    assert main([*arguments, "--only", "floor", "--only", "batuta"]) == 0
    figures = figures_in(path)
    assert [figure.error for figure in figures if figure.error] == []
    assert all(figure.seconds and min(figure.seconds) > 0 for figure in figures)
    found = {(figure.contender, figure.variant): set[str]() for figure in figures}
    for figure in figures:
        found[figure.contender, figure.variant].add(figure.workload)
    assert found == {
        ("concurrent.futures", "threads"): RUNS | {"memory"},
        ("concurrent.futures", "processes"): RUNS | {"memory"},
        ("batuta", "sqlite-processes-flow"): RUNS | {"memory"},
        ("batuta", "sqlite-processes-dag"): RUNS | {"memory"},
        ("batuta", "sqlite-processes-asset"): RUNS | {"memory"},
        ("batuta", ""): {"assets"},
    }
    assert "Batuta: SQLite, processes, dag" in capsys.readouterr().out


def test_threads_do_it_too(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    arguments = ["--tiny", "--patience", "0", "--only", "batuta", "--store", "sqlite", "--executor", "threads"]
    assert main([*arguments, "--workload", "layered", "--workload", "map", "--json", str(path)]) == 0
    figures = json.loads(path.read_text())["figures"]
    assert [(figure["variant"].rpartition("-")[2], figure["workload"], figure["error"]) for figure in figures] == [
        (style, workload, "") for style in ("flow", "dag", "asset") for workload in ("layered", "map")
    ]


def test_what_was_not_recorded_is_no_figure(tmp_path: Path) -> None:
    with open_workspace(Settings("sqlite-threads-flow", str(tmp_path))) as workspace:
        measured = Measured(workspace, "flow")
        assert measured.one_run("fan_out")(3) > 0
        handle = workspace.start_job("fan-out", {"n": 3})
        measured._wait(handle)
        with pytest.raises(NotDone, match="4 where 5 was expected"):
            measured._check([handle], 5)


def test_a_peer_that_is_not_there_is_told_with_its_message() -> None:
    case = Case("fan_out", 5, 1, 30.0)
    heard: list[str] = []
    figures, _ = run(contender("import no_such_library", case), no_database, heard.append)
    assert [(figure.seconds, figure.error) for figure in figures] == [
        ([], "it ended: ModuleNotFoundError: No module named 'no_such_library'")
    ]
    assert Report(figures).tables()[0].rows[1][1] == "failed [1]"
    assert "no_such_library" in heard[0]


BREAKS_ON_CHAIN = """
from contextlib import contextmanager
from bench.harness import NotDone, Subject, serve
import os

def chain(size):
    os._exit(3)

def layered(size):
    raise NotDone("three of four")

@contextmanager
def open_subject(settings):
    yield Subject({"fan_out": lambda size: 0.5, "chain": chain, "layered": layered, "map": lambda size: 0.25},
                  {"it": "1"})

serve(open_subject)
"""


def test_what_breaks_does_not_keep_the_rest_from_being_measured() -> None:
    cases = [Case(name, 10, 1, 30.0) for name in ("fan_out", "chain", "layered", "map", "runs")]
    figures, versions = run(contender(BREAKS_ON_CHAIN, *cases), no_database, lambda line: None)
    assert [(figure.workload, figure.median_s, figure.error) for figure in figures] == [
        ("fan_out", 0.5, ""),
        ("chain", None, "it ended: exit code 3"),
        ("layered", None, "NotDone: three of four"),
        ("map", 0.25, ""),
        ("runs", None, "it has no such thing"),
    ]
    assert versions == {"it": "1"}


HANGS = BREAKS_ON_CHAIN.replace("os._exit(3)", "import threading; threading.Event().wait()")


def test_what_takes_too_long_is_ended_and_told() -> None:
    cases = [Case("chain", 10, 1, 0.2), Case("map", 10, 1, 30.0)]
    figures, _ = run(contender(HANGS, *cases), no_database, lambda line: None)
    assert [(figure.workload, figure.error) for figure in figures] == [("chain", "not done after 0 s"), ("map", "")]


def test_report_tells_sizes_ratios_and_failures() -> None:
    reference = ("batuta", "sqlite-processes-flow")
    figures = [
        Figure(*reference, "fan_out", 1_000, [0.1]),
        Figure(*reference, "fan_out", 10_000, [1.0, 3.0, 2.0]),
        Figure("prefect", "sqlite", "fan_out", 200, [4.0]),
        Figure("dbos", "sqlite", "fan_out", 1_000, [], error="no such column"),
        Figure(*reference, "memory", 10_000, [1.0], peak_mb=123.4),
    ]
    work, ratios = Report(figures).tables()
    assert work.rows == [
        ["", "fan-out 1,000, tasks/s", "fan-out 10,000, tasks/s", "peak memory 10,000, MB"],
        ["Batuta: SQLite, processes, flow", "10,000", "5,000", "123"],
        ["Prefect: SQLite", "50 (200)", "-", "-"],
        ["DBOS: SQLite", "failed [1]", "-", "-"],
    ]
    assert work.notes == ["DBOS: SQLite, fan_out 1,000: no such column"]
    assert ratios.rows[2] == ["Prefect: SQLite", "200x", "-"]
    short = Report(figures).short().markdown().splitlines()
    assert short[0] == "|  | Batuta, SQLite | Prefect | DBOS |"
    assert short[2] == "| fan-out 1,000, tasks/s | 10,000 | 50 (200), 200x | failed [1] |"


def test_layers_cover_all_tasks_and_each_waits_for_the_layer_before() -> None:
    layers = layers_of(120)
    assert [len(layer) for layer in layers] == [50, 50, 20]
    assert [number for layer in layers for number in layer] == list(range(120))
    assert all(set(before(number, layers[0])) <= set(layers[0]) for number in layers[1])
    assert len(set(before(7, layers[0]))) == 5


def test_choice_of_workloads_and_sizes() -> None:
    assert [(case.workload, case.size) for case in Choice(workloads=("map",)).cases(RUN_WORKLOADS)] == [
        ("map", 500),
        ("map", 10_000),
    ]
    assert {case.repeats for case in Choice(tiny=True).cases(RUN_WORKLOADS)} == {1}


def test_checks_count_what_is_counted_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "checks.json"
    checks = [sys.executable, "-m", "bench.checks", "--rows", "1000", "--repeats", "1", "--json", str(path)]
    subprocess.run(checks, check=True, capture_output=True)
    (figures,) = json.loads(path.read_text()).values()
    assert len(figures) == 9
    assert all(milliseconds > 0 for milliseconds in figures.values())
