"""What must be true of the tables, layer by layer; `fintech.quality` says what each check looks at.

A blocking check that fails holds back everything that depends on its table. The others warn, and two of them do: they
are about merchants and senders, not about our tables.
"""

import polars as pl

from batuta import AssetIn, CheckResult, StepContext, check
from fintech import payments, quality
from fintech.pipelines.assets import LATE_WINDOW, day_of


def _result(verdict: quality.Verdict) -> CheckResult:
    return CheckResult(verdict.passed, metadata=verdict.numbers, description=verdict.says)


# ---- bronze ----------------------------------------------------------------------------------------------------------


@check("bronze.payments", blocking=True)
def is_whole(table: pl.DataFrame, context: StepContext) -> CheckResult:
    """The partition is the day's file and nothing else."""
    return _result(quality.bronze_is_whole(table, day_of(context)))


@check("bronze.reference_rates", blocking=True)
def rates_are_whole(table: pl.DataFrame) -> CheckResult:
    """One row a publication, on weekdays, without long gaps."""
    return _result(quality.bronze_rates_are_whole(table))


# ---- silver ----------------------------------------------------------------------------------------------------------


@check("silver.reference_rates", blocking=True)
def are_filled(table: pl.DataFrame) -> CheckResult:
    """Every calendar day has rates, positive ones, of a recent publication."""
    return _result(quality.rates_are_filled(table))


@check("silver.reference_rates")
def do_not_jump(table: pl.DataFrame) -> CheckResult:
    """No rate of the year changes by more than 15 % from one day to the next."""
    return _result(quality.rates_do_not_jump(table, payments.FIRST_DAY))


@check("silver.payments", blocking=True, ins={"window": AssetIn("bronze.payments", LATE_WINDOW)})
def nothing_is_lost(
    taken: pl.DataFrame, silver__quarantine: pl.DataFrame, window: pl.DataFrame, context: StepContext
) -> CheckResult:
    """Taken, quarantined and duplicate rows together are the day's file, each row once."""
    return _result(quality.silver_conserves(window, day_of(context), taken, silver__quarantine))


@check("silver.payments", blocking=True)
def are_unique(taken: pl.DataFrame) -> CheckResult:
    """No payment is taken twice."""
    return _result(quality.silver_is_unique(taken))


@check("silver.payments", blocking=True)
def are_in_eur(taken: pl.DataFrame) -> CheckResult:
    """Every amount is converted, to the cent."""
    return _result(quality.silver_is_in_eur(taken))


@check("silver.quarantine")
def few_are_rejected(refused: pl.DataFrame, silver__payments: pl.DataFrame) -> CheckResult:
    """At most 6 % of a day's rows are refused. Some days have more: somebody should ask the sender."""
    return _result(quality.few_are_rejected(silver__payments, refused))


# ---- gold ------------------------------------------------------------------------------------------------------------


@check("gold.settlement", blocking=True)
def balances(table: pl.DataFrame) -> CheckResult:
    """In each row, net is gross less refunds, chargebacks and fees."""
    return _result(quality.settlement_balances(table))


@check("gold.settlement", blocking=True)
def reconciles_with_silver(table: pl.DataFrame, silver__payments: pl.DataFrame) -> CheckResult:
    """The day's money is silver's, to the cent."""
    return _result(quality.settlement_reconciles(table, silver__payments))


@check("gold.currency_exposure", blocking=True)
def shares_make_a_whole(table: pl.DataFrame, gold__settlement: pl.DataFrame) -> CheckResult:
    """The shares of a day add up to 1, and the money is settlement's, to the cent."""
    return _result(quality.exposure_is_whole(table, gold__settlement))


@check("gold.chargeback_rate")
def no_merchant_is_watched(table: pl.DataFrame) -> CheckResult:
    """No merchant reached the card schemes' limit. Some did: it is about merchants, not data."""
    return _result(quality.no_merchant_is_watched(table))


@check("gold.chargeback_rate")
def originals_are_known(table: pl.DataFrame, silver__payments: pl.DataFrame) -> CheckResult:
    """Refunds and chargebacks name a sale that was taken, but for those of the year before."""
    return _result(quality.originals_are_known(silver__payments))


@check("gold.chargeback_rate", blocking=True)
def no_payment_counts_twice(table: pl.DataFrame, silver__payments: pl.DataFrame) -> CheckResult:
    """A payment is taken on one day only, over the whole year."""
    return _result(quality.silver_is_unique(silver__payments))


@check("gold.monthly_revenue", blocking=True)
def reconciles_with_settlement(table: pl.DataFrame, gold__settlement: pl.DataFrame) -> CheckResult:
    """The months' revenue is the days' fees, to the cent; days that were settled since are not counted."""
    return _result(quality.revenue_reconciles(table, gold__settlement))
