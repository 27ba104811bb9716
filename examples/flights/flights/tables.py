"""The tables: what arrived as text, typed and joined, and what it says about airlines and airports.

Plain Python over Polars frames, which knows nothing of an orchestrator. The surprising rule: a flight belongs to the
day on which it was to leave by New York's clocks, which is the day of its file; its times are instants, in UTC.
"""

from datetime import date

import polars as pl

LATE_MIN = 15
"""From so many minutes on, a flight is late: the rule of the US Department of Transportation."""
FLIGHT_NUMBERS = ("dep_delay", "arr_delay", "air_time", "distance", "hour", "minute", "flight")
NO_VALUE = "NA"


# ---- bronze ----------------------------------------------------------------------------------------------------------


def as_it_came(csv: bytes) -> pl.DataFrame:
    """All columns as text, rows numbered from 1 (`source_row`)."""
    return pl.read_csv(csv, infer_schema=False, row_index_name="source_row", row_index_offset=1)


# ---- silver ----------------------------------------------------------------------------------------------------------


def typed(raw: pl.DataFrame, **types: type[pl.DataType]) -> pl.DataFrame:
    """The columns that are named, with their types; "NA" is null."""
    value = {name: pl.col(name).replace(NO_VALUE, None) for name in types}
    return raw.select(value[name].cast(dtype, strict=True).alias(name) for name, dtype in types.items())


def instants(column: str) -> pl.Expr:
    """`2013-01-01T10:00:00Z` as a time in UTC."""
    return pl.col(column).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us").dt.replace_time_zone("UTC")


def weather(raw: pl.DataFrame) -> pl.DataFrame:
    """What the weather was at an airport in an hour; by both.

    Columns: origin, at (UTC), temp_f, wind_mph, gust_mph, precip_in, visib_mi.
    """
    names = {"temp": "temp_f", "wind_speed": "wind_mph", "wind_gust": "gust_mph", "precip": "precip_in"}
    names["visib"] = "visib_mi"
    numbers = typed(raw, **dict.fromkeys(names, pl.Float64)).rename(names)
    hours = raw.select("origin", instants("time_hour").alias("at"))
    return pl.concat([hours, numbers], how="horizontal").sort("origin", "at")


def airlines(raw: pl.DataFrame) -> pl.DataFrame:
    """Airlines by code: carrier, name."""
    return typed(raw, carrier=pl.String, name=pl.String).sort("carrier")


def airports(raw: pl.DataFrame) -> pl.DataFrame:
    """Airports by code: airport, name, lat, lon, timezone (null where it is not known)."""
    text = dict.fromkeys(("faa", "name"), pl.String)
    found = typed(raw, **text, lat=pl.Float64, lon=pl.Float64, tzone=pl.String)
    return found.rename({"faa": "airport", "tzone": "timezone"}).sort("airport")


def planes(raw: pl.DataFrame) -> pl.DataFrame:
    """Planes by the number on their tail: tailnum, built (year; null for 70), manufacturer, model, engines, seats."""
    text = dict.fromkeys(("manufacturer", "model"), pl.String)
    found = typed(raw, tailnum=pl.String, year=pl.Int16, **text, engines=pl.Int8, seats=pl.Int16)
    return found.rename({"year": "built"}).sort("tailnum")


def flights(
    raw: pl.DataFrame, day: date, airlines: pl.DataFrame, planes: pl.DataFrame, weather: pl.DataFrame
) -> pl.DataFrame:
    """The flights of a day with who flew, in what, and in which weather they left; by time, airline and number.

    Columns: day, scheduled_at (UTC), carrier, airline, flight, tailnum, origin, dest, dep_delay, arr_delay (minutes,
    below zero is early; null where it did not leave, or arrive), air_time (minutes), distance (miles), is_cancelled,
    is_diverted, built, seats (null where the plane is not listed), wind_mph, precip_in, visib_mi (null where nobody
    looked).
    """
    text = typed(raw, **dict.fromkeys(("carrier", "tailnum", "origin", "dest"), pl.String))
    numbers = typed(raw, **dict.fromkeys(FLIGHT_NUMBERS, pl.Int32))
    hour = raw.select(instants("time_hour").alias("at"))
    left = pl.col("dep_delay").is_not_null()
    flown = pl.concat([hour, text, numbers], how="horizontal").with_columns(
        pl.lit(day).alias("day"),
        (pl.col("at") + pl.duration(minutes=pl.col("minute"))).alias("scheduled_at"),
        (~left).alias("is_cancelled"),
        (left & pl.col("arr_delay").is_null()).alias("is_diverted"),
    )
    return (
        flown.join(airlines.select("carrier", pl.col("name").alias("airline")), on="carrier", how="left")
        .join(planes.select("tailnum", "built", "seats"), on="tailnum", how="left")
        .join(weather.select("origin", "at", "wind_mph", "precip_in", "visib_mi"), on=["origin", "at"], how="left")
        .select(
            *("day", "scheduled_at", "carrier", "airline", "flight", "tailnum", "origin", "dest"),
            *("dep_delay", "arr_delay", "air_time", "distance", "is_cancelled", "is_diverted"),
            *("built", "seats", "wind_mph", "precip_in", "visib_mi"),
        )
        .sort("scheduled_at", "carrier", "flight")
    )


# ---- gold ------------------------------------------------------------------------------------------------------------


def punctuality(flights: pl.DataFrame, *by: str) -> pl.DataFrame:
    """How punctual the flights of a day were, by columns of theirs.

    Columns: day, those columns, flights, cancelled, diverted, late (arrived 15 minutes late or more), dep_delay_min,
    arr_delay_min (the sums of minutes, early ones included, so that days add up), arrived (how many did).
    """
    return (
        flights.group_by("day", *by)
        .agg(
            pl.len().cast(pl.Int64).alias("flights"),
            pl.col("is_cancelled").sum().cast(pl.Int64).alias("cancelled"),
            pl.col("is_diverted").sum().cast(pl.Int64).alias("diverted"),
            (pl.col("arr_delay") >= LATE_MIN).sum().cast(pl.Int64).alias("late"),
            pl.col("dep_delay").sum().cast(pl.Int64).alias("dep_delay_min"),
            pl.col("arr_delay").sum().cast(pl.Int64).alias("arr_delay_min"),
            pl.col("arr_delay").count().cast(pl.Int64).alias("arrived"),
        )
        .sort("day", *by)
    )
