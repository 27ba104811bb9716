"""A flow as a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batuta.authoring.code import StepCode
from batuta.authoring.flow import Flow
from batuta.authoring.own_schedules import own_text
from batuta.core.definitions import JobSpec
from batuta.core.errors import InvariantError


class FlowJob:
    """See `authoring.code.JobCode`."""

    def __init__(self, flow: Flow[..., Any]) -> None:
        self.flow = flow
        self.name = flow.name

    def spec(self) -> JobSpec:
        """The flow in the neutral model; its plan holds just the body."""
        from batuta.authoring.signature import parameter_schema

        return JobSpec(
            name=self.name,
            kind="flow",
            plan=self.flow.plan(),
            params_schema=parameter_schema(self.flow.fn),
            description=self.flow.options.description or (self.flow.fn.__doc__ or "").strip(),
            tags=dict.fromkeys(self.flow.options.tags, ""),
            schedule=own_text(self.flow.schedules),
            timezone=self.flow.timezone or "UTC",
            rules=self.flow.rules,
            place=self.flow.place,
        )

    def code(self, step: str) -> StepCode:
        """A flow's body needs a transport, which only the runtime has."""
        raise InvariantError(f"the body of flow {self.name!r} is run by the runtime")

    def validate_params(self, given: Mapping[str, Any], from_text: bool) -> dict[str, Any]:
        """See the port."""
        from batuta.authoring.signature import validate_arguments

        where = f"{self.flow.place}: flow {self.name!r}"
        return validate_arguments(self.flow.fn, (), dict(given), where=where, from_text=from_text)
