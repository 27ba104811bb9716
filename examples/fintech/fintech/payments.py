"""A seeded generator of synthetic card payments: no real card, person or shop is behind any row.

It writes what an acquirer receives: one file a day of 2025, each a mix of that day's sales, refunds and chargebacks,
rows that arrive days late, exact copies, and the dirt of real feeds.

The surprising rule: nothing is drawn in sequence. Each value is a hash of (seed, day of the sale, number of the sale,
purpose), so the file of any day is made alone, in any process and order, and a chargeback knows the sale that it
disputes without generating that sale's file.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import accumulate

import numpy as np
import polars as pl

from fintech.draws import Mask, Numbers, Purpose, Words, bits, hashed, mixed, scaled
from fintech.merchants import MERCHANTS
from fintech.spelling import Records, merchant_of, spelled

FIRST_DAY = date(2025, 1, 1)
LAST_DAY = date(2025, 12, 31)
DAYS = (LAST_DAY - FIRST_DAY).days + 1
DELAY_DAYS_MAX = 5
COPY_DAYS_MAX = 3
REFUND_DAYS_MAX = 30
CHARGEBACK_DAYS_MAX = 45


@dataclass(frozen=True, slots=True)
class Feed:
    """A year of payments: `sales` card sales, spread over 2025, all drawn from `seed`."""

    seed: int
    sales: int


DEMO = Feed(seed=2025, sales=51_500)
FULL = Feed(seed=2025, sales=1_030_000)


@cache
def days() -> tuple[date, ...]:
    """The days that have a file, in order."""
    return tuple(FIRST_DAY + timedelta(number) for number in range(DAYS))


def file_name(day: date) -> str:
    """The name under which the file of a day arrives."""
    return f"payments-{day.isoformat()}.csv"


FILE_PATTERN = "payments-*.csv"


def day_of_file(name: str) -> date | None:
    """The day whose file has this name, if it is one of the feed."""
    return next((day for day in days() if file_name(day) == name), None)


def file_of(day: date, feed: Feed = DEMO) -> pl.DataFrame:
    """The rows of the file that arrives on a day, all text, in file order; ValueError for a day outside 2025.

    Columns: payment_id, kind (sale, refund or chargeback), original_payment_id, merchant_id, card_country, amount,
    currency, occurred_at. An empty text stands for what is missing.
    """
    number = (day - FIRST_DAY).days
    if not 0 <= number < DAYS:
        raise ValueError(f"no payments file for {day}: the feed covers {FIRST_DAY} to {LAST_DAY}")
    past = _past_sales(feed, number)
    arrivals = [_sales(feed, number), _refunds(feed, number, past), _chargebacks(feed, number, past)]
    return spelled(_shuffled(feed, arrivals))


# ---- how many sales --------------------------------------------------------------------------------------------------

_WEEKDAY_WEIGHT = (95, 93, 96, 102, 125, 140, 105)
_MONTH_WEIGHT = (88, 85, 94, 98, 102, 100, 99, 95, 100, 103, 125, 150)
_DAY_PERCENT = {date(2025, 1, 1): 35, date(2025, 11, 28): 220, date(2025, 12, 1): 150, date(2025, 12, 25): 30}


@cache
def _sales_before(feed: Feed) -> Numbers:
    """How many sales happened before each day of the year; one more entry holds them all."""
    reached = np.array(list(accumulate(map(_weight, days()), initial=0)), dtype=np.int64)
    return reached * feed.sales // int(reached[-1])


def _weight(day: date) -> int:
    return _WEEKDAY_WEIGHT[day.weekday()] * _MONTH_WEIGHT[day.month - 1] * _DAY_PERCENT.get(day, 100)


def _sales_between(feed: Feed, first: int, last: int) -> tuple[Numbers, Numbers]:
    """(day, number within the day) of every sale that happened from day `first` to day `last`."""
    before = _sales_before(feed)
    first = max(first, 0)
    counts = np.diff(before[first : last + 2])
    sale_day = np.repeat(np.arange(first, last + 1), counts)
    return sale_day, np.arange(before[first], before[last + 1]) - np.repeat(before[first : last + 1], counts)


# ---- what arrives on a day -------------------------------------------------------------------------------------------

_REFUNDED_PER_1024 = 31
_COPIED_PER_1024 = 16
_DELAYED_PER_1024 = 30
_DISPUTABLE_PER_4096 = 100  # candidates, which the merchant's own risk then thins out
_COPY_LAGS = np.array([0, 0, 0, 0, 1, 1, 2, COPY_DAYS_MAX])


@dataclass(frozen=True, slots=True)
class _Sales:
    """Sales, in step: which they are, and the bits that decide what becomes of them."""

    day: Numbers
    number: Numbers
    fate: Words

    def where(self, chosen: Mask) -> "_Sales":
        at = np.flatnonzero(chosen)
        return _Sales(self.day[at], self.number[at], self.fate[at])


def _past_sales(feed: Feed, day: int) -> _Sales:
    """Every sale of which a record might arrive on a day."""
    sale_day, number = _sales_between(feed, day - CHARGEBACK_DAYS_MAX - DELAY_DAYS_MAX - COPY_DAYS_MAX, day)
    return _Sales(sale_day, number, hashed(feed.seed, Purpose.FATE, sale_day, number))


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """Records of one kind in one file, in step; `copies` of them, at the end, were sent before."""

    purpose: Purpose
    sales: _Sales
    record: Words
    event_day: Numbers
    copies: int


def _sales(feed: Feed, day: int) -> _Arrivals:
    sale_day, number = _sales_between(feed, day - DELAY_DAYS_MAX - COPY_DAYS_MAX, day)
    record = hashed(feed.seed, Purpose.SALE, sale_day, number)
    return _arriving(Purpose.SALE, day, _Sales(sale_day, number, record), record, sale_day)


def _refunds(feed: Feed, day: int, past: _Sales) -> _Arrivals:
    refunded = past.where(bits(past.fate, 0, 10) < _REFUNDED_PER_1024)
    record = hashed(feed.seed, Purpose.REFUND, refunded.day, refunded.number)
    lag = 1 + scaled(refunded.fate, 22, 8, REFUND_DAYS_MAX)
    return _arriving(Purpose.REFUND, day, refunded, record, refunded.day + lag)


def _chargebacks(feed: Feed, day: int, past: _Sales) -> _Arrivals:
    unrefunded = bits(past.fate, 0, 10) >= _REFUNDED_PER_1024
    disputable = past.where(unrefunded & (bits(past.fate, 10, 12) < _DISPUTABLE_PER_4096))
    merchant = merchant_of(hashed(feed.seed, Purpose.BASKET, disputable.day, disputable.number))
    disputed = disputable.where(bits(disputable.fate, 30, 12) < _risks()[merchant])
    record = hashed(feed.seed, Purpose.CHARGEBACK, disputed.day, disputed.number)
    lag = 3 + scaled(disputed.fate, 22, 8, CHARGEBACK_DAYS_MAX - 2)
    return _arriving(Purpose.CHARGEBACK, day, disputed, record, disputed.day + lag)


@cache
def _risks() -> Numbers:
    """Of 4,096 candidates of each merchant, how many are disputed."""
    candidates_per_10k = _DISPUTABLE_PER_4096 * 10_000 // 4_096
    return np.array([each.disputes_per_10k * 4_096 // candidates_per_10k for each in MERCHANTS])


def _arriving(purpose: Purpose, day: int, sales: _Sales, record: Words, event_day: Numbers) -> _Arrivals:
    """Of all events, those whose record, or the copy of it, is in the file of a day."""
    delay = np.where(bits(record, 0, 10) < _DELAYED_PER_1024, 1 + scaled(record, 10, 8, DELAY_DAYS_MAX), 0)
    arrival = event_day + delay
    copied = bits(record, 18, 10) < _COPIED_PER_1024
    first = np.flatnonzero(arrival == day)
    again = np.flatnonzero(copied & (arrival + _COPY_LAGS[bits(record, 28, 3)] == day))
    at = np.concatenate([first, again])
    chosen = _Sales(sales.day[at], sales.number[at], sales.fate[at])
    return _Arrivals(purpose, chosen, record[at], event_day[at], copies=again.size)


def _shuffled(feed: Feed, arrivals: list[_Arrivals]) -> Records:
    """All kinds in one file, in no order of time; a copy lands elsewhere than the record that it repeats."""
    record = np.concatenate([each.record for each in arrivals])
    is_copy = np.concatenate([np.arange(each.record.size) >= each.record.size - each.copies for each in arrivals])
    place = mixed(record)
    order = np.argsort(np.where(is_copy, mixed(place), place), kind="stable")
    purpose = np.repeat([int(each.purpose) for each in arrivals], [each.record.size for each in arrivals])
    return Records(
        seed=feed.seed,
        since=FIRST_DAY,
        purpose=purpose[order],
        sale_day=np.concatenate([each.sales.day for each in arrivals])[order],
        sale=np.concatenate([each.sales.number for each in arrivals])[order],
        fate=np.concatenate([each.sales.fate for each in arrivals])[order],
        record=record[order],
        event_day=np.concatenate([each.event_day for each in arrivals])[order],
    )
