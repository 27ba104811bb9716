"""The config of an asset: the pydantic model that its parameter `config` is annotated with, filled.

Later beats earlier: the model's defaults, `@asset(config=...)`, the project's settings (`[settings.assets."gold.x"]`),
the run's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batuta.authoring.annotations import parameter_annotation
from batuta.authoring.asset_definitions import AssetFunction
from batuta.core.errors import DefinitionError, ParameterError


def configured(definition: AssetFunction[..., Any], *overlays: Mapping[str, Any] | None) -> Any:
    """The value of the parameter `config`. Raises ParameterError for values that do not fit the model."""
    model = parameter_annotation(definition.fn, "config")
    declared = definition.config
    if isinstance(declared, type):
        model, declared = declared, None
    elif model is None and declared is not None and not isinstance(declared, Mapping):
        model = type(declared)
    values: dict[str, Any] = {}
    for layer in (_plain(declared), *overlays):
        values.update(layer or {})
    if model is None or model is dict or not isinstance(model, type):
        return values
    if declared is not None and isinstance(declared, model) and not any(overlays):
        return declared
    where = f"{definition.place}: config of {definition.step!r}"
    if not hasattr(model, "model_validate"):
        raise DefinitionError(
            f"{model.__name__} is no pydantic model", where=where, hint="annotate config with a pydantic.BaseModel"
        )
    try:
        return model.model_validate(values)
    except ValueError as error:
        raise ParameterError(_reasons(error), where=where) from None


def _plain(declared: Any) -> Mapping[str, Any] | None:
    if declared is None or isinstance(declared, Mapping):
        return declared
    found: Mapping[str, Any] = declared.model_dump(exclude_unset=True)
    return found


def _reasons(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'config'}: {one['msg']}" for one in errors())
