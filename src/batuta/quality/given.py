"""What a rule is given beside the table that it is about: the time, other tables, what was found before, frames."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from batuta.core.drift import Former
from batuta.core.errors import RequestError, nearest
from batuta.io.scan import Scan, scanned
from batuta.quality.frames_for import as_kind

if TYPE_CHECKING:
    from batuta.quality.rules import Rule


@dataclass(slots=True)
class History:
    """Former values of a number, which season (weekday) it is now, and the number itself where it is recorded."""

    former: list[Former]
    season: Hashable = None
    current: float | None = None


@dataclass
class Given:
    """As it is where rules are tried by hand; in a run, `authoring.rules_run` finds the same in the store and by IO.

    `others`: tables by the key of their asset. `former`: by the name of a rule, the values of before, oldest first.
    `ends_at`: when the time of a partition ends, aware.
    """

    scan: Scan
    source: Any = None
    others: Mapping[str, Any] = field(default_factory=dict)
    former: Mapping[str, Sequence[float]] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    ends_at: datetime | None = None
    stack: ExitStack = field(default_factory=ExitStack)
    _joined: dict[str, str] = field(default_factory=dict)
    _made: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What several rules of a table share, made for the first of them."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def value(self, annotation: Any) -> Any:
        """The table as what an annotation asks for (Polars where it asks for nothing)."""
        return as_kind(self.source, annotation)

    def history(self, rule: Rule) -> History:
        """What was found before of what a rule looks at."""
        return History([Former(float(value)) for value in self.former.get(rule.name, ())])

    def other(self, asset: str, columns: Sequence[str] = ()) -> str:
        """The name of another asset's table in SQL; of what was asked for first, these columns."""
        key = f"{asset}({','.join(columns)})"
        if key not in self._joined:
            name = f"other_{len(self._joined)}"
            self.scan.add(name, self.opened(asset), columns)
            self._joined[key] = name
        return self._joined[key]

    def opened(self, asset: str) -> Scan:
        """The table of another asset."""
        if asset not in self.others:
            hint = nearest(asset, self.others) or f"give it: others={{{asset!r}: ...}}"
            raise RequestError(f"there is no table {asset!r}", hint=hint)
        return self.stack.enter_context(scanned(self.others[asset], f"{asset!r}"))
