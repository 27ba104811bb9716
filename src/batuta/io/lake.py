"""What Delta and Iceberg share: an asset is a table, a partition of it some of its rows, and each write a version.

A write is one commit: what is killed before it leaves files that nothing names. Who commits in between makes ours a
conflict, and it is made again upon theirs. Surprising: as in databases, rows of a partitioned asset carry their
partition in a column of ours, hidden on load; a partition without rows is noted in the table's properties.
"""

from __future__ import annotations

import importlib
import random
import re
import secrets
import time
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from batuta.core.errors import BatutaError, DefinitionError, ResultError, TransientError
from batuta.io import frames
from batuta.io.base import InputContext, OutputContext, Stored, combine, describe, missing, split_partitions
from batuta.io.duck_tables import PARTITION
from batuta.io.file_io import nothing, wants_frame
from batuta.io.files import storage_error
from batuta.io.frames import WantedKind, columns_of
from batuta.io.lake_types import How, arrow_of, cast_to, check_keys, fingerprint_of, fitted, replacing, settled
from batuta.io.pickling import type_name
from batuta.io.versions import TABLE_VERSION, TableVersion, VersionedIO

if TYPE_CHECKING:
    from batuta.io.scan import Scan

RETRIES_MAX = 30
RETRY_FIRST_S = 0.02
RETRY_MAX_S = 1.0

NOTE = "batuta."
"""What the names of our notes in commits begin with."""
EMPTY = "batuta.empty."
"""The table property that says of a partition that it is there, though it may have no rows."""

REASON_CHARS_MAX = 1000
_DECORATION = re.compile(r"\x1b\[\d*m|\N{DOWNWARDS ARROW WITH TIP RIGHTWARDS}")
T = TypeVar("T")


class Change(msgspec.Struct, kw_only=True):
    """One commit. `partitions`: those whose rows are replaced; none: all there is. `table` holds the new rows.

    `marker` is the column that tells partitions ("": there are none), `empty` those of them without rows.
    """

    table: Any
    how: How
    marker: str = ""
    partitions: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    notes: dict[str, str] = {}


class LakeIO(VersionedIO):
    """Base of managers of table formats: a subclass says how a table is opened, read, and committed to."""

    format_name = ""
    extra = ""
    modules: tuple[str, ...] = ()
    """Those of the format's library, to be imported ahead."""

    def __init__(self, partition_column: str | None) -> None:
        self.partition_column = partition_column

    def warm(self) -> None:
        with suppress(ImportError):  # it is told of where a table is stored or loaded
            for module in ("pyarrow.dataset", "duckdb", *self.modules):
                importlib.import_module(module)

    # ---- what a format says ----

    @abstractmethod
    def _open(self, asset: str, version: str = "") -> Any:
        """The table, as it is or was; None where it is not there. Raises MissingDataError for a version that is not."""

    @abstractmethod
    def _schema(self, table: Any) -> Any:
        """Its columns in Arrow's types, as `_type_of` gives them."""

    @abstractmethod
    def _type_of(self, kind: Any) -> Any:
        """The type of the format for a plain one of Arrow's; None: it has none."""

    @abstractmethod
    def _rows(self, table: Any, marker: str, keys: Sequence[str]) -> Any:
        """The rows of these partitions (none: all) as an Arrow table, with all columns."""

    @abstractmethod
    def _lazy(self, table: Any, marker: str, keys: Sequence[str]) -> Any:
        """The same as a LazyFrame, which reads when it is computed."""

    @abstractmethod
    def _partitions(self, table: Any, marker: str) -> set[str]:
        """Those that have rows, or are noted as empty."""

    @abstractmethod
    def _bytes(self, table: Any, marker: str, keys: Sequence[str] = ()) -> dict[str, int]:
        """The size of the files of each partition, at least of `keys`; of all, under "", where there is no marker."""

    @abstractmethod
    def _commit(self, asset: str, table: Any, change: Change) -> tuple[Any, str]:
        """Make the change in one go upon `table` (None: it is not there): the table afterwards, and its version."""

    @abstractmethod
    def _remove(self, asset: str, table: Any, marker: str, keys: Sequence[str], notes: Mapping[str, str]) -> None:
        """Take away the rows of these partitions, and the notes of them."""

    @abstractmethod
    def _drop(self, asset: str) -> None:
        """Remove the table with all its versions."""

    @abstractmethod
    def _is_conflict(self, error: Exception) -> bool:
        """Whether somebody else has committed meanwhile, so that it may be tried again."""

    @abstractmethod
    def _last_commit(self, table: Any) -> TableVersion | None:
        """The last version, with who wrote it."""

    @abstractmethod
    def place_of(self, asset: str) -> str:
        """Where the table is, for people and other programs."""

    # ---- storing ----

    def store(self, context: OutputContext, value: Any) -> Stored:
        what = describe(context.asset, context.partitions)
        values = self._values(context, value, what)
        whole = next(iter(values.values())) if len(values) == 1 else None
        if whole is None:
            pa = frames.pyarrow()
            whole = pa.concat_tables(values.values(), promote_options="permissive")

        def work() -> tuple[Any, Change, str, str]:
            table = self._open(context.asset)
            change = self._change(context, table, whole, what)
            others = "" if table is None else self._others(table)
            made, version = self._commit(context.asset, table, change)
            return made, change, version, others

        made, change, version, others = self._committed(work, context.asset)
        return self._stored(context, made, change, version, others)

    def _values(self, context: OutputContext, value: Any, what: str) -> dict[str, Any]:
        """By partition, each in types of the format, and with the column of ours where it carries one."""
        keys = context.partitions or ("",)
        parts = split_partitions(context, value) if len(keys) > 1 and not self.partition_column else {keys[0]: value}
        found = {}
        for key, one in parts.items():
            kind = frames.kind_of(one)
            if kind is None:
                raise ResultError(
                    f"{what}: {type(self).__name__} stores tables, not {type_name(one)}",
                    hint="return a DataFrame, an Arrow table, a DuckDB relation or a list of dicts",
                )
            table = settled(arrow_of(one, kind), self._type_of, what)
            if context.partitions and self.partition_column:
                check_keys(table, self.partition_column, context.partitions, what)
            elif context.partitions:
                table = self._marked(table, key, what)
            found[key] = table
        return found

    def _marked(self, table: Any, key: str, what: str) -> Any:
        pa = frames.pyarrow()
        if PARTITION in table.column_names:
            raise ResultError(f"{what}: the column '{PARTITION}' is ours", hint="call it something else")
        return table.append_column(PARTITION, pa.repeat(pa.scalar(key, pa.string()), table.num_rows))

    def _change(self, context: OutputContext, table: Any, whole: Any, what: str) -> Change:
        """What a commit has to do, given what is there now."""
        notes = self._notes(context)
        if not context.partitions:
            whole = replacing(whole)
            same = table is not None and self._schema(table) == whole.schema and not self._marker_in(table)
            return Change(table=whole, how="same" if same else "create" if table is None else "replace", notes=notes)
        marker = self.partition_column or PARTITION
        existing = None if table is None else self._schema(table)
        if existing is not None and self._marker_in(table) != marker:
            # of the time when the asset had no partitions, or others: as IO managers of databases, begin anew
            existing = None
        fit = fitted(whole, existing, what)
        how = "replace" if fit.how == "create" and table is not None else fit.how
        with_rows = {str(key) for key in fit.table.column(marker).unique().to_pylist()} if fit.table.num_rows else set()
        empty = tuple(key for key in context.partitions if key not in with_rows)
        rows, partitions = fit.table, context.partitions
        if how == "widen":
            rows = self._widened(table, marker, partitions, fit.table, fit.schema, what)
        return Change(table=rows, how=how, marker=marker, partitions=partitions, empty=empty, notes=notes)

    def _widened(self, table: Any, marker: str, partitions: Collection[str], new: Any, schema: Any, what: str) -> Any:
        """Where the format can give a column a wider type by itself: just the new rows."""
        return new

    def _marker_in(self, table: Any) -> str:
        """The column by which a table is partitioned, if it is one that tells our partitions; else ""."""
        columns = self._partitioned_by(table)
        return columns[0] if len(columns) == 1 else ",".join(columns)

    @abstractmethod
    def _partitioned_by(self, table: Any) -> list[str]:
        """The columns by which the table is partitioned."""

    def _notes(self, context: OutputContext) -> dict[str, str]:
        """What a commit says of itself."""
        partitions = msgspec.json.encode(context.partitions).decode()
        notes = {"asset": context.asset, "run": context.run_id, "attempt": context.attempt, "partitions": partitions}
        notes["commit"] = secrets.token_hex(8)
        return {NOTE + name: text for name, text in notes.items()}

    def _stored(self, context: OutputContext, table: Any, change: Change, version: str, others: str) -> Stored:
        metadata: dict[str, Any] = {TABLE_VERSION: version}
        if others:
            metadata["changed_by_others"] = others
        sizes = self._bytes(table, change.marker, change.partitions)
        hidden = [PARTITION] if PARTITION in change.table.column_names else []
        parts = {}
        for key in context.partitions or ("",):
            rows = self._part(change.table, change.marker, key) if key else change.table
            rows = rows.drop_columns(hidden)
            count, data_version = fingerprint_of(rows)
            parts[key] = Stored(
                path=self.place_of(context.asset),
                rows=count,
                bytes=sizes.get(key, 0),
                columns=columns_of(rows, "arrow"),
                data_version=data_version,
                metadata=metadata,
            )
        if len(parts) == 1:
            return next(iter(parts.values()))
        stored = combine(self.place_of(context.asset), parts)
        stored.metadata = metadata
        return stored

    @staticmethod
    def _part(table: Any, marker: str, key: str) -> Any:
        import pyarrow.compute as pc

        return table.filter(pc.equal(table.column(marker).cast("string"), key))

    def _others(self, table: Any) -> str:
        """Who else has committed last; "": it was us."""
        last = self._last_commit(table)
        if last is None or not last.by:
            return ""
        return f"version {last.version}: {last.operation} by {last.by}"

    def _committed(self, work: Callable[[], T], asset: str) -> T:
        """Do the work; again where others committed meanwhile."""
        pause_s = RETRY_FIRST_S
        for tried in range(RETRIES_MAX):
            try:
                with self._explained(asset):
                    return work()
            except Exception as error:
                cause = error.__cause__ if isinstance(error, ResultError) else error
                if not isinstance(cause, Exception) or not self._is_conflict(cause):
                    raise
                if tried == RETRIES_MAX - 1:
                    raise TransientError(
                        f"{self.place_of(asset)}: others committed to it {RETRIES_MAX} times while we tried: {cause}",
                        hint="let fewer runs write the table at once, by a pool",
                    ) from error
            time.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(pause_s * 2, RETRY_MAX_S)
        raise AssertionError("not reached")

    @contextmanager
    def _explained(self, asset: str) -> Iterator[None]:
        """What the library of the format says, as an error that says of which table."""
        try:
            yield
        except (BatutaError, MemoryError, NotImplementedError):
            raise
        except ImportError as error:
            raise self._needed(error) from error
        except Exception as error:
            place = self.place_of(asset)
            if explained := storage_error(error, place, ours=False):
                raise explained from error
            raise ResultError(f"{place}: {_reason(error)}") from error

    def _needed(self, error: ImportError) -> DefinitionError:
        module = (error.name or self.extra).partition(".")[0]
        return DefinitionError(
            f"{self.format_name} tables need {module}, which is not installed here",
            hint=f"install it: pip install 'batuta[{self.extra}]'",
        )

    # ---- loading ----

    def load(self, context: InputContext) -> Any:
        wanted = wants_frame(context, self)
        if context.partitioned and not context.partitions:
            return nothing(wanted)
        with self._explained(context.asset):
            table = self._require(context)
            if not wanted.by_partition:
                return self._select(table, context.partitions, wanted.kind)
            return {key: self._select(table, (key,), wanted.kind) for key in context.partitions}

    @contextmanager
    def scan(self, context: InputContext) -> Iterator[Scan]:
        from batuta.io.scan import scanned

        if context.partitioned and not context.partitions:
            raise missing(context.asset, (), context.downstream, self.place_of(context.asset))
        with self._explained(context.asset):
            table = self._require(context)
            value = self._select(table, context.partitions, "lazy" if frames.default_kind() == "polars" else "arrow")
        with scanned(value, describe(context.asset, context.partitions)) as found:
            yield found

    def _require(self, context: InputContext) -> Any:
        """The table with all the partitions asked for. Raises MissingDataError."""
        table = self._open(context.asset, context.version)
        absent = list(context.partitions)
        if table is not None and absent:
            marker = self.partition_column or PARTITION
            present = self._partitions(table, marker) if marker in self._schema(table).names else set()
            absent = [key for key in absent if key not in present]
        if table is None or absent:
            place = self.place_of(context.asset) + (f", version {context.version}" if context.version else "")
            raise missing(context.asset, absent, context.downstream, place)
        return table

    def partitions(self, asset: str, version: str) -> set[str]:
        with self._explained(asset):
            table = self._require(InputContext(asset=asset, version=version))
            marker = self.partition_column or PARTITION
            return self._partitions(table, marker) if marker in self._schema(table).names else set()

    def _select(self, table: Any, keys: Sequence[str], kind: WantedKind) -> Any:
        marker = self.partition_column or PARTITION
        if kind == "lazy":
            frame = self._lazy(table, marker, keys)
            return frame.drop(PARTITION, strict=False)
        return frames.from_arrow(self._shown(table, marker, keys), kind)

    def _shown(self, table: Any, marker: str, keys: Sequence[str]) -> Any:
        """Rows without the column of ours, in types by which they were stored."""
        schema = self._schema(table)
        rows = cast_to(self._rows(table, marker, keys), schema, "")
        return rows.drop_columns([PARTITION]) if PARTITION in schema.names else rows

    # ---- copies, and what is there ----

    def copy(self, source: OutputContext, target: OutputContext) -> Stored:
        """All partitions, or none: in one commit."""
        table_type: Any = frames.pyarrow().Table
        keys = source.partitions
        context = InputContext(
            asset=source.asset,
            partitions=keys,
            partitioned=bool(keys),
            annotation=Mapping[str, table_type] if len(keys) > 1 and not self.partition_column else table_type,
            downstream=target.asset,
        )
        return self.store(msgspec.structs.replace(target, partitions=keys), self.load(context))

    def exists(self, context: OutputContext) -> bool:
        return self._held(context) is not None

    def _held(self, context: OutputContext) -> Any:
        """The table, if it has all the partitions asked for; else None."""
        with self._explained(context.asset):
            table = self._open(context.asset)
            if table is None or not context.partitions:
                return table
            marker = self.partition_column or PARTITION
            if marker not in self._schema(table).names:
                return None
            return table if set(context.partitions) <= self._partitions(table, marker) else None

    def version(self, context: OutputContext) -> str | None:
        table = self._held(context)
        if table is None:
            return None
        marker = self.partition_column or PARTITION
        with self._explained(context.asset):
            parts = {
                key: Stored(data_version=fingerprint_of(self._shown(table, marker, (key,) if key else ()))[1])
                for key in context.partitions or ("",)
            }
        return next(iter(parts.values())).data_version if len(parts) == 1 else combine("", parts).data_version

    def delete(self, context: OutputContext) -> None:
        def work() -> None:
            table = self._open(context.asset)
            if table is None:
                return
            if not context.partitions:
                self._drop(context.asset)
                return
            marker = self.partition_column or PARTITION
            if marker in self._schema(table).names:
                self._remove(context.asset, table, marker, context.partitions, self._notes(context))

        self._committed(work, context.asset)


def _reason(error: Exception) -> str:
    """What a library says, on one line: of an object store the first line says only that it was one."""
    lines = [_DECORATION.sub("", line).strip() for line in str(error).strip().splitlines()]
    told = [line for line in lines if line]
    if not told:
        return type(error).__name__
    return ": ".join(told)[:REASON_CHARS_MAX] if "\N{DOWNWARDS ARROW WITH TIP RIGHTWARDS}" in str(error) else told[0]
