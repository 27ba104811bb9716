"""All assets, checks and resources of a code location together: what they are in the neutral model, and their code.

Surprising rule: definitions are bound to each other only when asked for (`specs` for all of them, `code` for one), so a
worker that runs one step of 100,000 does the work of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from batuta.authoring.asset_binding import Binding, Names, Unbound, bind
from batuta.authoring.asset_check import CheckCode
from batuta.authoring.asset_config import configured
from batuta.authoring.asset_definitions import Asset, AssetFunction, Check, MultiAsset
from batuta.authoring.asset_rules import (
    QUARANTINE,
    TOGETHER,
    Placed,
    RuleSet,
    binding_of_set,
    contract_of_out,
    contract_rule,
    is_rule,
    quarantine_of,
    rule_sets,
    with_deps,
)
from batuta.authoring.asset_run import AssetCode
from batuta.authoring.asset_specs import Specs, build_specs
from batuta.authoring.asset_values import AssetOut
from batuta.authoring.asset_versions import version_of
from batuta.authoring.code import StepCode
from batuta.authoring.code_text import CodeTeller
from batuta.authoring.quiet import collector_paused
from batuta.authoring.resources import ResourcePool, Resources
from batuta.authoring.sql_asset import SqlAsset
from batuta.authoring.sql_binding import SqlFacts, adopt_tables, bind_tables, dialect_of, sql_version
from batuta.core.contract import Contract
from batuta.core.definitions import AssetDep, Place, Problem
from batuta.core.errors import DefinitionError, DuplicateKeyError, InvariantError, nearest
from batuta.core.partitions import Partitions
from batuta.io.base import IOManager

if TYPE_CHECKING:
    from batuta.quality.rules import Rule

DEFAULT_IO = "io_manager"

Maker = Asset[..., Any] | MultiAsset[..., Any]


class AssetGraph:
    """Add definitions, then ask for `specs` or `code`. `data_path` is where assets without an IO manager are kept.

    `settings` are the project's own; `settings["assets"][key]` is the config of an asset. `sql_cache`: a file in which
    facts of queries may be kept.
    """

    def __init__(self, data_path: str = "data", settings: Mapping[str, Any] | None = None, sql_cache: str = "") -> None:
        self.sql_facts = SqlFacts(sql_cache)
        """What is known of queries."""
        self.code_teller = CodeTeller(self)
        """Which code is told with what it makes."""
        self.problems: list[Problem] = []
        """Why assets were left out; known once `specs` was asked for."""
        self.makers: dict[str, Maker] = {}
        """What makes each asset, by its key."""
        self.multi: dict[str, MultiAsset[..., Any]] = {}
        self.checks: dict[str, Check[..., Any]] = {}
        self.loose_checks: dict[str, Check[..., Any]] = {}
        """Those made with `@check()`, by name."""
        self.rules: dict[str, dict[str, Placed]] = {}
        """By asset and name."""
        self.contracts: dict[str, Contract] = {}
        self.quarantines: dict[str, AssetOut] = {}
        """By the key of the quarantine; what makes it is what makes the asset."""
        self.resources = ResourcePool({})
        self._values: dict[str, Any] = {}
        self._places: dict[str, Place] = {}
        self._data_path = data_path
        self._settings = settings or {}
        self._default_io: Any = None
        self._names: Names | None = None
        self._codes: dict[str, StepCode] = {}
        self._is_complete = False

    @classmethod
    def of(
        cls, definitions: Iterable[Any], *, data_path: str = "data", settings: Mapping[str, Any] | None = None
    ) -> AssetGraph:
        """The graph of assets, multi-assets, checks and resources. Raises DuplicateKeyError."""
        graph = cls(data_path, settings)
        for definition in definitions:
            graph.add(definition)
        return graph

    def add(self, definition: Any) -> None:
        """Take an asset, multi-asset, check or resources; the same object twice counts once.

        Raises DuplicateKeyError for another of the same key, DefinitionError for anything else.
        """
        self._names = None
        self._is_complete = False
        match definition:
            case Asset():
                self._add_maker(definition.key, definition)
                self._add_checks(definition, definition.out)
            case MultiAsset():
                for out in definition.outs.values():
                    self._add_maker(out.key, definition)
                    self._add_checks(definition, out)
                if definition.name in self.multi and self.multi[definition.name] is not definition:
                    raise _twice("multi-assets", definition.name, self.multi[definition.name].place, definition.place)
                self.multi[definition.name] = definition
            case Check():
                if not definition.asset:  # to be listed in checks= of assets
                    self.loose_checks.setdefault(definition.name, definition)
                    return
                known = self.checks.setdefault(definition.key, definition)
                if known is not definition:
                    raise _twice("checks", definition.key, known.place, definition.place)
                self._refuse_both(definition.asset, definition.name)
            case RuleSet():
                for rule in definition.rules:
                    self._add_rule(definition.asset, rule, definition.place)
            case Resources():
                self._add_resources(definition)
            case _:
                raise DefinitionError(
                    f"{definition!r} is no asset", hint="give assets, multi-assets, checks and Resources"
                )

    def _add_maker(self, key: str, maker: Maker) -> None:
        known = self.makers.setdefault(key, maker)
        if known is not maker:
            raise _twice("assets", key, known.place, maker.place)

    def _add_checks(self, maker: Maker, out: AssetOut) -> None:
        """The checks and the contract that are listed with an asset."""
        if out.schema is not None or out.evolution != "exact":
            contract = contract_of_out(out, maker.place)
            if contract is not None and out.key not in self.contracts:
                self.contracts[out.key] = contract
                self._add_rule(out.key, contract_rule(contract), maker.place)
        for given in out.checks:
            if isinstance(given, Check):
                made = given.of(out.key)
            elif callable(given) and not isinstance(given, AssetFunction):
                from batuta.authoring.assets import check

                made = check(out.key)(given)
            elif is_rule(given):
                self._add_rule(out.key, given, maker.place)
                continue
            else:
                raise DefinitionError(
                    f"{given!r} in checks= of asset {out.key!r} is no check",
                    where=str(maker.place),
                    hint="give rules like not_null('id'), functions of the asset's value, or checks made with @check()",
                )
            known = self.checks.get(made.key)
            if known is None:
                self.checks[made.key] = made
            elif known.fn is not made.fn:
                raise _twice("checks", made.key, known.place, made.place)
            self._refuse_both(out.key, made.name)

    def _refuse_both(self, asset: str, name: str) -> None:
        """A check is a function or a rule."""
        check, rule = self.checks.get(f"{asset}:{name}"), self.rules.get(asset, {}).get(name)
        if check is not None and rule is not None:
            raise _twice("checks", check.key, rule.place, check.place)

    def _add_rule(self, asset: str, rule: Rule, place: Place) -> None:
        known = self.rules.setdefault(asset, {}).setdefault(rule.name, Placed(rule, place))
        if known.rule is not rule and (known.rule != rule or known.place != place):
            raise _twice("checks", f"{asset}:{rule.name}", known.place, place)
        self._refuse_both(asset, rule.name)
        if rule.name == TOGETHER:
            hint = "give it another name="
            raise DefinitionError(f"a check cannot be called {TOGETHER!r}", where=str(place), hint=hint)

    def leave_out(self, asset: Asset[..., Any]) -> None:
        """Forget an asset that is not right, and its checks."""
        self._names = None
        self.makers.pop(asset.key, None)
        if self.quarantines.pop(asset.key + QUARANTINE, None) is not None:
            self.makers.pop(asset.key + QUARANTINE, None)
        for key in [key for key, check in self.checks.items() if check.asset == asset.key]:
            del self.checks[key]
        self.rules.pop(asset.key, None)
        self.contracts.pop(asset.key, None)

    def _add_resources(self, resources: Resources) -> None:
        for name, value in resources.values.items():
            if name in self._values and self._values[name] is not value:
                raise _twice("resources", name, self._places[name], resources.place)
            self._values[name] = value
            self._places[name] = resources.place
        self.resources = ResourcePool(self._values)

    # -- the neutral model

    def specs(self, layers: tuple[str, ...]) -> Specs:
        """(AssetSpecs, AssetSteps, CheckSpecs) of all. `layers`, lowest first, are those of the project.

        Raises DefinitionError: UnknownDependencyError, CycleError, LayerError, DuplicateKeyError, or itself.
        """
        with collector_paused():
            self._complete()
            self.problems += adopt_tables(self)
            return build_specs(self, layers)

    def _complete(self) -> None:
        """Give SQL assets the checks that they name, and assets that refuse rows their quarantine."""
        for asset, placed in self.rules.items():
            refusing = [one for one in placed.values() if one.rule.options.quarantine]
            if refusing and asset in self.makers:
                self._add_quarantine(asset, self.makers[asset], refusing[0])
        self._is_complete = True
        for maker in dict.fromkeys(one for one in self.makers.values() if isinstance(one, SqlAsset)):
            for name in maker.check_names:
                if name not in self.loose_checks:
                    hint = (
                        nearest(name, self.loose_checks) or "write it in Python: @check() def " + name + "(rows): ..."
                    )
                    problem = Problem(f"SQL asset {maker.key!r}: there is no check {name!r}", maker.place, hint)
                    self.problems.append(problem)
                    continue
                made = self.loose_checks[name].of(maker.key)
                self.checks.setdefault(made.key, made)

    def _add_quarantine(self, asset: str, maker: Maker, refusing: Placed) -> None:
        what = ""
        if isinstance(maker, SqlAsset) and maker.sql.materialized != "table":
            what = "is a view" if maker.sql.materialized == "view" else "is made by adding rows"
        elif isinstance(maker, Asset) and maker.external:
            what = "is external"
        if what:
            raise DefinitionError(
                f"check {asset}:{refusing.rule.name} sends rows to quarantine, but {asset!r} {what}",
                where=str(refusing.place),
                hint="leave on_fail= out: only rows of what is made as a whole can be kept apart",
            )
        out = quarantine_of(self.out_of(asset))
        self.quarantines[out.key] = out
        self._add_maker(out.key, maker)
        self._names = None

    def warm(self) -> None:
        """Import what queries and IO managers need: seconds that processes forked from this one do not spend."""
        outs = (
            out
            for maker in self.makers.values()
            for out in ((maker.out,) if isinstance(maker, Asset) else maker.outs.values())
        )
        for manager in {type(one): one for one in (*self._values.values(), *(out.io_manager for out in outs))}.values():
            if isinstance(manager, IOManager):
                manager.warm()
        dialects = {dialect_of(one, self._values) for one in self.makers.values() if isinstance(one, SqlAsset)}
        if dialects:
            from batuta.sql.parse import warm

            warm(dialects)

    # -- code

    def code(self, step: str) -> StepCode:
        """The code of an asset's, multi-asset's or check's step. Raises InvariantError for an unknown one."""
        code = self._codes.get(step)
        if code is None:
            code = self._codes[step] = self._code(step)
        return code

    def _code(self, step: str) -> StepCode:
        if not self._is_complete:
            self._complete()
        check = self.checks.get(step)
        if check is not None:
            return CheckCode(self, check, self.binding_of(check))
        for rules in rule_sets(step.partition(":")[0], self.rules.get(step.partition(":")[0], {})):
            if rules.step == step:
                from batuta.authoring.rules_run import RulesCode

                return RulesCode(self, rules, binding_of_set(rules))
        maker = self.makers.get(step)
        if maker is None or maker.step != step:
            maker = self.multi.get(step)
        if maker is None:
            raise InvariantError(f"there is no asset step {step!r}", hint="it was there when the run was planned")
        if isinstance(maker, SqlAsset):
            from batuta.authoring.sql_run import SqlCode

            return SqlCode(self, maker, self.binding_of(maker))
        return AssetCode(self, maker, self.binding_of(maker))

    # -- for the modules beside this one

    @property
    def names(self) -> Names:
        """What parameters are looked up in."""
        if self._names is None:
            self._names = Names(self.makers, self._values)
        return self._names

    def binding_of(self, definition: AssetFunction[..., Any]) -> Binding:
        """What feeds its function. Raises DefinitionError."""
        if isinstance(definition, SqlAsset):
            return self.with_reads(definition, bind_tables(definition, self.names, self.sql_facts))
        try:
            return self.with_reads(definition, bind(definition, self.names))
        except Unbound as error:
            raise error.as_error() from None

    def with_reads(self, definition: AssetFunction[..., Any], binding: Binding) -> Binding:
        """What it depends on, with what the rules look into that are evaluated before it is written."""
        if not self.rules or isinstance(definition, Check):
            return binding
        keys = definition.keys if isinstance(definition, MultiAsset) else (definition.step,)
        return with_deps(binding, [rule for key in keys for rule in self.rules_at_write(key)])

    def rules_at_write(self, key: str) -> list[Rule]:
        """The rules of an asset that are evaluated before it is written: those that send rows to quarantine."""
        return [one.rule for one in self.rules.get(key, {}).values() if one.rule.options.quarantine]

    def partitions_of_key(self, key: str) -> Partitions | None:
        """The partitions of an asset, if it has any."""
        maker = self.makers.get(key)
        return None if maker is None else maker.partitions

    def partitions_of(self, definition: AssetFunction[..., Any]) -> Partitions | None:
        """Those of an asset or of the asset that a check is of."""
        if isinstance(definition, Check | RuleSet):
            return self.partitions_of_key(definition.asset)
        return definition.partitions

    def out_of(self, key: str) -> AssetOut:
        """What is said about one asset. Raises DefinitionError for an unknown one."""
        if key in self.quarantines:
            return self.quarantines[key]
        maker = self.makers.get(key)
        if maker is None:
            raise DefinitionError(f"there is no asset {key!r}", hint=nearest(key, self.makers))
        if isinstance(maker, Asset):
            return maker.out
        return next(out for out in maker.outs.values() if out.key == key)

    def io_of(self, key: str) -> Any:
        """The IO manager of an asset, ready for use. Raises DefinitionError for one that is not there."""
        given = self.out_of(key).io_manager
        if given is not None and not isinstance(given, str):
            return given
        name = given or DEFAULT_IO
        if name == DEFAULT_IO and name not in self._values:
            if self._default_io is None:
                from batuta.authoring.asset_io import DefaultIO

                self._default_io = DefaultIO(self._data_path)
            return self._default_io
        return self.resources.get(name)

    def config_of(self, definition: AssetFunction[..., Any], given: Mapping[str, Any]) -> Any:
        """The config of an asset or check; the project's settings and `given[step]` count over what is declared."""
        settings = self._settings.get("assets") or {}
        return configured(definition, settings.get(definition.step), given.get(definition.step))

    def code_version_of(self, definition: AssetFunction[..., Any], out: AssetOut) -> str:
        """The version of the code that makes an asset."""
        if out.code_version:
            return out.code_version
        settings = self._settings.get("assets")
        if isinstance(definition, SqlAsset):
            return sql_version(definition, self, settings.get(definition.step) if settings else None)
        return version_of(definition, settings.get(definition.step) if settings else None)

    def deps_of(self, definition: Maker, out: AssetOut, binding: Binding) -> tuple[AssetDep, ...]:
        """What one asset depends on: all that its function does, unless an out of a multi-asset says what."""
        if out.deps is None:
            return binding.deps
        from batuta.authoring.asset_definitions import key_of

        known = {dep.asset: dep for dep in binding.deps}
        keys = [key_of(dep, str(definition.place)) for dep in out.deps]
        return tuple(known.get(key) or AssetDep(key, None, False) for key in dict.fromkeys(keys))


def _twice(what: str, key: str, first: Place, second: Place) -> DuplicateKeyError:
    return DuplicateKeyError(
        f"two {what} are called {key!r}: the other is at {first}",
        where=str(second),
        hint="give one of them another name",
    )
