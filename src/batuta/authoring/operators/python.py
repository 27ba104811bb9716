"""Python functions as operators, for those that are not tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from batuta.authoring.context import StepContext
from batuta.authoring.operators.base import Operator


class PythonOperator(Operator):
    """Calls `function(*args, **kwargs)`; what it returns is the output. Texts in `args` and `kwargs` are templates."""

    template_fields = ("args", "kwargs")

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.function = getattr(function, "fn", function)
        self.args = list(args)
        self.kwargs = dict(kwargs or {})

    def execute(self, context: StepContext) -> Any:
        """Call it."""
        return self.function(*self.args, **self.kwargs)
