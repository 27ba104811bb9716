"""What views are told of a run, by the real state machine."""

from __future__ import annotations

import click

from batuta.cli.progress import Change, Progress
from batuta.cli.progress_plain import PlainView, count_line, end_line
from batuta.core import events as ev
from batuta.core.plan import Edge, LabelExpansion, MapExpansion, MapSource, Plan, StepSpec
from batuta.core.run import Run
from batuta.core.states import RunState, TaskState
from batuta.core.values import ErrorInfo, Handle

DAG = Plan(
    "nightly",
    "dag",
    (
        StepSpec("extract"),
        StepSpec("load", upstream=(Edge("extract", data=True),), expansion=MapExpansion((MapSource("extract"),))),
        StepSpec("days", expansion=LabelExpansion(("mon", "tue"))),
    ),
)
FLOW = Plan("refresh", "flow", (StepSpec("refresh", kind="flow"),), outcome="body")


class Story:
    """A run that is told event by event, and its progress."""

    def __init__(self, plan: Plan) -> None:
        self.run = Run(plan)
        self.progress = Progress(7, plan)
        self.at = 0.0
        self.tell(ev.RunStarted(at=0.0))

    def tell(self, event: ev.Event) -> list[Change]:
        self.run.advance(event)
        changed = list(dict.fromkeys(self.run.changed))
        self.run.changed.clear()
        ended_at = {task.no: event.at for task in changed}
        self.progress.record(7, self.run.plan.job, self.run.shown_state, changed, ended_at)
        return self.progress.absorb()

    def succeed(self, no: int, length: int | None = None) -> list[Change]:
        task = self.run.task(no)
        output = Handle(length=length)
        return self.tell(ev.AttemptSucceeded(at=2.0, task=no, attempt=task.attempt, started_at=1.0, output=output))

    def fail(self, no: int) -> list[Change]:
        error = ErrorInfo(type="ValueError", message="bad", file="flows.py", line=3)
        return self.tell(ev.AttemptFailed(at=2.0, task=no, attempt=self.run.task(no).attempt, error=error))


def test_totals_grow_when_a_mapped_step_learns_its_length() -> None:
    story = Story(DAG)
    assert {name: (step.total, step.open_ended) for name, step in story.progress.steps.items()} == {
        "extract": (1, False),
        "load": (1, True),
        "days": (2, False),
    }
    story.succeed(0, length=3)
    load = story.progress.steps["load"]
    assert (load.total, load.open_ended, load.done) == (3, False, 0)
    assert story.progress.total == 6


def test_counts_follow_states_and_running_ones_are_known() -> None:
    story = Story(DAG)
    assert story.progress.running() == []
    (change,) = story.tell(ev.AttemptStarted(at=1.0, task=0, attempt=1))
    assert change.state is TaskState.RUNNING
    assert [c.task.key for c in story.progress.running()] == ["extract"]
    story.succeed(0, length=2)
    assert story.progress.running() == []
    mapped = [task.no for task in story.run.graph.by_key["load"].runs]
    story.fail(mapped[0])
    story.succeed(mapped[1])
    load = story.progress.steps["load"]
    assert (load.done, load.failed, load.finished) == (2, 1, True)
    for task in story.run.graph.by_key["days"].runs:
        story.succeed(task.no)
    assert story.progress.ended
    assert story.progress.state is RunState.FAILED
    assert (story.progress.done, story.progress.total) == (5, 5)


def test_calls_of_a_flow_are_one_line_per_task() -> None:
    story = Story(FLOW)
    spec = StepSpec("fetch", task="flows:fetch")
    calls = tuple(ev.Call(f"fetch-{i}") for i in range(1000))
    assert story.tell(ev.TasksRequested(at=1.0, spec=spec, calls=calls)) == []
    assert {name: step.total for name, step in story.progress.steps.items()} == {"fetch": 1000}
    for no in range(1, 1001):
        story.succeed(no)
    assert story.progress.steps["fetch"].finished


def test_what_was_known_before_is_counted_but_no_news() -> None:
    story = Story(DAG)
    story.run.advance(ev.AttemptSucceeded(at=2.0, task=0, attempt=1, output=Handle(length=0)))
    story.progress.record(7, "nightly", RunState.RUNNING, story.run.graph.runs, {}, news=False)
    assert story.progress.absorb() == []
    assert story.progress.steps["extract"].finished


def test_runs_that_a_run_started_have_lines_of_their_own() -> None:
    story = Story(DAG)
    other = Run(DAG)
    other.advance(ev.RunStarted(at=0.0))
    other.advance(ev.AttemptSucceeded(at=2.0, task=0, attempt=1, output=Handle(length=0)))
    story.progress.record(8, "weekly", RunState.SUCCEEDED, [other.task(0)], {})
    (change,) = story.progress.absorb()
    assert story.progress.name_of(change) == "weekly › extract"
    assert story.progress.state is RunState.RUNNING
    assert click.unstyle(end_line(story.progress, change)).startswith("✓ weekly › extract")


class Lines(PlainView):
    """Keeps what it would print."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


def test_plain_lines_are_one_per_end_until_there_are_many() -> None:
    story = Story(FLOW)
    view = Lines(story.progress)
    lines = view.lines
    spec = StepSpec("fetch", task="flows:fetch")
    story.tell(ev.TasksRequested(at=1.0, spec=spec, calls=tuple(ev.Call(f"fetch-{i}") for i in range(2))))
    view.tick(story.succeed(1))
    view.tick(story.fail(2))
    told = [click.unstyle(line) for line in lines]
    assert told[0] == "✓ fetch-0  1.0 s"
    assert told[1].startswith("✗ fetch-1")
    assert told[1].endswith("ValueError: bad (flows.py:3)")
    story.tell(ev.TasksRequested(at=1.0, spec=spec, calls=tuple(ev.Call(f"fetch-{i}") for i in range(2, 500))))
    for no in range(3, 500):
        view.tick(story.succeed(no))
    view.tick([], final=True)
    assert len(lines) < 12
    assert click.unstyle(lines[-1]) == click.unstyle(count_line(story.progress)) == "499/500 done, 1 failed"
