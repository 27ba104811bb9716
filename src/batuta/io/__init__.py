"""IO managers: where assets are kept. Light to import: table libraries are loaded when a table is stored or loaded."""

from typing import Any

from batuta.io.base import InputContext, IOManager, MissingDataError, OutputContext, Stored
from batuta.io.duck import DuckDBIO
from batuta.io.file_io import FileIO
from batuta.io.files import StorageError
from batuta.io.parquet import ParquetIO
from batuta.io.postgres import PostgresIO
from batuta.io.values import JSONIO, MemoryIO, PickleIO

__all__ = [
    "JSONIO",
    "DuckDBIO",
    "FileIO",
    "IOManager",
    "InputContext",
    "MemoryIO",
    "MissingDataError",
    "OutputContext",
    "ParquetIO",
    "PickleIO",
    "PostgresIO",
    "StorageError",
    "Stored",
]


def __getattr__(name: str) -> Any:
    """Those that plugins bring. Raises PluginError for one that is broken."""
    from batuta import plugins

    return plugins.attribute("batuta.io_managers", name, __name__)
