"""Shell commands."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from batuta.authoring.context import SkipTask, StepContext
from batuta.authoring.operators import processes
from batuta.authoring.operators.base import Operator, OperatorError

OUTPUT_BYTES_MAX = 16 * 1024 * 1024
"""How much of what a command prints can become its output."""
_ERROR_LINES = 5


class ShellOperator(Operator):
    """Runs `command` in bash (or the `shell` given); a list is run as it is, without a shell.

    Its lines go to the log as they come. The output is the last line that it prints to stdout, all of it
    (`returns="all"`), all of it read as JSON (`"json"`), or nothing (`"none"`). An exit code of `skip_exit_code` skips
    the step, any other but 0 fails it. `env` is added to the environment of the worker (or takes its place, with
    `inherit_env=False`); so are BATUTA_RUN_ID, BATUTA_JOB, BATUTA_STEP, BATUTA_LOGICAL_DATE and BATUTA_PARTITION.
    Values of params get into a command safely by `env`, or by the filter `{{ params.name | quote }}`.
    """

    template_fields = ("command", "env", "cwd")
    template_ext = (".sh", ".bash")

    def __init__(
        self,
        command: str | Sequence[str],
        *,
        shell: str = "bash",
        env: Mapping[str, Any] | None = None,
        inherit_env: bool = True,
        cwd: str | None = None,
        returns: Literal["last_line", "all", "json", "none"] = "last_line",
        skip_exit_code: int | Sequence[int] | None = 99,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.command = command
        self.shell = shell
        self.env = env
        self.inherit_env = inherit_env
        self.cwd = cwd
        self.returns = returns
        self.skip_exit_code = skip_exit_code

    def execute(self, context: StepContext) -> Any:
        """Run it. Raises OperatorError with the last lines of stderr, SkipTask."""
        kept = _Kept(self.returns, context.key)
        errors: deque[str] = deque(maxlen=_ERROR_LINES)
        code = processes.run(
            self._argv(),
            context=context,
            cwd=os.fspath(self.cwd) if self.cwd else None,
            env=self._environment(context),
            on_stdout=kept.hear,
            on_stderr=errors.append,
        )
        skips = (self.skip_exit_code,) if isinstance(self.skip_exit_code, int) else tuple(self.skip_exit_code or ())
        if code in skips:
            raise SkipTask(f"the command ended with exit code {code}")
        if code != 0:
            said = "".join(errors).strip() or kept.last
            raise OperatorError(
                f"the command {processes.described(code)}" + (f": {said}" if said else ""),
                where=context.key,
                hint="see its log" + (f" (exit code {skips[0]} would skip the step)" if skips else ""),
            )
        return kept.output()

    def _argv(self) -> list[str]:
        if isinstance(self.command, str):
            return [self.shell, "-c", self.command]
        return [str(part) for part in self.command]

    def _environment(self, context: StepContext) -> dict[str, str]:
        own = {
            "BATUTA_RUN_ID": str(context.run_id),
            "BATUTA_JOB": context.job,
            "BATUTA_STEP": context.key,
            "BATUTA_ATTEMPT": str(context.attempt),
            "BATUTA_LOGICAL_DATE": context.logical_date.isoformat(),
            "BATUTA_PARTITION": context.partition,
            **({"TRACEPARENT": context.traceparent} if context.traceparent else {}),
        }
        base = dict(os.environ) if self.inherit_env else {"PATH": os.environ.get("PATH", os.defpath)}
        return {**base, **own, **{name: _text(value) for name, value in (self.env or {}).items()}}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


class _Kept:
    """What of stdout becomes the output."""

    def __init__(self, returns: str, where: str) -> None:
        self.last = ""
        self._all: list[str] = []
        self._size = 0
        self._returns = returns
        self._where = where

    def hear(self, line: str) -> None:
        if line.strip():
            self.last = line.rstrip("\r\n")
        if self._returns in ("all", "json"):
            self._all.append(line)
            self._size += len(line)
            if self._size > OUTPUT_BYTES_MAX:
                raise OperatorError(
                    f"the command printed more than {OUTPUT_BYTES_MAX >> 20} MB, all of which is to be its output",
                    where=self._where,
                    hint="write it to a file and print the path",
                )

    def output(self) -> Any:
        if self._returns == "last_line":
            return self.last
        if self._returns == "none":
            return None
        text = "".join(self._all)
        if self._returns == "all":
            return text
        try:
            return json.loads(text)
        except ValueError as error:
            raise OperatorError(
                f"what the command printed is not JSON: {error}", where=self._where, hint="print JSON to stdout only"
            ) from None
