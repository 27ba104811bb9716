"""`batuta test`: are the definitions in order? For CI, and before a commit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import click

from batuta.cli import exits
from batuta.cli.formats import plural
from batuta.cli.output import Output, output_options
from batuta.cli.targets import execution_options, file_option, one_at_most, open_workspace, split_target
from batuta.core.errors import BatutaError, DefinitionError, InvariantError

if TYPE_CHECKING:
    from batuta.core.asset_index import AssetIndex
    from batuta.core.definitions import Definitions, JobSpec
    from batuta.engine.workspace import Workspace


class Found(NamedTuple):
    """A problem in the definitions."""

    what: str
    where: str
    hint: str
    detail: str = ""


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@click.option("--checks", "with_checks", is_flag=True, help="Also evaluate the checks of assets that are made.")
@file_option
@execution_options
@output_options
def test(
    words: tuple[str, ...],
    with_checks: bool,
    file: str | None,
    executor: str | None,
    workers: int | None,
    show_logs: bool,
    plain: bool,
    out: Output,
) -> int:
    """Load and validate all definitions; report problems.

    Every file, dependency, layer, schedule, partition and plan is looked at; nothing is run but, with --checks, the
    checks of assets that have been made. Exits with 1 if there is a problem.

    \b
    Examples:
      batuta test
      batuta test pipeline.py
      batuta test --checks --json
    """
    target, rest = split_target(words, file)
    one_at_most(rest, "file")
    with open_workspace(target, executor=executor, workers=workers) as workspace:
        definitions: Definitions | None = None
        try:
            definitions = workspace.definitions
        except DefinitionError as error:
            detail = "\n".join(getattr(error, "__notes__", []))
            found = [Found(error.what, error.where or "", error.hint or "", detail)]
        else:
            found = list(_problems(workspace.definitions))
        _tell(definitions, found, out, ended=not with_checks)
        if found or definitions is None or not with_checks:
            return exits.FAILED if found else exits.OK
        return _evaluate(workspace, out, plain=plain, show_logs=show_logs)


def _tell(definitions: Definitions | None, found: list[Found], out: Output, *, ended: bool) -> None:
    from batuta.cli.failures import problem_text

    counts = {} if definitions is None else _counts(definitions)
    if ended or found:
        out.document({"problems": [one._asdict() for one in found], **counts})
    for one in found:
        out.say(problem_text(one.what, one.where, one.hint, one.detail))
    told = ", ".join(plural(count, name.removesuffix("s")) for name, count in counts.items())
    if found:
        out.say(f"{click.style('✗', fg='red')} {plural(len(found), 'problem')}" + (f" in {told}" if told else ""))
    elif not out.quiet:
        out.say(f"{click.style('✓', fg='green')} no problems in {told}")


def _counts(definitions: Definitions) -> dict[str, int]:
    return {"jobs": len(definitions.jobs), "assets": len(definitions.assets), "checks": len(definitions.checks)}


def _problems(definitions: Definitions) -> Iterator[Found]:
    """All that can be seen to be wrong without running anything."""
    from batuta.core import schedules
    from batuta.core.asset_index import AssetIndex
    from batuta.core.asset_plan import plan_assets

    for problem in definitions.problems:
        where = str(problem.place) if problem.place.file else ""
        yield Found(problem.message, where, problem.hint, problem.detail)
    index = AssetIndex(definitions)
    makeable = [spec.key for spec in definitions.assets if not spec.external]
    if makeable:
        try:
            now = datetime.fromtimestamp(time.time(), UTC)
            plan_assets(index, makeable, now=now, only=set())
        except BatutaError as error:
            yield Found(error.what, error.where or "", error.hint or "")
    for schedule in definitions.schedules:
        try:
            schedules.validate(schedule)
        except BatutaError as error:
            yield Found(f"schedule {schedule.name!r}: {error.what}", error.where or "", error.hint or "")
    for job in definitions.jobs:
        try:
            _validate_job(job, index)
        except InvariantError as error:
            yield Found(f"job {job.name!r}: {error.what.partition(chr(10))[0]}", str(job.place), error.hint or "")
        except BatutaError as error:
            yield Found(f"job {job.name!r}: {error.what}", error.where or str(job.place), error.hint or "")


def _validate_job(job: JobSpec, index: AssetIndex) -> None:
    """Its plan as the engine would take it, its selection. Raises BatutaError."""
    from batuta.core.run import Run

    if job.plan is not None:
        Run(job.plan)
    if job.selection:
        index.select(job.selection, states=lambda _: ())


def _evaluate(workspace: Workspace, out: Output, *, plain: bool, show_logs: bool) -> int:
    """Run the checks of all (asset, partition) pairs that are made."""
    from batuta.cli.attending import attend

    plan = workspace.assets.check_plan()
    if not plan.steps:
        out.document({"problems": [], **_counts(workspace.definitions)})
        out.note("no asset that has checks is made yet")
        return exits.OK
    return attend(workspace, lambda: workspace.start_plan(plan), out, plain=plain, show_logs=show_logs)
