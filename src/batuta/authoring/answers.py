"""Answers that people give to a paused flow, as text, JSON or values, turned into the type that was asked for."""

from __future__ import annotations

from typing import Any

from batuta.core.errors import ParameterError


def parse_answer(answer: Any, type_: Any, prompt: str) -> Any:
    """`answer` as `type_`. Raises ParameterError that says what was expected."""
    if type_ in (str, Any) and isinstance(answer, str):
        return answer
    import pydantic

    adapter = pydantic.TypeAdapter(type_)
    try:
        return adapter.validate_python(answer)
    except pydantic.ValidationError as first:
        if isinstance(answer, str):
            try:
                return adapter.validate_json(answer)
            except pydantic.ValidationError:
                pass
        told = "; ".join(error["msg"] for error in first.errors())
        name = getattr(type_, "__name__", str(type_))
        raise ParameterError(
            f"{answer!r} is not a {name}: {told}", where=f"input {prompt!r}", hint=f"give a value for a {name}"
        ) from None
