"""Declaring assets and checks, and what stays a plain function."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from typing import Any

import pytest

from batuta.authoring.assets import AssetOut, asset, check, external_asset, multi_asset
from batuta.authoring.partitions import daily
from batuta.core.errors import DefinitionError, RequestError

HERE = __file__


@asset
def bare() -> int:
    """Says what it is."""
    return 1


def test_a_decorated_function_stays_a_function() -> None:
    assert bare() == 1
    assert bare.fn() == 1
    assert bare.key == "bare"
    assert bare.__name__ == "bare"
    assert bare.__doc__ == "Says what it is."
    assert inspect.signature(bare).return_annotation == "int"
    assert bare.description == "Says what it is."
    assert (bare.place.file, bare.code_name) == (HERE, f"{__name__}:bare")


def test_async_functions_stay_async() -> None:
    @asset
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x

    assert asyncio.run(later(2)) == 2


def test_keys_can_be_given_as_text() -> None:
    @asset("silver.payments", layer="silver", tags=["a", "b"])
    def payments() -> None: ...

    @asset(key="silver.rates")
    def anything() -> None: ...

    assert payments.key == "silver.payments"
    assert anything.key == "silver.rates"
    assert repr(payments) == "<asset silver.payments>"


@pytest.mark.parametrize("key", ["", "a b", "a..b", ".a", "a/b", "a:b", 7, "läger.", "a."])
def test_bad_keys_are_refused(key: Any) -> None:
    with pytest.raises(DefinitionError, match="cannot be an asset's key") as caught:
        asset(key=key)(lambda: None)
    assert HERE in (caught.value.where or "")


def test_keys_may_have_any_letters_and_dashes() -> None:
    assert asset("läger.größe-2")(lambda: None).key == "läger.größe-2"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"laeyr": "silver"}, "did you mean 'layer'"),
        ({"retires": 3}, "did you mean 'retries'"),
        ({"cache": True}, "materialize --stale"),
        ({"name": "x"}, "use key="),
        ({"retries": -1}, "retries is negative"),
        ({"deps": "bronze"}, "give a list of assets"),
    ],
)
def test_bad_options_are_told_with_the_place(options: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        asset("x", **options)(lambda: None)
    assert told in str(caught.value)
    assert HERE in (caught.value.where or "")


def test_options_are_those_of_tasks() -> None:
    made = asset("x", retries=2, retry_delay_s=1.5, pool="db", timeout_s=3, isolated=True)(lambda: None)
    assert made.options.retry.attempts_max == 3
    assert made.options.pools == (("db", 1),)
    assert made.options.isolated


def test_multi_assets_name_their_outs() -> None:
    @multi_asset(
        outs={"good": AssetOut("silver.good", layer="gold"), "bad": None},
        layer="silver",
        partitions=daily("2025-01-01"),
    )
    def split() -> dict[str, int]:
        return {"good": 1, "bad": 2}

    assert split.keys == ("silver.good", "bad")
    assert split["good"] == "silver.good"
    assert split()["bad"] == 2
    assert [out.layer for out in split.outs.values()] == ["gold", "silver"]
    with pytest.raises(DefinitionError, match="did you mean 'good'"):
        split["goood"]
    with pytest.raises(DefinitionError, match="no outs"):
        multi_asset(outs={})(lambda: None)


def test_external_assets_cannot_be_called() -> None:
    source = external_asset("crm.customers", description="theirs")
    assert source.place.file == HERE
    with pytest.raises(RequestError, match="no function that makes it"):
        source()


def test_checks_belong_to_an_asset() -> None:
    @check(bare, blocking=True)
    def positive(value: int) -> bool:
        """It is above zero."""
        return value > 0

    assert positive(1) is True
    assert (positive.key, positive.blocking, positive.description) == ("bare:positive", True, "It is above zero.")

    @check("other.key", name="named")
    def something() -> None: ...

    assert something.key == "other.key:named"
    with pytest.raises(DefinitionError, match="without parentheses"):
        check(lambda: None)


def test_importing_the_asset_style_stays_light() -> None:
    code = (
        "import sys, batuta.authoring.assets, batuta.authoring.asset_graph, batuta.authoring.resources\n"
        "heavy = {'pydantic', 'polars', 'pandas', 'pyarrow', 'duckdb', 'fsspec', 'sqlalchemy', 'numpy', 'asyncio'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
