"""What the rows of a synthetic payments file say: who sold what to whom, written as text, and then soiled.

The surprising rule: dirt is drawn with the record, so that an exact copy is dirty in exactly the same way.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import accumulate, pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fintech.draws import Numbers, Purpose, Words, bits, hashed, scaled
from fintech.merchants import HOME_CURRENCY, MERCHANTS

WHOLE_UNITS_ONLY = ("HUF", "ISK", "JPY")
"""Currencies whose prices here have no decimals."""
_FOREIGN_CARDS = ("US", "GB", "DE", "FR", "CH", "PL", "SE", "NL", "IT", "TR", "JP", "CA", "AU", "NO", "DK", "CZ")
_FOREIGN_PER_1024 = 205
_HOUR_WEIGHT = (3, 1, 1, 1, 1, 2, 5, 9, 12, 13, 14, 16, 18, 16, 14, 14, 15, 18, 19, 18, 16, 13, 9, 8)
_UNITS_PER_EUR = {
    "AUD": 1.7,
    "BGN": 1.96,
    "CAD": 1.55,
    "CHF": 0.94,
    "CZK": 25.0,
    "DKK": 7.46,
    "EUR": 1.0,
    "GBP": 0.85,
    "HUF": 400.0,
    "ISK": 143.0,
    "JPY": 165.0,
    "NOK": 11.7,
    "PLN": 4.25,
    "RON": 5.0,
    "SEK": 11.1,
    "TRY": 44.0,
    "USD": 1.1,
}
"""Price levels, for sensible amounts only: the books use the day's published rate."""


@dataclass(frozen=True, slots=True)
class Records:
    """What one file holds, in step: each is an event of the sale (sale_day, sale); days count from `since`."""

    seed: int
    since: date
    purpose: Numbers
    sale_day: Numbers
    sale: Numbers
    fate: Words
    record: Words
    event_day: Numbers


def merchant_of(basket: Words) -> Numbers:
    """The merchant of each sale, as an index into MERCHANTS."""
    table = _tables().merchants
    return np.take(table, scaled(basket, 0, 20, table.size))


def spelled(records: Records) -> pl.DataFrame:
    """The records as text, in the order given, with the columns of `payments.file_of`."""
    tables = _tables()
    basket = hashed(records.seed, Purpose.BASKET, records.sale_day, records.sale)
    merchant = merchant_of(basket)
    country, currency = _country_and_currency(basket, merchant)
    first_day = (records.since - date(1970, 1, 1)).days
    facts = pl.DataFrame(
        {
            "purpose": records.purpose,
            "sale_date": _compact_dates(records.since)[records.sale_day],
            "sale": records.sale,
            "merchant_id": tables.merchant_ids.gather(merchant),
            "card_country": tables.countries.gather(country),
            "cents": _cents(records, merchant, currency),
            "whole": tables.smallest_cents[currency] == 100,
            "currency": tables.currencies.gather(currency),
            "occurred_at": ((first_day + records.event_day) * 86_400 + _seconds(records.record)) * 1_000,
            "dirt": bits(records.record, 52, 12),
            "variant": bits(records.record, 37, 3),
        }
    )
    return facts.lazy().select(_clean()).select(_soiled()).collect()


# ---- sales -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Tables:
    """From a few random bits, or from a merchant or currency, to what it stands for."""

    merchants: Numbers
    hours: Numbers
    home: Numbers
    foreign: Numbers
    currency_of_country: Numbers
    ticket_cents: NDArray[np.float64]
    units_per_eur: NDArray[np.float64]
    smallest_cents: Numbers
    countries: pl.Series
    currencies: pl.Series
    merchant_ids: pl.Series


@cache
def _tables() -> _Tables:
    countries = list(HOME_CURRENCY)
    currencies = sorted(set(HOME_CURRENCY.values()))
    return _Tables(
        merchants=np.repeat(np.arange(len(MERCHANTS)), [each.weight for each in MERCHANTS]),
        hours=np.repeat(np.arange(24), _HOUR_WEIGHT),
        home=np.array([countries.index(each.country) for each in MERCHANTS]),
        foreign=np.array([countries.index(country) for country in _FOREIGN_CARDS]),
        currency_of_country=np.array([currencies.index(HOME_CURRENCY[country]) for country in countries]),
        ticket_cents=np.array([each.ticket_eur * 100.0 for each in MERCHANTS]),
        units_per_eur=np.array([_UNITS_PER_EUR[currency] for currency in currencies]),
        smallest_cents=np.array([100 if currency in WHOLE_UNITS_ONLY else 1 for currency in currencies]),
        countries=pl.Series(countries),
        currencies=pl.Series(currencies),
        merchant_ids=pl.Series([each.merchant_id for each in MERCHANTS]),
    )


@cache
def _compact_dates(since: date) -> Numbers:
    return np.array([int((since + timedelta(number)).strftime("%Y%m%d")) for number in range(366)])


def _country_and_currency(basket: Words, merchant: Numbers) -> tuple[Numbers, Numbers]:
    """One card in five is foreign, and half of those pay in their own currency, as terminals offer."""
    tables = _tables()
    home = tables.home[merchant]
    country = np.where(bits(basket, 20, 10) < _FOREIGN_PER_1024, tables.foreign[bits(basket, 30, 4)], home)
    paid_in = np.where(bits(basket, 34, 1) == 1, country, home)
    return country, tables.currency_of_country[paid_in]


def _cents(records: Records, merchant: Numbers, currency: Numbers) -> Numbers:
    """What a record is over, in hundredths of its currency; one refund in four is of a part."""
    tables = _tables()
    word = hashed(records.seed, Purpose.AMOUNT, records.sale_day, records.sale)
    even = bits(word, 0, 40) / float(1 << 40)
    # Single IEEE operations only (no exp, no log), so that no machine rounds an amount differently.
    tickets = 0.2 + 0.9 * even + 0.02 / (1.001 - even)
    cents = (tables.ticket_cents[merchant] * tickets * tables.units_per_eur[currency]).astype(np.int64)
    cents = np.where(bits(word, 40, 2) == 0, cents // 100 * 100 + 99, cents)
    in_part = (records.purpose == Purpose.REFUND) & (bits(records.fate, 42, 2) == 0)
    quarters = np.where(in_part, 1 + scaled(records.fate, 44, 8, 3), 4)
    smallest = tables.smallest_cents[currency]
    units: Numbers = np.maximum(cents * quarters // 4 // smallest, 1)
    return units * smallest


def _seconds(record: Words) -> Numbers:
    """Seconds after midnight."""
    hours = _tables().hours
    hour: Numbers = hours[scaled(record, 31, 9, hours.size)]
    return hour * 3_600 + scaled(record, 40, 12, 3_600)


# ---- text ------------------------------------------------------------------------------------------------------------


def _by_purpose(sale: pl.Expr, refund: pl.Expr, chargeback: pl.Expr) -> pl.Expr:
    is_refund = pl.col("purpose") == Purpose.REFUND
    return pl.when(purpose=Purpose.SALE).then(sale).when(is_refund).then(refund).otherwise(chargeback)


@cache
def _clean() -> tuple[pl.Expr, ...]:
    cents = pl.col("cents")
    name = pl.concat_str("sale_date", pl.lit("-"), pl.col("sale").cast(pl.String).str.zfill(7))
    units = (cents // 100).cast(pl.String)
    hundredths = pl.concat_str(pl.lit("."), (cents % 100).cast(pl.String).str.zfill(2))
    return (
        (_by_purpose(pl.lit("S"), pl.lit("R"), pl.lit("C")) + name).alias("payment_id"),
        _by_purpose(pl.lit("sale"), pl.lit("refund"), pl.lit("chargeback")).alias("kind"),
        _by_purpose(pl.lit(""), pl.lit("S") + name, pl.lit("S") + name).alias("original_payment_id"),
        pl.col("merchant_id", "card_country"),
        pl.when("whole").then(units).otherwise(units + hundredths).alias("amount"),
        pl.col("currency"),
        pl.col("occurred_at").cast(pl.Datetime("ms")).dt.to_string("%Y-%m-%dT%H:%M:%SZ"),
        pl.col("dirt", "variant"),
    )


# ---- dirt ------------------------------------------------------------------------------------------------------------

_DIRTY_PER_4096 = {
    "unknown_currency": 18,
    "retired_currency": 9,
    "bad_timestamp": 14,
    "far_timestamp": 6,
    "negative_amount": 10,
    "bad_amount": 6,
    "no_merchant": 12,
    "unknown_merchant": 4,
    "no_payment_id": 2,
    "no_original": 40,  # shows in refunds and chargebacks only
    "untidy": 48,  # ugly, and can be read all the same
}
_CURRENCIES_UNKNOWN = ("XXX", "BTC", "US$", "EURO", "DEM", "ZZZ", "", "978")
_CURRENCIES_RETIRED = ("HRK", "LTL", "RUB", "HRK")
_TIMESTAMPS_BAD = ("", "0000-00-00T00:00:00Z", "2025-02-30T09:15:00Z", "31/12/2025 10:00", "yesterday", "NULL", "-")
_TIMESTAMPS_FAR = ("1970-01-01T00:00:00Z", "2049-12-31T23:59:59Z", "2015-06-01T12:00:00Z", "1900-01-01T00:00:00Z")
_AMOUNTS_BAD = ("N/A", "", "12,50", "1.2.3")


@cache
def _dirt_ranges() -> dict[str, tuple[int, int]]:
    """Which of the 4,096 numbers that may be drawn for a record stand for which dirt."""
    return dict(zip(_DIRTY_PER_4096, pairwise(accumulate(_DIRTY_PER_4096.values(), initial=0)), strict=True))


def _unless(column: str, **texts: pl.Expr) -> pl.Expr:
    """A column, with another text wherever the row has that kind of dirt."""
    soiled = pl.col(column)
    for dirt, text in texts.items():
        low, high = _dirt_ranges()[dirt]
        soiled = pl.when(pl.col("dirt").is_between(low, high, closed="left")).then(text).otherwise(soiled)
    return soiled.alias(column)


def _one_of(choices: tuple[str, ...]) -> pl.Expr:
    return pl.lit(pl.Series(choices)).gather(pl.col("variant") % len(choices))


@cache
def _soiled() -> tuple[pl.Expr, ...]:
    nothing = pl.lit("")
    return (
        _unless("payment_id", no_payment_id=nothing),
        pl.col("kind"),
        _unless("original_payment_id", no_original=nothing),
        _unless("merchant_id", no_merchant=nothing, unknown_merchant=pl.lit("M999")),
        pl.col("card_country"),
        _unless("amount", negative_amount=pl.lit("-") + pl.col("amount"), bad_amount=_one_of(_AMOUNTS_BAD)),
        _unless(
            "currency",
            unknown_currency=_one_of(_CURRENCIES_UNKNOWN),
            retired_currency=_one_of(_CURRENCIES_RETIRED),
            untidy=pl.lit(" ") + pl.col("currency").str.to_lowercase(),
        ),
        _unless("occurred_at", bad_timestamp=_one_of(_TIMESTAMPS_BAD), far_timestamp=_one_of(_TIMESTAMPS_FAR)),
    )
