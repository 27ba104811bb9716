"""Templates: what they can say, how they fail, and that they cannot get out of their sandbox."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from batuta import task
from batuta.authoring import templating
from batuta.authoring.context import StepContext
from batuta.authoring.dag import DAG
from batuta.authoring.dag_refs import literal
from batuta.authoring.operators import Operator, ShellOperator
from batuta.authoring.templating import TemplateError
from batuta.core.errors import DefinitionError
from tests.authoring.dag_runs import DagRuns

NOON = datetime(2026, 1, 31, 23, 30, tzinfo=UTC).timestamp()


def names(timezone: str = "UTC", **params: Any) -> dict[str, Any]:
    context = StepContext(
        run_id=7,
        job="nightly",
        step="load",
        attempt=2,
        partition="2026-01",
        logical_at=NOON,
        interval=(NOON - 86400, NOON),
    )
    return templating.names(context, params, timezone=timezone, output=lambda name: {"of": name}, item=None)


def render(text: str, timezone: str = "UTC", **params: Any) -> str:
    return templating.render(text, names(timezone, **params), step="load", field="command")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ ds }} {{ ds_nodash }}", "2026-01-31 20260131"),
        ("{{ ts }}", "2026-01-31T23:30:00+00:00"),
        ("{{ logical_date.year }} {{ logical_date | ds_nodash }}", "2026 20260131"),
        ("{{ data_interval_start | ds }} {{ data_interval_end | ts }}", "2026-01-30 2026-01-31T23:30:00+00:00"),
        ("{{ run_id }} {{ job }} {{ step }} {{ attempt }} {{ partition }}", "7 nightly load 2 2026-01"),
        ("{{ macros.ds_add(ds, -31) }}", "2025-12-31"),
        ("{{ macros.ds_format(ds, '%Y-%m-%d', '%d.%m.%y') }}", "31.01.26"),
        ("{{ (logical_date + macros.timedelta(hours=1)) | ds }}", "2026-02-01"),
        ("{{ params.limit + 1 }} {{ params['limit'] }}", "6 5"),
        ("{{ params.items }} {{ params.get('limit') }}", "[1] 5"),
        ("{% for k, v in params | dictsort %}{{ k }}={{ v }};{% endfor %}", "items=[1];limit=5;"),
        ("{{ output('x')['of'] }} {{ xcom_pull('y').of }}", "x y"),
        ("{{ params.items | json }} {{ macros.json.dumps({'a': 1}) }}", '[1] {"a": 1}'),
        ("{{ 'a b' | quote }}", "'a b'"),
        ("a\nb\n", "a\nb\n"),
    ],
)
def test_what_templates_can_say(text: str, expected: str) -> None:
    assert render(text, limit=5, items=[1]) == expected


def test_dates_are_on_the_dags_clock() -> None:
    assert render("{{ ds }} {{ ts }}", "Europe/Madrid") == "2026-02-01 2026-02-01T00:30:00+01:00"


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("ok\n{{ lgical_date }}", "line 2", "'logical_date'"),
        ("{{ params.limt }}", "there is no 'limt'", "'limit'"),
        ("{{ macros.dsadd(ds, 1) }}", "there is no 'dsadd'", "'ds_add'"),
        ("{{ logical_date.yaer }}", "yaer", "'year'"),
        ("{% if x %}", "malformed", "Jinja"),
        ("{{ params.limit", "malformed", "Jinja"),
        ("{{ 1 / 0 }}", "ZeroDivisionError", None),
        ("{{ ds | nofilter }}", "nofilter", "Jinja"),
    ],
)
def test_errors_name_step_field_line_and_the_nearest(text: str, said: str, hint: str | None) -> None:
    with pytest.raises(TemplateError) as caught:
        render(text, limit=5)
    told = str(caught.value)
    assert "step 'load', field 'command'" in told
    assert said in told
    if hint:
        assert hint in told


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ''['__class__'] }}",
        "{{ ds | attr('__class__') }}",
        "{{ output.__globals__ }}",
        "{{ output.__func__ }}",
        "{{ macros.ds_add.__globals__['__builtins__'] }}",
        "{{ macros.__class__ }}",
        "{{ macros._values }}",
        "{{ params._values }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ self.__init__.__globals__ }}",
        "{{ '{0.__class__}'.format(ds) }}",
        "{{ '{x.__class__}'.format_map({'x': ds}) }}",
        "{% set x = params.items.append(3) %}",
        "{{ params.update({'a': 1}) }}",
        "{{ range(10000000) | list }}",
        "{% import 'os' as os %}",
        "{% include '/etc/passwd' %}",
        "{{ lipsum.__globals__ }}",
        "{{ joiner.__init__ }}",
    ],
)
def test_nothing_gets_out_of_the_sandbox(text: str) -> None:
    with pytest.raises(TemplateError):
        render(text, items=[1])


def test_values_are_not_rendered_again(runs: DagRuns) -> None:
    @task
    def attack() -> str:
        return "{{ ''.__class__ }}"

    with DAG("injection", params={"name": "x"}) as d:
        ShellOperator("echo {{ params.name | quote }}", name="param")
        ShellOperator("echo {{ output('attack') | quote }}", name="output")
        ShellOperator(["echo", attack()], name="argument")
        ShellOperator.partial(name="mapped").expand(command=[["echo", attack()]])
    ran = runs.run(d, {"name": "{{ 7 * 7 }}"})
    assert ran.output("param") == "{{ 7 * 7 }}"
    assert ran.output("output") == "{{ ''.__class__ }}"
    assert ran.output("argument") == "{{ ''.__class__ }}"
    assert ran.output("mapped[0]") == "{{ ''.__class__ }}"


class Echo(Operator):
    """Returns its fields."""

    template_fields = ("text", "nested")
    template_ext = (".sql", ".txt")

    def __init__(self, text: Any = "", nested: Any = None, plain: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.text = text
        self.nested = nested
        self.plain = plain

    def execute(self, context: StepContext) -> Any:
        return self.text, self.nested, self.plain


def test_fields_are_rendered_recursively_and_others_are_not(runs: DagRuns) -> None:
    with DAG("fields") as d:
        Echo(
            "{{ ds }}",
            {"a": ["{{ ds_nodash }}", ("{{ job }}", 5)], "{{ job }}": {"b": literal("{{ ds }}")}},
            ["{{ ds }}"],
            name="echo",
        )
    ran = runs.run(d, logical_at=NOON)
    assert ran.output("echo") == (
        "2026-01-31",
        {"a": ["20260131", ("fields", 5)], "{{ job }}": {"b": "{{ ds }}"}},
        ["{{ ds }}"],
    )


def test_each_attempt_renders_anew(runs: DagRuns) -> None:
    class Twice(Echo):
        def execute(self, context: StepContext) -> Any:
            if context.attempt == 1:
                raise OSError(self.text)
            return self.text

    with DAG("again") as d:
        Twice("try {{ attempt }}", name="echo", retries=1)
    assert runs.run(d).output("echo") == "try 2"


def test_template_files_stand_beside_the_dag(runs: DagRuns, tmp_path: Path) -> None:
    with DAG("files") as d:
        Echo("queries/load.sql", name="echo")
        Echo("queries/{{ job }}.sql", name="named")
        Echo("queries/broken.sql", name="broken")
        Echo("not a file.sql", name="text")
        Echo("missing.sql", name="missing")
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "load.sql").write_text("select '{{ ds }}'\n")
    (folder / "files.sql").write_text("{{ job }}")
    (folder / "broken.sql").write_text("select 1\n\nfrom {{ tabel }}")
    d.place = type(d.place)(str(tmp_path / "dag.py"), 1)
    ran = runs.run(d, logical_at=NOON)
    assert ran.output("echo")[0] == "select '2026-01-31'\n"
    assert ran.output("named")[0] == "files"
    assert ran.output("text")[0] == "not a file.sql"
    assert "broken.sql, line 3" in ran.error("broken").message
    assert "'missing.sql' cannot be read" in ran.error("missing").message


def test_a_template_field_that_is_not_there_is_told_ahead() -> None:
    class Typo(Operator):
        template_fields = ("pth",)

        def __init__(self, path: str, **options: Any) -> None:
            super().__init__(**options)
            self.path = path

        def execute(self, context: StepContext) -> None: ...

    with pytest.raises(DefinitionError, match="'pth'") as caught, DAG("typo"):
        Typo("x", name="typo")
    assert "'path'" in str(caught.value)


def test_names_of_steps_in_templates_make_them_wait(runs: DagRuns) -> None:
    @task
    def made() -> dict[str, int]:
        return {"rows": 3}

    with DAG("waits") as d:
        Echo("{{ output('made')['rows'] }} {{ xcom_pull(\"made\").rows }}", name="echo")
        made()
    assert [step.key for step in d.plan().steps] == ["made", "echo"]
    assert runs.run(d).output("echo")[0] == "3 3"
