"""One attempt of a step: the user's code called, and whatever it does turned into one `StepDone`.

Interruptions fall in the user's code alone (see `interrupts`); hooks and the recording of outputs are not interrupted.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import Any

import msgspec

from batuta.authoring import context as ctx
from batuta.authoring import ports
from batuta.authoring.code import CachedResult, StepCode
from batuta.authoring.context import StepContext
from batuta.core.errors import InvariantError, RequestError, ResultError
from batuta.core.triggers import Wait
from batuta.core.values import ErrorInfo, Handle
from batuta.runtime import outputs
from batuta.runtime.failures import TaskTimeout, error_info, storable, timeout_info
from batuta.runtime.interrupts import Interrupts
from batuta.runtime.masking import has_secret, longest_secret, mask, masked
from batuta.runtime.protocol import Loaded, Record, RunInfo, StepDone, StepRequest


def check_value(value: Any, annotation: Any, where: str) -> None:
    """See `runtime.types.check`, which is imported when there is something to check."""
    from batuta.runtime import types

    types.check(value, annotation, where)


ports.check_value = check_value
ports.has_secret = has_secret
ports.mask = mask


class Attempt:
    """One attempt of one step: what its code knows, and what becomes of the value or the error that it ends with.

    `keep(request, value)` is told the value, or the error, before its end is announced.
    """

    def __init__(
        self,
        info: RunInfo,
        request: StepRequest,
        context: StepContext,
        *,
        worker: str = "",
        keep: Callable[[StepRequest, Any], None] | None = None,
    ) -> None:
        self.context = context
        self.started_at = time.time()
        self._info = info
        self._request = request
        self._worker = worker
        self._keep = keep
        self._code: StepCode | None = None

    def run(self, find: Callable[[], StepCode], interrupts: Interrupts) -> StepDone:
        """Find the code, run it, and say how that ended."""
        try:
            self._code = code = find()
            value = interrupts.call(lambda: finished_value(code.run(self.context)))
        except BaseException as error:
            return self.raised(error)
        return self.returned(value)

    def returned(self, value: Any, code: StepCode | None = None) -> StepDone:
        """It came to its end with a value: record that."""
        code = self._code = code or self._code
        assert code is not None
        try:
            output = self._record(code, value)
            done = self._done("succeeded")
            done.output = output
            done.cached = isinstance(value, CachedResult)
            if self._keep is not None and not done.cached:
                self._keep(self._request, value)
        except BaseException as error:
            return self.raised(error)
        self._call_hooks("on_success")
        return done

    def raised(self, error: BaseException, code: StepCode | None = None) -> StepDone:
        """It ended with an exception, which may mean many things."""
        self._code = code or self._code
        try:
            return self._outcome_of(error)
        except BaseException as another:  # a state that cannot be recorded, an exception that cannot be looked at
            another.__context__ = error
            return StepDone(
                self._request.id, "failed", self.started_at, time.time(), error=error_info(another), worker=self._worker
            )

    def _outcome_of(self, error: BaseException) -> StepDone:
        match error:
            case ctx.SkipTask():
                done = self._done("skipped")
                done.reason = storable(str(error.what))
                return done
            case ctx.Defer():
                done = self._done("deferred")
                done.until = float(error.until)
                done.wait = _waited_for(error.wait, self.context.key)
                done.output = None if error.state is None else outputs.save(error.state, self._info, self._request)
                return done
            case ctx.CancelledByRequest() | KeyboardInterrupt():
                return self._done("cancelled")
            case TaskTimeout():
                return self._failed(error, timeout_info(self._request.timeout_s, error))
            case SystemExit():
                return self._failed(error, _exit_info(error))
        return self._failed(error, error_info(error))

    def _record(self, code: StepCode, value: Any) -> Handle | None:
        if isinstance(value, CachedResult):
            return value.output
        annotation = code.annotation
        if annotation is not None:
            check_value(value, annotation, self.context.key)
        if value is None:
            return None
        if not code.options.persist:
            return Handle(codec="gone", preview="(not recorded: persist=False)", length=outputs.length_of(value))
        return outputs.save(value, self._info, self._request, code.options.result_storage)

    def _done(self, status: str) -> StepDone:
        context = self.context
        done = StepDone(self._request.id, status, self.started_at, time.time(), worker=self._worker)
        if context.records:
            done.records = tuple(recordable(record, context.key) for record in context.records)
        if context.follow is not None:
            done.follow = context.follow
        done.cut = context.cut
        key = context.config.get("cache_key") if context.config else None
        if key:
            done.cache_key = key
            done.cache_ttl_s = context.config.get("cache_ttl_s")
        return done

    def _failed(self, error: BaseException, told: ErrorInfo) -> StepDone:
        done = self._done("failed")
        done.error = _located(told, self._code)
        if self._keep is not None:
            self._keep(self._request, error)
        if self._code is not None:
            done.retryable = _retryable(self._code, error)
            again = done.retryable and self._request.failures + 1 < self._code.options.retry.attempts_max
            self._call_hooks("on_retry" if again else "on_failure", error)
        return done

    def _call_hooks(self, name: str, *error: BaseException) -> None:
        assert self._code is not None
        for hook in getattr(self._code.options, name):
            try:
                hook(self.context, *error)
            except KeyboardInterrupt:
                raise
            except BaseException:  # sys.exit() in a hook ends nothing
                self.context.log.exception("the %s hook of %s failed", name, self.context.key)


def _located(told: ErrorInfo, code: StepCode | None) -> ErrorInfo:
    """With the place of the step, where no line of the user's code stands for the failure."""
    place = None if code is None else code.place
    if place is None or told.file or str(place) in told.message:
        return told
    return msgspec.structs.replace(told, file=storable(place.file), line=place.line)


def _exit_info(error: SystemExit) -> ErrorInfo:
    told = error_info(error)
    return ErrorInfo(
        kind="error",
        type="SystemExit",
        message=storable(f"the task called sys.exit({error.code!r})"),
        file=told.file,
        line=told.line,
        traceback=told.traceback,
        hint="raise an exception to fail, or return to succeed",
    )


def recordable(record: Record, where: str) -> Record:
    """The record as it can be sent and stored: metadata that have no JSON form are shown by what they are.

    Raises ResultError where it is not metadata that are wrong.
    """
    try:
        _to_json(record)
    except (TypeError, ValueError, OverflowError, RecursionError):
        from batuta.authoring.metadata import normalized

        if not isinstance(record, Loaded):
            record = msgspec.structs.replace(record, metadata=normalized(record.metadata))
    try:
        readable: Record = _from_json(_to_json(record))
        return _without_secrets(readable) if longest_secret() else readable
    except (TypeError, ValueError, OverflowError) as error:
        raise ResultError(f"what it says of {record.asset!r} cannot be recorded: {error}", where=where) from None


def _waited_for(wait: Wait | None, where: str) -> Wait | None:
    """What a step waits for, as it can be recorded. Raises RequestError for a secret in it."""
    if wait is not None and longest_secret() and has_secret(_to_json(wait).decode()):
        hint = "look for it by yourself: defer until a time, and look it up again in the next call"
        raise RequestError("what it waits for holds a secret, and is recorded", where=where, hint=hint)
    return wait


def _without_secrets(record: Record) -> Record:
    """Masked in all that is said of the asset; its key and partition are names, by which it is found again."""
    names = {"asset", "partition", "check"}
    fields = {name: getattr(record, name) for name in record.__struct_fields__ if name not in names}
    return msgspec.structs.replace(record, **masked(fields))


_to_json = msgspec.json.Encoder().encode
_from_json = msgspec.json.Decoder(Record).decode


def _retryable(code: StepCode, error: BaseException) -> bool:
    if isinstance(error, InvariantError):
        return False
    try:
        return code.options.retries_error(error)
    except Exception as broken:
        error.add_note(f"its retry condition failed too: {broken!r}")
        return True


def finished_value(value: Any) -> Any:
    """The value itself: a coroutine is run, a generator collected into a list."""
    if value is None or isinstance(value, (str, int, float, list, dict, CachedResult)):
        return value
    if inspect.iscoroutine(value):
        import asyncio

        return finished_value(asyncio.run(value))
    if inspect.isgenerator(value):
        return list(value)
    if inspect.isasyncgen(value):
        import asyncio

        return asyncio.run(_collected(value))
    return value


async def _collected(items: Any) -> list[Any]:
    return [item async for item in items]
