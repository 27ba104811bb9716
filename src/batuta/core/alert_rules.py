"""What becomes of a fact under the rules: raised, repeated, counted, resolved, escalated, or nothing, and why.

Pure: `now` is an argument, memory is owned by one `Book` behind four doors (`hear`, `look`, `due`, `settle`). Each says
what it decided; whoever records that can make the same book again from what it recorded. Surprising: a throttle holds
back messages, never alerts: what it held back is open, is counted in the next message, and is escalated on time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec

from batuta.core.alert_specs import MOMENTS, NATURAL, SEVERITIES, Rule, Severity, texts
from batuta.core.durations import spoken

LAPSE_S = 30 * 86_400.0
"""An alert of which nothing was heard for so long is closed: nobody will come with good news any more."""


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happened or is the case. `subject` is what the trouble is about; `good`: it is over there."""

    kind: str
    subject: str
    at: float
    good: bool = False
    severity: Severity | None = None
    job: str = ""
    location: str = ""
    tags: dict[str, str] = {}
    asset: str = ""
    assets: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    partition: str = ""
    check: str = ""
    step: str = ""
    run_id: int | None = None
    task: int | None = None
    since: float | None = None
    message: str = ""
    data: dict[str, Any] = {}

    @property
    def natural(self) -> Severity:
        return self.severity or NATURAL[self.kind]


@dataclass(slots=True)
class Alert:
    """Trouble that is open under a rule. `id` is given by whoever records it; `step` counts the escalations told."""

    rule: str
    key: str
    kind: str
    at: float
    last_at: float
    severity: Severity
    fact: Fact
    count: int = 1
    told_at: float | None = None
    step: int = 0
    id: int = 0


Did = Literal["raise", "repeat", "count", "escalate", "resolve", "lapse"]


@dataclass(slots=True)
class Decision:
    """What is to be done: `alert` as it is now, who is told, and how many of the rule were held back before."""

    did: Did
    alert: Alert
    channels: tuple[str, ...] = ()
    held: int = 0
    why: str = ""


@dataclass(slots=True)
class Book:
    """All that rules remember. Made anew from what was recorded by `Book(rules, open=..., sent=..., held=...)`."""

    rules: tuple[Rule, ...]
    open: dict[tuple[str, str], Alert] = field(default_factory=dict)
    sent: dict[str, list[float]] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)

    def hear(self, fact: Fact, now: float) -> list[Decision]:
        """An event: bad news is raised or counted under every rule that it fits, good news ends what is open."""
        return [made for rule in self.rules if (made := self._heard(rule, fact, now)) is not None]

    def _heard(self, rule: Rule, fact: Fact, now: float) -> Decision | None:
        if why_not(rule, fact) is not None:
            return None
        key = key_of(rule, fact)
        alert = self.open.get((rule.called, key))
        if fact.good:
            return None if alert is None else self._resolve(rule, alert, fact.at, "it is over")
        if alert is None:
            return self._raise(rule, key, fact, now)
        alert.count += 1
        alert.last_at = max(alert.last_at, fact.at)
        alert.fact = fact
        if alert.told_at is not None and now - alert.told_at < rule.dedupe_s:
            return Decision("count", alert, why=f"told {spoken(now - alert.told_at)} ago, and open")
        return self._tell("repeat", rule, alert, now)

    def look(self, kind: str, facts: Sequence[Fact], now: float, *, rule: Rule | None = None) -> list[Decision]:
        """All trouble of a lasting kind that there is: what is new is raised, what is no longer among it is over.

        `rule`: what was looked for is that rule's alone.
        """
        made: list[Decision] = []
        for one in self.rules if rule is None else (rule,):
            if kind not in one.kinds or not one.enabled:
                continue
            seen = {key_of(one, fact): fact for fact in facts if why_not(one, fact) is None}
            for key, fact in seen.items():
                alert = self.open.get((one.called, key))
                if alert is None:
                    made.append(self._raise(one, key, fact, now))
                else:
                    alert.last_at = max(alert.last_at, now)
            over = [
                alert
                for (name, key), alert in self.open.items()
                if name == one.called and alert.kind == kind and key not in seen
            ]
            made += [self._resolve(one, alert, now, "it is over") for alert in over]
        return made

    def due(self, now: float) -> list[Decision]:
        """Escalations whose time has come, one decision a step; what nobody will end any more lapses."""
        made: list[Decision] = []
        by_name = {rule.called: rule for rule in self.rules}
        for alert in list(self.open.values()):
            rule = by_name.get(alert.rule)
            if rule is None or not rule.enabled:
                made.append(self._close("lapse", alert, now, "its rule is gone"))
                continue
            made += self._escalate(rule, alert, now)
            if self._lapses_at(rule, alert) <= now:
                made.append(self._close("lapse", alert, now, "nothing was heard of it any more"))
        return made

    def _escalate(self, rule: Rule, alert: Alert, now: float) -> Iterator[Decision]:
        if alert.kind in MOMENTS:
            return
        while alert.step < len(rule.escalate) and alert.at + rule.escalate[alert.step].after_s <= now:
            step = rule.escalate[alert.step]
            alert.step += 1
            yield Decision("escalate", alert, texts(step.channels), why=f"open for {spoken(now - alert.at)}")

    def next_due(self) -> float | None:
        """When `due` has something to say next, if nothing else happens."""
        by_name = {rule.called: rule for rule in self.rules}
        times = []
        for alert in self.open.values():
            rule = by_name.get(alert.rule)
            if rule is None or not rule.enabled:
                return 0.0
            times.append(self._lapses_at(rule, alert))
            if alert.kind not in MOMENTS and alert.step < len(rule.escalate):
                times.append(alert.at + rule.escalate[alert.step].after_s)
        return min(times, default=None)

    def settle(self, alert_ids: Iterable[int]) -> None:
        """A person has said that these are done with."""
        wanted = set(alert_ids)
        self.open = {key: alert for key, alert in self.open.items() if alert.id not in wanted}

    # ---- one alert ----

    def _raise(self, rule: Rule, key: str, fact: Fact, now: float) -> Decision:
        alert = Alert(rule.called, key, fact.kind, now, fact.at, rule.severity or fact.natural, fact)
        self.open[rule.called, key] = alert
        return self._tell("raise", rule, alert, now)

    def _tell(self, did: Did, rule: Rule, alert: Alert, now: float) -> Decision:
        """Tell of it, unless the rule has said too much lately."""
        name, throttle = rule.called, rule.throttle
        if throttle is not None:
            sent = [at for at in self.sent.get(name, ()) if at > now - throttle.per_s]
            self.sent[name] = sent
            if len(sent) >= throttle.max:
                self.held[name] = self.held.get(name, 0) + 1
                why = f"held back: {len(sent)} messages of the rule in {spoken(throttle.per_s)}"
                return Decision(did if did == "raise" else "count", alert, why=why)
            sent.append(now)
        alert.told_at = now
        return Decision(did, alert, texts(rule.channels), held=self.held.pop(name, 0))

    def _resolve(self, rule: Rule, alert: Alert, at: float, why: str) -> Decision:
        decision = self._close("resolve", alert, at, why)
        told = texts(rule.channels) if alert.told_at is not None else ()
        steps = [name for step in rule.escalate[: alert.step] for name in texts(step.channels)]
        decision.channels = tuple(dict.fromkeys((*told, *steps)))
        return decision

    def _close(self, did: Did, alert: Alert, at: float, why: str) -> Decision:
        del self.open[alert.rule, alert.key]
        alert.last_at = max(alert.last_at, at)
        return Decision(did, alert, why=why)

    def _lapses_at(self, rule: Rule, alert: Alert) -> float:
        if alert.kind in MOMENTS:
            return (alert.told_at if alert.told_at is not None else alert.at) + rule.dedupe_s
        last = alert.at + rule.escalate[-1].after_s if rule.escalate else 0.0
        return max(max(alert.at, alert.last_at) + max(LAPSE_S, rule.dedupe_s), last)


def key_of(rule: Rule, fact: Fact) -> str:
    """What is the same trouble under a rule."""
    fields = texts(rule.dedupe)
    if not fields:
        return f"{fact.kind}:{fact.subject}"
    return "|".join(str(getattr(fact, name)) for name in fields)


def why_not(rule: Rule, fact: Fact) -> str | None:
    """Why a rule does not concern itself with a fact; None where it does."""
    if not rule.enabled:
        return "the rule is off"
    if fact.kind not in rule.kinds:
        return f"it is on {' and '.join(rule.kinds)}, not {fact.kind}"
    assets = (*fact.assets, *((fact.asset,) if fact.asset else ()))
    for name, patterns, values in (
        ("job", rule.job, (fact.job,) if fact.job else ()),
        ("location", rule.location, (fact.location,) if fact.location else ()),
        ("tag", rule.tag, (*fact.tags, *(f"{key}={value}" for key, value in fact.tags.items()))),
        ("asset", rule.asset, assets),
        ("layer", rule.layer, fact.layers),
    ):
        wanted = texts(patterns)
        if wanted and not any(fnmatchcase(value, pattern) for value in values for pattern in wanted):
            has = ", ".join(values[:5]) or "none"
            return f"{name} is {has}, the rule wants {' or '.join(wanted)}"
    severity = rule.severity_min
    if not fact.good and SEVERITIES.index(fact.natural) < SEVERITIES.index(severity):
        return f"its severity is {fact.natural}, the rule begins at {severity}"
    return None


def longest_usual(durations_s: Sequence[float], rule: Rule) -> float | None:
    """From when on a run is long, by the last ones that succeeded; None where they are too few to say."""
    if len(durations_s) < rule.history_min:
        return None
    ordered = sorted(durations_s)
    place = rule.quantile * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return rule.factor * (ordered[below] + (ordered[above] - ordered[below]) * (place - below))


RETRY_S, RETRY_S_MAX = 5.0, 900.0


def next_try_at(attempt: int, created_at: float, give_up_s: float, now: float) -> float | None:
    """When a message that could not be delivered is tried again after its `attempt`-th try; None: not any more."""
    at = now + min(RETRY_S * 2 ** (attempt - 1), RETRY_S_MAX)
    return at if at <= created_at + give_up_s else None
