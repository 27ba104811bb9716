"""What happens in a run (events: facts, past participle) and what should (commands: wishes, imperative).

Times (`at`, `started_at`, `until`) are seconds since the epoch, UTC. `task` is the number of a task run within its
run; numbers are given in the order in which the state machine creates task runs, so replay gives the same ones.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec

from batuta.core.plan import StepSpec
from batuta.core.states import RunState
from batuta.core.triggers import Wait
from batuta.core.values import ErrorInfo, Handle


class _Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    at: float


class RunStarted(_Event, frozen=True, tag="run_started"):
    """The run's first event: everything without upstreams becomes ready."""


class Call(msgspec.Struct, frozen=True, omit_defaults=True):
    """One requested task run of a flow; `fingerprint` is a hash of its arguments, `upstream` keys of earlier calls.

    `shown` are its arguments as short texts, for people.
    """

    key: str
    fingerprint: str = ""
    upstream: tuple[str, ...] = ()
    shown: dict[str, str] = {}


class TasksRequested(_Event, frozen=True, tag="tasks_requested"):
    """A flow called a task, once or mapped. `spec` is the template of all `calls`.

    `asker` is the task run that asks (the body); with its `attempt` (0: not told) what a superseded one says is void.
    """

    spec: StepSpec
    calls: tuple[Call, ...]
    asker: int = 0
    attempt: int = 0


class TasksDropped(_Event, frozen=True, tag="tasks_dropped"):
    """A flow that was run again ends without having asked for these task runs; they are not going on, and will not.

    `asker` and `attempt` as in TasksRequested.
    """

    tasks: tuple[int, ...]
    asker: int = 0
    attempt: int = 0


class AttemptStarted(_Event, frozen=True, tag="attempt_started"):
    """Told only of attempts that last; quick ones are known by their end alone."""

    task: int
    attempt: int
    worker: str = ""


class AttemptSucceeded(_Event, frozen=True, tag="attempt_succeeded"):
    """`follow` is given by branches: keys (or groups) of the direct downstream steps that go on; None for all. A name
    that the run does not have fails the task run.

    `cut` is given by short circuits: everything downstream is skipped, whatever its trigger rule.
    """

    task: int
    attempt: int
    started_at: float = 0.0
    output: Handle | None = None
    follow: tuple[str, ...] | None = None
    cut: bool = False
    cached: bool = False
    logged: bool = False


class AttemptFailed(_Event, frozen=True, tag="attempt_failed"):
    """`retryable` is false where the retry condition or the error itself forbids another try."""

    task: int
    attempt: int
    error: ErrorInfo
    started_at: float = 0.0
    retryable: bool = True
    logged: bool = False


class AttemptSkipped(_Event, frozen=True, tag="attempt_skipped"):
    """The task itself said that there is nothing to do."""

    task: int
    attempt: int
    reason: str = ""
    started_at: float = 0.0
    logged: bool = False


class AttemptDeferred(_Event, frozen=True, tag="attempt_deferred"):
    """The task gave its worker back and wants to be called again at `until`; `state` is what it wants to remember.

    Its next attempt goes on with the same try and finds `state` as the task run's output. With `wait` it goes on when
    the trigger has fired (or is over then), and `until` only limits that; 0 sets no limit.
    """

    task: int
    attempt: int
    until: float
    started_at: float = 0.0
    state: Handle | None = None
    logged: bool = False
    wait: Wait | None = None


class AttemptCancelled(_Event, frozen=True, tag="attempt_cancelled"):
    """A running attempt was stopped as asked."""

    task: int
    attempt: int
    started_at: float = 0.0
    logged: bool = False


class AttemptLost(_Event, frozen=True, tag="attempt_lost"):
    """The process that ran it is gone through no fault of the task. `counted` ones are limited, see `LOST_MAX`."""

    task: int
    attempt: int
    reason: str = ""
    counted: bool = True
    started_at: float = 0.0
    logged: bool = False


class TimerFired(_Event, frozen=True, tag="timer_fired"):
    """The time a retrying or deferred task run was waiting for has come."""

    task: int
    attempt: int


class TriggerFired(_Event, frozen=True, tag="trigger_fired"):
    """What a deferred task run waited for has come: `value` is what was found. `error`: it cannot be looked for."""

    task: int
    attempt: int
    value: Handle | None = None
    error: ErrorInfo | None = None


class InputGiven(_Event, frozen=True, tag="input_given"):
    """A person answered a paused task run."""

    task: int
    value: Handle
    by: str = ""


class CancelAsked(_Event, frozen=True, tag="cancel_asked"):
    """`hard` also ends what does not stop by itself, teardowns that are running too.

    With `failed_for` the run has failed for that reason, rather than been cancelled: it took too long.
    """

    by: str = ""
    hard: bool = False
    failed_for: str = ""


class RestartAsked(_Event, frozen=True, tag="restart_asked"):
    """Run a finished run again: what failed and what that held back, or just `tasks` and what is downstream of them.

    Setups and teardowns around work that runs again run again too; so does the body of a flow, which is replayed.
    """

    by: str = ""
    tasks: tuple[int, ...] | None = None


Mark = Literal["succeeded", "failed", "skipped"]
"""As what a person may mark a task run; a run is never skipped."""


class MarkAsked(_Event, frozen=True, tag="mark_asked"):
    """A person says how task runs have ended, or (without `tasks`) how the run has: succeeded or failed.

    What runs of it is stopped first. What was held back by a marked task run goes on.
    """

    state: Mark
    by: str = ""
    tasks: tuple[int, ...] | None = None
    note: str = ""


class AssetMaterialized(_Event, frozen=True, tag="asset_materialized"):
    """An asset (or partition) was made. `inputs` are the data versions it was made from, by asset[/partition].

    With an `environment` it was made there, and production has not changed.
    """

    task: int
    asset: str
    partition: str = ""
    data_version: str = ""
    code_version: str = ""
    inputs: dict[str, str] = {}
    metadata: dict[str, Any] = {}
    environment: str = ""


class CheckEvaluated(_Event, frozen=True, tag="check_evaluated"):
    """A check of an asset gave its verdict."""

    task: int
    asset: str
    check: str
    passed: bool
    partition: str = ""
    blocking: bool = False
    description: str = ""
    metadata: dict[str, Any] = {}
    outcome: str = ""


class ArtifactMade(_Event, frozen=True, tag="artifact_made"):
    """A task run has left something to be looked at, or made it anew. It changes nothing in the state machine."""

    task: int
    attempt: int
    name: str
    kind: str
    title: str = ""
    media_type: str = ""
    size: int = 0
    progress: float | None = None


class RunFinished(_Event, frozen=True, tag="run_finished"):
    """Recorded when the state machine says that nothing is left to do; it changes nothing in it."""

    state: RunState


Event = (
    RunStarted
    | TasksRequested
    | TasksDropped
    | AttemptStarted
    | AttemptSucceeded
    | AttemptFailed
    | AttemptSkipped
    | AttemptDeferred
    | AttemptCancelled
    | AttemptLost
    | TimerFired
    | TriggerFired
    | InputGiven
    | CancelAsked
    | RestartAsked
    | MarkAsked
    | AssetMaterialized
    | CheckEvaluated
    | ArtifactMade
    | RunFinished
)


class Dispatch(msgspec.Struct, frozen=True):
    """Start this attempt as soon as there is room."""

    task: int
    attempt: int


class SetTimer(msgspec.Struct, frozen=True):
    """Say TimerFired at `at`."""

    task: int
    attempt: int
    at: float


class Watch(msgspec.Struct, frozen=True):
    """Say TriggerFired when the trigger has fired. It is void once the task run waits no more."""

    task: int
    attempt: int
    wait: Wait


class Stop(msgspec.Struct, frozen=True):
    """End this attempt. The run waits for its end, whatever it is: an attempt that nothing executes (it has not been
    sent, or it was forgotten in a crash) is answered with AttemptCancelled too."""

    task: int
    attempt: int
    hard: bool


class Finish(msgspec.Struct, frozen=True):
    """Nothing is left to do."""

    state: RunState


Command = Dispatch | SetTimer | Watch | Stop | Finish

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_KINDS: dict[type, str] = {kind: str(kind.__struct_config__.tag) for kind in get_args(Event)}


def encode(event: Event) -> bytes:
    """An event as JSON."""
    return _encoder.encode(event)


def decode(data: bytes) -> Event:
    """The inverse of `encode`."""
    return _decoder.decode(data)


def kind_of(event: Event) -> str:
    """The event's name as recorded, for example `attempt_succeeded`."""
    return _KINDS[type(event)]
