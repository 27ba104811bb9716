"""Parameters by type hints: coerced, refused with all that is wrong, and described for launch forms."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import polars as pl
import pytest
from pydantic import BaseModel, Field

from batuta.authoring.signature import parameter_schema, validate_arguments
from batuta.core.errors import ParameterError


class Base(Enum):
    """An enumeration."""

    EURO = "EUR"
    DOLLAR = "USD"


class Limits(BaseModel):
    """A model as a parameter."""

    low: float = 0
    high: float


def refresh(day: datetime.date, currencies: list[str], base: str = "EUR", *, limit: float | None = None) -> None: ...


def test_values_that_fit_are_passed_as_they_are_with_defaults() -> None:
    day = datetime.date(2026, 1, 1)
    currencies = ["USD"]
    values = validate_arguments(refresh, (day,), {"currencies": currencies})
    assert values == {"day": day, "currencies": ["USD"], "base": "EUR", "limit": None}


def test_values_are_coerced() -> None:
    values = validate_arguments(refresh, (), {"day": "2026-01-01", "currencies": ("USD",), "limit": "1.5"})
    assert values == {"day": datetime.date(2026, 1, 1), "currencies": ["USD"], "base": "EUR", "limit": 1.5}


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        validate_arguments(
            refresh, (), {"day": "tomorrow", "curencies": ["USD"], "limit": [1]}, where="p.py:3: flow 'r'"
        )
    text = str(caught.value)
    assert text.startswith("p.py:3: flow 'r': 4 wrong parameters:")
    assert "curencies: there is no such parameter; did you mean 'currencies'?" in text
    assert "day: expected datetime.date, got 'tomorrow' (str): Input should be a valid date" in text
    assert "currencies: missing (list[str])" in text
    assert "limit: expected float | None, got [1] (list): Input should be a valid number" in text
    assert "hint: the parameters are: day: datetime.date, currencies: list[str], base: str = 'EUR'" in text


def test_positions() -> None:
    with pytest.raises(ParameterError, match="3 values are given by position, but it takes 2"):
        validate_arguments(lambda a, b: None, (1, 2, 3))
    with pytest.raises(ParameterError, match="a: given twice, by position and by name"):
        validate_arguments(lambda a: None, (1,), {"a": 2})


def test_a_function_that_takes_anything() -> None:
    def anything(first: int, *rest: Any, **others: Any) -> None: ...

    assert validate_arguments(anything, ("1", 2), {"x": 3}) == {"first": 1, "rest": (2,), "x": 3}
    with pytest.raises(ParameterError, match=r"first: missing \(int\)"):
        validate_arguments(anything)


def test_what_others_fill_in_is_neither_missing_nor_checked() -> None:
    def body(context: int, n: int) -> None: ...

    assert validate_arguments(body, (), {"n": "1"}, ignore={"context"}) == {"n": 1}
    assert validate_arguments(body, (), {"n": "1", "context": "x"}, ignore={"context"}) == {"n": 1, "context": "x"}


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (str, "5", "5"),
        (str, "null", "null"),
        (int, "5", 5),
        (float, "1e3", 1000.0),
        (bool, "yes", True),
        (bool, "false", False),
        (datetime.date, "2026-01-01", datetime.date(2026, 1, 1)),
        (datetime.timedelta, "PT5M", datetime.timedelta(minutes=5)),
        (Decimal, "1.50", Decimal("1.50")),
        (Path, "a/b", Path("a/b")),
        (Base, "EUR", Base.EURO),
        (Literal["a", "b"], "b", "b"),
        (Optional[int], "5", 5),  # noqa: UP045
        (int | None, "null", None),
        (int | str, "5", "5"),
        (list[str], "EUR, USD", ["EUR", "USD"]),
        (list[str], '["EUR", "USD"]', ["EUR", "USD"]),
        (list[str], "EUR", ["EUR"]),
        (list[str] | None, "EUR,USD", ["EUR", "USD"]),
        (list[int], "1,2", [1, 2]),
        (list[Base], "EUR,USD", [Base.EURO, Base.DOLLAR]),
        (set[int], "[1, 2]", {1, 2}),
        (tuple[int, str], "1,x", (1, "x")),
        (Sequence[datetime.date], "2026-01-01", [datetime.date(2026, 1, 1)]),
        (dict[str, int], '{"a": 1}', {"a": 1}),
        (dict, '{"a": [1]}', {"a": [1]}),
        (Limits, '{"high": 2}', Limits(high=2)),
        (Annotated[int, Field(gt=0)], "5", 5),
        (Any, "[1]", [1]),
        (Any, "text", "text"),
    ],
)
def test_text_of_a_command_line(annotation: Any, text: str, value: Any) -> None:
    def body(x) -> None: ...  # type: ignore[no-untyped-def]

    body.__annotations__["x"] = annotation
    assert validate_arguments(body, (), {"x": text}, from_text=True) == {"x": value}


def test_text_without_hints_follows_the_default() -> None:
    def body(a, n=1, name="x", on=False, other=None) -> None: ...  # type: ignore[no-untyped-def]

    texts = {"a": "[1]", "n": "5", "name": "5", "on": "true", "other": "5"}
    assert validate_arguments(body, (), texts, from_text=True) == {
        "a": [1],
        "n": 5,
        "name": "5",
        "on": True,
        "other": 5,
    }
    assert validate_arguments(body, (), texts) == texts
    with pytest.raises(ParameterError, match=r"n: expected .*got 'many'"):
        validate_arguments(body, (), {"a": "1", "n": "many"}, from_text=True)


@pytest.mark.parametrize(
    ("annotation", "text", "told"),
    [
        (int, "five", "expected int, got 'five' (str): Input should be a valid integer"),
        (Limits, '{"low": 1}', "high: Field required"),
        (Limits, "{", "Invalid JSON"),
        (list[int], "1,x", "[1]: Input should be a valid integer"),
        (Base, "GBP", "Input should be 'EUR' or 'USD'"),
        (Annotated[int, Field(gt=0)], "-1", "Input should be greater than 0"),
    ],
)
def test_text_that_does_not_fit(annotation: Any, text: str, told: str) -> None:
    def body(x) -> None: ...  # type: ignore[no-untyped-def]

    body.__annotations__["x"] = annotation
    with pytest.raises(ParameterError) as caught:
        validate_arguments(body, (), {"x": text}, from_text=True)
    assert told in str(caught.value)


def test_frames_and_iterators_are_not_touched() -> None:
    def body(frame: pl.DataFrame, rows: Iterable[int]) -> None: ...

    frame, rows = pl.DataFrame({"a": [1]}), iter([1, 2])
    values = validate_arguments(body, (frame, rows))
    assert values["frame"] is frame
    assert list(values["rows"]) == [1, 2]
    with pytest.raises(ParameterError, match=r"frame: expected .*DataFrame, got \[1\] \(list\)"):
        validate_arguments(body, ([1], rows))


def test_a_hint_that_cannot_be_resolved_spoils_no_other() -> None:
    def body(a: NotDefined, n: int) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    assert validate_arguments(body, (), {"a": object, "n": "1"}) == {"a": object, "n": 1}
    assert parameter_schema(body)["properties"] == {"a": {}, "n": {"type": "integer"}}


def test_exact_values_need_no_pydantic() -> None:
    code = """
import sys, datetime
from batuta.authoring.signature import parameter_schema, validate_arguments
def body(n: int, day: datetime.date, name: str = "x", tags: list[str] | None = None): ...
validate_arguments(body, (1,), {"day": datetime.date(2026, 1, 1)})
parameter_schema(body)
print("pydantic" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_the_schema_of_a_launch_form() -> None:
    def launch(
        day: datetime.date,
        count: Annotated[int, Field(gt=0, description="how many")] = 3,
        base: Base = Base.EURO,
        mode: Literal["fast", "slow"] = "fast",
        tags: list[str] | None = None,
        weights: dict[str, float] = {"a": 1.0},  # noqa: B006
        limits: Limits = Limits(high=2),  # noqa: B008
        frame: pl.DataFrame | None = None,
        *,
        at: datetime.datetime = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        anything: Any = object,
    ) -> None: ...

    schema = parameter_schema(launch)
    assert json.loads(json.dumps(schema)) == schema
    assert schema["required"] == ["day"]
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert properties["day"] == {"type": "string", "format": "date"}
    assert properties["count"] == {
        "type": "integer",
        "exclusiveMinimum": 0,
        "description": "how many",
        "default": 3,
    }
    assert properties["base"]["default"] == "EUR"
    assert properties["base"]["enum"] == ["EUR", "USD"]
    assert properties["mode"] == {"enum": ["fast", "slow"], "default": "fast"}
    assert properties["tags"] == {
        "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}],
        "default": None,
    }
    assert properties["weights"]["default"] == {"a": 1.0}
    assert properties["limits"]["default"] == {"low": 0.0, "high": 2.0}
    assert properties["limits"]["properties"]["high"] == {"title": "High", "type": "number"}
    assert properties["frame"] == {"default": None}
    assert properties["at"]["default"] == "2026-01-01T00:00:00Z"
    assert properties["anything"] == {}


def test_models_inside_are_definitions() -> None:
    def body(all_limits: list[Limits]) -> None: ...

    schema = parameter_schema(body)
    assert schema["properties"]["all_limits"]["items"] == {"$ref": "#/$defs/Limits"}
    assert schema["$defs"]["Limits"]["required"] == ["high"]


def test_no_parameters() -> None:
    assert validate_arguments(lambda: None) == {}
    with pytest.raises(ParameterError, match="the parameters are: none"):
        validate_arguments(lambda: None, (), {"a": 1})
