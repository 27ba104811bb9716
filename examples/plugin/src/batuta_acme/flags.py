"""A sensor: a function that makes one, as those of `batuta.sensors` do."""

from __future__ import annotations

import os
from typing import Any

from batuta.sensors import RunRequest, SensorContext, Skip, sensor


def flag_sensor(path: str, *, job: Any, name: str = "flag", **options: Any) -> Any:
    """Starts `job` each time the file `path` is touched: the flag that another system raises when it is done."""

    def raised(context: SensorContext) -> RunRequest | Skip:
        if not os.path.exists(path):
            return Skip(f"{path} is not there yet")
        touched = str(os.stat(path).st_mtime_ns)
        if touched == context.cursor:
            return Skip(f"{path} was not touched")
        context.cursor = touched
        return RunRequest(run_key=touched)

    return sensor(job=job, name=name, **options)(raised)
