"""Random plans: every trigger rule, branches and groups, mapping of every kind, partitions, setups, flows."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import msgspec

from batuta.core.events import Call
from batuta.core.plan import Edge, Expansion, LabelExpansion, MapExpansion, MapSource, Outcome, Plan, StepSpec
from batuta.core.retry import Retry
from batuta.core.trigger_rules import TriggerRule

_RULES = list(TriggerRule)
_RETRIES = (
    Retry(),
    Retry(),
    Retry(attempts_max=2),
    Retry(attempts_max=3, delay_s=5.0),
    Retry(attempts_max=3, delay_s=1.0, backoff="exponential", jitter=0.5, delay_max_s=1.8),
)
_GROUPS = ("", "", "", "g", "g.h", "k")


@dataclass
class Program:
    """What a flow's body does: requests in order, each a template with calls."""

    requests: list[tuple[StepSpec, tuple[Call, ...]]] = field(default_factory=list)


def random_plan(random: Random) -> tuple[Plan, Program | None]:
    """A plan, and for a flow what its body asks for."""
    flavour = random.random()
    if flavour < 0.2:
        return _flow(random)
    steps = _partitioned(random) if flavour < 0.4 else _dag(random)
    outcome: Outcome = "leaves" if random.random() < 0.5 else "any"
    kind = "assets" if flavour < 0.4 else "dag"
    plan = Plan("job", kind, tuple(steps), outcome, fail_fast=random.random() < 0.1)  # type: ignore[arg-type]
    return plan, None


def _size(random: Random) -> int:
    return random.choice((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16))


def _spec(random: Random, key: str, edges: list[Edge], expansion: Expansion | None = None) -> StepSpec:
    rule = TriggerRule.ALL_SUCCESS if random.random() < 0.5 else random.choice(_RULES)
    return StepSpec(
        key,
        kind="input" if random.random() < 0.04 else "task",
        upstream=tuple(edges),
        trigger_rule=rule,
        retry=random.choice(_RETRIES),
        expansion=expansion,
        group=random.choice(_GROUPS),
        fails_run=random.random() > 0.08,
    )


def _upstreams(random: Random, steps: list[StepSpec], most: int = 3) -> list[Edge]:
    count = min(len(steps), random.choice((0, 1, 1, 1, 2, 2, most)))
    return [Edge(spec.key) for spec in random.sample(steps, count)]


# ---- DAGs ----


def _dag(random: Random) -> list[StepSpec]:
    steps: list[StepSpec] = []
    for number in range(_size(random)):
        key = f"s{number}"
        edges = _upstreams(random, steps)
        mapped = [spec for spec in steps if isinstance(spec.expansion, MapExpansion)]
        kind = random.random()
        if kind < 0.15 and mapped:
            beside = random.choice(mapped)  # the next step of a mapped group
            group = [spec for spec in mapped if spec.expansion == beside.expansion]
            aligned = {spec.key: Edge(spec.key, "aligned") for spec in random.sample(group, min(len(group), 2))}
            others = [edge for edge in edges if edge.step not in aligned]
            steps.append(_spec(random, key, [*aligned.values(), *others], beside.expansion))
        elif kind < 0.35:
            expansion = _map_expansion(random, steps)
            edges += [Edge(source.step) for source in expansion.sources if source.step and random.random() < 0.8]
            unique = {edge.step: edge for edge in edges}
            steps.append(_spec(random, key, list(unique.values()), expansion))
        else:
            steps.append(_spec(random, key, edges))
    for number in range(random.choice((0, 0, 1, 1, 2))):
        steps = _with_teardown(random, steps, f"t{number}")
    return steps


def _map_expansion(random: Random, steps: list[StepSpec]) -> MapExpansion:
    sources = []
    for _ in range(random.choice((1, 1, 1, 2))):
        if steps and random.random() < 0.7:
            sources.append(MapSource(random.choice(steps).key))
        else:
            sources.append(MapSource(length=random.choice((0, 1, 2, 3))))
    return MapExpansion(tuple(sources), "zip" if random.random() < 0.3 else "product")


def _with_teardown(random: Random, steps: list[StepSpec], key: str) -> list[StepSpec]:
    """Make one step a setup and add a teardown for it, around some of what is downstream of it."""
    chosen = random.randrange(len(steps))
    setup = msgspec.structs.replace(steps[chosen], is_setup=True)
    if setup.is_teardown:
        return steps
    steps = [*steps[:chosen], setup, *steps[chosen + 1 :]]
    inside = [spec for spec in steps[chosen + 1 :] if not spec.is_teardown]
    work = random.sample(inside, min(len(inside), random.choice((0, 1, 2, 3))))
    kind = "aligned" if setup.expansion is not None and random.random() < 0.7 else "every"
    expansion = setup.expansion if kind == "aligned" else None
    edges = [Edge(setup.key, kind)]  # type: ignore[arg-type]
    for spec in work:
        together = expansion is not None and spec.expansion == expansion
        edges.append(Edge(spec.key, "aligned" if together else "every"))
    teardown = _spec(random, key, edges, expansion)
    rule = TriggerRule.ALL_DONE_SETUP_SUCCESS if random.random() < 0.9 else teardown.trigger_rule
    more = [teardown] if random.random() < 0.8 else [teardown, _spec(random, f"{key}_after", [Edge(key)])]
    more[0] = msgspec.structs.replace(
        teardown, is_teardown=True, trigger_rule=rule, kind="task", fails_run=random.random() < 0.3
    )
    return [*steps, *more]


# ---- partitions ----


def _partitioned(random: Random) -> list[StepSpec]:
    steps: list[StepSpec] = []
    widths = (0, 1, 2, 3, 4) if random.random() < 0.2 else (1, 2, 3, 4)
    width = random.choice(widths)
    for number in range(_size(random)):
        expansion = None
        if random.random() < 0.75:
            if random.random() < 0.25:
                width = random.choice(widths)
            expansion = LabelExpansion(tuple(f"p{i}" for i in range(width)))
        edges = []
        for edge in _upstreams(random, steps):
            up = next(spec for spec in steps if spec.key == edge.step)
            edges.append(_partition_edge(random, up, expansion))
        key = f"a{number}"
        if expansion is not None and random.random() < 0.15:  # each partition needs the one before
            count = len(expansion.labels)
            edges.append(Edge(key, tuple((i - 1,) if i else () for i in range(count))))
        steps.append(_spec(random, key, edges, expansion))
    return steps


def _partition_edge(random: Random, up: StepSpec, expansion: LabelExpansion | None) -> Edge:
    above = len(up.expansion.labels) if isinstance(up.expansion, LabelExpansion) else 1
    below = 1 if expansion is None else len(expansion.labels)
    same = (up.expansion is None) == (expansion is None) and above == below
    kind = random.random()
    if kind < 0.4 and same:
        return Edge(up.key, "aligned")
    if kind < 0.8:
        listed = tuple(
            tuple(sorted(random.sample(range(above), random.randint(0, min(above, 2))))) for _ in range(below)
        )
        return Edge(up.key, listed)
    return Edge(up.key)


# ---- flows ----


def _flow(random: Random) -> tuple[Plan, Program]:
    body = StepSpec("flow", kind="flow", retry=random.choice(_RETRIES))
    program = Program()
    asked: list[str] = []
    for number in range(_size(random)):
        calls = []
        for index in range(random.choice((1, 1, 1, 2, 3))):
            count = min(len(asked), random.choice((0, 0, 1, 2)))
            calls.append(Call(f"c{number}_{index}", f"f{number}", tuple(random.sample(asked, count))))
        asked += [call.key for call in calls]
        kind = "input" if random.random() < 0.06 else "task"
        rule = TriggerRule.ALL_SUCCESS if random.random() < 0.8 else TriggerRule.ALL_DONE
        template = StepSpec(f"c{number}", kind=kind, retry=random.choice(_RETRIES), trigger_rule=rule)  # type: ignore[arg-type]
        program.requests.append((template, tuple(calls)))
    plan = Plan("flow", "flow", (body,), "body", fail_fast=random.random() < 0.1)
    return plan, program
