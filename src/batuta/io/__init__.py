"""IO managers: where assets are kept. Light to import: table libraries are loaded when a table is stored or loaded."""

from typing import Any

from batuta.io.base import InputContext, IOManager, MissingDataError, OutputContext, Stored
from batuta.io.delta import DeltaIO
from batuta.io.duck import DuckDBIO
from batuta.io.file_io import FileIO
from batuta.io.files import StorageError
from batuta.io.iceberg import IcebergIO
from batuta.io.parquet import ParquetIO
from batuta.io.postgres import PostgresIO
from batuta.io.values import JSONIO, MemoryIO, PickleIO
from batuta.io.versions import TableVersion, VersionedIO

__all__ = [
    "JSONIO",
    "DeltaIO",
    "DuckDBIO",
    "FileIO",
    "IOManager",
    "IcebergIO",
    "InputContext",
    "MemoryIO",
    "MissingDataError",
    "OutputContext",
    "ParquetIO",
    "PickleIO",
    "PostgresIO",
    "StorageError",
    "Stored",
    "TableVersion",
    "VersionedIO",
]


def __getattr__(name: str) -> Any:
    """Those that plugins bring. Raises PluginError for one that is broken."""
    from batuta import plugins

    return plugins.attribute("batuta.io_managers", name, __name__)
