"""Iceberg tables in a catalog: `gold.revenue` is table `revenue` of namespace `gold`.

Without a catalog of your own, one is kept in an SQLite file in the warehouse. Surprising: a write that replaces rows is
two snapshots in one commit (they go, they come); the version of the write is the second.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import msgspec

from batuta.core.errors import DefinitionError, ResultError
from batuta.io import frames, ports
from batuta.io.base import MissingDataError
from batuta.io.files import escape
from batuta.io.lake import EMPTY, NOTE, Change, LakeIO
from batuta.io.lake_types import nearest_type, typed_keys
from batuta.io.versions import TableVersion, Tended, Upkeep

CATALOG_FILE = "catalog.sqlite"
NAMESPACE = "default"
EXTENSION = ".iceberg"
PROPERTIES = {"commit.manifest-merge.enabled": "true"}
"""Of a table that is made: each write leaves a manifest, all of which are looked through by the next."""
_OBJECT_STORES = ("s3.", "gcs.", "adls.")
"""What properties of a catalog begin with that say how to reach one."""


class IcebergIO(LakeIO):
    """Stores any table in an Iceberg table; loads it as what the consumer is annotated with, also as it once was.

    `warehouse`: a folder or a URL (`s3://bucket/lake`). `catalog`: its properties as pyiceberg knows them
    (`{"type": "sql", "uri": "postgresql+psycopg://..."}`, `{"type": "rest", ...}`); by default an SQLite file in a
    warehouse that is a folder. `connection`: the name of one that says where the warehouse is, and the keys for it.
    `namespace`: all tables go there; without it the first part of an asset's key is the namespace. `partition_column`:
    a column of the data whose text is the partition key, instead of a hidden one.
    """

    format_name = "Iceberg"
    extra = "iceberg"
    modules = ("pyiceberg.catalog.sql", "pyiceberg.io.pyarrow", "pyiceberg.table")

    def __init__(
        self,
        warehouse: str | os.PathLike[str] = "",
        *,
        catalog: Mapping[str, str] | None = None,
        connection: Any = None,
        namespace: str | None = None,
        partition_column: str | None = None,
    ) -> None:
        super().__init__(partition_column)
        if not os.fspath(warehouse) and connection is None and not catalog:
            hint = "give a folder or a URL, catalog= or connection="
            raise DefinitionError("IcebergIO is not told where to keep tables", hint=hint)
        if "://" in os.fspath(warehouse) and not catalog:
            hint = 'give catalog={"type": "sql", "uri": ...} or that of a REST catalog'
            raise DefinitionError(f"IcebergIO in {os.fspath(warehouse)} needs a catalog", hint=hint)
        self.warehouse = os.fspath(warehouse)
        self.catalog_properties = dict(catalog or {})
        self.connection = connection
        self.namespace = namespace
        self._opening = threading.Lock()
        self._opened: tuple[int, Any] | None = None

    def __repr__(self) -> str:
        return f"IcebergIO({self.warehouse or _without_password(self.catalog_properties) or str(self.connection)!r})"

    def __getstate__(self) -> dict[str, Any]:
        """Without what is open."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_opening", "_opened")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _opening=threading.Lock(), _opened=None)

    def _properties(self) -> dict[str, str]:
        """Of the catalog."""
        warehouse, found = self.warehouse, {}
        if self.connection is not None:
            known = ports.connection_of(self.connection)
            warehouse = "/".join(part for part in (known.path.rstrip("/"), warehouse.strip("/")) if part)
            found = file_io_properties(known.kind, known.storage_options)
        if warehouse and "://" not in warehouse:
            warehouse = os.path.abspath(os.path.expanduser(warehouse))
        if not self.catalog_properties:
            if "://" in warehouse:
                hint = 'give catalog={"type": "sql", "uri": ...} or that of a REST catalog'
                raise DefinitionError(f"IcebergIO in {warehouse} needs a catalog", hint=hint)
            found = {"type": "sql", "uri": f"sqlite:///{warehouse}/{CATALOG_FILE}"}
            found["py-io-impl"] = "pyiceberg.io.pyarrow.PyArrowFileIO"
        return {**found, **({"warehouse": warehouse} if warehouse else {}), **self.catalog_properties}

    @property
    def catalog(self) -> Any:
        """The catalog, opened once in a process: one that was forked opens its own."""
        with self._opening:
            if self._opened is None or self._opened[0] != os.getpid():
                from pyiceberg.catalog import load_catalog

                properties = self._properties()
                uri = properties.get("uri", "")
                if uri.startswith("sqlite:///"):
                    os.makedirs(os.path.dirname(uri.removeprefix("sqlite:///")) or ".", exist_ok=True)
                self._opened = (os.getpid(), load_catalog("batuta", **properties))
            return self._opened[1]

    def _identifier(self, asset: str) -> tuple[str, ...]:
        """The name of the table of an asset in the catalog: its namespace, and its own."""
        if self.namespace is not None:
            return (*self.namespace.split("."), asset)
        namespace, dot, name = asset.partition(".")
        return (namespace, name) if dot else (NAMESPACE, asset)

    def place_of(self, asset: str) -> str:
        """The catalog and the name of the table there."""
        properties = self._properties()
        base = properties.get("warehouse") or _without_password(properties)
        return f"{base}#{'.'.join(self._identifier(asset))}"

    # ---- reading ----

    def _open(self, asset: str, version: str = "") -> Any:
        from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

        try:
            table = self.catalog.load_table(self._identifier(asset))
        except (NoSuchTableError, NoSuchNamespaceError):
            return None
        if not version:
            return AsOf(table)
        if not version.isdecimal() or table.snapshot_by_id(int(version)) is None:
            found = self.versions(asset, 3)
            raise MissingDataError(
                f"{self.place_of(asset)} has no snapshot {version} (any more)",
                hint=f"the last are {', '.join(one.version for one in found)}" if found else None,
            )
        return AsOf(table, int(version))

    def _type_of(self, kind: Any) -> Any:
        import pyarrow as pa
        import pyarrow.types as t

        if t.is_int8(kind) or t.is_int16(kind):
            return pa.int32()
        if t.is_time(kind):
            return pa.time64("us")
        known = (
            t.is_null, t.is_boolean, t.is_int32, t.is_int64, t.is_float32, t.is_float64, t.is_decimal128, t.is_string,
            t.is_binary, t.is_date32, t.is_timestamp,
        )  # fmt: skip
        return kind if any(check(kind) for check in known) else None

    def _schema(self, table: AsOf) -> Any:
        pa = frames.pyarrow()
        schema = table.scan().projection().as_arrow()
        return pa.schema([(one.name, nearest_type(one.type, self._type_of) or one.type) for one in schema])

    def _partitioned_by(self, table: AsOf) -> list[str]:
        schema, fields = table.table.schema(), table.table.spec().fields
        return [str(schema.find_column_name(field.source_id)) for field in fields]

    def _where(self, table: AsOf, marker: str, keys: Sequence[str]) -> Any:
        return among(marker, typed_keys(keys, self._schema(table).field(marker).type)) if keys else everything()

    def _rows(self, table: AsOf, marker: str, keys: Sequence[str]) -> Any:
        return table.scan(self._where(table, marker, keys)).to_arrow()

    def _lazy(self, table: AsOf, marker: str, keys: Sequence[str]) -> Any:
        import polars as pl

        if find_spec("polars_iceberg") is None:  # else it would warn, where the frame is computed, of what we know
            os.environ.setdefault("POLARS_ICEBERG_PLANNER", "pyiceberg")
        properties = table.table.io.properties
        options = {name: value for name, value in properties.items() if name.startswith(_OBJECT_STORES)}
        frame = pl.scan_iceberg(table.table, snapshot_id=table.snapshot, storage_options=options or None)
        if not keys:
            return frame
        return frame.filter(pl.col(marker).is_in(typed_keys(keys, self._schema(table).field(marker).type)))

    def _partitions(self, table: AsOf, marker: str) -> set[str]:
        empty = {
            name.removeprefix(EMPTY)
            for name, value in table.table.properties.items()
            if name.startswith(EMPTY) and value == "true"
        }
        return empty | set(self._bytes(table, marker))

    def _bytes(self, table: AsOf, marker: str, keys: Sequence[str] = ()) -> dict[str, int]:
        found: dict[str, int] = {}
        places = {str(name): place for place, name in enumerate(self._partitioned_by(table))}
        for task in table.scan(self._where(table, marker, keys)).plan_files():
            key = "?" if marker else ""
            if marker in places:
                key = _text(task.file.partition[places[marker]], self._schema(table).field(marker).type)
            found[key] = found.get(key, 0) + task.file.file_size_in_bytes
        if "?" in found:  # partitioned by something else
            there = self._rows(table, marker, keys).column(marker).cast("string").unique().to_pylist()
            return dict.fromkeys((key for key in there if key is not None), 0)
        return found

    # ---- writing ----

    def _commit(self, asset: str, table: AsOf | None, change: Change) -> tuple[Any, str]:
        new = _transaction(table.table) if table is not None else self._begin(asset, change)
        with new as transaction:
            if table is not None and change.how in ("replace", "add", "widen"):
                self._evolve(transaction, table, change)
            if change.empty:
                transaction.set_properties({EMPTY + key: "true" for key in change.empty})
            keyed = change.partitions and change.how not in ("create", "replace")
            where = everything()
            if keyed:
                kind = change.table.schema.field(change.marker).type
                where = among(change.marker, typed_keys(change.partitions, kind))
            if table is None or not self._has_rows(table, change.marker, change.partitions if keyed else ()):
                transaction.append(change.table, snapshot_properties=change.notes)
            else:
                transaction.overwrite(change.table, overwrite_filter=where, snapshot_properties=change.notes)
        version = transaction.table_metadata.current_snapshot_id
        return AsOf(self.catalog.load_table(self._identifier(asset)), version), str(version)

    def _begin(self, asset: str, change: Change) -> Any:
        """The transaction in which the table is made."""
        from pyiceberg.transforms import IdentityTransform

        identifier = self._identifier(asset)
        self.catalog.create_namespace_if_not_exists(identifier[:-1])
        transaction = self.catalog.create_table_transaction(
            identifier, schema=change.table.schema, location=self._location(identifier), properties=PROPERTIES
        )
        if change.marker:
            with transaction.update_spec() as update:
                update.add_field(change.marker, IdentityTransform(), change.marker)
        return transaction

    def _location(self, identifier: tuple[str, ...]) -> str | None:
        """The folder of a table, which lies in that of no other; None: the catalog says. Raises ResultError."""
        properties = self._properties()
        if properties.get("type") != "sql" or "warehouse" not in properties:
            return None
        place = f"{properties['warehouse']}/{'/'.join(map(escape, identifier))}{EXTENSION}"
        held = set(os.listdir(place)) - {"data", "metadata"} if os.path.isdir(place) else set()
        if held:
            what = "a Delta table" if "_delta_log" in held else ", ".join(sorted(held)[:3])
            hint = "move it away, or keep the asset in another warehouse"
            raise ResultError(f"{place} holds {what}, and is no Iceberg table", hint=hint)
        return place

    def _evolve(self, transaction: Any, table: AsOf, change: Change) -> None:
        """Give the table the columns of the change, and its partitions."""
        from pyiceberg.transforms import IdentityTransform

        replaces = change.how == "replace"
        here = self._schema(table)
        come = {field.name: field.type for field in change.table.schema}
        # What partitions, now or once, stays for the sake of older snapshots, and is null from now on.
        schema = table.table.schema()
        marks = {field.source_id for spec in table.table.specs().values() for field in spec.fields}
        gone = [
            one.name
            for one in here
            if replaces and come.get(one.name) != one.type and schema.find_field(one.name).field_id not in marks
        ]
        partitioned = self._partitioned_by(table)
        if replaces and partitioned != ([change.marker] if change.marker else []):
            with transaction.update_spec() as update:
                for field in table.table.spec().fields:
                    update.remove_field(field.name)
        if gone:
            with transaction.update_schema(allow_incompatible_changes=True) as update:
                for name in gone:
                    update.delete_column(name)
        with transaction.update_schema() as update:
            update.union_by_name(change.table.schema)
        if replaces and change.marker and partitioned != [change.marker]:
            with transaction.update_spec() as update:
                update.add_field(change.marker, IdentityTransform(), change.marker)

    def _remove(self, asset: str, table: AsOf, marker: str, keys: Sequence[str], notes: Mapping[str, str]) -> None:
        noted = [EMPTY + key for key in keys if EMPTY + key in table.table.properties]
        with table.table.transaction() as transaction:
            if noted:
                transaction.remove_properties(*noted)
            if self._has_rows(table, marker, keys):
                transaction.delete(self._where(table, marker, keys), snapshot_properties=dict(notes))

    def _has_rows(self, table: AsOf, marker: str, keys: Sequence[str]) -> bool:
        """Whether these partitions (none: the table) have any: what is not there is not to be deleted."""
        there = set(self._bytes(table, marker if keys else "", keys))
        return bool(there & set(keys) if keys else there)

    def _drop(self, asset: str) -> None:
        self.catalog.purge_table(self._identifier(asset))

    def _is_conflict(self, error: Exception) -> bool:
        from pyiceberg.exceptions import CommitFailedException, TableAlreadyExistsError

        if isinstance(error, CommitFailedException | TableAlreadyExistsError):
            return True
        in_sqlite = type(error).__name__ in ("OperationalError", "IntegrityError")  # also where two make the catalog
        return in_sqlite and any(told in str(error) for told in ("is locked", "already exists", "UNIQUE"))

    # ---- versions ----

    def versions(self, asset: str, limit: int | None = None) -> list[TableVersion]:
        with self._explained(asset):
            table = self._open(asset)
            return [] if table is None else _versions_of(table.table)[:limit]

    def _last_commit(self, table: AsOf) -> TableVersion | None:
        return next(iter(_versions_of(table.table)), None)

    def tend(self, asset: str, upkeep: Upkeep) -> Tended | None:
        from batuta.io.iceberg_upkeep import tend

        return self._committed(lambda: tend(self, asset, upkeep), asset)


class AsOf:
    """A table, as it is or as it was in a snapshot."""

    def __init__(self, table: Any, snapshot: int | None = None) -> None:
        self.table = table
        self.snapshot = snapshot

    def scan(self, where: Any = None) -> Any:
        """What reads it."""
        return self.table.scan(everything() if where is None else where, snapshot_id=self.snapshot)


def _transaction(table: Any) -> Any:
    """A transaction that works out what the table will be once for each change, not each time that it is asked."""
    from pyiceberg.table import Transaction

    class Remembering(Transaction):
        _known: tuple[Any, Any] = (None, None)

        @property
        def table_metadata(self) -> Any:
            if self._known[0] is not self._updates:
                self._known = (self._updates, super().table_metadata)
            return self._known[1]

    return Remembering(table)


def everything() -> Any:
    """A row filter."""
    from pyiceberg.expressions import AlwaysTrue

    return AlwaysTrue()


def among(column: str, values: Sequence[Any]) -> Any:
    """A row filter: a column has one of these values, of which one may be None."""
    from pyiceberg import expressions

    made: Any = expressions
    found = made.In(column, [one for one in values if one is not None])
    return made.Or(found, made.IsNull(column)) if None in values else found


def _without_password(properties: Mapping[str, str]) -> str:
    """The address of a catalog, for people."""
    return re.sub(r"//[^/@]*@", "//", properties.get("uri", ""))


def _text(value: Any, kind: Any) -> str:
    """The text of the value of a partition, which for a date is a number of days."""
    import pyarrow as pa

    return str(pa.scalar(value, pa.int32()).cast(kind)) if pa.types.is_date(kind) else str(value)


def _versions_of(table: Any) -> list[TableVersion]:
    """Newest first; of several snapshots of one commit the last."""
    found = []
    commits: set[str] = set()
    for one in sorted(table.snapshots(), key=lambda one: -(one.sequence_number or 0)):
        told = dict(one.summary.additional_properties) if one.summary is not None else {}
        commit = told.get(NOTE + "commit", "")
        if commit and commit in commits:
            continue
        commits.add(commit)
        noted = told.get(NOTE + "partitions")
        is_ours = any(name.startswith(NOTE) for name in told)
        found.append(
            TableVersion(
                version=str(one.snapshot_id),
                at=one.timestamp_ms / 1000,
                operation=one.summary.operation.value if one.summary is not None else "",
                run=told.get(NOTE + "run", ""),
                partitions=tuple(msgspec.json.decode(noted)) if noted else (),
                by="" if is_ours else told.get("engine-name") or told.get("app-id") or "another program",
            )
        )
    return found


def file_io_properties(kind: str, options: Mapping[str, Any]) -> dict[str, str]:
    """What fsspec needs for S3 as pyiceberg wants it."""
    if kind != "s3":
        return {}
    client = options.get("client_kwargs", {})
    named = {
        "s3.access-key-id": options.get("key"),
        "s3.secret-access-key": options.get("secret"),
        "s3.session-token": options.get("token"),
        "s3.region": client.get("region_name"),
        "s3.endpoint": options.get("endpoint_url") or client.get("endpoint_url"),
    }
    return {name: str(value) for name, value in named.items() if value}
