"""What events add up to: the same in whatever order they come, and however often."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from batuta.core.external_jobs import Facts, columns_in, lineage_in, shown
from batuta.core.openlineage import Event, key_of
from tests.core.lineage_events import NOW, RUN, dataset, facet, made_from, read, run_event, schema

JOB = key_of("spark", "etl.daily")


def facts_of(events: Iterable[Event]) -> Facts:
    facts = Facts()
    for event in events:
        facts.apply(event)
    return facts


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of some runs of two jobs, each with one end at most, and static ones between."""
    made: list[dict[str, Any]] = []
    names = st.sampled_from(["a", "b", "c"])
    for number in range(draw(st.integers(1, 4))):
        run = str(uuid.UUID(int=number))
        job = draw(st.sampled_from(["x", "y"]))
        times = sorted(draw(st.lists(st.integers(0, 30), min_size=1, max_size=4)))
        kinds = ["START", *["RUNNING"] * (len(times) - 1)]
        if draw(st.booleans()):
            kinds[-1] = draw(st.sampled_from(["COMPLETE", "FAIL", "ABORT"]))
        for kind, at in zip(kinds, times, strict=True):
            sets = draw(st.lists(names, max_size=2, unique=True)), draw(st.lists(names, max_size=2, unique=True))
            facets = {"note": facet(text=draw(names))} if draw(st.booleans()) else {}
            inputs, outputs = ([dataset(name, schema=schema(draw(names))) for name in each] for each in sets)
            made.append(
                run_event(
                    kind, NOW + at, run=run, name=job, inputs=inputs, outputs=outputs,
                    run_facets=facets, job_facets=facets,
                )
            )  # fmt: skip
    if draw(st.booleans()):
        made.append({"eventTime": made[0]["eventTime"], "job": {"namespace": "spark", "name": "x"}, "outputs": []})
    return [read(one) for one in made]


@settings(max_examples=150, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing(events: list[Event], random: Any) -> None:
    wanted = facts_of(events)
    shuffled = [*events, *(one for one in events if random.random() < 0.5)]
    random.shuffle(shuffled)
    assert facts_of(shuffled) == wanted


def test_an_end_that_is_heard_first_stays_the_end() -> None:
    facts = facts_of([read(run_event("COMPLETE", NOW)), read(run_event("START", NOW - 60))])
    run = facts.runs[RUN]
    assert (run.state, run.began_at, run.ended_at) == ("succeeded", NOW - 60, NOW)
    newest = facts.jobs[JOB].newest
    assert newest is not None
    assert (newest.run, newest.state, newest.began_at) == (RUN, "succeeded", NOW - 60)


def test_a_run_that_does_not_end_is_lost_after_a_while() -> None:
    facts = facts_of([read(run_event("START", NOW))])
    run, job = facts.runs[RUN], facts.jobs[JOB]
    assert run.state_at(NOW + 10, 60) == job.state_at(NOW + 10, 60) == "running"
    assert run.state_at(NOW + 61, 60) == job.state_at(NOW + 61, 60) == "lost"
    facts.apply(read(run_event("FAIL", NOW + 100), now=NOW + 100))
    assert facts.runs[RUN].state_at(NOW + 1000, 60) == "failed", "it was not, after all"


def test_datasets_of_a_job_are_those_of_its_last_whole_run() -> None:
    first, second, third = (str(uuid.UUID(int=n)) for n in (1, 2, 3))
    facts = facts_of(
        [
            read(run_event("COMPLETE", NOW, run=first, inputs=[dataset("old")], outputs=[dataset("out")])),
            read(run_event("START", NOW + 10, run=second, inputs=[dataset("new")])),
            read(run_event("COMPLETE", NOW + 20, run=second, outputs=[dataset("out")])),
            read(run_event("FAIL", NOW + 30, run=third, inputs=[dataset("tried")])),
        ]
    )
    job = facts.jobs[JOB]
    counted = {
        (direction, facts.datasets[key].name) for (_, direction, key), at in facts.edges.items() if at >= job.since
    }
    assert counted == {("in", "new"), ("out", "out"), ("in", "tried")}


def test_columns_and_their_lineage_are_those_said_last() -> None:
    said = [
        run_event("RUNNING", NOW + 5, outputs=[dataset("t", schema=schema("a", "b"), columnLineage=made_from(a=[]))]),
        run_event("START", NOW, outputs=[dataset("t", schema=schema("old"), note=facet(text="x"))]),
    ]
    table = facts_of(read(one) for one in said).datasets[key_of("s3://lake", "t")]
    assert [name for name, _, _ in columns_in(table)] == ["a", "b"]
    lineage = lineage_in(table)
    assert lineage is not None
    assert list(lineage.columns) == ["a"]
    assert shown(table.facets) == {"note": {"text": "x"}}


def test_a_facet_that_was_deleted_is_shown_no_more() -> None:
    facts = facts_of(
        [
            read(run_event("COMPLETE", NOW + 1, job_facets={"documentation": facet(_deleted=True)})),
            read(run_event("START", NOW, job_facets={"documentation": facet(description="daily")})),
        ]
    )
    assert shown(facts.jobs[JOB].facets) == {}
