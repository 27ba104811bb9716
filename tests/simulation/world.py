"""The world around a run: an engine that commits before it acts, workers, a clock, people, and crashes.

Everything that happens is drawn from the seed. What is not committed when the engine crashes never happened; workers of
a crashed engine may go on, and what they say later must change nothing.
"""

from __future__ import annotations

from random import Random
from typing import Literal

import msgspec

from batuta.core import events as ev
from batuta.core.plan import Plan, StepSpec
from batuta.core.run import Run
from batuta.core.run_graph import TaskRun
from batuta.core.states import RUN_FINAL, RunState, TaskState
from batuta.core.triggers import Wait
from batuta.core.values import ErrorInfo, Handle
from tests.simulation import oracle
from tests.simulation.fate import Attempt, Fate
from tests.simulation.plans import random_plan
from tests.simulation.reference import Reference
from tests.simulation.reference_state import At

STEPS_MAX = 3_000
BEGINNING = 1_000.0


class World:
    """One seed's world."""

    def __init__(self, seed: int, keep_story: bool = False) -> None:
        self.random = Random(seed)
        self.seed = seed
        self.plan, self.program = random_plan(self.random)
        self.clock = BEGINNING
        self.log: list[ev.Event] = []
        self.uncommitted: list[ev.Event] = []
        self.held_back: list[ev.Command] = []  # wishes whose reason is not committed
        self.working: dict[int, Attempt] = {}
        self.timers: dict[tuple[int, int], float] = {}
        self.watched: dict[tuple[int, int], Wait] = {}
        self.unasked: dict[int, int] = {}  # calls of a flow whose arguments its body has not told (again)
        self.told_calls: set[int] = set()
        self.finished = False
        self.crashes = self.random.choice((0, 0, 1, 2, 4))
        self.cancels = self.random.choice((0, 0, 0, 1, 2))
        self.restarts = self.random.choice((0, 0, 1, 2, 4))
        self.marks = self.random.choice((0, 0, 0, 1, 3))
        self.fate = Fate(self.random)
        self.shown: dict[int, TaskState] = {}
        self.story: list[str] | None = [f"plan {msgspec.to_builtins(self.plan)}"] if keep_story else None
        self._take_over(Run(self.plan, seed), Reference(self.plan))

    def _take_over(self, run: Run, reference: Reference) -> None:
        self.run = run
        self.reference = reference
        self.ledger = oracle.Ledger()
        self.shown = {}

    def tell(self, line: str) -> None:
        """Add to the story."""
        if self.story is not None:
            self.story.append(line)

    # ---- what happens ----

    def live(self) -> None:
        """Let things happen until nothing is left to happen."""
        if self.cancels and self.random.random() < 0.05:
            self.cancels -= 1
            self.deliver(ev.CancelAsked(at=self.clock, by="ann"))
        self.deliver(ev.RunStarted(at=self.clock))
        for _ in range(STEPS_MAX):
            if not self.step():
                break
        else:
            raise AssertionError(f"the run is not over after {STEPS_MAX} steps")
        self.commit()
        assert self.run.state in RUN_FINAL, f"nothing is left to happen, and the run is {self.run.state}"
        assert not self.working, f"the run is over, and {self.working} go on"
        oracle.same_after_replay(self.plan, self.seed, self.log, self.run)

    def step(self) -> bool:
        """One thing happens. False if nothing can."""
        self.clock += self.random.random()
        chance = self.random.random()
        if chance < 0.06 * self.fate.trouble and self._trouble():
            return True
        if (self.uncommitted or self.held_back) and chance > 0.5:
            self.commit()
            return True
        actions = []
        if self.working:
            actions += [self._work] * 4
        if self.timers:
            actions.append(self._fire)
        if self.watched:
            actions.append(self._see)
        paused = [task for task in self.run.graph.runs if task.state is TaskState.PAUSED]
        if paused:
            actions.append(lambda: self._answer(self.random.choice(paused)))
        if actions:
            self.random.choice(actions)()
            return True
        if self.uncommitted or self.held_back:
            self.commit()
            return True
        if self.finished and self.restarts and self.run.state in RUN_FINAL:
            self.restarts -= 1
            self._restart()
            return True
        if self.finished and self.marks and self.run.state in RUN_FINAL:
            self.marks -= 1
            self._mark()
            return True
        return False

    def _trouble(self) -> bool:
        kind = self.random.random()
        if kind < 0.3 and self.crashes:
            self.crashes -= 1
            self.crash()
        elif kind < 0.45 and self.cancels:
            self.cancels -= 1
            self.deliver(ev.CancelAsked(at=self.clock, by="ann", hard=self.random.random() < 0.4))
        elif kind < 0.55 and self.marks:
            self.marks -= 1
            self._mark()
        elif kind < 0.85:
            self._repeat()
        else:
            self._nonsense()
        return True

    # ---- the engine ----

    def deliver(self, event: ev.Event) -> list[ev.Command]:
        """The engine hears of something: the state machine takes it at once, its wishes wait for the commit."""
        places = self._places(event)
        self.uncommitted.append(event)
        commands = self.run.advance(event)
        wishes = self.reference.advance(event, places)
        if self.story is not None:
            self.tell(_short(event, commands))
        oracle.same_as_reference(self.run, self.reference, commands, wishes)
        self.run.check()
        self._see_changes()
        self.ledger.take(self.run, self.reference, event, commands)
        self.held_back += commands
        return commands

    def _see_changes(self) -> None:
        for task in self.run.changed:
            self.shown[task.no] = task.state
        self.run.changed.clear()
        for task in self.run.graph.runs:
            assert self.shown.get(task.no) is task.state, f"{task!r} is shown as {self.shown.get(task.no)}"

    def commit(self) -> None:
        """Make what was heard durable, then act on it."""
        self.log += self.uncommitted
        self.uncommitted = []
        commands, self.held_back = self.held_back, []
        for command in commands:
            self._act(command)
        body = self.run.body
        if self.unasked and body is not None and body.final and not self.held_back:
            self._drop()  # nobody is left to tell their arguments
        if not self.held_back:
            self._check_going_on()

    def _act(self, command: ev.Command) -> None:
        if isinstance(command, ev.Dispatch):
            self._begin(command)
        elif isinstance(command, ev.SetTimer):
            self.timers[command.task, command.attempt] = command.at
        elif isinstance(command, ev.Watch):
            self.watched[command.task, command.attempt] = command.wait
        elif isinstance(command, ev.Stop):
            worker = self.working.get(command.task)
            if worker is not None and worker.attempt == command.attempt:
                worker.stop = command.hard
            else:  # nothing executes it
                self.unasked.pop(command.task, None)
                self.deliver(ev.AttemptCancelled(at=self.clock, task=command.task, attempt=command.attempt))
        else:
            self.finished = True

    def _begin(self, command: ev.Dispatch) -> None:
        task = self.run.task(command.task)
        if (task.attempt, task.state) != (command.attempt, TaskState.QUEUED):
            return  # superseded while it waited for the commit
        assert task.no not in self.working, f"{task!r} has two attempts at a time"
        if self.program is not None and task.no and task.no not in self.told_calls:
            self.unasked[task.no] = command.attempt
            return
        self.working[task.no] = Attempt(task.no, command.attempt)
        self.finished = False

    def _check_going_on(self) -> None:
        """What goes on because of all commands so far is what the state says should go on."""
        dispatched = {(worker.no, worker.attempt) for worker in self.working.values()} | set(self.unasked.items())
        for worker in self.working.values():
            assert worker.stop is self.run.task(worker.no).stop, f"{worker} should be asked to stop otherwise"
        wanted: set[tuple[int, int]] = set()
        for command in self.run.outstanding():
            if isinstance(command, ev.Dispatch | ev.Stop):
                wanted.add((command.task, command.attempt))
            elif isinstance(command, ev.SetTimer):
                assert self.timers.get((command.task, command.attempt)) == command.at, f"{command} was not set"
            elif isinstance(command, ev.Watch):
                assert self.watched.get((command.task, command.attempt)) == command.wait, f"{command} is not watched"
        assert dispatched == wanted, f"{dispatched} go on, {wanted} should"

    def crash(self) -> None:
        """The engine dies; a new one replays the log and goes on."""
        self.tell(f"CRASH, {len(self.uncommitted)} events lost")
        if not self.uncommitted:
            oracle.same_after_replay(self.plan, self.seed, self.log, self.run)
        self.uncommitted, self.held_back = [], []
        self.working, self.timers, self.watched, self.unasked = {}, {}, {}, {}
        self.told_calls = set()
        self.finished = False
        self._take_over(Run(self.plan, self.seed), Reference(self.plan))
        for event in self.log:
            places = self._places(event)
            commands = self.run.advance(event)
            self.reference.advance(event, places)
            oracle.adopt_times(self.run, self.reference)
            self.ledger.take(self.run, self.reference, event, commands)
        self._see_changes()
        if self.run.state is RunState.QUEUED:
            self.deliver(ev.RunStarted(at=self.clock))
            return
        for task in list(self.run.graph.runs):
            if task.state is TaskState.RUNNING:
                lost = ev.AttemptLost(at=self.clock, task=task.no, attempt=task.attempt, reason="crash", counted=False)
                self.deliver(lost)
        self.held_back = list(self.run.outstanding())

    def _places(self, event: ev.Event) -> tuple[At | None, ...]:
        if isinstance(event, ev.RestartAsked | ev.MarkAsked):
            return tuple(self._place(no) for no in event.tasks or ())
        if isinstance(event, ev.TasksRequested):
            return (self._place(event.asker),)
        if isinstance(event, ev.TasksDropped):
            return (self._place(event.asker), *(self._place(no) for no in event.tasks))
        no = getattr(event, "task", None)
        return () if no is None else (self._place(no),)

    def _place(self, no: int) -> At | None:
        if not 0 <= no < len(self.run.graph.runs):
            return None
        node = self.run.task(no).node
        for slot, task in enumerate([*node.runs, *node.spare]):
            if task.no == no:
                return node.spec.key, slot
        raise AssertionError(f"task run {no} is lost")

    # ---- workers ----

    def _work(self) -> None:
        worker = self.random.choice(list(self.working.values()))
        task = self.run.task(worker.no)
        if task.state is TaskState.QUEUED and self.random.random() < 0.3:
            self.deliver(ev.AttemptStarted(at=self.clock, task=worker.no, attempt=worker.attempt))
            return
        requests = self.program.requests if self.program is not None and worker.no == 0 else []
        if worker.position < len(requests) and worker.stop is None and self.random.random() < 0.9:
            self._ask(worker, *requests[worker.position])
            return
        del self.working[worker.no]
        event = self.fate.end_of(task, worker, self.clock)
        if self.program is not None and worker.no == 0 and isinstance(event, ev.AttemptSucceeded):
            self._drop(worker.attempt)
        self.deliver(event)

    def _ask(self, worker: Attempt, template: StepSpec, calls: tuple[ev.Call, ...]) -> None:
        """The flow's body calls tasks."""
        worker.position += 1
        if self.program and worker.position < len(self.program.requests) and self.random.random() < 0.2:
            calls += self.program.requests[worker.position][1]
            worker.position += 1
        if worker.attempt > 1 and self.random.random() < 0.1:
            calls = calls[:0]  # the code has changed
        if not calls:
            return
        attempt = worker.attempt if self.random.random() < 0.7 else 0
        self.deliver(ev.TasksRequested(at=self.clock, spec=template, calls=calls, attempt=attempt))
        for call in calls:
            task = self.run.find(call.key)
            assert task is not None
            self.told_calls.add(task.no)
            if task.no in self.unasked:
                self.held_back.append(ev.Dispatch(task.no, self.unasked.pop(task.no)))

    def _drop(self, attempt: int = 0) -> None:
        """What the flow did not ask for is not to be run."""
        tasks = tuple(self.unasked)
        if self.random.random() < 0.1:  # more than is right: what goes on is stopped, what is not there is not
            running = [task.no for task in self.run.graph.runs if task.no and task.state is TaskState.RUNNING]
            tasks = (*tasks, len(self.run.graph.runs), *running)
        self.unasked = {}
        self.deliver(ev.TasksDropped(at=self.clock, tasks=tasks, attempt=attempt))

    # ---- the clock, people, and what goes wrong ----

    def _fire(self) -> None:
        (no, attempt), at = self.random.choice(list(self.timers.items()))
        if self.random.random() < 0.1:
            self.deliver(ev.TimerFired(at=at - 0.5, task=no, attempt=attempt))  # the clock was put back
            return
        del self.timers[no, attempt]
        self.clock = max(self.clock, at)
        self.deliver(ev.TimerFired(at=self.clock, task=no, attempt=attempt))

    def _see(self) -> None:
        no, attempt = self.random.choice(list(self.watched))
        del self.watched[no, attempt]
        error = ErrorInfo(message="nothing to look at") if self.random.random() < 0.2 else None
        value = Handle(length=2) if error is None and self.random.random() < 0.7 else None
        self.deliver(ev.TriggerFired(at=self.clock, task=no, attempt=attempt, value=value, error=error))

    def _answer(self, task: TaskRun) -> None:
        self.deliver(ev.InputGiven(at=self.clock, task=task.no, value=Handle(length=2), by="bob"))

    def _restart(self) -> None:
        tasks = None
        if self.random.random() < 0.5:
            runs = self.run.graph.runs
            if self.random.random() < 0.5:
                runs = [task for task in runs if task.node.map_downs or task.node.spec.is_setup] or runs
            tasks = tuple(
                task.no for task in self.random.sample(runs, min(len(runs), self.random.choice((0, 1, 1, 2))))
            )
        self.deliver(ev.RestartAsked(at=self.clock, by="ann", tasks=tasks))

    def _mark(self) -> None:
        states: tuple[Literal["succeeded", "failed", "skipped"], ...] = ("succeeded", "succeeded", "failed", "skipped")
        state = self.random.choice(states)
        runs = self.run.graph.runs
        tasks = None
        if self.random.random() < 0.8:
            bad = [task for task in runs if task.final and task.state is not TaskState.SUCCEEDED]
            runs = bad if bad and self.random.random() < 0.6 else runs
            chosen = self.random.sample(runs, min(len(runs), self.random.choice((1, 1, 2, 4))))
            tasks = (*(task.no for task in chosen), *self.random.choice(((), (), (), (10_000,))))
        self.deliver(ev.MarkAsked(at=self.clock, by="ann", state=state, tasks=tasks))

    def _repeat(self) -> None:
        """Something is heard once more, or late: what is known by its attempt number must change nothing."""
        heard = self.log + self.uncommitted
        old = [event for event in heard if isinstance(event, _FENCED) and not self._is_current(event)]
        if old:
            self._expect_nothing(self.random.choice(old))

    def _is_current(self, event: ev.Event) -> bool:
        if isinstance(event, ev.InputGiven):
            return self.run.task(event.task).state is TaskState.PAUSED
        if isinstance(event, ev.TimerFired):
            task = self.run.task(event.task) if 0 <= event.task < len(self.run.graph.runs) else None
            return task is not None and task.attempt == event.attempt and task.until > event.at
        return isinstance(event, ev.TasksRequested) and not event.attempt

    def _nonsense(self) -> None:
        """Messages of superseded attempts, and of ones that never were."""
        no = self.random.choice((-1, 0, len(self.run.graph.runs) - 1, len(self.run.graph.runs)))
        known = 0 <= no < len(self.run.graph.runs)
        attempt = (self.run.task(no).attempt if known else 0) + self.random.choice((-1, 1_000_000))
        at = self.clock
        events: list[ev.Event] = [
            ev.AttemptStarted(at=at, task=no, attempt=attempt),
            ev.AttemptSucceeded(at=at, task=no, attempt=attempt, follow=()),
            ev.AttemptFailed(at=at, task=no, attempt=attempt, error=ErrorInfo()),
            ev.AttemptLost(at=at, task=no, attempt=attempt),
            ev.AttemptDeferred(at=at, task=no, attempt=attempt, until=at),
            ev.AttemptCancelled(at=at, task=no, attempt=attempt),
            ev.TimerFired(at=at + 99, task=no, attempt=attempt),
            ev.TriggerFired(at=at, task=no, attempt=attempt),
            ev.RunStarted(at=at),
            ev.RunFinished(at=at, state=RunState.FAILED),
        ]
        if self.run.state not in RUN_FINAL:
            events.append(ev.RestartAsked(at=at))
        self._expect_nothing(self.random.choice(events))

    def _expect_nothing(self, event: ev.Event) -> None:
        before = oracle.dump(self.run)
        assert self.deliver(event) == [], f"{event} is void, yet it caused something"
        assert oracle.dump(self.run) == before, f"{event} is void, yet it changed something"


_FENCED = (
    ev.RunStarted,
    ev.AttemptStarted,
    ev.AttemptSucceeded,
    ev.AttemptFailed,
    ev.AttemptSkipped,
    ev.AttemptDeferred,
    ev.AttemptCancelled,
    ev.AttemptLost,
    ev.TimerFired,
    ev.TriggerFired,
    ev.InputGiven,
    ev.TasksRequested,
)


def _short(event: ev.Event, commands: list[ev.Command]) -> str:
    fields = msgspec.to_builtins(event)
    at = fields.pop("at") - BEGINNING
    for name in ("type", "started_at"):
        fields.pop(name, None)
    told = ", ".join(f"{name}={value}" for name, value in fields.items())
    wished = "; ".join(str(command) for command in commands)
    return f"{at:7.1f} {type(event).__name__}({told})" + (f"\n          -> {wished}" if wished else "")


def plan_of(seed: int) -> Plan:
    """The plan that a seed's world runs."""
    return random_plan(Random(seed))[0]
