"""Typed parameters of a DAG: declared as a dict, as a pydantic model, or by the signature of a `@dag` function.

A dict becomes a signature too, so that flows and DAGs check, describe and complain alike. Surprising: pydantic is
imported when parameters are first checked or described, not when they are declared.
"""

from __future__ import annotations

import functools
import inspect
import json
import reprlib
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, get_origin

from batuta.authoring.annotations import parameter_annotation
from batuta.authoring.dag_refs import ParamRef
from batuta.core.errors import DefinitionError, ParameterError, nearest

_REQUIRED = inspect.Parameter.empty
_CONSTRAINTS = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern")


class Param:
    """A parameter with a default and limits: `Param(100, ge=1)`, `Param(type=date, description="the day to load")`.

    `type` is that of the default where none is given; without a default the parameter is required. `choices` lists all
    values that are allowed.
    """

    def __init__(
        self,
        default: Any = _REQUIRED,
        *,
        type: Any = None,
        description: str = "",
        choices: list[Any] | tuple[Any, ...] | None = None,
        **constraints: Any,
    ) -> None:
        for name in constraints:
            if name not in _CONSTRAINTS:
                hint = nearest(name, _CONSTRAINTS) or f"there are {', '.join(_CONSTRAINTS)}, choices"
                raise DefinitionError(f"unknown limit {name!r} of a parameter", hint=hint)
        self.default = default
        self.type = type
        self.description = description
        self.choices = tuple(choices) if choices is not None else None
        self.constraints = constraints

    def annotation(self) -> Any:
        """The type that values must have."""
        if self.choices is not None:
            return Literal[self.choices]
        if self.type is not None:
            return self.type
        return Any if self.default in (_REQUIRED, None) else type(self.default)


class Params(Mapping[str, Any]):
    """The parameters of one DAG. As a mapping it gives refs, to be passed to steps: `dag.params["day"]`."""

    def __init__(self, names: list[str], where: str) -> None:
        for name in names:
            if not name.isidentifier() or name.startswith("_"):
                raise DefinitionError(
                    f"a parameter cannot be called {name!r}", where=where, hint="use letters, digits and _, e.g. 'day'"
                )
        self._names = names
        self._where = where

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            hint = nearest(name, self._names) or f"there are {', '.join(self._names) or 'none'}"
            raise DefinitionError(f"there is no parameter {name!r}", where=self._where, hint=hint)
        return ParamRef(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def schema(self) -> dict[str, Any]:
        """JSON schema of all of them as one object."""
        raise NotImplementedError

    def validate(self, given: Mapping[str, Any], from_text: bool) -> dict[str, Any]:
        """All parameters, converted and completed by defaults. Raises ParameterError that lists each wrong one."""
        raise NotImplementedError


class SignedParams(Params):
    """Parameters with a type and a default each."""

    def __init__(self, fields: dict[str, tuple[Param, Callable[[], Any]]], where: str) -> None:
        """`fields`: for each name what was said of it, and what gives its annotation (None: as the Param says)."""
        super().__init__(list(fields), where)
        self._fields = fields
        self._function: Callable[..., None] | None = None

    def schema(self) -> dict[str, Any]:
        from batuta.authoring.signature import parameter_schema

        return parameter_schema(self._signed())

    def validate(self, given: Mapping[str, Any], from_text: bool) -> dict[str, Any]:
        from batuta.authoring.signature import validate_arguments

        return validate_arguments(self._signed(), (), given, where=self._where, from_text=from_text)

    def _signed(self) -> Callable[..., None]:
        """A function with such parameters."""
        if self._function is None:
            parameters = []
            for name, (param, annotation) in self._fields.items():
                parameters.append(
                    inspect.Parameter(
                        name,
                        inspect.Parameter.KEYWORD_ONLY,
                        default=param.default,
                        annotation=_annotated(param, annotation()),
                    )
                )

            def signed(**_given: Any) -> None:
                """Stands for the DAG."""

            signed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
            signed.__annotations__ = {p.name: p.annotation for p in parameters if p.annotation is not _REQUIRED}
            self._function = signed
        return self._function


def _annotated(param: Param, annotation: Any) -> Any:
    """The annotation with limits and description; none at all where nothing is known."""
    if param.choices is not None or annotation is None:
        annotation = param.annotation()
    if param.default is None and annotation is not Any:
        annotation = annotation | None
    if not param.constraints and not param.description:
        return _REQUIRED if annotation is Any else annotation
    import pydantic

    field: Any = pydantic.Field
    more = {"description": param.description} if param.description else {}
    return Annotated[annotation, field(**param.constraints, **more)]


class ModelParams(Params):
    """Parameters declared as a pydantic model."""

    def __init__(self, model: Any, where: str) -> None:
        super().__init__(list(model.model_fields), where)
        self._model = model

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = self._model.model_json_schema()
        return {**found, "additionalProperties": False}

    def validate(self, given: Mapping[str, Any], from_text: bool) -> dict[str, Any]:
        wrong = []
        for name in given:
            if name not in self._names:
                close = nearest(name, self._names, 1)
                wrong.append(f"{name}: there is no such parameter" + (f"; {close}" if close else ""))
        known = {name: value for name, value in given.items() if name in self._names}
        checked, errors = self._checked(known)
        if errors and from_text and (read := _read_texts(known, errors)) != known:
            again, left = self._checked(read)
            checked, errors = (again, left) if len(left) <= len(errors) else (checked, errors)
        wrong += [_told(error) for error in errors]
        if wrong:
            text = wrong[0] if len(wrong) == 1 else "\n  ".join([f"{len(wrong)} wrong parameters:", *wrong])
            raise ParameterError(text, where=self._where, hint=f"the parameters are: {', '.join(self._names)}")
        return {name: getattr(checked, name) for name in self._names}

    def _checked(self, values: dict[str, Any]) -> tuple[Any, list[Any]]:
        import pydantic

        try:
            return self._model.model_validate(values), []
        except pydantic.ValidationError as error:
            return None, error.errors(include_url=False)


def _read_texts(given: dict[str, Any], errors: list[Any]) -> dict[str, Any]:
    """Texts that were refused, read as JSON where they are JSON: `[1, 2]`, `{"a": 1}`, `null`."""
    read = dict(given)
    for name in {str(error["loc"][0]) for error in errors if error["loc"]}:
        if isinstance(read.get(name), str):
            try:
                read[name] = json.loads(read[name])
            except ValueError:
                continue
    return read


def _told(error: Any) -> str:
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "missing":
        return f"{name}: missing"
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {said} (got {reprlib.repr(error['input'])})" if name else said


def declared(given: Any, where: str) -> Params:
    """The params of a DAG from what `params=` was given. Raises DefinitionError."""
    if given is None or isinstance(given, Mapping):
        fields = {str(name): (_param(value), _nothing) for name, value in (given or {}).items()}
        return SignedParams(fields, where)
    if isinstance(given, type) and hasattr(given, "model_fields"):
        return ModelParams(given, where)
    raise DefinitionError(
        f"params is a {type(given).__name__}",
        where=where,
        hint='give a dict such as {"day": date, "limit": Param(100, ge=1)}, or a pydantic model class',
    )


def of_signature(function: Callable[..., Any], where: str) -> Params:
    """The params of a `@dag` function: its parameters, by name, type and default."""
    fields: dict[str, tuple[Param, Callable[[], Any]]] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise DefinitionError(
                f"the DAG's function takes *{name}", where=where, hint="give its parameters names and types"
            )
        param = parameter.default if isinstance(parameter.default, Param) else Param(parameter.default)
        fields[name] = (param, functools.partial(parameter_annotation, function, name))
    return SignedParams(fields, where)


def _nothing() -> None:
    return None


def _param(value: Any) -> Param:
    if isinstance(value, Param):
        return value
    is_type = isinstance(value, (type, types.UnionType, types.GenericAlias)) or get_origin(value) is not None
    return Param(type=value) if is_type else Param(value)
