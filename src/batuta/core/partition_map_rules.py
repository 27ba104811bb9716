"""Which mapping holds between two definitions: the one that was asked for, checked, or the default.

The defaults: the same definition, by key; time to time, by overlapping windows; several dimensions, by those they share
(the rest of upstream: all of it); from or to something that is not partitioned, everything.
Surprising rule: both sides are seen as dimensions, a plain definition as one dimension called "", so that there is one
algorithm for all. Only mappings of whole keys (`SpecificPartitions`, `StaticMapping`) on several dimensions stay apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from batuta.core.errors import DefinitionError, InvariantError, PartitionError, nearest
from batuta.core.partition_keys import check_dimensions, listing, split_key
from batuta.core.partition_map_types import (
    AllPartitions,
    Identity,
    LastPartition,
    MultiMapping,
    MultiToSingle,
    PartitionMapping,
    SingleMapping,
    SpecificPartitions,
    StaticMapping,
    TimeWindow,
)
from batuta.core.partition_time import find, same_grid
from batuta.core.partition_types import (
    DynamicPartitions,
    MultiPartitions,
    Partitions,
    SinglePartitions,
    StaticPartitions,
    TimePartitions,
)
from batuta.core.similar import similar

OFFSET_MAX = 100_000


class Rule(NamedTuple):
    """How one upstream dimension follows from one downstream dimension, or from none (`downstream_def` is None)."""

    upstream: str
    upstream_def: SinglePartitions
    downstream: str
    downstream_def: SinglePartitions | None
    mapping: SingleMapping


def time_sides(rule: Rule) -> tuple[TimePartitions, TimePartitions]:
    """The upstream and the downstream definition of a rule by windows."""
    if not isinstance(rule.upstream_def, TimePartitions) or not isinstance(rule.downstream_def, TimePartitions):
        raise InvariantError(f"a window mapping between {rule.upstream_def} and {rule.downstream_def}")
    return rule.upstream_def, rule.downstream_def


Resolved = tuple[Rule, ...] | StaticMapping | SpecificPartitions
"""One rule per upstream dimension, by name; or a mapping of whole keys."""


def validate_mapping(
    mapping: PartitionMapping | None,
    upstream_def: Partitions | None,
    downstream_def: Partitions | None,
    where: str | None = None,
) -> None:
    """Raise DefinitionError where the mapping does not fit the two definitions, or None has no default for them."""
    if upstream_def is not None:
        resolved = resolve(mapping, upstream_def, downstream_def, where)
        if isinstance(resolved, tuple):
            for rule in resolved:
                _check_keys(rule.mapping, rule.upstream_def, rule.downstream_def, where)
        else:
            _check_keys(resolved, upstream_def, downstream_def, where)
    elif not isinstance(mapping, AllPartitions | None):
        what = f"{_name(mapping)} maps from partitions, but upstream is not partitioned"
        raise DefinitionError(what, where=where, hint="leave the mapping out")


def resolve(
    mapping: PartitionMapping | None,
    upstream_def: Partitions,
    downstream_def: Partitions | None,
    where: str | None = None,
) -> Resolved:
    """The mapping as rules per upstream dimension; DefinitionError where it does not fit."""
    several = isinstance(upstream_def, MultiPartitions) or isinstance(downstream_def, MultiPartitions)
    if isinstance(mapping, SpecificPartitions) or (isinstance(mapping, StaticMapping) and several):
        _check_whole(mapping, downstream_def, where)
        return mapping
    ups, downs = _dimensions(upstream_def), _dimensions(downstream_def)
    asked: object = mapping  # what an author wrote may be of any type
    match asked:
        case MultiToSingle():
            rules = _multi_to_single(asked, upstream_def, downstream_def, where)
        case MultiMapping():
            rules = _multi_mapping(asked, upstream_def, downstream_def, where)
        case AllPartitions() | LastPartition():
            rules = [Rule(name, each, "", None, asked) for name, each in ups.items()]
        case Identity() if several and ups.keys() != downs.keys():
            hint = "use MultiMapping or MultiToSingle"
            raise DefinitionError("Identity needs the same dimensions on both sides", where=where, hint=hint)
        case Identity() | TimeWindow() | StaticMapping() if not several:
            rules = [_rule("", ups[""], "", downs.get(""), asked, where)]
        case Identity():
            rules = [_rule(name, each, name, downs[name], Identity(), where) for name, each in ups.items()]
        case TimeWindow() | StaticMapping():
            hint = f"say for which dimension: MultiMapping({{'day': {_name(asked)}(...)}}) or MultiToSingle"
            raise DefinitionError(f"{_name(asked)} is for one dimension", where=where, hint=hint)
        case None:
            rules = _default(upstream_def, downstream_def, where)
        case _:
            hint = "use TimeWindow(...), AllPartitions() or another of batuta's mappings"
            raise DefinitionError(f"{asked!r} is not a partition mapping", where=where, hint=hint)
    return tuple(sorted(rules, key=lambda rule: rule.upstream))


def _dimensions(definition: Partitions | None) -> dict[str, SinglePartitions]:
    if definition is None:
        return {}
    if isinstance(definition, MultiPartitions):
        return {name: definition.dimensions[name] for name in sorted(definition.dimensions)}
    return {"": definition}


def _default(upstream_def: Partitions, downstream_def: Partitions | None, where: str | None) -> list[Rule]:
    ups, downs = _dimensions(upstream_def), _dimensions(downstream_def)
    if not downs:
        return [Rule(name, each, "", None, AllPartitions()) for name, each in ups.items()]
    if isinstance(upstream_def, MultiPartitions) and isinstance(downstream_def, MultiPartitions):
        if not ups.keys() & downs.keys():
            raise _no_default(upstream_def, downstream_def, where)
        return _multi_mapping(MultiMapping(), upstream_def, downstream_def, where)
    if isinstance(upstream_def, MultiPartitions) or isinstance(downstream_def, MultiPartitions):
        name = _shared_dimension(upstream_def, downstream_def)
        if name is None:
            raise _no_default(upstream_def, downstream_def, where)
        return _multi_to_single(MultiToSingle(name), upstream_def, downstream_def, where)
    return [_rule("", upstream_def, "", downs[""], None, where)]


def _shared_dimension(upstream_def: Partitions, downstream_def: Partitions | None) -> str | None:
    """The dimension that a plain definition is like: the only equal one, else the only one of time."""
    many, single = (
        (upstream_def, downstream_def) if isinstance(upstream_def, MultiPartitions) else (downstream_def, upstream_def)
    )
    dimensions = _dimensions(many)
    equal = [name for name, each in dimensions.items() if each == single]
    if not equal and isinstance(single, TimePartitions):
        equal = [name for name, each in dimensions.items() if isinstance(each, TimePartitions)]
    return equal[0] if len(equal) == 1 else None


def _multi_to_single(
    mapping: MultiToSingle, upstream_def: Partitions, downstream_def: Partitions | None, where: str | None
) -> list[Rule]:
    ups, downs = _dimensions(upstream_def), _dimensions(downstream_def)
    if isinstance(upstream_def, MultiPartitions) == isinstance(downstream_def, MultiPartitions) or not downs:
        hint = "use MultiMapping between two definitions of several dimensions, and no mapping where none is"
        raise DefinitionError("MultiToSingle needs exactly one side with several dimensions", where=where, hint=hint)
    side = ups if isinstance(upstream_def, MultiPartitions) else downs
    _check_dimension(mapping.dimension, side, where)
    if side is downs:
        name = mapping.dimension
        return [_rule("", ups[""], name, downs[name], mapping.mapping, where)]
    return [
        _rule(name, each, "", downs[""], mapping.mapping, where)
        if name == mapping.dimension
        else Rule(name, each, "", None, AllPartitions())
        for name, each in ups.items()
    ]


def _multi_mapping(
    mapping: MultiMapping, upstream_def: Partitions, downstream_def: Partitions | None, where: str | None
) -> list[Rule]:
    if not isinstance(upstream_def, MultiPartitions) or not isinstance(downstream_def, MultiPartitions):
        hint = "use MultiToSingle where only one side has several dimensions"
        raise DefinitionError("MultiMapping needs several dimensions on both sides", where=where, hint=hint)
    ups, downs = _dimensions(upstream_def), _dimensions(downstream_def)
    for name in [*mapping.dimensions, *mapping.renamed]:
        _check_dimension(name, ups, where, "upstream ")
    for name in mapping.renamed.values():
        _check_dimension(name, downs, where, "downstream ")
    rules: list[Rule] = []
    for name, each in ups.items():
        source = mapping.renamed.get(name, name)
        own = mapping.dimensions.get(name)
        if isinstance(own, AllPartitions | LastPartition | SpecificPartitions) or (own is None and source not in downs):
            rules.append(Rule(name, each, "", None, own or AllPartitions()))
        else:
            place = f"{where}, dimension {name!r}" if where else f"dimension {name!r}"
            rules.append(_rule(name, each, source, downs.get(source), own, place))
    return rules


def _rule(
    upstream: str,
    upstream_def: SinglePartitions,
    downstream: str,
    downstream_def: SinglePartitions | None,
    mapping: SingleMapping | None,
    where: str | None,
) -> Rule:
    """A checked rule between two dimensions; a window mapping between equal grids becomes the cheaper identity."""
    if mapping is None:
        mapping = _default_single(upstream_def, downstream_def, where)
    if isinstance(mapping, AllPartitions | LastPartition | SpecificPartitions):
        return Rule(upstream, upstream_def, "", None, mapping)
    if downstream_def is None:
        what = f"{_name(mapping)} maps to partitions, but downstream "
        what += f"has no dimension {upstream!r}" if upstream else "is not partitioned"
        raise DefinitionError(what, where=where, hint="use AllPartitions, LastPartition or SpecificPartitions")
    if isinstance(mapping, TimeWindow):
        if not isinstance(upstream_def, TimePartitions) or not isinstance(downstream_def, TimePartitions):
            what = "TimeWindow needs partitions of time on both sides"
            raise DefinitionError(what, where=where, hint="use StaticMapping or AllPartitions")
        _check_offsets(mapping, where)
        if same_grid(upstream_def, downstream_def) and mapping == TimeWindow():
            mapping = Identity()
    elif isinstance(mapping, Identity):
        times = isinstance(upstream_def, TimePartitions), isinstance(downstream_def, TimePartitions)
        if isinstance(upstream_def, TimePartitions) and isinstance(downstream_def, TimePartitions):
            if not same_grid(upstream_def, downstream_def):
                what = f"Identity between {_describe(upstream_def)} and {_describe(downstream_def)} partitions"
                raise DefinitionError(what, where=where, hint="use TimeWindow(), or leave the mapping out")
        elif any(times):
            what = "Identity between partitions of time and others"
            raise DefinitionError(what, where=where, hint="use AllPartitions() or another mapping")
    return Rule(upstream, upstream_def, downstream, downstream_def, mapping)


def _default_single(
    upstream_def: SinglePartitions, downstream_def: SinglePartitions | None, where: str | None
) -> SingleMapping:
    if downstream_def is None:
        return AllPartitions()
    if isinstance(upstream_def, TimePartitions) and isinstance(downstream_def, TimePartitions):
        return TimeWindow()
    if upstream_def == downstream_def:
        return Identity()
    if isinstance(upstream_def, StaticPartitions) and isinstance(downstream_def, StaticPartitions):
        strange = sorted(set(downstream_def.keys).difference(upstream_def.keys))
        if not strange:
            return Identity()
        what = f"upstream has no partition {strange[0]!r}, which downstream has"
        raise DefinitionError(
            what, where=where, hint="say what it depends on: StaticMapping({...}), AllPartitions() or Identity()"
        )
    raise _no_default(upstream_def, downstream_def, where)


def _no_default(upstream_def: Partitions, downstream_def: Partitions | None, where: str | None) -> DefinitionError:
    what = f"no default mapping from {_describe(upstream_def)} to {_describe(downstream_def)} partitions"
    return DefinitionError(what, where=where, hint="say which are needed, e.g. mapping=AllPartitions() for all of them")


def _check_whole(mapping: StaticMapping | SpecificPartitions, downstream_def: object, where: str | None) -> None:
    if isinstance(mapping, StaticMapping) and downstream_def is None:
        hint = "use AllPartitions, LastPartition or SpecificPartitions"
        raise DefinitionError(
            "StaticMapping maps to partitions, but downstream is not partitioned", where=where, hint=hint
        )
    if isinstance(mapping, SpecificPartitions) and not mapping.keys:
        raise DefinitionError("SpecificPartitions without a key", where=where, hint="list at least one key")


def _check_keys(
    mapping: SingleMapping, upstream_def: Partitions, downstream_def: Partitions | None, where: str | None
) -> None:
    """DefinitionError where the mapping names a key that can never be in the definition."""
    upstream: Iterable[str] = ()
    if isinstance(mapping, StaticMapping):
        upstream = {key for keys in mapping.keys.values() for key in keys}
        for key in mapping.keys:
            _check_possible(downstream_def, key, "downstream", where)
    elif isinstance(mapping, SpecificPartitions):
        upstream = mapping.keys
    for key in sorted(upstream):
        _check_possible(upstream_def, key, "upstream", where)


def _check_possible(definition: Partitions | None, key: str, side: str, where: str | None) -> None:
    match definition:
        case StaticPartitions() if key not in definition.keys:
            hint = similar(key, definition.keys) or listing(definition.keys)
            raise DefinitionError(f"there is no {side} partition {key!r}", where=where, hint=hint)
        case TimePartitions():
            try:
                find(definition, key)
            except PartitionError as error:
                raise DefinitionError(f"{side}: {error.what}", where=where, hint=error.hint) from None
        case MultiPartitions():
            try:
                parts = split_key(key)
                check_dimensions(definition, parts, key, None)
            except PartitionError as error:
                raise DefinitionError(f"{side}: {error.what}", where=where, hint=error.hint) from None
            for name, part in parts.items():
                _check_possible(definition.dimensions[name], part, side, where)


def _check_dimension(name: str, known: dict[str, SinglePartitions], where: str | None, side: str = "") -> None:
    if name not in known:
        hint = nearest(name, known) or f"there are {', '.join(known)}"
        raise DefinitionError(f"there is no {side}dimension {name!r}", where=where, hint=hint)


def _check_offsets(mapping: TimeWindow, where: str | None) -> None:
    low, high = mapping.start_offset, mapping.end_offset
    if low > high:
        hint = "start_offset must not be greater than end_offset, e.g. TimeWindow(-1, -1) for the partition before"
        raise DefinitionError(f"TimeWindow({low}, {high}) holds no time", where=where, hint=hint)
    if max(abs(low), abs(high)) > OFFSET_MAX:
        hint = f"offsets are at most {OFFSET_MAX} partitions"
        raise DefinitionError(f"TimeWindow({low}, {high}) reaches too far", where=where, hint=hint)


def _describe(definition: Partitions | None) -> str:
    match definition:
        case TimePartitions():
            return f"{definition.cadence} ({definition.timezone})"
        case StaticPartitions():
            return "static"
        case DynamicPartitions():
            return f"dynamic {definition.name!r}"
        case MultiPartitions():
            return f"multi ({', '.join(sorted(definition.dimensions))})"
        case None:
            return "no"


def _name(mapping: object) -> str:
    return type(mapping).__name__
