"""`batuta runs resume`, `retry` and `mark`: going on with a run, in this process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, get_args

import click

from batuta.cli.output import Output, output_options
from batuta.cli.records import run_row
from batuta.cli.targets import execution_options, load, open_store, parse_pairs, workspace_of
from batuta.core.errors import RequestError
from batuta.core.events import Mark

if TYPE_CHECKING:
    from batuta.engine.workspace import Workspace


@click.command()
@click.argument("run_id", type=int, metavar="ID")
@click.option("--input", "inputs", multiple=True, metavar="KEY=VALUE", help="Answer a question that the run asks.")
@click.option("--force", is_flag=True, help="Take it over even if another engine seems to execute it.")
@execution_options
@output_options
def resume(
    run_id: int,
    inputs: tuple[str, ...],
    force: bool,
    executor: str | None,
    workers: int | None,
    show_logs: bool,
    plain: bool,
    out: Output,
) -> int:
    """Go on with a run that was interrupted or waits for an answer.

    What is done is not done again. A run that another process executes is only given the answer.

    \b
    Examples:
      batuta runs resume 42
      batuta runs resume 42 --input input-0=yes
    """
    from batuta.cli.attending import attend

    answers = parse_pairs(inputs, "--input")
    if answers and _answered_elsewhere(run_id, answers, out):
        return 0
    with _workspace_of(run_id, executor, workers) as workspace:
        load(workspace)
        return attend(
            workspace,
            lambda: workspace.resume(run_id, force=force, answers=answers),
            out,
            plain=plain,
            show_logs=show_logs,
        )


@click.command()
@click.argument("run_id", type=int, metavar="ID")
@click.option("--task", "tasks", multiple=True, metavar="KEY", help="Just this task run or step and what follows it.")
@execution_options
@output_options
def retry(
    run_id: int,
    tasks: tuple[str, ...],
    executor: str | None,
    workers: int | None,
    show_logs: bool,
    plain: bool,
    out: Output,
) -> int:
    """Run again what failed in a run.

    And what that held back; what succeeded is kept. With --task, run that again even if it succeeded.

    \b
    Examples:
      batuta runs retry 42
      batuta runs retry 42 --task load --task 'export[3]'
    """
    from batuta.cli.attending import attend
    from batuta.runtime.people import person

    with _workspace_of(run_id, executor, workers) as workspace:
        load(workspace)
        return attend(
            workspace,
            lambda: workspace.retry(run_id, tasks=list(tasks) or None, by=person()),
            out,
            plain=plain,
            show_logs=show_logs,
        )


@click.command()
@click.argument("run_id", type=int, metavar="ID")
@click.argument("tasks", nargs=-1, metavar="[TASK]...")
@click.option(
    "--as", "state", type=click.Choice(get_args(Mark)), required=True, help="How it has ended; a run is never skipped."
)
@click.option("--note", default="", metavar="TEXT", help="Why, for the record.")
@execution_options
@output_options
def mark(
    run_id: int,
    tasks: tuple[str, ...],
    state: Mark,
    note: str,
    executor: str | None,
    workers: int | None,
    show_logs: bool,
    plain: bool,
    out: Output,
) -> int:
    """Say how task runs, or a run, have ended.

    What a task run held back that is marked as succeeded or skipped goes on. What is running is stopped first. TASK is
    a task run, or a step with all its task runs.

    \b
    Examples:
      batuta runs mark 42 load --as succeeded --note 'loaded by hand'
      batuta runs mark 42 'export[3]' --as skipped
      batuta runs mark 42 --as failed
    """
    from batuta.cli.attending import attend
    from batuta.core.run_mark import refuse_mark
    from batuta.runtime.people import person

    named = list(tasks) or None
    with open_store() as store:
        refuse_mark(run_row(store, run_id).state, state, named, run_id)
    if _marked_elsewhere(run_id, state, named, note, out):
        return 0
    with _workspace_of(run_id, executor, workers) as workspace:
        if named is not None:
            load(workspace)
        return attend(
            workspace,
            lambda: workspace.mark(run_id, state, tasks=named, by=person(), note=note),
            out,
            plain=plain,
            show_logs=show_logs,
        )


def _marked_elsewhere(run_id: int, state: Mark, tasks: list[str] | None, note: str, out: Output) -> bool:
    """Leave it to the engine that executes the run, if there is one that lives."""
    from batuta.cli.live_runs import is_executed, wait_for
    from batuta.runtime.people import person

    with open_store() as store:
        if not is_executed(run_row(store, run_id), time.time()):
            return False
        for name in tasks or ():
            if store.task_run(run_id, name) is None and not store.task_runs(run_id, step=name, limit=1):
                hint = f"`batuta runs show {run_id}` lists them; one that has not begun is known by its run alone"
                raise RequestError(f"run {run_id} has no task run {name!r} yet", hint=hint)
        data = {"state": state, "tasks": tasks, "note": note}
        store.request(run_id, "mark", data, by=person(), now=time.time())
        taken = wait_for(lambda: not store.requests([run_id]), timeout_s=10.0)
    out.document({"run": run_id, "marked": taken})
    out.say(f"run {run_id} is told" if taken else f"run {run_id} has not been told yet")
    return True


def _workspace_of(run_id: int, executor: str | None, workers: int | None) -> Workspace:
    """The workspace that a run was started in: the same code, executed in the same way unless told otherwise."""
    with open_store() as store:
        row = run_row(store, run_id)
    return workspace_of(row, executor=executor, workers=workers)


def _answered_elsewhere(run_id: int, answers: dict[str, str], out: Output) -> bool:
    """Give the answers to the engine that executes the run, if there is one that lives."""
    import msgspec

    from batuta.cli.live_runs import is_executed, wait_for
    from batuta.engine.workspace import answer_value
    from batuta.runtime.people import person

    with open_store() as store:
        row = run_row(store, run_id)
        if not is_executed(row, time.time()):
            return False
        for key, value in answers.items():
            handle = msgspec.to_builtins(answer_value(value), builtin_types=())
            store.request(run_id, "input", {"key": key, "value": handle}, by=person(), now=time.time())
        taken = wait_for(lambda: not store.requests([run_id]), timeout_s=10.0)
    out.document({"run": run_id, "answered": taken})
    out.say(f"run {run_id} has the answer" if taken else f"run {run_id} has not taken the answer yet")
    return True
