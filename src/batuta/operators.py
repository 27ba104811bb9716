"""Operators, for `from batuta.operators import ShellOperator`: the public name of `batuta.authoring.operators`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batuta.authoring import operators as _operators

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

__all__ = list(_operators.__all__)


def __getattr__(name: str) -> Any:
    return getattr(_operators, name)


def __dir__() -> list[str]:
    return __all__
