"""The operator base, and operators that run Python and shell commands."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from batuta import SkipTask, task
from batuta.authoring import operators
from batuta.authoring.context import CancelledByRequest, StepContext
from batuta.authoring.dag import DAG
from batuta.authoring.dag_outputs import step as step_of
from batuta.authoring.operators import EmptyOperator, Operator, OperatorError, PythonOperator, ShellOperator
from batuta.core.errors import DefinitionError
from tests.authoring.dag_runs import DagRuns
from tests.authoring.waiting import until


class Copy(Operator):
    template_fields = ("source", "target")

    def __init__(self, *, source: str, target: str, **options: Any) -> None:
        super().__init__(**options)
        self.source, self.target = source, target

    def execute(self, context: StepContext) -> str:
        Path(self.target).write_bytes(Path(self.source).read_bytes())
        return self.target


def context(**more: Any) -> StepContext:
    return StepContext(run_id=1, job="j", step="s", attempt=1, **more)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


# ---- the base


def test_an_operator_in_ten_lines(runs: DagRuns, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("data")

    @task
    def where() -> str:
        return str(tmp_path / "in")

    with DAG("copy", params={"name": "out"}) as d:
        first = Copy(name="copy", source=where(), target=f"{tmp_path}/{{{{ params.name }}}}")
        second = Copy(name="again", source=first.output, target=f"{tmp_path}/again")
        Copy(name="direct", source=second, target=f"{tmp_path}/direct")  # type: ignore[arg-type]
        Copy(name="text", source=f"{first}", target=f"{tmp_path}/text")
    ran = runs.run(d)
    assert ran.state == "succeeded", ran.states
    assert ran.output("copy") == f"{tmp_path}/out"
    assert [(tmp_path / name).read_text() for name in ("out", "again", "direct", "text")] == ["data"] * 4


def test_an_operator_is_tested_without_a_dag(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("data")
    Copy(source=f"{tmp_path}/in", target=f"{tmp_path}/out").execute(context())
    assert (tmp_path / "out").read_text() == "data"


def test_attempts_do_not_change_the_operator(runs: DagRuns) -> None:
    class Grows(Operator):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.count = 0

        def execute(self, context: StepContext) -> int:
            self.count += 1
            return self.count

    with DAG("grows") as d:
        Grows(name="grows")
    assert [runs.run(d).output("grows") for _ in range(2)] == [1, 1]


def test_names_of_attributes_are_free(runs: DagRuns) -> None:
    class Busy(Operator):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.key = self.name = self.group = self.node = self.options = self.dag = "mine"
            self.output = "mine"

        def execute(self, context: StepContext) -> str:
            return f"{self.key}{self.output}"

    with DAG("busy") as d:
        Busy(name="a") >> Busy(name="b")
    assert runs.run(d).output("b") == "minemine"


def test_what_is_expanded_is_made_anew_for_each_item(runs: DagRuns, tmp_path: Path) -> None:
    @task
    def names() -> list[str]:
        return ["a", "b"]

    (tmp_path / "in").write_text("data")
    with DAG("mapped") as d:
        Copy.partial(name="copy", source=f"{tmp_path}/{{{{ 'in' }}}}", retries=1).expand(
            target=step_of(names()).map(lambda name: f"{tmp_path}/{name}")
        )
    assert d.plan().steps[1].retry.attempts_max == 2
    assert runs.run(d).outputs("copy") == [f"{tmp_path}/a", f"{tmp_path}/b"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Copy.partial(name="x").expand(target=["a"]), "it needs source"),
        (lambda: Copy.partial(source="x").expand(tragets=["a"], target=["b"]), "'target'"),
        (lambda: Copy.partial(source="x", retires=2).expand(target=["b"]), "'retries'"),
        (lambda: Copy.partial(source="x").expand(target="abc"), "a str"),
        (lambda: Copy(source="x", target="y", retires=1), "'retries'"),
        (lambda: Copy(source="x", target="y", timeout_s=-1), "timeout_s is -1"),
        (lambda: Operator(name="x"), "does not say what to do"),
    ],
)
def test_wrong_operators_are_told_where_they_stand(make: Callable[[], Any], said: str) -> None:
    with DAG("wrong"), pytest.raises(DefinitionError) as caught:
        make()
    assert said in str(caught.value)
    assert __file__ in str(caught.value)


def test_forgetting_super_is_told() -> None:
    class Forgets(Operator):
        def __init__(self) -> None:
            self.x = 1

        def execute(self, context: StepContext) -> None: ...

    with DAG("wrong"), pytest.raises(DefinitionError, match="not a step of a DAG") as caught:
        Forgets() >> EmptyOperator()
    assert "super().__init__" in str(caught.value)


def test_the_place_of_an_operator_is_where_the_dag_makes_it() -> None:
    with DAG("places") as d:
        Copy(name="copy", source="a", target="b")
    place = d.nodes["copy"].place
    assert Path(place.file).read_text().splitlines()[place.line - 1].strip().startswith('Copy(name="copy"')


def test_every_operator_can_be_imported_by_name() -> None:
    for name in operators.__all__:
        assert getattr(operators, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = operators.NoSuchOperator


def test_python_operators_take_templates_and_outputs(runs: DagRuns) -> None:
    @task
    def one() -> int:
        return 1

    with DAG("python") as d:
        PythonOperator(lambda a, *, b: (a, b), args=[one()], kwargs={"b": ["{{ job }}"]}, name="call")
        PythonOperator(one, name="a_task")
    ran = runs.run(d)
    assert ran.output("call") == (1, ["python"])
    assert ran.output("a_task") == 1


# ---- shell


def shell(runs: DagRuns, command: Any, **options: Any) -> Any:
    with DAG("shell") as d:
        ShellOperator(command, name="sh", **options)
    return runs.run(d)


@pytest.mark.parametrize(
    ("returns", "expected"),
    [("last_line", '{"a": 2}'), ("all", '{"a": 2}\n\n'), ("json", {"a": 2}), ("none", None)],
)
def test_what_a_command_prints_is_its_output(runs: DagRuns, returns: Any, expected: Any) -> None:
    ran = shell(runs, "echo '{\"a\": 2}'; echo; echo to stderr >&2", returns=returns)
    assert ran.output("sh") == expected
    assert '{"a": 2}' in ran.log("sh")
    assert "to stderr" in ran.log("sh")


def test_a_command_fails_with_its_last_words(runs: DagRuns) -> None:
    ran = shell(runs, "echo working; echo no such table >&2; exit 3")
    error = ran.error("sh")
    assert error.type.endswith("OperatorError")
    assert "exit code 3: no such table" in error.message


def test_a_killed_command_names_the_signal(runs: DagRuns) -> None:
    assert "was killed by SIGKILL" in shell(runs, "kill -9 $$").error("sh").message


@pytest.mark.parametrize(
    ("code", "options", "state"),
    [
        (99, {}, "skipped"),
        (99, {"skip_exit_code": None}, "failed"),
        (7, {"skip_exit_code": [7, 8]}, "skipped"),
        (0, {}, "succeeded"),
    ],
)
def test_exit_codes_that_skip(runs: DagRuns, code: int, options: dict[str, Any], state: str) -> None:
    assert shell(runs, f"exit {code}", **options).states == {"sh": state}


def test_environment_and_folder(runs: DagRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_WORKER", "inherited")
    script = "echo $FROM_WORKER,$DAY,$COUNT,$BATUTA_JOB,$BATUTA_STEP,$(pwd)"
    env = {"DAY": "{{ ds }}", "COUNT": 3}
    with DAG("shell") as d:
        ShellOperator(script, name="sh", env=env, cwd="{{ params.folder }}")
        ShellOperator(script, name="bare", env={"DAY": "x"}, inherit_env=False, cwd=tmp_path)  # type: ignore[arg-type]
        d.params = DAG("p", params={"folder": str(tmp_path)}).params
    ran = runs.run(d, logical_at=0.0)
    assert ran.output("sh") == f"inherited,1970-01-01,3,shell,sh,{tmp_path}"
    assert ran.output("bare") == f",x,,shell,bare,{tmp_path}"


def test_other_shells_lists_and_what_is_not_there(runs: DagRuns) -> None:
    assert shell(runs, "echo $0", shell="sh").output("sh") == "sh"
    assert shell(runs, ["echo", "$HOME", "{{ job }}"]).output("sh") == "$HOME shell"
    assert "'nosuchshell'" in shell(runs, "true", shell="nosuchshell").error("sh").message
    error = shell(runs, "true", cwd="/no/such/folder").error("sh")
    assert ("'/no/such/folder'" in error.message, "no such folder" in error.hint) == (True, True)


def test_commands_from_files(runs: DagRuns, tmp_path: Path) -> None:
    (tmp_path / "load.sh").write_text("# {{ job }}\necho loaded {{ job }}\n")
    with DAG("shell") as d:
        ShellOperator("load.sh", name="sh")
    d.place = type(d.place)(str(tmp_path / "dag.py"), 1)
    assert runs.run(d).output("sh") == "loaded shell"


def test_large_and_odd_output(runs: DagRuns) -> None:
    ran = shell(runs, "yes 0123456789 | head -c 3000000; printf '\\nno end \\xff\\xc3\\xa9'")
    assert ran.output("sh") == "no end \ufffdé"
    long = shell(runs, "head -c 300000 /dev/zero | tr '\\0' x; echo; echo end")
    assert long.output("sh") == "end"


def test_more_than_can_be_kept_is_refused(runs: DagRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    from batuta.authoring.operators import shell as module

    monkeypatch.setattr(module, "OUTPUT_BYTES_MAX", 1 << 20)
    error = shell(runs, "yes | head -c 2000000", returns="all").error("sh")
    assert "more than 1 MB" in error.message


def test_what_is_no_json_is_told(runs: DagRuns) -> None:
    assert "not JSON" in shell(runs, "echo {", returns="json").error("sh").message


def test_a_command_that_leaves_children_behind_ends(runs: DagRuns, tmp_path: Path) -> None:
    ran = shell(runs, f"sleep 600 & echo $! > {tmp_path}/pid; echo done")
    assert ran.output("sh") == "done"
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_a_cancelled_command_is_ended_with_its_children(runs: DagRuns, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with DAG("shell") as d:
        ShellOperator(f"sleep 600 & echo $! $$ > {pids}.tmp; mv {pids}.tmp {pids}; wait", name="sh")
    ran = runs.start(d)
    found = [int(pid) for pid in until(lambda: pids.exists() and pids.read_text().split())]
    ran.cancel()
    assert ran.wait().states == {"sh": "cancelled"}
    until(lambda: all(map(is_gone, found)), "the command's processes are gone")


def test_a_command_that_takes_too_long_is_ended(runs: DagRuns, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    ran = shell(runs, f"echo $$ > {pids}; exec sleep 600", timeout_s=1.0)
    assert ran.error("sh").kind == "timeout"
    until(lambda: is_gone(int(pids.read_text())), "the command is gone")


def test_a_command_that_ignores_the_asking_is_killed(runs: DagRuns, tmp_path: Path, monkeypatch: Any) -> None:
    from batuta.authoring.operators import processes

    monkeypatch.setattr(processes, "GRACE_S", 0.1)
    pids = tmp_path / "pids"
    with DAG("shell") as d:
        ShellOperator(f"trap '' TERM; echo $$ > {pids}; while true; do sleep 1; done", name="sh")
    ran = runs.start(d)
    until(lambda: pids.exists() and pids.read_text().strip())
    ran.cancel()
    ran.wait()
    until(lambda: is_gone(int(pids.read_text())), "the command is gone")


def test_a_command_does_not_outlive_its_worker(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"""
from batuta.authoring.context import StepContext
from batuta.authoring.operators import ShellOperator
command = "sleep 600 & echo $! $$ > {pids}.tmp; mv {pids}.tmp {pids}; wait"
ShellOperator(command).execute(StepContext(run_id=1, job="j", step="s", attempt=1))
"""
    worker = subprocess.Popen([sys.executable, "-c", script])
    found = [int(pid) for pid in until(lambda: pids.exists() and pids.read_text().split())]
    worker.kill()
    worker.wait()
    until(lambda: all(map(is_gone, found)), "the command's processes are gone")


def test_a_step_may_skip_itself(runs: DagRuns) -> None:
    def skips() -> None:
        raise SkipTask("not today")

    with DAG("skip") as d:
        PythonOperator(skips, name="a")
    assert runs.run(d).tasks["a"].reason == "not today"


def test_operators_can_be_called_in_plain_scripts() -> None:
    assert ShellOperator("echo plain").execute(context()) == "plain"
    with pytest.raises(OperatorError, match="exit code 1"):
        ShellOperator("exit 1").execute(context())


def test_a_command_whose_start_is_interrupted_is_ended() -> None:
    from batuta.authoring.operators import processes

    @contextlib.contextmanager
    def interrupted() -> Iterator[None]:
        yield
        raise CancelledByRequest

    before = set(psutil.Process().children())
    with pytest.raises(CancelledByRequest):
        processes.run(["sleep", "600"], context=context(uninterrupted=interrupted))
    assert set(psutil.Process().children()) <= before
