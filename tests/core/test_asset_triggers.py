"""Jobs started by assets: what an expression waits for, and which events a run gets."""

from __future__ import annotations

import msgspec
import pytest

from batuta.core import asset_triggers as t
from batuta.core.errors import DefinitionError, UnknownDependencyError

ORDERS, RATES, PRICES = t.OnAsset("orders"), t.OnAsset("rates"), t.OnAsset("prices")


def made(asset: str, partition: str = "", at: float = 0.0) -> t.TriggeringEvent:
    return t.TriggeringEvent(asset, partition, 1, at)


def test_all_waits_for_each_and_any_for_one() -> None:
    both = ORDERS & RATES
    pending, events = t.hear(both, t.Pending(), [made("orders")])
    assert events is None
    assert t.awaited(both, pending.events) == ["rates"]
    pending, events = t.hear(both, pending, [made("rates")])
    assert events == (made("orders"), made("rates"))
    assert pending.events == ()
    assert t.hear(ORDERS | RATES, t.Pending(), [made("rates")])[1] == (made("rates"),)


def test_nested_expressions() -> None:
    on = ORDERS & (RATES | PRICES)
    assert on == t.OnAll((ORDERS, t.OnAny((RATES, PRICES))))
    assert t.text(on) == "(orders & (rates | prices))"
    pending, events = t.hear(on, t.Pending(), [made("prices"), made("rates")])
    assert events is None
    assert t.hear(on, pending, [made("orders")])[1] == (made("prices"), made("rates"), made("orders"))


def test_several_updates_before_it_holds_all_come_with_the_run() -> None:
    pending, _ = t.hear(ORDERS & RATES, t.Pending(), [made("orders", at=1), made("orders", at=2), made("else")])
    assert t.hear(ORDERS & RATES, pending, [made("rates")])[1] == (
        made("orders", at=1),
        made("orders", at=2),
        made("rates"),
    )


def test_of_very_many_the_newest_are_kept() -> None:
    many = [made("orders", str(number)) for number in range(t.EVENTS_MAX + 5)]
    pending, _ = t.hear(ORDERS & RATES, t.Pending(), many)
    assert pending.dropped == 5
    assert pending.events == tuple(many[5:])


def test_only_the_named_partitions_count() -> None:
    on = t.OnAsset("orders", ("eu",))
    assert t.hear(on, t.Pending(), [made("orders", "us")])[1] is None
    assert t.hear(on, t.Pending(), [made("orders", "us"), made("orders", "eu")])[1] == (made("orders", "eu"),)


def test_another_expression_begins_anew() -> None:
    pending, _ = t.hear(ORDERS & RATES, t.Pending(), [made("orders")])
    assert t.hear(ORDERS & PRICES, pending, [made("prices")])[1] is None


def test_what_may_not_start_yet_stays_pending() -> None:
    pending, events = t.hear(ORDERS, t.Pending(), [made("orders")], may_start=False)
    assert events is None
    assert t.hear(ORDERS, pending, [], may_start=False)[1] is None
    assert t.hear(ORDERS, pending, [])[1] == (made("orders"),)


def test_expressions_survive_json() -> None:
    spec = t.AssetTriggerSpec("settle", ORDERS & (RATES | t.OnAsset("prices", ("eu",))))
    assert msgspec.json.decode(msgspec.json.encode(spec), type=t.AssetTriggerSpec) == spec


def test_and_and_or_as_words_are_refused() -> None:
    with pytest.raises(DefinitionError, match="before they are"):
        assert not ORDERS
    with pytest.raises(DefinitionError, match="neither an asset nor an expression"):
        ORDERS & 3


def test_an_asset_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownDependencyError, match="'orders'") as caught:
        t.validate_trigger(t.AssetTriggerSpec("settle", t.OnAsset("order")), ["orders", "rates"])
    assert "did you mean 'orders'" in str(caught.value)
