"""How two versions of a query differ, line by line, once both are laid out in one way.

So layout and comments do not count.
"""

from __future__ import annotations

import difflib
import re

from batuta.core.errors import DefinitionError
from batuta.sql.parse import parameters_in, parse_query, sqlglot

CONTEXT_LINES = 2


def sql_difference(before: str, after: str, dialect: str) -> list[str]:
    """Lines that begin with "-", "+" or " ", and "@@" between places that are far apart; none where they are alike.

    What cannot be read is compared as it is written.
    """
    return line_difference(laid_out(before, dialect), laid_out(after, dialect))


def line_difference(before: str, after: str) -> list[str]:
    """The same of any two texts."""
    lines = [*difflib.unified_diff(_lines(before), _lines(after), lineterm="", n=CONTEXT_LINES)][2:]
    return ["@@" if line.startswith("@@") else line for line in lines][1:]


def laid_out(text: str, dialect: str) -> str:
    """A query with one column, table or condition to a line, and without comments."""
    glot = sqlglot()
    try:
        query = parse_query(text, dialect)
        written: str = query.sql(dialect=dialect, pretty=True, comments=False)
    except (DefinitionError, RecursionError, glot.errors.SqlglotError):
        return text.strip()
    for name, _, _ in parameters_in(glot.tokenize(text, read=dialect)):
        written = re.sub(rf"\${name}\b", f":{name}", written)
    return written


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]
