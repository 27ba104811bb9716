"""The port of bridges: a foreign project as a code location.

A bridge lives in the location's own environment, where the foreign library is. It turns the project into the neutral
model and runs one step of it at a time with the library's own code; readiness, retries, skips, pools and blocking
checks are the engine's. Surprising: nothing of the foreign library may be imported before it is needed, since most
hosts are started to describe what was described before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from batuta.authoring.context import StepContext
from batuta.core.definitions import Definitions


class Bridge(Protocol):
    """One foreign project. `describe` comes first; the rest is of what it has described, whatever the files say now."""

    workers_max: int | None
    """How many worker processes may run its steps at once; None: any number. Known once it is described."""
    rests: bool
    """Whether workers are to tell it when they have had nothing to do for a moment."""

    def describe(self) -> Definitions:
        """What it defines. Raises LoadError where it is broken."""

    def files(self) -> Sequence[str]:
        """The files that it is made of: when one of them changes, it is to be described anew."""

    def warm_up(self) -> None:
        """In the host, before the first worker is forked: what all workers would do otherwise. Raises nothing."""

    def run_step(self, context: StepContext, hands_over: bool) -> Any:
        """Run a step, in a worker. `hands_over`: steps of other locations wait for its end, and for what it has open.

        What was made and how checks came out is reported through the context. Raises what went wrong.
        """

    def rest(self) -> None:
        """In a worker that has nothing to do: let go of what others may want."""

    def evaluate(self, what: str, data: dict[str, Any]) -> dict[str, Any]:
        """Answer a question outside of any run, see `runtime.evaluations`. Raises RequestError for what it cannot."""
