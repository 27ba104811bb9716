"""What may start: the ends of task runs told downstream, trigger rules weighed, mapped steps given their task runs.

Telling is a loop over a queue, not a recursion, so that chains may be long; and a verdict that falls early is weighed
once per step, so that wide steps stay linear.
"""

from __future__ import annotations

from batuta.core.plan import LabelExpansion, MapExpansion
from batuta.core.run_data import RunData
from batuta.core.run_graph import PLACEHOLDER, SINGLE, StepNode, TaskRun
from batuta.core.states import TaskState
from batuta.core.trigger_rules import EARLY, Tally, TriggerRule, Verdict, decide
from batuta.core.values import ErrorInfo

_NO_PARTITIONS = "it has no partitions"


def open_node(run: RunData, node: StepNode) -> None:
    """Give a step the task runs that are known ahead: one, or one per label. Nothing is weighed yet."""
    expansion = node.spec.expansion
    if expansion is None:
        run.graph.fit(node, 1, first=SINGLE)
    elif isinstance(expansion, LabelExpansion):
        if not expansion.labels:
            place(run, node, TaskState.SKIPPED, _NO_PARTITIONS)
            return
        run.graph.fit(node, len(expansion.labels), expansion.labels)
    run.changed.extend(node.runs)


# ---- weighing ----


def evaluate(run: RunData, node: StepNode) -> None:
    """See whether task runs of `node` can start, or never will, now that an upstream step said something new."""
    if node.settled:
        return
    if not node.expanded:
        _evaluate_unexpanded(run, node)
    elif node.gates:
        return
    elif not node.every_pending:
        evaluate_each(run, node)
    elif not node.decided:
        verdict = decide(node.spec.trigger_rule, node.every, False)
        if verdict is not Verdict.WAIT:
            node.decided = True
            for task in node.runs:
                if task.state is TaskState.WAITING:
                    _carry_out(run, task, verdict)


def evaluate_each(run: RunData, node: StepNode) -> None:
    """The same for every waiting task run of an expanded step, each with its own upstreams."""
    if node.gates:
        return
    waiting = [task for task in node.runs if task.state is TaskState.WAITING]
    if node.has_own_edges or not waiting:
        for task in waiting:
            evaluate_task(run, task)
        return
    verdict = _weigh(run, waiting[0])
    if verdict is not Verdict.WAIT:
        for task in waiting:
            _carry_out(run, task, verdict)


def evaluate_task(run: RunData, task: TaskRun) -> None:
    """The same for one waiting task run, whose own upstreams may have said something new."""
    if not task.node.gates:
        verdict = _weigh(run, task)
        if verdict is not Verdict.WAIT:
            _carry_out(run, task, verdict)


def _weigh(run: RunData, task: TaskRun) -> Verdict:
    node = task.node
    rule = node.spec.trigger_rule
    resolved = not (node.every_pending or task.own_pending)
    if not resolved and rule not in EARLY:
        return Verdict.WAIT
    tally = node.every if task.own is None else node.every + task.own
    setups = _setups(run, task) if rule is TriggerRule.ALL_DONE_SETUP_SUCCESS else None
    return decide(rule, tally, resolved, setups)


def _carry_out(run: RunData, task: TaskRun, verdict: Verdict) -> None:
    if verdict is Verdict.SKIP:
        run.end(task, TaskState.SKIPPED)
    elif verdict is Verdict.UPSTREAM_FAILED:
        run.end(task, TaskState.UPSTREAM_FAILED)
    else:
        node = task.node
        lack = (_scope_lack(task) if node.scope else None) or (_item_lack(run, task) if node.lengths else None)
        if lack is not None:
            run.end(task, *lack)
        elif run.stopping and not node.spec.is_teardown:
            run.end_halted(task)
        elif node.spec.kind == "input":
            run.set_state(task, TaskState.PAUSED)
        else:
            run.dispatch(task)


def _scope_lack(task: TaskRun) -> tuple[TaskState, str] | None:
    """A setup that keeps the task run from running: work never runs on what has not been set up."""
    skipped = None
    for setup in task.node.scope:
        tally = setup.tally
        beside = setup.spec.expansion is not None and setup.spec.expansion == task.node.spec.expansion
        if beside and task.index < len(setup.runs):
            tally = Tally()
            tally.count(setup.runs[task.index].state)
        if tally.failed or tally.upstream_failed:
            return TaskState.UPSTREAM_FAILED, f"{setup.spec.key} did not set up what it needs"
        if tally.skipped:
            skipped = TaskState.SKIPPED, f"{setup.spec.key} was skipped"
    return skipped


def _item_lack(run: RunData, task: TaskRun) -> tuple[TaskState, str] | None:
    """A source that does not have this task run's item: a mapped one that failed there, or one that is shorter now."""
    if task.node.items_sure:
        return None
    for source, up, item in run.graph.map_items(task):
        if up is None:
            continue
        if item < 0 and up.state is not TaskState.SUCCEEDED:
            skipped = up.state is TaskState.SKIPPED
            return TaskState.SKIPPED if skipped else TaskState.UPSTREAM_FAILED, f"{up.key} has no output to map over"
        if item >= 0 and (up.output is None or item >= (up.output.length or 0)):
            return TaskState.SKIPPED, f"{source.step} has no item {item} any more"
    return None


def _setups(run: RunData, task: TaskRun) -> Tally:
    """How the setups directly upstream of a teardown ended."""
    tally = Tally()
    for edge in task.node.spec.upstream:
        up = run.graph.by_key[edge.step]
        if up.spec.is_setup:
            if edge.mapping == "every":
                tally.add(up.tally)
            else:
                for setup in run.graph.upstream_runs(task, edge):
                    if setup is not None and setup.told:
                        tally.count(setup.state)
    return tally


# ---- dynamic mapping ----


def _evaluate_unexpanded(run: RunData, node: StepNode) -> None:
    """A step is expanded when its sources are known and no verdict of its upstreams stands against it."""
    rule = node.spec.trigger_rule
    resolved = not node.every_pending and not node.has_own_edges
    setups = None
    if resolved and rule is TriggerRule.ALL_DONE_SETUP_SUCCESS:
        setups = Tally()
        for edge in node.spec.upstream:
            if run.graph.by_key[edge.step].spec.is_setup:
                setups.add(run.graph.by_key[edge.step].tally)
    verdict = decide(rule, node.every, resolved, setups)
    if verdict is Verdict.UPSTREAM_FAILED:
        place(run, node, TaskState.UPSTREAM_FAILED)
    elif verdict is Verdict.SKIP:
        place(run, node, TaskState.SKIPPED)
    elif node.gates or (verdict is Verdict.WAIT and node.every_pending):
        return
    elif run.stopping and not node.spec.is_teardown:
        place(run, node, run.halt_state, run.halt_reason).halted = True
    else:
        _expand(run, node)


def _expand(run: RunData, node: StepNode) -> None:
    for other in node.aligned or ():
        if other.expanded and other.placeholder is None:
            # Its sources are ours. After a restart they may have other lengths by now, but alignment stands.
            _fill(run, node, other.lengths, len(other.runs))
            return
    expansion = node.spec.expansion
    assert isinstance(expansion, MapExpansion)
    lengths = []
    for source in expansion.sources:
        if not source.step:
            lengths.append(source.length)
            continue
        up = run.graph.by_key[source.step]
        if not up.tally.succeeded:
            failed = up.tally.failed or up.tally.upstream_failed
            state = TaskState.UPSTREAM_FAILED if failed else TaskState.SKIPPED
            place(run, node, state, f"{source.step} has no output to map over")
            return
        lengths.append(len(up.runs) if up.spec.expansion is not None else _output_length(up.runs[0]))
    total = _total(lengths, expansion.mode)
    if total is None:
        _place_failed(run, node, lengths)
    elif total == 0:
        place(run, node, TaskState.SKIPPED, "nothing to map over")
    else:
        _fill(run, node, tuple(lengths), total)


def _fill(run: RunData, node: StepNode, lengths: tuple[int, ...], total: int) -> None:
    had = len(node.runs) + len(node.spare)
    run.graph.fit(node, total)
    node.lengths = lengths
    node.items_sure = _have_items(run, node)
    for task in node.runs[:had]:
        if task.final:
            task.renew()
            task.state = TaskState.WAITING
    run.changed.extend(node.runs)
    _drop_spare(run, node, TaskState.SKIPPED, "there are fewer items to map over now")
    for index, reason in (node.left_out or {}).items():
        if index < total:
            run.end(node.runs[index], TaskState.SKIPPED, reason)
    evaluate_each(run, node)


def _have_items(run: RunData, node: StepNode) -> bool:
    """Whether all sources have all items that the step was expanded for."""
    expansion = node.spec.expansion
    assert isinstance(expansion, MapExpansion)
    for source, length in zip(expansion.sources, node.lengths, strict=True):
        if source.step:
            up = run.graph.by_key[source.step]
            single = up.spec.expansion is None
            if length != (_output_length(up.runs[0]) if single else up.tally.succeeded):
                return False
    return True


def _place_failed(run: RunData, node: StepNode, lengths: list[int]) -> None:
    task = place(run, node, TaskState.FAILED, "its sources cannot be mapped over")
    expansion = node.spec.expansion
    assert isinstance(expansion, MapExpansion)
    single = [repr(source.step) for source, length in zip(expansion.sources, lengths, strict=True) if length < 0]
    why = f"its sources have lengths {lengths}"
    if single:
        why = f"the output of {' and of '.join(dict.fromkeys(single))} is not a list, a tuple or a dict"
    task.error = ErrorInfo(
        kind="error",
        type="MapLengthError",
        message=f"step {node.spec.key!r} cannot be expanded: {why}",
        hint="return a list, tuple or dict from each source; zipped sources need equal lengths",
    )
    if run.plan.fail_fast and node.spec.fails_run and not node.spec.is_teardown:
        run.want_halt(TaskState.SKIPPED, f"{node.spec.key} failed, and the run is to fail fast")


def place(run: RunData, node: StepNode, state: TaskState, reason: str = "") -> TaskRun:
    """End a step that gets no task runs of its own with one that stands for it."""
    run.graph.fit(node, 1, first=PLACEHOLDER)
    task = node.runs[0]
    node.lengths = ()
    _drop_spare(run, node, state, reason)
    run.end(task, state, reason)
    return task


def _drop_spare(run: RunData, node: StepNode, state: TaskState, reason: str) -> None:
    for task in node.spare:
        if not task.final:
            task.dropped = True
            task.reason = reason
            run.set_state(task, state)


def _output_length(task: TaskRun) -> int:
    return -1 if task.output is None or task.output.length is None else task.output.length


def _total(lengths: list[int], mode: str) -> int | None:
    if any(length < 0 for length in lengths):
        return None
    if mode == "zip":
        return lengths[0] if len(set(lengths)) == 1 else None
    total = 1
    for length in lengths:
        total *= length
    return total


# ---- telling ----


def propagate(run: RunData) -> None:
    """Tell the ends downstream until nothing more follows."""
    ended = run.ended
    while ended:
        _tell(run, ended.popleft())


def _tell(run: RunData, task: TaskRun) -> None:
    node = task.node
    state = task.state
    task.told = True
    node.open -= 1
    node.tally.count(state)
    settled = not node.open
    if settled:
        node.settled = True
        run.open_nodes -= 1
    # Own edges first: a step that the ends below expand counts this end among those already told.
    if node.aligned_downs:
        _tell_aligned(run, task)
    for listed in node.listed_downs:
        for below in listed.inverse[max(task.index, 0)] if listed.inverse else ():
            _count_own(run, listed.node.runs[below], state)
    for down in node.every_downs:
        down.every.count(state)
        if settled:
            down.every_pending -= 1
            if not down.every_pending:
                evaluate(run, down)
                continue
        if state in down.early_on:
            evaluate(run, down)
    if settled:
        for down in node.map_downs:
            _open_gate(run, down)
        for down in node.scope_downs:
            _open_gate(run, down)


def _tell_aligned(run: RunData, task: TaskRun) -> None:
    for down in task.node.aligned_downs:
        if not down.expanded or down.placeholder is not None:
            continue
        if task.index == PLACEHOLDER:
            for below in down.runs:
                _count_own(run, below, task.state)
        else:
            _count_own(run, down.runs[max(task.index, 0)], task.state)


def _count_own(run: RunData, task: TaskRun, state: TaskState) -> None:
    assert task.own is not None
    task.own_pending -= 1
    task.own.count(state)
    if task.state is TaskState.WAITING:
        evaluate_task(run, task)


def _open_gate(run: RunData, node: StepNode) -> None:
    node.gates -= 1
    if node.gates:
        return
    if node.expanded:
        evaluate_each(run, node)
    else:
        evaluate(run, node)


def untell(run: RunData, task: TaskRun, own: dict[StepNode, None]) -> None:
    """Take back what `_tell` did about an end; nodes whose own edges are to be recounted are added to `own`."""
    node = task.node
    state = task.state
    task.told = False
    node.tally.count(state, -1)
    node.open += 1
    settled, node.settled = node.settled, False
    run.open_nodes += settled
    for down in node.every_downs:
        down.every.count(state, -1)
        down.every_pending += settled
        down.decided = False
    for down in node.aligned_downs:
        own[down] = None
    for listed in node.listed_downs:
        own[listed.node] = None
    if settled:
        for down in node.map_downs:
            down.gates += 1
        for down in node.scope_downs:
            down.gates += 1
