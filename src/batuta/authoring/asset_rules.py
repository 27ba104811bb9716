"""Rules of assets: which steps evaluate them, and what they are in the neutral model.

Those of one asset share a step, so that one scan answers all of them; one that reads other assets has a step of its
own, because it waits for those. The surprising rule: a rule that sends rows to quarantine has no step, it is evaluated
by the step that makes the asset, and only there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from batuta.authoring.asset_binding import Binding
from batuta.authoring.asset_definitions import DEFAULT_OPTIONS, AssetFunction, key_of
from batuta.authoring.asset_values import AssetOut
from batuta.authoring.places import user_place
from batuta.core.contract import Contract
from batuta.core.definitions import AssetDep, CheckSpec
from batuta.core.errors import DefinitionError
from batuta.core.place import Place

if TYPE_CHECKING:
    from batuta.quality.rules import Rule

TOGETHER = "checks"
"""The step that evaluates the rules of an asset is called `asset:checks`."""
QUARANTINE = "__quarantine"


class Placed(NamedTuple):
    """A rule, and where it was written."""

    rule: Rule
    place: Place


class RuleSet(AssetFunction[..., None]):
    """Rules of one asset, as they are written beside it, or as one step evaluates them."""

    def __init__(self, asset: str, rules: Sequence[Rule], place: Place, step: str = "") -> None:
        self.asset = asset
        self.rules = tuple(rules)
        self.place = place
        self.options = DEFAULT_OPTIONS
        self.fn = _nothing
        self._step = step

    @property
    def step(self) -> str:
        return self._step

    def __repr__(self) -> str:
        return f"<rules of {self.asset}: {', '.join(rule.name for rule in self.rules)}>"


def is_rule(given: Any) -> bool:
    """Whether it is a rule of `batuta.checks`."""
    from batuta.quality.rules import Rule

    return isinstance(given, Rule)


def _nothing() -> None:
    """Rules have no function."""


def on(asset: Any, *rules: Rule) -> RuleSet:
    """Rules of an asset (its key, or the asset) that is defined elsewhere; keep it in a name of a module.

    Raises DefinitionError for what is no rule.
    """
    from batuta.quality.report import checked_rule

    place = user_place()
    key = key_of(asset, str(place))
    if not rules:
        raise DefinitionError(
            f"on({key!r}) has no rules", where=str(place), hint="give it some: on(key, not_null('id'))"
        )
    try:
        return RuleSet(key, [checked_rule(rule) for rule in rules], place)
    except DefinitionError as error:
        raise DefinitionError(error.what, where=str(place), hint=error.hint) from None


def contract_of_out(out: AssetOut, place: Place) -> Contract | None:
    """The contract of an asset that has one. Raises DefinitionError."""
    if out.schema is None:
        if out.evolution != "exact":
            hint = "give it schema=, or leave evolution= out"
            raise DefinitionError(f"asset {out.key!r} has evolution= but no schema=", where=str(place), hint=hint)
        return None
    from batuta.quality.schemas import contract_of

    return contract_of(out.schema, out.evolution, f"{place}: asset {out.key!r}")


def contract_rule(contract: Contract) -> Rule:
    """The contract as a check of what is stored: it blocks."""
    from batuta.quality.contract_rule import SchemaRule
    from batuta.quality.rules import Options

    return SchemaRule(Options(blocking=True), contract)


def rule_sets(asset: str, placed: Mapping[str, Placed]) -> list[RuleSet]:
    """The steps that evaluate the rules of an asset."""
    together = [one for one in placed.values() if not one.rule.options.quarantine and not one.rule.reads]
    alone = [one for one in placed.values() if not one.rule.options.quarantine and one.rule.reads]
    sets = [RuleSet(asset, [one.rule], one.place, f"{asset}:{one.rule.name}") for one in alone]
    if together:
        sets.insert(0, RuleSet(asset, [one.rule for one in together], together[0].place, f"{asset}:{TOGETHER}"))
    return sets


def rule_deps(rules: Iterable[Rule]) -> list[AssetDep]:
    """What rules read beside their own asset."""
    return [AssetDep(key, getattr(rule, "mapping", None)) for rule in rules for key in rule.reads]


def binding_of_set(rules: RuleSet) -> Binding:
    """What a step of rules depends on; nothing is loaded for it ahead."""
    return Binding((), (AssetDep(rules.asset), *rule_deps(rules.rules)))


def with_deps(binding: Binding, rules: Sequence[Rule]) -> Binding:
    """The binding of an asset that looks into others before it is written."""
    known = {dep.asset for dep in binding.deps}
    more = [AssetDep(dep.asset, dep.mapping, False) for dep in rule_deps(rules) if dep.asset not in known]
    return binding._replace(deps=(*binding.deps, *more)) if more else binding


def check_specs(asset: str, placed: Mapping[str, Placed], step: str) -> list[CheckSpec]:
    """The rules of an asset, made by `step`, in the neutral model."""
    steps = {rule.name: rules.step for rules in rule_sets(asset, placed) for rule in rules.rules}
    return [
        CheckSpec(
            asset,
            name,
            steps.get(name, step),
            one.rule.options.blocking,
            one.rule.description,
            (AssetDep(asset), *rule_deps([one.rule])),
            one.place,
            at_write=name not in steps,
            kind=one.rule.kind,
            columns=one.rule.columns,
            severity=one.rule.severity,
        )
        for name, one in placed.items()
    ]


def quarantine_of(out: AssetOut) -> AssetOut:
    """What is said of the asset that keeps the rows which another refused."""
    return AssetOut(
        out.key + QUARANTINE,
        out.deps,
        out.layer,
        out.group,
        f"The rows that {out.key} refused, as they came, each with the reason.",
        out.owners,
        out.kinds,
        out.tags,
        io_manager=out.io_manager,
    )
