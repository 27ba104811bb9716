"""What a message says: the title and body of each trouble, from templates of ours or the rule's own.

Templates are Jinja in the sandbox that steps have, too. Surprising: a rule's template that fails costs nobody the
message; ours takes its place and says what is wrong with the other.
"""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Any

from batuta.authoring.templating import Names, TemplateError, render
from batuta.core.alert_rules import Alert, Decision, Fact
from batuta.core.alert_specs import Rule
from batuta.core.durations import spoken
from batuta.runtime.masking import mask

TITLE_CHARS_MAX = 200
BODY_CHARS_MAX = 8_000

TITLES = {
    "failure": "{{ subject }} failed{{ times }}",
    "retry": "{{ subject }} failed and is tried again",
    "success_after_failure": "{{ subject }} succeeded again",
    "late": "{{ subject_or_job }} is late",
    "long_running": "{{ subject_or_job }} takes long",
    "check_failed": "check {{ check }} of {{ asset }} failed{{ partition and ' for ' ~ partition }}{{ times }}",
    "freshness_overdue": "{{ subject }} is not fresh",
    "schedule_missed": "schedule {{ subject }} was missed",
    "evaluation_failed": "{{ subject }} cannot be evaluated",
    "location_broken": "code location {{ subject }} does not load",
}
HEADS = {
    "failure": "Run {{ run }} of {{ job }} failed{% if step %} in {{ step }} (attempt {{ attempt }}){% endif %}.",
    "retry": "{{ step }} of run {{ run }} ({{ job }}) failed in attempt {{ attempt }} and is tried again.",
    "success_after_failure": "Run {{ run }} of {{ job }} succeeded, after a failure {{ ago }} ago.",
    "check_failed": "The {% if blocking %}blocking {% endif %}check {{ check }} of {{ asset }} failed in run {{ run }}"
    " ({{ job }}).",
}
HEAD = "{{ message }}"
BODY = """\
{{ head }}
{%- if origin %}
It was started by {{ trigger }} {{ origin }}{% if logical_date %} for {{ logical_date }}{% endif %}.
{%- endif %}
{%- if error.message or error.type %}

{{ error.type }}{% if error.type and error.message %}: {% endif %}{{ error.message }}
{%- if error.place %}
  at {{ error.place }}
{%- endif %}
{%- if error.hint %}
  hint: {{ error.hint }}
{%- endif %}
{%- elif message and message != head %}

{{ message }}
{%- endif %}

Since {{ since }}{% if count > 1 %}; {{ count }} times by now{% endif %}.
{%- if escalated %} Nobody has settled it in {{ ago }}.{% endif %}
{%- if commands %}

What to do:
{%- for command in commands %}
  {{ command }}
{%- endfor %}
{%- endif %}
{%- if held %}

{{ held }} other message{{ "s" if held > 1 else "" }} of this rule {{ "were" if held > 1 else "was" }} held back: \
see `batuta alerts list`.
{%- endif %}"""


def told(decision: Decision, rule: Rule | None, base_url: str = "") -> tuple[str, str]:
    """The title and body of an alert, as it is after a decision."""
    alert = decision.alert
    known = names(alert, base_url, held=decision.held, escalated=decision.did == "escalate")
    title = render(TITLES[alert.kind], known, step="alerts", field="title")
    body = render(BODY, known, step="alerts", field="body")
    if rule is not None and (rule.title or rule.body):
        known["default_title"], known["default_body"] = title, body
        title, body = _own(rule, known, title, body)
    return mask(" ".join(title.split())[:TITLE_CHARS_MAX]), mask(body.strip()[:BODY_CHARS_MAX])


def _own(rule: Rule, known: dict[str, Any], title: str, body: str) -> tuple[str, str]:
    """What the rule's own templates say."""
    try:
        if rule.title:
            title = render(rule.title, known, step=f"rule {rule.called}", field="title")
        if rule.body:
            body = render(rule.body, known, step=f"rule {rule.called}", field="body")
    except TemplateError as error:
        return title, f"{body}\n\n(This is not the rule's own text: {error})"
    return title, body


def names(alert: Alert, base_url: str = "", *, held: int = 0, escalated: bool = False) -> dict[str, Any]:
    """What templates may name."""
    fact = alert.fact
    data = fact.data
    since = fact.since if fact.since is not None and alert.count == 1 else alert.at
    known: dict[str, Any] = {
        "rule": alert.rule,
        "kind": alert.kind,
        "severity": alert.severity,
        "count": alert.count,
        "times": f" ({alert.count} times)" if alert.count > 1 else "",
        "subject": fact.subject,
        "subject_or_job": fact.job or fact.subject,
        "job": fact.job,
        "run": fact.run_id,
        "step": fact.step,
        "attempt": data.get("attempt", 1),
        "asset": fact.asset,
        "check": fact.check,
        "partition": fact.partition,
        "location": fact.location,
        "tags": Names(fact.tags),
        "blocking": data.get("blocking", False),
        "metadata": Names(data.get("metadata", {})),
        "message": fact.message,
        "error": Names({"type": "", "message": "", "place": "", "hint": "", **data.get("error", {})}),
        "trigger": data.get("trigger", ""),
        "origin": data.get("origin", ""),
        "logical_date": clock(data.get("logical_at")),
        "since": clock(since),
        "ago": spoken(max(alert.last_at - since, 0.0)),
        "held": held,
        "escalated": escalated,
        "link": link_of(fact, base_url),
        "commands": commands_of(fact),
    }
    known["head"] = render(HEADS.get(alert.kind, HEAD), known, step="alerts", field="head")
    return known


def clock(at: float | None) -> str:
    """A time for people, UTC."""
    return "" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def link_of(fact: Fact, base_url: str) -> str:
    """The page of the web UI about it, where there is one."""
    if not base_url:
        return ""
    base = base_url.rstrip("/")
    if fact.kind in ("check_failed", "freshness_overdue") and fact.asset:
        return f"{base}/assets/{fact.asset}"
    return f"{base}/runs/{fact.run_id}" if fact.run_id is not None else base


def commands_of(fact: Fact) -> list[str]:
    """What to do next."""
    if fact.kind == "success_after_failure":
        return []
    if fact.kind == "location_broken":
        return ["batuta test"]
    if fact.kind == "schedule_missed":
        return ["batuta doctor"]
    if fact.kind == "evaluation_failed":
        kind, name = fact.subject.split(" ", 1)
        return [f"batuta {kind}s ticks {shlex.quote(name)} --outcome failed"]
    if fact.kind == "freshness_overdue":
        return [f"batuta materialize {fact.asset or fact.subject}"]
    if fact.run_id is None:
        return []
    made = [f"batuta runs show {fact.run_id}"]
    if fact.step:
        made.append(f"batuta logs {fact.run_id} {fact.step}")
    if fact.kind == "failure":
        made.append(f"batuta runs retry {fact.run_id}")
    return made
