"""What comes from outside, and what it sets going: the sensors that notice it, and a card network to be noticed.

Bronze is made when something arrives: a file of payments in the landing zone, a publication of the ECB. Everything
above is automation, see `assets`; the export of a day starts when the day is settled. The surprising rule: the card
network is played, by a flow that puts the next day of 2025 into the landing zone at each of its times. That flow is the
outside, and nothing else knows of it: with a real sender it would go, and the sensors would stay.
"""

import os
from collections.abc import Mapping
from datetime import date

import polars as pl

from batuta import Schedule, flow, get_logger, task
from batuta.schedules import every
from batuta.sensors import RunRequest, SensorContext, Skip, asset_sensor, file_sensor, sensor
from fintech import payments, rates
from fintech.pipelines.assets import FeedConfig, bronze_payments, bronze_reference_rates, settlement
from fintech.pipelines.dags import settlement_export
from fintech.pipelines.storage import LAKEHOUSE, LANDING, PROJECT, UNATTENDED

# ---- what is noticed -------------------------------------------------------------------------------------------------


@file_sensor(LANDING / payments.FILE_PATTERN, every_s=UNATTENDED.look_s, assets=bronze_payments)
def payments_arrived(event: Mapping[str, str]) -> RunRequest | Skip:
    """A file in the landing zone is a day of bronze; one that is sent again makes the day again."""
    day = payments.day_of_file(event["name"])
    return Skip(f"{event['name']} is of no day of the feed") if day is None else RunRequest(partition=day.isoformat())


@sensor(every_s=10 * UNATTENDED.look_s, assets=bronze_reference_rates)
def rates_published(context: SensorContext) -> RunRequest | Skip:
    """A publication of the ECB that is newer than the last one seen; at the first look, than what bronze has."""
    newest = str(rates.published()["Date"].max())
    if newest == (context.cursor or newest_in_bronze()):
        context.cursor = newest
        return Skip(f"the newest rates are still those of {newest}")
    context.cursor = newest
    return RunRequest(run_key=newest)


def newest_in_bronze() -> str:
    """The last publication that is in bronze; empty if there is none."""
    table = LAKEHOUSE / "bronze" / "reference_rates.parquet"
    return str(pl.read_parquet(table, columns=["Date"])["Date"].max()) if table.exists() else ""


day_settled = asset_sensor(
    settlement,
    name="day_settled",
    job=settlement_export,
    params={"day": "{partition}"},
    description="The settlement files of each day that gold has, or has anew.",
)

# ---- the outside, played ---------------------------------------------------------------------------------------------


def next_day() -> date | None:
    """The day after the last one that is there, as a file or in bronze; None at the end of the year."""
    there = {payments.day_of_file(path.name) for path in LANDING.glob(payments.FILE_PATTERN)}
    made = {path.stem for path in (LAKEHOUSE / "bronze" / "payments").glob("*.parquet")}
    ahead = [day for day in payments.days() if day not in there and day.isoformat() not in made]
    return ahead[0] if ahead else None


@task
def send(day: date) -> str:
    """Puts the file of a day into the landing zone: whole, or not at all."""
    config = FeedConfig(**PROJECT.config.settings.get("assets", {}).get(bronze_payments.key, {}))
    LANDING.mkdir(parents=True, exist_ok=True)
    file = LANDING / payments.file_name(day)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    payments.file_of(day, config.feed()).write_csv(unfinished)
    unfinished.replace(file)
    return file.name


@task
def due() -> str:
    """The next day to be sent; empty text when the year is over."""
    day = next_day()
    return "" if day is None else day.isoformat()


@flow(
    name="card-network",
    tags=["outside"],
    schedule=Schedule(every(seconds=UNATTENDED.day_s), overlap="skip", catch_up="none"),
)
def card_network() -> str:
    """Plays the card network: sends the file of the next day of 2025."""
    day = due()
    if not day:
        get_logger().info("the year is over: nothing is left to send")
        return ""
    return send(date.fromisoformat(day))
