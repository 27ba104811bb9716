"""The location host: imports a code location once, describes it, and forks warm workers from itself.

`python -m batuta.runtime.host FD [FD ...]` speaks on the socket of the first FD (and keeps the others open): frames of
JSON objects with a 4-byte length; a worker's socket comes along as a file descriptor. The host stays single-threaded
and never runs a step itself, so its children start clean. When the engine is gone, it kills its workers (each a process
group of its own) and exits.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import faulthandler
import importlib
import os
import select
import selectors
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

_LENGTH = struct.Struct(">I")
_PR_SET_PDEATHSIG = 1
_OOM_SCORE = 500  # of -1000 to 1000; that of other processes is 0
TEARDOWN_S = 0.3
"""How long workers that do nothing may take to end by themselves, before those that are left are killed."""


def send_object(sock: socket.socket, value: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
    """One JSON object, with file descriptors if there are any."""
    data = msgspec.json.encode(value)
    payload = _LENGTH.pack(len(data)) + data
    if fds:
        sent = sock.sendmsg([payload], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
        payload = payload[sent:]
    if payload:
        sock.sendall(payload)


class ObjectReader:
    """Reads what `send_object` sends."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self.fds: list[int] = []

    def read(self) -> list[dict[str, Any]] | None:
        """The objects that are complete after one read; None at the end."""
        data, fds, _flags, _address = socket.recv_fds(self._sock, 1 << 18, 8)
        self.fds += fds
        if not data:
            return None
        self._buffer += data
        found = []
        while len(self._buffer) >= 4:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if len(self._buffer) < 4 + length:
                break
            found.append(msgspec.json.decode(bytes(self._buffer[4 : 4 + length])))
            del self._buffer[: 4 + length]
        return found


Load = Callable[[str, str, str], Any]
"""(target, project, location) to the loaded location, see `runtime.load.Location`."""


class Host:
    """One location, its workers, and the control socket. `load`: for code that is not ours, see `bridges`."""

    def __init__(self, control: socket.socket, load: Load | None = None) -> None:
        self._control = control
        self._load_code = load
        self._is_warm = False
        self._reader = ObjectReader(control)
        self._children: dict[int, str] = {}
        self._location: Any = None
        self._wakeup_fd = -1

    def serve(self) -> None:
        """Obey until the engine is gone."""
        child_read, child_write = socket.socketpair()
        child_write.setblocking(False)
        self._wakeup_fd = child_write.fileno()
        self._set_signals()
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(child_read, selectors.EVENT_READ)
            try:
                while True:
                    for key, _events in selector.select():
                        if key.fileobj is child_read:
                            child_read.recv(4096)
                            self._reap()
                        elif not self._obey(child_read, child_write, selector):
                            return
            finally:
                self._await_children(child_read)
                signal.set_wakeup_fd(-1)
                self._kill_children()

    def _set_signals(self) -> None:
        """Also after user code was imported, which may have set others."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup_fd, warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # mail for a worker that does not listen yet: it reads it anyway

    def _obey(self, child_read: socket.socket, child_write: socket.socket, selector: selectors.BaseSelector) -> bool:
        try:
            commands = self._reader.read()
        except ConnectionResetError:
            return False
        if commands is None:
            return False
        for command in commands:
            if command["do"] == "prepare":
                _prepare(command["modules"])
            elif command["do"] == "load":
                self._load(command)
            elif command["do"] == "validate":
                self._validate(command)
            elif command["do"] == "fork":
                self._fork(command, [child_read, child_write], selector)
        return True

    def _load(self, command: dict[str, Any]) -> None:
        from batuta.core import definitions
        from batuta.core.errors import BatutaError
        from batuta.runtime.failures import error_info
        from batuta.runtime.masking import mask, masked_json
        from batuta.runtime.project import be_there_for, find_project

        try:
            with _ending_with_the_engine(self._control):
                importlib.invalidate_caches()
                be_there_for(find_project(command.get("project", "") or command["target"]))
                load = self._load_code or _ours()
                self._location = load(command["target"], command.get("project", ""), command.get("location", ""))
                data = masked_json(definitions.encode(self._location.definitions()))
            answer: dict[str, Any] = {"say": "loaded", "definitions": data.decode()}
            answer["files"] = self._location.files()
            answer["workers_max"] = self._location.workers_max
            answer["ours"] = sorted(name for name in sys.modules if name.startswith("batuta."))
        except BatutaError as error:
            what = mask(error.what)
            answer = {"say": "broken", "what": what, "where": error.where, "hint": error.hint, "detail": ""}
        except Exception as error:
            info = error_info(error)
            answer = {"say": "broken", "what": f"{info.type}: {info.message}", "where": f"{info.file}:{info.line}"}
            answer |= {"hint": None, "detail": info.traceback}
        self._set_signals()
        self._say(answer)
        if answer["say"] == "loaded":
            self._location.warm()

    def _say(self, answer: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # heard where it is read
            send_object(self._control, answer)

    def _validate(self, command: dict[str, Any]) -> None:
        from batuta.core.errors import BatutaError
        from batuta.runtime.failures import error_info
        from batuta.runtime.masking import mask
        from batuta.runtime.outputs import refuse_secrets, shown_params

        try:
            params = self._location.job(command["job"]).validate_params(command["params"], from_text=True)
            answer: dict[str, Any] = {"say": "validated", "params": shown_params(params)}
            refuse_secrets(answer["params"], f"job {command['job']!r}")
        except BatutaError as error:
            answer = {"say": "refused", "what": mask(error.what), "where": error.where, "hint": error.hint}
        except Exception as error:  # of the user's own types and validators
            info = error_info(error)
            answer = {"say": "refused", "what": f"{info.type}: {info.message}", "where": f"{info.file}:{info.line}"}
            answer["hint"] = f"it was raised while the parameters of {command['job']!r} were validated"
        self._say(answer | {"id": command["id"]})

    def _fork(self, command: dict[str, Any], ours: list[socket.socket], selector: selectors.BaseSelector) -> None:
        fd = self._reader.fds.pop(0)
        if command.get("role") != "evaluator" and not self._is_warm:
            self._is_warm = True
            with _ending_with_the_engine(self._control):
                self._location.before_workers()
            self._set_signals()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:  # no memory, too many processes: the engine sees the socket closed
            os.close(fd)
            return
        if pid:
            os.close(fd)
            with contextlib.suppress(OSError):
                os.setpgid(pid, pid)
            self._children[pid] = command["name"]
            self._say({"say": "forked", "name": command["name"], "pid": pid})
            return
        code = 1
        try:
            _become_worker(parent)
            selector.close()
            self._control.close()
            for sock in ours:
                sock.close()
            self._work(fd, command)
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)

    def _work(self, fd: int, command: dict[str, Any]) -> None:
        if command.get("role") == "evaluator":
            from batuta.runtime.evaluations import serve

            serve(socket.socket(fileno=fd), self._location)
            return
        from batuta.authoring.resources import close_all
        from batuta.runtime.logs import WorkerCapture
        from batuta.runtime.worker import Worker

        capture = WorkerCapture(command["spool"])
        try:
            capture.install()
        except FileNotFoundError:
            return  # the engine is closing, and has removed the spool meanwhile
        sock = socket.socket(fileno=fd)
        Worker(sock, self._location, capture, command["name"]).serve()
        close_all()  # it ends without running exit handlers

    def _reap(self) -> None:
        while self._children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            name = self._children.pop(pid, None)
            if name is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)  # what it started dies with it
                code = os.waitstatus_to_exitcode(status)
                self._say({"say": "exited", "name": name, "pid": pid, "code": code})

    def _await_children(self, child_read: socket.socket) -> None:
        """Idle workers end by themselves when the engine hangs up: let them tear down their resources."""
        until = time.monotonic() + TEARDOWN_S
        self._reap()
        while self._children and (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([child_read], [], [], left)
            if ready:
                child_read.recv(4096)
                self._reap()

    def _kill_children(self) -> None:
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)


def _prepare(modules: list[str]) -> None:
    """Import modules of ours that loading is going to need. Those of others may want a setting of the user's first."""
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _ours() -> Load:
    from batuta.runtime.load import load_location

    return load_location


@contextlib.contextmanager
def _ending_with_the_engine(control: socket.socket) -> Iterator[None]:
    """Importing user code may take for ever: a thread sees to it that the engine is not outlived. No fork meets it."""
    stop_read, stop_write = socket.socketpair()

    def watch() -> None:
        ready, _, _ = select.select([control, stop_read], [], [])
        if stop_read not in ready and not control.recv(1, socket.MSG_PEEK):
            os.killpg(0, signal.SIGKILL)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop_write.send(b"x")
        watcher.join()
        stop_read.close()
        stop_write.close()


def _become_worker(parent: int) -> None:
    """A process group of its own, dying with the host, with fresh signal handling."""
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)
        _die_first()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _die_first() -> None:
    """Where memory runs out, the kernel is to end what runs the user's code, not the engine, nor a database nearby."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "r+", buffering=1) as file:
        if int(file.read()) < _OOM_SCORE:
            file.seek(0)
            file.write(f"{_OOM_SCORE}\n")


def main(load: Load | None = None) -> None:
    """Entry point of the host process."""
    faulthandler.enable()
    for fd in sys.argv[1:]:  # kept open by us and our workers, but not by what they start
        os.set_inheritable(int(fd), False)
    control = socket.socket(fileno=int(sys.argv[1]))
    Host(control, load).serve()


if __name__ == "__main__":
    main()
