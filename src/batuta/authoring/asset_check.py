"""Running a check: its verdict is recorded, and a blocking one that fails fails its step."""

from __future__ import annotations

import traceback
from typing import Any

from batuta.authoring.asset_definitions import Check
from batuta.authoring.asset_run import FunctionCode, Inputs, takes_what_there_is
from batuta.authoring.asset_values import CheckResult
from batuta.authoring.context import StepContext
from batuta.authoring.metadata import normalized
from batuta.core.definitions import AssetDep
from batuta.core.errors import CheckFailed, ResultError


class CheckCode(FunctionCode):
    """Evaluates one check. See `authoring.code.StepCode`."""

    definition: Check[..., Any]

    def _deps_to_ask(self, context: StepContext) -> list[AssetDep]:
        """Only where not all that could be read needs to be there: a check records no inputs."""
        return [dep for dep in self.binding.deps if takes_what_there_is(dep, context.partitions)]

    def _called(self, context: StepContext, inputs: Inputs) -> Any:
        try:
            return super()._called(context, inputs)
        except AssertionError as error:
            return _failed(error)

    async def _awaited(self, context: StepContext, inputs: Inputs, result: Any) -> None:
        try:
            value = await result
        except AssertionError as error:
            value = _failed(error)
        self._finish(context, inputs, value)

    def _finish(self, context: StepContext, inputs: Inputs, result: Any) -> None:
        check = self.definition
        verdict = self._verdict(result)
        context.checked(
            check.asset,
            check.name,
            verdict.passed,
            partition=context.partition if context.partitions is not None else "",
            blocking=check.blocking,
            description=verdict.description,
            metadata=normalized({**context.metadata, **verdict.metadata}),
        )
        if verdict.passed:
            return
        reason = f": {verdict.description}" if verdict.description else ""
        if not check.blocking:
            context.log.warning("check %s failed%s", check.key, reason)
            return
        raise CheckFailed(
            f"check {check.key!r} failed{reason}",
            where=str(check.place),
            hint=f"what depends on {check.asset!r} is held back until it passes",
        )

    def _verdict(self, result: Any) -> CheckResult:
        if isinstance(result, CheckResult):
            result.passed = bool(result.passed)
            return result
        if result is None:
            return CheckResult(True)
        if isinstance(result, bool) or type(result).__name__ in ("bool_", "bool"):  # numpy's too
            return CheckResult(bool(result))
        raise ResultError(
            f"check {self.definition.key!r} returned a {type(result).__name__}",
            where=str(self.definition.place),
            hint="return True, False or a CheckResult, or assert",
        )


def _failed(error: AssertionError) -> CheckResult:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    said = str(error) or (last.line if last else "") or "assertion failed"
    return CheckResult(False, {"line": f"{last.filename}:{last.lineno}"} if last else {}, said)
