"""`batuta alerts`: what is wrong, who was told, and what the rules make of a run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from batuta.cli import exits
from batuta.cli.formats import iso, plural, when
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import open_store, project_at
from batuta.core.errors import BatutaError, RequestError, nearest

if TYPE_CHECKING:
    from batuta.core.alert_rules import Fact
    from batuta.core.alert_specs import Alerts, Rule
    from batuta.store.alert_box import AlertRow, DeliveryRow

ALERTS = {
    "list": Lazy("alerts:list_alerts", "List alerts, newest first."),
    "show": Lazy("alerts:show_alert", "Show an alert in full, and who was told."),
    "settle": Lazy("alerts:settle_alerts", "Say that alerts are done with: nothing more is told of them."),
    "test": Lazy("alerts:test_channels", "Send a test message to channels."),
    "rules": Lazy("alerts:show_rules", "Show the rules, or which of them a run would set off, and why."),
}
_COLORS = {"info": "blue", "warning": "yellow", "error": "red", "critical": "magenta"}


@click.group(cls=LazyGroup, lazy=ALERTS)
def alerts() -> None:
    """See what is wrong and who was told; try channels and rules."""


@click.command("list")
@click.option("--open", "open_only", is_flag=True, help="Only what is not over.")
@click.option("--rule", metavar="NAME", help="Only those of this rule.")
@click.option("--kind", metavar="KIND", help="Only this trouble: failure, late, check_failed, ...")
@click.option("--before", type=int, metavar="ID", help="Only alerts before this one: the next page.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@output_options
def list_alerts(
    open_only: bool, rule: str | None, kind: str | None, before: int | None, limit: int, out: Output
) -> None:
    """List alerts, newest first.

    \b
    Examples:
      batuta alerts list
      batuta alerts list --open --json
      batuta alerts list --kind failure -n 10
    """
    now = time.time()
    with open_store() as store:
        found = store.alerts.page(is_open=open_only or None, rule=rule, kind=kind, before=before, limit=limit + 1)
        more, rows = len(found) > limit, found[:limit]
        messages = store.alerts.deliveries(row.id for row in rows)
    out.document({"alerts": [_data(row, messages.get(row.id, [])) for row in rows]})
    if not rows:
        out.note("nothing is wrong" if open_only else "there are no alerts")
        return
    lines = [
        (
            str(row.id),
            when(row.at, now),
            Cell(row.severity, _COLORS.get(row.severity)),
            Cell(row.title, bold=row.resolved_at is None),
            Cell("open" if row.resolved_at is None else "over", dim=row.resolved_at is not None),
            _told_of(messages.get(row.id, [])),
        )
        for row in rows
    ]
    out.say(table(("ID", "WHEN", "SEVERITY", "ALERT", "", "TOLD"), lines, right=(0,)))
    if more:
        out.note(f"  older ones: --before {rows[-1].id}")


def _told_of(messages: list[DeliveryRow]) -> str:
    """`ops, phone (failed, 9 tries)`: each channel once, with how its last message fares unless it was sent."""
    told = []
    for name, one in {one.channel: one for one in messages}.items():
        tries = f", {plural(one.attempt, 'try', 'tries')}" if one.error and one.attempt else ""
        told.append(name if one.state == "sent" else f"{name} ({one.state}{tries})")
    return ", ".join(told)


def _data(row: AlertRow, messages: list[DeliveryRow]) -> dict[str, Any]:
    fact = row.data.get("fact", {})
    return {
        **{name: getattr(row, name) for name in ("id", "rule", "kind", "severity", "title", "body", "count")},
        **{name: iso(getattr(row, name)) for name in ("at", "last_at", "resolved_at")},
        **{name: fact.get(name) for name in ("subject", "job", "run_id", "step", "asset", "check", "location")},
        "settled_by": row.data.get("settled_by"),
        "deliveries": [
            {
                **{name: getattr(one, name) for name in ("channel", "step", "state", "attempt", "error")},
                "sent_at": iso(one.sent_at),
                "next_at": iso(one.next_at) if one.state != "sent" else None,
            }
            for one in messages
        ],
    }


@click.command("show")
@click.argument("number", type=int, metavar="ID")
@output_options
def show_alert(number: int, out: Output) -> None:
    """Show an alert in full, and who was told.

    \b
    Examples:
      batuta alerts show 7
    """
    now = time.time()
    with open_store() as store:
        row = store.alerts.alert(number)
        if row is None:
            raise RequestError(f"there is no alert {number}", hint="`batuta alerts list` shows them")
        messages = store.alerts.deliveries([number]).get(number, [])
    out.document(_data(row, messages))
    by = row.data.get("settled_by")
    over = "open" if row.resolved_at is None else f"over {when(row.resolved_at, now)}" + (f", by {by}" if by else "")
    out.say(click.style(row.title, bold=True))
    out.say(f"{row.severity}, rule {row.rule!r}, since {when(row.at, now)}, {over}\n")
    out.say(row.body)
    if messages:
        out.say("")
        kinds = {0: "raised", -1: "its end"}
        lines = [
            (
                one.channel,
                kinds.get(one.step, f"escalation {one.step}"),
                Cell(one.state, "green" if one.state == "sent" else "yellow" if one.next_at else "red"),
                when(one.sent_at, now),
                one.error.partition("\n")[0],
            )
            for one in messages
        ]
        out.say(table(("CHANNEL", "MESSAGE", "STATE", "SENT", "ERROR"), lines))


@click.command("settle")
@click.argument("numbers", type=int, nargs=-1, required=True, metavar="ID...")
@output_options
def settle_alerts(numbers: tuple[int, ...], out: Output) -> None:
    """Say that alerts are done with: nothing more is told of them.

    Escalation stops, and incidents at a pager are ended. The same trouble may raise a new alert.

    \b
    Examples:
      batuta alerts settle 7 8
    """
    from batuta.runtime.people import person
    from batuta.scheduler.alerting import settle

    configured = project_at("").config.alerts
    now = time.time()
    with open_store() as store:
        rows = [settle(store, configured, number, person(), now) for number in numbers]
    out.document({"settled": [row.id for row in rows]})
    for row in rows:
        out.say(f"alert {row.id} is settled: {row.title}")


@click.command("test")
@click.argument("channels", nargs=-1, metavar="[CHANNEL]...")
@output_options
def test_channels(channels: tuple[str, ...], out: Output) -> int:
    """Send a test message to channels.

    It really is sent: to those named, or to all. Exits with 1 where one cannot be reached.

    \b
    Examples:
      batuta alerts test
      batuta alerts test ops
    """
    from batuta.runtime.vault import lookups
    from batuta.scheduler.alert_channels import Message, send

    project = project_at("")
    configured = project.config.alerts.channels
    if not configured:
        hint = "write [alerts.channels.NAME], see docs/alerts.md"
        raise RequestError("there are no channels", where=project.file or project.root, hint=hint)
    for name in channels:
        if name not in configured:
            hint = nearest(name, configured) or f"channels are {', '.join(configured)}"
            raise RequestError(f"there is no channel {name!r}", where=project.file, hint=hint)
    message = Message(
        title=f"Test of alerts of {project.name}",
        body="This is a test: nothing is wrong. It was sent by `batuta alerts test`.",
        severity="info",
        key="batuta-test",
        link=project.config.alerts.base_url,
        data={"project": project.name, "kind": "test"},
    )
    secrets = lookups(project)
    errors: dict[str, BatutaError | None] = {}
    for name in dict.fromkeys(channels) or configured:
        try:
            send(name, configured[name], message, lambda secret: secrets.text("secret", secret))
            errors[name] = None
        except BatutaError as error:
            errors[name] = error
        failed = errors[name]
        sign = click.style("✓", fg="green") if failed is None else click.style("✗", fg="red")
        out.say(f"{sign} {name}" + ("" if failed is None else f": {failed}"))
    out.document({"channels": {name: str(error) if error else None for name, error in errors.items()}})
    return exits.FAILED if any(errors.values()) else exits.OK


@click.command("rules")
@click.argument("run_id", type=int, required=False, metavar="[RUN]")
@output_options
def show_rules(run_id: int | None, out: Output) -> None:
    """Show the rules, or which of them a run would set off, and why.

    For a run, each thing that happened in it is held against each rule. What is looked at rather than told of (late
    and long runs, freshness, schedules, code locations) has no part in that.

    \b
    Examples:
      batuta alerts rules
      batuta alerts rules 42
    """
    configured = project_at("").config.alerts
    if run_id is None:
        _list_rules(configured, out)
        return
    from batuta.core.alert_rules import why_not
    from batuta.core.alert_specs import KINDS
    from batuta.scheduler.alert_facts import Facts

    with open_store() as store:
        run = store.run(run_id)
        if run is None:
            raise RequestError(f"there is no run {run_id}", hint="`batuta runs list` shows those there are")
        facts = Facts(store, frozenset(KINDS)).of_run(run)
    told = [(fact, [(rule, why_not(rule, fact)) for rule in configured.rules]) for fact in facts]
    out.document({"run": run_id, "facts": [_explained(fact, answers) for fact, answers in told]})
    if not facts:
        out.note(f"nothing happened in run {run_id} that rules look at")
    for fact, answers in told:
        head = f"{fact.subject}: {'no ' if fact.good else ''}{fact.kind}"
        out.say(click.style(head, bold=True) + (f": {fact.message}" if fact.message else ""))
        for rule, why in answers:
            out.say(
                f"  {click.style('✓', fg='green') if why is None else '-'} {rule.called}: {_outcome(fact, rule, why)}"
            )


def _outcome(fact: Fact, rule: Rule, why: str | None) -> str:
    from batuta.core.alert_specs import texts

    if why is not None:
        return why
    return "ends what is open" if fact.good else f"tells {', '.join(texts(rule.channels))}"


def _explained(fact: Fact, answers: list[tuple[Rule, str | None]]) -> dict[str, Any]:
    rules = [{"rule": rule.called, "fits": why is None, "why_not": why} for rule, why in answers]
    return {"kind": fact.kind, "good": fact.good, "subject": fact.subject, "at": iso(fact.at), "rules": rules}


def _list_rules(configured: Alerts, out: Output) -> None:
    from batuta.core.alert_specs import texts

    filters = ("job", "location", "tag", "asset", "layer")
    lines: list[tuple[str | Cell, ...]] = []
    data = []
    for rule in configured.rules:
        limits = {name: list(texts(getattr(rule, name))) for name in filters if getattr(rule, name)}
        if rule.severity_min != "info":
            limits["severity_min"] = [rule.severity_min]
        told = [", ".join(texts(rule.channels))]
        told += [f"{', '.join(texts(step.channels))} after {step.after_s:.0f} s" for step in rule.escalate]
        only = "; ".join(f"{name} {' or '.join(values)}" for name, values in limits.items())
        lines.append((Cell(rule.called, dim=not rule.enabled), ", ".join(rule.kinds), only, "; ".join(told)))
        data.append({"name": rule.called, "on": list(rule.kinds), "only": limits, "channels": list(rule.channels_all)})
    out.document({"rules": data, "channels": {name: one.type for name, one in configured.channels.items()}})
    if lines:
        out.say(table(("RULE", "ON", "ONLY", "TELLS"), lines))
    else:
        out.note("there are no rules: write [[alerts.rules]], see docs/alerts.md")
