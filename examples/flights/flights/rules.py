"""What must be true of the tables: the columns that each has (a contract, enforced as it is written), and rules.

The surprising rule: what is not ours to mend only warns. Some fleets are in no register of planes, one gust of wind is
told as 1,048 miles an hour, and snow and holidays empty the sky.
"""

from batuta.checks import Rule, accepted_values, expression, in_range, not_null, row_count_drift, unique

Contract = dict[str, str]

NEW_YORK = ["EWR", "JFK", "LGA"]
COUNTS = ("flights", "cancelled", "diverted", "late", "dep_delay_min", "arr_delay_min", "arrived")

# ---- silver ----------------------------------------------------------------------------------------------------------

AIRLINES: Contract = {"carrier": "string not null", "name": "string not null"}
AIRLINE_RULES: list[Rule] = [unique("carrier", blocking=True)]

AIRPORTS: Contract = {
    "airport": "string not null",
    "name": "string not null",
    "lat": "float64",
    "lon": "float64",
    "timezone": "string",
}
AIRPORT_RULES: list[Rule] = [
    unique("airport", blocking=True),
    in_range("lat", -90, 90),
    in_range("lon", -180, 180),
]

PLANES: Contract = {
    "tailnum": "string not null",
    "built": "int16",
    "manufacturer": "string",
    "model": "string",
    "engines": "int8",
    "seats": "int16",
}
PLANE_RULES: list[Rule] = [
    unique("tailnum", blocking=True),
    in_range("built", 1950, 2013),
    in_range("seats", 1, 600),
]

WEATHER: Contract = {
    "origin": "string not null",
    "at": "datetime[UTC] not null",
    "temp_f": "float64",
    "wind_mph": "float64",
    "gust_mph": "float64",
    "precip_in": "float64",
    "visib_mi": "float64",
}
WEATHER_RULES: list[Rule] = [
    unique("origin", "at", blocking=True),
    accepted_values("origin", NEW_YORK),
    in_range("wind_mph", 0, 120, severity="warn"),
    in_range("visib_mi", 0, 10),
]

FLIGHTS: Contract = {
    "day": "date not null",
    "scheduled_at": "datetime[UTC] not null",
    "carrier": "string not null",
    "airline": "string not null",
    "flight": "int32 not null",
    "tailnum": "string",
    "origin": "string not null",
    "dest": "string not null",
    "dep_delay": "int32",
    "arr_delay": "int32",
    "air_time": "int32",
    "distance": "int32 not null",
    "is_cancelled": "bool not null",
    "is_diverted": "bool not null",
    "built": "int16",
    "seats": "int16",
    "wind_mph": "float64",
    "precip_in": "float64",
    "visib_mi": "float64",
}
FLIGHT_RULES: list[Rule] = [
    unique("scheduled_at", "carrier", "flight", blocking=True, name="flies_once"),
    accepted_values("origin", NEW_YORK, blocking=True),
    in_range("distance", 1, 5_000),
    expression("dep_delay > -60 and coalesce(arr_delay, 0) > -120", name="is_not_an_hour_early"),
    not_null("seats", name="planes_are_registered", warn_if="> 33%", severity="warn"),
    not_null("visib_mi", name="weather_is_known", warn_if="> 10%", severity="warn"),
    row_count_drift(sensitivity=8),
]

# ---- gold ------------------------------------------------------------------------------------------------------------

CARRIER_DAYS: Contract = {
    "day": "date not null",
    "carrier": "string not null",
    "airline": "string not null",
    **dict.fromkeys(COUNTS, "int64 not null"),
}
ROUTE_DAYS: Contract = {
    "day": "date not null",
    "origin": "string not null",
    "dest": "string not null",
    **dict.fromkeys(COUNTS, "int64 not null"),
}
PUNCTUALITY_RULES: list[Rule] = [
    expression("arrived + cancelled + diverted = flights", name="adds_up", blocking=True),
    expression("late <= arrived", name="who_is_late_arrived", blocking=True),
]
