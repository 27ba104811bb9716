"""Steps in warm worker processes: forked from the location host, reused, replaced when they die.

A step that is known to be quick is sent to a worker before the one ahead of it has ended, so that thousands a second
flow without a round trip each. A worker that turns out to be busy for longer gives back what it has not begun.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterable
from typing import Any

from batuta.core.errors import LoadError
from batuta.core.values import ErrorInfo
from batuta.executors.host_process import HostProcess, describe_exit
from batuta.executors.port import Executor, HasRoom, Heard, Loop
from batuta.executors.worker_link import WorkerLink
from batuta.runtime.failures import error_info
from batuta.runtime.logs import recover_spool, remove_spool
from batuta.runtime.protocol import Cancel, Recall, Reply, Returned, RunInfo, StepDone, StepRequest, TaskEnded
from batuta.runtime.steps import log_path

QUICK_S = 0.002
"""Steps of a task that take less than this on average are sent ahead."""
DEPTH_MAX = 32
RECALL_AFTER_S = 0.05
GRACE_S = 2.0
"""How long a step that is asked to stop may take before its worker is killed; cancelling hard does not wait."""
BODIES_MAX = 100
BODY_PATIENCE_S = 0.02
"""Beyond two flow bodies a worker, a process is made for one more only if for so long none has ended or begun."""
HOST_DEATHS_MAX = 5
HOST_DELAY_S_MAX = 30.0
EXIT_PATIENCE_S = 1.0
"""How long the end of a socket waits for word of how its process ended, and the other way round."""

_numbers = itertools.count(1)
"""Of workers, in this process: their spools share a folder."""


class ProcessExecutor:
    """See `executors.port.Executor`."""

    def __init__(
        self, host: HostProcess, workers: int, spools: str, *, told: Callable[[LoadError | None], None] | None = None
    ) -> None:
        """`told` hears, in the engine's thread, what keeps the host from coming back once it has died, and None when it
        is back; it is then tried for ever. Without it that is raised, and ends the engine.
        """
        self._host = host
        self._told = told
        self._host_is_up = True
        self._host_deaths = 0
        self._count = workers
        self._spools = spools
        self._workers: dict[str, WorkerLink] = {}
        self._pool: list[WorkerLink] = []
        self._idle_bodies: list[WorkerLink] = []
        self._bodies = 0
        self._isolated = 0
        self._body_moved = 0.0
        self._body_waits = False
        self._stillborn = 0
        self._by_request: dict[int, WorkerLink] = {}
        self._averages: dict[str, float] = {}
        self._loop: Loop
        self._heard: Callable[[Executor, Heard], None]
        self._exits: dict[str, int] = {}
        self._stopped = False
        self._target: WorkerLink | None = None
        self._target_task = ""

    def start(self, loop: Loop, heard: Callable[[Executor, Heard], None]) -> None:
        """See the port."""
        self._loop, self._heard = loop, heard
        os.makedirs(self._spools, exist_ok=True)
        _sweep(self._spools)
        self._watch_host()
        self._fill_pool()

    def _watch_host(self) -> None:
        self._host.in_loop = True
        self._loop.register(self._host.control, self._on_host)

    def _fill_pool(self) -> None:
        while self._host_is_up and not self._stopped and len(self._pool) < self._count:
            self._pool.append(self._fork("steps"))

    def _fork(self, role: str) -> WorkerLink:
        name = f"worker-{os.getpid()}-{next(_numbers)}"
        spool = f"{self._spools}/{name}.spool"
        worker = WorkerLink(name, self._host.fork(name, spool), spool, role, self._loop)
        self._workers[name] = worker
        self._loop.register(worker.sock, lambda: self._on_worker(worker))
        return worker

    # ---- sending ----

    def has_room(self, kind: str, task: str) -> bool:
        """See the port."""
        if kind == "flow":
            return self._host_is_up and (bool(self._idle_bodies) or self._may_fork_body())
        if kind == "isolated":
            return self._host_is_up and self._isolated < self._count
        self._target, self._target_task = self._pick(task), task
        return self._target is not None

    def _may_fork_body(self) -> bool:
        """Flows that end within milliseconds take turns in a few processes; those that last get one each."""
        if self._bodies >= BODIES_MAX:
            return False
        again_at = self._body_moved + BODY_PATIENCE_S
        if self._bodies < 2 * self._count or time.time() >= again_at:
            return True
        if not self._body_waits:
            self._body_waits = True
            self._loop.call_at(again_at, self._body_has_room)
        return False

    def _body_has_room(self) -> None:
        self._body_waits = False
        self._heard(self, HasRoom())

    def _pick(self, task: str) -> WorkerLink | None:
        """An idle worker, else the least loaded one whose whole queue and this step are known to be quick."""
        average = self._averages.get(task)
        depth = 1 if average is None or average > QUICK_S else min(DEPTH_MAX, int(2 * QUICK_S / max(average, 1e-5)) + 1)
        best: WorkerLink | None = None
        for worker in self._pool:
            load = len(worker.queue)
            if not load:
                return worker
            if load < depth and worker.all_quick and not worker.has_unsent and (best is None or load < len(best.queue)):
                best = worker
        return best

    def send(self, info: RunInfo, request: StepRequest) -> None:
        """See the port."""
        task = self._target_task
        if request.kind == "flow":
            task = request.step
            worker = self._idle_bodies.pop() if self._idle_bodies else self._fork("bodies")
            self._bodies += 1
            self._body_moved = time.time()
        elif request.isolated:
            worker = self._fork("isolated")
            self._isolated += 1
        else:
            worker = self._target or self._pick(task) or self._pool[0]
            self._target = None
        average = self._averages.get(task)
        worker.take(request, info, task, average is not None and average < QUICK_S)
        self._by_request[request.id] = worker

    def flush(self) -> None:
        """See the port."""
        for worker in list(self._workers.values()):
            if worker.outbox:
                self._flush(worker)

    def _flush(self, worker: WorkerLink) -> None:
        for request, error in worker.flush():
            done = StepDone(request.id, "failed", 0.0, 0.0, error=error_info(error), retryable=False)
            self._done(worker, done)

    # ---- hearing ----

    def _on_worker(self, worker: WorkerLink) -> None:
        if worker.gone:
            return
        try:
            messages = worker.read()
        except Exception:  # not ours: user code has written to a descriptor that is not its own
            head = worker.queue[0][0].id if worker.queue else 0
            worker.kill(head, "garbage")
            messages = None
        if messages is None:
            self._gone(worker)
            return
        for message in messages:
            match message:
                case StepDone():
                    self._done(worker, message)
                case Returned():
                    self._returned(worker, message)
                case _:
                    self._heard(self, message)

    def _done(self, worker: WorkerLink, done: StepDone) -> None:
        item = worker.drop(done.id)
        if item is None:
            return
        self._by_request.pop(done.id, None)
        worker.begin()
        worker.ended_any = True
        self._stillborn = 0
        if done.started_at:
            self._note(item[2], done.finished_at - done.started_at)
        self._free(worker)
        self._heard(self, done)

    def _note(self, task: str, took_s: float) -> None:
        average = self._averages.get(task)
        self._averages[task] = took_s if average is None else max(0.8 * average + 0.2 * took_s, took_s / 8)

    def _free(self, worker: WorkerLink) -> None:
        """What it had to do is done: keep it for more, or let it end."""
        if worker.role == "steps":
            return
        if worker.role == "isolated":
            self._isolated -= 1
            worker.hang_up()
            return
        self._bodies -= 1
        self._body_moved = time.time()
        if len(self._idle_bodies) < 2 * self._count and not worker.gone:
            self._idle_bodies.append(worker)
        else:
            worker.hang_up()

    def _returned(self, worker: WorkerLink, message: Returned) -> None:
        worker.recalled = False
        for request_id in message.ids:
            if worker.drop(request_id) is not None:
                self._by_request.pop(request_id, None)
                self._heard(self, StepDone(request_id, "returned", 0.0, 0.0))

    # ---- stopping attempts ----

    def cancel(self, request_id: int, hard: bool, run_id: int = 0) -> None:
        """See the port."""
        worker = self._by_request.get(request_id)
        if worker is None:
            return
        if hard and not run_id and worker.runs(request_id):
            worker.kill(request_id, "cancelled")
            return
        self._write_to(worker, Cancel(request_id, run_id))
        if not run_id:
            self._loop.call_at(time.time() + GRACE_S, lambda: self._kill_if_still(worker, request_id))

    def _kill_if_still(self, worker: WorkerLink, request_id: int) -> None:
        if self._by_request.get(request_id) is worker and worker.runs(request_id):
            worker.kill(request_id, "cancelled")

    def _write_to(self, worker: WorkerLink, message: Any) -> None:
        """Something that it should read though it runs a step."""
        worker.outbox.append(message)
        self._flush(worker)
        worker.announce()

    def running(self) -> Iterable[tuple[int, float, str]]:
        """See the port. Also where overdue attempts are killed and blocked queues called back: it is asked often."""
        now = time.monotonic()
        found = []
        for worker in list(self._workers.values()):
            if not worker.queue:
                continue
            head = worker.queue[0][0]
            found.append((head.id, worker.since, f"process {worker.pid}"))
            busy_s = now - worker.busy_from
            if head.timeout_s and busy_s > head.timeout_s + GRACE_S and worker.stopped is None:
                worker.kill(head.id, "timeout")
            if len(worker.queue) > 1 and busy_s > RECALL_AFTER_S and not worker.recalled:
                worker.recalled = True
                self._write_to(worker, Recall())
        return found

    # ---- deaths ----

    def _on_host(self) -> None:
        said = self._host.read()
        if said is None:
            self._host_died()
            return
        for message in said:
            worker = self._workers.get(message.get("name", ""))
            match message["say"]:
                case "loaded":
                    self._host_is_up, self._host_deaths = True, 0
                    if self._told is not None:
                        self._told(None)
                    self._fill_pool()
                    self._heard(self, HasRoom())
                case "broken":
                    self._cannot_load(LoadError(message["what"], where=message["where"], hint=message["hint"]))
                case "forked" if worker is not None:
                    worker.born(message["pid"])
                case "exited" if worker is not None:
                    self._exited(worker, message["code"])

    def _host_died(self) -> None:
        """The location host is gone, and its workers with it: start another, later each time it dies again."""
        self._loop.unregister(self._host.control)
        self._host_is_up = False
        if self._stopped:
            return
        for worker in self._workers.values():  # where the kernel does not do it, and what they had started
            worker.host_died = worker.name not in self._exits
            if worker.pid and not worker.gone:
                head = worker.queue[0][0].id if worker.queue else 0
                worker.kill(head, "host")
        self._host_deaths += 1
        if self._host_deaths > HOST_DEATHS_MAX:
            self._give_up(
                LoadError(
                    f"the location host has died {self._host_deaths} times in a row",
                    where=self._host.target,
                    hint="run `batuta test` on it; the runs can be resumed once it loads",
                )
            )
        delay_s = 0.0 if self._host_deaths == 1 else min(0.5 * 2**self._host_deaths, HOST_DELAY_S_MAX)
        self._loop.call_at(time.time() + delay_s, self._start_host_again)

    def _cannot_load(self, error: LoadError) -> None:
        """The host that was started again says that its code does not load any more: it is let die, and tried again."""
        self._give_up(error)
        self._host.kill()

    def _give_up(self, error: LoadError) -> None:
        if self._told is None:
            raise error
        self._told(error)

    def _start_host_again(self) -> None:
        if self._stopped:
            return
        try:
            self._host.restart()
        except LoadError as error:
            self._give_up(error)
            self._loop.call_at(time.time() + HOST_DELAY_S_MAX, self._start_host_again)
            return
        self._watch_host()

    def _gone(self, worker: WorkerLink) -> None:
        """Its socket is at its end; how its process ended comes from the host."""
        if worker.gone:
            return
        worker.close(self._loop.unregister)
        if worker in self._idle_bodies:
            self._idle_bodies.remove(worker)
        if worker in self._pool:
            self._pool.remove(worker)
            self._replace(worker)
        if worker.name in self._exits or self._stopped or not self._host_is_up:
            self._bury(worker)
        else:
            self._loop.call_at(time.time() + EXIT_PATIENCE_S, lambda: self._bury(worker))

    def _replace(self, worker: WorkerLink) -> None:
        """At once; later where workers die before they have anything to do."""
        if worker.ended_any or worker.queue:
            self._fill_pool()
            return
        self._stillborn += 1
        delay_s = 0.0 if self._stillborn <= self._count else min(5.0, 0.05 * 2 ** (self._stillborn - self._count))
        self._loop.call_at(time.time() + delay_s, self._refill)

    def _refill(self) -> None:
        self._fill_pool()
        self._heard(self, HasRoom())

    def _exited(self, worker: WorkerLink, code: int) -> None:
        """Its process has ended, and been waited for. A process that it left behind may hold its socket open."""
        self._exits[worker.name] = code
        if worker.gone:
            self._bury(worker)
        else:
            self._loop.call_at(time.time() + EXIT_PATIENCE_S, lambda: self._gone(worker))

    def _bury(self, worker: WorkerLink) -> None:
        """Report what it was doing."""
        code = self._exits.pop(worker.name, None)
        if self._workers.pop(worker.name, None) is None:
            return
        queue = list(worker.queue)
        for position, (request, info, _task) in enumerate(queue):
            self._by_request.pop(request.id, None)
            worker.drop(request.id)
            if position == 0:
                logged = recover_spool(worker.spool, log_path(info.logs_path, request))
                done = self._death(request, worker, code)
                done.logged = bool(logged)
                self._free(worker)
            else:
                done = StepDone(request.id, "returned", 0.0, 0.0)
            self._heard(self, done)
        remove_spool(worker.spool)

    def _death(self, request: StepRequest, worker: WorkerLink, code: int | None) -> StepDone:
        done = StepDone(request.id, "failed", worker.since, time.time(), worker=worker.name)
        why = worker.stopped[1] if worker.stopped is not None and worker.stopped[0] == request.id else ""
        if why == "cancelled":
            done.status = "cancelled"
        elif why == "timeout":
            told = f"it did not end within {request.timeout_s:g} s and its process was killed"
            done.error = ErrorInfo(kind="timeout", type="TaskTimeout", message=told, hint="raise its timeout_s")
        elif why == "garbage":
            told = "it wrote to a file descriptor that is not its own, and its process was killed"
            hint = "close or write to descriptors that the task has opened, not to all there are"
            done.error = ErrorInfo(kind="crash", type="WorkerCrashed", message=told, hint=hint)
        elif code is None or code == -signal.SIGKILL or code == -signal.SIGTERM:
            done.status = "lost"
            done.counted = not worker.host_died and (code is not None or self._host_is_up)
            done.reason = f"its process ended with {describe_exit(code)}" if code is not None else "its process is gone"
        else:
            hint = "the log's end holds what it said last; a crash in C code shows the Python line it was called from"
            message = f"its process ended with {describe_exit(code)} while the task ran"
            done.error = ErrorInfo(kind="crash", type="WorkerCrashed", message=message, hint=hint)
        return done

    # ---- the rest of the port ----

    def reply(self, request_id: int, reply: Reply) -> None:
        """See the port."""
        worker = self._by_request.get(request_id)
        if worker is not None:
            worker.outbox.append(reply)
            self._flush(worker)

    def ended(self, request_id: int, message: TaskEnded) -> None:
        """See the port."""
        worker = self._by_request.get(request_id)
        if worker is not None:
            worker.outbox.append(message)

    def forget(self, run_id: int) -> None:
        """See the port."""
        for worker in self._workers.values():
            worker.forget(run_id)

    def stop(self) -> None:
        """See the port."""
        self.hang_up()
        self._host.close()

    def hang_up(self) -> None:
        """The part of stopping that waits for nothing: nothing is heard of it any more, its workers are let end."""
        self._stopped = True
        self._loop.unregister(self._host.control)
        for worker in self._workers.values():
            if not worker.gone:
                worker.close(self._loop.unregister)
            remove_spool(worker.spool)


def _sweep(folder: str) -> None:
    """Remove what engines that were killed have left."""
    for name in os.listdir(folder):
        parts = name.split("-")
        if len(parts) == 3 and parts[0] == "worker" and parts[1].isdigit() and not _lives(int(parts[1])):
            remove_spool(os.path.join(folder, name))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
