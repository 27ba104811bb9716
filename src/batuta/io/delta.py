"""Delta Lake tables: `gold.revenue` is the table `<base>/gold/revenue.delta`, partitioned where the asset is.

Its folder has an ending, so that the table of an asset `gold` never lies around that of `gold.revenue`: vacuuming takes
whatever lies in a table's folder for its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from batuta.core.errors import DefinitionError, ResultError
from batuta.io import frames, ports
from batuta.io.base import InputContext, MissingDataError
from batuta.io.duck_tables import text
from batuta.io.file_io import file_name
from batuta.io.lake import EMPTY, NOTE, Change, LakeIO
from batuta.io.lake_types import cast_to, typed_keys
from batuta.io.versions import TableVersion, Tended, Upkeep

EXTENSION = ".delta"
LOG = "_delta_log/"
OURS = "_batuta"
"""A file that says of a folder that a table of ours is about to be there: its data come before its log."""
KEPT = "kept"
"""The note of a vacuum that says which of the versions before it stay."""
_CHANGE_NO_ROWS = ("VACUUM", "SET TBLPROPERTIES")
_CONFLICTS = ("concurrent", "already exists", "Version mismatch", "Max commit attempts", "conflict")


class DeltaIO(LakeIO):
    """Stores any table in a Delta Lake table; loads it as what the consumer is annotated with, also as it once was.

    `base_path`: a folder or a URL (`s3://bucket/lake`), `storage_options` what deltalake needs for it
    (`AWS_REGION`, ...). `connection`: the name of one that says both; `base_path` is then a folder in it.
    `partition_column`: a column of the data whose text is the partition key, instead of a hidden one.
    """

    format_name = "Delta"
    extra = "delta"
    modules = ("deltalake",)

    def __init__(
        self,
        base_path: str | os.PathLike[str] = "",
        *,
        storage_options: Mapping[str, str] | None = None,
        connection: Any = None,
        partition_column: str | None = None,
    ) -> None:
        super().__init__(partition_column)
        if not os.fspath(base_path) and connection is None:
            raise DefinitionError(
                "DeltaIO is not told where to keep tables", hint="give a folder, a URL or connection="
            )
        self.base_path = os.fspath(base_path)
        self.storage_options = dict(storage_options or {})
        self.connection = connection

    def __repr__(self) -> str:
        if self.connection is not None:
            return f"DeltaIO({self.base_path!r}, connection={self.connection!r})"
        return f"DeltaIO({self.base_path!r})"

    def __getstate__(self) -> dict[str, Any]:
        """Without what was looked up: whoever gets it looks it up again."""
        return {name: value for name, value in self.__dict__.items() if name != "_place"}

    @cached_property
    def _place(self) -> tuple[str, dict[str, str]]:
        """Where tables are, and what deltalake needs for that."""
        base, options = self.base_path, {}
        if self.connection is not None:
            known = ports.connection_of(self.connection)
            base = "/".join(part for part in (known.path.rstrip("/"), base.strip("/")) if part)
            options = object_store_options(known.kind, known.storage_options)
        if "://" not in base:
            base = os.path.abspath(os.path.expanduser(base))
        return base, {**options, **self.storage_options}

    def place_of(self, asset: str) -> str:
        """The address of the table of an asset."""
        return f"{self._place[0]}/{file_name(asset, None, EXTENSION)}"

    # ---- reading ----

    def load(self, context: InputContext) -> Any:
        try:
            return super().load(context)
        except ResultError as error:
            if not context.version or not isinstance(error.__cause__, FileNotFoundError):
                raise
            raise MissingDataError(
                f"{self.place_of(context.asset)}: version {context.version} is no longer whole",
                hint="its files were removed by a vacuum: load a later version",
            ) from error

    def _open(self, asset: str, version: str = "") -> Any:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError, TableNotFoundError

        place, options = self.place_of(asset), self._place[1]
        wanted = None
        if version:
            if not version.isdecimal():
                raise MissingDataError(f"{version!r} is no version of a Delta table", hint="they are numbers from 0")
            wanted = int(version)
        if os.path.isfile(place):
            raise ResultError(f"{place} is a file, and no Delta table", hint="move it away")
        try:
            return DeltaTable(place, version=wanted, storage_options=options or None)
        except TableNotFoundError:
            self._refuse_other(place)
            return None
        except DeltaError as error:
            if wanted is None:
                raise
            there = self.versions(asset)
            if not there or version in {one.version for one in there}:
                raise
            raise MissingDataError(
                f"{place} has no version {version} (any more)",
                hint=f"versions {there[-1].version} to {there[0].version} can be read",
            ) from error

    def _refuse_other(self, place: str) -> None:
        """Raise ResultError where something else is kept in the place of a table, which upkeep would remove."""
        if "://" in place or not os.path.isdir(place):
            return
        held = sorted(os.listdir(place))
        if held and OURS not in held:
            what = "an Iceberg table" if "metadata" in held else ", ".join(held[:3])
            raise ResultError(
                f"{place} holds {what}, and is no Delta table",
                hint="move it away, or keep the asset under another base_path",
            )

    def _type_of(self, kind: Any) -> Any:
        import pyarrow.types as t

        known = (
            t.is_null, t.is_boolean, t.is_signed_integer, t.is_float32, t.is_float64, t.is_decimal128, t.is_string,
            t.is_binary, t.is_date32, t.is_timestamp,
        )  # fmt: skip
        return kind if any(check(kind) for check in known) else None

    def _schema(self, table: Any) -> Any:
        return _settled_schema(frames.pyarrow().schema(table.schema().to_arrow()), self._type_of)

    def _partitioned_by(self, table: Any) -> list[str]:
        return list(table.metadata().partition_columns)

    def _rows(self, table: Any, marker: str, keys: Sequence[str]) -> Any:
        import pyarrow.dataset as ds

        dataset = table.to_pyarrow_dataset()
        if not keys:
            return dataset.to_table()
        return dataset.to_table(filter=ds.field(marker).isin(typed_keys(keys, dataset.schema.field(marker).type)))

    def _lazy(self, table: Any, marker: str, keys: Sequence[str]) -> Any:
        import polars as pl

        frame = pl.scan_delta(table)
        if not keys:
            return frame
        return frame.filter(pl.col(marker).is_in(typed_keys(keys, self._schema(table).field(marker).type)))

    def _partitions(self, table: Any, marker: str) -> set[str]:
        return self._noted(table) | set(self._bytes(table, marker))

    @staticmethod
    def _noted(table: Any) -> set[str]:
        properties = table.metadata().configuration
        return {
            name.removeprefix(EMPTY) for name, value in properties.items() if name.startswith(EMPTY) and value == "true"
        }

    def _bytes(self, table: Any, marker: str, keys: Sequence[str] = ()) -> dict[str, int]:
        import pyarrow as pa

        files = pa.table(table.get_add_actions(flatten=True))
        sizes = files.column("size_bytes").to_pylist()
        if not marker:
            return {"": sum(sizes)}
        name = f"partition.{marker}"
        if name not in files.column_names:  # partitioned by something else
            there = self._rows(table, marker, ()).column(marker).cast(pa.string()).unique().to_pylist()
            return dict.fromkeys((key for key in there if key is not None), 0)
        found: dict[str, int] = {}
        for key, size in zip(files.column(name).cast(pa.string()).to_pylist(), sizes, strict=True):
            found[str(key)] = found.get(str(key), 0) + size
        return found

    # ---- writing ----

    def _commit(self, asset: str, table: Any, change: Change) -> tuple[Any, str]:
        from deltalake import DeltaTable, write_deltalake

        # Who makes the table may not find it made: the library would put both one upon the other.
        notes = self._properties(change.notes, **({"max_commit_retries": 0} if table is None else {}))
        place, storage = self.place_of(asset), self._place[1] or None
        noted = set() if table is None else self._noted(table)
        unnoted = [key for key in change.empty if key not in noted]
        if table is not None:  # before their rows go: where that is all that is done, they are there, and noted
            self._note_empty(table, unnoted)
        elif "://" not in place:
            os.makedirs(place, exist_ok=True)
            Path(place, OURS).touch()
        options: dict[str, Any] = {
            "mode": "error" if table is None else "overwrite",
            "partition_by": [change.marker] if change.marker else [],
            "schema_mode": {"replace": "overwrite", "widen": "overwrite", "add": "merge"}.get(change.how),
            "storage_options": storage,
            "commit_properties": notes,
        }
        if change.partitions and change.how in ("same", "add"):
            options["predicate"] = self._predicate(change)
        write_deltalake(place if table is None else table, change.table, **options)
        if table is None:
            table = DeltaTable(place, version=None if unnoted else 0, storage_options=storage)
            self._note_empty(table, unnoted)
        return table, str(table.version())

    def _note_empty(self, table: Any, keys: Sequence[str], value: str = "true") -> None:
        """Note of partitions that they are there, or, with `false`, that they are not."""
        if keys:
            properties = {EMPTY + key: value for key in keys}
            table.alter.set_table_properties(
                properties, raise_if_not_exists=False, commit_properties=self._properties({NOTE + "note": "empty"})
            )

    @staticmethod
    def _properties(notes: Mapping[str, str], **more: Any) -> Any:
        from deltalake import CommitProperties

        return CommitProperties(custom_metadata=dict(notes), **more)

    @staticmethod
    def _predicate(change: Change) -> str:
        """SQL for the rows of the partitions."""
        kind = change.table.schema.field(change.marker).type
        column = '"' + change.marker.replace('"', '""') + '"'
        keys = typed_keys(change.partitions, kind)
        literals = [str(key) if isinstance(key, int) else text(str(key)) for key in keys]
        return f"{column} IN ({', '.join(literals)})" if len(literals) > 1 else f"{column} = {literals[0]}"

    def _widened(self, table: Any, marker: str, partitions: Collection[str], new: Any, schema: Any, what: str) -> Any:
        """All rows there will be: a column of a Delta table gets a wider type by writing all of it again."""
        import pyarrow as pa
        import pyarrow.compute as pc

        others = cast_to(self._rows(table, marker, ()), schema, what)
        is_ours = pc.is_in(others.column(marker).cast(pa.string()), pa.array(partitions, pa.string()))
        return pa.concat_tables([others.filter(pc.invert(is_ours)), new])

    def _remove(self, asset: str, table: Any, marker: str, keys: Sequence[str], notes: Mapping[str, str]) -> None:
        change = Change(table=self._schema(table).empty_table(), how="same", marker=marker, partitions=tuple(keys))
        table.delete(self._predicate(change), commit_properties=self._properties(notes))
        self._note_empty(table, sorted(self._noted(table) & set(keys)), "false")

    def files_of(self, table: Any) -> tuple[Any, list[Any]]:
        """The file system whose root is a table's folder, and all files there, those of its log last."""
        import pyarrow.fs as fs
        from deltalake.fs import DeltaStorageHandler

        files = fs.PyFileSystem(DeltaStorageHandler(table.table_uri, self._place[1] or None))
        found = [one for one in files.get_file_info(fs.FileSelector("", recursive=True)) if one.is_file]
        return files, sorted(found, key=lambda one: one.path.startswith(LOG))

    def _drop(self, asset: str) -> None:
        files, found = self.files_of(self._open(asset))
        for one in found:  # the log last: what is broken off can be done again
            files.delete_file(one.path)
        if "://" not in self._place[0]:
            shutil.rmtree(self.place_of(asset), ignore_errors=True)

    def _is_conflict(self, error: Exception) -> bool:
        from deltalake.exceptions import CommitFailedError, DeltaError

        message = str(error)
        return isinstance(error, CommitFailedError) or (
            isinstance(error, DeltaError) and any(each in message for each in _CONFLICTS)
        )

    # ---- versions ----

    def versions(self, asset: str, limit: int | None = None) -> list[TableVersion]:
        with self._explained(asset):
            table = self._open(asset)
            if table is None:
                return []
            found, kept = [], None
            for commit in table.history(limit):
                one = _version_of(commit)
                if not one.operation.startswith(_CHANGE_NO_ROWS) and (kept is None or one.version in kept):
                    found.append(one)
                if kept is None and NOTE + KEPT in commit:
                    kept = frozenset(msgspec.json.decode(commit[NOTE + KEPT]))
            return found

    def _last_commit(self, table: Any) -> TableVersion | None:
        found = table.history(1)
        return _version_of(found[0]) if found else None

    def tend(self, asset: str, upkeep: Upkeep) -> Tended | None:
        from batuta.io.delta_upkeep import tend

        return self._committed(lambda: tend(self, asset, upkeep), asset)


def _settled_schema(schema: Any, type_of: Any) -> Any:
    """Columns that a table has, in the types that we give them; what we do not know stays as it is."""
    import pyarrow as pa

    from batuta.io.lake_types import nearest_type

    return pa.schema([(field.name, nearest_type(field.type, type_of) or field.type) for field in schema])


def _version_of(commit: Mapping[str, Any]) -> TableVersion:
    """A commit of the table's history."""
    is_ours = any(name.startswith(NOTE) for name in commit)
    noted = commit.get(NOTE + "partitions")
    return TableVersion(
        version=str(commit["version"]),
        at=commit.get("timestamp", 0) / 1000,
        operation=str(commit.get("operation", "")),
        run=str(commit.get(NOTE + "run", "")),
        partitions=tuple(msgspec.json.decode(noted)) if noted else (),
        by="" if is_ours else str(commit.get("engineInfo") or commit.get("clientVersion") or "another program"),
    )


def object_store_options(kind: str, options: Mapping[str, Any]) -> dict[str, str]:
    """What fsspec needs for S3 as deltalake (object_store) wants it; of other kinds what is text."""
    if kind != "s3":
        return {name: value for name, value in options.items() if isinstance(value, str)}
    client = options.get("client_kwargs", {})
    endpoint = options.get("endpoint_url") or client.get("endpoint_url")
    named = {
        "AWS_ACCESS_KEY_ID": options.get("key"),
        "AWS_SECRET_ACCESS_KEY": options.get("secret"),
        "AWS_SESSION_TOKEN": options.get("token"),
        "AWS_REGION": client.get("region_name"),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true" if str(endpoint or "").startswith("http://") else None,
    }
    rest = {name: value for name, value in options.items() if isinstance(value, str) and name.isupper()}
    return {**{name: str(value) for name, value in named.items() if value}, **rest}
