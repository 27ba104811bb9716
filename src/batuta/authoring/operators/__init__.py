"""Operators: ready-made steps of DAGs, those of plugins, and the base class for one's own."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batuta.authoring.operators.base import Operator as Operator
    from batuta.authoring.operators.base import OperatorError as OperatorError
    from batuta.authoring.operators.email import EmailOperator as EmailOperator
    from batuta.authoring.operators.flow_control import BranchOperator as BranchOperator
    from batuta.authoring.operators.flow_control import EmptyOperator as EmptyOperator
    from batuta.authoring.operators.flow_control import ShortCircuitOperator as ShortCircuitOperator
    from batuta.authoring.operators.http import HTTPOperator as HTTPOperator
    from batuta.authoring.operators.http import HTTPSensor as HTTPSensor
    from batuta.authoring.operators.notify import NotifyOperator as NotifyOperator
    from batuta.authoring.operators.python import PythonOperator as PythonOperator
    from batuta.authoring.operators.sensors import FileSensor as FileSensor
    from batuta.authoring.operators.sensors import Sensor as Sensor
    from batuta.authoring.operators.sensors import TimeDeltaSensor as TimeDeltaSensor
    from batuta.authoring.operators.sensors import TimeSensor as TimeSensor
    from batuta.authoring.operators.shell import ShellOperator as ShellOperator
    from batuta.authoring.operators.sql import SQLOperator as SQLOperator
    from batuta.authoring.operators.sql import SQLSensor as SQLSensor
    from batuta.authoring.operators.trigger_job import TriggerJobOperator as TriggerJobOperator
    from batuta.authoring.operators.venv import VenvOperator as VenvOperator
    from batuta.authoring.operators.venv import python_venv as python_venv

_MODULES = {
    "Operator": "base",
    "OperatorError": "base",
    "EmailOperator": "email",
    "BranchOperator": "flow_control",
    "EmptyOperator": "flow_control",
    "ShortCircuitOperator": "flow_control",
    "HTTPOperator": "http",
    "HTTPSensor": "http",
    "NotifyOperator": "notify",
    "PythonOperator": "python",
    "FileSensor": "sensors",
    "Sensor": "sensors",
    "TimeDeltaSensor": "sensors",
    "TimeSensor": "sensors",
    "ShellOperator": "shell",
    "SQLOperator": "sql",
    "SQLSensor": "sql",
    "TriggerJobOperator": "trigger_job",
    "VenvOperator": "venv",
    "python_venv": "venv",
}
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    """Ours, and those that plugins bring. Raises PluginError for one of these that is broken."""
    if name not in _MODULES:
        from batuta import plugins

        return plugins.attribute("batuta.operators", name, __name__)
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
