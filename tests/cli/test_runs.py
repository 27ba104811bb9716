"""`runs`, `logs`: looking at runs, stopping them, going on with them, wherever they are executed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from batuta.cli import exits
from tests.cli.conftest import Cli, wait_until


def state(cli: Cli, run_id: int = 1) -> str:
    found: str = cli("runs", "show", str(run_id), "--json").json["run"]["state"]
    return found


def test_runs_are_listed_and_filtered(cli: Cli) -> None:
    cli("run", "doubling", "-q", "--tag", "team=a")
    cli("run", "doubling", "-q", "-p", "bad=1", code=exits.FAILED)
    cli("run", "settle", "-q")

    def ids(*args: str) -> list[int]:
        return [run["id"] for run in cli("runs", "list", *args, "--json").json["runs"]]

    assert ids() == [3, 2, 1]
    assert ids("--state", "failed") == [2]
    assert ids("--job", "doubling") == [2, 1]
    assert ids("--tag", "team=a") == [1]
    assert ids("--since", "1h", "-n", "2") == [3, 2]
    assert ids("--before", "2") == [1]
    said = cli("runs", "list", "-n", "2")
    assert "ValueError: bad number 1" in said.out
    assert "--before 2" in said.err
    assert "30d" in cli("runs", "list", "--since", "long", code=exits.USAGE).err


def test_a_run_that_is_not_there(cli: Cli) -> None:
    assert "there is no store yet" in cli("runs", "show", "1", code=exits.STORE).err
    cli("run", "settle", "-q")
    for args in (["show"], ["watch"], ["cancel"], ["resume"], ["retry"], ["mark", "--as", "failed"], ["artifacts"]):
        assert "there is no run 99" in cli("runs", *args, "99", code=exits.USAGE).err
    assert "there is no run 99" in cli("logs", "99", code=exits.USAGE).err


def test_show_lists_task_runs_with_their_errors(cli: Cli) -> None:
    cli("run", "doubling", "-q", "-p", "bad=1", code=exits.FAILED)
    said = cli("runs", "show", "1")
    assert "count=3, bad=1" in said.out
    assert "double-1" in said.out
    assert 'raise ValueError(f"bad number {number}")' in said.out
    tasks = {task["task"]: task for task in cli("runs", "show", "1", "--json").json["tasks"]}
    assert tasks["double-1"]["error"]["type"] == "ValueError"
    assert tasks["double-1"]["error"]["file"].endswith("flows.py")
    assert tasks["double-0"]["state"] == "succeeded"
    assert "double-0" not in cli("runs", "show", "1", "--state", "failed").out


def test_failures_that_are_alike_are_told_once(cli: Cli) -> None:
    said = cli("run", "all-bad", "-p", "count=12", code=exits.FAILED).out
    assert said.count("raise ValueError") == 1
    assert "so did bad-1, bad-2, bad-3 and 8 more" in said
    assert "other-0 failed" in said


def test_retry_runs_what_failed_and_keeps_the_rest(cli: Cli) -> None:
    cli("run", "doubling", "-q", "-p", "bad=2", code=exits.FAILED)  # the last one: nothing is open when it fails
    cli("runs", "retry", "1", "-q", code=exits.FAILED)
    cli.touch("mended")
    lines = cli("runs", "retry", "1", "--json").lines
    assert [line["task"] for line in lines if line["event"] == "task"] == ["double-2"]
    assert lines[-1]["run"]["state"] == "succeeded"
    assert "has no task run 'nope'" in cli("runs", "retry", "1", "--task", "nope", code=exits.USAGE).err
    assert "retry 1" in cli("runs", "resume", "1", code=exits.USAGE).err


def test_a_run_that_has_ended_gets_no_more_task_runs(cli: Cli) -> None:
    cli("run", "settle", "-q")
    assert "run 1 has no task run 'nope'\n" in cli("logs", "1", "nope", code=exits.USAGE).err


def test_one_step_of_a_dag_is_run_again_with_what_follows(cli: Cli) -> None:
    cli("run", "settle", "-q")
    lines = cli("runs", "retry", "1", "--task", "export[1]", "--json").lines
    ended = [line["task"] for line in lines if line["event"] == "task" and line["state"] == "succeeded"]
    assert ended == ["export[1]", "reconcile"]


def test_task_runs_and_runs_are_marked(cli: Cli) -> None:
    cli("run", "settle", "-q")
    said = cli("runs", "mark", "1", "export[1]", "--as", "failed", "--note", "wrong file", "--json")
    assert said.lines[-1]["run"]["state"] == "succeeded", "it is no leaf"
    tasks = {task["task"]: task for task in cli("runs", "show", "1", "--json").json["tasks"]}
    assert (tasks["export[1]"]["state"], tasks["reconcile"]["state"]) == ("failed", "succeeded")
    assert "wrong file" in tasks["export[1]"]["error"]["message"]
    said = cli("runs", "mark", "1", "--as", "failed", "--note", "never sent", code=exits.FAILED)
    assert state(cli) == "failed"
    assert "never sent" in cli("runs", "show", "1", "--json").json["run"]["error"]
    assert "has failed already" in cli("runs", "mark", "1", "--as", "failed", code=exits.USAGE).err
    assert "never skipped" in cli("runs", "mark", "1", "--as", "skipped", code=exits.USAGE).err
    assert "did you mean 'merchants'" in cli("runs", "mark", "1", "merchant", "--as", "failed", code=exits.USAGE).err
    assert cli("runs", "mark", "1", "--as", "succeeded", "-q").code == exits.OK
    assert cli("audit", "list", "--action", "mark").out.count("mark") >= 3


def test_what_another_process_runs_is_marked_there(cli: Cli) -> None:
    run = cli.start("run", "waiting", "-p", "count=1", "-q")
    cli.wait_for("w0.running")
    assert cli("runs", "mark", "1", "--as", "succeeded").out == "run 1 is told\n"
    assert cli.end(run).code == exits.OK
    assert state(cli) == "succeeded"


def test_what_is_left_to_be_looked_at(cli: Cli) -> None:
    cli("run", "leaving", "-q")
    listed = cli("runs", "artifacts", "1", "--json").json["artifacts"]
    assert [(one["name"], one["kind"]) for one in listed] == [
        ("report", "markdown"),
        ("rows", "table"),
        ("half", "file"),
    ]
    assert cli("runs", "artifacts", "1", "report").out == "# Done\n"
    assert cli("runs", "artifacts", "1", "rows").out.split() == ["a", "b", "1", "x"]
    assert "did you mean 'report'" in cli("runs", "artifacts", "1", "raport", code=exits.USAGE).err
    assert cli("runs", "artifacts", "1", "half", "-o", "half.bin").out == "half.bin: 3 B\n"
    assert cli("runs", "artifacts", "1", "half", "-o", "-").out == "abc"
    assert "which one" in cli("runs", "artifacts", "1", "-o", "x", code=exits.USAGE).err
    assert "no task run 'nope'" in cli("runs", "artifacts", "1", "--task", "nope", code=exits.USAGE).err


def test_logs_of_tasks_and_runs(cli: Cli) -> None:
    cli("run", "doubling", "-q")
    assert "making 3 numbers" in cli("logs", "1").out
    assert "making 3 numbers" in cli("logs", "1", "numbers-0", "--tail", "1").out
    (line,) = cli("logs", "1", "numbers-0", "--json").lines
    assert (line["task"], line["level"], line["text"]) == ("numbers-0", "OUT", "making 3 numbers")
    assert "nothing was logged" in cli("logs", "1", "--level", "error").err
    assert cli("logs", "1", "--grep", "making [0-9]").out
    assert "is not a pattern" in cli("logs", "1", "--grep", "[", code=exits.USAGE).err
    assert "is not a log level" in cli("logs", "1", "--level", "loud", code=exits.USAGE).err
    assert "did you mean 'numbers-0'" in cli("logs", "1", "numbrs-0", code=exits.USAGE).err
    assert cli("logs", "1", "--tail", "0").out == ""


def test_logs_are_followed_to_the_end(cli: Cli) -> None:
    run = cli.start("run", "waiting", "-q")
    cli.wait_for("w0.running")
    follow = cli.start("logs", "1", "--follow", "--json")
    watch = cli.start("runs", "watch", "1", "--plain")
    cli.touch("go")
    assert cli.end(run).code == exits.OK
    assert cli.end(follow).code == exits.OK
    watched = cli.end(watch)
    assert watched.code == exits.OK
    assert "run 1 waiting succeeded" in watched.out


def test_a_run_of_another_process_is_watched_and_cancelled(cli: Cli) -> None:
    run = cli.start("run", "waiting", "-p", "count=4")
    cli.wait_for("w0.running")
    watch = cli.start("runs", "watch", "--json")
    assert cli("runs", "cancel", "1").out == "run 1 is cancelled\n"
    said = cli.end(run)
    assert said.code == exits.CANCELLED
    assert said.out.count("cancelled by") == 4, "those that had not begun too"
    assert "batuta runs retry 1" in said.out
    watched = cli.end(watch)
    assert watched.code == exits.CANCELLED
    assert watched.lines[-1]["run"]["state"] == "cancelled"
    assert "cancelled already" in cli("runs", "cancel", "1", code=exits.USAGE).err
    cli.touch("go")
    assert cli("runs", "retry", "1", "-q").code == exits.OK


def test_what_does_not_stop_is_ended_hard(cli: Cli) -> None:
    run = cli.start("run", "hanging")
    cli.wait_for("stubborn.running")
    assert cli("runs", "cancel", "1", "--hard", "--json").json == {"run": 1, "state": "cancelled"}
    assert cli.end(run).code == exits.CANCELLED


@pytest.mark.parametrize("executor", ["processes", "threads", "inline"])
def test_ctrl_c_asks_and_waits(cli: Cli, executor: str) -> None:
    run = cli.start("run", "waiting", "--executor", executor)
    cli.wait_for("w0.running")
    run.send_signal(signal.SIGINT)
    said = cli.end(run)
    assert said.code == exits.CANCELLED
    assert "cancelling: waiting for what is running" in said.out
    assert "run 1 waiting cancelled" in said.out
    assert "Traceback" not in said.text


def test_ctrl_c_twice_ends_what_runs(cli: Cli) -> None:
    run = cli.start("run", "hanging")
    cli.wait_for("stubborn.running")
    run.send_signal(signal.SIGINT)
    cli.wait_for("stubborn.asked")
    run.send_signal(signal.SIGINT)
    said = cli.end(run)
    assert said.code == exits.CANCELLED
    assert "ending what is still running" in said.out


def test_sigterm_leaves_a_run_that_can_be_resumed(cli: Cli) -> None:
    run = cli.start("run", "waiting", "-p", "count=2")
    cli.wait_for("w1.running")
    run.send_signal(signal.SIGTERM)
    said = cli.end(run)
    assert said.code == exits.TERMINATED
    assert "interrupted by SIGTERM" in said.out
    assert "batuta runs resume 1" in said.out
    assert "left unfinished by an engine that is gone: 1" in cli("doctor").out
    cli.touch("go")
    assert "run 1 waiting succeeded" in cli("runs", "resume", "1").out


def test_a_killed_run_is_resumed_and_what_was_done_is_kept(cli: Cli) -> None:
    run = cli.start("run", "asking", "-q")
    cli.end(run)
    assert (cli.folder / "notes").read_text() == "before\n"
    again = cli.start("runs", "resume", "1", "--input", "input-0=yes", "-q")
    again.send_signal(signal.SIGKILL)
    again.communicate()
    wait_until(lambda: not is_alive(again.pid), "its end")
    said = cli("runs", "resume", "1", "--input", "input-0=yes", code=None)
    if said.code == exits.USAGE:  # the answer had been taken before the kill
        said = cli("runs", "resume", "1", code=None)
    assert (cli.folder / "notes").read_text().splitlines().count("before") == 1
    assert state(cli) == "succeeded"


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists() and os.path.exists(f"/proc/{pid}/exe")


def test_an_abandoned_run_is_cancelled(cli: Cli) -> None:
    run = cli.start("run", "waiting")
    cli.wait_for("w0.running")
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert "nobody executes run 1 now: `batuta runs resume 1`" in cli("runs", "list").err
    assert "nobody executed run 1; it is cancelled now" in cli("runs", "cancel", "1").out
    assert state(cli) == "cancelled"


def test_a_question_without_a_terminal_leaves_the_run_paused(cli: Cli) -> None:
    said = cli("run", "asking", code=exits.PAUSED)
    assert "waits for an answer: Really publish?" in said.out
    assert "batuta runs resume 1 --input input-0=" in said.out
    assert "waits for an answer: 1" in cli("doctor").out
    assert "no open question 'input-7'" in cli("runs", "resume", "1", "--input", "input-7=x", code=exits.USAGE).err
    assert "is not name=value" in cli("runs", "resume", "1", "--input", "yes", code=exits.USAGE).err
    cli("runs", "resume", "1", "--input", "input-0=yes", "-q")
    assert (cli.folder / "notes").read_text() == "before\npublished True\n"


def test_the_same_on_postgresql(cli: Cli, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATUTA_STORE_URL", postgres_url)
    assert "run 1 settle succeeded" in cli("run", "settle").out
    run = cli.start("run", "waiting")
    cli.wait_for("w0.running")
    watch = cli.start("runs", "watch", "--plain")
    assert cli("runs", "cancel", "2").out == "run 2 is cancelled\n"
    assert cli.end(run).code == exits.CANCELLED
    assert "run 2 waiting cancelled" in cli.end(watch).out
    assert "postgresql" in cli("db", "info").out
    assert "fail" not in cli("doctor").out


def test_runs_of_assets_say_what_was_asked_for(cli: Cli) -> None:
    cli("materialize", "layer:bronze", "--partition", "2026-01-01..2026-01-02", "-q")
    assert "layer:bronze 2026-01-01..2026-01-02" in cli("runs", "list").out
    assert cli("runs", "show", "1", "--json").json["run"]["params"] == {"selection": "layer:bronze", "mode": "all"}
