"""The engine's end of a location host: starting it, loading a location, and having it fork workers."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

from batuta.core import definitions
from batuta.core.definitions import Definitions
from batuta.core.errors import LoadError, ParameterError, RequestError
from batuta.executors.pythons import check_python, environment_for, find_python
from batuta.runtime.host import ObjectReader, send_object

ANSWER_S = 30.0
TRIES_MAX = 3
SEND_BUFFER_BYTES = 1 << 20


class LoaderEnded(LoadError):
    """The process that loads the code has ended over it, or was killed."""


class HostProcess:
    """A location host: a process of the location's own Python, see `runtime.host`. `restart` makes a new one of it."""

    def __init__(
        self,
        target: str,
        project: str = "",
        python: str = "",
        keep_fds: tuple[int, ...] = (),
        *,
        location: str = "",
        home: str = "",
        kind: str = "python",
        prepared: tuple[str, ...] | None = None,
    ) -> None:
        """`location`: one of the project's code locations. `home`: the project's, for code in a folder of its own.
        `kind`: what its code is, see `runtime.project.LocationKind`. `prepared`: it imports these modules of ours and
        waits for `load`; else it loads at once."""
        self.target = target
        self._project = project
        self._location = location
        self._python = find_python(python, project) if python else sys.executable
        self._home = home
        self._module = "batuta.runtime.host" if kind == "python" else "batuta.bridges.host"
        self._keep_fds = keep_fds
        self._send_lock = threading.Lock()
        self._validate_lock = threading.Lock()
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._validations = 0
        self.files: tuple[str, ...] = ()
        """The project's files that were imported, once it is loaded."""
        self.ours: tuple[str, ...] = ()
        """The modules of ours that loading took."""
        self._workers_max: int | None = None
        self.in_loop = False
        """Whether an event loop reads the control socket (and calls `read`)."""
        self.restarts = 0
        """How often it has died and was started again."""
        self.control: socket.socket
        self._start(prepared)

    def _start(self, prepared: tuple[str, ...] | None = None) -> None:
        ours, theirs = socket.socketpair()
        fds = (theirs.fileno(), *self._keep_fds)
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [self._python, "-m", self._module, *(str(fd) for fd in fds)],
                    pass_fds=fds,
                    stdin=subprocess.DEVNULL,
                    process_group=0,
                    env=environment_for(self._python, self._home),
                )
            except OSError as error:
                ours.close()
                hint = "correct `python` of this location: an interpreter, or the folder of a virtual environment"
                what = f"its Python cannot be started: {os.strerror(error.errno or 0).lower()}"
                raise LoadError(what, where=self._python, hint=hint) from None
        self._reader = ObjectReader(ours)
        self._said: list[dict[str, Any]] = []
        with self._send_lock:  # nothing is asked of it before it is told to load
            self.control = ours
            send_object(ours, self._load_command if prepared is None else {"do": "prepare", "modules": prepared})

    @property
    def _load_command(self) -> dict[str, Any]:
        return {"do": "load", "target": self.target, "project": self._project, "location": self._location}

    def load(self) -> None:
        """Load now what was prepared for."""
        self._send(self._load_command)

    @property
    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def definitions(self) -> Definitions:
        """What the location defines; waits for it to be loaded. Raises LoadError, or the error in the user's code."""
        answer = self._wait_for("loaded", "broken")
        if answer["say"] == "broken":
            error = LoadError(answer["what"], where=answer["where"], hint=answer["hint"])
            error.add_note(answer.get("detail") or "")
            raise error
        self.files = tuple(answer.get("files", ()))
        self.ours = tuple(answer.get("ours", ()))
        self._workers_max = answer.get("workers_max")
        return definitions.decode(answer["definitions"].encode())

    def limited(self, workers: int) -> int:
        """So many workers, or as many as its code stands; once it is loaded."""
        return workers if self._workers_max is None else min(workers, self._workers_max)

    def validate(self, job: str, params: dict[str, Any]) -> dict[str, Any]:
        """The parameters of a run of `job`, completed, as JSON data. Raises ParameterError.

        Not to be called in the engine's thread: it waits for the answer. Asks again where the host died over it.
        """
        with self._validate_lock:
            while not self._answers.empty():
                self._answers.get()
            for _ in range(TRIES_MAX):
                answer = self._validated(job, params)
                if answer is not None:
                    break
            else:
                raise RequestError(
                    f"the parameters of {job!r} could not be validated: the process that does it ended",
                    where=self.target,
                    hint="look at what the types of the parameters do when a value is made",
                )
        if answer["say"] == "refused":
            raise ParameterError(answer["what"], where=answer["where"], hint=answer["hint"])
        return dict(answer["params"])

    def _validated(self, job: str, params: dict[str, Any]) -> dict[str, Any] | None:
        """One try; None where the host is gone."""
        self._validations += 1
        self._send({"do": "validate", "id": self._validations, "job": job, "params": params})
        if not self.in_loop:
            return self._wait_for("validated", "refused")
        try:
            while (answer := self._answers.get(timeout=ANSWER_S))["say"] != "gone":
                if answer["id"] == self._validations:
                    return answer
        except queue.Empty:
            raise RequestError(
                f"the parameters of {job!r} are being validated for more than {ANSWER_S:.0f} s", where=self.target
            ) from None
        return None

    def _wait_for(self, *kinds: str) -> dict[str, Any]:
        while True:
            for i, said in enumerate(self._said):
                if said["say"] in kinds:
                    return self._said.pop(i)
            more = self._read()
            if more is None:
                code = self._process.wait()
                if self._python != sys.executable:
                    check_python(self._python, self._home)
                raise LoaderEnded(
                    f"the process that loads {self.target or 'the code'} ended with {describe_exit(code)}",
                    where=self.target,
                    hint="importing the code ends the process: look for os._exit, a crash in a C extension, or memory",
                )
            self._said += more

    def fork(self, name: str, spool: str, role: str = "worker") -> socket.socket:
        """Ask for a worker, or an `evaluator` (see `runtime.evaluations`); returns our end of its socket at once.

        That of a dead host is a socket at its end.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            for sock in (ours, theirs):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            self._send({"do": "fork", "name": name, "spool": spool, "role": role}, (theirs.fileno(),))
        return ours

    def read(self) -> list[dict[str, Any]] | None:
        """What it said, when `control` is readable; None if it is gone."""
        more = self._read()
        if more is None:
            return None
        said, self._said = self._said + more, []
        for answer in said:
            if answer["say"] in ("validated", "refused"):
                self._answers.put(answer)
        return said

    def _read(self) -> list[dict[str, Any]] | None:
        try:
            return self._reader.read()
        except ConnectionResetError:
            return None

    def restart(self) -> None:
        """Start it again, which has died."""
        self.restarts += 1
        self.close()
        self._start()
        self._answers.put({"say": "gone"})  # whoever waits for an answer of the former one asks again

    def _send(self, command: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
        with self._send_lock, contextlib.suppress(OSError):
            send_object(self.control, command, fds)  # that it is gone is heard where the socket is read

    def kill(self) -> None:
        """End it and its workers at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it and its workers."""
        self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def describe_exit(code: int) -> str:
    """An exit code in words: `exit code 3`, or `signal SIGSEGV (segmentation fault)`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    told = signal.strsignal(-code)
    return f"signal {name}" + (f" ({told.lower()})" if told else "")


__all__ = ["HostProcess", "describe_exit"]
