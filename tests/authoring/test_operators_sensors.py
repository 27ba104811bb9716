"""Sensors, and jobs started by jobs."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Any

import pytest

from batuta import task
from batuta.authoring.context import Defer, SkipTask, StepContext
from batuta.authoring.dag import DAG
from batuta.authoring.dag_roles import SensorTimeout
from batuta.authoring.operators import (
    FileSensor,
    PythonOperator,
    Sensor,
    TimeDeltaSensor,
    TimeSensor,
    TriggerJobOperator,
)
from batuta.core.errors import DefinitionError
from tests.authoring.dag_runs import DagRuns
from tests.authoring.waiting import until


class Probe(Sensor):
    """Says what it was told to, one after the other."""

    def __init__(self, answers: list[Any], **options: Any) -> None:
        super().__init__(**options)
        self.answers = answers

    def poke(self, context: StepContext) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def context(**more: Any) -> StepContext:
    return StepContext(run_id=1, job="j", step="wait", attempt=1, **more)


# ---- waiting


@pytest.mark.parametrize(("value", "output"), [(True, None), ("path", "path"), ([1], [1])])
def test_what_a_sensor_finds_is_its_output(value: Any, output: Any) -> None:
    assert Probe([value]).execute(context()) == output


def test_a_sensor_gives_its_worker_back_and_remembers_since_when() -> None:
    before = time.time()
    with pytest.raises(Defer) as caught:
        Probe([False], poll_s=10).execute(context())
    assert before + 10 <= caught.value.until <= time.time() + 10
    since = caught.value.state["since"]
    with pytest.raises(Defer) as again:
        Probe([False], poll_s=10).execute(context(state={"since": since - 50}))
    assert again.value.state["since"] == since - 50


def test_the_last_look_is_when_the_time_is_over() -> None:
    state = {"since": time.time() - 55}
    with pytest.raises(Defer) as caught:
        Probe([False], poll_s=600, timeout_s=60).execute(context(state=state))
    assert caught.value.until == state["since"] + 60


def test_waiting_too_long_fails_or_skips() -> None:
    state = {"since": time.time() - 61}
    with pytest.raises(SensorTimeout, match="nothing came within 60 s"):
        Probe([False], timeout_s=60).execute(context(state=state))
    with pytest.raises(SkipTask):
        Probe([False], timeout_s=60, soft_fail=True).execute(context(state=state))
    with pytest.raises(Defer):
        Probe([False], timeout_s=None).execute(context(state=state))


@pytest.mark.parametrize("mode", ["reschedule", "poke"])
def test_both_modes_wait_in_a_run(runs: DagRuns, mode: Any) -> None:
    with DAG("waits") as d:
        Probe([False, False, {"rows": 3}], name="wait", poll_s=0.01, mode=mode)
        Probe([False], name="late", poll_s=0.01, timeout_s=0.05, mode=mode)
        Probe([False], name="soft", poll_s=0.01, timeout_s=0.05, soft_fail=True, mode=mode)
    ran = runs.run(d)
    assert ran.output("wait") == {"rows": 3}
    assert (ran.states["late"], ran.states["soft"]) == ("failed", "skipped")
    assert ran.tasks["wait"].failures == 0


def test_a_failing_probe_is_retried(runs: DagRuns) -> None:
    class Flaky(Sensor):
        def poke(self, context: StepContext) -> Any:
            if context.attempt == 1:
                raise OSError("not reachable")
            return "there"

    with DAG("waits") as d:
        Flaky(name="wait", retries=1, poll_s=0.01)
        Probe([False], name="twice", poll_s=0.01, timeout_s=0.05, retries=1)
    ran = runs.run(d)
    assert ran.output("wait") == "there"
    assert ran.tasks["twice"].failures == 2
    assert ran.tasks["twice"].attempt >= 4  # each try waited anew


def test_a_waiting_sensor_can_be_cancelled(runs: DagRuns) -> None:
    with DAG("waits") as d:
        Probe([False], name="wait", poll_s=3600)
        Probe([False], name="poking", poll_s=3600, mode="poke")
    ran = runs.start(d)
    ran.wait_for("wait", "deferred")
    ran.wait_for("poking", "running")
    ran.cancel()
    assert ran.wait().states == {"wait": "cancelled", "poking": "cancelled"}


@pytest.mark.parametrize(
    ("given", "said"),
    [({"mode": "sleep"}, "'reschedule'"), ({"poll_s": 0}, "above 0"), ({"pol_s": 1}, "unknown option")],
)
def test_wrong_sensors_are_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        Probe([True], **given)
    assert said in str(caught.value)


# ---- files


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "in" / "rates.csv"
    by_path = FileSensor(file, bytes_min=3)
    by_pattern = FileSensor(f"{tmp_path}/in/*.csv", bytes_min=3)
    by_url = FileSensor(file.as_uri())
    by_url_pattern = FileSensor(f"{tmp_path.as_uri()}/in/*.csv", bytes_min=3)
    every = (by_path, by_pattern, by_url, by_url_pattern)
    assert [sensor.poke(context()) for sensor in every] == [False] * 4
    file.parent.mkdir()
    file.write_text("1")
    assert [bool(sensor.poke(context())) for sensor in every] == [False, False, True, False]
    file.write_text("1,2")
    found = [str(file), [str(file)], file.as_uri(), [str(file)]]
    assert [sensor.poke(context()) for sensor in every] == found


def test_a_file_arrives(runs: DagRuns, tmp_path: Path) -> None:
    with DAG("files") as d:
        wait = FileSensor(f"{tmp_path}/{{{{ ds }}}}.csv", name="wait", poll_s=0.01)
        PythonOperator(lambda path: Path(path).read_text(), args=[wait.output], name="read")
    ran = runs.start(d, logical_at=0.0)
    ran.wait_for("wait", "deferred")
    (tmp_path / "tmp").write_text("data")
    (tmp_path / "tmp").rename(tmp_path / "1970-01-01.csv")
    assert ran.wait().output("read") == "data"


# ---- times


def moment(until_: Any, timezone: str = "UTC", logical: str = "2026-03-29T12:00:00+00:00") -> datetime:
    with DAG("times", timezone=timezone):
        sensor = TimeSensor(until_, name="wait")
    return sensor.moment(context(logical_at=datetime.fromisoformat(logical).timestamp()))


@pytest.mark.parametrize(
    ("given", "timezone", "expected"),
    [
        (datetime(2026, 1, 1, 12, tzinfo=UTC), "Europe/Madrid", "2026-01-01T12:00:00+00:00"),
        (time_of_day(18, 30), "UTC", "2026-03-29T18:30:00+00:00"),
        (time_of_day(18, 30), "Europe/Madrid", "2026-03-29T16:30:00+00:00"),
        ("18:30", "Europe/Madrid", "2026-03-29T16:30:00+00:00"),
        ("2026-01-31T18:00", "Europe/Madrid", "2026-01-31T17:00:00+00:00"),
        ("2026-01-31T18:00:00+05:00", "Europe/Madrid", "2026-01-31T13:00:00+00:00"),
    ],
)
def test_moments_are_on_the_dags_clock(given: Any, timezone: str, expected: str) -> None:
    assert moment(given, timezone).astimezone(UTC).isoformat() == expected


def test_what_is_no_time_is_told() -> None:
    with pytest.raises(DefinitionError, match="'tea time'"):
        moment("tea time")


def test_time_sensors_look_again_exactly_then() -> None:
    target = datetime.now(UTC) + timedelta(hours=5)
    with pytest.raises(Defer) as caught:
        TimeSensor(target).execute(context())
    assert caught.value.until == target.timestamp()
    assert TimeSensor(datetime.now(UTC) - timedelta(seconds=1)).execute(context()) is None


def test_time_delta_sensors_count_from_the_end_of_the_interval() -> None:
    end = time.time()
    over = context(logical_at=end - 86400, interval=(end - 86400, end))
    with pytest.raises(Defer) as caught:
        TimeDeltaSensor(timedelta(hours=1)).execute(over)
    assert caught.value.until == pytest.approx(end + 3600, abs=1e-3)
    assert TimeDeltaSensor(-1).execute(over) is None


def test_a_templated_time_in_a_run(runs: DagRuns) -> None:
    with DAG("times") as d:
        TimeSensor("{{ ds }}T23:59", name="wait")
    assert runs.run(d, logical_at=0.0).states == {"wait": "succeeded"}


# ---- jobs that start jobs


@task
def same(value: Any) -> Any:
    return value


@pytest.fixture
def child(runs: DagRuns) -> DAG:
    """A job that succeeds, or fails if asked to."""

    @task
    def work(fail: bool) -> None:
        if fail:
            raise ValueError("the child fails")

    with DAG("child", params={"day": str, "fail": False}) as d:
        work(d.params["fail"])
    runs.location.found.jobs["child"] = d
    return d


def test_a_job_is_started_and_waited_for(runs: DagRuns, child: DAG) -> None:
    with DAG("parent") as d:
        same(TriggerJobOperator("child", name="start", params={"day": "{{ ds }}"}, poll_s=0.01).output)
        TriggerJobOperator(child, name="again", params={"day": "x"}, poll_s=0.01)  # type: ignore[arg-type]
    ran = runs.run(d, logical_at=0.0)
    assert ran.state == "succeeded", ran.states
    row = runs.store.run(ran.output("start"))
    assert row is not None
    assert (row.job, row.state, row.params["day"]) == ("child", "succeeded", "1970-01-01")
    assert ran.output("same") == ran.output("start")


def test_a_failed_child_fails_its_parent_or_not(runs: DagRuns, child: DAG) -> None:
    bad = {"day": "x", "fail": True}
    with DAG("parent") as d:
        TriggerJobOperator("child", name="strict", params=bad, poll_s=0.01)
        TriggerJobOperator("child", name="lax", params=bad, poll_s=0.01, fail_on=())
        TriggerJobOperator("child", name="soon", params=bad, wait=False)
    ran = runs.run(d)
    assert ran.states == {"strict": "failed", "lax": "succeeded", "soon": "succeeded"}
    assert "of job 'child' failed" in ran.error("strict").message
    assert "batuta runs show" in ran.error("strict").hint
    until(lambda: all(runs.store.run(run_id).state == "failed" for run_id in runs.launched.values()))  # type: ignore[union-attr]


def test_a_retry_starts_a_new_child(runs: DagRuns, child: DAG) -> None:
    with DAG("parent") as d:
        TriggerJobOperator("child", name="start", params={"day": "x", "fail": True}, poll_s=0.01, retries=1)
    ran = runs.run(d)
    assert ran.states == {"start": "failed"}
    assert len(runs.launched) == 2


def test_an_unknown_job_is_told(runs: DagRuns) -> None:
    with DAG("parent") as d:
        TriggerJobOperator("nosuch", name="start")
    assert runs.run(d).states == {"start": "failed"}
