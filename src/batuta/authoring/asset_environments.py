"""What steps do with environments beside making assets in them: promote, clear, and use again what was made elsewhere.

Data are copied under another key by the IO manager; what is recorded of them, their versions above all, stays the same.
So whoever is downstream sees no difference between data that were copied and data that were made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from batuta.authoring.asset_definitions import Asset
from batuta.authoring.metadata import normalized
from batuta.authoring.metadata import path as path_metadata
from batuta.core.environments import CLEAR, PROMOTE, stored_key
from batuta.core.errors import RequestError, ResultError
from batuta.io.base import MissingDataError, OutputContext, Stored

if TYPE_CHECKING:
    from batuta.authoring.asset_run import AssetCode, Inputs
    from batuta.authoring.asset_values import AssetOut
    from batuta.authoring.context import StepContext


def has_other_work(context: StepContext) -> bool:
    """Whether a run is not there to make assets, but to promote them or to clear an environment."""
    return PROMOTE in context.config or CLEAR in context.config


def do_other_work(code: AssetCode, context: StepContext) -> None:
    """What such a run asks of the step of an asset."""
    asked = context.config.get(PROMOTE) or context.config[CLEAR]
    environment, partitions = str(asked["environment"]), asked["partitions"]
    work = _promote if PROMOTE in context.config else _clear
    for out in _outs(code):
        keys = partitions.get(out.key)
        if keys is not None:
            work(code, context, out, environment, keys)


def _outs(code: AssetCode) -> Sequence[AssetOut]:
    definition = code.definition
    return (definition.out,) if isinstance(definition, Asset) else tuple(definition.outs.values())


def _promote(code: AssetCode, context: StepContext, out: AssetOut, environment: str, keys: Sequence[str]) -> None:
    """Copy what the environment has to production, all partitions in one go, and record it as it is recorded there."""
    answer = context.ask("environment_records", environment=environment, asset=out.key, partitions=list(keys))
    records = {key: record for key, record in zip(keys, answer["records"], strict=True) if record is not None}
    there = context.ask("asset_records", wanted=[[out.key, key] for key in records])["records"]
    same = ("data_version", "code_version", "inputs")
    wanted = {
        key: record
        for (key, record), now in zip(records.items(), there, strict=True)
        if now is None or any(now[name] != record[name] for name in same)
    }
    if not wanted:
        context.log.info("%s: production has it already", out.key)
        return
    stored = _copied(code, context, out, environment, "", tuple(wanted))
    for key, record in wanted.items():
        _record(context, out, key, record, _part(stored, key), {"promoted_from": environment})
    for verdict in answer["verdicts"]:
        if verdict["partition"] in wanted:
            context.checked(out.key, **verdict)


def _clear(code: AssetCode, context: StepContext, out: AssetOut, environment: str, keys: Sequence[str]) -> None:
    """Delete the data that the environment has. Raises RequestError for an IO manager that cannot."""
    key = stored_key(out.key, environment)
    manager = code.graph.io_of(out.key)
    try:
        manager.delete(OutputContext(asset=key, partitions=tuple(one for one in keys if one)))
        manager.delete(OutputContext(asset=key))
    except RequestError as error:
        hint = f"{error.hint}; then `batuta env drop {environment} --keep-data`" if error.hint else None
        raise RequestError(error.what, where=context.key, hint=hint) from None


def made_elsewhere(code: AssetCode, context: StepContext, inputs: Inputs) -> bool:
    """Take what another environment, or production, made by the same code of the same inputs, where there is such."""
    definition = code.definition
    if not isinstance(definition, Asset):
        return False
    out = definition.out
    key = context.partition if context.partitions is not None else ""
    version = code.graph.code_version_of(definition, out)
    versions = inputs.versions_of(code.graph.deps_of(definition, out, code.binding))
    asked = {"asset": out.key, "partition": key, "code_version": version, "inputs": versions}
    record = context.ask("asset_elsewhere", **asked)["record"] if version else None
    if record is None or "path" not in record["metadata"]:  # not kept by an IO manager
        return False
    try:
        stored = _copied(code, context, out, record["environment"], context.environment, (key,))
    except (MissingDataError, RequestError):
        return False
    told = record["environment"] or "production"
    context.log.info("%s: the same was made in %s, and is used again", context.key, told)
    _record(context, out, key, record, stored, {"reused_from": told})
    return True


def _copied(
    code: AssetCode, context: StepContext, out: AssetOut, source: str, target: str, keys: Sequence[str]
) -> Stored:
    partitions = tuple(key for key in keys if key)
    stored: Stored = code.graph.io_of(out.key).copy(
        OutputContext(asset=stored_key(out.key, source), partitions=partitions),
        OutputContext(
            asset=stored_key(out.key, target),
            partitions=partitions,
            run_id=str(context.run_id),
            attempt=f"{context.run_id}.{context.key}.{context.attempt}",
        ),
    )
    return stored


def _part(stored: Stored, key: str) -> Stored:
    return stored.parts.get(key, stored)


def _record(
    context: StepContext,
    out: AssetOut,
    key: str,
    record: Mapping[str, Any],
    stored: Stored,
    more: Mapping[str, Any],
) -> None:
    """Record a copy: as what it is a copy of, but for where it is."""
    metadata = {**record["metadata"], **normalized(stored.metadata)}
    if stored.path:
        metadata["path"] = dict(path_metadata(stored.path))
    if not record["data_version"]:
        raise ResultError(f"{context.key}: nothing is known of the data of {out.key!r}")
    context.materialized(
        out.key,
        partition=key,
        metadata={**metadata, **more},
        data_version=record["data_version"],
        code_version=record["code_version"],
        inputs=record["inputs"],
    )
