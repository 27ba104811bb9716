"""`/tickers` and `/ticks`: what starts runs, and why it did or did not."""

from __future__ import annotations

from functools import partial
from typing import Annotated as A
from typing import Literal

from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.paging import ByNumber, Cursor, Limit, by_number, has_text, page_of
from batuta.server.problems import NotFound
from batuta.server.routes.base import Text, named, operator, path, query, viewer
from batuta.server.shapes.base import at
from batuta.server.shapes.jobs import NextTime
from batuta.server.shapes.service import (
    SensorTrial,
    Switch,
    Ticker,
    TickerKind,
    TickerPage,
    TickOutcome,
    TickPage,
    TriedSensor,
)
from batuta.server.ticker_list import all_tickers, one_ticker
from batuta.server.tickers import next_times, tick_of, ticker_rows
from batuta.server.trials import tried_sensor

Kind = A[TickerKind, path("schedule, sensor or automation.")]
At = A[str, path("The code location.", max_length=500)]
Name = A[str, path("The name of the schedule, sensor or automation.", max_length=500)]


class Tickers(Controller):
    """See the module."""

    tags = ("schedules",)

    @get("/tickers", operation_id="listTickers", summary="List what starts runs", sync_to_thread=True, opt=viewer())
    def list_tickers(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        kinds: A[list[TickerKind] | None, query("Only of these kinds.", "kind")] = None,
        locations: A[list[str] | None, query("Only of these code locations.", "location")] = None,
        job: A[str | None, query("Only those that start this job.", max_length=500)] = None,
        enabled: A[bool | None, query("Only those that are on, or off.")] = None,
        failing: A[bool, query("Only those whose last evaluation failed.")] = False,
        text: Text = "",
        sort: A[Literal["name", "-name", "next", "-next"], query("By name, or by when they are due next.")] = "name",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> TickerPage:
        """A page of schedules, sensors and automations with how they are."""
        rows = [
            one
            for one in all_tickers(backend, who, kinds)
            if (not locations or one.location in locations)
            and (job is None or one.job == job)
            and (enabled is None or one.enabled == enabled)
            and (not failing or one.failures > 0)
            and has_text(text, one.name, one.description)
        ]
        by_name = sort.endswith("name")
        page, following = page_of(
            rows,
            lambda one: one.name if by_name else None if one.next_at is None else one.next_at.timestamp(),
            lambda one: f"{one.kind}\n{one.location}\n{one.name}",
            sort,
            cursor,
            limit,
        )
        return TickerPage(items=page, next=following)

    @get(
        "/tickers/{kind:str}/{location:str}/{name:str}",
        operation_id="getTicker",
        summary="Show what starts runs",
        sync_to_thread=True,
        opt=viewer(),
    )
    def get_ticker(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        kind: Kind,
        location: At,
        name: Name,
    ) -> Ticker:
        """A schedule, sensor or automation with how it is."""
        who.need("viewer", named(location), "look at that")
        return one_ticker(backend, kind, named(location), named(name))

    @get(
        "/tickers/{kind:str}/{location:str}/{name:str}/next",
        operation_id="listTickerTimes",
        summary="When a schedule is due",
        sync_to_thread=True,
        opt=viewer(),
    )
    def times(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        kind: Kind,
        location: At,
        name: Name,
        count: A[int, query("So many times.", ge=1, le=100)] = 10,
    ) -> list[NextTime]:
        """The next logical times of a schedule, whether it is on or not."""
        who.need("viewer", named(location), "look at that")
        spec = backend.catalog.schedules.get((named(location), named(name))) if kind == "schedule" else None
        if spec is None:
            raise NotFound(f"there is no schedule {named(name)!r} at location {named(location)!r}")
        row = ticker_rows(backend, "schedule").get((named(location), spec.name))
        return [
            NextTime(
                schedule=spec.name, location=named(location), job=spec.job, selection=spec.selection, at=at(moment)
            )
            for moment in next_times(backend, spec, count, row)
        ]

    @put(
        "/tickers/{kind:str}/{location:str}/{name:str}/switch",
        operation_id="switchTicker",
        summary="Turn on or off",
        sync_to_thread=True,
        opt=operator(),
    )
    def switch(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        kind: Kind,
        location: At,
        name: Name,
        data: JSONBody[Switch],
    ) -> Ticker:
        """Turn a schedule, sensor or automation on or off, or let its definition say."""
        at_location, ticker = named(location), named(name)
        one_ticker(backend, kind, at_location, ticker)
        who.need("operator", at_location, f"switch {ticker!r}")
        if backend.service is not None:
            backend.service.switch(kind, at_location, ticker, data.enabled, by=who.name)
        else:
            backend.store.switch(kind, at_location, ticker, data.enabled, now=backend.clock(), by=who.name)
        return one_ticker(backend, kind, at_location, ticker)

    @post(
        "/tickers/{kind:str}/{location:str}/{name:str}/try",
        operation_id="trySensor",
        summary="Try a sensor",
        status_code=200,
        sync_to_thread=True,
        opt=operator(),
    )
    def try_one(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        kind: A[Literal["sensor"], path("sensor: others have nothing to try.")],
        location: At,
        name: Name,
        data: JSONBody[SensorTrial],
    ) -> TriedSensor:
        """Evaluate a sensor once, in an evaluator of its code location: what it would start. Nothing is started, and
        nothing is recorded."""
        return tried_sensor(backend, who, named(location), named(name), data.cursor)

    @get("/ticks", operation_id="listTicks", summary="List ticks", sync_to_thread=True, opt=viewer())
    def ticks(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        kinds: A[list[TickerKind] | None, query("Only of these kinds.", "kind")] = None,
        locations: A[list[str] | None, query("Only of these code locations.", "location")] = None,
        name: A[str | None, query("Only of the one of this name.", max_length=500)] = None,
        outcomes: A[list[TickOutcome] | None, query("Only with these outcomes.", "outcome")] = None,
        text: Text = "",
        sort: ByNumber = "-id",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> TickPage:
        """A page of evaluations with their outcome and why. `text` is looked for in name and reason."""
        listed = partial(
            backend.store.ticks,
            kind=kinds,
            location=who.narrowed(list(backend.catalog.locations), locations or None),
            name=name,
            outcome=outcomes,
            text=text,
        )
        page, following = by_number(backend.store, "ticks", sort, cursor, limit, listed)
        return TickPage(items=[tick_of(row) for row in page], next=following)
