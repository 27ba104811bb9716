"""`python -m bench`: measures Batuta beside a bare pool and beside other orchestrators, all in one run.

Other orchestrators are measured where `--peer NAME=PYTHON` points to an environment that has them
(`python -m bench.peers.install DIR` makes such environments). Every figure is the median of some repetitions; whatever
fails or takes too long is told as such. Figures of a busy machine mean little: see --quiet.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import contenders, machine, startup
from bench.contenders import EXECUTORS, STORES, STYLES, Choice, Contender
from bench.measure import Database, Figure, postgres_server, run
from bench.peers.catalog import PEERS
from bench.report import Report
from bench.workloads import ALL

RESULTS = machine.ROOT / "bench" / "results"
SUBJECTS = ("floor", "batuta", "start", "peers")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    if options.profile:
        _profile(options)
        return 0
    choice = Choice(
        workloads=tuple(options.workload),
        stores=tuple(options.store) or STORES,
        executors=tuple(options.executor) or EXECUTORS,
        styles=tuple(options.style) or STYLES,
        repeats=options.repeats,
        tiny=options.tiny,
    )
    result = _measure(choice, options)
    path = options.json or RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    _print(result, options.markdown)
    print(f"\nall figures: {path}", file=sys.stderr)
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", action="append", default=[], type=_peer, metavar="NAME=PYTHON", help=", ".join(PEERS))
    parser.add_argument("--only", action="append", default=[], choices=SUBJECTS, help="measure these (repeatable)")
    parser.add_argument("--workload", action="append", default=[], choices=list(ALL), help="repeatable; default: all")
    parser.add_argument("--store", action="append", default=[], choices=STORES, help="for Batuta; default: all")
    parser.add_argument("--executor", action="append", default=[], choices=EXECUTORS, help="for Batuta; default: all")
    parser.add_argument("--style", action="append", default=[], choices=STYLES, help="for Batuta; default: all")
    parser.add_argument("--repeats", type=int, default=0, help="instead of each workload's own (3 to 7)")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, once each: does the bench itself work?")
    parser.add_argument("--postgres", default="", metavar="URL", help="a server (default: one of our own, with fsync)")
    parser.add_argument(
        "--quiet", type=float, default=20.0, metavar="PERCENT", help="start each when others use less CPU"
    )
    parser.add_argument(
        "--patience", type=float, default=60.0, metavar="S", help="how long to wait for that (default 60)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go (default: bench/results/)")
    parser.add_argument("--markdown", action="store_true", help="print the short table for a README instead")
    parser.add_argument("--show", type=Path, metavar="FILE", help="print the figures of an earlier run again")
    parser.add_argument(
        "--profile", metavar="WORKLOAD", help="profile the engine's thread on a workload, and print the top"
    )
    parser.add_argument("--size", type=int, default=0, help="size of what is profiled")
    options = parser.parse_args(arguments)
    if options.show:
        _print(json.loads(options.show.read_text(encoding="utf-8")), options.markdown)
        sys.exit(0)
    if options.profile and options.profile not in ("fan_out", "chain", "layered", "map", "runs"):
        parser.error(f"cannot profile {options.profile!r}")
    return options


def _peer(text: str) -> tuple[str, str]:
    name, _, python = text.partition("=")
    if name not in PEERS:
        raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(PEERS)}")
    if not Path(python).is_file():
        raise argparse.ArgumentTypeError(f"there is no Python at {python!r}")
    return name, str(Path(python).absolute())


def _measure(choice: Choice, options: argparse.Namespace) -> dict[str, Any]:
    wanted = set(options.only or SUBJECTS)
    pythons = dict(options.peer)
    asked: list[Contender] = []
    if "floor" in wanted:
        asked += contenders.floor(choice)
    if "batuta" in wanted:
        asked += contenders.batuta(choice) + contenders.assets(choice)
    if "peers" in wanted:
        asked += contenders.peers(choice, pythons)
    figures: list[Figure] = []
    versions: dict[str, str] = {}
    busy: dict[str, float] = {}
    began = time.time()

    def say(line: str) -> None:
        print(f"{time.time() - began:6.0f} s  {line}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="batuta-bench-") as folder:
        with postgres_server(options.postgres, Path(folder)) as new_database:
            for contender in asked:
                busy[contender.title] = machine.wait_until_quiet(options.quiet, options.patience)
                found, told = run(contender, new_database, say)
                figures += found
                versions |= told
            versions |= _server_version(new_database, asked)
        if "start" in wanted:
            figures += startup.measure(choice, pythons, say)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": ["python", "-m", "bench", *sys.argv[1:]],
        "machine": machine.describe(),
        "versions": versions,
        "busy_percent_before": busy,
        "took_s": time.time() - began,
        "figures": [asdict(figure) | {"median_s": figure.median_s} for figure in figures],
    }


def _server_version(new_database: Database, asked: list[Contender]) -> dict[str, str]:
    if not any(contender.postgres for contender in asked):
        return {}
    from sqlalchemy import create_engine, text

    engine = create_engine(new_database())
    with engine.connect() as connection:
        version = str(connection.execute(text("SHOW server_version")).scalar_one())
    engine.dispose()
    return {"postgresql": version}


def _print(result: dict[str, Any], markdown: bool) -> None:
    figures = [Figure(**{key: value for key, value in one.items() if key != "median_s"}) for one in result["figures"]]
    report = Report(figures)
    if markdown:
        print(report.short().markdown())
    else:
        print("\n\n".join(table.text() for table in report.tables()))
    of_machine = result["machine"]
    print()
    print(
        f"{of_machine['processor']}, {of_machine['cores']} cores, {of_machine['memory']}, {of_machine['system']}; "
        f"Python {of_machine['python']}; {result['at'][:10]}"
    )
    versions = result["versions"] | {"batuta": of_machine["batuta"]}
    print(", ".join(f"{name} {version}" for name, version in sorted(versions.items())))
    print(" ".join(result["command"]))


def _profile(options: argparse.Namespace) -> None:
    from bench.profiling import profile

    chosen = (options.store or STORES)[0], (options.executor or EXECUTORS)[0], (options.style or STYLES)[0]
    with (
        tempfile.TemporaryDirectory(prefix="batuta-bench-") as folder,
        postgres_server(options.postgres, Path(folder)) as new_database,
    ):
        postgres = new_database() if chosen[0] == "postgres" else ""
        profile(options.profile, options.size, "-".join(chosen), postgres)


if __name__ == "__main__":
    sys.exit(main())
