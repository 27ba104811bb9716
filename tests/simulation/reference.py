"""What a run should do, said naively: no counters, no queues; after every event everything is looked at from scratch.

It shares the events, the plan and the names of states with the state machine, and nothing of how that decides. The
simulation holds the two against each other after every event.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from batuta.core import events as ev
from batuta.core.plan import Edge, LabelExpansion, MapExpansion, StepSpec
from batuta.core.states import RunState, TaskState
from tests.simulation.reference_reach import Reach
from tests.simulation.reference_rules import (
    BAD,
    CANCELLED,
    DEFERRED,
    ENDS,
    FAILED,
    OK,
    PAUSED,
    RETRYING,
    SKIPPED,
    UP_FAILED,
    Q,
    R,
    W,
    direct_downs,
)
from tests.simulation.reference_state import At, One, Wish

LOSSES_ALLOWED = 3


class Reference(Reach):
    """A run, naively."""

    # ---- the door ----

    def advance(self, event: ev.Event, places: tuple[At | None, ...]) -> list[Wish | ev.Finish]:
        """`places` are the task runs that the event names, in its order."""
        self.commands = []
        self.at = event.at
        handler = getattr(self, f"on_{ev.kind_of(event)}", None)
        if handler is not None:
            handler(event, *places)
            self.settle()
            while self.halt_wanted:
                self.sweep(hard=False, teardowns_too=False)
                self.settle()
            done = all(self.settled(key) for key in self.steps)
            if done and self.state in (RunState.RUNNING, RunState.CANCELLING):
                self.state = self.outcome()
                self.commands.append(ev.Finish(self.state))
        return self.commands

    # ---- events ----

    def on_run_started(self, event: ev.RunStarted) -> None:
        if self.state is RunState.QUEUED:
            self.state = RunState.RUNNING
            self.open(self.steps)

    def open(self, keys: Iterable[str]) -> None:
        for key in keys:
            expansion = self.steps[key].expansion
            if expansion is None:
                self.fit(key, 1, SKIPPED)
            elif isinstance(expansion, LabelExpansion):
                if expansion.labels:
                    self.fit(key, len(expansion.labels), SKIPPED)
                else:
                    self.place(key, SKIPPED)

    def current(self, at: At | None, attempt: int) -> One | None:
        if at is None:
            return None
        one = self.slots[at[0]][at[1]]
        return one if one.attempt == attempt and one.state in (Q, R) else None

    def on_attempt_started(self, event: ev.AttemptStarted, at: At | None) -> None:
        one = self.current(at, event.attempt)
        if one:
            one.state = R

    def on_attempt_succeeded(self, event: ev.AttemptSucceeded, at: At | None) -> None:
        one = self.current(at, event.attempt)
        if not one or not at:
            return
        if event.follow and not all(self.exists(name) for name in event.follow):
            self.fail(at, one, final=True)
            return
        one.output = event.output
        self.end(one, OK)
        if one.state is not OK:
            self.left_by_flow(at, one)
            return
        one.cut, one.follow = event.cut, event.follow
        self.decide(at, one)

    def exists(self, name: str) -> bool:
        groups = [spec.group for spec in self.steps.values()]
        return name in self.steps or any(group == name or group.startswith(name + ".") for group in groups)

    def on_attempt_failed(self, event: ev.AttemptFailed, at: At | None) -> None:
        one = self.current(at, event.attempt)
        if one and at:
            self.fail(at, one, final=not event.retryable)

    def fail(self, at: At, one: One, final: bool) -> None:
        spec = self.steps[at[0]]
        one.failures += 1
        one.output = one.fired = None
        if not final and one.failures < spec.retry.attempts_max and one.stop is None:
            if spec.retry.delay_s > 0:
                self.wait(at, one, RETRYING, -1.0)
            else:
                self.dispatch(*at, one)
            return
        self.end(one, FAILED)
        if one.state is FAILED:
            self.fail_fast(spec)
        self.left_by_flow(at, one)

    def fail_fast(self, spec: StepSpec) -> None:
        if self.plan.fail_fast and spec.fails_run and not spec.is_teardown and not self.stopping:
            self.failed_fast = True
            self.stop_now(SKIPPED)

    def left_by_flow(self, at: At, one: One) -> None:
        if self.plan.kind == "flow" and at == (self.plan.steps[0].key, 0):
            self.stop_now(CANCELLED)

    def on_attempt_skipped(self, event: ev.AttemptSkipped, at: At | None) -> None:
        one = self.current(at, event.attempt)
        if one and at:
            self.end(one, SKIPPED)
            self.left_by_flow(at, one)

    def on_attempt_cancelled(self, event: ev.AttemptCancelled, at: At | None) -> None:
        one = self.current(at, event.attempt)
        if one and at:
            self.cancel(at, one)

    def cancel(self, at: At, one: One) -> None:
        one.halted = one.stop is not None
        self.end(one, CANCELLED)
        self.left_by_flow(at, one)

    def on_attempt_deferred(self, event: ev.AttemptDeferred, at: At | None) -> None:
        one = self.current(at, event.attempt)
        if one and at:
            if one.stop is not None:
                self.cancel(at, one)
            else:
                one.output, one.wait, one.fired = event.state, event.wait, None
                self.wait(at, one, DEFERRED, event.until)

    def on_attempt_lost(self, event: ev.AttemptLost, at: At | None) -> None:
        one = self.current(at, event.attempt)
        if not one or not at:
            return
        if one.stop is not None:
            self.cancel(at, one)
            return
        one.losses += event.counted
        if one.losses > LOSSES_ALLOWED:
            self.fail(at, one, final=True)
        else:
            self.dispatch(*at, one, anew=False)

    def on_timer_fired(self, event: ev.TimerFired, at: At | None) -> None:
        one = self.slots[at[0]][at[1]] if at else None
        if one and at and one.attempt == event.attempt and one.state in (RETRYING, DEFERRED):
            if one.wait is not None and one.until == 0:
                return  # nobody has set one
            if event.at < one.until:
                self.commands.append(Wish("timer", at, one.attempt))
            else:
                self.dispatch(*at, one, anew=one.state is RETRYING)

    def on_trigger_fired(self, event: ev.TriggerFired, at: At | None) -> None:
        one = self.slots[at[0]][at[1]] if at else None
        if not one or not at or one.attempt != event.attempt or one.state is not DEFERRED or one.wait is None:
            return
        finishes, one.wait = one.wait.finishes, None
        if event.error is not None:
            self.fail(at, one, final=False)
        elif finishes:
            one.output = event.value
            self.end(one, OK)
        else:
            one.fired = event.value
            self.dispatch(*at, one, anew=False)

    def on_input_given(self, event: ev.InputGiven, at: At | None) -> None:
        one = self.slots[at[0]][at[1]] if at else None
        if one and one.state is PAUSED:
            one.output = event.value
            self.end(one, OK)

    # ---- stopping ----

    def on_cancel_asked(self, event: ev.CancelAsked) -> None:
        if self.state in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED):
            return
        fresh = self.state is RunState.QUEUED
        if fresh:
            self.open(self.steps)
        self.state = RunState.CANCELLING
        self.stopping = True
        self.halt_state = CANCELLED
        self.sweep(event.hard, teardowns_too=fresh)

    def sweep(self, hard: bool, teardowns_too: bool) -> None:
        self.halt_wanted = False
        self.stopping = True
        for key, spec in self.steps.items():
            exempt = spec.is_teardown and not teardowns_too
            if self.width[key] is None:
                if not exempt:
                    self.place(key, self.halt_state).halted = True
                continue
            for slot, one in enumerate(self.live(key)):
                if one.over or (exempt and (not hard or one.state in (W, PAUSED))):
                    continue
                if one.state in (Q, R):
                    self.ask_stop((key, slot), one, hard)
                else:
                    state = self.halt_state if one.state in (W, PAUSED) else CANCELLED
                    one.halted = True
                    self.end(one, state)

    # ---- restart ----

    def on_restart_asked(self, event: ev.RestartAsked, *named: At | None) -> None:
        if self.state not in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED):
            return
        chosen = self.chosen(event, named)
        body = (self.plan.steps[0].key, 0) if self.plan.kind == "flow" else None
        if body:
            chosen.add(body)
            for key, slot in chosen:
                self.slots[key][slot].asked = self.slots[body[0]][0].tries + 1
        self.reopen()
        self.rewind(chosen)
        self.stand_by_decisions()

    def reopen(self) -> None:
        self.stopping = self.failed_fast = False
        self.halt_state = CANCELLED
        self.verdict = None
        self.state = RunState.RUNNING

    def stand_by_decisions(self) -> None:
        for at, one in list(self.everyone()):
            if one.state is OK:
                self.decide(at, one)

    def chosen(self, event: ev.RestartAsked, named: tuple[At | None, ...]) -> set[At]:
        alive = dict(self.everyone())
        if event.tasks is not None:
            start = {at for at in named if at in alive}
            chosen = start | self.below(start)
        elif self.plan.kind == "flow":
            chosen = set()
        else:
            chosen = {at for at, one in alive.items() if one.state in BAD or one.halted}
            below = self.below(chosen)
            chosen |= {at for at in below if alive[at].state is SKIPPED}
        return self.with_scopes(chosen)

    def with_scopes(self, chosen: set[At]) -> set[At]:
        grown = True
        while grown:  # setups and teardowns around work that runs again
            grown = False
            for key, slot in list(chosen):
                for setup in () if self.steps[key].is_teardown else self._scopes.get(key, ()):
                    teardowns = [down for down in self.direct_downs(setup) if self.steps[down].is_teardown]
                    for other in [setup, *teardowns] if teardowns else []:
                        same = self.steps[other].expansion == self.steps[key].expansion is not None
                        same = same and key not in self.standin and slot < (self.width[other] or 0)
                        slots = [slot] if same else range(self.width[other] or 0)
                        more = {(other, i) for i in slots} - chosen
                        grown = grown or bool(more)
                        chosen |= more
        return chosen

    def direct_downs(self, key: str) -> set[str]:
        return direct_downs(self.plan)[key]

    def rewind(self, chosen: set[At], keep: Iterable[str] = ()) -> None:
        chosen = {
            (key, slot)
            for key, slot in chosen
            if not (key in self.standin and not isinstance(self.steps[key].expansion, MapExpansion))
        }
        self.again = chosen
        for key, slot in chosen:
            self.slots[key][slot].renew()
        whole = {key for key in self.steps if all((key, slot) in chosen for slot in range(self.width[key] or 0))}
        afresh: set[str] = set()
        grown = True
        while grown:
            grown = False
            for key in whole - afresh:
                expansion = self.steps[key].expansion
                if not isinstance(expansion, MapExpansion) or key in keep:
                    continue
                sources = {source.step for source in expansion.sources if source.step}
                single = {source for source in sources & whole if self.steps[source].expansion is None}
                if key in self.standin or single or sources & afresh:
                    afresh.add(key)
                    grown = True
        for key in afresh:
            self.width[key] = None
            self.standin.discard(key)
            self.left_out.pop(key, None)

    # ---- marks ----

    def on_mark_asked(self, event: ev.MarkAsked, *named: At | None) -> None:
        if self.state is RunState.QUEUED:
            return
        over = self.state in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)
        if event.tasks is None:
            if event.state == "skipped":
                return
            if over:
                self.reopen()
            else:
                self.on_cancel_asked(ev.CancelAsked(at=event.at))
            self.verdict = RunState(event.state)
            return
        marked = {at for at in named if at is not None and self.may_be_marked(at, TaskState(event.state), over)}
        if marked:
            self.mark(marked, TaskState(event.state), over)

    def may_be_marked(self, at: At, state: TaskState, over: bool) -> bool:
        if at not in dict(self.everyone()) or at[0] in self.standin:
            return False
        one = self.slots[at[0]][at[1]]
        told = self.plan.kind == "flow" and one.over and not over
        return not told and not (one.over and one.state is state)

    def mark(self, marked: set[At], state: TaskState, over: bool) -> None:
        if over:
            self.reopen()
        going_on = {at for at in marked if self.slots[at[0]][at[1]].state in (Q, R)}
        ended = marked - going_on
        again: set[At] = set()
        body = (self.plan.steps[0].key, 0)
        if self.plan.kind == "flow":
            if over and body not in marked:
                again = {body}
                for at in marked:
                    self.slots[at[0]][at[1]].asked = self.slots[body[0]][0].tries + 1
        elif state is not FAILED and not self.stopping:
            again = self.held_back(ended, over, marked)
        for at in going_on:
            one = self.slots[at[0]][at[1]]
            one.mark = state
            self.ask_stop(at, one, hard=False)
        past = {at for at in again | ended if self.slots[at[0]][at[1]].over}
        self.rewind(past, keep={key for key, _slot in ended})
        for at in ended:
            self.end(self.slots[at[0]][at[1]], state)
        if state is FAILED:
            for at in ended:
                self.fail_fast(self.steps[at[0]])
        self.stand_by_decisions()

    def held_back(self, ended: set[At], over: bool, marked: set[At]) -> set[At]:
        alive = dict(self.everyone())
        below = {down for down in self.below(ended) if down in alive and down not in marked}
        held = {down for down in below if alive[down].over}
        held = {down for down in held if alive[down].halted or alive[down].state in (UP_FAILED, SKIPPED)}
        if over:
            return self.with_scopes(held) - marked
        return {down for down in held if not self.torn_down(down)}

    def torn_down(self, at: At) -> bool:
        key, slot = at
        if self.steps[key].is_teardown:
            return False
        for setup in self._scopes.get(key, ()):
            for other in self.direct_downs(setup):
                if self.steps[other].is_teardown:
                    same = self.steps[other].expansion == self.steps[key].expansion is not None
                    ones = self.slots[other][: self.width[other] or 0] or self.slots[other]
                    if same and key not in self.standin and slot < len(ones):
                        ones = ones[slot : slot + 1]
                    if any(one.state is not W for one in ones):
                        return True
        return False

    # ---- flows ----

    def on_tasks_requested(self, event: ev.TasksRequested, asker_at: At | None) -> None:
        asker = self.slots[asker_at[0]][asker_at[1]] if asker_at else None
        if asker is None or asker.state not in (Q, R) or event.attempt not in (0, asker.attempt):
            return
        again = set()
        for call in event.calls:
            if call.key in self.steps:
                one = self.slots[call.key][0]
                if one.asked != asker.tries and len(call.upstream) == len(self.steps[call.key].upstream):
                    one.asked = asker.tries
                    if one.state in ENDS - {OK} and not self.stopping:
                        again.add((call.key, 0))
        self.rewind(again)
        for call in event.calls:
            if call.key not in self.steps:
                edges = tuple(Edge(key) for key in call.upstream if key in self.steps)
                self.steps[call.key] = msgspec.structs.replace(event.spec, key=call.key, upstream=edges)
                self.slots[call.key] = [One(asked=asker.tries)]
                self.width[call.key] = 1
                if self.stopping:
                    self.slots[call.key][0].halted = True
                    self.end(self.slots[call.key][0], self.halt_state)
                elif len(edges) < len(call.upstream):
                    self.end(self.slots[call.key][0], FAILED)

    def on_tasks_dropped(self, event: ev.TasksDropped, asker_at: At | None, *places: At | None) -> None:
        asker = self.slots[asker_at[0]][asker_at[1]] if asker_at else None
        if asker is None or event.attempt not in (0, asker.attempt):
            return
        for at in places:
            one = self.slots[at[0]][at[1]] if at else None
            if one is None or at is None or one.over:
                continue
            one.asked = 0
            if one.state is R:
                self.ask_stop(at, one, hard=False)
            else:
                self.end(one, CANCELLED)

    # ---- outcome ----

    def outcome(self) -> RunState:
        if self.verdict is not None:
            return self.verdict
        if self.state is RunState.CANCELLING:
            return RunState.CANCELLED
        if self.plan.kind == "flow":
            end = self.slots[self.plan.steps[0].key][0].state
            if end is CANCELLED:
                return RunState.CANCELLED
            return RunState.SUCCEEDED if end in (OK, SKIPPED) else RunState.FAILED
        if self.failed_fast:
            return RunState.FAILED
        for key, spec in self.steps.items():
            downs = self.direct_downs(key) - {key}
            is_leaf = all(self.steps[down].is_teardown for down in downs)
            counts = spec.fails_run and (is_leaf or self.plan.outcome == "any")
            if counts and any(one.state in BAD for one in self.live(key)):
                return RunState.FAILED
        return RunState.SUCCEEDED
