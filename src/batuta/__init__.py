"""Batuta: one engine, one store and one lineage graph under flows, DAGs and assets.

Names are imported when first used, so that `import batuta` costs next to nothing. The table below and the imports that
type checkers read say the same; a test compares them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WHERE = {
    # flows and tasks
    "task": "authoring.task",
    "Task": "authoring.task",
    "unmapped": "authoring.task",
    "flow": "authoring.flow",
    "Flow": "authoring.flow",
    "pause_for_input": "authoring.flow",
    "Cache": "authoring.options",
    "Retry": "core.retry",
    "Future": "authoring.futures",
    "as_completed": "authoring.futures",
    "wait": "authoring.futures",
    # DAGs
    "DAG": "authoring.dag",
    "dag": "authoring.dag",
    "Param": "authoring.dag_params",
    "TaskGroup": "authoring.dag_groups",
    "task_group": "authoring.dag_groups",
    "branch": "authoring.dag_roles",
    "short_circuit": "authoring.dag_roles",
    "sensor_task": "authoring.dag_roles",
    "setup": "authoring.dag_roles",
    "teardown": "authoring.dag_roles",
    "chain": "authoring.dag_links",
    "cross_downstream": "authoring.dag_links",
    "TriggerRule": "core.trigger_rules",
    "operators": "operators:",
    # assets
    "asset": "authoring.assets",
    "Asset": "authoring.assets",
    "multi_asset": "authoring.assets",
    "external_asset": "authoring.assets",
    "check": "authoring.assets",
    "sql_asset": "authoring.sql_asset",
    "maintenance_job": "authoring.maintenance",
    "AssetIn": "authoring.asset_values",
    "AssetOut": "authoring.asset_values",
    "Output": "authoring.asset_values",
    "MaterializeResult": "authoring.asset_values",
    "CheckResult": "authoring.asset_values",
    "Resources": "authoring.resources",
    "Resource": "authoring.resource",
    "EnvVar": "authoring.resources",
    "partitions": "partitions:",
    "metadata": "metadata:",
    "artifact": "artifact:",
    "io": "io:",
    # what a step sees and may raise
    "context": "authoring.context:current",
    "StepContext": "authoring.context",
    "get_logger": "runtime.logs",
    "SkipTask": "authoring.context",
    "Defer": "authoring.context",
    "triggers": "triggers:",
    "sensors": "sensors:",
    "sensor": "authoring.sensor",
    "RunRequest": "authoring.sensor",
    "Skip": "authoring.sensor",
    "SensorContext": "authoring.sensor",
    "CancelledByRequest": "authoring.context",
    # settings kept outside of the code
    "Variable": "authoring.lookups",
    "Connection": "authoring.lookups",
    "Secret": "authoring.lookups",
    # what starts runs, and what holds them back
    "RunRules": "core.run_rules",
    "Schedule": "authoring.schedule",
    "timetable": "authoring.timetable",
    "schedules": "schedules:",
    "Automation": "authoring.automation",
    "Freshness": "authoring.automation",
    "on_assets": "authoring.asset_triggers",
    "automation": "automation:",
    # projects
    "Workspace": "engine.workspace",
    "find_project": "runtime.project",
    # errors
    "BatutaError": "core.errors",
    "DefinitionError": "core.errors",
    "CycleError": "core.errors",
    "DuplicateKeyError": "core.errors",
    "LayerError": "core.errors",
    "LoadError": "core.errors",
    "UnknownDependencyError": "core.errors",
    "RequestError": "core.errors",
    "ParameterError": "core.errors",
    "PartitionError": "core.errors",
    "SelectionError": "core.errors",
    "ResultError": "core.errors",
    "TypeViolation": "core.errors",
    "ReplayMismatch": "core.errors",
    "TransientError": "core.errors",
    "StoreError": "core.errors",
    "InvariantError": "core.errors",
    "CheckFailed": "core.errors",
    "SensorTimeout": "authoring.dag_roles",
    "TaskTimeout": "runtime.failures",
    "TaskFailed": "runtime.failures",
    "FlowTimeout": "runtime.failures",
    "FlowCancelled": "runtime.failures",
}

if TYPE_CHECKING:
    from batuta import artifact as artifact
    from batuta import automation as automation
    from batuta import io as io
    from batuta import metadata as metadata
    from batuta import operators as operators
    from batuta import partitions as partitions
    from batuta import schedules as schedules
    from batuta import sensors as sensors
    from batuta import triggers as triggers
    from batuta.authoring.asset_triggers import on_assets as on_assets
    from batuta.authoring.asset_values import AssetIn as AssetIn
    from batuta.authoring.asset_values import AssetOut as AssetOut
    from batuta.authoring.asset_values import CheckResult as CheckResult
    from batuta.authoring.asset_values import MaterializeResult as MaterializeResult
    from batuta.authoring.asset_values import Output as Output
    from batuta.authoring.assets import Asset as Asset
    from batuta.authoring.assets import asset as asset
    from batuta.authoring.assets import check as check
    from batuta.authoring.assets import external_asset as external_asset
    from batuta.authoring.assets import multi_asset as multi_asset
    from batuta.authoring.automation import Automation as Automation
    from batuta.authoring.automation import Freshness as Freshness
    from batuta.authoring.context import CancelledByRequest as CancelledByRequest
    from batuta.authoring.context import Defer as Defer
    from batuta.authoring.context import SkipTask as SkipTask
    from batuta.authoring.context import StepContext as StepContext
    from batuta.authoring.context import current
    from batuta.authoring.dag import DAG as DAG
    from batuta.authoring.dag import dag as dag
    from batuta.authoring.dag_groups import TaskGroup as TaskGroup
    from batuta.authoring.dag_groups import task_group as task_group
    from batuta.authoring.dag_links import chain as chain
    from batuta.authoring.dag_links import cross_downstream as cross_downstream
    from batuta.authoring.dag_params import Param as Param
    from batuta.authoring.dag_roles import SensorTimeout as SensorTimeout
    from batuta.authoring.dag_roles import branch as branch
    from batuta.authoring.dag_roles import sensor_task as sensor_task
    from batuta.authoring.dag_roles import setup as setup
    from batuta.authoring.dag_roles import short_circuit as short_circuit
    from batuta.authoring.dag_roles import teardown as teardown
    from batuta.authoring.flow import Flow as Flow
    from batuta.authoring.flow import flow as flow
    from batuta.authoring.flow import pause_for_input as pause_for_input
    from batuta.authoring.futures import Future as Future
    from batuta.authoring.futures import as_completed as as_completed
    from batuta.authoring.futures import wait as wait
    from batuta.authoring.lookups import Connection as Connection
    from batuta.authoring.lookups import Secret as Secret
    from batuta.authoring.lookups import Variable as Variable
    from batuta.authoring.maintenance import maintenance_job as maintenance_job
    from batuta.authoring.options import Cache as Cache
    from batuta.authoring.resource import Resource as Resource
    from batuta.authoring.resources import EnvVar as EnvVar
    from batuta.authoring.resources import Resources as Resources
    from batuta.authoring.schedule import Schedule as Schedule
    from batuta.authoring.sensor import RunRequest as RunRequest
    from batuta.authoring.sensor import SensorContext as SensorContext
    from batuta.authoring.sensor import Skip as Skip
    from batuta.authoring.sensor import sensor as sensor
    from batuta.authoring.sql_asset import sql_asset as sql_asset
    from batuta.authoring.task import Task as Task
    from batuta.authoring.task import task as task
    from batuta.authoring.task import unmapped as unmapped
    from batuta.authoring.timetable import timetable as timetable
    from batuta.core.errors import BatutaError as BatutaError
    from batuta.core.errors import CheckFailed as CheckFailed
    from batuta.core.errors import CycleError as CycleError
    from batuta.core.errors import DefinitionError as DefinitionError
    from batuta.core.errors import DuplicateKeyError as DuplicateKeyError
    from batuta.core.errors import InvariantError as InvariantError
    from batuta.core.errors import LayerError as LayerError
    from batuta.core.errors import LoadError as LoadError
    from batuta.core.errors import ParameterError as ParameterError
    from batuta.core.errors import PartitionError as PartitionError
    from batuta.core.errors import ReplayMismatch as ReplayMismatch
    from batuta.core.errors import RequestError as RequestError
    from batuta.core.errors import ResultError as ResultError
    from batuta.core.errors import SelectionError as SelectionError
    from batuta.core.errors import StoreError as StoreError
    from batuta.core.errors import TransientError as TransientError
    from batuta.core.errors import TypeViolation as TypeViolation
    from batuta.core.errors import UnknownDependencyError as UnknownDependencyError
    from batuta.core.retry import Retry as Retry
    from batuta.core.run_rules import RunRules as RunRules
    from batuta.core.trigger_rules import TriggerRule as TriggerRule
    from batuta.engine.workspace import Workspace as Workspace
    from batuta.runtime.failures import FlowCancelled as FlowCancelled
    from batuta.runtime.failures import FlowTimeout as FlowTimeout
    from batuta.runtime.failures import TaskFailed as TaskFailed
    from batuta.runtime.failures import TaskTimeout as TaskTimeout
    from batuta.runtime.logs import get_logger as get_logger
    from batuta.runtime.project import find_project as find_project

    context = current

__all__ = [*sorted(_WHERE), "__version__"]


def __getattr__(name: str) -> Any:
    where = _WHERE.get(name)
    if where is None:
        raise AttributeError(f"module 'batuta' has no attribute {name!r}{_nearest(name)}")
    module, colon, attribute = where.partition(":")
    found = importlib.import_module(f"batuta.{module}")
    value = found if colon and not attribute else getattr(found, attribute or name)
    globals()[name] = value
    return value


def _nearest(name: str) -> str:
    from batuta.core.errors import nearest

    hint = None if name.startswith("_") else nearest(name, _WHERE)
    return f"; {hint}" if hint else ""


def __dir__() -> list[str]:
    return __all__
