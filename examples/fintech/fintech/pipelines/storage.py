"""Where things are kept: files as they arrive, and tables as Parquet, below `lakehouse`, the two tables of the whole
year in a DuckDB warehouse, and what people read (reports, settlement files) below `out`.

The surprising rule: tables by day are files and not rows of the warehouse, because a DuckDB file has one writer at a
time, and two workers that make days of gold would wait for each other.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, PositiveInt

from batuta import Resources, find_project
from batuta.io import DuckDBIO


class Unattended(BaseModel):
    """How time goes by where the service runs the platform; seconds. See `[settings.unattended]` in batuta.toml."""

    day_s: PositiveInt = 60
    look_s: float = 2.0
    report_s: int = 0
    year_tables: str = "*/10 * * * *"


PROJECT = find_project(__file__)
UNATTENDED = Unattended(**PROJECT.config.settings.get("unattended", {}))
LAKEHOUSE = Path(PROJECT.data_path)
LANDING = LAKEHOUSE / "landing"
OUT = Path(PROJECT.root, "out", PROJECT.profile)

resources = Resources(warehouse=DuckDBIO(LAKEHOUSE / "warehouse.duckdb"))


def content_version(files: Iterable[Path]) -> str:
    """A data version for files that no IO manager writes: it changes when a name or the content of one does."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(files):
        digest.update(f"{file.name}:{file.stat().st_size};".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
