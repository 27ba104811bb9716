"""What the columns of a query are made from: each of its scopes is asked once, from the tables up.

`derive` needs the columns of the tables that are read for `*`, and for names that do not say their table. What cannot
be known without them is a gap, told in words; it is never guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from batuta.core.columns import ANY_COLUMN, ColumnLineage, ColumnSource, SqlSource
from batuta.core.errors import nearest
from batuta.core.place import Place
from batuta.sql.parse import NOWHERE, line_of, parse_query, sqlglot, table_name, tables_of

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

Sources = dict[tuple[str, str], str]
"""(asset, column) -> how it counts."""

_NOTHING: Mapping[str, Sources] = {}
_RANK = {"identity": 0, "transformed": 1, "aggregated": 2}


def derive(source: SqlSource, columns: Mapping[str, Sequence[str]], place: Place = NOWHERE) -> ColumnLineage:
    """The lineage of the columns that a query gives. `columns`: those of the assets that it reads, as far as known.

    Raises DefinitionError for what is no query.
    """
    return _Deriver(source, columns, place).run()


def named_tables(query: exp.Query, tables: Mapping[str, str]) -> dict[str, str]:
    """Give every asset's table a name of one part, whose columns sqlglot is told by; aliases stay as they are.

    `tables`: see `SqlSource`. The asset of each name that was given.
    """
    from sqlglot import exp

    assets: dict[str, str] = {}
    qualifiers: dict[tuple[str, ...], str] = {}
    for name, found in tables_of(query).items():
        asset = tables.get(name)
        if asset is None:
            continue
        own = f"asset_{len(assets)}"
        assets[own] = asset
        for table in found:
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
                qualifiers[tuple(part.name.lower() for part in table.parts)] = table.name
            table.set("this", exp.to_identifier(own))
            table.set("db", None)
            table.set("catalog", None)
    for column in query.find_all(exp.Column):
        parts = tuple(part.name.lower() for part in column.parts[:-1])
        if len(parts) > 1 and parts in qualifiers:  # silver.orders.id, where the table has no alias
            column.set("db", None)
            column.set("catalog", None)
    return assets


@dataclass(slots=True)
class _Outputs:
    """What one scope gives. `star`: the assets ("": what is none) of which it gives columns that are not known."""

    columns: dict[str, Sources] = field(default_factory=dict)
    rows: Sources = field(default_factory=dict)
    star: dict[str, None] = field(default_factory=dict)
    whole: Sources | None = None  # of an unnested value: whatever it is called, it is made from these


class _Deriver:
    def __init__(self, source: SqlSource, columns: Mapping[str, Sequence[str]], place: Place) -> None:
        self.source = source
        self.known = {key: {name.lower(): name for name in names} for key, names in columns.items() if names}
        self.place = place
        self.assets: dict[str, str] = {}  # by the name that a table is given here
        self.memo: dict[int, _Outputs] = {}
        self.under_way: set[int] = set()
        self.gaps: dict[str, None] = {}

    def run(self) -> ColumnLineage:
        glot = sqlglot()
        from sqlglot.optimizer.qualify import qualify
        from sqlglot.optimizer.scope import build_scope
        from sqlglot.schema import MappingSchema

        query = parse_query(self.source.text, self.source.dialect, self.place)
        spelled = _spelled(query)
        self.assets = named_tables(query, self.source.tables)
        known: dict[str, object] = {
            name: self._schema(asset) for name, asset in self.assets.items() if asset in self.known
        }
        try:
            schema = MappingSchema(known, dialect=self.source.dialect)
            qualified = qualify(
                query,
                schema=schema,
                dialect=self.source.dialect,
                validate_qualify_columns=False,
                allow_partial_qualification=True,
                identify=False,
                quote_identifiers=False,
            )
            scope = build_scope(qualified)
        except glot.errors.SqlglotError as error:
            what = str(error).strip().splitlines()[0]
            return ColumnLineage({ANY_COLUMN: ()}, gaps=(f"its SQL cannot be analysed: {what}",))
        if scope is None:
            return ColumnLineage({ANY_COLUMN: ()}, gaps=("its SQL cannot be analysed",))
        found = self._outputs(scope)
        named = {spelled.get(name, name): self._told(sources) for name, sources in found.columns.items()}
        if found.star:
            known_by = [asset for asset in found.star if asset]
            named[ANY_COLUMN] = tuple(ColumnSource(asset, ANY_COLUMN) for asset in known_by)
            self.gaps |= dict.fromkeys(f"`*` of {asset}, whose columns are not known" for asset in known_by)
        return ColumnLineage(named, self._told(found.rows), tuple(self.gaps))

    def _schema(self, asset: str) -> dict[str, str]:
        return dict.fromkeys(self.known[asset], "unknown")

    def _told(self, sources: Sources) -> tuple[ColumnSource, ...]:
        return tuple(ColumnSource(asset, column, kind) for (asset, column), kind in sources.items())  # type: ignore[arg-type]

    # ---- scopes ----

    def _outputs(self, scope: Scope) -> _Outputs:
        """What a scope gives, found out once."""
        from sqlglot import exp

        key = id(scope.expression)
        if key in self.memo:
            return self.memo[key]
        if key in self.under_way:  # WITH RECURSIVE: what it reads of itself comes from where it begins
            return _Outputs()
        self.under_way.add(key)
        node = scope.expression
        if isinstance(node, exp.SetOperation):
            found = self._united(scope, node)
        elif isinstance(node, exp.Select):
            found = self._selected(scope, node)
        else:  # UNNEST, LATERAL, VALUES, a table function
            found = _Outputs(whole=self._values(node, scope, "transformed"))
        self.under_way.discard(key)
        self.memo[key] = found
        return found

    def _united(self, scope: Scope, node: exp.SetOperation) -> _Outputs:
        from sqlglot import exp

        left, right = (self._outputs(each) for each in scope.set_operation_scopes)
        rows = _joined(left.rows, right.rows)
        if isinstance(node, exp.Except | exp.Intersect):
            for sources in right.columns.values():
                rows = _joined(rows, dict.fromkeys(sources, "filter"))
            return _Outputs(left.columns, rows, left.star)
        columns = {name: dict(sources) for name, sources in left.columns.items()}
        if node.args.get("by_name"):
            for name, sources in right.columns.items():
                columns[name] = _joined(columns.get(name, {}), sources)
        else:
            for name, sources in zip(columns, right.columns.values(), strict=False):
                columns[name] = _joined(columns[name], sources)
        return _Outputs(columns, rows, left.star | right.star)

    def _selected(self, scope: Scope, node: exp.Select) -> _Outputs:
        from sqlglot import exp

        found = _Outputs()
        for _, source in scope.selected_sources.values():
            if not isinstance(source, exp.Table):
                inner = self._outputs(source)
                found.rows = _joined(found.rows, inner.rows, dict.fromkeys(inner.whole or (), "join"))
        for projection in node.selects:
            if isinstance(projection, exp.Star) or (isinstance(projection, exp.Column) and projection.is_star):
                self._star(scope, projection, found)
            elif projection.find(exp.Columns) is not None:
                self.gaps["COLUMNS(...) is not written out"] = None
                self._star(scope, projection, found)
            else:
                name = projection.alias_or_name or projection.output_name
                found.columns[name] = _joined(found.columns.get(name, {}), self._values(projection, scope, "identity"))
        for clause, kind in _clauses(node):
            sources = self._values(clause, scope, "identity", found.columns)
            found.rows = _joined(found.rows, dict.fromkeys(sources, kind))
        return found

    def _star(self, scope: Scope, projection: Any, found: _Outputs) -> None:
        """A `*` that could not be written out: of some table the columns are not known."""
        from sqlglot import exp

        wanted = projection.table if isinstance(projection, exp.Column) else ""
        for name, (_, source) in scope.selected_sources.items():
            if wanted and name != wanted:
                continue
            if isinstance(source, exp.Table):
                if asset := self.assets.get(source.name):
                    for lower, spelled in self.known.get(asset, {}).items():
                        found.columns.setdefault(lower, {})[asset, spelled] = "identity"
                    if asset not in self.known:
                        found.star[asset] = None
                else:
                    table = table_name(source) or source.sql(dialect=self.source.dialect)
                    self.gaps[f"`*` of {table}, which is no asset"] = None
                    found.star[""] = None
                continue
            inner = self._outputs(source)
            for column, sources in inner.columns.items():
                found.columns[column] = _joined(found.columns.get(column, {}), sources)
            found.star |= inner.star

    # ---- expressions ----

    def _values(self, node: Any, scope: Scope, kind: str, own: Mapping[str, Sources] = _NOTHING) -> Sources:
        """What an expression is made from. `own`: the columns of the same SELECT, which ORDER BY may name."""
        found: Sources = {}
        inner = {id(each.expression): each for each in scope.subquery_scopes}
        for part, how in _parts(node, kind):
            nested = inner.get(id(part))
            if nested is not None:
                given = self._outputs(nested)
                values = _joined({}, *given.columns.values())
                sources = {ref: _combined("transformed", each) for ref, each in values.items()}
                sources |= {ref: "transformed" for ref in given.rows if ref not in sources}
            elif not part.table and part.name in own:
                sources = own[part.name]
            else:
                sources = self._column(part, scope)
            found = _joined(found, {ref: _combined(how, each) for ref, each in sources.items()})
        return found

    def _column(self, column: exp.Column, scope: Scope) -> Sources:
        from sqlglot import exp

        table = column.table
        if not table:
            return self._without_table(column, scope)
        at: Scope | None = scope
        while at is not None and table not in at.sources:
            at = at.parent
        source = None if at is None else at.sources[table]
        if source is None:
            return self._of_struct(column, scope)
        if isinstance(source, exp.Table):
            return self._of_table(column, source)
        return self._of_outputs(column, self._outputs(source))

    def _of_outputs(self, column: exp.Column, given: _Outputs) -> Sources:
        """A column of a subquery."""
        name = column.name
        if given.whole is not None:
            return given.whole
        if name in given.columns:
            return given.columns[name]
        if len(given.star) == 1:
            return {(asset, self._spelled(asset, name)): "identity" for asset in given.star if asset}
        if given.star:
            tables = " or ".join(asset or "what is no asset" for asset in given.star)
            self.gaps[f"column {name!r}{self._line(column)} may come from {tables}, whose columns are not known"] = None
        return {}

    def _of_struct(self, column: exp.Column, scope: Scope) -> Sources:
        """`payload.user.id`, a field of a column: of the only table, as others cannot be told apart."""
        from sqlglot import exp

        sources = [source for _, source in scope.selected_sources.values()]
        if len(sources) == 1 and isinstance(sources[0], exp.Table) and (asset := self.assets.get(sources[0].name)):
            return {(asset, self._spelled(asset, column.parts[0].name)): "transformed"}
        self.gaps[f"it is not known which table {column.sql()!r}{self._line(column)} is of"] = None
        return {}

    def _of_table(self, column: exp.Column, table: exp.Table) -> Sources:
        asset = self.assets.get(table.name)
        if asset is None:
            return {}
        known, name = self.known.get(asset), column.name
        if known is not None and name.lower() not in known:
            if table.args.get("pivots"):
                self.gaps[f"column {name!r} comes out of a PIVOT of {asset}"] = None
                return {}
            hint = nearest(name, known.values())
            self.gaps[f"{asset} has no column {name!r}{self._line(column)}" + (f"; {hint}" if hint else "")] = None
        return {(asset, self._spelled(asset, name)): "identity"}

    def _spelled(self, asset: str, column: str) -> str:
        return self.known.get(asset, {}).get(column.lower(), column)

    def _without_table(self, column: exp.Column, scope: Scope) -> Sources:
        """A name that does not say its table: of the only one that may have it, here or in the query around it."""
        from sqlglot import exp

        name, at = column.name, scope
        told = f"column {name!r}{self._line(column)}"
        while True:
            having: list[Any] = []
            unknown: list[Any] = []
            for _, source in at.selected_sources.values():
                columns, is_open = self._names_of(source)
                if name.lower() in columns:
                    having.append(source)
                elif is_open:
                    unknown.append(source)
            found = having or unknown
            if len(found) == 1:
                source = found[0]
                if isinstance(source, exp.Table):
                    return self._of_table(column, source)
                return self._of_outputs(column, self._outputs(source))
            if found or at.parent is None or not at.can_be_correlated:
                break
            at = at.parent
        names = [self._told_source(source) for source in found]
        if having:
            self.gaps[f"{told} is ambiguous: {' and '.join(names)} have one"] = None
        elif unknown:
            self.gaps[f"{told} may come from {' or '.join(names)}, whose columns are not known"] = None
        elif scope.selected_sources:
            hint = nearest(name, {each for asset in self.known for each in self.known[asset].values()})
            self.gaps[f"{told} is in none of the tables that are read" + (f"; {hint}" if hint else "")] = None
        return {}

    def _names_of(self, source: Any) -> tuple[Collection[str], bool]:
        """The columns that a source is known to have, in lower case, and whether it may have others."""
        from sqlglot import exp

        if isinstance(source, exp.Table):
            known = self.known.get(self.assets.get(source.name, ""))
            return known or (), known is None
        given = self._outputs(source)
        return given.columns, bool(given.star) or given.whole is not None

    def _told_source(self, source: Any) -> str:
        from sqlglot import exp

        if isinstance(source, exp.Table):
            return self.assets.get(source.name) or table_name(source) or "a function"
        return "a subquery"

    def _line(self, column: exp.Column) -> str:
        line = line_of(column, Place("", self.place.line)).line
        return f" (line {line})" if line else ""


def _spelled(query: exp.Query) -> dict[str, str]:
    """Names that the query gives its columns, as they are written, by how they are compared."""
    from sqlglot import exp

    written = {}
    for select in query.selects:
        name = select.alias if isinstance(select, exp.Alias) else ""
        if name:
            written[name.lower()] = name
    return {lower: name for lower, name in written.items() if lower != name}


def _clauses(node: exp.Select) -> Iterator[tuple[Any, str]]:
    """What decides which rows a SELECT has, and how."""
    for key, kind in (("where", "filter"), ("group", "group"), ("having", "filter"), ("qualify", "filter")):
        if node.args.get(key) is not None:
            yield node.args[key], kind
    for join in node.args.get("joins") or ():
        if join.args.get("on") is not None:
            yield join.args["on"], "join"
    distinct = node.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        yield distinct.args["on"], "distinct"
    chooses = node.args.get("limit") or node.args.get("offset") or (distinct is not None and distinct.args.get("on"))
    if node.args.get("order") is not None and chooses:
        yield node.args["order"], "sort"


def _parts(node: Any, kind: str) -> Iterator[tuple[Any, str]]:
    """The columns and nested queries of an expression, each with how it counts in it."""
    from sqlglot import exp

    if isinstance(node, exp.Column):
        yield node, kind
        return
    if isinstance(node, exp.Query) and not isinstance(node, exp.Subquery):
        yield node, kind
        return
    if isinstance(node, exp.AggFunc):
        kind = "aggregated"
    elif kind != "aggregated" and not isinstance(node, exp.Alias | exp.Paren | exp.Subquery):
        kind = "transformed"
    for child in node.iter_expressions():
        yield from _parts(child, kind)


def _combined(outer: str, inner: str) -> str:
    """How what counts as `inner` in a part counts in the whole, in which the part counts as `outer`."""
    return max(outer, inner, key=lambda kind: _RANK.get(kind, 1)) if inner in _RANK else outer


def _joined(*many: Sources) -> Sources:
    """All of them; what is there twice counts as the most that it is."""
    made: Sources = {}
    for sources in many:
        for ref, kind in sources.items():
            made[ref] = kind if ref not in made else max(made[ref], kind, key=lambda one: _RANK.get(one, -1))
    return made
