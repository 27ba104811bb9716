"""What must be true of the tables, layer by layer. Each function looks at frames and returns a verdict with numbers.

The surprising rule: a check counts for itself. It does not ask the code that it checks, so the two can disagree.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from fintech.bronze import TEXT_COLUMNS
from fintech.silver import LATE_DAYS_MAX

REJECTED_SHARE_MAX = 0.06
ORPHAN_SHARE_MAX = 0.06
PUBLICATION_GAP_DAYS_MAX = 5
DAILY_JUMP_MAX = 0.15


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a check passed, the numbers that it looked at, and a sentence on them."""

    passed: bool
    numbers: dict[str, int | float]
    says: str


# ---- bronze ----------------------------------------------------------------------------------------------------------


def bronze_is_whole(bronze: pl.DataFrame, day: date) -> Verdict:
    """The partition is the day's file and nothing else: not empty, rows numbered from 1 on, all text. Blocking."""
    rows = bronze.height
    of_other_days = int((bronze["source_day"] != day).sum())
    gaps = rows - bronze.filter(pl.col("source_row").is_between(1, rows))["source_row"].n_unique()
    not_text = sum(bronze.schema[column] != pl.String for column in TEXT_COLUMNS)
    numbers: dict[str, int | float] = {"rows": rows, "of_other_days": of_other_days, "gaps": gaps, "not_text": not_text}
    passed = rows > 0 and of_other_days == gaps == not_text == 0
    return Verdict(passed, numbers, f"{rows} rows of {day}, {of_other_days} of other days, {gaps} missing numbers")


def bronze_rates_are_whole(bronze: pl.DataFrame) -> Verdict:
    """One row a publication, on weekdays only, never more than PUBLICATION_GAP_DAYS_MAX days apart. Blocking."""
    days = bronze["Date"].str.to_date("%Y-%m-%d", strict=False)
    unreadable, repeated = days.null_count(), days.len() - days.n_unique()
    weekend = int((days.dt.weekday() > 5).sum())
    gap = days.drop_nulls().sort().diff().dt.total_days().max()
    gap_days = gap if isinstance(gap, int) else 0
    numbers: dict[str, int | float] = {
        "publications": days.len(),
        "unreadable": unreadable,
        "repeated": repeated,
        "weekend": weekend,
        "gap_days": gap_days,
    }
    passed = days.len() > 0 and unreadable == repeated == weekend == 0 and gap_days <= PUBLICATION_GAP_DAYS_MAX
    return Verdict(passed, numbers, f"{days.len()} publications, {gap_days} days apart at most")


# ---- silver ----------------------------------------------------------------------------------------------------------


def silver_conserves(window: pl.DataFrame, day: date, payments: pl.DataFrame, quarantine: pl.DataFrame) -> Verdict:
    """Taken + quarantined + duplicates = input, each input row in one place. Blocking.

    `window` is the bronze that the silver day was made from; duplicates are counted here anew.
    """
    seen = window.filter(pl.col("source_day").is_between(day - timedelta(LATE_DAYS_MAX), day))
    came_first = seen.sort("source_day", "source_row").unique("payment_id", keep="first")
    named = pl.col("payment_id").str.strip_chars() != ""
    today = pl.col("source_day") == day
    rows = seen.filter(today).height
    duplicates = seen.filter(today, named).height - came_first.filter(today, named).height
    places = pl.concat([payments["source_row"], quarantine["source_row"]])
    twice = places.len() - places.n_unique()
    foreign = places.len() - int(places.is_in(seen.filter(today)["source_row"].implode()).sum())
    lost = rows - payments.height - quarantine.height - duplicates
    numbers: dict[str, int | float] = {
        "input": rows,
        "taken": payments.height,
        "quarantined": quarantine.height,
        "duplicates": duplicates,
        "lost": lost,
    }
    parts = f"{payments.height} taken, {quarantine.height} quarantined, {duplicates} duplicates, {lost} lost"
    return Verdict(lost == twice == foreign == 0, numbers, f"{rows} rows: {parts}")


def silver_is_unique(payments: pl.DataFrame) -> Verdict:
    """No payment is taken twice, in a day or over all of them. Blocking."""
    repeated = payments.height - payments["payment_id"].n_unique()
    return Verdict(repeated == 0, {"rows": payments.height, "repeated": repeated}, f"{repeated} repeated payment ids")


def silver_is_in_eur(payments: pl.DataFrame) -> Verdict:
    """Every amount is converted, within half a cent of amount / rate; amounts in EUR are unchanged. Blocking."""
    rate = pl.col("rate_micros") / 1_000_000
    off = (pl.col("eur_cents") - pl.col("amount_cents") / rate).abs() > 0.500_001
    bad = off.fill_null(value=True) | (pl.col("amount_cents") <= 0).fill_null(value=True)
    wrong = payments.filter(bad).height
    changed = payments.filter(pl.col("currency") == "EUR", pl.col("eur_cents") != pl.col("amount_cents")).height
    numbers: dict[str, int | float] = {"rows": payments.height, "wrong": wrong, "eur_changed": changed}
    return Verdict(wrong == changed == 0, numbers, f"{wrong} of {payments.height} amounts are wrong in EUR")


def few_are_rejected(payments: pl.DataFrame, quarantine: pl.DataFrame) -> Verdict:
    """Quarantine holds at most REJECTED_SHARE_MAX of what is not a duplicate. A warning."""
    rows = payments.height + quarantine.height
    share = quarantine.height / rows if rows else 0.0
    numbers: dict[str, int | float] = {"rows": rows, "quarantined": quarantine.height, "share": share}
    return Verdict(share <= REJECTED_SHARE_MAX, numbers, f"{share:.2%} of {rows} rows are in quarantine")


def originals_are_known(payments: pl.DataFrame) -> Verdict:
    """Refunds and chargebacks name a sale that was taken; at most ORPHAN_SHARE_MAX do not. A warning, over all days."""
    sales = payments.filter(pl.col("kind") == "sale")["payment_id"].implode()
    named = payments.filter(pl.col("original_payment_id").is_not_null())
    orphans = named.height - int(named["original_payment_id"].is_in(sales).sum())
    share = orphans / named.height if named.height else 0.0
    numbers: dict[str, int | float] = {"referring": named.height, "orphans": orphans, "share": share}
    says = f"{orphans} of {named.height} refunds and chargebacks ({share:.2%}) name a sale that was not taken"
    return Verdict(share <= ORPHAN_SHARE_MAX, numbers, says)


def rates_are_filled(rates: pl.DataFrame) -> Verdict:
    """Every calendar day has rates, positive ones, of a publication at most so many days old. Blocking."""
    days = rates["day"].unique().sort()
    missing = int((days.diff().dt.total_days() - 1).sum())
    stale = rates.filter(pl.col("day") - pl.col("published_on") >= timedelta(PUBLICATION_GAP_DAYS_MAX)).height
    bad = rates.filter((pl.col("rate") <= 0) | (pl.col("rate_micros") <= 0)).height
    repeated = rates.height - rates.select("day", "currency").n_unique()
    numbers: dict[str, int | float] = {
        "rows": rates.height,
        "days": days.len(),
        "missing_days": missing,
        "stale": stale,
        "not_positive": bad,
        "repeated": repeated,
    }
    passed = rates.height > 0 and missing == stale == bad == repeated == 0
    return Verdict(passed, numbers, f"{days.len()} days, {missing} missing, {stale} stale rates, {bad} not positive")


def rates_do_not_jump(rates: pl.DataFrame, since: date) -> Verdict:
    """No rate changes by more than DAILY_JUMP_MAX from one day to the next. A warning: real currencies do at times."""
    recent = rates.filter(pl.col("day") >= since).sort("currency", "day")
    change = (pl.col("rate") / pl.col("rate").shift(1).over("currency") - 1).abs()
    jumps = recent.select("currency", "day", change.alias("change")).filter(pl.col("change") > DAILY_JUMP_MAX)
    largest = float(recent.select(change.max()).item() or 0)
    numbers: dict[str, int | float] = {"jumps": jumps.height, "largest": largest}
    return Verdict(
        jumps.is_empty(), numbers, f"{jumps.height} jumps since {since}; the largest change is {largest:.2%}"
    )


# ---- gold ------------------------------------------------------------------------------------------------------------


def settlement_balances(settlement: pl.DataFrame) -> Verdict:
    """Each row: net = gross - refunds - chargebacks - fees; one row a merchant and day. Blocking."""
    deductions = pl.col("refund_cents") + pl.col("chargeback_cents") + pl.col("fee_cents")
    unbalanced = settlement.filter(pl.col("net_cents") != pl.col("gross_cents") - deductions).height
    repeated = settlement.height - settlement.select("day", "merchant_id").n_unique()
    numbers: dict[str, int | float] = {"rows": settlement.height, "unbalanced": unbalanced, "repeated": repeated}
    return Verdict(unbalanced == repeated == 0, numbers, f"{unbalanced} of {settlement.height} rows do not balance")


def settlement_reconciles(settlement: pl.DataFrame, payments: pl.DataFrame) -> Verdict:
    """Gold's gross, refunds and chargebacks are silver's, to the cent. Blocking; over the same days."""
    of_kind = {str(kind): int(cents) for kind, cents in payments.group_by("kind").agg(pl.col("eur_cents").sum()).rows()}
    columns = {"sale": "gross_cents", "refund": "refund_cents", "chargeback": "chargeback_cents"}
    off = {kind: int(settlement[column].sum()) - of_kind.get(kind, 0) for kind, column in columns.items()}
    numbers: dict[str, int | float] = {f"{kind}_cents_off": cents for kind, cents in off.items()}
    return Verdict(not any(off.values()), numbers, f"cents off: {', '.join(f'{k} {v}' for k, v in off.items())}")


def exposure_is_whole(exposure: pl.DataFrame, settlement: pl.DataFrame) -> Verdict:
    """Each day's shares make a whole, and the money is settlement's, to the cent. Blocking; over the same days."""
    shares = exposure.group_by("day").agg(pl.col("share").sum(), pl.col("gross_eur_cents").sum())
    bad_days = shares.filter((pl.col("gross_eur_cents") > 0) & ((pl.col("share") - 1).abs() > 1e-4)).height
    off = int(exposure["gross_eur_cents"].sum()) - int(settlement["gross_cents"].sum())
    numbers: dict[str, int | float] = {"days": shares.height, "bad_days": bad_days, "cents_off": off}
    return Verdict(bad_days == off == 0, numbers, f"{bad_days} days do not add up to 1; {off} cents off")


def revenue_reconciles(revenue: pl.DataFrame, settlement: pl.DataFrame) -> Verdict:
    """The months' revenue is the days' fees, to the cent. Blocking; of the days through the last one that is in it."""
    if not revenue.is_empty():
        settlement = settlement.filter(pl.col("day") <= revenue["through"].max())
    off = int(revenue["revenue_cents"].sum()) - int(settlement["fee_cents"].sum())
    gross_off = int(revenue["gross_cents"].sum()) - int(settlement["gross_cents"].sum())
    numbers: dict[str, int | float] = {"revenue_cents_off": off, "gross_cents_off": gross_off}
    return Verdict(off == gross_off == 0, numbers, f"{off} cents of revenue and {gross_off} of gross are off")


def no_merchant_is_watched(chargeback_rate: pl.DataFrame) -> Verdict:
    """No merchant reached the card schemes' limit in any month. A warning: it is about merchants, not data."""
    watched = chargeback_rate.filter("watched")
    merchants = watched["merchant_id"].n_unique()
    numbers: dict[str, int | float] = {"merchant_months": watched.height, "merchants": merchants}
    return Verdict(watched.is_empty(), numbers, f"{merchants} merchants over the limit in {watched.height} months")
