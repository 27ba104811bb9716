"""The other orchestrators: what to install, how they are run, and how much of each workload they can do in the time."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.workloads import Workload


@dataclass(frozen=True)
class Peer:
    """`sizes`: variant -> workload -> sizes, where they are not our own; none means that it has no such thing.

    `packages` are installed together, without regard to which versions of `overrides` they ask for. `module` is what
    its users import, `names` what a pipeline needs of it; `program` is its command, `help_words` and `version_words`
    what that is asked.
    """

    title: str
    packages: tuple[str, ...]
    module: str
    names: str
    program: str
    variants: dict[str, str]
    sizes: dict[str, dict[str, tuple[int, ...]]] = field(default_factory=dict)
    version_words: tuple[str, ...] = ("--version",)
    help_words: tuple[str, ...] = ("--help",)
    overrides: tuple[str, ...] = ()
    timeout_s: float = 120.0
    repeats: int = 3

    def sizes_of(self, variant: str, workload: Workload) -> tuple[int, ...]:
        """The sizes at which a variant is measured."""
        limits = self.sizes.get(variant, {})
        return limits.get(workload.name, () if workload.name == "assets" else workload.sizes)


PEERS = {
    "prefect": Peer(
        title="Prefect",
        packages=("prefect==3.9.1",),
        overrides=("certifi",),  # it wants one of the same week, which is not everywhere; its server here is local
        module="prefect",
        names="flow, task",
        program="prefect",
        variants={"sqlite": "flows on its thread pool, its own API server started by the script, SQLite"},
        sizes={
            "sqlite": {"fan_out": (200,), "chain": (100,), "layered": (200,), "map": (200,), "runs": (20,)},
        },
        version_words=("version",),
    ),
    "dagster": Peer(
        title="Dagster",
        packages=("dagster==1.13.29", "dagster-webserver==1.13.29"),
        module="dagster",
        names="asset, job, op",
        program="dagster",
        variants={
            "in_process": "jobs, in-process executor, SQLite in DAGSTER_HOME",
            "multiprocess": "jobs, multiprocess executor, SQLite in DAGSTER_HOME",
        },
        sizes={
            "in_process": {
                "fan_out": (200,), "chain": (100,), "layered": (200,), "map": (200,), "runs": (20,),
                "assets": (10_000,),
            },
            "multiprocess": {"fan_out": (8,), "chain": (4,), "layered": (), "map": (8,), "runs": (2,)},
        },
    ),
    "dbos": Peer(
        title="DBOS",
        packages=("dbos==3.4.0", "psycopg[binary]"),
        module="dbos",
        names="DBOS",
        program="dbos",
        variants={"sqlite": "workflows with steps, SQLite", "postgres": "workflows with steps, PostgreSQL"},
        sizes={
            "sqlite": {"fan_out": (1_000,), "map": (500,)},
            "postgres": {"fan_out": (1_000,), "map": (500,)},
        },
    ),
    "airflow": Peer(
        title="Airflow",
        packages=("apache-airflow==3.3.2", "apache-airflow-providers-standard", "psycopg2-binary", "asyncpg"),
        module="airflow.sdk",
        names="dag, task",
        program="airflow",
        variants={"postgres": "DAGs, LocalExecutor with scheduler, API server and DAG processor, PostgreSQL"},
        sizes={
            "postgres": {"fan_out": (100,), "chain": (10,), "layered": (100,), "map": (100,), "runs": (10,)},
        },
        version_words=("version",),
        timeout_s=240.0,
        repeats=1,
    ),
}  # fmt: skip
