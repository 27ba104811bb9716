"""An operator: `execute` does the work, `template_fields` says which arguments may be templates."""

from __future__ import annotations

import shutil
from typing import Any

from batuta import StepContext
from batuta.operators import Operator


class CopyOperator(Operator):
    """Copies a file; the output is the path of the copy."""

    template_fields = ("source", "target")

    def __init__(self, *, source: str, target: str, **options: Any) -> None:
        super().__init__(**options)
        self.source = source
        self.target = target

    def execute(self, context: StepContext) -> str:
        context.log.info("%s -> %s", self.source, self.target)
        return str(shutil.copy(self.source, self.target))
