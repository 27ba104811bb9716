"""The command line without the start of an interpreter: a process that has it imported forks a child for each command.

The child is what `python -m batuta.cli.main` would be: a process of its own, with the folder, environment, arguments
and files it is given, that ends as an interpreter ends. What is left out is tested in `tests/cli/test_startup.py`.
Surprising: this file is run by the interpreter itself, too, so it imports nothing of the tests.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

MODULE = "batuta.cli.main"


class WarmCli:
    """Runs commands one at a time. Starts its process with the first one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._ours: socket.socket

    def run(
        self, args: Sequence[str], *, cwd: str, env: Mapping[str, str], files: tuple[int, int, int], timeout_s: float
    ) -> int:
        """Run a command on those files (in, out, error); its exit code, negative for a signal. Raises TimeoutError."""
        if self._process is None:
            self._start()
        try:
            self._ours.settimeout(timeout_s)
            asked = json.dumps({"args": list(args), "cwd": cwd, "env": dict(env), "path": sys.path}).encode()
            socket.send_fds(self._ours, [len(asked).to_bytes(4, "big")], files)
            self._ours.sendall(asked)
            return int.from_bytes(_exactly(self._ours, 4), "big", signed=True)
        except BaseException:
            self.close()  # with the command, which may still run
            raise

    def _start(self) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def close(self) -> None:
        """End the process, and a command that runs."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            self._ours.close()


CLI = WarmCli()
atexit.register(CLI.close)


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise ConnectionError("the other end is gone")
        data += more
    return data


# ---- in the process ----


def _serve(sock: socket.socket) -> dict[str, Any] | None:
    """Fork a child for each command. Returns in the children, with what is to be run; None at the end."""
    while True:
        head, files, _flags, _address = socket.recv_fds(sock, 4, 3)
        if not head:
            return None
        command: dict[str, Any] = json.loads(_exactly(sock, int.from_bytes(head, "big")))
        child = os.fork()
        if child == 0:
            sock.close()
            for number, file in enumerate(files):
                os.dup2(file, number)
                os.close(file)
            return command
        for file in files:
            os.close(file)
        _, status = os.waitpid(child, 0)
        sock.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))


def _become(command: dict[str, Any]) -> None:
    """Be an interpreter that has just been started for it."""
    import io
    import time

    os.environ.clear()
    os.environ.update(command["env"])
    time.tzset()
    os.chdir(command["cwd"])
    asked = command["env"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [os.getcwd(), *dict.fromkeys(path for path in [*asked, *command["path"]] if path)]
    sys.argv = [MODULE, *command["args"]]

    stdin, stdout, stderr = (os.fdopen(number, mode, closefd=False) for number, mode in enumerate(("rb", "wb", "wb")))
    streams = {
        "stdin": io.TextIOWrapper(stdin, encoding="utf-8"),
        "stdout": io.TextIOWrapper(stdout, encoding="utf-8", line_buffering=os.isatty(1)),
        "stderr": io.TextIOWrapper(stderr, encoding="utf-8", errors="backslashreplace", line_buffering=True),
    }
    for name, stream in streams.items():
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _import_all() -> None:
    """What commands import, so that children need not."""
    import gc
    import importlib
    import pkgutil

    import batuta.cli

    for module in pkgutil.walk_packages(batuta.cli.__path__, "batuta.cli."):
        if module.name != MODULE:
            importlib.import_module(module.name)
    for name in ("engine.workspace", "store.sqlite", "scheduler.launching"):
        importlib.import_module(f"batuta.{name}")
    gc.freeze()


if __name__ == "__main__":
    _import_all()
    found = _serve(socket.socket(fileno=int(sys.argv[1])))
    if found is not None:
        import runpy

        _become(found)
        runpy.run_module(MODULE, run_name="__main__", alter_sys=True)
