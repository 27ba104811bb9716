"""Python values as SQL, and names that can be written in code."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from batuta.core.errors import DefinitionError
from batuta.io.duck_tables import quoted, text

NAME_CHARS_MAX = 60


def literal(value: Any, what: str) -> str:
    """The value as it stands in a query. Raises DefinitionError, which names `what`, for what no column holds."""
    match value:
        case None:
            return "NULL"
        case Enum():
            return literal(value.value, what)
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case float():
            return repr(value) if math.isfinite(value) else f"'{value}'::DOUBLE"
        case Decimal() if value.is_finite():
            return f"{value:f}"
        case str():
            return text(value)
        case datetime():
            return f"{'TIMESTAMPTZ' if value.tzinfo else 'TIMESTAMP'} {text(value.isoformat(' '))}"
        case date():
            return f"DATE '{value.isoformat()}'"
        case time():
            return f"TIME '{value.isoformat()}'"
        case timedelta():
            return f"to_microseconds({value // timedelta(microseconds=1)})"
        case UUID():
            return f"'{value}'::UUID"
        case bytes():
            return f"from_hex('{value.hex()}')"
    if type(value).__module__.partition(".")[0] == "numpy" and getattr(value, "ndim", None) == 0:
        return literal(value.item(), what)
    raise DefinitionError(
        f"{what} is a {type(value).__name__}, which no column of a table holds",
        hint="give text, numbers, dates, times or True and False",
    )


def columns_sql(columns: tuple[str, ...]) -> str:
    """The columns as one thing that can be compared and counted."""
    names = ", ".join(map(quoted, columns))
    return names if len(columns) == 1 else f"({names})"


def is_text(value: object) -> bool:
    """Whether it is text that says something."""
    return isinstance(value, str) and bool(value.strip())


def is_float(kind: str) -> bool:
    """Whether a column of this DuckDB type may hold NaN."""
    return kind in ("DOUBLE", "FLOAT")


def name_of(kind: str, *parts: str) -> str:
    """A name for a rule that says what it is about: `not_null_id`, `expression_net_gross_fees`."""
    words = re.sub(r"\W+", "_", " ".join(parts)).strip("_").lower()
    name = f"{kind}_{words}" if words else kind
    if len(name) <= NAME_CHARS_MAX:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=3).hexdigest()
    return f"{name[: NAME_CHARS_MAX - 7].rstrip('_')}_{digest}"
