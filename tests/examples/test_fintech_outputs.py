"""What the fintech example gives out: settlement files, the report on currencies that moved, verdicts of checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fintech import movers, quality, settlement
from tests.examples.fintech_tables import DAYS, SUNDAY, lakehouse, published, reference_rates

# ---- settlement files ------------------------------------------------------------------------------------------------


@given(st.dates(date(1999, 1, 1), date(2100, 1, 1)))
def test_only_the_last_day_of_a_month_closes_it(day: date) -> None:
    is_last = (day + timedelta(1)).month != day.month
    assert settlement.closing(day) == ("month_end" if is_last else "normal_day")
    first, last = settlement.period(day)
    assert (first, last) == ((day.replace(day=1), day) if is_last else (day, day))


@pytest.fixture
def delivered(tmp_path: Path) -> tuple[settlement.Period, Path, list[Path]]:
    """All files of January, in a folder."""
    covered = settlement.period(date(2025, 1, 31))
    due = settlement.merchants_due(lakehouse().settlement, covered)
    folder = tmp_path / "files"
    return covered, folder, [settlement.export(lakehouse().settlement, name, covered, folder) for name in due]


Delivered = tuple[settlement.Period, Path, list[Path]]


def test_files_reconcile_with_gold_to_the_cent(delivered: Delivered) -> None:
    covered, folder, paths = delivered
    january = lakehouse().settlement.filter(pl.col("day").dt.month() == 1)
    found = settlement.reconcile(lakehouse().settlement, covered, folder, paths)
    assert found.exact
    assert (found.files, found.rows, found.net_cents) == (44, january.height, january["net_cents"].sum())
    assert sorted(folder.iterdir()) == sorted(paths)


def test_a_file_says_euros_with_two_decimals(delivered: Delivered) -> None:
    header, *days, total = delivered[2][0].read_text().splitlines()
    assert header == "day,sales,refunds,chargebacks,gross,refund,chargeback,fee,net"
    assert total.startswith("TOTAL,")
    assert [line[:10] for line in days] == sorted(line[:10] for line in days)
    assert all(re.fullmatch(r"2025-01-\d\d(,\d+){3}(,-?\d+\.\d\d){5}", line) for line in days)


def test_an_export_again_is_the_same_file(delivered: Delivered) -> None:
    covered, folder, paths = delivered
    before = paths[3].read_bytes()
    assert settlement.export(lakehouse().settlement, "M104", covered, folder) == paths[3]
    assert paths[3].read_bytes() == before


Edit = Callable[[list[str]], list[str]]
EDITS: dict[str, tuple[Edit, str]] = {
    "a day is gone": (lambda lines: [lines[0], *lines[2:]], "TOTAL line is not the sum"),
    "a day is there twice": (lambda lines: [*lines[:2], lines[1], *lines[2:]], "TOTAL line is not the sum"),
    "no total": (lambda lines: lines[:-1], "the TOTAL line is missing"),
    "no header": (lambda lines: lines[1:], "the header"),
    "another day": (lambda lines: [lines[0], "2025-06-01" + lines[1][10:], *lines[2:]], "is not in gold"),
    "a day that is none": (lambda lines: [lines[0], "2025-13-01" + lines[1][10:], *lines[2:]], "line 2: cannot read"),
    "three decimals": (lambda lines: [lines[0], lines[1] + "0", *lines[2:]], "line 2: cannot read"),
    "a column too few": (lambda lines: [lines[0], lines[1].rpartition(",")[0], *lines[2:]], "line 2: cannot read"),
    "a word": (lambda lines: [lines[0], lines[1].rpartition(",")[0] + ",many", *lines[2:]], "line 2: cannot read"),
    "nothing": (lambda lines: [], "not a settlement file"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_file_is_a_difference(delivered: Delivered, name: str) -> None:
    covered, folder, paths = delivered
    edit, says = EDITS[name]
    paths[7].write_text("".join(line + "\n" for line in edit(paths[7].read_text().splitlines())))
    found = settlement.reconcile(lakehouse().settlement, covered, folder, paths)
    assert not found.exact
    assert all(difference.startswith(paths[7].name) for difference in found.differences)
    assert any(says in difference for difference in found.differences)


@pytest.mark.parametrize("column", ["gross_cents", "refund_cents", "chargeback_cents", "fee_cents", "net_cents"])
def test_a_cent_more_in_gold_is_a_difference(delivered: Delivered, column: str) -> None:
    covered, folder, paths = delivered
    is_it = (pl.col("day") == SUNDAY - timedelta(63)) & (pl.col("merchant_id") == "M104")
    changed = lakehouse().settlement.with_columns(pl.col(column) + is_it.cast(pl.Int64))
    found = settlement.reconcile(changed, covered, folder, paths)
    assert len(found.differences) == 2
    assert all("M104" in each and "day 2025-01-05" in each and column in each for each in found.differences)


def test_a_file_too_few_and_a_file_too_many_are_differences(delivered: Delivered) -> None:
    covered, folder, paths = delivered
    stray = folder / settlement.file_name("M999", covered)
    stray.write_bytes(paths[0].read_bytes())
    found = settlement.reconcile(lakehouse().settlement, covered, folder, [*paths[1:], stray])
    assert found.differences == (
        f"{paths[0].name}: no such file was delivered",
        f"{stray.name}: nothing is due under this name",
    )


def test_nothing_to_settle_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to settle for merchant M999"):
        settlement.export(lakehouse().settlement, "M999", (DAYS[0], DAYS[9]), tmp_path)
    assert list(tmp_path.iterdir()) == []


# ---- movers ----------------------------------------------------------------------------------------------------------

TARIFFS = date(2025, 4, 30)


def test_movers_are_those_beyond_the_threshold_largest_first() -> None:
    found = movers.find(reference_rates(), TARIFFS, window_days=30, threshold=0.03)
    before, after = (
        published().filter(pl.col("Date") == day).row(0, named=True) for day in ("2025-03-31", "2025-04-30")
    )
    quoted = [name for name in published().columns if len(name) == 3 and "N/A" not in (before[name], after[name])]
    change = {name: float(before[name]) / float(after[name]) - 1 for name in quoted}
    expected = sorted((name for name in quoted if abs(change[name]) >= 0.03), key=lambda name: -abs(change[name]))
    assert [move.currency for move in found] == expected
    assert {"USD", "TRY"} < set(expected) < set(quoted)
    assert [move.change for move in found] == [pytest.approx(change[name]) for name in expected]


def test_a_study_tells_the_way_of_a_move() -> None:
    (dollar,) = (move for move in movers.find(reference_rates(), TARIFFS) if move.currency == "USD")
    found = movers.study(reference_rates(), dollar)
    quotes = published().filter(pl.col("Date").is_between(pl.lit("2025-03-31"), pl.lit("2025-04-30")))
    values = {row["Date"]: 100 / float(row["USD"]) for row in quotes.rows(named=True)}
    assert found.published_days == len(values)
    assert found.low == pytest.approx(min(values.values()))
    assert found.high == pytest.approx(max(values.values()))
    assert values[found.low_day.isoformat()] == pytest.approx(found.low)
    assert values[found.high_day.isoformat()] == pytest.approx(found.high)
    assert 0.05 < found.volatility < 0.4


def test_a_day_without_rates_is_one_clear_error() -> None:
    with pytest.raises(ValueError, match="no rates for 1998-12-05: the rates cover 1999-01-04 to "):
        movers.find(reference_rates(), date(1999, 1, 4))


def written(folder: Path) -> movers.Report:
    studies = [movers.study(reference_rates(), move) for move in movers.find(reference_rates(), TARIFFS)]
    return movers.write_report(folder, reference_rates(), studies, TARIFFS)


def test_the_report_is_written_the_same_in_threads(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(written, [tmp_path / "a", tmp_path / "b"]))
    for one, other in zip(
        *(sorted(path.parent.iterdir()) for path in (each.markdown for each in reports)), strict=True
    ):
        assert one.read_bytes() == other.read_bytes()
    report = reports[0]
    assert report.plot is not None
    assert report.plot.read_bytes().startswith(b"\x89PNG\r\n")
    assert "| USD | -4.91% |" in report.markdown.read_text()
    assert f"]({report.plot.name})" in report.markdown.read_text()
    assert "<td>USD</td><td>-4.91%</td>" in report.html.read_text()


def test_a_report_of_nothing_says_so_and_has_no_plot(tmp_path: Path) -> None:
    report = movers.write_report(tmp_path, reference_rates(), [], TARIFFS, 30, 0.5)
    assert report.plot is None
    assert "No currency moved by 50.0% or more" in report.markdown.read_text()
    assert sorted(tmp_path.iterdir()) == [report.html, report.markdown]


# ---- checks: each passes on good tables, and sees the fault that it is for ------------------------------------------


def test_checks_pass_on_the_demo() -> None:
    house = lakehouse()
    came, window, sunday = house.bronze[SUNDAY], house.windows[SUNDAY], house.silver[SUNDAY]
    verdicts = [
        quality.bronze_is_whole(came, SUNDAY),
        quality.bronze_rates_are_whole(published()),
        quality.silver_conserves(window, SUNDAY, sunday.payments, sunday.quarantine),
        quality.silver_is_unique(house.payments),
        quality.silver_is_in_eur(house.payments),
        quality.few_are_rejected(house.payments, house.quarantine),
        quality.originals_are_known(house.payments),
        quality.rates_are_filled(reference_rates()),
        quality.rates_do_not_jump(reference_rates(), since=date(2025, 1, 1)),
        quality.settlement_balances(house.settlement),
        quality.settlement_reconciles(house.settlement, house.payments),
        quality.exposure_is_whole(house.exposure, house.settlement),
        quality.revenue_reconciles(house.revenue, house.settlement),
    ]
    assert [verdict.says for verdict in verdicts if not verdict.passed] == []
    assert all(isinstance(number, int | float) for verdict in verdicts for number in verdict.numbers.values())


def one_more(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """One more in the first row."""
    return frame.with_columns(pl.col(column) + (pl.int_range(pl.len()) == 0).cast(pl.Int64))


def doubled(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame.head(1)])


def bronze_fault(spoil: Callable[[pl.DataFrame], pl.DataFrame]) -> quality.Verdict:
    return quality.bronze_is_whole(spoil(lakehouse().bronze[SUNDAY]), SUNDAY)


def publication_fault(spoil: Callable[[pl.DataFrame], pl.DataFrame]) -> quality.Verdict:
    return quality.bronze_rates_are_whole(spoil(published()))


def conservation_fault(spoil: Callable[[pl.DataFrame], pl.DataFrame]) -> quality.Verdict:
    day = lakehouse().silver[SUNDAY]
    return quality.silver_conserves(lakehouse().windows[SUNDAY], SUNDAY, spoil(day.payments), day.quarantine)


def rates_fault(spoil: Callable[[pl.DataFrame], pl.DataFrame]) -> quality.Verdict:
    return quality.rates_are_filled(spoil(reference_rates().filter(pl.col("day") >= date(2020, 1, 1))))


def jump() -> quality.Verdict:
    spoiled = pl.when(day=SUNDAY).then(2 * pl.col("rate")).otherwise("rate").alias("rate")
    return quality.rates_do_not_jump(reference_rates().with_columns(spoiled), since=date(2025, 1, 1))


def many_rejected() -> quality.Verdict:
    day = lakehouse().silver[SUNDAY]
    return quality.few_are_rejected(day.payments.head(10), day.quarantine.head(1))


FAULTS: dict[str, Callable[[], quality.Verdict]] = {
    "no file": lambda: bronze_fault(lambda came: came.clear()),
    "a row of another day": lambda: bronze_fault(
        lambda came: came.with_columns(source_day=pl.when(source_row=1).then(DAYS[0]).otherwise("source_day"))
    ),
    "a lost bronze row": lambda: bronze_fault(lambda came: came[1:]),
    "a bronze row twice": lambda: bronze_fault(doubled),
    "bronze was typed": lambda: bronze_fault(
        lambda came: came.with_columns(pl.col("amount").cast(pl.Float64, strict=False))
    ),
    "no publications": lambda: publication_fault(lambda raw: raw.clear()),
    "a publication twice": lambda: publication_fault(doubled),
    "a lost week of publications": lambda: publication_fault(
        lambda raw: raw.filter(~pl.col("Date").str.starts_with("2020-05-1"))
    ),
    "a publication on a Sunday": lambda: publication_fault(
        lambda raw: raw.with_columns(pl.col("Date").replace("2025-03-07", str(SUNDAY)))
    ),
    "a lost payment": lambda: conservation_fault(lambda taken: taken[1:]),
    "a payment twice in a day": lambda: conservation_fault(doubled),
    "one lost and one twice": lambda: conservation_fault(lambda taken: doubled(taken[1:])),
    "rows from nowhere": lambda: conservation_fault(lambda taken: taken.with_columns(pl.col("source_row") + 5_000)),
    "a payment twice": lambda: quality.silver_is_unique(doubled(lakehouse().payments)),
    "a cent off in EUR": lambda: quality.silver_is_in_eur(one_more(lakehouse().payments, "eur_cents")),
    "no amount in EUR": lambda: quality.silver_is_in_eur(
        lakehouse().payments.with_columns(eur_cents=pl.lit(None, pl.Int64))
    ),
    "much is rejected": many_rejected,
    "originals are missing": lambda: quality.originals_are_known(lakehouse().payments[2_000:]),
    "no rates": lambda: rates_fault(lambda filled: filled.clear()),
    "a day without rates": lambda: rates_fault(lambda filled: filled.filter(pl.col("day") != SUNDAY)),
    "old rates": lambda: rates_fault(
        lambda filled: filled.with_columns(published_on=pl.col("published_on") - timedelta(5))
    ),
    "rates of zero": lambda: rates_fault(lambda filled: filled.with_columns(rate=pl.lit(0.0))),
    "a rate twice": lambda: rates_fault(doubled),
    "a jump": jump,
    "a settlement that does not balance": lambda: quality.settlement_balances(
        one_more(lakehouse().settlement, "net_cents")
    ),
    "a settlement twice": lambda: quality.settlement_balances(doubled(lakehouse().settlement)),
    "a cent more settled": lambda: quality.settlement_reconciles(
        one_more(lakehouse().settlement, "gross_cents"), lakehouse().payments
    ),
    "a cent more refunded": lambda: quality.settlement_reconciles(
        one_more(lakehouse().settlement, "refund_cents"), lakehouse().payments
    ),
    "a currency is missing": lambda: quality.exposure_is_whole(
        lakehouse().exposure.filter(pl.col("currency") != "EUR"), lakehouse().settlement
    ),
    "shares of more than all": lambda: quality.exposure_is_whole(
        lakehouse().exposure.with_columns(pl.col("share") * 1.01), lakehouse().settlement
    ),
    "a cent of revenue": lambda: quality.revenue_reconciles(
        one_more(lakehouse().revenue, "revenue_cents"), lakehouse().settlement
    ),
    "a merchant over the limit": lambda: quality.no_merchant_is_watched(
        lakehouse().chargeback_rate.with_columns(watched=pl.lit(value=True))
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_check_sees_its_fault(fault: str) -> None:
    verdict = FAULTS[fault]()
    assert not verdict.passed
    assert verdict.says
