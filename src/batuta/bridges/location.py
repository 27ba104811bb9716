"""A bridged project as the location host and its workers know a location, see `runtime.load.Location`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batuta.authoring.asset_access import AssetAccess
from batuta.authoring.context import StepContext
from batuta.authoring.options import Options
from batuta.bridges.port import Bridge
from batuta.core.definitions import Definitions
from batuta.core.errors import RequestError
from batuta.core.place import Place
from batuta.runtime.project import Project
from batuta.runtime.protocol import RunInfo, StepRequest

_OPTIONS = Options()


class BridgedLocation:
    """See the module."""

    live = None
    transport_for: Any = None

    def __init__(self, name: str, project: Project, bridge: Bridge) -> None:
        self.name = name
        self.project = project
        self._bridge = bridge
        self._places: dict[str, Place] = {}

    @property
    def workers_max(self) -> int | None:
        """See `Bridge`."""
        return self._bridge.workers_max

    @property
    def rests(self) -> bool:
        """See `Bridge`."""
        return self._bridge.rests

    def definitions(self) -> Definitions:
        """See `Bridge.describe`."""
        found = self._bridge.describe()
        self._places = {spec.step: spec.place for spec in found.assets}
        self._places |= {spec.step: spec.place for spec in found.checks}
        return found

    def files(self) -> list[str]:
        """See `Bridge`."""
        return list(self._bridge.files())

    def warm(self) -> None:
        """Nothing, until workers are wanted: importing a foreign library takes seconds."""

    def before_workers(self) -> None:
        """See `Bridge.warm_up`."""
        self._bridge.warm_up()

    def rest(self) -> None:
        """See `Bridge`."""
        self._bridge.rest()

    def code_for(self, info: RunInfo, request: StepRequest) -> BridgedStep:
        """See `runtime.steps.CodeSource`."""
        return BridgedStep(self._bridge, self._places.get(request.step), request.hands_over)

    def access_assets(self, context: StepContext) -> AssetAccess:
        """Its code is no Python of ours: it loads by itself."""
        raise RequestError("assets cannot be loaded in a foreign project", where=self.name)

    def job(self, name: str) -> _BridgedJob:
        """A job of it, whose parameters are to be validated."""
        return _BridgedJob(self._bridge, name)


class BridgedStep:
    """See `authoring.code.StepCode`."""

    annotation = None
    options = _OPTIONS

    def __init__(self, bridge: Bridge, place: Place | None, hands_over: bool) -> None:
        self.place = place
        self._bridge = bridge
        self._hands_over = hands_over

    def run(self, context: StepContext) -> Any:
        """See `StepCode`."""
        return self._bridge.run_step(context, self._hands_over)


class _BridgedJob:
    def __init__(self, bridge: Bridge, name: str) -> None:
        self._bridge = bridge
        self._name = name

    def validate_params(self, given: Mapping[str, Any], from_text: bool) -> dict[str, Any]:
        """See `authoring.code.JobCode`."""
        data = {"job": self._name, "params": dict(given), "from_text": from_text}
        return dict(self._bridge.evaluate("validate", data)["params"])
