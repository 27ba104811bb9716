"""An IO manager with a file per asset and partition: `FileIO` knows where, `write` and `read` know the format."""

from __future__ import annotations

import csv
import io
from typing import Any

from batuta.io import FileIO, InputContext, OutputContext
from batuta.io.file_io import Written


class CSVIO(FileIO):
    """Stores lists of dicts as CSV; loads them as lists of dicts, all of whose values are text."""

    extension = ".csv"

    def write(self, path: str, value: list[dict[str, Any]], context: OutputContext) -> Written:
        columns = list(value[0]) if value else []
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(value)
        return Written(rows=len(value), columns=[(name, "str") for name in columns])

    def read(self, sources: dict[str, str | io.BytesIO], context: InputContext) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = []
        for source in sources.values():
            if isinstance(source, str):
                with open(source, newline="", encoding="utf-8") as file:
                    rows += csv.DictReader(file)
            else:
                rows += csv.DictReader(io.TextIOWrapper(source, encoding="utf-8"))
        return rows
