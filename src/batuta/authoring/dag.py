"""`DAG`: a graph of steps written ahead of time, in a `with` block or as a `@dag` function.

The surprising rule: `@dag` makes the DAG at once, where it stands; the parameters of its function are the parameters of
its runs, so inside the function they stand for values that only a run has.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import Token
from datetime import datetime
from typing import TYPE_CHECKING, Any, overload

from batuta.authoring import asset_triggers, dag_params, registry
from batuta.authoring import session as where_calls_go
from batuta.authoring.asset_triggers import Trigger
from batuta.authoring.code import StepCode
from batuta.authoring.dag_calls import Signatures, TaskCall
from batuta.authoring.dag_compile import Compiled
from batuta.authoring.dag_groups import TaskGroup
from batuta.authoring.dag_links import Point
from batuta.authoring.dag_mapping import MapOver, Mode
from batuta.authoring.dag_nodes import Body, Node
from batuta.authoring.dag_outputs import Output
from batuta.authoring.dag_params import Params
from batuta.authoring.options import Options, make_options
from batuta.authoring.own_schedules import own_schedules, own_text
from batuta.authoring.places import importing_module, user_place
from batuta.authoring.task import Task, place_of
from batuta.core.definitions import JobSpec, Place
from batuta.core.errors import DefinitionError, DuplicateKeyError, InvariantError, UnknownDependencyError
from batuta.core.plan import Plan
from batuta.core.priority_weights import WEIGHTINGS, Weighting
from batuta.core.run_rules import NONE, RunRules, validate
from batuta.core.similar import similar

if TYPE_CHECKING:
    from batuta.authoring.schedule import Schedule, When
    from batuta.authoring.timings import Moment

_NAME = re.compile(r"[\w-]+")
_JOB_NAME = re.compile(r"[\w.-]+")


class DAG:
    """A graph of steps. See `authoring.code.JobCode` for what the engine asks of it."""

    def __init__(
        self,
        name: str,
        *,
        description: str = "",
        params: Any = None,
        schedule: When | Schedule | Trigger | Sequence[When | Schedule | Trigger] | None = None,
        timezone: str = "UTC",
        start: Moment | None = None,
        tags: Sequence[str] | Mapping[str, str] = (),
        owners: str | Sequence[str] = (),
        default_args: Mapping[str, Any] | None = None,
        fail_fast: bool = False,
        parallelism_max: int | None = None,
        priority_weight: Weighting = "own",
        rules: RunRules = NONE,
        doc: str = "",
    ) -> None:
        """`params`: name -> type, default or `Param`, or a pydantic model class. `schedule`: a cron expression, an
        interval, a `Schedule` or what else that takes, on the clock of `timezone`, from `start` on; or assets, see
        `on_assets`. `default_args`: options for all its steps. `fail_fast`: after the first failure nothing new starts.
        `parallelism_max`: how many of its task runs at once. `priority_weight`: whether steps that hold up much
        (`downstream`), or are far along (`upstream`), go first. `rules`: of its runs. Raises DefinitionError.
        """
        self.place: Place = user_place(self)
        self.name = name
        where = f"{self.place}: DAG {name!r}"
        if not _is_name(name, _JOB_NAME):
            raise DefinitionError(
                f"a DAG cannot be called {name!r}", where=str(self.place), hint="use letters, digits, '_', '-' and '.'"
            )
        self.description = "\n\n".join(filter(None, (inspect.cleandoc(description), inspect.cleandoc(doc))))
        self.params: Params = params if isinstance(params, Params) else dag_params.declared(params, where)
        self.timezone = timezone
        schedule, self.triggers = asset_triggers.split(schedule, name, self.place)
        self.schedules = own_schedules(schedule, job=name, timezone=timezone, start=start, place=self.place)
        self.schedule = own_text(self.schedules)
        self.start = None if start is None else _start(start, timezone, where)
        self.tags = dict(tags) if isinstance(tags, Mapping) else dict.fromkeys(_texts(tags), "")
        self.owners = _texts(owners)
        self.default_args = dict(default_args or {})
        make_options(None, self.default_args, f"{where}: default_args")
        self.fail_fast = fail_fast
        self.parallelism_max = parallelism_max
        self.rules = validate(rules, where)
        self.priority_weight = priority_weight
        if priority_weight not in WEIGHTINGS:
            hint = f"it is one of {', '.join(WEIGHTINGS)}"
            raise DefinitionError(f"priority_weight is {priority_weight!r}", where=where, hint=hint)
        if parallelism_max is not None and parallelism_max < 1:
            raise DefinitionError(f"parallelism_max is {parallelism_max}", where=where, hint="give 1 or more, or None")
        self.nodes: dict[str, Node] = {}
        self.groups: dict[str, TaskGroup] = {}
        self.group_links: list[tuple[Point, Point]] = []
        self.open_blocks: list[int] = []
        self._open_groups: list[TaskGroup] = []
        self._counts: dict[str, int] = {}
        self._options: dict[tuple[int, str], tuple[Options, Options]] = {}
        self._signatures = Signatures()
        self._tokens: list[Token[where_calls_go.DagBlock | None]] = []
        self._compiled: Compiled | None = None
        self._typed: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None
        registry.register(self, importing_module())

    # ---- writing ----

    def __enter__(self) -> DAG:
        self._tokens.append(where_calls_go.dag.set(self))
        return self

    def __exit__(self, *error: object) -> None:
        if not self._tokens:
            raise DefinitionError(f"DAG {self.name!r} is left without having been entered", where=str(self.place))
        where_calls_go.dag.reset(self._tokens.pop())
        if error[0] is None and not self._tokens:
            self.compiled.check_branches()

    def __call__(self) -> DAG:
        """The DAG itself, so that a `@dag` function may be called or not."""
        return self

    @property
    def open_group(self) -> TaskGroup | None:
        """The innermost group being written."""
        return self._open_groups[-1] if self._open_groups else None

    def enter_group(self, group: TaskGroup) -> None:
        """Steps made from now on are in `group`."""
        if where_calls_go.dag.get() is not self:
            raise DefinitionError(
                f"task group {group.path!r} is opened outside its DAG",
                where=str(user_place()),
                hint=f"open it inside the `with` block of DAG {self.name!r}",
            )
        self._open_groups.append(group)

    def leave_group(self) -> None:
        """The innermost group ends."""
        self._open_groups.pop()

    def changed(self) -> None:
        """What was compiled is no longer all of it."""
        self._compiled = None

    def add_call(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], options: Options) -> Any:
        """See `authoring.session.DagBlock`: a node that calls the task. Returns its Output."""
        place = user_place()
        self._signatures.check(task, args, kwargs, place)
        options = self.options_for(options, place)
        return self._called(task, TaskCall(task, args, kwargs, options), options, place, None)

    def add_mapped(
        self, task: Task[..., Any], partial: Mapping[str, Any], mapped: Mapping[str, Any], mode: str, options: Options
    ) -> Any:
        """See `authoring.session.DagBlock`: a node that calls the task once per item. Returns its Output."""
        place = user_place()
        both = partial.keys() & mapped.keys()
        if both:
            what = f"task {task.name!r}: arguments are fixed and mapped: {', '.join(sorted(both))}"
            raise DefinitionError(what, where=str(place), hint="name each in .partial or in .expand")
        self._signatures.check(task, (), {**partial, **mapped}, place)
        mapping = self.mapping(mapped, "zip" if mode == "zip" else "product", f"{place}: task {task.name!r}")
        options = self.options_for(options, place)
        return self._called(task, TaskCall(task, (), partial, options, mapping), options, place, mapping)

    def _called(
        self, task: Task[..., Any], body: TaskCall, options: Options, place: Place, mapping: MapOver | None
    ) -> Output:
        node = self.add(options.name or task.name, body, options, place=place, mapping=mapping)
        output = Output(node)
        extra = options.extra
        if extra:
            if extra.get("setup"):
                output.as_setup()
            if extra.get("teardown"):
                output.as_teardown(fails_run=extra["fails_run"])
        return output

    def mapping(self, mapped: Mapping[str, Any], mode: Mode, where: str) -> MapOver:
        """What a step ranges over. Raises DefinitionError, also inside a mapped group."""
        group = self.open_group
        if group is not None and group.region is not None:
            raise DefinitionError(
                f"expand is used inside the mapped group {group.region.path!r}",
                where=where,
                hint="a mapped group cannot be mapped again inside: make the pairs before it, or loop in the task",
            )
        return MapOver(mapped, mode, where)

    def options_for(self, options: Options, place: Place) -> Options:
        """`options` on top of the defaults of the DAG and of the groups being written."""
        group = self.open_group
        if not self.default_args and group is None:
            return options
        key = (id(options), group.path if group is not None else "")
        known = self._options.get(key)
        if known is None or known[0] is not options:
            defaults = dict(self.default_args)
            for outer in self._open_groups:
                defaults.update(outer.default_args)
            made = make_options(None, {**defaults, **options.given}, str(place)) if defaults else options
            known = self._options[key] = (options, made)
        return known[1]

    def add(
        self,
        name: str,
        body: Body,
        options: Options,
        *,
        place: Place,
        mapping: MapOver | None = None,
        exact: bool = False,
    ) -> Node:
        """A new node. Its name gets a number where it is taken, unless it is `exact`: DuplicateKeyError."""
        group = self.open_group
        prefix = group.prefix if group is not None else ""
        node = Node(self, self._free_key(prefix, name, exact, place), group, body, options, place, mapping)
        self.nodes[node.key] = node
        while group is not None:
            group.nodes.append(node)
            group = group.parent
        self._compiled = None
        return node

    def add_group(self, group: TaskGroup, name: str, exact: bool) -> str:
        """Register a group; returns its path."""
        prefix = f"{group.parent.path}." if group.parent is not None else ""
        path = self._free_key(prefix, name, exact, group.place)
        self.groups[path] = group
        return path

    def _free_key(self, prefix: str, name: str, exact: bool, place: Place) -> str:
        if not _is_name(name, _NAME):
            what = f"a step or group of DAG {self.name!r} cannot be called {name!r}"
            raise DefinitionError(what, where=str(place), hint="use letters, digits, '_' and '-'")
        key = prefix + name
        taken = self.nodes.get(key) or self.groups.get(key)
        if taken is None:
            return key
        if exact:
            raise DuplicateKeyError(
                f"DAG {self.name!r} has two steps or groups called {key!r}: the other is at {taken.place}",
                where=str(place),
                hint="give one of them another name=",
            )
        count = self._counts.get(key, 0) + 1
        while f"{key}__{count}" in self.nodes or f"{key}__{count}" in self.groups:
            count += 1
        self._counts[key] = count
        return f"{key}__{count}"

    def link(self, up: Point, down: Point) -> None:
        """Make `down` wait for `up`. Raises DefinitionError where they are not both of this DAG."""
        if up.dag is not self or down.dag is not self:
            what = f"{up!r} and {down!r} are linked, but are of different DAGs"
            hint = "a DAG waits for another through an asset, a sensor or TriggerJobOperator"
            raise DefinitionError(what, where=str(user_place()), hint=hint)
        if isinstance(up, Node) and isinstance(down, Node):
            down.upstream.setdefault(up, False)
        else:
            self.group_links.append((up, down))
        self._compiled = None

    # ---- looking ----

    @property
    def compiled(self) -> Compiled:
        """The plan. Raises DefinitionError for what is wrong with the graph."""
        if self._compiled is None:
            self._compiled = Compiled(self)
        return self._compiled

    def plan(self) -> Plan:
        """The plan of its runs. Raises DefinitionError for what is wrong with the graph."""
        return self.compiled.plan

    def downstream_of(self, node: Node) -> list[Node]:
        """The nodes that wait directly for `node`."""
        return self.compiled.downstreams.get(node, [])

    def find(self, name: str, group: TaskGroup | None = None, where: str = "") -> Node:
        """The node called `name`, seen from inside `group`. Raises UnknownDependencyError with the nearest name."""
        while True:
            node = self.nodes.get((group.prefix if group is not None else "") + name)
            if node is not None:
                return node
            if group is None:
                hint = similar(name, self.nodes) or "name a step by its key: 'group.step'"
                raise UnknownDependencyError(
                    f"DAG {self.name!r} has no step {name!r}", where=where or str(self.place), hint=hint
                )
            group = group.parent

    # ---- as a job ----

    def spec(self) -> JobSpec:
        """See `JobCode`."""
        return JobSpec(
            name=self.name,
            kind="dag",
            plan=self.plan(),
            params_schema=self.params.schema(),
            description=self.description,
            tags=self.tags,
            owners=self.owners,
            schedule=self.schedule,
            timezone=self.timezone,
            rules=self.rules,
            place=self.place,
        )

    def code(self, step: str) -> StepCode:
        """See `JobCode`."""
        node = self.nodes.get(step)
        if node is None:
            raise InvariantError(f"DAG {self.name!r} has no step {step!r}")
        return node

    def validate_params(self, given: Mapping[str, Any], from_text: bool = False) -> dict[str, Any]:
        """See `JobCode`."""
        return self.params.validate(given, from_text)

    def typed_params(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """The params of a run as their types, from the plain data that travelled; the last ones are kept."""
        if not self.params:
            return raw
        kept = self._typed
        if kept is None or (kept[0] is not raw and kept[1] is not raw):
            kept = self._typed = (raw, self.params.validate(raw, from_text=False))
        return kept[1]

    def __repr__(self) -> str:
        return f"<DAG {self.name}>"


@overload
def dag(fn: Callable[..., Any], /) -> DAG: ...


@overload
def dag(
    *,
    name: str = ...,
    description: str = ...,
    schedule: When | Schedule | Trigger | Sequence[When | Schedule | Trigger] | None = ...,
    timezone: str = ...,
    start: Moment | None = ...,
    tags: Sequence[str] | Mapping[str, str] = ...,
    owners: str | Sequence[str] = ...,
    default_args: Mapping[str, Any] | None = ...,
    fail_fast: bool = ...,
    parallelism_max: int | None = ...,
    priority_weight: Weighting = ...,
    rules: RunRules = ...,
    doc: str = ...,
) -> Callable[[Callable[..., Any]], DAG]: ...


def dag(fn: Callable[..., Any] | None = None, /, *, name: str = "", **options: Any) -> Any:
    """Make a DAG of a function whose body calls its tasks. The function runs once, at once; the result is the DAG.

    The function's parameters are those of the runs, checked against their type hints; inside it each stands for the
    value of a run: pass it to steps, or put it into text. Options are those of `DAG`. Raises DefinitionError.
    """

    def decorate(function: Callable[..., Any]) -> DAG:
        if not callable(function):
            raise DefinitionError(f"@dag needs a function, got {type(function).__name__}")
        place = place_of(function)
        title = name or getattr(function, "__name__", "dag")
        if "params" in options:
            raise DefinitionError(
                f"the parameters of @dag {title!r} are those of its function",
                where=str(place),
                hint=f"give limits as defaults: `def {title}(limit: int = Param(3, ge=1))`, and leave `params=` out",
            )
        params = dag_params.of_signature(function, f"{place}: DAG {title!r}")
        options.setdefault("description", function.__doc__ or "")
        made = DAG(title, params=params, **options)
        made.place = place
        functools.update_wrapper(made, function, updated=())
        with made:
            function(**{parameter: params[parameter] for parameter in params})
        return made

    return decorate if fn is None else decorate(fn)


def _is_name(name: Any, pattern: re.Pattern[str]) -> bool:
    return isinstance(name, str) and pattern.fullmatch(name) is not None


def _texts(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _start(start: Moment, timezone: str, where: str) -> datetime:
    """The start as an aware time: a date means its midnight on the clock of the DAG."""
    from batuta.authoring.timings import instant
    from batuta.core.timezones import to_datetime

    return to_datetime(int(instant(start, timezone, where)), timezone)
