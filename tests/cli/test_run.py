"""`batuta run`: parameters, progress in each form, failures, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batuta.cli import exits
from tests.cli.conftest import Cli

PIPELINE = """
from batuta import flow, task

@task
def add(a: int, b: int) -> int:
    return a + b

@flow
def only(a: int = 1) -> int:
    return add(a, 2)
"""


@pytest.mark.parametrize("executor", ["processes", "threads", "inline"])
def test_a_file_is_enough(bare: Cli, executor: str) -> None:
    (bare.folder / "pipeline.py").write_text(PIPELINE)
    said = bare("run", "pipeline.py", "-p", "a=5", "--executor", executor)
    assert "✓ add-0" in said.out
    assert "run 1 only succeeded" in said.out
    assert bare("runs", "show", "1", "--json").json["run"]["params"] == {"a": 5}


def test_with_several_jobs_one_has_to_be_named(cli: Cli) -> None:
    said = cli("run", code=exits.USAGE)
    assert "say which" in said.err
    for job in ("doubling", "settle"):
        assert job in said.err
    assert "flows.py:" in said.err


def test_an_unknown_job_is_told_with_the_nearest(cli: Cli) -> None:
    assert "did you mean 'doubling'?" in cli("run", "dubling", code=exits.USAGE).err


def test_parameters_from_pairs_and_json(cli: Cli) -> None:
    (cli.folder / "params.json").write_text('{"count": 4, "bad": 9}')
    said = cli("run", "doubling", "--params-json", "@params.json", "-p", "count=2", "--json")
    finished = said.lines[-1]
    assert finished["event"] == "run_finished"
    assert finished["run"]["params"] == {"count": 2, "bad": 9}


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["-p", "count=x"], "count: expected int"),
        (["-p", "cont=1"], "did you mean 'count'"),
        (["-p", "count"], "is not name=value"),
        (["-p", "count=1", "-p", "count=2"], "twice"),
        (["--params-json", "{"], "not JSON"),
        (["--params-json", "[1]"], "not an object"),
        (["--params-json", "@nowhere.json"], "nowhere.json"),
        (["--date", "someday"], "is not a date"),
        (["--executor", "cloud"], "processes"),
        (["extra", "words"], "one job is expected"),
    ],
)
def test_wrong_input_is_told_with_what_to_do(cli: Cli, args: list[str], told: str) -> None:
    said = cli("run", "doubling", *args, code=exits.USAGE)
    assert told in said.err
    assert "Traceback" not in said.text


def test_errors_are_json_where_that_was_asked_for(cli: Cli) -> None:
    document = cli("run", "dubling", "--json", code=exits.USAGE).json
    assert document["exit_code"] == exits.USAGE
    assert document["error"]["kind"] == "RequestError"
    assert "doubling" in document["error"]["hint"]
    assert cli("run", "--nope", "--json", code=exits.USAGE).json["error"]["kind"] == "UsageError"


def test_json_lines_tell_each_task_and_the_end(cli: Cli) -> None:
    lines = cli("run", "doubling", "-p", "count=3", "--json", "--logs").lines
    assert lines[0]["event"] == "run_started"
    ended = {line["task"]: line for line in lines if line["event"] == "task" and line["state"] == "succeeded"}
    assert set(ended) == {"numbers-0", "double-0", "double-1", "double-2"}
    assert ended["double-0"]["attempt"] == 1
    assert ended["double-0"]["duration_s"] >= 0
    assert [line["text"] for line in lines if line["event"] == "log"] == ["making 3 numbers"]
    assert lines[-1]["counts"]["succeeded"] == 4


def test_a_failure_shows_the_users_frames_and_the_next_step(cli: Cli) -> None:
    said = cli("run", "doubling", "-p", "bad=1", code=exits.FAILED)
    assert "run 1 doubling failed" in said.out
    assert "✗ double-1 failed" in said.out
    assert "at pipelines/flows.py:" in said.out
    assert 'raise ValueError(f"bad number {number}")' in said.out
    assert "ValueError: bad number 1" in said.out
    assert "batuta runs retry 1" in said.out
    assert "/batuta/runtime/" not in said.text


def test_quiet_prints_failures_only(cli: Cli) -> None:
    assert cli("run", "doubling", "-q").text == ""
    assert "ValueError: bad number 1" in cli("run", "doubling", "-q", "-p", "bad=1", code=exits.FAILED).out


def test_many_tasks_are_told_in_counts(cli: Cli) -> None:
    said = cli("run", "doubling", "-p", "count=300", "-p", "bad=7", "--executor", "threads", code=exits.FAILED)
    lines = said.out.splitlines()
    assert len(lines) < 40
    assert any("/301 done" in line for line in lines)
    assert "301/301 done, 1 failed" in said.out
    assert "✗ double-7" in said.out


def test_a_dag_runs_with_mapped_steps_tags_and_a_date(cli: Cli) -> None:
    said = cli("run", "settle", "--date", "2026-01-31", "--tag", "team=finance", "--json")
    run = said.lines[-1]["run"]
    assert run["logical_at"] == "2026-01-31T00:00:00.000Z"
    assert run["tags"] == {"team": "finance"}
    states = {line["task"]: line["state"] for line in said.lines if line["event"] == "task"}
    assert states == dict.fromkeys(["merchants", "export[0]", "export[1]", "export[2]", "reconcile"], "succeeded")


def test_a_broken_file_beside_good_ones_is_a_warning(cli: Cli) -> None:
    (cli.folder / "pipelines" / "broken.py").write_text("import batuta\n\ndef half(:\n    pass\n")
    said = cli("run", "doubling")
    assert "run 1 doubling succeeded" in said.out
    assert "warning: syntax error" in said.err
    assert "pipelines/broken.py:3" in said.err
    assert "it may be in there" in cli("run", "nowhere", code=exits.UNLOADABLE).err


def test_code_that_cannot_be_loaded(bare: Cli) -> None:
    assert "there is no such file" in bare("run", "nowhere.py", code=exits.UNLOADABLE).err
    (bare.folder / "broken.py").write_text("raise RuntimeError('no')\n")
    said = bare("run", "broken.py", code=exits.UNLOADABLE)
    assert "broken.py:1" in said.err
    assert "RuntimeError: no" in said.err
    (bare.folder / "empty.py").write_text("x = 1\n")
    assert "nothing to run" in bare("run", "empty.py", code=exits.USAGE).err


def test_what_code_prints_at_import_does_not_spoil_json(bare: Cli) -> None:
    (bare.folder / "noisy.py").write_text("print('imported')\n" + PIPELINE)
    said = bare("run", "noisy.py", "--json")
    assert [line["event"] for line in said.lines][-1] == "run_finished"
    assert "imported" in said.err


def test_a_store_that_cannot_be_used(cli: Cli, batuta_home: Path) -> None:
    batuta_home.mkdir()
    (batuta_home / "batuta.db").write_text("this is no database " * 100)
    said = cli("runs", "list", code=exits.STORE)
    assert str(batuta_home / "batuta.db") in said.err
    assert "Traceback" not in said.text
    assert cli("run", "doubling", "--json", code=exits.STORE).lines[-1]["exit_code"] == exits.STORE


def test_a_bug_of_ours_leaves_a_file(cli: Cli, batuta_home: Path) -> None:
    """A row that no version of ours writes stands for any broken assumption."""
    cli("run", "doubling", "-q")
    import sqlite3

    with sqlite3.connect(batuta_home / "batuta.db") as database:
        database.execute("UPDATE runs SET params = 'x'")
    said = cli("runs", "list", code=exits.BUG)
    assert "this is a bug in Batuta" in said.err
    (report,) = batuta_home.glob("bug-*.txt")
    assert str(report) in said.err
    assert "Traceback" in report.read_text()
    assert "Traceback" not in said.err


def test_run_document_is_json_for_every_line(cli: Cli) -> None:
    for line in cli("run", "report", "--json").out.splitlines():
        assert isinstance(json.loads(line), dict)


def test_a_process_that_dies_is_told_with_its_last_words(cli: Cli) -> None:
    said = cli("run", "crashing", code=exits.FAILED)
    assert "signal SIGSEGV" in said.out
    assert "| about to crash" in said.out
    assert "flows.py" in said.out, "the line that it was called from"
    assert "/batuta/runtime/" not in said.text
    assert "batuta logs 1 crashes-0" in said.out


def test_hints_find_the_project_of_the_run(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BATUTA_HOME")
    elsewhere = Cli(tmp_path)
    said = elsewhere("run", "shop/pipelines/flows.py", "doubling", "-p", "bad=1", code=exits.FAILED)
    assert "batuta -C shop runs retry 1" in said.out
    assert "doubling" in elsewhere("-C", "shop", "runs", "list").out
