"""Alerts as batuta.toml describes them: channels that carry them, rules that raise them; and what is wrong with those.

Surprising: two rules may not have one name, since what a rule remembers (what is open, what was sent) goes by its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from batuta.core.durations import Seconds
from batuta.core.errors import nearest

Severity = Literal["info", "warning", "error", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "critical")

EVENTS = ("failure", "check_failed")
"""Troubles that are told of by events: each event counts, good news ends them."""
LASTING = ("late", "long_running", "freshness_overdue", "schedule_missed", "evaluation_failed", "location_broken")
"""Troubles that are looked at: there, or over."""
MOMENTS = ("retry", "success_after_failure")
"""What happens and is over at once: nothing to resolve or to escalate."""
KINDS = (*EVENTS, *LASTING, *MOMENTS)

NATURAL: dict[str, Severity] = {
    "failure": "error",
    "check_failed": "error",
    "late": "warning",
    "long_running": "warning",
    "freshness_overdue": "warning",
    "schedule_missed": "error",
    "evaluation_failed": "error",
    "location_broken": "error",
    "retry": "warning",
    "success_after_failure": "info",
}
"""How bad each is where nobody says otherwise; a check that does not block is a warning."""

KEY_FIELDS = ("kind", "subject", "job", "location", "step", "asset", "partition", "check")

Texts = str | tuple[str, ...]


def texts(given: Texts) -> tuple[str, ...]:
    """One text is a list of one."""
    return (given,) if isinstance(given, str) else given


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where alerts go. Texts may hold `{{ secret('x') }}` and `{{ env('X') }}`, looked up when something is sent.

    `url` alone is one of apprise's. Else `type` is email (`url` smtp://user:password@host:587, `to`, `sender`), slack,
    teams or webhook (`url` takes the messages, with `headers`), pagerduty (`key`), or a plugin's, with its `options`.
    """

    type: str = "apprise"
    url: str = ""
    to: Texts = ()
    sender: str = ""
    key: str = ""
    headers: dict[str, str] = {}
    options: dict[str, Any] = {}
    timeout_s: Seconds = Seconds(10)
    give_up_s: Seconds = Seconds(86_400)


BUILT_IN = ("apprise", "email", "slack", "teams", "webhook", "pagerduty")


class Escalation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who hears of it, too, when it is not over `after_s` after it was raised."""

    after_s: Seconds
    channels: Texts


class Throttle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most `max` messages of a rule in any `per_s`; the next one says how many were held back."""

    max: int
    per_s: Seconds = Seconds(3_600)


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is told to whom. Filters are names with `*` and `?`, one or several; `tag` is `key` or `key=value`.

    `dedupe` names what makes two troubles the same, see `KEY_FIELDS`; while one is open, it is told of at most every
    `dedupe_s`. `title` and `body` are templates. The rest is for `long_running` (longer than `factor` times the
    `quantile` of the last `history` runs of the job that succeeded, where there are at least `history_min`), for `late`
    (not started, not finished so long after the time it was due) and `evaluation_failed` (that many times in a row).
    """

    on: Texts
    channels: Texts
    name: str = ""
    job: Texts = ()
    location: Texts = ()
    tag: Texts = ()
    asset: Texts = ()
    layer: Texts = ()
    severity_min: Severity = "info"
    severity: Severity | None = None
    title: str = ""
    body: str = ""
    dedupe: Texts = ()
    dedupe_s: Seconds = Seconds(3_600)
    throttle: Throttle | None = None
    escalate: tuple[Escalation, ...] = ()
    tell_resolved: bool = False
    start_within_s: Seconds | None = None
    finish_within_s: Seconds | None = None
    factor: float = 2.0
    quantile: float = 0.9
    history: int = 20
    history_min: int = 5
    failures_min: int = 3
    enabled: bool = True

    @property
    def called(self) -> str:
        """Its name, or what it is for."""
        return self.name or " and ".join(texts(self.on))

    @property
    def kinds(self) -> tuple[str, ...]:
        return texts(self.on)

    @property
    def channels_all(self) -> tuple[str, ...]:
        """All that may hear of it, those of escalations too."""
        named = (*texts(self.channels), *(name for step in self.escalate for name in texts(step.channels)))
        return tuple(dict.fromkeys(named))


class Alerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The table `[alerts]`. `base_url` is where people reach the web UI, for links."""

    base_url: str = ""
    channels: dict[str, Channel] = {}
    rules: tuple[Rule, ...] = ()


class Mistake(NamedTuple):
    """What is wrong with a setting; `path` leads to it, as in `("rules", 0, "on")`."""

    path: tuple[str | int, ...]
    what: str
    hint: str | None = None


def mistakes(alerts: Alerts, types: tuple[str, ...] = ()) -> Iterator[Mistake]:
    """What does not make sense although each setting is of its type. `types` are those of plugins' channels."""
    for name, channel in alerts.channels.items():
        yield from _of_channel(("channels", name), channel, (*BUILT_IN, *types))
    names: set[str] = set()
    for number, rule in enumerate(alerts.rules):
        path = ("rules", number)
        yield from _of_rule(path, rule, alerts)
        if rule.called in names:
            yield Mistake((*path, "name"), f"two rules are called {rule.called!r}", "give each a name = of its own")
        names.add(rule.called)


def _of_channel(path: tuple[str | int, ...], channel: Channel, types: tuple[str, ...]) -> Iterator[Mistake]:
    if channel.type not in types:
        hint = nearest(channel.type, types) or f"types are {', '.join(types)}; without one, url is apprise's"
        yield Mistake((*path, "type"), f"there is no type of channel {channel.type!r}", hint)
        return
    wanted = {"email": ("url", "to"), "pagerduty": ("key",), "apprise": ("url",)}
    needs = wanted.get(channel.type, ("url",) if channel.type in BUILT_IN else ())
    for field in needs:
        if not getattr(channel, field):
            yield Mistake(path, f"channel {path[-1]!r} ({channel.type}) has no {field!r}", f"give it {field} = ...")
    plain = channel.url and "{{" not in channel.url
    if plain and channel.type == "email" and not channel.url.startswith(("smtp://", "smtps://")):
        yield Mistake((*path, "url"), "the mail server's url is not one", "write smtp://user:password@host:587")
    if plain and channel.type in ("slack", "teams", "webhook") and not channel.url.startswith(("http://", "https://")):
        yield Mistake((*path, "url"), "url is not an address on the web", "write https://...")
    if plain and channel.type == "apprise" and "://" not in channel.url:
        yield Mistake((*path, "url"), "url is not one of apprise's", "write slack://..., mailto://..., json://host")


def _of_rule(path: tuple[str | int, ...], rule: Rule, alerts: Alerts) -> Iterator[Mistake]:
    for kind in rule.kinds:
        if kind not in KINDS:
            hint = nearest(kind, KINDS) or f"there are {', '.join(KINDS)}"
            yield Mistake((*path, "on"), f"there is no trouble {kind!r}", hint)
    if not rule.kinds:
        yield Mistake((*path, "on"), "the rule is on nothing", f"there are {', '.join(KINDS)}")
    if not texts(rule.channels):
        yield Mistake((*path, "channels"), "the rule has no channels", "name one of [alerts.channels]")
    for name in rule.channels_all:
        if name not in alerts.channels:
            hint = nearest(name, alerts.channels) or f"channels are {', '.join(alerts.channels) or 'none'}"
            yield Mistake((*path, "channels"), f"there is no channel {name!r}", hint)
    for field in texts(rule.dedupe):
        if field not in KEY_FIELDS:
            hint = nearest(field, KEY_FIELDS) or f"there are {', '.join(KEY_FIELDS)}"
            yield Mistake((*path, "dedupe"), f"nothing is told apart by {field!r}", hint)
    if rule.throttle is not None and rule.throttle.max < 1:
        yield Mistake((*path, "throttle"), "a rule that may send nothing is none", "write enabled = false")
    yield from _of_numbers(path, rule)


def _of_numbers(path: tuple[str | int, ...], rule: Rule) -> Iterator[Mistake]:
    if rule.escalate and not set(rule.kinds) - set(MOMENTS):
        what = f"{' and '.join(rule.kinds)} is over at once and cannot be escalated"
        yield Mistake((*path, "escalate"), what, "leave it out")
    if any(later.after_s < earlier.after_s for earlier, later in zip(rule.escalate, rule.escalate[1:], strict=False)):
        yield Mistake((*path, "escalate"), "the steps are not in the order of after_s", "put the soonest first")
    if "late" in rule.kinds and rule.start_within_s is None and rule.finish_within_s is None:
        yield Mistake(path, "the rule does not say when a run is late", "give start_within_s or finish_within_s")
    if not 0 < rule.quantile <= 1:
        yield Mistake((*path, "quantile"), "quantile is not between 0 and 1", "0.5 is the median")
    if rule.factor <= 0:
        yield Mistake((*path, "factor"), "factor is not above 0", "2.0 is twice as long")
    if not 1 <= rule.history_min <= rule.history:
        yield Mistake((*path, "history_min"), "history_min is not between 1 and history", None)
    if rule.failures_min < 1:
        yield Mistake((*path, "failures_min"), "failures_min is not above 0", "1 tells of each evaluation that failed")
