"""The evaluation of all assets that a tick has to look at, upstreams first, and what it requests.

A request makes what looks at the requested asset to be looked at too, so that a whole chain is requested by one tick.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from batuta.core import subsets
from batuta.core.automation_eval import Evaluation, RootMemory, View
from batuta.core.definitions import AssetSpec
from batuta.core.explanations import Explanation, explanation


class Pass:
    """See the module. `memory` is brought up to date, what has to be looked at again next time is in `restless`.

    `told`: what was explained before, by asset; only what differs from it is explained, and not what comes and goes
    while the asset is being made and its condition holds for nothing.
    """

    def __init__(
        self,
        view: View,
        dirty: Iterable[str],
        memory: dict[str, RootMemory],
        told: dict[str, tuple[int, ...]],
    ) -> None:
        self._view = view
        self._watch = view.watch
        self._index = view.facts.index
        self._memory = memory
        self._told = told
        self._queued = set(dirty)
        self._heap = [(self._index.step_rank[key], key) for key in self._queued]
        heapq.heapify(self._heap)
        self.restless: set[str] = set()
        self.evaluated = 0
        self.changed: set[str] = set()
        """The assets whose memory is another."""
        self.explanations: list[Explanation] = []

    def run(self) -> None:
        """Evaluate everything."""
        step, found = "", subsets.NOTHING
        while self._heap:
            _, key = heapq.heappop(self._heap)
            spec = self._index.assets[key]
            if spec.step != step:
                self._announce(step, found)
                step, found = spec.step, subsets.NOTHING
            found |= self._evaluate(key, spec)
            if not self._heap:
                self._announce(step, found)
                found = subsets.NOTHING

    def _announce(self, step: str, bits: int) -> None:
        """What is requested of one asset of a step, the step makes of all of them."""
        if not bits:
            return
        for spec in self._index.made_by(step):
            self._view.requested[spec.key] = bits
            for root in self._watch.watchers.get(spec.key, ()):
                if root not in self._queued:
                    self._queued.add(root)
                    heapq.heappush(self._heap, (self._index.step_rank[root], root))

    def _evaluate(self, root: str, spec: AssetSpec) -> int:
        """The partitions of one asset that are to be requested."""
        before = self._memory.get(root)
        memory = before or RootMemory(self._watch.signatures[root], spec.code_version)
        evaluation = Evaluation(self._view, root, self._watch.roots[root], memory, is_new=before is None)
        holds = evaluation.run()
        held = holds & memory.held
        if held:
            held = subsets.NOTHING if memory.code_version != spec.code_version else held & ~self._news(evaluation)
        requests = holds & ~held & ~self._view.facts.in_progress(root)
        if requests and self._watch.is_closed(root):
            requests = subsets.NOTHING
        after = RootMemory(memory.signature, spec.code_version, held | requests, evaluation.nodes)
        if after != before:
            self.changed.add(root)
        self._memory[root] = after
        if evaluation.is_restless:
            self.restless.add(root)
        self.evaluated += 1
        self._explain(evaluation, holds, requests, held)
        return requests

    def _news(self, evaluation: Evaluation) -> int:
        """What was made since the tick before, or reads something that was."""
        root, updated = evaluation.root, self._view.facts.updated
        bits = updated.get(root, 0)
        for dep in self._watch.deps(root):
            if dep.asset in updated:
                bits |= evaluation.updated_apart(dep, root)
        return bits

    def _explain(self, evaluation: Evaluation, holds: int, requests: int, held: int) -> None:
        running = self._view.facts.in_progress(evaluation.root)
        in_progress = holds & running
        lasting = evaluation.compiled.lasting
        nodes = [bits for (number, _), bits in evaluation.found.items() if lasting[number]]
        digest = (requests, held, in_progress, *nodes)
        before = self._told.get(evaluation.root)
        self._told[evaluation.root] = digest
        if requests or (holds if before is None else before != digest and (holds or not running)):
            self.explanations.append(explanation(evaluation, requests, held))
