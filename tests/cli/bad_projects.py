"""Pipelines with one mistake each, and what the command line has to say about it."""

from __future__ import annotations

from dataclasses import dataclass

from batuta.cli import exits


@dataclass(frozen=True)
class Mistake:
    """A file `p.py`, the command that a person would type, and what the answer must name."""

    name: str
    code: str
    command: tuple[str, ...]
    exit_code: int
    told: tuple[str, ...]
    hint: str


RUN = ("run", "p.py")
MAKE = ("materialize", "p.py", "--all")

ASSET_CYCLE = """\
from batuta import asset

@asset
def rates(revenue): ...

@asset
def payments(rates): ...

@asset
def revenue(payments): ...
"""

DAG_CYCLE = """\
from batuta import DAG, task

@task
def extract(): ...

@task
def export(): ...

with DAG("nightly"):
    first, second = extract(), export()
    first >> second
    second >> first
"""

UNKNOWN_PARAMETER_NAME = """\
from batuta import asset

@asset
def payments(): ...

@asset
def revenue(paymnts): ...
"""

UNKNOWN_DEPS = """\
from batuta import asset

@asset
def payments(): ...

@asset(deps=["paymnts"])
def revenue(): ...
"""

SAME_ASSET_TWICE = """\
from batuta import asset

@asset(key="gold.revenue")
def one(): ...

@asset(key="gold.revenue")
def other(): ...
"""

SAME_FLOW_TWICE = """\
from batuta import flow

@flow(name="refresh")
def one(): ...

@flow(name="refresh")
def other(): ...
"""

SAME_STEP_TWICE = """\
from batuta import DAG
from batuta.operators import EmptyOperator

with DAG("nightly"):
    EmptyOperator(name="begin")
    EmptyOperator(name="begin")
"""

WRONG_LAYERS = """\
from batuta import asset

@asset(layer="gold")
def revenue(): ...

@asset(layer="bronze")
def payments(revenue): ...
"""

UNKNOWN_LAYER = """\
from batuta import asset

@asset(layer="sliver")
def payments(): ...
"""

BAD_CRON = """\
from batuta import DAG
from batuta.operators import EmptyOperator

with DAG("nightly", schedule="0 25 * * *"):
    EmptyOperator(name="begin")
"""

BAD_DAG_ZONE = """\
from batuta import DAG
from batuta.operators import EmptyOperator

with DAG("nightly", schedule="0 2 * * *", timezone="Europe/Madird"):
    EmptyOperator(name="begin")
"""

BAD_PARTITION_ZONE = """\
from batuta import asset, partitions

@asset(partitions=partitions.daily("2026-01-01", timezone="Europe/Madird"))
def rates(): ...
"""

MISSING_MODULE = """\
import no_such_library
from batuta import flow

@flow
def refresh(): ...
"""

MISSING_NAME = """\
from batuta import falsk
"""

OPERATOR_FROM_THE_WRONG_PLACE = """\
from batuta import DAG, EmptyOperator
"""

LOCK_AS_ARGUMENT = """\
import threading
from batuta import flow, task

@task
def use(lock): ...

@flow
def refresh():
    use(threading.Lock())
"""

LOCK_AS_RESULT = """\
import threading
from batuta import flow, task

@task
def make():
    return {"rows": [threading.Lock()]}

@flow
def refresh():
    make()
"""

LOCK_AS_ASSET = """\
import threading
from batuta import asset

@asset
def rates():
    return {"rows": [threading.Lock()]}
"""

PARAMETERS = """\
from batuta import DAG, flow, task

@flow
def refresh(day: int = 1, region: str = "eu"): ...

@task
def extract(): ...

with DAG("nightly", params={"count": 3}):
    extract()
"""

PARTITIONED = """\
from batuta import asset, partitions

@asset(partitions=partitions.daily("2026-01-01", end="2026-01-05"))
def rates(): ...

@asset(partitions=partitions.static(["eu", "us"]), layer="silver")
def regions(): ...
"""

SELECTION = ("materialize", "p.py")


def _asked(name: str, code: str, words: str, told: tuple[str, ...], hint: str) -> Mistake:
    return Mistake(name, code, tuple(words.split()), exits.USAGE, told, hint)


def _defined(name: str, code: str, command: tuple[str, ...], told: tuple[str, ...], hint: str) -> Mistake:
    return Mistake(name, code, command, exits.UNLOADABLE, told, hint)


DEFINITIONS = (
    _defined(
        "cycle of assets",
        ASSET_CYCLE,
        MAKE,
        ("a cycle of 3: ", "rates -> payments -> revenue", "p.py:3", "p.py:6", "p.py:9"),
        "take one of these dependencies away",
    ),
    _defined("cycle in a DAG", DAG_CYCLE, RUN, ("extract -> export -> extract", "p.py:9"), "take one of these"),
    _defined("unknown parameter name", UNKNOWN_PARAMETER_NAME, MAKE, ("'paymnts'", "p.py:6"), "mean 'payments'?"),
    _defined("unknown dependency", UNKNOWN_DEPS, MAKE, ("'paymnts'", "p.py:6"), "did you mean 'payments'?"),
    _defined("two assets", SAME_ASSET_TWICE, MAKE, ("'gold.revenue'", "p.py:3", "p.py:6"), "another name"),
    _defined("two flows", SAME_FLOW_TWICE, RUN, ("'refresh'", "p.py:3", "p.py:6"), "another name"),
    _defined("two steps", SAME_STEP_TWICE, RUN, ("'begin'", "p.py:5", "p.py:6"), "name"),
    _defined("wrong layers", WRONG_LAYERS, MAKE, ("'payments' (layer bronze)", "p.py:6"), "bronze < silver < gold"),
    _defined("unknown layer", UNKNOWN_LAYER, MAKE, ("'sliver'", "p.py:3"), "did you mean 'silver'?"),
    _defined("bad cron", BAD_CRON, RUN, ("the hour cannot be '25'", "p.py:4"), "0-23"),
    _defined("bad time zone", BAD_DAG_ZONE, RUN, ("'Europe/Madird'", "p.py:4"), "did you mean 'Europe/Madrid'"),
    _defined("bad zone of partitions", BAD_PARTITION_ZONE, MAKE, ("'Europe/Madird'", "p.py:3"), "'Europe/Madrid'"),
    _defined("missing module", MISSING_MODULE, RUN, ("no_such_library", "p.py:1"), "install no_such_library"),
    _defined("name that is not ours", MISSING_NAME, RUN, ("'falsk'", "p.py:1"), "did you mean 'task'"),
    _defined(
        "operator from the wrong place",
        OPERATOR_FROM_THE_WRONG_PLACE,
        RUN,
        ("'EmptyOperator'", "p.py:1"),
        "from batuta.operators import EmptyOperator",
    ),
)

REQUESTS = (
    _asked("flow parameter type", PARAMETERS, "run p.py refresh -p day=x", ("day: expected int", "p.py:3"), "day: int"),
    _asked("DAG parameter type", PARAMETERS, "run p.py nightly -p count=x", ("count: expected int",), "count: int"),
    _asked("unknown parameter", PARAMETERS, "run p.py refresh -p dya=1", ("mean 'day'?", "p.py:3"), "day: int"),
    _asked("unknown DAG parameter", PARAMETERS, "run p.py nightly -p cont=1", ("mean 'count'?",), "count: int"),
    _asked("unknown job", PARAMETERS, "run p.py refrsh", ("no job 'refrsh'", "p.py"), "did you mean 'refresh'?"),
    _asked("unknown job to draw", PARAMETERS, "graph p.py refrsh", ("no job 'refrsh'", "p.py"), "mean 'refresh'?"),
    _asked(
        "no place for a project", PARAMETERS, "init p.py/shop", ("nothing can be written there", "p.py/shop"), "may be"
    ),
    _asked(
        "no such day", PARTITIONED, "materialize p.py rates --partition 2026-02-01", ("asset 'rates'",), "from '2026"
    ),
    _asked(
        "no day", PARTITIONED, "materialize p.py rates --partition soon", ("'soon'", "asset 'rates'"), "'2025-01-31'"
    ),
    _asked("no such key", PARTITIONED, "materialize p.py regions --partition uss", ("'uss'",), "did you mean 'us'?"),
    _asked(
        "backward range", PARTITIONED, "materialize p.py rates --partition 2026-01-03..2026-01-01", ("back",), "write"
    ),
    _asked("backfill", PARTITIONED, "backfill p.py rates --partitions 2026-02-01", ("asset 'rates'",), "'2026-01-01'"),
    _asked("unknown asset", PARTITIONED, "materialize p.py ratse", ("no asset 'ratse'", "^"), "did you mean 'rates'?"),
    _asked("unknown layer", PARTITIONED, "materialize p.py layer:sliver", ("'sliver'",), "'silver'"),
    _asked("bad selection", PARTITIONED, "materialize p.py rates +", ("(column 7)", "^"), "without a space"),
    _asked("nothing selected", PARTITIONED, "materialize p.py", ("what is to be made?",), "--stale"),
)

TASKS = (
    Mistake(
        "unpicklable argument",
        LOCK_AS_ARGUMENT,
        RUN,
        exits.FAILED,
        ("an argument cannot be sent to a worker process", "_thread.lock", "p.py:"),
        "open connections inside the task",
    ),
    Mistake(
        "unserialisable result",
        LOCK_AS_RESULT,
        RUN,
        exits.FAILED,
        ("result['rows'][0]: _thread.lock cannot be recorded", "make-0", "at p.py:"),
        "return data instead",
    ),
    Mistake(
        "unserialisable result in threads",
        LOCK_AS_RESULT,
        (*RUN, "--executor", "threads"),
        exits.FAILED,
        ("result['rows'][0]: _thread.lock cannot be recorded", "make-0", "at p.py:"),
        "return data instead",
    ),
    Mistake(
        "unserialisable asset",
        LOCK_AS_ASSET,
        MAKE,
        exits.FAILED,
        ("asset 'rates'['rows'][0]: _thread.lock cannot be recorded", "at p.py:"),
        "return data instead",
    ),
)

# batuta.toml, what is told, where, and what to do
CONFIGURATIONS = (
    ('nmae = "shop"\n', "unknown setting 'nmae'", "batuta.toml:1", "did you mean 'name'?"),
    ('name = "shop"\n[executor]\nwrokers = 2\n', "'executor.wrokers'", "batuta.toml:3", "did you mean 'workers'?"),
    ('[executor]\nkind = "process"\n', "executor.kind: ", "batuta.toml:2", "'processes', 'threads', 'inline'"),
    ('[executor]\nworkers = "two"\n', "executor.workers: expected `int", "batuta.toml:2", "got `str`"),
    ('name = "shop\n', "not valid TOML", "batuta.toml:1", "quotes"),
    ('code = ["piplines"]\n', "no file, folder or module 'piplines'", "batuta.toml", "did you mean 'pipelines'?"),
)
