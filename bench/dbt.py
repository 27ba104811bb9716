"""`python -m bench.dbt`: a dbt project made by Batuta, beside `dbt build` of the same; and how soon it is known.

Two projects: examples/jaffle (47 nodes) and a generated one of 1,000 models. Each is measured as a command (an
interpreter, dbt imported, everything built) and warm (in processes that have built it before). Rounds alternate, and
figures are medians, so that what else the machine does meets all alike; --realtime puts them before other processes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
JAFFLE = ROOT / "examples" / "jaffle" / "dbt"
DBT = ROOT / ".venv-dbt"
LAYERS = 10

Round = dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.dbt", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--models", type=int, default=1000, help="of the generated project; 0: without it")
    parser.add_argument("--build", action="store_true", help="build the generated project, too")
    parser.add_argument("--realtime", action="store_true", help="run all that is measured under `chrt -f 10`")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="batuta-bench-dbt-") as folder:
        found = {
            "jaffle, 47 nodes": measure(Subject(Path(folder, "jaffle"), JAFFLE, options.realtime), options.repeats)
        }
        if options.models:
            made = generate(Path(folder, "generated-dbt"), options.models)
            subject = Subject(Path(folder, "generated"), made, options.realtime)
            found[f"{options.models:,} models"] = measure(subject, options.repeats, build=options.build)
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


class Subject:
    """A dbt project as one of ours, in folders of its own."""

    def __init__(self, folder: Path, project: Path, realtime: bool) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.prefix = ["chrt", "-f", "10"] if realtime else []
        folder.mkdir()
        self.data.mkdir()
        shutil.copytree(project, folder / "dbt")
        (folder / "batuta.toml").write_text(
            f'name = "bench"\n[[locations]]\nname = "shop"\nroot = "dbt"\npython = "{DBT}"\n', encoding="utf-8"
        )
        self.environment = {
            **os.environ,
            "BATUTA_HOME": str(folder / "home"),
            "BATUTA_DATA": str(self.data),
            "DO_NOT_TRACK": "1",
            "PYTHONPATH": str(ROOT / "src"),
        }

    def forget(self) -> None:
        """Nothing has been built."""
        for file in self.data.iterdir():
            file.unlink()

    def timed(self, *command: str) -> float:
        """How long a command takes, which must succeed."""
        began = time.perf_counter()
        done = subprocess.run(
            [*self.prefix, *command], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        took = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return took

    def batuta(self, *arguments: str) -> float:
        return self.timed(sys.executable, "-m", "batuta.cli.main", *arguments)

    def dbt(self, *arguments: str) -> float:
        where = ["--project-dir", str(self.folder / "dbt"), "--profiles-dir", str(self.folder / "dbt")]
        kept = ["--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "dbt-logs")]
        return self.timed(str(DBT / "bin" / "dbt"), *arguments, *where, *kept)

    def warm(self, script: str, repeats: int, python: str) -> list[float]:
        """What a script prints: the seconds of each of its rounds."""
        command = [*self.prefix, python, str(ROOT / "bench" / "subject_dbt.py"), script, str(self.folder), str(repeats)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{script} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        found: list[float] = json.loads(done.stdout.splitlines()[-1])
        return found


def measure(subject: Subject, repeats: int, *, build: bool = True) -> dict[str, list[float]]:
    """All figures of a project, in seconds."""
    found: dict[str, list[float]] = {}

    def note(name: str, took_s: float) -> None:
        found.setdefault(name, []).append(took_s)

    def forgetting(folder: str) -> None:
        shutil.rmtree(subject.folder / folder, ignore_errors=True)

    for _ in range(repeats):
        forgetting("target")
        note("dbt parse, from nothing", subject.dbt("parse"))
        forgetting("home")
        note("batuta list, from nothing", subject.batuta("list"))
        note("batuta list, known", subject.batuta("list"))
    for _ in range(repeats if build else 0):
        subject.forget()
        note("dbt build, parsed", subject.dbt("build"))
        subject.forget()
        note("batuta materialize '*', known", subject.batuta("materialize", "*", "-q", "--plain"))
    if build:
        subject.forget()
        found["dbtRunner build, warm"] = subject.warm("runner", repeats, str(DBT / "bin" / "python"))
        subject.forget()
        found["run of Batuta, warm"] = subject.warm("batuta", repeats, sys.executable)
    found["describe in the host, known"] = subject.warm("describe", repeats, str(DBT / "bin" / "python"))
    return found


def show(found: dict[str, dict[str, list[float]]]) -> None:
    """A table, with what Batuta takes against dbt."""
    pairs = {"batuta materialize '*', known": "dbt build, parsed", "run of Batuta, warm": "dbtRunner build, warm"}
    for title, figures in found.items():
        print(f"\n{title}")
        for name, rounds in figures.items():
            middle = statistics.median(rounds)
            ratio = ""
            if name in pairs and pairs[name] in figures:
                ratio = f"  {100 * (middle / statistics.median(figures[pairs[name]]) - 1):+.0f} % against {pairs[name]}"
            print(f"  {name:32} {middle:7.2f} s  ({min(rounds):.2f} to {max(rounds):.2f}){ratio}")


def generate(folder: Path, models: int) -> Path:
    """A project of so many models in layers, each on two of the layer above, each with a test."""
    (folder / "models").mkdir(parents=True)
    project = 'name: generated\nversion: "1.0"\nprofile: generated\nmodels: {generated: {+materialized: view}}\n'
    (folder / "dbt_project.yml").write_text(project, encoding="utf-8")
    output = "{type: duckdb, path: \"{{ env_var('BATUTA_DATA') }}/generated.duckdb\", threads: 4}"
    (folder / "profiles.yml").write_text(f"generated: {{target: dev, outputs: {{dev: {output}}}}}\n", encoding="utf-8")
    width = models // LAYERS
    tests: list[str] = []
    for number in range(models):
        layer, place = divmod(number, width)
        file = folder / "models" / f"layer_{layer}" / f"model_{number}.sql"
        file.parent.mkdir(exist_ok=True)
        file.write_text(_model(layer, place, width), encoding="utf-8")
        tests.append(f"  - name: model_{number}\n    columns: [{{name: id, data_tests: [not_null]}}]\n")
    (folder / "models" / "schema.yml").write_text("version: 2\nmodels:\n" + "".join(tests), encoding="utf-8")
    return folder


def _model(layer: int, place: int, width: int) -> str:
    if not layer:
        return f"select {place} as id, 'a' as name, cast('2025-01-01' as date) as day\n"
    one, other = ((layer - 1) * width + (place + step) % width for step in (0, 1))
    return (
        f"with one as (select * from {{{{ ref('model_{one}') }}}}),\n"
        f"other as (select * from {{{{ ref('model_{other}') }}}})\n"
        "select one.id, other.name, one.day from one left join other using (id)\n"
    )


if __name__ == "__main__":
    sys.exit(main())
