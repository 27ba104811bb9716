"""What lies below a task run, and what a branch leaves out of it, said naively."""

from __future__ import annotations

from collections.abc import Iterable

from batuta.core.plan import Edge, MapExpansion
from tests.simulation.reference_rules import SKIPPED, W, is_named
from tests.simulation.reference_state import At, One, State


class Reach(State):
    """The state with ways to look and to cut downstream."""

    def targets(self, key: str, slot: int) -> set[At]:
        """Every task run right below, also those to come; position -1 stands for all of a step not yet expanded."""
        found: set[At] = set()
        for down, spec in self.steps.items():
            expansion = spec.expansion
            takes = isinstance(expansion, MapExpansion) and any(source.step == key for source in expansion.sources)
            width = self.width[down]
            for edge in spec.upstream if not takes else ():
                if edge.step == key and width is None:
                    found.add((down, slot if edge.mapping == "aligned" and self.width[key] != 1 else -1))
                elif edge.step == key:
                    whole = edge.mapping == "aligned" and down in self.standin
                    found |= {(down, below) for below in range(width or 0) if whole or self.joins(edge, slot, below)}
            if takes:
                found |= {(down, below) for below in ((-1,) if width is None else range(width))}
        return found

    def joins(self, edge: Edge, slot: int, below: int) -> bool:
        if edge.mapping == "every":
            return True
        if edge.mapping == "aligned":
            return slot in (below, -1) or edge.step in self.standin
        listed = edge.mapping[below] if below < len(edge.mapping) else ()
        return bool(listed) if slot < 0 else slot in listed

    def below(self, starts: Iterable[At]) -> set[At]:
        found: set[At] = set()
        todo = [down for start in starts for down in self.targets(*start)]
        while todo:
            at = todo.pop()
            if at in found:
                continue
            found.add(at)
            todo += self.targets(*at)
            width = self.width[at[0]]
            if width is not None and all((at[0], slot) in found for slot in range(width)):
                todo += self.targets(at[0], -1)  # all of it: also what of its aligned steps is to come
        return found

    def decide(self, at: At, one: One) -> None:
        if one.cut:
            for down in sorted(self.below([at])):
                self.leave_out(down)
        elif one.follow is not None:
            targets = self.targets(*at)
            kept = {down for down in targets if any(is_named(self.steps[down[0]], name) for name in one.follow)}
            led_to = self.below(kept)
            for down in sorted(targets - kept - led_to):
                partly = down[1] < 0 and any(key == down[0] for key, _slot in led_to)
                if not partly and (down[0], -1) not in led_to:
                    self.leave_out(down)

    def leave_out(self, at: At) -> None:
        key, slot = at
        if self.steps[key].is_teardown:
            return
        if slot < 0:
            if self.width[key] is None:
                self.place(key, SKIPPED)
        elif self.width[key] is None:
            self.left_out.setdefault(key, set()).add(slot)
        elif slot < (self.width[key] or 0) and self.slots[key][slot].state is W:
            self.end(self.slots[key][slot], SKIPPED)
